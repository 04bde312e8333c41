// The domain of an e-mail address.
//
// DNS ignores the case of ASCII letters only (RFC 4343), so nothing here depends on a locale or an encoding: in all
// encodings of a PostgreSQL server the bytes of other characters are above 127.
#pragma once

#include <cstddef>
#include <string_view>

namespace lead_scoring::core
{

// The longest domain name, in bytes (RFC 1035, 2.3.4)
inline constexpr size_t longest_domain = 253;

// Find the domain of an address, as it is written: the part behind the last @ of `ada@x.example` or
// `Ada <ada@x.example>`, without a dot at its end. Empty for a text that is not one address with a domain name
std::string_view email_domain(std::string_view text) noexcept;

// Write a domain in lower case; the target has room for as many bytes
void lower_domain(std::string_view domain, char *target) noexcept;

} // namespace lead_scoring::core
