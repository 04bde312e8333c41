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

-- Half of the records are explained, as that takes most of the time
CREATE FUNCTION property.explains(seed bigint, record_key text) RETURNS bool
IMMUTABLE LANGUAGE sql AS $$ SELECT property.u(seed, 'explain ' || record_key) < 0.5 $$;

-- Compares explain with evaluate and the plain SQL, and adds it up: rules to groups, weights and multipliers one
-- after the other, groups to parts, parts to the total
CREATE PROCEDURE property.check_explained(p_seed bigint, p_stage text)
LANGUAGE plpgsql AS $$
DECLARE
  s text := property.score_name(p_seed);
BEGIN
  DELETE FROM chained;
  -- "head" numbers the groups, parts and others; the weights and multipliers after one of them have its number
  INSERT INTO chained
  SELECT x.*, count(*) FILTER (WHERE x.level NOT IN ('weight', 'multiplier')) OVER steps, r.multiplies, lag(x.clamped) OVER steps, lag(x.running_total) OVER steps, lag(r.multiplies) OVER steps
    FROM explained AS x JOIN plain AS p ON p.record_key = x.record_key AND p.in_scope
    LEFT JOIN lead_scoring.rule AS r ON x.level = 'multiplier' AND r.score = s AND r.name = x.rule
  WINDOW steps AS (PARTITION BY x.record_key ORDER BY x.step);

  -- each rule's part against the plain SQL; a rule that is out of force may be shown, with nothing
  INSERT INTO property.failure
  SELECT p_seed, p_stage, 'explain: rule = plain SQL', format('%s, expected %s: matched %s raw %s decayed %s', x, p.name, p.matched, p.raw, p.decayed)
    FROM (SELECT c.record_key, u.* FROM plain AS c, unnest(c.rules, c.matched, c.raw, c.decayed) AS u (name, matched, raw, decayed) WHERE c.in_scope AND property.explains(p_seed, c.record_key)) AS p
    FULL JOIN (SELECT * FROM chained WHERE level = 'rule') AS x ON x.record_key = p.record_key AND x.rule = p.name
   WHERE CASE WHEN p.name IS NULL THEN (x.raw, x.decayed, x.clamped) IS DISTINCT FROM (0::float8, 0::float8, 0::float8)
              ELSE x.rule IS NULL OR x.matched IS DISTINCT FROM coalesce(p.matched, x.matched) OR NOT (property.near(x.raw, p.raw) AND property.near(x.decayed, p.decayed)) END;
  INSERT INTO property.failure
  SELECT p_seed, p_stage, 'explain: group = clamped sum of its rules', format('%s %s, rules %s %s', x.record_key, x, r.raw, r.decayed)
    FROM chained AS x
    JOIN lead_scoring.score_group AS g ON g.score = s AND g.name = x.group_name
    CROSS JOIN LATERAL (SELECT coalesce(sum(y.raw), 0) AS raw, coalesce(sum(y.decayed), 0) AS decayed FROM chained AS y
            WHERE y.record_key = x.record_key AND y.level = 'rule' AND y.group_name = x.group_name) AS r
   WHERE x.level = 'group'
     AND NOT (property.near(x.raw, r.raw) AND property.near(x.decayed, r.decayed)
              AND property.near(x.clamped, property.clamp(r.decayed, g.min_points, g.max_points)));

  -- weights and multipliers: each starts where the row before it ended
  INSERT INTO property.failure
  SELECT p_seed, p_stage, 'explain: weights and multipliers follow one another', x::text
    FROM chained AS x
   WHERE x.level IN ('weight', 'multiplier')
     AND (NOT coalesce(property.near(x.clamped, CASE x.level WHEN 'weight' THEN x.decayed * x.raw ELSE property.lift(x.decayed, x.raw, true) END), false)
          OR NOT coalesce(property.near(x.running_total, x.running_before + x.clamped - x.decayed), false)
          -- the first multiplier of the total starts from the sum of the parts
          OR NOT coalesce(property.near(x.decayed, x.clamped_before), false) AND NOT (x.multiplies = 'total' AND x.multiplies_before IS DISTINCT FROM 'total'));
  INSERT INTO property.failure
  SELECT p_seed, p_stage, 'explain: weights and multipliers stand where they belong', x::text
    FROM chained AS x LEFT JOIN lead_scoring.rule AS r ON r.score = s AND r.name = x.rule LEFT JOIN lead_scoring.score_group AS g ON g.score = s AND g.name = x.group_name
    JOIN chained AS h ON h.record_key = x.record_key AND h.head = x.head AND h.level NOT IN ('weight', 'multiplier')
   WHERE CASE WHEN x.level = 'weight' THEN h.level <> 'group' OR h.group_name IS DISTINCT FROM x.group_name OR x.raw IS DISTINCT FROM g.weight
              WHEN x.level = 'multiplier' THEN x.raw IS DISTINCT FROM r.points OR r.effect <> 'multiply'
                   OR CASE r.multiplies WHEN 'group' THEN (h.level, h.group_name) IS DISTINCT FROM ('group', r.group_name) WHEN 'total' THEN h.level NOT IN ('fit', 'engagement') ELSE h.level <> r.multiplies END
              ELSE false END;

  -- where a group, a part and the sum of the parts end
  DELETE FROM ended;
  INSERT INTO ended
  SELECT DISTINCT ON (h.record_key, h.step) h.record_key, h.level, h.group_name, h.decayed, h.clamped, x.clamped
    FROM chained AS h JOIN chained AS x ON x.record_key = h.record_key AND x.head = h.head AND x.multiplies IS DISTINCT FROM 'total'
   WHERE h.level NOT IN ('weight', 'multiplier', 'rule') ORDER BY h.record_key, h.step, x.step DESC;
  INSERT INTO property.failure
  SELECT p_seed, p_stage, 'explain: ' || e.level || ' = sum of its groups', format('%s: %s, groups %s', e.record_key, e, q.groups)
    FROM ended AS e
   CROSS JOIN LATERAL (SELECT coalesce(sum(i.ends), 0) AS groups FROM ended AS i JOIN lead_scoring.score_group AS g ON g.score = s AND g.name = i.group_name AND g.kind = e.level
                        WHERE i.record_key = e.record_key AND i.level = 'group') AS q
   WHERE e.level IN ('fit', 'engagement') AND NOT coalesce(abs(e.clamped - q.groups) <= 0.5000001e-4, false);
  INSERT INTO property.failure
  SELECT p_seed, p_stage, 'explain = evaluate', format('%s %s %s %s, evaluated %s', e.record_key, t.ends, f.ends, g.ends, e)
    FROM evaluated AS e LEFT JOIN ended AS t ON t.record_key = e.record_key AND t.level = 'total' LEFT JOIN ended AS f ON f.record_key = e.record_key AND f.level = 'fit'
    LEFT JOIN ended AS g ON g.record_key = e.record_key AND g.level = 'engagement'
   WHERE property.explains(p_seed, e.record_key)
     AND (t.ends IS DISTINCT FROM e.total OR NOT coalesce(abs(f.ends - e.fit) <= 0.5000001e-4, f.ends IS NULL AND e.fit IS NULL)
          OR NOT coalesce(abs(g.ends - e.engagement) <= 0.5000001e-4, g.ends IS NULL AND e.engagement IS NULL));
  INSERT INTO property.failure
  SELECT p_seed, p_stage, 'explain: total = clamped sum of parts and adjustments', format('%s: decayed %s clamped %s, parts %s, lifted %s, adjustments %s', q.record_key, q.decayed, q.total, q.parts, q.lifted, q.adjustments)
    FROM (SELECT x.record_key, max(x.decayed) FILTER (WHERE x.level = 'total') AS decayed, max(x.clamped) FILTER (WHERE x.level = 'total') AS total, coalesce(sum(x.clamped) FILTER (WHERE x.level = 'adjustment'), 0) AS adjustments,
                 (SELECT sum(i.ends) FROM ended AS i WHERE i.record_key = x.record_key AND i.level IN ('fit', 'engagement')) AS parts,
                 (SELECT m.decayed FROM chained AS m WHERE m.record_key = x.record_key AND m.multiplies = 'total' ORDER BY m.step LIMIT 1) AS starts,
                 (SELECT m.clamped FROM chained AS m WHERE m.record_key = x.record_key AND m.multiplies = 'total' ORDER BY m.step DESC LIMIT 1) AS lifted
            FROM chained AS x GROUP BY x.record_key) AS q JOIN evaluated AS e USING (record_key), lead_scoring.score AS c
   WHERE c.name = s
     AND NOT (coalesce(abs(starts - parts) <= 1.0000001e-4, starts IS NULL) AND coalesce(abs(decayed - coalesce(lifted, parts) - adjustment) <= 1.5000001e-4, false)
              AND (c.adjustment_share IS NOT NULL OR coalesce(abs(adjustment - adjustments) <= 0.5000001e-4, false))
              AND coalesce(abs(q.total - property.clamp(decayed, c.min_points, c.max_points)) <= 0.5000001e-4, false));
  -- out of scope: no total
  INSERT INTO property.failure
  SELECT p_seed, p_stage, 'explain: out of scope there is no total', x::text
    FROM (SELECT p.record_key, count(x.*) FILTER (WHERE x.level = 'total') AS totals, max(x.clamped) FILTER (WHERE x.level = 'total') AS total
            FROM plain AS p LEFT JOIN explained AS x USING (record_key) WHERE NOT p.in_scope AND property.explains(p_seed, p.record_key) GROUP BY p.record_key) AS x WHERE totals <> 1 OR total IS NOT NULL;
