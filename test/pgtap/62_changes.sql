-- What is announced: labels, alerts, hysteresis, dwell; E35, E51, E52
BEGIN;
\ir include/crm.psql
SELECT plan(88);

-- A score that is the contact's revenue, brought up to date at an instant
-- Facts change silently here, for the instants of the changes to be ours
CREATE FUNCTION pg_temp.set(contact int, revenue numeric, at timestamptz DEFAULT pg_temp.day(), score text DEFAULT 'worth') RETURNS void LANGUAGE sql AS $$
  UPDATE contacts SET revenue = $2 WHERE id = $1;
  SELECT lead_scoring.refresh($4, $3, ARRAY[$1::text]);
$$;
-- What was announced and not seen yet, as 'Low>High alert:name'
CREATE FUNCTION pg_temp.news(score text DEFAULT 'worth') RETURNS text LANGUAGE sql AS $$
  SELECT coalesce(string_agg(record_key || ' ' || CASE kind WHEN 'label' THEN concat(coalesce(from_label, '-'), '>', coalesce(to_label, '-')) ELSE part || ':' || alert END, ', ' ORDER BY record_key, change_id), '')
    FROM lead_scoring.take_changes($1)
$$;
INSERT INTO contacts (id, revenue, employees) VALUES (1, 10, 1), (2, 20, 2), (3, 30, 3);
SELECT pg_temp.simple('worth', 'fit');
SELECT pg_temp.rule('worth', 'revenue', NULL, 'true', 1, '{"value": "revenue", "counting": "each", "rollup": "sum", "effect": "add", "enabled": true}');
INSERT INTO lead_scoring.band (score, label, lower_bound) VALUES ('worth', 'High', 70), ('worth', 'Mid', 40), ('worth', 'Low', NULL);
SELECT lead_scoring.activate('worth');
SELECT pg_temp.by_hand();
SELECT is(pg_temp.news(), '', 'activation announces nothing');

-- Labels
SELECT pg_temp.set(1, 40);
SELECT results_eq($$SELECT record_key, kind, part, alert, from_label, to_label, total_before, total_after, reason, changed_at, delivered_at FROM lead_scoring.score_change$$,
  $$VALUES ('1', 'label', 'label', NULL::text, 'Low', 'Mid', 10::float8, 40::float8, 'time', pg_temp.day(), NULL::timestamptz)$$, 'a change of label');
SELECT is(pg_temp.news(), '1 Low>Mid', 'is taken');
SELECT is(pg_temp.news(), '', 'once');
SELECT is((SELECT count(delivered_at) FROM lead_scoring.score_change), 1::bigint, 'and is marked as delivered');
SELECT pg_temp.set(1, 69.9999);
SELECT is(pg_temp.news(), '', 'another value with the same label is no news');
SELECT pg_temp.set(1, 70), pg_temp.set(1, 5), pg_temp.set(1, 75);
SELECT is(pg_temp.news(), '1 Mid>High, 1 High>Low, 1 Low>High', 'several changes, in their order');
INSERT INTO contacts (id, revenue) VALUES (4, 80);
SELECT lead_scoring.refresh('worth', pg_temp.day());
SELECT is(pg_temp.news(), '4 ->High', 'a new record gets its first label');
INSERT INTO lead_scoring.scope (score, mode, criterion) VALUES ('worth', 'exclude', 'is_customer');
UPDATE contacts SET is_customer = true WHERE id = 4;
SELECT lead_scoring.refresh('worth', pg_temp.day());
SELECT is(pg_temp.news(), '4 High>-', 'out of scope it has none');
UPDATE contacts SET is_customer = false WHERE id = 4;
SELECT lead_scoring.refresh('worth', pg_temp.day());
SELECT is(pg_temp.news(), '4 ->High', 'and back');
UPDATE contacts SET revenue = 100;
SELECT lead_scoring.refresh('worth', pg_temp.day());
SELECT is(pg_temp.news(), '2 Low>High, 3 Low>High', 'many rows at once');
INSERT INTO lead_scoring.adjustment (score, record_key, points, created_at) VALUES ('worth', '2', -90, '2020-01-01');
SELECT is((SELECT reason || ':' || to_label FROM lead_scoring.take_changes('worth')), 'adjustment:Low', 'points by hand');
DELETE FROM lead_scoring.adjustment;
SELECT lead_scoring.take_changes();

