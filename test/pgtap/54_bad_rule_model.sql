-- Bad definitions of values, multipliers, sequences, segments, links and resets: each is refused with its own SQLSTATE
-- and with words that name the offence. Good ones stand beside them, at the same edges.
BEGIN;
\ir include/crm.psql

CREATE TABLE victim (id int);
CREATE TABLE uids (uid uuid, contact_id int, word text);
CREATE TABLE odd (id int, contact_id int, flag bool, j jsonb, span interval, price money, at timestamptz);
CREATE DOMAIN score_points AS numeric CHECK (VALUE >= 0);
CREATE TABLE numbers (contact_id int, a smallint, b int, c bigint, d numeric, e real, f float8, g score_points, at timestamptz);
CREATE SEQUENCE series;
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('company', 'companies', 'id');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES
  ('number', 'contact', 'numbers', 'contact_id', 'at'), ('odd', 'contact', 'odd', 'contact_id', 'at'), ('spare', 'contact', 'activities', 'contact_id', 'occurred_at');
SELECT pg_temp.simple('s', 'engagement', '50% per month');
SELECT pg_temp.simple('f', 'fit');
INSERT INTO lead_scoring.score (name, record_type, kind, min_points, max_points) VALUES ('c', 'contact', 'combined', 0, 100), ('only', 'contact', 'fit', 0, NULL), ('company', 'company', 'combined', NULL, NULL);
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('c', 'f', 'fit'), ('c', 'e', 'engagement'), ('company', 'e', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, source, points) VALUES ('s', 'all', 'r', 'activity', 1), ('c', 'e', 'r', 'activity', 1);
INSERT INTO lead_scoring.rule (score, group_name, name, points) VALUES ('f', 'all', 'r', 1);
INSERT INTO lead_scoring.rule (score, group_name, name, points, effect, multiplies) VALUES ('c', 'f', 'up', 1.5, 'multiply', 'engagement');
INSERT INTO lead_scoring.segment_decay (score, group_name, segment, decay) VALUES ('s', 'all', $$industry = 'Retail'$$, '50% per year');
INSERT INTO lead_scoring.event_factor (score, name, source, factor) VALUES ('s', 'fair', 'spare', 2);
INSERT INTO lead_scoring.band (score, label, lower_bound, top_share, capacity) VALUES ('s', 'best ten', NULL, NULL, 10), ('s', 'best tenth', NULL, 0.1, NULL), ('s', 'A', 10, NULL, NULL), ('s', 'Z', NULL, NULL, NULL);
INSERT INTO lead_scoring.engagement_reset (score, record_key, at) VALUES ('s', '1', '2026-01-01');
INSERT INTO contacts (id) VALUES (1);

-- The shortest ways to write a row, for the cases below
CREATE FUNCTION pg_temp.insertion(target text, given text, more text) RETURNS text LANGUAGE sql AS $$
  SELECT format('INSERT INTO lead_scoring.%s (%s) VALUES (%s)', target, string_agg(quote_ident(k), ', '), string_agg(quote_nullable(v), ', '))
    FROM jsonb_each_text(given::jsonb || more::jsonb) AS e (k, v)
$$;
CREATE TABLE bad (i int GENERATED ALWAYS AS IDENTITY, what text, code text, message text, statement text);

