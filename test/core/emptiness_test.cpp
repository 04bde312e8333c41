#include "core/emptiness.hpp"

#include "support.hpp"

#include <gtest/gtest.h>

namespace lead_scoring::core::test
{

namespace
{

std::string
utf8(uint32_t character)
{
	std::string text;
	auto byte = [&text](uint32_t value) { text += static_cast<char>(value); };

	if (character < 0x80)
	{
		byte(character);
	}
	else if (character < 0x800)
	{
		byte(0xC0 | character >> 6);
		byte(0x80 | (character & 0x3F));
	}
	else if (character < 0x10000)
	{
		byte(0xE0 | character >> 12);
		byte(0x80 | (character >> 6 & 0x3F));
		byte(0x80 | (character & 0x3F));
	}
	else
	{
		byte(0xF0 | character >> 18);
		byte(0x80 | (character >> 12 & 0x3F));
		byte(0x80 | (character >> 6 & 0x3F));
		byte(0x80 | (character & 0x3F));
	}
	return text;
}

} // namespace

TEST(Emptiness, BlankTexts)
{
	for (std::string_view text : {"", " ", "\t\n\v\f\r", " \xC2\xA0 ", "\xE3\x80\x80\xE3\x80\x80", "\xC2\x85\xE2\x80\xA8"})
	{
		EXPECT_TRUE(is_blank(text, true)) << text;
	}
	for (std::string_view text : {"a", " a ", "0", "-", "\xC2", "\xE3\x80", " \xE3", "\xE2\x80\x8B", "\xC3\xA0", "\x1f"})
	{
		EXPECT_FALSE(is_blank(text, true)) << text;
	}
	EXPECT_TRUE(is_blank(" \t", false));
	EXPECT_FALSE(is_blank("\xC2\xA0", false));
	EXPECT_FALSE(is_blank("\xA0", false));
	EXPECT_TRUE(is_blank(std::string(1'000'000, ' '), true));
}

// The list of Unicode: 25 characters
TEST(Emptiness, WhiteSpaceOfUnicode)
{
	size_t count = 0;
	for (uint32_t character = 0; character < 0x110000; character++)
	{
		if (character >= 0xD800 && character < 0xE000)
		{
			continue;
		}
		count += is_white_space(character);
		EXPECT_EQ(is_blank(utf8(character), true), is_white_space(character)) << character;
	}
	EXPECT_EQ(count, 25u);
}

TEST(Emptiness, Json)
{
	for (std::string_view json :
		 {"null", " null ", "{}", "[]", " { \n} ", "[\t \r\n]", "\"\"", "\" \"", "\"\\t\\n\\r\\f\"",
		  "\"\\u0020\\u00a0\\u3000\"",
		  " \" \\u00A0\xC2\xA0\" ", "", " "})
	{
		EXPECT_TRUE(is_empty_json(json, true)) << json;
	}
	for (std::string_view json :
		 {"0", "false", "true", "-1e9", "{\"a\":null}", "[null]", "[[]]", "[ {} ]", "\"null\"", "\"x\"", "\"\\u0021\"",
		  "\"\\\\\"", "\"\\\"\"", "\"\\b\"", "\"\\/\"", "\" x\"", "\"{}\"", "\"\\u2003\\ud83d\\ude00\""})
	{
		EXPECT_FALSE(is_empty_json(json, true)) << json;
	}
	// What is cut off, as no JSON is
	for (std::string_view json : {"n", "{", "[", "\"", "\"\\\"", "\"\\u00\"", "nul", "\"\\"})
	{
		is_empty_json(json, true);
	}
}

} // namespace lead_scoring::core::test
