#!/usr/bin/perl
# History, changes and alerts through pg_dump and pg_restore: the months of the history are plain tables that hang on a
# table of the extension.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use Test::More;
use lib dirname(__FILE__) . '/lib';
use Psql;

my $original = "lead_scoring_history_$$";
my $copy = "lead_scoring_history_copy_$$";
my $folder = tempdir(CLEANUP => 1);

END
{
	my $status = $?;
	drop_database($_) for grep { defined } $copy, $original;
	$? = $status;
}

note_server();
create_database($original);
is(result(<<'SQL', database => $original), '', 'history in months, changes, alerts and their states');
CREATE EXTENSION lead_scoring;
CREATE TABLE public.contacts (id int PRIMARY KEY, worth int);
INSERT INTO public.contacts SELECT i, 0 FROM generate_series(1, 20) i;
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('contact', 'public.contacts', 'id');
INSERT INTO lead_scoring.score (name, record_type, kind, history) VALUES ('s', 'contact', 'fit', 'explained');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('s', 'g', 'fit');
INSERT INTO lead_scoring.rule (score, group_name, name, value, counting, points) VALUES ('s', 'g', 'r', 'worth', 'each', 1);
INSERT INTO lead_scoring.band (score, label, lower_bound, margin, dwell) VALUES ('s', 'A', 10, 3, '1 day'), ('s', 'B', NULL, NULL, NULL);
INSERT INTO lead_scoring.alert (score, name, above, margin) VALUES ('s', 'above', 15, 1);
DO $$ BEGIN
  PERFORM lead_scoring.activate('s');
  -- For the instants of the changes to be ours
  DELETE FROM lead_scoring.history;
  ALTER TABLE public.contacts DISABLE TRIGGER USER;
  FOR month IN 0 .. 5 LOOP
    UPDATE public.contacts SET worth = worth + id % 4 + 1;
    PERFORM lead_scoring.refresh('s', timestamptz '2026-01-20 UTC' + month * interval '15 days');
    IF month = 3 THEN
      PERFORM lead_scoring.maintain_history('2026-02-10 UTC');
    END IF;
  END LOOP;
  PERFORM lead_scoring.take_changes('s', 3);
END $$;
SQL

my $months = 'SELECT tableoid::regclass::text, count(*), count(explanation) FROM lead_scoring.history GROUP BY 1 ORDER BY 1';
my $rows = join ' UNION ALL ', map { "SELECT '$_ ' || to_jsonb(t)::text FROM lead_scoring.$_ t" } qw(history outbox announced alerted alert band score);
my @questions = ($months, "SELECT md5(string_agg(x, ' ' ORDER BY x COLLATE \"C\")) FROM ($rows) y (x)", 'SELECT to_jsonb(h) FROM lead_scoring.score_history h ORDER BY history_id');
my @expected = map { result("SET search_path = ''; $_", database => $original) } @questions;
is($expected[0], "lead_scoring.history_2026_02|40|40\nlead_scoring.history_2026_03|40|40\nlead_scoring.history_default|40|40", 'two months, and what is outside of them');
for my $table (qw(outbox announced alerted))
{
	like(result("SELECT count(*) FROM lead_scoring.$table", database => $original), qr/^[1-9]/, "$table has rows to be lost");
}

sub runs
{
	my ($name, @words) = @_;
	my ($status, undef, $errors) = command('', @words);
	ok($status == 0 && $errors eq '', $name) or diag($errors);
	return;
}

