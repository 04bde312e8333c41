#!/usr/bin/perl
# Scores where rows come by other ways than statements on the table: a physical standby, logical replication, partitions,
# inheritance, and a dump that is restored.
use strict;
use warnings;
use File::Basename qw(dirname);
use Test::More;
use Time::HiRes qw(sleep time);
use lib dirname(__FILE__) . '/lib';
use Psql;
use Server;

plan skip_all => 'no private server to be copied' unless server_possible();

my $server = Server->new('replication', 'wal_level = logical', 'max_wal_senders = 8', 'max_replication_slots = 8', 'max_worker_processes = 16', 'max_prepared_transactions = 4', 'lead_scoring.refresh_interval = 0');
$server->start;

my $tables = <<'SQL';
CREATE TABLE contacts (id int PRIMARY KEY, state text);
CREATE TABLE activities (id int PRIMARY KEY, contact_id int, type text, at timestamptz NOT NULL DEFAULT now());
SQL
my $score = <<'SQL';
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('contact', 'contacts', 'id');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('activity', 'contact', 'activities', 'contact_id', 'at');
INSERT INTO lead_scoring.score (name, record_type) VALUES ('s', 'contact');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('s', 'f', 'fit'), ('s', 'e', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES
  ('s', 'f', 'west', NULL, $$state = 'west'$$, 3), ('s', 'e', 'mail', 'activity', $$type = 'mail'$$, 10);
SELECT lead_scoring.activate('s');
SQL
my $wrong = "SELECT count(*) FROM lead_scoring.verify('s', clock_timestamp())";
my $scores = "SELECT string_agg(id || ':' || s, ' ' ORDER BY id) FROM contacts";

# wait until a query answers as it should
sub comes
{
	my ($name, $sql, $expected, %with) = @_;
	my $answer = '';
	for (my $end = time + 30; $answer ne $expected && time < $end; sleep 0.05)
	{
		$answer = result($sql, %with);
	}
	is($answer, $expected, $name);
	return;
}

sub right
{
	my ($name, $expected, @in) = @_;
	is(result($scores, @in), $expected, $name);
	is(result($wrong, @in), '0', "$name: verify is empty");
	return;
}

create_database($_) for qw(crm copy restored);
my @crm = (database => 'crm');
my @copy = (database => 'copy');
is(result("CREATE EXTENSION lead_scoring; ${tables}INSERT INTO contacts SELECT g, 'west' FROM generate_series(1, 3) g; $score", @crm), '3', 'a score') or BAIL_OUT('no score');
is(result("INSERT INTO activities (id, contact_id, type) VALUES (1, 1, 'mail'), (2, 1, 'mail'), (3, 2, 'mail')", @crm), '', 'events');
right('where statements come', '1:23 2:13 3:3', @crm);

# A physical standby
my $standby = $server->standby('standby');
$standby->start;
comes('a standby has the scores', $scores, '1:23 2:13 3:3', @crm);
is(result("SELECT total FROM lead_scoring.evaluate('s', clock_timestamp()) WHERE record_key = '1'", @crm), '23', '... evaluates');
is(result("SELECT count(*) > 0 FROM lead_scoring.explain('s', '1', clock_timestamp())", @crm), 't', '... explains');
is(result($wrong, @crm), '0', '... verifies');
like(result("SELECT lead_scoring.refresh('s')", @crm), qr/^25006: cannot execute lead_scoring\.refresh\(\)/, '... and says that it is read-only');
like(result("CALL lead_scoring.refresh_due()", @crm), qr/^25006: /, '... which refresh_due() says, too');
ok($standby->control('-m', 'immediate', 'stop'), 'the standby has done its work');
$server->use;

# Logical replication: rows come without statements, by a process that fires only some triggers
is(result("CREATE EXTENSION lead_scoring; ${tables}INSERT INTO contacts SELECT g, 'east' FROM generate_series(1, 3) g; $score", @copy), '3', 'the same score in another database');
is(result("SELECT pg_create_logical_replication_slot('events', 'pgoutput') IS NOT NULL; CREATE PUBLICATION events FOR TABLE activities", @crm), 't', 'a publication');
is(result("CREATE SUBSCRIPTION events CONNECTION 'dbname=crm host=$ENV{PGHOST} user=postgres' PUBLICATION events WITH (create_slot = false, slot_name = 'events')", @copy), '', 'a subscription');
comes('the rows that were there', $scores, '1:20 2:10 3:0', @copy);
comes('... are there in full', "SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel", 't', @copy);
for (["INSERT INTO activities (id, contact_id, type) VALUES (4, 3, 'mail'), (5, 3, 'mail'), (6, 99, 'mail')", '1:20 2:10 3:20', 'INSERT'],
	["UPDATE activities SET contact_id = 2 WHERE id = 4", '1:20 2:20 3:10', 'UPDATE of what a row names'],
	["UPDATE activities SET type = 'other' WHERE id = 1", '1:10 2:20 3:10', 'UPDATE of what a rule reads'],
	["DELETE FROM activities WHERE id = 5", '1:10 2:20 3:0', 'DELETE'],
	["BEGIN; INSERT INTO activities (id, contact_id, type) SELECT g, 1 + g % 3, 'mail' FROM generate_series(10, 39) g; DELETE FROM activities WHERE id > 20; COMMIT", '1:40 2:60 3:40', 'a transaction'],
	["TRUNCATE activities", '1:0 2:0 3:0', 'TRUNCATE'])
{
	my ($sql, $expected, $name) = @$_;
	is(result($sql, @crm), '', "$name is published");
	comes("$name arrives", $scores, $expected, @copy);
	is(result($wrong, @copy), '0', "$name: verify is empty");
	is(result($wrong, @crm), '0', "$name: nor is anything wrong where it came from");
}
is(result("ALTER SUBSCRIPTION events DISABLE; ALTER SUBSCRIPTION events SET (slot_name = NONE); DROP SUBSCRIPTION events", @copy), '', 'the subscription is over');
comes('... and so is its slot', "SELECT count(pg_drop_replication_slot(slot_name)) FROM pg_replication_slots WHERE NOT active", '1', @crm);

# A publisher's transactions in two phases, which notify nobody: what applies them could not prepare them otherwise
is(result("INSERT INTO lead_scoring.band (score, label, lower_bound) VALUES ('s', 'hot', 5), ('s', 'cold', NULL)", @copy), '', 'labels');
is(result("SELECT pg_create_logical_replication_slot('phases', 'pgoutput', false, true) IS NOT NULL", @crm), 't', 'a slot for two phases');
is(result("CREATE SUBSCRIPTION phases CONNECTION 'dbname=crm host=$ENV{PGHOST} user=postgres' PUBLICATION events WITH (create_slot = false, slot_name = 'phases', two_phase = true)", @copy), '', '... and its subscription');
comes('... which is ready', "SELECT subtwophasestate FROM pg_subscription", 'e', @copy);
is(result("BEGIN; INSERT INTO activities (id, contact_id, type) VALUES (50, 1, 'mail'); PREPARE TRANSACTION 'mail'", @crm), '', 'a prepared transaction that changes a label');
is(result("COMMIT PREPARED 'mail'; INSERT INTO activities (id, contact_id, type) VALUES (51, 2, 'mail')", @crm), '', '... is committed, others follow');
comes('... and all of them arrive', $scores, '1:10 2:10 3:0', @copy);
is(result("SELECT string_agg(record_key || ' ' || to_label, ', ' ORDER BY record_key) FROM lead_scoring.score_change WHERE reason = 'facts'", @copy), '1 hot, 2 hot', '... with changes of labels');
is(result($wrong, @copy), '0', '... verify is empty');
is(result("ALTER SUBSCRIPTION phases DISABLE; ALTER SUBSCRIPTION phases SET (slot_name = NONE); DROP SUBSCRIPTION phases", @copy), '', 'this is over, too');
comes('... and so is its slot', "SELECT count(pg_drop_replication_slot(slot_name)) FROM pg_replication_slots WHERE NOT active", '1', @crm);
is(result("TRUNCATE activities", @crm), '', 'no events');

# A dump
is(result("INSERT INTO activities (id, contact_id, type) VALUES (1, 1, 'mail'), (2, 1, 'mail'), (3, 2, 'mail')", @crm), '', 'events again');
my $dump = "$server->{folder}/dump";
ok($server->run('pg_dump', '-h', $server->{folder}, '-U', 'postgres', '-Fc', '-f', $dump, 'crm'), 'pg_dump');
ok($server->run('pg_restore', '-h', $server->{folder}, '-U', 'postgres', '-e', '-d', 'restored', $dump), 'pg_restore');
my @restored = (database => 'restored');
right('what was restored', '1:23 2:13 3:3', @restored);
my $triggers = "SELECT string_agg(tgrelid::regclass || ' ' || tgname || ' ' || tgenabled::text, ', ' ORDER BY tgrelid::regclass::text, tgname) FROM pg_trigger WHERE tgname LIKE 'lead_scoring%' AND tgrelid IN ('contacts'::regclass, 'activities'::regclass)";
is(result($triggers, @restored), result($triggers, @crm), 'it has the same triggers');
my $depends = "SELECT count(*) FROM pg_depend d JOIN pg_trigger t ON t.oid = d.objid WHERE d.classid = 'pg_trigger'::regclass AND d.deptype = 'x'";
is(result($depends, @restored), result($depends, @crm), '... that go with the extension');
is(result("INSERT INTO activities (id, contact_id, type) VALUES (9, 3, 'mail')", @restored), '', 'a new event');
right('... is scored', '1:23 2:13 3:13', @restored);
is(result("SELECT lead_scoring.deactivate('s') IS NULL; $triggers", @restored), "f\n", 'deactivate() takes all of them away');
drop_database($_) for qw(copy restored);

# Partitions, that come and go
create_database('parts');
my @parts = (database => 'parts');
is(result(<<"SQL", @parts), '4', 'partitioned records and events');
CREATE EXTENSION lead_scoring;
CREATE TABLE contacts (id int PRIMARY KEY, state text) PARTITION BY RANGE (id);
CREATE TABLE contacts_1 PARTITION OF contacts FOR VALUES FROM (0) TO (10);
CREATE TABLE activities (type text, id int, contact_id int, at timestamptz NOT NULL DEFAULT now()) PARTITION BY LIST (type);
CREATE TABLE activities_mail PARTITION OF activities FOR VALUES IN ('mail');
INSERT INTO contacts SELECT g, 'east' FROM generate_series(1, 4) g;
$score
SQL
for (["INSERT INTO activities (id, contact_id, type) VALUES (1, 1, 'mail')", '1:10 2:0 3:0 4:0', 'a row by way of the table'],
	["INSERT INTO activities_mail (id, contact_id, type) VALUES (2, 2, 'mail')", '1:10 2:10 3:0 4:0', 'straight into a partition'],
	["CREATE TABLE activities_other PARTITION OF activities DEFAULT; INSERT INTO activities_other (id, contact_id, type) VALUES (3, 3, 'x')", '1:10 2:10 3:0 4:0', 'into a partition that came later'],
	["UPDATE activities SET type = 'x' WHERE id = 1", '1:0 2:10 3:0 4:0', 'a row that moves to another partition'],
	["UPDATE activities SET type = 'mail' WHERE id = 3", '1:0 2:10 3:10 4:0', '... or from one'],
	["CREATE TABLE late (at timestamptz NOT NULL DEFAULT now(), contact_id int, id int, type text); ALTER TABLE activities DETACH PARTITION activities_mail; ALTER TABLE activities_mail RENAME TO gone; ALTER TABLE activities ATTACH PARTITION late FOR VALUES IN ('mail'); SELECT lead_scoring.refresh('s', clock_timestamp()); INSERT INTO late (id, contact_id, type) VALUES (4, 4, 'mail'), (5, 4, 'mail')", '1:0 2:0 3:0 4:20', 'one that was attached, with its columns in another order'],
	["UPDATE late SET contact_id = 1 WHERE id = 5", '1:10 2:0 3:0 4:10', '... updated there'],
	["DELETE FROM late WHERE id = 4", '1:10 2:0 3:0 4:0', '... deleted there'],
	["INSERT INTO gone (id, contact_id, type) VALUES (6, 1, 'mail')", '1:10 2:0 3:0 4:0', 'into one that is a partition no more'],
	["TRUNCATE late", '1:0 2:0 3:0 4:0', 'TRUNCATE of a partition'],
	["CREATE TABLE contacts_2 PARTITION OF contacts FOR VALUES FROM (10) TO (20); INSERT INTO contacts_2 VALUES (10, 'west')", '1:0 2:0 3:0 4:0 10:3', 'a record straight into a new partition'],
	["UPDATE contacts SET id = 11, state = 'west' WHERE id = 1", '2:0 3:0 4:0 10:3 11:3', 'a record that moves to another partition'],
	["INSERT INTO activities (id, contact_id, type) VALUES (7, 11, 'mail')", '2:0 3:0 4:0 10:3 11:13', '... and has an event there'])
{
	my ($sql, $expected, $name) = @$_;
	unlike(result($sql, @parts), qr/^\w{5}: |^lost/, $name);
	right($name, $expected, @parts);
}

# Inheritance
create_database('heirs');
my @heirs = (database => 'heirs');
is(result("CREATE EXTENSION lead_scoring; ${tables}CREATE TABLE calls (minutes int) INHERITS (activities); INSERT INTO contacts SELECT g, 'east' FROM generate_series(1, 2) g; $score", @heirs), '2', 'a source with a child');
is(result("INSERT INTO calls (id, contact_id, type) VALUES (1, 1, 'mail'); INSERT INTO activities (id, contact_id, type) VALUES (2, 2, 'mail')", @heirs), '', 'rows of both');
right('both count', '1:10 2:10', @heirs);
is(result("UPDATE activities SET contact_id = 2 WHERE id = 1", @heirs), '', 'a row of the child by way of the parent');
right('... is followed', '1:0 2:20', @heirs);
is(result("TRUNCATE ONLY calls", @heirs), '', 'TRUNCATE of the child');
right('... is followed', '1:0 2:10', @heirs);

unlike($server->log, qr/PANIC|TRAP|terminated by signal/, 'no process crashed');
done_testing();
