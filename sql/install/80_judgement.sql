-- How good scores, predictions and models are: aggregates, and functions over arrays.
--
-- The states of the aggregates are bytea, and not internal, so that groups may cross the shards of a distributed table.

CREATE FUNCTION lead_scoring.auc_trans(bytea, score double precision, outcome boolean) RETURNS bytea
  AS 'MODULE_PATHNAME', 'lead_scoring_auc_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION lead_scoring.auc_trans(bytea, double precision, boolean) IS 'Transition of auc and average_precision';
CREATE FUNCTION lead_scoring.auc_combine(bytea, bytea) RETURNS bytea
  AS 'MODULE_PATHNAME', 'lead_scoring_auc_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION lead_scoring.auc_combine(bytea, bytea) IS 'Merges two states of auc and average_precision';
CREATE FUNCTION lead_scoring.auc_final(bytea) RETURNS double precision
  AS 'MODULE_PATHNAME', 'lead_scoring_auc_final' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION lead_scoring.auc_final(bytea) IS 'Result of auc';
CREATE FUNCTION lead_scoring.average_precision_final(bytea) RETURNS double precision
  AS 'MODULE_PATHNAME', 'lead_scoring_average_precision_final' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION lead_scoring.average_precision_final(bytea) IS 'Result of average_precision';

