-- Checks of rules and event factors. A rule has many options, and few of them go together.

CREATE FUNCTION lead_scoring.rule_name(rule lead_scoring.rule) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT format('rule "%s" of score "%s"', rule.name, rule.score)
$$;
COMMENT ON FUNCTION lead_scoring.rule_name(lead_scoring.rule) IS 'What a rule is called in errors';

CREATE FUNCTION lead_scoring.require_effect(rule lead_scoring.rule, score_kind text) RETURNS void LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  what text := lead_scoring.rule_name(rule);
BEGIN
  IF rule.effect NOT IN ('add', 'multiply') THEN
    RAISE EXCEPTION 'effect of % cannot be %', what, quote_literal(rule.effect) USING ERRCODE = 'invalid_parameter_value',
      HINT = 'A rule adds its points, or multiplies by them: use add or multiply.';
  ELSIF rule.effect = 'add' AND rule.multiplies IS NOT NULL THEN
    RAISE EXCEPTION 'multiplies of % needs effect ''multiply''', what USING ERRCODE = 'invalid_parameter_value',
      HINT = 'A rule that adds has no multiplies: set it to NULL, or set effect to multiply.';
  ELSIF rule.effect = 'multiply' AND rule.multiplies NOT IN ('group', 'total', 'fit', 'engagement')
        OR rule.multiplies IN ('fit', 'engagement') AND score_kind NOT IN ('combined', rule.multiplies) THEN
    RAISE EXCEPTION '% cannot multiply %', what, quote_literal(rule.multiplies) USING ERRCODE = 'invalid_parameter_value',
      HINT = format('A multiplier in a score of kind %s multiplies %s.', score_kind,
                    CASE score_kind WHEN 'combined' THEN 'its group, fit, engagement or total'
                                    ELSE 'its group, ' || score_kind || ' or total' END);
  ELSIF rule.effect = 'multiply' AND rule.counting <> 'once' THEN
    RAISE EXCEPTION 'counting of % cannot be % with effect ''multiply''', what, quote_literal(rule.counting)
      USING ERRCODE = 'invalid_parameter_value', HINT = 'A multiplier applies once, however often it matches: leave counting NULL.';
  END IF;
END $$;
COMMENT ON FUNCTION lead_scoring.require_effect(lead_scoring.rule, text) IS 'Raises unless a rule adds, or multiplies something that the score has';

CREATE FUNCTION lead_scoring.require_counting(rule lead_scoring.rule, is_event boolean) RETURNS void LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  what text := lead_scoring.rule_name(rule);
BEGIN
  IF rule.counting NOT IN ('each', 'once', 'quiet') OR rule.counting = 'quiet' AND NOT is_event
     OR rule.counting = 'each' AND NOT is_event AND rule.value IS NULL THEN
    RAISE EXCEPTION 'counting of % cannot be %', what, quote_literal(rule.counting) USING ERRCODE = 'invalid_parameter_value',
      HINT = 'An event rule counts each, once or quiet; a rule about the record or related rows pays once, or each if it has a value.';
  ELSIF rule.counting = 'quiet' AND rule.within IS NULL THEN
    RAISE EXCEPTION '% counts quiet time but has no within', what USING ERRCODE = 'invalid_parameter_value',
      HINT = 'It pays for each full within since the newest event: give that length of time, such as ''30 days''.';
  ELSIF rule.counting = 'quiet' AND num_nonnulls(rule.at_least, rule.at_most, rule.value, rule.every_n, rule.followed_by, rule.max_times_per) > 0 THEN
    RAISE EXCEPTION '% counts quiet time and has %', what,
      (SELECT string_agg(option, ', ') FROM (VALUES ('at_least', rule.at_least::text), ('at_most', rule.at_most::text),
         ('value', rule.value), ('every_n', rule.every_n::text), ('followed_by', rule.followed_by),
         ('max_times_per', rule.max_times_per::text)) AS v (option, given) WHERE given IS NOT NULL)
      USING ERRCODE = 'invalid_parameter_value', HINT = 'With counting = quiet only within, max_times, since and until have a meaning.';
  END IF;
