// Counting whole keywords in a text, any of many in one pass.
//
// What a letter is, and which two are the same, is the caller's to say (letters have classes, and case is folded away).
// Keywords make a tree of their symbols; from each place where a word may begin the tree is walked down as far as the
// text goes along, and the longest keyword that ends where a word may end is a hit. The next search begins behind it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

namespace lead_scoring::core
{

enum class LetterClass : uint8_t
{
	word,  // letter, digit or underscore
	space, // white space
	sign,  // anything else
};

// A character: one code for all its forms (upper and lower case), and its class
struct Letter
{
	uint32_t code;
	LetterClass letter_class;
};

// What the keywords know of a character: its class is in the lowest bit
using Symbol = uint32_t;

// Any run of white space is one of these
inline constexpr Symbol white_space = 0;

inline constexpr bool
is_word(Symbol symbol) noexcept
{
	return (symbol & 1) != 0;
}

class KeywordTree
{
public:
	// How far a text has been searched
	struct Progress
	{
		bool after_word = false; // whether the symbol before is part of a word
		int64_t hits = 0;
	};

	// Add a keyword: white space at its ends does not count, within it any run is as good as any other. One without
	// anything else is ignored, one that is too long is an error
	void add(std::span<const Letter> keyword);

	// Return the symbol of a character
	Symbol
	symbol_of(Letter letter) const noexcept
	{
		if (letter.letter_class == LetterClass::space)
		{
			return white_space;
		}
		auto found = symbols_.find(letter.code);
		return found != symbols_.end() ? found->second : unknown(letter.letter_class);
	}

	// Return how many symbols the longest keyword has
	size_t
	longest() const noexcept
	{
		return longest_;
	}

	// Search the next stretch of a text, in which no two white spaces are neighbours. Returned is how many symbols were
	// searched; the others, at most longest() of them and none where the text ends, are to be given again, with more
	size_t scan(std::span<const Symbol> text, bool ends, Progress &progress) const noexcept;

	// The longest keyword: it bounds what the search from one place costs
	static constexpr size_t most_letters = 1000;

private:
	static constexpr Symbol
	unknown(LetterClass letter_class) noexcept
	{
		return letter_class == LetterClass::word ? 1 : 2;
	}

	static constexpr uint64_t
	edge(uint32_t node, Symbol symbol) noexcept
	{
		return static_cast<uint64_t>(node) << 32 | symbol;
	}

	// Return the node below another, 0 (which is the root) if there is none
	uint32_t
	below(uint32_t node, Symbol symbol) const noexcept
	{
		auto found = edges_.find(edge(node, symbol));
		return found != edges_.end() ? found->second : 0;
	}

	// Return where the longest keyword that begins at a place ends, 0 if none does
	size_t match_at(std::span<const Symbol> text, size_t begin) const noexcept;

	std::unordered_map<uint32_t, Symbol> symbols_; // by code
	std::unordered_map<uint64_t, uint32_t> edges_; // to nodes, numbered from 1
	std::vector<uint32_t> first_;                  // the nodes below the root, by symbol
	std::vector<bool> is_end_ = {false};           // whether a keyword ends at a node
	size_t longest_ = 0;
};

} // namespace lead_scoring::core
