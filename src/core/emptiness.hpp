// Values that are there but say nothing: blank texts, empty JSON.
//
// White space is what Unicode calls so (property White_Space), in ASCII where the text is not UTF-8: a list that does
// not change with a locale, so that the answer is immutable.
#pragma once

#include <cstdint>
#include <string_view>

namespace lead_scoring::core
{

// Whether a character, by its code point, is white space
constexpr bool
is_white_space(uint32_t character) noexcept
{
	return (character >= 9 && character <= 13) || character == ' ' || character == 0x85 || character == 0xA0 ||
		   character == 0x1680 || (character >= 0x2000 && character <= 0x200A) || character == 0x2028 ||
		   character == 0x2029 || character == 0x202F || character == 0x205F || character == 0x3000;
}

// Whether a text has nothing but white space
bool is_blank(std::string_view text, bool is_utf8) noexcept;

// Whether a valid JSON text is null, an object or array without elements, or a blank string
bool is_empty_json(std::string_view json, bool is_utf8) noexcept;

} // namespace lead_scoring::core
