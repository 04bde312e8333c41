// Solves the normal equations of a regression.
#pragma once

#include "core/fault.hpp"

#include <cstddef>
#include <span>

namespace lead_scoring::core
{

// Solve matrix * x = vector for a symmetric positive definite matrix, row by row, of which only the lower triangle is
// read. The solution replaces the vector, the matrix is overwritten. Returns false if the matrix is not positive definite
bool solve_positive_definite(std::span<double> matrix, std::span<double> vector, Poll cancelled);

} // namespace lead_scoring::core
