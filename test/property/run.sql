-- The one invariant, for random definitions and data: stored = evaluated = explained, and all
-- equal to plain SQL. Every seed starts from empty tables and commits, so that a failing seed can
-- be run again alone: CALL property.run(<seed>, 1).

CREATE TABLE property.failure (seed bigint, stage text, comparison text, detail text);
CREATE TABLE property.outcome (seed bigint PRIMARY KEY, records int, events int, rules int, compared int, tolerated int);

-- Differences between one pair of values: equal, a rounding tie (the last decimal differs), or wrong
CREATE FUNCTION property.difference(a float8, b float8) RETURNS text
IMMUTABLE LANGUAGE sql AS $$
  SELECT CASE WHEN a IS NOT DISTINCT FROM b THEN 'equal' WHEN abs(a - b) < 1.001e-4 THEN 'tie' ELSE 'wrong' END
$$;

CREATE FUNCTION property.near(a float8, b float8) RETURNS bool
IMMUTABLE LANGUAGE sql AS $$
  SELECT a IS NOT DISTINCT FROM b OR coalesce(abs(a - b) <= 1e-9 * greatest(1, abs(a)), false)
$$;

-- Compares evaluate, the stored columns, explain, verify, preview and the plain SQL at one instant
CREATE PROCEDURE property.check_all(p_seed bigint, p_stage text, p_as_of timestamptz, INOUT compared int, INOUT tolerated int)
LANGUAGE plpgsql AS $$
DECLARE
  s text := property.score_name(p_seed);
  written bigint;
  tie int;
