// Reading what of a score's changes is announced, and how: margins and dwells of its bands, and its alerts.
#include "pg/postgres_api.hpp"

#include "pg/loading.hpp"

#include "pg/interval.hpp"

namespace lead_scoring::pg
{

namespace
{

core::AnnouncedBand
read_band(const Loading *loading, const QueryRows &rows, uint64 at)
{
	core::AnnouncedBand band{};

	band.label = text_at(rows, at, 3);
	band.lower_bound = real_at(rows, at, 4, -unlimited);
	band.relative = DatumGetBool(datum_at(rows, at, 5));
	band.margin = real_at(rows, at, 6, 0);
	band.dwell_us = length_at(rows, at, 7, 0, "dwell",
							  loading_text(loading, "band \"%s\" of score \"%s\"",
										   band.label.data(), loading->score->name));
	return band;
}

LoadedAlert
read_alert(const QueryRows &rows, uint64 at)
{
	LoadedAlert alert{};

	alert.name = text_at(rows, at, 1);
	alert.part = part_of(text_at(rows, at, 2));
	alert.kind = !null_at(rows, at, 3)   ? AlertKind::above
				 : !null_at(rows, at, 4) ? AlertKind::at_least
										 : AlertKind::label;
	alert.threshold = real_at(rows, at, 3, real_at(rows, at, 4, 0));
	alert.label = text_at(rows, at, 5);
	alert.margin = real_at(rows, at, 6, 0);
	return alert;
}

} // namespace

void
load_announcing(Loading *loading)
{
	if (!loading->score->has_damped_bands)
	{
		return;
	}
	QueryRows rows = run_query(
		loading->context,
		"SELECT part, segment, label, lower_bound, capacity IS NOT NULL OR top_share IS NOT NULL, "
		"margin, dwell FROM lead_scoring.band WHERE score = $1 ORDER BY part, segment = 'true', "
		"segment COLLATE \"C\", capacity NULLS LAST, top_share NULLS LAST, lower_bound DESC NULLS LAST",
		1, &loading->score->name);
	auto *bands = make_array<core::AnnouncedBand>(loading->context, rows.count);
	auto *ladders = make_array<core::AnnouncedLadder>(loading->context, rows.count);
	core::AnnouncedLadders &announced = loading->score->announced;
	size_t ladder_count = 0;

	for (uint64 from = 0, to = 0; from < rows.count; from = to)
	{
		const char *part = text_at(rows, from, 1);
		const char *segment = text_at(rows, from, 2);
		for (; to < rows.count && strcmp(part, text_at(rows, to, 1)) == 0 &&
			   strcmp(segment, text_at(rows, to, 2)) == 0;
			 to++)
		{
			bands[to] = read_band(loading, rows, to);
		}
		ladders[ladder_count] = {bands + from, to - from};
		auto &of_part = announced.parts[static_cast<size_t>(part_of(part))];
		of_part = {of_part.empty() ? ladders + ladder_count : of_part.data(), of_part.size() + 1};
		ladder_count++;
	}
}

void
load_alerts(Loading *loading)
{
	if (!has_rows(own::alerts, loading->score->name))
	{
		return;
	}
	QueryRows rows = run_query(
		loading->context,
		"SELECT name, part, above, at_least, label, margin FROM lead_scoring.alert WHERE score = $1 "
		"ORDER BY name",
		1, &loading->score->name);
	auto *alerts = make_array<LoadedAlert>(loading->context, rows.count);

	for (uint64 at = 0; at < rows.count; at++)
	{
		alerts[at] = read_alert(rows, at);
	}
	loading->score->alerts = alerts;
	loading->score->alert_count = static_cast<int>(rows.count);
}

} // namespace lead_scoring::pg
