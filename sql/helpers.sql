-- Free e-mail domains, keywords, completeness, business hours and peers as a user sees them, with every error.
SET search_path = public, lead_scoring;
SET TIME ZONE 'UTC';

SELECT email, email_domain(email), is_free_email(email)
  FROM unnest('{ada@grand-hotel.example,Boris <BORIS@GMail.com>,chiara@mail.gmail.com,nobody,NULL}'::text[]) email;
INSERT INTO free_email_domain (domain) VALUES ('Campus.example ');
INSERT INTO free_email_domain (domain, is_free) VALUES ('gmail.com', false);
SELECT is_free_email('elif@campus.example') AS campus, is_free_email('boris@gmail.com') AS gmail, is_free_email('d@gmx.net') AS gmx;
SELECT * FROM free_email_domain ORDER BY domain;
INSERT INTO free_email_domain (domain) VALUES ('elif@campus.example');
INSERT INTO free_email_domain (domain) VALUES (NULL);
INSERT INTO free_email_domain (domain) VALUES ('CAMPUS.example');
UPDATE free_email_domain SET domain = 'campus example' WHERE is_free;
DELETE FROM free_email_domain;

SELECT body, keyword_hits(body, '{price,contract,"price list"}')
  FROM unnest(ARRAY['What is the price? The PRICE, please.', E'Price\n list and contract', 'priceless contractors', '', NULL]) body;
SELECT keyword_hits('x', ARRAY[repeat('long ', 201)]);
SELECT keyword_hits('x', ARRAY['a', NULL, '', ' ']), keyword_hits('x', '{}'), keyword_hits('x', NULL);
CREATE TABLE note (a text COLLATE "C", b text COLLATE "POSIX");
INSERT INTO note VALUES ('x', 'y');
SELECT keyword_hits(a || b, '{x}') FROM note;

SELECT completeness('CEO', 250, NULL, '  ') AS half, completeness('{}'::text[], '[]'::json, '{}'::jsonb, 'null'::jsonb) AS none,
       completeness(VARIADIC ARRAY['a', NULL, 'b']) AS array_given, completeness(VARIADIC NULL::text[]) AS no_array;
SELECT completeness();

SELECT at, in_business_hours(at) AS utc, in_business_hours(at, 'Europe/Berlin') AS berlin,
       in_business_hours(at, opens => '22:00', closes => '06:00', days => '{5}') AS friday_night
  FROM unnest('{2026-01-09 08:30+00,2026-01-09 16:30+00,2026-01-09 22:00+00,2026-01-10 05:59+00,2026-01-10 12:00+00,infinity,NULL}'::timestamptz[]) at;
SELECT in_business_hours('2026-01-09', 'Europe/Atlantis');
SELECT in_business_hours('2026-01-09', days => '{0}');
SELECT in_business_hours('2026-01-09', days => '{1,NULL}');

SELECT industry, dwell, peer_ratio(dwell) OVER (PARTITION BY industry)
  FROM (VALUES ('Retail', 10), ('Retail', 20), ('Retail', 120), ('Retail', NULL), ('Energy', 30), ('Energy', 'NaN'::float8), ('none', 0)) v (industry, dwell) ORDER BY industry, dwell;
SELECT peer_ratio(dwell) OVER () FROM unnest('{1e308,-1e308,1}'::float8[]) dwell;
SELECT peer_ratio(1);

DROP TABLE note;
