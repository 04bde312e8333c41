-- Random definitions, by the same choices as the random data in generate.sql.

-- A random limit: none, zero or a number; "side" is -1 for a lower one and 1 for an upper one
CREATE FUNCTION property.bound(seed bigint, choice text, side int) RETURNS float8
IMMUTABLE LANGUAGE sql AS $$
  SELECT CASE
    WHEN shape < 0.55 THEN NULL
    WHEN shape < 0.67 THEN 0
    WHEN shape < 0.70 THEN CASE side WHEN -1 THEN 2.5 ELSE 3.25 END
    ELSE side * property.pick(seed, choice || ' value', ARRAY[5, 10, 12.5, 33.3, 40, 100, 1000]::float8[])
  END FROM (SELECT property.u(seed, choice || ' shape') AS shape) AS s
$$;

-- The name of the score of a seed, some of which need quotes
CREATE FUNCTION property.score_name(seed bigint) RETURNS text
IMMUTABLE LANGUAGE sql AS $$
  SELECT property.pick(seed, 'score name', ARRAY['lead_score', 'lead_score', 'Lead Score', 'größe', 'o''brien "score"', 'select', '100%s'])
$$;

-- A random numeric expression over one row, never NaN or infinite
CREATE FUNCTION property.value(seed bigint, choice text, kind text) RETURNS text
IMMUTABLE LANGUAGE sql AS $$
  SELECT property.pick(seed, choice, CASE kind
    WHEN 'record' THEN ARRAY['least(employees, 1000)', 'small', 'small / 2.0', 'cardinality(tags)', 'CASE WHEN weight BETWEEN -1 AND 1 THEN weight END', 'CASE WHEN ratio BETWEEN 0 AND 1 THEN ratio END', 'nullif(employees, 50) % 7', '2.5', 'length("Industry")::bigint']
    WHEN 'event' THEN ARRAY['amount', 'amount', 'duration', 'duration / 60.0', 'amount * 2', 'CASE WHEN value BETWEEN 0 AND 1 THEN value END', 'coalesce(amount, 1)', 'duration % 7', '2', 'length(detail)::smallint', '0.7::real']
    WHEN 'call' THEN ARRAY['minutes', 'minutes * 60', '1', 'minutes - 8']
    WHEN 'company' THEN ARRAY['size', 'size / 100.0', '1', '100 - size']
    ELSE ARRAY['length(list)', '1.5', '(as_of AT TIME ZONE ''UTC'')::date - joined_on'] END)
$$;

-- Writes a random definition into lead_scoring's tables
CREATE PROCEDURE property.make_definition(seed bigint, as_of timestamptz, contacts int, null_times bool)
LANGUAGE plpgsql AS $body$
DECLARE
  s text := property.score_name(seed);
  score_kind text := property.pick(seed, 'kind', ARRAY['fit', 'engagement', 'combined', 'combined', 'combined']);
  group_count int := property.between(seed, 'groups', 1, 5);
  rule_count int := property.between(seed, 'rules', 1, 12);
  i int;
  g int;
  t text;
  group_kind text;
  decay_text text;
  src text;
  p text;
  each bool;
  low float8;
  high float8;
  segment text;
  quiet_times CONSTANT text[] := ARRAY['3 days', '7 days', '30 days', '90 minutes', '1 month', '15 days'];
  row_kind text;
  extra text;
  r lead_scoring.rule;