END $$;
COMMENT ON FUNCTION lead_scoring.require_counting(lead_scoring.rule, boolean) IS 'Raises unless a rule can count in the way it says';

CREATE FUNCTION lead_scoring.require_bounds(rule lead_scoring.rule) RETURNS void LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  what text := lead_scoring.rule_name(rule);
BEGIN
  IF (rule.at_least IS NOT NULL OR rule.at_most IS NOT NULL)
     AND (rule.counting <> 'once' OR rule.source IS NULL AND rule.value IS NULL) THEN
    RAISE EXCEPTION 'at_least and at_most of % need counting ''once'' and a source or a value', what
      USING ERRCODE = 'invalid_parameter_value',
      HINT = 'They bound the number of matching rows, or the rollup of their values, for a rule that pays once.';
  ELSIF (rule.at_least < 0 OR rule.at_most < 0) AND rule.value IS NULL THEN
    RAISE EXCEPTION 'at_least and at_most of % must not be negative', what USING ERRCODE = 'invalid_parameter_value',
      HINT = 'They bound a number of rows; "none" is at_most 0.';
  ELSIF rule.at_least = 'NaN' OR rule.at_most = 'NaN' OR rule.at_least > rule.at_most THEN
    RAISE EXCEPTION 'at_least % of % is above at_most %', rule.at_least, what, rule.at_most USING ERRCODE = 'invalid_parameter_value',
      HINT = 'For "exactly n" set both to n.';
  END IF;
END $$;
COMMENT ON FUNCTION lead_scoring.require_bounds(lead_scoring.rule) IS 'Raises unless the bounds of a rule are in order and bound something';

CREATE FUNCTION lead_scoring.require_matching(rule lead_scoring.rule, is_event boolean) RETURNS void LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  what text := lead_scoring.rule_name(rule);
BEGIN
  IF rule.rollup NOT IN ('sum', 'avg', 'min', 'max') THEN
    RAISE EXCEPTION 'rollup of % cannot be %', what, quote_literal(rule.rollup) USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Use sum, avg, min or max.';
  ELSIF rule.rollup <> 'sum' AND rule.value IS NULL THEN
    RAISE EXCEPTION 'rollup % of % needs a value', rule.rollup, what USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Say in value which number of a row is meant.';
  ELSIF (rule.followed_by IS NULL) <> (rule.followed_within IS NULL) THEN
    RAISE EXCEPTION 'followed_by and followed_within of % belong together', what USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Say what follows, and within which time.';
  ELSIF rule.followed_by IS NOT NULL AND NOT is_event THEN
    RAISE EXCEPTION '% has no time in which something could follow', what USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Only events follow one another: name a source with occurred_at.';
  ELSIF rule.followed_by IS NOT NULL AND rule.value IS NOT NULL THEN
    RAISE EXCEPTION '% cannot have followed_by and a value', what USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Pairs of events are counted: leave value NULL.';
  ELSIF rule.every_n < 2 THEN
    RAISE EXCEPTION 'every_n of % must be at least 2: %', what, rule.every_n USING ERRCODE = 'invalid_parameter_value',
      HINT = 'A rule that counts each pays for every match anyway: use NULL.';
  ELSIF rule.every_n IS NOT NULL AND (NOT is_event OR rule.counting <> 'each') THEN
    RAISE EXCEPTION 'every_n of % needs events and counting ''each''', what USING ERRCODE = 'invalid_parameter_value',
      HINT = 'For a rule that pays once say how many rows it takes with at_least.';
  ELSIF rule.every_n IS NOT NULL AND rule.value IS NOT NULL THEN
    RAISE EXCEPTION '% cannot have every_n and a value', what USING ERRCODE = 'invalid_parameter_value',
      HINT = 'every_n counts matches: leave value NULL.';
  ELSIF rule.max_times < 1 THEN
    RAISE EXCEPTION 'max_times of % must be at least 1: %', what, rule.max_times USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Use NULL for no limit, or enabled = false for a rule that pays nothing.';
  ELSIF rule.max_times IS NOT NULL AND NOT is_event THEN
    RAISE EXCEPTION 'max_times of % needs events', what USING ERRCODE = 'invalid_parameter_value',
      HINT = 'The newest matches count, and only events have a time.';
  ELSIF rule.max_times_per IS NOT NULL AND rule.max_times IS NULL THEN
    RAISE EXCEPTION 'max_times_per of % needs max_times', what USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Say how many matches count in each such interval.';
  ELSIF rule.max_times IS NOT NULL AND rule.max_times_per IS NULL AND rule.counting = 'once' THEN
    RAISE EXCEPTION 'max_times of % needs max_times_per, as it pays once', what USING ERRCODE = 'invalid_parameter_value',
      HINT = 'To bound the number of matching rows use at_most; to count days with a match use max_times 1 per ''1 day''.';
  END IF;
  PERFORM lead_scoring.require_length(rule.followed_within, 'followed_within', what);
  PERFORM lead_scoring.require_length(rule.max_times_per, 'max_times_per', what);
