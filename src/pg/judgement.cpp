// How good scores and predictions are, in detail: gains, lift, calibration, confusion, recommend_threshold and
// capture_by_band, over arrays of which the elements at one position belong to one record.
#include "pg/postgres_api.hpp"

#include "core/calibration.hpp"
#include "core/gains.hpp"
#include "core/threshold.hpp"
#include "pg/owned.hpp"
#include "pg/row_set.hpp"

#include <cmath>

namespace lead_scoring::pg
{

using core::BandCapture;
using core::BandOutcomes;
using core::CalibrationBin;
using core::Confusion;
using core::GainsBin;
using core::ScoredOutcomes;
using core::ThresholdMethod;

namespace
{

constexpr int most_columns = 12;

// A result row under way, column by column
struct Row
{
	Datum values[most_columns];
	bool nulls[most_columns];
	int filled;
};

void
put(Row &row, Datum value)
{
	row.nulls[row.filled] = false;
	row.values[row.filled++] = value;
}

// Put a number; one that is not defined is NULL
void
put_number(Row &row, double number)
{
	row.nulls[row.filled] = std::isnan(number);
	row.values[row.filled++] = Float8GetDatum(number);
}

void
store_row(RowSet &rows, Row &row)
{
	tuplestore_putvalues(rows.store, rows.descriptor, row.values, row.nulls);
}

// Return a row as the value of the function
Datum
row_value(FunctionCallInfo fcinfo, Row &row)
{
	TupleDesc descriptor;

	if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE)
	{
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("function returning record called in context that cannot accept type record"),
						errhint("Call it in FROM.")));
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), row.values, row.nulls)));
}

// Two lists whose elements are looked at pair by pair
struct Pairs
{
	ArrayIterator left;
	ArrayIterator right;
	int64 position;
};

Pairs
begin_pairs(FunctionCallInfo fcinfo, const char *name)
{
	ArrayType *left = PG_GETARG_ARRAYTYPE_P(0);
	ArrayType *right = PG_GETARG_ARRAYTYPE_P(1);
	int left_count = ArrayGetNItems(ARR_NDIM(left), ARR_DIMS(left));
	int right_count = ArrayGetNItems(ARR_NDIM(right), ARR_DIMS(right));

	if (ARR_NDIM(left) > 1 || ARR_NDIM(right) > 1)
	{
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s and outcomes must be plain lists", name),
						errhint("Use arrays of one dimension, as array_agg makes them.")));
	}
	if (left_count != right_count)
	{
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%d %s, but %d outcomes", left_count, name, right_count),
						errhint("Collect both from the same rows in one order, NULLs included: array_agg keeps them.")));
	}
	return {array_create_iterator(left, 0, nullptr), array_create_iterator(right, 0, nullptr), 0};
}

// Take the next pair in which neither is NULL
bool
next_pair(Pairs &pairs, Datum *left, bool *outcome)
{
	Datum right;
	bool left_is_null;
	bool right_is_null;

	while (array_iterate(pairs.left, left, &left_is_null) && array_iterate(pairs.right, &right, &right_is_null))
	{
		if ((++pairs.position & 0xFFFF) == 0)
		{
			CHECK_FOR_INTERRUPTS();
		}
		if (!left_is_null && !right_is_null)
		{
			*outcome = DatumGetBool(right);
			return true;
		}
	}
	return false;
}

// Take the scores, or probabilities, and outcomes that are the first two arguments
ScoredOutcomes *
take_scored(FunctionCallInfo fcinfo, const char *name)
{
	Pairs pairs = begin_pairs(fcinfo, name);
	auto *scored = make_owned<ScoredOutcomes>(CurrentMemoryContext);
	Datum datum;
	bool outcome;

	while (next_pair(pairs, &datum, &outcome))
	{
		double score = DatumGetFloat8(datum);
		guarded([scored, score, outcome]() { scored->add(score, outcome); });
	}
	return scored;
}

// A view of a text argument
std::string_view
text_view(FunctionCallInfo fcinfo, int argument)
{
	text *value = PG_GETARG_TEXT_PP(argument);

	return {VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)};
}

void
warn_undefined(const char *what, const char *why)
{
	ereport(WARNING, (errmsg("%s undefined: %s", what, why)));
}

// Warn of what a confusion leaves undefined
void
warn_of_confusion(const Confusion &counts)
{
	if (counts.selected() == 0)
	{
		warn_undefined("precision is", "no score reaches the threshold");
	}
	if (counts.converted() == 0)
	{
		warn_undefined("measures of the converted are", "no outcome is true");
	}
	else if (counts.converted() == counts.records())
	{
		warn_undefined("measures of the unconverted are", "no outcome is false");
	}
}

