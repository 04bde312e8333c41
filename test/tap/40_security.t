#!/usr/bin/perl
# Who may do what, and with whose rights what others wrote is run.
use strict;
use warnings;
use File::Basename qw(dirname);
use Test::More;
use lib dirname(__FILE__) . '/lib';
use Psql;

my $database = "lead_scoring_security_$$";
# alice owns the records, bob has no rights, carol may read, dave may update, erin owns another table, frank may do
# nothing but update, oscar owns whatever changes hands
my %role = map { $_ => "ls_security_${_}_$$" } qw(alice bob carol dave erin frank oscar);
my ($alice, $bob, $carol, $dave, $erin, $frank, $oscar) = @role{qw(alice bob carol dave erin frank oscar)};
my $as_of = '2026-01-31 00:00 UTC';
my $superuser = $ENV{PGUSER} // 'postgres';
my @in = (database => $database);

END
{
	my $status = $?;
	drop_database($database) if defined $database;
	psql('DROP ROLE IF EXISTS ' . join ', ', values %role) if %role;
	$? = $status;
}

sub as
{
	my ($user, $sql, %with) = @_;
	return result($sql, @in, user => $user, %with);
}

note_server();
create_database($database);
is(result(join("\n", map({ "CREATE ROLE $_ LOGIN;" } values %role), <<"SQL"), @in), '', 'roles and tables');
CREATE EXTENSION lead_scoring;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
CREATE SCHEMA crm AUTHORIZATION $alice;
CREATE SCHEMA erin AUTHORIZATION $erin;
CREATE TABLE public.vault (secret text);
INSERT INTO public.vault VALUES ('secret');
GRANT USAGE ON SCHEMA crm TO $carol, $dave, $erin, $frank, $oscar;
GRANT CREATE ON SCHEMA crm TO $oscar;
GRANT USAGE ON SCHEMA erin TO PUBLIC;
SQL
is(as($alice, <<"SQL"), "3\n3\n2", 'the owner defines, activates, refreshes');
CREATE TABLE crm.contacts (id int PRIMARY KEY, industry text);
CREATE TABLE crm.activities (contact_id int, type text, "at" timestamptz);
CREATE TABLE crm.sheet (id int PRIMARY KEY);
GRANT SELECT ON crm.contacts, crm.activities TO $carol, $dave;
GRANT UPDATE ON crm.contacts TO $dave, $frank;
INSERT INTO crm.contacts VALUES (1, 'Retail'), (2, 'Energy'), (3, NULL);
INSERT INTO crm.activities SELECT 1 + i % 2, 'open', timestamptz '$as_of' - i * interval '1 day' FROM generate_series(0, 9) i;
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('contact', 'crm.contacts', 'id');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('activity', 'contact', 'crm.activities', 'contact_id', 'at');
INSERT INTO lead_scoring.score (name, record_type) VALUES ('lead_score', 'contact'), ('draft', 'contact');
INSERT INTO lead_scoring.score_group (score, name, kind, decay) VALUES ('lead_score', 'f', 'fit', NULL), ('lead_score', 'e', 'engagement', '50% per month'), ('draft', 'f', 'fit', NULL);
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES
  ('lead_score', 'f', 'retail', NULL, \$\$industry = 'Retail'\$\$, 10), ('lead_score', 'e', 'open', 'activity', \$\$type = 'open'\$\$, 6), ('draft', 'f', 'r', NULL, 'true', 1);
INSERT INTO lead_scoring.scope (score, mode, criterion) VALUES ('lead_score', 'exclude', 'id > 100');
INSERT INTO lead_scoring.band (score, label, lower_bound) VALUES ('lead_score', 'A', 30), ('lead_score', 'B', NULL);
INSERT INTO lead_scoring.alert (score, name, above) VALUES ('lead_score', 'a', 1000000);
INSERT INTO lead_scoring.adjustment (score, record_key, points, created_at) VALUES ('lead_score', '3', 1, '2026-01-01');
INSERT INTO lead_scoring.model (name, record_type, outcome) VALUES ('closing', 'contact', \$\$industry = 'Retail'\$\$);
INSERT INTO lead_scoring.feature (model, name, source, statistic, expression) VALUES ('closing', 'industry', NULL, 'value', 'industry'), ('closing', 'opens', 'activity', 'count', NULL);
INSERT INTO lead_scoring.model_version (model, algorithm, as_of, samples, converted, auc, body) VALUES ('closing', 'scorecard', '$as_of', 100, 50, 0.8, '{}');
INSERT INTO lead_scoring.model_importance (model, version, feature, importance) VALUES ('closing', 1, 'opens', 0.5);
SELECT lead_scoring.activate('lead_score');
SELECT count(*) FROM lead_scoring.evaluate('lead_score', '$as_of');
SELECT lead_scoring.refresh('lead_score', '$as_of');
SQL
my $stored = "SELECT string_agg(concat_ws(':', id, lead_score, lead_score_fit, lead_score_engagement, lead_score_label), ' ' ORDER BY id) FROM crm.contacts";
is(as($alice, $stored), '1:38:10:28:A 2:27.5:0:27.5:B 3:1:0:0:B', 'the scores');
is(as($erin, "CREATE TABLE erin.things (id int PRIMARY KEY, x int); INSERT INTO erin.things VALUES (1, 1); INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('thing', 'erin.things', 'id'); INSERT INTO lead_scoring.score (name, record_type, kind) VALUES ('thing_score', 'thing', 'fit')"),
	'', 'another owner defines over a table of hers');

