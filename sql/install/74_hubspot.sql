-- HubSpot's lead scores, read in as drafts: what is assumed about them, and their filters as expressions.
--
-- The shape is that of its Lead Scoring API, versions 2026-09-beta and 2027-03-beta (schemas PublicScoreConfiguration,
-- PublicDraftCreateRequest and PublicDraftUpdateRequest of the published specification):
--
-- {"name", "objectTypeId", "allowedGroupTypes": ["FIT", "INTENT"], "maxScore", "maxScorePerCategory",
--  "filterConfiguration": {"listFilterType": "INCLUDES" | "EXCLUDES", "segmentIds": [1, ...]},
--  "groupConfigs": [{"groupName", "groupCategory": "FIT" | "INTENT", "minValue", "maxValue",
--    "groupDecay": {"decayIntervalDays", "percentToDecayPerInterval"},
--    "ruleConfigurations": [{"enabled", "minimumValue" or "minValue", "maximumValue" or "maxValue",
--      "configuration": {"calculation": calculation}}]}],
--  "outputConfiguration": {"outputs": [{"outputType": "SCORE" | "THRESHOLD" | "MATRIX", "categories", "boundaries"}]}}
--
-- A calculation has a type: CONSTANT, MATCH (a property, and points for each operation that holds), CONDITIONAL (points
-- if all conditions hold), MULTI (several), SEGMENT_MEMBERSHIP (being on lists), MULTI_UE (events: each entry an
-- eventTypeId, a calculation over the event, frequencies and a timeframe), ASSOCIATIONS (a calculation over associated
-- records) and ASSOCIATION_UE (events of those). An operation is a property filter operation of the Lists API:
-- {"operationType", "operator", "value" or "values", ..., "includeObjectsWithNoValueSet"}.
--
-- The specification names these things without saying all about them. Assumed: the points of the parts of a rule add up;
-- those of an event with frequencies are the value of the range that holds; thresholds are lower bounds; maxScore limits
-- the total both ways; a group decays at the end of each interval; texts are compared as they are written.
--
-- What cannot be said here raises feature_not_supported within these functions, and becomes a row of the report.

CREATE FUNCTION lead_scoring.hubspot_refuse(reason text) RETURNS void LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RAISE EXCEPTION '%', reason USING ERRCODE = 'feature_not_supported', HINT = 'Write this part as rules of your own.';
END $$;
COMMENT ON FUNCTION lead_scoring.hubspot_refuse(text) IS 'Leaves a part of a document of HubSpot out, with a reason';

CREATE FUNCTION lead_scoring.hubspot_number(value jsonb, what text) RETURNS numeric LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF jsonb_typeof(value) IS DISTINCT FROM 'number' THEN
    PERFORM lead_scoring.hubspot_refuse(format('%s is not a number: %s', what, coalesce(left(value::text, 60), 'missing')));
  END IF;
  RETURN value::numeric;
END $$;
COMMENT ON FUNCTION lead_scoring.hubspot_number(jsonb, text) IS 'A number of a document of HubSpot';

CREATE FUNCTION lead_scoring.hubspot_text(value jsonb, what text) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF jsonb_typeof(value) IS NULL OR jsonb_typeof(value) NOT IN ('string', 'number', 'boolean') THEN
    PERFORM lead_scoring.hubspot_refuse(format('%s is not a text: %s', what, coalesce(left(value::text, 60), 'missing')));
  END IF;
  RETURN value #>> '{}';
END $$;
COMMENT ON FUNCTION lead_scoring.hubspot_text(jsonb, text) IS 'A text of a document of HubSpot';

CREATE FUNCTION lead_scoring.hubspot_items(value jsonb, what text) RETURNS SETOF jsonb LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF jsonb_typeof(value) IS DISTINCT FROM 'array' THEN
    PERFORM lead_scoring.hubspot_refuse(format('%s is not a list: %s', what, coalesce(left(value::text, 60), 'missing')));
  END IF;
  RETURN QUERY SELECT jsonb_array_elements(value);
