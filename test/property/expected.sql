-- What a score should be, written a second time: one plain SQL statement per definition, as a
-- user would write it by hand (filtered sums, CASE, BETWEEN), from the definition tables alone.
-- Nothing here calls the extension, so that both can be wrong only in different ways.

CREATE SCHEMA property;

-- The decay texts as they were written, before the extension's input function saw them
CREATE TABLE property.decay_given (score text, group_name text, given text, PRIMARY KEY (score, group_name));

-- Reads a length of time such as '3 months' or '36 hours' as seconds: month = 30 days, year = 360
CREATE FUNCTION property.seconds(p_text text) RETURNS float8
IMMUTABLE LANGUAGE sql AS $$
  SELECT sum(coalesce(nullif(m[1], ''), '1')::float8 * CASE m[2]
             WHEN 'second' THEN 1 WHEN 'minute' THEN 60 WHEN 'hour' THEN 3600 WHEN 'day' THEN 86400
             WHEN 'week' THEN 604800 WHEN 'month' THEN 2592000 WHEN 'year' THEN 31104000 END)
    FROM regexp_matches(p_text, '([0-9.]*)\s*(second|minute|hour|day|week|month|year)', 'g') AS m
$$;

-- The share of its points that an event at "time" keeps at $1, as an SQL expression
CREATE FUNCTION property.factor_sql(p_decay text, p_time text) RETURNS text
IMMUTABLE LANGUAGE plpgsql AS $$
DECLARE
  main text := regexp_replace(p_decay, '\s+after\s+.*$', '');
  grace float8 := coalesce(property.seconds(substring(p_decay FROM '\s+after\s+(.*)$')), 0);
  rate float8 := substring(main FROM '^\s*([0-9.]+)\s*%')::numeric / 100;
  period float8 := property.seconds(regexp_replace(main, '^.*?(half-life|per)\s', ''));
  age text := format('greatest(0, extract(epoch FROM $1 - %s)::float8 - %s)', p_time, grace);
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

-- The clamp of a sum: a bound that is NULL is no bound
CREATE FUNCTION property.clamp(p_value float8, p_min float8, p_max float8) RETURNS float8
IMMUTABLE LANGUAGE sql AS $$ SELECT least(greatest(p_value, p_min), p_max) $$;

-- Rounds to 4 decimals, half away from zero
CREATE FUNCTION property.stored(p_value float8) RETURNS float8
IMMUTABLE LANGUAGE sql AS $$ SELECT round(p_value::numeric, 4)::float8 $$;

-- The label of a value: the band with the greatest lower bound that it reaches, else the rest
CREATE FUNCTION property.label(p_score text, p_part text, p_value float8) RETURNS text
STABLE LANGUAGE sql AS $$
  SELECT label FROM lead_scoring.band
   WHERE score = p_score AND part = p_part AND p_value IS NOT NULL
     AND (lower_bound <= p_value OR lower_bound IS NULL)
   ORDER BY lower_bound DESC NULLS LAST LIMIT 1
$$;

