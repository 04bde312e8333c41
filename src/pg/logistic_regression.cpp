// lead_scoring.logistic_regression: how numbers of records tell, together, whether they converted.
#include "pg/postgres_api.hpp"

#include "core/logistic.hpp"
#include "pg/owned.hpp"
#include "pg/row_set.hpp"

#include <cmath>

LEAD_SCORING_FUNCTION(lead_scoring_logistic_regression);

namespace lead_scoring::pg
{

namespace
{

constexpr size_t most_columns = 1000;

// The rows as they were given
struct Table
{
	const double *numbers; // row by row
	const bool *outcomes;
	size_t rows;
	size_t columns;
	double penalty;
};

// A regression: the columns, and what came of it
struct Regression
{
	explicit Regression(const Table &table);

	core::LogisticFit fit;
	std::vector<double> errors;
};

Regression::Regression(const Table &table)
{
	std::vector<double> targets(table.outcomes, table.outcomes + table.rows);
	std::vector<std::vector<double>> columns(table.columns, std::vector<double>(table.rows));
	for (size_t row = 0; row < table.rows; row++)
	{
		for (size_t column = 0; column < table.columns; column++)
		{
			columns[column][row] = table.numbers[row * table.columns + column];
		}
	}
	core::NumberDesign design({columns.begin(), columns.end()}, table.rows);
	fit = core::fit_logistic(design, targets, table.penalty, stop_wanted);
	errors = core::standard_errors(design, fit.coefficients, table.penalty, stop_wanted);
}

[[noreturn]] void
refuse(const char *message, const char *hint)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s", message), errhint("%s", hint)));
	pg_unreachable();
}

const bool *
outcomes_of(ArrayType *array, size_t *count)
{
	if (ARR_NDIM(array) > 1 || array_contains_nulls(array))
	{
		refuse("outcomes must be a plain list without NULL", "Collect outcomes and features from the same rows by array_agg.");
	}
	*count = static_cast<size_t>(ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)));
	return reinterpret_cast<const bool *>(ARR_DATA_PTR(array));
}

// Read the features of all rows: an array of arrays
Table
table_of(FunctionCallInfo fcinfo)
{
	Table table{};
	ArrayType *features = PG_GETARG_ARRAYTYPE_P(1);

	table.outcomes = outcomes_of(PG_GETARG_ARRAYTYPE_P(0), &table.rows);
	table.penalty = PG_GETARG_FLOAT8(2);
	if (ARR_NDIM(features) != 2 || array_contains_nulls(features))
	{
		refuse("features must be a list of lists without NULL", "Give a list of numbers for each outcome: array_agg(ARRAY[a, b]).");
	}
	table.columns = static_cast<size_t>(ARR_DIMS(features)[1]);
	table.numbers = reinterpret_cast<const double *>(ARR_DATA_PTR(features));
	if (static_cast<size_t>(ARR_DIMS(features)[0]) != table.rows)
	{
		refuse("there must be as many outcomes as lists of features", "Collect outcomes and features from the same rows by array_agg.");
	}
	if (table.columns > most_columns)
	{
		refuse("too many features", "Use at most 1000.");
	}
	for (size_t at = 0; at < table.rows * table.columns; at++)
	{
		if (!std::isfinite(table.numbers[at]))
		{
			refuse("features must be finite", "Leave out rows with NaN and infinity.");
		}
	}
	if (!std::isfinite(table.penalty) || table.penalty < 0)
	{
		refuse("penalty must be finite and not negative", "0 is none; 1 is a usual one for features of standard deviation 1.");
	}
	return table;
}

} // namespace

} // namespace lead_scoring::pg

// Fit a logistic regression
Datum
lead_scoring_logistic_regression(PG_FUNCTION_ARGS)
{
	using namespace lead_scoring::pg;

	RowSet rows = begin_row_set(fcinfo);
	Table table = table_of(fcinfo);
	Regression *regression = make_owned<Regression>(CurrentMemoryContext, table);
	bool known = regression->fit.converged;
	if (!known)
	{
		ereport(WARNING, (errmsg("the regression has no finite solution"),
						  errhint("Features tell the outcomes apart without fail, or depend on each other. Give a penalty above 0.")));
	}
	for (size_t column = 0; column <= table.columns; column++)
	{
		bool has_error = known && column < regression->errors.size() && std::isfinite(regression->errors[column]);
		bool nulls[] = {false, !known, !has_error};
		Datum values[] = {Int32GetDatum(static_cast<int32>(column)), Float8GetDatum(known ? regression->fit.coefficients[column] : 0),
						  Float8GetDatum(has_error ? regression->errors[column] : 0)};
		tuplestore_putvalues(rows.store, rows.descriptor, values, nulls);
	}
	return static_cast<Datum>(0);
}
