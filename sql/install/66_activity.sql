-- What the extension does, for those who watch over it.

CREATE FUNCTION lead_scoring.counters(score text, OUT evaluations bigint, OUT evaluated bigint, OUT written bigint, OUT milliseconds double precision)
  AS 'MODULE_PATHNAME', 'lead_scoring_counters' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION lead_scoring.counters(text) IS
  'What was counted for a score since the server started: evaluations, records, rows, milliseconds; NULL where nothing was, or nothing can be as the library is not preloaded';

CREATE FUNCTION lead_scoring.worker_pid() RETURNS integer
  AS 'MODULE_PATHNAME', 'lead_scoring_worker_pid' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION lead_scoring.worker_pid() IS
  'Process of the background worker of this database (0: there is none; NULL: the library is not preloaded)';

CREATE FUNCTION lead_scoring.worker_state() RETURNS text LANGUAGE sql VOLATILE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE
    WHEN pid > 0 THEN 'running'
    WHEN pid IS NULL THEN 'not preloaded: call lead_scoring.refresh_due() from a scheduler, or add lead_scoring to shared_preload_libraries'
    WHEN pg_is_in_recovery() THEN 'waiting for the end of recovery'
    WHEN trim(coalesce(current_setting('lead_scoring.databases', true), '')) = '' THEN 'no worker: add this database to lead_scoring.databases, or call lead_scoring.refresh_due() from a scheduler'
    ELSE 'not running: is this database in lead_scoring.databases, and max_worker_processes large enough?' END
    FROM lead_scoring.worker_pid() pid
$$;
COMMENT ON FUNCTION lead_scoring.worker_state() IS 'Whether a background worker keeps the scores of this database current, and if not, what to do';

-- Our own tables are read with the rights of the view's owner, and only counted; messages may quote data, so they are shown
-- to those whose records they are about.
CREATE VIEW lead_scoring.activity AS
  WITH RECURSIVE disabled (relation, trigger) AS (
    SELECT g.tgrelid, g.oid FROM pg_catalog.pg_trigger g JOIN pg_catalog.pg_proc f ON f.oid = g.tgfoid
     WHERE g.tgenabled = 'D' AND f.pronamespace = 'lead_scoring'::regnamespace
    UNION SELECT i.inhparent, d.trigger FROM disabled d JOIN pg_catalog.pg_inherits i ON i.inhrelid = d.relation
  )
  SELECT s.name AS score, s.status, s.mode, c.evaluations, c.evaluated, c.written, c.milliseconds,
         q.entries AS queued, extract(epoch FROM clock_timestamp() - q.oldest)::double precision AS queue_lag,
         p.records AS parked, d.records AS due, d.fading,
         CASE WHEN e.failed_at IS NOT NULL AND e.failed_at >= coalesce(p.failed_at, e.failed_at) THEN e.failed_at ELSE p.failed_at END AS last_error_at,
         CASE WHEN NOT coalesce(pg_has_role(r.relowner, 'USAGE'), pg_has_role('pg_read_all_data', 'USAGE')) THEN NULL
              WHEN e.failed_at IS NOT NULL AND e.failed_at >= coalesce(p.failed_at, e.failed_at) THEN e.message
              ELSE (SELECT x.message FROM lead_scoring.parked x WHERE x.score = s.name ORDER BY x.failed_at DESC LIMIT 1) END AS last_error,
         e.refreshed_at, e.swept_at, w.state AS worker, g.triggers AS disabled_triggers
    FROM lead_scoring.score s
    LEFT JOIN lead_scoring.record_type t ON t.name = s.record_type
    LEFT JOIN pg_catalog.pg_class r ON r.oid = t.relation
    LEFT JOIN lead_scoring.score_state e ON e.score = s.name
    CROSS JOIN LATERAL (SELECT count(*) AS entries, min(queued_at) AS oldest FROM lead_scoring.queue WHERE score = s.name) q
    CROSS JOIN LATERAL (SELECT count(*) AS records, max(failed_at) AS failed_at FROM lead_scoring.parked WHERE score = s.name) p
    CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE due_at > '-infinity') AS records, count(*) FILTER (WHERE due_at = '-infinity') AS fading
                          FROM lead_scoring.due WHERE score = s.name AND due_at <= clock_timestamp()) d
    CROSS JOIN LATERAL lead_scoring.counters(s.name) c
    CROSS JOIN (SELECT lead_scoring.worker_state() AS state) w
    CROSS JOIN LATERAL (SELECT count(DISTINCT a.trigger) AS triggers FROM disabled a
                         WHERE a.relation = t.relation
                            OR EXISTS (SELECT FROM lead_scoring.source o WHERE o.record_type = s.record_type AND a.relation IN (o.relation, o.through))) g;
