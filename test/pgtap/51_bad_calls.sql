-- Bad arguments of every function, and bad data: each with its SQLSTATE; nothing is half done
BEGIN;
\ir include/crm.psql
SELECT plan(86);

SELECT pg_temp.simple('s', 'engagement', '50% per month');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES ('s', 'all', 'r', 'activity', $$type = 'x'$$, 1);
SELECT pg_temp.simple('active', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, source, points) VALUES ('active', 'all', 'r', 'activity', 1);
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('no groups', 'contact', 'fit'), ('no rules', 'contact', 'fit');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('no rules', 'g', 'fit');
INSERT INTO contacts (id) VALUES (1), (2);
SELECT pg_temp.act(1, 'x', 3);
SELECT lead_scoring.activate('active');

-- unknown score
SELECT throws_ok(format('SELECT * FROM lead_scoring.%s', call), '42704', NULL, 'unknown score: ' || call)
  FROM unnest(ARRAY[$$evaluate('nope')$$, $$evaluate('nope', now(), '{1}')$$, $$evaluate('')$$, $$explain('nope', '1')$$, $$preview('nope')$$, $$activate('nope')$$, $$deactivate('nope')$$, $$refresh('nope')$$, $$verify('nope')$$]) AS call;

-- NULL and bad as_of
SELECT throws_ok(format('SELECT * FROM lead_scoring.%s', call), '22004', NULL, 'as_of NULL: ' || call)
  FROM unnest(ARRAY[$$evaluate('s', NULL)$$, $$explain('s', '1', NULL)$$, $$preview('s', 10, NULL)$$, $$refresh('active', NULL)$$, $$verify('active', NULL)$$]) AS call;
SELECT throws_ok(format('SELECT * FROM lead_scoring.%s', format(call, t)), '22023', NULL, format('as_of %s: ', t) || call)
  FROM unnest(ARRAY['infinity', '-infinity']) AS t, unnest(ARRAY[$$evaluate('s', %L)$$, $$explain('s', '1', %L)$$, $$preview('s', 10, %L)$$, $$refresh('active', %L)$$, $$verify('active', %L)$$]) AS call;

-- NULL for the score or the record
SELECT throws_ok(format('SELECT * FROM lead_scoring.%s', call), '22004', NULL, 'NULL: ' || call)
  FROM unnest(ARRAY[$$evaluate(NULL)$$, $$explain(NULL, '1')$$, $$explain('s', NULL)$$, $$preview(NULL)$$, $$refresh(NULL)$$, $$verify(NULL)$$]) AS call;
SELECT is(lead_scoring.activate(NULL), NULL, 'activate(NULL) is NULL');
SELECT lives_ok('SELECT lead_scoring.deactivate(NULL)', 'deactivate(NULL) does nothing');
SELECT is((SELECT count(*) FROM lead_scoring.evaluate('s', pg_temp.day(), NULL)), 2::bigint, 'keys NULL: all');
SELECT is((SELECT count(*) FROM lead_scoring.evaluate('s', pg_temp.day(), '{}')), 0::bigint, 'no keys: none');
SELECT is((SELECT count(*) FROM lead_scoring.evaluate('s', pg_temp.day(), '{NULL,1,99}')), 1::bigint, 'a NULL key and a key of nobody are nobody');
SELECT throws_ok(call, '22P02', 'key of record type "contact": invalid input syntax for type bigint: "x"', 'a key that is no integer: ' || call)
  FROM unnest(ARRAY[$$SELECT * FROM lead_scoring.evaluate('s', pg_temp.day(), '{x}')$$, $$SELECT * FROM lead_scoring.explain('s', 'x')$$, $$SELECT lead_scoring.refresh('active', now(), '{1,x}')$$, $$SELECT lead_scoring.forget('contact', 'x')$$, $$INSERT INTO lead_scoring.adjustment (score, record_key, points) VALUES ('active', 'x', 1)$$, $$SELECT lead_scoring.reset_engagement('active', 'x')$$]) AS call;
