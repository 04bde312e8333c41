#include "core/keywords.hpp"

#include "core/fault.hpp"

#include <fmt/format.h>

#include <algorithm>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

void
KeywordTree::add(std::span<const Letter> keyword)
{
	std::vector<Symbol> symbols;

	if (keyword.size() > most_letters)
	{
		throw ScoringError(Fault::limit_exceeded, fmt::format("keyword is longer than {} characters", most_letters),
						   "Give words or short phrases.");
	}
	for (Letter letter : keyword)
	{
		if (letter.letter_class == LetterClass::space)
		{
			if (!symbols.empty() && symbols.back() != white_space)
			{
				symbols.push_back(white_space);
			}
			continue;
		}
		// 0, 1 and 2 are white space and what no keyword speaks of
		auto number = static_cast<Symbol>(symbols_.size()) + 2;
		Symbol fresh = number << 1 | (letter.letter_class == LetterClass::word ? 1 : 0);
		symbols.push_back(symbols_.try_emplace(letter.code, fresh).first->second);
	}
	if (!symbols.empty() && symbols.back() == white_space)
	{
		symbols.pop_back();
	}
	if (symbols.empty())
	{
		return;
	}
	uint32_t node = 0;
	for (Symbol symbol : symbols)
	{
		auto next = static_cast<uint32_t>(is_end_.size());
		auto [place, is_new] = edges_.try_emplace(edge(node, symbol), next);
		if (is_new)
		{
			is_end_.push_back(false);
		}
		node = place->second;
	}
	is_end_[node] = true;
	longest_ = std::max(longest_, symbols.size());
	if (first_.size() <= symbols.front())
	{
		first_.resize(symbols.front() + 1);
	}
	first_[symbols.front()] = below(0, symbols.front());
}

size_t
KeywordTree::match_at(std::span<const Symbol> text, size_t begin) const noexcept
{
	uint32_t node = text[begin] < first_.size() ? first_[text[begin]] : 0;
	size_t end = 0;

	for (size_t at = begin + 1; node != 0; at++)
	{
		if (is_end_[node] && (at == text.size() || !is_word(text[at])))
		{
			end = at;
		}
		node = at < text.size() ? below(node, text[at]) : 0;
	}
	return end;
}

size_t
KeywordTree::scan(std::span<const Symbol> text, bool ends, Progress &progress) const noexcept
{
	// A match and the symbol behind it lie within the text if they begin before here
	size_t begin_before = ends ? text.size() : text.size() - std::min(text.size(), longest_);
	size_t at = 0;

	while (at < begin_before)
	{
		size_t end = progress.after_word ? 0 : match_at(text, at);
		progress.hits += end != 0;
		at = end != 0 ? end : at + 1;
		progress.after_word = is_word(text[at - 1]);
	}
	return at;
}

} // namespace lead_scoring::core
