#!/usr/bin/perl
# Models, their features and versions through pg_dump and pg_restore.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use Test::More;
use lib dirname(__FILE__) . '/lib';
use Psql;

my $original = "lead_scoring_model_$$";
my $copy = "lead_scoring_model_copy_$$";
my $owner = "ls_model_owner_$$";
my $folder = tempdir(CLEANUP => 1);
my @in = (database => $copy);

END
{
	my $status = $?;
	drop_database($_) for grep { defined } $copy, $original;
	psql("DROP ROLE IF EXISTS $owner") if defined $owner;
	$? = $status;
}

note_server();
create_database($original);
is(result(<<"SQL", database => $original), "0\n0", 'models with everything, versions, importances, scores of kind likelihood');
CREATE EXTENSION lead_scoring;
CREATE ROLE $owner;
CREATE SCHEMA crm AUTHORIZATION $owner;
SET ROLE $owner;
CREATE FUNCTION crm.is_big(integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT \$1 > 100';
CREATE TYPE crm.stage AS ENUM ('new', 'won');
CREATE TABLE crm.leads (id int PRIMARY KEY, stage crm.stage, size int, created_at timestamptz, won_at timestamptz, round int);
CREATE TABLE crm.meetings (lead_id int, kind text, minutes numeric, "at" timestamptz, booked_at timestamptz);
SET search_path = crm, public;
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('lead', 'leads', 'id');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('meeting', 'lead', 'meetings', 'lead_id', 'at');
INSERT INTO lead_scoring.model (name, record_type, outcome, horizon, snapshot_at, snapshot_every, snapshots, observed_from, customer_when, closed_at, fold, algorithm, parameters, segment,
    min_converted, min_unconverted, folds, seed, retrain_every, publish_at_least, replace_after, keep_versions, description) VALUES
  ('whole "one"', 'lead', 'won_at', '1 mon 2 days 03:04:05', 'created_at', '7 days', 3, 'created_at', \$\$stage = 'won' AND is_big(size)\$\$, 'won_at', 'round', 'boosted_trees', '{"trees": 12, "lambda": 0.5}', 'stage',
   5, 6, 7, -8, '3 days', 0.5, NULL, NULL, E'tab\\there, back\\\\slash, "quotes"\\nlines'),
  ('plain', 'lead', \$\$CASE stage WHEN 'won' THEN true END\$\$, DEFAULT, NULL, DEFAULT, DEFAULT, NULL, NULL, NULL, NULL, DEFAULT, DEFAULT, NULL, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, NULL);
INSERT INTO lead_scoring.feature (model, name, source, statistic, expression, criterion, within, decay, known_at, enabled, description) VALUES
  ('whole "one"', 'stage', NULL, 'value', 'stage', DEFAULT, NULL, NULL, NULL, true, 'it''s'), ('whole "one"', 'minutes', 'meeting', 'sum', 'minutes', 'is_big(lead_id)', '30 days', '50% per month', NULL, true, NULL),
  ('whole "one"', 'next', 'meeting', 'days_until_next', NULL, \$\$kind = 'demo'\$\$, NULL, NULL, 'booked_at', false, NULL), ('plain', 'size', NULL, 'value', 'size', DEFAULT, NULL, NULL, NULL, true, NULL);
INSERT INTO lead_scoring.model_version (model, algorithm, trained_at, as_of, samples, converted, auc, log_loss, brier, average_precision, calibration_error, threshold, accuracy, "precision", recall, f1, body, warnings)
  SELECT 'whole "one"', 'boosted_trees', '2026-01-01', '2025-12-31', 1000, 100, 0.7 + i / 100.0, 0.3, 0.1, 0.2, 0.01, 0.4, 0.9, 0.5, 0.25, 1 / 3.0, jsonb_build_object('format', 1, 'text', repeat(E'\\\\ "\\t', 1000 * i))::text, ARRAY['constant: "x"', E'a\\nb']
    FROM generate_series(1, 3) i;
INSERT INTO lead_scoring.model_version (model, algorithm, as_of, samples, converted, body) VALUES ('plain', 'scorecard', '2025-12-31', 1, 0, '');
INSERT INTO lead_scoring.model_importance (model, version, feature, importance) VALUES ('whole "one"', 1, 'stage', 0.1), ('whole "one"', 2, 'stage', 1 / 3.0), ('whole "one"', 2, 'gone since', 0);
INSERT INTO lead_scoring.model_segment VALUES ('whole "one"', 2, E'a\\tb', 100, 30, 0.7, 1 / 3.0, 0.5, 0.6, true);
INSERT INTO lead_scoring.model_training VALUES ('whole "one"', '2026-01-01', 2, true, 'takes the place of "1"'), ('plain', '2026-01-02', NULL, false, 'division by zero');
SELECT lead_scoring.publish('whole "one"', 1);
SELECT lead_scoring.publish('whole "one"', 2);
INSERT INTO lead_scoring.score (name, record_type, kind, model) VALUES ('likelihood', 'lead', 'likelihood', 'whole "one"'), ('next', 'lead', 'likelihood', 'plain');
INSERT INTO lead_scoring.band (score, label, lower_bound) VALUES ('likelihood', 'Hot', 75), ('likelihood', 'Cold', NULL);
SQL

my $rows = join ' UNION ALL ', map { "SELECT '$_ ' || to_jsonb(t)::text FROM lead_scoring.$_ t" } qw(model feature model_version model_importance model_segment model_training score band);
my $question = "SET search_path = ''; SELECT x FROM ($rows) y (x) ORDER BY x COLLATE \"C\"";
my $expected = result($question, database => $original);
is(scalar(() = $expected =~ /^/mg), 20, 'rows to be lost');

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
	if (!$with{other_owner})
	{
		is(result($question, @in), $expected, "$way: every row is as it was");
	}
	my $user = $with{other_owner} ? 'UPDATE lead_scoring.record_type SET relation = relation; UPDATE lead_scoring.source SET relation = relation;' : "SET ROLE $owner;";
	is(result("$user SELECT (SELECT DISTINCT f ->> 'criterion_owner' FROM lead_scoring.model_version v, jsonb_array_elements(v.definition -> 'features') f) = (SELECT relation_owner FROM lead_scoring.source) AND (SELECT DISTINCT criterion_owner FROM lead_scoring.feature) = (SELECT criterion_owner FROM lead_scoring.model LIMIT 1)", @in), 't', "$way: all is the owner's");
	is(result("$user SELECT lead_scoring.publish('whole \"one\"', 1); SELECT version || status FROM lead_scoring.model_version WHERE model LIKE 'whole%' ORDER BY version", @in), "0\n1champion\n2retired\n3challenger", "$way: another version is published");
	is(result("$user INSERT INTO lead_scoring.model_version (model, algorithm, as_of, samples, converted, body) VALUES ('whole \"one\"', 'scorecard', now(), 1, 1, '{}') RETURNING version", @in), '4', "$way: numbers go on");
	my $feature = "INSERT INTO lead_scoring.feature (model, name, source, statistic, expression) VALUES ('plain',";
	is(join(' ', states([ "$feature 'x', NULL, 'value', 'size')", "$feature 'x', NULL, 'value', 'nope')", "$feature 'x', 'meeting', 'sum', 'kind')", "$feature 'size', NULL, 'value', 'size')", "DELETE FROM lead_scoring.model", "DELETE FROM lead_scoring.source", "UPDATE lead_scoring.model_version SET body = 'x'" ], @in, first => $user)),
		'00000 42703 42804 23505 2BP01 2BP01 55000', "$way: what is wrong is refused again");
	drop_database($copy);
	return;
}

