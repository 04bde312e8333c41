#!/usr/bin/perl
# The background worker, in a server of its own that preloads the library: it keeps scores current, survives errors, ends
# and starts again, and lets go of databases and of the extension.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use IO::Handle;
use Test::More;
use Time::HiRes qw(sleep time);
use lib dirname(__FILE__) . '/lib';
use Psql;

plan skip_all => 'no private server to be copied' unless defined $ENV{LS_BIN} && defined $ENV{PGHOST};

my $binaries = $ENV{LS_BIN};
my @owner = (stat $ENV{PGHOST})[4, 5];
my $folder = tempdir('lead_scoring_worker.XXXXXX', DIR => '/tmp', CLEANUP => 1);
chown @owner, $folder;
my ($data, $log) = ("$folder/data", "$folder/log");
my $running = 0;

# run a program of the server as its user
sub as_server
{
	my (@words) = @_;
	unshift @words, 'setpriv', "--reuid=$owner[0]", "--regid=$owner[1]", '--clear-groups', '--' if $> == 0;
	my ($status, $output, $errors) = command('', 'sh', '-c', 'cd / && exec "$@"', 'sh', @words);
	diag("@words: $output$errors") if $status != 0;
	return $status == 0;
}

sub control
{
	my (@words) = @_;
	return as_server("$binaries/pg_ctl", '-D', $data, '-l', $log, '-s', '-w', '-t', '60', @words);
}

sub configure
{
	my (@lines) = @_;
	open my $out, '>>', "$data/postgresql.conf" or die $!;
	print $out "$_\n" for @lines;
	close $out;
	return;
}

END
{
	my $status = $?;
	control('-m', 'immediate', 'stop') if $running;
	$? = $status;
}

sub slurp
{
	my ($file) = @_;
	open my $in, '<', $file or return '';
	local $/;
	return scalar(<$in>) // '';
}

# wait until a query answers as it should
sub comes
{
	my ($name, $sql, $expected, %with) = @_;
	my $answer = '';
	for (my $end = time + 60; time < $end; sleep 0.1)
	{
		$answer = result($sql, %with);
		last if $answer eq $expected;
	}
	is($answer, $expected, $name);
	return;
}

