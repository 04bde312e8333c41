// How well and how fast the learners of the core learn real data, beside reference numbers. Run by bench/learners.
#include "core/calibration.hpp"
#include "core/metrics.hpp"
#include "core/training.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace lead_scoring::core;

namespace
{

using Line = std::vector<std::string>;

// Read a file of values with a header, quoted or not
std::vector<Line>
read_csv(const std::string &path, char separator)
{
	std::ifstream file(path, std::ios::binary);
	const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
	std::vector<Line> lines;
	Line line(1);
	bool quoted = false;

	for (size_t at = 0; at < text.size(); at++)
	{
		const char sign = text[at];
		if (quoted ? sign != '"' : sign != '"' && sign != separator && sign != '\n' && sign != '\r')
		{
			line.back() += sign;
		}
		else if (quoted && at + 1 < text.size() && text[at + 1] == '"')
		{
			line.back() += text[++at];
		}
		else if (sign == '"')
		{
			quoted = !quoted;
		}
		else if (sign == separator)
		{
			line.emplace_back();
		}
		else if (sign == '\n')
		{
			lines.push_back(std::move(line));
			line.assign(1, {});
		}
	}
	return lines;
}

// The first 32 bits of the MD5 digest of a short text (RFC 1321)
uint32_t
md5_head(const std::string &text)
{
	constexpr int shifts[] = {7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21};
	std::array<uint8_t, 64> block{};
	std::array<uint32_t, 4> state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
	auto [a, b, c, d] = state;

	std::copy(text.begin(), text.end(), block.begin());
	block[text.size()] = 0x80;
	block[56] = static_cast<uint8_t>(text.size() * 8);
	for (int step = 0; step < 64; step++)
	{
		const int round = step / 16;
		const uint32_t mixed = round == 0 ? (b & c) | (~b & d) : round == 1 ? (d & b) | (~d & c) : round == 2 ? b ^ c ^ d : c ^ (b | ~d);
		const int word = (round == 0 ? step : round == 1 ? 5 * step + 1 : round == 2 ? 3 * step + 5 : 7 * step) % 16 * 4;
		const uint32_t part = block[word] | block[word + 1] << 8 | block[word + 2] << 16 | static_cast<uint32_t>(block[word + 3]) << 24;
		const auto constant = static_cast<uint32_t>(std::floor(std::ldexp(std::abs(std::sin(step + 1.0)), 32)));
		const uint32_t sum = a + mixed + constant + part;
		a = d;
		d = c;
		c = b;
		b += std::rotl(sum, shifts[round * 4 + step % 4]);
	}
	a += state[0];
	return (a & 0xff) << 24 | (a & 0xff00) << 8 | (a >> 8 & 0xff00) | a >> 24;
}

// As in PostgreSQL: (('x' || substr(md5(row::text), 1, 8))::bit(32)::bigint % 5)::int
uint32_t
fold_of(const std::string &row)
{
	return md5_head(row) % 5;
}

std::optional<double>
number_of(const std::string &text)
{
	double number = 0;
	const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);

