// What no decaying total is made of.
#include "core/decaying_total.hpp"

#include "core/time.hpp"
#include "support.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace lead_scoring::core::test
{

namespace
{

constexpr int64_t longest_half_life = 920'000'000'000'000'000;

} // namespace

TEST(DecayingTotal, IsNotMadeFromOtherTexts)
{
	const char *texts[] = {
		"",
		"v",
		"v1",
		"v1;",
		"v2;86400000000;1;0;0;1",
		"V1;86400000000;1;0;0;1",
		" v1;86400000000;1;0;0;1",
		"v1;86400000000;1;0;0;1;",
		"v1;86400000000;1;0;0;1 ",
		"v1;86400000000;1;0;0",
		"v1;86400000000;1;0;0;",
		"v1;86400000000;1;0;0;1;1",
		"v1;;1;0;0;1",
		"v1;86400000000;;0;0;1",
		"v1;86400000000;1;;0;1",
		"v1;86400000000;1;0;;1",
		"v1;1e3;1;0;0;1",
		"v1;86400000000;1x;0;0;1",
		"v1;86400000000;1e999;0;0;1",
		"v1;86400000000;1,5;0;0;1",
		"v1;86400000000;1;0.5;0;1",
		"v1;86400000000;1;99999999999999999999;0;1",
		"v1;99999999999999999999;1;0;0;1",
		"v1;86400000000;1;0;99999999999999999999;1",
		"v1;86400000000;1;0;0;99999999999999999999",
		"v1;0x10;1;0;0;1",
	};

	for (const char *text : texts)
	{
		EXPECT_EQ(fault_of([text]() { parse_decaying_total(text); }), Fault::invalid_text) << text;
	}
	EXPECT_EQ(fault_of([]() { parse_decaying_total(std::string_view("v1;1000;1;0;0;1\0", 13)); }), Fault::invalid_text);
	EXPECT_EQ(fault_of([]() { parse_decaying_total(std::string(1'000'000, '1')); }), Fault::invalid_text);
}

TEST(DecayingTotal, IsNotMadeFromFieldsThatMakeNoSense)
{
	const char *texts[] = {
		"v1;0;1;0;0;1",                       // half-life
		"v1;-86400000000;1;0;0;1",
		"v1;920000000000000001;1;0;0;1",
		"v1;86400000000;nan;0;0;1",           // amplitude
		"v1;86400000000;-nan;0;0;1",
		"v1;86400000000;inf;0;0;1",
		"v1;86400000000;-inf;0;0;1",
		"v1;86400000000;2;0;0;1",
		"v1;86400000000;-2;0;0;1",
		"v1;86400000000;0.99;0;0;1",
		"v1;86400000000;5e-324;0;0;1",
		"v1;86400000000;-0;0;0;1",
		"v1;86400000000;0;1;0;1",             // exponent
		"v1;86400000000;0;-1;0;1",
		"v1;86400000000;1;9223372036854775807;0;1",
		"v1;86400000000;1;-9223372036854775808;0;1",
		"v1;86400000000;1;0;9223372036854775807;1", // time
		"v1;86400000000;1;0;-9223372036854775808;1",
		"v1;86400000000;1;0;0;-1",            // count
		"v1;86400000000;0;0;0;0",
		"v1;86400000000;1;0;0;0",
	};

	for (const char *text : texts)
	{
		EXPECT_EQ(fault_of([text]() { parse_decaying_total(text); }), Fault::invalid_parameter) << text;
	}
	for (uint32_t version : {0u, 2u, 0x01000000u, 0xffffffffu})
	{
		DecayingTotal total = make_decaying_total(day_us);
		total.version = version;
		EXPECT_EQ(fault_of([&total]() { require_valid_total(total); }), Fault::invalid_parameter) << version;
	}
	for (uint32_t flags : {1u, 0x80000000u})
	{
		DecayingTotal total = make_decaying_total(day_us);
		total.flags = flags;
		EXPECT_EQ(fault_of([&total]() { require_valid_total(total); }), Fault::invalid_parameter) << flags;
	}
}

// Whatever text is accepted can be added and valued, and what comes of it is valid again or an error
TEST(DecayingTotal, RefusesBadArguments)
{
	for (int64_t half_life : {int64_t{0}, int64_t{-1}, int64_t{999}, infinitely_old, infinitely_late, longest_half_life + 1})
	{
		EXPECT_EQ(fault_of([half_life]() { make_decaying_total(half_life); }), Fault::invalid_parameter) << half_life;
	}
	EXPECT_EQ(fault_of([]() { make_decaying_total(longest_half_life); }), std::nullopt);
	EXPECT_EQ(fault_of([]() { make_decaying_total(1000); }), std::nullopt);
	for (double points : {infinity, -infinity, not_a_number})
	{
		for (int64_t time : {int64_t{0}, infinitely_old, infinitely_late})
		{
			DecayingTotal total = make_decaying_total(day_us);
			EXPECT_EQ(fault_of([&]() { add_points(total, points, time); }), Fault::out_of_range) << points;
			EXPECT_EQ(total.count, 0);
		}
	}
	DecayingTotal total = make_decaying_total(day_us);
	EXPECT_EQ(fault_of([&total]() { add_total(total, make_decaying_total(day_us + 1)); }), Fault::invalid_parameter);
	DecayingTotal full = parse_decaying_total("v1;86400000000;1;0;0;9223372036854775807");
	EXPECT_EQ(fault_of([&full]() { add_points(full, 1, 0); }), Fault::out_of_range);
	EXPECT_EQ(fault_of([&full]() { add_total(full, full); }), Fault::out_of_range);
}

} // namespace lead_scoring::core::test
