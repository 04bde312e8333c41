#include "core/decay.hpp"

#include "core/duration.hpp"
#include "core/fault.hpp"
#include "core/lexer.hpp"
#include "core/time.hpp"

#include <fmt/format.h>

#include <limits>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

namespace
{

constexpr uint8_t layout_version = 1;
constexpr int64_t longest_period_us = 920'000'000'000'000'000;

constexpr const char *form_hint =
	"Write '50% per month', '50% per 30 days stepwise', '20% per 72 hours exponential' or 'half-life 7 days', "
	"optionally followed by 'after 3 days'.";

[[noreturn]] void
raise_invalid_text(std::string_view text)
{
	throw ScoringError(Fault::invalid_text, fmt::format("invalid decay: \"{}\"", text), form_hint);
}

// Take the percentage and the period of every form but the half-life
void
take_rate(std::string_view &rest, std::string_view text, Decay &decay)
{
	if (!take_number(rest, decay.percent))
	{
		raise_invalid_text(text);
	}
	skip_space(rest);
	if (rest.empty() || rest.front() != '%')
	{
		raise_invalid_text(text);
	}
	rest.remove_prefix(1);
	if (!take_word(rest, "per") && !take_word(rest, "every"))
	{
		raise_invalid_text(text);
	}
	decay.period_us = take_duration_us(rest);
	decay.form = take_word(rest, "stepwise")      ? DecayForm::stepwise
				 : take_word(rest, "exponential") ? DecayForm::exponential
												  : DecayForm::linear;
}

template <typename Number>
int
compare(Number left, Number right) noexcept
{
	return (left > right) - (left < right);
}

} // namespace

double
DecayCurve::vanishing_age_us(double points) const noexcept
{
	// Sums resolve 2^-63 points: half of that is rounded to nothing
	double periods = form_ == DecayForm::exponential ? (std::log2(std::fabs(points)) + 66) / -log2_kept_ : 1 / rate_ + 1;
	double age = grace_us_ + std::ceil(std::fmax(periods, 0) + 1) * period_us_;

	// The factor falls with age, so what holds for this age holds for all later ones
	return factor(age) * std::fabs(points) < 0x1p-65 ? age : std::numeric_limits<double>::infinity();
}

int64_t
DecayCurve::next_change(int64_t time, int64_t delay_us, int64_t as_of) const noexcept
{
	int64_t start = later(later(time, delay_us), static_cast<int64_t>(grace_us_));
	int64_t period = static_cast<int64_t>(period_us_);

	if (form_ != DecayForm::stepwise)
	{
		return as_of >= start ? infinitely_old : due_by_age(later(start, 1), time, as_of);
	}
	int64_t faded;
	int64_t steps_us;
	if (__builtin_sub_overflow(as_of, start, &faded) ||
		__builtin_mul_overflow((faded < 0 ? 0 : faded / period) + 1, period, &steps_us))
	{
		return infinitely_late;
	}
	return due_by_age(later(start, steps_us), time, as_of);
}

Decay
parse_decay(std::string_view text)
{
	Decay decay{layout_version, DecayForm::linear, {}, 0, 0, 0};
	std::string_view rest = text;

	if (take_word(rest, "half-life"))
	{
		take_word(rest, "of");
		decay.form = DecayForm::exponential;
		decay.percent = 50;
		decay.period_us = take_duration_us(rest);
	}
	else
	{
		take_rate(rest, text, decay);
	}
	if (take_word(rest, "after"))
	{
		decay.grace_us = take_duration_us(rest);
	}
	skip_space(rest);
	if (!rest.empty())
	{
		raise_invalid_text(text);
	}
	require_valid_decay(decay);
	return decay;
}

std::string
decay_text(const Decay &decay)
{
	std::string text;

	if (decay.form == DecayForm::exponential && decay.percent == 50)
	{
		text = "half-life " + duration_text(decay.period_us);
	}
	else
	{
		text = fmt::format("{}% per {}", decay.percent, duration_text(decay.period_us));
		if (decay.form != DecayForm::linear)
		{
			text += decay.form == DecayForm::stepwise ? " stepwise" : " exponential";
		}
	}
	if (decay.grace_us != 0)
	{
		text += " after " + duration_text(decay.grace_us);
	}
	return text;
}

void
require_valid_decay(const Decay &decay)
{
	if (decay.version != layout_version)
	{
		throw ScoringError(Fault::invalid_parameter,
						   fmt::format("unknown version {} of a stored decay", decay.version));
	}
	if (decay.form < DecayForm::linear || decay.form > DecayForm::exponential)
	{
		throw ScoringError(Fault::invalid_parameter, "unknown form of decay");
	}
	if (!(decay.percent > 0 && decay.percent <= 100))
	{
		throw ScoringError(Fault::invalid_parameter,
						   fmt::format("rate of decay out of range: {}%", decay.percent),
						   "The rate is above 0% and at most 100% per period; use no decay (NULL) for points "
						   "that never fade.");
	}
	if (decay.form == DecayForm::exponential && decay.percent == 100)
	{
		throw ScoringError(Fault::invalid_parameter,
						   "rate of an exponential decay must be below 100%",
						   "Use '100% per ...' (linear), or a half-life.");
	}
	if (decay.period_us <= 0 || decay.period_us > longest_period_us || decay.grace_us < 0 ||
		decay.grace_us > longest_period_us)
	{
		throw ScoringError(Fault::invalid_parameter, "period of decay out of range",
						   "A period is longer than zero and at most about 29,000 years.");
	}
}

int
compare_decays(const Decay &left, const Decay &right) noexcept
{
	if (int order = compare(left.form, right.form))
	{
		return order;
	}
	if (int order = compare(left.period_us, right.period_us))
	{
		return order;
	}
	if (int order = compare(left.percent, right.percent))
	{
		return order;
	}
	return compare(left.grace_us, right.grace_us);
}

} // namespace lead_scoring::core