END
$$;

-- Compares subtotals with the plain SQL, and with what explain says of multipliers
CREATE PROCEDURE property.check_subtotals(p_seed bigint, p_stage text, p_as_of timestamptz)
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO property.failure
  SELECT p_seed, p_stage, 'subtotals = plain SQL', format('%s, expected %s %s', t, q.positive, q.negative)
    FROM plain AS p
   CROSS JOIN LATERAL (SELECT coalesce(sum(points) FILTER (WHERE points > 0), 0) AS positive, coalesce(sum(points) FILTER (WHERE points < 0), 0) AS negative
            FROM (SELECT coalesce(u.decayed, 0) + coalesce((SELECT sum(m.clamped - m.decayed) FROM chained AS m WHERE m.record_key = p.record_key AND m.level = 'multiplier' AND m.rule = u.name), 0) AS points
                    FROM unnest(p.rules, p.decayed) AS u (name, decayed)
                  UNION ALL
                  SELECT sum(m.clamped - m.decayed) FROM chained AS m
                   WHERE m.record_key = p.record_key AND m.level = 'multiplier' AND m.rule <> ALL (p.rules) GROUP BY m.rule) AS r) AS q
    LEFT JOIN lead_scoring.subtotals(property.score_name(p_seed), p_as_of) AS t USING (record_key)
    LEFT JOIN evaluated AS e USING (record_key)
   WHERE p.in_scope AND property.explains(p_seed, p.record_key)
     AND NOT coalesce(abs(t.positive - q.positive) <= 0.5000001e-4 AND abs(t.negative - q.negative) <= 0.5000001e-4
                      AND (t.total, t.adjustment) = (e.total, e.adjustment)
                      AND property.near(t.total, t.positive + t.negative + t.limits + t.adjustment), false);
  INSERT INTO property.failure
  SELECT p_seed, p_stage, 'subtotals: all records, nothing of those out of scope', format('%s, expected %s', t, p.record_key)
    FROM plain AS p FULL JOIN lead_scoring.subtotals(property.score_name(p_seed), p_as_of) AS t USING (record_key)
   WHERE p.record_key IS NULL OR t.record_key IS NULL OR NOT p.in_scope AND num_nonnulls(t.total, t.positive, t.negative, t.limits, t.adjustment) > 0;
