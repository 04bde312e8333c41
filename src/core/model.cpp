// The text of a model is JSON, all of it ASCII, so that it is valid in any encoding.
#include "core/model.hpp"

#include "core/forest_json.hpp"
#include "core/json_reading.hpp"
#include "core/scorecard_json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <optional>
#include <unordered_set>
#include <utility>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

namespace
{

using nlohmann::json;

constexpr uint64_t format = 1;

// What nobody needs, and what would only fill the memory
constexpr size_t longest_text = 256 << 20;
constexpr size_t most_features = 10'000;
constexpr size_t most_categories = 1'000'000;
constexpr size_t most_segments = 10'000;

// Rows of boosted trees of which the importance is the mean: one takes some tens of microseconds
constexpr size_t sampled_rows = 2000;

// JSON holds characters and our texts are bytes, in UTF-8 or not. Bytes that are not are written as the characters that
// have their numbers
std::string
characters_of(const std::string &bytes)
{
	std::string characters;

	for (char byte : bytes)
	{
		const auto code = static_cast<unsigned char>(byte);
		if (code < 0x80)
		{
			characters += byte;
			continue;
		}
		characters += static_cast<char>(0xC0 | code >> 6);
		characters += static_cast<char>(0x80 | (code & 0x3F));
	}
	return characters;
}

// The reverse, of valid UTF-8
std::string
bytes_of(const std::string &characters)
{
	std::string bytes;

	for (size_t at = 0; at < characters.size(); at++)
	{
		const auto code = static_cast<unsigned char>(characters[at]);
		if (code < 0x80)
		{
			bytes += characters[at];
			continue;
		}
		if (code > 0xC3 || at + 1 == characters.size())
		{
			refuse_model("a string is not of bytes");
		}
		bytes += static_cast<char>((code & 3) << 6 | (characters[++at] & 0x3F));
	}
	return bytes;
}

json
features_json(const std::vector<FeatureInfo> &features, bool bytes)
{
	json array = json::array();

	for (const FeatureInfo &feature : features)
	{
		json object = {{"name", bytes ? characters_of(feature.name) : feature.name}};
		if (feature.categorical)
		{
			json categories = json::array();
			for (const std::string &category : feature.categories)
			{
				categories.push_back(bytes ? characters_of(category) : category);
			}
			object["categories"] = std::move(categories);
		}
		array.push_back(std::move(object));
	}
	return array;
}

// What predicts, without what it is told
json
predictor_json(const Model &model)
{
	json object = {{"calibration", {{"slope", model.calibration().slope}, {"offset", model.calibration().offset}}}};

	if (const Scorecard *scorecard = std::get_if<Scorecard>(&model.learner()))
	{
		object["scorecard"] = scorecard_json(*scorecard);
	}
	else
	{
		object["forest"] = forest_json(std::get<Forest>(model.learner()));
	}
	return object;
}

json
model_json(const Model &model, bool bytes)
{
	json object = predictor_json(model);

	object["format"] = format;
	object["features"] = features_json(model.features(), bytes);
	object["strings"] = bytes ? "bytes" : "characters";
	for (const Segment &segment : model.segments())
	{
		json own = predictor_json(segment.model);
		own["segment"] = bytes ? characters_of(segment.name) : segment.name;
		object["segments"].push_back(std::move(own));
	}
	return object;
}

std::vector<FeatureInfo>
read_features(const json &object, bool bytes)
{
	const json &array = json_array(object, "features", most_features);
	auto read = [bytes](const json &value) { return bytes ? bytes_of(json_text(value)) : json_text(value); };
	std::vector<FeatureInfo> features;
	std::unordered_set<std::string> names;

	features.reserve(array.size());
	for (const json &value : array)
	{
		FeatureInfo feature;
		feature.name = read(json_member(value, "name"));
		feature.categorical = value.contains("categories");
		if (!names.insert(feature.name).second)
		{
			refuse_model("two features have one name");
		}
		if (feature.categorical)
		{
			for (const json &category : json_array(value, "categories", most_categories))
			{
				feature.categories.push_back(read(category));
			}
		}
		features.push_back(std::move(feature));
	}
	return features;
}

void
check_format(const json &object)
{
	const uint64_t found = json_count(object, "format", UINT64_MAX);

	if (found > format)
	{
		throw ScoringError(Fault::invalid_text,
						   fmt::format("the model has format {}, which is newer than this version of lead_scoring", found),
						   "Install the newer version, or train the model again.");
	}
	if (found != format)
	{
		refuse_model(fmt::format("there is no format {}", found));
	}
}

// Read what predicts, of an object that has it
Model
read_predictor(const json &object, const std::vector<FeatureInfo> &features)
{
	const json &scale = json_member(object, "calibration");
	const Calibration calibration{json_amount(json_member(scale, "slope")), json_amount(json_member(scale, "offset"))};

	if (object.contains("forest"))
	{
		return {features, forest_from_json(json_member(object, "forest"), features.size()), calibration};
	}
	std::vector<std::optional<size_t>> categories;
	for (const FeatureInfo &feature : features)
	{
		categories.push_back(feature.categorical ? std::optional(feature.categories.size()) : std::nullopt);
	}
	return {features, scorecard_from_json(json_member(object, "scorecard"), categories), calibration};
}

std::vector<Segment>
read_segments(const json &object, const std::vector<FeatureInfo> &features, bool bytes)
{
	std::vector<Segment> segments;
	std::unordered_set<std::string> names;

	for (const json &value : json_array(object, "segments", most_segments))
	{
		const std::string name = json_text(json_member(value, "segment"));
		segments.push_back({bytes ? bytes_of(name) : name, read_predictor(value, features)});
		if (!names.insert(segments.back().name).second)
		{
			refuse_model("two segments have one name");
		}
	}
	return segments;
}

} // namespace

