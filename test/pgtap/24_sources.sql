-- Sources: through one hop (F15, F16), lists and related rows (F13, F18 to F23), cleaning (F51), merging (E48)
BEGIN;
\ir include/crm.psql
SELECT plan(75);

CREATE FUNCTION pg_temp.for_companies(score text, kind text) RETURNS void LANGUAGE sql AS $$
  INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ($1, 'company', $2);
  INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ($1, 'all', $2);
$$;

-- F16: companies by what their contacts do
INSERT INTO companies (id, name) VALUES (1, 'A'), (2, 'B'), (3, 'C');
INSERT INTO contacts (id, company_id, job_title) VALUES (1, 1, 'CEO'), (2, 1, 'Student'), (3, 2, 'CEO'), (4, NULL, 'CEO'), (5, 99, 'CEO'), (6, 2, NULL);
SELECT pg_temp.act(1, 'call', 2), pg_temp.act(2, 'call'), pg_temp.act(3, 'call', 3, NULL, '10 days'), pg_temp.act(4, 'call', 5), pg_temp.act(5, 'call', 5), pg_temp.act(6, 'form'), pg_temp.act(2, 'form', 1, NULL, '-1 microsecond');
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('company', 'companies', 'id');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at, through, through_key, through_record) VALUES ('of contacts', 'company', 'activities', 'contact_id', 'occurred_at', 'contacts', 'id', 'company_id');
SELECT pg_temp.for_companies('hop', 'engagement');
SELECT pg_temp.rule('hop', 'call', 'of contacts', $$type = 'call'$$), pg_temp.rule('hop', 'form', 'of contacts', $$type = 'form'$$, 10);
SELECT is(pg_temp.totals('hop'), '1=3 2=13 3=0', 'F16: a company has the events of its contacts; contacts without a company, or with one that does not exist, count for nobody');
SELECT is(pg_temp.totals('hop', pg_temp.day() - interval '5 days'), '1=0 2=3 3=0', 'F16: as of earlier');
SELECT is(pg_temp.totals('hop', pg_temp.day() + interval '1 day'), '1=13 2=13 3=0', 'F16: as of later');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('hop')$$, 'hop: stored = evaluated = explained');
SELECT results_eq($$SELECT matched, raw FROM lead_scoring.explain('hop', '1', pg_temp.day()) WHERE rule = 'call'$$, $$VALUES (3::bigint, 3::float8)$$, 'F16: explain counts them');
SELECT is((SELECT string_agg(format('%s=%s', record_key, total), ' ') FROM lead_scoring.evaluate('hop', pg_temp.day(), ARRAY['2'])), '2=13', 'F16: some keys only');
UPDATE contacts SET company_id = 3 WHERE id = 1;
DELETE FROM contacts WHERE id = 3;
SELECT lead_scoring.refresh('hop', pg_temp.day());
SELECT is((SELECT string_agg(hop::text, ' ' ORDER BY id) FROM companies), '1 10 2', 'F16: a contact changes its company, another is deleted: their events go with them');
UPDATE contacts SET company_id = 1 WHERE id = 1;
UPDATE lead_scoring.source SET through_filter = $$job_title <> 'Student'$$ WHERE name = 'of contacts';
SELECT is(pg_temp.totals('hop'), '1=2 2=0 3=0', 'F16: through_filter says which contacts count; NULL does not');
SELECT is_empty($$SELECT * FROM lead_scoring.verify('hop')$$, 'through_filter changed: the active score followed at once');
UPDATE lead_scoring.source SET filter = $$type <> 'form'$$, through_filter = $$job_title = 'Student'$$ WHERE name = 'of contacts';
SELECT is(pg_temp.totals('hop', pg_temp.day() + interval '1 day'), '1=1 2=0 3=0', 'F16: filter and through_filter together');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('hop')$$, 'filtered hop: stored = evaluated = explained');

