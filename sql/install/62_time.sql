-- What time alone changes, found by when it will next change.
-- These tables are written by the extension only. They are not dumped: without them the next refresh_due() brings every
-- score to its instant as a whole, and so makes them again.

-- Sorted by bytes, which is fast, and all that is asked of them
CREATE TABLE lead_scoring.due (
  score      text COLLATE "C" NOT NULL,
  record_key text COLLATE "C" NOT NULL,
  due_at     timestamptz NOT NULL,
  PRIMARY KEY (record_key, score)
);
CREATE INDEX due_by_time ON lead_scoring.due (score, due_at, record_key);
COMMENT ON TABLE lead_scoring.due IS 'Records whose stored score time alone will change; a record without a row stays as it is until something happens to it';
COMMENT ON COLUMN lead_scoring.due.score IS 'Active score';
COMMENT ON COLUMN lead_scoring.due.record_key IS 'Key of the record, as text';
COMMENT ON COLUMN lead_scoring.due.due_at IS 'From this instant on the stored value may differ from an evaluation (-infinity: it changes continuously, as points fade)';

CREATE TABLE lead_scoring.score_state (
  score        text PRIMARY KEY,
  refreshed_at timestamptz,
  swept_at     timestamptz,
  failed_at    timestamptz,
  sqlstate     text,
  message      text,
  detail       text,
  hint         text,
  context      text,
  attempts     integer NOT NULL DEFAULT 0,
  retry_at     timestamptz,
  is_adjusted  boolean NOT NULL DEFAULT false,
  was_ahead    boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE lead_scoring.score_state IS 'How far time has been followed for each active score, and what went wrong with a score as a whole';
COMMENT ON COLUMN lead_scoring.score_state.score IS 'Active score';
COMMENT ON COLUMN lead_scoring.score_state.refreshed_at IS 'Instant to which all records were last brought together';
COMMENT ON COLUMN lead_scoring.score_state.swept_at IS 'Instant to which all records that change continuously were last brought';
COMMENT ON COLUMN lead_scoring.score_state.failed_at IS 'When the score as a whole last failed (NULL: it did not, or has succeeded since)';
COMMENT ON COLUMN lead_scoring.score_state.sqlstate IS 'SQLSTATE of that error';
COMMENT ON COLUMN lead_scoring.score_state.message IS 'Message of that error';
COMMENT ON COLUMN lead_scoring.score_state.detail IS 'Detail of that error';
COMMENT ON COLUMN lead_scoring.score_state.hint IS 'Hint of that error';
COMMENT ON COLUMN lead_scoring.score_state.context IS 'Context of that error';
COMMENT ON COLUMN lead_scoring.score_state.attempts IS 'Failures in a row';
COMMENT ON COLUMN lead_scoring.score_state.retry_at IS 'When the background worker tries again';
COMMENT ON COLUMN lead_scoring.score_state.is_adjusted IS 'Whether there may be adjustments or resets, of which every session has been told: it stays so while the score is active';
COMMENT ON COLUMN lead_scoring.score_state.was_ahead IS 'Whether records were brought to an instant ahead of the clock, of which every session has been told: it stays so while the score is active';

CREATE FUNCTION lead_scoring.has_unwatched(score text) RETURNS boolean
  AS 'MODULE_PATHNAME', 'lead_scoring_has_unwatched' LANGUAGE C STABLE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION lead_scoring.has_unwatched(text) IS 'Whether an active score reads relations on which no trigger can tell of changes: views, materialized views, foreign tables';

CREATE PROCEDURE lead_scoring.refresh_due(as_of timestamptz DEFAULT now())
  AS 'MODULE_PATHNAME', 'lead_scoring_refresh_due' LANGUAGE C;
COMMENT ON PROCEDURE lead_scoring.refresh_due(timestamptz) IS
  'Brings all scores that the caller may write to an instant, with as little work as possible: the records that time has changed by then, those that wait in the queue, those that failed before; and announces labels that were held back until the label before had stood for its dwell. Any instant since the beginning of the transaction is the present: each part of the work has its own. Commits as it goes unless it is called within a transaction';