BEGIN
  INSERT INTO lead_scoring.record_type (name, relation, key_column, open_when) VALUES ('prop contact', '"prop data".contacts', 'id',
    property.pick(seed, 'open', ARRAY[NULL, NULL, NULL, $$stage IS DISTINCT FROM 'won'$$, 'NOT is_customer', $$created_at <= as_of - interval '10 days'$$]));
  INSERT INTO lead_scoring.source (name, record_type, relation, record_key, record_column, occurred_at, filter) VALUES
    ('activity', 'prop contact', '"prop data".activities', 'contact_id', NULL, 'occurred_at',
      CASE WHEN null_times THEN 'occurred_at IS NOT NULL'
        ELSE property.pick(seed, 'activity filter', ARRAY[NULL, NULL, NULL, 'true', $$type IS DISTINCT FROM 'unsubscribed'$$, 'amount >= 0']) END),
    ('calls made', 'prop contact', '"prop data".calls', 'Owner Ref', 'owner_ref', 'at', property.pick(seed, 'call filter', ARRAY[NULL, $$kind = 'sales'$$])),
    ('company', 'prop contact', '"prop data".companies', 'id', 'company_id', NULL, NULL),
    ('membership', 'prop contact', '"prop data".memberships', 'contact_id', 'id', NULL, property.pick(seed, 'membership filter', ARRAY[NULL, $$list <> 'newsletter'$$]));
  -- through one hop: what the contacts of the same company did; companies that a contact takes part in
  INSERT INTO lead_scoring.source (name, record_type, relation, record_key, record_column, occurred_at, filter, through, through_key, through_record, through_filter) VALUES
    ('colleague', 'prop contact', '"prop data".activities', 'contact_id', 'company_id', 'occurred_at', CASE WHEN null_times THEN 'occurred_at IS NOT NULL' END,
      '"prop data".contacts', 'id', 'company_id', property.pick(seed, 'colleague filter', ARRAY[NULL, 'is_customer IS NOT TRUE', 'created_at < as_of', $$"Industry" IS NOT NULL$$])),
    ('participation', 'prop contact', '"prop data".companies', 'id', NULL, NULL, NULL, '"prop data".participants', 'company_id', 'contact_id',
      property.pick(seed, 'participant filter', ARRAY[NULL, $$role = 'buyer'$$]));
  UPDATE lead_scoring.source
     SET dedup_key = property.pick(seed, 'dedup key ' || name, CASE name WHEN 'calls made' THEN ARRAY['outcome', 'minutes', NULL] ELSE ARRAY['type', 'type', 'detail', 'lower(type) || detail', 'amount', 'tags', 'ok', NULL] END),
         dedup_within = property.pick(seed, 'dedup within ' || name, ARRAY['1 day', '7 days', '1 month', '36 hours', '90 minutes', '15 days'])::interval
   WHERE record_type = 'prop contact' AND occurred_at IS NOT NULL AND property.times_differ(seed) AND property.u(seed, 'dedup ' || name) < 0.35;
  UPDATE lead_scoring.source SET dedup_within = NULL WHERE record_type = 'prop contact' AND dedup_key IS NOT NULL AND property.u(seed, 'dedup forever ' || name) < 0.2;
  low := CASE WHEN property.u(seed, 'score min?') < 0.5 THEN property.bound(seed, 'score min', -1) END;
  high := CASE WHEN property.u(seed, 'score max?') < 0.5 THEN property.bound(seed, 'score max', 1) END;
  IF property.u(seed, 'both limits') < 0.12 THEN
    low := coalesce(low, -20);
    high := coalesce(high, 60);
  END IF;
  INSERT INTO lead_scoring.score (name, record_type, kind, min_points, max_points, adjustment_share, dormant_after)
  VALUES (s, 'prop contact', score_kind, CASE WHEN low > high THEN high ELSE low END, high,
    CASE WHEN low IS NOT NULL AND high IS NOT NULL AND property.u(seed, 'adjustment share?') < 0.6 THEN property.pick(seed, 'adjustment share', ARRAY[0, 0.15, 0.2, 1]) END,
    property.pick(seed, 'dormant after', ARRAY['90 days', '90 days', '3 months', '30 days', '7 days', '36 hours', NULL])::interval);

  FOR g IN 1..group_count LOOP
    t := 'group ' || g || ' ';
    group_kind := CASE WHEN score_kind <> 'combined' THEN score_kind ELSE property.pick(seed, t || 'kind', ARRAY['fit', 'engagement', 'engagement']) END;
    decay_text := CASE WHEN group_kind = 'engagement' AND property.u(seed, t || 'decays') < 0.7 THEN property.pick(seed, t || 'decay', ARRAY[
      '50% per month', '50% per month', '100% per 3 months', '25% per week stepwise', '33.3% per 10 days stepwise', '20% per 72 hours exponential', '20% per 21 days exponential',
      'half-life 7 days', 'half-life 36 hours', '50% per 30 days after 3 days', 'half-life 1 day after 12 hours', '10% per year', '100% per 90 days stepwise after 1 week',
      '12.5% per 5 days', '99% per 1 minute exponential', '50% per 6 months stepwise', '20% per 72 hours exponential after 3 days', 'half-life 90 minutes']) END;
    low := property.bound(seed, t || 'min', -1);
    high := property.bound(seed, t || 'max', 1);
    INSERT INTO lead_scoring.score_group (score, name, kind, min_points, max_points, decay, weight, decay_after)
    VALUES (s, 'Group ' || g, group_kind, CASE WHEN low > high THEN high ELSE low END, high, decay_text::lead_scoring.decay,
      CASE WHEN property.u(seed, t || 'weight?') < 0.3 THEN property.pick(seed, t || 'weight', ARRAY[0, 0.2, 0.3, 0.5, 1, 1.5, 2]) END,
      CASE WHEN decay_text IS NOT NULL AND property.u(seed, t || 'decay after?') < 0.25 THEN property.pick(seed, t || 'decay after', quiet_times)::interval END);
    IF decay_text IS NOT NULL THEN
      INSERT INTO property.decay_given VALUES (s, 'Group ' || g, '', decay_text);
    END IF;
    FOR i IN 1..CASE WHEN group_kind = 'engagement' AND property.u(seed, t || 'segments?') < 0.3 THEN property.between(seed, t || 'segments', 1, 3) ELSE 0 END LOOP
      decay_text := property.pick(seed, t || 'segment decay ' || i, ARRAY[NULL, '50% per month', 'half-life 20 days', '25% per week stepwise', '10% per year', '20% per 72 hours exponential after 3 days']);
      segment := property.criterion(seed, t || 'segment ' || i, 'record', 1);
      INSERT INTO lead_scoring.segment_decay (score, group_name, segment, decay, decay_after)
      VALUES (s, 'Group ' || g, segment, decay_text::lead_scoring.decay, CASE WHEN decay_text IS NOT NULL AND property.u(seed, t || 'segment after? ' || i) < 0.3 THEN property.pick(seed, t || 'segment after ' || i, quiet_times)::interval END)
      ON CONFLICT DO NOTHING;
      IF FOUND AND decay_text IS NOT NULL THEN
        INSERT INTO property.decay_given VALUES (s, 'Group ' || g, segment, decay_text);
      END IF;
    END LOOP;
  END LOOP;

  FOR i IN 1..rule_count LOOP
    t := 'rule ' || i || ' ';
    g := property.between(seed, t || 'group', 1, group_count);
    SELECT kind INTO group_kind FROM lead_scoring.score_group WHERE score = s AND name = 'Group ' || g;
    src := CASE group_kind WHEN 'fit' THEN property.pick(seed, t || 'source', ARRAY[NULL, NULL, NULL, NULL, 'company', 'membership'])
             ELSE property.pick(seed, t || 'source', ARRAY['activity', 'activity', 'activity', 'calls made']) END;
    each := property.u(seed, t || 'each') < 0.6;
    low := CASE WHEN NOT each THEN property.pick(seed, t || 'at least', ARRAY[NULL, NULL, 1, 2, 3, 5]) END;
    high := CASE WHEN NOT each THEN property.pick(seed, t || 'at most', ARRAY[NULL, NULL, NULL, 0, 1, 2, 4, 10]) END;
    IF group_kind = 'fit' AND src IS NULL OR property.u(seed, t || 'bounds') < 0.2 THEN
      low := NULL;
      high := NULL;
    END IF;
    row_kind := CASE coalesce(src, '') WHEN '' THEN 'record' WHEN 'activity' THEN 'event' WHEN 'calls made' THEN 'call' ELSE src END;
    r := NULL;
    r.score := s;
    r.name := 'rule ' || i;
    r.group_name := 'Group ' || g;
    r.source := CASE WHEN property.u(seed, t || 'hop') < 0.15 THEN CASE src WHEN 'activity' THEN 'colleague' WHEN 'company' THEN 'participation' ELSE src END ELSE src END;
    r.criterion := property.criterion(seed, t || 'criterion', row_kind, 2);
    r.points := property.pick(seed, t || 'points', ARRAY[1, 2, 5, 5, 10, 10, 15, 20, 30, -5, -10, -20, 0.1, 0.2, 0.7, 2.5, -0.5, 33.33, 0, 100]);
    r.counting := CASE WHEN group_kind = 'fit' THEN 'once' WHEN each THEN 'each' ELSE 'once' END;
    r.at_least := CASE WHEN low > high THEN high ELSE low END;
    r.at_most := high;
    r.within := CASE WHEN group_kind = 'engagement' AND property.u(seed, t || 'within?') < 0.3 THEN
      property.pick(seed, t || 'within', ARRAY['7 days', '30 days', '1 month', '36 hours', '1 year', '90 minutes', '1 month 3 days'])::interval END;
    r.since := CASE WHEN group_kind = 'engagement' AND property.u(seed, t || 'since?') < 0.15 THEN
      property.pick(seed, t || 'since', ARRAY['2025-12-01 00:00 UTC', '2025-11-01 00:00 UTC', '-infinity'])::timestamptz END;
    r.until := CASE WHEN group_kind = 'engagement' AND property.u(seed, t || 'until?') < 0.15 THEN
      property.pick(seed, t || 'until', ARRAY['2026-01-01 00:00 UTC', '2026-01-15 00:00 UTC', 'infinity'])::timestamptz END;
    r.enabled := i = 1 OR property.u(seed, t || 'enabled') < 0.9;
    r.rollup := 'sum';
    r.effect := 'add';
    IF property.u(seed, t || 'valid?') < 0.1 THEN
      r.valid_from := as_of + property.pick(seed, t || 'valid from', ARRAY[NULL, '0', '1 microsecond', '-10 days', '20 days'])::interval;
      r.valid_to := as_of + property.pick(seed, t || 'valid to', ARRAY[NULL, '30 days', '36 hours', '100 days'])::interval;
      r.valid_to := CASE WHEN r.valid_from >= r.valid_to THEN NULL ELSE r.valid_to END;
    END IF;
    extra := CASE WHEN property.u(seed, t || 'extra?') > 0.5 THEN 'none'
      ELSE property.pick(seed, t || 'extra', CASE WHEN group_kind = 'fit' THEN ARRAY['value', 'value', 'multiply'] ELSE ARRAY['value', 'value', 'limit', 'limit', 'every', 'pair', 'quiet', 'multiply', 'multiply'] END) END;
    IF extra IN ('value', 'multiply') AND property.u(seed, t || 'with value') < (CASE extra WHEN 'value' THEN 1 ELSE 0.2 END) THEN
      r.value := property.value(seed, t || 'value', row_kind);
      r.rollup := property.pick(seed, t || 'rollup', ARRAY['sum', 'sum', 'avg', 'min', 'max']);
      r.counting := CASE WHEN extra = 'multiply' THEN 'once' ELSE property.pick(seed, t || 'value counting', ARRAY['each', 'each', 'once']) END;
      r.at_least := CASE WHEN r.counting = 'once' THEN property.pick(seed, t || 'value at least', ARRAY[NULL, 0, 0.5, 3, 10, 100, 480]) END;
      r.at_most := CASE WHEN r.counting = 'once' THEN property.pick(seed, t || 'value at most', ARRAY[NULL, NULL, NULL, 500, 1000]) END;
    END IF;
    CASE extra
      WHEN 'multiply' THEN
        r.effect := 'multiply';
        r.counting := 'once';
        r.points := property.pick(seed, t || 'factor', ARRAY[1.5, 1.15, 1.4, 1.3, 0.5, 0, 1, 2]);
        r.multiplies := property.pick(seed, t || 'multiplies', CASE score_kind WHEN 'combined' THEN ARRAY['group', 'fit', 'engagement', 'total'] ELSE ARRAY['group', score_kind, 'total'] END);
      WHEN 'limit' THEN
        r.max_times := property.pick(seed, t || 'max times', ARRAY[1, 1, 2, 3, 10]);
        r.max_times_per := CASE WHEN r.counting = 'once' OR property.u(seed, t || 'per?') < 0.7 THEN property.pick(seed, t || 'per', ARRAY['1 day', '7 days', '1 month', '36 hours', '90 minutes'])::interval END;
        IF r.counting = 'each' AND property.times_differ(seed) AND property.u(seed, t || 'limited value') < 0.4 THEN
          r.value := property.value(seed, t || 'value', row_kind);
        END IF;
      WHEN 'every' THEN
        r.every_n := property.pick(seed, t || 'every', ARRAY[2, 2, 3, 5]);
        r.counting := 'each';
      WHEN 'pair' THEN
        IF property.times_differ(seed) THEN
          -- conditions that many events satisfy, so that there are pairs
          r.criterion := property.pick(seed, t || 'opens', CASE row_kind WHEN 'call' THEN ARRAY['true', $$outcome = 'missed'$$, 'minutes < 8'] ELSE ARRAY['true', $$type = 'page_view'$$, $$type IN ('form', 'email_open')$$, 'ok', property.criterion(seed, t || 'opens', row_kind, 0)] END);
          r.followed_by := property.pick(seed, t || 'closes', CASE row_kind WHEN 'call' THEN ARRAY['true', $$outcome = 'connected'$$, 'minutes >= 8'] ELSE ARRAY['true', $$type = 'form'$$, $$type <> 'page_view'$$, 'amount > 1', property.criterion(seed, t || 'closes', row_kind, 0)] END);
          r.followed_within := property.pick(seed, t || 'followed within', ARRAY['1 day', '7 days', '30 days', '1 month 3 days', '36 hours', '1 year'])::interval;
          IF r.counting = 'each' AND property.u(seed, t || 'limited pair') < 0.3 THEN
            r.max_times := property.pick(seed, t || 'max times', ARRAY[1, 1, 2, 3, 10]);
          END IF;
        END IF;
      WHEN 'quiet' THEN
        r.counting := 'quiet';
        r.within := property.pick(seed, t || 'quiet', ARRAY['7 days', '30 days', '1 month', '36 hours', '33 days'])::interval;
        r.since := NULL;
        r.until := NULL;
        r.max_times := property.pick(seed, t || 'periods', ARRAY[NULL, 1, 1, 3]);
        IF r.max_times IS NULL THEN
          -- an infinitely old event would make infinitely many
          r.criterion := format('(%s) AND isfinite(%I)', r.criterion, CASE src WHEN 'activity' THEN 'occurred_at' ELSE 'at' END);
        END IF;
      ELSE NULL;
    END CASE;
    IF r.counting <> 'once' OR r.source IS NULL AND r.value IS NULL THEN
      r.at_least := NULL;
      r.at_most := NULL;
    ELSIF r.source IS NULL THEN
      r.at_least := nullif(r.at_least, 0);
      r.at_most := CASE WHEN r.at_least > 0 THEN r.at_most END;
    END IF;
    INSERT INTO lead_scoring.rule VALUES (r.*);
  END LOOP;

  -- which of the events of a rule that pays for some of them the factor is for is left open
  INSERT INTO lead_scoring.event_factor (score, name, source, criterion, factor, since, until, valid_from, valid_to)
  SELECT s, 'factor ' || n, q.source, property.criterion(seed, 'factor ' || n, CASE q.source WHEN 'calls made' THEN 'call' ELSE 'event' END, 1), property.pick(seed, 'factor of ' || n, ARRAY[0, 0.5, 1.5, 2, 1.15]),
         property.pick(seed, 'factor since ' || n, ARRAY[NULL, NULL, NULL, '2025-12-01 00:00 UTC'])::timestamptz, property.pick(seed, 'factor until ' || n, ARRAY[NULL, NULL, NULL, '2026-01-15 00:00 UTC'])::timestamptz,
         as_of + property.pick(seed, 'factor from ' || n, ARRAY[NULL, NULL, NULL, '0', '1 microsecond'])::interval, as_of + property.pick(seed, 'factor to ' || n, ARRAY[NULL, NULL, NULL, '36 hours', '30 days'])::interval
    FROM generate_series(1, property.pick(seed, 'factors', ARRAY[0, 0, 1, 2, 3])) AS n
   CROSS JOIN LATERAL (SELECT property.pick(seed, 'factor source ' || n, ARRAY['activity', 'activity', 'colleague', 'calls made']) AS source) AS q
   WHERE score_kind <> 'fit' AND EXISTS (SELECT FROM lead_scoring.rule AS c WHERE c.score = s AND c.source = q.source)
     AND NOT EXISTS (SELECT FROM lead_scoring.rule AS c WHERE c.score = s AND c.source = q.source AND c.counting = 'each'
                       AND (c.rollup <> 'sum' OR c.every_n IS NOT NULL OR c.followed_by IS NOT NULL OR c.max_times IS NOT NULL AND NOT property.times_differ(seed)));

  FOR i IN 1..property.pick(seed, 'scope rows', ARRAY[0, 0, 0, 1, 2, 3]) LOOP
    t := 'scope ' || i || ' ';
    src := property.pick(seed, t || 'source', ARRAY[NULL, NULL, 'membership', 'activity', 'company']);
    INSERT INTO lead_scoring.scope (score, mode, source, criterion)
    VALUES (s, property.pick(seed, t || 'mode', ARRAY['include', 'exclude']),
      CASE WHEN property.u(seed, t || 'hop') < 0.3 THEN CASE src WHEN 'activity' THEN 'colleague' WHEN 'company' THEN 'participation' ELSE src END ELSE src END,
      property.criterion(seed, t || 'criterion', CASE coalesce(src, '') WHEN '' THEN 'record' WHEN 'activity' THEN 'event' ELSE src END, 1));
  END LOOP;

  FOREACH p IN ARRAY CASE score_kind WHEN 'combined' THEN ARRAY['total', 'fit', 'engagement'] ELSE ARRAY['total', score_kind] END LOOP
    FOR i IN 1..property.pick(seed, 'bands ' || p, ARRAY[0, 0, 1, 2, 3, 4]) LOOP
      INSERT INTO lead_scoring.band (score, part, label, lower_bound)
      VALUES (s, p, chr(64 + i) || left(p, 1),
        CASE WHEN i = 1 AND property.u(seed, 'rest ' || p) < 0.7 THEN NULL ELSE (ARRAY[-5, 0, 10, 12.5])[i] + (i - 1) * property.pick(seed, 'step ' || p, ARRAY[0.25, 5, 10]) END);
    END LOOP;
    -- bands for the best, and for segments
    INSERT INTO lead_scoring.band (score, part, segment, label, lower_bound, top_share, capacity)
    SELECT s, p, q.segment, 's' || n || left(p, 1), CASE WHEN shape = 'bound' OR property.u(seed, p || ' floor ' || n) < 0.3 THEN property.pick(seed, p || ' bound ' || n, ARRAY[0, 1, 10, 12.75]) + n * 0.0601 END,
           CASE shape WHEN 'share' THEN property.pick(seed, p || ' share ' || n, ARRAY[0.1, 0.25, 0.5, 1, 0.07]) - (n - 1) * 0.001 END, CASE shape WHEN 'capacity' THEN n + property.between(seed, p || ' capacity', 0, 3) END
      FROM generate_series(1, property.pick(seed, 'more bands ' || p, ARRAY[0, 0, 0, 1, 2, 4])) AS n
     CROSS JOIN LATERAL (SELECT property.pick(seed, p || ' shape ' || n, ARRAY['share', 'capacity', 'bound', 'rest']) AS given,
                                CASE WHEN property.u(seed, p || ' segment? ' || n) < 0.5 THEN 'true' ELSE property.criterion(seed, p || ' segment ' || n / 3, 'record', 1) END AS segment) AS q
     CROSS JOIN LATERAL (SELECT CASE WHEN given = 'rest' AND (q.segment = 'true' OR n > 1) THEN 'share' ELSE given END AS shape) AS w
     WHERE EXISTS (SELECT FROM lead_scoring.band WHERE score = s AND part = p)
    ON CONFLICT DO NOTHING;
  END LOOP;

  INSERT INTO lead_scoring.adjustment (score, record_key, points, created_at, expires_at)
  SELECT s, property.key(seed, property.between(seed, 'adjusted ' || n, 1, contacts)), property.pick(seed, 'adjustment ' || n, ARRAY[5, -5, 0.5, 50]),
         as_of + property.pick(seed, 'adjusted at ' || n, ARRAY['-10 days', '-10 days', '-1 day', '0', '1 microsecond'])::interval,
         as_of + property.pick(seed, 'expires ' || n, ARRAY[NULL, '2 days', '0', '1 microsecond', '30 days'])::interval
    FROM generate_series(1, property.pick(seed, 'adjustments', ARRAY[0, 0, 1, 3, 5])) AS n
   WHERE property.pick(seed, 'adjusted at ' || n, ARRAY['-10 days', '-10 days', '-1 day', '0', '1 microsecond'])::interval
       < coalesce(property.pick(seed, 'expires ' || n, ARRAY[NULL, '2 days', '0', '1 microsecond', '30 days'])::interval, '1 year');

  INSERT INTO lead_scoring.engagement_reset (score, record_key, at)
  SELECT s, property.key(seed, property.between(seed, 'reset ' || n, 1, contacts)), as_of + property.pick(seed, 'reset at ' || n, ARRAY['-10 days', '-30 days', '-1 day', '0', '1 microsecond', '36 hours', '-300 days'])::interval
    FROM generate_series(1, property.pick(seed, 'resets', ARRAY[0, 0, 0, 2, 5])) AS n;
  CALL property.settle(s);
