// What a model learns from: a table by columns, each row a record as it was known at one instant, with what came of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace lead_scoring::core
{

// A category that training has not seen: neutral
inline constexpr double unseen_category = -1;

// One feature of all rows
struct DataColumn
{
	std::string name;
	bool categorical = false;
	std::vector<std::string> categories; // code c is categories[c]
	std::vector<double> values;          // by row; NaN is missing; categorical: the code as a double
};

struct Dataset
{
	std::vector<DataColumn> columns;
	std::vector<uint8_t> outcome; // by row: 1 converted, 0 not
	std::vector<uint32_t> fold;   // by row: which rows are judged together, by a model that has not seen them

	size_t
	rows() const noexcept
	{
		return outcome.size();
	}
};

// Copy one row, in the order of the columns
inline void
take_row(const Dataset &data, size_t row, std::span<double> out) noexcept
{
	for (size_t column = 0; column < data.columns.size(); column++)
	{
		out[column] = data.columns[column].values[row];
	}
}

} // namespace lead_scoring::core
