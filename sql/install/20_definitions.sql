-- Definitions are rows. No foreign keys between these tables: pg_restore loads them in any order and would leave
-- children empty; triggers (30_checks.sql and the files after it) check references instead.

CREATE TABLE lead_scoring.record_type (
  name               text PRIMARY KEY,
  relation           regclass NOT NULL,
  key_column         name NOT NULL,
  open_when          text,
  open_when_resolved text,
  relation_owner     name NOT NULL
);
COMMENT ON TABLE lead_scoring.record_type IS 'Kinds of records that can be scored: contacts, companies, deals';
COMMENT ON COLUMN lead_scoring.record_type.name IS 'Name of the record type';
COMMENT ON COLUMN lead_scoring.record_type.relation IS 'Table, partitioned table, view or foreign table that holds the records';
COMMENT ON COLUMN lead_scoring.record_type.key_column IS 'Column that identifies a record: smallint, integer, bigint, uuid, text or varchar, unique';
COMMENT ON COLUMN lead_scoring.record_type.open_when IS 'Expression over a record; the records for which it is true are still open: they can be in the priority queue and count for bands by capacity or share (NULL: all records)';
COMMENT ON COLUMN lead_scoring.record_type.open_when_resolved IS 'The same with every name resolved; set by the extension';
COMMENT ON COLUMN lead_scoring.record_type.relation_owner IS 'Owner of the relation when the row was written (name of the role); set by the extension. Expressions run with the rights of this role, and not at all once the relation has another owner';

CREATE TABLE lead_scoring.source (
  name                    text NOT NULL,
  record_type             text NOT NULL,
  relation                regclass NOT NULL,
  record_key              name NOT NULL,
  record_column           name,
  occurred_at             name,
  filter                  text,
  dedup_key               text,
  dedup_within            interval,
  through                 regclass,
  through_key             name,
  through_record          name,
  through_filter          text,
  filter_resolved         text,
  dedup_key_resolved      text,
  through_filter_resolved text,
  relation_owner          name NOT NULL,
  through_owner           name,
  PRIMARY KEY (record_type, name)
);
COMMENT ON TABLE lead_scoring.source IS 'Relations whose rows belong to records: events (they have a time) or related rows';
COMMENT ON COLUMN lead_scoring.source.name IS 'Name of the source, used by rules';
COMMENT ON COLUMN lead_scoring.source.record_type IS 'Record type that the rows belong to';
COMMENT ON COLUMN lead_scoring.source.relation IS 'Table, partitioned table, view or foreign table that holds the rows';
COMMENT ON COLUMN lead_scoring.source.record_key IS 'Column of the relation that names the record, or equals through_key of a row of through; rows where it is NULL belong to nobody';
COMMENT ON COLUMN lead_scoring.source.record_column IS 'Column of the record that record_key (or through_record) equals (NULL: the key of the record type)';
COMMENT ON COLUMN lead_scoring.source.occurred_at IS 'Column with the time of the event, timestamp with time zone (NULL: the rows are related rows, without a time)';
COMMENT ON COLUMN lead_scoring.source.filter IS 'Expression over a row; rows for which it is not true do not exist for any rule (NULL: all rows)';
COMMENT ON COLUMN lead_scoring.source.dedup_key IS 'Expression over a row of events; an event is dropped if an earlier one of the same record that was kept has the same value and is less than dedup_within older. Where it is NULL, events are never dropped (NULL: no comparison, all events of a record are spaced by dedup_within)';
COMMENT ON COLUMN lead_scoring.source.dedup_within IS 'How close two events of one dedup_key are so that the later is dropped (NULL: however far apart)';
COMMENT ON COLUMN lead_scoring.source.through IS 'Relation between the rows and the records, as contacts are between activities and companies: a row belongs to every record that a linked row names, once each (NULL: record_key names the record)';
COMMENT ON COLUMN lead_scoring.source.through_key IS 'Column of through that record_key equals';
COMMENT ON COLUMN lead_scoring.source.through_record IS 'Column of through that names the record';
COMMENT ON COLUMN lead_scoring.source.through_filter IS 'Expression over a row of through; rows for which it is not true link nothing (NULL: all rows link)';
COMMENT ON COLUMN lead_scoring.source.filter_resolved IS 'The filter with every name resolved; set by the extension';
COMMENT ON COLUMN lead_scoring.source.dedup_key_resolved IS 'The key of duplicates with every name resolved; set by the extension';
COMMENT ON COLUMN lead_scoring.source.through_filter_resolved IS 'The filter of through with every name resolved; set by the extension';
COMMENT ON COLUMN lead_scoring.source.relation_owner IS 'Owner of the relation when the row was written (name of the role); set by the extension';
COMMENT ON COLUMN lead_scoring.source.through_owner IS 'Owner of through when the row was written (name of the role); set by the extension';

