-- HubSpot's lead scores: calculations as rules to be. A rule to be is an object with columns of lead_scoring.rule, and
-- maybe a note, or it says that something was refused (why) and its path (where). Nothing is written here.

-- The rows of lists, of associated records, of events: each a source.
CREATE FUNCTION lead_scoring.hubspot_source(context jsonb, name text, is_event boolean) RETURNS lead_scoring.source LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  origin lead_scoring.source;
  what text := CASE WHEN is_event THEN 'events' ELSE 'related rows' END;
BEGIN
  -- Without a name, the only source of events
  SELECT * INTO origin FROM lead_scoring.source s
   WHERE s.record_type = context ->> 'record_type' AND (s.occurred_at IS NOT NULL) = is_event
     AND (s.name = hubspot_source.name OR hubspot_source.name IS NULL AND is_event AND NOT EXISTS (
            SELECT FROM lead_scoring.source o WHERE o.record_type = s.record_type AND o.occurred_at IS NOT NULL AND o.name <> s.name));
  IF NOT FOUND THEN
    PERFORM lead_scoring.hubspot_refuse(CASE WHEN name IS NULL THEN format('the mapping does not name the source of %s', what)
                                             ELSE format('source "%s" does not exist, or is not one of %s', name, what) END);
  END IF;
  RETURN origin;
END $$;
COMMENT ON FUNCTION lead_scoring.hubspot_source(jsonb, text, boolean) IS 'A source that the mapping names';

