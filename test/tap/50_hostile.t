#!/usr/bin/perl
# Objects and names made to mislead: in the schema that the extension wants, on the search path, in pg_temp, in names
# and in the definitions themselves.
use strict;
use warnings;
use File::Basename qw(dirname);
use Test::More;
use lib dirname(__FILE__) . '/lib';
use Psql;

my $database = "lead_scoring_hostile_$$";
my $mallory = "ls_hostile_mallory_$$";
my $as_of = '2026-01-31 00:00 UTC';
my @in = (database => $database);

END
{
	my $status = $?;
	drop_database($database) if defined $database;
	psql("DROP ROLE IF EXISTS $mallory") if defined $mallory;
	$? = $status;
}

note_server();
create_database($database);
is(result("CREATE ROLE $mallory LOGIN; GRANT CREATE ON DATABASE $database TO $mallory; GRANT CREATE ON SCHEMA public TO $mallory", @in), '', 'a role');

# What is there before the extension
my $nothing = "SELECT count(*) FROM pg_extension WHERE extname = 'lead_scoring'";
for my $planted ('', 'CREATE TABLE lead_scoring.rule (x int)', 'CREATE FUNCTION lead_scoring.decay_cmp(int, int) RETURNS int LANGUAGE sql AS \'SELECT 1\'')
{
	is(result("CREATE SCHEMA lead_scoring; $planted", @in, user => $mallory), '', 'mallory makes the schema first' . ($planted && ', with ') . $planted);
	like(result('CREATE EXTENSION lead_scoring', @in), qr/^42P06: /, '... so there is no extension');
	is(result($nothing, @in), '0', '... nor a part of it');
	is(result('DROP SCHEMA lead_scoring CASCADE', @in), '', '... until it is dropped');
}
like(result('CREATE EXTENSION lead_scoring', @in, user => $mallory), qr/^42501: /, 'mallory cannot make the extension');

# Operators, functions, tables and types that stand first on the path, each failing loudly or lying
my $hostile = <<'SQL';
CREATE SCHEMA hostile;
CREATE TABLE hostile.alarm (what text);
CREATE FUNCTION hostile.never() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE 'hostile object used' USING ERRCODE = 'H0571'; END $$;
DO $do$
DECLARE
  t text;
  op text;
  f record;
