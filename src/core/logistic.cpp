#include "core/logistic.hpp"

#include "core/cholesky.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

namespace
{

constexpr unsigned most_steps = 100;
constexpr unsigned most_halvings = 40;

// So much less deviance, as a share of it, is no progress
constexpr double tolerance = 1e-12;

// Additions between two polls: about a millisecond
constexpr size_t patience = 500'000;

// Return how many rows are worked on between two polls
size_t
stretch_of(size_t work_per_row)
{
	return std::max<size_t>(1, patience / (work_per_row + 8));
}

// Call work(first, last) for stretches of rows, with a poll before each
template <typename Work>
void
for_stretches(size_t rows, size_t work_per_row, Poll cancelled, Work work)
{
	const size_t stretch = stretch_of(work_per_row);

	for (size_t first = 0; first < rows; first += stretch)
	{
		give_up_if(cancelled);
		work(first, std::min(rows, first + stretch));
	}
}

// log(1 + exp(x)) without overflow
double
softplus(double x)
{
	return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
}

// One regression on its way
class Newton
{
public:
	Newton(const Design &design, std::span<const double> targets, double penalty, Poll cancelled)
		: design_(design), targets_(targets), penalty_(penalty), cancelled_(cancelled), predictors_(design.rows()),
		  weights_(design.rows()), residuals_(design.rows()), matrix_(design.columns() * design.columns())
	{
	}

	LogisticFit
	run()
	{
		LogisticFit fit;
		fit.coefficients = start();
		double loss = loss_at(fit.coefficients);
		for (fit.steps = 0; fit.steps < most_steps && !fit.converged; fit.steps++)
		{
			std::vector<double> step;
			if (!find_step(fit.coefficients, step))
			{
				break;
			}
			double better = go(fit.coefficients, step, loss);
			fit.converged = loss - better <= tolerance * (std::abs(better) + tolerance);
			loss = better;
		}
		fit.log_likelihood = penalty_of(fit.coefficients) - loss;
		return fit;
	}

private:
	// Begin with the log-odds of all rows together
	std::vector<double>
	start() const
	{
		std::vector<double> coefficients(design_.columns(), 0.0);
		double sum = 0;
		for (double target : targets_)
		{
			sum += target;
		}
		const double rest = static_cast<double>(targets_.size()) - sum;
		coefficients[0] = std::log((sum + 0.5) / (rest + 0.5));
		return coefficients;
	}

	double
	penalty_of(std::span<const double> coefficients) const
	{
		double squares = 0;
		for (double coefficient : coefficients.subspan(1))
		{
			squares += coefficient * coefficient;
		}
		return penalty_ / 2 * squares;
	}

	// Return the negative log-likelihood with the penalty; leaves the predictors
	double
	loss_at(std::span<const double> coefficients)
	{
		double loss = 0;
		design_.predict(coefficients, predictors_, cancelled_);
		for_stretches(predictors_.size(), 30, cancelled_, [&](size_t first, size_t last) {
			for (size_t row = first; row < last; row++)
			{
				loss += softplus(predictors_[row]) - targets_[row] * predictors_[row];
			}
		});
		return loss + penalty_of(coefficients);
	}

	// Find the step of Newton's method from where the predictors are
	bool
	find_step(std::span<const double> coefficients, std::vector<double> &step)
	{
		const size_t columns = design_.columns();
		for_stretches(predictors_.size(), 30, cancelled_, [&](size_t first, size_t last) {
			for (size_t row = first; row < last; row++)
			{
				const double probability = 1 / (1 + std::exp(-predictors_[row]));
				weights_[row] = probability * (1 - probability);
				residuals_[row] = targets_[row] - probability;
			}
		});
		step.assign(columns, 0.0);
		std::fill(matrix_.begin(), matrix_.end(), 0.0);
		design_.add_products(weights_, residuals_, step, matrix_, cancelled_);
		for (size_t column = 1; column < columns; column++)
		{
			step[column] -= penalty_ * coefficients[column];
			matrix_[column * columns + column] += penalty_;
		}
		return solve_positive_definite(matrix_, step, cancelled_);
	}

	// Go along a step, half of it, a quarter and so on, as far as the loss falls; returns the loss
	double
	go(std::vector<double> &coefficients, std::span<const double> step, double loss)
	{
		std::vector<double> tried(coefficients.size());
		double share = 1;
		for (unsigned halving = 0; halving < most_halvings; halving++, share /= 2)
		{
			for (size_t column = 0; column < tried.size(); column++)
			{
				tried[column] = coefficients[column] + share * step[column];
			}
			const double better = loss_at(tried);
			// False for a loss that is no number
			if (better <= loss)
			{
				coefficients.swap(tried);
				return better;
			}
		}
		return loss;
	}

	const Design &design_;
	std::span<const double> targets_;
	double penalty_;
	Poll cancelled_;
	std::vector<double> predictors_;
	std::vector<double> weights_;
	std::vector<double> residuals_;
	std::vector<double> matrix_;
};

} // namespace

NumberDesign::NumberDesign(std::vector<std::span<const double>> columns, size_t rows)
	: columns_(std::move(columns)), rows_(rows)
{
}

size_t
NumberDesign::rows() const noexcept
{
	return rows_;
}

