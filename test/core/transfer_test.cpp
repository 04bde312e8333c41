#include "core/transfer.hpp"

#include "feed.hpp"
#include "model.hpp"
#include "random_model.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace lead_scoring::core::test
{

namespace
{

// Give all that one scorer knows to another
size_t
transfer(Scorer &from, Scorer &into)
{
	Transfer transfer(&from);
	size_t pieces = 0;

	for (std::span<const std::byte> piece = transfer.next(); !piece.empty(); piece = transfer.next())
	{
		// From a copy at no particular address: pieces go through the memory of others
		std::vector<std::byte> copy(piece.size() + 1);
		std::copy(piece.begin(), piece.end(), copy.begin() + 1);
		Transfer::merge(into, {copy.data() + 1, piece.size()});
		pieces++;
	}
	return pieces;
}

// Deal the rows of all sources out at random, resets and cleaned sources whole to all and to the first
std::vector<Facts>
deal(Random &random, const Model &model, const Facts &facts, size_t hands)
{
	std::vector<Facts> dealt(hands);

	for (Facts &hand : dealt)
	{
		hand.rows.resize(facts.rows.size());
		hand.resets = facts.resets;
		hand.records = facts.records;
	}
	for (size_t source = 0; source < facts.rows.size(); source++)
	{
		for (const Row &row : facts.rows[source])
		{
			dealt[model.sources()[source].cleaned ? 0 : random.below(hands)].rows[source].push_back(row);
		}
	}
	for (const Row &row : facts.adjustments)
	{
		dealt[random.below(hands)].adjustments.push_back(row);
	}
	return dealt;
}

} // namespace

TEST(Transfer, MakesOneOfScorersThatHaveSeenDifferentRows)
{
	size_t pieces = 0;

	for (uint64_t seed = 1; seed <= 150; seed++)
	{
		Random random(seed);
		Model model;
		make_random_model(random, model);
		Facts facts = make_random_facts(random, model);
		Fed whole(model, facts, {false, true, true});
		whole.feed();
		std::vector<ScoreResult> expected = whole.finish();

		for (EvaluationNeeds needs : {with_activity, EvaluationNeeds{true, true, true}})
		{
			std::vector<Facts> dealt = deal(random, model, facts, 1 + random.below(4));
			std::vector<std::unique_ptr<Fed>> hands;
			for (const Facts &hand : dealt)
			{
				hands.push_back(std::make_unique<Fed>(model, hand, needs));
				hands.back()->feed(random);
			}
			for (size_t hand = 1; hand < hands.size(); hand++)
			{
				pieces += transfer(hands[hand]->scorer(), hands[0]->scorer());
			}
			std::vector<ScoreResult> results = hands[0]->finish();
			for (size_t record = 0; record < results.size(); record++)
			{
				ASSERT_TRUE(same_bits(results[record], expected[record]))
					<< "seed " << seed << ": " << results[record].total;
				ASSERT_EQ(results[record].has_activity, expected[record].has_activity) << "seed " << seed;
				ASSERT_EQ(results[record].last_activity, expected[record].last_activity) << "seed " << seed;
				ASSERT_EQ(results[record].due, needs.due ? expected[record].due : infinitely_late) << "seed " << seed;
			}
		}
	}
	EXPECT_GT(pieces, 100u);
}

TEST(Transfer, TakesManyRecordsInPieces)
{
	for (KeyKind kind : {KeyKind::integer, KeyKind::uuid, KeyKind::text})
	{
		Model model;
		model.key_kind = kind;
		int32_t events = model.add_source(true, {});
		model.add_rule(model.add_group(Part::engagement), events, 1);
		Facts facts{{{}}, {}, {}};
		for (uint32_t record = 0; record < 5000; record++)
		{
			facts.rows[0].insert(facts.rows[0].end(), record % 3, Row{record});
			facts.records.push_back({record});
		}
		Fed from(model, facts, plain);
		from.feed();
		Fed into(model, facts, plain);
		EXPECT_GT(transfer(from.scorer(), into.scorer()), 3333 / batch_rows);
		EXPECT_GT(transfer(from.scorer(), into.scorer()), 3333 / batch_rows);
		std::vector<ScoreResult> results = into.finish();
		for (uint32_t record = 0; record < results.size(); record++)
		{
			ASSERT_EQ(results[record].total, record % 3 * 2) << record;
		}
	}
}

TEST(Transfer, SplitsTheMatchesOfARecord)
{
	for (KeyKind kind : {KeyKind::integer, KeyKind::text})
	{
		Model model;
		model.key_kind = kind;
		int32_t events = model.add_source(true, {});
		model.add_rule(model.add_group(Part::engagement), events, 1).max_times = 70'000;
		Facts facts{{{}}, {}, {{0}, {1}, {2}}};
		for (uint32_t match = 0; match < 150'000; match++)
		{
			facts.rows[0].push_back({match % 3});
		}
		Fed from(model, facts, plain);
		from.feed();
		Fed into(model, facts, plain);
		Transfer pieces(&from.scorer());
		for (std::span<const std::byte> piece = pieces.next(); !piece.empty(); piece = pieces.next())
		{
			ASSERT_LT(piece.size(), 1u << 20);
			Transfer::merge(into.scorer(), piece);
		}
		for (const ScoreResult &result : into.finish())
		{
			EXPECT_EQ(result.total, 50'000);
		}
	}
}

TEST(Transfer, OfAnEmptyScorerIsNothing)
{
	Model model;
	model.add_source(true, {});
	Facts facts{{{}}, {}, {{0}}};
	Fed from(model, facts, plain);
	Fed into(model, facts, plain);

	EXPECT_EQ(transfer(from.scorer(), into.scorer()), 0u);
	EXPECT_EQ(into.finish()[0].total, 0);
}

TEST(Transfer, RefusesPiecesThatAreCutShort)
{
	for (KeyKind kind : {KeyKind::integer, KeyKind::uuid, KeyKind::text})
	{
		Model model;
		model.key_kind = kind;
		int32_t events = model.add_source(true, {});
		model.add_rule(model.add_group(Part::engagement, unlimited, "half-life 7 days"), events, 1).max_times = 2;
		Facts facts{{{{0}, {0}, {1}}}, {}, {{0}}};
		Fed from(model, facts, plain);
		from.feed();
		Transfer transfer(&from.scorer());
		std::span<const std::byte> piece = transfer.next();
		for (size_t size = 0; size < piece.size(); size++)
		{
			Fed into(model, facts, plain);
			EXPECT_EQ(fault_of([&] { Transfer::merge(into.scorer(), piece.first(size)); }),
					  Fault::invalid_text)
				<< size;
		}
		std::vector<std::byte> large(piece.begin(), piece.end());
		large[1] = std::byte{0xff};
		Fed into(model, facts, plain);
		EXPECT_EQ(fault_of([&] { Transfer::merge(into.scorer(), large); }), Fault::invalid_text);
	}
}

TEST(Transfer, RefusesSumsThatLeaveTheirRange)
{
	const struct
	{
		const char *what;
		Counting counting;
		double value;
		size_t rows; // that each of two scorers has seen
		bool refused;
	} cases[] = {
		{"just about enough", Counting::each, 1e15, 9'000, false},
		{"too much", Counting::each, 1e15, 12'000, true},
		{"far too little", Counting::each, -1e15, 12'000, true},
		{"values that are compared", Counting::once, 1e15, 12'000, true},
	};

	for (const auto &test : cases)
	{
		for (EvaluationNeeds needs : {plain, with_detail})
		{
			Model model;
			int32_t events = model.add_source(true, {ColumnKind::real});
			model.add_value(model.add_group(Part::engagement), events, 1, test.counting, Rollup::sum, {1, infinity});
			Facts facts{{std::vector<Row>(test.rows, {0, as_of, {real_value(test.value)}})}, {}, {{0}}};
			Fed from(model, facts, needs);
			Fed into(model, facts, needs);
			from.feed();
			into.feed();
			EXPECT_EQ(fault_of([&] { transfer(from.scorer(), into.scorer()); }),
					  test.refused ? std::optional(Fault::out_of_range) : std::nullopt)
				<< test.what;
		}
	}
}

} // namespace lead_scoring::core::test