	return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

// Make a feature of texts; what is in missing is missing. Numbers are numbers, anything else is a category
DataColumn
column_of(std::string name, const std::vector<std::string> &texts, const std::vector<std::string> &missing)
{
	DataColumn column{std::move(name), false, {}, {}};
	std::map<std::string, double> codes;
	auto is_missing = [&](const std::string &text) { return std::find(missing.begin(), missing.end(), text) != missing.end(); };

	for (const std::string &text : texts)
	{
		column.categorical = column.categorical || (!is_missing(text) && !number_of(text).has_value());
	}
	for (const std::string &text : texts)
	{
		if (is_missing(text))
		{
			column.values.push_back(std::numeric_limits<double>::quiet_NaN());
		}
		else if (!column.categorical)
		{
			column.values.push_back(*number_of(text));
		}
		else
		{
			const auto [code, is_new] = codes.emplace(text, static_cast<double>(codes.size()));
			column.values.push_back(code->second);
			if (is_new)
			{
				column.categories.push_back(text);
			}
		}
	}
	return column;
}

// What to make of a file
struct Source
{
	std::string path;
	char separator;
	std::string outcome;
	std::string converted;
	std::string row;                  // the column of the row's number, or empty: they are counted from 1
	std::vector<std::string> left_out;
	std::vector<std::string> missing;
};

Dataset
load(const Source &source)
{
	const std::vector<Line> lines = read_csv(source.path, source.separator);
	Dataset data;

	for (size_t at = 0; !lines.empty() && at < lines[0].size(); at++)
	{
		const std::string &name = lines[0][at];
		std::vector<std::string> texts;
		for (size_t line = 1; line < lines.size(); line++)
		{
			std::string text = lines[line][at];
			std::transform(text.begin(), text.end(), text.begin(), [](unsigned char sign) { return std::tolower(sign); });
			texts.push_back(text);
			if (name == source.outcome)
			{
				data.outcome.push_back(text == source.converted);
				data.fold.push_back(source.row.empty() ? fold_of(std::to_string(line)) : 0);
			}
		}
		if (name == source.row)
		{
			std::transform(texts.begin(), texts.end(), std::back_inserter(data.fold), fold_of);
		}
		else if (name != source.outcome && std::find(source.left_out.begin(), source.left_out.end(), name) == source.left_out.end())
		{
			data.columns.push_back(column_of(name, texts, source.missing));
		}
	}
	// If there is a column of the row's number, it came first
	data.fold.resize(data.rows());
	return data;
}

double
seconds_of(const std::function<void()> &work)
{
	const auto begin = std::chrono::steady_clock::now();

	work();
	return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void
report(const std::string &name, const Dataset &data, Learner learner, TrainingSettings settings, std::string_view reference)
{
	std::vector<uint32_t> rows(data.rows());
	std::vector<double> values(data.columns.size());
	double sum = 0;

	settings.learners = {learner};
	std::optional<Training> training;
	const double train_seconds = seconds_of([&]() { training = train(data, settings, nullptr, nullptr); });
	std::iota(rows.begin(), rows.end(), 0);
	const double fit_seconds = seconds_of([&]() {
		if (learner == Learner::scorecard)
		{
			fit_scorecard(data, rows, settings.scorecard, nullptr);
		}
		else
		{
			fit_forest(data, rows, settings.forest, nullptr);
		}
	});
	const double predict_seconds = seconds_of([&]() {
		for (size_t row = 0; row < data.rows(); row++)
		{
			take_row(data, row, values);
			sum += training->model.probability(values);
		}
	});
	const auto &probabilities = training->probabilities;
	fmt::print("{:<14} {:>6} {:>4}  {:<13} {:.4f}  {:<22} {:.4f}  {:.4f} {:.4f}  {:8.3f} {:8.3f} {:8.3f}  {:>9}\n", name, data.rows(),
			   data.columns.size(), learner_name(learner), training->qualities[0].auc, reference,
			   log_loss(probabilities, data.outcome),
			   calibration_error(probabilities, data.outcome, calibration_bins, Binning::equal_width),
			   calibration_error(probabilities, data.outcome, calibration_bins, Binning::equal_count), fit_seconds, predict_seconds,
			   train_seconds, write_model(training->model).size());
	for (const std::string &warning : training->warnings)
	{
		fmt::print("  {}\n", warning);
	}
	if (std::abs(sum / static_cast<double>(data.rows()) -
				 static_cast<double>(std::accumulate(data.outcome.begin(), data.outcome.end(), 0)) / static_cast<double>(data.rows())) > 0.01)
	{
		fmt::print("  the mean prediction is off by more than 0.01\n");
	}
}

} // namespace

int
main(int count, char **arguments)
{
	if (count < 2)
	{
		fmt::print(stderr, "usage: learners FOLDER [scorecard|boosted_trees [BINS MIN_ROWS PENALTY]]\n");
		return 2;
	}
	const std::string folder = arguments[1];
	TrainingSettings settings;
	if (count > 5)
	{
		settings.scorecard.bins = static_cast<uint32_t>(std::atoi(arguments[3]));
		settings.scorecard.min_rows = static_cast<uint32_t>(std::atoi(arguments[4]));
		settings.scorecard.penalty = std::atof(arguments[5]);
	}
	const Dataset bank = load({folder + "/bank_marketing/bank-full.csv", ';', "y", "yes", "", {"duration"}, {"unknown", "-1", ""}});
	const Dataset leads = load({folder + "/x_education/leads.csv",
								',',
								"Converted",
								"1",
								"row",
								{"Prospect ID", "Lead Number", "Tags", "Lead Quality", "Lead Profile", "Last Notable Activity",
								 "Last Activity"},
								{"select", ""}});

	fmt::print("{:<14} {:>6} {:>4}  {:<13} {:<6}  {:<22} {:<6}  {:<6} {:<6}  {:>8} {:>8} {:>8}  {:>9}\n", "data", "rows", "cols", "learner",
			   "AUC", "reference; required", "loss", "ECE w", "ECE n", "fit s", "all s", "train s", "bytes");
	for (Learner learner : {Learner::scorecard, Learner::boosted_trees})
	{
		if (count > 2 && std::string_view(arguments[2]) != learner_name(learner))
		{
			continue;
		}
		const bool trees = learner == Learner::boosted_trees;
		report("bank-full", bank, learner, settings, trees ? ".804 tuned; .795" : ".773 on deciles; .768");
		report("x_education", leads, learner, settings, trees ? ".900 tuned; .890" : ".891 on deciles; .882");
	}
	return 0;
}