CREATE TABLE lead_scoring.score (
  name             text PRIMARY KEY,
  record_type      text NOT NULL,
  kind             text NOT NULL DEFAULT 'combined' CHECK (kind IN ('fit', 'engagement', 'combined', 'likelihood')),
  model            text CHECK ((kind = 'likelihood') = (model IS NOT NULL)),
  min_points       double precision,
  max_points       double precision,
  adjustment_share double precision,
  dormant_after    interval DEFAULT '90 days',
  mode             text NOT NULL DEFAULT 'sync' CHECK (mode IN ('sync', 'queued')),
  history          text NOT NULL DEFAULT 'values' CHECK (history IN ('none', 'values', 'explained')),
  keep_history     interval,
  announce_rule_changes boolean NOT NULL DEFAULT false,
  status           text NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'active')),
  draft_of         text,
  target           regclass,
  description      text
);
COMMENT ON TABLE lead_scoring.score IS 'Scores: each belongs to one record type';
COMMENT ON COLUMN lead_scoring.score.name IS 'Name of the score and of its column; at most 52 bytes';
COMMENT ON COLUMN lead_scoring.score.record_type IS 'Record type that is scored';
COMMENT ON COLUMN lead_scoring.score.kind IS 'fit (who the record is), engagement (what it did), combined (both) or likelihood (how likely it is to convert, in per cent, by a model)';
COMMENT ON COLUMN lead_scoring.score.model IS 'Model of the same record type whose champion gives a score of kind likelihood; NULL for other kinds';
COMMENT ON COLUMN lead_scoring.score.min_points IS 'Lower limit of the total, in points (NULL: none)';
COMMENT ON COLUMN lead_scoring.score.max_points IS 'Upper limit of the total, in points (NULL: none)';
COMMENT ON COLUMN lead_scoring.score.adjustment_share IS 'Share of the range from min_points to max_points that points by hand can move the total up or down, 0 to 1 (NULL: no limit)';
COMMENT ON COLUMN lead_scoring.score.dormant_after IS 'A record whose newest event is at least this old is dormant and leaves the priority queue; its points stay (NULL: never). A month is 30 days, a year 360 days';
COMMENT ON COLUMN lead_scoring.score.mode IS 'sync (the columns are current when the statement that changed a fact ends) or queued (soon after, by a worker or a scheduler)';
COMMENT ON COLUMN lead_scoring.score.history IS 'What score_history keeps of each change: none, values, or explained (values and explanation)';
COMMENT ON COLUMN lead_scoring.score.keep_history IS 'How long changes are kept; maintain_history() deletes older ones (NULL: for ever). A month is 30 days, a year 360 days';
COMMENT ON COLUMN lead_scoring.score.announce_rule_changes IS 'Whether changes that come from editing the definition or from activating it go into score_change, too';
COMMENT ON COLUMN lead_scoring.score.status IS 'draft, or active between activate() and deactivate()';
COMMENT ON COLUMN lead_scoring.score.draft_of IS 'Score of the same record type that this one is meant to replace (NULL: none)';
COMMENT ON COLUMN lead_scoring.score.target IS 'Table with the same key column that gets the score columns (NULL: the record''s own relation)';
COMMENT ON COLUMN lead_scoring.score.description IS 'What the score is for';

