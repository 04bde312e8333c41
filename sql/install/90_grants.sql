-- Who may do what. Definitions can be read by everybody and written by the owners of the relations they speak of:
-- that is checked row by row in 30_checks.sql and the files after it. No TRIGGER and no REFERENCES right: a trigger
-- would run with the rights of whoever writes next.

GRANT USAGE ON SCHEMA lead_scoring TO PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON
  lead_scoring.record_type, lead_scoring.source, lead_scoring.score, lead_scoring.scope,
  lead_scoring.score_group, lead_scoring.segment_decay, lead_scoring.event_factor, lead_scoring.rule, lead_scoring.band,
  lead_scoring.adjustment, lead_scoring.engagement_reset
  TO PUBLIC;
GRANT SELECT, INSERT, DELETE ON lead_scoring.unsettled TO PUBLIC;
GRANT SELECT ON lead_scoring.priority_queue, lead_scoring.progress TO PUBLIC;
GRANT USAGE, SELECT ON SEQUENCE
  lead_scoring.scope_scope_id_seq, lead_scoring.adjustment_adjustment_id_seq, lead_scoring.engagement_reset_reset_id_seq
  TO PUBLIC;

-- Trigger functions need no right to run as triggers, and are not to be called otherwise.
REVOKE EXECUTE ON FUNCTION
  lead_scoring.check_record_type(), lead_scoring.check_source(), lead_scoring.check_score(), lead_scoring.check_group(),
  lead_scoring.check_segment_decay(), lead_scoring.check_event_factor(), lead_scoring.check_rule(), lead_scoring.check_scope(),
  lead_scoring.check_band(), lead_scoring.check_adjustment(), lead_scoring.check_engagement_reset(),
  lead_scoring.resolve_expressions(), lead_scoring.follow_score(), lead_scoring.follow_group(), lead_scoring.follow_owner(),
  lead_scoring.rescore_after_part(), lead_scoring.rescore_after_score(), lead_scoring.rescore_after_source(),
  lead_scoring.rescore_after_record_type(), lead_scoring.rescore_after_adjustment(), lead_scoring.settle(),
  lead_scoring.announce_change(), lead_scoring.refuse_truncate()
  FROM PUBLIC;
