-- A small CRM, a score over it, and what one gets to see. `make demo` runs this in a database of its own.
-- Everything is arithmetic on numbers, so that it looks the same each time, whatever the day.
SET client_min_messages = warning;

\echo
\echo '=== A CRM: 40 companies, 200 contacts and 5,000 activities of the last year'
\echo

-- a number from 0 up to 1 that depends on nothing but its arguments
CREATE FUNCTION dice(what text, number bigint) RETURNS double precision LANGUAGE sql IMMUTABLE AS
  $$ SELECT ('x' || left(md5(what || number), 7))::bit(28)::int / 268435456.0 $$;

-- the element of a list that the dice shows
CREATE FUNCTION pick(what text, number bigint, choices text[]) RETURNS text LANGUAGE sql IMMUTABLE AS
  $$ SELECT choices[1 + floor(dice(what, number) * cardinality(choices))::int] $$;

CREATE TABLE companies (
  id        int PRIMARY KEY,
  name      text NOT NULL,
  industry  text NOT NULL,
  employees int NOT NULL
);
CREATE TABLE contacts (
  id         int PRIMARY KEY,
  company_id int NOT NULL REFERENCES companies,
  name       text NOT NULL,
  email      text NOT NULL,
  job_title  text NOT NULL,
  lifecycle  text NOT NULL
);
CREATE TABLE activities (
  id          int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  contact_id  int NOT NULL REFERENCES contacts,
  type        text NOT NULL,
  detail      text,
  occurred_at timestamptz NOT NULL
);
CREATE INDEX ON activities (contact_id, occurred_at);

INSERT INTO companies
SELECT n,
       pick('company', n, '{North,Blue,Old Town,Harbour,Alpine,Sunny,Royal,Green}') || ' ' || trade,
       CASE trade WHEN 'Hotels' THEN 'Hospitality' WHEN 'Machines' THEN 'Manufacturing' WHEN 'Software' THEN 'Software'
                  WHEN 'Foods' THEN 'Retail' ELSE 'Health' END,
       round(exp(1 + 7 * dice('employees', n)))
  FROM generate_series(1, 40) AS n,
       LATERAL (SELECT pick('trade', n, '{Hotels,Machines,Software,Foods,Clinics}') AS trade) AS trades;

INSERT INTO contacts
SELECT n,
       1 + floor(40 * dice('works at', n)),
       first || ' ' || last,
       lower(first || '.' || last || n)
         || pick('mail', n, '{@example.com,@example.com,@example.org,@freemail.example}'),
       pick('title', n, '{CEO,Head of Sales,Manager,Manager,Engineer,Engineer,Analyst,Student}'),
       pick('lifecycle', n, '{lead,lead,lead,lead,qualified,qualified,customer}')
  FROM generate_series(1, 200) AS n,
       LATERAL (SELECT pick('first', n, '{Ada,Ben,Carla,David,Elif,Farid,Grace,Hugo,Ines,Jonas,Kim,Lena}') AS first,
                       pick('last', n, '{Berg,Costa,Dubois,Evans,Fischer,Garcia,Haas,Ito,Jansen,Kaya}') AS last) AS names;

-- Some contacts do much more than others, and there was more to do lately.
INSERT INTO activities (contact_id, type, detail, occurred_at)
SELECT 1 + floor(200 * power(dice('who', n), 1.6)),
       kind,
       CASE kind WHEN 'page_view' THEN pick('page', n, '{/,/,/blog,/blog,/docs,/pricing}')
                 WHEN 'form_submit' THEN pick('form', n, '{newsletter,newsletter,contact us}') END,
       now() - power(dice('when', n), 1.6) * interval '365 days'
  FROM generate_series(1, 5000) AS n,
       LATERAL (SELECT pick('kind', n, '{page_view,page_view,page_view,page_view,page_view,page_view,page_view,'
                         'page_view,email_open,email_open,email_open,email_open,email_open,email_click,email_click,'
                         'form_submit,webinar,call_missed,call_started,meeting_booked}') AS kind) AS kinds;
