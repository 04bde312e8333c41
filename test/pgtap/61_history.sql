-- What became of scores: history, trend, retention, forgetting
BEGIN;
\ir include/crm.psql
SELECT plan(60);

-- Facts change silently here, for the instants of the changes to be ours
CREATE FUNCTION pg_temp.set(contact int, revenue numeric, at timestamptz DEFAULT pg_temp.day(), score text DEFAULT 'worth') RETURNS void LANGUAGE sql AS $$
  UPDATE contacts SET revenue = $2 WHERE id = $1;
  SELECT lead_scoring.refresh($4, $3, ARRAY[$1::text]);
$$;
CREATE FUNCTION pg_temp.history(key text, score text DEFAULT 'worth') RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(concat_ws('>', coalesce(previous_total::text, '-'), coalesce(total::text, '-')) || ' ' || reason, ', ' ORDER BY history_id) FROM lead_scoring.score_history WHERE record_key = $1 AND score = $2
$$;
CREATE FUNCTION pg_temp.partitions() RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(partition, ' ' ORDER BY partition) FROM lead_scoring.history_partitions()
$$;
INSERT INTO contacts (id, revenue) VALUES (1, 10), (2, 20), (3, NULL);
SELECT pg_temp.simple('worth', 'fit');
SELECT pg_temp.rule('worth', 'revenue', NULL, 'true', 1, '{"value": "revenue", "counting": "each", "rollup": "sum", "effect": "add", "enabled": true}');
INSERT INTO lead_scoring.band (score, label, lower_bound) VALUES ('worth', 'High', 70), ('worth', 'Low', NULL);

-- Written on change only
SELECT is_empty('SELECT * FROM lead_scoring.score_history', 'a draft has no history');
SELECT lead_scoring.activate('worth');
SELECT pg_temp.by_hand();
SELECT results_eq($$SELECT record_key, total, fit, engagement, label, previous_total, previous_fit, previous_engagement, previous_label, reason, explanation, changed_at BETWEEN now() AND clock_timestamp() FROM lead_scoring.score_history ORDER BY history_id$$,
  $$VALUES ('1', 10::float8, 10::float8, NULL::float8, 'Low', NULL::float8, NULL::float8, NULL::float8, NULL::text, 'activation', NULL::jsonb, true),
           ('2', 20, 20, NULL, 'Low', NULL, NULL, NULL, NULL, 'activation', NULL, true), ('3', 0, 0, NULL, 'Low', NULL, NULL, NULL, NULL, 'activation', NULL, true)$$, 'activation');
SELECT lead_scoring.refresh('worth');
SELECT lead_scoring.activate('worth');
SELECT pg_temp.by_hand();
SELECT is((SELECT count(*) FROM lead_scoring.score_history), 3::bigint, 'what does not change is not written');
SELECT pg_temp.set(1, 75);
SELECT results_eq($$SELECT changed_at, total, label, previous_total, previous_fit, previous_label, reason FROM lead_scoring.score_history ORDER BY history_id DESC LIMIT 1$$,
  $$VALUES (pg_temp.day(), 75::float8, 'High', 10::float8, 10::float8, 'Low', 'time')$$, 'a change, as of the instant of the evaluation');