-- many to many, with doubles, NULLs and links that begin at some time
CREATE TABLE participants (contact_id int, company_id int, since timestamptz);
INSERT INTO participants VALUES (1, 1, '2026-01-01 UTC'), (1, 1, '2026-01-02 UTC'), (1, 1, '2027-01-01 UTC'), (1, 2, '2026-01-30 UTC'), (2, 2, '2026-02-01 UTC'), (NULL, 2, '2026-01-01 UTC'), (2, NULL, '2026-01-01 UTC'), (77, 3, '2026-01-01 UTC');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at, through, through_key, through_record) VALUES ('of participants', 'company', 'activities', 'contact_id', 'occurred_at', 'participants', 'contact_id', 'company_id');
SELECT pg_temp.for_companies('many', 'engagement');
SELECT pg_temp.rule('many', 'call', 'of participants', $$type = 'call'$$);
SELECT is(pg_temp.totals('many'), '1=2 2=3 3=0', 'through: a pair counts once however often it occurs; an event counts for every record that it reaches');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('many')$$, 'many: stored = evaluated = explained');
UPDATE lead_scoring.source SET through_filter = 'since <= as_of' WHERE name = 'of participants';
SELECT is(pg_temp.totals('many'), '1=2 2=2 3=0', 'through_filter: as_of is the instant of the evaluation');
SELECT is(pg_temp.totals('many', '2026-02-01 UTC'), '1=2 2=3 3=0', 'through_filter: as of later');
UPDATE lead_scoring.source SET through_filter = 'since > as_of' WHERE name = 'of participants';
SELECT is(pg_temp.totals('many'), '1=2 2=1 3=0', 'through_filter: the other doubles link too');
DELETE FROM participants WHERE contact_id = 1;
INSERT INTO participants SELECT 1, i, '2027-01-01 UTC' FROM generate_series(1, 3) AS i;
SELECT is(pg_temp.totals('many'), '1=2 2=3 3=2', 'through: links changed');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('many')$$, 'links changed: stored = evaluated = explained');

-- a scope by such a source; another column of the record than its key
INSERT INTO lead_scoring.scope (score, mode, source, criterion) VALUES ('many', 'exclude', 'of participants', $$type = 'form' AND contact_id = 2$$);
SELECT is(pg_temp.totals('many', pg_temp.day() + interval '1 second'), '1=2 2=NULL 3=2', 'through: a scope');
TRUNCATE contacts, activities;
INSERT INTO contacts (id, company_id) VALUES (1, 1), (2, 1), (3, 2), (4, NULL), (5, NULL);
SELECT pg_temp.act(i, 'call', i) FROM generate_series(1, 5) AS i;
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, record_column, occurred_at, through, through_key, through_record) VALUES ('colleague', 'contact', 'activities', 'contact_id', 'company_id', 'occurred_at', 'contacts', 'id', 'company_id');
SELECT pg_temp.simple('colleagues', 'engagement');
SELECT pg_temp.rule('colleagues', 'all of a company', 'colleague');
SELECT is(pg_temp.totals('colleagues'), '1=3 2=3 3=3 4=0 5=0', 'through and record_column: what the colleagues did; NULL is nobody''s company');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('colleagues')$$, 'colleagues: stored = evaluated = explained');

-- related rows through one hop: the deals of a contact
CREATE TABLE deals (id int, amount numeric, stage text);
CREATE TABLE deal_contacts (deal int, contact int, role text);
INSERT INTO deals VALUES (1, 100, 'open'), (2, 100, 'open'), (3, 50, 'lost'), (4, NULL, 'open'), (5, -20, 'open');
INSERT INTO deal_contacts VALUES (1, 1, 'buyer'), (1, 1, 'user'), (2, 1, 'buyer'), (3, 1, 'buyer'), (1, 2, 'buyer'), (4, 2, 'buyer'), (5, 3, 'user'), (4, 4, 'buyer'), (NULL, 5, 'buyer'), (3, NULL, 'buyer');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, through, through_key, through_record) VALUES ('deal', 'contact', 'deals', 'id', 'deal_contacts', 'deal', 'contact');
SELECT pg_temp.simple(s, 'fit') FROM unnest(ARRAY['any', 'two', 'sum', 'avg', 'min', 'max', 'big', 'small', 'least']) AS s;
SELECT pg_temp.rule('any', 'r', 'deal', $$stage = 'open'$$, 5), pg_temp.rule('two', 'r', 'deal', 'true', 5, '{"counting": "once", "at_least": 2, "at_most": 2}'),
  pg_temp.rule('sum', 'r', 'deal', $$stage = 'open'$$, 0.1, '{"counting": "each", "value": "amount"}'), pg_temp.rule('avg', 'r', 'deal', 'true', 0.3, '{"counting": "each", "value": "amount", "rollup": "avg"}'),
  pg_temp.rule('min', 'r', 'deal', 'true', 1, '{"counting": "each", "value": "amount", "rollup": "min"}'), pg_temp.rule('max', 'r', 'deal', 'true', -1, '{"counting": "each", "value": "amount", "rollup": "max"}'),
  pg_temp.rule('big', 'r', 'deal', 'true', 7, '{"counting": "once", "value": "amount", "at_least": 100, "at_most": 250}'), pg_temp.rule('small', 'r', 'deal', 'true', 7, '{"counting": "once", "value": "amount", "at_most": 99.5}'), pg_temp.rule('least', 'r', 'deal', 'true', 7, '{"counting": "once", "value": "amount", "rollup": "min", "at_most": 50}');
