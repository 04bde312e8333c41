#include "core/email_domain.hpp"

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

namespace
{

constexpr std::string_view space = " \t\n\v\f\r";

// What only a quoted local part may hold (RFC 5322, 3.2.3)
constexpr std::string_view special = "\"(),:;<>@[\\]";

std::string_view
trim(std::string_view text) noexcept
{
	size_t begin = text.find_first_not_of(space);

	if (begin == std::string_view::npos)
	{
		return {};
	}
	return text.substr(begin, text.find_last_not_of(space) - begin + 1);
}

bool
is_control(char byte) noexcept
{
	return static_cast<unsigned char>(byte) <= ' ' || byte == '\x7f';
}

bool
is_local_part(std::string_view text) noexcept
{
	if (text.size() > 2 && text.front() == '"' && text.back() == '"')
	{
		return true;
	}
	for (char byte : text)
	{
		if (is_control(byte) || special.find(byte) != std::string_view::npos)
		{
			return false;
		}
	}
	return !text.empty();
}

bool
is_domain_byte(char byte) noexcept
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte == '-' ||
		   byte == '_' || static_cast<unsigned char>(byte) >= 0x80;
}

bool
is_domain(std::string_view text) noexcept
{
	char before = '.';

	for (char byte : text)
	{
		if (byte == '.' ? before == '.' : !is_domain_byte(byte))
		{
			return false;
		}
		before = byte;
	}
	return before != '.' && text.size() <= longest_domain;
}

} // namespace

std::string_view
email_domain(std::string_view text) noexcept
{
	text = trim(text);
	if (text.ends_with('>'))
	{
		size_t open = text.rfind('<');
		if (open == std::string_view::npos)
		{
			return {};
		}
		text = trim(text.substr(open + 1, text.size() - open - 2));
	}
	size_t at = text.rfind('@');
	if (at == std::string_view::npos || !is_local_part(text.substr(0, at)))
	{
		return {};
	}
	std::string_view domain = text.substr(at + 1);
	if (domain.ends_with('.'))
	{
		domain.remove_suffix(1);
	}
	return is_domain(domain) ? domain : std::string_view{};
}

void
lower_domain(std::string_view domain, char *target) noexcept
{
	for (char byte : domain)
	{
		*target++ = byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
	}
}

} // namespace lead_scoring::core