sub check_copy
{
	my ($way) = @_;
	my @in = (database => $copy);
	my @names = ('the months of the history', 'every row', 'what users read');
	is(result("SET search_path = ''; $questions[$_]", @in), $expected[$_], "$way: $names[$_]") for 0 .. $#questions;
	is(result("SELECT count(*) FROM pg_index WHERE indrelid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'lead_scoring.history'::regclass) AND indisprimary AND indisvalid", @in), '3', "$way: each month has its key");
	is(result("UPDATE public.contacts SET worth = 100 WHERE id < 3; SELECT lead_scoring.refresh('s', d) FROM unnest('{2026-02-28 UTC}'::timestamptz[]) d; SELECT tableoid::regclass, count(*) FROM lead_scoring.history WHERE total = 100 GROUP BY 1", @in),
		"20\nlead_scoring.history_2026_02|2" =~ s/^20/2/r, "$way: changes go into their month");
	is(result("SELECT count(*) = count(DISTINCT history_id) FROM lead_scoring.history", @in), 't', "$way: numbers go on");
	is(result("SELECT count(*) = count(DISTINCT change_id) FROM lead_scoring.outbox", @in), 't', "$way: those of changes too");
	is(result("SELECT lead_scoring.maintain_history('2026-03-10 UTC'); SELECT string_agg(partition, ' ' ORDER BY partition) FROM lead_scoring.history_partitions()", @in), "\nhistory_2026_02 history_2026_03 history_2026_04", "$way: a month is added");
	is(result("UPDATE lead_scoring.score SET keep_history = '20 days'; SELECT lead_scoring.maintain_history('2026-03-30 UTC'); SELECT string_agg(partition, ' ' ORDER BY partition) FROM lead_scoring.history_partitions()", @in), "\nhistory_2026_03 history_2026_04", "$way: and one is dropped");
	is(result("DROP EXTENSION lead_scoring CASCADE; SELECT count(*) FROM pg_class WHERE relname LIKE 'history%'; SELECT count(*) FROM pg_namespace WHERE nspname = 'lead_scoring'", @in), "0\n0", "$way: DROP EXTENSION takes all of it");
	drop_database($copy);
	return;
}

my @restore = ('pg_restore', '--exit-on-error', '-d', $copy);
runs('pg_dump, plain', 'pg_dump', '-f', "$folder/plain.sql", $original);
runs('pg_dump, custom', 'pg_dump', '-Fc', '-f', "$folder/custom.dump", $original);
runs('pg_dump, by the root', 'pg_dump', '-Fc', '--load-via-partition-root', '-f', "$folder/root.dump", $original);

create_database($copy);
runs('plain: restored', 'psql', '-X', '-q', '-o', '/dev/null', '-v', 'ON_ERROR_STOP=1', '-d', $copy, '-f', "$folder/plain.sql");
check_copy('plain');
create_database($copy);
runs('two jobs: restored', @restore, '-j', '2', "$folder/custom.dump");
check_copy('two jobs');
create_database($copy);
runs("by the root, $_: restored", @restore, "--section=$_", "$folder/root.dump") for qw(pre-data data post-data);
check_copy('by the root, in sections');
create_database($copy);
runs('restored to be dumped again', @restore, "$folder/custom.dump");
runs('dumped again', 'pg_dump', '-Fc', '-f', "$folder/again.dump", $copy);
drop_database($copy);
create_database($copy);
runs('dumped again: restored', @restore, "$folder/again.dump");
check_copy('dumped again');

# While others write
create_database($copy);
runs('once more: restored', @restore, "$folder/custom.dump");
my @in = (database => $copy);
is(result("UPDATE public.contacts SET worth = 7; SELECT lead_scoring.refresh('s', '2026-05-05 UTC')", @in), '20', 'changes of a month to come');
my $writer = fork // die;
if ($writer == 0)
{
	my $status = (psql("BEGIN; UPDATE public.contacts SET worth = 8 WHERE id = 1; SELECT lead_scoring.refresh('s', '2026-05-06 UTC', '{1}'); SELECT pg_sleep(6); COMMIT", @in))[0];
	require POSIX;
	POSIX::_exit($status == 0 ? 0 : 1);
}
sleep 2;
my (undef, undef, $warning) = psql("SELECT lead_scoring.maintain_history('2026-05-10 UTC')", @in);
like($warning, qr/WARNING:  01000: history of 2026-05 has no partition yet: canceling statement due to lock timeout/, 'a writer who takes long is not waited for');
waitpid $writer, 0;
is($?, 0, 'he can commit');
is(result("SELECT lead_scoring.maintain_history('2026-05-10 UTC'); SELECT tableoid::regclass, count(*) FROM lead_scoring.history WHERE changed_at >= '2026-05-01 UTC' GROUP BY 1", @in), "\nlead_scoring.history_2026_05|21", 'the next call makes the month and moves its changes there');

server_survived();
done_testing();