# Only owners write definitions
my %write = (
	record_type => [ "INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('x', 16384, 'id')", "UPDATE lead_scoring.record_type SET key_column = key_column WHERE name = 'contact'", "DELETE FROM lead_scoring.record_type WHERE name = 'contact'" ],
	source => [ "INSERT INTO lead_scoring.source (name, record_type, relation, record_key) VALUES ('x', 'contact', 16384, 'id')", "UPDATE lead_scoring.source SET filter = 'true' WHERE name = 'activity'", "DELETE FROM lead_scoring.source WHERE name = 'activity'" ],
	score => [ "INSERT INTO lead_scoring.score (name, record_type) VALUES ('x', 'contact')", "UPDATE lead_scoring.score SET description = 'x' WHERE name = 'lead_score'", "DELETE FROM lead_scoring.score WHERE name = 'draft'" ],
	scope => [ "INSERT INTO lead_scoring.scope (score, mode) VALUES ('lead_score', 'exclude')", "UPDATE lead_scoring.scope SET criterion = 'true' WHERE score = 'lead_score'", "DELETE FROM lead_scoring.scope WHERE score = 'lead_score'" ],
	score_group => [ "INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('lead_score', 'x', 'fit')", "UPDATE lead_scoring.score_group SET max_points = 0 WHERE score = 'lead_score'", "DELETE FROM lead_scoring.score_group WHERE score = 'lead_score'" ],
	rule => [ "INSERT INTO lead_scoring.rule (score, group_name, name, points) VALUES ('lead_score', 'f', 'x', 1)", "UPDATE lead_scoring.rule SET criterion_resolved = 'true' WHERE score = 'lead_score'", "DELETE FROM lead_scoring.rule WHERE score = 'lead_score'" ],
	band => [ "INSERT INTO lead_scoring.band (score, label, lower_bound) VALUES ('lead_score', 'x', 1)", "UPDATE lead_scoring.band SET color = 'x' WHERE score = 'lead_score'", "DELETE FROM lead_scoring.band WHERE score = 'lead_score'" ],
	alert => [ "INSERT INTO lead_scoring.alert (score, name, above) VALUES ('lead_score', 'x', 1)", "UPDATE lead_scoring.alert SET above = 2 WHERE score = 'lead_score'", "DELETE FROM lead_scoring.alert WHERE score = 'lead_score'" ],
	model => [ "INSERT INTO lead_scoring.model (name, record_type, outcome) VALUES ('x', 'contact', 'id = 1')", "UPDATE lead_scoring.model SET outcome_resolved = 'true' WHERE name = 'closing'", "DELETE FROM lead_scoring.model WHERE name = 'closing'" ],
	feature => [ "INSERT INTO lead_scoring.feature (model, name, expression) VALUES ('closing', 'x', 'id')", "UPDATE lead_scoring.feature SET expression_resolved = 'id' WHERE model = 'closing'", "DELETE FROM lead_scoring.feature WHERE model = 'closing'" ],
	model_version => [ "INSERT INTO lead_scoring.model_version (model, algorithm, as_of, samples, converted, body) VALUES ('closing', 'scorecard', now(), 1, 1, '{}')", "UPDATE lead_scoring.model_version SET definition = '{}' WHERE model = 'closing'", "DELETE FROM lead_scoring.model_version WHERE model = 'closing'" ],
	model_importance => [ "INSERT INTO lead_scoring.model_importance (model, version, feature, importance) VALUES ('closing', 1, 'x', 1)", "UPDATE lead_scoring.model_importance SET importance = 1 WHERE model = 'closing'", "DELETE FROM lead_scoring.model_importance WHERE model = 'closing'" ],
	adjustment => [ "INSERT INTO lead_scoring.adjustment (score, record_key, points) VALUES ('lead_score', '2', 1)", "UPDATE lead_scoring.adjustment SET points = 2 WHERE score = 'lead_score'", "DELETE FROM lead_scoring.adjustment WHERE score = 'lead_score'" ]);
my $contacts = result("SELECT 'crm.contacts'::regclass::oid", @in);
for my $statements (values %write)
{
	s/16384/$contacts/ for @$statements;
}
for my $table (sort keys %write)
{
	is(join(' ', states($write{$table}, @in, user => $alice)), $table eq 'record_type' || $table eq 'source' ? '00000 00000 2BP01' : '00000 00000 00000', "$table: the owner may write, within reason");
	for my $who (grep { $_ ne $dave || $table ne 'adjustment' } $bob, $carol, $dave, $erin)
	{
		for my $bodies ('on', 'off')
		{
			is(join(' ', states($write{$table}, @in, user => $who, first => "SET check_function_bodies = $bodies;")), '42501 42501 42501', "$table: $who may not write, with check_function_bodies = $bodies");
		}
	}
}
for my $who ($bob, $erin)
{
	like(as($who, "UPDATE lead_scoring.adjustment SET points = 1000"), qr/42501/, "adjustment: $who may not change those that are there");
}
is(join(' ', map { as($_, 'SELECT count(*) FROM lead_scoring.adjustment') } $alice, $carol, $dave, $frank, $superuser), '1 1 1 1 1', 'adjustment: who reads or updates the records sees them');
is(as($superuser, 'SELECT score, record_key, points FROM lead_scoring.adjustment'), 'lead_score|3|1', 'adjustment: nothing changed');
is(join(' ', states($write{adjustment}, @in, user => $dave)), '00000 00000 00000', 'adjustment: who may update the records may write them');
is(join(' ', states([ $write{adjustment}[0] =~ s/'lead_score'/'draft'/r ], @in, user => $frank)), '00000', '... without a right to read them too');
is(join(' ', states([ map { "UPDATE lead_scoring.adjustment SET score = '$_'" } 'thing_score', 'draft' ], @in, user => $dave)), '22023 22023', '... and none moves to another score');
my @steal = (
	"UPDATE lead_scoring.record_type SET relation = 'crm.contacts' WHERE name = 'thing'",
	"UPDATE lead_scoring.score SET record_type = 'contact' WHERE name = 'thing_score'",
	"UPDATE lead_scoring.score SET target = 'crm.sheet' WHERE name = 'thing_score'",
	"INSERT INTO lead_scoring.model (name, record_type, outcome) VALUES ('hers', 'thing', 'x = 1'); INSERT INTO lead_scoring.feature (model, name, expression) VALUES ('hers', 'x', 'x'); UPDATE lead_scoring.feature SET model = 'closing' WHERE model = 'hers'",
	"INSERT INTO lead_scoring.model (name, record_type, outcome) VALUES ('hers', 'thing', 'x = 1'); UPDATE lead_scoring.model SET record_type = 'contact', outcome = 'id = 1' WHERE name = 'hers'",
	"INSERT INTO lead_scoring.source (name, record_type, relation, record_key) VALUES ('stolen', 'thing', 'crm.activities', 'contact_id')",
	"INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('thing_score', 'g', 'fit'); UPDATE lead_scoring.score_group SET score = 'lead_score' WHERE score = 'thing_score'",
	"INSERT INTO lead_scoring.scope (score, mode) VALUES ('thing_score', 'exclude'); UPDATE lead_scoring.scope SET score = 'lead_score' WHERE score = 'thing_score'",
	"INSERT INTO lead_scoring.band (score, label) VALUES ('thing_score', 'g'); UPDATE lead_scoring.band SET score = 'lead_score' WHERE score = 'thing_score'");
is(join(' ', states(\@steal, @in, user => $erin, first => 'GRANT USAGE ON SCHEMA erin TO PUBLIC;')), join(' ', ('42501') x @steal), 'an owner cannot move what is hers onto what is another\'s');
is(as($alice, $stored), '1:38:10:28:A 2:27.5:0:27.5:B 3:1:0:0:B', 'nothing of it was done');

# Columns that only the extension sets
my $forged = "'$superuser'";
like(as($erin, <<"SQL"), qr/^0\|none\|\((?:\w+\.)?x = 1\)$/, 'owner and resolved texts cannot be given');
BEGIN;
INSERT INTO lead_scoring.record_type (name, relation, key_column, relation_owner) VALUES ('t2', 'erin.things', 'id', $forged);
UPDATE lead_scoring.record_type SET relation_owner = $forged WHERE name = 'thing';
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, filter_resolved, relation_owner) VALUES ('s', 'thing', 'erin.things', 'id', 'random() > 2', $forged);
UPDATE lead_scoring.source SET filter_resolved = 'random() > 2', relation_owner = $forged WHERE name = 's';
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('thing_score', 'g', 'fit');
INSERT INTO lead_scoring.rule (score, group_name, name, points, criterion, criterion_resolved) VALUES ('thing_score', 'g', 'r', 1, 'x = 1', 'random() > 2');
UPDATE lead_scoring.rule SET criterion_resolved = 'random() > 2' WHERE score = 'thing_score';
SELECT (SELECT count(*) FROM lead_scoring.record_type WHERE relation_owner = $forged) + (SELECT count(*) FROM lead_scoring.source WHERE relation_owner = $forged),
  (SELECT coalesce(filter_resolved, 'none') FROM lead_scoring.source WHERE name = 's'), (SELECT criterion_resolved FROM lead_scoring.rule WHERE score = 'thing_score');
