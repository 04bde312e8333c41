// The one file that includes Eigen, which is slow to compile. No part of it under the LGPL, no threads.
#define EIGEN_MPL2_ONLY
#define EIGEN_DONT_PARALLELIZE

#include "core/cholesky.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include <algorithm>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

namespace
{

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Index = Eigen::Index;

// Tile by tile, as one call of Eigen for a large matrix could not be cancelled: one tile takes about a millisecond
constexpr Index tile = 128;

// Replace the lower triangle by its Cholesky factor (left-looking: Golub, Van Loan, Matrix Computations, 4.2.5)
bool
factorise(Eigen::Map<Matrix> &matrix, Poll cancelled)
{
	const Index size = matrix.rows();

	for (Index column = 0; column < size; column += tile)
	{
		const Index width = std::min(tile, size - column);
		for (Index row = column; row < size; row += tile)
		{
			const Index height = std::min(tile, size - row);
			auto block = matrix.block(row, column, height, width);
			for (Index before = 0; before < column; before += tile)
			{
				give_up_if(cancelled);
				block.noalias() -=
					matrix.block(row, before, height, tile) * matrix.block(column, before, width, tile).transpose();
			}
			give_up_if(cancelled);
			if (row == column)
			{
				Eigen::LLT<Matrix> factor(block);
				if (factor.info() != Eigen::Success)
				{
					return false;
				}
				block.triangularView<Eigen::Lower>() = factor.matrixL();
			}
			else
			{
				auto diagonal = matrix.block(column, column, width, width);
				diagonal.triangularView<Eigen::Lower>().transpose().solveInPlace<Eigen::OnTheRight>(block);
			}
		}
	}
	return true;
}

} // namespace

bool
solve_positive_definite(std::span<double> matrix, std::span<double> vector, Poll cancelled)
{
	const auto size = static_cast<Index>(vector.size());
	Eigen::Map<Matrix> factor(matrix.data(), size, size);
	Eigen::Map<Eigen::VectorXd> solution(vector.data(), size);

	if (!factorise(factor, cancelled))
	{
		return false;
	}
	factor.triangularView<Eigen::Lower>().solveInPlace(solution);
	factor.triangularView<Eigen::Lower>().transpose().solveInPlace(solution);
	return solution.allFinite();
}

} // namespace lead_scoring::core