BEGIN
  FOREACH t IN ARRAY ARRAY['text', 'name', 'integer', 'bigint', 'smallint', 'oid', 'boolean', 'double precision', 'numeric', 'timestamptz', 'interval', '"char"', 'text[]', 'name[]', 'oid[]', 'regclass', 'regtype', 'varchar', 'uuid'] LOOP
    EXECUTE format('CREATE FUNCTION hostile.compare(%1$s, %1$s) RETURNS boolean LANGUAGE plpgsql AS ''BEGIN PERFORM hostile.never(); RETURN true; END''', t);
    FOREACH op IN ARRAY ARRAY['=', '<>', '<', '>', '<=', '>='] LOOP
      EXECUTE format('CREATE OPERATOR hostile.%2$s (LEFTARG = %1$s, RIGHTARG = %1$s, FUNCTION = hostile.compare)', t, op);
    END LOOP;
  END LOOP;
  FOREACH t IN ARRAY ARRAY['double precision', 'integer', 'bigint', 'numeric', 'text', 'interval'] LOOP
    EXECUTE format('CREATE FUNCTION hostile.combine(%1$s, %1$s) RETURNS %1$s LANGUAGE plpgsql AS ''BEGIN PERFORM hostile.never(); RETURN $1; END''', t);
    FOREACH op IN ARRAY ARRAY['+', '-', '*', '/', '||'] LOOP
      EXECUTE format('CREATE OPERATOR hostile.%2$s (LEFTARG = %1$s, RIGHTARG = %1$s, FUNCTION = hostile.combine)', t, op);
    END LOOP;
  END LOOP;
  -- Every function that the extension's own code could mean, with the same arguments
  FOR f IN SELECT p.proname, pg_get_function_identity_arguments(p.oid) AS arguments, pg_get_function_result(p.oid) AS result FROM pg_proc p
            WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f' AND NOT p.proretset AND p.provariadic = 0 AND 'internal'::regtype <> ALL (p.proargtypes::oid[]) AND p.prorettype NOT IN (SELECT oid FROM pg_type WHERE typtype = 'p')
              AND NOT EXISTS (SELECT FROM unnest(p.proargtypes) a JOIN pg_type t ON t.oid = a WHERE t.typtype = 'p') AND p.proargmodes IS NULL
              AND p.proname IN ('now', 'quote_ident', 'quote_literal', 'current_setting', 'set_config', 'pg_has_role', 'has_table_privilege', 'format_type', 'octet_length', 'length', 'lower', 'upper', 'hashtext', 'floor', 'round', 'power', 'concat', 'abs', 'sign', 'replace', 'left', 'pg_get_userbyid', 'text', 'int4', 'int8', 'float8', 'numeric')
  LOOP
    EXECUTE format('CREATE FUNCTION hostile.%I(%s) RETURNS %s LANGUAGE plpgsql AS ''BEGIN PERFORM hostile.never(); RETURN NULL; END''', f.proname, f.arguments, f.result);
  END LOOP;
  FOREACH t IN ARRAY ARRAY['double precision', 'bigint', 'integer', 'numeric', 'text', 'timestamptz'] LOOP
    EXECUTE format('CREATE FUNCTION hostile.step(%1$s, %1$s) RETURNS %1$s LANGUAGE plpgsql AS ''BEGIN PERFORM hostile.never(); RETURN $1; END''', t);
    FOREACH op IN ARRAY ARRAY['sum', 'count', 'min', 'max', 'avg', 'string_agg', 'array_agg'] LOOP
      EXECUTE format('CREATE AGGREGATE hostile.%2$s(%1$s) (SFUNC = hostile.step, STYPE = %1$s)', t, op);
    END LOOP;
  END LOOP;
  FOREACH t IN ARRAY ARRAY['format', 'quote_ident', 'lower', 'md5', 'concat_ws'] LOOP
    EXECUTE format('CREATE FUNCTION hostile.%I(VARIADIC text[]) RETURNS text LANGUAGE plpgsql AS ''BEGIN PERFORM hostile.never(); RETURN NULL; END''', t);
  END LOOP;
  FOREACH t IN ARRAY ARRAY['evaluate', 'refresh', 'rescore', 'restoring', 'require_owner', 'record_relation', 'status_may_change'] LOOP
    EXECUTE format('CREATE FUNCTION hostile.%I(text) RETURNS boolean LANGUAGE plpgsql AS ''BEGIN PERFORM hostile.never(); RETURN true; END''', t);
  END LOOP;
  FOREACH t IN ARRAY ARRAY['text', 'int4', 'int8', 'float8', 'bool', 'name', 'regclass', 'timestamptz', 'uuid', 'decay', 'numeric', 'interval', 'regtype', 'oid'] LOOP
    EXECUTE format('CREATE DOMAIN hostile.%I AS pg_catalog.bytea CHECK (false)', t);
  END LOOP;
  FOREACH t IN ARRAY ARRAY['pg_class', 'pg_attribute', 'pg_type', 'pg_proc', 'pg_index', 'pg_extension', 'pg_namespace', 'pg_roles', 'pg_authid', 'score', 'rule', 'scope', 'band', 'source', 'score_group', 'record_type', 'adjustment', 'lead_scoring_scores', 'new_rows', 'old_rows', 'scored', 'bounds', 'placed', 'n', 't', 's', 'r'] LOOP
    EXECUTE format('CREATE TABLE hostile.%I (name pg_catalog.text, relation pg_catalog.text, oid pg_catalog.text, score pg_catalog.text, status pg_catalog.text)', t);
    EXECUTE format('CREATE VIEW public.%I AS SELECT hostile.never() AS name', t);
  END LOOP;
END $do$;
SQL
is(result($hostile, @in), '', 'hostile objects');
# What every session of a victim begins with: all of it first on the path, and the tables in pg_temp as well
my $trap = join "\n", 'SET search_path = pg_catalog;',
	map({ "CREATE TEMP VIEW $_ AS SELECT hostile.never() AS name;" } qw(pg_class pg_attribute pg_type pg_proc pg_index pg_extension score rule scope band source score_group record_type adjustment lead_scoring_scores new_rows old_rows scored bounds placed)),
	map({ "CREATE DOMAIN pg_temp.$_ AS pg_catalog.bytea CHECK (false);" } qw(text int4 int8 float8 decay regclass timestamptz)), 'SET search_path = pg_temp, hostile, public, pg_catalog;';
like(result("$trap SELECT 'a'::pg_catalog.text = 'b'::pg_catalog.text", @in), qr/^H0571/, 'which work');
like(result("$trap SELECT count(*) FROM pg_class", @in), qr/^(H0571|42\w+)/, 'in pg_temp too');
like(result("$trap CREATE EXTENSION lead_scoring SCHEMA $_", @in), qr/^0A000: /, "CREATE EXTENSION into schema $_ is refused") for 'public', 'hostile';
is(result("$trap CREATE EXTENSION lead_scoring", @in), '', 'CREATE EXTENSION among them');
is(result("SELECT extnamespace::regnamespace FROM pg_extension WHERE extname = 'lead_scoring'", @in), 'pg_catalog', '... which hangs on no schema that can be dropped');
is(result(<<'SQL', @in), '', 'no object of the extension came to depend on them');
SELECT pg_describe_object(d.classid, d.objid, d.objsubid), pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid) FROM pg_depend d
  JOIN LATERAL pg_identify_object(d.refclassid, d.refobjid, d.refobjsubid) i ON i.schema = 'hostile' JOIN LATERAL pg_identify_object(d.classid, d.objid, d.objsubid) o ON o.schema = 'lead_scoring'
SQL