ROLLBACK;
SQL
is(join(' ', states(
	[
		"INSERT INTO lead_scoring.score (name, record_type, status) VALUES ('x', 'contact', 'active')", "UPDATE lead_scoring.score SET status = 'draft' WHERE name = 'lead_score'", "UPDATE lead_scoring.score SET status = 'active' WHERE name = 'draft'",
		"SET check_function_bodies = off; INSERT INTO lead_scoring.score (name, record_type, status) VALUES ('x', 'contact', 'active')", "SET check_function_bodies = off; UPDATE lead_scoring.score SET status = 'active' WHERE name = 'draft'"
	], @in, user => $alice)), '55000 55000 55000 55000 55000', 'not even the owner sets a status');
is(join(' ', states([ "UPDATE lead_scoring.score SET status = 'active' WHERE name = 'draft'", "SET check_function_bodies = off; UPDATE lead_scoring.score SET status = 'active' WHERE name = 'draft'" ], @in)), '55000 00000', '... only who owns the extension, when he restores');

# Calls
my @calls = map { "SELECT * FROM lead_scoring.$_" } "evaluate('lead_score')", "explain('lead_score', '1')", "preview('lead_score')", "verify('lead_score')", "refresh('lead_score')", "refresh('lead_score', now(), '{1}')", "activate('lead_score')", "activate('draft')", "deactivate('lead_score')", "rescore('{lead_score}')", "require_score('lead_score')";
is(join(' ', states(\@calls, @in, user => $alice)), join(' ', ('00000') x @calls), 'calls: the owner may all');
is(join(' ', states(\@calls, @in, user => $bob)), join(' ', ('42501') x @calls), 'calls: who has no rights may none');
is(join(' ', states(\@calls, @in, user => $carol)), join(' ', ('00000') x 4, ('42501') x 7), 'calls: who reads may evaluate');
is(join(' ', states(\@calls, @in, user => $dave)), '00000 00000 00000 00000 00000 00000 42501 42501 42501 00000 42501', 'calls: who updates may refresh');
is(join(' ', states(["SELECT lead_scoring.deactivate('draft')"], @in, user => $bob)), '42501', 'calls: deactivate of another\'s draft');
is(join(' ', states(["SELECT lead_scoring.evaluate('lead_score')", "SELECT lead_scoring.refresh('lead_score', now(), '{1}')"], @in, user => $frank)), '42501 00000', 'calls: who may do nothing but update sees no score, but refreshes');
is(as($frank, "SELECT lead_scoring.refresh('lead_score', '2026-03-01'); SELECT lead_scoring.refresh('lead_score', '$as_of')"), "2\n2", '... which writes what it must');
is(as($alice, $stored), '1:38:10:28:A 2:27.5:0:27.5:B 3:1:0:0:B', '... and nothing else');

# That some see no adjustments makes no score wrong
is(join(' ', map { as($_, "SET row_security = off; SELECT count(*) FROM lead_scoring.evaluate('lead_score')") } $alice, $carol), '3 3', 'with row_security = off too');
like(as($superuser, <<"SQL"), qr/^(?:42501: .*|.*\n0)$/s, 'who may write nothing but the target refreshes to what is right, or not at all');
BEGIN;
SET LOCAL ROLE $alice;
INSERT INTO lead_scoring.score (name, record_type, kind, target) VALUES ('kept', 'contact', 'fit', 'crm.sheet');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('kept', 'f', 'fit');
INSERT INTO lead_scoring.rule (score, group_name, name, points) VALUES ('kept', 'f', 'r', 10);
INSERT INTO lead_scoring.adjustment (score, record_key, points) VALUES ('kept', '2', 5);
SELECT lead_scoring.activate('kept');
GRANT USAGE ON SCHEMA crm TO $bob;
GRANT INSERT, UPDATE ON crm.sheet TO $bob;
SET LOCAL ROLE $bob;
SELECT lead_scoring.refresh('kept');
RESET ROLE;
SELECT count(*) FROM lead_scoring.verify('kept');
ROLLBACK;
SQL
like(as($superuser, <<"SQL"), qr/\n2\|36\.5$/, 'a trigger on the records may evaluate');
BEGIN;
SET LOCAL ROLE $alice;
CREATE TABLE crm.fired (id int, total double precision);
CREATE FUNCTION crm.note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO crm.fired SELECT NEW.id, total FROM lead_scoring.evaluate(''lead_score'', ''2026-03-01'', ARRAY[NEW.id::text]); RETURN NULL; END';
CREATE TRIGGER t AFTER UPDATE ON crm.contacts FOR EACH ROW EXECUTE FUNCTION crm.note();
SELECT lead_scoring.refresh('lead_score', '2026-03-01');
SELECT count(*), sum(total) FROM crm.fired;
ROLLBACK;
SQL

# The columns are written as the owner of their table: so run its triggers
is(as($alice, <<"SQL"), '', 'triggers on the records');
CREATE TABLE crm.fired (kind text, who name DEFAULT current_user);
CREATE FUNCTION crm.note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO crm.fired VALUES (TG_NAME); RETURN NEW; END';
CREATE TRIGGER a_before BEFORE UPDATE ON crm.contacts FOR EACH ROW EXECUTE FUNCTION crm.note();
CREATE TRIGGER b_after AFTER UPDATE ON crm.contacts FOR EACH ROW EXECUTE FUNCTION crm.note();
CREATE TRIGGER c_statement AFTER UPDATE ON crm.contacts FOR EACH STATEMENT EXECUTE FUNCTION crm.note();
SQL
my @written = ([ $superuser, "SELECT lead_scoring.refresh('lead_score', '2026-03-01')" ], [ $superuser, "UPDATE lead_scoring.rule SET points = points WHERE score = 'lead_score'" ], [ $superuser, "SELECT lead_scoring.activate('lead_score')" ], [ $dave, "SELECT lead_scoring.refresh('lead_score', '2026-03-01')" ], [ $frank, "SELECT lead_scoring.refresh('lead_score', '2026-03-01')" ],
	map { [ $_, "INSERT INTO lead_scoring.adjustment (score, record_key, points) VALUES ('lead_score', '2', 1)" ] } $superuser, $dave, $frank);
