#include "core/lexer.hpp"

#include "support.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace lead_scoring::core::test
{

TEST(Lexer, SkipsEverySortOfWhiteSpaceAndNothingElse)
{
	const struct
	{
		std::string_view text;
		std::string_view rest;
	} cases[] = {
		{"", ""},
		{"   ", ""},
		{" \t\n\v\f\rword ", "word "},
		{"word", "word"},
		{"\xC2\xA0word", "\xC2\xA0word"}, // a no-break space is not ASCII
		{std::string_view("\0 x", 3), std::string_view("\0 x", 3)},
	};

	for (const auto &test : cases)
	{
		std::string_view rest = test.text;
		skip_space(rest);
		EXPECT_EQ(rest, test.rest);
	}
}

TEST(Lexer, ComparesWordsWithoutCaseInAsciiOnly)
{
	const struct
	{
		std::string_view left;
		std::string_view right;
		bool same;
	} cases[] = {
		{"", "", true},
		{"day", "DAY", true},
		{"Half-Life", "hALF-lIFE", true},
		{"day", "days", false},
		{"day", "dax", false},
		{"\xC3\xA4", "\xC3\x84", false},
		// 32 apart as letters are, yet no letters
		{"@", "`", false},
		{"[", "{", false},
	};

	for (const auto &test : cases)
	{
		EXPECT_EQ(same_word(test.left, test.right), test.same) << test.left << ' ' << test.right;
		EXPECT_EQ(same_word(test.right, test.left), test.same) << test.right << ' ' << test.left;
	}
}

TEST(Lexer, TakesAWordOnlyIfItIsTheWholeExpectedOne)
{
	const struct
	{
		std::string_view text;
		std::string_view word;
		bool taken;
		std::string_view rest;
	} cases[] = {
		{"per month", "per", true, " month"},
		{"  PER month", "per", true, " month"},
		{"per30 days", "per", true, "30 days"},
		{"permonth", "per", false, "permonth"},
		{"  pe", "per", false, "  pe"},
		{"half-life 7", "half-life", true, " 7"},
		{"half-life 7", "half", false, "half-life 7"},
		{"", "per", false, ""},
		{" 5", "per", false, " 5"},
	};

	for (const auto &test : cases)
	{
		std::string_view rest = test.text;
		EXPECT_EQ(take_word(rest, test.word), test.taken) << test.text;
		EXPECT_EQ(rest, test.rest) << test.text;
	}
}

TEST(Lexer, TakesARunOfLetters)
{
	const struct
	{
		std::string_view text;
		std::string_view letters;
		std::string_view rest;
	} cases[] = {
		{"days after", "days", " after"},
		{"  Hours5", "Hours", "5"},
		{"half-life", "half", "-life"},
		{" 5 days", "", "5 days"},
		{"", "", ""},
	};

	for (const auto &test : cases)
	{
		std::string_view rest = test.text;
		EXPECT_EQ(take_letters(rest), test.letters) << test.text;
		EXPECT_EQ(rest, test.rest) << test.text;
	}
}

TEST(Lexer, TakesUnsignedDecimalNumbers)
{
	const struct
	{
		std::string_view text;
		double number;
		std::string_view rest;
	} cases[] = {
		{"50%", 50, "%"},
		{"  0.25 x", 0.25, " x"},
		{".5", 0.5, ""},
		{"7.", 7, ""},
		{"007", 7, ""},
		{"1.5.5", 1.5, ".5"},
		{"1e5 days", 1e5, " days"}, // the form in which doubles are written
		{"1e-05%", 1e-5, "%"},
		{"2.5E+3", 2500, ""},
		{"1e", 1, "e"},
		{"1exponential", 1, "exponential"},
		{"1e-x", 1, "e-x"},
		{"0x10", 0, "x10"},
		{"12,5", 12, ",5"},
		{"0.1", 0.1, ""},
		{"3.14159265358979323846264338327950288", 3.141592653589793, ""},
	};

	for (const auto &test : cases)
	{
		std::string_view rest = test.text;
		double number = -1;
		EXPECT_TRUE(take_number(rest, number)) << test.text;
		EXPECT_EQ(number, test.number) << test.text;
		EXPECT_EQ(rest, test.rest) << test.text;
	}
}

TEST(Lexer, LeavesTextWithoutANumberAlone)
{
	const std::string endless(400, '9');

	const std::string_view texts[] = {"",    "  ",  "-5",  "+5",       ".",    ".x", "inf",   "nan",
									  "NaN", "infinity", "five", "%",  "1e400", "1e-400", endless};

	for (std::string_view text : texts)
	{
		std::string_view rest = text;
		double number = -1;
		EXPECT_FALSE(take_number(rest, number)) << text;
		EXPECT_EQ(rest, text);
	}
}

} // namespace lead_scoring::core::test
