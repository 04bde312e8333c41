-- What a score should be, written a second time: one plain SQL statement per definition, as a
-- user would write it by hand (joins, filtered sums, CASE, window functions, and recursion where the
-- order of events matters), from the definition tables alone. Nothing here calls the extension, so
-- that both can be wrong only in different ways.

CREATE SCHEMA property;

-- The decay texts as they were written, before the extension's input function saw them; segment ''
-- is the group itself
CREATE TABLE property.decay_given (score text, group_name text, segment text DEFAULT '', given text, PRIMARY KEY (score, group_name, segment));

-- Reads a length of time such as '3 months' or '36 hours' as seconds: month = 30 days, year = 360
CREATE FUNCTION property.seconds(p_text text) RETURNS float8
IMMUTABLE LANGUAGE sql AS $$
  SELECT sum(coalesce(nullif(m[1], ''), '1')::float8 * CASE m[2]
             WHEN 'second' THEN 1 WHEN 'minute' THEN 60 WHEN 'hour' THEN 3600 WHEN 'day' THEN 86400
             WHEN 'week' THEN 604800 WHEN 'month' THEN 2592000 WHEN 'year' THEN 31104000 END)
    FROM regexp_matches(p_text, '([0-9.]*)\s*(second|minute|hour|day|week|month|year)', 'g') AS m
$$;

-- The same length in hours and less, which are absolute
CREATE FUNCTION property.absolute(p_length interval) RETURNS interval
IMMUTABLE LANGUAGE sql AS $$
  SELECT make_interval(
    hours => (((extract(year FROM p_length) * 12 + extract(month FROM p_length)) * 30 + extract(day FROM p_length)) * 24 + extract(hour FROM p_length))::int,
    mins => extract(minute FROM p_length)::int, secs => extract(second FROM p_length)::float8)
$$;

-- The share of its points that an event at "time" keeps at $1, as an SQL expression
CREATE FUNCTION property.factor_sql(p_decay text, p_time text) RETURNS text
IMMUTABLE LANGUAGE plpgsql AS $$
DECLARE
  main text := regexp_replace(p_decay, '\s+after\s+.*$', '');
  grace float8 := coalesce(property.seconds(substring(p_decay FROM '\s+after\s+(.*)$')), 0);
  rate float8 := substring(main FROM '^\s*([0-9.]+)\s*%')::numeric / 100;
  period float8 := property.seconds(regexp_replace(main, '^.*?(half-life|per)\s', ''));
  age text := format('greatest(0, extract(epoch FROM $1 - (%s))::float8 - %s)', p_time, grace);
  body text;
BEGIN
  IF p_decay IS NULL THEN
    RETURN '1';
  END IF;
  -- power() raises when its result is too small for double precision
  body := CASE
    WHEN main LIKE 'half-life%' THEN
      format('CASE WHEN %1$s / %2$s > 1000 THEN 0 ELSE power(0.5::float8, %1$s / %2$s) END', age, period)
    WHEN main LIKE '%exponential' THEN
      format('CASE WHEN %1$s / %2$s * %4$s > 690 THEN 0 ELSE power(%3$s::float8, %1$s / %2$s) END',
             age, period, 1 - rate, -ln(1 - rate))
    WHEN main LIKE '%stepwise' THEN
      format('greatest(0, 1 - %3$s::float8 * floor(%1$s / %2$s))', age, period, rate)
    ELSE
      format('greatest(0, 1 - %3$s::float8 * %1$s / %2$s)', age, period, rate)
  END;
  RETURN format('CASE WHEN NOT isfinite(%s) THEN 0 ELSE %s END', p_time, body);
END
$$;

-- Numbers of the groups of a score and of the sources of a record type: they name columns below
CREATE FUNCTION property.group_number(p_score text, p_group text) RETURNS bigint
STABLE LANGUAGE sql AS $$ SELECT count(*) FROM lead_scoring.score_group WHERE score = p_score AND name <= p_group $$;

CREATE FUNCTION property.source_number(p_type text, p_source text) RETURNS bigint
STABLE LANGUAGE sql AS $$ SELECT count(*) FROM lead_scoring.source WHERE record_type = p_type AND name <= p_source $$;