for my $case (@written)
{
	my ($who, $write) = @$case;
	is(as($superuser, "BEGIN; SELECT lead_scoring.refresh('lead_score', '$as_of') >= 0; TRUNCATE crm.fired; SET LOCAL ROLE $who; $write; RESET ROLE; SELECT string_agg(DISTINCT kind, ' ' ORDER BY kind), string_agg(DISTINCT who, ' ') FROM crm.fired; ROLLBACK") =~ s/.*\n//sr, "a_before b_after c_statement|$alice", "triggers run as the owner of the table: $write by $who");
}
is(as($alice, 'DROP TABLE crm.fired; DROP FUNCTION crm.note() CASCADE'), '', 'no more triggers');
is(as($superuser, "REVOKE SELECT ON crm.activities FROM $carol; GRANT SELECT (contact_id, type, \"at\") ON crm.activities TO $carol"), '', 'a right to read columns');
is(join(' ', states([ @calls[ 0 .. 3 ] ], @in, user => $carol)), '42501 42501 42501 42501', '... is not enough to evaluate');
is(as($superuser, "REVOKE ALL ON crm.activities FROM $carol"), '', 'no right to read the events');
is(join(' ', states([ @calls[ 0 .. 3 ] ], @in, user => $carol)), '42501 42501 42501 42501', '... neither');
is(as($superuser, "GRANT SELECT ON crm.activities TO $carol"), '', '... given back');
like(as($bob, 'CREATE EXTENSION citext; DROP EXTENSION lead_scoring'), qr/^42501/, 'the extension is not his');

# Row-level security
is(as($alice, "ALTER TABLE crm.contacts ENABLE ROW LEVEL SECURITY; CREATE POLICY two ON crm.contacts TO $carol, $dave USING (id = 2)"), '', 'row-level security on the records');
is(join(' ', states([ @calls[ 0 .. 3 ] ], @in, user => $carol)), '42501 42501 42501 42501', 'policies: who is subject to them cannot evaluate');
is(join(' ', states([ @calls[ 4, 5 ] ], @in, user => $dave)), '42501 42501', '... nor refresh');
is(as($carol, 'SELECT id, lead_score FROM crm.contacts'), '2|27.5', '... but reads the stored scores of his rows');
is(as($alice, "SELECT count(*), (SELECT count(*) FROM lead_scoring.verify('lead_score', '$as_of')) FROM lead_scoring.evaluate('lead_score', '$as_of')"), '3|0', 'policies: the owner scores all rows');
is(as($alice, "SELECT lead_scoring.refresh('lead_score', '2026-03-01'), lead_scoring.refresh('lead_score', '$as_of')"), '2|2', '... and refreshes them');
is(as($superuser, "SELECT count(*) FROM lead_scoring.evaluate('lead_score', '$as_of')"), '3', '... as does a superuser');
is(as($superuser, "SET row_security = off; SELECT count(*) FROM lead_scoring.evaluate('lead_score', '$as_of')"), '3', '... with row_security = off too');
is(as($alice, 'ALTER TABLE crm.contacts FORCE ROW LEVEL SECURITY'), '', 'policies forced on the owner');
is(join(' ', states([ @calls[ 0, 4 ] ], @in, user => $alice)), '42501 42501', '... keep the owner out as well');
is(join(' ', states([ @calls[ 0, 4 ] ], @in)), '42501 42501', '... and who evaluates with the owner\'s rights: no score of a part');
is(as($alice, "ALTER TABLE crm.contacts NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY; ALTER TABLE crm.activities ENABLE ROW LEVEL SECURITY; CREATE POLICY none ON crm.activities TO $carol, $dave USING (false)"), '', 'row-level security on the events');
is(join(' ', states([ @calls[ 0 .. 3 ] ], @in, user => $carol)), '42501 42501 42501 42501', 'policies on events: who is subject to them cannot evaluate');
is(as($dave, "BEGIN; INSERT INTO lead_scoring.adjustment (score, record_key, points) VALUES ('lead_score', '2', 100); SELECT lead_score >= 100 FROM crm.contacts WHERE id = 2; SELECT lead_scoring.refresh('lead_score', '$as_of'); $stored; ROLLBACK"), "t\n1\n1:38:10:28:A 2:27.5:0:27.5:B 3:1:0:0:B", 'policies on events: an adjustment does not make the score a part of itself');
is(as($alice, 'ALTER TABLE crm.activities DISABLE ROW LEVEL SECURITY; DROP POLICY none ON crm.activities; DROP POLICY two ON crm.contacts'), '', 'row-level security off');

# A criterion's functions run as the owner of the relation
is(as($alice, <<"SQL"), '', 'a spy');
CREATE TABLE crm.seen (what text, state text, who name DEFAULT current_user, logged_in name DEFAULT session_user);
CREATE TABLE crm.deferred (x int);
CREATE FUNCTION crm.deferred_act() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO crm.seen VALUES (''deferred trigger'', ''fired''); RETURN NULL; END';
CREATE CONSTRAINT TRIGGER t AFTER INSERT ON crm.deferred DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION crm.deferred_act();
CREATE TABLE crm.acts (what text PRIMARY KEY);
CREATE FUNCTION crm.act() RETURNS void LANGUAGE plpgsql VOLATILE AS \$\$
DECLARE
  act text;
BEGIN
  INSERT INTO crm.seen VALUES ('run', '00000');
  FOR act IN SELECT what FROM crm.acts LOOP
    BEGIN
      EXECUTE act;
      INSERT INTO crm.seen VALUES (act, '00000');
    EXCEPTION WHEN OTHERS THEN
      INSERT INTO crm.seen VALUES (act, SQLSTATE);
    END;
  END LOOP;
END \$\$;
CREATE FUNCTION crm.spy(int) RETURNS boolean LANGUAGE plpgsql STABLE AS 'BEGIN PERFORM crm.act(); RETURN true; END';
CREATE FUNCTION crm.folded(int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN PERFORM crm.act(); RETURN true; END';
CREATE FUNCTION crm.inlined(int) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT crm.spy(\$1)';
CREATE FUNCTION crm.compared(int, text) RETURNS boolean LANGUAGE plpgsql STABLE AS 'BEGIN PERFORM crm.act(); RETURN true; END';
CREATE OPERATOR crm.=== (LEFTARG = int, RIGHTARG = text, FUNCTION = crm.compared);
CREATE DOMAIN crm.checked AS int CHECK (crm.spy(VALUE));
CREATE FUNCTION crm.cast_to(int) RETURNS crm.acts LANGUAGE plpgsql STABLE AS 'BEGIN PERFORM crm.act(); RETURN ROW(''x'')::crm.acts; END';
CREATE VIEW crm.watched AS SELECT contact_id, type, "at", crm.spy(1) AS spied FROM crm.activities;
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at, filter) VALUES ('watched', 'contact', 'crm.watched', 'contact_id', 'at', 'spied');
SQL
my $edit = 'UPDATE lead_scoring.rule SET criterion =';
sub spied
{
	my ($name, $user, $sql) = @_;
	as($superuser, 'TRUNCATE crm.seen');
	my $result = as($user, $sql);
	unlike($result, qr/^(?:\w{5}|lost): /, "$name: done") or return;
	is(as($superuser, "SELECT count(*) > 0, count(*) FILTER (WHERE who <> '$alice') FROM crm.seen WHERE what = 'run'"), 't|0', "$name: seen, and never as another than the owner");
	return;
}
for my $criterion ('crm.spy(id)', 'crm.folded(1)', 'crm.folded(id)', 'crm.inlined(id)', q{id OPERATOR(crm.===) 'x'}, 'id::crm.checked > 0', q{(crm.cast_to(id)).what <> ''})
{
	is(as($alice, "$edit \$c\$$criterion\$c\$ WHERE name = 'retail'"), '', "criterion $criterion");
	spied("$criterion: evaluate by a superuser", $superuser, "SELECT count(*) FROM lead_scoring.evaluate('lead_score')");
	spied("$criterion: refresh by a superuser", $superuser, "SELECT lead_scoring.refresh('lead_score')");
	spied("$criterion: explain by a superuser", $superuser, "SELECT count(*) FROM lead_scoring.explain('lead_score', '1')");
	spied("$criterion: evaluate by a reader", $carol, "SELECT count(*) FROM lead_scoring.evaluate('lead_score')");
}
for my $call ("count(*) FROM lead_scoring.preview('lead_score')", "count(*) FROM lead_scoring.verify('lead_score')", "lead_scoring.activate('lead_score')", "lead_scoring.rescore('{lead_score}')")
{
	spied("$call by a superuser", $superuser, "SELECT $call");
}
for my $write ("UPDATE lead_scoring.rule SET points = points + 1 WHERE score = 'lead_score'", "UPDATE lead_scoring.rule SET criterion = criterion || ' AND crm.folded(2)' WHERE name = 'retail'", "UPDATE lead_scoring.score SET max_points = 1000 WHERE name = 'lead_score'", "UPDATE lead_scoring.source SET filter = 'crm.folded(3)' WHERE name = 'activity'",
	"UPDATE lead_scoring.record_type SET key_column = key_column WHERE name = 'contact'", "INSERT INTO lead_scoring.adjustment (score, record_key, points) VALUES ('lead_score', '1', 1)", "DELETE FROM lead_scoring.adjustment WHERE record_key = '1'", "INSERT INTO lead_scoring.scope (score, mode, criterion) VALUES ('lead_score', 'include', 'crm.folded(4)')",
	"SELECT lead_scoring.deactivate('lead_score'); UPDATE lead_scoring.score SET name = 'renamed' WHERE name = 'lead_score'; UPDATE lead_scoring.score SET name = 'lead_score' WHERE name = 'renamed'; SELECT lead_scoring.activate('lead_score')")
{
	spied("by a superuser: $write", $superuser, $write);
}
is(as($alice, "UPDATE lead_scoring.source SET filter = NULL WHERE name = 'activity'; DELETE FROM lead_scoring.scope WHERE score = 'lead_score'; $edit 'true' WHERE name = 'retail'; UPDATE lead_scoring.rule SET source = 'watched' WHERE name = 'open'"), '', 'events from a view');
spied('a view of the owner: evaluate by a superuser', $superuser, "SELECT count(*) FROM lead_scoring.evaluate('lead_score')");
is(as($alice, "UPDATE lead_scoring.rule SET source = 'activity' WHERE name = 'open'"), '', '... no longer');

# What a superuser could do and the owner of the relation cannot, a criterion cannot either
my @acts = (
	"CREATE ROLE $role{alice}_2 SUPERUSER", "ALTER ROLE $alice SUPERUSER", "SET ROLE $superuser", 'RESET ROLE', 'SET SESSION AUTHORIZATION DEFAULT', "SET SESSION AUTHORIZATION $superuser", "SELECT set_config('role', 'none', false)",
	"SELECT set_config('session_authorization', '$superuser', false)", 'SELECT * FROM public.vault', "INSERT INTO public.vault VALUES ('x')", 'CREATE TABLE public.planted ()', 'CREATE TEMP TABLE planted ()', "PREPARE planted AS SELECT 1", 'LISTEN planted',
	'DECLARE planted CURSOR WITH HOLD FOR SELECT 1', 'INSERT INTO crm.deferred VALUES (1)', "COPY (SELECT 1) TO PROGRAM 'true'", "SELECT pg_read_file('PG_VERSION')", 'CREATE EXTENSION citext', "UPDATE pg_authid SET rolsuper = true WHERE rolname = '$alice'",
	"INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('stolen', 'erin.things', 'id')", "UPDATE lead_scoring.score SET description = 'x' WHERE name = 'thing_score'", "DELETE FROM lead_scoring.record_type WHERE name = 'thing'", 'SET session_replication_role = replica', 'LOAD \'x\'');
is(as($alice, join('; ', map { 'INSERT INTO crm.acts VALUES ($act$' . $_ . '$act$)' } @acts)), '', 'acts that take more than the rights of the owner');
is(as($alice, "$edit 'crm.spy(id)' WHERE name = 'retail'"), '', '... in a criterion');
for my $call ("count(*) FROM lead_scoring.evaluate('lead_score')", "lead_scoring.refresh('lead_score')", "lead_scoring.activate('lead_score')", "count(*) FROM lead_scoring.explain('lead_score', '1')")
{
	as($superuser, 'TRUNCATE crm.seen');
	unlike(as($superuser, "SELECT $call"), qr/^(?:\w{5}|lost): /, "acts: $call by a superuser");
	is(as($superuser, "SELECT coalesce(string_agg(DISTINCT state || ': ' || what, E'\\n'), 'none'), count(DISTINCT what) FILTER (WHERE what <> 'run') FROM crm.seen WHERE state <> '42501' AND what <> 'run' OR who <> '$alice'") =~ s/\|.*//r, 'none', '... every act is refused');
	is(as($superuser, "SELECT count(DISTINCT what) FROM crm.seen"), scalar(@acts) + 1, '... all were tried');
}
is(as($alice, "TRUNCATE crm.acts; INSERT INTO crm.acts VALUES ('SET search_path = planted'), ('SET LOCAL search_path = planted'), ('SET timezone = ''Pacific/Apia'''), ('SET row_security = on'), ('SET check_function_bodies = off'), ('SET lead_scoring.planted = 1')"), '', 'acts that leave settings behind');
my $settings = "current_setting('search_path'), current_setting('timezone'), current_setting('row_security'), current_setting('check_function_bodies'), coalesce(nullif(current_setting('lead_scoring.planted', true), ''), 'none'), current_user, session_user";
is(as($superuser, "SELECT count(*) FROM lead_scoring.evaluate('lead_score'); SELECT $settings; SELECT lead_scoring.refresh('lead_score') >= 0; SELECT $settings"), qq{3\n"\$user", public|UTC|on|on|none|$superuser|$superuser\nt\n"\$user", public|UTC|on|on|none|$superuser|$superuser}, '... leave none');
is(as($alice, "TRUNCATE crm.acts; INSERT INTO crm.acts VALUES ('SELECT 1 / 0'); CREATE OR REPLACE FUNCTION crm.spy(int) RETURNS boolean LANGUAGE plpgsql STABLE AS 'BEGIN RETURN 1 / 0 = 1; END'"), '', 'a criterion that fails');
is(as($superuser, "BEGIN; SAVEPOINT a;\n\\set ON_ERROR_STOP 0\nSELECT lead_scoring.evaluate('lead_score');\n\\set ON_ERROR_STOP 1\nROLLBACK TO a; SELECT $settings; COMMIT; SELECT $settings"), qq{"\$user", public|UTC|on|on|none|$superuser|$superuser\n"\$user", public|UTC|on|on|none|$superuser|$superuser}, '... leaves rights and settings as they were');
is(as($alice, "CREATE OR REPLACE FUNCTION crm.spy(int) RETURNS boolean LANGUAGE plpgsql STABLE AS 'BEGIN PERFORM crm.act(); RETURN true; END'; TRUNCATE crm.acts; $edit 'true' WHERE name = 'retail'"), '', 'no more spies');

# A rule may not come to look at rows of an owner who did not write it
my $evil = <<"SQL";
CREATE TABLE erin.events (thing_id int, "at" timestamptz);
CREATE TABLE erin.took (secret text, who name DEFAULT current_user);
GRANT INSERT ON erin.took TO PUBLIC;
CREATE FUNCTION erin.take() RETURNS void LANGUAGE plpgsql AS 'BEGIN INSERT INTO erin.took SELECT secret FROM public.vault; END';
CREATE FUNCTION erin.evil(int) RETURNS boolean LANGUAGE plpgsql STABLE AS 'BEGIN PERFORM erin.take(); RETURN true; END';
INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('thing2', 'erin.things', 'id');
INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('shared', 'thing2', 'erin.events', 'thing_id', 'at');
INSERT INTO lead_scoring.score (name, record_type) VALUES ('trap', 'thing2'), ('trap2', 'thing2');
INSERT INTO lead_scoring.score_group (score, name, kind) SELECT s, k, k FROM unnest('{trap, trap2}'::text[]) s, unnest('{fit, engagement}'::text[]) k;
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points) VALUES ('trap', 'engagement', 'r', 'shared', 'erin.evil(thing_id)', 1);
INSERT INTO lead_scoring.scope (score, mode, source, criterion) VALUES ('trap2', 'include', 'shared', 'erin.evil(thing_id)');
SQL
is(as($erin, $evil), '', 'another owner\'s rules over events of hers');
is(as($superuser, 'CREATE TABLE public.events (thing_id int, "at" timestamptz); INSERT INTO public.events VALUES (1, now()); INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES (\'shared\', \'thing\', \'public.events\', \'thing_id\', \'at\')'), '', 'a superuser lends events of his to her records');
like(as($erin, "UPDATE lead_scoring.score SET record_type = 'thing' WHERE name IN ('trap', 'trap2')"), qr/^(42501|55000|42704)/, 'she cannot turn her rules onto them');
as($superuser, "SELECT * FROM lead_scoring.evaluate('$_')") for 'trap', 'trap2';
is(as($superuser, 'SELECT count(*) FROM erin.took'), '0', '... and they never run with his rights');
is(as($superuser, "UPDATE lead_scoring.score SET record_type = 'thing2' WHERE name LIKE 'trap%'; DELETE FROM lead_scoring.source WHERE relation = 'public.events'::regclass; TRUNCATE erin.took"), '', 'once more, the other way round');
my $moved = as($erin, "UPDATE lead_scoring.score SET record_type = 'thing' WHERE name IN ('trap', 'trap2')");
like($moved, qr/^(42501|55000|42704)/, 'a score cannot move to where its sources do not exist');
as($superuser, "INSERT INTO lead_scoring.source (name, record_type, relation, record_key, occurred_at) VALUES ('shared', 'thing', 'public.events', 'thing_id', 'at')");
as($superuser, "SELECT * FROM lead_scoring.evaluate('$_')") for 'trap', 'trap2';
is(as($superuser, 'SELECT count(*) FROM erin.took'), '0', '... and wait for one');
as($superuser, "DELETE FROM lead_scoring.score WHERE name LIKE 'trap%'; DELETE FROM lead_scoring.source WHERE name = 'shared'; DELETE FROM lead_scoring.record_type WHERE name = 'thing2'");
my $squatter = "INSERT INTO lead_scoring.source (name, record_type, relation, record_key) VALUES ('squatter', 'contact', 'erin.things', 'id')";
like(as($_, $squatter), qr/^42501/, "a source is put on a record type by who owns both relations, not by $_") for $erin, $alice;
is(as($superuser, $squatter), '', '... or acts for both owners');
is(join(' ', map { join ' ', states([ "UPDATE lead_scoring.source SET filter = 'true' WHERE name = 'squatter'", "DELETE FROM lead_scoring.source WHERE name = 'squatter'" ], @in, user => $_) } $erin, $alice, $bob), '42501 00000 42501 00000 42501 42501', '... either may delete it, nobody else');
is(as($alice, "DELETE FROM lead_scoring.source WHERE name = 'squatter'; SELECT count(*) FROM lead_scoring.source WHERE name = 'squatter'"), '0', '... the owner of the records does');
is(as($superuser, 'CREATE TABLE crm.none (); ALTER TABLE crm.none OWNER TO ' . $alice), '', 'a table without columns');
is(join(' ', states([ "SELECT lead_scoring.require_column('crm.none', 'id', 'key column')", "INSERT INTO lead_scoring.record_type (name, relation, key_column) VALUES ('none', 'crm.none', 'id')" ], @in, user => $alice)), '42703 42703', '... has no key');

# A relation that changes hands
for my $case ([ 'crm.contacts', 'record_type', 'contact' ], [ 'crm.activities', 'source', 'activity' ])
{
	my ($relation, $table, $name) = @$case;
	is(as($superuser, "ALTER TABLE $relation OWNER TO $oscar"), '', "$relation gets another owner");
	is(join(' ', states([ @calls[ 0 .. 6 ] ], @in)), '42501 42501 42501 42501 42501 42501 42501', "$relation: refused to a superuser");
	is(join(' ', states([ @calls[ 0 .. 6 ] ], @in, user => $_)), '42501 42501 42501 42501 42501 42501 42501', "$relation: refused to $_") for $alice, $oscar;
	my $confirm = "UPDATE lead_scoring.$table SET relation = relation WHERE name = '$name'";
	like(as($alice, $confirm), qr/^42501/, "$relation: the old owner cannot confirm");
	my (undef, undef, $errors) = psql("SELECT * FROM lead_scoring.evaluate('lead_score')", @in);
	like($errors, qr/^HINT: .*UPDATE lead_scoring\.$table SET relation = relation WHERE name = '$name'/m, "$relation: the hint is the confirmation");
	is(as($superuser, "SELECT lead_scoring.deactivate('draft')"), '', "$relation: other scores can be ended");
	is(as($superuser, "BEGIN; $confirm; SELECT count(*) FROM lead_scoring.evaluate('lead_score'); ROLLBACK"), '3', "$relation: an active score is confirmed as the hint says");
	my $again = "SELECT lead_scoring.deactivate('lead_score'); $confirm; SELECT lead_scoring.activate('lead_score'); SELECT count(*) FROM lead_scoring.evaluate('lead_score')";
	is(as($superuser, $again), "\n3\n3", "$relation: or switched off, confirmed and switched on");
	is(as($superuser, "ALTER TABLE $relation OWNER TO $alice; $again"), "\n3\n3", "$relation: given back");
}
my $confirm_all = 'UPDATE lead_scoring.record_type SET relation = relation WHERE name = \'contact\'; UPDATE lead_scoring.source SET relation = relation WHERE record_type = \'contact\'';
my $owners = "SELECT string_agg(DISTINCT o, ' ') FROM (SELECT relation_owner AS o FROM lead_scoring.record_type WHERE name = 'contact' UNION SELECT relation_owner FROM lead_scoring.source WHERE record_type = 'contact' UNION SELECT criterion_owner FROM lead_scoring.rule WHERE score IN ('lead_score', 'draft')) n";
is(as($alice, "DELETE FROM lead_scoring.source WHERE name = 'watched'; DELETE FROM lead_scoring.rule WHERE score = 'lead_score' AND criterion LIKE '%crm.%'"), '', 'what the next owner could not read is gone');
for my $new ($oscar, $alice)
{
	my $old = $new eq $oscar ? $alice : $oscar;
	is(as($superuser, "ALTER TABLE crm.contacts OWNER TO $new; ALTER TABLE crm.activities OWNER TO $new"), '', "both relations go to $new");
	is(join(' ', states([ @calls[ 0 .. 6 ] ], @in, user => $_)), '42501 42501 42501 42501 42501 42501 42501', "both: refused to $_ before the confirmation") for $superuser, $new;
	like(as($old, $confirm_all), qr/^42501/, 'both: the old owner cannot confirm');
	is(as($new, $confirm_all), '', 'both: the new owner confirms while the score is active');
	is(as($new, "$owners; SELECT count(*) FROM lead_scoring.verify('lead_score')"), "$new\n0", '... everything');
	is(join(' ', states([ @calls[ 0 .. 6 ] ], @in, user => $new)), join(' ', ('00000') x 7), '... and may all');
}

# The catalogue
is(result(<<'SQL', @in), '', 'PUBLIC has no right but to read and write rows');
SELECT c.relname, a.privilege_type FROM pg_class c, aclexplode(coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner))) a
 WHERE c.relnamespace = 'lead_scoring'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND a.grantee <> c.relowner AND a.privilege_type NOT IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'USAGE')