Model::Model(std::vector<FeatureInfo> features, std::variant<Scorecard, Forest> learner, Calibration calibration)
	: features_(std::move(features)), learner_(std::move(learner)), calibration_(calibration)
{
}

void
Model::set_segments(std::vector<Segment> segments)
{
	segments_ = std::move(segments);
}

const Segment *
Model::segment_of(std::span<const double> row) const noexcept
{
	if (segments_.empty() || row.size() <= features_.size())
	{
		return nullptr;
	}
	// Also false for what is not a number
	const double number = row[features_.size()];
	return number >= 0 && number < static_cast<double>(segments_.size()) ? &segments_[static_cast<size_t>(number)] : nullptr;
}

double
Model::log_odds(std::span<const double> row) const noexcept
{
	if (const Segment *segment = segment_of(row))
	{
		return segment->model.log_odds(row);
	}
	// Not by std::visit, which may throw
	const Scorecard *scorecard = std::get_if<Scorecard>(&learner_);
	const double raw = scorecard != nullptr ? scorecard->log_odds(row) : std::get_if<Forest>(&learner_)->log_odds(row);

	return calibration_.slope * raw + calibration_.offset;
}

double
Model::probability(std::span<const double> row) const noexcept
{
	return probability_of(log_odds(row));
}

void
Model::contributions(std::span<const double> row, std::span<double> out) const
{
	if (const Segment *segment = segment_of(row))
	{
		segment->model.contributions(row, out);
		return;
	}
	if (const Scorecard *scorecard = std::get_if<Scorecard>(&learner_))
	{
		scorecard->contributions(row, out);
	}
	else
	{
		std::get<Forest>(learner_).contributions(row, out);
	}
	for (double &contribution : out.first(features_.size() + 1))
	{
		// Never -0
		contribution = contribution * calibration_.slope + 0.0;
	}
	out[features_.size()] += calibration_.offset;
}

double
probability_of(double log_odds) noexcept
{
	return 1 / (1 + std::exp(-log_odds));
}

std::vector<double>
feature_importance(const Model &model, const Dataset &data, Poll cancelled)
{
	const size_t width = model.features().size();
	const bool trees = std::holds_alternative<Forest>(model.learner());
	const size_t rows = trees ? std::min(data.rows(), sampled_rows) : data.rows();
	std::vector<double> importance(width, 0.0);
	std::vector<double> row(width);
	std::vector<double> contributions(width + 1);

	for (size_t number = 0; number < rows; number++)
	{
		if (trees || number % 256 == 0)
		{
			give_up_if(cancelled);
		}
		take_row(data, number * data.rows() / rows, row);
		model.contributions(row, contributions);
		for (size_t feature = 0; feature < width; feature++)
		{
			importance[feature] += std::abs(contributions[feature]) / static_cast<double>(rows);
		}
	}
	return importance;
}

std::string
write_model(const Model &model)
{
	const json object = model_json(model, false);
	std::string text = object.dump(-1, ' ', true, json::error_handler_t::replace);

	// Another model comes back if something had to be replaced
	if (json::parse(text, nullptr, false) != object)
	{
		text = model_json(model, true).dump(-1, ' ', true, json::error_handler_t::replace);
	}
	return text;
}

Model
read_model(std::string_view text)
{
	if (text.size() > longest_text)
	{
		refuse_model(fmt::format("it has {} bytes, more than {}", text.size(), longest_text));
	}
	const json object = json::parse(text, nullptr, false);
	if (object.is_discarded())
	{
		refuse_model("it is no JSON");
	}
	check_format(object);
	const std::string strings = json_text(json_member(object, "strings"));
	if (strings != "characters" && strings != "bytes")
	{
		refuse_model("strings are neither of characters nor of bytes");
	}
	std::vector<FeatureInfo> features = read_features(object, strings == "bytes");
	Model model = read_predictor(object, features);
	if (object.contains("segments"))
	{
		model.set_segments(read_segments(object, features, strings == "bytes"));
	}
	return model;
}

} // namespace lead_scoring::core
