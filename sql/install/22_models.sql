-- Models: what is predicted, from what, and what training made of it. As in 20_definitions.sql, no foreign keys.

CREATE TABLE lead_scoring.model (
  name                   text PRIMARY KEY,
  record_type            text NOT NULL,
  outcome                text NOT NULL,
  horizon                interval NOT NULL DEFAULT '90 days',
  snapshot_at            text,
  snapshot_every         interval NOT NULL DEFAULT '30 days',
  snapshots              integer NOT NULL DEFAULT 12 CHECK (snapshots BETWEEN 1 AND 1000),
  observed_from          text,
  customer_when          text,
  closed_at              text,
  fold                   text,
  algorithm              text NOT NULL DEFAULT 'auto' CHECK (algorithm IN ('auto', 'scorecard', 'boosted_trees')),
  parameters             jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(parameters) = 'object'),
  segment                text,
  min_converted          integer NOT NULL DEFAULT 25 CHECK (min_converted >= 1),
  min_unconverted        integer NOT NULL DEFAULT 25 CHECK (min_unconverted >= 1),
  folds                  integer NOT NULL DEFAULT 5 CHECK (folds BETWEEN 2 AND 100),
  seed                   bigint NOT NULL DEFAULT 1,
  retrain_every          interval DEFAULT '15 days',
  publish_at_least       double precision NOT NULL DEFAULT 0.95 CHECK (publish_at_least BETWEEN 0 AND 10),
  replace_after          interval DEFAULT '90 days',
  keep_versions          integer DEFAULT 10 CHECK (keep_versions >= 0),
  description            text,
  outcome_resolved       text,
  snapshot_at_resolved   text,
  observed_from_resolved text,
  customer_when_resolved text,
  closed_at_resolved     text,
  fold_resolved          text,
  segment_resolved       text,
  criterion_relation     regclass,
  criterion_owner        name
);
COMMENT ON TABLE lead_scoring.model IS 'Models: how likely a record is to convert. A row and its features say what the next training looks at; versions that are there stay as they were trained, whatever is edited';
COMMENT ON COLUMN lead_scoring.model.name IS 'Name of the model';
COMMENT ON COLUMN lead_scoring.model.record_type IS 'Record type that is predicted';
COMMENT ON COLUMN lead_scoring.model.outcome IS 'What is predicted, an expression over a record: timestamp with time zone, when it converted (NULL: not yet), or boolean, whether it did (NULL: not finished)';
COMMENT ON COLUMN lead_scoring.model.horizon IS 'With an outcome that is an instant: the record converts if that is later than the snapshot and at most this much later. Records that have been observed for less are left out, whatever came until then. A month is 30 days, a year 360 days';
COMMENT ON COLUMN lead_scoring.model.snapshot_at IS 'Timestamp with time zone over a record: the one instant as of which its features are taken, such as its entry into the first stage (NULL: snapshots at regular instants; with a boolean outcome, the instant of the training)';
COMMENT ON COLUMN lead_scoring.model.snapshot_every IS 'Time between two snapshots. A month is 30 days, a year 360 days; of no meaning with snapshot_at or a boolean outcome';
COMMENT ON COLUMN lead_scoring.model.snapshots IS 'How many snapshots, 1 to 1000; the newest is a horizon before the instant of the training. Of no meaning with snapshot_at or a boolean outcome';
COMMENT ON COLUMN lead_scoring.model.observed_from IS 'Timestamp with time zone over a record: since when there is something to be known of it; snapshots before that leave it out (NULL: since ever)';
COMMENT ON COLUMN lead_scoring.model.customer_when IS 'Condition over a record: it is a customer, and no likelihood is given (NULL: once it has converted)';
COMMENT ON COLUMN lead_scoring.model.closed_at IS 'Timestamp with time zone over a record: when it was closed; with this, only customers that have such an instant count as Closed Won (NULL: all customers do)';
COMMENT ON COLUMN lead_scoring.model.fold IS 'Whole number over a record: records with the same number are held out together when models are judged (NULL: folds by a hash of the key and the seed)';
COMMENT ON COLUMN lead_scoring.model.algorithm IS 'scorecard, boosted_trees, or auto: both are trained, and that with the higher AUC on records held out is taken';
COMMENT ON COLUMN lead_scoring.model.parameters IS 'Settings of the learners, as a JSON object: bins, l2 and min_category of the scorecard; trees, depth, learning_rate, subsample, colsample, min_child_weight, lambda and threads of the boosted trees; margin of both. model_parameters() tells what they mean';
COMMENT ON COLUMN lead_scoring.model.segment IS 'Text over a record: each value with enough records gets a model of its own, all others that of all records (NULL: one model for all)';
COMMENT ON COLUMN lead_scoring.model.min_converted IS 'Training takes at least so many records that converted';
COMMENT ON COLUMN lead_scoring.model.min_unconverted IS 'Training takes at least so many records that did not convert';
COMMENT ON COLUMN lead_scoring.model.folds IS 'Parts of which each is held out once when models are judged, 2 to 100; of no meaning with fold';
COMMENT ON COLUMN lead_scoring.model.seed IS 'Beginning of all that is random; the same seed, definition and data give the same model';
COMMENT ON COLUMN lead_scoring.model.retrain_every IS 'How old the newest version may become before it is time to train again (NULL: never by itself). A month is 30 days, a year 360 days';
COMMENT ON COLUMN lead_scoring.model.publish_at_least IS 'A version that was trained by itself is published if its accuracy and its AUC are at least this share of the champion''s, 0 to 10';
COMMENT ON COLUMN lead_scoring.model.replace_after IS 'A champion that was trained longer ago than this is replaced whatever the quality of the new version, unless that is unknown (NULL: never). A month is 30 days, a year 360 days';
COMMENT ON COLUMN lead_scoring.model.keep_versions IS 'How many versions prune_versions() leaves besides the champion, the newest ones (NULL: all)';
COMMENT ON COLUMN lead_scoring.model.description IS 'What the model is for';
COMMENT ON COLUMN lead_scoring.model.outcome_resolved IS 'The outcome with every name resolved; set by the extension';
COMMENT ON COLUMN lead_scoring.model.snapshot_at_resolved IS 'snapshot_at with every name resolved; set by the extension';
COMMENT ON COLUMN lead_scoring.model.observed_from_resolved IS 'observed_from with every name resolved; set by the extension';
COMMENT ON COLUMN lead_scoring.model.customer_when_resolved IS 'customer_when with every name resolved; set by the extension';
COMMENT ON COLUMN lead_scoring.model.closed_at_resolved IS 'closed_at with every name resolved; set by the extension';
COMMENT ON COLUMN lead_scoring.model.fold_resolved IS 'The fold with every name resolved; set by the extension';
COMMENT ON COLUMN lead_scoring.model.segment_resolved IS 'The segment with every name resolved; set by the extension';
COMMENT ON COLUMN lead_scoring.model.criterion_relation IS 'Relation that the expressions were written for; set by the extension. They are evaluated over no other';
COMMENT ON COLUMN lead_scoring.model.criterion_owner IS 'Owner of that relation when the expressions were written (name of the role); set by the extension. They are evaluated for no other';

