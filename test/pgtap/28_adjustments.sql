-- Points by hand: their share (F75), machine and adjustment (B13, D24); reset of engagement (B25); forgetting a record (B30)
BEGIN;
\ir include/crm.psql
SELECT plan(54);

CREATE FUNCTION pg_temp.by_hand(score text, record_key text, points float8, created_at timestamptz DEFAULT '2026-01-01 UTC', expires_at timestamptz DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
  INSERT INTO lead_scoring.adjustment (score, record_key, points, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)
$$;
-- total, machine and adjustment of each record
CREATE FUNCTION pg_temp.hands(score text, as_of timestamptz DEFAULT pg_temp.day()) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(format('%s=%s/%s/%s', record_key, coalesce(total::text, 'NULL'), coalesce(machine::text, 'NULL'), coalesce(CASE WHEN total IS NOT NULL THEN adjustment END::text, '')), ' ' ORDER BY length(record_key), record_key) FROM lead_scoring.evaluate($1, $2)
$$;
CREATE FUNCTION pg_temp.agree(VARIADIC names text[]) RETURNS text LANGUAGE sql AS $$
  SELECT is_empty(format('SELECT s, d.* FROM unnest(%L::text[]) AS s, pg_temp.disagreements(s) AS d', $1), $1[1] || ': stored = evaluated = explained')
$$;

-- machine and adjustment
INSERT INTO contacts (id, revenue) VALUES (1, 50), (2, 120), (3, 0.00005), (4, -80), (5, 10);
INSERT INTO lead_scoring.score (name, record_type, kind, min_points, max_points) SELECT s, 'contact', 'fit', -50, 100 FROM unnest(ARRAY['hands', 'share']) AS s;
INSERT INTO lead_scoring.score_group (score, name, kind) SELECT s, 'all', 'fit' FROM unnest(ARRAY['hands', 'share']) AS s;
SELECT pg_temp.rule(s, 'revenue', NULL, 'true', 1, '{"counting": "each", "value": "revenue"}') FROM unnest(ARRAY['hands', 'share']) AS s;
SELECT is(pg_temp.hands('hands'), '1=50/50/0 2=100/100/0 3=0.0001/0.0001/0 4=-50/-50/0 5=10/10/0', 'machine: the total without adjustments, limited and rounded');
SELECT pg_temp.by_hand(s, '1', 20), pg_temp.by_hand(s, '1', 15), pg_temp.by_hand(s, '2', -10), pg_temp.by_hand(s, '3', -60), pg_temp.by_hand(s, '4', 100), pg_temp.by_hand(s, '4', -80), pg_temp.by_hand(s, '5', 40, '2026-01-01 UTC', '2026-01-31 00:00 UTC'), pg_temp.by_hand(s, '5', 30, '2026-01-31 00:00 UTC') FROM unnest(ARRAY['hands', 'share']) AS s;
SELECT is(pg_temp.hands('hands'), '1=85/50/35 2=100/100/-10 3=-50/0.0001/-60 4=-50/-50/20 5=40/10/30', 'D24: machine value and adjustment side by side; they are added before the limits: 120 - 10, -80 + 20');
SELECT is(pg_temp.hands('hands', '2026-01-30 UTC'), '1=85/50/35 2=100/100/-10 3=-50/0.0001/-60 4=-50/-50/20 5=50/10/40', 'D24: those in force');
SELECT is(pg_temp.hands('hands', '2025-12-31 UTC'), '1=50/50/0 2=100/100/0 3=0.0001/0.0001/0 4=-50/-50/0 5=10/10/0', 'D24: none yet');
INSERT INTO lead_scoring.scope (score, mode, criterion) VALUES ('hands', 'exclude', 'id = 5');
SELECT is((SELECT total IS NULL AND machine IS NULL FROM lead_scoring.evaluate('hands', pg_temp.day(), ARRAY['5'])), true, 'machine: NULL out of scope');
SELECT results_eq($$SELECT * FROM lead_scoring.subtotals('hands', pg_temp.day()) ORDER BY record_key$$,
  $$VALUES ('1', 85::float8, 50::float8, 0::float8, 0::float8, 35::float8), ('2', 100, 120, 0, -10, -10), ('3', -50, 0.0001, 0, 9.9999, -60), ('4', -50, 0, -80, 10, 20), ('5', NULL, NULL, NULL, NULL, NULL)$$,
  'B33: subtotals: what the rules give and take, the limits, points by hand');
SELECT is((SELECT t::text FROM lead_scoring.subtotals('hands', pg_temp.day(), ARRAY['4', '99']) AS t), '(4,-50,0,-80,10,20)', 'B33: some keys');
SELECT throws_ok($$SELECT * FROM lead_scoring.subtotals(NULL)$$, '22004', 'score must not be NULL', 'B33: no score');
SELECT throws_ok($$SELECT * FROM lead_scoring.subtotals('hands', NULL)$$, '22004', 'as_of must not be NULL', 'B33: no instant');
SELECT throws_ok($$SELECT * FROM lead_scoring.subtotals('hands', 'infinity')$$, '22023', 'as_of must be finite', 'B33: no finite instant');
SELECT pg_temp.agree('hands');

-- F75: their share of the range, 150 points
UPDATE lead_scoring.score SET adjustment_share = 0.2 WHERE name = 'share';
SELECT is(pg_temp.hands('share'), '1=80/50/30 2=100/100/-10 3=-30/0.0001/-30 4=-50/-50/20 5=40/10/30', 'F75: the sum of the adjustments is held within +- 0.2 * 150');
SELECT pg_temp.agree('share');
UPDATE lead_scoring.score SET adjustment_share = 0.15 WHERE name = 'share';
SELECT is(pg_temp.hands('share'), '1=72.5/50/22.5 2=100/100/-10 3=-22.5/0.0001/-22.5 4=-50/-50/20 5=32.5/10/22.5', 'F75: 0.15 * 150; each record''s sum first, 100 - 80 is 20');
SELECT is((SELECT share FROM contacts WHERE id = 1), (SELECT total FROM lead_scoring.evaluate('share', now(), ARRAY['1'])), 'F75: the active score followed at once');
UPDATE lead_scoring.score SET adjustment_share = 0 WHERE name = 'share';
SELECT is(pg_temp.hands('share'), '1=50/50/0 2=100/100/0 3=0.0001/0.0001/0 4=-50/-50/0 5=10/10/0', 'F75: a share of 0');
UPDATE lead_scoring.score SET adjustment_share = 1 WHERE name = 'share';
SELECT is(pg_temp.hands('share'), '1=85/50/35 2=100/100/-10 3=-50/0.0001/-60 4=-50/-50/20 5=40/10/30', 'F75: a share of 1');
SELECT pg_temp.by_hand('share', '2', 1000), pg_temp.by_hand('share', '2', -2000);
SELECT is((SELECT adjustment FROM lead_scoring.evaluate('share', pg_temp.day(), ARRAY['2'])), -150::float8, 'F75: a share of 1 is the whole range');
UPDATE lead_scoring.score SET min_points = 0 WHERE name = 'share';
SELECT is((SELECT adjustment FROM lead_scoring.evaluate('share', pg_temp.day(), ARRAY['2'])), -100::float8, 'F75: another range');
SELECT is((SELECT sum(clamped) FROM lead_scoring.explain('hands', '1', pg_temp.day()) WHERE level = 'adjustment'), 35::float8, 'explain: adjustments');
SELECT results_eq($$SELECT decayed, clamped, running_total FROM lead_scoring.explain('share', '2', pg_temp.day()) WHERE level = 'total'$$, $$VALUES (20::float8, 20::float8, 20::float8)$$, 'F75: explain: 120 - 100');
SELECT pg_temp.agree('share');

-- B25: reset of engagement
TRUNCATE contacts;
DELETE FROM lead_scoring.scope;
INSERT INTO contacts (id, revenue, employees) SELECT i, 5, 1 FROM generate_series(1, 4) AS i;
CREATE TABLE calls (contact int, at timestamptz);
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('call', 'contact', 'calls', 'contact', 'at');
INSERT INTO activities (contact_id, type, occurred_at) SELECT i, 'x', t FROM generate_series(1, 3) AS i, unnest(ARRAY['2026-01-01 00:00 UTC', '2026-01-10 00:00 UTC', '2026-01-19 23:59:59.999999 UTC', '2026-01-20 00:00 UTC', '2026-01-25 00:00 UTC']::timestamptz[]) AS t;
INSERT INTO calls SELECT i, t FROM generate_series(1, 3) AS i, unnest(ARRAY['2026-01-05 UTC', '2026-01-22 UTC']::timestamptz[]) AS t;
INSERT INTO lead_scoring.score (name, record_type, kind) SELECT s, 'contact', 'combined' FROM unnest(ARRAY['reset', 'kept', 'kinds']) AS s;
INSERT INTO lead_scoring.score_group (score, name, kind) SELECT s, g, CASE g WHEN 'all' THEN 'fit' ELSE 'engagement' END FROM unnest(ARRAY['reset', 'kept', 'kinds']) AS s, unnest(ARRAY['all', 'e']) AS g;
SELECT pg_temp.rule(s, 'fit', NULL, 'true', 1000, '{}'), pg_temp.rule(s, 'x', 'activity', $$type = 'x'$$, 1, '{"group_name": "e"}'), pg_temp.rule(s, 'call', 'call', 'true', 100, '{"group_name": "e"}') FROM unnest(ARRAY['reset', 'kept']) AS s;
SELECT is(pg_temp.totals('reset'), '1=1205 2=1205 3=1205 4=1000', 'B25: before');
CREATE TEMP TABLE made AS SELECT lead_scoring.reset_engagement('reset', '1', '2026-01-20 00:00 UTC', 'closed lost') AS id;
SELECT is((SELECT id FROM made), (SELECT reset_id FROM lead_scoring.engagement_reset WHERE score = 'reset'), 'B25: reset_engagement returns the number of the reset');
SELECT results_eq('SELECT score, record_key, at, reason, author FROM lead_scoring.engagement_reset', $$VALUES ('reset', '1', timestamptz '2026-01-20 UTC', 'closed lost', current_user)$$, 'B25: who, when and why');
SELECT is(pg_temp.totals('reset'), '1=1102 2=1205 3=1205 4=1000', 'B25: events before it do not count, of any source; those at the instant do, and fit is untouched');
SELECT is(pg_temp.totals('kept'), '1=1205 2=1205 3=1205 4=1000', 'B25: another score is not reset');
SELECT is(pg_temp.totals('reset', '2026-01-19 23:59:59.999999 UTC'), '1=1103 2=1103 3=1103 4=1000', 'B25: as of earlier nothing was reset');
SELECT is(pg_temp.totals('reset', '2026-01-20 00:00 UTC'), '1=1001 2=1104 3=1104 4=1000', 'B25: from its instant on it is');
SELECT is_empty($$SELECT s, d.* FROM unnest(ARRAY['reset', 'kept']) AS s, pg_temp.disagreements(s) AS d$$, 'B25: stored = evaluated = explained');
SELECT lead_scoring.reset_engagement('reset', ' 02 ', at => '2026-01-10 UTC'), lead_scoring.reset_engagement('reset', '2', '2026-01-22 UTC'), lead_scoring.reset_engagement('reset', '2', '2026-01-05 UTC'), lead_scoring.reset_engagement('reset', '2', '2026-03-01 UTC'), lead_scoring.reset_engagement('reset', '4', '2026-01-01 UTC');
SELECT is(pg_temp.totals('reset'), '1=1102 2=1101 3=1205 4=1000', 'B25: of several the latest up to as_of');
SELECT is(pg_temp.totals('reset', '2026-01-12 UTC'), '1=1102 2=1001 3=1102 4=1000', 'B25: of several, as of earlier');
SELECT is(pg_temp.totals('reset', '2026-03-01 UTC'), '1=1102 2=1000 3=1205 4=1000', 'B25: a reset in the future');
SELECT is((SELECT last_activity FROM lead_scoring.standing('reset', '2026-03-01 UTC', ARRAY['2'])), NULL, 'B25: nor is there any activity');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('reset')$$, 'B25, several: stored = evaluated = explained');
DELETE FROM lead_scoring.engagement_reset WHERE record_key = '2' AND at = '2026-01-22 UTC';
SELECT is(pg_temp.totals('reset'), '1=1102 2=1104 3=1205 4=1000', 'B25: deleting a reset undoes it');
DELETE FROM lead_scoring.engagement_reset;
SELECT is(pg_temp.totals('reset'), '1=1205 2=1205 3=1205 4=1000', 'B25: all of them');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('reset')$$, 'B25, undone: stored = evaluated = explained');
SELECT lead_scoring.reset_engagement('reset', '3');
SELECT is((SELECT at FROM lead_scoring.engagement_reset), now(), 'B25: as of now by default');
SELECT is(pg_temp.total('reset', 3, now()), 1000::float8, 'B25: nothing is left');
SELECT lead_scoring.refresh('reset');
SELECT is((SELECT string_agg(reset::text, ' ' ORDER BY id) FROM contacts), '1205 1205 1000 1000', 'B25: stored, after a refresh');
DELETE FROM lead_scoring.engagement_reset;

