#include "feed.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <bit>
#include <set>
#include <tuple>

namespace lead_scoring::core::test
{

namespace
{

uint32_t
highest_record(const Facts &facts)
{
	uint32_t highest = 0;
	auto see = [&](const std::vector<Row> &rows)
	{
		for (const Row &row : rows)
		{
			highest = std::max(highest, row.record);
		}
	};

	for (const std::vector<Row> &rows : facts.rows)
	{
		see(rows);
	}
	see(facts.adjustments);
	see(facts.resets);
	for (const Record &record : facts.records)
	{
		highest = std::max(highest, record.number);
	}
	return highest;
}

Facts
facts_of(const Model &model, std::vector<Row> rows, std::vector<Value> record)
{
	Facts facts{{std::move(rows)}, {}, {{0, std::move(record)}}};

	facts.rows.resize(model.sources().size());
	return facts;
}

auto
values_order(const Value &value)
{
	// NaN has no order of its own
	return std::tuple(value.null, value.text, value.integer, std::bit_cast<uint64_t>(value.real));
}

} // namespace

Keys::Keys(KeyKind kind, size_t records) : kind_(kind)
{
	for (size_t record = 0; record < records; record++)
	{
		texts_.push_back(fmt::format("lead {} of the keys that are texts", record));
	}
}

Key
Keys::key(uint32_t record) const
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

bool
cleaned_before(const Row &left, const Row &right)
{
	auto order = [](const Row &row) { return std::tuple(row.record, row.mark, row.time); };

	if (order(left) != order(right))
	{
		return order(left) < order(right);
	}
	return std::lexicographical_compare(left.values.begin(), left.values.end(), right.values.begin(),
										right.values.end(), [](const Value &one, const Value &other)
										{ return values_order(one) < values_order(other); });
}

Fed::Fed(const Model &model, const Facts &facts, EvaluationNeeds needs, int64_t instant, Poll cancelled)
	: model_(model), facts_(facts), keys_(model.key_kind, highest_record(facts) + 1),
	  scorer_(std::make_unique<Scorer>(model.definition(), instant, needs, cancelled))
{
}

void
Fed::give_resets()
{
	in_batches(facts_.resets, full_batches,
			   [&](size_t first, size_t count)
			   {
				   BatchBuffer buffer({});
				   for (size_t row = 0; row < count; row++)
				   {
					   const Row &fact = facts_.resets[first + row];
					   buffer.put(row, keys_.key(fact.record), fact.time, {},
								  [](size_t, const std::string &) { return 0u; });
				   }
				   scorer_->add_resets(buffer.batch(count));
			   });
}

void
Fed::give_rows(size_t source, const std::vector<Row> &rows, size_t first, size_t count)
{
	const SourceDefinition &definition = model_.sources()[source];
	const std::vector<CodeBook> &books = scorer_->program().sources[source].books;
	BatchBuffer buffer({definition.columns.begin(), definition.columns.end()});

	for (size_t row = 0; row < count; row++)
	{
		const Row &fact = rows[first + row];
		buffer.put(row, keys_.key(fact.record), fact.time, fact.values,
				   [&](size_t column, const std::string &text) { return books[column].find(text); });
		if (model_.has_marks(source))
		{
			buffer.mark(row, fact.mark.has_value() ? std::string_view(*fact.mark) : std::string_view());
		}
		if (fact.standing.has_value())
		{
			buffer.stand(row, *fact.standing);
		}
	}
	Batch batch = buffer.batch(count);
	if (!definition.has_time)
	{
		batch.times = nullptr;
	}
	scorer_->add_rows(source, batch);
}

void
Fed::give_adjustments(const std::vector<Row> &rows, size_t first, size_t count)
{
	BatchBuffer buffer({ColumnKind::real});

	int64_t instant = scorer_->program().as_of;
	size_t kept = 0;

	for (size_t row = first; row < first + count; row++)
	{
		const Row &fact = rows[row];
		bool began = fact.time <= instant;
		if (fact.until > instant)
		{
			buffer.put(kept++, keys_.key(fact.record), began ? fact.until : fact.time,
					   began ? fact.values : std::vector<Value>{real_value(0)},
					   [](size_t, const std::string &) { return 0u; });
		}
	}
	scorer_->add_adjustments(buffer.batch(kept));
}

// Streams are the sources, then the adjustments
void
Fed::give(size_t stream, const std::vector<Row> &rows, size_t first, size_t count)
{
	if (stream < facts_.rows.size())
	{
		give_rows(stream, rows, first, count);
	}
	else if (model_.has_adjustments)
	{
		give_adjustments(rows, first, count);
	}
}

void
Fed::feed()
{
	give_resets();
	for (size_t stream = 0; stream <= facts_.rows.size(); stream++)
	{
		std::vector<Row> rows = stream < facts_.rows.size() ? facts_.rows[stream] : facts_.adjustments;
		if (stream < model_.sources().size() && model_.sources()[stream].cleaned)
		{
			std::sort(rows.begin(), rows.end(), cleaned_before);
		}
		in_batches(rows, full_batches, [&](size_t first, size_t count) { give(stream, rows, first, count); });
	}
}

void
Fed::feed(Random &random)
{
	std::vector<std::vector<Row>> streams = facts_.rows;
	std::vector<size_t> given(streams.size() + 1);
	std::vector<size_t> open;
	auto size = [&] { return random.one_in(2) ? random.below(5) : random.below(batch_rows + 1); };

	give_resets();
	streams.push_back(facts_.adjustments);
	for (size_t stream = 0; stream < streams.size(); stream++)
	{
		random.shuffle(streams[stream]);
		open.push_back(stream);
	}
	while (!open.empty())
	{
		size_t choice = random.below(open.size());
		size_t stream = open[choice];
		std::vector<Row> &rows = streams[stream];
		if (stream < model_.sources().size() && model_.sources()[stream].cleaned)
		{
			// These come in order, and not in between others
			std::sort(rows.begin(), rows.end(), cleaned_before);
			in_batches(rows, size, [&](size_t first, size_t count) { give(stream, rows, first, count); });
			given[stream] = rows.size();
		}
		size_t count = std::min(size(), rows.size() - given[stream]);
		give(stream, rows, given[stream], count);
		given[stream] += count;
		if (given[stream] == rows.size())
		{
			open.erase(open.begin() + static_cast<std::ptrdiff_t>(choice));
		}
	}
}

void
Fed::feed_needed(Random &random)
{
	left_out_ = 0;
	give_resets();
	for (size_t source = 0; source < facts_.rows.size(); source++)
	{
		const SourceDefinition &definition = model_.sources()[source];
		const SourceProgram &program = scorer_->program().sources[source];
		std::vector<ColumnKind> kinds(definition.columns.begin(), definition.columns.end());
		std::vector<Row> rows = facts_.rows[source];
		if (definition.cleaned)
		{
			std::sort(rows.begin(), rows.end(), cleaned_before);
		}
		std::vector<Row> needed;
		for (Row &row : rows)
		{
			BatchBuffer buffer(kinds);
			buffer.put(0, {}, row.time, row.values,
					   [&](size_t column, const std::string &text) { return program.books[column].find(text); });
			uint32_t code = program.dispatch[0].code(buffer.batch(1), 0);
			const RowNeeds &needs = program.needs[code];
			if (definition.has_time && !needs.window.contains(row.time))
			{
				left_out_++;
				continue;
			}
			for (size_t column = 0; column < kinds.size(); column++)
			{
				bool read = column == program.dispatch[0].column() ||
							std::count(needs.columns.begin(), needs.columns.end(), column) != 0;
				if (!read)
				{
					row.values[column] = random.one_in(3) ? null_value() : random_value(random, kinds[column]);
				}
			}
			needed.push_back(row);
		}
		in_batches(needed, full_batches, [&](size_t first, size_t count) { give_rows(source, needed, first, count); });
	}
	if (model_.has_adjustments)
	{
		in_batches(facts_.adjustments, full_batches,
				   [&](size_t first, size_t count) { give_adjustments(facts_.adjustments, first, count); });
	}
}

BatchBuffer
Fed::record_buffer(size_t first, size_t count) const
{
	BatchBuffer buffer(model_.record_columns);
	const std::vector<CodeBook> &books = scorer_->program().record_books;

	for (size_t row = 0; row < count; row++)
	{
		const Record &record = facts_.records[first + row];
		buffer.put(row, keys_.key(record.number), 0, record.values,
				   [&](size_t column, const std::string &text) { return books[column].find(text); });
	}
	return buffer;
}

void
Fed::finish_batch(size_t first, size_t count, std::vector<ScoreResult> &results)
{
	BatchBuffer buffer = record_buffer(first, count);
	ScoreResult batch[batch_rows];

	scorer_->finish_records(buffer.batch(count), batch);
	results.insert(results.end(), batch, batch + count);
}

ScoreResult
Fed::explain(size_t record, Account &account)
{
	size_t first = record < 3 ? 0 : record - 3;
	size_t count = std::min<size_t>(batch_rows, facts_.records.size() - first);
	BatchBuffer buffer = record_buffer(first, count);

	return scorer_->explain_record(buffer.batch(count), record - first, account);
}

std::string_view
text_of(const Scorer &scorer, uint16_t label)
{
	return label == no_label ? "(none)" : std::string_view(scorer.program().bands.texts().at(label));
}

bool
same_bits(const ScoreResult &left, const ScoreResult &right)
{
	auto same = [](double one, double other) { return std::bit_cast<uint64_t>(one) == std::bit_cast<uint64_t>(other); };

	return left.in_scope == right.in_scope && left.is_open == right.is_open && same(left.total, right.total) &&
		   same(left.fit, right.fit) && same(left.engagement, right.engagement) && same(left.machine, right.machine) &&
		   same(left.adjustment, right.adjustment) && left.labels.label == right.labels.label &&
		   left.labels.total == right.labels.total && left.labels.fit == right.labels.fit &&
		   left.labels.engagement == right.labels.engagement;
}

ScoreResult
score_of(const Model &model, std::vector<Row> rows, std::vector<Value> record, int64_t instant)
{
	Facts facts = facts_of(model, std::move(rows), std::move(record));
	Random random(1);
	Fed without(model, facts, plain, instant);
	Fed with(model, facts, with_detail, instant);
	Fed thrifty(model, facts, plain, instant);

	without.feed();
	with.feed(random);
	if (!model.sources().empty())
	{
		thrifty.feed_needed(random);
	}
	ScoreResult result = without.finish()[0];
	ScoreResult detailed = with.finish()[0];
	EXPECT_TRUE(same_bits(result, detailed)) << result.total << " and with detail " << detailed.total;
	if (!model.sources().empty())
	{
		ScoreResult needed = thrifty.finish()[0];
		EXPECT_TRUE(same_bits(result, needed)) << result.total << " and of needed rows " << needed.total;
	}
	return result;
}

Account
account_of(const Model &model, std::vector<Row> rows, std::vector<Value> record, int64_t instant)
{
	Facts facts = facts_of(model, std::move(rows), std::move(record));
	Fed fed(model, facts, with_detail, instant);
	Account account;

	fed.feed();
	fed.explain(0, account);
	return account;
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

std::vector<Row>
events_worth(const std::vector<std::pair<int64_t, Value>> &ages_and_values)
{
	std::vector<Row> rows;

	for (const auto &[age, value] : ages_and_values)
	{
		rows.push_back({0, as_of - age, {value}});
	}
	return rows;
}

} // namespace lead_scoring::core::test
