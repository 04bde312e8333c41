-- HubSpot's lead scores: the import as a whole.

-- Nothing is written but here, a row at a time: what is reported is what is there.
CREATE FUNCTION lead_scoring.hubspot_write(
  part name, what text, definition jsonb, remark text, OUT kind text, OUT item text, OUT action text, OUT note text)
RETURNS record LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  kind := what;
  item := coalesce(definition ->> 'path', lead_scoring.document_item(definition));
  action := 'skipped';
  note := definition ->> 'refused';
  IF note IS NOT NULL THEN
    RETURN;
  END IF;
  PERFORM lead_scoring.write_definition(part, definition, 'pg_catalog, pg_temp');
  action := 'created';
  note := remark;
EXCEPTION
  WHEN insufficient_privilege THEN
    RAISE;
  WHEN data_exception OR integrity_constraint_violation OR syntax_error_or_access_rule_violation OR feature_not_supported
       OR object_not_in_prerequisite_state THEN
    note := left(SQLERRM, 300);
END $$;
COMMENT ON FUNCTION lead_scoring.hubspot_write(name, text, jsonb, text) IS 'Inserts a row into a definition table, or says why not: because it was refused before, or because the checks of the table do not accept it';

-- A rule of HubSpot has limits of its own, ours have none: they matter if its parts can pay more.
CREATE FUNCTION lead_scoring.hubspot_limits(parts jsonb[], lowest numeric, highest numeric, OUT max_times integer, OUT matters boolean)
RETURNS record LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  part jsonb;
  points numeric;
  low numeric := 0;
  high numeric := 0;
  times numeric;
BEGIN
  FOREACH part IN ARRAY parts LOOP
    points := CASE jsonb_typeof(part -> 'points') WHEN 'number' THEN (part -> 'points')::numeric ELSE 0 END;
    IF part ->> 'counting' = 'each' THEN
      points := points * 1e30; -- any number of times
    END IF;
    low := low + least(points, 0);
    high := high + greatest(points, 0);
  END LOOP;
  matters := coalesce(low < lowest, false) OR coalesce(high > highest, false);
  IF matters AND cardinality(parts) = 1 AND parts[1] ->> 'counting' = 'each' AND NOT parts[1] ? 'value' THEN
    points := (parts[1] -> 'points')::numeric;
    times := CASE WHEN points > 0 AND coalesce(lowest, 0) <= 0 THEN highest / points
                  WHEN points < 0 AND coalesce(highest, 0) >= 0 THEN lowest / points END;
    IF times >= 1 AND times = trunc(times) AND times < 2147483647 THEN
      max_times := times;
      matters := false;
    END IF;
  END IF;
END $$;
COMMENT ON FUNCTION lead_scoring.hubspot_limits(jsonb[], numeric, numeric) IS 'Whether the limits of a rule of HubSpot can cut anything off, and how many times its only part may pay where that says the same';

CREATE FUNCTION lead_scoring.free_name(wanted text, taken text[]) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT v.name
    FROM generate_series(1, cardinality(taken) + 1) n
   CROSS JOIN LATERAL (VALUES (CASE n WHEN 1 THEN wanted ELSE format('%s (%s)', wanted, n) END)) v (name)
   WHERE v.name <> ALL (taken) ORDER BY n LIMIT 1
$$;
COMMENT ON FUNCTION lead_scoring.free_name(text, text[]) IS 'A name, with a number if it is taken';

CREATE FUNCTION lead_scoring.hubspot_rule(
  context jsonb, score text, group_name text, rule jsonb, path text, OUT kind text, OUT item text, OUT action text, OUT note text)
