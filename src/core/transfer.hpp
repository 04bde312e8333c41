// What one scorer knows of its records, for another that has seen other rows: in pieces of bytes, for between processes.
#pragma once

#include "core/scorer.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lead_scoring::core
{

// Takes a scorer apart, piece by piece, in no order
class Transfer
{
public:
	explicit Transfer(Scorer *scorer) : scorer_(*scorer)
	{
	}

	// Write what is known of the next few records; empty when all are written
	std::span<const std::byte> next();

	// Add a piece that the transfer of another scorer of the same program wrote; raises if a sum leaves its range
	static void merge(Scorer &scorer, std::span<const std::byte> piece);

private:
	void write_keys(const Key *keys, size_t count);
	void write_log(uint32_t head);

	Scorer &scorer_;
	size_t cursor_ = 0; // in the index
	std::vector<std::byte> piece_;
};

} // namespace lead_scoring::core