-- Rules, from one that is good: over events of "s" (e), records of "f" (p), related rows of "f" (q), both kinds in "c" (ce, cf)
CREATE TABLE bad_rule (i int GENERATED ALWAYS AS IDENTITY, what text, code text, base text, more text, message text);
INSERT INTO bad_rule (what, code, base, more, message) VALUES
  ('value that is a condition', '42804', 'e', '{"value": "amount > 1"}', 'value of rule "x" of score "s": must be a number, not boolean'),
  ('value that is a text', '42804', 'e', '{"value": "type"}', 'value of rule "x" of score "s": must be a number, not text'),
  ('value that is a time', '42804', 'e', '{"value": "as_of - occurred_at"}', 'must be a number, not interval'),
  ('value that is money', '42804', 'odd', '{"value": "price"}', 'must be a number, not money'),
  ('value that is a document', '42804', 'odd', '{"value": "j"}', 'must be a number, not jsonb'),
  ('value that is an array', '42804', 'p', '{"value": "ARRAY[1, 2]", "counting": "each"}', 'must be a number, not integer\[\]'),
  ('value that is a row', '42804', 'e', '{"value": "(1, 2)"}', 'must be a number, not record'),
  ('value of an unknown column', '42703', 'e', '{"value": "amont * 2"}', 'column "amont" does not exist'),
  ('value not finished', '42601', 'e', '{"value": "amount *"}', 'value of rule "x" of score "s": syntax error'),
  ('value empty', '42601', 'e', '{"value": ""}', 'value of rule "x" of score "s": not a single expression'),
  ('value of two statements', '42601', 'e', '{"value": "1; DROP TABLE victim"}', 'value of rule "x" of score "s": syntax error'),
  ('value that aggregates', '42803', 'e', '{"value": "sum(amount)"}', 'aggregate functions are not allowed'),
  ('value with a subquery', '0A000', 'e', '{"value": "(SELECT 1)"}', 'subqueries are not allowed'),
  ('value that is volatile', '42P17', 'e', '{"value": "random()"}', 'volatile functions are not allowed'),
  ('value that is a bad number', '22P02', 'e', '{"value": "''abc''"}', 'invalid input syntax'),
  ('value of many rows', '0A000', 'e', '{"value": "generate_series(1, 2)"}', 'set-returning functions are not allowed'),
  ('rollup unknown', '22023', 'e', '{"value": "amount", "rollup": "median"}', 'rollup of rule "x" of score "s" cannot be ''median'''),
  ('rollup without a value', '22023', 'e', '{"rollup": "max"}', 'rollup max of rule "x" of score "s" needs a value'),
  ('a property paid for each without a value', '22023', 'p', '{"counting": "each"}', 'counting of rule "x" of score "f" cannot be ''each'''),
  ('related rows paid for each without a value', '22023', 'q', '{"counting": "each"}', 'counting of rule "x" of score "f" cannot be ''each'''),
  ('counting unknown', '22023', 'e', '{"counting": "daily"}', 'counting of rule "x" of score "s" cannot be ''daily'''),
  ('bounds of each value', '22023', 'e', '{"value": "amount", "at_least": 5}', 'at_least and at_most of rule "x" of score "s" need counting ''once'''),
  ('bounds of a property without a value', '22023', 'p', '{"at_most": 5}', 'need counting ''once'' and a source or a value'),
  ('negative number of rows', '22023', 'e', '{"counting": "once", "at_least": -5}', 'must not be negative'),
  ('bounds of a value exchanged', '22023', 'p', '{"value": "employees", "at_least": 5, "at_most": -5}', 'at_least 5 of rule "x" of score "f" is above at_most -5'),
  ('bound of a value NaN', '22023', 'p', '{"value": "employees", "at_least": "NaN"}', 'at_least NaN of rule "x"'),
  ('max_times 0', '22023', 'e', '{"max_times": 0}', 'max_times of rule "x" of score "s" must be at least 1: 0'),
  ('max_times negative', '22023', 'e', '{"max_times": -1}', 'max_times of rule "x" of score "s" must be at least 1: -1'),
  ('max_times_per without max_times', '22023', 'e', '{"max_times_per": "1 day"}', 'max_times_per of rule "x" of score "s" needs max_times'),
  ('max_times_per 0', '22023', 'e', '{"max_times": 1, "max_times_per": "0"}', 'max_times_per of rule "x" of score "s" must be longer than zero: 00:00:00'),
  ('max_times_per negative', '22023', 'e', '{"max_times": 1, "max_times_per": "-1 day"}', 'max_times_per of rule "x" of score "s" must be longer than zero: -1 days'),
  ('max_times_per longer than time', '22015', 'e', '{"max_times": 1, "max_times_per": "178000000 years"}', 'max_times_per of rule "x" of score "s" is out of range'),
  ('max_times of what pays once', '22023', 'e', '{"counting": "once", "max_times": 3}', 'max_times of rule "x" of score "s" needs max_times_per'),
  ('max_times of a property', '22023', 'p', '{"value": "employees", "counting": "each", "max_times": 3}', 'max_times of rule "x" of score "f" needs events'),
  ('max_times of related rows', '22023', 'q', '{"max_times": 3, "max_times_per": "1 day"}', 'max_times of rule "x" of score "f" needs events'),
  ('every_n 1', '22023', 'e', '{"every_n": 1}', 'every_n of rule "x" of score "s" must be at least 2: 1'),
  ('every_n negative', '22023', 'e', '{"every_n": -5}', 'every_n of rule "x" of score "s" must be at least 2: -5'),
  ('every_n of what pays once', '22023', 'e', '{"every_n": 5, "counting": "once"}', 'every_n of rule "x" of score "s" needs events and counting ''each'''),
  ('every_n of a property', '22023', 'p', '{"every_n": 5}', 'every_n of rule "x" of score "f" needs events and counting ''each'''),
  ('every_n of related rows', '22023', 'q', '{"every_n": 5, "counting": "each", "value": "employees"}', 'every_n of rule "x" of score "f" needs events'),
  ('every_n of a value', '22023', 'e', '{"every_n": 5, "value": "amount"}', 'rule "x" of score "s" cannot have every_n and a value'),
  ('followed_by without a time', '22023', 'e', '{"followed_by": "true"}', 'followed_by and followed_within of rule "x" of score "s" belong together'),
  ('followed_within without a criterion', '22023', 'e', '{"followed_within": "1 day"}', 'followed_by and followed_within of rule "x" of score "s" belong together'),
  ('followed_by of a property', '22023', 'p', '{"followed_by": "true", "followed_within": "1 day"}', 'rule "x" of score "f" has no time'),
  ('followed_by of related rows', '22023', 'q', '{"followed_by": "true", "followed_within": "1 day"}', 'rule "x" of score "f" has no time'),
  ('followed_by with a value', '22023', 'e', '{"followed_by": "true", "followed_within": "1 day", "value": "amount"}', 'rule "x" of score "s" cannot have followed_by and a value'),
  ('followed_within 0', '22023', 'e', '{"followed_by": "true", "followed_within": "0"}', 'followed_within of rule "x" of score "s" must be longer than zero'),
  ('followed_within negative', '22023', 'e', '{"followed_by": "true", "followed_within": "1 month -31 days"}', 'followed_within of rule "x" of score "s" must be longer than zero'),
  ('followed_within longer than time', '22015', 'e', '{"followed_by": "true", "followed_within": "178000000 years"}', 'followed_within of rule "x" of score "s" is out of range'),
  ('followed_by that is no condition', '42804', 'e', '{"followed_by": "type", "followed_within": "1 day"}', 'followed_by of rule "x" of score "s": must be boolean, not text'),
  ('followed_by of an unknown column', '42703', 'e', '{"followed_by": "typ = ''x''", "followed_within": "1 day"}', 'followed_by of rule "x" of score "s": column "typ" does not exist'),
  ('followed_by that is volatile', '42P17', 'e', '{"followed_by": "random() > 0.5", "followed_within": "1 day"}', 'followed_by of rule "x" of score "s": volatile'),
  ('quiet property', '22023', 'p', '{"counting": "quiet"}', 'counting of rule "x" of score "f" cannot be ''quiet'''),
  ('quiet related rows', '22023', 'q', '{"counting": "quiet"}', 'counting of rule "x" of score "f" cannot be ''quiet'''),
  ('quiet without within', '22023', 'e', '{"counting": "quiet"}', 'rule "x" of score "s" counts quiet time but has no within'),
  ('quiet with at_least', '22023', 'e', '{"counting": "quiet", "within": "30 days", "at_least": 1}', 'rule "x" of score "s" counts quiet time and has at_least'),
  ('quiet with at_most', '22023', 'e', '{"counting": "quiet", "within": "30 days", "at_most": 1}', 'counts quiet time and has at_most'),
  ('quiet with a value', '22023', 'e', '{"counting": "quiet", "within": "30 days", "value": "amount"}', 'counts quiet time and has value'),
  ('quiet with every_n', '22023', 'e', '{"counting": "quiet", "within": "30 days", "every_n": 2}', 'counts quiet time and has every_n'),
  ('quiet with followed_by', '22023', 'e', '{"counting": "quiet", "within": "30 days", "followed_by": "true", "followed_within": "1 day"}', 'counts quiet time and has followed_by'),
  ('quiet with max_times_per', '22023', 'e', '{"counting": "quiet", "within": "30 days", "max_times": 1, "max_times_per": "1 day"}', 'counts quiet time and has max_times_per'),
  ('quiet with two of them', '22023', 'e', '{"counting": "quiet", "within": "30 days", "value": "amount", "every_n": 2}', 'counts quiet time and has value, every_n'),
  ('effect unknown', '22023', 'e', '{"effect": "divide"}', 'effect of rule "x" of score "s" cannot be ''divide'''),
  ('multiplies without effect', '22023', 'e', '{"multiplies": "total"}', 'multiplies of rule "x" of score "s" needs effect ''multiply'''),
  ('multiplies unknown', '22023', 'ce', '{"effect": "multiply", "multiplies": "label"}', 'rule "x" of score "c" cannot multiply ''label'''),
  ('multiplies what the score has not: fit', '22023', 'e', '{"effect": "multiply", "multiplies": "fit"}', 'rule "x" of score "s" cannot multiply ''fit'''),
  ('multiplies what the score has not: engagement', '22023', 'p', '{"effect": "multiply", "multiplies": "engagement"}', 'rule "x" of score "f" cannot multiply ''engagement'''),
  ('multiplier paid for each', '22023', 'e', '{"effect": "multiply", "counting": "each"}', 'counting of rule "x" of score "s" cannot be ''each'' with effect ''multiply'''),
  ('multiplier of quiet time', '22023', 'e', '{"effect": "multiply", "counting": "quiet", "within": "30 days"}', 'counting of rule "x" of score "s" cannot be ''quiet'' with effect ''multiply'''),
  ('multiplier of each value', '22023', 'p', '{"effect": "multiply", "counting": "each", "value": "employees"}', 'counting of rule "x" of score "f" cannot be ''each'' with effect'),
  ('factor NULL', '22004', 'e', '{"effect": "multiply", "points": null}', 'points of rule "x" of score "s" must not be NULL'),
  ('factor negative', '22003', 'e', '{"effect": "multiply", "points": -0.5}', 'points of rule "x" of score "s" out of range: -0.5'),
  ('factor NaN', '22003', 'e', '{"effect": "multiply", "points": "NaN"}', 'points of rule "x" of score "s" out of range: NaN'),
  ('factor infinite', '22003', 'e', '{"effect": "multiply", "points": "Infinity"}', 'points of rule "x" of score "s" out of range: Infinity'),
  ('factor too large', '22003', 'e', '{"effect": "multiply", "points": 1000001}', 'points of rule "x" of score "s" out of range: 1000001'),
  ('multiplier about events in a fit group', '22023', 'ce', '{"effect": "multiply", "group_name": "f"}', 'rule "x" of score "c" cannot be in fit group "f"'),
  ('multiplier about the record in an engagement group', '22023', 'cf', '{"effect": "multiply", "group_name": "e", "multiplies": "total"}', 'rule "x" of score "c" cannot be in engagement group "e"'),
  ('valid to before valid from', '22023', 'e', '{"valid_from": "2026-02-01", "valid_to": "2026-01-01"}', 'rule "x" of score "s" is never in force'),
  ('valid to = valid from', '22023', 'p', '{"valid_from": "2026-02-01", "valid_to": "2026-02-01"}', 'rule "x" of score "f" is never in force');