-- The same for an event of a group, whose decay may differ from segment to segment (curve_<group> is
-- the number of the record's, 0 the group's own) and may start only after quiet days: then what
-- counts is how long ago the newest event of the record was, and not when this one was
CREATE FUNCTION property.fade_sql(p_score text, p_group text, p_time text) RETURNS text
STABLE LANGUAGE sql AS $$
  SELECT format('(CASE curve_%s %s END)', property.group_number(p_score, p_group),
           string_agg(format('WHEN %s THEN %s', number,
             property.factor_sql(given, CASE WHEN decay_after IS NULL THEN p_time ELSE format('(newest + %L::interval)', property.absolute(decay_after)) END)), ' '))
    FROM (SELECT 0 AS number, coalesce(d.given, g.decay::text) AS given, g.decay_after
            FROM lead_scoring.score_group AS g LEFT JOIN property.decay_given AS d ON d.score = g.score AND d.group_name = g.name AND d.segment = ''
           WHERE g.score = p_score AND g.name = p_group
          UNION ALL
          SELECT row_number() OVER (ORDER BY g.segment COLLATE "C"), coalesce(d.given, g.decay::text), g.decay_after
            FROM lead_scoring.segment_decay AS g LEFT JOIN property.decay_given AS d USING (score, group_name, segment)
           WHERE g.score = p_score AND g.group_name = p_group) AS curves
$$;

-- The clamp of a sum: a bound that is NULL is no bound
CREATE FUNCTION property.clamp(p_value float8, p_min float8, p_max float8) RETURNS float8
IMMUTABLE LANGUAGE sql AS $$ SELECT least(greatest(p_value, p_min), p_max) $$;

-- A value times a factor, if it applies: a factor above 1 lifts positive values only
CREATE FUNCTION property.lift(p_value float8, p_factor float8, p_applies bool) RETURNS float8
IMMUTABLE LANGUAGE sql AS $$ SELECT CASE WHEN p_applies AND NOT (p_factor > 1 AND p_value <= 0) THEN p_value * p_factor ELSE p_value END $$;

-- Rounds to 4 decimals, half away from zero
CREATE FUNCTION property.stored(p_value float8) RETURNS float8
IMMUTABLE LANGUAGE sql AS $$ SELECT round(p_value::numeric, 4)::float8 $$;

-- Seconds from one instant to another; either may be -infinity
CREATE FUNCTION property.gap(p_from timestamptz, p_to timestamptz) RETURNS numeric
IMMUTABLE STRICT LANGUAGE sql AS $$
  SELECT CASE WHEN isfinite(p_from) AND isfinite(p_to) THEN extract(epoch FROM p_to - p_from) WHEN p_from = p_to THEN 0 WHEN p_from < p_to THEN 'Infinity' ELSE '-Infinity' END
$$;

CREATE FUNCTION property.seconds(p_length interval) RETURNS numeric
IMMUTABLE LANGUAGE sql AS $$ SELECT extract(epoch FROM property.absolute(p_length)) $$;

-- What looks at rows, numbered: the rules, scopes and event factors of a score that are in force
CREATE FUNCTION property.things(p_score text, p_as_of timestamptz)
RETURNS TABLE (id bigint, kind text, name text, source text, criterion text, value text, followed_by text)
STABLE LANGUAGE sql AS $$
  SELECT row_number() OVER (ORDER BY name COLLATE "C"), 'rule', name, source, criterion, value, followed_by FROM lead_scoring.rule
   WHERE score = p_score AND enabled AND (valid_from IS NULL OR valid_from <= p_as_of) AND (valid_to IS NULL OR p_as_of < valid_to)
  UNION ALL
  SELECT 1000 + scope_id, 'scope', scope_id::text, source, criterion, NULL, NULL FROM lead_scoring.scope WHERE score = p_score
  UNION ALL
  SELECT 100 + row_number() OVER (ORDER BY name COLLATE "C"), 'factor', name, source, criterion, NULL, NULL FROM lead_scoring.event_factor
   WHERE score = p_score AND (valid_from IS NULL OR valid_from <= p_as_of) AND (valid_to IS NULL OR p_as_of < valid_to)
$$;

-- The columns of a row that they need: c<id> whether it matches, v<id> its value, b<id> whether it ends a pair
CREATE FUNCTION property.columns_sql(p_score text, p_source text, p_as_of timestamptz) RETURNS text
STABLE LANGUAGE sql AS $$
  SELECT coalesce(string_agg(format(', (%s) IS TRUE%s AS c%s', criterion, ' AND (' || value || ') IS NOT NULL', id)
           || coalesce(', (' || value || ')::float8 AS v' || id, '') || coalesce(', (' || followed_by || ') IS TRUE AS b' || id, ''), ''), '')
    FROM property.things(p_score, p_as_of) WHERE source IS NOT DISTINCT FROM p_source
