-- Random data and random definitions, the same for the same seed on every server version: every
-- choice is a hash of the seed and of what is chosen, so that no choice depends on another's order.

-- A number in [0, 1) for this seed and this choice
CREATE FUNCTION property.u(seed bigint, choice text) RETURNS float8
IMMUTABLE LANGUAGE sql AS $$
  SELECT ((hashtextextended(choice, seed) >> 12) & 4503599627370495)::float8 / 4503599627370496
$$;

CREATE FUNCTION property.between(seed bigint, choice text, low int, high int) RETURNS int
IMMUTABLE LANGUAGE sql AS $$
  SELECT low + floor(property.u(seed, choice) * (high - low + 1))::int
$$;

CREATE FUNCTION property.pick(seed bigint, choice text, options anyarray) RETURNS anyelement
IMMUTABLE LANGUAGE sql AS $$
  SELECT options[1 + floor(property.u(seed, choice) * cardinality(options))::int]
$$;

-- A random boolean expression over one row of a relation: 'record', 'event', 'call', 'company' or 'membership'
CREATE FUNCTION property.criterion(seed bigint, choice text, kind text, depth int) RETURNS text
IMMUTABLE LANGUAGE plpgsql AS $$
DECLARE
  shape float8 := property.u(seed, choice || ' shape');
