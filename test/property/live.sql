-- The invariant under live changes: random definitions and data as in run.sql, but the columns are kept by triggers and by
-- time alone: after refresh_due(t) the stored values are the evaluation from scratch at t. No refresh of everything hides
-- a change that was missed.

CREATE TABLE property.live_statements (seed bigint, kind text, statements int);

-- A random key of a contact, as SQL
CREATE FUNCTION property.any_contact(seed bigint, choice text) RETURNS text
IMMUTABLE LANGUAGE sql AS $$
  SELECT format('(SELECT id FROM "prop data".contacts ORDER BY md5(id::text || %L) LIMIT 1)', seed || choice)
$$;

-- A random statement that changes facts
CREATE FUNCTION property.live_statement(seed bigint, n int, as_of timestamptz, contacts int, null_times bool, OUT kind text, OUT statement text)
LANGUAGE plpgsql AS $$
DECLARE
  t text := 'live ' || n || ' ';
  share float8 := property.pick(seed, t || 'share', ARRAY[0.02, 0.1, 0.5]);
  few text := format('property.u(%s, %L || id) < %s', seed, t, share);
  contact text := property.any_contact(seed, t);
  key_type text := format_type((SELECT atttypid FROM pg_attribute WHERE attrelid = '"prop data".memberships'::regclass AND attname = 'contact_id'), NULL);
  moment timestamptz := property.time(seed, t, as_of);
