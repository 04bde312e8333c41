#include "core/json_reading.hpp"

#include "core/fault.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

using nlohmann::json;

void
refuse_model(const std::string &why)
{
	throw ScoringError(Fault::invalid_text, fmt::format("invalid text of a model: {}", why),
					   "The text must be what training wrote.");
}

const json &
json_member(const json &object, const char *name)
{
	if (!object.is_object())
	{
		refuse_model(fmt::format("an object with \"{}\" is expected", name));
	}
	auto found = object.find(name);
	if (found == object.end())
	{
		refuse_model(fmt::format("\"{}\" is missing", name));
	}
	return *found;
}

const json &
json_array(const json &object, const char *name, size_t most)
{
	const json &array = json_member(object, name);

	if (!array.is_array())
	{
		refuse_model(fmt::format("\"{}\" is no array", name));
	}
	if (array.size() > most)
	{
		refuse_model(fmt::format("\"{}\" has {} elements, more than {}", name, array.size(), most));
	}
	return array;
}

double
json_number(const json &value)
{
	if (!value.is_number())
	{
		refuse_model("a number is expected");
	}
	auto number = value.get<double>();
	if (!std::isfinite(number))
	{
		refuse_model("a number is not finite");
	}
	return number;
}

double
json_number(const json &object, const char *name)
{
	return json_number(json_member(object, name));
}

double
json_amount(const json &value)
{
	const double number = json_number(value);

	if (std::abs(number) > 1e12)
	{
		refuse_model(fmt::format("{} is out of range", number));
	}
	return number;
}

uint64_t
json_count(const json &value, uint64_t most)
{
	// The parser calls a number unsigned if it is a whole one, not negative and fits
	if (!value.is_number_unsigned())
	{
		refuse_model("a whole number is expected");
	}
	auto count = value.get<uint64_t>();
	if (count > most)
	{
		refuse_model(fmt::format("{} is more than {}", count, most));
	}
	return count;
}

uint64_t
json_count(const json &object, const char *name, uint64_t most)
{
	return json_count(json_member(object, name), most);
}

bool
json_boolean(const json &object, const char *name)
{
	const json &value = json_member(object, name);

	if (!value.is_boolean())
	{
		refuse_model(fmt::format("\"{}\" is neither true nor false", name));
	}
	return value.get<bool>();
}

std::string
json_text(const json &value)
{
	if (!value.is_string())
	{
		refuse_model("a string is expected");
	}
	auto text = value.get<std::string>();
	// It becomes text of PostgreSQL, which would end there
	if (text.find('\0') != std::string::npos)
	{
		refuse_model("a string has a zero byte");
	}
	return text;
}

std::vector<double>
json_numbers(const json &object, const char *name, size_t most)
{
	const json &array = json_array(object, name, most);
	std::vector<double> numbers;

	numbers.reserve(array.size());
	for (const json &value : array)
	{
		numbers.push_back(json_number(value));
	}
	return numbers;
}

std::vector<uint32_t>
json_counts(const json &object, const char *name, size_t most, uint32_t highest)
{
	const json &array = json_array(object, name, most);
	std::vector<uint32_t> counts;

	counts.reserve(array.size());
	for (const json &value : array)
	{
		counts.push_back(static_cast<uint32_t>(json_count(value, highest)));
	}
	return counts;
}

} // namespace lead_scoring::core