CREATE TABLE lead_scoring.scope (
  scope_id           bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  score              text NOT NULL,
  mode               text NOT NULL CHECK (mode IN ('include', 'exclude')),
  source             text,
  criterion          text NOT NULL DEFAULT 'true',
  criterion_resolved text,
  criterion_relation regclass,
  criterion_owner    name
);
COMMENT ON TABLE lead_scoring.scope IS 'Who is scored: everybody, or those whom an include row matches; never those whom an exclude row matches. Out of scope the score is NULL';
COMMENT ON COLUMN lead_scoring.scope.scope_id IS 'Number of the row';
COMMENT ON COLUMN lead_scoring.scope.score IS 'Score';
COMMENT ON COLUMN lead_scoring.scope.mode IS 'include or exclude';
COMMENT ON COLUMN lead_scoring.scope.source IS 'Source of which a row must match (NULL: the record itself must match)';
COMMENT ON COLUMN lead_scoring.scope.criterion IS 'Expression over a row of the source or over the record';
COMMENT ON COLUMN lead_scoring.scope.criterion_resolved IS 'The criterion with every name resolved; set by the extension';
COMMENT ON COLUMN lead_scoring.scope.criterion_relation IS 'Relation that the criterion was written for; set by the extension. It is evaluated over no other';
COMMENT ON COLUMN lead_scoring.scope.criterion_owner IS 'Owner of that relation when the criterion was written (name of the role); set by the extension. It is evaluated for no other';

CREATE TABLE lead_scoring.score_group (
  score       text NOT NULL,
  name        text NOT NULL,
  kind        text NOT NULL CHECK (kind IN ('fit', 'engagement')),
  min_points  double precision,
  max_points  double precision,
  weight      double precision,
  decay       lead_scoring.decay,
  decay_after interval,
  PRIMARY KEY (score, name)
);
COMMENT ON TABLE lead_scoring.score_group IS 'Groups of rules that share limits, a weight and a decay; the groups of a score add up';
COMMENT ON COLUMN lead_scoring.score_group.score IS 'Score';
COMMENT ON COLUMN lead_scoring.score_group.name IS 'Name of the group';
COMMENT ON COLUMN lead_scoring.score_group.kind IS 'fit or engagement (NULL on insert: the kind of a score that is not combined)';
COMMENT ON COLUMN lead_scoring.score_group.min_points IS 'Lower limit of the sum of its rules, in points (NULL: none)';
COMMENT ON COLUMN lead_scoring.score_group.max_points IS 'Upper limit of the sum of its rules, in points (NULL: none)';
COMMENT ON COLUMN lead_scoring.score_group.weight IS 'Factor of the limited sum of its rules, 0 to 1,000,000 (NULL: 1)';
COMMENT ON COLUMN lead_scoring.score_group.decay IS 'How the points of its events fade with age (NULL: they do not); engagement groups only';
COMMENT ON COLUMN lead_scoring.score_group.decay_after IS 'With this, all points of the group fade together by the time in which the record has been quiet: full points until its newest event is so old, then the decay of the time since (NULL: each event fades by its own age)';

CREATE TABLE lead_scoring.segment_decay (
  score              text NOT NULL,
  group_name         text NOT NULL,
  segment            text NOT NULL,
  decay              lead_scoring.decay,
  decay_after        interval,
  segment_resolved   text,
  criterion_relation regclass,
  criterion_owner    name,
  PRIMARY KEY (score, group_name, segment)
);
COMMENT ON TABLE lead_scoring.segment_decay IS 'Other decays of a group for some of the records, as for industries with a longer cycle. The first segment that holds counts, in byte order of its text';
COMMENT ON COLUMN lead_scoring.segment_decay.score IS 'Score';
COMMENT ON COLUMN lead_scoring.segment_decay.group_name IS 'Engagement group of the score';
COMMENT ON COLUMN lead_scoring.segment_decay.segment IS 'Expression over a record: which records the row is for';
COMMENT ON COLUMN lead_scoring.segment_decay.decay IS 'Decay in place of the group''s (NULL: none)';
COMMENT ON COLUMN lead_scoring.segment_decay.decay_after IS 'Quiet time in place of the group''s decay_after (NULL: each event fades by its own age)';
COMMENT ON COLUMN lead_scoring.segment_decay.segment_resolved IS 'The segment with every name resolved; set by the extension';
COMMENT ON COLUMN lead_scoring.segment_decay.criterion_relation IS 'Relation that the segment was written for; set by the extension. It is evaluated over no other';
COMMENT ON COLUMN lead_scoring.segment_decay.criterion_owner IS 'Owner of that relation when the segment was written (name of the role); set by the extension. It is evaluated for no other';

