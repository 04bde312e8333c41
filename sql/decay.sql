-- The type decay: text forms, canonical output, errors, order.
SET search_path = public, lead_scoring;
SELECT text, text::lead_scoring.decay AS decay, text::lead_scoring.decay::text::lead_scoring.decay = text::lead_scoring.decay AS same
  FROM (VALUES ('50% per month'), ('50% per 30 days'), ('50% every 30 days stepwise'), ('100% per 3 months'),
               ('20% per 72 hours exponential'), ('half-life 7 days'), ('half-life of 1.5 days'), ('50% per week exponential'),
               ('33.3% per year'), ('12.5 % per 1 day 12 hours after 90 minutes'), ('HALF-LIFE Week AFTER 3 Days'),
               ('0.001% per 0.5 seconds')) v (text);

SELECT ''::lead_scoring.decay;
SELECT 'fast'::lead_scoring.decay;
SELECT '50%'::lead_scoring.decay;
SELECT '50% per fortnight'::lead_scoring.decay;
SELECT '50% per month quickly'::lead_scoring.decay;
SELECT '-5% per month'::lead_scoring.decay;
SELECT '0% per month'::lead_scoring.decay;
SELECT '101% per month'::lead_scoring.decay;
SELECT '100% per month exponential'::lead_scoring.decay;
SELECT 'half-life 0 days'::lead_scoring.decay;
SELECT 'half-life 99999999 years'::lead_scoring.decay;
SELECT 'NaN% per month'::lead_scoring.decay;
SELECT '50% per month after'::lead_scoring.decay;

SELECT d FROM unnest('{half-life 7 days,50% per month,50% per day,25% per month,50% per month stepwise,half-life week}'::lead_scoring.decay[]) d ORDER BY d;
SELECT DISTINCT d FROM unnest('{half-life 7 days,half-life week,50% per week exponential}'::lead_scoring.decay[]) d;