$$;

-- CASE over segments, of which the first in byte order that holds counts: its number, or its text
CREATE FUNCTION property.segment_sql(p_segments text[], p_numbered bool) RETURNS text
IMMUTABLE LANGUAGE sql AS $$
  SELECT coalesce('CASE ' || string_agg(format('WHEN (%s) THEN %s', segment, CASE WHEN p_numbered THEN number::text ELSE quote_literal(segment) END), ' ' ORDER BY number) || ' ELSE ', '')
         || CASE WHEN p_numbered THEN '0' ELSE $q$'true'$q$ END || CASE WHEN count(*) > 0 THEN ' END' ELSE '' END
    FROM (SELECT segment, row_number() OVER (ORDER BY segment COLLATE "C") AS number FROM (SELECT DISTINCT segment FROM unnest(p_segments) AS segment WHERE segment <> 'true') AS d) AS q
$$;

-- The records: their keys, what matches them, and which segments they are in
CREATE FUNCTION property.records_sql(p_score text, p_as_of timestamptz) RETURNS text
STABLE LANGUAGE sql AS $$
  SELECT format($q$record AS MATERIALIZED (
  SELECT %1$I::text AS k, %2$s AS number, (%3$s) IS TRUE AS is_open%4$s
    FROM (SELECT x.*, $1 AS as_of FROM %5$s x) r)$q$,
    t.key_column,
    CASE WHEN (SELECT atttypid FROM pg_attribute WHERE attrelid = t.relation AND attname = t.key_column) IN ('int4'::regtype, 'int8'::regtype) THEN quote_ident(t.key_column) ELSE '0' END,
    coalesce(t.open_when, 'true'),
    property.columns_sql(p_score, NULL, p_as_of)
    || coalesce((SELECT string_agg(format(', %I AS key_%s', coalesce(f.record_column, t.key_column), property.source_number(t.name, f.name)), '')
                   FROM lead_scoring.source AS f WHERE f.record_type = t.name), '')
    || (SELECT string_agg(format(', %s AS curve_%s', property.segment_sql(ARRAY(SELECT segment FROM lead_scoring.segment_decay AS d WHERE d.score = p_score AND d.group_name = g.name), true),
                                 property.group_number(p_score, g.name)), '') FROM lead_scoring.score_group AS g WHERE g.score = p_score)
    || (SELECT string_agg(format(', %s AS segment_%s', property.segment_sql(ARRAY(SELECT segment FROM lead_scoring.band AS b WHERE b.score = p_score AND b.part = p), false), p), '')
          FROM unnest(ARRAY['total', 'fit', 'engagement']) AS p),
    t.relation)
    FROM lead_scoring.score AS s JOIN lead_scoring.record_type AS t ON t.name = s.record_type WHERE s.name = p_score
$$;

-- The rows of a source that exist for a score: through one hop, filtered, not later than $1, not before a reset,
-- cleaned. The last table is called kept_<number>: k, t and the columns above
CREATE FUNCTION property.source_sql(p_score text, p_type text, p_source text, p_as_of timestamptz) RETURNS text
STABLE LANGUAGE plpgsql AS $$
DECLARE
  f lead_scoring.source := (SELECT q FROM lead_scoring.source AS q WHERE record_type = p_type AND name = p_source);
  n bigint := property.source_number(p_type, p_source);
  cleaned bool := f.dedup_key IS NOT NULL OR f.dedup_within IS NOT NULL;
  close text := CASE WHEN f.dedup_within IS NULL THEN 'true' ELSE format('property.gap(s.last, o.t) < %s', property.seconds(f.dedup_within)) END;
