#!/usr/bin/perl
# The rules of the house that a text search can check. Each check also has to find an offence that is
# planted for it, so that none can pass because its pattern is wrong.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Find qw(find);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use Test::More;

my $top = dirname(__FILE__) . '/../..';

# the text files below some folders of a tree, as path => text
sub texts
{
	my ($root, @folders) = @_;
	my %texts;
	my @starts = grep { -e } map { "$root/$_" } @folders;
	return () unless @starts;
	find(
		{
			no_chdir => 1,
			preprocess => sub { grep { !/^(?:\.git|build|results|output_iso)$/ } @_ },
			wanted => sub {
				return unless -f && -T _ && !/\.(?:o|d|so)$/;
				open my $in, '<', $_ or return;
				local $/;
				$texts{ s/^\Q$root\E\///r } = scalar <$in>;
			},
		},
		@starts);
	return %texts;
}

# "path:line: text" for each line of the texts that the pattern matches
sub matching_lines
{
	my ($pattern, %texts) = @_;
	my @found;
	for my $path (sort keys %texts)
	{
		my $number = 0;
		for my $line (split /\n/, $texts{$path})
		{
			$number++;
			push @found, "$path:$number: $line" if $line =~ $pattern;
		}
	}
	return @found;
}

# blank comments out, keeping the lines
sub without_sql_comments
{
	my ($text) = @_;
	$text =~ s/--.*$//mg;
	return $text;
}

sub server_in_core
{
	my ($root) = @_;
	return matching_lines(qr/postgres\.h|\bereport\b|\belog\b|\bpalloc|\bPG_TRY\b/, texts($root, 'src/core'));
}

sub catch_outside_guard
{
	my ($root) = @_;
	my %texts = texts($root, 'src/pg');
	delete $texts{'src/pg/guard.hpp'};
	return matching_lines(qr/\bcatch\s*\(/, %texts);
}

sub doubts
{
	my ($root) = @_;
	return matching_lines(qr/\b(?:TO[D]O|FIX[M]E|XX[X])\b/, texts($root, '.'));
}

sub adopting_statements
{
	my ($root) = @_;
	my %texts = texts($root, 'sql/install');
	$_ = without_sql_comments($_) for values %texts;
	return matching_lines(qr/\bOR\s+REPLACE\b|\bIF\s+NOT\s+EXISTS\b/i, %texts);
}

# functions in SQL or PL/pgSQL without a fixed search_path of which the first is pg_catalog and the last pg_temp
sub open_search_paths
{
	my ($root) = @_;
	my %texts = texts($root, 'sql/install');
	my @found;
	for my $path (sort keys %texts)
	{
		my $text = without_sql_comments($texts{$path});
		# A statement ends at the first semicolon outside of the bodies.
		while ($text =~ /\bCREATE\s+(?:FUNCTION|PROCEDURE)\s+([\w.@]+)((?:\$(\w*)\$.*?\$\3\$|'(?:[^']|'')*'|[^;])*)/gsi)
		{
			my ($name, $rest) = ($1, $2);
			$rest =~ s/\$(\w*)\$.*?\$\1\$/ /gs;
			next unless $rest =~ /\bLANGUAGE\s+'?(?:sql|plpgsql)\b/i || $rest !~ /\bLANGUAGE\b/i;
			push @found, "$path: $name"
				unless $rest =~ /\bSET\s+search_path\s*(?:TO|=)\s*'?pg_catalog\b[\w\s,]*\bpg_temp\b/i;
		}
	}
	return @found;
}

# symbols that the library shows to the whole server and that could meet those of another extension
sub foreign_symbols
{
	my ($library) = @_;
	my @found;
	for (`nm -D --defined-only '$library'`)
	{
		my (undef, $type, $name) = split;
		# Weak ones are instances of the standard library's templates.
		next if $type !~ /[A-Z]/ || $type =~ /[WV]/;
		push @found, $name unless $name =~ /^(?:pg_finfo_)?lead_scoring_|^Pg_magic_func$|^_PG_init$/;
	}
	return @found;
}

# functions that run when the library is loaded, which is where constructors of global objects are called
# A function that calls nothing is the compiler marking a constant as initialised.
sub loading_functions
{
	my ($library) = @_;
	my ($name, %found) = ('');
	for (`objdump -d --no-show-raw-insn '$library'`)
	{
		$name = $1 if /^[0-9a-f]+ <(.*)>:/;
		$found{$name} = 1 if $name =~ /^_GLOBAL__sub_I_/ && /\b(?:callq?|jmpq?|bl?)\s+\S+\s+<(?!_GLOBAL__sub_I_)/;
	}
	return sort keys %found;
}

sub check
{
	my ($name, $function, %offences) = @_;
	my @found = $function->($top);
	is(scalar @found, 0, $name) or diag(join "\n", @found);

	my $planted = tempdir(CLEANUP => 1);
	for my $path (sort keys %offences)
	{
		make_path(dirname("$planted/$path"));
		open my $out, '>', "$planted/$path" or die $!;
		print $out $offences{$path};
		close $out;
	}
	my $count = () = join('', values %offences) =~ /OFFENCE/g;
	@found = $function->($planted);
	is(scalar @found, $count, "... and it would be seen ($count)") or diag(join "\n", @found);
}

check('src/core has never heard of PostgreSQL', \&server_in_core,
	'src/core/bad.hpp' => "#include \"postgres.h\" // OFFENCE\n",
	'src/core/bad.cpp' => "ereport(ERROR); // OFFENCE\npalloc0(1); // OFFENCE\nPG_TRY(); // OFFENCE\nint i;\n",
	'src/pg/good.cpp' => "#include \"postgres.h\"\n");
check('only the guard catches', \&catch_outside_guard,
	'src/pg/bad.cpp' => "} catch (...) { // OFFENCE\n} catch(int) { // OFFENCE\nPG_CATCH();\n",
	'src/pg/guard.hpp' => "} catch (...) {\n");
check('no doubts are left in the tree', \&doubts,
	'src/core/bad.cpp' => join('', map { "// $_ OFFENCE\n" } 'TO' . 'DO', 'FIX' . 'ME:', 'XX' . 'X'),
	'README.md' => "XX000\n");
check('the install script adopts nothing that is there before', \&adopting_statements,
	'sql/install/10_bad.sql' => "CREATE OR REPLACE FUNCTION -- OFFENCE\ncreate table if not exists -- OFFENCE\n",
	'sql/install/20_good.sql' => "-- never OR REPLACE\nCREATE TABLE t ();\n",
	'sql/updates/good.sql' => "CREATE OR REPLACE FUNCTION\n");
check('every function in SQL or PL/pgSQL has a fixed search_path', \&open_search_paths,
	'sql/install/10_bad.sql' => <<'SQL');
CREATE FUNCTION a() RETURNS text LANGUAGE sql AS $$ SELECT 'SET search_path TO pg_catalog, pg_temp;' $$; -- OFFENCE
CREATE FUNCTION b() RETURNS void LANGUAGE plpgsql SET search_path TO pg_catalog, public AS $body$ BEGIN; END $body$; -- OFFENCE
CREATE PROCEDURE @extschema@.c() AS $$ BEGIN END $$ LANGUAGE plpgsql; -- OFFENCE
CREATE FUNCTION d() RETURNS int LANGUAGE c AS 'MODULE_PATHNAME', 'd';
CREATE FUNCTION e() RETURNS int LANGUAGE sql
  SET search_path TO pg_catalog, pg_temp -- the usual one
  AS $$ SELECT 1; $$;
CREATE FUNCTION f(x text DEFAULT ';') RETURNS int LANGUAGE plpgsql AS $$ BEGIN; END $$ SET search_path = pg_catalog, pg_temp;
SQL

SKIP:
{
	my ($library) = defined $ENV{LS_TMP} ? `find "$ENV{LS_TMP}/root" -name lead_scoring.so -type f` : ();
	skip('no library was built', 4) unless $library;
	chomp $library;
	is(join(' ', foreign_symbols($library)), '', 'the library exports nothing but its own names');
	is(join(' ', loading_functions($library)), '', 'the library has no global objects with constructors');

	my $planted = tempdir(CLEANUP => 1);
	open my $out, '>', "$planted/bad.cpp" or die $!;
	print $out "#include <string>\nstatic std::string global(100, 'x');\nextern \"C\" const char *\n",
		"stranger()\n{\n\treturn global.data();\n}\n";
	close $out;
	my $compiler = $ENV{CXX} || 'g++';
	system("$compiler -O2 -shared -fPIC -o '$planted/bad.so' '$planted/bad.cpp'") == 0 or die 'does not compile';
	is(join(' ', foreign_symbols("$planted/bad.so")), 'stranger', '... and a stranger would be seen');
	like(join(' ', loading_functions("$planted/bad.so")), qr/bad\.cpp/, '... and a constructor would be seen');
}

done_testing();
