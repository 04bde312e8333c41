#!/usr/bin/perl
# Definitions and active scores through pg_dump and pg_restore in every way they go; dropping and making again of the
# extension, and of what its definitions speak of.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use Test::More;
use lib dirname(__FILE__) . '/lib';
use Psql;

my $original = "lead_scoring_dump_$$";
my $copy = "lead_scoring_dump_copy_$$";
my $owner = "ls_dump_owner_$$";
my $other = "ls_dump_other_$$";
my $as_of = '2026-01-31 00:00 UTC';
my @tables = qw(record_type source score scope score_group segment_decay rule event_factor band adjustment engagement_reset experiment);
my $folder = tempdir(CLEANUP => 1);

END
{
	my $status = $?;
	drop_database($_) for grep { defined } $copy, $original;
	psql("DROP ROLE IF EXISTS $owner, $other") if defined $owner;
	$? = $status;
}

note_server();
create_database($original);
is(result(<<"SQL", database => $original), '', 'definitions in every table');
CREATE EXTENSION lead_scoring;
CREATE ROLE $owner;
CREATE ROLE $other;
CREATE SCHEMA crm AUTHORIZATION $owner;
CREATE SCHEMA "far away" AUTHORIZATION $owner;
SET ROLE $owner;
CREATE FUNCTION "far away".is_big(integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT \$1 >= 100';
CREATE FUNCTION "far away".same(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT pg_catalog.lower(\$1) OPERATOR(pg_catalog.=) pg_catalog.lower(\$2)';
CREATE OPERATOR "far away".=== (LEFTARG = text, RIGHTARG = text, FUNCTION = "far away".same);
CREATE TYPE crm.stage AS ENUM ('new', 'won', 'lost');
CREATE TABLE crm.companies (id int PRIMARY KEY, country text);
CREATE TABLE crm.contacts (id int PRIMARY KEY, industry text, employees int, company_id int, stage crm.stage);
CREATE TABLE crm.activities (contact_id int, type text, amount numeric, "at" timestamptz) PARTITION BY RANGE ("at");
CREATE TABLE crm.activities_old PARTITION OF crm.activities FOR VALUES FROM (MINVALUE) TO ('2026-01-15');
CREATE TABLE crm.activities_new PARTITION OF crm.activities DEFAULT;
CREATE TABLE crm."Odd ""leads""" ("Key of it" text PRIMARY KEY, "größe" int);
CREATE VIEW crm.people AS SELECT id AS person, industry FROM crm.contacts;
CREATE TABLE crm.people_scores (person int PRIMARY KEY);
INSERT INTO crm.companies SELECT i, CASE i % 2 WHEN 0 THEN 'DE' ELSE 'FR' END FROM generate_series(1, 5) i;
INSERT INTO crm.contacts SELECT i, (ARRAY['Retail', 'RETAIL', 'Energy'])[1 + i % 3], i * 10, 1 + i % 5, (ARRAY['new', 'won', 'lost']::crm.stage[])[1 + i % 3] FROM generate_series(1, 60) i;
INSERT INTO crm.activities SELECT 1 + i % 59, (ARRAY['open', 'visit', 'buy', 'internal'])[1 + i % 4], i, timestamptz '$as_of' - i * interval '3 hours' FROM generate_series(0, 400) i;
INSERT INTO crm."Odd ""leads""" SELECT E'k"''\\\\' || i, i FROM generate_series(1, 10) i;
SET search_path = "far away", crm, public;
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('contact', 'contacts', 'id'), ('odd "type"', '"Odd ""leads"""', 'Key of it'), ('person', 'people', 'person');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, record_column, occurred_at, filter) VALUES
  ('activity', 'contact', 'activities', 'contact_id', NULL, 'at', \$\$NOT type === 'INTERNAL'\$\$), ('company', 'contact', 'companies', 'id', 'company_id', NULL, NULL),
  ('unused', 'person', 'activities', 'contact_id', NULL, 'at', 'amount > 3');
INSERT INTO lead_scoring.score (name, record_type, kind, min_points, max_points, target, description) VALUES
  ('lead_score', 'contact', 'combined', -50, 200, NULL, E'tab\\there, back\\\\slash, "quotes"\\nlines'), ('odd "one"', 'odd "type"', 'fit', NULL, NULL, NULL, NULL),
  ('person_score', 'person', 'fit', NULL, NULL, 'people_scores', ''), ('ranked', 'contact', 'fit', NULL, NULL, NULL, NULL), ('draft', 'contact', 'engagement', NULL, 5, NULL, NULL);
INSERT INTO lead_scoring.score_group (score, name, kind, min_points, max_points, decay) VALUES
  ('lead_score', 'firm', 'fit', -10, 40, NULL), ('lead_score', 'recent', 'engagement', NULL, 90, '50% per month'), ('lead_score', 'steps', 'engagement', 0, NULL, '10% per 5 days stepwise after 36 hours'),
  ('lead_score', 'fading', 'engagement', NULL, NULL, 'half-life 7 days'), ('lead_score', 'slow', 'engagement', NULL, NULL, '20% per 3 days exponential after 1 day'),
  ('odd "one"', 'a "group"', 'fit', NULL, NULL, NULL), ('person_score', 'g', 'fit', NULL, NULL, NULL), ('ranked', 'g', 'fit', NULL, NULL, NULL), ('draft', 'g', 'engagement', NULL, NULL, NULL);
INSERT INTO lead_scoring.segment_decay (score, group_name, segment, decay, decay_after) VALUES
  ('lead_score', 'recent', \$\$industry === 'energy'\$\$, 'half-life 30 days', NULL), ('lead_score', 'fading', 'is_big(employees)', '5% per day exponential', '2 days 03:04:05'), ('lead_score', 'slow', 'is_big(id)', NULL, NULL);
INSERT INTO lead_scoring.event_factor (score, name, source, criterion, factor, since, until, valid_from, valid_to, description) VALUES
  ('lead_score', 'a campaign', 'activity', \$\$type === 'OPEN'\$\$, 1.5, '2026-01-10', '2026-01-20', NULL, NULL, 'a "fair"'), ('lead_score', 'over', 'activity', 'true', 0, NULL, NULL, '2025-01-01', '2026-01-01', NULL);
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points, counting, at_least, at_most, within, since, until, enabled, description) VALUES
  ('lead_score', 'firm', 'industry', NULL, \$\$industry === 'retail'\$\$, 10, 'once', NULL, NULL, NULL, NULL, NULL, true, NULL),
  ('lead_score', 'firm', 'big', NULL, 'is_big(employees)', 20.125, 'once', NULL, NULL, NULL, NULL, NULL, true, NULL),
  ('lead_score', 'firm', 'won', NULL, \$\$stage = 'won'\$\$, -3, 'once', NULL, NULL, NULL, NULL, NULL, true, NULL),
  ('lead_score', 'firm', 'german', 'company', \$\$country = 'DE'\$\$, 5, 'once', 1, 3, NULL, NULL, NULL, true, 'a description'),
  ('lead_score', 'recent', 'opens', 'activity', \$\$type === 'OPEN'\$\$, 7, 'each', NULL, NULL, '30 days', NULL, NULL, true, NULL),
  ('lead_score', 'steps', 'visits', 'activity', \$\$type = 'visit'\$\$, 11, 'once', 2, NULL, '1 mon 2 days 03:04:05', '2025-12-20', '2026-01-30', true, NULL),
  ('lead_score', 'fading', 'buys', 'activity', \$\$type = 'buy' AND amount > 12\$\$, 0.1, 'each', NULL, NULL, NULL, NULL, NULL, true, NULL),
  ('lead_score', 'slow', 'all', 'activity', 'at < as_of', 0.5, 'each', NULL, NULL, NULL, NULL, NULL, true, NULL),
  ('lead_score', 'slow', 'off', 'activity', 'true', 1000, 'each', NULL, NULL, NULL, NULL, NULL, false, NULL),
  ('odd "one"', 'a "group"', 'size''s', NULL, '"größe" > 4', 3, 'once', NULL, NULL, NULL, NULL, NULL, true, NULL),
  ('person_score', 'g', 'retail', NULL, \$\$industry === 'retail'\$\$, 1, 'once', NULL, NULL, NULL, NULL, NULL, true, NULL),
  ('ranked', 'g', 'sizes', NULL, 'employees > 300 OR is_big(id + 60)', 3, 'once', NULL, NULL, NULL, NULL, NULL, true, NULL),
  ('draft', 'g', 'r', 'activity', 'true', 1, 'each', NULL, NULL, NULL, NULL, NULL, true, NULL);