BEGIN
  IF depth > 0 AND shape < 0.18 THEN
    RETURN format('(%s) AND (%s)', property.criterion(seed, choice || 'l', kind, depth - 1), property.criterion(seed, choice || 'r', kind, depth - 1));
  ELSIF depth > 0 AND shape < 0.36 THEN
    RETURN format('%s OR %s', property.criterion(seed, choice || 'l', kind, 0), property.criterion(seed, choice || 'r', kind, depth - 1));
  ELSIF depth > 0 AND shape < 0.46 THEN
    RETURN format('NOT (%s)', property.criterion(seed, choice || 'n', kind, depth - 1));
  END IF;
  RETURN property.pick(seed, choice || ' atom', CASE kind
    WHEN 'record' THEN ARRAY[
      $c$"Industry" = 'Hospitality'$c$, $c$"Industry" IN ('Software', 'Retail')$c$, $c$"Industry" NOT IN ('Software', 'Retail')$c$,
      $c$"Industry" IN ('Software', NULL)$c$, $c$"Industry" NOT IN ('Software', NULL)$c$, $c$"Industry" <> 'Retail'$c$,
      $c$"Industry" IS NULL$c$, $c$"Industry" IS NOT NULL$c$, $c$lower("Industry") = 'software'$c$, $c$"Industry" = state$c$,
      $c$"Industry" IS NOT DISTINCT FROM state$c$, $c$"Industry" IS DISTINCT FROM 'Retail'$c$, $c$'Retail' = "Industry"$c$,
      $c$"Industry" = ANY ('{Retail,Software}')$c$, $c$"Industry" <> ALL ('{Retail,Software}')$c$, $c$"Industry" > 'M'$c$, $c$"Industry" BETWEEN 'H' AND 'R'$c$,
      $c$state LIKE 'N%'$c$, $c$state NOT LIKE 'N%'$c$, $c$state ILIKE '%w%'$c$, $c$state ~ '^[NM]W?$'$c$, $c$state = ''$c$,
      $c$employees > 50$c$, $c$employees >= 50$c$, $c$employees < 100$c$, $c$employees <= 100$c$, $c$employees = 100$c$, $c$employees <> 50$c$, $c$50 < employees$c$,
      $c$employees BETWEEN 10 AND 100$c$, $c$employees NOT BETWEEN 10 AND 100$c$, $c$employees BETWEEN SYMMETRIC 100 AND 10$c$, $c$employees IN (10, 50, 100)$c$,
      $c$employees IN (10, NULL)$c$, $c$employees IS NULL$c$, $c$employees = 100.0$c$, $c$employees > 49.5$c$, $c$employees > 3000000000$c$, $c$employees % 2 = 0$c$,
      $c$revenue >= 1000.5$c$, $c$revenue < 1000$c$, $c$revenue = 1000$c$, $c$revenue BETWEEN 0 AND 1000.50$c$, $c$revenue IN (1000, 0.1)$c$, $c$revenue > 1e3$c$, $c$revenue = 'NaN'$c$,
      $c$is_customer$c$, $c$NOT is_customer$c$, $c$is_customer IS NOT TRUE$c$, $c$is_customer IS FALSE$c$, $c$is_customer IS UNKNOWN$c$, $c$is_customer = false$c$, $c$is_customer IS NULL$c$,
      $c$tags && ARRAY['NE', 'MW']$c$, $c$'NE' = ANY (tags)$c$, $c$tags @> ARRAY['SE']$c$, $c$cardinality(tags) > 1$c$, $c$tags = '{}'$c$, $c$'NE' <> ALL (tags)$c$,
      $c$created_at < as_of - interval '30 days'$c$, $c$created_at >= as_of - interval '90 days'$c$, $c$as_of > '2026-01-31 00:00 UTC'$c$, $c$created_at <= '2026-01-01 00:00 UTC'$c$, $c$created_at = as_of$c$, $c$created_at IS NULL$c$,
      $c$birthday < DATE '1990-01-01'$c$, $c$birthday BETWEEN '1980-01-01' AND '2000-12-31'$c$, $c$extract(year FROM birthday) = 1990$c$, $c$birthday = '1990-01-01'$c$,
      $c$email LIKE '%@example.com'$c$, $c$email = 'a@example.com'$c$, $c$email = ''$c$, $c$grade = 'A'$c$, $c$grade = 'A  '$c$, $c$grade IN ('A', 'B')$c$, $c$grade < 'B'$c$, $c$grade <> 'A '$c$,
      $c$ratio = 0.1$c$, $c$ratio = 0.1::real$c$, $c$ratio > 0.1$c$, $c$ratio >= 0.5$c$, $c$ratio = 0$c$, $c$ratio IN (0.5, 'NaN')$c$, $c$weight = 'NaN'$c$, $c$weight > 1e6$c$, $c$weight = 0$c$, $c$weight < '-Infinity'$c$, $c$weight BETWEEN -1 AND 0.1$c$, $c$weight = 0.1$c$,
      $c$small > 5$c$, $c$small = 7$c$, $c$small IN (5, 7)$c$, $c$small > 100000$c$, $c$small = 7.0$c$, $c$big = 9007199254740993$c$, $c$big > 9007199254740992$c$, $c$big IN (9007199254740992, 1)$c$, $c$big = 9007199254740993.0$c$, $c$big <= 9007199254740992.5$c$,
      $c$stage = 'lead'$c$, $c$stage IN ('lead', 'open')$c$, $c$stage > 'lead'$c$, $c$stage <> 'won'$c$, $c$plan = 'pro'$c$, $c$plan IN ('pro', 'free')$c$,
      $c$data ->> 'plan' = 'pro'$c$, $c$(data ->> 'seats')::int > 5$c$, $c$data ? 'seats'$c$, $c$coalesce(employees, 0) < 20$c$, $c$length("Industry") > 6$c$, $c$CASE WHEN employees > 50 THEN is_customer ELSE state = 'NE' END$c$,
      $c$true$c$, $c$false$c$, $c$NULL$c$, $c$employees = NULL$c$, $c$"Industry" = 'O''Brien'$c$, $c$company_id IS NOT NULL$c$]
    WHEN 'event' THEN ARRAY[
      $c$type = 'form'$c$, $c$type = 'form'$c$, $c$type = 'page_view'$c$, $c$type = 'email_open'$c$, $c$type = 'call'$c$, $c$type = 'unsubscribed'$c$,
      $c$type IN ('form', 'call')$c$, $c$type IN ('page_view', 'email_open', NULL)$c$, $c$type <> 'page_view'$c$, $c$type IS NULL$c$, $c$type = 'form' AND detail = 'Sales inquiry'$c$,
      $c$type = 'form' AND detail IN ('Sales inquiry', 'Product demo')$c$, $c$type = 'page_view' AND detail LIKE '/product%'$c$, $c$type = 'call' AND duration > 480$c$, $c$type = 'call' AND NOT ok$c$,
      $c$detail IN ('Sales inquiry', 'Product demo')$c$, $c$detail LIKE '/product%'$c$, $c$detail IS NULL$c$, $c$detail NOT LIKE '%demo%'$c$, $c$upper(type) = 'FORM'$c$, $c$type LIKE 'em%'$c$,
      $c$amount > 10$c$, $c$amount >= 10.5$c$, $c$amount = 10.50$c$, $c$amount BETWEEN 1 AND 10.5$c$, $c$amount IS NULL$c$, $c$coalesce(amount, 0) = 0$c$, $c$amount * 2 > 21$c$, $c$amount IN (10.5, 20)$c$, $c$amount < 0$c$,
      $c$duration >= 480$c$, $c$duration = 480$c$, $c$duration IN (60, 480)$c$, $c$duration BETWEEN 60 AND 480$c$, $c$duration IS NOT NULL$c$, $c$duration > 479.5$c$,
      $c$ok$c$, $c$NOT ok$c$, $c$ok IS NOT TRUE$c$, $c$tags && ARRAY['ad', 'promo']$c$, $c$'ad' = ANY (tags)$c$, $c$tags IS NULL$c$,
      $c$occurred_at >= as_of - interval '7 days'$c$, $c$occurred_at < '2026-01-01 00:00 UTC'$c$, $c$extract(hour FROM occurred_at AT TIME ZONE 'UTC') >= 12$c$, $c$isfinite(occurred_at)$c$,
      $c$as_of >= '2026-02-01 00:00 UTC'$c$, $c$value > 0.5$c$, $c$value = 'NaN'$c$, $c$value <= 0.1$c$, $c$true$c$, $c$false$c$, $c$NULL::boolean$c$]
    WHEN 'call' THEN ARRAY[
      $c$minutes > 8$c$, $c$minutes >= 8$c$, $c$minutes = 8$c$, $c$outcome = 'connected'$c$, $c$outcome IN ('missed', 'voicemail')$c$, $c$outcome IS NULL$c$, $c$outcome <> 'missed'$c$, $c$true$c$, $c$outcome = 'connected' AND minutes > 8$c$]
    WHEN 'company' THEN ARRAY[
      $c$country = 'US'$c$, $c$country IN ('DE', 'FR')$c$, $c$country IS NULL$c$, $c$size > 100$c$, $c$size BETWEEN 100 AND 500$c$, $c$certified$c$, $c$NOT certified$c$, $c$size > 100 AND certified$c$, $c$true$c$]
    ELSE ARRAY[
      $c$list = 'vip'$c$, $c$list IN ('vip', 'competitors')$c$, $c$list <> 'newsletter'$c$, $c$list LIKE '%e%'$c$, $c$true$c$, $c$joined_on < (as_of AT TIME ZONE 'UTC')::date$c$]
    END);
