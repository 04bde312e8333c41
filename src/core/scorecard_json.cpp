#include "core/scorecard_json.hpp"

#include "core/json_reading.hpp"

#include <nlohmann/json.hpp>

#include <utility>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

namespace
{

using nlohmann::json;

constexpr uint64_t most_rows = uint64_t{1} << 53;

std::vector<ScorecardBin>
read_bins(const json &object)
{
	const json &points = json_array(object, "points", most_scorecard_bins);
	const json &rows = json_array(object, "rows", points.size());
	const json &converted = json_array(object, "converted", points.size());
	std::vector<ScorecardBin> bins;

	if (points.empty() || rows.size() != points.size() || converted.size() != points.size())
	{
		refuse_model("a feature has no bins, or they lack something");
	}
	bins.reserve(points.size());
	for (size_t bin = 0; bin < points.size(); bin++)
	{
		const uint64_t count = json_count(rows[bin], most_rows);
		bins.push_back({json_amount(points[bin]), count, json_count(converted[bin], count)});
	}
	return bins;
}

ScorecardFeature
read_scorecard_feature(const json &object, std::optional<size_t> categories)
{
	ScorecardFeature feature;

	feature.categorical = categories.has_value();
	feature.bins = read_bins(object);
	if (!feature.categorical)
	{
		feature.lower_bounds = json_numbers(object, "lower_bounds", most_scorecard_bins);
		if (feature.bins.size() != feature.lower_bounds.size() + 2)
		{
			refuse_model("bins and their bounds do not match");
		}
		for (size_t bound = 1; bound < feature.lower_bounds.size(); bound++)
		{
			if (feature.lower_bounds[bound - 1] >= feature.lower_bounds[bound])
			{
				refuse_model("bounds of bins do not ascend");
			}
		}
		return feature;
	}
	const auto none = static_cast<uint32_t>(feature.bins.size());
	feature.bin_of_code = json_counts(object, "bin_of_code", *categories, none);
	if (feature.bin_of_code.size() != *categories)
	{
		refuse_model("categories and their bins do not match");
	}
	for (uint32_t &bin : feature.bin_of_code)
	{
		bin = bin == none ? ScorecardFeature::no_bin : bin;
	}
	return feature;
}

} // namespace

json
scorecard_json(const Scorecard &scorecard)
{
	json features = json::array();

	for (const ScorecardFeature &feature : scorecard.features)
	{
		json object = json::object();
		json points = json::array();
		json rows = json::array();
		json converted = json::array();
		for (const ScorecardBin &bin : feature.bins)
		{
			points.push_back(bin.points);
			rows.push_back(bin.rows);
			converted.push_back(bin.converted);
		}
		object["points"] = std::move(points);
		object["rows"] = std::move(rows);
		object["converted"] = std::move(converted);
		if (feature.categorical)
		{
			json bins = json::array();
			for (uint32_t bin : feature.bin_of_code)
			{
				// One behind the last stands for none
				bins.push_back(bin == ScorecardFeature::no_bin ? feature.bins.size() : size_t{bin});
			}
			object["bin_of_code"] = std::move(bins);
		}
		else
		{
			object["lower_bounds"] = feature.lower_bounds;
		}
		features.push_back(std::move(object));
	}
	return {{"base", scorecard.base}, {"features", std::move(features)}};
}

Scorecard
scorecard_from_json(const json &object, std::span<const std::optional<size_t>> categories)
{
	const json &array = json_array(object, "features", categories.size());
	Scorecard scorecard;

	if (array.size() != categories.size())
	{
		refuse_model("the features of the scorecard are not those of the model");
	}
	scorecard.base = json_amount(json_member(object, "base"));
	scorecard.features.reserve(categories.size());
	for (size_t feature = 0; feature < categories.size(); feature++)
	{
		scorecard.features.push_back(read_scorecard_feature(array[feature], categories[feature]));
	}
	return scorecard;
}

} // namespace lead_scoring::core