BEGIN
  RETURN CASE WHEN f.through IS NULL THEN '' ELSE format($q$link_%1$s AS (
  SELECT DISTINCT %2$I AS key, %3$I AS record_key FROM (SELECT x.*, $1 AS as_of FROM %4$s x) h WHERE (%5$s)),
$q$, n, f.through_key, f.through_record, f.through, coalesce(f.through_filter, 'true')) END
  || format($q$row_%1$s AS (
  SELECT %2$I AS key, %3$s AS t, %4$s AS d%5$s
    FROM (SELECT x.*, $1 AS as_of FROM %6$s x) e WHERE (%7$s)),
$q$, n, f.record_key, coalesce(quote_ident(f.occurred_at), 'NULL::timestamptz'), coalesce(f.dedup_key, '0'), property.columns_sql(p_score, p_source, p_as_of), f.relation, coalesce(f.filter, 'true'))
  || format($q$%2$s_%1$s AS MATERIALIZED (
  SELECT q.k, e.*, row_number() OVER () AS id FROM row_%1$s e JOIN %3$s%4$s)$q$, n, CASE WHEN cleaned THEN 'linked' ELSE 'kept' END,
    CASE WHEN f.through IS NULL THEN format('record q ON q.key_%s = e.key', n) ELSE format('link_%1$s h ON h.key = e.key JOIN record q ON q.key_%1$s = h.record_key', n) END,
    CASE WHEN f.occurred_at IS NULL THEN '' ELSE ' LEFT JOIN reset USING (k) WHERE e.t <= $1 AND (reset.at IS NULL OR e.t >= reset.at)' END)
  || CASE WHEN NOT cleaned THEN '' ELSE format($q$,
ordered_%1$s AS MATERIALIZED (SELECT k, t, d, id, row_number() OVER (PARTITION BY k, d ORDER BY t, id) AS i FROM linked_%1$s WHERE d IS NOT NULL),
spaced_%1$s AS (
  SELECT k, t, d, id, i, t AS last, true AS is_kept FROM ordered_%1$s WHERE i = 1
  UNION ALL
  SELECT k, o.t, d, o.id, o.i, CASE WHEN %2$s THEN s.last ELSE o.t END, NOT %2$s FROM spaced_%1$s s JOIN ordered_%1$s o USING (k, d) WHERE o.i = s.i + 1),
kept_%1$s AS MATERIALIZED (
  SELECT * FROM linked_%1$s WHERE d IS NULL OR id IN (SELECT id FROM spaced_%1$s WHERE is_kept))$q$, n, close) END;
END
$$;

-- The matches of a rule over rows: rule_<id> has, per record, their number n, the sum, least, greatest and mean of
-- their values, what they pay before and after decay, the share that the newest keeps, and its time
CREATE FUNCTION property.rule_sql(p_score text, p_type text, p_id bigint, p_name text, p_as_of timestamptz) RETURNS text
STABLE LANGUAGE plpgsql AS $$
DECLARE
  r lead_scoring.rule := (SELECT q FROM lead_scoring.rule AS q WHERE score = p_score AND name = p_name);
  events bool := (SELECT occurred_at IS NOT NULL FROM lead_scoring.source WHERE record_type = p_type AND name = r.source);
  n bigint := property.source_number(p_type, r.source);
  windowed text;
  factor text;