VACUUM ANALYZE companies, contacts, activities;

SELECT c.id, c.name, c.job_title, o.name AS company, o.industry, o.employees, count(a) AS activities
  FROM contacts AS c
  JOIN companies AS o ON o.id = c.company_id
  LEFT JOIN activities AS a ON a.contact_id = c.id
 WHERE c.id IN (3, 42, 150)
 GROUP BY c.id, o.id
 ORDER BY c.id;

\echo '=== The definition: rows in plain tables'
\echo
\set ECHO queries

CREATE EXTENSION lead_scoring;

INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('contact', 'contacts', 'id');

INSERT INTO lead_scoring.source (name, record_type, relation, record_key, record_column, occurred_at) VALUES
  ('activity', 'contact', 'activities', 'contact_id', NULL,         'occurred_at'),
  ('company',  'contact', 'companies',  'id',         'company_id', NULL);

INSERT INTO lead_scoring.score (name, record_type, kind, min_points, max_points, description) VALUES
  ('lead_score', 'contact', 'combined', 0, 100, 'Whom sales should call first');

INSERT INTO lead_scoring.scope (score, mode, criterion) VALUES ('lead_score', 'exclude', $$lifecycle = 'customer'$$);

INSERT INTO lead_scoring.score_group (score, name, kind, min_points, max_points, decay) VALUES
  ('lead_score', 'profile',   'fit',        0, 40, NULL),
  ('lead_score', 'sales',     'engagement', 0, 40, '50% per month after 3 days'),
  ('lead_score', 'marketing', 'engagement', 0, 20, 'half-life 14 days');

INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES
  ('lead_score', 'profile',   'decides',         NULL,       $$job_title IN ('CEO', 'Head of Sales')$$, 15),
  ('lead_score', 'profile',   'student',         NULL,       $$job_title = 'Student'$$,                -20),
  ('lead_score', 'profile',   'private address', NULL,       $$email LIKE '%@freemail.example'$$,       -5),
  ('lead_score', 'profile',   'hospitality',     'company',  $$industry = 'Hospitality'$$,              10),
  ('lead_score', 'profile',   'over 200 people', 'company',  $$employees > 200$$,                       10),
  ('lead_score', 'sales',     'meeting booked',  'activity', $$type = 'meeting_booked'$$,               15),
  ('lead_score', 'sales',     'call',            'activity', $$type = 'call_started'$$,                  8),
  ('lead_score', 'sales',     'missed call',     'activity', $$type = 'call_missed'$$,                  -5),
  ('lead_score', 'sales',     'asked for us',    'activity', $$type = 'form_submit' AND detail = 'contact us'$$, 12),
  ('lead_score', 'marketing', 'e-mail opened',   'activity', $$type = 'email_open'$$,                    2),
  ('lead_score', 'marketing', 'e-mail clicked',  'activity', $$type = 'email_click'$$,                   5),
  ('lead_score', 'marketing', 'webinar',         'activity', $$type = 'webinar'$$,                      10);

-- Three looks at the prices within a month pay once.
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points, counting, at_least, within) VALUES
  ('lead_score', 'marketing', 'pricing, 3 times', 'activity', $$detail = '/pricing'$$, 10, 'once', 3, '30 days');

INSERT INTO lead_scoring.band (score, part, label, lower_bound) VALUES
  ('lead_score', 'fit',        'A', 25), ('lead_score', 'fit',        'B', 10), ('lead_score', 'fit',        'C', NULL),
  ('lead_score', 'engagement', '1', 30), ('lead_score', 'engagement', '2', 10), ('lead_score', 'engagement', '3', NULL);

INSERT INTO lead_scoring.adjustment (score, record_key, points, reason, expires_at) VALUES
  ('lead_score', '42', 8, 'met at the trade fair', now() + interval '60 days');

