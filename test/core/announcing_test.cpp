#include "core/announcing.hpp"

#include "support.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lead_scoring::core::test
{

namespace
{

// Low, Mid from 40, High from 70, each margin 5 points
const std::vector<AnnouncedBand> levels = {
	{"High", 70, 5, 100, false}, {"Mid", 40, 5, 0, false}, {"Low", -infinity, 0, 20, false}};
// The same labels, lower
const std::vector<AnnouncedBand> other_levels = {{"High", 20, 1, 300, false},
												 {"Low", -infinity, 0, 0, false}};
const std::vector<AnnouncedBand> best = {
	{"best", -infinity, 0, 0, true}, {"High", 70, 5, 0, false}, {"Low", -infinity, 0, 0, false}};
const std::vector<AnnouncedBand> letters = {{"A", 25, 3, 7, false}, {"B", -infinity, 0, 0, false}};
const std::vector<AnnouncedBand> digits = {{"1", 20, 2, 9, false}, {"2", -infinity, 0, 0, false}};

const AnnouncedLadder totals[] = {levels};
const AnnouncedLadder segments[] = {other_levels, levels};
const AnnouncedLadder ranks[] = {best};
const AnnouncedLadder fits[] = {letters};
const AnnouncedLadder engagements[] = {digits};
const AnnouncedLadders by_total{{{}, {}, totals}};
const AnnouncedLadders by_segment{{{}, {}, segments}};
const AnnouncedLadders by_rank{{{}, {}, ranks}};
const AnnouncedLadders by_pair{{fits, engagements, totals}};

std::string
announced(const AnnouncedLadders &ladders, std::string_view last, std::string_view stored,
		  double total, double fit = not_a_number, double engagement = not_a_number)
{
	Announcement chosen = choose_announcement(ladders, last, stored, {fit, engagement, total});

	return chosen.as_stored ? std::string(stored)
							: std::string(chosen.texts[0]) + std::string(chosen.texts[1]);
}

} // namespace

TEST(Announcing, goes_up_beyond_the_margin_only)
{
	EXPECT_EQ(announced(by_total, "Low", "Mid", 40), "Low");
	EXPECT_EQ(announced(by_total, "Low", "Mid", 44.9999), "Low");
	EXPECT_EQ(announced(by_total, "Low", "Mid", 45), "Mid");
	EXPECT_EQ(announced(by_total, "Mid", "High", 74), "Mid");
	EXPECT_EQ(announced(by_total, "Mid", "High", 75), "High");
}

TEST(Announcing, goes_down_beyond_the_margin_only)
{
	EXPECT_EQ(announced(by_total, "Mid", "Low", 39), "Mid");
	EXPECT_EQ(announced(by_total, "Mid", "Low", 35), "Mid");
	EXPECT_EQ(announced(by_total, "Mid", "Low", 34.9999), "Low");
	EXPECT_EQ(announced(by_total, "High", "Mid", 65), "High");
	EXPECT_EQ(announced(by_total, "High", "Mid", 64), "Mid");
}

TEST(Announcing, stops_at_a_band_on_the_way)
{
	EXPECT_EQ(announced(by_total, "Low", "High", 72), "Mid");
	EXPECT_EQ(announced(by_total, "Low", "High", 80), "High");
	EXPECT_EQ(announced(by_total, "High", "Low", 38), "Mid");
	EXPECT_EQ(announced(by_total, "High", "Low", 3), "Low");
}

TEST(Announcing, says_what_is_stored_where_it_knows_no_better)
{
	EXPECT_EQ(announced(by_total, "Mid", "Mid", 50), "Mid");
	EXPECT_EQ(announced(by_total, "gone", "Mid", 41), "Mid");
	EXPECT_EQ(announced(by_total, "Mid", "gone", 38), "gone");
	EXPECT_EQ(announced({}, "Mid", "Low", 38), "Low");
}

TEST(Announcing, uses_the_segment_that_gives_the_label)
{
	// 30 is High in the first segment only
	EXPECT_EQ(announced(by_segment, "Low", "High", 30), "High");
	EXPECT_EQ(announced(by_segment, "Low", "High", 20.5), "Low");
	// 45 is Mid in the second segment only
	EXPECT_EQ(announced(by_segment, "Low", "Mid", 44), "Low");
	EXPECT_EQ(announced(by_segment, "High", "Low", 19.5), "High");
}

TEST(Announcing, has_no_margin_for_the_best_records)
{
	EXPECT_EQ(announced(by_rank, "Low", "best", 10), "best");
	EXPECT_EQ(announced(by_rank, "best", "Low", 69), "Low");
	EXPECT_EQ(announced(by_rank, "best", "High", 71), "High");
	EXPECT_EQ(announced(by_rank, "High", "best", 71), "best");
}

TEST(Announcing, takes_pairs_apart)
{
	EXPECT_EQ(announced(by_pair, "B2", "A1", 0, 28, 22), "A1");
	EXPECT_EQ(announced(by_pair, "B2", "A1", 0, 27, 22), "B1");
	EXPECT_EQ(announced(by_pair, "B2", "A1", 0, 28, 21), "A2");
	EXPECT_EQ(announced(by_pair, "B2", "A1", 0, 25, 20), "B2");
	EXPECT_EQ(announced(by_pair, "A1", "B2", 0, 22, 17), "A2");
	EXPECT_EQ(announced(by_pair, "A1", "B2", 0, 21, 18), "B1");
}

TEST(Announcing, knows_how_long_a_label_stands)
{
	EXPECT_EQ(dwell_of(by_total, "High"), 100);
	EXPECT_EQ(dwell_of(by_total, "Mid"), 0);
	EXPECT_EQ(dwell_of(by_total, "gone"), 0);
	EXPECT_EQ(dwell_of(by_segment, "High"), 300);
	EXPECT_EQ(dwell_of(by_segment, "Low"), 20);
	EXPECT_EQ(dwell_of(by_pair, "A1"), 9);
	EXPECT_EQ(dwell_of(by_pair, "A2"), 7);
	EXPECT_EQ(dwell_of(by_pair, "B2"), 0);
	EXPECT_EQ(dwell_of(by_pair, "High"), 0);
	EXPECT_EQ(dwell_of({}, "High"), 0);
}

} // namespace lead_scoring::core::test