CREATE TABLE lead_scoring.event_factor (
  score              text NOT NULL,
  name               text NOT NULL,
  source             text NOT NULL,
  criterion          text NOT NULL DEFAULT 'true',
  factor             double precision NOT NULL,
  since              timestamptz,
  until              timestamptz,
  valid_from         timestamptz,
  valid_to           timestamptz,
  description        text,
  criterion_resolved text,
  criterion_relation regclass,
  criterion_owner    name,
  PRIMARY KEY (score, name)
);
COMMENT ON TABLE lead_scoring.event_factor IS 'Factors of what single events pay in rules that count each: campaigns, trade fairs, seasons';
COMMENT ON COLUMN lead_scoring.event_factor.score IS 'Score';
COMMENT ON COLUMN lead_scoring.event_factor.name IS 'Name of the factor';
COMMENT ON COLUMN lead_scoring.event_factor.source IS 'Source of the events';
COMMENT ON COLUMN lead_scoring.event_factor.criterion IS 'Expression over an event: which events the factor is for';
COMMENT ON COLUMN lead_scoring.event_factor.factor IS 'Factor of what such an event pays, 0 to 1,000,000; several factors of one event multiply';
COMMENT ON COLUMN lead_scoring.event_factor.since IS 'Only for events at or after this instant';
COMMENT ON COLUMN lead_scoring.event_factor.until IS 'Only for events before this instant';
COMMENT ON COLUMN lead_scoring.event_factor.valid_from IS 'First as_of at which the factor is in force (NULL: always was)';
COMMENT ON COLUMN lead_scoring.event_factor.valid_to IS 'First as_of at which the factor is no longer in force (NULL: never ends)';
COMMENT ON COLUMN lead_scoring.event_factor.description IS 'What the factor is for';
COMMENT ON COLUMN lead_scoring.event_factor.criterion_resolved IS 'The criterion with every name resolved; set by the extension';
COMMENT ON COLUMN lead_scoring.event_factor.criterion_relation IS 'Relation that the criterion was written for; set by the extension. It is evaluated over no other';
COMMENT ON COLUMN lead_scoring.event_factor.criterion_owner IS 'Owner of that relation when the criterion was written (name of the role); set by the extension. It is evaluated for no other';

