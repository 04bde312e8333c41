// Durations as text: "30 days", "72 hours", "month", "1 day 12 hours".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lead_scoring::core
{

// Take one duration off the front of text: numbers with units, the first number may be missing ("month")
int64_t take_duration_us(std::string_view &text);

// Write a duration in days, hours, minutes and seconds
std::string duration_text(int64_t duration_us);

} // namespace lead_scoring::core
