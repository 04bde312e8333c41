// The smallest scanner that the text forms of our types need: words, numbers, signs.
#pragma once

#include <string_view>

namespace lead_scoring::core
{

// Remove leading white space
void skip_space(std::string_view &text) noexcept;

// Take the word (letters and hyphens) at the front if it equals the expected one in any case
bool take_word(std::string_view &text, std::string_view expected) noexcept;

// Take the run of letters at the front
std::string_view take_letters(std::string_view &text) noexcept;

// Take an unsigned decimal number at the front; false where there is none
bool take_number(std::string_view &text, double &number);

// Compare without case, in ASCII
bool same_word(std::string_view left, std::string_view right) noexcept;

} // namespace lead_scoring::core