END
$body$;

-- Has each source of events that the definition names be used by a rule in force, or not be named at all: whether
-- a source counts as used by rules that are switched off is left open
CREATE PROCEDURE property.settle(s text)
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE lead_scoring.rule AS r SET enabled = true, valid_from = NULL, valid_to = NULL
   WHERE r.score = s AND r.name = (SELECT min(q.name) FROM lead_scoring.rule AS q WHERE q.score = s AND q.source = r.source)
     AND NOT (r.enabled AND r.valid_from IS NULL AND r.valid_to IS NULL)
     AND NOT EXISTS (SELECT FROM lead_scoring.rule AS q WHERE q.score = s AND q.source = r.source AND q.enabled AND q.valid_from IS NULL AND q.valid_to IS NULL);
  DELETE FROM lead_scoring.event_factor AS f WHERE f.score = s AND NOT EXISTS (SELECT FROM lead_scoring.rule AS q WHERE q.score = s AND q.source = f.source);
  -- likewise for a part that has bands for some segments only
  DELETE FROM lead_scoring.band AS b WHERE b.score = s AND NOT EXISTS (SELECT FROM lead_scoring.band AS q WHERE q.score = s AND q.part = b.part AND q.segment = 'true');
END
$$;

-- Changes the definition at random
CREATE PROCEDURE property.change_definition(seed bigint, as_of timestamptz)
LANGUAGE plpgsql AS $body$
DECLARE
  s text := property.score_name(seed);
  change int;