SELECT throws_ok(call, '22003', 'key of record type "contact": value "9999999999999999999" is out of range for type bigint', 'a key that is too large: ' || call)
  FROM unnest(ARRAY[$$SELECT lead_scoring.refresh('active', now(), '{9999999999999999999}')$$, $$INSERT INTO lead_scoring.adjustment (score, record_key, points) VALUES ('active', '9999999999999999999', 1)$$]) AS call;
SELECT throws_ok($$SELECT * FROM lead_scoring.preview('s', NULL)$$, '22023', NULL, 'preview with NULL bins');
SELECT throws_ok(format('SELECT * FROM lead_scoring.preview(''s'', %s)', n), '22023', NULL, format('preview with %s bins', n)) FROM unnest(ARRAY[0, -1, 2147483647, -2147483648]) AS n;
SELECT is((SELECT count(*) FROM lead_scoring.preview('s', 1, pg_temp.day()) WHERE kind = 'bin'), 1::bigint, 'preview with one bin');

-- records that do not exist
SELECT throws_ok($$SELECT * FROM lead_scoring.explain('s', '99')$$, 'P0002', NULL, 'explain of a record that does not exist');

-- scores that are not what they should be
SELECT throws_ok($$SELECT lead_scoring.activate('no groups')$$, '55000', NULL, 'F7: activate without a group');
SELECT throws_ok($$SELECT lead_scoring.activate('no rules')$$, '55000', NULL, 'activate without a rule');
SELECT throws_ok($$SELECT lead_scoring.refresh('s')$$, '55000', NULL, 'refresh of a draft');
SELECT throws_ok($$SELECT * FROM lead_scoring.verify('s')$$, '55000', NULL, 'verify of a draft');
SELECT lives_ok($$SELECT lead_scoring.deactivate('s')$$, 'deactivate of a draft does nothing');
SELECT throws_ok($$DELETE FROM lead_scoring.score WHERE name = 'active'$$, '55000', NULL, 'delete of an active score');
SELECT throws_ok($$UPDATE lead_scoring.score SET name = 'x' WHERE name = 'active'$$, '55000', NULL, 'rename of an active score');
SELECT throws_ok($$UPDATE lead_scoring.score SET kind = 'combined' WHERE name = 'active'$$, '55000', NULL, 'another kind for an active score');
SELECT throws_ok($$UPDATE lead_scoring.score SET target = 'companies' WHERE name = 'active'$$, '55000', NULL, 'another target for an active score');

-- the name of a column is taken
SELECT pg_temp.simple('email', 'fit');
INSERT INTO lead_scoring.rule (score, group_name, name, points) VALUES ('email', 'all', 'r', 1);
ALTER TABLE contacts ADD COLUMN taken_label int, ADD COLUMN taken2_fit float8;
SELECT pg_temp.simple('taken', 'fit'), pg_temp.simple('taken2', 'fit'), pg_temp.simple('ctid', 'fit');
INSERT INTO lead_scoring.rule (score, group_name, name, points) VALUES ('taken', 'all', 'r', 1), ('taken2', 'all', 'r', 1), ('ctid', 'all', 'r', 1);
SELECT throws_ok(format('SELECT lead_scoring.activate(%L)', s), '42701', NULL, 'activate: the name of a column is taken: ' || s) FROM unnest(ARRAY['email', 'taken', 'taken2', 'ctid']) AS s;
SELECT is((SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'contacts'::regclass AND attnum > 0 AND NOT attisdropped),
  'id industry state regions employees revenue job_title email is_customer company_id active active_fit active_engagement active_label taken_label taken2_fit', 'and no column was added');