END
$$;

-- Tables of a small CRM in schema "prop data", some partitioned, some behind a view
CREATE PROCEDURE property.make_tables(seed bigint)
LANGUAGE plpgsql AS $$
DECLARE
  key_type text := property.pick(seed, 'key type', ARRAY['int', 'bigint', 'uuid', 'text']);
  contacts_by_hash bool := property.u(seed, 'contacts partitioned') < 0.2;
  events_by_range bool := property.u(seed, 'events partitioned') < 0.25;
BEGIN
  CREATE SCHEMA "prop data";
  CREATE TYPE "prop data".stage AS ENUM ('lead', 'open', 'won');
  CREATE DOMAIN "prop data".plan AS text CHECK (VALUE <> 'forbidden');
  EXECUTE format($t$CREATE TABLE "prop data".contacts (
    dropped int, id %s PRIMARY KEY, owner_ref text, "Industry" text, state text, employees int, revenue numeric, is_customer bool, tags text[],
    created_at timestamptz, birthday date, email varchar(80), grade char(3), ratio real, weight float8, small smallint, big bigint,
    stage "prop data".stage, plan "prop data".plan, data jsonb, company_id int) %s$t$,
    key_type, CASE WHEN contacts_by_hash THEN 'PARTITION BY HASH (id)' ELSE '' END);
  IF contacts_by_hash THEN
    CREATE TABLE "prop data".contacts_0 PARTITION OF "prop data".contacts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE "prop data".contacts_1 PARTITION OF "prop data".contacts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
  END IF;
  ALTER TABLE "prop data".contacts DROP COLUMN dropped;
  EXECUTE format($t$CREATE TABLE "prop data".activities (
    id int NOT NULL, contact_id %s, type text, detail text, amount numeric, duration int, ok bool, tags text[], value float8, noise text, occurred_at timestamptz) %s$t$,
    CASE WHEN key_type = 'int' AND property.u(seed, 'wide event key') < 0.3 THEN 'bigint' ELSE key_type END,
    CASE WHEN events_by_range THEN 'PARTITION BY RANGE (occurred_at)' ELSE '' END);
  IF events_by_range THEN
    CREATE TABLE "prop data".activities_old PARTITION OF "prop data".activities FOR VALUES FROM (MINVALUE) TO ('2026-01-01 00:00 UTC');
    CREATE TABLE "prop data".activities_rest PARTITION OF "prop data".activities DEFAULT;
  ELSE
    EXECUTE format('CREATE INDEX ON "prop data".activities (contact_id%s)%s',
      property.pick(seed, 'index of events', ARRAY['', ', occurred_at', ', occurred_at DESC', ' DESC, occurred_at DESC NULLS LAST', ', occurred_at NULLS FIRST']),
      CASE WHEN property.u(seed, 'index holds all') < 0.5 THEN ' INCLUDE (occurred_at, type, detail, amount, duration, ok, tags, value, id)' ELSE '' END);
  END IF;
  ALTER TABLE "prop data".activities DROP COLUMN noise;
  CREATE TABLE "prop data".companies (id int PRIMARY KEY, country text, size int, certified bool);
  EXECUTE format('CREATE TABLE "prop data".memberships (contact_id %s, list text, joined_on date)', key_type);
  EXECUTE format('CREATE TABLE "prop data".participants (contact_id %s, company_id int, role text)', key_type);
  CREATE TABLE "prop data".call_log (owner text, minutes numeric, outcome text, at timestamptz, kind text);
  CREATE VIEW "prop data".calls AS SELECT at, outcome, minutes, owner AS "Owner Ref", kind FROM "prop data".call_log WHERE kind IS DISTINCT FROM 'deleted';
