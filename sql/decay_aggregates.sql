-- decayed, decay_sum, decay_count, decaying_total, rescale as a user sees them, with every error.
SET search_path = public, lead_scoring;
SET timezone = 'UTC';
CREATE TABLE event (contact text, points float8, occurred_at timestamptz);
INSERT INTO event VALUES ('Ada', 10, '2026-01-31'), ('Ada', 10, '2026-01-01'), ('Boris', 8, '2026-01-16'), ('Boris', -4, '2026-01-01'),
  ('Chiara', 6, '2025-01-01'), ('Chiara', 6, '2027-01-01'), ('Desmond', NULL, '2026-01-01'), ('Desmond', 3, NULL);

SELECT contact, points, occurred_at, decayed(points, occurred_at, '50% per month', '2026-01-31') FROM event ORDER BY contact, occurred_at;
SELECT contact, decay_sum(points, occurred_at, '50% per month', '2026-01-31'), decay_count(occurred_at, '50% per month', '2026-01-31')
  FROM event GROUP BY contact ORDER BY contact;
SELECT contact, round((decay_sum(points, occurred_at, 'half-life 15 days', '2026-01-31') FILTER (WHERE points > 0))::numeric, 6) AS positive
  FROM event GROUP BY contact ORDER BY contact;

SELECT decayed('NaN', now(), '50% per month', now());
SELECT decayed(1, now(), '50% per month', 'infinity');
SELECT decayed(1, now(), '150% per month', now());
SELECT decayed(1, now(), '50% per 0 days', now());
SELECT decayed(1, now(), 'half-life -7 days', now());
SELECT decay_sum('inf', now(), '50% per month', now());
SELECT decay_sum(1, now(), '50% per month', '-infinity');
SELECT decay_sum(1e308, now(), '50% per month', now()) FROM generate_series(1, 2);
SELECT decay_count(now(), '50% per month', 'infinity');

-- Totals to be kept
CREATE TABLE contact AS SELECT contact, decaying_total(points, occurred_at, '15 days') AS total FROM event WHERE occurred_at < '2026-02-01' GROUP BY contact;
CREATE INDEX ON contact (total);
SELECT contact, round(value_at(total, '2026-01-31')::numeric, 6) AS today, round(value_at(total, '2026-02-15')::numeric, 6) AS later,
       half_life(total), newest_event(total), event_count(total) FROM contact ORDER BY total DESC NULLS LAST;
SELECT round(value_at(rollup(total), '2026-01-31')::numeric, 6) AS value, event_count(rollup(total)) FROM contact;
SELECT round(value_at(a.total + b.total, '2026-01-31')::numeric, 6) AS sum FROM contact a, contact b WHERE a.contact = 'Ada' AND b.contact = 'Boris';
UPDATE contact SET total = decaying_total_trans(total, 5, '2026-02-15', '15 days') WHERE contact = 'Chiara' RETURNING round(value_at(total, '2026-02-15')::numeric, 6) AS value;
SELECT decaying_total(8, '2000-01-01', '15 days') AS text;

SELECT decaying_total(1, now(), '0 days');
SELECT decaying_total(1, now(), '-7 days');
SELECT decaying_total(1, now(), '40000 years');
SELECT decaying_total('NaN', '2026-01-01', '7 days');
SELECT decaying_total(1, now(), h) FROM unnest('{7 days,8 days}'::interval[]) h;
SELECT value_at(total, 'infinity') FROM contact;
SELECT total + (SELECT decaying_total(1, now(), '7 days')) FROM contact;
SELECT 'total'::decaying_total;
SELECT 'v2;1296000000000;1;0;0;1'::decaying_total;
SELECT 'v1;0;1;0;0;1'::decaying_total;
SELECT 'v1;1296000000000;nan;0;0;1'::decaying_total;
SELECT 'v1;1296000000000;1;0;0;-1'::decaying_total;
SELECT 'v1;1296000000000;1;0;0;9223372036854775807'::decaying_total + 'v1;1296000000000;1;0;0;1'::decaying_total;

-- Ranges
SELECT rescale(50, 0, 100, 300, 850), rescale(50, true) AS qualified, rescale(50, false) AS not_qualified;
SELECT rescale(50, 100, 100, 0, 1);
SELECT rescale('NaN', 0, 100, 0, 1);
SELECT rescale(50, 0, 'inf', 0, 1);

DROP TABLE event, contact;
