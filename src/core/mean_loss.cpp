#include "core/mean_loss.hpp"

#include "core/fault.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

namespace
{

void
require_room(int64_t count)
{
	if (count > ExactSum::most_terms)
	{
		throw ScoringError(Fault::limit_exceeded, fmt::format("more than {} predictions to be judged", ExactSum::most_terms),
						   "Judge a random part of them, for example with TABLESAMPLE.");
	}
}

} // namespace

void
require_probability(double probability)
{
	if (!(probability >= 0 && probability <= 1))
	{
		throw ScoringError(Fault::invalid_parameter, fmt::format("a probability must be within 0 and 1: {}", probability),
						   "A likelihood in per cent has to be divided by 100.");
	}
}

double
log_loss_of(double probability, bool outcome)
{
	require_probability(probability);
	double happened = outcome ? probability : 1 - probability;
	if (happened < least_probability)
	{
		return -std::log(least_probability);
	}
	// Not by the rounded 1 - probability. Subtracting from zero gives 0 and not -0
	return 0 - (outcome ? std::log(probability) : std::log1p(-probability));
}

double
brier_of(double probability, bool outcome)
{
	require_probability(probability);
	double error = outcome ? 1 - probability : probability;
	return error * error;
}

void
MeanLoss::add(double loss)
{
	require_room(count + 1);
	sum.add(loss);
	count++;
}

void
MeanLoss::add(const MeanLoss &other)
{
	require_room(count + other.count);
	count += other.count;
	sum.add(other.sum);
}

double
MeanLoss::mean() const noexcept
{
	ScaledNumber total = sum.value();

	if (count == 0)
	{
		return std::numeric_limits<double>::quiet_NaN();
	}
	return std::ldexp(total.significand / static_cast<double>(count), total.exponent);
}

void
require_valid_mean_loss(const MeanLoss &loss)
{
	bool valid = loss.count >= 1 && loss.count <= ExactSum::most_terms && loss.sum.may_have(loss.count);

	// No cost is above 35
	if (!valid || !(loss.mean() >= 0 && loss.mean() <= 35))
	{
		throw ScoringError(Fault::invalid_text, "invalid state of log_loss or brier",
						   "It is made by these aggregates themselves.");
	}
}

} // namespace lead_scoring::core