CREATE AGGREGATE lead_scoring.auc(score double precision, outcome boolean) (
  SFUNC = lead_scoring.auc_trans,
  STYPE = bytea,
  SSPACE = 8192,
  COMBINEFUNC = lead_scoring.auc_combine,
  FINALFUNC = lead_scoring.auc_final,
  FINALFUNC_MODIFY = READ_ONLY,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE lead_scoring.auc(double precision, boolean) IS
  'Area under the ROC curve: the probability that a record that converted (outcome true) has a higher score than one that did not, ties counting one half; 1 is perfect, 0.5 as good as chance (Hanley, McNeil, Radiology 143, 1982, pages 29 to 36). Exact; keeps all scores, 8 bytes each, at most 100,000,000. Rows with a NULL do not count. NULL, with a WARNING, unless there are outcomes of both kinds. Raises 22023 for a score that is not finite';

CREATE AGGREGATE lead_scoring.average_precision(score double precision, outcome boolean) (
  SFUNC = lead_scoring.auc_trans,
  STYPE = bytea,
  SSPACE = 8192,
  COMBINEFUNC = lead_scoring.auc_combine,
  FINALFUNC = lead_scoring.average_precision_final,
  FINALFUNC_MODIFY = READ_ONLY,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE lead_scoring.average_precision(double precision, boolean) IS
  'Mean, over the records that converted (outcome true), of the conversion rate among all records whose score is at least theirs (Manning, Raghavan, Schuetze, Introduction to Information Retrieval, 2008, section 8.4; ties are taken together); 1 is perfect, chance gives about the conversion rate of all. Exact; keeps all scores, 8 bytes each, at most 100,000,000, together with auc over the same only once. Rows with a NULL do not count. NULL, with a WARNING, if none converted. Raises 22023 for a score that is not finite';

CREATE FUNCTION lead_scoring.log_loss_trans(bytea, probability double precision, outcome boolean) RETURNS bytea
  AS 'MODULE_PATHNAME', 'lead_scoring_log_loss_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION lead_scoring.log_loss_trans(bytea, double precision, boolean) IS 'Transition of log_loss';
CREATE FUNCTION lead_scoring.brier_trans(bytea, probability double precision, outcome boolean) RETURNS bytea
  AS 'MODULE_PATHNAME', 'lead_scoring_brier_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION lead_scoring.brier_trans(bytea, double precision, boolean) IS 'Transition of brier';
CREATE FUNCTION lead_scoring.mean_loss_combine(bytea, bytea) RETURNS bytea
  AS 'MODULE_PATHNAME', 'lead_scoring_mean_loss_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION lead_scoring.mean_loss_combine(bytea, bytea) IS 'Merges two states of log_loss, or two of brier';
CREATE FUNCTION lead_scoring.mean_loss_final(bytea) RETURNS double precision
  AS 'MODULE_PATHNAME', 'lead_scoring_mean_loss_final' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION lead_scoring.mean_loss_final(bytea) IS 'Result of log_loss and brier';

CREATE AGGREGATE lead_scoring.log_loss(probability double precision, outcome boolean) (
  SFUNC = lead_scoring.log_loss_trans,
  STYPE = bytea,
  SSPACE = 560,
  COMBINEFUNC = lead_scoring.mean_loss_combine,
  FINALFUNC = lead_scoring.mean_loss_final,
  FINALFUNC_MODIFY = READ_ONLY,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE lead_scoring.log_loss(double precision, boolean) IS
  'Mean of -ln(p), where p is the predicted probability of what happened: probability if the record converted (outcome true), else 1 - probability (Good, Journal of the Royal Statistical Society B 14, 1952, pages 107 to 114). p counts as at least 1e-15, so that a probability of 0 or 1 that was wrong costs 34.54 and not infinity. 0 is perfect, 0.6931 is a coin. The sum is exact: no order of rows changes a digit. Rows with a NULL do not count. Raises 22023 for a probability outside 0..1';

CREATE AGGREGATE lead_scoring.brier(probability double precision, outcome boolean) (
  SFUNC = lead_scoring.brier_trans,
  STYPE = bytea,
  SSPACE = 560,
  COMBINEFUNC = lead_scoring.mean_loss_combine,
  FINALFUNC = lead_scoring.mean_loss_final,
  FINALFUNC_MODIFY = READ_ONLY,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE lead_scoring.brier(double precision, boolean) IS
  'Mean of (probability - outcome)^2, where outcome is 1 for a record that converted (true), else 0 (Brier, Monthly Weather Review 78, 1950, page 1, for two classes usually halved as here). 0 is perfect, 0.25 is a coin. The sum is exact: no order of rows changes a digit. Rows with a NULL do not count. Raises 22023 for a probability outside 0..1';

CREATE FUNCTION lead_scoring.gains(
  scores double precision[], outcomes boolean[], bins integer DEFAULT 10,
  OUT bin integer, OUT records bigint, OUT converted double precision, OUT conversion_rate double precision,
  OUT captured double precision, OUT lift double precision, OUT lowest_score double precision,
  OUT cumulative_share double precision, OUT cumulative_captured double precision, OUT cumulative_lift double precision)
RETURNS SETOF record
  AS 'MODULE_PATHNAME', 'lead_scoring_gains' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000 ROWS 10;
COMMENT ON FUNCTION lead_scoring.gains(double precision[], boolean[], integer) IS
  'Gains table: outcomes[i] says whether the record with scores[i] converted. The records, highest score first, are dealt into bins (1 to 1,000,000) of sizes that differ by at most one, larger ones first; bins without records are left out. Per bin, 1 the best: records, converted, conversion_rate = converted / records, captured = converted / converted of all, lift = conversion_rate / that of all, lowest_score; up to and with the bin: cumulative_share of the records, cumulative_captured, cumulative_lift = cumulative_captured / cumulative_share. Rates and shares are 0..1. Where a border falls among records of one score, each side gets the same rate of converted ones, so that converted can be a fraction and the order of the arrays does not matter. Pairs with a NULL do not count. captured and lift are NULL, with a WARNING, if none converted. Raises 22023 for arrays of different lengths or more than one dimension, a score that is not finite, bins out of range';

CREATE FUNCTION lead_scoring.lift(scores double precision[], outcomes boolean[], share double precision) RETURNS double precision
  AS 'MODULE_PATHNAME', 'lead_scoring_lift' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION lead_scoring.lift(double precision[], boolean[], double precision) IS
  'Conversion rate of the best share of the records (above 0, at most 1; 0.1 is the best tenth) divided by that of all; a part of the records of one score counts with their rate. Pairs with a NULL do not count. NULL, with a WARNING, if none converted. Raises 22023 as gains, and for a share out of range';

CREATE FUNCTION lead_scoring.calibration(
  probabilities double precision[], outcomes boolean[], bins integer DEFAULT 10, binning text DEFAULT 'equal_count',
  OUT bin integer, OUT records bigint, OUT lowest double precision, OUT highest double precision,
  OUT predicted double precision, OUT observed double precision)
RETURNS SETOF record
  AS 'MODULE_PATHNAME', 'lead_scoring_calibration' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000 ROWS 10;
COMMENT ON FUNCTION lead_scoring.calibration(double precision[], boolean[], integer, text) IS
  'Calibration table: outcomes[i] says whether the record predicted with probabilities[i] (0..1) converted. Per bin, 1 with the lowest probabilities: records, lowest and highest probability, predicted = mean probability, observed = share that converted (0..1). binning equal_count: bins of sizes that differ by at most one, larger ones first; where a border falls among records of one probability, each side gets the same rate of converted ones. binning equal_width: bin floor(probability * bins) + 1, at most bins. Bins without records are left out. Pairs with a NULL do not count. Raises 22023 for arrays of different lengths or more than one dimension, a probability outside 0..1, bins (1 to 1,000,000) out of range, an unknown binning';

CREATE FUNCTION lead_scoring.calibration_error(
  probabilities double precision[], outcomes boolean[], bins integer DEFAULT 10, binning text DEFAULT 'equal_count')
RETURNS double precision
  AS 'MODULE_PATHNAME', 'lead_scoring_calibration_error' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION lead_scoring.calibration_error(double precision[], boolean[], integer, text) IS
  'Expected calibration error: mean over all records of |predicted - observed| of their bin of calibration(), 0..1. With equal_count every bin is measured equally well, also where most probabilities are small (Nguyen, O''Connor, EMNLP 2015, pages 1587 to 1598); with equal_width it is ECE of Naeini, Cooper, Hauskrecht (AAAI 2015, pages 2901 to 2907). NULL, with a WARNING, without records. Raises 22023 as calibration';

CREATE FUNCTION lead_scoring.confusion(
  scores double precision[], outcomes boolean[], threshold double precision,
  OUT true_positives bigint, OUT false_positives bigint, OUT true_negatives bigint, OUT false_negatives bigint,
  OUT accuracy double precision, OUT "precision" double precision, OUT recall double precision, OUT f1 double precision,
  OUT false_positive_rate double precision, OUT false_negative_rate double precision,
  OUT conversion_rate double precision, OUT share double precision)
  AS 'MODULE_PATHNAME', 'lead_scoring_confusion' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION lead_scoring.confusion(double precision[], boolean[], double precision) IS
  'What a threshold makes of scores: a record is selected if its score is at least the threshold. TP = true_positives: selected, converted; FP = false_positives: selected, not converted; TN = true_negatives; FN = false_negatives: converted, not selected. accuracy = (TP + TN) / all, precision = TP / (TP + FP), recall = TP / (TP + FN), f1 = 2 TP / (2 TP + FP + FN), false_positive_rate = FP / (FP + TN), false_negative_rate = FN / (TP + FN), conversion_rate = (TP + FN) / all, share = (TP + FP) / all; all 0..1. Pairs with a NULL do not count. What would divide by zero is NULL, with a WARNING. Raises 22023 for arrays of different lengths or more than one dimension, a score or threshold that is not finite';

CREATE FUNCTION lead_scoring.recommend_threshold(
  scores double precision[], outcomes boolean[], method text DEFAULT 'f1', capacity integer DEFAULT NULL,
  OUT threshold double precision, OUT records bigint, OUT share double precision, OUT converted bigint,
  OUT accuracy double precision, OUT "precision" double precision, OUT recall double precision, OUT f1 double precision,
  OUT youden double precision, OUT lift double precision)
  AS 'MODULE_PATHNAME', 'lead_scoring_recommend_threshold' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION lead_scoring.recommend_threshold(double precision[], boolean[], text, integer) IS
  'Threshold from which on records should be selected, one of the scores (of equally good ones the highest), and what it gives: records and converted among the selected, share of all records, accuracy, precision, recall, f1 as in confusion, youden = recall - false positive rate (Youden, Cancer 3, 1950, pages 32 to 35), lift = precision / conversion rate of all. method f1: the highest f1. youden: the highest youden. lift: the lowest score of the last bin of gains(scores, outcomes, 10) before the lift of a bin first falls below 1. capacity: the lowest score that at most capacity records reach; where more share the highest score it is that one, with a WARNING. NULL, with a WARNING, where the method is undefined: none converted; for youden also: all did; for lift: the best tenth converts less often than all. Pairs with a NULL do not count. Raises 22023 as confusion, for an unknown method, for a capacity below 1 or with another method; 22004 for method capacity without one';

CREATE FUNCTION lead_scoring.capture_by_band(
  labels text[], outcomes boolean[],
  OUT label text, OUT records bigint, OUT converted bigint, OUT conversion_rate double precision,
  OUT captured double precision, OUT lift double precision)
RETURNS SETOF record
  AS 'MODULE_PATHNAME', 'lead_scoring_capture_by_band' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000 ROWS 10;
COMMENT ON FUNCTION lead_scoring.capture_by_band(text[], boolean[]) IS
  'What became of the records of each label, highest conversion rate first: records, converted, conversion_rate = converted / records, captured = share of all that converted, lift = conversion_rate / that of all. Rates and shares are 0..1. outcomes[i] says whether the record with labels[i] converted. Pairs with a NULL do not count. captured and lift are NULL, with a WARNING, if none converted. Raises 22023 for arrays of different lengths or more than one dimension';