CREATE FUNCTION pg_temp.rule_base(base text) RETURNS text LANGUAGE sql AS $$
  SELECT CASE base
         WHEN 'e' THEN '{"score": "s", "group_name": "all", "name": "x", "source": "activity", "points": 1}'
         WHEN 'odd' THEN '{"score": "s", "group_name": "all", "name": "x", "source": "odd", "points": 1}'
         WHEN 'number' THEN '{"score": "s", "group_name": "all", "name": "x", "source": "number", "points": 1}'
         WHEN 'p' THEN '{"score": "f", "group_name": "all", "name": "x", "points": 1}'
         WHEN 'q' THEN '{"score": "f", "group_name": "all", "name": "x", "source": "company", "points": 1}'
         WHEN 'ce' THEN '{"score": "c", "group_name": "e", "name": "x", "source": "activity", "points": 1}'
         WHEN 'cf' THEN '{"score": "c", "group_name": "f", "name": "x", "points": 1}' END
$$;
INSERT INTO bad (what, code, message, statement)
SELECT 'rule: ' || what, code, message, pg_temp.insertion('rule', pg_temp.rule_base(base), more) FROM bad_rule ORDER BY i;
INSERT INTO bad (what, code, message, statement) VALUES
  ('rule: an adder made a multiplier that counts each', '22023', 'with effect ''multiply''', $$UPDATE lead_scoring.rule SET effect = 'multiply' WHERE score = 's'$$),
  ('rule: a multiplier made an adder', '22023', 'multiplies of rule "up" of score "c" needs effect ''multiply''', $$UPDATE lead_scoring.rule SET effect = 'add' WHERE name = 'up'$$),
  ('rule: a value by an update', '42703', 'value of rule "r" of score "s": column "nope"', $$UPDATE lead_scoring.rule SET value = 'nope' WHERE score = 's'$$);