\set ECHO none
\echo
\echo '=== Try one lead before anything is switched on: where the points of contact 42 come from'
\echo '    (matched rows, points when earned, points left after decay, points within the limits)'
\echo
SELECT step, level, group_name, rule, matched, round(raw::numeric, 1) AS raw, round(decayed::numeric, 1) AS decayed,
       round(clamped::numeric, 1) AS clamped, round(running_total::numeric, 1) AS running
  FROM lead_scoring.explain('lead_score', '42')
 ORDER BY step;

\echo '=== Preview: how all contacts would be distributed'
\echo
SELECT kind, round(lower_bound::numeric, 1) AS from_points, round(upper_bound::numeric, 1) AS to_points, label, records,
       repeat('#', round(100 * share)::int) AS one_percent_each
  FROM lead_scoring.preview('lead_score', 10);

\echo '=== Activate: adds the columns to contacts and scores everybody'
\echo
SELECT lead_scoring.activate('lead_score') AS contacts_scored;

\echo '=== The ten best leads'
\echo
SELECT id, name, job_title, round(lead_score::numeric, 1) AS lead_score, round(lead_score_fit::numeric, 1) AS fit,
       round(lead_score_engagement::numeric, 1) AS engagement, lead_score_label AS label
  FROM contacts
 ORDER BY lead_score DESC NULLS LAST, id
 LIMIT 10;

\echo '=== ... and why: the three rules that give each of them most'
\echo
SELECT best.id, best.name, round(best.lead_score::numeric, 1) AS lead_score, best.lead_score_label AS label, why.reasons
  FROM (SELECT * FROM contacts ORDER BY lead_score DESC NULLS LAST, id LIMIT 10) AS best
 CROSS JOIN LATERAL (
         SELECT string_agg(format('%s +%s', rule, round(decayed::numeric, 1)), ', ' ORDER BY decayed DESC, rule) AS reasons
           FROM (SELECT rule, decayed
                   FROM lead_scoring.explain('lead_score', best.id::text)
                  WHERE level = 'rule' AND decayed >= 0.1
                  ORDER BY decayed DESC, rule
                  LIMIT 3) AS top
       ) AS why
 ORDER BY best.lead_score DESC, best.id;

\echo '=== Tiers are relative: a quarter of the scored contacts each'
\echo
SELECT tier, count(*) AS contacts, round(min(lead_score)::numeric, 1) AS from_score, round(max(lead_score)::numeric, 1) AS to_score
  FROM (SELECT lead_score, lead_scoring.tier('{Very High,High,Medium,Low}'::text[]) OVER (ORDER BY lead_score DESC NULLS LAST, id) AS tier
          FROM contacts) AS tiered
 WHERE tier IS NOT NULL GROUP BY tier ORDER BY max(lead_score) DESC;

\echo '=== The scores are live: contact 150 books two meetings, and the score is there when the INSERT ends'
\echo
SELECT id, name, round(lead_score::numeric, 1) AS score_before, lead_score_label AS label FROM contacts WHERE id = 150;
\set ECHO queries
INSERT INTO activities (contact_id, type, occurred_at) VALUES (150, 'meeting_booked', now()), (150, 'meeting_booked', now());
\set ECHO none
SELECT id, name, round(lead_score::numeric, 1) AS score_after, lead_score_label AS label FROM contacts WHERE id = 150;

\echo '=== ... also when the company grows beyond 200 people: all its contacts at once'
\echo
\set ECHO queries
UPDATE companies SET employees = 300 WHERE id = (SELECT company_id FROM contacts WHERE id = 150);
\set ECHO none
SELECT count(*) AS colleagues, round(avg(lead_score_fit)::numeric, 1) AS their_mean_fit
  FROM contacts WHERE company_id = (SELECT company_id FROM contacts WHERE id = 150);

\echo '=== What happened to contact 150, and who is told'
\echo
SELECT reason, round(previous_total::numeric, 1) AS before, round(total::numeric, 1) AS total,
       previous_label AS label_before, label
  FROM lead_scoring.score_history WHERE score = 'lead_score' AND record_key = '150' ORDER BY history_id;