my $setup = <<"SQL";
CREATE SCHEMA crm;
CREATE TABLE crm.contacts (id int PRIMARY KEY, industry text, size double precision);
CREATE TABLE crm.activities (contact_id int, type varchar, "at" timestamptz);
CREATE TABLE crm.orders (contact text, total numeric);
CREATE TABLE crm.keyed (id uuid PRIMARY KEY, contact text);
CREATE TABLE crm.kept (id uuid PRIMARY KEY);
INSERT INTO crm.contacts SELECT i, CASE WHEN i % 2 = 0 THEN 'Retail' ELSE 'Energy' END, i FROM generate_series(1, 10) i;
INSERT INTO crm.activities SELECT 1 + i % 5, CASE WHEN i % 3 = 0 THEN 'open' ELSE 'visit' END, timestamptz '$as_of' - i * interval '1 day' FROM generate_series(0, 29) i;
INSERT INTO crm.keyed SELECT md5(i::text)::uuid, i::text FROM generate_series(1, 4) i;
INSERT INTO crm.orders SELECT (1 + i % 2)::text, i FROM generate_series(1, 6) i;
SQL
is(result($setup, @in), '', 'records and events');
# Definitions as they would be written by anybody; the answers are computed in a clean session
my $define = <<"SQL";
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('contact', 'crm.contacts', 'id'), ('keyed', 'crm.keyed', 'id');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, record_column, occurred_at, filter) VALUES
  ('activity', 'contact', 'crm.activities', 'contact_id', NULL, 'at', NULL), ('order', 'keyed', 'crm.orders', 'contact', 'contact', NULL, NULL);
INSERT INTO lead_scoring.score (name, record_type, min_points, max_points) VALUES ('SCORE', 'contact', -10, 100);
INSERT INTO lead_scoring.score (name, record_type, kind, target) VALUES ('keyed_score', 'keyed', 'fit', 'crm.kept');
INSERT INTO lead_scoring.score_group (score, name, kind, max_points, decay) VALUES ('SCORE', 'fit', 'fit', 20, NULL), ('SCORE', 'eng', 'engagement', NULL, '50% per month'), ('keyed_score', 'g', 'fit', NULL, NULL);
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points, counting, at_least) VALUES
  ('SCORE', 'fit', 'retail', NULL, 'industry OPERATOR(pg_catalog.=) ''Retail''', 12.5, NULL, NULL), ('SCORE', 'fit', 'size', NULL, 'size OPERATOR(pg_catalog.>=) 4', 10, NULL, NULL),
  ('SCORE', 'eng', 'open', 'activity', 'type OPERATOR(pg_catalog.=) ''open''', 4, NULL, NULL), ('SCORE', 'eng', 'thrice', 'activity', 'type OPERATOR(pg_catalog.=) ''visit''', 7, 'once', 3),
  ('keyed_score', 'g', 'orders', 'order', 'total OPERATOR(pg_catalog.>) 2', 3, NULL, 2);
INSERT INTO lead_scoring.scope (score, mode, criterion) VALUES ('SCORE', 'exclude', 'id OPERATOR(pg_catalog.=) 9');
INSERT INTO lead_scoring.band (score, label, lower_bound) VALUES ('SCORE', 'A', 30), ('SCORE', 'B', 10), ('SCORE', 'C', NULL);
INSERT INTO lead_scoring.adjustment (score, record_key, points, created_at) VALUES ('SCORE', ' 3 ', 2, '2026-01-01');
SQL
my $undefine = q{DELETE FROM lead_scoring.score; DELETE FROM lead_scoring.source; DELETE FROM lead_scoring.record_type;};
my $look = "SELECT e FROM lead_scoring.evaluate('SCORE', '$as_of') e; SELECT x FROM lead_scoring.explain('SCORE', '3', '$as_of') x; SELECT p FROM lead_scoring.preview('SCORE', 3, '$as_of') p; SELECT k FROM lead_scoring.evaluate('keyed_score', '$as_of') k;";
my $act = "SELECT lead_scoring.activate('SCORE'); SELECT lead_scoring.activate('keyed_score'); SELECT lead_scoring.refresh('SCORE', '$as_of') OPERATOR(pg_catalog.>) 0; SELECT * FROM lead_scoring.verify('SCORE', '$as_of'); SELECT * FROM lead_scoring.verify('keyed_score', '$as_of');
  SELECT lead_scoring.refresh('SCORE', '$as_of', '{1,2}'); SELECT lead_scoring.refresh('keyed_score', '$as_of'); SELECT * FROM crm.contacts; SELECT * FROM crm.kept;";
my $change = "UPDATE lead_scoring.rule SET points = 13 WHERE name OPERATOR(pg_catalog.=) 'retail'; INSERT INTO lead_scoring.adjustment (score, record_key, points) VALUES ('SCORE', '4', 3); UPDATE lead_scoring.score_group SET name = 'moved' WHERE name OPERATOR(pg_catalog.=) 'eng'; DELETE FROM lead_scoring.band WHERE label OPERATOR(pg_catalog.=) 'C'; UPDATE lead_scoring.score SET max_points = 25 WHERE name OPERATOR(pg_catalog.=) 'SCORE';
  SELECT * FROM lead_scoring.verify('SCORE'); SELECT lead_scoring.refresh('SCORE', '$as_of') OPERATOR(pg_catalog.>) 0; SELECT * FROM crm.contacts;";