UPDATE contacts SET revenue = revenue + 1;
SELECT lead_scoring.refresh('worth', pg_temp.day());
SELECT is((SELECT count(*) FROM lead_scoring.score_history), 6::bigint, 'many changes; one record does not change');
SELECT is(pg_temp.history('1'), '->10 activation, 10>75 time, 75>76 time', 'history of a record');
INSERT INTO lead_scoring.adjustment (score, record_key, points) VALUES ('worth', '1', 4);
UPDATE lead_scoring.rule SET points = 2 WHERE score = 'worth';
INSERT INTO lead_scoring.scope (score, mode, criterion) VALUES ('worth', 'exclude', 'id = 1');
SELECT is(pg_temp.history('1'), '->10 activation, 10>75 time, 75>76 time, 76>80 adjustment, 80>156 rule_change, 156>- rule_change', 'with the reasons');
DELETE FROM lead_scoring.scope;
SELECT is((SELECT total FROM lead_scoring.score_history WHERE record_key = '1' ORDER BY history_id DESC LIMIT 1), (SELECT worth FROM contacts WHERE id = 1), 'the last entry is what is stored');
DELETE FROM contacts WHERE id = 2;
SELECT lead_scoring.refresh('worth');
SELECT is(pg_temp.history('2'), '->20 activation, 20>21 time, 21>42 rule_change', 'of a record that is deleted the history stays');
SELECT lead_scoring.deactivate('worth');
SELECT is((SELECT count(*) FROM lead_scoring.score_history WHERE record_key = '1'), 7::bigint, 'deactivate keeps it');
UPDATE lead_scoring.score SET history = 'none' WHERE name = 'worth';
SELECT lead_scoring.activate('worth');
SELECT pg_temp.by_hand();
SELECT pg_temp.set(1, 1);
SELECT is((SELECT count(*) FROM lead_scoring.score_history WHERE record_key = '1'), 7::bigint, 'none: nothing is written');
SELECT is((SELECT count(*) FROM lead_scoring.score_change WHERE record_key = '1' AND total_after = 2), 1::bigint, '... but what is announced');
SELECT set_eq($$SELECT DISTINCT format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid IN ('lead_scoring.score_history'::regclass, 'lead_scoring.score_change'::regclass) AND attnum > 0$$,
  ARRAY['bigint', 'text', 'timestamp with time zone', 'double precision', 'jsonb'], 'plain types');

-- Explanations
UPDATE lead_scoring.score SET history = 'explained' WHERE name = 'worth';
SELECT pg_temp.set(1, 7);
SELECT results_eq($$SELECT x ->> 'level', x ->> 'rule', (x ->> 'clamped')::float8 FROM lead_scoring.score_history h, jsonb_array_elements(h.explanation) WITH ORDINALITY e (x, at) WHERE h.explanation IS NOT NULL ORDER BY at$$,
  $$SELECT level, rule, clamped FROM lead_scoring.explain('worth', '1', pg_temp.day())$$, 'explained: the rows of explain');
SELECT is((SELECT (explanation -> -1 ->> 'clamped')::float8 FROM lead_scoring.score_history ORDER BY history_id DESC LIMIT 1), 14::float8, '... which end with the total');
UPDATE contacts SET revenue = 8;
SELECT lead_scoring.refresh('worth', pg_temp.day());
SELECT is((SELECT count(*) FROM lead_scoring.score_history WHERE (explanation -> -1 ->> 'clamped')::float8 = total), 3::bigint, '... of each of several records');
UPDATE contacts SET revenue = 1 WHERE id = 3;
SELECT lead_scoring.refresh('worth', pg_temp.day());
SELECT ok((SELECT bool_and(explanation -> -1 ->> 'clamped' = total::text) FROM lead_scoring.score_history WHERE explanation IS NOT NULL), 'what is kept stays as it was, whatever became of the facts');
UPDATE lead_scoring.score SET history = 'values' WHERE name = 'worth';

-- Trend
SELECT pg_temp.simple('trend', 'fit');
SELECT pg_temp.rule('trend', 'revenue', NULL, 'true', 1, '{"value": "revenue", "counting": "each", "rollup": "sum", "effect": "add", "enabled": true}');
INSERT INTO contacts (id, revenue) VALUES (10, 10), (11, 10), (12, 10), (13, NULL);
SELECT lead_scoring.activate('trend');
SELECT pg_temp.by_hand();
DELETE FROM lead_scoring.history WHERE score = 'trend';
CREATE FUNCTION pg_temp.trend(contact int, "window" interval DEFAULT '30 days', epsilon float8 DEFAULT 1, as_of timestamptz DEFAULT pg_temp.day()) RETURNS text LANGUAGE sql AS $$
  SELECT lead_scoring.score_trend('trend', $1::text, $2, $3, $4)
