-- The history as time goes by: a partition for each month, an end to what is kept, and what the values tell.

-- A month is 30 days and a year 360 (decision D4), a day 24 hours.
CREATE FUNCTION lead_scoring.seconds_of(length interval) RETURNS double precision LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT 86400 * (extract(year FROM length) * 360 + extract(month FROM length) * 30 + extract(day FROM length))::double precision
         + extract(epoch FROM length - date_trunc('day', length))::double precision
$$;
COMMENT ON FUNCTION lead_scoring.seconds_of(interval) IS 'The length of an interval in seconds, a month being 30 days and a year 360';

CREATE FUNCTION lead_scoring.instant_before(as_of timestamptz, length interval) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
  SELECT CASE WHEN l.seconds < extract(epoch FROM as_of) + 210000000000
              THEN as_of - make_interval(secs => l.seconds) ELSE '-infinity' END
    FROM (SELECT lead_scoring.seconds_of(length)) l (seconds)
$$;
COMMENT ON FUNCTION lead_scoring.instant_before(timestamptz, interval) IS 'The instant so long before another, a month being 30 days and a year 360; -infinity before the beginning of the calendar';

CREATE FUNCTION lead_scoring.instant_after(as_of timestamptz, length interval) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
  SELECT CASE WHEN l.seconds < 9000000000000 - extract(epoch FROM as_of) THEN as_of + make_interval(secs => l.seconds)
              WHEN l.seconds IS NOT NULL AND as_of IS NOT NULL THEN 'infinity' END
    FROM (SELECT lead_scoring.seconds_of(length)) l (seconds)
$$;
COMMENT ON FUNCTION lead_scoring.instant_after(timestamptz, interval) IS 'The instant so long after another, a month being 30 days and a year 360; infinity after the end of the calendar';

CREATE FUNCTION lead_scoring.history_partitions(OUT partition name, OUT first_instant timestamptz, OUT end_instant timestamptz)
RETURNS SETOF record LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
  SELECT c.relname, m.month, m.month + interval '1 month'
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
   CROSS JOIN LATERAL (SELECT to_timestamp(substring(c.relname FROM '^history_(\d{4}_\d\d)$'), 'YYYY_MM') AS month) m
   WHERE i.inhparent = 'lead_scoring.history'::regclass AND m.month IS NOT NULL
$$;
COMMENT ON FUNCTION lead_scoring.history_partitions() IS 'Partitions of the history that hold a month';

CREATE FUNCTION lead_scoring.add_history_partition(month timestamptz) RETURNS boolean LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
SET lock_timeout = '2s'
AS $$
DECLARE
  first_instant timestamptz := date_trunc('month', month);
  end_instant timestamptz := date_trunc('month', month) + interval '1 month';
  month_table name := 'history_' || to_char(date_trunc('month', month), 'YYYY_MM');
  within text := format('changed_at >= %L AND changed_at < %L', first_instant, end_instant);
  move text := format('WITH moved AS (DELETE FROM lead_scoring.history_default WHERE %s RETURNING *) INSERT INTO lead_scoring.%I SELECT * FROM moved', within, month_table);
BEGIN
  IF month_table IS NULL OR month NOT BETWEEN '0001-01-01' AND '9999-11-30' THEN
    RAISE EXCEPTION 'month out of range: %', coalesce(month::text, 'NULL') USING ERRCODE = 'datetime_field_overflow',
      HINT = 'Give an instant of the years 1 to 9999.';
  ELSIF EXISTS (SELECT FROM lead_scoring.history_partitions() p WHERE p.partition = month_table) THEN
    RETURN false;
  END IF;
  EXECUTE format('CREATE TABLE lead_scoring.%I (LIKE lead_scoring.history, PRIMARY KEY (score, record_key, changed_at, history_id), CONSTRAINT in_month CHECK (%s))', month_table, within);
  EXECUTE format('ALTER TABLE lead_scoring.%I OWNER TO %I', month_table, (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'lead_scoring.history'::regclass));
  EXECUTE format('COMMENT ON TABLE lead_scoring.%I IS %L', month_table, 'Changes of stored scores in ' || to_char(first_instant, 'YYYY-MM'));
  -- Others go on writing while most rows move; what they add meanwhile moves while they wait
  EXECUTE move;
  LOCK TABLE lead_scoring.history_default IN ACCESS EXCLUSIVE MODE;
  EXECUTE move;
  EXECUTE format('ALTER TABLE lead_scoring.history ATTACH PARTITION lead_scoring.%I FOR VALUES FROM (%L) TO (%L)', month_table, first_instant, end_instant);
  EXECUTE format('ALTER TABLE lead_scoring.%I DROP CONSTRAINT in_month', month_table);
  RETURN true;
