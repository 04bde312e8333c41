-- Lead scores of HubSpot: what they come to, what is left out, hostile documents
BEGIN;
\ir include/crm.psql
SELECT plan(147);
CREATE TABLE members (contact_id int, list_id int);
ALTER TABLE contacts ADD created_at timestamptz, ADD birthday date, ADD hobbies text, ADD tags varchar(20)[];
INSERT INTO companies VALUES (1, 'Grand Hotel', 'FR', 500), (2, 'Corner shop', 'FR', 3);
INSERT INTO contacts (id, industry, regions, employees, revenue, job_title, is_customer, company_id, created_at, birthday, hobbies, tags) VALUES
  (1, 'Hospitality', '{Northeast}', 10, 10.5, 'CEO', true, 1, '2026-01-30 12:00Z', '1990-01-31', 'chess;golf', '{a,b}'),
  (2, 'Retail', '{Northeast,Southwest}', 500, 99, 'Student', false, 2, '2025-12-01 00:00Z', '2000-02-01', 'golf', '{b}'),
  (3, 'hospitality', '{Midwest}', 50, NULL, 'Chief of 100%_things''s', NULL, NULL, '2026-01-01 00:00Z', NULL, 'chess', '{}'),
  (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO members VALUES (1, 7), (1, 8), (2, 7);
INSERT INTO lead_scoring.source (name, record_type, relation, record_key) VALUES ('member', 'contact', 'members', 'contact_id');

CREATE FUNCTION pg_temp.document(groups jsonb, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_build_object('name', 'Quality', 'objectTypeId', '0-1', 'allowedGroupTypes', '["FIT", "INTENT"]'::jsonb, 'groupConfigs', $1) || $2
$$;
CREATE FUNCTION pg_temp.of_rules(category text, VARIADIC calculations jsonb[]) RETURNS jsonb LANGUAGE sql AS $$
  SELECT pg_temp.document(jsonb_build_array(jsonb_build_object('groupName', 'g', 'groupCategory', $1,
    'ruleConfigurations', (SELECT jsonb_agg(jsonb_build_object('enabled', true, 'configuration', jsonb_build_object('calculation', c))) FROM unnest($2) c))))
$$;
CREATE FUNCTION pg_temp.mapping() RETURNS jsonb LANGUAGE sql AS $$
  SELECT '{"properties": {"createdate": "created_at"}, "multiple": ["hobbies"], "events": {"4-1": {"type": "form_submit", "properties": {"hs_form": "detail"}}, "4-2": "page_view"},
           "segments": {"source": "member", "column": "list_id"}, "associations": {"0-2": {"source": "company", "properties": {"size": "employees"}}}}'::jsonb
$$;
-- What was left out: the places and why
CREATE FUNCTION pg_temp.skipped(document jsonb, mapping jsonb DEFAULT pg_temp.mapping()) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  answer text;
BEGIN
  SELECT string_agg(concat_ws('|', kind, item, note), E'\n') INTO answer FROM lead_scoring.import_hubspot_score($1, 'hs', 'contact', $2) WHERE action = 'skipped';
  RETURN answer;
END $$;
-- Keys of the contacts for which one operation holds, or why it was left out
CREATE FUNCTION pg_temp.holds(property text, operation jsonb, mapping jsonb DEFAULT pg_temp.mapping()) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  answer text := pg_temp.skipped(pg_temp.of_rules('FIT', jsonb_build_object('type', 'MATCH', 'property', $1, 'matchRules', jsonb_build_array(
    jsonb_build_object('operation', '{"includeObjectsWithNoValueSet": false}' || $2, 'value', 1)))), $3);
BEGIN
  IF answer IS NULL THEN
    SELECT coalesce(string_agg(record_key, ' ' ORDER BY record_key), 'nobody') INTO answer FROM lead_scoring.evaluate('hs', pg_temp.day()) WHERE total = 1;
  END IF;
  DELETE FROM lead_scoring.score WHERE name = 'hs';
  RETURN answer;
END $$;
CREATE FUNCTION pg_temp.rules() RETURNS TABLE (source text, criterion text, points float8, counting text, at_least float8, at_most float8, within interval, max_times int, value text) LANGUAGE sql AS $$
  SELECT source, criterion, points, counting, at_least, at_most, within, max_times, value FROM lead_scoring.rule WHERE score = 'hs' ORDER BY group_name, points, criterion COLLATE "C"
$$;

-- Operations
SELECT is(pg_temp.holds(property, operation::jsonb), ids, format('%s %s', property, operation)) FROM (VALUES
  (1, 'industry', '{"operationType": "ENUMERATION", "operator": "IS_ANY_OF", "values": ["Hospitality", "Retail"]}', '1 2'),
  (2, 'industry', '{"operationType": "ENUMERATION", "operator": "IS_NONE_OF", "values": ["Hospitality"]}', '2 3'),
  (3, 'industry', '{"operationType": "ENUMERATION", "operator": "IS_NONE_OF", "values": ["Hospitality"], "includeObjectsWithNoValueSet": true}', '2 3 4'),
  (4, 'industry', '{"operationType": "STRING", "operator": "IS_EQUAL_TO", "value": "Retail"}', '2'),
  (5, 'industry', '{"operationType": "MULTISTRING", "operator": "IS_NOT_EQUAL_TO", "values": ["Retail", "x"]}', '1 3'),
  (6, 'job_title', '{"operationType": "MULTISTRING", "operator": "CONTAINS", "values": ["EO", "100%_"]}', '1 3'),
  (7, 'job_title', '{"operationType": "STRING", "operator": "DOES_NOT_CONTAIN", "value": "''s"}', '1 2'),
  (8, 'job_title', '{"operationType": "STRING", "operator": "STARTS_WITH", "value": "C"}', '1 3'),
  (9, 'job_title', '{"operationType": "STRING", "operator": "ENDS_WITH", "value": "''s"}', '3'),
  (10, 'industry', '{"operationType": "ALL_PROPERTY", "operator": "IS_KNOWN"}', '1 2 3'),
  (11, 'industry', '{"operationType": "ALL_PROPERTY", "operator": "IS_UNKNOWN"}', '4'),
  (12, 'regions', '{"operationType": "ENUMERATION", "operator": "IS_ANY_OF", "values": ["Southwest", "Midwest"]}', '2 3'),
  (13, 'regions', '{"operationType": "ENUMERATION", "operator": "CONTAINS_ALL", "values": ["Southwest", "Northeast"]}', '2'),
  (14, 'regions', '{"operationType": "ENUMERATION", "operator": "IS_EXACTLY", "values": ["Northeast"]}', '1'),
  (15, 'regions', '{"operationType": "ENUMERATION", "operator": "DOES_NOT_CONTAIN_ALL", "values": ["Northeast"]}', '3'),
  (16, 'tags', '{"operationType": "ENUMERATION", "operator": "IS_ANY_OF", "values": ["a", "x, \"y"]}', '1'),
  (17, 'hobbies', '{"operationType": "ENUMERATION", "operator": "IS_ANY_OF", "values": ["chess"]}', '1 3'),
  (18, 'hobbies', '{"operationType": "ENUMERATION", "operator": "IS_EXACTLY", "values": ["golf", "chess"]}', '1'),
  (19, 'employees', '{"operationType": "NUMBER", "operator": "IS_GREATER_THAN_OR_EQUAL_TO", "value": 50}', '2 3'),
  (20, 'employees', '{"operationType": "NUMBER", "operator": "IS_LESS_THAN", "value": 10.5}', '1'),
  (21, 'revenue', '{"operationType": "NUMBER", "operator": "IS_NOT_EQUAL_TO", "value": 99}', '1'),
  (22, 'employees', '{"operationType": "NUMBER_RANGED", "operator": "IS_BETWEEN", "lowerBound": 10, "upperBound": 50}', '1 3'),
  (23, 'employees', '{"operationType": "NUMBER_RANGED", "operator": "IS_NOT_BETWEEN", "lowerBound": 10, "upperBound": 50}', '2'),
  (24, 'employees', '{"operationType": "COMPARATIVE_NUMBER", "operator": "IS_LESS_THAN", "comparisonPropertyName": "revenue"}', '1'),
  (25, 'is_customer', '{"operationType": "BOOL", "operator": "IS_EQUAL_TO", "value": true}', '1'),
  (26, 'is_customer', '{"operationType": "BOOL", "operator": "IS_NOT_EQUAL_TO", "value": true, "includeObjectsWithNoValueSet": true}', '2 3 4'),
  (27, 'createdate', '{"operationType": "ROLLING_DATE_RANGE", "operator": "IS_LESS_THAN_X_DAYS_AGO", "numberOfDays": 30}', '1 3'),
  (28, 'createdate', '{"operationType": "ROLLING_DATE_RANGE", "operator": "IS_MORE_THAN_X_DAYS_AGO", "numberOfDays": 30}', '2'),
  (29, 'createdate', '{"operationType": "ROLLING_DATE_RANGE", "operator": "IS_LESS_THAN_X_DAYS_FROM_NOW", "numberOfDays": 30}', 'nobody'),
  (30, 'createdate', '{"operationType": "DATETIME", "operator": "IS_AFTER_DATE", "timestamp": 1767225600000}', '1'),
  (31, 'createdate', '{"operationType": "DATETIME", "operator": "IS_EQUAL_TO", "timestamp": 1767225600000}', '3'),
  (32, 'createdate', '{"operationType": "RANGED_DATE", "operator": "IS_BETWEEN", "lowerBound": 1764547200000, "upperBound": 1767225600000}', '2 3'),
  (33, 'birthday', '{"operationType": "DATE", "operator": "IS_BEFORE", "year": 2000, "month": "FEBRUARY", "day": 1}', '1'),
  (34, 'birthday', '{"operationType": "DATE", "operator": "IS_EQUAL_TO", "year": 2000, "month": "2", "day": 1}', '2'),
  (35, 'createdate', '{"operationType": "TIME_POINT", "operator": "IS_AFTER", "endpointBehavior": "INCLUSIVE", "timePoint": {"timeType": "DATE", "year": 2026, "month": 1, "day": 1, "hour": 1, "zoneId": "Europe/Paris"}}', '1 3'),
  (36, 'createdate', '{"operationType": "TIME_POINT", "operator": "IS_AFTER", "timePoint": {"timeType": "INDEXED", "zoneId": "UTC", "indexReference": {"referenceType": "NOW"}, "offset": {"days": -1}}}', '1'),
  (37, 'createdate', '{"operationType": "TIME_POINT", "operator": "IS_BEFORE", "timePoint": {"timeType": "INDEXED", "zoneId": "America/New_York", "indexReference": {"referenceType": "TODAY"}, "offset": {"quarters": 0, "weeks": -2}}}', '2 3'),
  (38, 'createdate', '{"operationType": "TIME_POINT", "operator": "IS_AFTER", "timePoint": {"timeType": "PROPERTY_REFERENCED", "referenceType": "VALUE", "property": "birthday", "zoneId": "UTC"}}', '1 2'),
  (39, 'createdate', '{"operationType": "TIME_RANGED", "operator": "IS_BETWEEN", "lowerBoundTimePoint": {"timeType": "DATE", "year": 2026, "month": 1, "day": 1}, "upperBoundEndpointBehavior": "EXCLUSIVE", "upperBoundTimePoint": {"timeType": "INDEXED", "indexReference": {"referenceType": "NOW"}}}', '1 3'),
  (40, 'createdate', '{"operationType": "CALENDAR_DATE", "operator": "IN_THIS_TIME_UNIT", "timeUnit": "MONTH"}', '1 3'),
  (41, 'createdate', '{"operationType": "CALENDAR_DATE", "operator": "IN_LAST_TIME_UNIT", "timeUnit": "MONTH", "timeUnitCount": 2}', '2'),
  (42, 'createdate', '{"operationType": "CALENDAR_DATE", "operator": "IN_LAST_TIME_UNIT", "timeUnit": "QUARTER"}', '2'),
  (43, 'createdate', '{"operationType": "CALENDAR_DATE", "operator": "IN_NEXT_TIME_UNIT", "timeUnit": "WEEK"}', 'nobody'),
  (44, 'createdate', '{"operationType": "COMPARATIVE_DATE", "operator": "IS_BEFORE", "comparisonPropertyName": "birthday"}', 'nobody')) v (i, property, operation, ids) ORDER BY i;
SELECT is(pg_temp.holds('industry', '{"operationType": "STRING", "operator": "IS_EQUAL_TO", "value": "HOSPITALITY"}', '{"ignore_case": true}'), '1 3', 'case can be ignored');
SELECT is(pg_temp.holds('regions', '{"operationType": "ENUMERATION", "operator": "IS_ANY_OF", "values": ["MIDWEST"]}', '{"ignore_case": true}'), '3', 'in lists too');

-- Operations that are left out
SELECT is(regexp_replace(split_part(pg_temp.holds(property, operation::jsonb), E'\n', 1), '^.*\|', ''), why, format('%s %s', property, operation)) FROM (VALUES
  (1, 'industry', '{"operationType": "ENUMERATION", "operator": "HAS_EVER_BEEN_ANY_OF", "values": ["Retail"]}', 'ENUMERATION HAS_EVER_BEEN_ANY_OF asks for the history of a property, which a row does not have'),
  (2, 'industry', '{"operationType": "ROLLING_PROPERTY_UPDATED", "operator": "UPDATED_IN_LAST_X_DAYS", "numberOfDays": 3}', 'ROLLING_PROPERTY_UPDATED UPDATED_IN_LAST_X_DAYS asks for the history of a property, which a row does not have'),
  (3, 'nonesuch', '{"operationType": "ALL_PROPERTY", "operator": "IS_KNOWN"}', 'public.contacts has no column "nonesuch" for property "nonesuch"; name its column under "properties" of the mapping'),
  (4, 'industry', '{"operationType": "NUMBER", "operator": "IS_GREATER_THAN", "value": 3}', 'column industry is not a number'),
  (5, 'industry', '{"operationType": "DATETIME", "operator": "IS_AFTER_DATE", "timestamp": 3}', 'column industry is not a date or time'),
  (6, 'industry', '{"operationType": "STRING", "operator": "SOUNDS_LIKE", "value": "x"}', 'operation STRING SOUNDS_LIKE'),
  (7, 'employees', '{"operationType": "NUMBER", "operator": "IS_ROUGHLY", "value": 1}', 'operation NUMBER IS_ROUGHLY'),
  (8, 'industry', '{"operationType": "WHATEVER", "operator": "IS_EQUAL_TO", "value": "x"}', 'operation WHATEVER IS_EQUAL_TO'),
  (9, 'industry', '{"operator": "IS_EQUAL_TO", "value": "x"}', 'operation without operationType IS_EQUAL_TO'),
  (10, 'industry', '{}', 'operation without operationType without operator'),
  (11, 'employees', '{"operationType": "NUMBER", "operator": "IS_EQUAL_TO", "value": "5"}', 'value is not a number: "5"'),
  (12, 'industry', '{"operationType": "STRING", "operator": "IS_EQUAL_TO", "value": {"a": 1}}', 'value is not a text: {"a": 1}'),
  (13, 'industry', '{"operationType": "ENUMERATION", "operator": "IS_ANY_OF", "values": []}', 'no values to compare with'),
  (14, 'industry', '{"operationType": "ENUMERATION", "operator": "IS_ANY_OF", "values": "Retail"}', 'values is not a list: "Retail"'),
  (15, 'industry', '{"operationType": "ENUMERATION", "operator": "CONTAINS_ALL", "values": ["a", "b"]}', 'operation ENUMERATION CONTAINS_ALL'),
  (16, 'createdate', '{"operationType": "TIME_POINT", "operator": "IS_AFTER", "timePoint": {"timeType": "INDEXED", "indexReference": {"referenceType": "FISCAL_YEAR", "day": 1, "month": 4}}}',
    'a point in time like {"timeType": "INDEXED", "indexReference": {"day": 1, "month": 4, "referenceType": "FISCAL_YEAR"}}'),
  (17, 'createdate', '{"operationType": "TIME_POINT", "operator": "IS_AFTER", "timePoint": {"timeType": "DATE", "year": 2026, "month": 13, "day": 1}}', 'date field value out of range: 2026-13-01'),
  (18, 'createdate', '{"operationType": "TIME_POINT", "operator": "IS_AFTER", "timePoint": {"timeType": "DATE", "year": 2026, "month": 1, "day": 1, "zoneId": "Mars/Phobos"}}', 'time zone "Mars/Phobos" not recognized'),
  (19, 'createdate', '{"operationType": "ROLLING_DATE_RANGE", "operator": "IS_LESS_THAN_X_DAYS_AGO", "numberOfDays": 2147483647}', 'timestamp out of range'),
  (20, 'createdate', '{"operationType": "ROLLING_DATE_RANGE", "operator": "IS_LESS_THAN_X_DAYS_AGO", "numberOfDays": 5000000000}', 'interval field value out of range: "5000000000 days"'),
  (21, 'createdate', '{"operationType": "DATETIME", "operator": "IS_AFTER_DATE", "timestamp": 9e300}', 'timestamp out of range: "9e+297"'),
  (22, 'createdate', '{"operationType": "CALENDAR_DATE", "operator": "IN_LAST_TIME_UNIT", "timeUnit": "MONTH", "useFiscalYear": true}', 'operation CALENDAR_DATE IN_LAST_TIME_UNIT'),
  (23, 'createdate', '{"operationType": "TIME_POINT", "operator": "IS_AFTER", "timePoint": {"timeType": "INDEXED", "indexReference": {"referenceType": "NOW"}, "offset": {"aeons": 1}}}', 'invalid input syntax for type interval: "1 aeons"')
  ) v (i, property, operation, why) ORDER BY i;

-- Calculations
SELECT is(pg_temp.skipped(pg_temp.of_rules('FIT', '{"type": "MATCH", "property": "regions", "defaultValue": -2, "matchRules": [
    {"operation": {"operationType": "ENUMERATION", "operator": "IS_ANY_OF", "values": ["Northeast"]}, "value": 15}, {"operation": {"operationType": "ENUMERATION", "operator": "IS_ANY_OF", "values": ["Southwest"]}, "value": 8}]}',
  '{"type": "CONDITIONAL", "value": 0.5, "whereCondition": {"type": "COMPOSITE", "operator": "AND", "conditions": [{"type": "SINGLE", "property": "industry", "operation": {"operationType": "ALL_PROPERTY", "operator": "IS_KNOWN"}},
    {"type": "COMPOSITE", "operator": "AND", "conditions": [{"type": "SINGLE", "property": "employees", "operation": {"operationType": "NUMBER", "operator": "IS_GREATER_THAN", "value": 5, "includeObjectsWithNoValueSet": true}}]}]}}',
  '{"type": "CONSTANT", "value": 100}')), NULL, 'MATCH, CONDITIONAL, CONSTANT');