RETURNS SETOF record LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  parts jsonb[] := ARRAY(
    SELECT c FROM lead_scoring.hubspot_calculation(context, rule #> '{configuration,calculation}', path || '.configuration.calculation', 0) c);
  lowest jsonb := coalesce(rule -> 'minimumValue', rule -> 'minValue', 'null');
  highest jsonb := coalesce(rule -> 'maximumValue', rule -> 'maxValue', 'null');
  limits record;
  part jsonb;
  fading text;
BEGIN
  SELECT * INTO limits FROM lead_scoring.hubspot_limits(
    parts, CASE jsonb_typeof(lowest) WHEN 'number' THEN lowest::numeric END, CASE jsonb_typeof(highest) WHEN 'number' THEN highest::numeric END);
  IF limits.max_times IS NOT NULL AND EXISTS (
       SELECT FROM lead_scoring.score_group g WHERE g.score = hubspot_rule.score AND g.name = hubspot_rule.group_name AND g.decay IS NOT NULL) THEN
    fading := format('its limit became max_times: the newest %s pay, and fade', limits.max_times);
  END IF;
  FOREACH part IN ARRAY parts LOOP
    part := jsonb_strip_nulls(part) || jsonb_build_object(
      'score', score, 'group_name', group_name, 'points', part -> 'points', 'max_times', limits.max_times,
      'enabled', rule -> 'enabled' IS DISTINCT FROM 'false', 'description', 'HubSpot: ' || coalesce('rule ' || (rule ->> 'id'), path),
      'name', lead_scoring.free_name(left(coalesce(part ->> 'name', 'everybody'), 200),
                                     ARRAY(SELECT r.name FROM lead_scoring.rule r WHERE r.score = hubspot_rule.score)));
    RETURN QUERY SELECT w.* FROM lead_scoring.hubspot_write('rule', 'rule', part, nullif(concat_ws('; ', part ->> 'note', fading), '')) w;
  END LOOP;
  IF limits.matters OR jsonb_typeof(lowest) NOT IN ('number', 'null') OR jsonb_typeof(highest) NOT IN ('number', 'null') THEN
    RETURN QUERY SELECT 'limit', path, 'skipped', format(
      'a rule has no limits of its own (%s to %s): its points count in full, up to the limits of the group', left(lowest::text, 60), left(highest::text, 60));
  END IF;
END $$;
COMMENT ON FUNCTION lead_scoring.hubspot_rule(jsonb, text, text, jsonb, text) IS 'Creates the rules that a rule of HubSpot comes to';

CREATE FUNCTION lead_scoring.hubspot_decay(config jsonb, part text) RETURNS text LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  decay text := format('%s%% per %s days stepwise', lead_scoring.hubspot_number(config -> 'percentToDecayPerInterval', 'percentToDecayPerInterval'),
                       lead_scoring.hubspot_number(config -> 'decayIntervalDays', 'decayIntervalDays'));
BEGIN
  IF part = 'fit' THEN
    PERFORM lead_scoring.hubspot_refuse('only events fade with time');
  END IF;
  RETURN decay::lead_scoring.decay;
END $$;
COMMENT ON FUNCTION lead_scoring.hubspot_decay(jsonb, text) IS 'The decay of a group of HubSpot';

CREATE FUNCTION lead_scoring.hubspot_group(
  context jsonb, score text, config jsonb, path text, OUT kind text, OUT item text, OUT action text, OUT note text)
RETURNS SETOF record LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  category text := coalesce(
    config ->> 'groupCategory', CASE WHEN jsonb_array_length(context -> 'categories') = 1 THEN context #>> '{categories,0}'
                                     WHEN (config -> 'ruleConfigurations')::text LIKE '%"eventTypeId"%' THEN 'INTENT' ELSE 'FIT' END);
  part text := CASE category WHEN 'FIT' THEN 'fit' WHEN 'INTENT' THEN 'engagement' ELSE category END;
  name text := lead_scoring.free_name(left(coalesce(nullif(config ->> 'groupName', ''), 'group'), 200),
                                      ARRAY(SELECT g.name FROM lead_scoring.score_group g WHERE g.score = hubspot_group.score));
  decay text;
  rules jsonb[];
  written record;
BEGIN
  IF jsonb_typeof(config) <> 'object' THEN
    RETURN QUERY SELECT 'group', path, 'skipped', format('not an object: %s', left(config::text, 60));
    RETURN;
  END IF;
  BEGIN
    rules := ARRAY(SELECT i FROM lead_scoring.hubspot_items(config -> 'ruleConfigurations', 'ruleConfigurations') i);
    IF nullif(config -> 'groupDecay', 'null') IS NOT NULL THEN
      decay := lead_scoring.hubspot_decay(config -> 'groupDecay', part);
    END IF;
  EXCEPTION WHEN feature_not_supported OR data_exception THEN
    RETURN QUERY SELECT CASE WHEN rules IS NULL THEN 'rule' ELSE 'decay' END,
      path || CASE WHEN rules IS NULL THEN '.ruleConfigurations' ELSE '.groupDecay' END, 'skipped', left(SQLERRM, 300);
  END;
  SELECT * INTO written FROM lead_scoring.hubspot_write('score_group', 'group', jsonb_build_object('score', score, 'name', name, 'kind', part,
    'min_points', config -> 'minValue', 'max_points', config -> 'maxValue', 'decay', decay), NULL);
  RETURN QUERY SELECT written.kind, written.item, written.action, written.note;
  IF written.action = 'created' THEN
    RETURN QUERY SELECT r.* FROM unnest(rules) WITH ORDINALITY u (rule, at)
      CROSS JOIN LATERAL lead_scoring.hubspot_rule(context, score, name, u.rule, format('%s.ruleConfigurations[%s]', path, u.at - 1)) r;
  ELSE
    RETURN QUERY SELECT 'rule', format('%s.ruleConfigurations[%s]', path, at - 1), 'skipped', 'its group was left out'
      FROM generate_subscripts(rules, 1) at;
  END IF;
END $$;
COMMENT ON FUNCTION lead_scoring.hubspot_group(jsonb, text, jsonb, text) IS 'Creates a group of HubSpot, with its rules';

CREATE FUNCTION lead_scoring.hubspot_bands(output jsonb, kind_of_score text, path text) RETURNS SETOF jsonb LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  parts constant jsonb := '{"FIT": "fit", "INTENT": "engagement"}';
  boundaries jsonb := output -> 'boundaries';
  of_one_part boolean := kind_of_score = 'combined' AND output -> 'categories' IN ('["FIT"]', '["INTENT"]');
BEGIN
  IF output ->> 'outputType' = 'SCORE' THEN
    PERFORM lead_scoring.hubspot_refuse('columns are named after the score');
  ELSIF output ->> 'outputType' = 'THRESHOLD' THEN
    boundaries := jsonb_build_object(CASE WHEN of_one_part THEN parts ->> (output #>> '{categories,0}') ELSE 'total' END, boundaries);
  ELSIF output ->> 'outputType' IS DISTINCT FROM 'MATRIX' OR jsonb_typeof(boundaries) IS DISTINCT FROM 'object' THEN
    PERFORM lead_scoring.hubspot_refuse(format('output %s', coalesce(left(output::text, 60), 'missing')));
  END IF;
  RETURN QUERY SELECT jsonb_build_object('part', coalesce(parts ->> b.key, b.key), 'label', i -> 'label',
                                         'lower_bound', lead_scoring.hubspot_number(i -> 'threshold', 'threshold'), 'color', lower(i ->> 'color'))
    FROM jsonb_each(boundaries) b CROSS JOIN LATERAL lead_scoring.hubspot_items(b.value, 'boundaries') i;
EXCEPTION WHEN feature_not_supported OR data_exception THEN
  RETURN NEXT jsonb_build_object('refused', left(SQLERRM, 300), 'path', path);
END $$;
COMMENT ON FUNCTION lead_scoring.hubspot_bands(jsonb, text, text) IS 'An output of HubSpot, as bands to be';

CREATE FUNCTION lead_scoring.hubspot_scopes(context jsonb, filters jsonb) RETURNS SETOF jsonb LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF coalesce(filters, 'null') <> 'null' THEN
    RETURN QUERY SELECT lead_scoring.hubspot_membership(context, ARRAY[lead_scoring.hubspot_number(i, 'segment')::text])
        || jsonb_build_object('mode', CASE filters ->> 'listFilterType' WHEN 'INCLUDES' THEN 'include' WHEN 'EXCLUDES' THEN 'exclude' END)
      FROM lead_scoring.hubspot_items(filters -> 'segmentIds', 'segmentIds') i;
  END IF;
EXCEPTION WHEN feature_not_supported OR data_exception THEN
  RETURN NEXT jsonb_build_object('refused', left(SQLERRM, 300), 'path', 'filterConfiguration');
END $$;
COMMENT ON FUNCTION lead_scoring.hubspot_scopes(jsonb, jsonb) IS 'The filter of a score of HubSpot, as scopes to be';

CREATE FUNCTION lead_scoring.hubspot_keys() RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT string_to_array(
    'name id objectTypeId allowedGroupTypes maxScore maxScorePerCategory filterConfiguration listFilterType segmentIds'
    ' groupConfigs groupName groupCategory minValue maxValue groupDecay decayIntervalDays percentToDecayPerInterval'
    ' ruleConfigurations enabled minimumValue maximumValue configuration calculation type value property matchRules operation'
    ' defaultValue calculators whereCondition conditions operator segmentMembershipRules eventCalculators eventTypeId'
    ' recordCalculation eventFrequencyCriteria ranges from to eventTimeframe eventFilterOperation associatedObjectTypeId'
    ' associationFilters propertyFilters filterType rollupType associationSpec inverseAssociationSpec associationCategory'
    ' associationTypeId operationType includeObjectsWithNoValueSet values numberOfDays timestamp lowerBound upperBound year'
    ' month day hour minute second millisecond timePoint lowerBoundTimePoint upperBoundTimePoint timeType zoneId'
    ' indexReference referenceType offset days weeks months quarters years hours minutes seconds milliseconds'
    ' endpointBehavior lowerBoundEndpointBehavior upperBoundEndpointBehavior timeUnit timeUnitCount useFiscalYear'
    ' comparisonPropertyName defaultComparisonValue outputConfiguration outputs outputType categories boundaries FIT INTENT'
    ' label threshold color', ' ')
$$;
COMMENT ON FUNCTION lead_scoring.hubspot_keys() IS 'Keys of documents of HubSpot that the import looks at';

CREATE FUNCTION lead_scoring.hubspot_unused(document jsonb, OUT kind text, OUT item text, OUT action text, OUT note text)
RETURNS SETOF record LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH RECURSIVE inside (path, key, value, depth) AS (
    SELECT '', '', document, 0
    UNION ALL
    SELECT CASE WHEN c.at IS NULL THEN concat_ws('.', nullif(i.path, ''), c.key) ELSE format('%s[%s]', i.path, c.at - 1) END,
           coalesce(c.key, i.key), c.value, i.depth + 1
      FROM inside i
     CROSS JOIN LATERAL (
       SELECT e.key, NULL::bigint AS at, e.value FROM jsonb_each(CASE jsonb_typeof(i.value) WHEN 'object' THEN i.value ELSE '{}' END) e
       UNION ALL
       SELECT NULL, e.at, e.value
         FROM jsonb_array_elements(CASE jsonb_typeof(i.value) WHEN 'array' THEN i.value ELSE '[]' END) WITH ORDINALITY e (value, at)) c
     WHERE i.depth = 0 OR i.depth < 50 AND i.key = ANY (lead_scoring.hubspot_keys())
  )
  SELECT 'key', min(i.path COLLATE "C"), 'skipped', n.note || CASE WHEN count(*) > 1 THEN format(' (%s times)', count(*)) ELSE '' END
    FROM inside i
   CROSS JOIN LATERAL (VALUES (
     CASE WHEN i.depth = 50 THEN 'nested too deeply'
          WHEN i.key = 'requiresTimeZoneConversion' THEN CASE WHEN i.value <> 'false' THEN 'times are taken as UTC' END
          WHEN i.depth > 0 AND i.key <> ALL (lead_scoring.hubspot_keys()) THEN 'not a part of a definition here' END)) n (note)
   WHERE n.note IS NOT NULL
   GROUP BY i.key, n.note ORDER BY 2
$$;
COMMENT ON FUNCTION lead_scoring.hubspot_unused(jsonb) IS 'Keys of a document of HubSpot of which no use is made, wherever they stand; each once, with its first place';

CREATE FUNCTION lead_scoring.require_hubspot(document jsonb, mapping jsonb) RETURNS void LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  known constant jsonb := '{"properties": "object", "multiple": "array", "ignore_case": "boolean", "source": "string",
                            "type_column": "string", "events": "object", "segments": "object", "associations": "object"}';
  wrong record;
BEGIN
  IF jsonb_typeof(document) IS DISTINCT FROM 'object' OR jsonb_typeof(document -> 'groupConfigs') IS DISTINCT FROM 'array' THEN
    RAISE EXCEPTION 'not a lead score of HubSpot: %', coalesce(left(document::text, 100), 'NULL') USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Give one score as the Lead Scoring API returns it: an object with "groupConfigs".';
  ELSIF jsonb_typeof(mapping) IS DISTINCT FROM 'object' THEN
    RAISE EXCEPTION 'mapping is not an object: %', coalesce(left(mapping::text, 100), 'NULL') USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Leave it out if everything is called here as it is in HubSpot.';
  END IF;
  SELECT m.key, m.value INTO wrong FROM jsonb_each(mapping) m WHERE jsonb_typeof(m.value) IS DISTINCT FROM known ->> m.key LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'mapping has "%": %', wrong.key, left(wrong.value::text, 100) USING ERRCODE = 'invalid_parameter_value',
      HINT = format('Its keys are %s.', (SELECT string_agg(format('%s (%s)', k.key, k.value), ', ' ORDER BY k.key) FROM jsonb_each_text(known) k));
  END IF;
END $$;
COMMENT ON FUNCTION lead_scoring.require_hubspot(jsonb, jsonb) IS 'Raises unless this is a lead score of HubSpot, and that a mapping for it';

CREATE FUNCTION lead_scoring.import_hubspot_score(
  document jsonb, name text, record_type text, mapping jsonb DEFAULT '{}', OUT kind text, OUT item text, OUT action text, OUT note text)
RETURNS SETOF record LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  context jsonb;
  categories jsonb := document -> 'allowedGroupTypes';
  score_kind text;
  highest jsonb := coalesce(document -> 'maxScore', 'null');
  outputs jsonb := document #> '{outputConfiguration,outputs}';
BEGIN
  PERFORM lead_scoring.require_hubspot(document, mapping);
  PERFORM lead_scoring.require_name(import_hubspot_score.name, 'a score');
  IF EXISTS (SELECT FROM lead_scoring.score s WHERE s.name = import_hubspot_score.name) THEN
    RAISE EXCEPTION 'score "%" exists', import_hubspot_score.name USING ERRCODE = 'duplicate_object', HINT = 'Give another name.';
  END IF;
  IF categories IS NULL OR categories NOT IN ('["FIT"]', '["INTENT"]') THEN
    categories := '["FIT", "INTENT"]';
  END IF;
  score_kind := CASE categories WHEN '["FIT"]' THEN 'fit' WHEN '["INTENT"]' THEN 'engagement' ELSE 'combined' END;
  -- A limit for each part is one of the total where there is but one
  IF highest = 'null' AND jsonb_array_length(categories) = 1 THEN
    highest := coalesce(document -> 'maxScorePerCategory', 'null');
  ELSIF coalesce(document -> 'maxScorePerCategory', 'null') <> 'null' THEN
    RETURN QUERY SELECT 'limit', 'maxScorePerCategory', 'skipped', 'parts of a score have no limits of their own; those of the groups hold';
  END IF;
  IF highest <> 'null' AND NOT (jsonb_typeof(highest) = 'number' AND highest > '0' AND highest <= '1e15') THEN
    RETURN QUERY SELECT 'limit', 'maxScore', 'skipped', format('not a positive number up to 1e15: %s', left(highest::text, 60));
    highest := 'null';
  END IF;
  PERFORM lead_scoring.write_definition('score', jsonb_strip_nulls(jsonb_build_object(
    'name', import_hubspot_score.name, 'record_type', import_hubspot_score.record_type, 'kind', score_kind, 'max_points', highest,
    'min_points', CASE WHEN highest <> 'null' THEN to_jsonb(- highest::numeric) END,
    'description', concat_ws(' ', 'HubSpot:', document ->> 'name'))), 'pg_catalog, pg_temp');
  RETURN QUERY SELECT 'score', import_hubspot_score.name, 'created', CASE WHEN highest <> 'null' THEN format('limited to %s in both directions', highest) END;
  context := mapping || jsonb_build_object('record_type', import_hubspot_score.record_type, 'categories', categories,
    'relation', (SELECT t.relation::text FROM lead_scoring.record_type t WHERE t.name = import_hubspot_score.record_type));

  RETURN QUERY SELECT w.* FROM lead_scoring.hubspot_scopes(context, document -> 'filterConfiguration') x
    CROSS JOIN LATERAL lead_scoring.hubspot_write('scope', 'scope', x || jsonb_build_object('score', import_hubspot_score.name), NULL) w;
  RETURN QUERY SELECT g.* FROM jsonb_array_elements(document -> 'groupConfigs') WITH ORDINALITY c (config, at)
    CROSS JOIN LATERAL lead_scoring.hubspot_group(context, import_hubspot_score.name, c.config, format('groupConfigs[%s]', c.at - 1)) g;
  RETURN QUERY SELECT w.*
    FROM jsonb_array_elements(CASE jsonb_typeof(outputs) WHEN 'array' THEN outputs ELSE '[]' END) WITH ORDINALITY o (output, at)
   CROSS JOIN LATERAL lead_scoring.hubspot_bands(o.output, score_kind, format('outputConfiguration.outputs[%s]', o.at - 1)) x
   CROSS JOIN LATERAL lead_scoring.hubspot_write(
     'band', 'band', x || jsonb_build_object('score', import_hubspot_score.name), 'of ' || (x ->> 'part')) w;
  RETURN QUERY SELECT u.* FROM lead_scoring.hubspot_unused(document) u;
END $$;
COMMENT ON FUNCTION lead_scoring.import_hubspot_score(jsonb, text, text, jsonb) IS
  'Creates a draft from a lead score of HubSpot, as its Lead Scoring API returns it. The mapping says what properties, event types, lists and associated objects are called here, for example {"properties": {"hs_name": "column"}, "multiple": ["hs_name"], "ignore_case": true, "source": "activity", "type_column": "type", "events": {"4-1639801": "form_submit"}, "segments": {"source": "member", "column": "list_id"}, "associations": {"0-2": "company"}}. A row for everything that was created, and for everything that was left out, with the reason';