SELECT kind, from_label, to_label, round(total_before::numeric, 1) AS before, round(total_after::numeric, 1) AS after
  FROM lead_scoring.take_changes('lead_score') WHERE record_key = '150';

\echo '=== Scores are computed from facts: nobody else writes them'
\echo
\set ON_ERROR_STOP off
\set ECHO queries
UPDATE contacts SET lead_score = 100 WHERE id = 150;
\set ECHO none
\set ON_ERROR_STOP on

\echo
\echo '=== Time changes scores, too: a week later, after CALL lead_scoring.refresh_due()'
\echo
SELECT now() + interval '7 days' AS instant \gset
CALL lead_scoring.refresh_due(:'instant');
SELECT id, name, round(lead_score::numeric, 1) AS lead_score, lead_score_label AS label FROM contacts WHERE id = 150;

\echo '=== Every stored score equals an evaluation from scratch at the same instant'
\echo
SELECT count(*) AS scores_that_differ FROM lead_scoring.verify('lead_score', :'instant');

\echo '=== A model learns from 2,000 deals that are won or lost, and predicts the 100 that are open'
\echo
CREATE TABLE deals (
  id      int PRIMARY KEY,
  name    text NOT NULL,
  channel text NOT NULL,
  seats   int NOT NULL,
  calls   int NOT NULL,
  won     boolean
);
INSERT INTO deals
SELECT n, pick('first', n, '{Ada,Ben,Carla,David,Elif,Farid,Grace,Hugo}') || ' ' || pick('last', n, '{Berg,Costa,Dubois,Evans,Fischer}'),
       channel, seats, calls,
       CASE WHEN n <= 2000
            THEN dice('deal', n) < 1 / (1 + exp(2.2 - calls * 0.35 - CASE channel WHEN 'partner' THEN 1.2 WHEN 'fair' THEN -0.6 ELSE 0 END - ln(seats) / 4)) END
  FROM generate_series(1, 2100) AS n,
       LATERAL (SELECT pick('channel', n, '{search,search,partner,fair}') AS channel, round(exp(6 * dice('seats', n)))::int AS seats,
                       floor(6 * dice('calls', n))::int AS calls) AS facts;
\set ECHO queries
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('deal', 'deals', 'id');
INSERT INTO lead_scoring.model (name, record_type, outcome) VALUES ('winning', 'deal', 'won');
INSERT INTO lead_scoring.feature (model, name, expression) VALUES
  ('winning', 'channel', 'channel'), ('winning', 'seats', 'seats'), ('winning', 'calls', 'calls');
SELECT lead_scoring.train('winning') AS version;
\set ECHO none
SELECT algorithm, samples, converted, round(auc::numeric, 2) AS auc, readiness FROM lead_scoring.model_versions;

\set ECHO queries
INSERT INTO lead_scoring.score (name, record_type, kind, model) VALUES ('likelihood', 'deal', 'likelihood', 'winning');
SELECT lead_scoring.activate('likelihood') AS rows_written;
\set ECHO none
SELECT id, name, round(likelihood::numeric, 1) AS likelihood, reasons
  FROM (SELECT * FROM deals WHERE won IS NULL ORDER BY likelihood DESC, id LIMIT 5) AS best
 CROSS JOIN LATERAL (
         SELECT string_agg(explanation, '; ' ORDER BY rank) AS reasons
           FROM lead_scoring.explain_prediction('winning', best.id::text) WHERE rank <= 2) AS why
 ORDER BY best.likelihood DESC, best.id;

\echo '=== It is live, too: another call'
\echo
\set ECHO queries
UPDATE deals SET calls = calls + 1 WHERE id = 2050 RETURNING calls;
\set ECHO none
SELECT id, name, calls, round(likelihood::numeric, 1) AS likelihood FROM deals WHERE id = 2050;