INSERT INTO lead_scoring.scope (score, mode, source, criterion) VALUES ('lead_score', 'exclude', NULL, 'is_big(id + 50)'), ('lead_score', 'include', 'activity', \$\$type === 'Visit'\$\$), ('lead_score', 'include', NULL, 'id = 3');
DELETE FROM lead_scoring.scope WHERE criterion = 'id = 3';
INSERT INTO lead_scoring.band (score, part, label, lower_bound, color, action) VALUES
  ('lead_score', 'fit', 'A', 25, '#ff0000', 'call'), ('lead_score', 'fit', 'B', NULL, NULL, NULL), ('lead_score', 'engagement', '1', 8.5, NULL, NULL), ('lead_score', 'engagement', '2', NULL, NULL, NULL),
  ('lead_score', 'total', 'hot', 20, NULL, NULL), ('odd "one"', 'total', 'la"bel', 1, NULL, E'a\\tb');
INSERT INTO lead_scoring.band (score, segment, label, lower_bound, top_share, capacity) VALUES
  ('ranked', 'true', 'best', NULL, NULL, 7), ('ranked', 'true', 'good', NULL, 0.5, NULL), ('ranked', 'true', 'rest', NULL, NULL, NULL),
  ('ranked', \$\$industry === 'energy'\$\$, 'first', 3, NULL, 4), ('ranked', \$\$industry === 'energy'\$\$, 'others', NULL, NULL, NULL);