my $end = "SELECT lead_scoring.deactivate('SCORE'); SELECT lead_scoring.deactivate('keyed_score'); SELECT * FROM crm.contacts; $undefine DELETE FROM crm.kept;";
$_ =~ s/SELECT \* FROM (crm\.\w+);/SELECT pg_catalog.to_json(c) FROM $1 c;/g for $act, $change, $end;

# one path for the definitions, another for what is done with them
sub run_under
{
	my ($first, $then) = @_;
	my @answers = (result("$first $define", @in), map { join "\n", sort split /\n/, result("$then $_", @in) } $look, $act, $change, $end);
	result($undefine, @in);
	return join "\n--\n", @answers;
}
my $right = run_under('', '');
unlike($right, qr/^\w{5}: |^lost: /m, 'the clean session is content') or diag($right);
cmp_ok(($right =~ tr/\n//), '>', 60, '... and has something to say');
like($right, qr/\{"id":4,"industry":"Retail","size":4,"SCORE":25,/, '... of which we know what it must be');
for my $case ([ 'defined among hostile objects', $trap, '' ], [ 'evaluated among hostile objects', '', $trap ], [ 'all among hostile objects', $trap, $trap ], [ 'all with an empty path', 'SET search_path = \'\';', 'SET search_path = \'\';' ])
{
	my ($name, $first, $then) = @$case;
	is(run_under($first, $then), $right, "$name: the answers are the same");
}

# A criterion keeps the meaning that it had where it was written
is(result(<<"SQL", @in), '', 'other meanings of =, lower and citext');
CREATE SCHEMA x;
CREATE FUNCTION x.differ(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT \$1 OPERATOR(pg_catalog.<>) \$2';
CREATE OPERATOR x.= (LEFTARG = text, RIGHTARG = text, FUNCTION = x.differ);
CREATE OPERATOR x.=== (LEFTARG = text, RIGHTARG = text, FUNCTION = pg_catalog.texteq);
CREATE FUNCTION x.lower(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT pg_catalog.upper(\$1)';
CREATE FUNCTION x.only_here(int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT \$1 OPERATOR(pg_catalog.=) 2';
CREATE TYPE x.industry AS ENUM ('Retail', 'Energy');
CREATE CAST (text AS x.industry) WITH INOUT;
CREATE DOMAIN x.text AS pg_catalog.text;
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('contact', 'crm.contacts', 'id');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('activity', 'contact', 'crm.activities', 'contact_id', 'at');
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('m', 'contact', 'fit');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('m', 'g', 'fit');
SQL
my $clean = 'pg_catalog, public';
my $other = 'x, pg_catalog';
my @meanings = (
	[ $clean, q{industry = 'Retail'}, 5 ], [ $other, q{industry = 'Retail'}, 5 ], [ $other, q{id = 2 AND industry = 'Retail'}, 0 ], [ $other, q{id = 2 AND lower(industry) === 'RETAIL'}, 1 ], [ $clean, q{id = 2 AND lower(industry) = 'retail'}, 1 ],
	[ $other, q{id = 2 AND industry === 'Retail'}, 1 ], [ $other, 'only_here(id)', 1 ], [ $other, q{industry::industry < 'Energy'}, 5 ], [ $other, q{industry::text IN ('Retail') AND id < 4}, 2 ], [ $clean, q{industry::text IN ('Retail') AND id < 4}, 1 ],
	[ $clean, q{CASE industry WHEN 'Retail' THEN false ELSE true END AND id < 4}, 2 ], [ $clean, q{industry IS DISTINCT FROM 'Retail' AND id < 4}, 2 ], [ $clean, q{nullif(industry, 'Retail') IS NULL AND id < 4}, 1 ],
	[ $other, q{industry = ANY (ARRAY['Retail', 'Energy']) AND id < 4}, 3 ], [ $other, q{industry BETWEEN 'Energy' AND 'Retail' AND id = 2}, 1 ], [ $other, q{industry LIKE 'Ret%' AND as_of > '2000-01-01'}, 5 ]);
for my $meaning (@meanings)
{
	my ($path, $criterion, $count) = @$meaning;
	my $plain = result("SET search_path = $path; SELECT count(*) FROM crm.contacts WHERE " . $criterion =~ s/\bas_of\b/now()/r, @in);
	is($plain, $count, "$criterion means something under $path");
	result("SET search_path = $path; INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES ('m', 'g', 'r', \$c\$$criterion\$c\$, 1)", @in);
	my @counts = map { result("$_ SELECT pg_catalog.count(*) FROM lead_scoring.evaluate('m') WHERE total OPERATOR(pg_catalog.=) 1", @in) } map { "SET search_path = $_;" } $clean, $other, q{''}, 'pg_temp';
	is(join(' ', @counts), join(' ', ($count) x 4), '... and the same under every other');
	like(result("SET search_path = $other; UPDATE lead_scoring.rule SET points = 2 WHERE name OPERATOR(pg_catalog.=) 'r'; SET search_path = $clean; UPDATE lead_scoring.rule SET points = 1 WHERE name OPERATOR(pg_catalog.=) 'r'; SELECT 'total', sum(total) FROM lead_scoring.evaluate('m')", @in), qr/^total\|$count$/, '... also after edits of other columns');
	result("DELETE FROM lead_scoring.rule WHERE score = 'm'", @in);
}
# Where no text can say which operator is meant, it is one of pg_catalog
sub nameless
{
	my ($path, @criteria) = @_;
	return join ' ', states([ map { "INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES ('m', 'g', 'r', \$c\$$_\$c\$, 1)" } @criteria ], @in, first => "SET search_path = $path;");
}
my @nameless = (q{CASE industry WHEN 'Retail' THEN false ELSE true END}, q{industry IS DISTINCT FROM 'Retail'}, q{industry IS NOT DISTINCT FROM 'Retail'}, q{nullif(industry, 'Retail') IS NULL}, q{NOT (id > 1 AND coalesce(nullif(industry, 'Retail'), '') > '')}, q{(id, industry) IS DISTINCT FROM (1, 'Retail')});
is(nameless($other, @nameless), join(' ', ('0A000') x @nameless), 'IS DISTINCT FROM, NULLIF and CASE with another operator are refused');
is(nameless($clean, @nameless), join(' ', ('00000') x @nameless), '... with those of pg_catalog they are not');
is(nameless($other, q{CASE WHEN industry = 'Retail' THEN true END}, q{id IS DISTINCT FROM 2}), '00000 00000', '... nor is CASE WHEN, nor another type');

SKIP:
{
	skip('no citext', 5) if result("SELECT count(*) FROM pg_available_extensions WHERE name = 'citext'", @in) eq '0';
	is(result("CREATE SCHEMA far; CREATE EXTENSION citext SCHEMA far; ALTER TABLE crm.contacts ADD mail far.citext; UPDATE crm.contacts SET mail = CASE WHEN id < 4 THEN 'X\@Y.Org' ELSE 'z' END; SET search_path = far, public;
		INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES ('m', 'g', 'ci', \$\$mail = 'x\@y.ORG'\$\$, 1), ('m', 'g', 'cs', \$\$mail::text = 'X\@Y.Org' AND mail IN ('x\@y.org', 'q')\$\$, 10), ('m', 'g', 'like', \$\$mail ~ '^x'\$\$, 100)", @in), '', 'citext');
	is(join(' ', map { result("SET search_path = $_; SELECT sum(total), count(*) FROM lead_scoring.evaluate('m')", @in) } 'far, public', 'pg_catalog', q{''}, 'hostile_no_more'), '333|10 333|10 333|10 333|10', '... is compared as such under every path');
	is(nameless('far, public', q{mail IS DISTINCT FROM 'x@y.ORG'}, q{nullif(mail, 'x@y.ORG') IS NULL}, q{CASE mail WHEN 'x@y.ORG' THEN true END}), '0A000 0A000 0A000', '... but not where its operators cannot be named');
	is(result("DELETE FROM lead_scoring.rule WHERE score = 'm'; SET search_path = far, public; INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES ('m', 'g', 'row', '(id, mail) >= (id, ''x\@y.org'') AND (id, mail) <= (id, ''x\@y.org'')', 111); SELECT coalesce((SELECT sum(total) FROM lead_scoring.evaluate('m')), 0)", @in) =~ s/^0A000: .*/333/r, '333', '... row comparisons mean what they say, or are refused');
	is(result("SET search_path = ''; DELETE FROM lead_scoring.rule WHERE score = 'm'; INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES ('m', 'g', 'r', 'mail OPERATOR(far.=) ''x\@y.ORG''', 1); SELECT lead_scoring.activate('m'); SELECT count(*) FROM lead_scoring.verify('m'); SELECT lead_scoring.deactivate('m')", @in), "10\n0\n", '... in the stored columns too');
}
result($undefine, @in);

# Names
my @names = ('Odd "name" of; DROP', q{a"b'c; DROP TABLE x}, q{x'; DROP TABLE crm.victim; --}, 'n' x 52, 'größe日本語', '$1', '%1$s %I %%', "a\\b\nc\td", 'lead_scoring_scores', 'SELECT', '"', 't', 'n', 'total', 'record_key', 'as_of');
is(result('CREATE TABLE crm.victim (x int)', @in), '', 'a table to be lost');
for my $name (@names)
{
	my $n = $name =~ s/'/''/gr;
	my $quoted = $name =~ s/"/""/gr;
	my $schema = '"s ' . $quoted . '"';
	my $result = result(<<"SQL", @in);
DO \$do\$
DECLARE
  n text := '$n';
  long text := rpad(left(n, 30), 60 - octet_length(left(n, 30)) + length(left(n, 30)), '_');
  key_of text := left(n, 30) || ' id';
BEGIN
  EXECUTE format('CREATE SCHEMA %I', 's ' || n);
  PERFORM set_config('search_path', format('%I', 's ' || n), true);
  EXECUTE format('CREATE TABLE %I (%I text PRIMARY KEY, %I int, parent varchar)', n, key_of, long);
  EXECUTE format('CREATE TABLE %I (%I varchar, %I timestamptz, %I text)', n || ' ev', key_of, long, long || 'x');
  EXECUTE format('CREATE TABLE %I (%I text PRIMARY KEY)', n || ' to', key_of);
  EXECUTE format('INSERT INTO %I VALUES (\$1, 1, \$1), (''k'', 2, NULL)', n) USING n;
  EXECUTE format('INSERT INTO %I VALUES (\$1, \$2, \$1), (\$1, \$2, ''y'')', n || ' ev') USING n, timestamptz '$as_of';
  INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES (n, format('%I', n)::regclass, key_of);
  INSERT INTO lead_scoring.source (name, record_type, relation, record_key, record_column, occurred_at, filter) VALUES (n, n, format('%I', n || ' ev')::regclass, key_of, NULL, long, format('%I IS NOT NULL', long)), (n || ' 2', n, format('%I', n || ' ev')::regclass, key_of, 'parent', NULL, format('%I <> ''z''', long || 'x'));
  INSERT INTO lead_scoring.score (name, record_type, target) VALUES (n, n, NULL);
  INSERT INTO lead_scoring.score (name, record_type, kind, target) VALUES (left(n, 40) || ' to', n, 'fit', format('%I', n || ' to')::regclass);
  INSERT INTO lead_scoring.score_group (score, name, kind) VALUES (n, n, 'fit'), (n, n || ' e', 'engagement'), (left(n, 40) || ' to', n, 'fit');
  INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES (n, n, n, NULL, format('%I = 1', long), 1), (n, n || ' e', n || ' e', n, format('%I = %L', long || 'x', n), 10),
    (n, n, n || ' 2', n || ' 2', format('%I = ''y''', long || 'x'), 100), (left(n, 40) || ' to', n, n, NULL, format('%I = %L', key_of, n), 5);
  INSERT INTO lead_scoring.scope (score, mode, criterion) VALUES (n, 'exclude', format('%I = %L', key_of, n || '?'));
  INSERT INTO lead_scoring.band (score, part, label, lower_bound) VALUES (n, 'total', n, 1);
  INSERT INTO lead_scoring.adjustment (score, record_key, points, reason) VALUES (n, n, 1000, n);
END \$do\$;
SET search_path = '';
SELECT lead_scoring.activate('$n'); SELECT lead_scoring.activate(left('$n', 40) || ' to');
SELECT lead_scoring.refresh('$n', '2100-01-01'), (SELECT count(*) FROM lead_scoring.verify('$n', '2100-01-01'));
SELECT count(*) FROM lead_scoring.verify(left('$n', 40) || ' to');
SELECT total, label = '$n' FROM lead_scoring.evaluate('$n', '2100-01-01', ARRAY['$n']);
SELECT clamped, note = '$n' FROM lead_scoring.explain('$n', '$n', '2100-01-01') WHERE level = 'total';
SELECT count(*) FROM lead_scoring.preview('$n', 10, '2100-01-01') WHERE label = '$n';
SELECT "$quoted" FROM $schema."$quoted" ORDER BY 1 DESC;
SQL
	like($result, qr/\A2\n[12]\n[01]\|0\n0\n1111\|t\n1111\|t\n1\n1111\n0\z/, 'name: ' . $name =~ s/\n/\\n/gr);
	is(result("SELECT lead_scoring.deactivate('$n'); SELECT lead_scoring.deactivate(left('$n', 40) || ' to'); DELETE FROM lead_scoring.score; DELETE FROM lead_scoring.source; DELETE FROM lead_scoring.record_type; SELECT count(*) FROM pg_attribute WHERE attrelid = format('%I.%I', 's $n', '$n')::regclass AND attnum > 0 AND NOT attisdropped", @in) =~ s/\n//gr, '3', '... and gone again');
	is(result("DROP SCHEMA $schema CASCADE", @in), '', '... with its schema');
}
is(result('SELECT count(*) FROM crm.victim', @in), '0', 'the table is there');
is(result("CREATE TABLE public.\"Odd \"\"name\"\" of; DROP\" (id int PRIMARY KEY); INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('gone', 'public.\"Odd \"\"name\"\" of; DROP\"', 'id'); DROP TABLE public.\"Odd \"\"name\"\" of; DROP\"; DELETE FROM lead_scoring.record_type", @in), '', 'a table with an odd name that is gone');

# Criteria that call back
is(result(<<"SQL", @in), '', 'criteria that call the extension');
CREATE FUNCTION crm.again(int) RETURNS boolean LANGUAGE plpgsql STABLE AS 'BEGIN PERFORM lead_scoring.evaluate(''b''); RETURN true; END';
CREATE FUNCTION crm.do_it(what text) RETURNS void LANGUAGE plpgsql AS 'BEGIN EXECUTE what; END';
CREATE TABLE crm.what (act text);
CREATE FUNCTION crm.meddle(int) RETURNS boolean LANGUAGE plpgsql STABLE AS 'BEGIN PERFORM crm.do_it(act) FROM crm.what; RETURN true; END';
$define
INSERT INTO lead_scoring.score (name, record_type) VALUES ('b', 'contact');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('b', 'f', 'fit'), ('b', 'e', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES ('b', 'f', 'f', NULL, 'crm.again(id)', 1), ('b', 'e', 'e', 'activity', 'type IS NOT NULL', 1);
SQL
like(result("SET max_stack_depth = '1MB'; SELECT * FROM lead_scoring.evaluate('b')", @in), qr/^54001/, 'a score that evaluates itself');
is(result("UPDATE lead_scoring.rule SET criterion = 'crm.meddle(id)' WHERE score = 'b' AND name = 'f'; SELECT lead_scoring.activate('b')", @in), '10', 'a score that meddles');
for my $act ("DELETE FROM lead_scoring.rule WHERE score = 'b'", "SELECT lead_scoring.deactivate('b')", "DROP TABLE crm.activities", "DROP TABLE crm.contacts CASCADE", "ALTER TABLE crm.contacts DROP COLUMN industry", "ALTER TABLE crm.contacts ALTER id TYPE bigint", "DELETE FROM crm.contacts", "TRUNCATE crm.contacts",
	"SELECT lead_scoring.refresh('b')", "UPDATE lead_scoring.rule SET points = points + 1 WHERE score = 'b'", "UPDATE lead_scoring.source SET occurred_at = NULL", "DELETE FROM lead_scoring.score WHERE name = 'SCORE'", "SELECT lead_scoring.activate('SCORE')", "DROP EXTENSION lead_scoring CASCADE", "DROP SCHEMA crm CASCADE", "CREATE INDEX ON crm.contacts (industry)",
	"ALTER TABLE crm.contacts ADD z int", "SELECT pg_catalog.set_config('search_path', 'hostile', false)", 'COMMIT', 'ROLLBACK', 'SAVEPOINT a')
{
	for my $call ("count(*) FROM lead_scoring.evaluate('b')", "lead_scoring.refresh('b', '2100-01-01')", "count(*) FROM lead_scoring.explain('b', '1')", "lead_scoring.activate('b')", "count(*) FROM lead_scoring.verify('b')")
	{
		unlike(result("INSERT INTO crm.what VALUES (\$a\$$act\$a\$); BEGIN; SET LOCAL statement_timeout = '20s'; SET LOCAL max_stack_depth = '1MB'; SELECT $call; ROLLBACK", @in), qr/^(lost|XX|57)/, "$act within $call");
		result('TRUNCATE crm.what', @in);
	}
}
is(result("SELECT count(*) FROM lead_scoring.evaluate('b')", @in), '10', 'nothing is left of it');
result("SELECT lead_scoring.deactivate('b'); $undefine", @in);

# Definitions that no check has seen, as a restore could bring them
my @rows = (
	"record_type SET relation = 0", "record_type SET relation = 4294967295", "record_type SET relation = 'pg_class'", "record_type SET relation = 'crm.contacts_pkey'", "record_type SET relation = 'pg_toast.pg_toast_1255'", "record_type SET key_column = 'nothing'", "record_type SET key_column = 'ctid'", "record_type SET key_column = 'size'", "record_type SET key_column = 'industry'",
	"record_type SET key_column = ''", "source SET relation = 0", "source SET relation = 'lead_scoring.scope_scope_id_seq'", "source SET relation = 'crm.contacts_pkey'", "source SET record_key = 'type'", "source SET record_key = 'at'", "source SET record_column = 'industry'", "source SET record_column = 'nothing'", "source SET occurred_at = NULL", "source SET occurred_at = 'type'",
	"source SET filter_resolved = ')'", "source SET filter_resolved = 'random() > 2'", "source SET filter_resolved = '1'", "source SET filter_resolved = NULL, filter = '(SELECT true)'", "source SET filter_resolved = 'true; DROP TABLE crm.victim'", "source SET filter_resolved = 'true) OR (true'", "source SET name = 'other'", "score SET kind = 'fit'", "score SET kind = 'engagement'", "score SET min_points = 'NaN'",
	"score SET max_points = '-infinity', min_points = 'infinity'", "score SET record_type = 'nothing'", "score SET record_type = 'keyed'", "score SET target = 0", "score SET target = 'pg_class'", "score SET target = 'crm.contacts_pkey'", "score SET status = 'active'", "score SET status = 'active', target = 'crm.victim'", "scope SET source = 'nothing'", "scope SET criterion_resolved = ''", "scope SET score = 'nothing'",
	"score_group SET min_points = 'infinity', max_points = '-infinity'", "score_group SET max_points = 'NaN'", "score_group SET decay = 'half-life 1 second'", "score_group SET kind = 'fit'", "score_group SET name = name || 'x'", "rule SET group_name = 'nothing'", "rule SET group_name = 'fit'", "rule SET group_name = 'eng'", "rule SET source = NULL", "rule SET source = 'activity'", "rule SET source = 'nothing'", "rule SET points = 'NaN'",
	"rule SET points = 'infinity'", "rule SET points = 1.7e308", "rule SET counting = 'each'", "rule SET counting = 'once'", "rule SET at_least = 'NaN', at_most = '-infinity'", "rule SET at_least = 5, at_most = 1", "rule SET within = '-1 day'", "rule SET within = '178000000 years'", "rule SET since = 'infinity', until = '-infinity'", "rule SET since = 'infinity'", "rule SET until = '-infinity'", "rule SET criterion_resolved = NULL, criterion = ''",
	"rule SET criterion_resolved = '\$2'", "rule SET criterion_resolved = '\$1'", "rule SET criterion_resolved = '\$1 IS NOT NULL'", "rule SET criterion_resolved = 'count(*) > 1'", "rule SET criterion_resolved = 'row_number() OVER () > 1'", "rule SET criterion_resolved = 'true FROM pg_class'", "rule SET criterion_resolved = 'true AS x'", "rule SET criterion_resolved = '*'", "rule SET criterion_resolved = 'true, true'", "rule SET criterion_resolved = 'generate_series(1, 2) > 1'",
	"rule SET criterion_resolved = 'EXISTS (SELECT FROM pg_class)'", "rule SET criterion_resolved = repeat('(', 20000) || 'true' || repeat(')', 20000)", "rule SET criterion_resolved = repeat('NOT ', 20000) || 'true'", "rule SET criterion_resolved = 'false' || repeat(' OR id = 1', 5000)", "rule SET criterion_resolved = 'tableoid = 0 OR ctid IS NULL OR contacts IS NULL'", "rule SET criterion_resolved = '/* '", "rule SET criterion_resolved = 'NULL'",
	"rule SET criterion_resolved = 'DEFAULT'", "rule SET criterion_resolved = 'CURRENT OF c'", "rule SET criterion_resolved = 'GROUPING(id) = 1'", "rule SET criterion_resolved = 'as_of > now()'", "band SET lower_bound = 'NaN'", "band SET part = 'engagement'", "band SET score = 'nothing'", "adjustment SET record_key = 'no key'", "adjustment SET record_key = ''", "adjustment SET points = 'NaN'", "adjustment SET points = 'infinity'", "adjustment SET created_at = 'infinity'",
	"adjustment SET created_at = '-infinity', expires_at = '-infinity'", "adjustment SET record_key = '99999999999999999999'", "rule SET name = repeat(name, 50000)", "band SET label = repeat(label, 1000000)");
is(result("$define SELECT lead_scoring.activate('SCORE')", @in), '9', 'definitions to be spoilt');
my (@bad, %seen);
for my $row (@rows)
{
	my ($table, $rest) = $row =~ /^(\w+) (.*)/s;
	my $script = join "\n", "BEGIN; SET LOCAL check_function_bodies = off; SET LOCAL session_replication_role = replica; SET LOCAL statement_timeout = '60s';", "UPDATE lead_scoring.$table $rest;", 'SET LOCAL session_replication_role = origin; SET LOCAL check_function_bodies = on; SAVEPOINT a;',
		map { "$_;\n\\echo state :SQLSTATE\nROLLBACK TO a;" } map { "SELECT count(to_json(x)::text) FROM lead_scoring.$_ x" } "evaluate('SCORE', '$as_of')", "explain('SCORE', '3', '$as_of')", "preview('SCORE', 10, '$as_of')", "verify('SCORE', '$as_of')", "refresh('SCORE', '$as_of')", "activate('SCORE')", "deactivate('SCORE')", "evaluate('keyed_score', '$as_of')", "activate('keyed_score')", "rescore('{SCORE,keyed_score}')";
	my (undef, $output, $errors) = psql("$script\nROLLBACK;\n", @in, go_on => 1);
	my @states = $output =~ /^state (\w+)$/mg;
	$seen{$_}++ for @states;
	push @bad, "$row: @states: " . join('; ', $errors =~ /^ERROR:  (?:XX|42601|57|22004).*/mg) . ($errors =~ /server closed|lost/ ? 'LOST' : '') if @states != 10 || grep { /^(XX|57)/ } @states;
}
is(scalar @bad, 0, scalar(@rows) . ' spoilt definitions give answers or errors that say why') or diag(join "\n", @bad);
cmp_ok(scalar(grep { $_ ne '00000' } keys %seen), '>', 8, '... of many kinds');
is(result("SELECT lead_scoring.refresh('SCORE', '$as_of') > 0", @in), 't', 'and all is as it was');

server_survived();
done_testing();
