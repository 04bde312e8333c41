// A sum of points that halves with every half-life, in a form that can be stored, merged and ordered.
//
// The value at time t is  amplitude * 2 ^ (exponent - t / half_life),  with t in microseconds from the epoch of
// PostgreSQL (2000-01-01 UTC). Neither number depends on t, so the order of two totals with the same half-life never
// changes: an index on them stays right while all their values fade. Splitting t / half_life into its whole part, which
// goes into the exponent, and its fraction, which goes into the amplitude, keeps full precision for any date.
//
// Merging adds the amplitudes at the larger exponent. Literature: forward decay, Cormode, Shkapenyuk, Srivastava, Xu,
// ICDE 2009, section III.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lead_scoring::core
{

// A decaying total, exactly as it is stored
struct DecayingTotal
{
	uint32_t version;      // of this layout: 1
	uint32_t flags;        // none yet: 0
	int64_t half_life_us;  // microseconds, above zero
	double amplitude;      // 0, or of a magnitude in [1, 2)
	int64_t exponent;      // 0 where the amplitude is 0
	int64_t newest;        // time of the newest event, infinitely_old if there is none
	int64_t count;         // of the events
};

static_assert(sizeof(DecayingTotal) == 48, "the stored layout of decaying_total is 48 bytes");

// Make an empty total
DecayingTotal make_decaying_total(int64_t half_life_us);

// Add the points of an event; one at the end of time counts nothing, one infinitely old has no points left
void add_points(DecayingTotal &total, double points, int64_t time);

// Add another total of the same half-life
void add_total(DecayingTotal &total, const DecayingTotal &other);

// Return the value at an instant, which is taken no earlier than the newest event
double value_at(const DecayingTotal &total, int64_t instant) noexcept;

// Order two totals: by half-life, then by their value at any one instant
int compare_totals(const DecayingTotal &left, const DecayingTotal &right) noexcept;

// Raise unless these fields make a total, whatever bytes they came from
void require_valid_total(const DecayingTotal &total);

// Read and write the text form: v1;half_life_us;amplitude;exponent;newest;count
DecayingTotal parse_decaying_total(std::string_view text);
std::string decaying_total_text(const DecayingTotal &total);

} // namespace lead_scoring::core