-- Writes the statement for one score; $1 is as_of
CREATE FUNCTION property.statement(p_score text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
  s record;
  t record;
  x record;
  own text := '';          -- columns computed from the record's own row
  ctes text := '';
  joins text := '';
  cols text := '';
  cond text;
  fac text;
  n int := 0;
  per_source text;
  includes text := '';
  excludes text := '';
  names text := '';
  matched text := '';
  raws text := '';
  decayeds text := '';
  groups text := '';
  fit text := '0';
  engagement text := '0';
  sums text;
  win text;
BEGIN
  SELECT * INTO STRICT s FROM lead_scoring.score WHERE name = p_score;
  SELECT * INTO STRICT t FROM lead_scoring.record_type WHERE name = s.record_type;

  -- number the rules and scope rows, so that columns have names
  CREATE TEMP TABLE IF NOT EXISTS property_part (id int, kind text, source text, criterion text, name text, group_name text,
    points float8, counting text, at_least float8, at_most float8, within interval, since timestamptz, until timestamptz,
    mode text, decay text);
  TRUNCATE property_part;
  INSERT INTO property_part
  SELECT row_number() OVER (ORDER BY r.name COLLATE "C"), 'rule', r.source, r.criterion, r.name, r.group_name, r.points, r.counting,
         r.at_least, r.at_most, r.within, r.since, r.until, NULL,
         coalesce(d.given, g.decay::text)
    FROM lead_scoring.rule r
    JOIN lead_scoring.score_group g ON g.score = r.score AND g.name = r.group_name
    LEFT JOIN property.decay_given d ON d.score = r.score AND d.group_name = r.group_name
   WHERE r.score = p_score AND r.enabled;
  INSERT INTO property_part (id, kind, source, criterion, mode)
  SELECT 1000 + scope_id, 'scope', source, criterion, mode FROM lead_scoring.scope WHERE score = p_score;

  FOR x IN SELECT * FROM property_part WHERE source IS NULL LOOP
    own := own || format(', CASE WHEN (%s) THEN 1 ELSE 0 END AS n%s', x.criterion, x.id);
  END LOOP;

  FOR t IN SELECT f.*, row_number() OVER (ORDER BY f.name) AS id FROM lead_scoring.source f
            WHERE f.record_type = s.record_type AND f.name IN (SELECT source FROM property_part) LOOP
    per_source := '';
    FOR x IN SELECT * FROM property_part WHERE source = t.name LOOP
      win := '';
      IF x.within IS NOT NULL THEN
        -- hours and less are absolute; a year is 12 months of 30 days
        win := win || format(' AND %I >= $1 - %L::interval', t.occurred_at, make_interval(
          hours => (((extract(year FROM x.within) * 12 + extract(month FROM x.within)) * 30 + extract(day FROM x.within)) * 24
                    + extract(hour FROM x.within))::int,
          mins => extract(minute FROM x.within)::int, secs => extract(second FROM x.within)::float8));
      END IF;
      IF x.since IS NOT NULL THEN
        win := win || format(' AND %I >= %L::timestamptz', t.occurred_at, x.since);
      END IF;
      IF x.until IS NOT NULL THEN
        win := win || format(' AND %I < %L::timestamptz', t.occurred_at, x.until);
      END IF;
      cond := format('FILTER (WHERE (%s)%s)', x.criterion, win);
      per_source := per_source || format(', count(*) %s AS n%s', cond, x.id);
      cols := cols || format(', coalesce(s%s.n%s, 0) AS n%2$s', t.id, x.id);
      IF x.kind = 'rule' AND t.occurred_at IS NOT NULL THEN
        fac := property.factor_sql(x.decay, quote_ident(t.occurred_at));
        per_source := per_source || format(', sum(%s) %s AS d%s, max(%I) %2$s AS t%3$s', fac, cond, x.id, t.occurred_at);
        cols := cols || format(', coalesce(s%s.d%s, 0) AS d%2$s, s%1$s.t%2$s AS t%2$s', t.id, x.id);
      END IF;
    END LOOP;
    own := own || format(', %I AS j%s', coalesce(t.record_column, (SELECT key_column FROM lead_scoring.record_type WHERE name = s.record_type)), t.id);
    ctes := ctes || format(E',\nsource_%s AS (SELECT %I AS j%s FROM (SELECT x.*, $1 AS as_of FROM %s x) e WHERE (%s)%s GROUP BY 1)',
      t.id, t.record_key, per_source, t.relation, coalesce(t.filter, 'true'),
      CASE WHEN t.occurred_at IS NULL THEN '' ELSE format(' AND %I <= $1', t.occurred_at) END);
    joins := joins || format(' LEFT JOIN source_%s s%1$s ON s%1$s.j = own.j%1$s', t.id);
  END LOOP;

  FOR x IN SELECT * FROM property_part WHERE kind = 'scope' LOOP
    IF x.mode = 'include' THEN
      includes := includes || format(' OR n%s > 0', x.id);
    ELSE
      excludes := excludes || format(' AND n%s = 0', x.id);
    END IF;
  END LOOP;

  cond := '';
  FOR x IN SELECT p.*, f.occurred_at IS NOT NULL AS event FROM property_part p
             LEFT JOIN lead_scoring.source f ON f.name = p.source AND f.record_type = s.record_type
            WHERE kind = 'rule' ORDER BY id LOOP
    IF x.event AND x.counting = 'each' THEN
      cond := cond || format(', %s::float8 * n%s AS raw%2$s, %1$s::float8 * d%2$s AS decayed%2$s', x.points, x.id);
    ELSE
      win := format('CASE WHEN n%1$s >= %2$s AND n%1$s <= %3$s THEN %4$s::float8 ELSE 0 END', x.id,
        coalesce(x.at_least, CASE WHEN x.at_most IS NULL THEN 1 ELSE 0 END), coalesce(x.at_most, 1e18), x.points);
      fac := CASE WHEN x.event THEN format('CASE WHEN n%s = 0 THEN 1 ELSE %s END', x.id, property.factor_sql(x.decay, 't' || x.id)) ELSE '1' END;
      cond := cond || format(', %s AS raw%s, (%1$s) * (%3$s) AS decayed%2$s', win, x.id, fac);
    END IF;
    names := names || format(', %L', x.name);
    matched := matched || format(', n%s', x.id);
    raws := raws || format(', raw%s', x.id);
    decayeds := decayeds || format(', decayed%s', x.id);
  END LOOP;

  FOR x IN SELECT g.*, (SELECT coalesce(string_agg(format(' + decayed%s', p.id), '' ORDER BY p.id), '') FROM property_part p
                         WHERE p.kind = 'rule' AND p.group_name = g.name) AS parts
             FROM lead_scoring.score_group g WHERE g.score = p_score ORDER BY g.name LOOP
    sums := format(' + property.clamp((0%s)::float8, %L, %L)', x.parts, x.min_points, x.max_points);
    IF x.kind = 'fit' THEN
      fit := fit || sums;
    ELSE
      engagement := engagement || sums;
    END IF;
  END LOOP;

  RETURN format($sql$
WITH own AS (SELECT %1$I::text AS k%2$s FROM (SELECT x.*, $1 AS as_of FROM %3$s x) r)%4$s,
counted AS (SELECT own.*%5$s FROM own%6$s),
paid AS (SELECT k, (%7$s)%8$s AS in_scope%9$s%10$s FROM counted),
parts AS (SELECT *, %11$s AS fit, %12$s AS engagement,
            coalesce((SELECT sum(points) FROM lead_scoring.adjustment a WHERE a.score = %13$L AND a.record_key = k
                        AND a.created_at <= $1 AND (a.expires_at > $1 OR a.expires_at IS NULL)), 0) AS adjusted FROM paid),
rounded AS (SELECT *, property.stored(property.clamp(fit + engagement + adjusted, %14$L, %15$L)) AS total_, property.stored(fit) AS fit_,
              property.stored(engagement) AS engagement_ FROM parts)
SELECT k, in_scope, CASE WHEN in_scope THEN total_ END, CASE WHEN in_scope AND %16$L <> 'engagement' THEN fit_ END,
  CASE WHEN in_scope AND %16$L <> 'fit' THEN engagement_ END,
  CASE WHEN in_scope THEN property.label(%13$L, 'total', total_) END,
  CASE WHEN in_scope THEN property.label(%13$L, 'fit', fit_) END,
  CASE WHEN in_scope THEN property.label(%13$L, 'engagement', engagement_) END,
  ARRAY[%17$s]::text[], ARRAY[%18$s]::bigint[], ARRAY[%19$s]::float8[], ARRAY[%20$s]::float8[]
  FROM rounded$sql$,
    (SELECT key_column FROM lead_scoring.record_type WHERE name = s.record_type), own,
    (SELECT relation FROM lead_scoring.record_type WHERE name = s.record_type), ctes, cols, joins,
    CASE WHEN includes = '' THEN 'true' ELSE substr(includes, 5) END, excludes,
    (SELECT coalesce(string_agg(format(', n%s', id), '' ORDER BY id), '') FROM property_part WHERE kind = 'rule'), cond,
    fit, engagement, p_score, s.min_points, s.max_points, s.kind,
    substr(names, 3), substr(matched, 3), substr(raws, 3), substr(decayeds, 3));
END
$$;

-- The rows that evaluate() should return, with the part of each rule
CREATE FUNCTION property.expected(p_score text, p_as_of timestamptz)
RETURNS TABLE (record_key text, total float8, fit float8, engagement float8, label text, total_label text, fit_label text,
  engagement_label text, in_scope bool, rules text[], matched bigint[], raw float8[], decayed float8[])
LANGUAGE plpgsql AS $$
DECLARE
  fit_bands bool := EXISTS (SELECT FROM lead_scoring.band WHERE score = p_score AND part = 'fit');
  engagement_bands bool := EXISTS (SELECT FROM lead_scoring.band WHERE score = p_score AND part = 'engagement');
  total_bands bool := EXISTS (SELECT FROM lead_scoring.band WHERE score = p_score AND part = 'total');
BEGIN
  FOR record_key, in_scope, total, fit, engagement, total_label, fit_label, engagement_label, rules, matched, raw, decayed IN
    EXECUTE property.statement(p_score) USING p_as_of LOOP
    label := CASE
      WHEN fit_bands AND engagement_bands THEN fit_label || engagement_label
      WHEN total_bands THEN total_label
      WHEN fit_bands THEN fit_label
      ELSE engagement_label END;
    RETURN NEXT;
  END LOOP;
END
$$;
