// A look at the features before training: what cannot help, what gives the outcome away, and what must be cut to size.
#pragma once

#include "core/dataset.hpp"
#include "core/fault.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace lead_scoring::core
{

// Return how well a number alone tells converted rows from others: its AUC or 1 - AUC, whichever is higher, missing values
// being lower or higher than all others, whichever is better; 0.5 if there is only one outcome
double separation(std::span<const double> values, std::span<const uint8_t> outcomes, Poll cancelled);

// The same for a category: the AUC of the conversion rate by category, of those that at least min_rows rows have; the
// others count as one
double category_separation(std::span<const double> codes, size_t categories, std::span<const uint8_t> outcomes, uint64_t min_rows,
						   Poll cancelled);

// Keep the most frequent categories only, so many; to all others, which become unseen_category, the model is indifferent.
// Returns how many there were, if more
size_t keep_frequent_categories(DataColumn &column, size_t most, Poll cancelled);

// Check a data set, cut it to size and say what is strange about its features
std::vector<std::string> inspect(Dataset &data, size_t most_categories, double leakage_auc, Poll cancelled);

} // namespace lead_scoring::core