INSERT INTO lead_scoring.engagement_reset (score, record_key, at, reason, created_at) VALUES
  ('lead_score', '11', '2026-01-25', 'deal lost', '2026-01-26'), ('lead_score', '12', '2026-02-20', NULL, '2026-01-26');
INSERT INTO lead_scoring.experiment (name, score_a, score_b, share, salt, description) VALUES
  ('a "test"', 'lead_score', 'ranked', 0.25, NULL, E'tab\\there'), ('other', 'draft', 'lead_score', 1, 'a grain', NULL);
INSERT INTO lead_scoring.adjustment (score, record_key, points, reason, created_at, expires_at) VALUES
  ('lead_score', '7', 15, 'met at a fair', '2026-01-01', NULL), ('lead_score', '8', -4, NULL, '2026-01-01', '2026-02-15'), ('lead_score', '9', 1, NULL, '2026-02-01', NULL);
RESET search_path;
DO \$\$ BEGIN PERFORM lead_scoring.activate(name) FROM lead_scoring.score WHERE name <> 'draft'; PERFORM lead_scoring.refresh(name, '$as_of') FROM lead_scoring.score WHERE status = 'active'; END \$\$;
SQL

# the rows of each definition table and of the stored columns, one a line
sub rows_of
{
	my ($database) = @_;
	my %rows;
	for my $table (map({ "lead_scoring.$_" } @tables), 'crm.contacts', 'crm.people_scores', 'crm."Odd ""leads"""')
	{
		my $text = result("SET search_path = ''; SELECT pg_catalog.to_json(t)::text FROM $table t;", database => $database);
		$rows{$table} = [ split /\n/, $text ];
	}
	return \%rows;
}

# test that each table holds the same rows in both, as EXCEPT ALL both ways would find
sub is_same
{
	my ($name, $got, $expected) = @_;
	my @differences;
	for my $table (sort keys %$expected)
	{
		my %count;
		$count{$_}++ for @{ $got->{$table} };
		$count{$_}-- for @{ $expected->{$table} };
		push @differences, map { ($count{$_} > 0 ? 'more' : 'missing') . " in $table: $_" } grep { $count{$_} != 0 } sort keys %count;
	}
	is(scalar @differences, 0, $name) or diag(join "\n", @differences);
	return;
}

# the number of differences that verify finds in all active scores, and the number of scores
sub verified
{
	my ($database, $instant) = @_;
	return result("SELECT count(v), count(DISTINCT s.name) FROM lead_scoring.score s LEFT JOIN LATERAL lead_scoring.verify(s.name, '$instant') v ON true WHERE s.status = 'active'", database => $database);
}

my $expected = rows_of($original);
for my $table (sort keys %$expected)
{
	cmp_ok(scalar @{ $expected->{$table} }, '>', 1, "$table has rows to be lost");
}
is(verified($original, $as_of), '0|4', 'the stored values are those of the instant');
my $totals = result("SELECT count(lead_score), count(*), count(DISTINCT lead_score) > 20, string_agg(DISTINCT lead_score_label, ' ' ORDER BY lead_score_label) FROM crm.contacts", database => $original);
is($totals, '48|60|t|A1 A2 B1 B2', 'which are various');

