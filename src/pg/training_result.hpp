// What comes of collecting samples and of training, as rows.
#pragma once

#include "pg/postgres_api.hpp"

#include "core/samples.hpp"
#include "pg/loaded_model.hpp"
#include "pg/row_set.hpp"

namespace lead_scoring::pg
{

// Return the samples: record_key, snapshot, converted, fold, features, segment
void put_samples(const LoadedModel *model, const core::SampleCollector *collector, const RowSet &rows);

// Train a model on samples, which are used up, and return the one row of train_model
void train_on(const LoadedModel *model, core::SampleCollector *collector, const RowSet &rows);

} // namespace lead_scoring::pg
