// The same score in a columnar engine, on its own copy of the data: npm install @duckdb/node-api; node duckdb.mjs contacts.csv activities.csv
// (\copy (SELECT id, contact_id, type, extract(epoch FROM occurred_at)::float8 AS occurred_at, detail, amount FROM activities) TO 'activities.csv' CSV HEADER)
import { DuckDBInstance } from '@duckdb/node-api';
const [, , contacts, activities] = process.argv;
const asof = Date.parse('2026-11-01T00:00:00Z') / 1000;
const db = await (await DuckDBInstance.create(':memory:')).connect();
const show = ([count, total]) => total === undefined ? String(count) : `${count} | ${Number(total).toFixed(2)}`;
const timed = async (name, sql) => { const t = performance.now(); const r = await db.runAndReadAll(sql); console.log(name, Math.round(performance.now() - t), 'ms', show(r.getRows()[0])); };
await db.run(`SET threads = ${process.env.THREADS ?? 2}`);
await timed('load', `CREATE TABLE activities AS SELECT * FROM read_csv('${activities}', types = {'occurred_at': 'DOUBLE'})`);
await timed('load', `CREATE TABLE contacts AS SELECT * FROM read_csv('${contacts}')`);
const score = `WITH ev AS (
 SELECT contact_id,
  sum(CASE type WHEN 'call_started' THEN CASE WHEN amount > 480 THEN 23 ELSE 15 END WHEN 'meeting_booked' THEN 10 WHEN 'meeting_done' THEN 20
           WHEN 'call_missed' THEN -5 ELSE 0 END::double * greatest(0::double, 1 - 0.5::double * age)) AS sales,
  sum(CASE type WHEN 'cta_click' THEN 6 WHEN 'email_open' THEN 2 WHEN 'email_click' THEN 5
           WHEN 'form_submit' THEN CASE detail WHEN 'contact us' THEN 5 WHEN 'newsletter' THEN 2 ELSE 0 END
           WHEN 'download' THEN 3 WHEN 'unsubscribe' THEN -20 WHEN 'webinar' THEN 15 ELSE 0 END::double * greatest(0::double, 1 - 0.25::double * age)) AS marketing,
  sum(CASE WHEN type = 'page_view' THEN (1 + CASE detail WHEN '/pricing' THEN 4 WHEN '/contact' THEN 3 WHEN 'demo' THEN 2 ELSE 0 END)::double
           * exp(-2.9706307738283364::double * age) ELSE 0 END) AS web,
  count(*) FILTER (WHERE type = 'page_view' AND age <= 1) AS views, count(*) FILTER (WHERE age <= 1) AS recent
 FROM (SELECT contact_id, type, detail, amount, (${asof} - occurred_at) / 2592000::double AS age FROM activities WHERE occurred_at <= ${asof}) e GROUP BY contact_id)
SELECT count(*), round(sum(score), 2) FROM (
SELECT round(least(100, greatest(0,
     greatest(-60, least(60, coalesce(sales, 0))) + greatest(-40, least(40, coalesce(marketing, 0))) + greatest(-20, least(20, coalesce(web, 0)))
   + CASE WHEN coalesce(views, 0) >= 5 THEN 10 ELSE 0 END + CASE WHEN coalesce(recent, 0) = 0 THEN -5 ELSE 0 END
   + CASE WHEN industry = 'Hospitality' THEN 10 ELSE 0 END + CASE WHEN state = 'Northeast' THEN 15 ELSE 0 END
   + CASE WHEN state IN ('Midwest') THEN 10 ELSE 0 END + CASE WHEN job_title IN ('CEO','CTO','VP Sales') THEN 20 ELSE 0 END
   + CASE WHEN employees BETWEEN 50 AND 1000 THEN 10 ELSE 0 END + CASE WHEN revenue > 10000000 THEN 10 ELSE 0 END
   + CASE WHEN country IN ('US','DE') THEN 5 ELSE 0 END + CASE WHEN job_title = 'Student' THEN -20 ELSE 0 END
   + CASE WHEN email LIKE '%@gmail.com' OR email LIKE '%@yahoo.com' THEN -5 ELSE 0 END + CASE WHEN unsubscribed THEN -10 ELSE 0 END)), 4) AS score
FROM contacts c LEFT JOIN ev ON ev.contact_id = c.id) s`;
for (let i = 0; i < 3; i++) await timed('score', score);
