// The features of a model, as the finish of a record finds them: one number each.
#pragma once

#include "core/matches.hpp"
#include "core/program.hpp"
#include "core/state_table.hpp"

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace lead_scoring::core
{

// What stands for a value that is not there
inline constexpr double missing_value = std::numeric_limits<double>::quiet_NaN();

// The same in the log of matches, which is sorted: less than any value
inline constexpr double no_value = -std::numeric_limits<double>::infinity();

class FeatureReader
{
public:
	FeatureReader(const Program &program, StateTable &states);

	// Read the features of a record, by rule: numbers, missing_value, or of a category its number, unseen_category for one
	// that the program does not know. The record's matches are at hand, by number in the log
	void read(const Batch &records, size_t row, std::byte *state, std::vector<Matches> &matches, std::span<double> values);

	// Return a number that stands for a text until the next call of clear
	uint32_t intern(std::string_view text);

	// Forget interned texts
	void clear();

	// Return the categories of a feature, in the order of their numbers
	const std::vector<std::string> &
	categories(size_t feature) const noexcept
	{
		return names_[feature];
	}

private:
	double read_record(const FinishRule &rule, size_t feature, const Batch &records, size_t row, int64_t as_of);
	double read_rows(const FinishRule &rule, size_t feature, std::byte *state, std::vector<Matches> &matches);
	double read_logged(const FinishRule &rule, size_t feature, Matches &matches);
	bool is_newer(ColumnKind kind, const Match &left, const Match &right) const;
	double category_of(size_t feature, std::string_view text);

	// Lets texts be looked up without making strings of them
	struct TextHash
	{
		using is_transparent = void;

		size_t
		operator()(std::string_view text) const noexcept
		{
			return std::hash<std::string_view>{}(text);
		}
	};

	using Numbers = std::unordered_map<std::string, uint32_t, TextHash, std::equal_to<>>;

	const Program &program_;
	StateTable &states_;
	std::vector<std::vector<std::string>> names_; // by feature
	std::vector<Numbers> numbers_;                // by feature
	std::vector<std::string> texts_;              // by their interned numbers
	Numbers interned_;
};

} // namespace lead_scoring::core