BAIL_OUT('initdb failed') unless as_server("$binaries/initdb", '-D', $data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync');
configure("listen_addresses = ''", "unix_socket_directories = '$folder'", 'fsync = off', "shared_preload_libraries = 'lead_scoring'",
	"lead_scoring.databases = 'crm'", "log_line_prefix = '%m [%p] '", 'lead_scoring.naptime = 50ms', 'lead_scoring.refresh_interval = 200ms', 'max_worker_processes = 16');
BAIL_OUT('the server does not start: ' . slurp($log)) unless control('start');
$running = 1;
$ENV{PGHOST} = $folder;
$ENV{PGUSER} = 'postgres';
$ENV{PGDATABASE} = 'postgres';
my @in = (database => 'crm');
my $workers = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'lead_scoring worker'";

# A database that is not there yet, then one without the extension
comes('no worker for a database that is not there', $workers, '0');
my @looked;
for (my $end = time + 60; time < $end && @looked < 3; sleep 0.1)
{
	@looked = slurp($log) =~ /^\S+ \d\d:\d\d:(\d\d)\S* .*database "crm" does not exist\n.*HINT:  Create it, or take it out/mg;
}
cmp_ok(($looked[2] - $looked[1]) % 60, '>=', 3, 'it is looked for ever more seldom, with a hint');
create_database('crm');
is(result('SELECT pg_reload_conf()'), 't', 'the configuration is read anew');
comes('a worker comes once there is a database', $workers, '1');
is(result("SELECT application_name, datname FROM pg_stat_activity WHERE backend_type = 'lead_scoring worker'"), 'lead_scoring worker|crm', 'it says who it is');

# Scores that time changes
is(result('CREATE EXTENSION lead_scoring', @in), '', 'the extension') or BAIL_OUT('no extension');
is(result(<<'SQL', @in), '20', 'a score that fades');
CREATE TABLE contacts (id bigint PRIMARY KEY, employees int);
CREATE TABLE activities (contact_id bigint, at timestamptz);
CREATE INDEX ON activities (contact_id);
CREATE VIEW visits AS SELECT * FROM activities;
INSERT INTO contacts SELECT g, g FROM generate_series(1, 20) g;
INSERT INTO activities SELECT g % 20 + 1, now() FROM generate_series(1, 100) g;
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('contact', 'contacts', 'id');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('visit', 'contact', 'visits', 'contact_id', 'at');
INSERT INTO lead_scoring.score (name, record_type) VALUES ('s', 'contact');
INSERT INTO lead_scoring.score_group (score, name, kind, decay) VALUES ('s', 'f', 'fit', NULL), ('s', 'e', 'engagement', '50% per 1 hour');
INSERT INTO lead_scoring.rule (score, group_name, name, source, value, counting, points) VALUES
  ('s', 'e', 'visit', 'visit', NULL, 'each', 1000), ('s', 'f', 'size', NULL, '10 / employees', 'each', 1);
SELECT lead_scoring.activate('s');
SQL
my $first = result('SELECT s FROM contacts WHERE id = 3', @in);
comes('the worker follows time', "SELECT s < $first - 0.5 FROM contacts WHERE id = 3", 't', @in);
is(result('SELECT worker FROM lead_scoring.activity', @in), 'running', 'the activity says that it runs');
is(result("SELECT state, backend_xmin IS NULL FROM pg_stat_activity WHERE backend_type = 'lead_scoring worker' AND state = 'idle' UNION ALL SELECT 'idle', true LIMIT 1", @in), 'idle|t', 'it holds no snapshot while it is idle');

# Whoever drops the extension waits for it before either has locked any table
is(result(<<'SQL', @in), 't', 'it holds the extension while it waits for a table');
BEGIN;
LOCK TABLE contacts;
CREATE TEMP TABLE found ON COMMIT DROP AS SELECT false AS held;
DO $$
BEGIN
  FOR turn IN 1 .. 600 LOOP
    PERFORM pg_sleep(0.1);
    UPDATE found SET held = EXISTS (SELECT FROM pg_locks w JOIN pg_stat_activity a ON a.pid = w.pid AND a.backend_type = 'lead_scoring worker'
      JOIN pg_locks e ON e.pid = w.pid AND e.granted AND e.locktype = 'object' AND e.classid = 'pg_extension'::regclass
      WHERE NOT w.granted AND w.relation = 'contacts'::regclass);
    EXIT WHEN (SELECT held FROM found);
  END LOOP;
END $$;
SELECT held FROM found;
COMMIT;
SQL

# Work that waits, and an error of one record
is(result(<<'SQL', @in), '', 'a record that fails, and one that does not');
BEGIN;
-- The worker, which holds the score while it waits for the table, would otherwise be waited for with the table locked
DO $$ BEGIN PERFORM lead_scoring.lock_definition('s'); END $$;
ALTER TABLE contacts DISABLE TRIGGER lead_scoring_touch_update;
UPDATE contacts SET employees = 0 WHERE id = 4;
UPDATE contacts SET employees = 5 WHERE id = 5;
ALTER TABLE contacts ENABLE ALWAYS TRIGGER lead_scoring_touch_update;
COMMIT;
INSERT INTO lead_scoring.queue (score, record_key) VALUES ('s', '4'), ('s', '5'), ('s', '5');
SQL
comes('the queue is worked off', 'SELECT count(*) FROM lead_scoring.queue', '0', @in);
comes('the one is stored', 'SELECT s_fit FROM contacts WHERE id = 5', '2', @in);
comes('the other is parked', 'SELECT record_key, sqlstate FROM lead_scoring.parked', '4|22012', @in);
is(result("SELECT parked, last_error FROM lead_scoring.activity", @in), '1|division by zero', '... which the activity tells');
is(result('ALTER TABLE contacts DISABLE TRIGGER USER; UPDATE contacts SET employees = 10 WHERE id = 4; UPDATE lead_scoring.parked SET retry_at = now()', @in), '', 'mended');
comes('... and tried again', 'SELECT (SELECT count(*) FROM lead_scoring.parked), s_fit FROM contacts WHERE id = 4', '0|1', @in);

# A slip in the list of databases
my ($slipped, undef, $complaint) = psql("ALTER SYSTEM SET lead_scoring.databases = 'crm shop'", @in);
isnt($slipped, 0, 'a list of databases without a comma is refused');
like($complaint, qr/invalid value for parameter "lead_scoring.databases": "crm shop".*Separate the names of databases by commas/s, '... with a hint');

# Somebody who is at many records for long
open(my $holder, '|-', 'psql', '-X', '-q', '-o', '/dev/null', '-d', 'crm') or die $!;
$holder->autoflush(1);
print $holder "BEGIN; SELECT FROM contacts WHERE id > 6 FOR UPDATE;\n";
comes('records are locked', 'SELECT count(*) FROM (SELECT FROM contacts WHERE id > 6 FOR UPDATE SKIP LOCKED) free', '0', @in);
comes('they are parked', 'SELECT count(*), min(sqlstate), max(sqlstate) FROM lead_scoring.parked', '14|55P03|55P03', @in);
my $faded = result('SELECT s FROM contacts WHERE id = 3', @in);
comes('others are kept current meanwhile', "SELECT s < $faded FROM contacts WHERE id = 3", 't', @in);
is(result("SET lock_timeout = '30s'; UPDATE contacts SET employees = employees + 1 WHERE id BETWEEN 1 AND 6", @in), '', '... and can be written');
print $holder "COMMIT;\n";
close $holder;
is(result('UPDATE lead_scoring.parked SET retry_at = now()', @in), '', 'he is done');
comes('... and they are tried again', 'SELECT count(*) FROM lead_scoring.parked', '0', @in);

# Scores that are switched on and off beside it
is(result("SELECT lead_scoring.draft('s', 's_next')", @in), '', 'a draft');
my @refused;
for my $call (('activate', 'deactivate') x 8)
{
	my ($status, undef, $error) = psql("SELECT lead_scoring.$call('s_next')", @in);
	push @refused, "$call: $error" if $status != 0;
}
is("@refused", '', 'neither waits for the other in vain');
is(result("DELETE FROM lead_scoring.score WHERE name = 's_next'", @in), '', 'the draft goes');

# An error of the score as a whole
is(result('ALTER TABLE contacts RENAME employees TO staff', @in), '', 'a column is renamed');
comes('the score fails as a whole', 'SELECT attempts > 0, sqlstate FROM lead_scoring.score_state', 't|42703', @in);
is(result('ALTER TABLE contacts RENAME staff TO employees; UPDATE lead_scoring.score_state SET retry_at = now()', @in), '', 'mended');
comes('... and it goes on', 'SELECT failed_at IS NULL FROM lead_scoring.score_state', 't', @in);

# What is counted, in a database without a worker
create_database('shop');
my @shop = (database => 'shop');
is(result(<<'SQL', @shop), '2|11|11', 'activations, refreshes and single records are counted');
CREATE EXTENSION lead_scoring;
CREATE TABLE contacts (id bigint PRIMARY KEY, employees int);
INSERT INTO contacts SELECT g, g FROM generate_series(1, 10) g;
CREATE TABLE visits (contact_id bigint, at timestamptz DEFAULT now());
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('contact', 'contacts', 'id');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('visit', 'contact', 'visits', 'contact_id', 'at');
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('s', 'contact', 'engagement');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('s', 'e', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES ('s', 'e', 'visit', 'visit', 'true', 1);
SET client_min_messages = error;
CREATE TEMP TABLE done AS SELECT lead_scoring.activate('s');
INSERT INTO visits VALUES (3);
SELECT evaluations, evaluated, written FROM lead_scoring.activity;
SQL
is(result("SELECT lead_scoring.refresh('s', clock_timestamp()); SELECT evaluations, evaluated, written FROM lead_scoring.activity", @shop), "0\n3|21|11", '... and a refresh');

# Models that are old: another process trains them, while scores are kept current
is(result(<<'SQL', @in), '1', 'a model that was trained long ago');
CREATE TABLE cases (id int PRIMARY KEY, x int, won bool);
INSERT INTO cases SELECT g, g % 10, g % 10 + g % 7 > 8 FROM generate_series(1, 400) g;
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('case', 'cases', 'id');
INSERT INTO lead_scoring.model (name, record_type, outcome, algorithm) VALUES ('m', 'case', 'won', 'scorecard'), ('few', 'case', 'won AND x < 0', 'scorecard');
INSERT INTO lead_scoring.feature (model, name, expression) VALUES ('m', 'x', 'x'), ('few', 'x', 'x');
SELECT lead_scoring.train('m');
INSERT INTO lead_scoring.model_version (model, algorithm, trained_at, as_of, samples, converted, auc, accuracy, body)
  SELECT n, v.algorithm, now() - interval '1 month', now(), 1, 1, v.auc, v.accuracy, v.body FROM lead_scoring.model_version v, unnest(ARRAY['m', 'few']) n;
SELECT lead_scoring.publish(n, max(version)) FROM lead_scoring.model_version v, unnest(ARRAY['m', 'few']) n WHERE v.model = n GROUP BY n \g /dev/null
DELETE FROM lead_scoring.model_version WHERE status <> 'champion';
SQL
is(result("SELECT pg_terminate_backend(lead_scoring.worker_pid())", @in), 't', 'a worker that begins looks for models to train');
comes('the model is trained again, and published', "SELECT status, samples FROM lead_scoring.model_versions WHERE model = 'm' AND trained_at > now() - interval '1 day'", 'champion|400', @in);
comes('an error is kept, and does not stop the others', "SELECT published, outcome LIKE '%0 converted and 400 unconverted%' FROM lead_scoring.model_upkeep WHERE model = 'few'", 'f|t', @in);
comes('the process that trains is gone', "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'lead_scoring trainer'", '0', @in);

# Limits that are meant for people do not end a training half-way, only to have it begun again; it goes with the worker
is(result("ALTER DATABASE crm SET lock_timeout = '100ms'; ALTER DATABASE crm SET statement_timeout = '2s'"), '', 'limits for people');
open my $session, '|-', 'psql', '-X', '-q', '-d', 'crm' or BAIL_OUT("psql: $!");
$session->autoflush;
print $session "SET statement_timeout = 0; BEGIN; LOCK TABLE cases; SELECT 1 \\g /dev/null\n";
comes('a session holds a lock', "SELECT count(*) FROM pg_locks WHERE relation = 'cases'::regclass AND mode = 'AccessExclusiveLock' AND granted", '1', @in);
is(result("UPDATE lead_scoring.model_training SET tried_at = now() - interval '1 month' WHERE model = 'few'", @in), '', 'a model is due again');
my $trainer = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'lead_scoring trainer'";
my $waiting = "$trainer AND wait_event_type = 'Lock' AND now() - query_start > interval '1 s'";
is(result("SELECT pg_terminate_backend(lead_scoring.worker_pid())", @in), 't', 'a worker that begins looks for models to train');
comes('the training waits', $waiting, '1', @in);
is(result("SELECT outcome FROM lead_scoring.model_upkeep WHERE model = 'few'", @in), 'begun, but not ended', '... and has not given up');
is(result("ALTER SYSTEM SET lead_scoring.databases = ''"), '', 'no worker is wanted any more');
is(result("SELECT pg_reload_conf()"), 't', '... from now on');
comes('the worker ends', $workers, '0');
comes('... and so does what it started', $trainer, '0');
print $session "ROLLBACK;\n";
close $session;
is(result("ALTER DATABASE crm RESET ALL"), '', 'no limits');
is(result("ALTER SYSTEM RESET lead_scoring.databases"), '', 'a worker is wanted');
is(result("SELECT pg_reload_conf()"), 't', '... again');
comes('it comes', $workers, '1');
is(result("SELECT outcome, next_training > now() + interval '23 hours' FROM lead_scoring.model_upkeep WHERE model = 'few'", @in), 'begun, but not ended|t', 'what did not survive its training is not tried again at once');

# Ended by hand, also in the middle of a batch: another comes
for my $round (1 .. 3)
{
	my $pid = result('SELECT lead_scoring.worker_pid()', @in);
	is(result("INSERT INTO lead_scoring.queue (score, record_key) SELECT 's', g::text FROM generate_series(1, 20000) g; SELECT pg_sleep(0.02 * $round); SELECT pg_terminate_backend($pid)", @in), "\nt", 'the worker is ended');
	comes('... another comes', "SELECT lead_scoring.worker_pid() NOT IN (0, $pid)", 't', @in);
	comes('... and nothing is lost', 'SELECT count(*) FROM lead_scoring.queue', '0', @in);
}

# The extension goes and comes
is(result('DROP EXTENSION lead_scoring', @in), '', 'DROP EXTENSION while the worker is there');
sleep 0.5;
is(result('CREATE EXTENSION lead_scoring; SELECT lead_scoring.worker_state()', @in), 'running', 'CREATE EXTENSION: it is still there');
is(result(<<'SQL', @in), '20', 'a score again');
ALTER TABLE contacts DROP COLUMN s, DROP COLUMN s_fit, DROP COLUMN s_engagement, DROP COLUMN s_label;
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('contact', 'contacts', 'id');
INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('s', 'contact', 'fit');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('s', 'f', 'fit');
INSERT INTO lead_scoring.rule (score, group_name, name, value, counting, points) VALUES ('s', 'f', 'size', 'employees', 'each', 1);
SELECT lead_scoring.activate('s');
SQL
is(result("ALTER TABLE contacts DISABLE TRIGGER USER; UPDATE contacts SET employees = 77 WHERE id = 7; INSERT INTO lead_scoring.queue (score, record_key) VALUES ('s', '7')", @in), '', 'a fact');
comes('... is followed', 'SELECT s FROM contacts WHERE id = 7', '77', @in);

# Databases come and go
is(result('DROP DATABASE crm WITH (FORCE)'), '', 'DROP DATABASE WITH (FORCE)');
create_database('crm');
comes('the worker of the next database of that name', $workers, '1');
configure("lead_scoring.databases = ''");
ok(control('reload'), 'the list is emptied');
comes('... and no worker is left', $workers, '0');
is(result('DROP DATABASE crm'), '', 'DROP DATABASE of a database that is no longer in the list');
is(result("CREATE EXTENSION lead_scoring; SELECT lead_scoring.worker_state() LIKE 'no worker: %'"), 't', 'which the activity tells');
configure("lead_scoring.databases = 'postgres'");
ok(control('reload'), 'another database');
comes('... gets a worker', $workers, '1');

my $begun = time;
ok(control('-m', 'fast', 'stop'), 'the server stops');
$running = 0;
cmp_ok(time - $begun, '<', 10, '... at once');
my $told = slurp($log);
unlike($told, qr/PANIC|TRAP|terminated by signal|was not properly shut down/, 'no process crashed');
unlike($told, qr/lead_scoring launcher.*exited with exit code [^01]/, 'the launcher ended as it should');

done_testing();