UNION ALL SELECT nspname, privilege_type FROM pg_namespace n, aclexplode(n.nspacl) a WHERE nspname = 'lead_scoring' AND a.grantee <> nspowner AND privilege_type <> 'USAGE'
SQL
is(join(' ', states(
	[
		map({ "CREATE TRIGGER t BEFORE INSERT ON lead_scoring.$_ FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()" } sort keys %write), map({ "ALTER TABLE lead_scoring.$_ DISABLE TRIGGER ALL" } sort keys %write), map({ "TRUNCATE lead_scoring.$_" } sort keys %write),
		map({ "CREATE RULE r AS ON INSERT TO lead_scoring.$_ DO ALSO SELECT 1" } sort keys %write), 'CREATE TABLE crm.child (score text REFERENCES lead_scoring.score (name))', 'CREATE TABLE lead_scoring.t ()', 'CREATE FUNCTION lead_scoring.f() RETURNS int LANGUAGE sql AS \'SELECT 1\'',
		'CREATE TABLE crm.child () INHERITS (lead_scoring.rule)', 'SELECT setval(\'lead_scoring.scope_scope_id_seq\', 1)', 'CREATE TRIGGER t BEFORE INSERT ON crm.sheet FOR EACH ROW EXECUTE FUNCTION lead_scoring.resolve_expressions(\'id\')',
		'CREATE TRIGGER t BEFORE INSERT ON crm.sheet FOR EACH ROW EXECUTE FUNCTION lead_scoring.check_rule()'
	], @in, user => $alice)), join(' ', ('42501') x 59), 'nothing can be planted in the schema');