EXCEPTION WHEN lock_not_available OR check_violation THEN
  RAISE WARNING 'history of % has no partition yet: %', to_char(first_instant, 'YYYY-MM'), SQLERRM
    USING HINT = 'Its changes are kept in lead_scoring.history_default until the next call.';
  RETURN false;
END $$;
COMMENT ON FUNCTION lead_scoring.add_history_partition(timestamptz) IS 'Makes the partition of the month (UTC) of an instant, unless it is there; others wait for a moment only, or it is left for another time. Returns whether it was made';

CREATE FUNCTION lead_scoring.drop_history_partition(partition name) RETURNS boolean LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '2s'
AS $$
BEGIN
  PERFORM FROM lead_scoring.history_partitions() p WHERE p.partition = drop_history_partition.partition;
  IF NOT FOUND THEN
    RAISE EXCEPTION '% is not a partition of the history', coalesce(quote_literal(drop_history_partition.partition), 'NULL')
      USING ERRCODE = 'undefined_object', HINT = 'The partitions are those that lead_scoring.history_partitions() lists.';
  END IF;
  EXECUTE format('DROP TABLE lead_scoring.%I', drop_history_partition.partition);
  RETURN true;
EXCEPTION WHEN lock_not_available THEN
  RAISE WARNING 'partition "%" of the history is not dropped yet: %', drop_history_partition.partition, SQLERRM
    USING HINT = 'It is dropped by a later call.';
  RETURN false;
END $$;
COMMENT ON FUNCTION lead_scoring.drop_history_partition(name) IS 'Drops a partition of the history, or leaves that for another time if others use it for long. Returns whether it did';

CREATE FUNCTION lead_scoring.unwanted_history(as_of timestamptz) RETURNS SETOF name LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
  old record;
  is_wanted boolean;
BEGIN
  FOR old IN SELECT * FROM lead_scoring.history_partitions() p WHERE p.end_instant <= date_trunc('month', as_of) ORDER BY p.first_instant LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM lead_scoring.score s
                      WHERE (s.keep_history IS NULL OR $1 > lead_scoring.instant_before($2, s.keep_history))
                        AND EXISTS (SELECT FROM lead_scoring.%I h WHERE h.score = s.name))', old.partition)
      INTO is_wanted USING old.end_instant, as_of;
    IF NOT is_wanted THEN
      RETURN NEXT old.partition;
    END IF;
  END LOOP;
END $$;
COMMENT ON FUNCTION lead_scoring.unwanted_history(timestamptz) IS 'Partitions of the history of past months of which no score keeps anything, the oldest first';

CREATE FUNCTION lead_scoring.delete_old_history(as_of timestamptz) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
  kept record;
  month record;
  -- Whole months are dropped, which is quicker
  unwanted name[] := ARRAY(SELECT lead_scoring.unwanted_history(as_of));