# run a client program that must succeed
sub runs
{
	my ($name, @words) = @_;
	my ($status, undef, $errors) = command('', @words);
	ok($status == 0 && $errors eq '', $name) or diag($errors);
	return;
}

# all that a restored copy must do
sub check_copy
{
	my ($way, %with) = @_;
	my @in = (database => $copy);
	is_same("$way: definitions and stored values are as they were", rows_of($copy), $expected) unless $with{other_owner};
	is(verified($copy, $as_of), '0|4', "$way: verify is empty at the instant of the dump");
	is(result("SELECT lead_scoring.refresh('lead_score', '$as_of')", @in), '0', "$way: refresh to that instant has nothing to do");
	like(result("SELECT lead_scoring.refresh('lead_score', '2026-03-01')", @in), qr/^[1-9]\d*$/, "$way: refresh to another instant");
	is(result("SELECT count(*) FROM lead_scoring.verify('lead_score', '2026-03-01')", @in), '0', "$way: verify is empty there");
	is(result("SELECT string_agg(name || '=' || total, ' ' ORDER BY name) FROM lead_scoring.score s, LATERAL (SELECT sum(records) AS total FROM lead_scoring.preview(s.name, 5, '$as_of') WHERE kind IN ('bin', 'out of scope')) p", @in),
		'draft=60 lead_score=60 odd "one"=10 person_score=60 ranked=60', "$way: preview, of the draft too");
	is(result("SELECT count(*) > 5 FROM lead_scoring.explain('lead_score', '7', '$as_of')", @in), 't', "$way: explain");
	my ($points, $user) = (q{UPDATE crm.contacts SET employees = 1000 WHERE id = 1}, $with{other_owner} ? '' : "SET ROLE $owner;");
	my $insert = "INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES";
	is(join(' ', states(
		[
			"$insert ('lead_score', 'firm', 'n', NULL, 'nothing > 1', 1)", "$insert ('lead_score', 'firm', 'n', NULL, 'random() > 1', 1)", "$insert ('lead_score', 'nowhere', 'n', NULL, 'true', 1)",
			"$insert ('lead_score', 'firm', 'n', 'activity', 'true', 1)", "$insert ('lead_score', 'firm', 'n', NULL, 'id > 0', 'NaN')",
			"$insert ('lead_score', 'firm', 'industry', NULL, 'id > 0', 1)", "INSERT INTO lead_scoring.scope (score, mode) VALUES ('lead_score', 'sometimes')",
			"INSERT INTO lead_scoring.band (score, label, lower_bound) VALUES ('lead_score', 'warm', 20)", "UPDATE lead_scoring.score SET status = 'draft'"
		], @in, first => $user)), '42703 42P17 42704 22023 22003 23505 22023 23505 55000', "$way: what is wrong is refused again");
	is(result("$user$points; $insert ('lead_score', 'firm', 'new', NULL, 'employees = 1000', 2.5); SELECT count(*), max(decayed) FROM lead_scoring.explain('lead_score', '1') WHERE rule = 'new'", @in), '1|2.5', "$way: a new rule counts");
	is(result("SELECT count(*) FROM lead_scoring.verify('lead_score')", @in), '0', "$way: and rescores");
	is(result("INSERT INTO lead_scoring.scope (score, mode, criterion) VALUES ('draft', 'exclude', 'id = 1'); INSERT INTO lead_scoring.adjustment (score, record_key, points) VALUES ('lead_score', '7', 1) RETURNING adjustment_id > 3", @in), 't', "$way: numbers go on where they were");
	is(result("SELECT max(scope_id) > 3 FROM lead_scoring.scope", @in), 't', "$way: those of scopes too");
	is(result("DROP EXTENSION lead_scoring CASCADE; SELECT count(*) FROM pg_attribute WHERE attname ~ '^(lead_score|odd \"one\"|person_score)(_fit|_engagement|_label)?\$' AND attrelid IN ('crm.contacts'::regclass, 'crm.people_scores'::regclass, 'crm.\"Odd \"\"leads\"\"\"'::regclass)", @in),
		'12', "$way: DROP EXTENSION leaves the stored columns");
	is(result("SELECT count(lead_score), count(lead_score_label) FROM crm.contacts", @in), '47|47', "$way: with what is in them");
	is(result("SELECT count(*) FROM pg_namespace WHERE nspname = 'lead_scoring'", @in), '0', "$way: and nothing else");
	is(result("CREATE EXTENSION lead_scoring; INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('contact', 'crm.contacts', 'id'); SELECT count(*) FROM lead_scoring.score", @in), '0', "$way: CREATE EXTENSION again");
	drop_database($copy);
	return;
}