-- E51: no storm after a change of the rules
UPDATE lead_scoring.rule SET points = 0.5 WHERE score = 'worth';
SELECT is(pg_temp.news(), '', 'E51: a rule edit announces nothing');
SELECT results_eq($$SELECT DISTINCT total, reason FROM lead_scoring.score_history WHERE score = 'worth' AND history_id > (SELECT max(history_id) FROM lead_scoring.history) - 4$$,
  $$VALUES (50::float8, 'rule_change')$$, 'E51: every record is re-scored, with reason rule_change in the history');
UPDATE lead_scoring.score SET announce_rule_changes = true WHERE name = 'worth';
UPDATE lead_scoring.rule SET points = 1 WHERE score = 'worth';
SELECT is(pg_temp.news(), '1 Mid>High, 2 Mid>High, 3 Mid>High, 4 Mid>High', 'E51: unless that is asked for');
SELECT is((SELECT count(*) FROM lead_scoring.score_change WHERE reason = 'rule_change'), 4::bigint, 'with its reason');
UPDATE lead_scoring.score SET announce_rule_changes = false WHERE name = 'worth';

-- E52: alerts above a threshold are strict
INSERT INTO lead_scoring.alert (score, name, above) VALUES ('worth', 'owner', 50), ('worth', 'deal', 75);
INSERT INTO lead_scoring.alert (score, name, at_least) VALUES ('worth', 'advisor', 80);
SELECT pg_temp.set(1, 0), pg_temp.set(2, 0);
SELECT lead_scoring.take_changes();
SELECT pg_temp.set(1, 50);
SELECT is(pg_temp.news(), '1 Low>Mid', 'E52: 50 is not above 50');
SELECT pg_temp.set(1, 51);
SELECT is(pg_temp.news(), '1 total:owner', 'E52: 51 is');
SELECT pg_temp.set(1, 52);
SELECT is(pg_temp.news(), '', 'it stays above: no second alert');
SELECT pg_temp.set(1, 50), pg_temp.set(1, 50.0001);
SELECT is(pg_temp.news(), '1 total:owner', 'it comes again after the value was not above');
SELECT pg_temp.set(1, 75);
SELECT is(pg_temp.news(), '1 Mid>High', 'E52: 75 is not above 75');
SELECT pg_temp.set(1, 76);
SELECT is(pg_temp.news(), '1 total:deal', 'E52: 76 is');
SELECT pg_temp.set(1, 80);
SELECT is(pg_temp.news(), '1 total:advisor', '80 is at least 80');
SELECT pg_temp.set(2, 90);
SELECT is(pg_temp.news(), '2 Low>High, 2 total:advisor, 2 total:deal, 2 total:owner', 'several thresholds at once');
INSERT INTO contacts (id, revenue) VALUES (5, 60), (6, 50);
SELECT lead_scoring.refresh('worth', pg_temp.day());
SELECT is(pg_temp.news(), '5 ->Mid, 5 total:owner, 6 ->Mid', 'a new record comes from below');
SELECT pg_temp.set(1, 0);
UPDATE lead_scoring.rule SET points = 2 WHERE score = 'worth';
SELECT lead_scoring.take_changes();
UPDATE lead_scoring.rule SET points = 1 WHERE score = 'worth';
SELECT is(pg_temp.news(), '', 'no alerts after a rule edit');
DELETE FROM lead_scoring.alert;