SELECT is(pg_temp.totals('hs'), '1=115.5 2=123.5 3=98.5 4=98', 'points of the options add up, with a value for none of them');
SELECT is((SELECT criterion FROM lead_scoring.rule WHERE score = 'hs' AND points = 0.5), '(industry IS NOT NULL) AND ((employees > 5 OR employees IS NULL))', 'conditions keep together');
SELECT set_eq($$SELECT name FROM lead_scoring.rule WHERE score = 'hs'$$, $$VALUES ('regions is any of Northeast'), ('regions is any of Southwest'), ('regions otherwise'),
  ('industry is known and employees is greater than 5'), ('everybody')$$, 'rules are called by what they ask');
DELETE FROM lead_scoring.score;
SELECT is(pg_temp.skipped(pg_temp.of_rules('FIT', '{"type": "SEGMENT_MEMBERSHIP", "segmentMembershipRules": [{"operation": "HAS_ALL_SEGMENT_MEMBERSHIP", "segmentIds": [8, 7], "value": 1},
    {"operation": "HAS_AT_LEAST_ONE_SEGMENT_MEMBERSHIP", "segmentIds": [8, 7], "value": 10}, {"operation": "HAS_NO_SEGMENT_MEMBERSHIP", "segmentIds": [7], "value": 100}]}',
  '{"type": "ASSOCIATIONS", "associatedObjectTypeId": "0-2", "rollupType": "MAX", "associationFilters": {"propertyFilters": [{"filterType": "PROPERTY", "property": "country", "operation": {"operationType": "STRING", "operator": "IS_EQUAL_TO", "value": "FR"}}]},
    "recordCalculation": {"type": "MATCH", "property": "size", "matchRules": [{"operation": {"operationType": "NUMBER", "operator": "IS_GREATER_THAN", "value": 100}, "value": 1000}]}}',
  '{"type": "ASSOCIATIONS", "associatedObjectTypeId": "0-2", "rollupType": "SUM", "recordCalculation": {"type": "CONSTANT", "value": 5000}}')), NULL, 'lists, associated records');
