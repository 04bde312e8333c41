// Data to learn from, for the tests of models.
#pragma once

#include "core/dataset.hpp"
#include "support.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

namespace lead_scoring::core::test
{

inline DataColumn
number_column(std::string name, std::vector<double> values)
{
	return {std::move(name), false, {}, std::move(values)};
}

inline DataColumn
category_column(std::string name, size_t categories, std::vector<double> codes)
{
	DataColumn column{std::move(name), true, {}, std::move(codes)};

	for (size_t code = 0; code < categories; code++)
	{
		column.categories.push_back("category " + std::to_string(code));
	}
	return column;
}

inline std::vector<uint32_t>
all_rows(const Dataset &data)
{
	std::vector<uint32_t> rows(data.rows());

	std::iota(rows.begin(), rows.end(), 0);
	return rows;
}

// Log-odds by which random_leads draws outcomes
inline double
true_log_odds(const Dataset &data, size_t row)
{
	const double visits = data.columns[0].values[row];
	const double recency = data.columns[1].values[row];
	const double channel = data.columns[2].values[row];

	return -2 + 0.4 * std::min(visits, 8.0) + (std::isnan(recency) ? -1 : std::exp(-recency / 30)) +
		   (channel == 1 ? 1 : channel == 3 ? -1.5 : 0);
}

// Leads with visits (many 0), recency (some missing), a channel (some missing) and noise; five folds
inline Dataset
random_leads(Random &random, size_t rows)
{
	Dataset data;
	std::vector<double> visits;
	std::vector<double> recency;
	std::vector<double> channel;
	std::vector<double> noise;

	for (size_t row = 0; row < rows; row++)
	{
		visits.push_back(random.one_in(2) ? 0 : static_cast<double>(random.below(12)));
		recency.push_back(random.one_in(10) ? not_a_number : std::floor(random.share() * 365));
		channel.push_back(random.one_in(20) ? not_a_number : static_cast<double>(random.below(5)));
		noise.push_back(random.share());
		data.fold.push_back(static_cast<uint32_t>(random.below(5)));
	}
	data.columns = {number_column("visits", visits), number_column("days since last visit", recency),
					category_column("channel", 5, channel), number_column("noise", noise)};
	for (size_t row = 0; row < rows; row++)
	{
		data.outcome.push_back(random.share() < 1 / (1 + std::exp(-true_log_odds(data, row))));
	}
	return data;
}

} // namespace lead_scoring::core::test
