-- Checks of alerts.

CREATE FUNCTION lead_scoring.require_threshold(alert lead_scoring.alert, what text) RETURNS void LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF num_nonnulls(alert.above, alert.at_least, alert.label) <> 1 THEN
    RAISE EXCEPTION '% has % of above, at_least and label', what,
      CASE num_nonnulls(alert.above, alert.at_least, alert.label) WHEN 0 THEN 'none' ELSE 'more than one' END
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Give one: above alerts when the value becomes greater, at_least when it becomes as great, label when the label becomes this.';
  ELSIF alert.label = '' THEN
    RAISE EXCEPTION 'label of % must not be empty', what USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a label as it is in the column of labels, such as A1.';
  ELSIF NOT coalesce(alert.above, alert.at_least) BETWEEN -1e12 AND 1e12 THEN
    RAISE EXCEPTION 'threshold of % out of range: %', what, coalesce(alert.above, alert.at_least)
      USING ERRCODE = 'numeric_value_out_of_range', HINT = 'It is finite, between -1,000,000,000,000 and 1,000,000,000,000.';
  ELSIF alert.margin IS NOT NULL AND alert.label IS NOT NULL THEN
    RAISE EXCEPTION '% has a margin and a label', what USING ERRCODE = 'invalid_parameter_value',
      HINT = 'A margin is about values. Give the bands a margin or a dwell.';
  END IF;
  PERFORM lead_scoring.require_margin(alert.margin, what);
END $$;
COMMENT ON FUNCTION lead_scoring.require_threshold(lead_scoring.alert, text) IS 'Raises unless an alert has one threshold, and a possible one';

CREATE FUNCTION lead_scoring.possible_labels(score text) RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH bands AS (SELECT b.part, b.label FROM lead_scoring.band b WHERE b.score = possible_labels.score),
       pairs AS (SELECT f.label || e.label AS label FROM bands f, bands e WHERE f.part = 'fit' AND e.part = 'engagement'),
       labels AS (SELECT label FROM pairs UNION SELECT label FROM bands WHERE NOT EXISTS (SELECT FROM pairs))
  SELECT array_agg(label ORDER BY label COLLATE "C") FROM labels
$$;
COMMENT ON FUNCTION lead_scoring.possible_labels(text) IS 'The labels that the bands of a score can give, sorted: those of fit and engagement together, if both have bands; NULL without bands';

CREATE FUNCTION lead_scoring.check_alert() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  parent lead_scoring.score;
  labels text[];
BEGIN
  IF TG_OP <> 'INSERT' THEN
    PERFORM lead_scoring.lock_definition(OLD.score);
    PERFORM lead_scoring.require_owner(lead_scoring.record_relation(OLD.score));
    IF TG_OP = 'DELETE' THEN
      RETURN OLD;
    END IF;
  END IF;
  IF lead_scoring.restoring() THEN
    RETURN NEW;
  END IF;
  PERFORM lead_scoring.require_name(NEW.name, 'an alert');
  parent := lead_scoring.require_score(NEW.score);
  PERFORM lead_scoring.require_threshold(NEW, format('alert "%s" of score "%s"', NEW.name, NEW.score));
  NEW.part := CASE WHEN NEW.label IS NOT NULL AND coalesce(NEW.part, 'total') = 'total' THEN 'label' ELSE coalesce(NEW.part, 'total') END;
  IF (NEW.part = 'label') <> (NEW.label IS NOT NULL) THEN
    RAISE EXCEPTION 'alert "%" of score "%" cannot be for part %', NEW.name, NEW.score, quote_literal(NEW.part)
      USING ERRCODE = 'invalid_parameter_value',
      HINT = CASE NEW.part WHEN 'label' THEN 'Part label is for alerts on a label.' ELSE 'An alert on a label looks at the label of the score as a whole: leave part out.' END;
  ELSIF NEW.part NOT IN ('total', 'label') AND (NEW.part NOT IN ('fit', 'engagement') OR parent.kind NOT IN ('combined', NEW.part)) THEN
    RAISE EXCEPTION 'alert "%" of score "%" cannot be for part %', NEW.name, NEW.score, quote_literal(NEW.part)
      USING ERRCODE = 'invalid_parameter_value',
      HINT = format('A score of kind %s has the parts %s.', parent.kind,
                    CASE parent.kind WHEN 'combined' THEN 'total, fit and engagement' WHEN 'likelihood' THEN 'total only' ELSE 'total and ' || parent.kind END);
  END IF;
  -- Not an error: the bands may come later
  labels := lead_scoring.possible_labels(NEW.score);
  IF NEW.label <> ALL (labels) THEN
    RAISE WARNING 'no band of score "%" has the label of alert "%": %', NEW.score, NEW.name, quote_literal(NEW.label)
      USING ERRCODE = '01000', HINT = format('The labels of the score are %s.', array_to_string(labels, ', '));
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION lead_scoring.check_alert() IS 'Checks an alert as it is written';
CREATE TRIGGER a_check BEFORE INSERT OR UPDATE OR DELETE ON lead_scoring.alert
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.check_alert();

GRANT SELECT, INSERT, UPDATE, DELETE ON lead_scoring.alert TO PUBLIC;
REVOKE EXECUTE ON FUNCTION lead_scoring.check_alert() FROM PUBLIC;