CREATE TABLE lead_scoring.feature (
  model               text NOT NULL,
  name                text NOT NULL,
  source              text,
  statistic           text NOT NULL DEFAULT 'value' CHECK (statistic IN (
                        'value', 'has_value', 'days_since', 'days_until',
                        'count', 'has_any', 'sum', 'average', 'minimum', 'maximum', 'distinct',
                        'days_since_newest', 'days_since_oldest', 'days_until_next')),
  expression          text,
  criterion           text NOT NULL DEFAULT 'true',
  within              interval,
  decay               lead_scoring.decay,
  known_at            text,
  enabled             boolean NOT NULL DEFAULT true,
  description         text,
  expression_resolved text,
  criterion_resolved  text,
  known_at_resolved   text,
  criterion_relation  regclass,
  criterion_owner     name,
  PRIMARY KEY (model, name)
);
COMMENT ON TABLE lead_scoring.feature IS 'Features: what a model learns from, about a record or the rows of a source, as of a snapshot. Events later than the snapshot do not exist for it';
COMMENT ON COLUMN lead_scoring.feature.model IS 'Model';
COMMENT ON COLUMN lead_scoring.feature.name IS 'Name of the feature';
COMMENT ON COLUMN lead_scoring.feature.source IS 'Source of the rows (NULL: the record itself). Rows without a time are taken as they are now, also for snapshots that lie back';
COMMENT ON COLUMN lead_scoring.feature.statistic IS 'Of the record: value, has_value, days_since, days_until (of the instant that the expression gives). Of rows: value (of the newest row, NULL if it has none; of rows without a time, and of the same time, the greatest), count, has_any, sum, average, minimum, maximum, distinct (how many different values), days_since_newest, days_since_oldest, days_until_next (of the next event that was known at the snapshot)';
COMMENT ON COLUMN lead_scoring.feature.expression IS 'Expression over the record or a row: for value a number, boolean, text or enum; for sum, average, minimum and maximum a number; for days_since and days_until an instant or date (midnight UTC); for distinct and has_value anything. A row for which it is NULL is passed over, but by value if it is the newest. NULL for count, has_any and the days of events';
COMMENT ON COLUMN lead_scoring.feature.criterion IS 'Condition over a row of the source: which rows count; true without a source';
COMMENT ON COLUMN lead_scoring.feature.within IS 'Only events of the last so much time before the snapshot count (NULL: all). A month is 30 days, a year 360 days';
COMMENT ON COLUMN lead_scoring.feature.decay IS 'How what an event adds to count or sum fades with its age at the snapshot (NULL: it does not)';
COMMENT ON COLUMN lead_scoring.feature.known_at IS 'Timestamp with time zone over a row, for days_until_next: since when the event was known, as when a meeting was put into the calendar. Events known only after the snapshot do not exist for it';
COMMENT ON COLUMN lead_scoring.feature.enabled IS 'false: the next training does without it';
COMMENT ON COLUMN lead_scoring.feature.description IS 'What the feature says';
COMMENT ON COLUMN lead_scoring.feature.expression_resolved IS 'The expression with every name resolved; set by the extension';
COMMENT ON COLUMN lead_scoring.feature.criterion_resolved IS 'The criterion with every name resolved; set by the extension';
COMMENT ON COLUMN lead_scoring.feature.known_at_resolved IS 'known_at with every name resolved; set by the extension';
COMMENT ON COLUMN lead_scoring.feature.criterion_relation IS 'Relation that the expressions were written for; set by the extension. They are evaluated over no other';
COMMENT ON COLUMN lead_scoring.feature.criterion_owner IS 'Owner of that relation when the expressions were written (name of the role); set by the extension. They are evaluated for no other';