-- The other tables, in the same way
CREATE TABLE bad_row (i int GENERATED ALWAYS AS IDENTITY, what text, code text, target text, more text, message text);
INSERT INTO bad_row (what, code, target, more, message) VALUES
  ('open_when that is no condition', '42804', 'record_type', '{"open_when": "industry"}', 'open_when of record type "x": must be boolean, not text'),
  ('open_when of an unknown column', '42703', 'record_type', '{"open_when": "stage = ''open''"}', 'open_when of record type "x": column "stage" does not exist'),
  ('open_when that aggregates', '42803', 'record_type', '{"open_when": "count(*) > 1"}', 'open_when of record type "x": aggregate'),
  ('open_when with a subquery', '0A000', 'record_type', '{"open_when": "EXISTS (SELECT FROM victim)"}', 'open_when of record type "x": subqueries'),
  ('open_when that is volatile', '42P17', 'record_type', '{"open_when": "random() > 0.5"}', 'open_when of record type "x": volatile'),
  ('open_when empty', '42601', 'record_type', '{"open_when": ""}', 'open_when of record type "x": not a single expression'),
  ('dedup_key without a time', '22023', 'source', '{"dedup_key": "type", "occurred_at": null}', 'dedup_key and dedup_within of source "x" need occurred_at'),
  ('dedup_within without a time', '22023', 'source', '{"dedup_within": "1 day", "occurred_at": null}', 'dedup_key and dedup_within of source "x" need occurred_at'),
  ('dedup_within 0', '22023', 'source', '{"dedup_within": "0"}', 'dedup_within of source "x" must be longer than zero: 00:00:00'),
  ('dedup_within negative', '22023', 'source', '{"dedup_within": "-1 hour"}', 'dedup_within of source "x" must be longer than zero'),
  ('dedup_within longer than time', '22015', 'source', '{"dedup_within": "178000000 years"}', 'dedup_within of source "x" is out of range'),
  ('dedup_key of an unknown column', '42703', 'source', '{"dedup_key": "typ"}', 'dedup_key of source "x": column "typ" does not exist'),
  ('dedup_key that is volatile', '42P17', 'source', '{"dedup_key": "random()"}', 'dedup_key of source "x": volatile'),
  ('dedup_key that aggregates', '42803', 'source', '{"dedup_key": "max(type)"}', 'dedup_key of source "x": aggregate'),
  ('dedup_key of two', '42601', 'source', '{"dedup_key": "type, detail"}', 'dedup_key of source "x": not a single expression'),
  ('dedup_key with a subquery', '0A000', 'source', '{"dedup_key": "(SELECT 1)"}', 'dedup_key of source "x": subqueries'),
  ('through without its columns', '22023', 'source', '{"through": "contacts"}', 'through, through_key and through_record of source "x" belong together'),
  ('through without through_record', '22023', 'source', '{"through": "contacts", "through_key": "id"}', 'through, through_key and through_record of source "x" belong together'),
  ('through without through_key', '22023', 'source', '{"through": "contacts", "through_record": "company_id"}', 'through, through_key and through_record of source "x" belong together'),
  ('columns without through', '22023', 'source', '{"through_key": "id", "through_record": "company_id"}', 'through, through_key and through_record of source "x" belong together'),
  ('through_filter without through', '22023', 'source', '{"through_filter": "true"}', 'through_filter of source "x" needs through'),
  ('through that is no table', '42809', 'source', '{"through": "series", "through_key": "last_value", "through_record": "last_value"}', 'series" is not a table'),
  ('through that does not exist', '42P01', 'source', '{"through": "nowhere", "through_key": "id", "through_record": "id"}', 'relation "nowhere" does not exist'),
  ('through of OID 0', '42P01', 'source', '{"through": "0", "through_key": "id", "through_record": "id"}', 'relation with OID 0 does not exist'),
  ('through_key that is no column', '42703', 'source', '{"through": "contacts", "through_key": "key", "through_record": "company_id"}', 'through_key "key" is not a column of "public.contacts"'),
  ('through_record that is no column', '42703', 'source', '{"through": "contacts", "through_key": "id", "through_record": "company"}', 'through_record "company" is not a column of "public.contacts"'),
  ('record key and through_key of different kinds', '42804', 'source', '{"through": "uids", "through_key": "uid", "through_record": "contact_id"}', 'record key "contact_id" of source "x" has type integer, through_key "uid" has type uuid'),
  ('through_record and the key of different kinds', '42804', 'source', '{"through": "uids", "through_key": "contact_id", "through_record": "word"}', 'through_record "word" of source "x" has type text, the record''s column has type integer'),
  ('through_record and the record column of different kinds', '42804', 'source', '{"through": "contacts", "through_key": "id", "through_record": "company_id", "record_column": "country"}', 'through_record "company_id" of source "x" has type integer, the record''s column has type text'),
  ('through_filter of a column of the rows', '42703', 'source', '{"through": "contacts", "through_key": "id", "through_record": "company_id", "through_filter": "occurred_at < as_of"}', 'through_filter of source "x": column "occurred_at" does not exist'),
  ('through_filter that is no condition', '42804', 'source', '{"through": "contacts", "through_key": "id", "through_record": "company_id", "through_filter": "employees"}', 'through_filter of source "x": must be boolean, not integer'),
  ('dormant_after 0', '22023', 'score', '{"dormant_after": "0"}', 'dormant_after of score "x" must be longer than zero: 00:00:00'),
  ('dormant_after negative', '22023', 'score', '{"dormant_after": "-90 days"}', 'dormant_after of score "x" must be longer than zero: -90 days'),
  ('dormant_after longer than time', '22015', 'score', '{"dormant_after": "178000000 years"}', 'dormant_after of score "x" is out of range'),
  ('adjustment_share above 1', '22023', 'score', '{"adjustment_share": 1.01}', 'adjustment_share of score "x" out of range: 1.01'),
  ('adjustment_share negative', '22023', 'score', '{"adjustment_share": -0.1}', 'adjustment_share of score "x" out of range: -0.1'),
  ('adjustment_share NaN', '22023', 'score', '{"adjustment_share": "NaN"}', 'adjustment_share of score "x" out of range: NaN'),
  ('adjustment_share without min_points', '22023', 'score', '{"adjustment_share": 0.2, "min_points": null}', 'adjustment_share of score "x" needs min_points and max_points'),
  ('adjustment_share without max_points', '22023', 'score', '{"adjustment_share": 0.2, "max_points": null}', 'adjustment_share of score "x" needs min_points and max_points'),
  ('draft of nothing', '42704', 'score', '{"draft_of": "nope"}', 'score "nope" of which score "x" is a draft does not exist'),
  ('draft of itself', '22023', 'score', '{"draft_of": "x"}', 'score "x" cannot be a draft of itself'),
  ('draft of a score of other records', '22023', 'score', '{"draft_of": "company"}', 'score "company" of which score "x" is a draft scores another record type: "company"'),
  ('weight negative', '22003', 'score_group', '{"weight": -1}', 'weight of group "x" of score "s" out of range: -1'),
  ('weight NaN', '22003', 'score_group', '{"weight": "NaN"}', 'weight of group "x" of score "s" out of range: NaN'),
  ('weight infinite', '22003', 'score_group', '{"weight": "infinity"}', 'weight of group "x" of score "s" out of range: Infinity'),
  ('decay_after without a decay', '22023', 'score_group', '{"decay_after": "3 days"}', 'decay_after of group "x" of score "s" needs a decay'),
  ('decay_after negative', '22023', 'score_group', '{"decay": "50% per month", "decay_after": "-3 days"}', 'decay_after of group "x" of score "s" must not be negative: -3 days'),
  ('decay_after longer than time', '22015', 'score_group', '{"decay": "50% per month", "decay_after": "178000000 years"}', 'decay_after of group "x" of score "s" is out of range'),
  ('decay_after of a fit group', '22023', 'score_group', '{"score": "f", "kind": "fit", "decay_after": "3 days"}', 'fit group "x" of score "f" cannot decay'),
  ('of no score', '42704', 'segment_decay', '{"score": "nope"}', 'score "nope" does not exist'),
  ('of no group', '42704', 'segment_decay', '{"group_name": "nope"}', 'group "nope" of score "s" does not exist'),
  ('of a fit group', '22023', 'segment_decay', '{"score": "f"}', 'fit group "all" of score "f" cannot decay'),
  ('segment NULL', '22004', 'segment_decay', '{"segment": null}', 'segment of a decay of group "all" of score "s" must not be NULL'),
  ('segment of an unknown column', '42703', 'segment_decay', '{"segment": "type = ''x''"}', 'segment of a decay of group "all" of score "s": column "type" does not exist'),
  ('segment that is no condition', '42804', 'segment_decay', '{"segment": "industry"}', 'segment of a decay of group "all" of score "s": must be boolean, not text'),
  ('segment twice', '23505', 'segment_decay', '{"segment": "industry = ''Retail''"}', 'duplicate key'),
  ('decay_after without a decay', '22023', 'segment_decay', '{"decay": null, "decay_after": "3 days"}', 'decay_after of a decay of group "all" of score "s" needs a decay'),
  ('decay_after negative', '22023', 'segment_decay', '{"decay_after": "-3 days"}', 'must not be negative: -3 days'),
  ('bad decay', '22P02', 'segment_decay', '{"decay": "slowly"}', 'decay'),
  ('of no score', '42704', 'event_factor', '{"score": "nope"}', 'score "nope" does not exist'),
  ('without a name', '42602', 'event_factor', '{"name": null}', 'name of an event factor must not be NULL or empty'),
  ('name taken', '23505', 'event_factor', '{"name": "fair"}', 'duplicate key'),
  ('of no source', '42704', 'event_factor', '{"source": "nope"}', 'source "nope" of event factor "x" of score "s" does not exist'),
  ('source NULL', '42704', 'event_factor', '{"source": null}', 'source "<NULL>" of event factor "x" of score "s" does not exist'),
  ('of related rows', '22023', 'event_factor', '{"source": "company"}', 'source "company" of event factor "x" of score "s" has no events'),
  ('factor NULL', '22004', 'event_factor', '{"factor": null}', 'factor of event factor "x" of score "s" must not be NULL'),
  ('factor negative', '22003', 'event_factor', '{"factor": -1}', 'factor of event factor "x" of score "s" out of range: -1'),
  ('factor NaN', '22003', 'event_factor', '{"factor": "NaN"}', 'factor of event factor "x" of score "s" out of range: NaN'),
  ('factor infinite', '22003', 'event_factor', '{"factor": "infinity"}', 'out of range: Infinity'),
  ('factor too large', '22003', 'event_factor', '{"factor": 1e7}', 'out of range: 10000000'),
  ('since after until', '22023', 'event_factor', '{"since": "2026-02-01", "until": "2026-01-01"}', 'time window of event factor "x" of score "s" is empty'),
  ('since = until', '22023', 'event_factor', '{"since": "2026-02-01", "until": "2026-02-01"}', 'time window of event factor "x" of score "s" is empty'),
  ('never valid', '22023', 'event_factor', '{"valid_from": "2026-02-01", "valid_to": "2026-02-01"}', 'event factor "x" of score "s" is never in force'),
  ('criterion of an unknown column', '42703', 'event_factor', '{"criterion": "typ = ''fair''"}', 'criterion of event factor "x" of score "s": column "typ" does not exist'),
  ('criterion that is no condition', '42804', 'event_factor', '{"criterion": "amount"}', 'criterion of event factor "x" of score "s": must be boolean, not numeric'),
  ('top_share 0', '22023', 'band', '{"top_share": 0}', 'top_share of band "x" of score "s" out of range: 0'),
  ('top_share negative', '22023', 'band', '{"top_share": -0.5}', 'top_share of band "x" of score "s" out of range: -0.5'),
  ('top_share above 1', '22023', 'band', '{"top_share": 1.5}', 'top_share of band "x" of score "s" out of range: 1.5'),
  ('top_share NaN', '22023', 'band', '{"top_share": "NaN"}', 'top_share of band "x" of score "s" out of range: NaN'),
  ('capacity 0', '22023', 'band', '{"capacity": 0}', 'capacity of band "x" of score "s" must be at least 1: 0'),
  ('capacity negative', '22023', 'band', '{"capacity": -1}', 'capacity of band "x" of score "s" must be at least 1: -1'),
  ('capacity and top_share', '22023', 'band', '{"capacity": 5, "top_share": 0.5}', 'band "x" of score "s" has a capacity and a top_share'),
  ('a capacity twice', '23505', 'band', '{"capacity": 10, "lower_bound": 3}', 'band "x" of score "s" has the capacity of band "best ten": 10'),
  ('a share twice', '23505', 'band', '{"top_share": 0.1}', 'band "x" of score "s" has the top_share of band "best tenth": 0.1'),
  ('a bound twice', '23505', 'band', '{"lower_bound": 10}', 'band "x" of score "s" has the lower bound of band "A": 10'),
  ('two for the rest', '23505', 'band', '{}', 'band "x" of score "s" has the lower bound of band "Z": NULL'),
  ('a segment written otherwise', '23505', 'band', '{"segment": " TRUE "}', 'band "x" of score "s" has the lower bound of band "Z": NULL'),
  ('segment of an unknown column', '42703', 'band', '{"segment": "type = ''x''"}', 'segment of band "x" of score "s": column "type" does not exist'),
  ('segment that is no condition', '42804', 'band', '{"segment": "employees"}', 'segment of band "x" of score "s": must be boolean, not integer'),
  ('segment that is volatile', '42P17', 'band', '{"segment": "random() > 0.5"}', 'segment of band "x" of score "s": volatile'),
  ('segment empty', '42601', 'band', '{"segment": ""}', 'segment of band "x" of score "s": not a single expression'),
  ('of no score', '42704', 'engagement_reset', '{"score": "nope"}', 'score "nope" does not exist'),
  ('score NULL', '22004', 'engagement_reset', '{"score": null}', 'score of an engagement reset must not be NULL'),
  ('key NULL', '22004', 'engagement_reset', '{"record_key": null}', 'record key of an engagement reset of score "s" must not be NULL'),
  ('key that is no integer', '22P02', 'engagement_reset', '{"record_key": "x"}', 'invalid input syntax'),
  ('at NULL', '22004', 'engagement_reset', '{"at": null}', 'instant of an engagement reset of score "s" must not be NULL'),
  ('at infinite', '22023', 'engagement_reset', '{"at": "infinity"}', 'instant of an engagement reset of score "s" must be finite: infinity'),
  ('at infinitely early', '22023', 'engagement_reset', '{"at": "-infinity"}', 'instant of an engagement reset of score "s" must be finite: -infinity');