BEGIN
  windowed := CASE WHEN r.within IS NULL OR r.counting = 'quiet' THEN '' ELSE format(' AND t >= $1 - %L::interval', property.absolute(r.within)) END
    || coalesce(' AND t >= ' || quote_literal(r.since) || '::timestamptz', '') || coalesce(' AND t < ' || quote_literal(r.until) || '::timestamptz', '');
  factor := CASE WHEN r.counting = 'each' THEN (
    SELECT string_agg(format('CASE WHEN c%s%s%s THEN %L::float8 ELSE 1 END', x.id, coalesce(' AND t >= ' || quote_literal(f.since) || '::timestamptz', ''),
                             coalesce(' AND t < ' || quote_literal(f.until) || '::timestamptz', ''), f.factor), ' * ' ORDER BY x.id)
      FROM property.things(p_score, p_as_of) AS x JOIN lead_scoring.event_factor AS f ON f.score = p_score AND f.name = x.name
     WHERE x.kind = 'factor' AND x.source = r.source) END;
  RETURN CASE WHEN r.followed_by IS NULL THEN '' ELSE format($q$step_%1$s AS MATERIALIZED (
  SELECT k, t, c%1$s AS opens, b%1$s AS closes, row_number() OVER (PARTITION BY k ORDER BY t, c%1$s DESC) AS i FROM kept_%2$s WHERE c%1$s OR b%1$s),
pair_%1$s AS (
  -- "open" is the time of the latest event that waits for one that follows it
  SELECT k, t, i, CASE WHEN opens THEN t END AS open, false AS found FROM step_%1$s WHERE i = 1
  UNION ALL
  SELECT k, o.t, o.i, CASE WHEN o.closes AND %3$s THEN NULL WHEN o.opens THEN o.t ELSE p.open END, o.closes AND %3$s
    FROM pair_%1$s p JOIN step_%1$s o USING (k) WHERE o.i = p.i + 1),
$q$, p_id, n, format('coalesce(property.gap(p.open, o.t) <= %s, false)', property.seconds(r.followed_within))) END
  || format($q$match_%1$s AS (
  SELECT m.k, t, %2$s AS v, (%3$s)::float8 AS f, (%4$s)::float8 AS fade,%5$s AS place
    FROM %6$s m JOIN who USING (k) WHERE %7$s%8$s),
rule_%1$s AS (
  SELECT k, count(*) AS n, sum(v::numeric)::float8 AS sum_, min(v) AS min_, max(v) AS max_, avg(v::numeric)::float8 AS avg_,
         sum(v * f) FILTER (WHERE %9$s) AS pays, sum(v * f * fade) FILTER (WHERE %9$s) AS keeps, max(fade) AS fade, max(t) AS t
    FROM match_%1$s%10$s GROUP BY k)$q$,
    p_id, CASE WHEN r.value IS NULL THEN '1::float8' ELSE 'v' || p_id END, coalesce(factor, '1'),
    CASE WHEN events THEN property.fade_sql(p_score, r.group_name, 't') ELSE '1' END,
    CASE WHEN r.every_n IS NOT NULL THEN ' row_number() OVER (PARTITION BY m.k ORDER BY t)'
         WHEN r.max_times IS NOT NULL AND r.counting <> 'quiet' THEN format(' row_number() OVER (PARTITION BY m.k%s ORDER BY t DESC)',
           CASE WHEN r.max_times_per IS NOT NULL THEN format(', floor(property.gap(%L, t) / %s)', '2000-01-03 00:00 UTC', property.seconds(r.max_times_per)) ELSE '' END)
         ELSE ' 1' END,
    CASE WHEN r.followed_by IS NULL THEN 'kept_' || n ELSE 'pair_' || p_id END, CASE WHEN r.followed_by IS NULL THEN 'c' || p_id ELSE 'found' END, windowed,
    CASE WHEN r.every_n IS NOT NULL THEN format('place %% %s = 0', r.every_n) ELSE 'true' END,
    CASE WHEN r.every_n IS NULL AND r.max_times IS NOT NULL AND r.counting <> 'quiet' THEN format(' WHERE place <= %s', r.max_times) ELSE '' END);
END
$$;

-- What a rule does for a record, from what matched: pays_<id> before and keeps_<id> after decay; a multiplier
-- has applies_<id> instead
CREATE FUNCTION property.effect_sql(p_score text, p_id bigint, p_name text) RETURNS text
STABLE LANGUAGE plpgsql AS $$
DECLARE
  r lead_scoring.rule := (SELECT q FROM lead_scoring.rule AS q WHERE score = p_score AND name = p_name);
  -- a property rule has one row, its record
  n text := CASE WHEN r.source IS NULL THEN format('c%s::int', p_id) ELSE format('coalesce(rule_%s.n, 0)', p_id) END;
  rolled text := CASE WHEN r.source IS NULL THEN format('CASE WHEN c%1$s THEN v%1$s END', p_id) ELSE format('rule_%s.%s_', p_id, r.rollup) END;
  fade text := CASE WHEN r.source IS NULL THEN '1' ELSE format('coalesce(rule_%s.fade, 1)', p_id) END;
  once text;