BEGIN
  DELETE FROM evaluated;
  DELETE FROM stored;
  DELETE FROM plain;
  DELETE FROM explained;
  written := lead_scoring.refresh(s, p_as_of);
  INSERT INTO evaluated SELECT * FROM lead_scoring.evaluate(s, p_as_of);
  INSERT INTO plain SELECT * FROM property.expected(s, p_as_of);
  EXECUTE format('INSERT INTO stored SELECT id::text, %I, %I, %I, %I FROM "prop data".contacts', s, s || '_fit', s || '_engagement', s || '_label');
  INSERT INTO explained SELECT c.record_key, e.* FROM plain AS c, lead_scoring.explain(s, c.record_key, p_as_of) AS e;

  INSERT INTO property.failure
  SELECT p_seed, p_stage, 'evaluate = plain SQL', format('%s, expected %s', e, p)
    FROM evaluated AS e FULL JOIN plain AS p USING (record_key)
   WHERE e.record_key IS NULL OR p.record_key IS NULL
      OR 'wrong' IN (property.difference(e.total, p.total), property.difference(e.fit, p.fit), property.difference(e.engagement, p.engagement))
      OR e.total IS NOT DISTINCT FROM p.total AND e.total_label IS DISTINCT FROM p.total_label
      OR e.fit IS NOT DISTINCT FROM p.fit AND e.fit_label IS DISTINCT FROM p.fit_label
      OR e.engagement IS NOT DISTINCT FROM p.engagement AND e.engagement_label IS DISTINCT FROM p.engagement_label
      OR (e.total, e.fit, e.engagement) IS NOT DISTINCT FROM (p.total, p.fit, p.engagement) AND e.label IS DISTINCT FROM p.label;
  SELECT count(*) * 3, count(*) FILTER (WHERE property.difference(e.total, p.total) = 'tie') + count(*) FILTER (WHERE property.difference(e.fit, p.fit) = 'tie')
         + count(*) FILTER (WHERE property.difference(e.engagement, p.engagement) = 'tie')
    INTO written, tie FROM evaluated AS e JOIN plain AS p USING (record_key);
  compared := compared + written;
  tolerated := tolerated + tie;

  INSERT INTO property.failure
  SELECT p_seed, p_stage, 'stored = evaluate', format('%s, evaluated %s', c, e)
    FROM stored AS c FULL JOIN evaluated AS e USING (record_key)
   WHERE (c.record_key, c.total, c.fit, c.engagement, c.label) IS DISTINCT FROM (e.record_key, e.total, e.fit, e.engagement, e.label);

  INSERT INTO property.failure
  SELECT p_seed, p_stage, 'plain double precision', e::text FROM evaluated AS e
   WHERE ARRAY['-0', 'NaN', 'Infinity', '-Infinity'] && ARRAY[e.total::text, e.fit::text, e.engagement::text];

  -- with some keys only, one of which is nobody's
  INSERT INTO property.failure
  SELECT p_seed, p_stage, 'evaluate some keys = evaluate all', format('%s, all %s', f, e)
    FROM (SELECT * FROM evaluated WHERE property.u(p_seed, 'some ' || record_key) < 0.3) AS e
    FULL JOIN lead_scoring.evaluate(s, p_as_of, ARRAY(SELECT record_key FROM evaluated WHERE property.u(p_seed, 'some ' || record_key) < 0.3)) AS f USING (record_key)
   WHERE (f.record_key, f.total, f.fit, f.engagement, f.label) IS DISTINCT FROM (e.record_key, e.total, e.fit, e.engagement, e.label);

  written := lead_scoring.refresh(s, p_as_of);
  INSERT INTO property.failure SELECT p_seed, p_stage, 'a second refresh writes nothing', format('%s rows', written) WHERE written <> 0;
  INSERT INTO property.failure SELECT p_seed, p_stage, 'verify is empty', v::text FROM lead_scoring.verify(s, p_as_of) AS v;

  -- explain: its rows for the parts are the score
  INSERT INTO property.failure
  SELECT p_seed, p_stage, 'explain = evaluate', format('%s, evaluated %s', x, e)
    FROM (SELECT record_key, count(*) FILTER (WHERE level = 'total') AS totals, max(clamped) FILTER (WHERE level = 'total') AS total,
                 max(clamped) FILTER (WHERE level = 'fit') AS fit, max(clamped) FILTER (WHERE level = 'engagement') AS engagement
            FROM explained GROUP BY record_key) AS x
    FULL JOIN evaluated AS e USING (record_key)
   WHERE x.totals IS DISTINCT FROM 1 OR x.total IS DISTINCT FROM e.total
      OR e.total IS NOT NULL AND (x.fit IS DISTINCT FROM e.fit OR x.engagement IS DISTINCT FROM e.engagement);

  -- explain adds up: rules to groups, groups to parts, parts to the total
  INSERT INTO property.failure
  SELECT p_seed, p_stage, 'explain: group = clamped sum of its rules', format('%s %s, rules %s %s', x.record_key, x, r.raw, r.decayed)
    FROM explained AS x
    JOIN lead_scoring.score_group AS g ON g.score = s AND g.name = x.group_name
    JOIN plain AS p ON p.record_key = x.record_key AND p.in_scope
    CROSS JOIN LATERAL (SELECT coalesce(sum(y.raw), 0) AS raw, coalesce(sum(y.decayed), 0) AS decayed FROM explained AS y
            WHERE y.record_key = x.record_key AND y.level = 'rule' AND y.group_name = x.group_name) AS r
   WHERE x.level = 'group'
     AND NOT (property.near(x.raw, r.raw) AND property.near(x.decayed, r.decayed)
              AND property.near(x.clamped, property.clamp(r.decayed, g.min_points, g.max_points)));
  INSERT INTO property.failure
  SELECT p_seed, p_stage, 'explain: ' || part || ' = sum of its groups', format('%s: %s, groups %s', record_key, whole, parts)
    FROM (SELECT x.record_key, k.part, coalesce(sum(x.clamped) FILTER (WHERE x.level = 'group' AND g.kind = k.part), 0) AS parts,
                 max(x.clamped) FILTER (WHERE x.level = k.part) AS whole
            FROM (VALUES ('fit'), ('engagement')) AS k (part) CROSS JOIN explained AS x
            JOIN plain AS p ON p.record_key = x.record_key AND p.in_scope
            LEFT JOIN lead_scoring.score_group AS g ON g.score = s AND g.name = x.group_name
           GROUP BY x.record_key, k.part) AS q
   WHERE whole IS NOT NULL AND abs(whole - parts) > 0.5000001e-4;
  INSERT INTO property.failure
  SELECT p_seed, p_stage, 'explain: total = clamped sum of groups and adjustments', format('%s: decayed %s clamped %s, parts %s', record_key, decayed, total, parts)
    FROM (SELECT x.record_key, sum(x.clamped) FILTER (WHERE x.level = 'group') AS groups, coalesce(sum(x.clamped) FILTER (WHERE x.level = 'adjustment'), 0) AS adjustments,
                 sum(x.clamped) FILTER (WHERE x.level IN ('group', 'adjustment')) AS parts,
                 max(x.decayed) FILTER (WHERE x.level = 'total') AS decayed, max(x.clamped) FILTER (WHERE x.level = 'total') AS total
            FROM explained AS x JOIN plain AS p ON p.record_key = x.record_key AND p.in_scope GROUP BY x.record_key) AS q, lead_scoring.score AS c
   WHERE c.name = s
     AND NOT (property.near(decayed, parts) AND coalesce(abs(total - property.clamp(parts, c.min_points, c.max_points)) <= 0.5000001e-4, false));

  -- each rule's part against the plain SQL
  INSERT INTO property.failure
  SELECT p_seed, p_stage, 'explain: rule = plain SQL', format('%s, expected %s: matched %s raw %s decayed %s', x, p.name, p.matched, p.raw, p.decayed)
    FROM (SELECT c.record_key, u.* FROM plain AS c, unnest(c.rules, c.matched, c.raw, c.decayed) AS u (name, matched, raw, decayed) WHERE c.in_scope) AS p
    FULL JOIN (SELECT e.* FROM explained AS e JOIN plain AS q ON q.record_key = e.record_key AND q.in_scope WHERE e.level = 'rule') AS x
      ON x.record_key = p.record_key AND x.rule = p.name
   WHERE (x.rule, x.matched) IS DISTINCT FROM (p.name, p.matched)
      OR NOT (property.near(x.raw, p.raw) AND property.near(x.decayed, p.decayed));

  -- preview: bins and labels hold every record once
  INSERT INTO property.failure
  SELECT p_seed, p_stage, 'preview = evaluate', format('%s, evaluated %s', v, e)
    FROM (SELECT sum(records) FILTER (WHERE kind = 'bin') AS bins, coalesce(sum(records) FILTER (WHERE kind = 'out of scope'), 0) AS outside FROM lead_scoring.preview(s, 7, p_as_of)) AS v,
         (SELECT count(total) AS inside, count(*) - count(total) AS outside FROM evaluated) AS e
   WHERE coalesce(v.bins, 0) <> e.inside OR v.outside <> e.outside;
