#include "core/keywords.hpp"

#include "support.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>

namespace lead_scoring::core::test
{

namespace
{

Letter
letter_of(char character)
{
	auto byte = static_cast<unsigned char>(character);

	return {static_cast<uint32_t>(std::tolower(byte)), std::isalnum(byte) || byte == '_' ? LetterClass::word
													   : std::isspace(byte)              ? LetterClass::space
																						 : LetterClass::sign};
}

KeywordTree
tree_of(const std::vector<std::string> &keywords)
{
	KeywordTree tree;

	for (const std::string &keyword : keywords)
	{
		std::vector<Letter> letters;
		std::transform(keyword.begin(), keyword.end(), std::back_inserter(letters), letter_of);
		tree.add(letters);
	}
	return tree;
}

std::vector<Symbol>
symbols_of(const KeywordTree &tree, const std::string &text)
{
	std::vector<Symbol> symbols;

	for (char character : text)
	{
		Symbol symbol = tree.symbol_of(letter_of(character));
		if (symbol != white_space || symbols.empty() || symbols.back() != white_space)
		{
			symbols.push_back(symbol);
		}
	}
	return symbols;
}

int64_t
hits(const std::vector<std::string> &keywords, const std::string &text)
{
	KeywordTree tree = tree_of(keywords);
	KeywordTree::Progress progress;
	std::vector<Symbol> symbols = symbols_of(tree, text);

	EXPECT_EQ(tree.scan(symbols, true, progress), symbols.size());
	return progress.hits;
}

// The same in stretches of random lengths
int64_t
hits_in_stretches(const std::vector<std::string> &keywords, const std::string &text, Random &random)
{
	KeywordTree tree = tree_of(keywords);
	KeywordTree::Progress progress;
	std::vector<Symbol> symbols = symbols_of(tree, text);
	size_t begin = 0;
	size_t end = 0;

	while (end < symbols.size())
	{
		end = std::min(symbols.size(), end + 1 + random.below(5));
		size_t left = end - begin;
		size_t searched = tree.scan({symbols.data() + begin, left}, end == symbols.size(), progress);
		EXPECT_LE(left - searched, end == symbols.size() ? 0 : tree.longest());
		begin += searched;
	}
	return progress.hits;
}

std::string
with_single_spaces(const std::string &text)
{
	std::string result;

	for (char character : text)
	{
		char normal = std::isspace(static_cast<unsigned char>(character))
						  ? ' '
						  : static_cast<char>(std::tolower(static_cast<unsigned char>(character)));
		if (normal != ' ' || result.empty() || result.back() != ' ')
		{
			result += normal;
		}
	}
	return result;
}

// What the comment of keyword_hits says, one place after the other
int64_t
naive_hits(const std::vector<std::string> &keywords, const std::string &given)
{
	std::string text = with_single_spaces(given);
	auto is_word_at = [&text](size_t at) { return letter_of(text[at]).letter_class == LetterClass::word; };
	int64_t count = 0;

	for (size_t at = 0; at < text.size();)
	{
		size_t longest = 0;
		for (const std::string &keyword : keywords)
		{
			std::string wanted = with_single_spaces(keyword);
			wanted.erase(0, wanted.find_first_not_of(' '));
			wanted.erase(wanted.find_last_not_of(' ') + 1);
			size_t end = at + wanted.size();
			if (!wanted.empty() && text.compare(at, wanted.size(), wanted) == 0 && (at == 0 || !is_word_at(at - 1)) &&
				(end == text.size() || !is_word_at(end)))
			{
				longest = std::max(longest, wanted.size());
			}
		}
		count += longest > 0;
		at += std::max<size_t>(longest, 1);
	}
	return count;
}

} // namespace

TEST(Keywords, CountsWholeWords)
{
	EXPECT_EQ(hits({"price"}, "price"), 1);
	EXPECT_EQ(hits({"price"}, "The price, the PRICE; the Price."), 3);
	EXPECT_EQ(hits({"price"}, "prices priceless pre-price _price price_ price1 1price"), 1);
	EXPECT_EQ(hits({"price", "contract"}, "contract price contract"), 3);
	EXPECT_EQ(hits({"price", "price", "PRICE"}, "price"), 1);
	EXPECT_EQ(hits({}, "price"), 0);
	EXPECT_EQ(hits({"price"}, ""), 0);
	EXPECT_EQ(hits({"", " ", "\t\n"}, "price   \n"), 0);
}

TEST(Keywords, Phrases)
{
	EXPECT_EQ(hits({"free trial"}, "free trial, Free \n\t TRIAL, free-trial, freetrial, free trials"), 2);
	EXPECT_EQ(hits({"  free   trial "}, "free trial"), 1);
	EXPECT_EQ(hits({"price", "price list"}, "price list"), 1);
	EXPECT_EQ(hits({"price", "price list"}, "price lists"), 1);
	EXPECT_EQ(hits({"price list", "list price"}, "price list price"), 1);
	EXPECT_EQ(hits({"price", "list price", "price list"}, "list price list"), 1);
	EXPECT_EQ(hits({"a b", "b", "a b c d"}, "a b c"), 1);
	EXPECT_EQ(hits({"a b", "c", "a b c d"}, "a b c"), 2);
}

TEST(Keywords, Signs)
{
	EXPECT_EQ(hits({"c++"}, "C++, c++11, c+++, xc++, c++"), 3);
	EXPECT_EQ(hits({"c"}, "c++"), 1);
	EXPECT_EQ(hits({"$"}, "$$ 5$ $5 ($)"), 3);
	EXPECT_EQ(hits({"#1"}, "a#1 #1 #12"), 1);
	EXPECT_EQ(hits({"-", "--"}, "-----"), 3);
	EXPECT_EQ(hits({"e-mail"}, "e-mail E-Mail e-mails e mail"), 2);
}

TEST(Keywords, AgreesWithThePlainDefinition)
{
	Random random(1);
	const std::string characters = "aab  \n-Ab_";
	auto random_text = [&random, &characters](size_t most) {
		std::string text;
		for (size_t length = random.below(most + 1); length > 0; length--)
		{
			text += random.one_of(characters);
		}
		return text;
	};

	int64_t total = 0;
	for (int round = 0; round < 40'000; round++)
	{
		std::vector<std::string> keywords(random.below(5));
		std::generate(keywords.begin(), keywords.end(), [&random_text]() { return random_text(5); });
		std::string text = random_text(40);
		int64_t expected = naive_hits(keywords, text);
		total += expected;
		ASSERT_EQ(hits(keywords, text), expected) << text;
		ASSERT_EQ(hits_in_stretches(keywords, text, random), expected) << text;
	}
	EXPECT_GT(total, 10'000);
}

TEST(Keywords, HasALimit)
{
	std::string longest(KeywordTree::most_letters, 'x');

	EXPECT_EQ(hits({longest}, longest + " " + longest + "x " + longest), 2);
	EXPECT_EQ(fault_of([&longest]() { tree_of({"a", longest + "x"}); }), Fault::limit_exceeded);
	EXPECT_EQ(fault_of([&longest]() { tree_of({std::string(longest.size() + 1, ' ')}); }), Fault::limit_exceeded);
}

TEST(Keywords, ManyOfThem)
{
	std::vector<std::string> keywords;
	std::string text;

	for (int number = 0; number < 20'000; number++)
	{
		keywords.push_back("k" + std::to_string(number));
		text += "k" + std::to_string(number * 2) + " ";
	}
	EXPECT_EQ(hits(keywords, text), 10'000);
}

// A long phrase that nearly fits everywhere
TEST(Keywords, StaysWithinItsBound)
{
	std::string phrase;
	std::string text;

	for (size_t word = 0; word < KeywordTree::most_letters / 2 - 1; word++)
	{
		phrase += "a ";
	}
	for (int word = 0; word < 10'000; word++)
	{
		text += "a ";
	}
	EXPECT_EQ(hits({phrase + "b"}, text), 0);
}

} // namespace lead_scoring::core::test
