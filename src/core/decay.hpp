// How an event's points fade with its age.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>
#include <string_view>

namespace lead_scoring::core
{

enum class DecayForm : uint8_t
{
	linear = 1,      // points * max(0, 1 - rate * age / period)
	stepwise = 2,    // points * max(0, 1 - rate * floor(age / period))
	exponential = 3, // points * (1 - rate) ^ (age / period); a half-life is the rate of 50 %
};

// A decay, exactly as it is stored
struct Decay
{
	uint8_t version;    // of this layout: 1
	DecayForm form;     // the curve
	uint8_t unused[6];  // zero
	double percent;     // points lost per period, in per cent of the original (linear, stepwise) or of the rest
	int64_t period_us;  // microseconds, above zero
	int64_t grace_us;   // an event keeps its full points for so many microseconds, then its age begins

	friend bool
	operator==(const Decay &left, const Decay &right) noexcept
	{
		return left.form == right.form && left.percent == right.percent &&
			   left.period_us == right.period_us && left.grace_us == right.grace_us;
	}
};

static_assert(sizeof(Decay) == 32, "the stored layout of decay is 32 bytes");

// A decay prepared for speed
class DecayCurve
{
public:
	explicit DecayCurve(const Decay &decay) noexcept
		: form_(decay.form), grace_us_(static_cast<double>(decay.grace_us)),
		  period_us_(static_cast<double>(decay.period_us)), rate_(decay.percent / 100),
		  log2_kept_(decay.percent == 50 ? -1 : std::log1p(-decay.percent / 100) / std::numbers::ln2)
	{
	}

	// Return the share of its points that an event of this age keeps, in 0..1
	double
	factor(double age_us) const noexcept
	{
		double periods = (age_us - grace_us_) / period_us_;

		if (!(periods > 0))
		{
			return 1;
		}
		if (form_ == DecayForm::exponential)
		{
			// exp2 of -1 per half-life is exact, and gives 0, not an error, where it underflows
			return std::exp2(periods * log2_kept_);
		}
		double left = 1 - rate_ * (form_ == DecayForm::linear ? periods : std::floor(periods));
		return left > 0 ? left : 0;
	}

	// Return an age from which on an event of so many points is worth exactly nothing; infinite if there is none
	double vanishing_age_us(double points) const noexcept;

	// Return the earliest instant later than as_of at which what an event of this time keeps, whose age begins after a
	// delay, may differ: infinitely_old if it fades all the time, infinitely_late for never. Knows nothing of events that
	// have faded away: they are not to be asked about
	int64_t next_change(int64_t time, int64_t delay_us, int64_t as_of) const noexcept;

private:
	DecayForm form_;
	double grace_us_;
	double period_us_;
	double rate_;      // per period, 0..1
	double log2_kept_; // of what a period leaves
};

// Read a decay: '50% per month', '50% per 30 days stepwise', '20% per 72 hours exponential', 'half-life 7 days',
// each with or without 'after 3 days'
Decay parse_decay(std::string_view text);

// Write a decay so that equal decays have equal texts
std::string decay_text(const Decay &decay);

// Raise unless these fields make a decay, whatever bytes they came from
void require_valid_decay(const Decay &decay);

// Order two decays, for indexes and sorting only: by form, period, percentage, grace
int compare_decays(const Decay &left, const Decay &right) noexcept;

} // namespace lead_scoring::core