END $$;
COMMENT ON FUNCTION lead_scoring.hubspot_items(jsonb, text) IS 'The items of a list of a document of HubSpot';

-- A context is the mapping, with the relation that is looked at and the names of the properties there.
CREATE FUNCTION lead_scoring.hubspot_column(context jsonb, property jsonb, OUT expression text, OUT category "char") RETURNS record
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  name text := lead_scoring.hubspot_text(property, 'property');
  column_name text := coalesce(context #>> ARRAY['properties', name], name);
BEGIN
  SELECT quote_ident(a.attname), t.typcategory INTO expression, category
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
   WHERE a.attrelid = (context ->> 'relation')::regclass AND a.attname::text = column_name AND a.attnum > 0 AND NOT a.attisdropped;
  IF expression IS NULL THEN
    PERFORM lead_scoring.hubspot_refuse(format(
      '%s has no column "%s" for property "%s"; name its column under "properties" of the mapping', context ->> 'relation', column_name, name));
  END IF;
  -- A property with several values, as HubSpot writes them: a;b
  IF category = 'S' AND context -> 'multiple' ? name THEN
    category := 'A';
    expression := format('string_to_array(%s, '';'')', expression);
  END IF;
END $$;
COMMENT ON FUNCTION lead_scoring.hubspot_column(jsonb, jsonb) IS 'The column for a property, as an expression, and the category of its type';

-- Raises here what would be out of range whenever the score is evaluated.
CREATE FUNCTION lead_scoring.hubspot_interval(number jsonb, unit text) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  length numeric := lead_scoring.hubspot_number(number, unit) * CASE unit WHEN 'quarters' THEN 3 ELSE 1 END;
  words text := length || ' ' || CASE unit WHEN 'quarters' THEN 'months' ELSE unit END;
BEGIN
  PERFORM timestamptz '2000-01-01 00:00+00' - words::interval, timestamptz '2000-01-01 00:00+00' + words::interval;
  RETURN format('interval %L', words);
END $$;
COMMENT ON FUNCTION lead_scoring.hubspot_interval(jsonb, text) IS 'A length of time, as an expression';

CREATE FUNCTION lead_scoring.hubspot_date(year jsonb, month integer, day jsonb, point jsonb, zone text) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT make_timestamptz(
    lead_scoring.hubspot_number(year, 'year')::integer, month, lead_scoring.hubspot_number(day, 'day')::integer,
    coalesce((point ->> 'hour')::integer, 0), coalesce((point ->> 'minute')::integer, 0),
    coalesce((point ->> 'second')::double precision, 0) + coalesce((point ->> 'millisecond')::double precision, 0) / 1000, zone)
$$;
COMMENT ON FUNCTION lead_scoring.hubspot_date(jsonb, integer, jsonb, jsonb, text) IS 'A date, with what else a point in time says of its time of day';

CREATE FUNCTION lead_scoring.hubspot_instant(point jsonb, context jsonb) RETURNS text LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
SET datestyle = 'ISO'
AS $$
DECLARE
  zone text := coalesce(point ->> 'zoneId', 'UTC');
  kind text := point ->> 'timeType';
  reference text := point #>> '{indexReference,referenceType}';
BEGIN
  -- An unknown zone is an error now, not later
  PERFORM now() AT TIME ZONE zone;
  IF jsonb_typeof(point) = 'number' THEN -- milliseconds
    RETURN format('timestamptz %L', to_timestamp(point::double precision / 1000));
  ELSIF kind = 'DATE' THEN
    RETURN format('timestamptz %L', lead_scoring.hubspot_date(
      point -> 'year', lead_scoring.hubspot_number(point -> 'month', 'month')::integer, point -> 'day', point, zone));
  ELSIF kind = 'INDEXED' AND reference IN ('NOW', 'TODAY') AND NOT point -> 'indexReference' ?| '{hour,minute,second,millisecond}' THEN
    RETURN format('(%s%s)',
      CASE reference WHEN 'NOW' THEN 'as_of' ELSE format('date_trunc(''day'', as_of AT TIME ZONE %1$L) AT TIME ZONE %1$L', zone) END,
      (SELECT string_agg(' + ' || lead_scoring.hubspot_interval(o.value, o.key), '') FROM jsonb_each(point -> 'offset') o));
  ELSIF kind = 'PROPERTY_REFERENCED' AND point ->> 'referenceType' = 'VALUE' THEN
    RETURN (SELECT c.expression FROM lead_scoring.hubspot_column(context, point -> 'property') c);
  END IF;
  PERFORM lead_scoring.hubspot_refuse(format('a point in time like %s', left(coalesce(point::text, 'null'), 120)));
END $$;
COMMENT ON FUNCTION lead_scoring.hubspot_instant(jsonb, jsonb) IS 'A point in time, as an expression';

CREATE FUNCTION lead_scoring.hubspot_calendar_test(subject text, operator text, operation jsonb) RETURNS text LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  unit text := lower(operation ->> 'timeUnit');
  begun text := format('date_trunc(%L, as_of)', unit);
  one text;
  length text;
BEGIN
  IF unit IS NULL OR unit NOT IN ('day', 'week', 'month', 'quarter', 'year') OR operation -> 'useFiscalYear' = 'true' THEN
    RETURN NULL;
  END IF;
  one := lead_scoring.hubspot_interval('1', unit || 's');
  length := lead_scoring.hubspot_interval(coalesce(operation -> 'timeUnitCount', '1'), unit || 's');
  RETURN CASE operator
    WHEN 'IN_THIS_TIME_UNIT' THEN format('(%1$s >= %2$s AND %1$s < %2$s + %3$s)', subject, begun, one)
    WHEN 'IN_THIS_TIME_UNIT_SO_FAR' THEN format('(%1$s >= %2$s AND %1$s <= as_of)', subject, begun)
    WHEN 'IN_LAST_TIME_UNIT' THEN format('(%1$s >= %2$s - %3$s AND %1$s < %2$s)', subject, begun, length)
    WHEN 'IN_NEXT_TIME_UNIT' THEN format('(%1$s >= %2$s + %3$s AND %1$s < %2$s + %3$s + %4$s)', subject, begun, one, length) END;
END $$;
COMMENT ON FUNCTION lead_scoring.hubspot_calendar_test(text, text, jsonb) IS 'A test of a time by the calendar, as an expression; NULL for an operation that is not known';

CREATE FUNCTION lead_scoring.hubspot_day_test(subject text, operator text, day text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE WHEN operator IN ('IS_BEFORE', 'IS_BEFORE_DATE') THEN format('%s < %s', subject, day)
              WHEN operator IN ('IS_AFTER', 'IS_AFTER_DATE') THEN format('%s > %s', subject, day)
              WHEN operator = 'IS_EQUAL_TO' THEN format('(%1$s >= %2$s AND %1$s < %2$s + interval ''1 day'')', subject, day) END
$$;
COMMENT ON FUNCTION lead_scoring.hubspot_day_test(text, text, text) IS 'A test of a time against the day that begins at an instant, as an expression; NULL for an operator that is not known';

CREATE FUNCTION lead_scoring.hubspot_time_test(subject text, operator text, operation jsonb, context jsonb) RETURNS text LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
SET datestyle = 'ISO'
AS $$
DECLARE
  kind text := operation ->> 'operationType';
  months constant text[] := '{JANUARY,FEBRUARY,MARCH,APRIL,MAY,JUNE,JULY,AUGUST,SEPTEMBER,OCTOBER,NOVEMBER,DECEMBER}';
  month text := operation ->> 'month';
  point text;
  length text;
BEGIN
  IF kind IN ('TIME_POINT', 'COMPARATIVE_DATE') AND operator IN ('IS_BEFORE', 'IS_AFTER') THEN
    IF kind = 'TIME_POINT' THEN
      point := lead_scoring.hubspot_instant(operation -> 'timePoint', context);
    ELSE
      SELECT c.expression INTO point FROM lead_scoring.hubspot_column(context, operation -> 'comparisonPropertyName') c;
    END IF;
    RETURN format('%s %s%s %s', subject, CASE operator WHEN 'IS_BEFORE' THEN '<' ELSE '>' END,
                  CASE WHEN operation ->> 'endpointBehavior' = 'INCLUSIVE' THEN '=' END, point);
  ELSIF kind = 'DATETIME' THEN
    RETURN lead_scoring.hubspot_day_test(subject, operator, lead_scoring.hubspot_instant(operation -> 'timestamp', context));
  ELSIF kind = 'DATE' THEN
    RETURN lead_scoring.hubspot_day_test(subject, operator, format('timestamptz %L', lead_scoring.hubspot_date(
      operation -> 'year', coalesce(array_position(months, upper(month)), month::integer), operation -> 'day', NULL, 'UTC')));
  ELSIF kind = 'RANGED_DATE' AND operator = 'IS_BETWEEN' THEN
    RETURN format('%s BETWEEN %s AND %s', subject, lead_scoring.hubspot_instant(operation -> 'lowerBound', context),
                  lead_scoring.hubspot_instant(operation -> 'upperBound', context));
  ELSIF kind = 'TIME_RANGED' AND operator = 'IS_BETWEEN' THEN
    RETURN format('(%1$s >%2$s %3$s AND %1$s <%4$s %5$s)', subject,
      CASE WHEN operation ->> 'lowerBoundEndpointBehavior' IS DISTINCT FROM 'EXCLUSIVE' THEN '=' END,
      lead_scoring.hubspot_instant(operation -> 'lowerBoundTimePoint', context),
      CASE WHEN operation ->> 'upperBoundEndpointBehavior' IS DISTINCT FROM 'EXCLUSIVE' THEN '=' END,
      lead_scoring.hubspot_instant(operation -> 'upperBoundTimePoint', context));
  ELSIF kind = 'ROLLING_DATE_RANGE' THEN
    length := lead_scoring.hubspot_interval(operation -> 'numberOfDays', 'days');
    RETURN CASE operator
      WHEN 'IS_LESS_THAN_X_DAYS_AGO' THEN format('(%1$s >= as_of - %2$s AND %1$s <= as_of)', subject, length)
      WHEN 'IS_MORE_THAN_X_DAYS_AGO' THEN format('%s < as_of - %s', subject, length)
      WHEN 'IS_LESS_THAN_X_DAYS_FROM_NOW' THEN format('(%1$s >= as_of AND %1$s <= as_of + %2$s)', subject, length)
      WHEN 'IS_MORE_THAN_X_DAYS_FROM_NOW' THEN format('%s > as_of + %s', subject, length) END;
  ELSIF kind = 'CALENDAR_DATE' THEN
    RETURN lead_scoring.hubspot_calendar_test(subject, operator, operation);
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION lead_scoring.hubspot_time_test(text, text, jsonb, jsonb) IS 'A test of a time by an operation, as an expression; NULL for an operation that is not known';

CREATE FUNCTION lead_scoring.hubspot_text_test(subject text, category "char", operator text, operation jsonb, context jsonb) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  given text[] := ARRAY(SELECT lead_scoring.hubspot_text(v, 'value') FROM lead_scoring.hubspot_items(
    CASE WHEN operation ? 'values' THEN operation -> 'values' ELSE jsonb_build_array(operation -> 'value') END, 'values') v);
  list text;
BEGIN
  IF cardinality(given) = 0 THEN
    PERFORM lead_scoring.hubspot_refuse('no values to compare with');
  END IF;
  IF category IN ('S', 'A') AND context -> 'ignore_case' = 'true' THEN
    given := ARRAY(SELECT lower(g) FROM unnest(given) g);
    subject := format(CASE category WHEN 'S' THEN 'lower(%s)' ELSE 'lower(%s::text)::text[]' END, subject);
  END IF;
  IF category = 'A' THEN
    list := quote_literal(given);
    RETURN CASE WHEN operator IN ('IS_ANY_OF', 'IS_EQUAL_TO') THEN format('%s && %s', subject, list)
                WHEN operator = 'CONTAINS_ALL' THEN format('%s @> %s', subject, list)
                WHEN operator = 'IS_EXACTLY' THEN format('(%1$s @> %2$s AND %1$s <@ %2$s)', subject, list) END;
  ELSIF operator IN ('IS_ANY_OF', 'IS_EQUAL_TO') OR operator IN ('IS_EXACTLY', 'CONTAINS_ALL') AND cardinality(given) = 1 THEN
    RETURN format('%s IN (%s)', subject, (SELECT string_agg(quote_literal(g), ', ') FROM unnest(given) g));
  ELSIF category = 'S' AND operator IN ('CONTAINS', 'STARTS_WITH', 'ENDS_WITH') THEN
    RETURN (SELECT '(' || string_agg(format(CASE operator WHEN 'CONTAINS' THEN 'strpos(%1$s, %2$L) > 0'
                                                          WHEN 'STARTS_WITH' THEN 'starts_with(%1$s, %2$L)'
                                                          ELSE 'right(%1$s, length(%2$L)) = %2$L' END, subject, g), ' OR ') || ')'
              FROM unnest(given) g);
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION lead_scoring.hubspot_text_test(text, "char", text, jsonb, jsonb) IS 'A test of a text, an enumeration or a list of them by an operation, as an expression; NULL for an operation that is not known';

CREATE FUNCTION lead_scoring.hubspot_test(subject text, category "char", operation jsonb, context jsonb) RETURNS text LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  symbols constant jsonb := '{"IS_EQUAL_TO": "=", "IS_GREATER_THAN": ">", "IS_GREATER_THAN_OR_EQUAL_TO": ">=", "IS_LESS_THAN": "<",
                              "IS_LESS_THAN_OR_EQUAL_TO": "<="}';
  kind text := operation ->> 'operationType';
  operator text := operation ->> 'operator';
  -- Each operator that denies has one that affirms
  positive text := replace(replace(replace(operator, 'IS_NOT_', 'IS_'), 'IS_NONE_OF', 'IS_ANY_OF'), 'DOES_NOT_CONTAIN', 'CONTAINS');
  symbol text := symbols ->> positive;
  test text;
BEGIN
  IF operator ~ '^HAS_(EVER|NEVER)_' OR kind LIKE '%PROPERTY\_UPDATED' THEN
    PERFORM lead_scoring.hubspot_refuse(format('%s %s asks for the history of a property, which a row does not have', kind, operator));
  ELSIF positive IN ('IS_KNOWN', 'IS_UNKNOWN', 'IS_BLANK') THEN
    RETURN format('%s IS %sNULL', subject, CASE WHEN operator IN ('IS_KNOWN', 'IS_NOT_BLANK', 'IS_NOT_UNKNOWN') THEN 'NOT ' END);
  ELSIF kind IN ('NUMBER', 'NUMBER_RANGED', 'COMPARATIVE_NUMBER') AND category <> 'N' THEN
    PERFORM lead_scoring.hubspot_refuse(format('column %s is not a number', subject));
  ELSIF kind IN ('DATE', 'DATETIME', 'RANGED_DATE', 'ROLLING_DATE_RANGE', 'CALENDAR_DATE', 'TIME_POINT', 'TIME_RANGED', 'COMPARATIVE_DATE')
        AND category <> 'D' THEN
    PERFORM lead_scoring.hubspot_refuse(format('column %s is not a date or time', subject));
  END IF;
  IF kind = 'BOOL' AND positive = 'IS_EQUAL_TO' THEN
    test := format('%s = %L', subject, lead_scoring.hubspot_text(operation -> 'value', 'value'));
  ELSIF kind = 'NUMBER' AND symbol IS NOT NULL THEN
    test := format('%s %s %s', subject, symbol, lead_scoring.hubspot_number(operation -> 'value', 'value'));
  ELSIF kind = 'NUMBER_RANGED' AND positive = 'IS_BETWEEN' THEN
    test := format('%s BETWEEN %s AND %s', subject, lead_scoring.hubspot_number(operation -> 'lowerBound', 'lowerBound'),
                   lead_scoring.hubspot_number(operation -> 'upperBound', 'upperBound'));
  ELSIF kind IN ('COMPARATIVE_NUMBER', 'COMPARATIVE_STRING') AND symbol IS NOT NULL THEN
    SELECT format('%s %s %s', subject, symbol, c.expression) INTO test
      FROM lead_scoring.hubspot_column(context, operation -> 'comparisonPropertyName') c;
  ELSIF kind IN ('STRING', 'MULTISTRING', 'ENUMERATION') THEN
    test := lead_scoring.hubspot_text_test(subject, category, positive, operation, context);
  ELSE
    test := lead_scoring.hubspot_time_test(subject, positive, operation, context);
  END IF;
  IF test IS NULL OR operation ? 'defaultComparisonValue' THEN
    PERFORM lead_scoring.hubspot_refuse(format('operation %s %s', coalesce(kind, 'without operationType'), coalesce(operator, 'without operator')));
  END IF;
  RETURN CASE WHEN operator <> positive THEN 'NOT (' || test || ')' ELSE test END
         || CASE WHEN operation -> 'includeObjectsWithNoValueSet' = 'true' THEN format(' OR %s IS NULL', subject) ELSE '' END;
END $$;
COMMENT ON FUNCTION lead_scoring.hubspot_test(text, "char", jsonb, jsonb) IS 'A property filter operation, as an expression';

CREATE FUNCTION lead_scoring.hubspot_words(condition jsonb) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT concat_ws(' ', condition ->> 'property',
    replace(lower(replace(o ->> 'operator', '_', ' ')), ' x days', format(' %s days', o ->> 'numberOfDays')),
    o ->> 'value', nullif(concat_ws(' and ', o ->> 'lowerBound', o ->> 'upperBound'), ''),
    CASE jsonb_typeof(o -> 'values') WHEN 'array' THEN (SELECT string_agg(v, ', ') FROM jsonb_array_elements_text(o -> 'values') v) END)
    FROM (SELECT condition -> 'operation' AS o) c
$$;
COMMENT ON FUNCTION lead_scoring.hubspot_words(jsonb) IS 'A condition in words, for the name of a rule';

CREATE FUNCTION lead_scoring.hubspot_condition(context jsonb, condition jsonb, depth integer, OUT criterion text, OUT words text) RETURNS record
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF depth > 20 THEN
    PERFORM lead_scoring.hubspot_refuse('conditions that are nested more than 20 deep');
  ELSIF condition ->> 'type' = 'COMPOSITE' THEN
    SELECT string_agg('(' || c.criterion || ')', ' AND '), string_agg(c.words, ' and ') INTO criterion, words
      FROM lead_scoring.hubspot_items(condition -> 'conditions', 'conditions') i
     CROSS JOIN LATERAL lead_scoring.hubspot_condition(context, i, depth + 1) c;
    IF criterion IS NULL OR condition ->> 'operator' IS DISTINCT FROM 'AND' THEN
      PERFORM lead_scoring.hubspot_refuse(format('conditions joined by %s', coalesce(condition ->> 'operator', 'nothing')));
    END IF;
  ELSE
    SELECT lead_scoring.hubspot_test(c.expression, c.category, condition -> 'operation', context) INTO criterion
      FROM lead_scoring.hubspot_column(context, condition -> 'property') c;
    words := lead_scoring.hubspot_words(condition);
  END IF;
END $$;
COMMENT ON FUNCTION lead_scoring.hubspot_condition(jsonb, jsonb, integer) IS 'A condition, as an expression and in words';