-- every kind of counting sees what is left
TRUNCATE activities, calls;
INSERT INTO activities (contact_id, type, occurred_at) SELECT i, 'x', t FROM generate_series(1, 2) AS i, unnest(ARRAY['2026-01-01 00:00 UTC', '2026-01-02 00:00 UTC', '2026-01-03 00:00 UTC', '2026-01-04 00:00 UTC', '2026-01-05 00:00 UTC']::timestamptz[]) AS t;
SELECT pg_temp.rule('kinds', 'at most 2', 'activity', 'true', 1, '{"group_name": "e", "counting": "once", "at_most": 2}'), pg_temp.rule('kinds', 'every 2', 'activity', 'true', 10, '{"group_name": "e", "every_n": 2}'), pg_temp.rule('kinds', 'pairs', 'activity', 'true', 100, '{"group_name": "e", "followed_by": "true", "followed_within": "1 day"}'),
  pg_temp.rule('kinds', 'quiet', 'activity', 'true', 1000, '{"group_name": "e", "counting": "quiet", "within": "10 days"}'), pg_temp.rule('kinds', 'double', 'activity', $$occurred_at < '2026-01-02 UTC'$$, 2, '{"group_name": "e", "effect": "multiply"}');
SELECT is(pg_temp.totals('kinds'), '1=4440 2=4440 3=1001 4=1001', 'B25: all kinds, before');
SELECT lead_scoring.reset_engagement('kinds', '1', '2026-01-04 00:00 UTC'), lead_scoring.reset_engagement('kinds', '2', '2026-01-20 00:00 UTC');
SELECT is(pg_temp.totals('kinds'), '1=2111 2=1001 3=1001 4=1001', 'B25: all kinds, after: what remains is counted; nothing left is no event at all');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('kinds')$$, 'B25, all kinds: stored = evaluated = explained');
-- an event that was a duplicate of one before the reset is none any more
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at, dedup_key) VALUES ('first', 'contact', 'activities', 'contact_id', 'occurred_at', 'type');
SELECT pg_temp.rule('kinds', 'first', 'first', 'true', 10000, '{"group_name": "e"}');
SELECT is(pg_temp.totals('kinds'), '1=12111 2=1001 3=1001 4=1001', 'B25 and F51: cleaning starts anew');
INSERT INTO lead_scoring.scope (score, mode, source, criterion) VALUES ('kinds', 'include', 'activity', 'true');
SELECT is(pg_temp.totals('kinds'), '1=12111 2=NULL 3=NULL 4=NULL', 'B25: a scope sees what is left');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('kinds')$$, 'B25, scope: stored = evaluated = explained');

