# A server of a test's own, from the binaries of the one that the tests run in: for what ends or copies servers.
package Server;
use strict;
use warnings;
use Exporter qw(import);
use File::Temp qw(tempdir);
use POSIX qw(WNOHANG);
use Test::More;
use Time::HiRes qw(sleep time);
use Psql;

our @EXPORT = qw(server_possible);
my @servers;
my $first_host = $ENV{PGHOST};

sub server_possible
{
	return defined $ENV{LS_BIN} && defined $first_host;
}

# Make a server with some lines of configuration; where it listens, or 'from' for a standby of another server
sub new
{
	my ($class, $name, @lines) = @_;
	my $folder = tempdir("lead_scoring_$name.XXXXXX", DIR => '/tmp', CLEANUP => 1);
	my $self = bless {folder => $folder, data => "$folder/data", owner => [(stat $first_host)[4, 5]]}, $class;
	chown @{$self->{owner}}, $folder;
	push @servers, $self;
	$self->run('initdb', '-D', $self->{data}, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync') or BAIL_OUT('initdb failed');
	$self->configure("listen_addresses = ''", 'fsync = off', "unix_socket_directories = '$folder'", @lines);
	return $self;
}

# Make a physical standby of a server
sub standby
{
	my ($of, $name) = @_;
	my $folder = tempdir("lead_scoring_$name.XXXXXX", DIR => '/tmp', CLEANUP => 1);
	my $self = bless {folder => $folder, data => "$folder/data", owner => $of->{owner}}, ref $of;
	chown @{$self->{owner}}, $folder;
	push @servers, $self;
	$self->run('pg_basebackup', '-h', $of->{folder}, '-U', 'postgres', '-D', $self->{data}, '-R', '-c', 'fast', '--no-sync', '-X', 'stream') or BAIL_OUT('pg_basebackup failed');
	$self->configure("unix_socket_directories = '$folder'");
	return $self;
}

# run a program of the server as its user
sub run
{
	my ($self, $program, @words) = @_;
	my @as = $> == 0 ? ('setpriv', "--reuid=$self->{owner}[0]", "--regid=$self->{owner}[1]", '--clear-groups', '--') : ();
	my ($status, $output, $errors) = command('', @as, 'sh', '-c', 'cd / && exec "$@"', 'sh', "$ENV{LS_BIN}/$program", @words);
	diag("$program: $output$errors") if $status != 0;
	return $status == 0;
}

sub configure
{
	my ($self, @lines) = @_;
	open my $out, '>>', "$self->{data}/postgresql.conf" or die $!;
	print $out "$_\n" for @lines;
	close $out;
	return;
}

sub control
{
	my ($self, @words) = @_;
	my $done = $self->run('pg_ctl', '-D', $self->{data}, '-l', "$self->{folder}/log", '-s', '-w', '-t', '60', @words);
	$self->{running} = 0 if $done && grep { $_ eq 'stop' } @words;
	return $done;
}

# start it; the functions of Psql then talk to it
sub start
{
	my ($self) = @_;
	$self->control('start') or BAIL_OUT('the server does not start: ' . $self->log);
	$self->{running} = 1;
	$self->use;
	return;
}

sub use
{
	my ($self) = @_;
	@ENV{qw(PGHOST PGUSER PGDATABASE)} = ($self->{folder}, 'postgres', 'postgres');
	return;
}

sub log
{
	my ($self) = @_;
	open my $in, '<', "$self->{folder}/log" or return '';
	local $/;
	return scalar(<$in>) // '';
}

sub file
{
	my ($self, $name, $text) = @_;
	open my $out, '>', "$self->{folder}/$name" or die $!;
	print $out $text;
	close $out;
	return "$self->{folder}/$name";
}

# start a client that goes on beside the test; returns its process
sub spawn
{
	my ($self, $program, @words) = @_;
	my $pid = fork // die $!;
	if ($pid == 0)
	{
		open STDIN, '<', '/dev/null';
		open STDOUT, '>', '/dev/null';
		open STDERR, '>', '/dev/null';
		# Not to clean up what is the test's
		exec "$ENV{LS_BIN}/$program", @words or POSIX::_exit(127);
	}
	return $pid;
}

sub flood
{
	my ($self, $script, $clients) = @_;
	return $self->spawn('pgbench', '-n', '-c', $clients, '-T', 60, '-f', $script);
}

# wait for clients that have lost their server, and end those that do not notice
sub ended
{
	my ($self, @pids) = @_;
	for my $pid (@pids)
	{
		my $gone = 0;
		for (my $end = time + 10; !$gone && time < $end; sleep 0.05)
		{
			$gone = waitpid($pid, WNOHANG) != 0;
		}
		next if $gone;
		kill 'TERM', $pid;
		waitpid $pid, 0;
	}
	return;
}

# wait until it answers
sub await
{
	my ($self, $name) = @_;
	my $answer = '';
	for (my $end = time + 60; $answer ne '1' && time < $end; sleep 0.1)
	{
		$answer = result('SELECT 1');
	}
	is($answer, '1', $name);
	return;
}

END
{
	my $status = $?;
	$_->control('-m', 'immediate', 'stop') for grep { $_->{running} } @servers;
	$? = $status;
}

1;