BEGIN
  kind := property.pick(seed, t || 'kind', ARRAY['event', 'event', 'event', 'events', 'edit events', 'move events', 'rekey events', 'delete events', 'contact', 'edit contact', 'edit contact',
    'link contact', 'rekey contact', 'delete contact', 'company', 'edit company', 'delete company', 'member', 'leave', 'part', 'edit part', 'unpart', 'call', 'edit call', 'adjust', 'unadjust', 'reset',
    'upsert', 'merge', 'partition', 'copy of events', 'three in one', 'truncate']);
  statement := CASE kind
    WHEN 'event' THEN format('CALL property.add_events(%s, %s, %2$s, %s, %L, false)', seed, 10000 + n * 100, contacts, as_of)
    WHEN 'events' THEN format('CALL property.add_events(%s, %s, %s, %s, %L, false)', seed, 10000 + n * 100, 10000 + n * 100 + property.between(seed, t || 'many', 1, 40), contacts, as_of)
    WHEN 'edit events' THEN format('UPDATE "prop data".activities SET type = %L, amount = %s, ok = NOT ok WHERE %s', property.pick(seed, t || 'type', ARRAY['form', 'call', 'email_open', 'other']),
      property.between(seed, t || 'amount', -3, 20), few)
    WHEN 'move events' THEN format('UPDATE "prop data".activities SET occurred_at = %L WHERE %s', moment, few)
    WHEN 'rekey events' THEN format('UPDATE "prop data".activities SET contact_id = %s WHERE %s', contact, few)
    WHEN 'delete events' THEN format('DELETE FROM "prop data".activities WHERE %s', few)
    WHEN 'contact' THEN CASE WHEN property.key(seed, contacts + 1) IS NOT NULL AND key_type <> 'text'
      THEN format('CALL property.add_contacts(%s, %s, %2$s, %L)', seed, contacts + n + 1, as_of) END
    WHEN 'edit contact' THEN format('UPDATE "prop data".contacts SET "Industry" = %L, employees = %s, stage = %L, is_customer = NOT is_customer WHERE %s',
      property.pick(seed, t || 'industry', ARRAY['Hospitality', 'Software', 'Retail', NULL]), property.pick(seed, t || 'employees', ARRAY[0, 50, 51, 101]), property.pick(seed, t || 'stage', ARRAY['lead', 'won']), few)
    WHEN 'link contact' THEN format('UPDATE "prop data".contacts SET company_id = %s, owner_ref = %L WHERE id = %s', property.between(seed, t || 'company', 1, 8), 'owner ' || property.between(seed, t || 'owner', 1, contacts), contact)
    WHEN 'rekey contact' THEN CASE WHEN key_type IN ('integer', 'bigint') THEN format('UPDATE "prop data".contacts SET id = %s WHERE id = %s', 500000 + n, contact) END
    WHEN 'delete contact' THEN format('DELETE FROM "prop data".contacts WHERE id = %s', contact)
    WHEN 'company' THEN format('INSERT INTO "prop data".companies VALUES (%s, %L, %s, true) ON CONFLICT (id) DO UPDATE SET size = excluded.size + 1', property.between(seed, t || 'company', 1, 9),
      property.pick(seed, t || 'country', ARRAY['US', 'DE']), property.pick(seed, t || 'size', ARRAY[50, 100, 501]))
    WHEN 'edit company' THEN format('UPDATE "prop data".companies SET size = coalesce(size, 0) %% 600 + 51, certified = NOT certified WHERE %s', few)
    WHEN 'delete company' THEN format('DELETE FROM "prop data".companies WHERE id = %s', property.between(seed, t || 'company', 1, 9))
    WHEN 'member' THEN format('INSERT INTO "prop data".memberships VALUES (%s, %L, now()::date - %s)', contact, property.pick(seed, t || 'list', ARRAY['vip', 'competitors', 'newsletter']), property.between(seed, t || 'joined', -5, 50))
    WHEN 'leave' THEN format('DELETE FROM "prop data".memberships WHERE contact_id = %s', contact)
    WHEN 'part' THEN format('INSERT INTO "prop data".participants VALUES (%s, %s, %L)', contact, property.between(seed, t || 'company', 1, 7), property.pick(seed, t || 'role', ARRAY['buyer', 'user', NULL]))
    WHEN 'edit part' THEN format('UPDATE "prop data".participants SET role = %L, company_id = company_id %% 7 + 1 WHERE contact_id = %s', property.pick(seed, t || 'role', ARRAY['buyer', 'user', NULL]), contact)
    WHEN 'unpart' THEN format('DELETE FROM "prop data".participants WHERE contact_id = %s', contact)
    WHEN 'call' THEN format('INSERT INTO "prop data".call_log VALUES (%L, %s, %L, %L, %L)', 'owner ' || property.between(seed, t || 'owner', 1, contacts), property.pick(seed, t || 'minutes', ARRAY[0, 7.99, 8.01, 30]),
      property.pick(seed, t || 'outcome', ARRAY['connected', 'missed']), moment, property.pick(seed, t || 'kind of call', ARRAY['sales', 'support', 'deleted', NULL]))
    WHEN 'edit call' THEN format('UPDATE "prop data".call_log SET minutes = 9 WHERE owner = %L', 'owner ' || property.between(seed, t || 'owner', 1, contacts))
    WHEN 'adjust' THEN format('INSERT INTO lead_scoring.adjustment (score, record_key, points, reason, expires_at) SELECT %L, %s::text, %s, ''why not'', %L WHERE %3$s IS NOT NULL', property.score_name(seed), contact,
      property.between(seed, t || 'points', -20, 20), CASE WHEN property.u(seed, t || 'expires') < 0.5 THEN greatest(moment, now() + interval '1 minute') END)
    WHEN 'unadjust' THEN format('DELETE FROM lead_scoring.adjustment WHERE score = %L AND property.u(%s, %L || adjustment_id) < 0.5', property.score_name(seed), seed, t)
    WHEN 'reset' THEN CASE WHEN isfinite(moment) AND moment > '2000-01-01' THEN format('SELECT lead_scoring.reset_engagement(%L, %s::text, %L) WHERE %2$s IS NOT NULL', property.score_name(seed), contact, moment) END
    WHEN 'upsert' THEN format('INSERT INTO "prop data".contacts (id, employees) VALUES (%s, 50), (%s, 51) ON CONFLICT (id) DO UPDATE SET employees = excluded.employees', contact,
      CASE key_type WHEN 'text' THEN quote_literal('new ' || n) WHEN 'uuid' THEN quote_literal(md5(seed || t)::uuid) ELSE (700000 + n)::text END)
    WHEN 'merge' THEN CASE WHEN current_setting('server_version_num')::int >= 150000 THEN
      format('MERGE INTO "prop data".companies c USING (VALUES (%s), (%s)) AS v (id) ON v.id = c.id WHEN MATCHED AND c.size > 100 THEN DELETE WHEN MATCHED THEN UPDATE SET size = 501 WHEN NOT MATCHED THEN INSERT VALUES (v.id, ''US'', 101, true)',
        property.between(seed, t || 'one', 1, 4), property.between(seed, t || 'other', 5, 9)) END
    WHEN 'partition' THEN CASE WHEN to_regclass('"prop data".activities_rest') IS NOT NULL THEN
      format('INSERT INTO "prop data".activities_rest (id, contact_id, type, occurred_at) VALUES (%s, %s, ''form'', now() - interval ''2 days'')', n, contact) END
    WHEN 'copy of events' THEN format('INSERT INTO "prop data".activities SELECT * FROM "prop data".activities WHERE %s', few)
    WHEN 'three in one' THEN format('WITH a AS (DELETE FROM "prop data".activities WHERE %s RETURNING *), b AS (UPDATE "prop data".companies SET size = 501 WHERE id = 3) INSERT INTO "prop data".activities SELECT * FROM a WHERE amount > 0', few)
    WHEN 'truncate' THEN CASE WHEN property.u(seed, t || 'really') < 0.2 THEN format('TRUNCATE "prop data".%I', property.pick(seed, t || 'table', ARRAY['activities', 'memberships', 'participants', 'companies'])) END
  END;
END
$$;

-- Runs random statements, some of which are rolled back, in transactions of several
CREATE PROCEDURE property.change_live(seed bigint, first int, last int, as_of timestamptz, contacts int, null_times bool)
LANGUAGE plpgsql AS $$
DECLARE
  n int;
  kind text;
  statement text;
  code text;
  message text;
  context text;
