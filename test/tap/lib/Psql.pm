# What the tests in Perl share: statements through psql, what became of them, and whether the server survived it all.
package Psql;
use strict;
use warnings;
use Exporter qw(import);
use IPC::Open3 qw(open3);
use Test::More;

our @EXPORT = qw(command psql result states note_server server_survived create_database drop_database);

my $psql = 'psql -X -q -A -t';
my (%server, %log);

# run a program with an input; returns its status, its output and its errors
sub command
{
	my ($input, @words) = @_;
	# Files for input and errors: with three pipes each side could wait for the other
	open my $in, '+>', undef or die $!;
	print $in $input;
	seek $in, 0, 0;
	open my $err, '+>', undef or die $!;
	my $pid = open3('<&' . fileno $in, my $out, '>&' . fileno $err, @words);
	local $/;
	my $output = <$out>;
	waitpid $pid, 0;
	my $status = $?;
	seek $err, 0, 0;
	return ($status, $output // '', scalar <$err> // '');
}

# run statements in one session that ends at the first error; options: database, user, options (PGOPTIONS)
sub psql
{
	my ($sql, %with) = @_;
	local $ENV{PGOPTIONS} = '-c client_min_messages=warning -c timezone=UTC ' . ($with{options} // '');
	local $ENV{PGUSER} = $with{user} // $ENV{PGUSER};
	local $ENV{PGDATABASE} = $with{database} // $ENV{PGDATABASE};
	return command($sql, split(/ /, $psql), '-v', 'VERBOSITY=verbose', '-v', 'ON_ERROR_STOP=' . ($with{go_on} ? 0 : 1));
}

# what statements print, or "SQLSTATE: message" of the first error, or "lost: ..." if the session ended
sub result
{
	my ($sql, %with) = @_;
	my ($status, $output, $errors) = psql($sql, %with);
	if ($status != 0)
	{
		return "$1: $2" if $errors =~ /^(?:psql:\S+ )?(?:ERROR|FATAL):  (\w{5}): (.*)/m;
		return "lost: $errors";
	}
	chomp $output;
	return $output;
}

# the SQLSTATE of each of some statements, each in a transaction of its own that is rolled back, in one session
sub states
{
	my ($statements, %with) = @_;
	my $script = join "\n", $with{first} // '', map { "BEGIN;\n$_;\n\\echo state :SQLSTATE\nROLLBACK;" } @$statements;
	my (undef, $output, $errors) = psql($script, %with, go_on => 1);
	my @states = $output =~ /^state (\w+)$/mg;
	diag($errors) if @states != @$statements;
	return @states;
}

sub create_database
{
	my ($database) = @_;
	my ($status, undef, $errors) = command('', 'createdb', '-T', 'template0', '-E', 'UTF8', $database);
	BAIL_OUT("createdb failed: $errors") if $status != 0;
	return;
}

sub drop_database
{
	my ($database) = @_;
	command('', 'dropdb', '--if-exists', '--force', $database);
	return;
}

# A backend that crashes takes all others with it but not the postmaster: the checkpointer is another one afterwards
sub server_marks
{
	return result("SELECT pg_postmaster_start_time(), (SELECT backend_start FROM pg_stat_activity WHERE backend_type = 'checkpointer')");
}

# remember the server as it is now
sub note_server
{
	$server{marks} = server_marks();
	my $directory = result("SELECT CASE WHEN current_setting('log_directory') LIKE '/%' THEN '' ELSE current_setting('data_directory') || '/' END || current_setting('log_directory')");
	my @logs = grep { -f && -r } "$ENV{PGHOST}/log", glob("'$directory'/*");
	%log = map { $_ => -s } @logs;
	return;
}

# test that no process of the server crashed since then
sub server_survived
{
	is(server_marks(), $server{marks}, 'the server is the one that it was');
	my @crashes;
	for my $file (sort keys %log)
	{
		open my $in, '<', $file or next;
		seek $in, $log{$file}, 0;
		push @crashes, grep { /terminated by signal|PANIC:|TRAP:|server process .* exited with exit code/ } <$in>;
	}
	is(join('', @crashes), '', 'its log tells of no crash' . (%log ? '' : ' (no log to be read)'));
	return;
}

1;
