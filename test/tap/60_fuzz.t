#!/usr/bin/perl
# Input that nobody would write: the fuzz targets over the core, for some seconds each, by libFuzzer
# where there is clang and blindly where not (or with BLIND=1); and every
# prefix and changed byte of good binary values, received by the server.
use strict;
use warnings;
use File::Basename qw(basename dirname);
use File::Temp qw(tempdir);
use Test::More;
use lib dirname(__FILE__) . '/lib';
use Psql;

my $top = dirname(__FILE__) . '/../..';
my $seconds = 5;
my $folder = tempdir(CLEANUP => 1);
my $database = "lead_scoring_fuzz_$$";

END
{
	my $status = $?;
	drop_database($database) if defined $database;
	$? = $status;
}

# the sources of the core that a source is made of: those of the headers that it includes
sub core_sources
{
	my ($source) = @_;
	my (%seen, @sources);
	my @left = ($source);
	while (defined(my $file = shift @left))
	{
		next if $seen{$file}++ || !-e $file;
		push @sources, $file if $file =~ /\.cpp$/ && $file ne $source;
		open my $in, '<', $file or die "$file: $!";
		push @left, map { ("$top/src/core/$_.hpp", "$top/src/core/$_.cpp") } map { m{^#include "core/(\w+)\.hpp"} ? $1 : () } <$in>;
	}
	return sort @sources;
}

# compile sources to objects, as many at a time as there are processors; returns the errors
sub compile
{
	my ($compiler, $options, %objects) = @_;
	my $makefile = "$folder/Makefile";
	open my $out, '>', $makefile or die "$makefile: $!";
	print $out "all: @{[sort values %objects]}\n";
	print $out "$objects{$_}: $_\n\t\@$compiler $options -c \$< -o \$\@\n" for sort keys %objects;
	close $out;
	my ($status, $output, $errors) = command('', 'make', '-s', '--no-print-directory', '-j', qx(nproc) =~ s/\s//gr, '-f', $makefile, 'all');
	return $status == 0 ? '' : "$output$errors";
}

my @targets = sort glob "$top/test/fuzz/*_fuzz.cpp";
cmp_ok(scalar @targets, '>=', 4, 'there are fuzz targets');
SKIP:
{
	local @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES)};
	delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES)};
	my $sanitizers = '-fsanitize=address,undefined,float-cast-overflow';
	my $options = "-std=c++20 -O1 -g -fno-omit-frame-pointer -fno-strict-aliasing -fwrapv -DFMT_HEADER_ONLY -I$top/src -isystem /usr/include/eigen3 -isystem /usr/local/include/eigen3 $sanitizers -fno-sanitize-recover=all";
	my $empty = 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char *, unsigned long) { return 0; }';
	my $compiler;
	for my $name ('clang++', map { "clang++-$_" } reverse 13 .. 22)
	{
		next unless grep { -x "$_/$name" } split /:/, $ENV{PATH};
		my ($status) = command($empty, $name, '-x', 'c++', '-', '-fsanitize=fuzzer,address', '-o', "$folder/probe");
		next if $status != 0;
		$compiler = $name;
		last;
	}
	# Without libFuzzer, changes are made blindly: better than none
	my $blind = !defined $compiler || $ENV{BLIND};
	$compiler = 'g++' if $blind;
	my $driver = "$top/test/fuzz/blind.cpp";
	my %objects = map { $_ => "$folder/" . basename($_, '.cpp') . '.o' } @targets, ($blind ? $driver : ()), map { core_sources($_) } @targets;
	is(compile($compiler, $blind ? $options : "$options -fsanitize=fuzzer-no-link", %objects), '', 'the fuzz targets compile');
	for my $target (@targets)
	{
		my $name = basename($target, '_fuzz.cpp');
		my @linked = map { $objects{$_} } $target, ($blind ? $driver : ()), core_sources($target);
		my ($status, undef, $errors) = command('', $compiler, split(/ /, $sanitizers), ($blind ? () : '-fsanitize=fuzzer'), @linked, '-o', "$folder/$name");
		is($status, 0, "$name: links") or diag($errors);
		my @corpus = glob "$top/test/fuzz/corpus/$name/*";
		cmp_ok(scalar @corpus, '>', 5, "$name: has a corpus");
		mkdir "$folder/found_$name" or die $!;
		local $ENV{UBSAN_OPTIONS} = 'print_stacktrace=1';
		my @run = $blind ? ("$folder/$name", $seconds, @corpus) : ("$folder/$name", "-max_total_time=$seconds", '-timeout=10', '-rss_limit_mb=2048', '-max_len=4096', "-artifact_prefix=$folder/", "$folder/found_$name", "$top/test/fuzz/corpus/$name");
		($status, undef, $errors) = command('', @run);
		my ($runs) = $errors =~ /^Done (\d+) runs/m;
		ok($status == 0 && defined $runs, "$name: holds for whatever comes in $seconds seconds") or diag(substr $errors, -4000);
		note("$runs runs") if defined $runs;
	}
}

