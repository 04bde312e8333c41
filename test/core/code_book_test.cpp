#include "core/code_book.hpp"

#include "support.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace lead_scoring::core::test
{

TEST(CodeBook, KnowsNothingAtFirst)
{
	CodeBook book;

	EXPECT_EQ(book.size(), 1u);
	EXPECT_EQ(book.find(""), 0u);
	EXPECT_EQ(book.find("call"), 0u);
	EXPECT_EQ(book.longest(), 0u);
}

TEST(CodeBook, KnowsTheLengthOfItsLongestText)
{
	CodeBook book;

	book.add("call");
	book.find("a text that is not there");
	EXPECT_EQ(book.longest(), 4u);
	book.add("e-mail \xC3\xB6");
	book.add("x");
	EXPECT_EQ(book.longest(), 9u);
}

TEST(CodeBook, NumbersTextsFromOneInTheOrderOfTheirArrival)
{
	CodeBook book;

	EXPECT_EQ(book.add("call"), 1u);
	EXPECT_EQ(book.add("meeting"), 2u);
	EXPECT_EQ(book.add("call"), 1u);
	EXPECT_EQ(book.add(""), 3u);
	EXPECT_EQ(book.add(""), 3u);
	EXPECT_EQ(book.size(), 4u);
	EXPECT_EQ(book.find("meeting"), 2u);
	EXPECT_EQ(book.find(""), 3u);
	EXPECT_EQ(book.find("Call"), 0u);
	EXPECT_EQ(book.size(), 4u);
}

TEST(CodeBook, TellsTextsApartThatItsHashDoesNot)
{
	CodeBook book;
	// The hash sees the length and eight bytes at either end, or three bytes of a short text
	const std::vector<std::string> texts = {
		"product page A viewed today", "product page B viewed today", "product page C viewed today",
		"abcdefgh1ijklmnop",           "abcdefgh2ijklmnop",           "abcdefghijklmnop",
		"a",                           "aa",                          "aaa",
		std::string("a\0", 2),         std::string("\0a", 2),         std::string("\0", 1),
		std::string("\0\0", 2),        std::string("a\0b", 3),        std::string("a\0\0b", 4),
	};

	for (size_t at = 0; at < texts.size(); at++)
	{
		EXPECT_EQ(book.find(texts[at]), 0u) << texts[at];
		EXPECT_EQ(book.add(texts[at]), at + 1) << texts[at];
	}
	for (size_t at = 0; at < texts.size(); at++)
	{
		EXPECT_EQ(book.find(texts[at]), at + 1) << texts[at];
	}
}

TEST(CodeBook, AgreesWithAMapWhileItGrows)
{
	Random random(1);
	CodeBook book;
	std::map<std::string, uint32_t> codes;

	for (size_t round = 0; round < 100'000; round++)
	{
		// Few letters: equal texts, common beginnings and common ends
		std::string text(random.below(20), 'a');
		for (char &letter : text)
		{
			letter = static_cast<char>('a' + random.below(text.size() < 8 ? 8 : 2));
		}
		auto known = codes.find(text);
		ASSERT_EQ(book.find(text), known == codes.end() ? 0 : known->second) << text;
		if (random.one_in(2))
		{
			uint32_t next = static_cast<uint32_t>(codes.size() + 1);
			ASSERT_EQ(book.add(text), codes.try_emplace(text, next).first->second) << text;
		}
		ASSERT_EQ(book.size(), codes.size() + 1);
	}
	EXPECT_GT(codes.size(), 10'000u);
	for (const auto &[text, code] : codes)
	{
		ASSERT_EQ(book.find(text), code) << text;
	}
}

TEST(CodeBook, TellsEveryPairOfBytesApart)
{
	CodeBook book;
	std::vector<std::string> texts;

	for (int first = 0; first < 256; first++)
	{
		for (int second = 0; second < 256; second++)
		{
			texts.push_back({static_cast<char>(first), static_cast<char>(second)});
			ASSERT_EQ(book.add(texts.back()), texts.size());
		}
	}
	for (size_t at = 0; at < texts.size(); at++)
	{
		ASSERT_EQ(book.find(texts[at]), at + 1);
	}
}

TEST(CodeBook, ACopyGoesItsOwnWay)
{
	CodeBook book;
	book.add("call");
	CodeBook copy = book;

	EXPECT_EQ(copy.add("meeting"), 2u);
	EXPECT_EQ(book.find("meeting"), 0u);
	EXPECT_EQ(copy.find("call"), 1u);
}

} // namespace lead_scoring::core::test