SELECT is((SELECT string_agg(note, '|') FROM lead_scoring.import_hubspot_score(pg_temp.of_rules('FIT', '{"type": "SEGMENT_MEMBERSHIP", "segmentMembershipRules": [{"operation": "HAS_ALL_SEGMENT_MEMBERSHIP", "segmentIds": [8, 7], "value": 1}, {"operation": "HAS_ALL_SEGMENT_MEMBERSHIP", "segmentIds": [8], "value": 1}]}'), 'lists', 'contact', pg_temp.mapping()) WHERE kind = 'rule'),
  'its rows are counted: a record must not be on one list twice (where it may be, make the source a view with DISTINCT)', 'on all of several lists: rows count');
DELETE FROM lead_scoring.score WHERE name = 'lists';
SELECT results_eq($$SELECT * FROM pg_temp.rules()$$, $$VALUES ('member', $c$list_id IN ('7', '8')$c$, 1::float8, 'once', 2::float8, NULL::float8, NULL::interval, NULL::int, NULL), ('member', $c$list_id IN ('7', '8')$c$, 10, 'once', NULL, NULL, NULL, NULL, NULL),
  ('member', $c$list_id IN ('7')$c$, 100, 'once', NULL, 0, NULL, NULL, NULL), ('company', $c$((country IN ('FR'))) AND (employees > 100)$c$, 1000, 'once', NULL, NULL, NULL, NULL, NULL),
  ('company', 'true', 5000, 'each', NULL, NULL, NULL, NULL, '1')$$, 'as rules over related rows');