COMMENT ON VIEW lead_scoring.activity IS 'What is done for each score, what waits and what fails';
COMMENT ON COLUMN lead_scoring.activity.score IS 'Score';
COMMENT ON COLUMN lead_scoring.activity.status IS 'draft or active';
COMMENT ON COLUMN lead_scoring.activity.mode IS 'sync: kept by the writers of the facts; queued: soon after';
COMMENT ON COLUMN lead_scoring.activity.evaluations IS 'Evaluations, of one record or of many, since the server started (NULL: none, or the library is not preloaded)';
COMMENT ON COLUMN lead_scoring.activity.evaluated IS 'Records evaluated by them';
COMMENT ON COLUMN lead_scoring.activity.written IS 'Rows written by them';
COMMENT ON COLUMN lead_scoring.activity.milliseconds IS 'Time spent in them, in milliseconds';
COMMENT ON COLUMN lead_scoring.activity.queued IS 'Entries that wait in the queue';
COMMENT ON COLUMN lead_scoring.activity.queue_lag IS 'How long the oldest of them has been waiting, in seconds (NULL: none waits)';
COMMENT ON COLUMN lead_scoring.activity.parked IS 'Records whose evaluation failed and is tried again later; lead_scoring.parked says why';
COMMENT ON COLUMN lead_scoring.activity.due IS 'Records that time has changed and that wait for refresh_due()';
COMMENT ON COLUMN lead_scoring.activity.fading IS 'Records that change continuously';
COMMENT ON COLUMN lead_scoring.activity.last_error_at IS 'When the score, or one of the parked records, last failed';
COMMENT ON COLUMN lead_scoring.activity.last_error IS 'The message of that error, for members of the role that owns the records';
COMMENT ON COLUMN lead_scoring.activity.refreshed_at IS 'Instant to which all records were last brought together';
COMMENT ON COLUMN lead_scoring.activity.swept_at IS 'Instant to which the records that change continuously were last brought';
COMMENT ON COLUMN lead_scoring.activity.worker IS 'Whether a background worker is at work in this database, and if not, what to do';
COMMENT ON COLUMN lead_scoring.activity.disabled_triggers IS
  'Triggers on the relations of its record type and their partitions that somebody has disabled (ALTER TABLE ... DISABLE TRIGGER): what is written there is missed until activate() enables them';

GRANT SELECT ON lead_scoring.activity TO PUBLIC;

-- Here, as it looks at what scores use. The queues of those that cannot be read at all are left out, instead of failing all others.
CREATE VIEW lead_scoring.priority_queue AS
  SELECT s.name AS score, q.rank, q.record_key, q.total, q.label, q.last_activity
    FROM lead_scoring.score s JOIN lead_scoring.record_type t ON t.name = s.record_type CROSS JOIN LATERAL lead_scoring.priority_queue(s.name) q
   WHERE s.status = 'active' AND has_any_column_privilege(t.relation, 'SELECT')
     AND NOT EXISTS (SELECT FROM lead_scoring.source o CROSS JOIN LATERAL (VALUES (o.relation), (o.through)) r (relation)
                      WHERE o.record_type = s.record_type AND r.relation IS NOT NULL AND has_any_column_privilege(r.relation, 'SELECT') IS NOT TRUE
                        AND lead_scoring.uses_source(s.name, o.name));
DO $$
BEGIN
  -- Before 15 there is no such option; all that is read with the owner's rights is what everybody may read
  IF current_setting('server_version_num')::integer >= 150000 THEN
    ALTER VIEW lead_scoring.priority_queue SET (security_invoker = true);
  END IF;
END $$;
COMMENT ON VIEW lead_scoring.priority_queue IS 'Whom to call first, for each active score whose relations the current user may read, as of now';
COMMENT ON COLUMN lead_scoring.priority_queue.score IS 'Score';
COMMENT ON COLUMN lead_scoring.priority_queue.rank IS 'Place in the queue, 1 for the best';
COMMENT ON COLUMN lead_scoring.priority_queue.record_key IS 'Key of the record, as text';
COMMENT ON COLUMN lead_scoring.priority_queue.total IS 'Score as of now, in points';
COMMENT ON COLUMN lead_scoring.priority_queue.label IS 'Label of the score';
COMMENT ON COLUMN lead_scoring.priority_queue.last_activity IS 'Time of the newest event; NULL for a record without any';