size_t
NumberDesign::columns() const noexcept
{
	return columns_.size() + 1;
}

void
NumberDesign::predict(std::span<const double> coefficients, std::span<double> predictors, Poll cancelled) const
{
	for_stretches(rows_, columns_.size(), cancelled, [&](size_t first, size_t last) {
		for (size_t row = first; row < last; row++)
		{
			double sum = coefficients[0];
			for (size_t column = 0; column < columns_.size(); column++)
			{
				sum += coefficients[column + 1] * columns_[column][row];
			}
			predictors[row] = sum;
		}
	});
}

void
NumberDesign::add_products(std::span<const double> weights, std::span<const double> residuals, std::span<double> gradient,
						   std::span<double> matrix, Poll cancelled) const
{
	const size_t width = columns();
	std::vector<double> values(width, 1.0);

	for_stretches(rows_, width * width / 2, cancelled, [&](size_t first, size_t last) {
		for (size_t row = first; row < last; row++)
		{
			for (size_t column = 1; column < width; column++)
			{
				values[column] = columns_[column - 1][row];
			}
			for (size_t column = 0; column < width; column++)
			{
				gradient[column] += residuals[row] * values[column];
				const double weighted = weights[row] * values[column];
				double *line = &matrix[column * width];
				for (size_t other = 0; other <= column; other++)
				{
					line[other] += weighted * values[other];
				}
			}
		}
	});
}

BinDesign::BinDesign(std::vector<uint16_t> codes, size_t features, size_t columns)
	: codes_(std::move(codes)), features_(features), columns_(columns)
{
}

size_t
BinDesign::rows() const noexcept
{
	return features_ == 0 ? 0 : codes_.size() / features_;
}

size_t
BinDesign::columns() const noexcept
{
	return columns_;
}

void
BinDesign::predict(std::span<const double> coefficients, std::span<double> predictors, Poll cancelled) const
{
	// Where a feature sets no column, nothing is added
	std::vector<double> added(coefficients.begin(), coefficients.end());

	added[no_column] = 0;
	for_stretches(rows(), features_, cancelled, [&](size_t first, size_t last) {
		for (size_t row = first; row < last; row++)
		{
			const uint16_t *codes = &codes_[row * features_];
			double sum = coefficients[0];
			for (size_t feature = 0; feature < features_; feature++)
			{
				sum += added[codes[feature]];
			}
			predictors[row] = sum;
		}
	});
}

void
BinDesign::add_products(std::span<const double> weights, std::span<const double> residuals, std::span<double> gradient,
						std::span<double> matrix, Poll cancelled) const
{
	double weight_sum = 0;
	double residual_sum = 0;

	// Where another feature sets no column, its addition goes to the intercept's, which is put right below
	for_stretches(rows(), features_ * features_ / 2, cancelled, [&](size_t first, size_t last) {
		for (size_t row = first; row < last; row++)
		{
			const uint16_t *codes = &codes_[row * features_];
			const double weight = weights[row];
			const double residual = residuals[row];
			weight_sum += weight;
			residual_sum += residual;
			for (size_t feature = 0; feature < features_; feature++)
			{
				if (codes[feature] == no_column)
				{
					continue;
				}
				double *line = &matrix[codes[feature] * columns_];
				gradient[codes[feature]] += residual;
				line[codes[feature]] += weight;
				for (size_t other = 0; other < feature; other++)
				{
					line[codes[other]] += weight;
				}
			}
		}
	});
	gradient[0] += residual_sum;
	matrix[0] += weight_sum;
	// The product of a column of zeros and ones with the intercept is that with itself
	for (size_t column = 1; column < columns_; column++)
	{
		matrix[column * columns_] = matrix[column * columns_ + column];
	}
}

LogisticFit
fit_logistic(const Design &design, std::span<const double> targets, double penalty, Poll cancelled)
{
	return Newton(design, targets, penalty, cancelled).run();
}

std::vector<double>
standard_errors(const Design &design, std::span<const double> coefficients, double penalty, Poll cancelled)
{
	const size_t columns = design.columns();
	std::vector<double> predictors(design.rows());
	std::vector<double> weights(design.rows());
	const std::vector<double> residuals(design.rows(), 0.0);
	std::vector<double> information(columns * columns, 0.0);
	std::vector<double> column_of_inverse(columns, 0.0);
	std::vector<double> errors(columns);

	design.predict(coefficients, predictors, cancelled);
	for (size_t row = 0; row < predictors.size(); row++)
	{
		const double probability = 1 / (1 + std::exp(-predictors[row]));
		weights[row] = probability * (1 - probability);
	}
	design.add_products(weights, residuals, column_of_inverse, information, cancelled);
	for (size_t column = 1; column < columns; column++)
	{
		information[column * columns + column] += penalty;
	}
	for (size_t column = 0; column < columns; column++)
	{
		std::vector<double> matrix = information;
		column_of_inverse.assign(columns, 0.0);
		column_of_inverse[column] = 1;
		if (!solve_positive_definite(matrix, column_of_inverse, cancelled))
		{
			return {};
		}
		errors[column] = std::sqrt(column_of_inverse[column]);
	}
	return errors;
}

} // namespace lead_scoring::core