END $$;
COMMENT ON FUNCTION lead_scoring.require_matching(lead_scoring.rule, boolean) IS 'Raises unless the options of a rule that say what a match is, and how many count, go together';

CREATE FUNCTION lead_scoring.require_times(rule lead_scoring.rule, is_event boolean) RETURNS void LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  what text := lead_scoring.rule_name(rule);
BEGIN
  IF NOT is_event AND (rule.within IS NOT NULL OR rule.since IS NOT NULL OR rule.until IS NOT NULL) THEN
    RAISE EXCEPTION '% has no time to be within, since or until', what USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Only events have a time. In a criterion use as_of, as in created_at > as_of - interval ''30 days''.';
  END IF;
  IF rule.within > interval '290000 years' THEN
    RAISE EXCEPTION 'within of % is out of range', what USING ERRCODE = 'interval_field_overflow',
      HINT = 'It is longer than zero and at most 290,000 years.';
  END IF;
  IF rule.within <= interval '0' OR rule.since >= rule.until THEN
    RAISE EXCEPTION 'time window of % is empty', what USING ERRCODE = 'invalid_parameter_value',
      HINT = 'within is longer than zero, and since is before until.';
  END IF;
END $$;
COMMENT ON FUNCTION lead_scoring.require_times(lead_scoring.rule, boolean) IS 'Raises unless the time window of a rule can hold events';

CREATE FUNCTION lead_scoring.check_rule() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  parent lead_scoring.score;
  origin lead_scoring.source;
  group_kind text;
  needed_kind text;
  what text;