CREATE TABLE lead_scoring.rule (
  score                text NOT NULL,
  name                 text NOT NULL,
  group_name           text NOT NULL,
  source               text,
  criterion            text NOT NULL DEFAULT 'true',
  points               double precision NOT NULL,
  counting             text NOT NULL CHECK (counting IN ('each', 'once', 'quiet')),
  value                text,
  rollup               text NOT NULL DEFAULT 'sum' CHECK (rollup IN ('sum', 'avg', 'min', 'max')),
  at_least             double precision,
  at_most              double precision,
  max_times            integer,
  max_times_per        interval,
  every_n              integer,
  followed_by          text,
  followed_within      interval,
  within               interval,
  since                timestamptz,
  until                timestamptz,
  effect               text NOT NULL DEFAULT 'add' CHECK (effect IN ('add', 'multiply')),
  multiplies           text CHECK (multiplies IN ('group', 'fit', 'engagement', 'total')),
  valid_from           timestamptz,
  valid_to             timestamptz,
  enabled              boolean NOT NULL DEFAULT true,
  description          text,
  criterion_resolved   text,
  value_resolved       text,
  followed_by_resolved text,
  criterion_relation   regclass,
  criterion_owner      name,
  PRIMARY KEY (score, name)
);
COMMENT ON TABLE lead_scoring.rule IS 'Rules: a criterion and its points';
COMMENT ON COLUMN lead_scoring.rule.score IS 'Score';
COMMENT ON COLUMN lead_scoring.rule.name IS 'Name of the rule';
COMMENT ON COLUMN lead_scoring.rule.group_name IS 'Group of the score: property rules and rules over related rows go into fit groups, event rules into engagement groups';
COMMENT ON COLUMN lead_scoring.rule.source IS 'Source of the rows that the criterion looks at (NULL: the record itself)';
COMMENT ON COLUMN lead_scoring.rule.criterion IS 'SQL expression over one row, plus the pseudo-column as_of; immutable or stable functions, no subqueries, no aggregates';
COMMENT ON COLUMN lead_scoring.rule.points IS 'Points to add (or subtract, if negative), between -1,000,000,000 and 1,000,000,000; with effect = multiply the factor, 0 to 1,000,000';
COMMENT ON COLUMN lead_scoring.rule.counting IS 'each: pays for every matching event, or points times the value; once: pays once if the number of matching rows (or the rollup of their values) lies within at_least and at_most; quiet: pays for every full within since the newest matching event (NULL on insert: each for event rules, once for others and for multipliers)';
COMMENT ON COLUMN lead_scoring.rule.value IS 'Numeric expression over one row; a row for which it is NULL does not match (NULL: rows are counted)';
COMMENT ON COLUMN lead_scoring.rule.rollup IS 'How the values of several rows come together: sum, avg, min or max';
COMMENT ON COLUMN lead_scoring.rule.at_least IS 'Lowest number of matching rows, or lowest rollup of their values, for which counting = once pays (NULL: no bound; if at_most is NULL too, one matching row)';
COMMENT ON COLUMN lead_scoring.rule.at_most IS 'Highest number of matching rows, or highest rollup of their values, for which counting = once pays (NULL: no bound)';
COMMENT ON COLUMN lead_scoring.rule.max_times IS 'At most so many matches count, the newest ones; of a quiet rule, at most so many periods (NULL: all)';
COMMENT ON COLUMN lead_scoring.rule.max_times_per IS 'max_times holds in each interval of this length, counted from Monday 2000-01-03 00:00 UTC: 1 day is a day in UTC, 7 days a week from Monday (NULL: in all time)';
COMMENT ON COLUMN lead_scoring.rule.every_n IS 'Pays once for each full so many matches (NULL: for each match)';
COMMENT ON COLUMN lead_scoring.rule.followed_by IS 'Expression over one row: a match is an event that satisfies criterion, then one of the same source that satisfies this, at most followed_within later; it has the time of the later (NULL: events match by themselves)';
COMMENT ON COLUMN lead_scoring.rule.followed_within IS 'Longest time between the two events of a match';
COMMENT ON COLUMN lead_scoring.rule.within IS 'Only events of the last so much time count: as_of - within <= time <= as_of; the period of a quiet rule. A month is 30 days, a year 360 days';
COMMENT ON COLUMN lead_scoring.rule.since IS 'Only events at or after this instant count';
COMMENT ON COLUMN lead_scoring.rule.until IS 'Only events before this instant count';
COMMENT ON COLUMN lead_scoring.rule.effect IS 'add: adds points; multiply: multiplies by points, once, if the rule matches. A factor above 1 leaves a value that is not positive as it is';
COMMENT ON COLUMN lead_scoring.rule.multiplies IS 'What a multiplier multiplies: group (the rule''s own), fit, engagement or total (NULL on insert: group); NULL for rules that add';
COMMENT ON COLUMN lead_scoring.rule.valid_from IS 'First as_of at which the rule is in force (NULL: always was)';
COMMENT ON COLUMN lead_scoring.rule.valid_to IS 'First as_of at which the rule is no longer in force (NULL: never ends)';
COMMENT ON COLUMN lead_scoring.rule.enabled IS 'false: the rule pays nothing';
COMMENT ON COLUMN lead_scoring.rule.description IS 'What the rule is for';
COMMENT ON COLUMN lead_scoring.rule.criterion_resolved IS 'The criterion with every name resolved; set by the extension';
COMMENT ON COLUMN lead_scoring.rule.value_resolved IS 'The value with every name resolved; set by the extension';
COMMENT ON COLUMN lead_scoring.rule.followed_by_resolved IS 'The second criterion with every name resolved; set by the extension';
COMMENT ON COLUMN lead_scoring.rule.criterion_relation IS 'Relation that the expressions were written for; set by the extension. They are evaluated over no other';
COMMENT ON COLUMN lead_scoring.rule.criterion_owner IS 'Owner of that relation when the expressions were written (name of the role); set by the extension. They are evaluated for no other';