SELECT is(pg_temp.totals('any'), '1=5 2=5 3=5 4=5 5=0', 'F15: related rows through one hop pay once');
SELECT is(pg_temp.totals('two'), '1=0 2=5 3=0 4=0 5=0', 'F15: their number, each row once: 3, 2, 1, 1, 0');
SELECT is(pg_temp.totals('sum'), '1=20 2=10 3=-2 4=0 5=0', 'value of related rows: points * sum; two rows with equal values both count');
SELECT is(pg_temp.totals('avg'), '1=25 2=30 3=-6 4=0 5=0', 'value of related rows: points * mean; a NULL value does not match, no match pays nothing');
SELECT is(pg_temp.totals('min'), '1=50 2=100 3=-20 4=0 5=0', 'value of related rows: least');
SELECT is(pg_temp.totals('max'), '1=-100 2=-100 3=20 4=0 5=0', 'value of related rows: greatest, negative points');
SELECT is(pg_temp.totals('big'), '1=7 2=7 3=0 4=0 5=0', 'once with value: 250 and 100 are within 100 and 250, both inclusive');
SELECT is(pg_temp.totals('small'), '1=0 2=0 3=7 4=7 5=7', 'once with value: the sum of no rows is 0');
SELECT is(pg_temp.totals('least'), '1=7 2=0 3=7 4=0 5=0', 'once with value: no rows have no least value');
SELECT is_empty($$SELECT s, d.* FROM unnest(ARRAY['any', 'two', 'sum', 'avg', 'min', 'max', 'big', 'small', 'least']) AS s, pg_temp.disagreements(s) AS d$$, 'deals: stored = evaluated = explained');
SELECT results_eq($$SELECT matched, raw, decayed FROM lead_scoring.explain('sum', '1', pg_temp.day()) WHERE level = 'rule'$$, $$VALUES (2::bigint, 20::float8, 20::float8)$$, 'value of related rows: explain counts the rows');

-- E5 to E9 with lists: rows of a table instead of an array or a text
CREATE TABLE regions (contact_id int, region text, worth numeric);
INSERT INTO regions VALUES (1, 'Northeast', 15), (1, 'Southwest', 8), (2, 'NE', 15), (3, 'NE', 15), (3, 'MW', 10), (4, 'NE', 15), (4, 'MW', 10), (4, 'SE', 8), (5, 'West', NULL);
INSERT INTO lead_scoring.source (name, record_type, relation, record_key) VALUES ('region', 'contact', 'regions', 'contact_id');
SELECT pg_temp.simple(s, 'fit') FROM unnest(ARRAY['e5', 'e7', 'e8', 'e8v']) AS s;
SELECT pg_temp.rule('e5', 'east', 'region', $$region IN ('Northeast', 'Southwest')$$, 15), pg_temp.rule('e7', 'together', 'region', $$region IN ('NE', 'MW', 'SE')$$, 15),
  pg_temp.rule('e8', 'NE', 'region', $$region = 'NE'$$, 15), pg_temp.rule('e8', 'MW', 'region', $$region = 'MW'$$, 10), pg_temp.rule('e8', 'SE', 'region', $$region = 'SE'$$, 8), pg_temp.rule('e8v', 'worth', 'region', $$region IN ('NE', 'MW', 'SE')$$, 1, '{"counting": "each", "value": "worth"}');
