-- Scores that are not kept by the writers themselves but soon after.

-- Append-only: no constraint but the key, so that writers of one record do not wait for each other.
CREATE TABLE lead_scoring.queue (
  score      text NOT NULL,
  queue_id   bigint GENERATED ALWAYS AS IDENTITY,
  record_key text,
  queued_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (score, queue_id)
);
COMMENT ON TABLE lead_scoring.queue IS 'Records that wait for their evaluation; an entry goes in the transaction that stores the score';
COMMENT ON COLUMN lead_scoring.queue.score IS 'Score';
COMMENT ON COLUMN lead_scoring.queue.queue_id IS 'Number of the entry; the oldest entries are worked on first';
COMMENT ON COLUMN lead_scoring.queue.record_key IS 'Key of the record, as text (NULL: all records)';
COMMENT ON COLUMN lead_scoring.queue.queued_at IS 'Since when it waits';

CREATE TABLE lead_scoring.parked (
  score      text NOT NULL,
  record_key text NOT NULL,
  sqlstate   text NOT NULL,
  message    text NOT NULL,
  detail     text,
  hint       text,
  context    text,
  failed_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  attempts   integer NOT NULL DEFAULT 1,
  retry_at   timestamptz NOT NULL,
  PRIMARY KEY (score, record_key)
);
COMMENT ON TABLE lead_scoring.parked IS 'Records whose evaluation failed; they are tried again until they succeed or are gone. Shown to members of the role that owns the records';
COMMENT ON COLUMN lead_scoring.parked.score IS 'Score';
COMMENT ON COLUMN lead_scoring.parked.record_key IS 'Key of the record, as text';
COMMENT ON COLUMN lead_scoring.parked.sqlstate IS 'SQLSTATE of the last error';
COMMENT ON COLUMN lead_scoring.parked.message IS 'Message of the last error';
COMMENT ON COLUMN lead_scoring.parked.detail IS 'Detail of the last error';
COMMENT ON COLUMN lead_scoring.parked.hint IS 'Hint of the last error';
COMMENT ON COLUMN lead_scoring.parked.context IS 'Where it happened: rule, record';
COMMENT ON COLUMN lead_scoring.parked.failed_at IS 'When it last failed';
COMMENT ON COLUMN lead_scoring.parked.attempts IS 'Failures in a row';
COMMENT ON COLUMN lead_scoring.parked.retry_at IS 'When it is tried again; the delay doubles from ten seconds to an hour';
ALTER TABLE lead_scoring.parked ENABLE ROW LEVEL SECURITY;
-- A message may quote what the record holds, so it is for those whose records they are
CREATE POLICY owners ON lead_scoring.parked FOR SELECT USING (EXISTS (
  SELECT FROM lead_scoring.score s JOIN lead_scoring.record_type t ON t.name = s.record_type JOIN pg_class c ON c.oid = t.relation
   WHERE s.name = parked.score AND pg_has_role(c.relowner, 'USAGE')));
GRANT SELECT ON lead_scoring.parked TO PUBLIC;

CREATE FUNCTION lead_scoring.work_queue(score text DEFAULT NULL, batch integer DEFAULT 1000) RETURNS bigint
  AS 'MODULE_PATHNAME', 'lead_scoring_work_queue' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION lead_scoring.work_queue(text, integer) IS
  'Evaluates the records of a batch of waiting entries, the oldest first, of one score or of all that the caller may write, and removes the entries; returns how many. Several sessions can do so at once';

CREATE FUNCTION lead_scoring.clear_upkeep() RETURNS trigger
  AS 'MODULE_PATHNAME', 'lead_scoring_clear_upkeep' LANGUAGE C;
COMMENT ON FUNCTION lead_scoring.clear_upkeep() IS 'Forgets what was kept about a score that is no longer active';
CREATE TRIGGER e_clear_upkeep AFTER UPDATE ON lead_scoring.score
  FOR EACH ROW WHEN (OLD.status = 'active' AND NEW.status <> 'active') EXECUTE FUNCTION lead_scoring.clear_upkeep();
CREATE TRIGGER e_clear_upkeep_delete AFTER DELETE ON lead_scoring.score
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.clear_upkeep();
REVOKE EXECUTE ON FUNCTION lead_scoring.clear_upkeep(), lead_scoring.has_unwatched(text) FROM PUBLIC;