CREATE FUNCTION pg_temp.row_base(target text) RETURNS text LANGUAGE sql AS $$
  SELECT CASE target
         WHEN 'record_type' THEN '{"name": "x", "relation": "contacts", "key_column": "id"}'
         WHEN 'source' THEN '{"name": "x", "record_type": "company", "relation": "activities", "record_key": "contact_id", "occurred_at": "occurred_at"}'
         WHEN 'score' THEN '{"name": "x", "record_type": "contact", "min_points": 0, "max_points": 100}'
         WHEN 'score_group' THEN '{"score": "s", "name": "x", "kind": "engagement"}'
         WHEN 'segment_decay' THEN '{"score": "s", "group_name": "all", "segment": "employees > 5", "decay": "50% per month"}'
         WHEN 'event_factor' THEN '{"score": "s", "name": "x", "source": "activity", "factor": 2}'
         WHEN 'band' THEN '{"score": "s", "label": "x"}'
         WHEN 'engagement_reset' THEN '{"score": "s", "record_key": "1", "at": "2026-01-01"}' END
$$;
INSERT INTO bad (what, code, message, statement)
SELECT target || ': ' || what, code, message, pg_temp.insertion(target, pg_temp.row_base(target), more) FROM bad_row ORDER BY i;
INSERT INTO bad (what, code, message, statement) VALUES
  ('band: a segment too long', '54000', 'segment of band "x" of score "s" is longer than 2000 bytes', pg_temp.insertion('band', pg_temp.row_base('band'), jsonb_build_object('segment', 'industry = ' || quote_literal(repeat('x', 2000)))::text)),
  ('band: a capacity twice by an update', '23505', 'band "A" of score "s" has the capacity of band "best ten": 10', $$UPDATE lead_scoring.band SET capacity = 10 WHERE score = 's' AND label = 'A'$$),
  ('band: a limit taken away, two for the rest', '23505', 'band "best ten" of score "s" has the lower bound of band "Z": NULL', $$UPDATE lead_scoring.band SET capacity = NULL WHERE score = 's' AND label = 'best ten'$$),
  ('source: renamed while a factor uses it', '2BP01', 'source "spare" is used by event factors', $$UPDATE lead_scoring.source SET name = 'y' WHERE name = 'spare'$$),
  ('source: deleted while a factor uses it', '2BP01', 'source "spare" is used by event factors', $$DELETE FROM lead_scoring.source WHERE name = 'spare'$$),
  ('source: its time taken away while a factor uses it', '55000', 'source "spare" is used by event factors', $$UPDATE lead_scoring.source SET occurred_at = NULL WHERE name = 'spare'$$),
  ('score: a limit taken away that adjustment_share needs', '22023', 'adjustment_share of score "only" needs min_points and max_points', $$UPDATE lead_scoring.score SET adjustment_share = 0.2 WHERE name = 'only'$$),
  ('score: record type changed while it has segments', '55000', 'record type of score "s" cannot change', $$UPDATE lead_scoring.score SET record_type = 'company' WHERE name = 's'$$),
  ('score: made fit while a rule multiplies engagement', '55000', 'score "c" has', $$UPDATE lead_scoring.score SET kind = 'fit' WHERE name = 'c'$$),
  ('group: its decay taken away while it has decay_after', '22023', 'decay_after of group "all" of score "s" needs a decay', $$UPDATE lead_scoring.score_group SET decay = NULL, decay_after = '1 day' WHERE score = 's'$$),
  ('segment_decay: moved to a fit group', '22023', 'fit group "f" of score "c" cannot decay', $$UPDATE lead_scoring.segment_decay SET score = 'c', group_name = 'f'$$),
  ('engagement_reset: moved to another score', '22023', 'an engagement reset of score "s" cannot move to another score', $$UPDATE lead_scoring.engagement_reset SET score = 'c'$$),
  ('reset_engagement: no score', '42704', 'score "nope" does not exist', $$SELECT lead_scoring.reset_engagement('nope', '1')$$),
  ('reset_engagement: key NULL', '22004', 'record key of an engagement reset of score "s" must not be NULL', $$SELECT lead_scoring.reset_engagement('s', NULL)$$),
  ('reset_engagement: instant NULL', '22004', 'instant of an engagement reset of score "s" must not be NULL', $$SELECT lead_scoring.reset_engagement('s', '1', NULL)$$),
  ('forget: no record type', '42704', 'record type "nope" does not exist', $$SELECT lead_scoring.forget('nope', '1')$$),
  ('forget: record type NULL', '22004', 'record type must not be NULL', $$SELECT lead_scoring.forget(NULL, '1')$$),
  ('forget: key NULL', '22004', 'record key must not be NULL', $$SELECT lead_scoring.forget('contact', NULL)$$),
  ('forget: key that is no integer', '22P02', 'invalid input syntax', $$SELECT lead_scoring.forget('contact', 'x')$$);