SELECT is(pg_temp.totals('e5'), '1=15 2=0 3=0 4=0 5=0', 'E5: contains any of a list: Northeast and Southwest -> 15');
SELECT is(pg_temp.totals('e7'), '1=0 2=15 3=15 4=15 5=0', 'E7: together: NE -> 15, NE + MW -> 15');
SELECT is(pg_temp.totals('e8'), '1=0 2=15 3=25 4=33 5=0', 'E8: individually: NE -> 15, NE + MW -> 25, all -> 33');
SELECT is(pg_temp.totals('e8v'), '1=0 2=15 3=25 4=33 5=0', 'E8: individually, one rule with the points in the list: 15, 25, 33');
SELECT is_empty($$SELECT s, d.* FROM unnest(ARRAY['e5', 'e7', 'e8', 'e8v']) AS s, pg_temp.disagreements(s) AS d$$, 'E5, E7, E8: stored = evaluated = explained');
TRUNCATE activities;
SELECT pg_temp.act(1, 'form', 1, 'Sales inquiry'), pg_temp.act(1, 'form', 1, 'Product demo'), pg_temp.act(2, 'form', 2, 'Product demo'), pg_temp.act(3, 'form', 1, 'Sales inquiry'), pg_temp.act(4, 'form', 1, 'newsletter');
SELECT pg_temp.simple(s, 'engagement') FROM unnest(ARRAY['e6', 'e9', 'e9v']) AS s;
SELECT pg_temp.rule('e6', 'any', 'activity', $$detail = ANY ('{Sales inquiry,Product demo}')$$, 5), pg_temp.rule('e9', 'sales', 'activity', $$detail = 'Sales inquiry'$$, 5), pg_temp.rule('e9', 'demo', 'activity', $$detail = 'Product demo'$$, 2),
  pg_temp.rule('e9v', 'r', 'activity', $$type = 'form'$$, 1, $${"counting": "each", "value": "CASE detail WHEN 'Sales inquiry' THEN 5 WHEN 'Product demo' THEN 2 END"}$$);
SELECT is(pg_temp.totals('e6'), '1=10 2=10 3=5 4=0 5=0', 'E6: both forms -> 10, the same form twice -> 10');
SELECT is(pg_temp.totals('e9'), '1=7 2=4 3=5 4=0 5=0', 'E9: individually: both -> 7, one -> 5');
SELECT is(pg_temp.totals('e9v'), '1=7 2=4 3=5 4=0 5=0', 'E9: individually, in one rule by value');
SELECT is_empty($$SELECT s, d.* FROM unnest(ARRAY['e6', 'e9', 'e9v']) AS s, pg_temp.disagreements(s) AS d$$, 'E6, E9: stored = evaluated = explained');