UPDATE lead_scoring.rule SET enabled = counting = 'once';
SELECT is(pg_temp.totals('hs'), '1=1011 2=10 3=100 4=100', 'which pay');
DELETE FROM lead_scoring.score;
INSERT INTO activities (contact_id, type, detail, occurred_at) VALUES (1, 'form_submit', 'demo', '2026-01-30Z'), (1, 'form_submit', 'news', '2026-01-30Z'), (2, 'page_view', NULL, '2026-01-02Z'), (2, 'page_view', NULL, '2026-01-31Z'), (3, 'page_view', NULL, '2025-01-01Z');
SELECT is(pg_temp.skipped(pg_temp.of_rules('INTENT', '{"type": "MULTI_UE", "eventCalculators": [
    {"eventTypeId": "4-1", "recordCalculation": {"type": "MATCH", "property": "hs_form", "matchRules": [{"operation": {"operationType": "ENUMERATION", "operator": "IS_ANY_OF", "values": ["demo", "contact us"]}, "value": 5}]}},
    {"eventTypeId": "4-2", "recordCalculation": {"type": "CONSTANT", "value": 1}, "eventFrequencyCriteria": {"type": "BETWEEN", "ranges": [{"type": "EXACTLY", "from": 1, "value": 10}, {"type": "BETWEEN", "from": 2, "to": 4, "value": 20}, {"type": "AT_LEAST", "from": 5, "value": 30}]},
     "eventTimeframe": {"eventFilterOperation": {"operationType": "ROLLING_DATE_RANGE", "operator": "IS_LESS_THAN_X_DAYS_AGO", "numberOfDays": 30}}},
    {"eventTypeId": "4-2", "recordCalculation": {"type": "CONSTANT", "value": 2}, "eventTimeframe": {"eventFilterOperation": {"operationType": "DATETIME", "operator": "IS_BEFORE_DATE", "timestamp": 1767225600000}}}]}')), NULL, 'events');
SELECT results_eq($$SELECT * FROM pg_temp.rules()$$, $$VALUES ('activity', $c$(type = 'page_view') AND (occurred_at < timestamptz '2026-01-01 00:00:00+00')$c$, 2::float8, 'each', NULL::float8, NULL::float8, NULL::interval, NULL::int, NULL),
  ('activity', $c$(type = 'form_submit') AND (detail IN ('demo', 'contact us'))$c$, 5, 'each', NULL, NULL, NULL, NULL, NULL), ('activity', $c$(type = 'page_view')$c$, 10, 'once', 1, 1, '30 days', NULL, NULL),
  ('activity', $c$(type = 'page_view')$c$, 20, 'once', 2, 4, '30 days', NULL, NULL), ('activity', $c$(type = 'page_view')$c$, 30, 'once', 5, NULL, '30 days', NULL, NULL)$$, 'as event rules: each event, frequencies, timeframes');
SELECT is(pg_temp.totals('hs'), '1=5 2=20 3=2 4=0', 'which pay');
DELETE FROM lead_scoring.score;
SELECT is(pg_temp.skipped(pg_temp.of_rules('INTENT', '{"type": "ASSOCIATION_UE", "associatedObjectTypeId": "0-1", "rollupType": "SUM", "recordCalculation": {"type": "MULTI_UE", "eventCalculators": [{"eventTypeId": "4-2", "recordCalculation": {"type": "CONSTANT", "value": 1}}]}}')), NULL, 'events of associated records are events of the source');
DELETE FROM lead_scoring.score;

-- Groups, limits, decay, bands, scope
SELECT results_eq($$SELECT kind, item, action, note FROM lead_scoring.import_hubspot_score($d${"id": "5", "name": "Lead quality", "objectTypeId": "0-1", "allowedGroupTypes": ["FIT", "INTENT"], "maxScore": 100, "scoreStatus": "published",
   "filterConfiguration": {"listFilterType": "EXCLUDES", "segmentIds": [7]},
   "groupConfigs": [{"id": "1", "groupName": "Profile", "groupCategory": "FIT", "minValue": -10, "maxValue": 40.5, "ruleConfigurations": [
        {"id": "11", "enabled": false, "minimumValue": 0, "maximumValue": 15, "configuration": {"calculation": {"type": "MATCH", "property": "industry", "matchRules": [{"operation": {"operationType": "ALL_PROPERTY", "operator": "IS_KNOWN"}, "value": 15}]}}}]},
     {"id": "2", "groupName": "Profile", "groupCategory": "INTENT", "maxValue": 60, "groupDecay": {"decayIntervalDays": 90, "percentToDecayPerInterval": 100}, "ruleConfigurations": [
        {"id": "21", "enabled": true, "maxValue": 20, "configuration": {"calculation": {"type": "MULTI_UE", "eventCalculators": [{"eventTypeId": "4-2", "recordCalculation": {"type": "CONSTANT", "value": 5}}]}}},
        {"id": "22", "enabled": true, "minValue": -10, "configuration": {"calculation": {"type": "MULTI_UE", "eventCalculators": [{"eventTypeId": "4-9", "recordCalculation": {"type": "CONSTANT", "value": -4}}]}}}]}],
   "outputConfiguration": {"outputs": [{"outputType": "SCORE", "id": "1", "categories": ["FIT"]}, {"outputType": "THRESHOLD", "id": "2", "categories": ["FIT", "INTENT"], "boundaries": [{"label": "High", "threshold": 70, "color": "GREEN"}, {"label": "Low", "threshold": -100}]},
     {"outputType": "MATRIX", "id": "3", "categories": ["FIT", "INTENT"], "boundaries": {"FIT": [{"label": "A", "threshold": 25}], "INTENT": [{"label": "1", "threshold": 20}]}}, {"outputType": "THRESHOLD", "categories": ["FIT"], "boundaries": [{"label": "A", "threshold": 1}]}]}}$d$,
   'hs', 'contact', pg_temp.mapping())$$,
  $$VALUES ('score', 'hs', 'created', 'limited to 100 in both directions'), ('scope', $x$exclude, member, list_id IN ('7')$x$, 'created', NULL), ('group', 'Profile', 'created', NULL), ('rule', 'industry is known', 'created', NULL),
           ('group', 'Profile (2)', 'created', NULL), ('rule', 'page_view', 'created', 'its limit became max_times: the newest 4 pay, and fade'), ('rule', '4-9', 'created', 'events of type "4-9" are looked for; say under "events" of the mapping if they are called otherwise'),
           ('limit', 'groupConfigs[1].ruleConfigurations[1]', 'skipped', 'a rule has no limits of its own (-10 to null): its points count in full, up to the limits of the group'),
           ('band', 'outputConfiguration.outputs[0]', 'skipped', 'columns are named after the score'), ('band', 'High', 'created', 'of total'), ('band', 'Low', 'created', 'of total'),
           ('band', 'A', 'created', 'of fit'), ('band', '1', 'created', 'of engagement'), ('band', 'A', 'skipped', 'duplicate key value violates unique constraint "band_pkey"'),
           ('key', 'scoreStatus', 'skipped', 'not a part of a definition here')$$, 'a whole document, row by row');
SELECT results_eq($$SELECT kind, min_points, max_points, status, description FROM lead_scoring.score$$, $$VALUES ('combined', -100::float8, 100::float8, 'draft', 'HubSpot: Lead quality')$$, 'the score is a draft, its limit holds both ways');
SELECT results_eq($$SELECT name, kind, min_points, max_points, decay::text FROM lead_scoring.score_group ORDER BY name$$, $$VALUES ('Profile', 'fit', -10::float8, 40.5::float8, NULL), ('Profile (2)', 'engagement', NULL, 60, '100% per 90 days stepwise')$$, 'groups have limits and decay');
SELECT results_eq($$SELECT name, max_times, enabled, description FROM lead_scoring.rule ORDER BY description$$, $$VALUES ('industry is known', NULL::int, false, 'HubSpot: rule 11'), ('page_view', 4, true, 'HubSpot: rule 21'), ('4-9', NULL, true, 'HubSpot: rule 22')$$,
  'a limit that is a number of times is one here');
SELECT results_eq($$SELECT part, label, lower_bound, color FROM lead_scoring.band ORDER BY part, lower_bound$$, $$VALUES ('engagement', '1', 20::float8, NULL), ('fit', 'A', 25, NULL), ('total', 'Low', -100, NULL), ('total', 'High', 70, 'green')$$, 'thresholds are bands');
SET LOCAL client_min_messages = error; -- the limits of the groups do not add up
SELECT is_empty($$SELECT * FROM pg_temp.disagreements('hs')$$, 'it works: stored = evaluated = explained');
SELECT lead_scoring.deactivate('hs');
DELETE FROM lead_scoring.score;
SELECT is(pg_temp.skipped(pg_temp.document('[]', '{"allowedGroupTypes": ["INTENT"], "maxScorePerCategory": 50}')), NULL, 'the limit of the only part is that of the total');
SELECT results_eq($$SELECT kind, max_points FROM lead_scoring.score$$, $$VALUES ('engagement', 50::float8)$$, 'which is an engagement score');
DELETE FROM lead_scoring.score;
SELECT is(pg_temp.skipped(pg_temp.document('[]', '{"maxScorePerCategory": 50}')), 'limit|maxScorePerCategory|parts of a score have no limits of their own; those of the groups hold', 'limits of two parts are left out');
DELETE FROM lead_scoring.score;
SELECT is(pg_temp.skipped(pg_temp.document('[{"groupName": "f", "groupCategory": "FIT", "groupDecay": {"decayIntervalDays": 30, "percentToDecayPerInterval": 50}, "ruleConfigurations": []}, {"groupName": "i", "minValue": 5, "maxValue": 1, "ruleConfigurations": [{}, {}]},
    {"groupName": "e", "groupCategory": "INTENT", "groupDecay": {"decayIntervalDays": 0, "percentToDecayPerInterval": 500}, "ruleConfigurations": []}, {"groupCategory": "OTHER", "ruleConfigurations": []}, 5, {"groupName": "n", "ruleConfigurations": "x"}]')),
  'decay|groupConfigs[0].groupDecay|only events fade with time' || E'\n'
  'group|i|lower limit 5 of group "i" of score "hs" is above its upper limit 1' || E'\n'
  'rule|groupConfigs[1].ruleConfigurations[0]|its group was left out' || E'\n'
  'rule|groupConfigs[1].ruleConfigurations[1]|its group was left out' || E'\n'
  'decay|groupConfigs[2].groupDecay|duration must be longer than zero' || E'\n'
  'group|group|group "group" of score "hs" cannot be of kind ''OTHER''' || E'\n'
  'group|groupConfigs[4]|not an object: 5' || E'\n'
  'rule|groupConfigs[5].ruleConfigurations|ruleConfigurations is not a list: "x"', 'groups that cannot be');
DELETE FROM lead_scoring.score;

-- Calculations that are left out; the rest of the document is imported
CREATE FUNCTION pg_temp.refused(category text, calculation jsonb, mapping jsonb DEFAULT pg_temp.mapping()) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  answer text := replace(pg_temp.skipped(pg_temp.of_rules($1, $2), $3), 'rule|groupConfigs[0].ruleConfigurations[0].configuration.calculation', '');
BEGIN
  DELETE FROM lead_scoring.score WHERE name = 'hs';
  RETURN answer;
END $$;
SELECT is(pg_temp.refused(category, calculation::jsonb), why, left(calculation, 60)) FROM (VALUES
  (1, 'FIT', '{"type": "UNHEARD_OF"}', '|calculation UNHEARD_OF'),
  (2, 'FIT', 'null', '|calculation null'),
  (3, 'FIT', '[[[]]]', '|calculation [[[]]]'),
  (4, 'FIT', '{"type": "CONSTANT", "value": "many"}', 'rule|everybody|invalid input syntax for type double precision: "many"'),
  (5, 'FIT', '{"type": "CONSTANT", "value": 1e10}', 'rule|everybody|points of rule "everybody" of score "hs" out of range: 10000000000'),
  (6, 'FIT', '{"type": "CONSTANT", "value": 1e9999}', 'rule|everybody|"1' || repeat('0', 298)),
  (7, 'INTENT', '{"type": "CONSTANT", "value": 1}', 'rule|everybody|rule "everybody" of score "hs" cannot be in engagement group "g"'),
  (8, 'FIT', '{"type": "MULTI_UE", "eventCalculators": [{"eventTypeId": "4-2", "recordCalculation": {"type": "CONSTANT", "value": 1}}]}', 'rule|page_view|rule "page_view" of score "hs" cannot be in fit group "g"'),
  (9, 'FIT', '{"type": "ASSOCIATIONS", "associatedObjectTypeId": "0-2", "rollupType": "AVG", "recordCalculation": {"type": "CONSTANT", "value": 1}}', '|AVG of points over associated records'),
  (10, 'FIT', '{"type": "ASSOCIATIONS", "associatedObjectTypeId": "0-2", "rollupType": "MAX", "recordCalculation": {"type": "CONSTANT", "value": -1}}', '|MAX of points over associated records'),
  (11, 'FIT', '{"type": "ASSOCIATIONS", "associatedObjectTypeId": "0-77", "rollupType": "MAX", "recordCalculation": {"type": "CONSTANT", "value": 1}}', '|the mapping does not name the source of related rows'),
  (12, 'INTENT', '{"type": "ASSOCIATION_UE", "associatedObjectTypeId": "0-1", "rollupType": "MAX", "recordCalculation": {}}', '|calculation ASSOCIATION_UE MAX'),
  (13, 'FIT', '{"type": "MATCH", "property": "industry", "defaultValue": 5, "matchRules": [{"operation": {"operationType": "STRING", "operator": "X", "value": ""}, "value": 1}]}', '.matchRules[0]|operation STRING X' || E'\n' || '.defaultValue|a default value where a match rule was left out'),
  (14, 'FIT', '{"type": "CONDITIONAL", "value": 1, "whereCondition": {"type": "COMPOSITE", "operator": "OR", "conditions": []}}', '|conditions joined by OR'),
  (15, 'INTENT', '{"type": "MULTI_UE", "eventCalculators": [{"eventTypeId": "4-2", "recordCalculation": {"type": "CONSTANT", "value": 1}, "eventFrequencyCriteria": {"type": "BETWEEN", "ranges": [{"type": "SELDOM", "from": 1, "value": 1}]}}]}', '.eventCalculators[0]|a frequency of type SELDOM'),
  (16, 'INTENT', '{"type": "MULTI_UE", "eventCalculators": [{"recordCalculation": {"type": "CONSTANT", "value": 1}}, 5]}', '.eventCalculators[0]|eventTypeId is not a text: missing' || E'\n' || '.eventCalculators[1]|eventTypeId is not a text: missing'),
  (17, 'FIT', '{"type": "SEGMENT_MEMBERSHIP", "segmentMembershipRules": [{"operation": "HAS_AT_LEAST_ONE_SEGMENT_MEMBERSHIP", "segmentIds": ["7); DROP TABLE contacts"], "value": 1}]}', '|segment is not a number: "7); DROP TABLE contacts"')) v (i, category, calculation, why) ORDER BY i;
SELECT is(pg_temp.refused('INTENT', '{"type": "MULTI_UE", "eventCalculators": [{"eventTypeId": "4-2", "recordCalculation": {"type": "CONSTANT", "value": 1}}]}', '{"type_column": "nonesuch"}'),
  '.eventCalculators[0]|public.activities has no column "nonesuch" for property "nonesuch"; name its column under "properties" of the mapping', 'a column of event types that does not exist');
SELECT is(pg_temp.refused('INTENT', '{"type": "MULTI_UE", "eventCalculators": [{"eventTypeId": "4-2", "recordCalculation": {"type": "CONSTANT", "value": 1}}]}', '{"source": "company"}'),
  '.eventCalculators[0]|source "company" does not exist, or is not one of events', 'a source that has no events');
SELECT is(pg_temp.refused('INTENT', '{"type": "MULTI_UE", "eventCalculators": [{"eventTypeId": "4-2", "recordCalculation": {"type": "CONSTANT", "value": 1}}]}', '{"events": {"4-2": {"type_column": null}}}'), NULL, 'a source of one type of event needs no column for it');

-- Hostile documents
SELECT is(pg_temp.holds('industry', jsonb_build_object('operationType', 'ENUMERATION', 'operator', 'IS_ANY_OF', 'values', jsonb_build_array(value))), 'nobody', 'a value of ' || left(value, 40)) FROM (VALUES
  ($$') OR true OR industry IN ('$$), ($$\' OR true --$$), ($$'; DROP TABLE contacts; --$$), ($$E'\x27' || pg_sleep(9)$$), ('$1'), ('as_of'), ('{a,b}'), ('%1$s'), (repeat('x', 100000))) v (value);
SELECT is(pg_temp.holds('regions', jsonb_build_object('operationType', 'ENUMERATION', 'operator', 'IS_ANY_OF', 'values', '["'', \"}'' OR true", "\\", "NULL", "{"]'::jsonb)), 'nobody', 'values of a list');
SELECT is(regexp_replace(pg_temp.holds(property, '{"operationType": "ALL_PROPERTY", "operator": "IS_KNOWN"}'), '^.*\|', ''), format('public.contacts has no column "%1$s" for property "%1$s"; name its column under "properties" of the mapping', property), 'a property called ' || left(property, 40))
  FROM (VALUES ('industry" IS NULL OR "industry'), ('industry; DROP TABLE contacts'), ('ctid'), ('industry' || repeat(' ', 60)), ('')) v (property);
SELECT is(pg_temp.holds('evil', '{"operationType": "STRING", "operator": "IS_EQUAL_TO", "value": "Retail"}', '{"properties": {"evil": "industry"}}'), '2', 'an evil name is only a name');
ALTER TABLE contacts ADD "quo""te' ; --" text DEFAULT 'x';
SELECT is(pg_temp.holds('quo"te'' ; --', '{"operationType": "STRING", "operator": "IS_EQUAL_TO", "value": "x"}'), '1 2 3 4', 'also of a column');
SELECT results_eq($$SELECT kind, item, action FROM lead_scoring.import_hubspot_score(pg_temp.document('[{"groupName": "g''); DROP TABLE contacts; --", "groupCategory": "INTENT", "ruleConfigurations": [{"enabled": true, "configuration": {"calculation":
    {"type": "MULTI_UE", "eventCalculators": [{"eventTypeId": "x'' OR true --", "recordCalculation": {"type": "CONSTANT", "value": 1}}]}}}]}]'), 'hs''; --', 'contact')$$,
  $$VALUES ('score', 'hs''; --', 'created'), ('group', 'g''); DROP TABLE contacts; --', 'created'), ('rule', 'x'' OR true --', 'created')$$, 'evil names of groups and event types');