-- Alerts on a part and on a label, with a margin
INSERT INTO lead_scoring.alert (score, name, part, at_least) VALUES ('worth', 'fit', 'fit', 50);
INSERT INTO lead_scoring.alert (score, name, label) VALUES ('worth', 'is high', 'High');
INSERT INTO lead_scoring.alert (score, name, above, margin) VALUES ('worth', 'calm', 90, 10);
SELECT is((SELECT part FROM lead_scoring.alert WHERE name = 'is high'), 'label', 'the part of an alert on a label');
SELECT pg_temp.set(1, 1), pg_temp.set(2, 1);
SELECT lead_scoring.take_changes();
SELECT pg_temp.set(1, 60);
SELECT is(pg_temp.news(), '1 Low>Mid, 1 fit:fit', 'alert on a part');
SELECT pg_temp.set(1, 70);
SELECT is(pg_temp.news(), '1 Mid>High, 1 label:is high', 'alert on a label');
SELECT pg_temp.set(1, 91), pg_temp.set(1, 90), pg_temp.set(1, 95), pg_temp.set(1, 80), pg_temp.set(1, 95);
SELECT is(pg_temp.news(), '1 total:calm', 'with a margin it comes again only');
SELECT results_eq('SELECT score, record_key, alert FROM lead_scoring.alerted', $$VALUES ('worth', '1', 'calm')$$, 'because it is remembered');
SELECT pg_temp.set(1, 79.9999);
SELECT is_empty('SELECT * FROM lead_scoring.alerted', 'until the value was below the threshold by more than the margin');
SELECT pg_temp.set(1, 95);
SELECT is(pg_temp.news(), '1 total:calm', 'and then again');
UPDATE lead_scoring.alert SET above = 97 WHERE name = 'calm';
SELECT pg_temp.set(1, 98);
SELECT is(pg_temp.news(), '1 total:calm', 'with another threshold it has not been given yet');
SELECT pg_temp.set(1, 96), pg_temp.set(1, 99);
SELECT is(pg_temp.news(), '', '... and then it has');
UPDATE lead_scoring.alert SET above = 97, part = 'fit' WHERE name = 'calm';
SELECT pg_temp.set(1, 96), pg_temp.set(1, 99);
SELECT is(pg_temp.news(), '1 fit:calm', 'nor has that of another part');
UPDATE lead_scoring.alert SET above = 90, part = 'total' WHERE name = 'calm';
SELECT pg_temp.set(1, 10), pg_temp.set(1, 95);
SELECT lead_scoring.take_changes();
DELETE FROM contacts WHERE id = 1;
INSERT INTO contacts (id, revenue) VALUES (1, 10);
SELECT lead_scoring.refresh('worth', pg_temp.day(), '{1}'), pg_temp.set(1, 95);
SELECT is(pg_temp.news(), '1 ->Low, 1 Low>High, 1 label:is high, 1 total:calm, 1 fit:fit', 'another record with the key of one that is gone');
SELECT lead_scoring.deactivate('worth');
UPDATE contacts SET revenue = 10 WHERE id = 1;
SELECT lead_scoring.activate('worth');
SELECT pg_temp.by_hand();
SELECT pg_temp.set(1, 95);
SELECT is(pg_temp.news(), '1 Low>High, 1 label:is high, 1 total:calm, 1 fit:fit', 'what was given before the score was switched off');
DELETE FROM lead_scoring.alert;
SELECT lead_scoring.maintain_history(pg_temp.day());
SELECT is_empty('SELECT * FROM lead_scoring.alerted', 'the states of alerts that are gone go');

-- E35: keywords
SELECT pg_temp.simple('mentions', 'engagement');
SELECT pg_temp.rule('mentions', 'keywords', 'activity', $$type = 'message'$$, 1,
  $${"value": "lead_scoring.keyword_hits(detail, '{price,contract}')", "counting": "each", "rollup": "sum", "effect": "add", "enabled": true}$$);
INSERT INTO lead_scoring.alert (score, name, at_least) VALUES ('mentions', 'supervisor', 3);
SELECT lead_scoring.activate('mentions');
SELECT pg_temp.by_hand();
SELECT pg_temp.act(1, 'message', 1, 'What is the price?');
SELECT lead_scoring.refresh('mentions', pg_temp.day());
SELECT is(pg_temp.news('mentions'), '', 'E35: price');
SELECT pg_temp.act(1, 'message', 1, 'Send me a contract');
SELECT lead_scoring.refresh('mentions', pg_temp.day());
SELECT is(pg_temp.news('mentions'), '', 'E35: contract');
SELECT pg_temp.act(1, 'message', 1, 'That price is fine');
SELECT lead_scoring.refresh('mentions', pg_temp.day());
SELECT is(pg_temp.news('mentions'), '1 total:supervisor', 'E35: price again: the third mention alerts');
SELECT pg_temp.act(1, 'message', 1, 'Contract, please');
SELECT lead_scoring.refresh('mentions', pg_temp.day());
SELECT is(pg_temp.news('mentions'), '', 'E35: no second alert at the fourth');
SELECT is((SELECT mentions FROM contacts WHERE id = 1), 4::float8, 'E35: four mentions');