$$;
SELECT is(pg_temp.trend(10), 'not enough information', 'trend without history');
SELECT pg_temp.set(10, 20, pg_temp.day() - interval '10 days', 'trend');
SELECT is(pg_temp.trend(10), 'not enough information', 'trend of one value within the window');
SELECT is(pg_temp.trend(10, '5 days'), 'steady', 'of one value before it');
SELECT pg_temp.set(10, 21, pg_temp.day() - interval '5 days', 'trend');
SELECT is(pg_temp.trend(10), 'steady', 'of two values that differ by epsilon');
SELECT is(pg_temp.trend(10, epsilon => 0.5), 'improving', 'by more than epsilon');
SELECT pg_temp.set(10, 12, pg_temp.day() - interval '1 day', 'trend');
SELECT is(pg_temp.trend(10), 'declining', 'declining');
SELECT is(pg_temp.trend(10, as_of => pg_temp.day() - interval '2 days'), 'steady', 'as of another instant');
SELECT is(pg_temp.trend(10, '12 hours'), 'steady', 'in a shorter window');
SELECT is(pg_temp.trend(10, '5 days'), 'declining', 'the value at the beginning of the window counts');
SELECT is(pg_temp.trend(10, '300 years'), 'declining', 'a long window');
SELECT is(pg_temp.trend(10, '290000 years'), 'declining', 'the longest');
SELECT is(pg_temp.trend(99), 'not enough information', 'of a record that there is not');
SELECT throws_ok($$SELECT lead_scoring.score_trend('nothing', '1')$$, '42704', NULL, 'of a score that there is not');
SELECT throws_ok($$SELECT pg_temp.trend(10, '-1 day')$$, '22023', NULL, 'a window that is not');
SELECT throws_ok($$SELECT pg_temp.trend(10, epsilon => 'NaN')$$, '22003', NULL, 'an epsilon that is not');
SELECT throws_ok($$SELECT pg_temp.trend(10, as_of => 'infinity')$$, '22023', NULL, 'an instant that is not');
SELECT throws_ok($$SELECT lead_scoring.score_trend('trend', 'x')$$, '22P02', NULL, 'a key that is not');

-- Partitions and retention
SELECT is(pg_temp.partitions(), NULL, 'no partitions at first');
TRUNCATE lead_scoring.history;
UPDATE contacts SET revenue = 0;
SELECT pg_temp.set(1, n, timestamptz '2025-10-15 UTC' + n * interval '15 days') FROM generate_series(1, 8) n;
SELECT lead_scoring.maintain_history('2026-01-31 23:59 UTC');
SELECT is(pg_temp.partitions(), 'history_2026_01 history_2026_02', 'this month and the next');
SELECT results_eq('SELECT tableoid::regclass::text, count(*) FROM lead_scoring.history GROUP BY 1 ORDER BY 1', $$VALUES ('lead_scoring.history_2026_01', 2::bigint), ('lead_scoring.history_2026_02', 1), ('lead_scoring.history_default', 5)$$,
  'rows move out of the default partition');
SELECT is((SELECT count(*) FROM pg_class WHERE oid IN ('lead_scoring.history'::regclass, 'lead_scoring.history_2026_01'::regclass) GROUP BY relowner), 2::bigint, 'a partition belongs to the owner of the whole');
SELECT lead_scoring.maintain_history('2026-01-31 23:59 UTC');
SELECT is(pg_temp.partitions(), 'history_2026_01 history_2026_02', 'once more is harmless');
SELECT pg_temp.set(1, 100, '2026-01-31 23:59:59.999999 UTC'), pg_temp.set(1, 101, '2026-02-01 00:00 UTC'), pg_temp.set(1, 102, '2026-03-01 00:00 UTC');
SELECT results_eq('SELECT tableoid::regclass::text, total FROM lead_scoring.history WHERE total >= 100 ORDER BY history_id', $$VALUES ('lead_scoring.history_2026_01', 200::float8), ('lead_scoring.history_2026_02', 202), ('lead_scoring.history_default', 204)$$, 'each change goes into its month');
SELECT lead_scoring.maintain_history(as_of) FROM unnest('{2025-11-02 UTC,2025-12-02 UTC,2026-03-02 UTC}'::timestamptz[]) as_of;
SELECT is(pg_temp.partitions(), 'history_2025_11 history_2025_12 history_2026_01 history_2026_02 history_2026_03 history_2026_04', 'more of them');
SELECT is((SELECT count(*) FROM lead_scoring.history_default), 1::bigint, 'only what belongs to no month is left');
SELECT is((SELECT count(*) FROM lead_scoring.score_history), 11::bigint, 'nothing is lost');
UPDATE lead_scoring.score SET keep_history = '45 days' WHERE name = 'worth';
SELECT lead_scoring.maintain_history('2026-03-02 UTC');
SELECT is(pg_temp.partitions(), 'history_2026_01 history_2026_02 history_2026_03 history_2026_04', 'months that nobody keeps are dropped');
SELECT is((SELECT min(changed_at) FROM lead_scoring.score_history), '2026-01-28 00:00 UTC'::timestamptz, 'and what is older goes from the others');
SELECT is((SELECT count(*) FROM lead_scoring.score_change WHERE changed_at < '2026-01-16 UTC' AND score = 'worth'), 0::bigint, 'changes too');
SELECT pg_temp.set(10, 5, '2026-01-20 UTC', 'trend');
SELECT lead_scoring.maintain_history('2026-05-01 UTC');
SELECT is(pg_temp.partitions(), 'history_2026_01 history_2026_05 history_2026_06', 'a month that one score keeps for ever stays, empty ones go');
SELECT results_eq('SELECT DISTINCT score FROM lead_scoring.score_history', $$VALUES ('trend')$$, 'without what the others kept');
SELECT lead_scoring.maintain_history('2026-05-01 UTC');
SELECT is(pg_temp.partitions(), 'history_2026_01 history_2026_05 history_2026_06', 'once more is harmless');
SELECT lives_ok($$SELECT lead_scoring.maintain_history('9999-11-15 UTC')$$, 'the last month');
SELECT throws_ok($$SELECT lead_scoring.maintain_history('infinity')$$, '22008', NULL, 'no month');
SELECT throws_ok($$SELECT lead_scoring.drop_history_partition('history_default')$$, '42704', NULL, 'what holds no month is not dropped');
SELECT throws_ok($$SELECT lead_scoring.maintain_history('4714-11-24 BC')$$, '22008', NULL, 'nor one before our era');

