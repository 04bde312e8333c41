#include "core/scorer.hpp"

#include "model.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace lead_scoring::core::test
{

namespace
{

constexpr int64_t as_of = 9527 * day_us; // 2026-01-31 as PostgreSQL counts

// A row of a source; for adjustments the one value is the points
struct Row
{
	uint32_t record;
	int64_t time = as_of;
	std::vector<Value> values = {};
};

struct Record
{
	uint32_t number;
	std::vector<Value> values = {};
};

// Everything that a score is computed from
struct Facts
{
	std::vector<std::vector<Row>> rows; // by source
	std::vector<Row> adjustments;
	std::vector<Record> records;
};

// The keys of records, of any kind, with the memory of texts
class Keys
{
public:
	Keys(KeyKind kind, size_t records) : kind_(kind)
	{
		for (size_t record = 0; record < records; record++)
		{
			texts_.push_back(fmt::format("lead {} of the keys that are texts", record));
		}
	}

	Key
	key(uint32_t record) const
	{
		switch (kind_)
		{
		case KeyKind::integer:
			return {uint64_t{record} - 20, 0, {}};
		case KeyKind::uuid:
			return {record % 3, record / 3, {}};
		default:
			return {0, 0, texts_[record]};
		}
	}

private:
	KeyKind kind_;
	std::vector<std::string> texts_;
};

// Hand items over in batches of sizes that a function chooses
template <typename Item, typename Size, typename Give>
void
in_batches(const std::vector<Item> &items, Size size, Give give)
{
	for (size_t first = 0; first < items.size();)
	{
		size_t count = std::min(size(), items.size() - first);
		give(first, count);
		first += count;
	}
}

void
add_rows(Scorer &scorer, const Model &model, const Keys &keys, int32_t source, const std::vector<Row> &rows,
		 size_t first, size_t count)
{
	std::span<const ColumnKind> kinds = model.sources()[static_cast<size_t>(source)].columns;
	BatchBuffer buffer({kinds.begin(), kinds.end()});

	for (size_t row = 0; row < count; row++)
	{
		const Row &fact = rows[first + row];
		buffer.put(row, keys.key(fact.record), fact.time, fact.values, [&](size_t column, const std::string &text)
				   { return scorer.text_code(source, column, text); });
	}
	Batch batch = buffer.batch(count);
	if (!model.sources()[static_cast<size_t>(source)].has_time)
	{
		batch.times = nullptr;
	}
	scorer.add_rows(static_cast<size_t>(source), batch);
}

void
add_adjustments(Scorer &scorer, const Keys &keys, const std::vector<Row> &rows, size_t first, size_t count)
{
	BatchBuffer buffer({ColumnKind::real});

	for (size_t row = 0; row < count; row++)
	{
		const Row &fact = rows[first + row];
		buffer.put(row, keys.key(fact.record), fact.time, fact.values, [](size_t, const std::string &) { return 0u; });
	}
	scorer.add_adjustments(buffer.batch(count));
}

BatchBuffer
record_buffer(const Scorer &scorer, const Model &model, const Keys &keys, const std::vector<Record> &records,
			  size_t first, size_t count)
{
	BatchBuffer buffer(model.record_columns);

	for (size_t row = 0; row < count; row++)
	{
		const Record &record = records[first + row];
		buffer.put(row, keys.key(record.number), 0, record.values, [&](size_t column, const std::string &text)
				   { return scorer.text_code(record_itself, column, text); });
	}
	return buffer;
}

uint32_t
highest_record(const Facts &facts)
{
	uint32_t highest = 0;

	for (const std::vector<Row> &rows : facts.rows)
	{
		for (const Row &row : rows)
		{
			highest = std::max(highest, row.record);
		}
	}
	for (const Row &row : facts.adjustments)
	{
		highest = std::max(highest, row.record);
	}
	for (const Record &record : facts.records)
	{
		highest = std::max(highest, record.number);
	}
	return highest;
}

// A scorer that has seen all rows, and its keys
struct Fed
{
	Fed(const Model &model, const Facts &facts, bool detail, int64_t instant = as_of)
		: model(model), facts(facts), keys(model.key_kind, highest_record(facts) + 1),
		  scorer(std::make_unique<Scorer>(model.definition(), instant, detail))
	{
	}

	// Add all rows as they come, in full batches
	void
	feed()
	{
		auto full = [] { return batch_rows; };

		for (size_t source = 0; source < facts.rows.size(); source++)
		{
			in_batches(facts.rows[source], full, [&](size_t first, size_t count)
					   {
						   add_rows(*scorer, model, keys, static_cast<int32_t>(source), facts.rows[source], first,
									count);
					   });
		}
		in_batches(facts.adjustments, full, [&](size_t first, size_t count)
				   { add_adjustments(*scorer, keys, facts.adjustments, first, count); });
	}

	// Add all rows in a random order, in batches of random sizes that alternate between the sources
	void
	feed(Random &random)
	{
		std::vector<std::vector<Row>> streams = facts.rows;
		std::vector<size_t> given(streams.size() + 1);
		streams.push_back(facts.adjustments);
		std::vector<size_t> open;
		for (size_t stream = 0; stream < streams.size(); stream++)
		{
			random.shuffle(streams[stream]);
			open.push_back(stream);
		}
		while (!open.empty())
		{
			size_t choice = random.below(open.size());
			size_t stream = open[choice];
			const std::vector<Row> &rows = streams[stream];
			size_t count = std::min(random.one_in(2) ? random.below(5) : random.below(batch_rows + 1),
									rows.size() - given[stream]);
			if (stream < facts.rows.size())
			{
				add_rows(*scorer, model, keys, static_cast<int32_t>(stream), rows, given[stream], count);
			}
			else if (model.has_adjustments)
			{
				add_adjustments(*scorer, keys, rows, given[stream], count);
			}
			given[stream] += count;
			if (given[stream] == rows.size())
			{
				open.erase(open.begin() + static_cast<std::ptrdiff_t>(choice));
			}
		}
	}

	// Score all records, in batches of sizes that a function chooses; results are in the order of the records
	template <typename Size>
	std::vector<ScoreResult>
	finish(Size size)
	{
		std::vector<ScoreResult> results;

		in_batches(facts.records, size,
				   [&](size_t first, size_t count)
				   {
					   BatchBuffer buffer = record_buffer(*scorer, model, keys, facts.records, first, count);
					   ScoreResult batch[batch_rows];
					   scorer->finish_records(buffer.batch(count), batch);
					   results.insert(results.end(), batch, batch + count);
				   });
		return results;
	}

	std::vector<ScoreResult>
	finish()
	{
		return finish([] { return batch_rows; });
	}

	ScoreResult
	explain(size_t record, Account &account)
	{
		// In the middle of a batch of others
		size_t first = record < 3 ? 0 : record - 3;
		size_t count = std::min<size_t>(batch_rows, facts.records.size() - first);
		BatchBuffer buffer = record_buffer(*scorer, model, keys, facts.records, first, count);

		return scorer->explain_record(buffer.batch(count), record - first, account);
	}

	const Model &model;
	const Facts &facts;
	Keys keys;
	std::unique_ptr<Scorer> scorer;
};

std::string_view
text_of(const Scorer &scorer, uint16_t label)
{
	return label == no_label ? "(none)" : std::string_view(scorer.program().bands.texts().at(label));
}

bool
same_bits(const ScoreResult &left, const ScoreResult &right)
{
	auto same = [](double one, double other) { return std::bit_cast<uint64_t>(one) == std::bit_cast<uint64_t>(other); };

	return left.in_scope == right.in_scope && same(left.total, right.total) && same(left.fit, right.fit) &&
		   same(left.engagement, right.engagement) && left.labels.label == right.labels.label &&
		   left.labels.total == right.labels.total && left.labels.fit == right.labels.fit &&
		   left.labels.engagement == right.labels.engagement;
}

// The score of record 0 with these rows in the first source, with and without detail
ScoreResult
score_of(const Model &model, std::vector<Row> rows, std::vector<Value> record = {}, int64_t instant = as_of)
{
	Facts facts{{std::move(rows)}, {}, {{0, std::move(record)}}};
	facts.rows.resize(model.sources().size());
	Fed plain(model, facts, false, instant);
	Fed detailed(model, facts, true, instant);

	plain.feed();
	detailed.feed();
	ScoreResult result = plain.finish()[0];
	EXPECT_TRUE(same_bits(result, detailed.finish()[0]));
	return result;
}

std::vector<Row>
events_aged(const std::vector<int64_t> &ages_us)
{
	std::vector<Row> rows;

	for (int64_t age : ages_us)
	{
		rows.push_back({0, as_of - age});
	}
	return rows;
}

std::vector<Row>
events_of(const std::vector<std::pair<std::string, size_t>> &types)
{
	std::vector<Row> rows;

	for (const auto &[type, count] : types)
	{
		rows.insert(rows.end(), count, {0, as_of, {text_value(type)}});
	}
	return rows;
}

// The score as the specification says it, record by record, with maps and doubles

struct NaiveRule
{
	double matched = 0;
	long double raw = 0;
	long double decayed = 0;
};

struct NaiveScore
{
	bool in_scope = true;
	std::vector<NaiveRule> rules;
	std::map<uint32_t, long double> group_sums;
	long double parts[2] = {0, 0};
	long double adjustment = 0;
	long double unlimited_total = 0;
	long double total = 0;
};

long double
naive_clamp(long double value, const Limits &limits)
{
	return value > limits.upper ? limits.upper : value < limits.lower ? limits.lower : value;
}

long double
naive_factor(const Decay *decay, int64_t time)
{
	if (decay == nullptr)
	{
		return 1;
	}
	if (time == infinitely_old)
	{
		return 0;
	}
	long double periods = (static_cast<long double>(as_of) - time - decay->grace_us) / decay->period_us;
	long double rate = static_cast<long double>(decay->percent) / 100;
	if (periods <= 0)
	{
		return 1;
	}
	switch (decay->form)
	{
	case DecayForm::linear:
		return std::max(0.0L, 1 - rate * periods);
	case DecayForm::stepwise:
		return std::max(0.0L, 1 - rate * std::floor(periods));
	default:
		return std::pow(1 - rate, periods);
	}
}

bool
naive_holds(const PredicateTree *tree, std::span<const ColumnKind> kinds, const std::vector<Value> &values)
{
	return naive_truth(*tree, kinds, values) == true;
}

NaiveScore
naive_score(const Model &model, const std::map<std::pair<size_t, uint32_t>, std::vector<Row>> &rows_of,
			const std::map<uint32_t, std::vector<double>> &adjustments_of, const Record &record)
{
	NaiveScore score;
	auto rows = [&](int32_t source) -> std::vector<Row>
	{
		auto found = rows_of.find({static_cast<size_t>(source), record.number});
		return found == rows_of.end() ? std::vector<Row>() : found->second;
	};
	bool any_include = false;
	bool included = false;
	for (const ScopeDefinition &scope : model.scopes)
	{
		bool matches = false;
		if (scope.source == record_itself)
		{
			matches = naive_holds(scope.criterion, model.record_columns, record.values);
		}
		else
		{
			const SourceDefinition &source = model.sources()[static_cast<size_t>(scope.source)];
			for (const Row &row : rows(scope.source))
			{
				bool exists = !source.has_time || (row.time <= as_of && row.time != infinitely_late);
				matches |= exists && naive_holds(scope.criterion, source.columns, row.values);
			}
		}
		any_include |= scope.include;
		included |= scope.include && matches;
		score.in_scope &= scope.include || !matches;
	}
	score.in_scope &= included || !any_include;

	for (const RuleDefinition &rule : model.rules)
	{
		NaiveRule outcome;
		const Decay *decay = nullptr;
		int64_t newest = infinitely_old;
		if (rule.source == record_itself)
		{
			outcome.matched = naive_holds(rule.criterion, model.record_columns, record.values);
			outcome.raw = outcome.decayed = static_cast<long double>(outcome.matched) * rule.points;
		}
		else
		{
			const SourceDefinition &source = model.sources()[static_cast<size_t>(rule.source)];
			decay = source.has_time ? model.groups[rule.group].decay : nullptr;
			for (const Row &row : rows(rule.source))
			{
				bool counts = naive_holds(rule.criterion, source.columns, row.values);
				if (source.has_time)
				{
					counts &= row.time <= as_of && row.time >= rule.since && row.time < rule.until;
					counts &= rule.within_us == 0 || (row.time != infinitely_old && as_of - row.time <= rule.within_us);
				}
				if (counts)
				{
					outcome.matched++;
					outcome.raw += rule.points;
					outcome.decayed += rule.points * naive_factor(decay, row.time);
					newest = std::max(newest, row.time);
				}
			}
			if (rule.counting == Counting::once)
			{
				bool pays = outcome.matched >= rule.count.lower && outcome.matched <= rule.count.upper;
				outcome.raw = pays ? rule.points : 0;
				outcome.decayed = outcome.raw * (outcome.matched == 0 ? 1 : naive_factor(decay, newest));
			}
		}
		score.rules.push_back(outcome);
		score.group_sums[rule.group] += outcome.decayed;
	}
	for (uint32_t group = 0; group < model.groups.size(); group++)
	{
		score.parts[static_cast<size_t>(model.groups[group].part)] +=
			naive_clamp(score.group_sums[group], model.groups[group].limits);
	}
	auto adjustments = adjustments_of.find(record.number);
	if (adjustments != adjustments_of.end() && model.has_adjustments)
	{
		for (double points : adjustments->second)
		{
			score.adjustment += points;
		}
	}
	score.unlimited_total = score.parts[0] + score.parts[1] + score.adjustment;
	score.total = naive_clamp(score.unlimited_total, model.limits);
	return score;
}

std::string
naive_label(const Model &model, Part part, double value)
{
	const BandDefinition *best = nullptr;

	for (const BandDefinition &band : model.bands)
	{
		if (band.part == part && value >= band.lower_bound &&
			(best == nullptr || band.lower_bound > best->lower_bound))
		{
			best = &band;
		}
	}
	return best == nullptr ? "(none)" : std::string(best->label);
}

// Random scores and facts

Limits
random_limits(Random &random, int64_t reach)
{
	Limits limits = unlimited;

	if (random.one_in(3))
	{
		limits.lower = static_cast<double>(random.between(-reach, reach / 4));
	}
	if (random.one_in(3))
	{
		limits.upper = static_cast<double>(random.between(reach / 4, reach));
	}
	return limits;
}

std::vector<ColumnKind>
random_columns(Random &random, size_t most)
{
	constexpr ColumnKind kinds[] = {ColumnKind::code,  ColumnKind::code,     ColumnKind::integer,
									ColumnKind::real,  ColumnKind::truth,    ColumnKind::presence};
	std::vector<ColumnKind> columns(random.below(most + 1));

	for (ColumnKind &kind : columns)
	{
		kind = random.one_of(kinds);
	}
	return columns;
}

// Criteria of the kind that people write, often with a test for equality, and of any other kind
const PredicateTree *
random_criterion(Random &random, Forest &forest, std::span<const ColumnKind> kinds)
{
	std::vector<const PredicateTree *> conjuncts;

	for (size_t column = 0; column < kinds.size(); column++)
	{
		if ((kinds[column] == ColumnKind::code || kinds[column] == ColumnKind::integer) && random.one_in(2))
		{
			std::vector<Value> values = {random_value(random, kinds[column])};
			if (random.one_in(3))
			{
				values.push_back(random_value(random, kinds[column]));
			}
			conjuncts.push_back(forest.compare(values.size() == 1 ? Check::equal : Check::one_of, column, values));
		}
	}
	if (conjuncts.empty() || random.one_in(4))
	{
		conjuncts.push_back(random_tree(random, forest, kinds, 2));
	}
	return conjuncts.size() == 1 ? conjuncts[0] : forest.all_of(conjuncts);
}

void
make_random_rule(Random &random, Model &model)
{
	constexpr Limits counts[] = {{1, infinity}, {3, 3}, {2, 4}, {-infinity, 2}, {0, 0}, {5, infinity}, {1, 2}};
	uint32_t group = static_cast<uint32_t>(random.below(model.groups.size()));
	int32_t source = static_cast<int32_t>(random.below(model.sources().size() + 1)) - 1;
	std::span<const ColumnKind> kinds = source == record_itself
											? std::span<const ColumnKind>(model.record_columns)
											: model.sources()[static_cast<size_t>(source)].columns;
	double points = random.one_in(3) ? static_cast<double>(random.between(-500, 500)) / 8
									 : static_cast<double>(random.between(-300, 300)) / 10;

	RuleDefinition &rule = model.add_rule(group, source, points, random_criterion(random, model.forest, kinds));
	if (source == record_itself)
	{
		return;
	}
	if (random.one_in(2))
	{
		rule.counting = Counting::once;
		rule.count = random.one_of(counts);
	}
	if (random.one_in(3))
	{
		rule.within_us = random.between(1, 60) * day_us;
	}
	if (random.one_in(4))
	{
		rule.since = as_of - random.between(0, 60) * day_us;
	}
	if (random.one_in(4))
	{
		rule.until = as_of - random.between(-5, 40) * day_us;
	}
}

void
make_random_model(Random &random, Model &model)
{
	constexpr std::string_view decays[] = {
		"50% per month",   "30% per 10 days stepwise",     "20% per 72 hours exponential",
		"50% per 30 days", "half-life 7 days after 3 days", "100% per 90 days after 1 day"};
	constexpr std::string_view labels[] = {"A", "B", "C", "D"};

	model.kind = static_cast<ScoreKind>(random.below(3));
	model.limits = random_limits(random, 200);
	model.key_kind = static_cast<KeyKind>(random.below(3));
	model.unique_keys = random.one_in(2);
	model.has_adjustments = random.one_in(2);
	model.record_columns = random_columns(random, 4);
	for (size_t count = random.below(4); count > 0; count--)
	{
		model.add_source(!random.one_in(3), random_columns(random, 4));
	}
	for (size_t count = 1 + random.below(4); count > 0; count--)
	{
		Part part = model.kind == ScoreKind::fit          ? Part::fit
					: model.kind == ScoreKind::engagement ? Part::engagement
					: random.one_in(2)                    ? Part::fit
														  : Part::engagement;
		model.add_group(part, random_limits(random, 100), random.one_in(2) ? "" : random.one_of(decays));
	}
	for (size_t count = random.below(13); count > 0; count--)
	{
		make_random_rule(random, model);
	}
	for (size_t count = random.one_in(2) ? 0 : random.below(4); count > 0; count--)
	{
		int32_t source = static_cast<int32_t>(random.below(model.sources().size() + 1)) - 1;
		std::span<const ColumnKind> kinds = source == record_itself
												? std::span<const ColumnKind>(model.record_columns)
												: model.sources()[static_cast<size_t>(source)].columns;
		model.add_scope(random.one_in(2), source, random_criterion(random, model.forest, kinds));
	}
	for (Part part : {Part::fit, Part::engagement, Part::total})
	{
		std::vector<double> bounds = {-infinity, 0, 10, 20};
		random.shuffle(bounds);
		for (size_t count = random.below(5); count > 0; count--)
		{
			model.bands.push_back({part, labels[count - 1], bounds[count - 1]});
		}
	}
}

int64_t
random_time(Random &random)
{
	switch (random.below(16))
	{
	case 0:
		return infinitely_old;
	case 1:
		return infinitely_late;
	case 2:
		return as_of;
	case 3:
		return as_of + 1;
	case 4:
		return as_of - random.between(0, 60) * day_us - 1;
	case 5:
		return as_of - random.between(0, 60) * day_us + 1;
	case 6:
		return random.between(0, as_of);
	default:
		// Whole days meet the bounds of windows and the ends of periods
		return as_of - random.between(0, 60) * day_us;
	}
}

std::vector<Value>
random_row(Random &random, std::span<const ColumnKind> kinds)
{
	std::vector<Value> values;

	for (ColumnKind kind : kinds)
	{
		values.push_back(random.one_in(6) ? null_value() : random_value(random, kind));
	}
	return values;
}

Facts
make_random_facts(Random &random, const Model &model)
{
	Facts facts;
	uint32_t records = static_cast<uint32_t>(random.one_in(4) ? 400 : 1 + random.below(60));

	for (uint32_t record = 0; record < records; record++)
	{
		// Some records have rows but are not, or no longer, there
		if (!random.one_in(8))
		{
			facts.records.push_back({record, random_row(random, model.record_columns)});
		}
	}
	random.shuffle(facts.records);
	for (const SourceDefinition &source : model.sources())
	{
		std::vector<Row> &rows = facts.rows.emplace_back();
		for (size_t count = random.below(800); count > 0; count--)
		{
			rows.push_back({static_cast<uint32_t>(random.below(records)), random_time(random),
							random_row(random, source.columns)});
		}
	}
	for (size_t count = model.has_adjustments ? random.below(60) : 0; count > 0; count--)
	{
		facts.adjustments.push_back({static_cast<uint32_t>(random.below(records)), as_of,
									 {real_value(static_cast<double>(random.between(-400, 400)) / 16)}});
	}
	return facts;
}

void
expect_close(double value, long double expected, const char *what)
{
	EXPECT_NEAR(value, static_cast<double>(expected), 1e-9) << what;
}

void
expect_rounded(double value, long double expected, const char *what)
{
	EXPECT_NEAR(value, static_cast<double>(expected), 0.00005 + 1e-9) << what;
	EXPECT_EQ(value, round_score(value)) << what;
}

void
expect_result(const Model &model, const Scorer &scorer, const ScoreResult &result, const NaiveScore &expected)
{
	ASSERT_EQ(result.in_scope, expected.in_scope);
	if (!result.in_scope)
	{
		EXPECT_EQ(result.labels.label, no_label);
		EXPECT_EQ(result.labels.total, no_label);
		EXPECT_EQ(result.labels.fit, no_label);
		EXPECT_EQ(result.labels.engagement, no_label);
		return;
	}
	expect_rounded(result.total, expected.total, "total");
	EXPECT_EQ(std::isnan(result.fit), model.kind == ScoreKind::engagement);
	EXPECT_EQ(std::isnan(result.engagement), model.kind == ScoreKind::fit);
	if (model.kind != ScoreKind::engagement)
	{
		expect_rounded(result.fit, expected.parts[0], "fit");
	}
	if (model.kind != ScoreKind::fit)
	{
		expect_rounded(result.engagement, expected.parts[1], "engagement");
	}
	EXPECT_EQ(text_of(scorer, result.labels.total), naive_label(model, Part::total, result.total));
	EXPECT_EQ(text_of(scorer, result.labels.fit), naive_label(model, Part::fit, result.fit));
	EXPECT_EQ(text_of(scorer, result.labels.engagement), naive_label(model, Part::engagement, result.engagement));
}

void
expect_account(const Account &account, const NaiveScore &expected)
{
	ASSERT_EQ(account.rules.size(), expected.rules.size());
	for (size_t rule = 0; rule < account.rules.size(); rule++)
	{
		SCOPED_TRACE(testing::Message() << "rule " << rule);
		EXPECT_EQ(static_cast<double>(account.rules[rule].matched), expected.rules[rule].matched);
		expect_close(account.rules[rule].raw, expected.rules[rule].raw, "raw");
		expect_close(account.rules[rule].decayed, expected.rules[rule].decayed, "decayed");
	}
	for (const auto &[group, sum] : expected.group_sums)
	{
		expect_close(account.group_sums[group], sum, "group");
	}
	expect_close(account.adjustment, expected.adjustment, "adjustment");
	expect_close(account.unlimited_total, expected.unlimited_total, "total before its limits");
}

} // namespace

TEST(Scorer, AgreesWithTheSpecificationReadPlainly)
{
	size_t in_scope = 0;
	size_t nonzero = 0;
	size_t labelled = 0;

	for (uint64_t seed = 1; seed <= 300; seed++)
	{
		SCOPED_TRACE(testing::Message() << "seed " << seed);
		Random random(seed);
		Model model;
		make_random_model(random, model);
		Facts facts = make_random_facts(random, model);
		std::map<std::pair<size_t, uint32_t>, std::vector<Row>> rows_of;
		std::map<uint32_t, std::vector<double>> adjustments_of;
		for (size_t source = 0; source < facts.rows.size(); source++)
		{
			for (const Row &row : facts.rows[source])
			{
				rows_of[{source, row.record}].push_back(row);
			}
		}
		for (const Row &row : facts.adjustments)
		{
			adjustments_of[row.record].push_back(row.values[0].real);
		}

		Fed plain(model, facts, false);
		plain.feed();
		std::vector<ScoreResult> results = plain.finish();
		// Each record is explained by itself, among others that come again and again
		model.unique_keys = true;
		Fed detailed(model, facts, true);
		detailed.feed(random);
		for (size_t record = 0; record < facts.records.size(); record++)
		{
			SCOPED_TRACE(testing::Message() << "record " << facts.records[record].number);
			NaiveScore expected = naive_score(model, rows_of, adjustments_of, facts.records[record]);
			expect_result(model, *plain.scorer, results[record], expected);
			Account account;
			ScoreResult explained = detailed.explain(record, account);
			EXPECT_TRUE(same_bits(explained, results[record]));
			if (expected.in_scope)
			{
				expect_account(account, expected);
			}
			in_scope += results[record].in_scope;
			nonzero += results[record].in_scope && results[record].total != 0;
			labelled += results[record].labels.label != no_label;
		}
		if (HasFailure())
		{
			return;
		}
	}
	// The agreement is about something
	EXPECT_GT(in_scope, 10'000u);
	EXPECT_GT(nonzero, 8'000u);
	EXPECT_GT(labelled, 3'000u);
}

TEST(Scorer, GivesTheSameBitsInAnyOrderInAnyBatchesWithAndWithoutDetail)
{
	for (uint64_t seed = 1001; seed <= 1150; seed++)
	{
		SCOPED_TRACE(testing::Message() << "seed " << seed);
		Random random(seed);
		Model model;
		make_random_model(random, model);
		Facts facts = make_random_facts(random, model);
		Fed first(model, facts, false);
		first.feed();
		std::vector<ScoreResult> expected = first.finish();

		for (size_t run = 0; run < 4; run++)
		{
			Fed other(model, facts, run % 2 == 1);
			other.feed(random);
			std::vector<ScoreResult> results = other.finish([&] { return 1 + random.below(batch_rows); });
			ASSERT_EQ(results.size(), expected.size());
			for (size_t record = 0; record < results.size(); record++)
			{
				ASSERT_TRUE(same_bits(results[record], expected[record]))
					<< "record " << facts.records[record].number << ": " << results[record].total << " and "
					<< expected[record].total;
			}
		}
	}
}

TEST(Scorer, ClampsGroupsThenTheTotal)
{
	// E1 and E2
	Model model;
	model.limits = {0, 100};
	int32_t events = model.add_source(true, {ColumnKind::code});
	uint32_t sales = model.add_group(Part::engagement, {0, 60});
	uint32_t marketing = model.add_group(Part::engagement, {0, 40});
	Forest &forest = model.forest;
	model.add_rule(sales, events, 15, forest.text_is(0, "call started"));
	model.add_rule(sales, events, 10, forest.text_is(0, "meeting booked"));
	model.add_rule(sales, events, 20, forest.text_is(0, "meeting completed"));
	model.add_rule(marketing, events, 6, forest.text_is(0, "CTA click"));
	model.add_rule(marketing, events, 2, forest.text_is(0, "e-mail opened"));
	model.add_rule(marketing, events, 5, forest.text_is(0, "e-mail link click"));
	const struct
	{
		std::vector<std::pair<std::string, size_t>> events;
		double total;
	} cases[] = {
		{{}, 0},
		{{{"meeting booked", 1}, {"e-mail opened", 2}, {"e-mail link click", 3}}, 29},
		{{{"meeting completed", 5}, {"e-mail opened", 30}}, 100},
		{{{"meeting completed", 5}, {"e-mail opened", 30}, {"CTA click", 1}}, 100},
		{{{"call started", 4}, {"what no rule speaks of", 100}}, 60},
	};

	for (const auto &test : cases)
	{
		EXPECT_EQ(score_of(model, events_of(test.events)).total, test.total);
	}
}

TEST(Scorer, ClampsSumsNotSteps)
{
	// E3, and E10 with its negative fit
	Model model;
	model.limits = {-100, 100};
	int32_t events = model.add_source(true, {ColumnKind::code});
	uint32_t group = model.add_group(Part::engagement, {-infinity, 40});
	model.add_rule(group, events, 30, model.forest.text_is(0, "up"));
	model.add_rule(group, events, -25, model.forest.text_is(0, "down"));
	std::vector<std::string> order = {"down", "up", "up"};

	do
	{
		std::vector<Row> rows;
		for (const std::string &type : order)
		{
			rows.push_back({0, as_of, {text_value(type)}});
		}
		EXPECT_EQ(score_of(model, rows).total, 35);
	} while (std::next_permutation(order.begin(), order.end()));
	EXPECT_EQ(score_of(model, events_of({{"down", 8}})).total, -100);
	EXPECT_EQ(score_of(model, events_of({{"down", 8}})).engagement, -200);
}

TEST(Scorer, AddsDecimalsExactly)
{
	// E11
	Model model;
	int32_t events = model.add_source(true, {ColumnKind::code});
	uint32_t group = model.add_group(Part::engagement);
	model.add_rule(group, events, 0.1, model.forest.text_is(0, "a"));
	model.add_rule(group, events, 0.2, model.forest.text_is(0, "b"));
	model.add_rule(group, events, 0.7, model.forest.text_is(0, "c"));
	model.bands.push_back({Part::total, "reached", 1});
	std::vector<std::string> order = {"a", "b", "c"};

	do
	{
		std::vector<Row> rows;
		for (const std::string &type : order)
		{
			rows.push_back({0, as_of, {text_value(type)}});
		}
		ScoreResult result = score_of(model, rows);
		EXPECT_EQ(result.total, 1.0);
		EXPECT_EQ(result.labels.label, 0);
	} while (std::next_permutation(order.begin(), order.end()));
}

TEST(Scorer, CountsEventsWithinTheWindowIncludingItsBounds)
{
	// E15, D28: as_of - within <= t <= as_of, since <= t < until
	const int64_t since = as_of - 20 * day_us;
	const int64_t until = as_of - 10 * day_us;
	const struct
	{
		const char *what;
		int64_t within_us;
		int64_t since;
		int64_t until;
		int64_t time;
		bool counts;
	} cases[] = {
		{"now", 30 * day_us, infinitely_old, infinitely_late, as_of, true},
		{"a microsecond from now", 30 * day_us, infinitely_old, infinitely_late, as_of + 1, false},
		{"exactly 30 days", 30 * day_us, infinitely_old, infinitely_late, as_of - 30 * day_us, true},
		{"a microsecond earlier", 30 * day_us, infinitely_old, infinitely_late, as_of - 30 * day_us - 1, false},
		{"a second earlier", 30 * day_us, infinitely_old, infinitely_late, as_of - 30 * day_us - second_us, false},
		{"since", 0, since, infinitely_late, since, true},
		{"before since", 0, since, infinitely_late, since - 1, false},
		{"before until", 0, infinitely_old, until, until - 1, true},
		{"until", 0, infinitely_old, until, until, false},
		{"within and since", 5 * day_us, since, infinitely_late, as_of - 6 * day_us, false},
		{"since and within", 40 * day_us, since, infinitely_late, as_of - 21 * day_us, false},
		{"until is later than now", 0, infinitely_old, as_of + day_us, as_of + 1, false},
		{"infinitely old, any age", 0, infinitely_old, infinitely_late, infinitely_old, true},
		{"infinitely old, within", 30 * day_us, infinitely_old, infinitely_late, infinitely_old, false},
		{"infinitely old, since", 0, since, infinitely_late, infinitely_old, false},
		{"infinitely late", 0, infinitely_old, infinitely_late, infinitely_late, false},
		{"the longest window", 920'000'000'000'000'000, infinitely_old, infinitely_late, as_of - 900'000'000'000'000'000,
		 true},
	};

	for (const auto &test : cases)
	{
		Model model;
		int32_t events = model.add_source(true, {});
		uint32_t group = model.add_group(Part::engagement);
		for (Counting counting : {Counting::each, Counting::once})
		{
			RuleDefinition &rule = model.add_rule(group, events, counting == Counting::each ? 1 : 10);
			rule.counting = counting;
			rule.within_us = test.within_us;
			rule.since = test.since;
			rule.until = test.until;
		}
		EXPECT_EQ(score_of(model, {{0, test.time}, {0, test.time}}).total, test.counts ? 12 : 0) << test.what;
	}
}

TEST(Scorer, PaysOnceWhileTheCountLiesWithinItsBounds)
{
	// E13, E14
	const struct
	{
		Limits count;
		size_t events;
		bool pays;
	} cases[] = {
		{{5, infinity}, 4, false}, {{5, infinity}, 5, true}, {{5, infinity}, 12, true}, {{3, 3}, 2, false},
		{{3, 3}, 3, true},         {{3, 3}, 4, false},       {{2, 4}, 1, false},        {{2, 4}, 2, true},
		{{2, 4}, 4, true},         {{2, 4}, 5, false},       {{-infinity, 2}, 0, true}, {{-infinity, 2}, 2, true},
		{{-infinity, 2}, 3, false}, {{1, 2}, 0, false},      {{0, 0}, 0, true},         {{0, 0}, 1, false},
		{at_least_one, 0, false},  {at_least_one, 1, true},  {{2.5, infinity}, 2, false},
	};

	for (const auto &test : cases)
	{
		Model model;
		int32_t events = model.add_source(true, {ColumnKind::code});
		model.add_frequency(model.add_group(Part::engagement), events, 10, test.count, model.forest.text_is(0, "view"));
		EXPECT_EQ(score_of(model, events_of({{"view", test.events}})).total, test.pays ? 10 : 0)
			<< test.events << " in " << test.count.lower << " .. " << test.count.upper;
		// Other events of the record change nothing
		EXPECT_EQ(score_of(model, events_of({{"view", test.events}, {"other", 7}})).total, test.pays ? 10 : 0);
	}
}

TEST(Scorer, AddsFrequencyAndEachEvent)
{
	// E16: once for any visit, and for at least 3 of them
	Model model;
	int32_t events = model.add_source(true, {});
	uint32_t group = model.add_group(Part::engagement);
	model.add_frequency(group, events, 1, at_least_one);
	model.add_frequency(group, events, 5, {3, infinity});

	EXPECT_EQ(score_of(model, events_aged({1, 2})).total, 1);
	EXPECT_EQ(score_of(model, events_aged({1, 2, 3})).total, 6);
}

TEST(Scorer, DecaysEachEventByItsOwnAge)
{
	const struct
	{
		const char *decay;
		double points;
		std::vector<int64_t> ages_us;
		double total;
	} cases[] = {
		{"50% per month", 10, {0}, 10},
		{"50% per month", 10, {15 * day_us}, 7.5},
		{"50% per month stepwise", 10, {15 * day_us}, 10},
		{"50% per month", 10, {400 * day_us}, 0},
		{"50% per month", -10, {30 * day_us}, -5},                    // E21
		{"50% per month", 10, {30 * day_us, 60 * day_us}, 5},         // E22
		{"50% per month", 10, {30 * day_us, 30 * day_us, 0}, 20},
		{"20% per 72 hours exponential", 100, {36 * hour_us}, 89.4427}, // E23
		{"20% per 21 days exponential", 100, {90 * day_us}, 38.4301},   // E24
		{"half-life 7 days after 1 day", 16, {day_us, 8 * day_us, 15 * day_us}, 28},
	};

	for (const auto &test : cases)
	{
		Model model;
		int32_t events = model.add_source(true, {});
		model.add_rule(model.add_group(Part::engagement, unlimited, test.decay), events, test.points);
		EXPECT_EQ(score_of(model, events_aged(test.ages_us)).total, test.total) << test.decay;
	}
}

TEST(Scorer, KeepsTheDecaysOfGroupsApart)
{
	Model model;
	int32_t events = model.add_source(true, {});
	for (const char *decay : {"", "50% per month", "50% per month stepwise", "half-life 45 days", "50% per 30 days"})
	{
		model.add_rule(model.add_group(Part::engagement, unlimited, decay), events, 1000);
	}

	// 45 days: 1000 + 250 + 500 + 500 + 250; 15 days: 1000 + 750 + 1000 + 1000 * 2^(-1/3) + 750
	EXPECT_EQ(score_of(model, events_aged({45 * day_us})).total, 2500);
	EXPECT_EQ(score_of(model, events_aged({15 * day_us})).total, 4293.7005);
	EXPECT_EQ(score_of(model, events_aged({45 * day_us, 15 * day_us})).total, 6793.7005);
	EXPECT_EQ(score_of(model, events_aged({0})).total, 5000);
	EXPECT_EQ(score_of(model, {{0, infinitely_old}}).total, 1000);
}

TEST(Scorer, TakesTheAgeOfTheNewestEventThatCountsForAFrequency)
{
	// D6
	const struct
	{
		const char *what;
		Limits count;
		std::vector<int64_t> ages_us;
		double total;
	} cases[] = {
		{"newest last", {2, infinity}, {60 * day_us, 15 * day_us}, 7.5},
		{"newest first", {2, infinity}, {15 * day_us, 60 * day_us}, 7.5},
		{"too few", {2, infinity}, {15 * day_us}, 0},
		{"the newest is later than now", {1, infinity}, {30 * day_us, -day_us}, 5},
		{"the newest is out of the window", {1, infinity}, {100 * day_us}, 0},
		{"at most, and there are none", {-infinity, 2}, {}, 10},
		{"at most, and there is one", {-infinity, 2}, {30 * day_us}, 5},
		{"at most, and there is one that does not count", {-infinity, 2}, {100 * day_us}, 10},
	};

	for (const auto &test : cases)
	{
		Model model;
		int32_t events = model.add_source(true, {});
		uint32_t group = model.add_group(Part::engagement, unlimited, "50% per month");
		model.add_frequency(group, events, 10, test.count).within_us = 90 * day_us;
		EXPECT_EQ(score_of(model, events_aged(test.ages_us)).total, test.total) << test.what;
	}
}

TEST(Scorer, FadesAFrequencyOfInfinitelyOldEventsToNothing)
{
	Model model;
	int32_t events = model.add_source(true, {});
	model.add_frequency(model.add_group(Part::engagement, unlimited, "half-life 7 days"), events, 10, at_least_one);

	EXPECT_EQ(score_of(model, {{0, infinitely_old}}).total, 0);
	EXPECT_EQ(score_of(model, {{0, infinitely_old}, {0, as_of - 7 * day_us}}).total, 5);
	EXPECT_EQ(score_of(model, {{0, as_of - 7 * day_us}, {0, infinitely_old}}).total, 5);
	EXPECT_EQ(score_of(model, {{0, infinitely_late}}).total, 0);
}

TEST(Scorer, TakesTheNewestEventEvenBeforeTheEpoch)
{
	// The instants of a state begin as zero, which is later than these
	Model model;
	int32_t events = model.add_source(true, {});
	model.add_frequency(model.add_group(Part::engagement, unlimited, "half-life 7 days"), events, 64, at_least_one);
	const int64_t instant = -100 * day_us;

	EXPECT_EQ(score_of(model, {{0, instant - 14 * day_us}, {0, instant - 21 * day_us}}, {}, instant).total, 16);
}

TEST(Scorer, NeitherAgesNorDatesRelatedRows)
{
	Model model;
	int32_t related = model.add_source(false, {ColumnKind::code});
	uint32_t group = model.add_group(Part::fit, unlimited, "half-life 7 days");
	model.add_rule(group, related, 10, model.forest.text_is(0, "gold"));
	model.add_frequency(group, related, 5, {2, 2}, model.forest.text_is(0, "gold"));

	EXPECT_EQ(score_of(model, events_of({{"gold", 1}})).total, 10);
	EXPECT_EQ(score_of(model, events_of({{"gold", 2}})).total, 15);
	EXPECT_EQ(score_of(model, events_of({{"gold", 3}, {"silver", 1}})).total, 10);
	EXPECT_EQ(score_of(model, events_of({{"silver", 1}})).total, 0);
}

TEST(Scorer, PaysPropertyRulesForTheRecordItself)
{
	// E4 with an unknown state: a NULL matches nothing but "is unknown"
	Model model;
	model.kind = ScoreKind::fit;
	model.record_columns = {ColumnKind::code, ColumnKind::code};
	uint32_t group = model.add_group(Part::fit);
	model.add_rule(group, record_itself, 10, model.forest.text_is(0, "hospitality"));
	model.add_rule(group, record_itself, 15, model.forest.text_is(1, "Northeast"));
	model.add_rule(group, record_itself, 1, model.forest.negation(model.forest.text_is(1, "Northeast")));
	model.add_rule(group, record_itself, 100, model.forest.column(Check::is_null, 1));
	const struct
	{
		Value industry;
		Value state;
		double total;
	} cases[] = {
		{text_value("hospitality"), text_value("West"), 11},
		{text_value("retail"), text_value("Northeast"), 15},
		{text_value("hospitality"), text_value("Northeast"), 25},
		{text_value("retail"), text_value("West"), 1},
		{null_value(), null_value(), 100},
	};

	for (const auto &test : cases)
	{
		ScoreResult result = score_of(model, {}, {test.industry, test.state});
		EXPECT_EQ(result.total, test.total);
		EXPECT_EQ(result.fit, test.total);
		EXPECT_TRUE(std::isnan(result.engagement));
	}
}

TEST(Scorer, LeavesRecordsOutOfScopeWithoutValues)
{
	Forest trees;
	const PredicateTree *customer = trees.text_is(0, "customer");
	const PredicateTree *partner = trees.text_is(0, "partner");
	const struct
	{
		const char *what;
		std::vector<ScopeDefinition> scopes; // source 0: events, source 1: related rows
		std::string type;                    // of the record
		std::vector<Row> events;
		size_t related;
		bool in_scope;
	} cases[] = {
		{"no scope", {}, "lead", {}, 0, true},
		{"include, no match", {{true, record_itself, customer}}, "lead", {}, 0, false},
		{"include, match", {{true, record_itself, customer}}, "customer", {}, 0, true},
		{"either include", {{true, record_itself, customer}, {true, record_itself, partner}}, "partner", {}, 0, true},
		{"exclude, no match", {{false, record_itself, customer}}, "lead", {}, 0, true},
		{"exclude, match", {{false, record_itself, customer}}, "customer", {}, 0, false},
		{"exclude beats include", {{true, 0, trees.always()}, {false, record_itself, customer}}, "customer", {{0}}, 0,
		 false},
		{"exclude first", {{false, record_itself, customer}, {true, 0, trees.always()}}, "customer", {{0}}, 0, false},
		{"include by event, none", {{true, 0, trees.always()}}, "lead", {}, 0, false},
		{"include by event", {{true, 0, trees.always()}}, "lead", {{0, as_of}}, 0, true},
		{"include by event of another", {{true, 0, trees.always()}}, "lead", {{1, as_of}}, 0, false},
		{"include by future event", {{true, 0, trees.always()}}, "lead", {{0, as_of + 1}}, 0, false},
		{"include by infinitely old event", {{true, 0, trees.always()}}, "lead", {{0, infinitely_old}}, 0, true},
		{"include by infinitely late event", {{true, 0, trees.always()}}, "lead", {{0, infinitely_late}}, 0, false},
		{"include by event that never matches", {{true, 0, trees.never()}}, "lead", {{0, as_of}}, 0, false},
		{"exclude by related row", {{false, 1, trees.always()}}, "lead", {}, 1, false},
		{"exclude by related row, none", {{false, 1, trees.always()}}, "lead", {{0, as_of}}, 0, true},
		{"exclude by related rows", {{false, 1, trees.always()}}, "lead", {}, 300, false},
	};

	for (const auto &test : cases)
	{
		for (bool detail : {false, true})
		{
			Model model;
			model.record_columns = {ColumnKind::code};
			model.add_source(true, {});
			model.add_source(false, {});
			model.add_rule(model.add_group(Part::fit), record_itself, 7);
			model.scopes = test.scopes;
			model.bands.push_back({Part::total, "any", -infinity});
			Facts facts{{test.events, std::vector<Row>(test.related, Row{0})}, {}, {{0, {text_value(test.type)}}}};
			Fed fed(model, facts, detail);
			fed.feed();
			ScoreResult result = fed.finish()[0];
			EXPECT_EQ(result.in_scope, test.in_scope) << test.what;
			EXPECT_EQ(result.labels.label, test.in_scope ? 0 : no_label) << test.what;
			if (test.in_scope)
			{
				EXPECT_EQ(result.total, 7) << test.what;
			}
		}
	}
}

TEST(Scorer, AddsAdjustmentsBeforeTheLimitsOfTheTotal)
{
	const struct
	{
		std::vector<double> adjustments;
		double total;
	} cases[] = {
		{{}, 50}, {{10}, 60}, {{10, -25}, 35}, {{0.1, 0.2, 0.7}, 51}, {{1000}, 100}, {{-1000}, 0}, {{1e9, -1e9}, 50},
		{{0.00005}, 50.0001}, // half away from zero, by hand as by rule
	};

	for (const auto &test : cases)
	{
		Model model;
		model.limits = {0, 100};
		model.has_adjustments = true;
		model.add_rule(model.add_group(Part::fit, {0, 50}), record_itself, 70);
		Facts facts{{}, {}, {{0, {}}, {1, {}}}};
		for (double points : test.adjustments)
		{
			facts.adjustments.push_back({0, as_of, {real_value(points)}});
		}
		Fed fed(model, facts, false);
		fed.feed();
		std::vector<ScoreResult> results = fed.finish();
		EXPECT_EQ(results[0].total, test.total);
		EXPECT_EQ(results[0].fit, 50);
		EXPECT_EQ(results[1].total, 50);
	}
}

TEST(Scorer, GivesValuesOnlyForThePartsOfItsKind)
{
	const struct
	{
		ScoreKind kind;
		bool fit;
		bool engagement;
	} cases[] = {
		{ScoreKind::fit, true, false}, {ScoreKind::engagement, false, true}, {ScoreKind::combined, true, true}};

	for (const auto &test : cases)
	{
		Model model;
		model.kind = test.kind;
		ScoreResult result = score_of(model, {});
		EXPECT_TRUE(result.in_scope);
		EXPECT_EQ(result.total, 0); // E12
		EXPECT_EQ(!std::isnan(result.fit), test.fit);
		EXPECT_EQ(!std::isnan(result.engagement), test.engagement);
	}
}

TEST(Scorer, LabelsTheValueAsItIsStored)
{
	Model model;
	int32_t events = model.add_source(true, {});
	model.add_rule(model.add_group(Part::engagement, unlimited, "50% per month"), events, 140);
	model.bands = {{Part::total, "High", 70}, {Part::total, "Medium", 40}, {Part::total, "Low", -infinity}};
	const struct
	{
		int64_t age_us;
		double total;
		uint16_t label;
	} cases[] = {
		{30 * day_us, 70, 0},
		{30 * day_us + second_us, 70, 0},          // 69.99997 is stored as 70
		{30 * day_us + 2 * second_us, 69.9999, 1}, // 69.99995
		{60 * day_us, 0, 2},
	};

	for (const auto &test : cases)
	{
		ScoreResult result = score_of(model, events_aged({test.age_us}));
		EXPECT_EQ(result.total, test.total) << test.age_us;
		EXPECT_EQ(result.labels.label, test.label) << test.age_us;
	}
}

TEST(Scorer, RefusesASecondRecordWithTheSameKey)
{
	const struct
	{
		const char *what;
		std::vector<uint32_t> records;
		size_t batch;
		bool duplicate;
	} cases[] = {
		{"all different", {0, 1, 2, 3, 4}, 5, false},
		{"in one batch", {0, 1, 2, 1}, 4, true},
		{"side by side", {0, 0}, 2, true},
		{"in the next batch", {0, 1, 2, 0}, 3, true},
		{"in a later batch", {0, 1, 2, 3, 4, 1}, 1, true},
	};

	for (const auto &test : cases)
	{
		for (KeyKind kind : {KeyKind::integer, KeyKind::uuid, KeyKind::text})
		{
			for (bool unique : {false, true})
			{
				Model model;
				model.key_kind = kind;
				model.unique_keys = unique;
				int32_t events = model.add_source(true, {});
				model.add_rule(model.add_group(Part::engagement), events, 1);
				// Rows of sources may repeat a key, and come in another order than the records
				Facts facts{{{{3}, {1}, {1}, {0}}}, {}, {}};
				for (uint32_t record : test.records)
				{
					facts.records.push_back({record});
				}
				Fed fed(model, facts, false);
				fed.feed();
				std::optional<Fault> fault = fault_of([&] { fed.finish([&] { return test.batch; }); });
				// A relation that guarantees unique keys is believed
				EXPECT_EQ(fault, test.duplicate && !unique ? std::optional<Fault>(Fault::duplicate_key) : std::nullopt)
					<< test.what;
			}
		}
	}
}

TEST(Scorer, ExplainsNoRecordWhoseKeyIsNotItsOwn)
{
	for (bool unique : {false, true})
	{
		Model model;
		model.unique_keys = unique;
		model.add_rule(model.add_group(Part::fit), record_itself, 7);
		Facts facts{{}, {}, {{5}, {5}}};
		Fed fed(model, facts, true);
		Account account;
		std::optional<Fault> fault = fault_of([&] { EXPECT_EQ(fed.explain(0, account).total, 7); });
		EXPECT_EQ(fault, unique ? std::nullopt : std::optional<Fault>(Fault::duplicate_key));
	}
}

TEST(Scorer, FindsNoDuplicateAmongManyRecords)
{
	Model model;
	model.unique_keys = false;
	int32_t events = model.add_source(true, {});
	model.add_rule(model.add_group(Part::engagement), events, 1);
	Facts facts{{{}}, {}, {}};
	for (uint32_t record = 0; record < 20'000; record++)
	{
		facts.records.push_back({record});
	}
	Fed fed(model, facts, false);

	EXPECT_EQ(fed.finish().size(), 20'000u);
	facts.records = {{19'999}};
	EXPECT_EQ(fault_of([&] { fed.finish(); }), Fault::duplicate_key);
}

TEST(Scorer, KeepsTheStatesOfManyRecordsApart)
{
	constexpr uint32_t records = 50'000;

	for (KeyKind kind : {KeyKind::integer, KeyKind::uuid, KeyKind::text})
	{
		Random random(7);
		Model model;
		model.key_kind = kind;
		int32_t events = model.add_source(true, {ColumnKind::integer});
		uint32_t group = model.add_group(Part::engagement);
		model.add_rule(group, events, 1);
		model.add_frequency(group, events, 1000, {2, infinity});
		Facts facts{{{}}, {}, {}};
		std::vector<uint32_t> counts(records);
		for (uint32_t row = 0; row < records; row++)
		{
			uint32_t record = static_cast<uint32_t>(random.below(records));
			counts[record]++;
			facts.rows[0].push_back({record, as_of, {integer_value(0)}});
		}
		for (uint32_t record = 0; record < records; record++)
		{
			facts.records.push_back({record});
		}
		Fed fed(model, facts, false);
		fed.feed();
		std::vector<ScoreResult> results = fed.finish();
		for (uint32_t record = 0; record < records; record++)
		{
			ASSERT_EQ(results[record].total, counts[record] + (counts[record] >= 2 ? 1000 : 0)) << record;
		}
	}
}

TEST(Scorer, ExplainsARecordWithoutAnyRows)
{
	Model model;
	model.has_adjustments = true;
	int32_t events = model.add_source(true, {});
	uint32_t group = model.add_group(Part::engagement, {5, 8}, "half-life 7 days");
	model.add_rule(group, events, 3);
	model.add_frequency(group, events, 4, {-infinity, 2});
	Facts facts{{{{1}}}, {}, {{0}}};
	Fed fed(model, facts, true);
	fed.feed();
	Account account;
	ScoreResult result = fed.explain(0, account);

	EXPECT_EQ(result.total, 5);
	ASSERT_EQ(account.rules.size(), 2u);
	EXPECT_EQ(account.rules[0].matched, 0);
	EXPECT_EQ(account.rules[0].raw, 0);
	EXPECT_EQ(account.rules[0].decayed, 0);
	EXPECT_EQ(account.rules[1].matched, 0);
	EXPECT_EQ(account.rules[1].raw, 4);
	EXPECT_EQ(account.rules[1].decayed, 4);
	EXPECT_EQ(account.group_sums, std::vector<double>{4});
	EXPECT_EQ(account.group_values, std::vector<double>{5});
	EXPECT_EQ(account.adjustment, 0);
	EXPECT_EQ(account.unlimited_total, 5);
}

TEST(Scorer, GivesCodesOnlyToTextsThatRulesSpeakOf)
{
	Model model;
	model.record_columns = {ColumnKind::code};
	int32_t events = model.add_source(true, {ColumnKind::code});
	uint32_t group = model.add_group(Part::engagement);
	model.add_rule(group, events, 1, model.forest.text_is(0, "call"));
	model.add_rule(group, record_itself, 1, model.forest.text_is(0, "tech"));
	Scorer scorer(model.definition(), as_of, false);

	EXPECT_NE(scorer.text_code(events, 0, "call"), 0u);
	EXPECT_EQ(scorer.text_code(events, 0, "tech"), 0u);
	EXPECT_NE(scorer.text_code(record_itself, 0, "tech"), 0u);
	EXPECT_EQ(scorer.text_code(record_itself, 0, "call"), 0u);
}

} // namespace lead_scoring::core::test