is(result("SELECT proname FROM pg_proc WHERE pronamespace = 'lead_scoring'::regnamespace AND (prosecdef OR prolang IN (SELECT oid FROM pg_language WHERE lanname IN ('sql', 'plpgsql')) AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (proconfig), false))", @in), '', 'no function has its definer\'s rights, none an open search path');
is(result("SELECT proname FROM pg_proc WHERE pronamespace = 'lead_scoring'::regnamespace AND prorettype = 'trigger'::regtype AND has_function_privilege('$bob', oid, 'EXECUTE') AND proname NOT IN ('fill', 'flush', 'guard', 'hold', 'touch')", @in), '', 'trigger functions are not for PUBLIC, but for those that owners of tables attach');
is(result("SELECT string_agg(nspname, ' ') FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE extname = 'lead_scoring' AND nspname NOT IN ('pg_catalog', 'lead_scoring')", @in), '', 'the extension hangs on no schema that belongs to others');

# Every function with NULL for every argument and with random arguments
my $attack = <<'SQL';
CREATE TABLE pg_temp.outcome (call text, state text, message text);
DO $attack$
DECLARE
  samples jsonb := $j${
    "text": ["NULL", "''", "'lead_score'", "'draft'", "'thing_score'", "'contact'", "'1'", "'activity'", "'closing'", "'no such'", "repeat('x', 100000)", "'a\"b''c; DROP TABLE x'", "'%s %I $1 \\'", "E'\\n'", "'größe'", "'active'"],
    "name": ["NULL", "''", "'id'", "'no such'", "'ctid'", "repeat('x', 100)"],
    "timestamp with time zone": ["NULL", "now()", "'infinity'", "'-infinity'", "'4714-11-24 BC'", "'294276-12-31'", "'epoch'"],
    "timestamp with time zone[]": ["NULL", "'{}'", "'{NULL}'", "'{2026-01-01,2026-02-01}'", "'{infinity}'", "'{{2026-01-01},{2026-02-01}}'"],
    "boolean": ["NULL", "true", "false"],
    "lead_scoring.decaying_total": ["NULL", "'v1;604800000000;1.5;3;0;1'", "'v1;604800000000;-1.5;3;0;1'", "'v1;86400000000;1.5;3;0;1'"],
    "lead_scoring.tier_sample": ["NULL", "'v1;4;0;0;3;1 2 3 ;'"],
    "double precision[]": ["NULL", "'{}'", "'{NULL}'", "'{3,2,1}'", "'{1,2,3}'", "'{NaN,infinity}'", "'{{1,2},{3,4}}'", "'[5:6]={2,1}'"],
    "boolean[]": ["NULL", "'{}'", "'{NULL}'", "'{t,f,t}'", "'{t,f}'", "'{{t,f},{f,t}}'", "'[5:6]={t,f}'"],
    "bytea": ["NULL", "''", "'x'", "lead_scoring.auc_trans(lead_scoring.auc_trans(NULL, 1, true), 2, false)", "lead_scoring.auc_trans(NULL, 1, true)", "lead_scoring.brier_trans(NULL, 0.3, true)", "set_byte(lead_scoring.log_loss_trans(NULL, 0.3, true), 20, 255)", "set_byte(lead_scoring.auc_trans(NULL, 1, true), 15, 127)"],
    "interval": ["NULL", "'7 days'", "'0'", "'-1 day'", "'1 month'", "'178000000 years'", "'1 microsecond'"],
    "integer": ["NULL", "0", "1", "-1", "10", "1000", "1001", "2147483647", "(-2147483648)"],
    "bigint": ["NULL", "0", "1", "-1", "1000", "9223372036854775807", "(-9223372036854775808)"],
    "text[]": ["NULL", "'{}'", "'{NULL}'", "'{1,2,NULL}'", "'{{1,2},{3,4}}'", "'{no key}'", "'{lead_score,draft,thing_score}'", "'[5:6]={1,2}'", "array_fill('1'::text, '{1000}')"],
    "regclass": ["NULL", "0", "4294967295", "'pg_class'", "'crm.contacts'", "'lead_scoring.rule'", "'lead_scoring.rule_pkey'", "'pg_temp.outcome'"],
    "double precision": ["NULL", "0", "'NaN'", "'infinity'", "'-infinity'", "1e308", "-1"],
    "tid": ["NULL", "'(0,1)'", "'(4294967295,65535)'"],
    "oid": ["NULL", "0", "23", "25", "4294967295", "2205"],
    "integer[]": ["NULL", "'{}'", "'{NULL}'", "'{1,2,3,4,5}'", "'{0}'", "'{{6,7}}'", "'[-2147483648:-2147483647]={8,-2147483648}'"],
    "time without time zone": ["NULL", "'00:00'", "'24:00'", "'09:00'", "'23:59:59.999999'"],
    "\"any\"": ["NULL", "''", "'x'", "1", "now()", "'{}'::text[]", "'{\"a\": []}'::jsonb", "'null'::json", "NULL::int", "ROW(1, NULL)", "VARIADIC '{a,NULL}'::text[]", "'pg_class'::regclass"],
    "anyelement": ["NULL::crm.contacts", "(SELECT x FROM crm.contacts x WHERE id = 3)", "ROW(9, NULL, NULL, NULL, NULL, NULL)::crm.contacts", "1", "ROW(1, NULL)", "'{}'::text[]", "(SELECT x FROM lead_scoring.model x)"],
    "cstring": ["NULL", "''::cstring", "'50% per month'::cstring", "'half-life 1e300 days'::cstring", "'half-life 7 days after'::cstring", "repeat('%', 10000)::cstring"],
    "jsonb": ["NULL", "'{}'", "'[]'", "'null'", "'1'", "'\"industry\"'", "'{\"type\": \"CONSTANT\", \"value\": 1}'", "'{\"format\": 1, \"record_type\": {\"name\": \"contact\"}, \"score\": {\"name\": \"x\"}, \"rules\": [{}]}'", "'{\"groupConfigs\": [{\"ruleConfigurations\": [{}]}, 1]}'", "'{\"name\": \"x\", \"score\": \"lead_score\", \"relation\": \"crm.contacts\", \"criterion\": \"a b\"}'", "lead_scoring.export_score('lead_score')"],
    "jsonb[]": ["NULL", "'{}'", "ARRAY['{\"points\": 5, \"counting\": \"each\"}', '{}', 'null', '[]']::jsonb[]"],
    "numeric": ["NULL", "0", "-1", "1e300", "'NaN'"],
    "\"char\"": ["NULL", "'S'", "'A'", "'N'", "'D'", "''"],
    "lead_scoring.decay": ["NULL", "'50% per month'", "'half-life 7 days after 3 days'", "'100% per 90 days'", "'20% per 72 hours exponential'"],
    "lead_scoring.record_type": ["NULL", "(SELECT x FROM lead_scoring.record_type x LIMIT 1)", "jsonb_populate_record(NULL::lead_scoring.record_type, '{}')"],
    "lead_scoring.source": ["NULL", "(SELECT x FROM lead_scoring.source x LIMIT 1)", "jsonb_populate_record(NULL::lead_scoring.source, '{}')"],
    "lead_scoring.score": ["NULL", "(SELECT x FROM lead_scoring.score x LIMIT 1)", "jsonb_populate_record(NULL::lead_scoring.score, '{}')"],
    "lead_scoring.rule": ["NULL", "(SELECT x FROM lead_scoring.rule x LIMIT 1)", "jsonb_populate_record(NULL::lead_scoring.rule, '{}')"],
    "lead_scoring.band": ["NULL", "(SELECT x FROM lead_scoring.band x LIMIT 1)", "jsonb_populate_record(NULL::lead_scoring.band, '{}')"],
    "lead_scoring.model": ["NULL", "(SELECT x FROM lead_scoring.model x LIMIT 1)", "jsonb_populate_record(NULL::lead_scoring.model, '{}')"],
    "lead_scoring.feature": ["NULL", "(SELECT x FROM lead_scoring.feature x LIMIT 1)", "jsonb_populate_record(NULL::lead_scoring.feature, '{}')"],
    "lead_scoring.model_version": ["NULL", "(SELECT x FROM lead_scoring.model_version x LIMIT 1)", "jsonb_populate_record(NULL::lead_scoring.model_version, '{}')"],
    "lead_scoring.model_versions": ["NULL", "(SELECT x FROM lead_scoring.model_versions x LIMIT 1)", "jsonb_populate_record(NULL::lead_scoring.model_versions, '{}')"],
    "lead_scoring.alert": ["NULL", "(SELECT x FROM lead_scoring.alert x LIMIT 1)", "jsonb_populate_record(NULL::lead_scoring.alert, '{\"above\": 5}')"]
  }$j$;
  f record;
  call text;
  chosen text[];
  counter int;