# definitions whose relations have another owner rest until he confirms them
sub check_rest
{
	my ($way) = @_;
	my @in = (database => $copy);
	my $owners = "SELECT string_agg(DISTINCT o, ' ') FROM (SELECT relation_owner AS o FROM lead_scoring.record_type UNION SELECT relation_owner FROM lead_scoring.source UNION SELECT criterion_owner FROM lead_scoring.rule UNION SELECT criterion_owner FROM lead_scoring.scope UNION SELECT criterion_owner FROM lead_scoring.band UNION SELECT criterion_owner FROM lead_scoring.segment_decay UNION SELECT criterion_owner FROM lead_scoring.event_factor) n";
	is(result($owners, @in), $owner, "$way: the definitions name who wrote them");
	is(join(' ', states([ map { "SELECT * FROM lead_scoring.$_" } "evaluate('lead_score')", "explain('lead_score', '7')", "preview('draft')", "verify('lead_score')", "refresh('lead_score')", "activate('draft')" ], @in)),
		join(' ', ('42501') x 6), "$way: they rest");
	my (undef, undef, $errors) = psql("SELECT * FROM lead_scoring.evaluate('lead_score')", @in);
	like($errors, qr/^HINT: .*UPDATE lead_scoring\.record_type SET relation = relation WHERE name = 'contact'/m, "$way: with a hint");
	is(result('UPDATE lead_scoring.record_type SET relation = relation; UPDATE lead_scoring.source SET relation = relation', @in), '', "$way: confirmed while active");
	is(result($owners, @in), result('SELECT current_user'), "$way: all that is written over them follows");
	is(verified($copy, 'now') =~ s/.*\|//r, '4', "$way: the scores are active still");
	result("SELECT lead_scoring.refresh(name, '$as_of') FROM lead_scoring.score WHERE status = 'active'", @in);
	return;
}

my $plain = "$folder/plain.sql";
my $custom = "$folder/custom.dump";
my $data = "$folder/data.dump";
my $inserts = "$folder/inserts.sql";
my @restore = ('pg_restore', '--exit-on-error', '-d', $copy);
my @psql = ('psql', '-X', '-q', '-o', '/dev/null', '-v', 'ON_ERROR_STOP=1', '-d', $copy);
runs('pg_dump, plain', 'pg_dump', '-f', $plain, $original);
runs('pg_dump, custom', 'pg_dump', '-Fc', '-f', $custom, $original);
runs('pg_dump, inserts', 'pg_dump', '--column-inserts', '--rows-per-insert=3', '-f', $inserts, $original);
runs('pg_dump, data only', 'pg_dump', '-Fc', '--data-only', '-f', $data, $original);

create_database($copy);
runs('plain: restored', @psql, '-f', $plain);
check_copy('plain');

create_database($copy);
runs('plain in one transaction: restored', @psql, '-1', '-f', $plain);
check_copy('plain in one transaction');

create_database($copy);
runs('inserts: restored', @psql, '-f', $inserts);
check_copy('inserts');

create_database($copy);
runs('custom with four jobs: restored', @restore, '-j4', $custom);
check_copy('custom with four jobs');

create_database($copy);
runs('by sections: pre-data', @restore, '--section=pre-data', $custom);
runs('by sections: data with four jobs', @restore, '--section=data', '-j4', $custom);
runs('by sections: post-data', @restore, '--section=post-data', $custom);
check_copy('by sections');

create_database($copy);
runs('data only, triggers off: the schema', @restore, '--schema-only', $custom);
runs('data only, triggers off: the data', @restore, '--data-only', '--disable-triggers', $custom);
check_copy('data only, triggers off');

create_database($copy);
runs('data only, triggers on: the schema', @restore, '--schema-only', $custom);
runs('data only, triggers on: the data, dumped alone', @restore, '--data-only', '-j4', $data);
check_copy('data only, triggers on');

create_database($copy);
runs('another owner: restored', @restore, '--no-owner', '--no-privileges', $custom);
check_rest('another owner');
check_copy('another owner', other_owner => 1);

create_database($copy);
runs('another owner, triggers off: the schema', @restore, '--schema-only', '--no-owner', '--no-privileges', $custom);
runs('another owner, triggers off: the data', @restore, '--data-only', '--disable-triggers', $custom);
check_rest('another owner, triggers off');
check_copy('another owner, triggers off', other_owner => 1);

create_database($copy);
runs('a dump of a copy: restored', @restore, $custom);
runs('a dump of a copy: dumped again', 'pg_dump', '-f', "$folder/again.sql", $copy);
is(join('', map { s/^\\(?:un)?restrict .*\n//mgr } slurp("$folder/again.sql")), join('', map { s/^\\(?:un)?restrict .*\n//mgr } slurp($plain)), 'a dump of a copy is the dump of the original');
drop_database($copy);

sub slurp
{
	my ($file) = @_;
	open my $in, '<', $file or die "$file: $!";
	local $/;
	return scalar <$in>;
}

# The extension goes and comes
my @in = (database => $copy);
sub fresh_copy
{
	drop_database($copy);
	my ($status, undef, $errors) = command('', 'createdb', '-T', $original, $copy);
	BAIL_OUT("createdb failed: $errors") if $status != 0;
	return;
}
fresh_copy();
my $simple = <<'SQL';
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('company', 'crm.companies', 'id');
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('c', 'company', 'fit');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('c', 'g', 'fit');
INSERT INTO lead_scoring.rule (score, group_name, name, criterion, points) VALUES ('c', 'g', 'r', $$country = 'DE'$$, 1);
SELECT lead_scoring.activate('c');
SELECT sum(total), (SELECT count(*) FROM lead_scoring.verify('c')) FROM lead_scoring.evaluate('c');
SQL
is(result($simple, @in), "5\n2|0", 'before it goes');
like(result('DROP SCHEMA lead_scoring', @in), qr/^2BP01: .*extension/, 'DROP SCHEMA lead_scoring is refused');
like(result('DROP SCHEMA lead_scoring CASCADE', @in), qr/^2BP01: .*extension/, '... with CASCADE too');
like(result('DROP TABLE lead_scoring.rule', @in), qr/^2BP01/, '... and DROP TABLE of a definition table');
is(result("DROP SCHEMA public CASCADE; SELECT count(*), (SELECT count(*) FROM pg_extension WHERE extname = 'lead_scoring'), (SELECT count(*) FROM lead_scoring.verify('lead_score', '$as_of')) FROM lead_scoring.score", @in), '6|1|0', 'DROP SCHEMA public leaves the extension and its definitions');
fresh_copy();
is(result("SELECT count(*) FROM lead_scoring.evaluate('lead_score');\nBEGIN; DROP EXTENSION lead_scoring; CREATE EXTENSION lead_scoring; $simple COMMIT;\nSELECT count(*) FROM lead_scoring.verify('c'); SELECT lead_scoring.deactivate('c')", @in),
	"60\n5\n2|0\n0\n", 'dropped and made again in one transaction, by a session that used it');
fresh_copy();
is(result("BEGIN; DROP EXTENSION lead_scoring; ROLLBACK; SELECT count(*) FROM lead_scoring.verify('lead_score', '$as_of')", @in), '0', 'a drop that is rolled back');
like(result('CREATE VIEW crm.scores AS SELECT name FROM lead_scoring.score; DROP EXTENSION lead_scoring', @in), qr/^2BP01/, 'a view of ours keeps the extension');
is(result("CREATE TABLE crm.decays (d lead_scoring.decay); DROP EXTENSION lead_scoring CASCADE; SELECT count(*) FROM pg_attribute WHERE attrelid = 'crm.decays'::regclass AND attnum > 0 AND NOT attisdropped", @in), '0', '... and goes with it by CASCADE, as do columns of type decay');

# Several parts of an active score change in one statement
fresh_copy();
is(result("SET ROLE $owner; UPDATE lead_scoring.score_group SET name = name || ' too' WHERE score = 'lead_score'; SELECT count(*) FROM lead_scoring.verify('lead_score'); SELECT count(*) FROM lead_scoring.rule WHERE score = 'lead_score' AND group_name LIKE '% too'", @in), "0\n9", 'groups renamed in one statement take their rules along');
is(result("SET ROLE $owner; DELETE FROM lead_scoring.score_group WHERE score = 'lead_score' AND name IN ('steps too', 'fading too'); SELECT count(*) FROM lead_scoring.verify('lead_score'); SELECT string_agg(DISTINCT group_name, ', ') FROM lead_scoring.rule WHERE score = 'lead_score'", @in),
	"0\nfirm too, recent too, slow too", 'two groups deleted in one statement');
is(result("SET ROLE $owner; SELECT lead_scoring.deactivate('lead_score'); UPDATE lead_scoring.score SET name = 'renamed' WHERE name = 'lead_score'; SELECT (SELECT count(*) FROM lead_scoring.adjustment WHERE score = 'renamed'), (SELECT count(*) FROM lead_scoring.engagement_reset WHERE score = 'renamed'), (SELECT count(*) FROM lead_scoring.event_factor WHERE score = 'renamed'), (SELECT count(*) FROM lead_scoring.segment_decay WHERE score = 'renamed'), (SELECT count(*) FROM lead_scoring.experiment WHERE 'renamed' IN (score_a, score_b))", @in), "\n3|2|2|2|2", 'a renamed score takes its parts, adjustments, resets and experiments along');
like(result("SET ROLE $owner; DELETE FROM lead_scoring.score WHERE name = 'renamed'", @in), qr/^2BP01: .*experiment/, '... and cannot go while experiments use it');
is(result("SET ROLE $owner; DELETE FROM lead_scoring.experiment; DELETE FROM lead_scoring.score WHERE name = 'renamed'; RESET ROLE; SELECT (SELECT count(*) FROM lead_scoring.adjustment) + (SELECT count(*) FROM lead_scoring.engagement_reset) + (SELECT count(*) FROM lead_scoring.event_factor) + (SELECT count(*) FROM lead_scoring.segment_decay)", @in), '0', '... and they go with it');

# What the definitions speak of goes
sub fails_clearly
{
	my ($name, $pattern, $sql) = @_;
	my (undef, undef, $errors) = psql($sql, @in);
	ok($errors =~ $pattern && $errors =~ /^HINT:  \S/m, $name) or diag($errors || 'no error');
	return;
}
fresh_copy();
is(result('DROP TABLE crm.contacts CASCADE', @in), '', 'DROP TABLE of records with an active score');
fails_clearly("gone records: $_", qr/^ERROR:  42P01: /, "SELECT * FROM lead_scoring.$_") for "evaluate('lead_score')", "explain('lead_score', '1')", "preview('lead_score')", "refresh('lead_score')", "activate('lead_score')", "verify('lead_score')";
fails_clearly('gone records: a new rule', qr/^ERROR:  42P01: /, "INSERT INTO lead_scoring.rule (score, group_name, name, points) VALUES ('lead_score', 'firm', 'n', 1)");
fails_clearly('gone records: a new band', qr/^ERROR:  42P01: /, "INSERT INTO lead_scoring.band (score, label, lower_bound) VALUES ('lead_score', 'n', 1)");
fails_clearly('gone records: the active score cannot be deleted', qr/^ERROR:  55000: .*is active/, "DELETE FROM lead_scoring.score WHERE name = 'lead_score'");
fails_clearly('gone records: the record type is in use', qr/^ERROR:  2BP01: /, "DELETE FROM lead_scoring.record_type WHERE name = 'contact'");
is(result("UPDATE lead_scoring.score SET description = 'gone' WHERE name = 'lead_score'", @in), '', 'gone records: what does not rescore can be edited');
is(result("SELECT lead_scoring.deactivate('lead_score'), lead_scoring.deactivate('ranked')", @in), '|', 'gone records: deactivate');
is(result("DELETE FROM lead_scoring.experiment; DELETE FROM lead_scoring.score WHERE name IN ('lead_score', 'ranked', 'draft'); DELETE FROM lead_scoring.source WHERE record_type = 'contact'; DELETE FROM lead_scoring.record_type WHERE name = 'contact'", @in), '', 'gone records: the definitions can be deleted');
is(result("SELECT (SELECT count(*) FROM lead_scoring.rule WHERE score = 'lead_score') + (SELECT count(*) FROM lead_scoring.adjustment WHERE score = 'lead_score')", @in), '0', '... with all parts');
is(result("SELECT count(*) FROM lead_scoring.verify('odd \"one\"', '$as_of')", @in), '0', '... and others are as they were');

fresh_copy();
is(result('DROP TABLE crm.activities', @in), '', 'DROP TABLE of events of an active score');
fails_clearly("gone events: $_", qr/^ERROR:  42P01: .*source "activity"/, "SELECT * FROM lead_scoring.$_") for "evaluate('lead_score')", "explain('lead_score', '1')", "preview('lead_score')", "refresh('lead_score')", "verify('lead_score')";
fails_clearly('gone events: the source is in use', qr/^ERROR:  2BP01: /, "DELETE FROM lead_scoring.source WHERE name = 'activity'");
is(result("SELECT lead_scoring.deactivate('lead_score')", @in), '', 'gone events: deactivate');
is(result("DELETE FROM lead_scoring.rule WHERE source = 'activity'; DELETE FROM lead_scoring.scope WHERE source = 'activity'; DELETE FROM lead_scoring.event_factor WHERE source = 'activity'; DELETE FROM lead_scoring.source WHERE name = 'activity'; SELECT lead_scoring.activate('lead_score'); SELECT count(*) FROM lead_scoring.verify('lead_score')", @in), "49\n0", 'gone events: without them the score works again');

fresh_copy();
is(result('DROP TABLE crm.people_scores', @in), '', 'DROP TABLE of the target of an active score');
fails_clearly('gone target: refresh', qr/^ERROR:  42P01: /, "SELECT lead_scoring.refresh('person_score')");
fails_clearly('gone target: verify', qr/^ERROR:  42P01: /, "SELECT lead_scoring.verify('person_score')");
is(result("SELECT lead_scoring.deactivate('person_score'); UPDATE lead_scoring.score SET target = NULL WHERE name = 'person_score'; SELECT count(*) FROM lead_scoring.evaluate('person_score')", @in), "\n60", 'gone target: deactivate, another target');

fresh_copy();
is(result('DROP SCHEMA "far away" CASCADE', @in), '', 'DROP SCHEMA of a function and an operator that criteria use');
like(result("SELECT lead_scoring.refresh('lead_score')", @in), qr/^(42883|3F000): .*(criterion of rule "|filter of source "|segment of a decay of group ")/, 'gone functions: the error says where');
is(result("SELECT lead_scoring.deactivate('lead_score'); DELETE FROM lead_scoring.experiment; DELETE FROM lead_scoring.score WHERE name = 'lead_score'", @in), '', 'gone functions: deactivate and delete');

# A role goes with all that it owns; what is left is dumped and restored
fresh_copy();
is(result("DROP OWNED BY $owner CASCADE", @in), '', 'DROP OWNED BY');
is(result('SELECT count(*) FROM lead_scoring.score', @in), '5', '... leaves the definitions');
fails_clearly('... which say that their relations are gone', qr/^ERROR:  42P01: /, "SELECT * FROM lead_scoring.evaluate('lead_score')");
runs('... which can be dumped', 'pg_dump', '-Fc', '-f', "$folder/dangling.dump", $copy);
is(result("SELECT lead_scoring.deactivate(name) FROM lead_scoring.score; DELETE FROM lead_scoring.experiment; DELETE FROM lead_scoring.score; DELETE FROM lead_scoring.source; DELETE FROM lead_scoring.record_type; SELECT count(*) FROM lead_scoring.rule", @in) =~ s/\n//gr, '0', '... and deactivated and deleted');
drop_database($copy);
create_database($copy);
runs('dangling definitions: restored', @restore, "$folder/dangling.dump");
is(result('SELECT count(*) FROM lead_scoring.rule', @in), '13', '... all of them');
like(result("SELECT * FROM lead_scoring.evaluate('lead_score')", @in), qr/^(42P01|42703|42501|42809): /, '... and fail clearly');
drop_database($copy);
is(result("DROP OWNED BY $owner CASCADE; DROP ROLE $owner", database => $original), '', 'DROP ROLE after it: definitions hold no role');
is(result("SELECT lead_scoring.deactivate(name) FROM lead_scoring.score; DELETE FROM lead_scoring.experiment; DELETE FROM lead_scoring.score; DELETE FROM lead_scoring.source; DELETE FROM lead_scoring.record_type; SELECT count(*) FROM lead_scoring.rule", database => $original) =~ s/\n//gr, '0', '... and can be deleted');

# Another server, where the role of the same name has another number
is(result("CREATE ROLE $owner"), '', 'the role with another number');
create_database($copy);
runs('other numbers: restored', @restore, $custom);
is(verified($copy, $as_of), '0|4', 'other numbers: verify is empty');
drop_database($copy);
create_database($copy);
runs('other numbers, triggers off: the schema', @restore, '--schema-only', $custom);
runs('other numbers, triggers off: the data', @restore, '--data-only', '--disable-triggers', $custom);
is(verified($copy, $as_of), '0|4', 'other numbers, triggers off: verify is empty');
drop_database($copy);

server_survived();
done_testing();