CREATE TABLE lead_scoring.band (
  score              text NOT NULL,
  part               text NOT NULL DEFAULT 'total' CHECK (part IN ('total', 'fit', 'engagement')),
  segment            text NOT NULL DEFAULT 'true',
  label              text NOT NULL,
  lower_bound        double precision,
  top_share          double precision,
  capacity           integer,
  color              text,
  action             text,
  margin             double precision,
  dwell              interval,
  segment_resolved   text,
  criterion_relation regclass,
  criterion_owner    name,
  PRIMARY KEY (score, part, segment, label)
);
CREATE UNIQUE INDEX band_lower_bound ON lead_scoring.band (score, part, segment, (coalesce(lower_bound, '-infinity')))
  WHERE top_share IS NULL AND capacity IS NULL;
CREATE UNIQUE INDEX band_top_share ON lead_scoring.band (score, part, segment, top_share) WHERE top_share IS NOT NULL;
CREATE UNIQUE INDEX band_capacity ON lead_scoring.band (score, part, segment, capacity) WHERE capacity IS NOT NULL;
COMMENT ON TABLE lead_scoring.band IS 'Bands: labels for ranges of values, or for the best records. They are tried by capacity and then top_share, smallest first, then by lower_bound, highest first; a value belongs to the first that it reaches';
COMMENT ON COLUMN lead_scoring.band.score IS 'Score';
COMMENT ON COLUMN lead_scoring.band.part IS 'Value that is labelled: total, fit or engagement. With bands for fit and engagement the score''s label is both, as in A1';
COMMENT ON COLUMN lead_scoring.band.segment IS 'Expression over a record: which records the band is for. The first segment that holds counts, in byte order of its text, and true for all others';
COMMENT ON COLUMN lead_scoring.band.label IS 'Label';
COMMENT ON COLUMN lead_scoring.band.lower_bound IS 'Lowest value of the band, in points, compared with the stored value (NULL: any; without capacity and top_share, all that no other band takes)';
COMMENT ON COLUMN lead_scoring.band.top_share IS 'The band is for this share of the open records of the segment that are in scope, the best ones: above 0, at most 1 (NULL: no such limit)';
COMMENT ON COLUMN lead_scoring.band.capacity IS 'The band is for so many open records of the segment that are in scope, the best ones (NULL: no such limit)';
COMMENT ON COLUMN lead_scoring.band.color IS 'Colour for displays';
COMMENT ON COLUMN lead_scoring.band.action IS 'What to do with records in this band';
COMMENT ON COLUMN lead_scoring.band.margin IS 'How many points beyond lower_bound, up or down, the value must be before the change of label is announced (NULL: 0). The label itself changes at once';
COMMENT ON COLUMN lead_scoring.band.dwell IS 'How long the label stands at least, once announced, before another is announced (NULL: no time). A month is 30 days, a year 360 days';
COMMENT ON COLUMN lead_scoring.band.segment_resolved IS 'The segment with every name resolved; set by the extension';
COMMENT ON COLUMN lead_scoring.band.criterion_relation IS 'Relation that the segment was written for; set by the extension. It is evaluated over no other';
COMMENT ON COLUMN lead_scoring.band.criterion_owner IS 'Owner of that relation when the segment was written (name of the role); set by the extension. It is evaluated for no other';

CREATE TABLE lead_scoring.alert (
  score       text NOT NULL,
  name        text NOT NULL,
  part        text NOT NULL DEFAULT 'total' CHECK (part IN ('total', 'fit', 'engagement', 'label')),
  above       double precision,
  at_least    double precision,
  label       text,
  margin      double precision,
  description text,
  PRIMARY KEY (score, name)
);
COMMENT ON TABLE lead_scoring.alert IS 'Values and labels whose arrival is written into score_change: one of above, at_least and label';
COMMENT ON COLUMN lead_scoring.alert.score IS 'Score';
COMMENT ON COLUMN lead_scoring.alert.name IS 'Name of the alert';
COMMENT ON COLUMN lead_scoring.alert.part IS 'Value that is watched: total, fit or engagement; label for an alert on a label';
COMMENT ON COLUMN lead_scoring.alert.above IS 'Alerts when the value becomes greater than this, and was not (no value is not)';
COMMENT ON COLUMN lead_scoring.alert.at_least IS 'Alerts when the value becomes this or greater, and was not';
COMMENT ON COLUMN lead_scoring.alert.label IS 'Alerts when the label of the score (column <score>_label) becomes this';
COMMENT ON COLUMN lead_scoring.alert.margin IS 'Having alerted, how many points below the threshold the value must fall before the alert can be given again (NULL: 0)';
COMMENT ON COLUMN lead_scoring.alert.description IS 'What the alert is for';