BEGIN
  IF r.rollup = 'sum' THEN
    rolled := format('coalesce(%s, 0)', rolled);
  END IF;
  once := CASE
    WHEN r.at_least IS NULL AND r.at_most IS NULL THEN n || ' > 0'
    WHEN r.value IS NULL THEN format('%s BETWEEN %L::float8 AND %L::float8', n, coalesce(r.at_least, 0), coalesce(r.at_most, 'infinity'::float8))
    ELSE format('coalesce(%s BETWEEN %L::float8 AND %L::float8, false)', rolled, coalesce(r.at_least, '-infinity'), coalesce(r.at_most, 'infinity'::float8)) END;
  RETURN format(', %s AS n%s', n, p_id) || CASE
    WHEN r.effect = 'multiply' THEN format(', (%s) AS applies_%s, 0::float8 AS pays_%2$s, 0::float8 AS keeps_%2$s', once, p_id)
    WHEN r.counting = 'quiet' THEN
      format(', %1$L::float8 * q%2$s AS pays_%2$s, %1$L::float8 * q%2$s AS keeps_%2$s', r.points, p_id)
    WHEN r.counting = 'once' THEN
      format(', CASE WHEN %1$s THEN %2$L::float8 ELSE 0 END AS pays_%3$s, CASE WHEN %1$s THEN %2$L::float8 ELSE 0 END * %4$s AS keeps_%3$s', once, r.points, p_id, fade)
    WHEN r.source IS NULL OR r.rollup <> 'sum' THEN
      format(', %1$L::float8 * coalesce(%2$s, 0) AS pays_%3$s, %1$L::float8 * coalesce(%2$s, 0) * %4$s AS keeps_%3$s', r.points, rolled, p_id, fade)
    ELSE
      format(', %1$L::float8 * coalesce(rule_%2$s.pays, 0) AS pays_%2$s, %1$L::float8 * coalesce(rule_%2$s.keeps, 0) AS keeps_%2$s', r.points, p_id) END;
END
$$;

-- Applies the multipliers of one scope ('group', 'fit', 'engagement' or 'total') to an expression
CREATE FUNCTION property.lifted_sql(p_score text, p_as_of timestamptz, p_multiplies text, p_group text, p_value text) RETURNS text
STABLE LANGUAGE plpgsql AS $$
DECLARE
  x record;
BEGIN
  FOR x IN SELECT t.id, r.points FROM property.things(p_score, p_as_of) AS t JOIN lead_scoring.rule AS r ON r.score = p_score AND r.name = t.name
            WHERE t.kind = 'rule' AND r.effect = 'multiply' AND r.multiplies = p_multiplies AND (p_group IS NULL OR r.group_name = p_group) ORDER BY t.id LOOP
    p_value := format('property.lift(%s, %L, applies_%s)', p_value, x.points, x.id);
  END LOOP;
  RETURN p_value;
END
$$;

-- Writes the statement for one score; $1 is as_of
CREATE FUNCTION property.statement(p_score text, p_as_of timestamptz) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
  s record;
  x record;
  type text := (SELECT record_type FROM lead_scoring.score WHERE name = p_score);
  tables text := '';
  newest text := '';
  joins text := '';
  effects text := '';
  includes text := '';
  excludes text := '';
  names text := '';
  matched text := '';
  raws text := '';
  decayeds text := '';
  groups text;
  fit text := '0';
  engagement text := '0';