-- Following, forgetting
SELECT pg_temp.set(11, 80), pg_temp.set(12, 80);
INSERT INTO lead_scoring.adjustment (score, record_key, points) VALUES ('trend', '11', 1);
INSERT INTO lead_scoring.announced (score, record_key, label) VALUES ('worth', '11', 'x'), ('worth', '12', 'x');
INSERT INTO lead_scoring.alerted (score, record_key, alert, part, threshold) VALUES ('worth', '11', 'x', 'total', 5), ('worth', '12', 'x', 'total', 5);
SELECT is(lead_scoring.forget('contact', '0011'), 7::bigint, 'forget: adjustment, three changes, a label, and two states');
SELECT is_empty($$SELECT record_key FROM lead_scoring.history WHERE record_key = '11' UNION ALL SELECT record_key FROM lead_scoring.outbox WHERE record_key = '11'
  UNION ALL SELECT record_key FROM lead_scoring.announced WHERE record_key = '11' UNION ALL SELECT record_key FROM lead_scoring.alerted WHERE record_key = '11'$$, 'nothing of it is left');
SELECT results_eq($$SELECT count(*) FROM lead_scoring.announced UNION ALL SELECT count(*) FROM lead_scoring.alerted UNION ALL SELECT count(*) FROM lead_scoring.history WHERE record_key = '12'$$, $$VALUES (1::bigint), (1), (1)$$, 'the others stay');
SELECT lead_scoring.deactivate('worth');
UPDATE lead_scoring.score SET name = 'value' WHERE name = 'worth';
SELECT results_eq($$SELECT score FROM lead_scoring.score_history WHERE record_key = '12' UNION SELECT score FROM lead_scoring.score_change WHERE record_key = '12' UNION SELECT score FROM lead_scoring.announced UNION SELECT score FROM lead_scoring.alerted$$, $$VALUES ('value')$$, 'all follow the score to its new name');
DELETE FROM lead_scoring.score WHERE name = 'value';
SELECT is_empty($$SELECT score FROM lead_scoring.history WHERE score = 'value' UNION SELECT score FROM lead_scoring.outbox UNION SELECT score FROM lead_scoring.announced UNION SELECT score FROM lead_scoring.alerted$$, 'and go with it');
SELECT ok(EXISTS (SELECT FROM lead_scoring.history WHERE score = 'trend'), 'the history of others stays');
SELECT throws_ok($$CREATE TRIGGER t AFTER UPDATE ON contacts FOR EACH ROW EXECUTE FUNCTION lead_scoring.follow_history(); UPDATE contacts SET revenue = 1$$, '39P01', NULL, 'no trigger for other tables');
SELECT * FROM finish();
ROLLBACK;