BEGIN
  IF TG_OP <> 'DELETE' AND coalesce(NEW.enabled, true) AND NOT lead_scoring.restoring() THEN
    PERFORM lead_scoring.await_source(NEW.score, NEW.source);
  END IF;
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
  PERFORM lead_scoring.require_name(NEW.name, 'a rule');
  what := format('rule "%s" of score "%s"', NEW.name, NEW.score);
  parent := lead_scoring.require_score(NEW.score);
  PERFORM lead_scoring.require_rules(NEW.score, 'rules');
  NEW.effect := coalesce(NEW.effect, 'add');
  IF NEW.effect = 'multiply' THEN
    PERFORM lead_scoring.require_factor(NEW.points, 'points', what);
    NEW.multiplies := coalesce(NEW.multiplies, 'group');
  ELSE
    PERFORM lead_scoring.require_points(NEW.points, what);
  END IF;
  SELECT g.kind INTO group_kind FROM lead_scoring.score_group g WHERE g.score = NEW.score AND g.name = NEW.group_name;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'group "%" of % does not exist', NEW.group_name, what USING ERRCODE = 'undefined_object',
      HINT = 'Insert it into lead_scoring.score_group first.';
  END IF;
  IF NEW.source IS NOT NULL THEN
    SELECT * INTO origin FROM lead_scoring.source o WHERE o.record_type = parent.record_type AND o.name = NEW.source;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'source "%" of % does not exist', NEW.source, what USING ERRCODE = 'undefined_object',
        HINT = format('Insert it into lead_scoring.source first, for record type "%s".', parent.record_type);
    END IF;
    PERFORM lead_scoring.require_owner(origin.relation);
  END IF;
  needed_kind := CASE WHEN origin.occurred_at IS NULL THEN 'fit' ELSE 'engagement' END;
  IF group_kind <> needed_kind THEN
    RAISE EXCEPTION '% cannot be in % group "%"', what, group_kind, NEW.group_name USING ERRCODE = 'invalid_parameter_value',
      HINT = CASE needed_kind WHEN 'fit' THEN 'A rule about the record itself or about related rows belongs in a fit group; an event rule names its source.'
                              ELSE 'A rule about events belongs in an engagement group.' END;
  END IF;
  NEW.rollup := coalesce(NEW.rollup, 'sum');
  NEW.counting := coalesce(NEW.counting, CASE WHEN NEW.effect = 'add' AND needed_kind = 'engagement' THEN 'each' ELSE 'once' END);
  PERFORM lead_scoring.require_effect(NEW, parent.kind);
  PERFORM lead_scoring.require_counting(NEW, needed_kind = 'engagement');
  PERFORM lead_scoring.require_bounds(NEW);
  PERFORM lead_scoring.require_matching(NEW, needed_kind = 'engagement');
  PERFORM lead_scoring.require_times(NEW, needed_kind = 'engagement');
  PERFORM lead_scoring.require_validity(NEW.valid_from, NEW.valid_to, what);
  NEW.criterion := coalesce(NEW.criterion, 'true');
  NEW.enabled := coalesce(NEW.enabled, true);
  RETURN NEW;
END $$;
COMMENT ON FUNCTION lead_scoring.check_rule() IS 'Checks a rule as it is written';

CREATE FUNCTION lead_scoring.check_event_factor() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  parent lead_scoring.score;
  origin lead_scoring.source;
  what text;
BEGIN
  IF TG_OP <> 'DELETE' AND NOT lead_scoring.restoring() THEN
    PERFORM lead_scoring.await_source(NEW.score, NEW.source);
  END IF;
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
  PERFORM lead_scoring.require_name(NEW.name, 'an event factor');
  what := format('event factor "%s" of score "%s"', NEW.name, NEW.score);
  parent := lead_scoring.require_score(NEW.score);
  PERFORM lead_scoring.require_rules(NEW.score, 'event factors');
  PERFORM lead_scoring.require_factor(NEW.factor, 'factor', what);
  SELECT * INTO origin FROM lead_scoring.source o WHERE o.record_type = parent.record_type AND o.name = NEW.source;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'source "%" of % does not exist', NEW.source, what USING ERRCODE = 'undefined_object',
      HINT = format('Insert it into lead_scoring.source first, for record type "%s".', parent.record_type);
  ELSIF origin.occurred_at IS NULL THEN
    RAISE EXCEPTION 'source "%" of % has no events', NEW.source, what USING ERRCODE = 'invalid_parameter_value',
      HINT = 'It has no occurred_at; a factor for all events of the score belongs to each of its event sources.';
  END IF;
  PERFORM lead_scoring.require_owner(origin.relation);
  IF NEW.since >= NEW.until THEN
    RAISE EXCEPTION 'time window of % is empty', what USING ERRCODE = 'invalid_parameter_value',
      HINT = 'since is before until.';
  END IF;
  PERFORM lead_scoring.require_validity(NEW.valid_from, NEW.valid_to, what);
  NEW.criterion := coalesce(NEW.criterion, 'true');
  RETURN NEW;
END $$;
COMMENT ON FUNCTION lead_scoring.check_event_factor() IS 'Checks an event factor as it is written';