BEGIN
  SELECT * INTO STRICT s FROM lead_scoring.score WHERE name = p_score;
  FOR x IN SELECT * FROM lead_scoring.source AS f WHERE record_type = type AND EXISTS (SELECT FROM property.things(p_score, p_as_of) AS t WHERE t.source = f.name) LOOP
    tables := tables || E',\n' || property.source_sql(p_score, type, x.name, p_as_of);
    IF x.occurred_at IS NOT NULL THEN
      newest := newest || format(' UNION ALL SELECT k, t FROM kept_%s', property.source_number(type, x.name));
    END IF;
  END LOOP;
  tables := tables || format(E',\nwho AS MATERIALIZED (SELECT * FROM record LEFT JOIN (SELECT k, max(t) AS newest FROM (%s) a GROUP BY k) n USING (k))',
    CASE WHEN newest = '' THEN 'SELECT NULL::text AS k, NULL::timestamptz AS t WHERE false' ELSE substr(newest, 12) END);

  FOR x IN SELECT t.*, r.effect, r.counting, r.within, r.max_times, r.max_times_per, o.mode FROM property.things(p_score, p_as_of) AS t
             LEFT JOIN lead_scoring.rule AS r ON t.kind = 'rule' AND r.score = p_score AND r.name = t.name
             LEFT JOIN lead_scoring.scope AS o ON t.kind = 'scope' AND o.scope_id::text = t.name
            WHERE t.kind <> 'factor' ORDER BY t.id LOOP
    IF x.kind = 'rule' AND x.source IS NOT NULL THEN
      tables := tables || E',\n' || property.rule_sql(p_score, type, x.id, x.name, p_as_of);
      joins := joins || format(' LEFT JOIN rule_%s USING (k)', x.id);
    END IF;
    IF x.counting = 'quiet' THEN
      -- whole periods since the newest match
      joins := joins || format(' CROSS JOIN LATERAL (SELECT least(coalesce(floor(property.gap(rule_%1$s.t, $1) / %2$s), 1), %3$L)::float8 AS q%1$s) l%1$s',
                               x.id, property.seconds(x.within), coalesce(x.max_times::float8, 'infinity'));
    END IF;
    IF x.kind = 'rule' THEN
      effects := effects || property.effect_sql(p_score, x.id, x.name);
      names := names || format(', %L', x.name);
      -- how many matches are shown where not all of them count is left open
      matched := matched || CASE WHEN x.counting = 'quiet' OR x.max_times IS NOT NULL THEN ', NULL' ELSE format(', n%s', x.id) END;
      raws := raws || format(', pays_%s', x.id);
      decayeds := decayeds || format(', keeps_%s', x.id);
    ELSE
      IF x.source IS NOT NULL THEN
        effects := effects || format(', EXISTS (SELECT FROM kept_%s e WHERE e.k = who.k AND e.c%s) AS c%2$s', property.source_number(type, x.source), x.id);
      END IF;
      IF x.mode = 'include' THEN
        includes := includes || format(' OR c%s', x.id);
      ELSE
        excludes := excludes || format(' AND NOT c%s', x.id);
      END IF;
    END IF;
  END LOOP;

  FOR x IN SELECT g.*, (SELECT string_agg(format('keeps_%s', t.id), ' + ' ORDER BY t.id) FROM property.things(p_score, p_as_of) AS t
                          JOIN lead_scoring.rule AS r ON r.score = p_score AND r.name = t.name WHERE t.kind = 'rule' AND r.group_name = g.name) AS rules
             FROM lead_scoring.score_group AS g WHERE g.score = p_score ORDER BY g.name LOOP
    groups := ' + ' || property.lifted_sql(p_score, p_as_of, 'group', x.name, format('(%s * property.clamp(%s, %L, %L))', coalesce(x.weight, 1), coalesce(x.rules, '0'), x.min_points, x.max_points));
    IF x.kind = 'fit' THEN
      fit := fit || groups;
    ELSE
      engagement := engagement || groups;
    END IF;
  END LOOP;

  RETURN 'WITH RECURSIVE ' || property.records_sql(p_score, p_as_of) || format($sql$,
reset AS (SELECT record_key AS k, max(at) AS at FROM lead_scoring.engagement_reset WHERE score = %1$L AND at <= $1 GROUP BY 1)%2$s,
paid AS (SELECT who.*%3$s FROM who%4$s),
scoped AS (SELECT *, (%5$s)%6$s AS in_scope FROM paid),
part AS (SELECT *, %7$s AS fit, %8$s AS engagement FROM scoped),
whole AS (
  SELECT *, %9$s AS lifted,
         property.clamp(coalesce((SELECT sum(points) FROM lead_scoring.adjustment a WHERE a.score = %1$L AND a.record_key = k AND a.created_at <= $1 AND (a.expires_at > $1 OR a.expires_at IS NULL)), 0),
                        -%10$L::float8, %10$L::float8) + 0 AS adjusted
    FROM part)
SELECT k, number, is_open, in_scope, property.stored(property.clamp(lifted + adjusted, %11$L, %12$L)), property.stored(property.clamp(lifted, %11$L, %12$L)), adjusted,
       property.stored(fit), property.stored(engagement), newest, segment_total, segment_fit, segment_engagement,
       ARRAY[%13$s]::text[], ARRAY[%14$s]::bigint[], ARRAY[%15$s]::float8[], ARRAY[%16$s]::float8[]
  FROM whole$sql$,
    p_score, tables, effects, joins,
    CASE WHEN includes = '' THEN 'true' ELSE substr(includes, 5) END, excludes,
    property.lifted_sql(p_score, p_as_of, 'fit', NULL, format('(%s)', fit)), property.lifted_sql(p_score, p_as_of, 'engagement', NULL, format('(%s)', engagement)),
    property.lifted_sql(p_score, p_as_of, 'total', NULL, '(fit + engagement)'), s.adjustment_share * (s.max_points - s.min_points), s.min_points, s.max_points,
    substr(names, 3), substr(matched, 3), substr(raws, 3), substr(decayeds, 3));
