// Logistic regression, with or without an L2 penalty, by Newton's method (iteratively reweighted least squares).
//
// Literature: Hastie, Tibshirani, Friedman, The Elements of Statistical Learning, 2009, 4.4.1.
#pragma once

#include "core/fault.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lead_scoring::core
{

// The columns that a regression sees, the first of them the intercept: 1 in each row
class Design
{
public:
	virtual ~Design() = default;

	virtual size_t rows() const noexcept = 0;
	virtual size_t columns() const noexcept = 0;

	// Compute the linear predictor of each row: rows * coefficients
	virtual void predict(std::span<const double> coefficients, std::span<double> predictors, Poll cancelled) const = 0;

	// Add rows' * residuals to the gradient, and rows' * diagonal(weights) * rows to the lower triangle of the matrix,
	// which is stored row by row
	virtual void add_products(std::span<const double> weights, std::span<const double> residuals, std::span<double> gradient,
							  std::span<double> matrix, Poll cancelled) const = 0;
};

// Columns of numbers as they are
class NumberDesign : public Design
{
public:
	// The columns, without the intercept, must outlive the design
	explicit NumberDesign(std::vector<std::span<const double>> columns, size_t rows);

	size_t rows() const noexcept override;
	size_t columns() const noexcept override;
	void predict(std::span<const double> coefficients, std::span<double> predictors, Poll cancelled) const override;
	void add_products(std::span<const double> weights, std::span<const double> residuals, std::span<double> gradient,
					  std::span<double> matrix, Poll cancelled) const override;

private:
	std::vector<std::span<const double>> columns_;
	size_t rows_;
};

// Columns of zeros and ones, of which each feature sets at most one in a row: kept as the number of that column. The work
// grows with the square of the features, not of the columns
class BinDesign : public Design
{
public:
	static constexpr uint16_t no_column = 0; // that of the intercept

	// Codes are row by row, those of a feature above those of the features before it, from 1 to columns - 1
	BinDesign(std::vector<uint16_t> codes, size_t features, size_t columns);

	size_t rows() const noexcept override;
	size_t columns() const noexcept override;
	void predict(std::span<const double> coefficients, std::span<double> predictors, Poll cancelled) const override;
	void add_products(std::span<const double> weights, std::span<const double> residuals, std::span<double> gradient,
					  std::span<double> matrix, Poll cancelled) const override;

private:
	std::vector<uint16_t> codes_;
	size_t features_;
	size_t columns_;
};

struct LogisticFit
{
	std::vector<double> coefficients; // that of the intercept first
	double log_likelihood = 0;        // without the penalty
	unsigned steps = 0;
	bool converged = false; // false where no finite coefficients are best, as when the classes are separable
};

// Fit P(1) = 1 / (1 + exp(-predictor)) to targets in 0 .. 1. The penalty, half of it times the sum of squares, holds for
// all coefficients but the intercept. Deterministic
LogisticFit fit_logistic(const Design &design, std::span<const double> targets, double penalty, Poll cancelled);

// Return the standard errors of coefficients: the roots of the diagonal of the inverse of the information matrix, which the
// penalty is a part of. Empty where that has no inverse
std::vector<double> standard_errors(const Design &design, std::span<const double> coefficients, double penalty, Poll cancelled);

} // namespace lead_scoring::core
