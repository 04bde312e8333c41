#!/usr/bin/perl
# Clients write while a backend is killed and then the whole server is: afterwards every score is what its facts say, those
# that are kept at once and those that wait in a queue.
use strict;
use warnings;
use File::Basename qw(dirname);
use Test::More;
use Time::HiRes qw(sleep time);
use lib dirname(__FILE__) . '/lib';
use Psql;
use Server;

plan skip_all => 'no private server to be copied' unless server_possible();

my $server = Server->new('crash', 'fsync = on', 'restart_after_crash = on', 'lead_scoring.refresh_interval = 0', 'wal_level = minimal', 'max_wal_senders = 0');
$server->start;
is(result(<<'SQL'), "t\nt", 'two scores, of one mode each') or BAIL_OUT('cannot set up');
CREATE EXTENSION lead_scoring;
CREATE TABLE contacts (id int PRIMARY KEY, state text);
CREATE TABLE activities (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, contact_id int, type text, at timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON activities (contact_id, at);
INSERT INTO contacts SELECT g, 'east' FROM generate_series(1, 20) g;
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('contact', 'contacts', 'id');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('activity', 'contact', 'activities', 'contact_id', 'at');
INSERT INTO lead_scoring.score (name, record_type, mode) VALUES ('now', 'contact', 'sync'), ('later', 'contact', 'queued');
INSERT INTO lead_scoring.score_group (score, name, kind) SELECT s, k, k FROM unnest('{now,later}'::text[]) s, unnest('{fit,engagement}'::text[]) k;
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points)
  SELECT s, 'fit', 'west', NULL, $$state = 'west'$$, 3 FROM unnest('{now,later}'::text[]) s
  UNION ALL SELECT s, 'engagement', 'mail', 'activity', $$type = 'mail'$$, 10 FROM unnest('{now,later}'::text[]) s;
SELECT lead_scoring.activate(name) >= 0 FROM lead_scoring.score ORDER BY name;
SQL
my $script = $server->file('flood.sql', <<'SQL');
\set id random(1, 20)
\set kind random(1, 5)
\if :kind <= 2
INSERT INTO activities (contact_id, type) VALUES (:id, 'mail');
\elif :kind = 3
DELETE FROM activities WHERE id = (SELECT min(id) FROM activities WHERE contact_id = :id);
\elif :kind = 4
UPDATE contacts SET state = CASE state WHEN 'west' THEN 'east' ELSE 'west' END WHERE id = :id;
\else
BEGIN;
INSERT INTO activities (contact_id, type) VALUES (:id, 'mail');
UPDATE activities SET type = 'other' WHERE contact_id = :id;
COMMIT;
\endif
SQL

my $wrong = "SELECT count(*) FROM lead_scoring.score s, lead_scoring.verify(s.name, clock_timestamp())";
for my $round (1 .. 3)
{
	my $before = result('SELECT coalesce(max(id), 0) FROM activities');
	my $clients = $server->flood($script, 4);
	my $worker = $server->spawn('psql', '-X', '-q', '-c', 'CALL lead_scoring.refresh_due()', '-c', 'SELECT pg_sleep(0.2)', '-c', 'CALL lead_scoring.refresh_due()');
	for (my $end = time + 30; time < $end; sleep 0.1)
	{
		last if result('SELECT coalesce(max(id), 0) FROM activities') >= $before + 50;
	}
	# Those are clients of this server: their processes are told by the server itself
	my $victim = result("SELECT pid FROM pg_stat_activity WHERE application_name = 'pgbench' AND state = 'active' LIMIT 1");
	$victim = result("SELECT min(pid) FROM pg_stat_activity WHERE application_name = 'pgbench'") if $victim eq '';
	like($victim, qr/^\d+$/, "round $round: a client to be killed");
	kill 'KILL', $victim if $victim =~ /^\d+$/;
	$server->ended($clients, $worker);
	$server->await("round $round: the server recovers");
	is(result("$wrong WHERE s.name = 'now'"), '0', "round $round: the score kept at once is right");
	is(result("SELECT count(*) FROM lead_scoring.verify('later', clock_timestamp()) v WHERE NOT EXISTS (SELECT FROM lead_scoring.queue q WHERE q.score = 'later' AND (q.record_key IS NULL OR q.record_key = v.record_key))"),
		'0', "round $round: of the other one, whatever is wrong waits in the queue");

	$clients = $server->flood($script, 4);
	sleep 0.5;
	ok($server->control('-m', 'immediate', 'stop'), "round $round: the server is stopped at once");
	$server->ended($clients);
	$server->start;
	is(result("$wrong WHERE s.name = 'now'"), '0', "round $round: the score kept at once is right");
	is(result('CALL lead_scoring.refresh_due()'), '', "round $round: what waits is done");
	is(result("SELECT (SELECT count(*) FROM lead_scoring.queue), ($wrong)"), '0|0', "round $round: both are right");
	cmp_ok(result('SELECT max(id) FROM activities'), '>', $before, "round $round: something has happened");
}
unlike($server->log, qr/PANIC|TRAP|terminated by signal (?!9)/, 'nothing crashed by itself');
done_testing();