BEGIN
  PERFORM setseed(SEED);
  FOR f IN SELECT p.oid, p.proname, p.prokind, array(SELECT format_type(t, NULL) FROM unnest(p.proargtypes) WITH ORDINALITY u (t, n) ORDER BY n) AS types
             FROM pg_proc p WHERE p.pronamespace = 'lead_scoring'::regnamespace AND p.prorettype <> 'trigger'::regtype AND 'internal'::regtype <> ALL (p.proargtypes::oid[]) ORDER BY p.oid::regprocedure::text
  LOOP
    FOR round IN 0 .. cardinality(f.types) + CASE WHEN cardinality(f.types) = 0 THEN 0 WHEN f.proname LIKE 'decay%' THEN 8 ELSE 14 END LOOP
      chosen := '{}';
      FOR at IN 1 .. cardinality(f.types) LOOP
        IF NOT samples ? f.types[at] THEN
          RAISE 'no samples for %', f.types[at];
        END IF;
        counter := CASE WHEN round = 0 OR round = at THEN 0 WHEN random() < 0.05 THEN 0 ELSE 1 + floor(random() * (jsonb_array_length(samples -> f.types[at]) - 1)) END;
        chosen := chosen || format(CASE WHEN f.types[at] IN ('"any"', 'anyelement') THEN '%s' ELSE '(%s)::%s' END, samples -> f.types[at] ->> counter, f.types[at]);
      END LOOP;
      call := format(CASE f.prokind WHEN 'a' THEN 'SELECT to_json(lead_scoring.%I(%s))::text FROM generate_series(1, 5)'
                                    WHEN 'w' THEN 'SELECT count(to_json(x)::text) FROM (SELECT lead_scoring.%I(%s) OVER (ORDER BY i) AS x FROM generate_series(1, 5) i) w'
                                    ELSE 'SELECT count(to_json(x)::text) FROM lead_scoring.%I(%s) x' END, f.proname, array_to_string(chosen, ', '));
      BEGIN
        EXECUTE call;
        INSERT INTO pg_temp.outcome VALUES (call, '00000');
      EXCEPTION WHEN OTHERS THEN
        INSERT INTO pg_temp.outcome VALUES (call, SQLSTATE, SQLERRM);
      END;
    END LOOP;
  END LOOP;