END
$$;

-- What the statement gives, of one score at one instant
CREATE UNLOGGED TABLE property.computed (k text, number bigint, is_open bool, in_scope bool, parts float8[], machine float8, adjustment float8, last_activity timestamptz,
  segments text[], rules text[], matched bigint[], raw float8[], decayed float8[]);

-- The label of each record for one part of a score, by its value there: of the bands of its segment, tried from
-- the narrowest on, the first that it belongs to. Ranks are those among the open records in scope of the segment
CREATE FUNCTION property.labels(p_score text, p_part text) RETURNS TABLE (record_key text, label text)
LANGUAGE sql AS $$
  WITH placed AS (
    SELECT p.*, p.segments[array_position(ARRAY['total', 'fit', 'engagement'], p_part)] AS segment, p.parts[array_position(ARRAY['total', 'fit', 'engagement'], p_part)] AS value
      FROM property.computed AS p WHERE in_scope),
  ranked AS (
    SELECT k, row_number() OVER (PARTITION BY segment ORDER BY value DESC, number, k COLLATE "C") AS rank, count(*) OVER (PARTITION BY segment) AS records FROM placed WHERE is_open)
  SELECT k, (SELECT b.label FROM lead_scoring.band AS b
              WHERE b.score = p_score AND b.part = p_part AND b.segment = placed.segment
                AND (b.lower_bound IS NULL OR b.lower_bound <= value)
                AND (b.capacity IS NULL OR coalesce(rank <= b.capacity, false))
                AND (b.top_share IS NULL OR coalesce(rank <= ceil(b.top_share::numeric * records), false))
              ORDER BY b.capacity NULLS LAST, b.top_share NULLS LAST, b.lower_bound DESC NULLS LAST LIMIT 1)
    FROM placed LEFT JOIN ranked USING (k)
$$;

-- The rows that evaluate() and standing() should return, with the part of each rule
CREATE FUNCTION property.expected(p_score text, p_as_of timestamptz)
RETURNS TABLE (record_key text, total float8, fit float8, engagement float8, label text, total_label text, fit_label text,
  engagement_label text, machine float8, adjustment float8, in_scope bool, last_activity timestamptz, dormant bool, is_open bool,
  rules text[], matched bigint[], raw float8[], decayed float8[])
LANGUAGE plpgsql AS $$
DECLARE
  s lead_scoring.score := (SELECT q FROM lead_scoring.score AS q WHERE name = p_score);
  has text[] := ARRAY(SELECT DISTINCT part FROM lead_scoring.band WHERE score = p_score);
BEGIN
  DELETE FROM property.computed;
  EXECUTE format('INSERT INTO property.computed SELECT k, number, is_open, in_scope, ARRAY[total, fit, engagement], machine, adjusted, newest, ARRAY[st, sf, se], rules, matched, raw, decayed
    FROM (%s) AS q (k, number, is_open, in_scope, total, machine, adjusted, fit, engagement, newest, st, sf, se, rules, matched, raw, decayed)', property.statement(p_score, p_as_of)) USING p_as_of;
  RETURN QUERY
  SELECT c.k, CASE WHEN c.in_scope THEN c.parts[1] END, CASE WHEN c.in_scope AND s.kind <> 'engagement' THEN c.parts[2] END, CASE WHEN c.in_scope AND s.kind <> 'fit' THEN c.parts[3] END,
         CASE WHEN has @> '{fit,engagement}' THEN f.label || e.label WHEN 'total' = ANY (has) THEN t.label WHEN 'fit' = ANY (has) THEN f.label ELSE e.label END,
         t.label, f.label, e.label, CASE WHEN c.in_scope THEN c.machine END, CASE WHEN c.in_scope THEN c.adjustment END, c.in_scope,
         c.last_activity, coalesce(c.last_activity <= p_as_of - property.absolute(s.dormant_after), false), c.is_open, c.rules, c.matched, c.raw, c.decayed
    FROM property.computed AS c LEFT JOIN property.labels(p_score, 'total') AS t ON t.record_key = c.k LEFT JOIN property.labels(p_score, 'fit') AS f ON f.record_key = c.k
    LEFT JOIN property.labels(p_score, 'engagement') AS e ON e.record_key = c.k;
END
$$;