std::vector<CalibrationBin> *
take_calibration(FunctionCallInfo fcinfo)
{
	int32 number = PG_GETARG_INT32(2);
	std::string_view binning = text_view(fcinfo, 3);
	ScoredOutcomes *scored = take_scored(fcinfo, "probabilities");
	auto *bins = make_owned<std::vector<CalibrationBin>>(CurrentMemoryContext);

	guarded(
		[scored, bins, number, binning]()
		{
			scored->sort(stop_wanted);
			*bins = core::calibration(*scored, number, core::binning_of(binning));
		});
	return bins;
}

// What recommend_threshold was asked for
struct Wish
{
	ThresholdMethod method;
	int32 capacity;
};

Wish
take_wish(FunctionCallInfo fcinfo)
{
	std::string_view name = text_view(fcinfo, 2);
	ThresholdMethod method = guarded([name]() { return core::threshold_method(name); });

	if (method == ThresholdMethod::capacity && PG_ARGISNULL(3))
	{
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("capacity must not be NULL"),
						errhint("Say how many records can be taken care of: capacity => 50.")));
	}
	if (method != ThresholdMethod::capacity && !PG_ARGISNULL(3))
	{
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("capacity %d, but another method", PG_GETARG_INT32(3)),
						errhint("Use method => 'capacity', or leave the capacity out.")));
	}
	return {method, PG_ARGISNULL(3) ? 0 : PG_GETARG_INT32(3)};
}

// Warn that there is no threshold to recommend
void
warn_of_no_threshold(const ScoredOutcomes *scored)
{
	if (scored->converted() == 0)
	{
		warn_undefined("threshold is", scored->records() == 0 ? "there are no records" : "no outcome is true");
	}
	else if (scored->unconverted() == 0)
	{
		warn_undefined("threshold is", "no outcome is false");
	}
	else
	{
		warn_undefined("threshold is", "the best tenth of the records converts less often than all");
	}
}

// What a threshold gives
struct Recommended
{
	bool found;
	double threshold;
	Confusion counts;
};

Recommended
recommend(ScoredOutcomes *scored, Wish wish)
{
	return guarded(
		[scored, wish]()
		{
			scored->sort(stop_wanted);
			std::optional<double> threshold = core::recommend_threshold(*scored, wish.method, wish.capacity);
			return threshold.has_value() ? Recommended{true, *threshold, core::confusion(*scored, *threshold)}
										 : Recommended{};
		});
}

} // namespace

} // namespace lead_scoring::pg

using namespace lead_scoring::pg;

LEAD_SCORING_FUNCTION(lead_scoring_gains);
LEAD_SCORING_FUNCTION(lead_scoring_lift);
LEAD_SCORING_FUNCTION(lead_scoring_calibration);
LEAD_SCORING_FUNCTION(lead_scoring_calibration_error);
LEAD_SCORING_FUNCTION(lead_scoring_confusion);
LEAD_SCORING_FUNCTION(lead_scoring_recommend_threshold);
LEAD_SCORING_FUNCTION(lead_scoring_capture_by_band);

// Give a row for each bin of the ranking
Datum
lead_scoring_gains(PG_FUNCTION_ARGS)
{
	int32 number = PG_GETARG_INT32(2);
	RowSet rows = begin_row_set(fcinfo);
	ScoredOutcomes *scored = take_scored(fcinfo, "scores");
	auto *bins = make_owned<std::vector<GainsBin>>(CurrentMemoryContext);

	guarded(
		[scored, bins, number]()
		{
			scored->sort(stop_wanted);
			*bins = lead_scoring::core::gains(*scored, number);
		});
	for (const GainsBin &bin : *bins)
	{
		Row row = {};
		put(row, Int32GetDatum(bin.number));
		put(row, Int64GetDatum(bin.records));
		put_number(row, bin.converted);
		put_number(row, bin.conversion_rate);
		put_number(row, bin.captured);
		put_number(row, bin.lift);
		put_number(row, bin.lowest_score);
		put_number(row, bin.cumulative_share);
		put_number(row, bin.cumulative_captured);
		put_number(row, bin.cumulative_lift);
		store_row(rows, row);
	}
	if (!bins->empty() && scored->converted() == 0)
	{
		warn_undefined("captured and lift are", "no outcome is true");
	}
	return static_cast<Datum>(0);
}

// Divide the conversion rate of the best share by that of all
Datum
lead_scoring_lift(PG_FUNCTION_ARGS)
{
	double share = PG_GETARG_FLOAT8(2);
	ScoredOutcomes *scored = take_scored(fcinfo, "scores");
	double lift = guarded(
		[scored, share]()
		{
			scored->sort(stop_wanted);
			return lead_scoring::core::lift(*scored, share);
		});

	if (std::isnan(lift))
	{
		warn_undefined("lift is", scored->records() == 0 ? "there are no records" : "no outcome is true");
		PG_RETURN_NULL();
	}
	PG_RETURN_FLOAT8(lift);
}