-- Hysteresis
UPDATE lead_scoring.band SET margin = 5 WHERE score = 'worth' AND lower_bound IS NOT NULL;
SELECT pg_temp.set(1, 10), pg_temp.set(2, 10), pg_temp.set(3, 10);
SELECT lead_scoring.take_changes();
SELECT is_empty('SELECT * FROM lead_scoring.announced', 'nothing is held back');
SELECT pg_temp.set(1, 40);
SELECT is(pg_temp.news(), '', '40 is Mid, but not by the margin');
SELECT is((SELECT worth_label FROM contacts WHERE id = 1), 'Mid', 'the stored label is that of the value');
SELECT results_eq('SELECT record_key, label, announced_at FROM lead_scoring.announced', $$VALUES ('1', 'Low', NULL::timestamptz)$$, 'what was announced is remembered');
SELECT pg_temp.set(1, 44), pg_temp.set(1, 39), pg_temp.set(1, 41), pg_temp.set(1, 36), pg_temp.set(1, 42);
SELECT is(pg_temp.news(), '', 'wavering about the bound is no news');
SELECT pg_temp.set(1, 45);
SELECT is(pg_temp.news(), '1 Low>Mid', 'announced once the value is far enough, though the label has not changed since');
SELECT is_empty('SELECT * FROM lead_scoring.announced', 'then what is stored is what was announced');
SELECT pg_temp.set(1, 35);
SELECT is(pg_temp.news(), '', 'nor is 35 low enough');
SELECT pg_temp.set(1, 34.9999);
SELECT is(pg_temp.news(), '1 Mid>Low', 'below the bound by more than the margin');
SELECT pg_temp.set(1, 72);
SELECT is(pg_temp.news(), '1 Low>Mid', 'a band on the way');
SELECT pg_temp.set(1, 39);
SELECT is(pg_temp.news(), '', 'back, but not by the margin');
SELECT pg_temp.set(1, 43);
SELECT is_empty('SELECT * FROM lead_scoring.announced', 'the label that was announced is the stored one again');
SELECT pg_temp.set(1, 100);
SELECT is(pg_temp.news(), '1 Mid>High', 'far above');
UPDATE contacts SET revenue = 41 WHERE id <= 3;
SELECT lead_scoring.refresh('worth', pg_temp.day());
SELECT is(pg_temp.news(), '1 High>Mid', 'several records at once');
UPDATE lead_scoring.rule SET points = 1.01 WHERE score = 'worth';
SELECT is_empty('SELECT * FROM lead_scoring.announced', 'a rule edit takes what is stored for announced');
SELECT is(pg_temp.news(), '', 'without telling');
UPDATE lead_scoring.rule SET points = 1 WHERE score = 'worth';
SELECT pg_temp.set(1, 10), pg_temp.set(1, 50);
SELECT lead_scoring.take_changes();
SELECT pg_temp.set(1, 38);
SELECT is(pg_temp.news(), '', 'held back');
UPDATE lead_scoring.band SET margin = NULL WHERE score = 'worth';
SELECT pg_temp.set(1, 37);
SELECT is(pg_temp.news(), '1 Mid>Low', 'what was held back by a margin that is gone is told');
SELECT is_empty('SELECT * FROM lead_scoring.announced', '... and no more remembered');

