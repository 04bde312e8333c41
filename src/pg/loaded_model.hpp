// A model read from the definition tables, ready to be trained: a score whose rules are its features, and the expressions
// that say which records take part and what came of them.
#pragma once

#include "pg/postgres_api.hpp"

#include "pg/loaded_score.hpp"

namespace lead_scoring::pg
{

// Settings of the learners; the defaults stand where a model says nothing
struct LearnerParameters
{
	double bins;
	double l2;
	double min_category;
	double trees;
	double depth;
	double learning_rate;
	double subsample;
	double colsample;
	double min_child_weight;
	double lambda;
	double threads;
	double margin;
};

struct LoadedModel
{
	const char *name;
	LoadedScore *score;
	const char *algorithm; // scorecard, boosted_trees or auto
	bool instant_outcome;  // the outcome is an instant, else boolean
	bool has_segment;      // behind the features there is the segment
	int32_t outcome;       // columns of the record
	int32_t snapshot_at;   // or no_column
	int32_t observed_from; // or no_column
	int32_t fold;          // or no_column
	int64 horizon_us;
	int64 every_us;        // between two snapshots
	int snapshots;
	int folds;
	int min_converted;
	int min_unconverted;
	int64 seed;
	LearnerParameters parameters; // NaN where nothing is said
};

// Read a model as it is defined now; raises if there is none of that name, if it has no features, or if it no longer fits
// the relations. The current user must be allowed to read all that it is trained on
LoadedModel *load_model(const char *name);

// Read a model as it was defined when its champion was trained
LoadedModel *load_champion_model(const char *name);

// Read the champion of a model as something that predicts: a score whose rules are its features
LoadedScore *load_predictor(const char *name);

} // namespace lead_scoring::pg
