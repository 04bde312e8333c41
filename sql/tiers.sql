-- tier, contact_priority, tier_cutoffs and tier_for as a user sees them, with every error.
SET search_path = public, lead_scoring;
CREATE TABLE contact (id int, likelihood float8, customer boolean);
INSERT INTO contact SELECT i, 90 - 10 * i, false FROM generate_series(1, 8) i;
INSERT INTO contact VALUES (9, 99, true), (10, NULL, true), (11, NULL, false);

SELECT id, likelihood, customer, contact_priority(customer) OVER (ORDER BY likelihood DESC NULLS LAST, id) FROM contact ORDER BY id;
SELECT id, likelihood, tier(4) OVER w, tier(ARRAY['Hot', 'Warm', 'Cold']) OVER w AS label FROM contact WINDOW w AS (ORDER BY likelihood DESC, id) ORDER BY id;
SELECT score, tier(4) OVER w, tier(4, 'ntile') OVER w AS dealt, tier(4, 'together') OVER w AS together
  FROM unnest('{9,7,7,7,5,3,2,1}'::float8[]) score WINDOW w AS (ORDER BY score DESC) ORDER BY score DESC, 2;

SELECT tier(0) OVER (ORDER BY likelihood DESC) FROM contact;
SELECT tier(1000001) OVER (ORDER BY likelihood DESC) FROM contact;
SELECT tier(NULL::int) OVER (ORDER BY likelihood DESC) FROM contact;
SELECT tier(4, 'apart') OVER (ORDER BY likelihood DESC) FROM contact;
SELECT tier(4, NULL) OVER (ORDER BY likelihood DESC) FROM contact;
SELECT tier(NULL::text[]) OVER (ORDER BY likelihood DESC) FROM contact;
SELECT tier('{}'::text[]) OVER (ORDER BY likelihood DESC) FROM contact;
SELECT tier('{Hot,NULL}'::text[]) OVER (ORDER BY likelihood DESC) FROM contact;
SELECT tier('{Hot,""}'::text[]) OVER (ORDER BY likelihood DESC) FROM contact;
SELECT tier(CASE WHEN id = 9 THEN '{Hot,Cold}' ELSE '{Hot}' END::text[]) OVER (ORDER BY likelihood DESC NULLS LAST) FROM contact;
SELECT tier(4) OVER () FROM contact;
SELECT tier(4) FROM contact;
SELECT contact_priority(customer) OVER () FROM contact;

SELECT tier_cutoffs(likelihood, 4) AS exact, tier_cutoffs(likelihood, 4, 0.01) AS sampled FROM contact WHERE NOT customer;
SELECT score, tier_for(score, cutoffs) FROM (SELECT tier_cutoffs(likelihood, 4) FROM contact WHERE NOT customer) c (cutoffs), unnest('{85,70,69,10,5,NULL}'::float8[]) score;

SELECT tier_cutoffs(likelihood, 0) FROM contact;
SELECT tier_cutoffs(likelihood, NULL) FROM contact;
SELECT tier_cutoffs(likelihood, id) FROM contact;
SELECT tier_cutoffs('NaN', 4) FROM contact;
SELECT tier_cutoffs(likelihood, 4, 0.6) FROM contact;
SELECT tier_cutoffs(likelihood, 4, NULL) FROM contact;
SELECT tier_for('NaN', '{1}');
SELECT tier_for(1, '{1,NULL}');
SELECT tier_cutoffs_combine('v1;2;0;0;1;5 ;', 'v1;3;0;0;1;7 ;');
SELECT 'sample'::tier_sample;
SELECT 'v1;4;0;0;2;5 ;'::tier_sample;
SELECT 'v1;0;0;0;0;;'::tier_sample;
SELECT 'v1;4;0;0;1;NaN ;'::tier_sample;

DROP TABLE contact;
