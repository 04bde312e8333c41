-- How good scores and predictions are, as a user sees it, with every warning and every error.
SET search_path = public, lead_scoring;
CREATE TABLE lead (id int, score float8, likelihood float8, label text, converted boolean);
INSERT INTO lead SELECT i, 100 - 5 * i, 0.05 * (20 - i), CASE WHEN i <= 5 THEN 'hot' WHEN i <= 10 THEN 'warm' ELSE 'cold' END, i IN (1, 2, 3, 5, 6, 11) FROM generate_series(1, 19) i;
INSERT INTO lead VALUES (20, 50, 0.5, 'warm', NULL), (21, NULL, NULL, NULL, true), (22, 75, 0.75, 'hot', false);

SELECT auc(score, converted), average_precision(score, converted), round(log_loss(likelihood, converted)::numeric, 9) AS log_loss, brier(likelihood, converted) FROM lead;
CREATE VIEW list AS SELECT array_agg(score) AS scores, array_agg(likelihood) AS likelihoods, array_agg(label) AS labels, array_agg(converted) AS outcomes FROM lead;
SELECT g.bin, g.records, g.converted, g.conversion_rate, g.captured, g.lift, g.lowest_score FROM list, gains(scores, outcomes, 4) g;
SELECT g.bin, g.cumulative_share, g.cumulative_captured, g.cumulative_lift FROM list, gains(scores, outcomes, 4) g;
SELECT lift(scores, outcomes, 0.25) FROM list;
SELECT c.* FROM list, calibration(likelihoods, outcomes, 4) c;
SELECT c.* FROM list, calibration(likelihoods, outcomes, 4, 'equal_width') c;
SELECT calibration_error(likelihoods, outcomes), calibration_error(likelihoods, outcomes, 4), calibration_error(likelihoods, outcomes, 4, 'equal_width') FROM list;
SELECT c.* FROM list, confusion(scores, outcomes, 75) c \gx
SELECT method, r.threshold, r.records, r.share, r.converted, r.precision, r.recall, r.f1, r.youden, r.lift
  FROM list, (VALUES ('f1', NULL), ('youden', NULL), ('lift', NULL), ('capacity', 4)) v (method, capacity), recommend_threshold(scores, outcomes, method, capacity) r;
SELECT c.* FROM list, capture_by_band(labels, outcomes) c;

-- Undefined
SELECT auc(score, true), average_precision(score, true) FROM lead;
SELECT auc(score, false), average_precision(score, false) FROM lead;
SELECT label, auc(score, true) FROM lead GROUP BY label ORDER BY label;
SELECT auc(score, converted), log_loss(likelihood, converted) FROM lead WHERE false;
SELECT * FROM gains('{1,2}', '{f,f}', 1);
SELECT lift('{1,2}', '{f,f}', 0.5), lift('{}', '{}', 0.5);
SELECT calibration_error('{}', '{}');
SELECT recall, false_negative_rate FROM confusion('{1,2}', '{f,f}', 2);
SELECT precision, false_positive_rate FROM confusion('{1,2}', '{t,t}', 3);
SELECT threshold, records FROM recommend_threshold('{1,2}', '{f,f}');
SELECT threshold, records FROM recommend_threshold('{}', '{}');
SELECT threshold, records FROM recommend_threshold('{1,2}', '{t,t}', 'youden');
SELECT threshold, records FROM recommend_threshold('{1,2}', '{t,f}', 'lift');
SELECT threshold, records FROM recommend_threshold('{7,7,7,5}', '{t,f,t,f}', 'capacity', 2);
SELECT * FROM capture_by_band('{a,b}', '{f,f}');

-- Errors
SELECT auc('NaN', true);
SELECT average_precision('infinity', true);
SELECT log_loss(22, true);
SELECT brier(-0.1, true);
SELECT * FROM gains('{1,2}', '{t}');
SELECT * FROM gains('{{1,2}}', '{{t,f}}');
SELECT * FROM gains('{1,2}', '{t,f}', 0);
SELECT lift('{1,2}', '{t,f}', 10);
SELECT * FROM calibration('{20,30}', '{t,f}');
SELECT * FROM calibration('{0.2,0.3}', '{t,f}', 10, 'quantile');
SELECT * FROM confusion('{1,2}', '{t,f}', 'NaN');
SELECT * FROM recommend_threshold('{1,2}', '{t,f}', 'best');
SELECT * FROM recommend_threshold('{1,2}', '{t,f}', 'capacity');
SELECT * FROM recommend_threshold('{1,2}', '{t,f}', 'capacity', 0);
SELECT * FROM recommend_threshold('{1,2}', '{t,f}', capacity => 5);
SELECT * FROM capture_by_band('{a,b}', '{t}');
SELECT auc_final('state');
SELECT mean_loss_final('state');

DROP VIEW list;
DROP TABLE lead;