-- B30: forget
SELECT pg_temp.by_hand('reset', '1', 5), pg_temp.by_hand('reset', '1', 6), pg_temp.by_hand('kept', '1', 7), pg_temp.by_hand('kept', '2', 8);
SELECT lead_scoring.reset_engagement('kept', '1', '2026-01-01 UTC'), lead_scoring.reset_engagement('reset', '2', '2026-01-01 UTC');
CREATE TABLE others (id int PRIMARY KEY);
INSERT INTO others VALUES (1);
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('other', 'others', 'id');
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('others', 'other', 'fit');
SELECT pg_temp.by_hand('others', '1', 9);
SELECT ok((SELECT count(*) FROM lead_scoring.adjustment WHERE score <> 'others' AND record_key = '1') + (SELECT count(*) FROM lead_scoring.engagement_reset WHERE record_key = '1') <= lead_scoring.forget('contact', ' 01 ')::bigint, 'B30: forget returns the number of rows, those of the history among them');
SELECT is((SELECT count(*) FROM lead_scoring.adjustment WHERE score <> 'others' AND record_key = '1') + (SELECT count(*) FROM lead_scoring.engagement_reset WHERE record_key = '1'), 0::bigint, 'B30: nothing of it is left');
SELECT is((SELECT count(*) FROM lead_scoring.adjustment WHERE score = 'kept') || ' ' || (SELECT count(*) FROM lead_scoring.engagement_reset WHERE score = 'reset') || ' ' || (SELECT count(*) FROM lead_scoring.adjustment WHERE score = 'others'), '1 1 1', 'B30: other records, and records of other types, are not touched');
SELECT is(lead_scoring.forget('contact', '1')::bigint, 0::bigint, 'B30: nothing more to forget');
SELECT is(lead_scoring.forget('contact', '77')::bigint, 0::bigint, 'B30: a record that never was');
SELECT is((SELECT count(*) FROM contacts WHERE id = 1), 1::bigint, 'B30: the record itself is the user''s');
SELECT is_empty($$SELECT s, d.* FROM unnest(ARRAY['reset', 'kept', 'kinds']) AS s, pg_temp.disagreements(s) AS d$$, 'B30: stored = evaluated = explained');

SELECT * FROM finish();
ROLLBACK;