BEGIN
  FOR kept IN SELECT s.name, lead_scoring.instant_before(as_of, s.keep_history) AS until FROM lead_scoring.score s WHERE s.keep_history IS NOT NULL ORDER BY s.name LOOP
    FOR month IN SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid LEFT JOIN lead_scoring.history_partitions() p ON p.partition = c.relname
                  WHERE i.inhparent = 'lead_scoring.history'::regclass AND c.relname <> ALL (unwanted) AND coalesce(p.first_instant < kept.until, true) ORDER BY c.relname
    LOOP
      EXECUTE format('DELETE FROM lead_scoring.%I h WHERE h.score = $1 AND h.changed_at < $2', month.relname) USING kept.name, kept.until;
    END LOOP;
    -- Who is taking some at this moment may take his time
    DELETE FROM lead_scoring.outbox o WHERE o.change_id = ANY (ARRAY(
      SELECT w.change_id FROM lead_scoring.outbox w WHERE w.score = kept.name AND w.changed_at < kept.until FOR UPDATE SKIP LOCKED));
  END LOOP;
  DELETE FROM lead_scoring.outbox o WHERE o.change_id = ANY (ARRAY(
    SELECT w.change_id FROM lead_scoring.outbox w WHERE w.delivered_at < as_of - interval '720 hours' FOR UPDATE SKIP LOCKED));
END $$;
COMMENT ON FUNCTION lead_scoring.delete_old_history(timestamptz) IS
  'Deletes history and changes that are older than their score keeps them, and changes that were delivered 30 days ago; but for months of which nothing is kept, and changes that somebody is taking';

CREATE FUNCTION lead_scoring.maintain_history(as_of timestamptz DEFAULT now()) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
  old name;
BEGIN
  IF as_of IS NULL OR as_of NOT BETWEEN '0001-01-01' AND '9999-11-30' THEN
    RAISE EXCEPTION 'cannot maintain the history as of %', coalesce(as_of::text, 'NULL') USING ERRCODE = 'datetime_field_overflow',
      HINT = 'Give an instant of the years 1 to 9999; left out it is now.';
  END IF;
  -- One at a time
  LOCK TABLE lead_scoring.history_default IN SHARE UPDATE EXCLUSIVE MODE;
  -- States of what is not defined any more
  DELETE FROM lead_scoring.alerted a
   WHERE NOT EXISTS (SELECT FROM lead_scoring.alert w WHERE w.score = a.score AND w.name = a.alert AND w.margin > 0);
  DELETE FROM lead_scoring.announced a
   WHERE NOT EXISTS (SELECT FROM lead_scoring.band b WHERE b.score = a.score AND (b.margin > 0 OR b.dwell IS NOT NULL));
  PERFORM lead_scoring.delete_old_history(as_of);
  -- Last what keeps others from the history until the end: nothing is waited for then but briefly
  PERFORM lead_scoring.add_history_partition(as_of);
  PERFORM lead_scoring.add_history_partition(least(date_trunc('month', as_of) + interval '1 month', '9999-11-30'));
  FOR old IN SELECT lead_scoring.unwanted_history(as_of) LOOP
    EXIT WHEN NOT lead_scoring.drop_history_partition(old);
  END LOOP;
END $$;
COMMENT ON FUNCTION lead_scoring.maintain_history(timestamptz) IS
  'Makes the partitions of the history for this month and the next, and deletes what is older than keep_history of each score. For the owner of the extension; to be called once a day or so';

REVOKE EXECUTE ON FUNCTION
  lead_scoring.add_history_partition(timestamptz), lead_scoring.drop_history_partition(name),
  lead_scoring.unwanted_history(timestamptz), lead_scoring.delete_old_history(timestamptz), lead_scoring.maintain_history(timestamptz)
  FROM PUBLIC;

CREATE FUNCTION lead_scoring.require_readable(score text) RETURNS lead_scoring.readable_score LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  found_score lead_scoring.readable_score;
BEGIN
  SELECT * INTO found_score FROM lead_scoring.readable_score r WHERE r.score = require_readable.score;
  IF NOT FOUND AND EXISTS (SELECT FROM lead_scoring.score s WHERE s.name = require_readable.score) THEN
    RAISE EXCEPTION 'permission denied to read the history of score "%"', require_readable.score USING ERRCODE = 'insufficient_privilege',
      HINT = 'It takes the right to read every record.';
  ELSIF NOT FOUND THEN
    RAISE EXCEPTION 'score "%" does not exist', coalesce(require_readable.score, 'NULL') USING ERRCODE = 'undefined_object',
      HINT = 'The scores are the rows of lead_scoring.score.';
  END IF;
  RETURN found_score;
