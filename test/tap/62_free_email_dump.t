#!/usr/bin/perl
# The two lists of free e-mail domains through pg_dump and pg_restore: what this database says is kept, what is shipped
# comes with the version of the extension that is there.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use Test::More;
use lib dirname(__FILE__) . '/lib';
use Psql;

my $original = "lead_scoring_free_$$";
my $copy = "lead_scoring_free_copy_$$";
my $reader = "ls_free_reader_$$";
my $folder = tempdir(CLEANUP => 1);

END
{
	my $status = $?;
	drop_database($_) for grep { defined } $copy, $original;
	psql("DROP ROLE IF EXISTS $reader") if defined $reader;
	$? = $status;
}

note_server();
create_database($original);
is(result(<<"SQL", database => $original), '', 'a list of our own');
CREATE EXTENSION lead_scoring;
CREATE ROLE $reader;
GRANT INSERT ON lead_scoring.free_email_domain TO $reader;
INSERT INTO lead_scoring.free_email_domain (domain) VALUES ('campus.example'), ('gmx.net');
INSERT INTO lead_scoring.free_email_domain (domain, is_free) VALUES ('gmail.com', false);
SQL
my $list = 'SELECT string_agg(domain || is_free::text, \' \' ORDER BY domain) FROM lead_scoring.free_email_domain';
my $shipped = 'SELECT count(*) FROM lead_scoring.shipped_free_email_domain';
my $asked = "SELECT lead_scoring.is_free_email('a\@campus.example'), lead_scoring.is_free_email('a\@gmail.com'), lead_scoring.is_free_email('a\@gmx.net'), lead_scoring.is_free_email('a\@web.de')";
my $expected = 'campus.exampletrue gmail.comfalse gmx.nettrue';
my $number = result($shipped, database => $original);

sub check_copy
{
	my ($way) = @_;
	my @in = (database => $copy);
	is(result($list, @in), $expected, "$way: the list");
	is(result($shipped, @in), $number, "$way: what is shipped, once");
	is(result($asked, @in), 't|f|t|t', "$way: the answers");
	is(result("SELECT has_table_privilege('$reader', 'lead_scoring.free_email_domain', 'INSERT'), has_table_privilege('$reader', 'lead_scoring.free_email_domain', 'DELETE'), has_table_privilege('$reader', 'lead_scoring.shipped_free_email_domain', 'SELECT')", @in), 't|f|t', "$way: the rights");
	return;
}

sub runs
{
	my ($name, @command) = @_;
	my ($status, undef, $errors) = command('', @command);
	ok($status == 0 && $errors eq '', $name) or diag($errors);
	return;
}

for my $way (['plain', '-Fp'], ['custom', '-Fc'], ['inserts', '-Fp', '--column-inserts'])
{
	my ($name, @options) = @$way;
	runs("$name: dumped", 'pg_dump', @options, '-f', "$folder/$name", $original);
	create_database($copy);
	runs("$name: restored", $options[0] eq '-Fc' ? ('pg_restore', '--exit-on-error', '-j', '2', '-d', $copy, "$folder/$name") : ('psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-d', $copy, '-f', "$folder/$name"));
	check_copy($name);
	drop_database($copy);
}

create_database($copy);
runs('triggers off: the schema', 'pg_restore', '--exit-on-error', '--schema-only', '-d', $copy, "$folder/custom");
runs('triggers off: the data', 'pg_restore', '--exit-on-error', '--data-only', '--disable-triggers', '-d', $copy, "$folder/custom");
check_copy('triggers off');

# A version whose shipped list meets what this database says, and another that has less: as an update script does it
is(result("INSERT INTO lead_scoring.shipped_free_email_domain VALUES ('campus.example'); DELETE FROM lead_scoring.shipped_free_email_domain WHERE domain IN ('gmx.net', 'web.de')", database => $copy), '', 'another shipped list');
is(result($asked, database => $copy), 't|f|t|f', '... changes no word of this database');
runs('another shipped list: dumped', 'pg_dump', '-f', "$folder/again", $copy);
drop_database($copy);
create_database($copy);
runs('another shipped list: restored', 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-d', $copy, '-f', "$folder/again");
check_copy('another shipped list');

# In a session that has asked before
is(result("SELECT lead_scoring.is_free_email('a\@gmx.net');\nBEGIN; DROP EXTENSION lead_scoring; CREATE EXTENSION lead_scoring; COMMIT;\n$asked", database => $copy), "t\nf|t|t|t", 'dropped and made again');
is(result("SELECT count(lead_scoring.is_free_email('a\@gmx.net')) FROM generate_series(1, 100);\nBEGIN; DROP EXTENSION lead_scoring; CREATE EXTENSION lead_scoring; COMMIT;\nSELECT count(lead_scoring.is_free_email('a\@gmx.net')) FROM generate_series(1, 100)", database => $copy), "100\n100", '... after the list was read');

# Two sessions: a statement sees what was there when its transaction, or it itself, began
my ($status, $out, $errors) = psql(<<"SQL", database => $copy);
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT lead_scoring.is_free_email('a\@late.example');
\\! psql -Xqc "INSERT INTO lead_scoring.free_email_domain VALUES ('late.example')" -d $copy
SELECT string_agg(lead_scoring.is_free_email('a\@late.example')::text, ' ') FROM generate_series(1, 20);
COMMIT;
SELECT lead_scoring.is_free_email('a\@late.example');
SQL
is($out =~ s/\n$//r, "f\n" . join(' ', ('false') x 20) . "\nt", 'what another session commits') or diag($errors);

server_survived();
done_testing();
