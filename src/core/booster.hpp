// A training run of XGBoost: its objects, its parameters and its errors.
#pragma once

#include "core/boosting.hpp"
#include "core/tree_columns.hpp"
#include "core/xgboost_library.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace lead_scoring::core
{

// An object of XGBoost, freed with its owner
class XgboostHandle
{
public:
	explicit XgboostHandle(int (*free)(void *)) noexcept : free_(free)
	{
	}

	XgboostHandle(const XgboostHandle &) = delete;
	XgboostHandle &operator=(const XgboostHandle &) = delete;

	~XgboostHandle()
	{
		if (handle_ != nullptr)
		{
			free_(handle_);
		}
	}

	void *
	get() const noexcept
	{
		return handle_;
	}

	// Return where to put the object
	void **
	place() noexcept
	{
		return &handle_;
	}

private:
	int (*free_)(void *);
	void *handle_ = nullptr;
};

class Booster
{
public:
	// Give XGBoost the rows; labels: what came of them; base: the log-odds that the trees start from
	Booster(const TreeColumns &columns, std::span<const float> labels, float base, const ForestSettings &settings);

	// Train one more tree
	void add_tree();

	// Return the trees, in the JSON of XGBoost
	std::string model();

	// Return what XGBoost itself predicts for the rows: type 1 log-odds, by row; 2 contributions, by row and column, and base
	std::vector<float> predict(int type);

private:
	template <typename Function, typename... Arguments>
	void call(Function function, Arguments... arguments);
	void make_matrix(const TreeColumns &columns, std::span<const float> labels, float base, uint32_t threads);
	void set_parameters(const ForestSettings &settings);

	const XgboostLibrary &library_;
	XgboostHandle matrix_;
	XgboostHandle booster_;
	int trees_ = 0;
};

} // namespace lead_scoring::core
