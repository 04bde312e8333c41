#include "core/email_domain.hpp"

#include "support.hpp"

#include <gtest/gtest.h>

namespace lead_scoring::core::test
{

TEST(EmailDomain, FindsTheDomain)
{
	const std::pair<std::string_view, std::string_view> cases[] = {
		{"ada@x.example", "x.example"},
		{"ada@X.Example", "X.Example"},
		{"ada.b+tag_1%c'd@x-y.example", "x-y.example"},
		{" \t\r\n\v\f ada@x.example \n", "x.example"},
		{"<ada@x.example>", "x.example"},
		{"Ada Lovelace <ada@x.example>", "x.example"},
		{"\"Lovelace, Ada <@>\" < ada@x.example > ", "x.example"},
		{"ada@a.example <ada@b.example>", "b.example"},
		{"\"a b@c\"@x.example", "x.example"},
		{"\"@\"@x.example", "x.example"},
		{"ada@x.example.", "x.example"},
		{"ada@localhost", "localhost"},
		{"ada@1.2", "1.2"},
		{"ada@m\xC3\xBCnchen.example", "m\xC3\xBCnchen.example"},
		{"j\xC3\xB6rg@x.example", "x.example"},
		{"a@_dmarc.x", "_dmarc.x"},
	};

	for (const auto &[text, domain] : cases)
	{
		EXPECT_EQ(email_domain(text), domain) << text;
	}
}

TEST(EmailDomain, FindsNoneInWhatIsNoAddress)
{
	using namespace std::string_view_literals;
	const std::string_view cases[] = {
		"",           " ",           "@",          "ada",         "ada@",          "@x.example", "ada@.",
		"ada@..",     "ada@.x",      "ada@x..y",   "ada@x. y",    "a b@x.example", "a@b@x.example", "ada@x@",
		"a@x.example, b@y.example",  "a@x.example;", "a,b@x.example", "mailto:a@x.example", "a@[1.2.3.4]",
		"a@x.example (home)", "<a@x.example", "a@x.example>", "<>", "<@>", "<a@x.example><", ">", "<", "\"@x.example",
		"\"\"@x.example", "a@x.exa\nmple", "a@x.exa\0mple"sv,
		"a\0@x.example"sv, "a\x7f@x.example", "a@x/y", "a@x..", "\xC2\xA0"};

	for (std::string_view text : cases)
	{
		EXPECT_EQ(email_domain(text), "") << text;
	}
}

TEST(EmailDomain, IsOfALengthThatDnsCanHold)
{
	std::string longest = "a@" + std::string(longest_domain, 'x');

	EXPECT_EQ(email_domain(longest).size(), longest_domain);
	EXPECT_EQ(email_domain(longest + "."), std::string(longest_domain, 'x'));
	EXPECT_EQ(email_domain(longest + "x"), "");
	EXPECT_EQ(email_domain(std::string(1'000'000, 'a') + "@x"), "x");
	EXPECT_EQ(email_domain(std::string(1'000'000, ' ')), "");
	EXPECT_EQ(email_domain(std::string(1'000'000, '@')), "");
	EXPECT_EQ(email_domain(std::string(1'000'000, '<') + ">"), "");
}

TEST(EmailDomain, IsLoweredInAsciiOnly)
{
	char lower[32];
	std::string_view domain = "AZ[az@09-M\xC3\x9CNCHEN.Example";

	lower_domain(domain, lower);
	EXPECT_EQ(std::string_view(lower, domain.size()), "az[az@09-m\xC3\x9Cnchen.example");
	lower_domain("", lower);
}

// Whatever the bytes: the answer is a part of the text and a name
TEST(EmailDomain, OfRandomBytes)
{
	Random random(1);
	const std::string bytes = "aaB1.@<>\" ,\xC3\xA9\t-";

	size_t found = 0;
	for (int round = 0; round < 200'000; round++)
	{
		std::string text;
		for (size_t length = random.below(12); length > 0; length--)
		{
			text += random.one_of(bytes);
		}
		std::string_view domain = email_domain(text);
		if (domain.empty())
		{
			continue;
		}
		found++;
		EXPECT_NE(text.find("@" + std::string(domain)), std::string::npos) << text;
		EXPECT_EQ(domain.find_first_of("@<>\" ,\t"), std::string_view::npos) << text;
		EXPECT_EQ(email_domain("x@" + std::string(domain)), domain);
		EXPECT_EQ(email_domain(" " + text + " "), domain);
	}
	EXPECT_GT(found, 1000u);
}

} // namespace lead_scoring::core::test