-- What is right at the same edges: written, and taken back at once
CREATE TABLE good (i int GENERATED ALWAYS AS IDENTITY, what text, statement text);
INSERT INTO good (what, statement)
SELECT 'rule: ' || what, pg_temp.insertion('rule', pg_temp.rule_base(base), more) FROM (VALUES
  (1, 'value of each event', 'e', '{"value": "amount / 100"}'), (2, 'value smallint', 'number', '{"value": "a"}'), (3, 'value integer', 'number', '{"value": "b"}'), (4, 'value bigint', 'number', '{"value": "c"}'),
  (5, 'value numeric', 'number', '{"value": "d"}'), (6, 'value real', 'number', '{"value": "e"}'), (7, 'value double precision', 'number', '{"value": "f"}'), (8, 'value of a domain', 'number', '{"value": "g"}'),
  (9, 'value that is a constant', 'e', '{"value": "1"}'), (10, 'value NULL', 'e', '{"value": "NULL"}'), (11, 'value of the age', 'e', '{"value": "extract(epoch FROM as_of - occurred_at)"}'),
  (12, 'a property paid by its value', 'p', '{"value": "employees", "counting": "each"}'), (13, 'related rows paid by their values', 'q', '{"value": "employees", "counting": "each", "rollup": "max"}'),
  (14, 'a property within bounds', 'p', '{"value": "employees", "at_least": -5, "at_most": 5}'), (15, 'related rows within bounds', 'q', '{"value": "employees", "at_most": -1, "rollup": "avg"}'),
  (16, 'events within bounds', 'e', '{"counting": "once", "value": "amount", "rollup": "min", "at_least": -0.5}'),
  (17, 'max_times', 'e', '{"max_times": 1}'), (18, 'max_times in a day', 'e', '{"max_times": 3, "max_times_per": "1 day"}'), (19, 'days with a match', 'e', '{"counting": "once", "at_least": 5, "max_times": 1, "max_times_per": "1 day"}'),
  (20, 'every_n', 'e', '{"every_n": 2}'), (21, 'a sequence', 'e', '{"followed_by": "type = ''y''", "followed_within": "1 day"}'), (22, 'every second sequence', 'e', '{"followed_by": "type = ''y''", "followed_within": "1 day", "every_n": 2}'),
  (23, 'quiet time', 'e', '{"counting": "quiet", "within": "30 days"}'), (24, 'quiet time, thrice at most', 'e', '{"counting": "quiet", "within": "30 days", "max_times": 3, "since": "2020-01-01"}'),
  (25, 'a multiplier', 'e', '{"effect": "multiply", "points": 1.5}'), (26, 'a multiplier of 0', 'p', '{"effect": "multiply", "points": 0, "multiplies": "fit"}'), (27, 'a large multiplier', 'ce', '{"effect": "multiply", "points": 1000000, "multiplies": "fit"}'),
  (28, 'a multiplier of the total', 'cf', '{"effect": "multiply", "multiplies": "total"}'), (29, 'a multiplier of the whole', 'e', '{"effect": "multiply", "multiplies": "total"}'), (30, 'a multiplier by bounds', 'e', '{"effect": "multiply", "counting": "once", "at_least": 3, "within": "30 days"}'),
  (31, 'valid from', 'e', '{"valid_from": "2026-01-01"}'), (32, 'valid for a year', 'p', '{"valid_from": "2026-01-01", "valid_to": "2027-01-01"}'), (33, 'options NULL', 'e', '{"effect": null, "rollup": null, "criterion": null, "enabled": null}')) AS v (i, what, base, more) ORDER BY i;