END
$$;

-- Everything for one seed
CREATE PROCEDURE property.run_seed(seed bigint)
LANGUAGE plpgsql AS $$
DECLARE
  s text := property.score_name(seed);
  as_of timestamptz := timestamptz '2026-01-31 00:00 UTC' + CASE WHEN property.u(seed, 'as of') < 0.5 THEN interval '0' ELSE property.u(seed, 'as of days') * interval '480 hours' END;
  later timestamptz := as_of + property.pick(seed, 'later', ARRAY['0', '1 microsecond', '36 hours', '30 days', '-3 days', '13 days 7 hours 11 minutes', '400 days'])::interval;
  contacts int := CASE property.pick(seed, 'key type', ARRAY['int', 'bigint', 'uuid', 'text']) WHEN 'text' THEN property.between(seed, 'contacts', 5, 9) ELSE property.between(seed, 'contacts', 5, 40) END;
  events int := floor(property.u(seed, 'events') * 301)::int;
  null_times bool := property.u(seed, 'null times') < 0.2;
  compared int := 0;
  tolerated int := 0;
  scored bigint;
  message text;
  code text;
  context text;
  stage text := 'define';
BEGIN
  CALL property.make_tables(seed);
  CALL property.make_data(seed, as_of, contacts, events, null_times);
  CALL property.make_definition(seed, as_of, contacts, null_times);
  stage := 'activate';
  scored := lead_scoring.activate(s);
  INSERT INTO property.failure
  SELECT seed, stage, 'activate scores the records in scope', format('%s, not %s', scored, inside) FROM (SELECT count(total) AS inside FROM lead_scoring.evaluate(s)) AS e WHERE scored <> inside;
  stage := 'first';
  CALL property.check_all(seed, stage, as_of, compared, tolerated);
  stage := 'facts changed';
  CALL property.change_facts(seed, as_of, contacts, events, null_times);
  CALL property.check_all(seed, stage, later, compared, tolerated);
  IF property.u(seed, 'edit') < 0.4 THEN
    stage := 'definition changed';
    -- an adjustment scores only its record again, so all start from now
    PERFORM lead_scoring.refresh(s);
    CALL property.change_definition(seed, as_of);
    INSERT INTO property.failure SELECT seed, stage, 'an edit scores again', v::text FROM lead_scoring.verify(s) AS v;
    CALL property.check_all(seed, stage, later, compared, tolerated);
  END IF;
  INSERT INTO property.outcome SELECT seed, contacts, events, (SELECT count(*) FROM lead_scoring.rule WHERE score = s), compared, tolerated;
  stage := 'deactivate';
  PERFORM lead_scoring.deactivate(s);
  INSERT INTO property.failure
  SELECT seed, stage, 'columns are gone', attname FROM pg_attribute
   WHERE attrelid = '"prop data".contacts'::regclass AND NOT attisdropped AND attname::text IN (s, s || '_fit', s || '_engagement', s || '_label');
  stage := 'clean up';
  DELETE FROM property.decay_given;
  DELETE FROM lead_scoring.rule WHERE score = s;
  DELETE FROM lead_scoring.band WHERE score = s;
  DELETE FROM lead_scoring.adjustment WHERE score = s;
  DELETE FROM lead_scoring.scope WHERE score = s;
  DELETE FROM lead_scoring.score_group WHERE score = s;
  DELETE FROM lead_scoring.score WHERE name = s;
  DELETE FROM lead_scoring.source WHERE record_type = 'prop contact';
  DELETE FROM lead_scoring.record_type WHERE name = 'prop contact';
  DROP SCHEMA "prop data" CASCADE;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, code = RETURNED_SQLSTATE, context = PG_EXCEPTION_CONTEXT;
  INSERT INTO property.failure VALUES (seed, stage, 'no error', format('%s %s | %s', code, message, left(context, 600)));
END
$$;

CREATE PROCEDURE property.run(first bigint, seeds int)
LANGUAGE plpgsql AS $$
DECLARE
  seed bigint;
BEGIN
  SET client_min_messages = error;
  SET jit = off;
  CREATE TEMP TABLE IF NOT EXISTS evaluated (record_key text, total float8, fit float8, engagement float8, label text, total_label text, fit_label text, engagement_label text);
  CREATE TEMP TABLE IF NOT EXISTS stored (record_key text, total float8, fit float8, engagement float8, label text);
  CREATE TEMP TABLE IF NOT EXISTS plain (record_key text, total float8, fit float8, engagement float8, label text, total_label text, fit_label text, engagement_label text,
    in_scope bool, rules text[], matched bigint[], raw float8[], decayed float8[]);
  CREATE TEMP TABLE IF NOT EXISTS explained (record_key text, step int, level text, part text, group_name text, rule text, matched bigint, raw float8, decayed float8, clamped float8, running_total float8, note text);
  FOR seed IN first..first + seeds - 1 LOOP
    CALL property.run_seed(seed);
    COMMIT;
  END LOOP;
END
$$;