CREATE TABLE lead_scoring.model_version (
  model             text NOT NULL,
  version           integer NOT NULL CHECK (version >= 1),
  status            text NOT NULL DEFAULT 'challenger' CHECK (status IN ('champion', 'challenger', 'retired')),
  algorithm         text NOT NULL CHECK (algorithm IN ('scorecard', 'boosted_trees')),
  trained_at        timestamptz NOT NULL DEFAULT now(),
  as_of             timestamptz NOT NULL,
  samples           bigint NOT NULL CHECK (samples >= 0),
  converted         bigint NOT NULL CHECK (converted BETWEEN 0 AND samples),
  auc               double precision CHECK (auc BETWEEN 0 AND 1),
  log_loss          double precision CHECK (log_loss BETWEEN 0 AND 1e6),
  brier             double precision CHECK (brier BETWEEN 0 AND 1),
  average_precision double precision CHECK (average_precision BETWEEN 0 AND 1),
  calibration_error double precision CHECK (calibration_error BETWEEN 0 AND 1),
  threshold         double precision CHECK (threshold BETWEEN 0 AND 1),
  accuracy          double precision CHECK (accuracy BETWEEN 0 AND 1),
  "precision"       double precision CHECK ("precision" BETWEEN 0 AND 1),
  recall            double precision CHECK (recall BETWEEN 0 AND 1),
  f1                double precision CHECK (f1 BETWEEN 0 AND 1),
  readiness         text NOT NULL CHECK (readiness IN ('ready', 'fair', 'not ready')),
  likelihoods       double precision[] CHECK (0.01 <= ALL (likelihoods) AND 99.99 >= ALL (likelihoods) AND cardinality(likelihoods) BETWEEN 1 AND 1000),
  definition        jsonb NOT NULL,
  body              text NOT NULL,
  warnings          text[] NOT NULL DEFAULT '{}',
  published_at      timestamptz,
  retired_at        timestamptz,
  PRIMARY KEY (model, version)
);
CREATE UNIQUE INDEX model_version_champion ON lead_scoring.model_version (model) WHERE status = 'champion';
COMMENT ON TABLE lead_scoring.model_version IS 'What training made of models. Written by training and by publish(); read it in model_versions';
COMMENT ON COLUMN lead_scoring.model_version.model IS 'Model';
COMMENT ON COLUMN lead_scoring.model_version.version IS 'Number of the version, from 1 in the order of training (NULL on insert: the next)';
COMMENT ON COLUMN lead_scoring.model_version.status IS 'champion: it predicts, at most one of each model; challenger: not published yet; retired: it was champion. Set by publish()';
COMMENT ON COLUMN lead_scoring.model_version.algorithm IS 'scorecard or boosted_trees';
COMMENT ON COLUMN lead_scoring.model_version.trained_at IS 'When it was trained';
COMMENT ON COLUMN lead_scoring.model_version.as_of IS 'Instant up to which it knows the facts';
COMMENT ON COLUMN lead_scoring.model_version.samples IS 'Records it was trained on, once for each snapshot';
COMMENT ON COLUMN lead_scoring.model_version.converted IS 'How many of them converted';
COMMENT ON COLUMN lead_scoring.model_version.auc IS 'Area under the ROC curve of predictions for records held out, 0 to 1: the chance that a record that converts is ranked above one that does not; 0.5 is no better than drawing lots (NULL: unknown)';
COMMENT ON COLUMN lead_scoring.model_version.log_loss IS 'Mean of -ln(probability given to what happened) of records held out; less is better (NULL: unknown)';
COMMENT ON COLUMN lead_scoring.model_version.brier IS 'Mean square of (probability - outcome) of records held out, 0 to 1; less is better (NULL: unknown)';
COMMENT ON COLUMN lead_scoring.model_version.average_precision IS 'Area under the curve of precision by recall of records held out, 0 to 1 (NULL: unknown)';
COMMENT ON COLUMN lead_scoring.model_version.calibration_error IS 'Mean difference, over ten bins of records held out, between predicted and actual share of conversions, 0 to 1; less is better (NULL: unknown)';
COMMENT ON COLUMN lead_scoring.model_version.threshold IS 'Probability, 0 to 1, from which on predicting a conversion gives the highest f1; accuracy, precision and recall are at this threshold (NULL: unknown)';
COMMENT ON COLUMN lead_scoring.model_version.accuracy IS 'Share of records held out that were predicted right, 0 to 1 (NULL: unknown)';
COMMENT ON COLUMN lead_scoring.model_version."precision" IS 'Share of predicted conversions that happened, 0 to 1 (NULL: unknown)';
COMMENT ON COLUMN lead_scoring.model_version.recall IS 'Share of conversions that were predicted, 0 to 1 (NULL: unknown)';
COMMENT ON COLUMN lead_scoring.model_version.f1 IS 'Harmonic mean of precision and recall, 0 to 1 (NULL: unknown)';
COMMENT ON COLUMN lead_scoring.model_version.readiness IS 'ready, fair or not ready, by the AUC as readiness() says; set by the extension';
COMMENT ON COLUMN lead_scoring.model_version.likelihoods IS 'What it gave the records that it was trained on, in per cent, 0.01 to 99.99: all of these, or 1,000 evenly by rank; by these model_drift() sees whether predictions shift (NULL: unknown)';
COMMENT ON COLUMN lead_scoring.model_version.definition IS 'The model and its enabled features as they were when it was trained, as model_definition() gives them: it predicts by these, whatever is edited; set by the extension';
COMMENT ON COLUMN lead_scoring.model_version.body IS 'The trained model, JSON. Shown to those who may read all that it was trained on, in model_versions';
COMMENT ON COLUMN lead_scoring.model_version.warnings IS 'What training found odd, as features that are constant or that give the outcome away';
COMMENT ON COLUMN lead_scoring.model_version.published_at IS 'When it last became champion (NULL: never)';
COMMENT ON COLUMN lead_scoring.model_version.retired_at IS 'When another version took its place (NULL: none has)';