INSERT INTO good (what, statement)
SELECT target || ': ' || what, pg_temp.insertion(target, pg_temp.row_base(target), more) FROM (VALUES
  (1, 'open_when', 'record_type', '{"open_when": "industry IS NULL AND as_of > ''2020-01-01''"}'), (2, 'dedup_key', 'source', '{"dedup_key": "type || detail"}'), (3, 'dedup_key of a literal', 'source', '{"dedup_key": "''x''"}'),
  (4, 'dedup_key of a row', 'source', '{"dedup_key": "(type, amount)", "dedup_within": "1 hour"}'), (5, 'spacing', 'source', '{"dedup_within": "1 microsecond"}'), (6, 'dedup_key of a number', 'source', '{"dedup_key": "amount"}'),
  (7, 'through', 'source', '{"through": "contacts", "through_key": "id", "through_record": "company_id"}'), (8, 'through with a filter', 'source', '{"through": "contacts", "through_key": "id", "through_record": "company_id", "through_filter": "industry = ''Retail''"}'),
  (9, 'related rows through', 'source', '{"occurred_at": null, "through": "contacts", "through_key": "id", "through_record": "company_id"}'), (10, 'through to another column', 'source', '{"through": "contacts", "through_key": "id", "through_record": "company_id", "record_column": "employees"}'),
  (11, 'never dormant', 'score', '{"dormant_after": null}'), (12, 'adjustment_share 0', 'score', '{"adjustment_share": 0}'), (13, 'adjustment_share 1', 'score', '{"adjustment_share": 1}'), (14, 'a draft', 'score', '{"draft_of": "s"}'),
  (15, 'weight 0', 'score_group', '{"weight": 0}'), (16, 'weight of a fit group', 'score_group', '{"score": "f", "kind": "fit", "weight": 0.3}'), (17, 'decay_after 0', 'score_group', '{"decay": "50% per month", "decay_after": "0"}'),
  (18, 'decay_after', 'score_group', '{"decay": "half-life 7 days", "decay_after": "3 days"}'), (19, 'no decay for a segment', 'segment_decay', '{"decay": null}'), (20, 'decay_after of a segment', 'segment_decay', '{"decay_after": "3 days"}'),
  (21, 'a factor', 'event_factor', '{"criterion": "type = ''fair''", "since": "2026-01-01", "until": "2026-02-01", "valid_from": "2026-01-01", "valid_to": "2026-06-01"}'), (22, 'factor 0', 'event_factor', '{"factor": 0}'),
  (23, 'another capacity', 'band', '{"capacity": 1}'), (24, 'capacity and bound', 'band', '{"capacity": 5, "lower_bound": 10}'), (25, 'the whole share', 'band', '{"top_share": 1}'), (26, 'the rest of a segment', 'band', '{"segment": "industry = ''Retail''"}'),
  (27, 'the same label in a segment', 'band', '{"segment": "industry = ''Retail''", "label": "A", "lower_bound": 10}'), (28, 'the segment NULL', 'band', '{"segment": null, "lower_bound": 11}'), (29, 'a bound that a capacity has', 'band', '{"lower_bound": 12, "top_share": 0.2}'),
  (30, 'a reset to come', 'engagement_reset', '{"at": "2100-01-01", "reason": "why"}'), (31, 'author and creation NULL', 'engagement_reset', '{"author": null, "created_at": null}')) AS v (i, what, target, more) ORDER BY i;

