-- Alerts, margins, dwells and histories that are refused; alerts in copies and documents
BEGIN;
\ir include/crm.psql
SELECT plan(54);
SELECT pg_temp.simple('s', 'fit');
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('both', 'contact', 'combined');
INSERT INTO lead_scoring.band (score, label, lower_bound) VALUES ('s', 'A', 10), ('s', 'B', NULL);

-- Alerts
SELECT throws_like(format('INSERT INTO lead_scoring.alert (score, name, %s) VALUES (%s)', columns, items), message, what) FROM (VALUES
  (1, 'description', $$'s', 'a', 'x'$$, 'alert "a" of score "s" has none of above, at_least and label', 'no threshold'),
  (2, 'above, at_least', $$'s', 'a', 1, 1$$, 'alert "a" of score "s" has more than one of above, at_least and label', 'two thresholds'),
  (3, 'above, label', $$'s', 'a', 1, 'A'$$, 'alert "a" of score "s" has more than one of above, at_least and label', 'a threshold and a label'),
  (4, 'above', $$'s', 'a', 'NaN'$$, 'threshold of alert "a" of score "s" out of range: NaN', 'not a number'),
  (5, 'at_least', $$'s', 'a', 'infinity'$$, 'threshold of alert "a" of score "s" out of range: Infinity', 'infinite'),
  (6, 'label', $$'s', 'a', ''$$, 'label of alert "a" of score "s" must not be empty', 'an empty label'),
  (7, 'above, margin', $$'s', 'a', 1, -1$$, 'margin of alert "a" of score "s" out of range: -1', 'a negative margin'),
  (8, 'above, margin', $$'s', 'a', 1, 'NaN'$$, 'margin of alert "a" of score "s" out of range: NaN', 'a margin that is not a number'),
  (9, 'label, margin', $$'s', 'a', 'A', 1$$, 'alert "a" of score "s" has a margin and a label', 'a margin of a label'),
  (10, 'above, part', $$'s', 'a', 1, 'engagement'$$, 'alert "a" of score "s" cannot be for part ''engagement''', 'a part that the score does not have'),
  (11, 'above, part', $$'s', 'a', 1, 'all'$$, 'alert "a" of score "s" cannot be for part ''all''', 'a part that there is not'),
  (12, 'above, part', $$'s', 'a', 1, 'label'$$, 'alert "a" of score "s" cannot be for part ''label''', 'a value of the label'),
  (13, 'label, part', $$'s', 'a', 'A', 'fit'$$, 'alert "a" of score "s" cannot be for part ''fit''', 'a label of a part'),
  (14, 'above', $$'nothing', 'a', 1$$, 'score "nothing" does not exist', 'of a score that there is not'),
  (15, 'above', $$NULL, 'a', 1$$, 'score "%" does not exist', 'of no score'),
  (16, 'above', $$'s', '', 1$$, 'name of an alert must not be NULL or empty', 'an empty name'),
  (17, 'above', $$'s', NULL, 1$$, 'name of an alert must not be NULL or empty', 'no name')) v (n, columns, items, message, what) ORDER BY n;
SELECT lives_ok($$INSERT INTO lead_scoring.alert (score, name, above, part) VALUES ('s', 'a', 1, NULL)$$, 'part may be left out');
SELECT is((SELECT part FROM lead_scoring.alert), 'total', 'it is the total');
SELECT throws_ok($$INSERT INTO lead_scoring.alert (score, name, above) VALUES ('s', 'a', 2)$$, '23505', NULL, 'names are unique in a score');
SELECT throws_ok($$UPDATE lead_scoring.alert SET at_least = 1$$, '22023', NULL, 'an update is checked');
SELECT lives_ok($$UPDATE lead_scoring.alert SET above = NULL, label = 'A'$$, 'another kind of alert');
SELECT is((SELECT part FROM lead_scoring.alert), 'label', 'of another part');
SELECT lives_ok($$INSERT INTO lead_scoring.alert (score, name, above, part) VALUES ('both', 'a', 1, 'engagement'), ('both', 'b', 1, 'fit')$$, 'parts of a combined score');

-- The labels that an alert can wait for; another is a warning
SELECT is(lead_scoring.possible_labels('s'), '{A,B}', 'labels of the only part with bands');
SELECT is(lead_scoring.possible_labels('both'), NULL, 'no labels without bands');
INSERT INTO lead_scoring.band (score, part, label, lower_bound) VALUES ('both', 'fit', 'A', 1), ('both', 'fit', 'B', NULL), ('both', 'total', 'high', 1), ('both', 'engagement', '1', 0);
SELECT is(lead_scoring.possible_labels('both'), '{A1,B1}', 'labels of fit and engagement together');
SET LOCAL client_min_messages = error;
SELECT lives_ok($$INSERT INTO lead_scoring.alert (score, name, label) VALUES ('both', 'c', 'a1')$$, 'a label that no band has: a warning');
SET LOCAL client_min_messages = warning;
DELETE FROM lead_scoring.alert WHERE score = 'both' AND name = 'c';
DELETE FROM lead_scoring.band WHERE score = 'both';

