// The likelihood of a record: what a model makes of its features, in the place of points; a part of finish.hpp.
#include "core/finish.hpp"
#include "core/model.hpp"
#include "core/time.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

double
likelihood_of(double probability) noexcept
{
	// Nothing is impossible, and nothing certain
	return round_score(std::clamp(100 * probability, 0.01, 99.99));
}

// Whether a record has converted, as of the instant; a later conversion is one that is yet to come
bool
Finisher::has_converted(const Batch &records, size_t row) noexcept
{
	const FinishPrediction &prediction = program_.prediction;
	size_t column = static_cast<size_t>(prediction.outcome_column);

	if (records.is_null(column, row))
	{
		return false;
	}
	int64_t outcome = records.cell(column, row).integer;
	if (!prediction.instant_outcome)
	{
		return outcome != 0;
	}
	if (outcome > program_.as_of)
	{
		note_due(outcome);
		return false;
	}
	return true;
}

// Whether a record may still convert
bool
Finisher::is_undecided(const Batch &records, size_t row) const noexcept
{
	const FinishPrediction &prediction = program_.prediction;

	return prediction.instant_outcome || records.is_null(static_cast<size_t>(prediction.outcome_column), row);
}

ScoreResult
Finisher::predict(const Batch &records, size_t row, std::byte *state, Account *account)
{
	constexpr double absent = std::numeric_limits<double>::quiet_NaN();
	const FinishPrediction &prediction = program_.prediction;
	ScoreResult result{};

	if (wants_due_)
	{
		begin_due(state);
	}
	bool converted = has_converted(records, row);
	bool customer = prediction.customer_when == no_slot ? converted
														: program_.record_criteria[prediction.customer_when].holds(records, row);
	result.in_scope = true;
	result.is_open = !customer && !converted && is_undecided(records, row) &&
					 (program_.open_when == no_slot || program_.record_criteria[program_.open_when].holds(records, row));
	result.total = result.machine = result.fit = result.engagement = absent;
	if (result.is_open)
	{
		take_matches(state);
		features_.read(records, row, state, matches_, feature_values_);
		result.total = result.machine = likelihood_of(prediction.model->probability(feature_values_));
		if (account != nullptr)
		{
			account->features = feature_values_;
			account->contributions.resize(prediction.model->features().size() + 1);
			prediction.model->contributions(feature_values_, account->contributions);
		}
	}
	result.ladders = program_.bands.choose(
		[&](uint32_t segment) { return program_.record_criteria[segment].holds(records, row); });
	if (result.is_open)
	{
		const double values[] = {absent, absent, result.total};
		result.labels = program_.bands.labels(values, result.ladders, records.keys[row], true);
	}
	else if (customer && (prediction.closed_column == no_column ||
						  !records.is_null(static_cast<size_t>(prediction.closed_column), row)))
	{
		result.labels.label = result.labels.total = program_.bands.closed_label();
	}
	if (wants_due_)
	{
		result.due = program_.reads_clock ? infinitely_old : due_;
	}
	return result;
}

} // namespace lead_scoring::core