// Give a row for each bin of predictions
Datum
lead_scoring_calibration(PG_FUNCTION_ARGS)
{
	RowSet rows = begin_row_set(fcinfo);

	for (const CalibrationBin &bin : *take_calibration(fcinfo))
	{
		Row row = {};
		put(row, Int32GetDatum(bin.number));
		put(row, Int64GetDatum(bin.records));
		put_number(row, bin.lowest);
		put_number(row, bin.highest);
		put_number(row, bin.predicted);
		put_number(row, bin.observed);
		store_row(rows, row);
	}
	return static_cast<Datum>(0);
}

// Return the expected calibration error
Datum
lead_scoring_calibration_error(PG_FUNCTION_ARGS)
{
	double error = lead_scoring::core::calibration_error(*take_calibration(fcinfo));

	if (std::isnan(error))
	{
		warn_undefined("calibration_error is", "there are no records");
		PG_RETURN_NULL();
	}
	PG_RETURN_FLOAT8(error);
}

// Count what a threshold selects
Datum
lead_scoring_confusion(PG_FUNCTION_ARGS)
{
	double threshold = PG_GETARG_FLOAT8(2);
	ScoredOutcomes *scored = take_scored(fcinfo, "scores");
	Confusion counts =
		guarded([scored, threshold]() { return lead_scoring::core::confusion(*scored, threshold); });
	Row row = {};

	put(row, Int64GetDatum(counts.true_positives));
	put(row, Int64GetDatum(counts.false_positives));
	put(row, Int64GetDatum(counts.true_negatives));
	put(row, Int64GetDatum(counts.false_negatives));
	put_number(row, counts.accuracy());
	put_number(row, counts.precision());
	put_number(row, counts.recall());
	put_number(row, counts.f1());
	put_number(row, counts.false_positive_rate());
	put_number(row, counts.false_negative_rate());
	put_number(row, counts.conversion_rate());
	put_number(row, counts.share());
	warn_of_confusion(counts);
	return row_value(fcinfo, row);
}

// Return the threshold that a method recommends, and what it gives
Datum
lead_scoring_recommend_threshold(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
	{
		PG_RETURN_NULL();
	}
	Wish wish = take_wish(fcinfo);
	ScoredOutcomes *scored = take_scored(fcinfo, "scores");
	Recommended best = recommend(scored, wish);
	Row row = {};

	if (!best.found)
	{
		warn_of_no_threshold(scored);
		memset(row.nulls, true, sizeof row.nulls);
		return row_value(fcinfo, row);
	}
	put_number(row, best.threshold);
	put(row, Int64GetDatum(best.counts.selected()));
	put_number(row, best.counts.share());
	put(row, Int64GetDatum(best.counts.true_positives));
	put_number(row, best.counts.accuracy());
	put_number(row, best.counts.precision());
	put_number(row, best.counts.recall());
	put_number(row, best.counts.f1());
	put_number(row, best.counts.youden());
	put_number(row, best.counts.lift());
	warn_of_confusion(best.counts);
	if (wish.method == ThresholdMethod::capacity && best.counts.selected() > wish.capacity)
	{
		ereport(WARNING, (errmsg(INT64_FORMAT " records share the highest score, more than the capacity of %d",
								 best.counts.selected(), wish.capacity)));
	}
	return row_value(fcinfo, row);
}

// Give a row for each label
Datum
lead_scoring_capture_by_band(PG_FUNCTION_ARGS)
{
	RowSet rows = begin_row_set(fcinfo);
	Pairs pairs = begin_pairs(fcinfo, "labels");
	auto *capture = make_owned<BandCapture>(CurrentMemoryContext);
	auto *bands = make_owned<std::vector<BandOutcomes>>(CurrentMemoryContext);
	Datum datum;
	bool outcome;

	while (next_pair(pairs, &datum, &outcome))
	{
		text *label = DatumGetTextPP(datum);
		const char *start = VARDATA_ANY(label);
		size_t length = VARSIZE_ANY_EXHDR(label);
		guarded([capture, start, length, outcome]() { capture->add({start, length}, outcome); });
	}
	guarded([capture, bands]() { *bands = capture->bands(); });
	for (const BandOutcomes &band : *bands)
	{
		Row row = {};
		put(row, text_datum(band.label.data(), band.label.size()));
		put(row, Int64GetDatum(band.records));
		put(row, Int64GetDatum(band.converted));
		put_number(row, band.conversion_rate);
		put_number(row, band.captured);
		put_number(row, band.lift);
		store_row(rows, row);
	}
	if (!bands->empty() && capture->converted() == 0)
	{
		warn_undefined("captured and lift are", "no outcome is true");
	}
	return static_cast<Datum>(0);
}
