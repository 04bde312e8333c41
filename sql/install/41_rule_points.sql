-- What rules give to records: explain, of many records at once.

CREATE FUNCTION lead_scoring.rule_points(
  score text, as_of timestamptz DEFAULT now(), keys text[] DEFAULT NULL,
  OUT record_key text, OUT rule text, OUT matched bigint, OUT points double precision, OUT pays boolean)
RETURNS SETOF record
  AS 'MODULE_PATHNAME', 'lead_scoring_rule_points' LANGUAGE C STABLE PARALLEL UNSAFE ROWS 100000;
COMMENT ON FUNCTION lead_scoring.rule_points(text, timestamptz, text[]) IS
  'What each enabled rule gives each record in scope, or those whose keys are given, as of an instant: how many rows matched, the points after decay and before any limit (of a multiplier what it adds), and whether it pays: whether there are points, or a multiplier is at work. Raises 42809 for a likelihood, which has no rules';

CREATE FUNCTION lead_scoring.subtotals(
  score text, as_of timestamptz DEFAULT now(), keys text[] DEFAULT NULL,
  OUT record_key text, OUT total double precision, OUT positive double precision, OUT negative double precision,
  OUT limits double precision, OUT adjustment double precision)
RETURNS SETOF record
  AS 'MODULE_PATHNAME', 'lead_scoring_subtotals' LANGUAGE C STABLE PARALLEL UNSAFE ROWS 100000;
COMMENT ON FUNCTION lead_scoring.subtotals(text, timestamptz, text[]) IS
  'The total of each record, or those whose keys are given, as of an instant, and what it is made of: points of the rules that add, of those that take away (of a multiplier what it adds or takes away), what limits and weights made of these sums, and points by hand. total = positive + negative + limits + adjustment, as far as double precision reaches; all rounded to 4 decimals; NULL for records out of scope. Raises 42809 for a likelihood, which has no rules';