SELECT is((SELECT criterion FROM lead_scoring.rule WHERE score = 'hs''; --'), $$(type = 'x'' OR true --')$$, 'are quoted');
DELETE FROM lead_scoring.score;
SELECT is(pg_temp.refused('FIT', (repeat('{"type": "MULTI", "calculators": [', 25) || '{"type": "CONSTANT", "value": 1}' || repeat(']}', 25))::jsonb), repeat('.calculators[0]', 21) || '|calculations that are nested more than 20 deep'
  || E'\n' || 'key|groupConfigs[0].ruleConfigurations[0].configuration.calculation' || repeat('.calculators[0]', 22) || '|nested too deeply', 'deep calculations');
SELECT is(pg_temp.refused('FIT', jsonb_build_object('type', 'CONDITIONAL', 'value', 1, 'whereCondition', (repeat('{"type": "COMPOSITE", "operator": "AND", "conditions": [', 1000) || repeat(']}', 1000))::jsonb)) ~ '^\|conditions that are nested more than 20 deep\nkey\|', true, 'deep conditions');
SELECT is(pg_temp.skipped(pg_temp.document('[]', jsonb_build_object('outputConfiguration', (repeat('[', 3000) || repeat(']', 3000))::jsonb))) ~ '^key\|outputConfiguration(\[0\])+\|nested too deeply$', true, 'deep nonsense');
DELETE FROM lead_scoring.score;
SELECT throws_ok(format('SELECT * FROM lead_scoring.import_hubspot_score(%L, %L, %L, %L)', document, name, record_type, mapping), code, NULL, what) FROM (VALUES
  (1, NULL, 'x', 'contact', '{}', '22023', 'document NULL'), (2, '[]', 'x', 'contact', '{}', '22023', 'an array'), (3, '{"results": []}', 'x', 'contact', '{}', '22023', 'a list of scores'),
  (4, '{"groupConfigs": {}}', 'x', 'contact', '{}', '22023', 'groups that are an object'), (5, '{"groupConfigs": []}', NULL, 'contact', '{}', '42602', 'name NULL'), (6, '{"groupConfigs": []}', '', 'contact', '{}', '42602', 'name empty'),
  (7, '{"groupConfigs": []}', 'x', 'none', '{}', '42704', 'unknown record type'), (8, '{"groupConfigs": []}', 'x', NULL, '{}', '42704', 'record type NULL'), (9, '{"groupConfigs": []}', 'x', 'contact', NULL, '22023', 'mapping NULL'),
  (10, '{"groupConfigs": []}', 'x', 'contact', '[]', '22023', 'mapping an array'), (11, '{"groupConfigs": []}', 'x', 'contact', '{"property": {}}', '22023', 'an unknown key of the mapping'),
  (12, '{"groupConfigs": []}', 'x', 'contact', '{"events": "x"}', '22023', 'a key of the mapping of another type')) v (i, document, name, record_type, mapping, code, what) ORDER BY i;
INSERT INTO lead_scoring.score (name, record_type) VALUES ('taken', 'contact');
SELECT throws_ok($$SELECT * FROM lead_scoring.import_hubspot_score('{"groupConfigs": []}', 'taken', 'contact')$$, '42710', 'score "taken" exists', 'a name that is taken');
CREATE ROLE ls_test_hubspot_other;
GRANT USAGE ON SCHEMA public TO ls_test_hubspot_other;
SET LOCAL ROLE ls_test_hubspot_other;
SELECT throws_ok($$SELECT * FROM lead_scoring.import_hubspot_score('{"groupConfigs": []}', 'theirs', 'contact')$$, '42501', NULL, 'only for owners of the records');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