-- F51: cleaning. Contact 1: the same again after 1, 4, 5, 9.. hours; 5 hours apart is not a duplicate
TRUNCATE activities;
DELETE FROM contacts;
INSERT INTO contacts (id) SELECT generate_series(1, 7);
CREATE FUNCTION pg_temp.at(contact int, type text, VARIADIC hours numeric[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO activities (contact_id, type, amount, occurred_at) SELECT $1, $2, h, pg_temp.day() - interval '1000 hours' + h * interval '1 hour' FROM unnest($3) AS h
$$;
SELECT pg_temp.at(1, 'click', 0, 4, 6, 9, 11), pg_temp.at(2, 'click', 0, 5, 10), pg_temp.at(3, 'click', 0, 4, 8), pg_temp.at(4, 'click', 0, 0, 0), pg_temp.at(5, 'click', 0, 1), pg_temp.at(5, 'open', 2, 3, 7), pg_temp.at(6, NULL, 0, 1, 2), pg_temp.at(7, 'click', 1000, 999, 998, 1000.5);
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at, dedup_key, dedup_within) VALUES ('clean', 'contact', 'activities', 'contact_id', 'occurred_at', 'type', '5 hours'),
  ('first', 'contact', 'activities', 'contact_id', 'occurred_at', 'type', NULL), ('spaced', 'contact', 'activities', 'contact_id', 'occurred_at', NULL, '5 hours');
SELECT pg_temp.simple(s, 'engagement') FROM unnest(ARRAY['clean', 'first', 'spaced', 'which', 'last']) AS s;
SELECT pg_temp.rule(s, 'r', s) FROM unnest(ARRAY['clean', 'first', 'spaced']) AS s;
SELECT pg_temp.rule('which', 'r', 'clean', 'true', 1, '{"counting": "each", "value": "amount"}'), pg_temp.rule('last', 'r', 'clean', 'true', 1, '{"counting": "each", "value": "amount", "rollup": "max"}');
SELECT is(pg_temp.totals('clean'), '1=3 2=3 3=2 4=1 5=3 6=3 7=1', 'F51: dropped if less than 5 hours after one that was kept; 5 hours exactly is kept; NULL is never a duplicate; keys and records apart');
SELECT is(pg_temp.totals('which'), '1=17 2=15 3=8 4=0 5=9 6=3 7=998', 'F51: the first is kept, and the next is measured from one that was kept: 0, 6, 11');
SELECT is(pg_temp.totals('last'), '1=11 2=10 3=8 4=0 5=7 6=2 7=998', 'F51: the greatest of those kept');
SELECT is(pg_temp.totals('first'), '1=1 2=1 3=1 4=1 5=2 6=3 7=1', 'F51: without dedup_within a key counts once, ever');
SELECT is(pg_temp.totals('spaced'), '1=3 2=3 3=2 4=1 5=2 6=1 7=1', 'F51: without dedup_key all events of a record are spaced');
SELECT is_empty($$SELECT s, d.* FROM unnest(ARRAY['clean', 'first', 'spaced', 'which', 'last']) AS s, pg_temp.disagreements(s) AS d$$, 'F51: stored = evaluated = explained');
SELECT is(pg_temp.totals('clean', pg_temp.day() - interval '995 hours'), '1=1 2=2 3=1 4=1 5=2 6=3 7=0', 'F51: as of earlier');
SELECT is(pg_temp.totals('clean', pg_temp.day() + interval '1 day'), '1=3 2=3 3=2 4=1 5=3 6=3 7=1', 'F51: what is later than as_of does not exist, and was a duplicate anyway');
SELECT is((SELECT matched FROM lead_scoring.explain('clean', '1', pg_temp.day()) WHERE level = 'rule'), 3::bigint, 'F51: explain counts what is kept');
UPDATE activities SET type = 'open' WHERE contact_id = 1 AND amount = 0;
SELECT is(pg_temp.totals('clean'), '1=3 2=3 3=2 4=1 5=3 6=3 7=1', 'F51: without the first, others are kept: 4 and 9 beside the open');
SELECT is(pg_temp.total('which', 1), 13::float8, 'F51: 0 + 4 + 9');
DELETE FROM activities WHERE contact_id = 2 AND amount = 5;
SELECT is_empty($$SELECT s, d.* FROM unnest(ARRAY['clean', 'first', 'spaced', 'which', 'last']) AS s, pg_temp.disagreements(s) AS d$$, 'F51, events changed: stored = evaluated = explained');

-- the filter comes first; rules and scopes see what is kept
UPDATE lead_scoring.source SET filter = 'amount > 0' WHERE name = 'clean';
SELECT is(pg_temp.total('which', 3), 4::float8, 'F51: an invalid click keeps no other away: 4 is kept, 8 is not');
UPDATE lead_scoring.source SET filter = NULL WHERE name = 'clean';
SELECT pg_temp.simple('four', 'engagement');
SELECT pg_temp.rule('four', 'at 4', 'clean', 'amount = 4', 10), pg_temp.rule('four', 'none', 'clean', $$type = 'click'$$, 1, '{"counting": "once", "at_most": 1}');
SELECT is(pg_temp.totals('four'), '1=10 2=0 3=0 4=1 5=1 6=1 7=1', 'F51: a dropped event matches no rule, and does not count');
INSERT INTO lead_scoring.scope (score, mode, source, criterion) VALUES ('four', 'exclude', 'clean', 'amount IN (4, 7)');
SELECT is(pg_temp.totals('four'), '1=NULL 2=0 3=0 4=1 5=NULL 6=1 7=1', 'F51: nor a scope');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('four')$$, 'F51, scope: stored = evaluated = explained');

