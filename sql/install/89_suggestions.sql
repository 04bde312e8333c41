-- From model to rules: a draft score that approximates the scorecard of a model.

CREATE FUNCTION lead_scoring.scorecard_of(model text, as_of timestamptz, OUT body jsonb, OUT definition jsonb, OUT origin text) LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  parent lead_scoring.model := lead_scoring.require_model(scorecard_of.model);
BEGIN
  SELECT v.body::jsonb, v.definition, format('the scorecard of version %s', v.version) INTO body, definition, origin
    FROM lead_scoring.model_versions v WHERE v.model = parent.name AND v.status = 'champion' AND v.algorithm = 'scorecard' AND v.body::jsonb ? 'scorecard';
  IF NOT FOUND THEN
    -- The exception takes back what was changed for the training; the variables stay
    BEGIN
      UPDATE lead_scoring.model m SET algorithm = 'scorecard', segment = NULL WHERE m.name = parent.name AND (m.algorithm <> 'scorecard' OR m.segment IS NOT NULL);
      definition := lead_scoring.model_definition(parent.name);
      SELECT t.body::jsonb, 'a scorecard trained for this' INTO body, origin FROM lead_scoring.train_model(parent.name, scorecard_of.as_of) t;
      RAISE EXCEPTION 'trained' USING ERRCODE = 'triggered_action_exception', HINT = 'Caught below.';
    EXCEPTION WHEN triggered_action_exception THEN
      NULL;
    END;
  END IF;
  IF body ->> 'strings' <> 'characters' THEN
    RAISE EXCEPTION 'the categories of model "%" are not valid in this encoding', parent.name USING ERRCODE = 'feature_not_supported',
      HINT = 'Rules are suggested in databases of encoding UTF8.';
  END IF;
END $$;
COMMENT ON FUNCTION lead_scoring.scorecard_of(text, timestamptz) IS
  'The scorecard of the champion of a model and the definition it was trained by; if the champion is no scorecard, or there is none, one that is trained now on the facts known at as_of, and not kept';

CREATE FUNCTION lead_scoring.scorecard_pieces(
  body jsonb, range double precision,
  OUT feature text, OUT categorical boolean, OUT piece integer, OUT missing boolean, OUT lowest double precision, OUT highest double precision,
  OUT categories text[], OUT points double precision, OUT samples bigint, OUT converted bigint)
