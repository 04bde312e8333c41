#include "core/lexer.hpp"

#include <charconv>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

namespace
{

bool
is_space(char sign) noexcept
{
	return sign == ' ' || (sign >= '\t' && sign <= '\r');
}

bool
is_letter(char sign) noexcept
{
	return (sign >= 'a' && sign <= 'z') || (sign >= 'A' && sign <= 'Z');
}

char
lower(char sign) noexcept
{
	return sign >= 'A' && sign <= 'Z' ? static_cast<char>(sign - 'A' + 'a') : sign;
}

} // namespace

void
skip_space(std::string_view &text) noexcept
{
	while (!text.empty() && is_space(text.front()))
	{
		text.remove_prefix(1);
	}
}

bool
same_word(std::string_view left, std::string_view right) noexcept
{
	if (left.size() != right.size())
	{
		return false;
	}
	for (size_t at = 0; at < left.size(); at++)
	{
		if (lower(left[at]) != lower(right[at]))
		{
			return false;
		}
	}
	return true;
}

bool
take_word(std::string_view &text, std::string_view expected) noexcept
{
	std::string_view rest = text;

	skip_space(rest);
	size_t length = 0;
	while (length < rest.size() && (is_letter(rest[length]) || rest[length] == '-'))
	{
		length++;
	}
	if (!same_word(rest.substr(0, length), expected))
	{
		return false;
	}
	text = rest.substr(length);
	return true;
}

std::string_view
take_letters(std::string_view &text) noexcept
{
	skip_space(text);
	size_t length = 0;
	while (length < text.size() && is_letter(text[length]))
	{
		length++;
	}
	std::string_view word = text.substr(0, length);
	text.remove_prefix(length);
	return word;
}

bool
take_number(std::string_view &text, double &number)
{
	std::string_view rest = text;

	skip_space(rest);
	if (rest.empty() || (rest.front() != '.' && (rest.front() < '0' || rest.front() > '9')))
	{
		return false;
	}
	auto [end, code] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
	if (code != std::errc())
	{
		return false;
	}
	text = rest.substr(static_cast<size_t>(end - rest.data()));
	return true;
}

} // namespace lead_scoring::core