BEGIN
  FOR change IN 1..property.between(seed, 'changes', 1, 3) LOOP
    CASE property.between(seed, 'change ' || change, 1, 8)
      WHEN 1 THEN
        UPDATE lead_scoring.rule SET points = points * 2 + 1 WHERE score = s AND effect = 'add' AND property.u(seed, name || change) < 0.5;
      WHEN 2 THEN
        UPDATE lead_scoring.rule SET enabled = NOT enabled WHERE score = s AND name <> 'rule 1' AND property.u(seed, name || change) < 0.5;
      WHEN 3 THEN
        DELETE FROM lead_scoring.scope WHERE score = s;
      WHEN 4 THEN
        DELETE FROM lead_scoring.band WHERE score = s AND property.u(seed, label || change) < 0.4;
      WHEN 5 THEN
        DELETE FROM property.decay_given WHERE score = s AND segment = '';
        UPDATE lead_scoring.score_group SET decay = 'half-life 10 days', max_points = NULL WHERE score = s AND kind = 'engagement';
      WHEN 6 THEN
        UPDATE lead_scoring.score SET min_points = NULL, max_points = 1e6, adjustment_share = NULL WHERE name = s;
      WHEN 7 THEN
        INSERT INTO lead_scoring.scope (score, mode, source, criterion) VALUES (s, 'exclude', 'membership', $$list = 'competitors'$$);
      WHEN 8 THEN
        UPDATE lead_scoring.adjustment SET points = points + 1, expires_at = created_at + interval '100 days' WHERE score = s;
    END CASE;
    CASE property.between(seed, 'another change ' || change, 1, 12)
      WHEN 1 THEN
        UPDATE lead_scoring.score_group SET weight = 1.5 WHERE score = s AND property.u(seed, name || change) < 0.5;
      WHEN 2 THEN
        INSERT INTO lead_scoring.engagement_reset (score, record_key, at) SELECT s, id::text, as_of - interval '20 days' FROM "prop data".contacts WHERE property.u(seed, 'reset ' || id) < 0.3;
      WHEN 3 THEN
        DELETE FROM lead_scoring.engagement_reset WHERE score = s;
      WHEN 4 THEN
        DELETE FROM lead_scoring.segment_decay WHERE score = s AND property.u(seed, segment || change) < 0.5;
      WHEN 5 THEN
        UPDATE lead_scoring.event_factor SET factor = 3 WHERE score = s;
      WHEN 6 THEN
        UPDATE lead_scoring.source SET dedup_key = NULL, dedup_within = NULL WHERE record_type = 'prop contact';
      WHEN 7 THEN
        UPDATE lead_scoring.rule SET points = points * 0.5 WHERE score = s AND effect = 'multiply';
      WHEN 8 THEN
        UPDATE lead_scoring.record_type SET open_when = 'employees > 49' WHERE name = 'prop contact';
      WHEN 9 THEN
        UPDATE lead_scoring.source SET through_filter = NULL WHERE record_type = 'prop contact';
      WHEN 10 THEN
        INSERT INTO lead_scoring.band (score, label, capacity, lower_bound)
        SELECT s, label, capacity, lower_bound FROM (VALUES ('the best', 20, NULL), ('some', NULL, 5.0001)) AS v (label, capacity, lower_bound)
         WHERE NOT EXISTS (SELECT FROM lead_scoring.band WHERE score = s AND label IN ('the best', 'some'));
      ELSE NULL;
    END CASE;
  END LOOP;
  CALL property.settle(s);
END
$body$;
