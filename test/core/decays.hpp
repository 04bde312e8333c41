// Decays for tests: made of their fields, or random.
#pragma once

#include "core/decay.hpp"

#include "support.hpp"

#include <fmt/format.h>

#include <ostream>

namespace lead_scoring::core
{

inline void
PrintTo(const Decay &decay, std::ostream *out)
{
	*out << fmt::format("form {}, {}% per {} us after {} us", static_cast<int>(decay.form), decay.percent,
						decay.period_us, decay.grace_us);
}

} // namespace lead_scoring::core

namespace lead_scoring::core::test
{

inline Decay
make_decay(DecayForm form, double percent, int64_t period_us, int64_t grace_us = 0)
{
	return {1, form, {}, percent, period_us, grace_us};
}

inline double
random_percent(Random &random)
{
	switch (random.below(4))
	{
	case 0:
		return static_cast<double>(random.between(1, 99));
	case 1:
		return static_cast<double>(random.between(1, 9999)) / 100;
	case 2:
		return 50;
	default:
		return 100 * (1 - random.share());
	}
}

inline DecayForm
random_form(Random &random)
{
	return static_cast<DecayForm>(random.between(1, 3));
}

// A valid decay with a period and a grace of any magnitude below 2^bits microseconds
inline Decay
random_decay(Random &random, unsigned bits)
{
	Decay decay = make_decay(random_form(random), random_percent(random),
							 1 + static_cast<int64_t>(random.bits() >> (64 - bits + random.below(bits))));
	if (decay.form == DecayForm::exponential && decay.percent == 100)
	{
		decay.percent = 99;
	}
	if (random.one_in(3))
	{
		decay.grace_us = static_cast<int64_t>(random.bits() >> (64 - bits + random.below(bits)));
	}
	return decay;
}

} // namespace lead_scoring::core::test
