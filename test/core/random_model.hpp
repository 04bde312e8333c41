// Random scores of every kind that the extension lets people define, and random facts to go with them.
#pragma once

#include "feed.hpp"
#include "model.hpp"
#include "support.hpp"

namespace lead_scoring::core::test
{

// The first column of every source, and of the record, holds values: finite, or NULL
void make_random_model(Random &random, Model &model);

Facts make_random_facts(Random &random, const Model &model);

} // namespace lead_scoring::core::test