-- Dwell
UPDATE lead_scoring.band SET margin = NULL, dwell = CASE label WHEN 'High' THEN interval '2 days' END WHERE score = 'worth';
SELECT pg_temp.set(1, 10);
SELECT lead_scoring.take_changes();
SELECT pg_temp.set(1, 70, pg_temp.day());
SELECT is(pg_temp.news(), '1 Low>High', 'announced at once');
SELECT results_eq('SELECT record_key, label, announced_at FROM lead_scoring.announced', $$VALUES ('1', 'High', pg_temp.day())$$, 'it has to stand for two days');
SELECT pg_temp.set(1, 50, pg_temp.day() + interval '1 day');
SELECT is(pg_temp.news(), '', 'held back after one day');
SELECT is((SELECT worth_label FROM contacts WHERE id = 1), 'Mid', 'but stored');
SELECT is(lead_scoring.announce_due(pg_temp.day() + interval '47 hours'), 0::bigint, 'not due yet');
SELECT is(pg_temp.news(), '', 'so not announced');
SELECT is(lead_scoring.announce_due(pg_temp.day() + interval '48 hours'), 1::bigint, 'due after two days');
SELECT is((SELECT concat_ws(' ', from_label, to_label, total_after, reason, changed_at) FROM lead_scoring.take_changes()), 'High Mid 50 time 2026-02-02 00:00:00+00', 'announced without an evaluation');
SELECT is_empty('SELECT * FROM lead_scoring.announced', 'and done with');
SELECT pg_temp.set(1, 70, pg_temp.day()), pg_temp.set(1, 10, pg_temp.day() + interval '1 day'), pg_temp.set(1, 80, pg_temp.day() + interval '36 hours');
SELECT is(pg_temp.news(), '1 Mid>High', 'there and back within the time is no news');
SELECT is(lead_scoring.announce_due(pg_temp.day() + interval '2 days'), 0::bigint, 'nothing to announce');
SELECT is_empty('SELECT * FROM lead_scoring.announced', 'nor to remember');
SELECT pg_temp.set(1, 10, pg_temp.day()), pg_temp.set(1, 70, pg_temp.day()), pg_temp.set(1, 10, pg_temp.day() + interval '3 days');
SELECT is(pg_temp.news(), '1 High>Low, 1 Low>High, 1 High>Low', 'after the time an evaluation announces');
SELECT pg_temp.set(1, 10, pg_temp.day()), pg_temp.set(1, 70, pg_temp.day()), pg_temp.set(1, 10, pg_temp.day() + interval '1 day');
SELECT lead_scoring.take_changes();
CALL lead_scoring.refresh_due(pg_temp.day() + interval '47 hours');
SELECT is(pg_temp.news(), '', 'who follows time waits for the dwell');
CALL lead_scoring.refresh_due(pg_temp.day() + interval '48 hours');
SELECT is(pg_temp.news(), '1 High>Low', '... and announces what it held back');
SELECT is_empty('SELECT * FROM lead_scoring.announced', '... which is done with');
SELECT is(lead_scoring.announce_due(), 0::bigint, 'nothing is due');
INSERT INTO contacts (id, revenue) VALUES (7, 10);
SELECT pg_temp.set(7, 10), pg_temp.set(7, 70);
SELECT lead_scoring.take_changes();
DELETE FROM contacts WHERE id = 7;
SELECT is((SELECT count(*) FROM lead_scoring.announced), 1::bigint, 'the label of a record that goes has to stand');
CALL lead_scoring.refresh_due(pg_temp.day() + interval '3 days');
SELECT is_empty('SELECT * FROM lead_scoring.announced', '... and is forgotten afterwards');

-- Taking
SELECT pg_temp.set(1, 50), pg_temp.set(2, 10), pg_temp.set(3, 10);
SELECT is((SELECT count(*) FROM lead_scoring.take_changes('worth', 2)), 2::bigint, 'so many at most');
SELECT is((SELECT count(*) FROM lead_scoring.take_changes('worth', 0)), 0::bigint, 'or none');
SELECT ok((SELECT count(*) FROM lead_scoring.take_changes('worth')) > 0, 'the rest later');
SELECT throws_ok($$SELECT lead_scoring.take_changes('nothing')$$, '42704', NULL, 'of a score that there is not');
SELECT throws_ok($$SELECT lead_scoring.take_changes('worth', -1)$$, '22023', NULL, 'fewer than none');
SELECT throws_ok($$SELECT lead_scoring.announce_due('infinity')$$, NULL, NULL, 'announcing at the end of time');
SELECT * FROM finish();
ROLLBACK;
