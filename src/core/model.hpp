// A trained model: what predicts a conversion from a row of features, explains it, and is stored as text.
#pragma once

#include "core/dataset.hpp"
#include "core/fault.hpp"
#include "core/forest.hpp"
#include "core/scorecard.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace lead_scoring::core
{

// What a model knows of a feature: how a value is given to it
struct FeatureInfo
{
	std::string name;
	bool categorical = false;
	std::vector<std::string> categories; // code c is categories[c]; any other is unseen_category
};

// Platt scaling: the log-odds of the learner become slope * log-odds + offset. It is linear, so contributions stay sums
// (Platt 1999, Probabilistic outputs for support vector machines)
struct Calibration
{
	double slope = 1;
	double offset = 0;
};

struct Segment;

class Model
{
public:
	Model(std::vector<FeatureInfo> features, std::variant<Scorecard, Forest> learner, Calibration calibration);

	const std::vector<FeatureInfo> &
	features() const noexcept
	{
		return features_;
	}

	const std::variant<Scorecard, Forest> &
	learner() const noexcept
	{
		return learner_;
	}

	const Calibration &
	calibration() const noexcept
	{
		return calibration_;
	}

	// The segments that have a model of their own; for all others this one stands
	const std::vector<Segment> &
	segments() const noexcept
	{
		return segments_;
	}

	// Give segments models of their own, of the same features and without segments; to be called once
	void set_segments(std::vector<Segment> segments);

	// Return the segment of a row if it has a model of its own, else null. It is what a row may have after its features:
	// the number of a segment, or any other number for none
	const Segment *segment_of(std::span<const double> row) const noexcept;

	// Return the calibrated log-odds of a row: its values in the order of the features, encoded as in a DataColumn, and
	// its segment. Always finite
	double log_odds(std::span<const double> row) const noexcept;

	// Return the probability of a conversion, 0 .. 1
	double probability(std::span<const double> row) const noexcept;

	// Return what each feature adds to the log-odds and, last, the base: together log_odds(row)
	void contributions(std::span<const double> row, std::span<double> out) const;

private:
	std::vector<FeatureInfo> features_;
	std::variant<Scorecard, Forest> learner_;
	Calibration calibration_;
	std::vector<Segment> segments_;
};

// A part of the records with a model of its own
struct Segment
{
	std::string name;
	Model model;
};

// Return the probability that log-odds stand for
double probability_of(double log_odds) noexcept;

// Return by feature the mean absolute contribution over rows of the data, whose columns are the features of the model.
// Many rows of boosted trees are sampled evenly
std::vector<double> feature_importance(const Model &model, const Dataset &data, Poll cancelled);

// The stored form: JSON in ASCII, with every number exactly
std::string write_model(const Model &model);

// Read a stored model. Nothing in it is trusted: what is no model raises Fault::invalid_text
Model read_model(std::string_view text);

} // namespace lead_scoring::core
