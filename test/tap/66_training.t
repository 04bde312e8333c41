#!/usr/bin/perl
# Training while others are at work: it is seen, it is cancelled at once, nobody waits for it, and what is edited
# meanwhile is noticed.
use strict;
use warnings;
use File::Basename qw(dirname);
use IO::Handle;
use IPC::Open3 qw(open3);
use Symbol qw(gensym);
use Test::More;
use Time::HiRes qw(sleep time);
use lib dirname(__FILE__) . '/lib';
use Psql;

my $database = "lead_scoring_training_$$";
my $other = "lead_scoring_training_other_$$";
my @in = (database => $database);

END
{
	my $status = $?;
	drop_database($_) for grep { defined } $database, $other;
	$? = $status;
}

note_server();
create_database($database);
is(result(<<'SQL', @in), "1\n1", 'a model that takes a while to train');
CREATE EXTENSION lead_scoring;
CREATE TABLE leads (id int PRIMARY KEY, a float8, b float8, c float8, kind text, won bool);
INSERT INTO leads SELECT g, hashint4(g), hashint4(g + 1), hashint4(g + 2), 'kind ' || g % 50, (hashint4(g) / 1e9 + hashint4(g + 7) / 3e9) > 0 FROM generate_series(1, 40000) g;
INSERT INTO leads SELECT g, 1, 1, 1, 'kind 1', NULL FROM generate_series(100001, 100100) g;
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('lead', 'leads', 'id');
INSERT INTO lead_scoring.model (name, record_type, outcome, algorithm) VALUES ('slow', 'lead', 'CASE WHEN id <= 8000 THEN won END', 'boosted_trees'), ('quick', 'lead', 'CASE WHEN id <= 1000 THEN won END', 'scorecard');
INSERT INTO lead_scoring.feature (model, name, expression) SELECT m, f, f FROM unnest(ARRAY['slow', 'quick']) m, unnest(ARRAY['a', 'b', 'c', 'kind']) f;
UPDATE lead_scoring.model SET parameters = '{"trees": 2000, "depth": 8}' WHERE name = 'slow';
SELECT lead_scoring.train('quick');
SELECT version FROM lead_scoring.model_versions;
SQL

# Begin to train in a session of its own
sub begin_training
{
	my ($model) = @_;
	my ($input, $output);
	my $errors = gensym;
	local $ENV{PGAPPNAME} = 'ls_training';
	my $pid = open3($input, $output, $errors, 'psql', '-X', '-q', '-A', '-t', '-v', 'VERBOSITY=verbose', '-d', $database, '-c', "SELECT lead_scoring.train('$model')");
	close $input;
	return ($pid, $output, $errors);
}

# Wait for it to end; what it printed
sub end_training
{
	my ($pid, $output, $errors) = @_;
	local $/;
	my $printed = <$output> // '';
	$printed .= <$errors> // '';
	waitpid $pid, 0;
	return $printed;
}

sub wait_for
{
	my ($sql, $expected) = @_;
	my $answer = '';
	for (my $end = time + 60; time < $end; sleep 0.05)
	{
		$answer = result($sql, @in);
		last if $answer eq $expected;
	}
	return $answer;
}

create_database($other);
my @training = begin_training('slow');
is(wait_for("SELECT model, phase, score IS NULL, done BETWEEN 0 AND 1000, expected FROM lead_scoring.progress WHERE phase = 'training'", 'slow|training|t|t|1000'), 'slow|training|t|t|1000', 'others see it');
is(result(<<'SQL', @in), '', 'nobody waits for it');
SET lock_timeout = '2s';
UPDATE leads SET a = a + 1 WHERE id < 100;
INSERT INTO leads VALUES (100101, 1, 1, 1, 'kind 1', NULL);
DELETE FROM leads WHERE id = 39999;
INSERT INTO lead_scoring.feature (model, name, expression) VALUES ('quick', 'd', 'a + b');
SQL
is(result("SET statement_timeout = '20s'; DROP DATABASE $other", @in), '', 'DROP DATABASE, which waits for every process of the server, does not either');
my $begun = time;
is(result("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'ls_training'", @in), 't', 'it is cancelled');
like(end_training(@training), qr/57014/, 'and says so');
cmp_ok(time - $begun, '<', 10, 'soon');
is(result("SELECT count(*) FROM lead_scoring.model_versions WHERE model = 'slow'", @in), '0', 'no version is left');

# What is edited meanwhile
is(result("UPDATE lead_scoring.model SET parameters = '{\"trees\": 30}' WHERE name = 'slow'", @in), '', 'a smaller model');
@training = begin_training('slow');
wait_for("SELECT phase FROM lead_scoring.progress WHERE model = 'slow'", 'training');
is(result("UPDATE lead_scoring.model SET parameters = '{\"trees\": 5}' WHERE name = 'slow'", @in), '', 'is edited while it is trained');
like(end_training(@training), qr/40001: model "slow" has been edited while it was trained/, 'which is noticed');
is(result("SELECT count(*) FROM lead_scoring.model_versions WHERE model = 'slow'", @in), '0', 'no version is left');

# A training that does not fit into memory
my (undef, $printed, $errors) = psql("SET client_min_messages = notice; SET lead_scoring.work_mem = '4MB'; UPDATE lead_scoring.model SET outcome = 'won' WHERE name = 'quick'; SELECT lead_scoring.train('quick'); SELECT samples FROM lead_scoring.model_versions WHERE model = 'quick' AND version = 2", @in);
like($errors, qr/NOTICE:.*of 39999 samples are used, drawn by lot/, 'a training set larger than work_mem is sampled');
cmp_ok((split /\n/, $printed)[1], '<', 39999, 'which the version tells');
cmp_ok((split /\n/, $printed)[1], '>', 10000, 'as many as fit');

server_survived();
done_testing();