CREATE FUNCTION lead_scoring.hubspot_membership(context jsonb, ids text[]) RETURNS jsonb LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  origin lead_scoring.source := lead_scoring.hubspot_source(context, context #>> '{segments,source}', false);
  list_column text := (SELECT c.expression FROM lead_scoring.hubspot_column(
    jsonb_build_object('relation', origin.relation::text), coalesce(context #> '{segments,column}', '"segment_id"')) c);
BEGIN
  RETURN jsonb_build_object('source', origin.name,
    'criterion', format('%s IN (%s)', list_column, (SELECT string_agg(quote_literal(i), ', ') FROM unnest(ids) i)));
END $$;
COMMENT ON FUNCTION lead_scoring.hubspot_membership(jsonb, text[]) IS 'Being on one of these lists, as source and criterion';

CREATE FUNCTION lead_scoring.hubspot_memberships(context jsonb, rules jsonb) RETURNS SETOF jsonb LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  rule jsonb;
  operation text;
  ids text[];
BEGIN
  FOR rule IN SELECT i FROM lead_scoring.hubspot_items(rules, 'segmentMembershipRules') i LOOP
    operation := coalesce(rule ->> 'operation', '');
    ids := ARRAY(SELECT DISTINCT lead_scoring.hubspot_number(i, 'segment')::text
                   FROM lead_scoring.hubspot_items(rule -> 'segmentIds', 'segmentIds') i ORDER BY 1);
    IF ids = '{}' OR operation NOT IN ('HAS_ALL_SEGMENT_MEMBERSHIP', 'HAS_AT_LEAST_ONE_SEGMENT_MEMBERSHIP', 'HAS_NO_SEGMENT_MEMBERSHIP') THEN
      PERFORM lead_scoring.hubspot_refuse(format('membership %s', left(rule::text, 120)));
    END IF;
    RETURN NEXT lead_scoring.hubspot_membership(context, ids) || jsonb_build_object(
      'counting', 'once', 'points', rule -> 'value', 'name', lower(replace(operation, '_', ' ')) || ' ' || array_to_string(ids, ', '),
      'at_least', CASE operation WHEN 'HAS_ALL_SEGMENT_MEMBERSHIP' THEN cardinality(ids) END,
      'at_most', CASE operation WHEN 'HAS_NO_SEGMENT_MEMBERSHIP' THEN 0 END,
      'note', CASE WHEN operation = 'HAS_ALL_SEGMENT_MEMBERSHIP' AND cardinality(ids) > 1
                   THEN 'its rows are counted: a record must not be on one list twice (where it may be, make the source a view with DISTINCT)' END);
  END LOOP;
END $$;
COMMENT ON FUNCTION lead_scoring.hubspot_memberships(jsonb, jsonb) IS 'Being on lists, as rules to be';

-- An event type is a value of a column, or all events of a source.
CREATE FUNCTION lead_scoring.hubspot_event_type(
  context jsonb, event_type text, OUT inside jsonb, OUT template jsonb, OUT criteria text[], OUT time_column text)
RETURNS record LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  mapped jsonb := context -> 'events' -> event_type;
  named jsonb := CASE jsonb_typeof(mapped) WHEN 'object' THEN mapped ELSE jsonb_build_object('type', coalesce(mapped, to_jsonb(event_type))) END;
  called text := coalesce(named ->> 'type', event_type);
  origin lead_scoring.source := lead_scoring.hubspot_source(context, coalesce(named ->> 'source', context ->> 'source'), true);
BEGIN
  inside := context || jsonb_build_object('relation', origin.relation::text,
    'properties', coalesce(context -> 'properties', '{}') || coalesce(named -> 'properties', '{}'));
  time_column := quote_ident(origin.occurred_at);
  template := jsonb_build_object('source', origin.name, 'counting', 'each', 'name', called);
  IF named -> 'type_column' IS DISTINCT FROM 'null' THEN
    SELECT ARRAY[format('%s = %L', c.expression, called)] INTO criteria
      FROM lead_scoring.hubspot_column(inside - 'properties', coalesce(named -> 'type_column', context -> 'type_column', '"type"')) c;
  END IF;
  IF mapped IS NULL THEN
    template := template || jsonb_build_object('note', format(
      'events of type "%s" are looked for; say under "events" of the mapping if they are called otherwise', event_type));
  END IF;
END $$;
COMMENT ON FUNCTION lead_scoring.hubspot_event_type(jsonb, text) IS 'What an event type is here: source, criterion, names of its properties';

CREATE FUNCTION lead_scoring.hubspot_frequencies(part jsonb, ranges jsonb) RETURNS SETOF jsonb LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  held jsonb;
BEGIN
  FOR held IN SELECT i FROM lead_scoring.hubspot_items(ranges, 'ranges') i LOOP
    IF coalesce(held ->> 'type', '') NOT IN ('AT_LEAST', 'BETWEEN', 'EXACTLY') THEN
      PERFORM lead_scoring.hubspot_refuse(format('a frequency of type %s', coalesce(held ->> 'type', 'null')));
    END IF;
    RETURN NEXT part || jsonb_build_object('counting', 'once', 'points', held -> 'value', 'at_least', held -> 'from',
      'at_most', CASE held ->> 'type' WHEN 'EXACTLY' THEN held -> 'from' WHEN 'BETWEEN' THEN held -> 'to' END,
      'name', concat_ws(' ', part ->> 'name', lower(replace(held ->> 'type', '_', ' ')), held ->> 'from', 'and ' || (held ->> 'to'), 'times'));
  END LOOP;
END $$;
COMMENT ON FUNCTION lead_scoring.hubspot_frequencies(jsonb, jsonb) IS 'A rule to be for each range of a number of events';

CREATE FUNCTION lead_scoring.hubspot_event(context jsonb, entry jsonb, path text, depth integer) RETURNS SETOF jsonb LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  timeframe jsonb := entry #> '{eventTimeframe,eventFilterOperation}';
  event record;
  part jsonb;
BEGIN
  SELECT * INTO event FROM lead_scoring.hubspot_event_type(context, lead_scoring.hubspot_text(entry -> 'eventTypeId', 'eventTypeId'));
  IF timeframe ->> 'operationType' = 'ROLLING_DATE_RANGE' AND timeframe ->> 'operator' = 'IS_LESS_THAN_X_DAYS_AGO' THEN
    event.template := event.template
      || jsonb_build_object('within', lead_scoring.hubspot_number(timeframe -> 'numberOfDays', 'numberOfDays') || ' days');
  ELSIF timeframe IS NOT NULL THEN
    event.criteria := event.criteria || lead_scoring.hubspot_test(event.time_column, 'D', timeframe, event.inside);
  END IF;
  FOR part IN SELECT c FROM lead_scoring.hubspot_calculation(
                event.inside, entry -> 'recordCalculation', path || '.recordCalculation', depth + 1) c LOOP
    IF part ? 'refused' THEN
      RETURN NEXT part;
      CONTINUE;
    ELSIF part ? 'source' THEN
      PERFORM lead_scoring.hubspot_refuse('a calculation about other records within one about events');
    END IF;
    part := event.template || part || jsonb_build_object('name', concat_ws(' where ', event.template ->> 'name', part ->> 'name'),
      'criterion', (SELECT string_agg('(' || c || ')', ' AND ') FROM unnest(event.criteria || (part ->> 'criterion')) c));
    IF entry ? 'eventFrequencyCriteria' THEN
      RETURN QUERY SELECT f FROM lead_scoring.hubspot_frequencies(part, entry #> '{eventFrequencyCriteria,ranges}') f;
    ELSE
      RETURN NEXT part;
    END IF;
  END LOOP;
END $$;
COMMENT ON FUNCTION lead_scoring.hubspot_event(jsonb, jsonb, text, integer) IS 'A calculation over events, as rules to be';

CREATE FUNCTION lead_scoring.hubspot_association(context jsonb, calculation jsonb, path text, depth integer) RETURNS SETOF jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  mapped jsonb := context -> 'associations' -> lead_scoring.hubspot_text(calculation -> 'associatedObjectTypeId', 'associatedObjectTypeId');
  named jsonb := CASE jsonb_typeof(mapped) WHEN 'object' THEN mapped ELSE jsonb_build_object('source', mapped) END;
  origin lead_scoring.source := lead_scoring.hubspot_source(context, named ->> 'source', false);
  inside jsonb := context || jsonb_build_object('relation', origin.relation::text, 'properties', coalesce(named -> 'properties', '{}'));
  filters jsonb := coalesce(calculation #> '{associationFilters,propertyFilters}', '[]');
  rollup text := calculation ->> 'rollupType';
  condition record;
  part jsonb;
BEGIN
  SELECT NULL::text AS criterion, NULL::text AS words INTO condition;
  IF filters <> '[]' THEN
    SELECT * INTO condition FROM lead_scoring.hubspot_condition(
      inside, jsonb_build_object('type', 'COMPOSITE', 'operator', 'AND', 'conditions', filters), depth);
  END IF;
  FOR part IN SELECT c FROM lead_scoring.hubspot_calculation(
                inside, calculation -> 'recordCalculation', path || '.recordCalculation', depth + 1) c LOOP
    IF part ? 'refused' THEN
      RETURN NEXT part;
      CONTINUE;
    ELSIF part ? 'source' OR rollup IS NULL
          OR NOT (rollup = 'SUM' OR rollup = 'MAX' AND part -> 'points' > '0' OR rollup = 'MIN' AND part -> 'points' < '0') THEN
      -- An associated record that does not match counts 0 in them
      PERFORM lead_scoring.hubspot_refuse(format('%s of points over associated records', coalesce(rollup, 'no rollup')));
    END IF;
    RETURN NEXT part || CASE rollup WHEN 'SUM' THEN '{"counting": "each", "value": "1"}'::jsonb ELSE '{"counting": "once"}' END
      || jsonb_build_object('source', origin.name, 'name', concat_ws(' ', origin.name, condition.words, part ->> 'name'),
           'criterion', nullif(concat_ws(' AND ', '(' || condition.criterion || ')', '(' || (part ->> 'criterion') || ')'), ''));
  END LOOP;
END $$;
COMMENT ON FUNCTION lead_scoring.hubspot_association(jsonb, jsonb, text, integer) IS 'A calculation over associated records, as rules to be';

CREATE FUNCTION lead_scoring.hubspot_match(context jsonb, calculation jsonb, path text, depth integer) RETURNS SETOF jsonb LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  held record;
  part jsonb;
  criteria text[] := '{}';
BEGIN
  FOR held IN SELECT i.item, format('%s.matchRules[%s]', path, i.at - 1) AS path
                FROM lead_scoring.hubspot_items(calculation -> 'matchRules', 'matchRules') WITH ORDINALITY i (item, at) LOOP
    SELECT c INTO part FROM lead_scoring.hubspot_calculation(context, jsonb_build_object(
      'type', 'CONDITIONAL', 'value', held.item -> 'value', 'whereCondition',
      jsonb_build_object('property', calculation -> 'property', 'operation', held.item -> 'operation')), held.path, depth + 1) c;
    criteria := criteria || (part ->> 'criterion');
    RETURN NEXT part;
  END LOOP;
  IF coalesce(calculation -> 'defaultValue', '0') IN ('0', 'null') THEN
    RETURN;
  ELSIF array_position(criteria, NULL) IS NOT NULL THEN
    RETURN NEXT jsonb_build_object('refused', 'a default value where a match rule was left out', 'path', path || '.defaultValue');
  ELSE
    RETURN NEXT jsonb_build_object('name', concat_ws(' ', calculation ->> 'property', 'otherwise'), 'points', calculation -> 'defaultValue',
      'criterion', (SELECT '(' || string_agg('(' || c || ')', ' OR ') || ') IS NOT TRUE' FROM unnest(criteria) c));
  END IF;
END $$;
COMMENT ON FUNCTION lead_scoring.hubspot_match(jsonb, jsonb, text, integer) IS 'Points for the values of a property, as rules to be';

CREATE FUNCTION lead_scoring.hubspot_calculation(context jsonb, calculation jsonb, path text, depth integer) RETURNS SETOF jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  kind text := calculation ->> 'type';
  inner_list text := CASE kind WHEN 'MULTI' THEN 'calculators' WHEN 'MULTI_UE' THEN 'eventCalculators' END;
BEGIN
  IF depth > 20 THEN
    PERFORM lead_scoring.hubspot_refuse('calculations that are nested more than 20 deep');
  ELSIF kind = 'CONSTANT' THEN
    RETURN NEXT jsonb_build_object('points', calculation -> 'value');
  ELSIF kind = 'CONDITIONAL' THEN
    RETURN QUERY SELECT jsonb_build_object('criterion', c.criterion, 'name', c.words, 'points', calculation -> 'value')
      FROM lead_scoring.hubspot_condition(context, calculation -> 'whereCondition', depth) c;
  ELSIF kind = 'MATCH' THEN
    RETURN QUERY SELECT c FROM lead_scoring.hubspot_match(context, calculation, path, depth) c;
  ELSIF inner_list IS NOT NULL THEN
    RETURN QUERY SELECT c FROM lead_scoring.hubspot_items(calculation -> inner_list, inner_list) WITH ORDINALITY i (item, at)
      CROSS JOIN LATERAL lead_scoring.hubspot_calculation(
        context, CASE kind WHEN 'MULTI' THEN i.item ELSE jsonb_build_object('type', 'EVENT', 'entry', i.item) END,
        format('%s.%s[%s]', path, inner_list, i.at - 1), depth + 1) c;
  ELSIF kind = 'EVENT' THEN -- an entry of MULTI_UE
    RETURN QUERY SELECT c FROM lead_scoring.hubspot_event(context, calculation -> 'entry', path, depth) c;
  ELSIF kind = 'SEGMENT_MEMBERSHIP' THEN
    RETURN QUERY SELECT c FROM lead_scoring.hubspot_memberships(context, calculation -> 'segmentMembershipRules') c;
  ELSIF kind = 'ASSOCIATIONS' THEN
    RETURN QUERY SELECT c FROM lead_scoring.hubspot_association(context, calculation, path, depth) c;
  ELSIF kind = 'ASSOCIATION_UE' AND calculation ->> 'rollupType' = 'SUM'
        AND coalesce(calculation #> '{associationFilters,propertyFilters}', '[]') = '[]' THEN
    -- The source of events says whose events they are
    RETURN QUERY SELECT c FROM lead_scoring.hubspot_calculation(
      context, calculation -> 'recordCalculation', path || '.recordCalculation', depth + 1) c;
  ELSE
    PERFORM lead_scoring.hubspot_refuse(concat_ws(
      ' ', 'calculation', coalesce(kind, left(calculation::text, 60), 'missing'), calculation ->> 'rollupType'));
  END IF;
EXCEPTION WHEN feature_not_supported OR data_exception THEN
  RETURN NEXT jsonb_build_object('refused', left(SQLERRM, 300), 'path', path);
END $$;
COMMENT ON FUNCTION lead_scoring.hubspot_calculation(jsonb, jsonb, text, integer) IS 'A calculation, as rules to be';
