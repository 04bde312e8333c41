#!/usr/bin/perl
# Tables with columns of decaying totals, indexed, through pg_dump and pg_restore: the same values, and the same order.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use Test::More;
use lib dirname(__FILE__) . '/lib';
use Psql;

my $original = "lead_scoring_total_$$";
my $copy = "lead_scoring_total_copy_$$";
my $folder = tempdir(CLEANUP => 1);

END
{
	my $status = $?;
	drop_database($_) for grep { defined } $copy, $original;
	$? = $status;
}

note_server();
create_database($original);
is(result(<<'SQL', database => $original), '', 'a table of totals');
CREATE EXTENSION lead_scoring;
CREATE TABLE lead (id int PRIMARY KEY, total lead_scoring.decaying_total, fades lead_scoring.decay, sample lead_scoring.tier_sample);
INSERT INTO lead SELECT i, lead_scoring.decaying_total(e * 3 - i % 40, '2026-01-01'::timestamptz - interval '1 hour' * (i * e % 5000), '7 days'), '50% per month after 3 days', 'v1;4;0;0;1;5 ;' FROM generate_series(1, 5000) i, generate_series(1, 6) e GROUP BY i;
INSERT INTO lead VALUES (-1, NULL), (-2, 'v1;604800000000;0;0;-9223372036854775808;0');
INSERT INTO lead SELECT -3 - row_number() OVER (), lead_scoring.decaying_total(1, t, h) FROM unnest('{4713-01-01 BC,2026-01-01,200000-01-01,294276-12-31}'::timestamptz[]) t, unnest('{1 second,7 days,20000 years}'::interval[]) h GROUP BY t, h;
CREATE INDEX lead_total ON lead (total);
CREATE MATERIALIZED VIEW best AS SELECT id, total FROM lead WHERE lead_scoring.half_life(total) = '7 days' ORDER BY total DESC LIMIT 100;
ANALYZE lead;
SQL
my $rows = "SELECT md5(string_agg(l::text || coalesce(encode(lead_scoring.decaying_total_send(total), 'hex'), ''), ',' ORDER BY id)), count(*) FROM lead l";
my $order = 'SET enable_seqscan = off; SET enable_sort = off; SELECT md5(string_agg(total::text, \',\')) FROM (SELECT total FROM lead ORDER BY total DESC LIMIT 3000) x';
my %expected = map { $_ => result($_, database => $original) } $rows, $order;
like($expected{$rows}, qr/^\w{32}\|5014$/, 'with all its rows');

# the values, the index, the order
sub check_copy
{
	my ($way) = @_;
	my @in = (database => $copy);
	is(result($rows, @in), $expected{$rows}, "$way: the same values");
	is(result('ANALYZE lead; SELECT count(*) FROM lead WHERE total IS NOT NULL', @in), '5013', "$way: all of them");
	like(result("SET enable_seqscan = off; EXPLAIN (COSTS OFF) SELECT total FROM lead ORDER BY total DESC LIMIT 10", @in), qr/Index (?:Only )?Scan Backward using lead_total/, "$way: the index gives the order");
	is(result($order, @in), $expected{$order}, "$way: the same one");
	is(result("SELECT count(*) FROM (SELECT v, lag(v) OVER (ORDER BY n) AS p FROM (SELECT row_number() OVER () AS n, lead_scoring.value_at(total, '2026-03-01') AS v FROM (SELECT total FROM lead WHERE total OPERATOR(lead_scoring.>) 'v1;604799999999;0;0;-9223372036854775808;0' AND total OPERATOR(lead_scoring.<) 'v1;604800000001;0;0;-9223372036854775808;0' AND id > 0 ORDER BY total DESC) a) b) c WHERE v > p", @in), '0', "$way: which is that of the values");
	is(result('REFRESH MATERIALIZED VIEW best; SELECT count(*) FROM best', @in), '100', "$way: a view of the best");
	is(result("SELECT count(*) FROM lead WHERE NOT total OPERATOR(lead_scoring.=) total OR lead_scoring.event_count(total + total) <> 2 * lead_scoring.event_count(total)", @in, options => '-c search_path=lead_scoring,public'), '0', "$way: they can be added");
	is(result('CREATE EXTENSION IF NOT EXISTS amcheck; SELECT bt_index_parent_check(\'lead_total\', true)', @in), '', "$way: the index is sound") if result("SELECT count(*) FROM pg_available_extensions WHERE name = 'amcheck'") eq '1';
	return;
}

for my $way (['plain', '-Fp'], ['custom', '-Fc'], ['inserts', '-Fp', '--column-inserts'])
{
	my ($name, @options) = @$way;
	my ($status, undef, $errors) = command('', 'pg_dump', @options, '-f', "$folder/$name", $original);
	ok($status == 0 && $errors eq '', "$name: dumped") or diag($errors);
	create_database($copy);
	my @restore = $options[0] eq '-Fc' ? ('pg_restore', '--exit-on-error', '-j', '2', '-d', $copy, "$folder/$name") : ('psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-d', $copy, '-f', "$folder/$name");
	($status, undef, $errors) = command('', @restore);
	ok($status == 0 && $errors eq '', "$name: restored") or diag($errors);
	check_copy($name);
	drop_database($copy);
}

# COPY BINARY from one to the other
create_database($copy);
is(result("CREATE EXTENSION lead_scoring; CREATE TABLE lead (id int PRIMARY KEY, total lead_scoring.decaying_total, fades lead_scoring.decay, sample lead_scoring.tier_sample); CREATE INDEX lead_total ON lead (total); CREATE MATERIALIZED VIEW best AS SELECT id, total FROM lead ORDER BY total DESC LIMIT 100", database => $copy), '', 'binary: a table');
is(result("\\copy lead TO '$folder/binary' (FORMAT binary)", database => $original), '', 'binary: written');
is(result("\\copy lead FROM '$folder/binary' (FORMAT binary)", database => $copy), '', 'binary: read');
check_copy('binary');

server_survived();
done_testing();