SELECT plan((SELECT count(*)::int FROM bad) * 2 + (SELECT count(*)::int FROM good) + 5);

CREATE FUNCTION pg_temp.everything() RETURNS text LANGUAGE sql AS $$
  SELECT md5(string_agg(r, E'\n' ORDER BY r)) FROM (
    SELECT 'record_type ' || t::text FROM lead_scoring.record_type AS t UNION ALL SELECT 'source ' || t::text FROM lead_scoring.source AS t UNION ALL SELECT 'score ' || t::text FROM lead_scoring.score AS t
    UNION ALL SELECT 'group ' || t::text FROM lead_scoring.score_group AS t UNION ALL SELECT 'rule ' || t::text FROM lead_scoring.rule AS t UNION ALL SELECT 'band ' || t::text FROM lead_scoring.band AS t
    UNION ALL SELECT 'decay ' || t::text FROM lead_scoring.segment_decay AS t UNION ALL SELECT 'factor ' || t::text FROM lead_scoring.event_factor AS t UNION ALL SELECT 'reset ' || t::text FROM lead_scoring.engagement_reset AS t) AS q (r)
$$;
CREATE TABLE before AS SELECT pg_temp.everything() AS everything;

SELECT throws_ok(statement, code, NULL, what) FROM bad ORDER BY i;
SELECT throws_matching(statement, message, what || ': the words') FROM bad ORDER BY i;
SELECT is(pg_temp.everything(), (SELECT everything FROM before), 'no definition was changed by any of them');
SELECT has_table('victim');

CREATE FUNCTION pg_temp.outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE statement;
  RAISE EXCEPTION 'undo' USING ERRCODE = 'ZZ999';
EXCEPTION WHEN SQLSTATE 'ZZ999' THEN
  RETURN 'fine';
WHEN OTHERS THEN
  RETURN SQLERRM;
END
$$;
SELECT is(pg_temp.outcome(statement), 'fine', what) FROM good ORDER BY i;
SELECT is(pg_temp.everything(), (SELECT everything FROM before), 'and they were taken back');

-- Each error tells how to mend it
CREATE FUNCTION pg_temp.complaint(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  m text;
  h text;
BEGIN
  EXECUTE statement;
  RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS m = MESSAGE_TEXT, h = PG_EXCEPTION_HINT;
  RETURN m || ' | ' || h;
END
$$;
SELECT is((SELECT string_agg(what || ': ' || pg_temp.complaint(statement), '; ') FROM bad WHERE code NOT IN ('42P01', '22P02') AND message <> 'duplicate key' AND pg_temp.complaint(statement) !~ ' \| .*\.$'), NULL, 'each has a hint that is a sentence');
SELECT is((SELECT string_agg(what || ': ' || pg_temp.complaint(statement), '; ') FROM bad WHERE pg_temp.complaint(statement) ~ '^[A-Z][a-z]|\. \|'), NULL, 'messages begin in lower case and end without a full stop');

SELECT * FROM finish();
ROLLBACK;