BEGIN
  FOR n IN first..last LOOP
    SELECT s.kind, s.statement INTO kind, statement FROM property.live_statement(seed, n, as_of, contacts, null_times) s;
    CONTINUE WHEN statement IS NULL;
    BEGIN
      EXECUTE statement;
      IF property.u(seed, 'roll back ' || n) < 0.1 THEN
        RAISE EXCEPTION 'rolled back' USING ERRCODE = 'P0999';
      END IF;
      INSERT INTO property.live_statements VALUES (seed, kind, 1);
    EXCEPTION WHEN SQLSTATE 'P0999' THEN NULL;
      -- what the random data cannot hold, or a rule refuses, must leave nothing behind either
      WHEN unique_violation OR numeric_value_out_of_range OR not_null_violation OR check_violation OR null_value_not_allowed THEN NULL;
      WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, context = PG_EXCEPTION_CONTEXT;
        INSERT INTO property.failure VALUES (seed, 'live', 'no error', format('%s %s | %s | %s', code, message, left(statement, 300), left(context, 500)));
    END;
    IF property.u(seed, 'commit ' || n) < 0.3 THEN
      COMMIT;
    END IF;
  END LOOP;
END
$$;

CREATE PROCEDURE property.run_live_seed(seed bigint, rounds int, statements int)
LANGUAGE plpgsql AS $$
DECLARE
  s text := property.score_name(seed);
  as_of timestamptz := date_trunc('second', clock_timestamp());
  contacts int := CASE property.pick(seed, 'key type', ARRAY['int', 'bigint', 'uuid', 'text']) WHEN 'text' THEN property.between(seed, 'contacts', 5, 9) ELSE property.between(seed, 'contacts', 5, 40) END;
  null_times bool := property.u(seed, 'null times') < 0.2;
  compared int := 0;
  stands bool := property.u(seed, 'time stands') < 0.5;
  now timestamptz;
  later timestamptz;
  by_clock bool;
  round int;
BEGIN
  CALL property.make_tables(seed);
  CALL property.make_data(seed, as_of, contacts, property.between(seed, 'events', 0, 150), null_times);
  CALL property.make_definition(seed, as_of, contacts, null_times);
  -- what the rows of a source alone decide is read without a query
  IF NOT null_times AND property.u(seed, 'plain events') < 0.6 THEN
    UPDATE lead_scoring.source SET filter = NULL, dedup_key = NULL, dedup_within = NULL WHERE name = 'activity';
  END IF;
  COMMIT;
  PERFORM lead_scoring.activate(s);
  COMMIT;
  FOR round IN 1..rounds LOOP
    CALL property.change_live(seed, round * statements, (round + 1) * statements - 1, as_of, contacts, null_times);
    COMMIT;
    -- what is stored may be of later, once it was brought there; of views triggers see nothing
    IF (later IS NULL OR stands) AND NOT lead_scoring.has_unwatched(s) THEN
      now := clock_timestamp();
      INSERT INTO property.failure SELECT seed, 'live', 'verify is empty, but for what is due', format('round %s, as of %s: %s', round, now, v) FROM lead_scoring.verify(s, now) AS v
       WHERE NOT EXISTS (SELECT FROM lead_scoring.due AS d WHERE d.score = s AND d.record_key = v.record_key AND d.due_at <= now) LIMIT 3;
    END IF;
    -- time does not go back
    later := greatest(later, clock_timestamp() + CASE WHEN stands THEN '0' ELSE property.pick(seed, 'later ' || round, ARRAY['0', '1 second', '90 minutes', '36 hours', '7 days', '13 days 7 hours 11 minutes', '30 days', '400 days']) END::interval);
    -- what is due by now is evaluated as of the clock, which goes on: in a minute points can fade by 99 %
    by_clock := later <= clock_timestamp();
    CALL lead_scoring.refresh_due(later);
    INSERT INTO property.failure SELECT seed, 'live', 'verify is empty after refresh_due', format('round %s, as of %s: %s', round, later, v) FROM lead_scoring.verify(s, later) AS v
     WHERE NOT by_clock OR greatest(abs(v.stored_total - v.total), abs(v.stored_fit - v.fit), abs(v.stored_engagement - v.engagement)) > 0.5 LIMIT 3;
    SELECT compared + count(*) INTO compared FROM lead_scoring.evaluate(s, later) AS e WHERE e.total <> 0;
    COMMIT;
  END LOOP;
  INSERT INTO property.failure SELECT seed, 'live', 'nothing is parked', p::text FROM lead_scoring.parked AS p;
  INSERT INTO property.outcome SELECT seed, contacts, 0, (SELECT count(*) FROM lead_scoring.rule WHERE score = s), compared, 0;
  PERFORM lead_scoring.deactivate(s);
  DELETE FROM property.decay_given;
  DELETE FROM lead_scoring.score WHERE name = s;
  DELETE FROM lead_scoring.source WHERE record_type = 'prop contact';
  DELETE FROM lead_scoring.record_type WHERE name = 'prop contact';
  DROP SCHEMA "prop data" CASCADE;
  COMMIT;
END
$$;