-- keys of other types: equal is what = says
TRUNCATE activities;
SELECT pg_temp.at(1, 'a', 1.0, 1.00), pg_temp.at(2, 'a', 1), pg_temp.at(2, 'A', 1.5), pg_temp.at(3, 'a', 1, 2), pg_temp.at(4, 'x', 10, 10.5, 11);
UPDATE activities SET occurred_at = occurred_at + id * interval '1 second';
UPDATE lead_scoring.source SET dedup_key = 'amount', dedup_within = '1 month' WHERE name = 'clean';
SELECT is(pg_temp.totals('clean'), '1=1 2=2 3=2 4=3 5=0 6=0 7=0', 'F51: numeric keys: 1.0 = 1.00');
UPDATE lead_scoring.source SET dedup_key = 'lower(type)' WHERE name = 'clean';
SELECT is(pg_temp.totals('clean'), '1=1 2=1 3=1 4=1 5=0 6=0 7=0', 'F51: an expression');
UPDATE lead_scoring.source SET dedup_key = 'amount > 10' WHERE name = 'clean';
SELECT is(pg_temp.totals('clean'), '1=1 2=1 3=1 4=2 5=0 6=0 7=0', 'F51: a boolean key');
UPDATE lead_scoring.source SET dedup_key = '(occurred_at AT TIME ZONE ''UTC'')::date' WHERE name = 'clean';
SELECT is(pg_temp.totals('clean'), '1=1 2=1 3=1 4=1 5=0 6=0 7=0', 'F51: one a day');
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('clean')$$, 'F51, other keys: stored = evaluated = explained');

-- 30 days, and infinitely old events
TRUNCATE activities;
INSERT INTO activities (contact_id, type, occurred_at) VALUES (1, 'a', '2026-01-01 00:00 UTC'), (1, 'a', '2026-01-31 00:00 UTC'), (2, 'a', '2026-01-01 00:00:00.000001 UTC'), (2, 'a', '2026-01-31 00:00 UTC'), (3, 'a', '-infinity'), (3, 'a', '-infinity'), (3, 'a', '2026-01-01 UTC'),
  (4, 'a', 'infinity'), (4, 'a', '2026-01-31 UTC'), (5, 'a', '4700-01-01 BC'), (5, 'a', '-infinity');
UPDATE lead_scoring.source SET dedup_key = 'type' WHERE name = 'clean';
SELECT is(pg_temp.totals('clean'), '1=2 2=1 3=2 4=1 5=2 6=0 7=0', 'F51: a month is 30 days; two infinitely old events are no time apart, all others infinitely long after them');
SELECT is(pg_temp.totals('first'), '1=1 2=1 3=1 4=1 5=1 6=0 7=0', 'F51: without dedup_within the oldest is kept');
SELECT is_empty($$SELECT s, d.* FROM unnest(ARRAY['clean', 'first']) AS s, pg_temp.disagreements(s) AS d$$, 'F51, 30 days: stored = evaluated = explained');

