-- What keeps score columns current: triggers on the records, on every source and on what links them. activate() attaches
-- them, deactivate() drops them again.

CREATE FUNCTION lead_scoring.hold() RETURNS trigger
  AS 'MODULE_PATHNAME', 'lead_scoring_hold' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION lead_scoring.hold() IS 'Before a statement inserts, updates or deletes rows: waits for those who score all records at once';

CREATE FUNCTION lead_scoring.touch() RETURNS trigger
  AS 'MODULE_PATHNAME', 'lead_scoring_touch' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION lead_scoring.touch() IS 'For each row that is written and matters to a score: notes which records it touches. Refuses updates of score columns by others';

CREATE FUNCTION lead_scoring.matters(old_row tid, new_row tid) RETURNS boolean
  AS 'MODULE_PATHNAME', 'lead_scoring_matters' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION lead_scoring.matters(tid, tid) IS 'In the condition of a trigger after an update, of OLD.ctid and NEW.ctid: whether a column may have changed that an active score reads, or a score by somebody else than the extension. Anywhere else true';

CREATE FUNCTION lead_scoring.flush() RETURNS trigger
  AS 'MODULE_PATHNAME', 'lead_scoring_flush' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION lead_scoring.flush() IS 'After a statement: scores the records that its rows have touched, each once';

CREATE FUNCTION lead_scoring.fill() RETURNS trigger
  AS 'MODULE_PATHNAME', 'lead_scoring_fill' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION lead_scoring.fill() IS 'For each row of records that is on its way into the table: computes the scores that it alone decides';

CREATE FUNCTION lead_scoring.guard() RETURNS trigger
  AS 'MODULE_PATHNAME', 'lead_scoring_guard' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION lead_scoring.guard() IS 'For each row whose score columns somebody else wants to write: refuses';

CREATE FUNCTION lead_scoring.announce_change() RETURNS trigger
  AS 'MODULE_PATHNAME', 'lead_scoring_announce_change' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION lead_scoring.announce_change() IS 'After definitions have changed: tells all sessions to read them anew';

CREATE TRIGGER c_announce AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON lead_scoring.record_type
  FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.announce_change();
CREATE TRIGGER c_announce AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON lead_scoring.source
  FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.announce_change();
CREATE TRIGGER c_announce AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON lead_scoring.score
  FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.announce_change();
CREATE TRIGGER c_announce AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON lead_scoring.scope
  FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.announce_change();
CREATE TRIGGER c_announce AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON lead_scoring.score_group
  FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.announce_change();
CREATE TRIGGER c_announce AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON lead_scoring.segment_decay
  FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.announce_change();
CREATE TRIGGER c_announce AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON lead_scoring.event_factor
  FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.announce_change();
CREATE TRIGGER c_announce AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON lead_scoring.rule
  FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.announce_change();
CREATE TRIGGER c_announce AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON lead_scoring.band
  FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.announce_change();
CREATE TRIGGER c_announce AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON lead_scoring.alert
  FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.announce_change();
CREATE TRIGGER c_announce AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON lead_scoring.model_version
  FOR EACH STATEMENT EXECUTE FUNCTION lead_scoring.announce_change();

-- What was read must be read anew, whoever edits
ALTER TABLE lead_scoring.record_type ENABLE ALWAYS TRIGGER c_announce;
ALTER TABLE lead_scoring.source ENABLE ALWAYS TRIGGER c_announce;
ALTER TABLE lead_scoring.score ENABLE ALWAYS TRIGGER c_announce;
ALTER TABLE lead_scoring.scope ENABLE ALWAYS TRIGGER c_announce;
ALTER TABLE lead_scoring.score_group ENABLE ALWAYS TRIGGER c_announce;
ALTER TABLE lead_scoring.segment_decay ENABLE ALWAYS TRIGGER c_announce;
ALTER TABLE lead_scoring.event_factor ENABLE ALWAYS TRIGGER c_announce;
ALTER TABLE lead_scoring.rule ENABLE ALWAYS TRIGGER c_announce;
ALTER TABLE lead_scoring.band ENABLE ALWAYS TRIGGER c_announce;
ALTER TABLE lead_scoring.alert ENABLE ALWAYS TRIGGER c_announce;
ALTER TABLE lead_scoring.model_version ENABLE ALWAYS TRIGGER c_announce;