# The same through the server. Each value is changed in all its bytes, one at a time, to some others; what is then still a
# value must be one that can be used, sent and read back.
note_server();
create_database($database);
my @in = (database => $database);
is(result(<<'SQL', @in), '', 'the extension');
CREATE EXTENSION lead_scoring;
CREATE TABLE good (kind text, form text, primary key (kind, form));
INSERT INTO good VALUES
  ('decay', '50% per month'), ('decay', '20% per 72 hours exponential after 3 days'), ('decay', 'half-life 7 days'), ('decay', '12.5% per 1 year stepwise'),
  ('decaying_total', 'v1;604800000000;1.5;3;820454400000000;1'), ('decaying_total', 'v1;1000;0;0;-9223372036854775808;0'), ('decaying_total', 'v1;920000000000000000;-1.9999999999999998;-7;-820454400000000;9223372036854775807'),
  ('tier_sample', 'v1;4;0;0;3;1 2.5 -3e+100 ;'), ('tier_sample', 'v1;4;40;1;7;5 4 3 ;1 2 ;'), ('tier_sample', 'v1;1;0;0;0;;');
CREATE TABLE received_decay (v lead_scoring.decay);
CREATE TABLE received_decaying_total (v lead_scoring.decaying_total);
CREATE TABLE received_tier_sample (v lead_scoring.tier_sample);
-- A file for COPY BINARY of one row with one field
CREATE FUNCTION write_file(bytes bytea, file text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  object oid := lo_from_bytea(0, '\x5047434f50590aff0d0a0000000000000000000001'::bytea || int4send(octet_length(bytes)) || bytes || '\xffff'::bytea);
BEGIN
  PERFORM lo_export(object, file);
  PERFORM lo_unlink(object);
END
$$;
-- What becomes of bytes: refused with some SQLSTATE, or a value that holds
CREATE FUNCTION receive(kind text, bytes bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  file text := current_setting('data_directory') || '/lead_scoring_fuzz.bin';
  receiving boolean := true;
  same boolean;
  used text;
BEGIN
  PERFORM write_file(bytes, file);
  EXECUTE format('DELETE FROM received_%s', kind);
  EXECUTE format('COPY received_%s FROM %L (FORMAT binary)', kind, file);
  receiving := false;
  EXECUTE format('SELECT lead_scoring.%1$s_send(v) = %2$L AND lead_scoring.%1$s_send(v::text::lead_scoring.%1$s) = %2$L FROM received_%1$s', kind, bytes) INTO same;
  IF same IS NOT TRUE THEN
    RETURN 'is sent otherwise';
  END IF;
  EXECUTE CASE kind
    WHEN 'decay' THEN 'SELECT lead_scoring.decayed(10, ''2026-01-01'', v, ''2026-02-01'') BETWEEN 0 AND 10 FROM received_decay'
    WHEN 'decaying_total' THEN 'SELECT abs(lead_scoring.value_at(v, ''2026-01-01'')) < ''inf'' AND v OPERATOR(lead_scoring.=) v AND lead_scoring.half_life(v) > ''0'' AND lead_scoring.event_count(v) >= 0 AND coalesce(isfinite(lead_scoring.newest_event(v)), true) FROM received_decaying_total'
    ELSE 'SELECT coalesce(cardinality(lead_scoring.tier_cutoffs_final(v)), 0) >= 0 FROM received_tier_sample' END INTO same;
  RETURN CASE WHEN same THEN 'a value' ELSE 'a value that does not hold' END;
EXCEPTION WHEN OTHERS THEN
  RETURN CASE WHEN NOT receiving THEN 'received, then ' || SQLSTATE || ' ' || SQLERRM
              WHEN SQLSTATE ~ '^(22P0[23]|22P03|22023|22003|08P01|54000)$' THEN 'refused'
              ELSE 'refused with ' || SQLSTATE || ' ' || SQLERRM END;
END
$$;
CREATE FUNCTION sent(kind text, form text) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
  bytes bytea;
BEGIN
  EXECUTE format('SELECT lead_scoring.%1$s_send(%2$L::lead_scoring.%1$s)', kind, form) INTO bytes;
  RETURN bytes;
END
$$;
SQL
is(result("SELECT string_agg(DISTINCT receive(kind, sent(kind, form)), '; ') FROM good", @in), 'a value', 'good values are received');
is(result("SELECT string_agg(DISTINCT format('%s at %s of %s: %s', kind, i, form, r), E'\\n') FROM good, LATERAL (SELECT sent(kind, form) AS b) s, generate_series(0, octet_length(b) - 1) i, LATERAL (SELECT receive(kind, substr(b, 1, i)) AS r OFFSET 0) x WHERE r <> 'refused'", @in),
	'', 'every prefix is refused');
is(result("SELECT string_agg(DISTINCT receive(kind, sent(kind, form) || tail), '; ') FROM good, unnest(ARRAY['\\x00', '\\xff', '\\x0000000000000000']::bytea[]) tail", @in), 'refused', 'anything behind the value is refused');
for my $kind (qw(decay decaying_total tier_sample))
{
	my $sql = "SELECT format('%s of %s: byte %s as %s: %s', kind, form, i, v, r) FROM good, LATERAL (SELECT sent(kind, form) AS b) s, generate_series(0, octet_length(b) - 1) i, unnest(ARRAY[0, 1, 2, 63, 64, 127, 128, 191, 192, 240, 254, 255]) v, LATERAL (SELECT receive(kind, set_byte(b, i, v)) AS r OFFSET 0) x WHERE kind = '$kind' AND r NOT IN ('refused', 'a value')";
	is(result("SELECT count(*), min(f) FROM ($sql) o (f)", @in), '0|', "$kind: any byte changed makes a value or is refused");
}
is(result("SELECT count(*) > 0 FROM good, LATERAL (SELECT sent(kind, form) AS b) s, generate_series(0, octet_length(b) - 1) i, LATERAL (SELECT receive(kind, set_byte(b, i, 1)) AS r OFFSET 0) x WHERE r = 'a value'", @in), 't', '... values among them');

# Texts, cut off anywhere and with each sign changed
is(result(<<'SQL', @in), '', 'text that is changed is a value or refused');
DO $$
DECLARE
  g record;
  i int;
  c text;
  given text;
  back text;
BEGIN
  FOR g IN SELECT * FROM good LOOP
    FOR i IN 1 .. length(g.form) LOOP
      FOREACH c IN ARRAY ARRAY['', '0', '9', '-', ';', ' ', '.', 'e', 'n', 'ä', E'\x01'] LOOP
        FOREACH given IN ARRAY ARRAY[left(g.form, i - 1) || c, overlay(g.form PLACING c FROM i FOR 1), left(g.form, i) || c || substr(g.form, i + 1)] LOOP
          BEGIN
            EXECUTE format('SELECT (%1$L::lead_scoring.%2$s)::text', given, g.kind) INTO back;
          EXCEPTION WHEN invalid_text_representation OR invalid_parameter_value OR numeric_value_out_of_range THEN
            CONTINUE;
          END;
          EXECUTE format('SELECT (%1$L::lead_scoring.%2$s)::text', back, g.kind) INTO STRICT c;
          IF c <> back THEN
            RAISE 'of % come % and then %', given, back, c;
          END IF;
        END LOOP;
      END LOOP;
    END LOOP;
  END LOOP;
END
$$;
SQL
drop_database($database);
server_survived();
done_testing();