END
$$;

-- The i-th key, as text of the key type
CREATE FUNCTION property.key(seed bigint, i int) RETURNS text
IMMUTABLE LANGUAGE sql AS $$
  SELECT CASE property.pick(seed, 'key type', ARRAY['int', 'bigint', 'uuid', 'text'])
    WHEN 'int' THEN (i * 7 - 20)::text
    WHEN 'bigint' THEN (i * 1234567890123 - 5)::text
    WHEN 'uuid' THEN md5(seed || ' ' || i)::uuid::text
    ELSE (ARRAY['', ' ', 'O''Brien', 'a"b', 'größe', 'NULL', '{x}', E'tab\there', 'A', 'a', '100', '1e2'])[i]
      END
$$;

-- A time of an event: mostly spread over the last 200 days, often exactly where something changes
CREATE FUNCTION property.time(seed bigint, choice text, as_of timestamptz) RETURNS timestamptz
IMMUTABLE LANGUAGE sql AS $$
  SELECT CASE
    WHEN shape < 0.62 THEN as_of - property.u(seed, choice || ' age') ^ 2 * 200 * interval '24 hours'
    WHEN shape < 0.74 THEN as_of - property.pick(seed, choice || ' bound', ARRAY['7 days', '30 days', '36 hours', '360 days', '90 minutes', '90 days', '3 days', '33 days', '72 hours', '15 days', '60 days'])::interval
                         + property.between(seed, choice || ' step', -1, 1) * interval '1 microsecond'
    WHEN shape < 0.80 THEN property.pick(seed, choice || ' fixed', ARRAY['2025-12-01 00:00:00 UTC', '2026-01-01 00:00:00 UTC', '2026-01-15 00:00:00 UTC', '2025-11-01 00:00:00 UTC'])::timestamptz
                         + property.between(seed, choice || ' step', -1, 1) * interval '1 microsecond'
    WHEN shape < 0.83 THEN as_of
    WHEN shape < 0.85 THEN as_of + interval '1 microsecond'
    WHEN shape < 0.89 THEN as_of + property.u(seed, choice || ' age') * interval '2400 hours'
    WHEN shape < 0.93 THEN '-infinity'
    WHEN shape < 0.96 THEN 'infinity'
    WHEN shape < 0.97 THEN '4700-01-01 BC'
    WHEN shape < 0.98 THEN '1900-01-01 00:00 UTC'
    ELSE as_of - property.between(seed, choice || ' days', 0, 120) * interval '24 hours'
  END FROM (SELECT property.u(seed, choice || ' time') AS shape) AS s
