#include "core/emptiness.hpp"

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

namespace
{

constexpr std::string_view json_space = " \t\n\r";

// Return how many bytes of white space stand at the front: those of one character, 0 if there is none
size_t
leading_space(std::string_view text, bool is_utf8) noexcept
{
	auto byte = [text](size_t at) { return static_cast<uint32_t>(static_cast<unsigned char>(text[at])); };

	if (byte(0) < 0x80)
	{
		return is_white_space(byte(0)) ? 1 : 0;
	}
	// All other white space takes two or three bytes
	if (is_utf8 && byte(0) == 0xC2 && text.size() >= 2)
	{
		return is_white_space(byte(1)) ? 2 : 0;
	}
	if (is_utf8 && (byte(0) & 0xF0) == 0xE0 && text.size() >= 3)
	{
		return is_white_space((byte(0) & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F)) ? 3 : 0;
	}
	return 0;
}

int
hexadecimal(char digit) noexcept
{
	return digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
}

// Return how many bytes an escaped white space takes at the front of a JSON string, 0 if there is none
size_t
leading_escaped_space(std::string_view text) noexcept
{
	if (text.size() < 2 || text[0] != '\\')
	{
		return 0;
	}
	if (text[1] == 't' || text[1] == 'n' || text[1] == 'f' || text[1] == 'r')
	{
		return 2;
	}
	if (text[1] != 'u' || text.size() < 6)
	{
		return 0;
	}
	int character = 0;
	for (char digit : text.substr(2, 4))
	{
		character = character * 16 + hexadecimal(digit);
	}
	return is_white_space(static_cast<uint32_t>(character)) ? 6 : 0;
}

bool
is_blank_string(std::string_view content, bool is_utf8) noexcept
{
	while (!content.empty())
	{
		size_t length = leading_space(content, is_utf8);
		if (length == 0)
		{
			length = leading_escaped_space(content);
		}
		if (length == 0)
		{
			return false;
		}
		content.remove_prefix(length);
	}
	return true;
}

} // namespace

bool
is_blank(std::string_view text, bool is_utf8) noexcept
{
	while (!text.empty())
	{
		size_t length = leading_space(text, is_utf8);
		if (length == 0)
		{
			return false;
		}
		text.remove_prefix(length);
	}
	return true;
}

bool
is_empty_json(std::string_view json, bool is_utf8) noexcept
{
	size_t begin = json.find_first_not_of(json_space);
	size_t end = json.find_last_not_of(json_space);

	if (begin == std::string_view::npos)
	{
		return true;
	}
	json = json.substr(begin, end - begin + 1);
	if (json.size() < 2)
	{
		return false;
	}
	std::string_view inside = json.substr(1, json.size() - 2);
	switch (json.front())
	{
	case '{':
	case '[':
		return inside.find_first_not_of(json_space) == std::string_view::npos;
	case '"':
		return is_blank_string(inside, is_utf8);
	default:
		return json == "null";
	}
}

} // namespace lead_scoring::core