CREATE TABLE lead_scoring.model_importance (
  model      text NOT NULL,
  version    integer NOT NULL,
  feature    text NOT NULL,
  importance double precision NOT NULL CHECK (importance BETWEEN 0 AND 1e9),
  PRIMARY KEY (model, version, feature)
);
COMMENT ON TABLE lead_scoring.model_importance IS 'How much each feature matters to a version';
COMMENT ON COLUMN lead_scoring.model_importance.model IS 'Model';
COMMENT ON COLUMN lead_scoring.model_importance.version IS 'Version of the model';
COMMENT ON COLUMN lead_scoring.model_importance.feature IS 'Feature, as it was called when the version was trained';
COMMENT ON COLUMN lead_scoring.model_importance.importance IS 'Mean size of what the feature adds to or takes from the log-odds of a record; 0: it says nothing';

CREATE TABLE lead_scoring.model_segment (
  model       text NOT NULL,
  version     integer NOT NULL,
  segment     text NOT NULL,
  samples     bigint NOT NULL,
  converted   bigint NOT NULL,
  auc         double precision NOT NULL,
  overall_auc double precision NOT NULL,
  log_loss    double precision NOT NULL,
  overall_log_loss double precision NOT NULL,
  own_model   boolean NOT NULL,
  PRIMARY KEY (model, version, segment)
);
COMMENT ON TABLE lead_scoring.model_segment IS 'Segments of a version that have enough records for a model of their own';
COMMENT ON COLUMN lead_scoring.model_segment.model IS 'Model';
COMMENT ON COLUMN lead_scoring.model_segment.version IS 'Version of the model';
COMMENT ON COLUMN lead_scoring.model_segment.segment IS 'Value of the segment';
COMMENT ON COLUMN lead_scoring.model_segment.samples IS 'Records of it, once for each snapshot';
COMMENT ON COLUMN lead_scoring.model_segment.converted IS 'How many of them converted';
COMMENT ON COLUMN lead_scoring.model_segment.auc IS 'AUC of a model of their own, for records held out, 0 to 1';
COMMENT ON COLUMN lead_scoring.model_segment.overall_auc IS 'AUC of the model of all for the same records, held out, 0 to 1';
COMMENT ON COLUMN lead_scoring.model_segment.log_loss IS 'Mean of -ln(probability given to what happened) by a model of their own, for records held out';
COMMENT ON COLUMN lead_scoring.model_segment.overall_log_loss IS 'The same by the model of all';
COMMENT ON COLUMN lead_scoring.model_segment.own_model IS 'Whether they are predicted by a model of their own: if its log loss is lower, by more than chance explains';

SELECT pg_extension_config_dump('lead_scoring.model', '');
SELECT pg_extension_config_dump('lead_scoring.feature', '');
SELECT pg_extension_config_dump('lead_scoring.model_version', '');
SELECT pg_extension_config_dump('lead_scoring.model_importance', '');
SELECT pg_extension_config_dump('lead_scoring.model_segment', '');