SELECT is((SELECT string_agg(DISTINCT status, ' ') FROM lead_scoring.score WHERE name <> 'active'), 'draft', 'and all are drafts still');
SELECT is((SELECT string_agg(atttypid::regtype::text, ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'contacts'::regclass AND attname IN ('active', 'active_fit', 'active_engagement', 'active_label')), 'double precision, double precision, double precision, text', 'the types of the columns');

-- D25: NULL event time
SELECT throws_ok($$INSERT INTO activities (contact_id, type, occurred_at) VALUES (2, 'x', NULL)$$, '22004', NULL, 'D25: an active score refuses an event without a time');
SELECT pg_temp.by_hand();
INSERT INTO activities (contact_id, type, occurred_at) VALUES (2, 'x', NULL);
SELECT throws_ok(format('SELECT * FROM lead_scoring.%s', call), '22004', NULL, 'D25: NULL event time: ' || call) FROM unnest(ARRAY[$$evaluate('s')$$, $$explain('s', '2')$$, $$preview('s')$$, $$refresh('active')$$, $$verify('active')$$]) AS call;
SELECT is((SELECT string_agg(coalesce(active::text, 'NULL'), ' ' ORDER BY id) FROM contacts), '3 0', 'D25: and nothing was stored');
UPDATE lead_scoring.source SET filter = 'occurred_at IS NOT NULL' WHERE name = 'activity';
SELECT is(pg_temp.totals('s'), '1=3 2=0', 'D25: as the hint says, a filter helps');

-- errors of a criterion at run time
UPDATE lead_scoring.rule SET criterion = '1 / amount > 1' WHERE score = 's';
UPDATE activities SET amount = 0 WHERE contact_id = 1;
SELECT throws_ok($$SELECT * FROM lead_scoring.evaluate('s', pg_temp.day())$$, '22012', NULL, 'an error inside a criterion comes through');
UPDATE lead_scoring.rule SET criterion = 'true' WHERE score = 's';
SELECT is(pg_temp.totals('s'), '1=3 2=0', 'and the session goes on');
-- of constants, which fail before there is any record
CREATE FUNCTION pg_temp.place_of(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  context text;
BEGIN
  EXECUTE command;
  RAISE 'no error' USING ERRCODE = 'P0004';
EXCEPTION WHEN division_by_zero THEN
  GET STACKED DIAGNOSTICS context = PG_EXCEPTION_CONTEXT;
  RETURN split_part(context, E'\n', 1);
END $$;
SELECT is(pg_temp.place_of($$UPDATE lead_scoring.rule SET criterion = 'amount > 1 / 0' WHERE score = 'active'$$), format('criterion of rule "%s" of score "active"', name), 'a constant of a criterion fails: the rule is named')
  FROM lead_scoring.rule WHERE score = 'active';
SELECT is(pg_temp.place_of($$UPDATE lead_scoring.rule SET criterion = 'lower(type) = (1 / 0)::text' WHERE score = 'active'$$), format('criterion of rule "%s" of score "active"', name), '... beside an expression')
  FROM lead_scoring.rule WHERE score = 'active';
SELECT is(pg_temp.place_of($$UPDATE lead_scoring.rule SET value = 'amount / (1 / 0)' WHERE score = 'active'$$), format('value of rule "%s" of score "active"', name), '... of a value')
  FROM lead_scoring.rule WHERE score = 'active';
SELECT is(pg_temp.place_of($$INSERT INTO lead_scoring.scope (score, mode, criterion) VALUES ('active', 'include', 'id > 1 / 0')$$), 'criterion of a scope of score "active"', '... of a scope');
SELECT throws_ok($$UPDATE lead_scoring.rule SET criterion = '1 / amount > 1' WHERE score = 'active'$$, '22012', NULL, 'an edit of an active score that cannot be computed is refused');
SELECT is((SELECT criterion FROM lead_scoring.rule WHERE score = 'active'), 'true', 'and undone');
SELECT is_empty($$SELECT * FROM lead_scoring.verify('active')$$, 'nothing is half done');

-- two scores cannot have the same column
SELECT pg_temp.simple('both', 'fit'), pg_temp.simple('both_fit', 'fit');
INSERT INTO lead_scoring.rule (score, group_name, name, points) VALUES ('both', 'all', 'r', 1), ('both_fit', 'all', 'r', 1);
SELECT lives_ok($$SELECT lead_scoring.activate('both')$$, 'a score');
SELECT throws_ok($$SELECT lead_scoring.activate('both_fit')$$, '42701', NULL, 'another, whose column is a column of the first');

-- Settings
SELECT throws_ok('SET LOCAL lead_scoring.refresh_intervall = 1', '42602', 'invalid configuration parameter name "lead_scoring.refresh_intervall"', 'a setting that is misspelt');
SELECT * FROM finish();
ROLLBACK;