my @restore = ('pg_restore', '--exit-on-error', '-d', $copy);
my @psql = ('psql', '-X', '-q', '-o', '/dev/null', '-v', 'ON_ERROR_STOP=1', '-d', $copy);
runs('pg_dump, plain', 'pg_dump', '-f', "$folder/plain.sql", $original);
runs('pg_dump, custom', 'pg_dump', '-Fc', '-f', "$folder/custom.dump", $original);
runs('pg_dump, inserts', 'pg_dump', '--column-inserts', '-f', "$folder/inserts.sql", $original);

create_database($copy);
runs('plain: restored', @psql, '-f', "$folder/plain.sql");
check_copy('plain');
create_database($copy);
runs('inserts: restored', @psql, '-f', "$folder/inserts.sql");
check_copy('inserts');
create_database($copy);
runs('four jobs: restored', @restore, '-j4', "$folder/custom.dump");
check_copy('four jobs');
create_database($copy);
runs("by sections: $_", @restore, "--section=$_", '-j4', "$folder/custom.dump") for qw(pre-data data post-data);
check_copy('by sections');
create_database($copy);
runs('triggers off: the schema', @restore, '--schema-only', "$folder/custom.dump");
runs('triggers off: the data', @restore, '--data-only', '--disable-triggers', "$folder/custom.dump");
check_copy('triggers off');
create_database($copy);
runs('another owner: restored', @restore, '--no-owner', '--no-privileges', "$folder/custom.dump");
check_copy('another owner', other_owner => 1);

server_survived();
done_testing();