RETURNS SETOF record LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
  WITH features AS (
    SELECT i.item ->> 'name' AS name, i.item -> 'categories' AS categories, s.item AS card
      FROM jsonb_array_elements(body -> 'features') WITH ORDINALITY i (item, at)
      JOIN jsonb_array_elements(body #> '{scorecard,features}') WITH ORDINALITY s (item, at) ON s.at = i.at
  ), bins AS (
    SELECT f.name, f.categories IS NOT NULL AS categorical, b.at::integer - 1 AS bin, b.at = jsonb_array_length(f.card -> 'points') AS missing,
           b.points::double precision * sign((body #>> '{calibration,slope}')::double precision) AS points,
           (f.card -> 'rows' ->> (b.at::integer - 1))::bigint AS samples, (f.card -> 'converted' ->> (b.at::integer - 1))::bigint AS converted,
           CASE WHEN b.at > 1 THEN (f.card -> 'lower_bounds' ->> (b.at::integer - 2))::double precision END AS lowest,
           (f.card -> 'lower_bounds' ->> (b.at::integer - 1))::double precision AS highest,
           array(SELECT c.category FROM jsonb_array_elements_text(f.categories) WITH ORDINALITY c (category, code)
                  WHERE (f.card -> 'bin_of_code' ->> (c.code::integer - 1))::integer = b.at - 1 ORDER BY c.category COLLATE "C") AS categories
      FROM features f CROSS JOIN LATERAL jsonb_array_elements_text(f.card -> 'points') WITH ORDINALITY b (points, at)
  ), scaled AS (
    SELECT b.*, coalesce(round((b.points * range / nullif((SELECT sum(s.spread) FROM (SELECT max(x.points) - min(x.points) AS spread FROM bins x WHERE x.samples > 0 GROUP BY x.name) s), 0))::numeric), 0)::double precision AS rounded
      FROM bins b WHERE b.samples > 0
  ), marked AS (
    SELECT s.*, s.rounded IS DISTINCT FROM lag(s.rounded) OVER (PARTITION BY s.name, s.missing ORDER BY s.bin) AS begins FROM scaled s
  ), placed AS (
    -- Neighbours with the same points are one, and so are categories with the same points
    SELECT m.*, CASE WHEN m.missing THEN 1000000 WHEN m.categorical THEN dense_rank() OVER (PARTITION BY m.name, m.missing ORDER BY m.rounded DESC)
                     ELSE count(*) FILTER (WHERE m.begins) OVER (PARTITION BY m.name, m.missing ORDER BY m.bin) END AS piece FROM marked m
  )
  SELECT p.name, p.categorical, p.piece::integer, p.missing,
         CASE WHEN NOT p.missing THEN (array_agg(p.lowest ORDER BY p.bin))[1] END, CASE WHEN NOT p.missing THEN (array_agg(p.highest ORDER BY p.bin DESC))[1] END,
         array(SELECT c FROM placed x, unnest(x.categories) c WHERE x.name = p.name AND x.piece = p.piece ORDER BY c COLLATE "C"),
         p.rounded, sum(p.samples)::bigint, sum(p.converted)::bigint
    FROM placed p GROUP BY p.name, p.categorical, p.piece, p.missing, p.rounded
   ORDER BY p.name COLLATE "C", p.piece
$$;
COMMENT ON FUNCTION lead_scoring.scorecard_pieces(jsonb, double precision) IS
  'The bins of a trained scorecard as whole points, scaled so that the best and the worst possible record are range points apart (Siddiqi, Credit Risk Scorecards, 2006, calls this scaling); neighbouring bins with the same points are one piece, lowest <= value < highest (NULL: no bound), categories with the same points, too';

CREATE FUNCTION lead_scoring.suggested_rules(
  statistic text, of_source boolean, of_events boolean, is_boolean boolean, categorical boolean, expression text, criterion text, within interval, occurred_at text, pieces jsonb,
  OUT title text, OUT definition jsonb, OUT points double precision, OUT samples bigint, OUT converted bigint)
RETURNS SETOF record LANGUAGE sql STABLE PARALLEL SAFE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
  WITH pieces AS (
    SELECT p.*, lead(p.points) OVER w AS next_points, lag(p.points) OVER w AS previous_points,
           concat_ws(' ', 'from ' || p.lowest, 'below ' || p.highest) AS words
      FROM jsonb_to_recordset(suggested_rules.pieces) p (piece integer, missing boolean, lowest double precision, highest double precision, categories text[],
                                                         points double precision, samples bigint, converted bigint)
    WINDOW w AS (PARTITION BY p.missing ORDER BY p.piece)
  ), texts AS (
    SELECT CASE WHEN expression ~ '^[a-z_][a-z0-9_.]*$' THEN expression ELSE '(' || expression || ')' END AS e, CASE WHEN criterion = 'true' THEN '' ELSE '(' || criterion || ') AND ' END AS c, coalesce(criterion, 'true') AS alone,
           statistic IN ('has_any', 'has_value') OR is_boolean AS binary
  ), sides AS (
    -- What is true or false: the pieces that hold 1 and 0
    SELECT v.side, p.* FROM pieces p, (VALUES (true, 1), (false, 0)) v (side, number)
     WHERE NOT p.missing AND (p.lowest <= v.number OR p.lowest IS NULL) AND (p.highest > v.number OR p.highest IS NULL)
  ), rules AS (
    -- Of the record, or the values of related rows: conditions
    SELECT p.words AS title, jsonb_build_object('criterion', t.c || CASE WHEN p.lowest IS NULL AND p.highest IS NULL THEN t.e || ' IS NOT NULL'
             ELSE concat_ws(' AND ', t.e || CASE statistic WHEN 'days_since' THEN ' <= as_of - interval ''' || p.lowest || ' days''' WHEN 'days_until' THEN ' >= as_of + interval ''' || p.lowest || ' days''' ELSE ' >= ' || p.lowest END,
                            t.e || CASE statistic WHEN 'days_since' THEN ' > as_of - interval ''' || p.highest || ' days''' WHEN 'days_until' THEN ' < as_of + interval ''' || p.highest || ' days''' ELSE ' < ' || p.highest END) END) AS definition,
           p.points, p.samples, p.converted
      FROM pieces p, texts t WHERE NOT of_source AND NOT categorical AND NOT t.binary AND statistic IN ('value', 'days_since', 'days_until') AND NOT p.missing
    UNION ALL
    SELECT CASE WHEN cardinality(p.categories) > 3 THEN format('%s and %s others', p.categories[1], cardinality(p.categories) - 1) ELSE array_to_string(p.categories, ', ') END,
           jsonb_build_object('criterion', t.c || t.e || CASE WHEN cardinality(p.categories) = 1 THEN ' = ' || quote_literal(p.categories[1])
             ELSE format(' IN (%s)', (SELECT string_agg(quote_literal(x), ', ') FROM unnest(p.categories) x)) END), p.points, p.samples, p.converted
      FROM pieces p, texts t WHERE categorical AND NOT of_events AND cardinality(p.categories) > 0
    UNION ALL
    SELECT CASE WHEN s.side THEN 'yes' ELSE 'no' END, jsonb_build_object('criterion', CASE
             WHEN statistic = 'has_value' THEN t.e || CASE WHEN s.side THEN ' IS NOT NULL' ELSE ' IS NULL' END ELSE t.c || CASE WHEN s.side THEN t.e ELSE 'NOT ' || t.e END END), s.points, s.samples, s.converted
      FROM sides s, texts t WHERE statistic = 'has_value' OR is_boolean AND NOT of_events AND statistic = 'value'
    UNION ALL
    SELECT 'unknown', jsonb_build_object('criterion', t.e || ' IS NULL'), p.points, p.samples, p.converted
      FROM pieces p, texts t WHERE NOT of_source AND p.missing
    UNION ALL
    -- Of rows: how many there are, and what their values come to
    SELECT CASE WHEN p.lowest IS NULL THEN format('at most %s', ceil(p.highest) - 1) WHEN p.highest IS NULL THEN format('%s and more', ceil(p.lowest))
                WHEN ceil(p.lowest) = ceil(p.highest) - 1 THEN ceil(p.lowest)::text ELSE format('%s to %s', ceil(p.lowest), ceil(p.highest) - 1) END,
           jsonb_build_object('criterion', t.alone, 'counting', 'once', 'at_least', ceil(p.lowest), 'at_most', ceil(p.highest) - 1), p.points, p.samples, p.converted
      FROM pieces p, texts t WHERE statistic = 'count' AND num_nonnulls(p.lowest, p.highest) > 0
    UNION ALL
    SELECT CASE WHEN s.side THEN 'yes' ELSE 'no' END, jsonb_build_object('criterion', t.alone, 'counting', 'once', 'at_least', CASE WHEN s.side THEN 1 END, 'at_most', CASE WHEN NOT s.side THEN 0 END), s.points, s.samples, s.converted
      FROM sides s, texts t WHERE statistic = 'has_any'
    UNION ALL
    -- Bounds of rules are inclusive, with 1e-9 to spare for sums of decimals
    SELECT p.words, jsonb_build_object('criterion', t.alone, 'counting', 'once', 'value', expression, 'rollup', CASE statistic WHEN 'average' THEN 'avg' WHEN 'minimum' THEN 'min' WHEN 'sum' THEN 'sum' ELSE 'max' END,
             'at_least', coalesce(p.lowest, -1e15), 'at_most', p.highest - 1e-8 * greatest(abs(p.highest), 1)),
           p.points, p.samples, p.converted
      FROM pieces p, texts t WHERE (statistic IN ('sum', 'average', 'minimum', 'maximum') OR statistic = 'value' AND of_source AND NOT of_events AND NOT is_boolean AND NOT categorical) AND NOT p.missing
    UNION ALL
    SELECT 'none', jsonb_strip_nulls(jsonb_build_object('criterion', CASE WHEN expression IS NULL THEN t.alone ELSE t.c || t.e || ' IS NOT NULL' END, 'counting', 'once', 'at_most', 0)), p.points, p.samples, p.converted
      FROM pieces p, texts t WHERE of_source AND p.missing
    UNION ALL
    -- How long ago: an event that is newer, or older, than each of the bounds
    SELECT 'newer than ' || p.highest, jsonb_build_object('criterion', t.alone, 'counting', 'once', 'within', format('%s days', p.highest)::interval - interval '1 microsecond'), p.points - p.next_points, p.samples, p.converted
      FROM pieces p, texts t WHERE statistic = 'days_since_newest' AND NOT p.missing AND p.highest > 0
    UNION ALL
    SELECT 'older than ' || p.lowest, jsonb_build_object('criterion', format('%s%s <= as_of - interval ''%s days''', t.c, occurred_at, p.lowest), 'counting', 'once'), p.points - p.previous_points, p.samples, p.converted
      FROM pieces p, texts t WHERE statistic = 'days_since_oldest' AND NOT p.missing AND p.lowest IS NOT NULL
    UNION ALL
    SELECT 'any', jsonb_build_object('criterion', t.alone, 'counting', 'once'), p.points, p.samples, p.converted
      FROM pieces p, texts t WHERE NOT p.missing AND (statistic = 'days_since_newest' AND p.highest IS NULL OR statistic = 'days_since_oldest' AND p.lowest IS NULL)
  )
  SELECT r.title, jsonb_build_object('within', suggested_rules.within) || r.definition, r.points, r.samples, r.converted FROM rules r WHERE r.points <> 0
$$;
COMMENT ON FUNCTION lead_scoring.suggested_rules(text, boolean, boolean, boolean, boolean, text, text, interval, text, jsonb) IS
  'The rules that give the points of the pieces of a feature, those of 0 points left out; titles say which values they are for. Days since the newest and the oldest event come in steps: each rule adds what the next piece has more';

CREATE FUNCTION lead_scoring.can_write(part name, definition jsonb, search_path text, meanings jsonb DEFAULT NULL) RETURNS boolean LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  written jsonb;
BEGIN
  BEGIN
    written := lead_scoring.write_definition(can_write.part, can_write.definition, can_write.search_path);
    RAISE EXCEPTION 'written' USING ERRCODE = 'triggered_action_exception', HINT = 'Caught below.';
  EXCEPTION
    WHEN triggered_action_exception THEN
      RETURN can_write.meanings IS NULL OR lead_scoring.expressions_of(written) = can_write.meanings;
    WHEN syntax_error_or_access_rule_violation OR data_exception OR invalid_schema_name THEN
      RETURN false;
  END;
END $$;
COMMENT ON FUNCTION lead_scoring.can_write(name, jsonb, text, jsonb) IS
  'Whether a row of a definition table can be written under a search path, and its expressions then mean what they should; nothing stays written';

CREATE FUNCTION lead_scoring.why_not_rules(feature lead_scoring.feature, of_events boolean, pieces jsonb) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE WHEN pieces IS NULL THEN 'the scorecard does not know it'
              WHEN NOT EXISTS (SELECT FROM jsonb_to_recordset(pieces) p (points double precision) WHERE p.points <> 0) THEN 'it matters too little'
              WHEN feature.statistic IN ('distinct', 'days_until_next') THEN format('a rule cannot look at %s', feature.statistic)
              WHEN feature.decay IS NOT NULL AND feature.statistic IN ('count', 'sum') THEN format('a rule cannot bound a %s that fades', feature.statistic)
              WHEN feature.statistic = 'value' AND of_events THEN 'a rule cannot look at the newest event only' END
$$;
COMMENT ON FUNCTION lead_scoring.why_not_rules(lead_scoring.feature, boolean, jsonb) IS 'Why a feature does not become rules (NULL: it does)';

CREATE FUNCTION lead_scoring.suggest_rules(
  model text, score text, as_of timestamptz DEFAULT now(), range double precision DEFAULT 100, search_path text DEFAULT current_setting('search_path'),
  OUT feature text, OUT action text, OUT rule text, OUT group_name text, OUT points double precision, OUT samples bigint, OUT converted bigint, OUT note text)
RETURNS SETOF record LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  parent lead_scoring.model;
  card record;
  item jsonb;
  given lead_scoring.feature;
  origin lead_scoring.source;
  relation name;
  written_by text;
  probe jsonb;
  is_boolean boolean;
  pieces jsonb;
  suggestion record;
BEGIN
  IF suggest_rules.score IS NULL OR suggest_rules.search_path IS NULL OR (suggest_rules.range > 0 AND suggest_rules.range <= 1e6) IS NOT TRUE THEN
    RAISE EXCEPTION 'score, search_path or range is not usable: %, %, %', coalesce(suggest_rules.score, 'NULL'), coalesce(suggest_rules.search_path, 'NULL'), coalesce(suggest_rules.range::text, 'NULL')
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Give the draft a name, and a range above 0 and at most 1,000,000 points.';
  END IF;
  parent := lead_scoring.require_model(suggest_rules.model);
  IF EXISTS (SELECT FROM lead_scoring.score s WHERE s.name = suggest_rules.score) THEN
    RAISE EXCEPTION 'score "%" exists', suggest_rules.score USING ERRCODE = 'duplicate_object', HINT = 'Give the draft a name of its own.';
  END IF;
  SELECT * INTO card FROM lead_scoring.scorecard_of(parent.name, suggest_rules.as_of);
  INSERT INTO lead_scoring.score (name, record_type, kind, description)
    VALUES (suggest_rules.score, parent.record_type, 'combined', format('Suggested by %s of model %s; look it through before you use it', card.origin, parent.name));
  INSERT INTO lead_scoring.score_group (score, name, kind) VALUES (suggest_rules.score, 'profile', 'fit'), (suggest_rules.score, 'activity', 'engagement');
  FOR item IN SELECT i.item FROM jsonb_array_elements(card.definition -> 'features') i (item) LOOP
    given := jsonb_populate_record(NULL::lead_scoring.feature, item - 'criterion_relation');
    origin := NULL;
    SELECT * INTO origin FROM lead_scoring.source o WHERE o.record_type = parent.record_type AND o.name = given.source;
    SELECT c.relname INTO relation FROM pg_class c
     WHERE c.oid = CASE WHEN given.source IS NULL THEN (SELECT t.relation FROM lead_scoring.record_type t WHERE t.name = parent.record_type) ELSE origin.relation END;
    SELECT jsonb_agg(to_jsonb(p) ORDER BY p.piece) INTO pieces FROM lead_scoring.scorecard_pieces(card.body, suggest_rules.range) p WHERE p.feature = given.name;
    feature := given.name;
    note := lead_scoring.why_not_rules(given, origin.occurred_at IS NOT NULL, pieces);
    IF note IS NOT NULL THEN
      action := 'left out';
      RETURN NEXT;
      CONTINUE;
    END IF;
    -- In the author's words if they still mean the same
    written_by := suggest_rules.search_path;
    IF NOT lead_scoring.can_write('feature', item || jsonb_build_object('model', parent.name, 'name', given.name || ' (to try)'), written_by, lead_scoring.expressions_of(item)) THEN
      written_by := 'pg_catalog, pg_temp';
      given.expression := lead_scoring.spelled_out(given.expression_resolved, relation);
      given.criterion := lead_scoring.spelled_out(given.criterion_resolved, relation);
    END IF;
    group_name := CASE WHEN origin.occurred_at IS NULL THEN 'profile' ELSE 'activity' END;
    probe := jsonb_build_object('score', suggest_rules.score, 'group_name', group_name, 'name', 'to try', 'source', given.source, 'points', 1, 'effect', 'add');
    is_boolean := given.statistic = 'value' AND lead_scoring.can_write('rule', probe || jsonb_build_object('criterion', format('(%s) IS TRUE', given.expression)), written_by);
    FOR suggestion IN
      SELECT s.* FROM lead_scoring.suggested_rules(given.statistic, given.source IS NOT NULL, origin.occurred_at IS NOT NULL, is_boolean, (pieces -> 0 ->> 'categorical')::boolean,
                                                   given.expression, coalesce(given.criterion, 'true'), given.within, quote_ident(origin.occurred_at), pieces) s
    LOOP
      action := 'written';
      rule := format('%s: %s', given.name, suggestion.title);
      points := suggestion.points;
      samples := suggestion.samples;
      converted := suggestion.converted;
      note := suggestion.definition ->> 'criterion';
      PERFORM lead_scoring.write_definition('rule', jsonb_strip_nulls(probe || suggestion.definition || jsonb_build_object('name', rule, 'points', points,
        'description', format('%s of %s finished cases with such a value converted', converted, samples))), written_by);
      RETURN NEXT;
    END LOOP;
    rule := NULL;
    group_name := NULL;
    points := NULL;
    samples := NULL;
    converted := NULL;
  END LOOP;
END $$;
COMMENT ON FUNCTION lead_scoring.suggest_rules(text, text, timestamptz, double precision, text) IS
  'Writes a draft score whose rules approximate the scorecard of a model: that of its champion or, if this is no scorecard or there is none, one that is trained for this on the facts known at as_of, which takes min_converted and min_unconverted finished cases. Points are whole, 0 being the average, scaled so that the best and the worst possible record are range points apart; bins with the same points share a rule, those of 0 points have none. A row for each rule (action written; note: its criterion; samples, converted: what became of the finished cases with such a value) and for each feature left out (note: why): what fades, counts different values, looks ahead or looks at the newest event only cannot be a rule. The draft is not switched on. Expressions are read under search_path where they mean the same, else written out. Takes the owner of the records. Raises 42710 for a score that exists, 22023 for a range out of 0 to 1,000,000';
