#include "core/segment_training.hpp"

#include "core/inspection.hpp"
#include "core/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include <fmt/format.h>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

namespace
{

// How many rows did not convert, and how many did
struct Counts
{
	uint64_t by_outcome[2] = {0, 0};
};

// The rows of a segment
struct SegmentRows
{
	std::string name;
	std::vector<uint32_t> rows;
};

// Return whether there are enough rows of both outcomes, also without any one fold
bool
can_be_trained(const Dataset &data, std::span<const uint32_t> rows, const TrainingSettings &settings)
{
	Counts all;
	std::map<uint32_t, Counts> folds;

	for (uint32_t row : rows)
	{
		const bool converted = data.outcome[row] != 0;
		all.by_outcome[converted]++;
		folds[data.fold[row]].by_outcome[converted]++;
	}
	if (all.by_outcome[1] < std::max<uint64_t>(settings.min_converted, 1) ||
		all.by_outcome[0] < std::max<uint64_t>(settings.min_unconverted, 1) || folds.size() < 2 || folds.size() > most_folds)
	{
		return false;
	}
	return std::all_of(folds.begin(), folds.end(), [&all](const auto &fold) {
		return fold.second.by_outcome[0] < all.by_outcome[0] && fold.second.by_outcome[1] < all.by_outcome[1];
	});
}

// Return the segments that can have a model of their own, the largest first. If all rows are of one, that is no part of them
std::vector<SegmentRows>
find_segments(const Dataset &data, const DataColumn &column, const TrainingSettings &settings)
{
	std::vector<SegmentRows> segments(column.categories.size());

	for (size_t number = 0; number < segments.size(); number++)
	{
		segments[number].name = column.categories[number];
	}
	for (uint32_t row = 0; row < data.rows(); row++)
	{
		if (!std::isnan(column.values[row]) && column.values[row] != unseen_category)
		{
			segments[static_cast<size_t>(column.values[row])].rows.push_back(row);
		}
	}
	std::erase_if(segments, [&](const SegmentRows &segment) {
		return segment.rows.size() == data.rows() || !can_be_trained(data, segment.rows, settings);
	});
	std::sort(segments.begin(), segments.end(), [](const SegmentRows &left, const SegmentRows &right) {
		return left.rows.size() != right.rows.size() ? left.rows.size() > right.rows.size() : left.name < right.name;
	});
	return segments;
}

Dataset
take_rows(const Dataset &data, std::span<const uint32_t> rows)
{
	Dataset part;

	for (const DataColumn &column : data.columns)
	{
		DataColumn copy{column.name, column.categorical, column.categories, {}};
		copy.values.reserve(rows.size());
		for (uint32_t row : rows)
		{
			copy.values.push_back(column.values[row]);
		}
		part.columns.push_back(std::move(copy));
	}
	for (uint32_t row : rows)
	{
		part.outcome.push_back(data.outcome[row]);
		part.fold.push_back(data.fold[row]);
	}
	return part;
}

// Return whether predictions are better than others by more than chance explains: whether the mean difference of the log
// losses is above 0 by 1.645 of its standard errors (a one-sided paired z test at 5 %)
bool
are_better(std::span<const double> own, std::span<const double> others, std::span<const uint8_t> outcomes)
{
	const auto count = static_cast<double>(outcomes.size());
	std::vector<double> gains;
	double mean = 0;
	double squares = 0;

	for (size_t row = 0; row < outcomes.size(); row++)
	{
		gains.push_back(log_loss(others.subspan(row, 1), outcomes.subspan(row, 1)) -
						log_loss(own.subspan(row, 1), outcomes.subspan(row, 1)));
		mean += gains.back() / count;
	}
	for (double gain : gains)
	{
		squares += (gain - mean) * (gain - mean);
	}
	return mean > 0 && mean > 1.645 * std::sqrt(squares / (count - 1) / count);
}

// Train the rows of a segment by themselves, and leave what is better among the predictions of all
SegmentQuality
try_segment(const Dataset &data, const SegmentRows &segment, const TrainingSettings &settings, Poll cancelled, Training &overall,
			std::vector<Segment> &kept)
{
	Dataset part = take_rows(data, segment.rows);
	const std::vector<uint8_t> outcomes = part.outcome;
	const auto converted = static_cast<uint64_t>(std::count_if(outcomes.begin(), outcomes.end(), [](uint8_t one) { return one != 0; }));
	std::vector<double> present;
	for (uint32_t row : segment.rows)
	{
		present.push_back(overall.probabilities[row]);
	}
	Training own = train(std::move(part), settings, cancelled, nullptr);
	const bool better = are_better(own.probabilities, present, outcomes);
	SegmentQuality quality{segment.name,
						   segment.rows.size(),
						   converted,
						   auc(own.probabilities, outcomes, cancelled),
						   auc(present, outcomes, cancelled),
						   log_loss(own.probabilities, outcomes),
						   log_loss(present, outcomes),
						   better};

	if (better)
	{
		for (size_t at = 0; at < segment.rows.size(); at++)
		{
			overall.probabilities[segment.rows[at]] = own.probabilities[at];
			overall.fitted[segment.rows[at]] = own.fitted[at];
		}
		for (const std::string &warning : own.warnings)
		{
			overall.warnings.push_back(fmt::format("segment \"{}\": {}", segment.name, warning));
		}
		kept.push_back({segment.name, std::move(own.model)});
	}
	return quality;
}

} // namespace

SegmentedTraining
train_segmented(Dataset data, const TrainingSettings &settings, Poll cancelled, Progress progress)
{
	const DataColumn column = std::move(data.columns.back());

	data.columns.pop_back();
	const std::vector<SegmentRows> segments = find_segments(data, column, settings);
	SegmentedTraining result{train(data, settings, cancelled, progress), {}};
	std::vector<Segment> kept;
	for (DataColumn &feature : data.columns)
	{
		// As the training of all has done, so that one encoding serves all models
		keep_frequent_categories(feature, most_known_categories, cancelled);
	}
	for (const SegmentRows &segment : segments)
	{
		result.segments.push_back(try_segment(data, segment, settings, cancelled, result.training, kept));
	}
	result.training.model.set_segments(std::move(kept));
	return result;
}

} // namespace lead_scoring::core