END $$;
COMMENT ON FUNCTION lead_scoring.require_readable(text) IS 'The score of this name; raises if there is none or the current user may not read all of it';

CREATE FUNCTION lead_scoring.score_trend(
  score text, record_key text, "window" interval DEFAULT '30 days', epsilon double precision DEFAULT 1, as_of timestamptz DEFAULT now())
RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  type text := (lead_scoring.require_readable(score_trend.score)).record_type;
  key text;
  since timestamptz;
  first_id bigint;
  last_id bigint;
  first_total double precision;
  last_total double precision;
BEGIN
  IF score_trend.record_key IS NULL OR score_trend.window IS NULL OR score_trend.epsilon IS NULL OR score_trend.as_of IS NULL THEN
    RAISE EXCEPTION '% must not be NULL', CASE WHEN score_trend.record_key IS NULL THEN 'record_key' WHEN score_trend.window IS NULL THEN 'window'
      WHEN score_trend.epsilon IS NULL THEN 'epsilon' ELSE 'as_of' END USING ERRCODE = 'null_value_not_allowed', HINT = 'Leave it out for its default.';
  ELSIF NOT (score_trend.epsilon >= 0 AND score_trend.epsilon < 'infinity') THEN
    RAISE EXCEPTION 'epsilon out of range: %', score_trend.epsilon USING ERRCODE = 'numeric_value_out_of_range',
      HINT = 'It is the number of points, 0 or more, up to which a score is steady.';
  ELSIF NOT isfinite(score_trend.as_of) THEN
    RAISE EXCEPTION 'as_of must be finite: %', score_trend.as_of USING ERRCODE = 'invalid_parameter_value', HINT = 'Give an instant.';
  END IF;
  PERFORM lead_scoring.require_length(score_trend.window, 'window', 'the trend');
  key := lead_scoring.canonical_key(type, score_trend.record_key);
  since := lead_scoring.instant_before(score_trend.as_of, score_trend.window);
  SELECT h.history_id, h.total INTO last_id, last_total FROM lead_scoring.score_history h
   WHERE h.score = score_trend.score AND h.record_key = key AND h.changed_at <= score_trend.as_of
   ORDER BY h.changed_at DESC, h.history_id DESC LIMIT 1;
  -- What it was when the window began; of a record that was not scored then, what it was first
  SELECT h.history_id, h.total INTO first_id, first_total FROM lead_scoring.score_history h
   WHERE h.score = score_trend.score AND h.record_key = key AND h.changed_at <= since AND h.total IS NOT NULL
   ORDER BY h.changed_at DESC, h.history_id DESC LIMIT 1;
  IF NOT FOUND THEN
    SELECT h.history_id, h.total INTO first_id, first_total FROM lead_scoring.score_history h
     WHERE h.score = score_trend.score AND h.record_key = key AND h.changed_at > since AND h.changed_at <= score_trend.as_of AND h.total IS NOT NULL
     ORDER BY h.changed_at, h.history_id LIMIT 1;
    last_total := CASE WHEN first_id <> last_id THEN last_total END;
  END IF;
  RETURN CASE WHEN first_total IS NULL OR last_total IS NULL THEN 'not enough information'
              WHEN last_total - first_total > score_trend.epsilon THEN 'improving'
              WHEN first_total - last_total > score_trend.epsilon THEN 'declining'
              ELSE 'steady' END;
END $$;
COMMENT ON FUNCTION lead_scoring.score_trend(text, text, interval, double precision, timestamptz) IS
  'improving, declining or steady: whether the total of a record, by its history, is more than epsilon points above or below what it was a window ago, or when it was first scored since; not enough information if it is not scored, or has one value only that is younger than the window';