END $attack$;
SELECT count(*) > 500, count(DISTINCT state) > 5 FROM pg_temp.outcome;
-- Errors that no code foresaw
SELECT DISTINCT ON (substring(call FROM 'lead_scoring\.\w+'), state, regexp_replace(message, '\d+', '', 'g')) state || ' ' || left(message, 100) || ': ' || left(call, 200)
  FROM pg_temp.outcome WHERE state ~ '^(XX|57|42601)' OR message LIKE 'RAISE statement%';
SQL
my $seed = 0;
sub attack
{
	# other calls each time
	$seed += 0.1;
	return $attack =~ s/SEED/$seed/r;
}
for my $who ($bob, $carol, $alice, $superuser)
{
	my $before = as($superuser, $stored);
	is(as($who, 'BEGIN; ' . attack() . ' ROLLBACK'), 't|t', "calls with NULL and with random arguments by $who");
	as($superuser, "SELECT lead_scoring.refresh('lead_score', '$as_of')");
}
is(as($bob, attack()), 't|t', 'and once more, in a transaction that is committed');
is(as($superuser, "SELECT name, status FROM lead_scoring.score ORDER BY 1"), "draft|draft\nlead_score|active\nthing_score|draft", '... by whom nothing changed');
is(as($superuser, "SELECT lead_scoring.refresh('lead_score', '$as_of') >= 0, (SELECT count(*) FROM lead_scoring.verify('lead_score', '$as_of'))"), 't|0', '... and the scores are right');

server_survived();
done_testing();
