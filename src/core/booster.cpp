#include "core/booster.hpp"

#include "core/fault.hpp"

#include <fmt/format.h>

#include <bit>
#include <csignal>
#include <string_view>
#include <utility>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

namespace
{

// Blocks the signals that others send, so that a thread which is started meanwhile never runs a handler
class SignalsBlocked
{
public:
	SignalsBlocked() noexcept
	{
		sigset_t blocked;
		sigfillset(&blocked);
		for (int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS})
		{
			sigdelset(&blocked, fault);
		}
		pthread_sigmask(SIG_BLOCK, &blocked, &before_);
	}

	SignalsBlocked(const SignalsBlocked &) = delete;
	SignalsBlocked &operator=(const SignalsBlocked &) = delete;

	~SignalsBlocked()
	{
		pthread_sigmask(SIG_SETMASK, &before_, nullptr);
	}

private:
	sigset_t before_;
};

// XGBoost would print where nobody listens for it
void
drop_message(const char *) noexcept
{
}

// Return what XGBoost says of an error: "[time] file:line: what", and behind it the stack, of which only what is kept
std::string
error_text(const char *text)
{
	std::string_view message = text;

	message = message.substr(0, message.find("\nStack trace"));
	size_t line = message.find_first_of(':', message.find('/'));
	size_t end = line == std::string_view::npos ? line : message.find_first_not_of("0123456789", line + 1);
	if (end != std::string_view::npos && message.substr(end).starts_with(": "))
	{
		message.remove_prefix(end + 2);
	}
	while (message.ends_with('\n'))
	{
		message.remove_suffix(1);
	}
	return std::string(message);
}

// Describe a row-major matrix of floats as XGBoost wants it: https://numpy.org/doc/stable/reference/arrays.interface.html
std::string
array_interface(const float *values, size_t rows, size_t columns)
{
	char order = std::endian::native == std::endian::little ? '<' : '>';

	return fmt::format(R"({{"data": [{}, true], "shape": [{}, {}], "typestr": "{}f4", "version": 3}})",
					   reinterpret_cast<uintptr_t>(values), rows, columns, order);
}

} // namespace

// Call a function of the library; raise what it complains of
template <typename Function, typename... Arguments>
void
Booster::call(Function function, Arguments... arguments)
{
	SignalsBlocked blocked;

	if (function(arguments...) != 0)
	{
		throw ScoringError(Fault::library_failure, fmt::format("XGBoost reports: {}", error_text(library_.last_error())));
	}
}

Booster::Booster(const TreeColumns &columns, std::span<const float> labels, float base, const ForestSettings &settings)
	: library_(xgboost_library()), matrix_(library_.free_matrix), booster_(library_.free_booster)
{
	call(library_.register_log_callback, drop_message);
	call(library_.set_global_config, R"({"verbosity": 0})");
	make_matrix(columns, labels, base, settings.threads);
	const DMatrixHandle matrices[] = {matrix_.get()};
	call(library_.create_booster, matrices, bst_ulong{1}, booster_.place());
	set_parameters(settings);
}

void
Booster::make_matrix(const TreeColumns &columns, std::span<const float> labels, float base, uint32_t threads)
{
	std::string array = array_interface(columns.bins.data(), labels.size(), columns.columns.size());
	std::string config = fmt::format(R"({{"missing": NaN, "nthread": {}}})", threads);
	// Each row starts at the base, so the model needs no base of its own, which has had several forms
	std::vector<float> bases(labels.size(), base);

	call(library_.create_matrix, array.c_str(), config.c_str(), matrix_.place());
	call(library_.set_float_info, matrix_.get(), "label", labels.data(), bst_ulong{labels.size()});
	call(library_.set_float_info, matrix_.get(), "base_margin", bases.data(), bst_ulong{bases.size()});
}

void
Booster::set_parameters(const ForestSettings &settings)
{
	std::pair<const char *, std::string> parameters[] = {
		{"objective", "binary:logistic"},
		{"tree_method", "hist"},
		{"disable_default_eval_metric", "1"},
		{"base_score", "0.5"},
		{"max_depth", fmt::to_string(settings.depth)},
		{"learning_rate", fmt::to_string(settings.learning_rate)},
		{"subsample", fmt::to_string(settings.subsample)},
		{"colsample_bytree", fmt::to_string(settings.column_share)},
		{"min_child_weight", fmt::to_string(settings.min_child_weight)},
		{"lambda", fmt::to_string(settings.penalty)},
		{"max_bin", fmt::to_string(settings.bins)},
		{"seed", fmt::to_string(settings.seed & INT32_MAX)},
		{"nthread", fmt::to_string(settings.threads)},
	};

	for (const auto &[name, value] : parameters)
	{
		call(library_.set_parameter, booster_.get(), name, value.c_str());
	}
}

void
Booster::add_tree()
{
	call(library_.update, booster_.get(), trees_, matrix_.get());
	trees_++;
}

std::string
Booster::model()
{
	bst_ulong length = 0;
	const char *text = nullptr;

	call(library_.save_model, booster_.get(), R"({"format": "json"})", &length, &text);
	return {text, length};
}

std::vector<float>
Booster::predict(int type)
{
	std::string config = fmt::format(
		R"({{"type": {}, "training": false, "iteration_begin": 0, "iteration_end": 0, "strict_shape": false}})", type);
	const bst_ulong *shape = nullptr;
	bst_ulong dimensions = 0;
	const float *values = nullptr;
	size_t count = 1;

	call(library_.predict, booster_.get(), matrix_.get(), config.c_str(), &shape, &dimensions, &values);
	for (bst_ulong at = 0; at < dimensions; at++)
	{
		count *= shape[at];
	}
	return {values, values + count};
}

} // namespace lead_scoring::core