-- Bands and scores
SELECT throws_like(statement, message, what) FROM (VALUES
  (1, $$UPDATE lead_scoring.band SET margin = -1 WHERE label = 'A'$$, 'margin of band "A" of score "s" out of range: -1', 'a negative margin of a band'),
  (2, $$UPDATE lead_scoring.band SET margin = 'infinity' WHERE label = 'A'$$, 'margin of band "A" of score "s" out of range: Infinity', 'an infinite one'),
  (3, $$UPDATE lead_scoring.band SET margin = 1 WHERE label = 'B'$$, 'band "B" of score "s" has a margin, but no lower bound alone', 'a margin without a bound'),
  (4, $$UPDATE lead_scoring.band SET margin = 1, capacity = 5 WHERE label = 'A'$$, 'band "A" of score "s" has a margin, but no lower bound alone', 'a margin of the best'),
  (5, $$UPDATE lead_scoring.band SET dwell = '0' WHERE label = 'A'$$, 'dwell of band "A" of score "s" must be longer than zero: 00:00:00', 'no time'),
  (6, $$UPDATE lead_scoring.band SET dwell = '-1 day' WHERE label = 'A'$$, 'dwell of band "A" of score "s" must be longer than zero: %', 'a negative time'),
  (7, $$UPDATE lead_scoring.band SET dwell = '300000 years' WHERE label = 'A'$$, 'dwell of band "A" of score "s" is out of range', 'a time too long'),
  (8, $$UPDATE lead_scoring.score SET keep_history = '0' WHERE name = 's'$$, 'keep_history of score "s" must be longer than zero: 00:00:00', 'a history of no time'),
  (9, $$UPDATE lead_scoring.score SET history = 'all' WHERE name = 's'$$, 'history of score "s" must not be ''all''', 'another history'),
  (10, $$UPDATE lead_scoring.score SET history = NULL WHERE name = 's'$$, 'history of score "s" must not be NULL', 'no history'),
  (11, $$UPDATE lead_scoring.score SET mode = 'x' WHERE name = 's'$$, 'mode of score "s" must not be ''x''', 'another mode'),
  (12, $$UPDATE lead_scoring.score SET mode = NULL WHERE name = 's'$$, 'mode of score "s" must not be NULL', 'no mode')) v (n, statement, message, what) ORDER BY n;
SELECT lives_ok($$UPDATE lead_scoring.score SET announce_rule_changes = NULL$$, 'announce_rule_changes may be NULL');
SELECT ok((SELECT NOT bool_or(announce_rule_changes) FROM lead_scoring.score), 'which is false');
SELECT lives_ok($$UPDATE lead_scoring.band SET margin = 0.5, dwell = '1 month' WHERE label = 'A'$$, 'a margin and a dwell');
SELECT lives_ok($$UPDATE lead_scoring.band SET dwell = '1 day' WHERE label = 'B'$$, 'a dwell of the rest');

-- They belong to the score
UPDATE lead_scoring.score SET history = 'explained', keep_history = '1 year', announce_rule_changes = true, mode = 'queued' WHERE name = 's';
SELECT is(lead_scoring.export_score('s') -> 'score', '{"name": "s", "kind": "fit", "mode": "queued", "history": "explained", "keep_history": "1 year", "announce_rule_changes": true}', 'document: the score');
SELECT is(lead_scoring.export_score('s') -> 'alerts', '[{"name": "a", "part": "label", "label": "A"}]', 'document: alerts');
SELECT is(lead_scoring.export_score('s') #> '{bands,0}', '{"label": "A", "lower_bound": 10, "margin": 0.5, "dwell": "1 mon"}', 'document: bands');
SELECT lead_scoring.import_score(lead_scoring.export_score('s'), 'other');
SELECT is(lead_scoring.export_score('other') #- '{score,name}', lead_scoring.export_score('s') #- '{score,name}', 'and back');
SELECT lead_scoring.draft('s', 'next');
SELECT is(lead_scoring.export_score('next') #- '{score,name}', lead_scoring.export_score('s') #- '{score,name}', 'a draft has them');
UPDATE lead_scoring.alert SET label = 'B' WHERE score = 'next';
INSERT INTO lead_scoring.alert (score, name, at_least) VALUES ('next', 'b', 3);
SELECT lead_scoring.publish('next');
SELECT results_eq($$SELECT name, label, at_least FROM lead_scoring.alert WHERE score = 's' ORDER BY name$$, $$VALUES ('a', 'B', NULL::float8), ('b', NULL, 3)$$, 'publish replaces them');
UPDATE lead_scoring.score SET name = 'renamed' WHERE name = 's';
SELECT is((SELECT count(*) FROM lead_scoring.alert WHERE score = 'renamed'), 2::bigint, 'they follow the score to its new name');
DELETE FROM lead_scoring.score WHERE name = 'renamed';
SELECT is((SELECT count(*) FROM lead_scoring.alert WHERE score IN ('s', 'renamed')), 0::bigint, 'and go with it');

-- Who may
CREATE ROLE ls_test_other;
SET ROLE ls_test_other;
SELECT throws_ok($$INSERT INTO lead_scoring.alert (score, name, above) VALUES ('both', 'c', 1)$$, '42501', NULL, 'others define no alerts');
SELECT throws_ok($$DELETE FROM lead_scoring.alert$$, '42501', NULL, 'nor delete them');
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