CREATE TABLE lead_scoring.adjustment (
  adjustment_id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  score         text NOT NULL,
  record_key    text NOT NULL,
  points        double precision NOT NULL,
  reason        text,
  author        name NOT NULL DEFAULT current_user,
  created_at    timestamptz NOT NULL DEFAULT now(),
  expires_at    timestamptz
);
CREATE INDEX adjustment_record ON lead_scoring.adjustment (score, record_key);
COMMENT ON TABLE lead_scoring.adjustment IS 'Points that people give or take by hand; added to the groups before the total''s limits';
COMMENT ON COLUMN lead_scoring.adjustment.adjustment_id IS 'Number of the adjustment';
COMMENT ON COLUMN lead_scoring.adjustment.score IS 'Score';
COMMENT ON COLUMN lead_scoring.adjustment.record_key IS 'Key of the record, as text';
COMMENT ON COLUMN lead_scoring.adjustment.points IS 'Points to add (or subtract, if negative)';
COMMENT ON COLUMN lead_scoring.adjustment.reason IS 'Why';
COMMENT ON COLUMN lead_scoring.adjustment.author IS 'Who';
COMMENT ON COLUMN lead_scoring.adjustment.created_at IS 'First instant at which it counts';
COMMENT ON COLUMN lead_scoring.adjustment.expires_at IS 'First instant at which it no longer counts (NULL: it does not expire)';

CREATE TABLE lead_scoring.engagement_reset (
  reset_id   bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  score      text NOT NULL,
  record_key text NOT NULL,
  at         timestamptz NOT NULL DEFAULT now(),
  reason     text,
  author     name NOT NULL DEFAULT current_user,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX engagement_reset_record ON lead_scoring.engagement_reset (score, record_key);
COMMENT ON TABLE lead_scoring.engagement_reset IS 'New beginnings by hand: what a record did before does not count any more. Deleting the row undoes it';
COMMENT ON COLUMN lead_scoring.engagement_reset.reset_id IS 'Number of the reset';
COMMENT ON COLUMN lead_scoring.engagement_reset.score IS 'Score';
COMMENT ON COLUMN lead_scoring.engagement_reset.record_key IS 'Key of the record, as text';
COMMENT ON COLUMN lead_scoring.engagement_reset.at IS 'From this as_of on, events of the record before it do not exist for the score';
COMMENT ON COLUMN lead_scoring.engagement_reset.reason IS 'Why';
COMMENT ON COLUMN lead_scoring.engagement_reset.author IS 'Who';
COMMENT ON COLUMN lead_scoring.engagement_reset.created_at IS 'When it was written';

SELECT pg_extension_config_dump('lead_scoring.record_type', '');
SELECT pg_extension_config_dump('lead_scoring.source', '');
SELECT pg_extension_config_dump('lead_scoring.score', '');
SELECT pg_extension_config_dump('lead_scoring.scope', '');
SELECT pg_extension_config_dump('lead_scoring.scope_scope_id_seq', '');
SELECT pg_extension_config_dump('lead_scoring.score_group', '');
SELECT pg_extension_config_dump('lead_scoring.segment_decay', '');
SELECT pg_extension_config_dump('lead_scoring.event_factor', '');
SELECT pg_extension_config_dump('lead_scoring.rule', '');
SELECT pg_extension_config_dump('lead_scoring.band', '');
SELECT pg_extension_config_dump('lead_scoring.alert', '');
SELECT pg_extension_config_dump('lead_scoring.adjustment', '');
SELECT pg_extension_config_dump('lead_scoring.adjustment_adjustment_id_seq', '');
SELECT pg_extension_config_dump('lead_scoring.engagement_reset', '');
SELECT pg_extension_config_dump('lead_scoring.engagement_reset_reset_id_seq', '');