END
$$;

-- Compares evaluate, standing, the queue, the stored columns, explain, subtotals, verify, preview and the plain SQL at one instant
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
  INSERT INTO explained SELECT c.record_key, e.* FROM plain AS c, lead_scoring.explain(s, c.record_key, p_as_of) AS e WHERE property.explains(p_seed, c.record_key);

  INSERT INTO property.failure
  SELECT p_seed, p_stage, 'evaluate = plain SQL', format('%s, expected %s', e, p)
    FROM evaluated AS e FULL JOIN plain AS p USING (record_key)
   WHERE e.record_key IS NULL OR p.record_key IS NULL
      OR 'wrong' IN (property.difference(e.total, p.total), property.difference(e.fit, p.fit), property.difference(e.engagement, p.engagement), property.difference(e.machine, p.machine))
      OR e.total IS NOT NULL AND property.difference(e.adjustment, p.adjustment) = 'wrong'
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
   WHERE ARRAY['-0', 'NaN', 'Infinity', '-Infinity'] && ARRAY[e.total::text, e.fit::text, e.engagement::text, e.machine::text, e.adjustment::text];

  -- with some keys only, one of which is nobody's
  INSERT INTO property.failure
  SELECT p_seed, p_stage, 'evaluate some keys = evaluate all', format('%s, all %s', f, e)
    FROM (SELECT * FROM evaluated WHERE property.u(p_seed, 'some ' || record_key) < 0.3) AS e
    FULL JOIN lead_scoring.evaluate(s, p_as_of, ARRAY(SELECT record_key FROM evaluated WHERE property.u(p_seed, 'some ' || record_key) < 0.3)) AS f USING (record_key)
   WHERE (f.record_key, f.total, f.fit, f.engagement, f.label) IS DISTINCT FROM (e.record_key, e.total, e.fit, e.engagement, e.label);

  written := lead_scoring.refresh(s, p_as_of);
  INSERT INTO property.failure SELECT p_seed, p_stage, 'a second refresh writes nothing', format('%s rows', written) WHERE written <> 0;
  INSERT INTO property.failure SELECT p_seed, p_stage, 'verify is empty', v::text FROM lead_scoring.verify(s, p_as_of) AS v;

  CALL property.check_explained(p_seed, p_stage);
  CALL property.check_subtotals(p_seed, p_stage, p_as_of);

  -- standing: evaluate and the record's last activity; the queue: who is open, in scope and not dormant, best first
  INSERT INTO property.failure
  SELECT p_seed, p_stage, 'standing = evaluate and plain SQL', format('%s, evaluated %s, expected %s %s %s', t, e, p.last_activity, p.dormant, p.is_open)
    FROM lead_scoring.standing(s, p_as_of) AS t FULL JOIN evaluated AS e USING (record_key) FULL JOIN plain AS p USING (record_key)
   WHERE (t.record_key, t.total, t.fit, t.engagement, t.label, t.total_label, t.fit_label, t.engagement_label, t.machine, t.adjustment) IS DISTINCT FROM
         (e.record_key, e.total, e.fit, e.engagement, e.label, e.total_label, e.fit_label, e.engagement_label, e.machine, e.adjustment)
      OR p.in_scope AND (t.last_activity, t.dormant, t.is_open) IS DISTINCT FROM (p.last_activity, p.dormant, p.is_open);
  INSERT INTO property.failure
  SELECT p_seed, p_stage, 'priority_queue = plain SQL', format('%s, expected %s', w, p)
    FROM (SELECT *, lag(total) OVER (ORDER BY rank) AS before, row_number() OVER (ORDER BY rank) AS place FROM lead_scoring.priority_queue(s, p_as_of)) AS w
    FULL JOIN (SELECT * FROM plain WHERE in_scope AND is_open AND NOT dormant) AS p USING (record_key) LEFT JOIN evaluated AS e USING (record_key)
   WHERE w.record_key IS NULL OR p.record_key IS NULL OR (w.total, w.label, w.last_activity) IS DISTINCT FROM (e.total, e.label, p.last_activity) OR w.before < w.total OR w.rank > w.place;
  INSERT INTO property.failure
  SELECT p_seed, p_stage, 'priority_queue: the first of them', format('%s, not %s', w, q)
    FROM (SELECT array_agg(total ORDER BY rank) AS w FROM lead_scoring.priority_queue(s, p_as_of, 3)) AS x,
         (SELECT array_agg(total ORDER BY rank) AS q FROM (SELECT rank, total FROM lead_scoring.priority_queue(s, p_as_of) ORDER BY rank LIMIT 3) AS f) AS y
   WHERE w IS DISTINCT FROM q;

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
  -- Until the seed is done, some are read by several processes: that must make no difference
  IF property.u(seed, 'parallel') < 0.25 THEN
    PERFORM set_config('min_parallel_table_scan_size', '0', true), set_config('max_parallel_workers_per_gather', '2', true);
  END IF;
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
    -- as of the clock, which goes on meanwhile: the last digit of what fades may differ
    INSERT INTO property.failure SELECT seed, stage, 'an edit scores again', v::text FROM lead_scoring.verify(s, clock_timestamp()) AS v
     WHERE 'wrong' IN (property.difference(v.stored_total, v.total), property.difference(v.stored_fit, v.fit), property.difference(v.stored_engagement, v.engagement));
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
  DELETE FROM lead_scoring.event_factor WHERE score = s;
  DELETE FROM lead_scoring.segment_decay WHERE score = s;
  DELETE FROM lead_scoring.engagement_reset WHERE score = s;
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
  CREATE TEMP TABLE IF NOT EXISTS evaluated (record_key text, total float8, fit float8, engagement float8, label text, total_label text, fit_label text, engagement_label text,
    machine float8, adjustment float8);
  CREATE TEMP TABLE IF NOT EXISTS stored (record_key text, total float8, fit float8, engagement float8, label text);
  CREATE TEMP TABLE IF NOT EXISTS plain (record_key text, total float8, fit float8, engagement float8, label text, total_label text, fit_label text, engagement_label text,
    machine float8, adjustment float8, in_scope bool, last_activity timestamptz, dormant bool, is_open bool, rules text[], matched bigint[], raw float8[], decayed float8[]);
  CREATE TEMP TABLE IF NOT EXISTS explained (record_key text, step int, level text, part text, group_name text, rule text, matched bigint, raw float8, decayed float8, clamped float8, running_total float8, note text);
  CREATE TEMP TABLE IF NOT EXISTS chained (LIKE explained, head bigint, multiplies text, clamped_before float8, running_before float8, multiplies_before text);
  CREATE TEMP TABLE IF NOT EXISTS ended (record_key text, level text, group_name text, decayed float8, clamped float8, ends float8);
  FOR seed IN first..first + seeds - 1 LOOP
    CALL property.run_seed(seed);
    COMMIT;
  END LOOP;
END
$$;