-- two cleaned sources of one score have nothing to do with one another
CREATE TABLE chats (contact int, channel text, at timestamptz);
TRUNCATE activities;
SELECT pg_temp.at(1, 'web', 0, 1, 10), pg_temp.at(2, 'web', 5), pg_temp.at(3, 'web', 5);
INSERT INTO chats SELECT c, ch, pg_temp.day() - interval '1000 hours' + h * interval '1 hour' FROM (VALUES (1, 'web', 2), (1, 'phone', 3), (1, 'web', 10), (1, 'web', 11), (2, 'web', 0), (2, 'phone', 6), (3, NULL, 5)) AS v (c, ch, h);
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at, dedup_key, dedup_within) VALUES ('chat', 'contact', 'chats', 'contact', 'at', 'channel', '5 hours'), ('spaced chat', 'contact', 'chats', 'contact', 'at', NULL, '5 hours');
UPDATE lead_scoring.source SET dedup_within = '5 hours' WHERE name = 'clean';
SELECT pg_temp.simple('together', 'engagement'), pg_temp.simple('two spaced', 'engagement');
SELECT pg_temp.rule('together', 'a', 'clean', 'true', 1), pg_temp.rule('together', 'b', 'chat', 'true', 10), pg_temp.rule('together', 'c', 'spaced', 'true', 100), pg_temp.rule('together', 'd', 'spaced chat', 'true', 1000), pg_temp.rule('two spaced', 'a', 'spaced'), pg_temp.rule('two spaced', 'b', 'spaced chat', 'true', 10);
SELECT is(pg_temp.totals('together'), '1=2232 2=2121 3=1111 4=0 5=0 6=0 7=0', 'F51: each source of a score is cleaned by itself');
SELECT is(pg_temp.totals('two spaced'), '1=22 2=21 3=11 4=0 5=0 6=0 7=0', 'F51: two sources without keys too');
SELECT is_empty($$SELECT s, d.* FROM unnest(ARRAY['together', 'two spaced']) AS s, pg_temp.disagreements(s) AS d$$, 'F51, several sources: stored = evaluated = explained');

-- cleaning and one hop: by record, after linking
TRUNCATE activities;
DELETE FROM contacts;
INSERT INTO contacts (id, company_id) VALUES (1, 1), (2, 1), (3, 2);
SELECT pg_temp.at(1, 'webinar', 0), pg_temp.at(2, 'webinar', 1, 30), pg_temp.at(3, 'webinar', 0.5);
UPDATE lead_scoring.source SET dedup_key = 'type', dedup_within = '1 day', filter = NULL, through_filter = NULL WHERE name IN ('of contacts', 'clean');
SELECT pg_temp.for_companies('both', 'engagement');
SELECT pg_temp.rule('both', 'webinar', 'of contacts');
SELECT is(pg_temp.totals('both'), '1=2 2=1 3=0', 'F51 and F16: two contacts of a company at one webinar: once for the company');
SELECT is(pg_temp.totals('clean'), '1=1 2=2 3=1', 'F51: but once for each of the contacts');
SELECT is_empty($$SELECT s, d.* FROM unnest(ARRAY['both', 'clean', 'hop']) AS s, pg_temp.disagreements(s) AS d$$, 'F51 and F16: stored = evaluated = explained');

-- E48
TRUNCATE contacts, activities;
INSERT INTO contacts (id) VALUES (1), (2);
SELECT pg_temp.act(1, 'form', 5), pg_temp.act(2, 'form', 10);
SELECT pg_temp.simple('e48', 'engagement'), pg_temp.simple('e48m', 'engagement', NULL, NULL, 120);
SELECT pg_temp.rule(s, 'form', 'activity', $$type = 'form'$$, 10) FROM unnest(ARRAY['e48', 'e48m']) AS s;
SELECT is_empty($$SELECT s, d.* FROM unnest(ARRAY['e48', 'e48m']) AS s, pg_temp.disagreements(s) AS d$$, 'E48: stored = evaluated = explained');
SELECT is((SELECT string_agg(e48 || ' ' || e48m, ', ' ORDER BY id) FROM contacts), '50 50, 100 100', 'E48: before the merge');
UPDATE activities SET contact_id = 2 WHERE contact_id = 1;
DELETE FROM contacts WHERE id = 1;
SELECT lead_scoring.refresh(s, pg_temp.day()) FROM unnest(ARRAY['e48', 'e48m']) AS s;
SELECT is((SELECT string_agg(e48 || ' ' || e48m, ', ' ORDER BY id) FROM contacts), '150 120', 'E48: 50 and 100 merged -> 150, limits permitting');
SELECT is_empty($$SELECT s, d.* FROM unnest(ARRAY['e48', 'e48m']) AS s, pg_temp.disagreements(s) AS d$$, 'E48, merged: stored = evaluated = explained');

SELECT * FROM finish();
ROLLBACK;