$$;

-- Inserts contacts first..last
CREATE PROCEDURE property.add_contacts(seed bigint, first int, last int, as_of timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
  i int;
  t text;
BEGIN
  FOR i IN first..last LOOP
    t := 'contact ' || i || ' ';
    -- every fourth value or so is NULL
    EXECUTE $i$INSERT INTO "prop data".contacts SELECT r.* FROM jsonb_populate_record(NULL::"prop data".contacts, $1) r$i$
      USING jsonb_build_object(
        'id', property.key(seed, i), 'owner_ref', CASE WHEN property.u(seed, t || 'o?') < 0.8 THEN 'owner ' || i END)
      || (SELECT jsonb_object_agg(key, value) FROM (VALUES
        ('Industry', to_jsonb(property.pick(seed, t || 'industry', ARRAY['Hospitality', 'Software', 'SOFTWARE', 'Retail', 'NE', 'O''Brien', '']))),
        ('state', to_jsonb(property.pick(seed, t || 'state', ARRAY['NE', 'NW', 'MW', 'SE', 'N', '']))),
        ('employees', to_jsonb(property.pick(seed, t || 'employees', ARRAY[0, 10, 49, 50, 51, 100, 101, 2147483647, -1]))),
        ('revenue', to_jsonb(property.pick(seed, t || 'revenue', ARRAY['0', '0.1', '999.99', '1000', '1000.00', '1000.5', '1e12', 'NaN', '-5']))),
        ('is_customer', to_jsonb(property.u(seed, t || 'customer') < 0.5)),
        ('tags', property.pick(seed, t || 'tags', ARRAY['[]', '["NE"]', '["NE", "SE"]', '["MW", "SE", "NE"]', '[null]', '["NE", null]', '["other"]'])::jsonb),
        ('created_at', to_jsonb(property.time(seed, t || 'created', as_of))),
        ('birthday', to_jsonb(property.pick(seed, t || 'birthday', ARRAY['1979-12-31', '1990-01-01', '1989-12-31', '2000-12-31', '2001-01-01', 'infinity']))),
        ('email', to_jsonb(property.pick(seed, t || 'email', ARRAY['a@example.com', 'b@example.com', 'c@other.org', '', 'A@EXAMPLE.COM']))),
        ('grade', to_jsonb(property.pick(seed, t || 'grade', ARRAY['A', 'A  ', 'B', 'AB', '']))),
        ('ratio', to_jsonb(property.pick(seed, t || 'ratio', ARRAY['0.1', '0.5', '0', '-0', 'NaN', '0.10000001', 'Infinity']))),
        ('weight', to_jsonb(property.pick(seed, t || 'weight', ARRAY['0.1', '0', '-0', 'NaN', '-Infinity', '1e7', '-1']))),
        ('small', to_jsonb(property.pick(seed, t || 'small', ARRAY[5, 6, 7, 32767, -7]))),
        ('big', to_jsonb(property.pick(seed, t || 'big', ARRAY['1', '9007199254740992', '9007199254740993', '9007199254740994']))),
        ('stage', to_jsonb(property.pick(seed, t || 'stage', ARRAY['lead', 'open', 'won']))),
        ('plan', to_jsonb(property.pick(seed, t || 'plan', ARRAY['pro', 'free', 'Pro']))),
        ('data', property.pick(seed, t || 'data', ARRAY['{"plan": "pro", "seats": 5}', '{"seats": 6}', '{}', '{"plan": null}'])::jsonb),
        ('company_id', to_jsonb(property.between(seed, t || 'company', 1, 8)))) AS v (key, value)
        WHERE property.u(seed, t || key || '?') < 0.78);
  END LOOP;
END
$$;

-- Inserts events first..last, a few contacts having most of them, some having an unknown contact or none
CREATE PROCEDURE property.add_events(seed bigint, first int, last int, contacts int, as_of timestamptz, null_times bool)
LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format($i$
    INSERT INTO "prop data".activities (id, contact_id, type, detail, amount, duration, ok, tags, value, occurred_at)
    SELECT i, CASE WHEN property.u(%1$s, t || 'no contact') < 0.02 THEN NULL
                ELSE property.key(%1$s, 1 + floor((%2$s + 1) * property.u(%1$s, t || 'contact') ^ 2)::int)::%3$s END,
           CASE WHEN property.u(%1$s, t || 'type?') < 0.96 THEN property.pick(%1$s, t || 'type', ARRAY['form', 'form', 'page_view', 'page_view', 'page_view', 'email_open', 'call', 'unsubscribed', 'Form']) END,
           CASE WHEN property.u(%1$s, t || 'detail?') < 0.85 THEN property.pick(%1$s, t || 'detail', ARRAY['Sales inquiry', 'Product demo', '/product/1', '/product/2', '/', '']) END,
           CASE WHEN property.u(%1$s, t || 'amount?') < 0.8 THEN property.pick(%1$s, t || 'amount', ARRAY[0, 1, 10, 10.5, 10.50, 20, -3]::numeric[]) END,
           CASE WHEN property.u(%1$s, t || 'duration?') < 0.8 THEN property.pick(%1$s, t || 'duration', ARRAY[0, 59, 60, 479, 480, 481, 100000]) END,
           CASE WHEN property.u(%1$s, t || 'ok?') < 0.8 THEN property.u(%1$s, t || 'ok') < 0.5 END,
           CASE WHEN property.u(%1$s, t || 'tags?') < 0.8 THEN property.pick(%1$s, t || 'tags', ARRAY['{}', '{ad}', '{ad,promo}', '{other}', '{NULL}'])::text[] END,
           CASE WHEN property.u(%1$s, t || 'value?') < 0.8 THEN property.pick(%1$s, t || 'value', ARRAY[0.1, 0.5, 0.7, 'NaN', '-Infinity']::float8[]) END,
           CASE WHEN %4$L AND property.u(%1$s, t || 'time?') < 0.1 THEN NULL ELSE property.time(%1$s, t, %5$L) END
      FROM (SELECT i, 'event ' || i || ' ' AS t FROM generate_series(%6$s, %7$s) AS i) AS n$i$,
    seed, contacts, format_type((SELECT atttypid FROM pg_attribute WHERE attrelid = '"prop data".activities'::regclass AND attname = 'contact_id'), NULL),
    null_times, as_of, first, last);
END
$$;

CREATE PROCEDURE property.make_data(seed bigint, as_of timestamptz, contacts int, events int, null_times bool)
LANGUAGE plpgsql AS $$
BEGIN
  CALL property.add_contacts(seed, 1, contacts, as_of);
  CALL property.add_events(seed, 1, events, contacts, as_of, null_times);
  INSERT INTO "prop data".companies
  SELECT i, CASE WHEN property.u(seed, i || ' country?') < 0.8 THEN property.pick(seed, i || ' country', ARRAY['US', 'DE', 'FR']) END,
         CASE WHEN property.u(seed, i || ' size?') < 0.8 THEN property.pick(seed, i || ' size', ARRAY[50, 100, 101, 500, 501]) END,
         CASE WHEN property.u(seed, i || ' certified?') < 0.8 THEN property.u(seed, i || ' certified') < 0.5 END
    FROM generate_series(1, 6) AS i;
  EXECUTE format($i$INSERT INTO "prop data".memberships
    SELECT property.key(%1$s, 1 + floor(%2$s * property.u(%1$s, 'member ' || i))::int)::%3$s, property.pick(%1$s, 'list ' || i, ARRAY['vip', 'competitors', 'newsletter']),
           DATE '2026-01-01' + property.between(%1$s, 'joined ' || i, -50, 50)
      FROM generate_series(1, %2$s) AS i$i$, seed, contacts,
    format_type((SELECT atttypid FROM pg_attribute WHERE attrelid = '"prop data".memberships'::regclass AND attname = 'contact_id'), NULL));
  INSERT INTO "prop data".call_log
  SELECT 'owner ' || property.between(seed, 'call owner ' || i, 1, contacts), property.pick(seed, 'minutes ' || i, ARRAY[0, 7.99, 8, 8.01, 30, NULL]),
         property.pick(seed, 'outcome ' || i, ARRAY['connected', 'missed', 'voicemail', NULL]), property.time(seed, 'call ' || i, as_of),
         property.pick(seed, 'call kind ' || i, ARRAY['sales', 'support', 'deleted', NULL])
    FROM generate_series(1, property.between(seed, 'calls', 0, 60)) AS i;
  -- links of contacts and companies, some of them twice or to nobody
  EXECUTE format($i$INSERT INTO "prop data".participants
    SELECT CASE WHEN property.u(%1$s, 'part? ' || i) < 0.95 THEN property.key(%1$s, 1 + floor(%2$s * property.u(%1$s, 'part ' || i))::int)::%3$s END,
           CASE WHEN property.u(%1$s, 'part company? ' || i) < 0.95 THEN property.between(%1$s, 'part company ' || i, 1, 7) END, property.pick(%1$s, 'role ' || i, ARRAY['buyer', 'user', NULL])
      FROM generate_series(1, %2$s) AS i$i$, seed, contacts,
    format_type((SELECT atttypid FROM pg_attribute WHERE attrelid = '"prop data".participants'::regclass AND attname = 'contact_id'), NULL));
  CALL property.separate_times(seed);
  ANALYZE "prop data".contacts, "prop data".activities;
END
$$;

-- For half of the seeds no two events have the same time: where it matters which of several comes first, no
-- definition says so
CREATE FUNCTION property.times_differ(seed bigint) RETURNS bool
IMMUTABLE LANGUAGE sql AS $$ SELECT property.u(seed, 'times differ') < 0.5 $$;

CREATE PROCEDURE property.separate_times(seed bigint)
LANGUAGE plpgsql AS $$
BEGIN
  IF property.times_differ(seed) THEN
    DELETE FROM "prop data".activities AS a USING "prop data".activities AS b WHERE a.occurred_at = b.occurred_at AND a.id > b.id;
    DELETE FROM "prop data".call_log AS a USING "prop data".call_log AS b WHERE a.at = b.at AND a.ctid > b.ctid;
  END IF;
END
$$;

-- Changes facts at random: inserts, updates and deletes
CREATE PROCEDURE property.change_facts(seed bigint, as_of timestamptz, contacts int, events int, null_times bool)
LANGUAGE plpgsql AS $$
DECLARE
  added int := property.between(seed, 'contacts added', 0, 3);
BEGIN
  IF property.key(seed, contacts + added) IS NOT NULL THEN
    CALL property.add_contacts(seed, contacts + 1, contacts + added, as_of);
  END IF;
  CALL property.add_events(seed, events + 1, events + property.between(seed, 'events added', 0, 60), contacts, as_of, null_times);
  UPDATE "prop data".contacts SET employees = coalesce(employees % 1000, 0) + 50, is_customer = NOT is_customer, "Industry" = property.pick(seed, 'industry ' || id, ARRAY['Retail', 'Hospitality', NULL])
   WHERE property.u(seed, 'change ' || id) < 0.2;
  UPDATE "prop data".activities SET type = 'form', detail = 'Sales inquiry', amount = 10.5 WHERE property.u(seed, 'change event ' || id) < 0.08;
  UPDATE "prop data".activities SET occurred_at = property.time(seed, 'moved ' || id, as_of) WHERE property.u(seed, 'move event ' || id) < 0.08 AND occurred_at IS NOT NULL;
  -- a merge of two records: the events of one go to the other
  UPDATE "prop data".activities SET contact_id = (SELECT id FROM "prop data".contacts ORDER BY id DESC LIMIT 1)
   WHERE contact_id = (SELECT id FROM "prop data".contacts ORDER BY id LIMIT 1) AND property.u(seed, 'merge') < 0.5;
  DELETE FROM "prop data".activities WHERE property.u(seed, 'delete event ' || id) < 0.1;
  DELETE FROM "prop data".contacts WHERE property.u(seed, 'delete ' || id) < 0.08;
  DELETE FROM "prop data".memberships WHERE property.u(seed, 'leave ' || contact_id) < 0.2;
  UPDATE "prop data".participants SET role = 'user' WHERE property.u(seed, 'role of ' || contact_id) < 0.2;
  UPDATE "prop data".companies SET size = coalesce(size, 0) + 1, certified = NOT certified WHERE property.u(seed, 'company ' || id) < 0.4;
  CALL property.separate_times(seed);
END
$$;
