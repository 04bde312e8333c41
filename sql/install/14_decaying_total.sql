-- decaying_total: a sum that halves with every half-life, to be stored, merged and indexed.

CREATE TYPE lead_scoring.decaying_total;

CREATE FUNCTION lead_scoring.decaying_total_in(cstring) RETURNS lead_scoring.decaying_total
  AS 'MODULE_PATHNAME', 'lead_scoring_decaying_total_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION lead_scoring.decaying_total_out(lead_scoring.decaying_total) RETURNS cstring
  AS 'MODULE_PATHNAME', 'lead_scoring_decaying_total_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION lead_scoring.decaying_total_recv(internal) RETURNS lead_scoring.decaying_total
  AS 'MODULE_PATHNAME', 'lead_scoring_decaying_total_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION lead_scoring.decaying_total_send(lead_scoring.decaying_total) RETURNS bytea
  AS 'MODULE_PATHNAME', 'lead_scoring_decaying_total_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE TYPE lead_scoring.decaying_total (
  INPUT = lead_scoring.decaying_total_in,
  OUTPUT = lead_scoring.decaying_total_out,
  RECEIVE = lead_scoring.decaying_total_recv,
  SEND = lead_scoring.decaying_total_send,
  INTERNALLENGTH = 48,
  ALIGNMENT = double
);
COMMENT ON TYPE lead_scoring.decaying_total IS
  'A total of points that halves with every half-life, kept so that it can be merged, and ordered by its value: that order never changes with time. 48 bytes';

CREATE FUNCTION lead_scoring.decaying_total_trans(lead_scoring.decaying_total, points double precision, occurred_at timestamptz, half_life interval)
RETURNS lead_scoring.decaying_total
  AS 'MODULE_PATHNAME', 'lead_scoring_decaying_total_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION lead_scoring.decaying_total_trans(lead_scoring.decaying_total, double precision, timestamptz, interval) IS
  'Transition of the aggregate decaying_total; also adds one event to a stored total';
CREATE FUNCTION lead_scoring.decaying_total_combine(lead_scoring.decaying_total, lead_scoring.decaying_total) RETURNS lead_scoring.decaying_total
  AS 'MODULE_PATHNAME', 'lead_scoring_decaying_total_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION lead_scoring.decaying_total_combine(lead_scoring.decaying_total, lead_scoring.decaying_total) IS
  'Merges two states of the aggregates decaying_total and rollup';

CREATE AGGREGATE lead_scoring.decaying_total(points double precision, occurred_at timestamptz, half_life interval) (
  SFUNC = lead_scoring.decaying_total_trans,
  STYPE = lead_scoring.decaying_total,
  COMBINEFUNC = lead_scoring.decaying_total_combine,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE lead_scoring.decaying_total(double precision, timestamptz, interval) IS
  'Total of points that halves with every half-life (a month is 30 days). Rows with a NULL and events at infinity do not count; one at -infinity counts as an event without points. Raises 22023 for a half-life below a millisecond or that varies, 22003 for points that are not finite';

CREATE AGGREGATE lead_scoring.rollup(total lead_scoring.decaying_total) (
  SFUNC = lead_scoring.decaying_total_combine,
  STYPE = lead_scoring.decaying_total,
  COMBINEFUNC = lead_scoring.decaying_total_combine,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE lead_scoring.rollup(lead_scoring.decaying_total) IS
  'Sum of totals of the same half-life; raises 22023 if half-lives differ';

CREATE FUNCTION lead_scoring.decaying_total_add(lead_scoring.decaying_total, lead_scoring.decaying_total) RETURNS lead_scoring.decaying_total
  AS 'MODULE_PATHNAME', 'lead_scoring_decaying_total_add' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION lead_scoring.decaying_total_add(lead_scoring.decaying_total, lead_scoring.decaying_total) IS
  'Sum of two totals of the same half-life';
CREATE OPERATOR lead_scoring.+ (
  LEFTARG = lead_scoring.decaying_total, RIGHTARG = lead_scoring.decaying_total,
  FUNCTION = lead_scoring.decaying_total_add, COMMUTATOR = OPERATOR(lead_scoring.+)
);

CREATE FUNCTION lead_scoring.value_at(total lead_scoring.decaying_total, instant timestamptz) RETURNS double precision
  AS 'MODULE_PATHNAME', 'lead_scoring_value_at' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION lead_scoring.value_at(lead_scoring.decaying_total, timestamptz) IS
  'Value of a total at an instant: sum of points * 0.5 ^ (age / half_life). An instant before the newest event counts as that event''s time; a value beyond the largest double is given as that. Raises 22023 for an instant that is not finite';
CREATE FUNCTION lead_scoring.half_life(total lead_scoring.decaying_total) RETURNS interval
  AS 'MODULE_PATHNAME', 'lead_scoring_half_life' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION lead_scoring.half_life(lead_scoring.decaying_total) IS 'Half-life of a total';
CREATE FUNCTION lead_scoring.newest_event(total lead_scoring.decaying_total) RETURNS timestamptz
  AS 'MODULE_PATHNAME', 'lead_scoring_newest_event' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION lead_scoring.newest_event(lead_scoring.decaying_total) IS 'Time of the newest event of a total; NULL if it has none with a finite time';
CREATE FUNCTION lead_scoring.event_count(total lead_scoring.decaying_total) RETURNS bigint
  AS 'MODULE_PATHNAME', 'lead_scoring_event_count' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION lead_scoring.event_count(lead_scoring.decaying_total) IS 'Number of events of a total';

-- Ordered by half-life, then by value: of two totals with the same half-life the larger one stays the larger one, so an
-- index on such a column gives the best records of any day.
CREATE FUNCTION lead_scoring.decaying_total_cmp(lead_scoring.decaying_total, lead_scoring.decaying_total) RETURNS integer
  AS 'MODULE_PATHNAME', 'lead_scoring_decaying_total_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION lead_scoring.decaying_total_eq(lead_scoring.decaying_total, lead_scoring.decaying_total) RETURNS boolean
  AS 'MODULE_PATHNAME', 'lead_scoring_decaying_total_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION lead_scoring.decaying_total_ne(lead_scoring.decaying_total, lead_scoring.decaying_total) RETURNS boolean
  AS 'MODULE_PATHNAME', 'lead_scoring_decaying_total_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION lead_scoring.decaying_total_lt(lead_scoring.decaying_total, lead_scoring.decaying_total) RETURNS boolean
  AS 'MODULE_PATHNAME', 'lead_scoring_decaying_total_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION lead_scoring.decaying_total_le(lead_scoring.decaying_total, lead_scoring.decaying_total) RETURNS boolean
  AS 'MODULE_PATHNAME', 'lead_scoring_decaying_total_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION lead_scoring.decaying_total_gt(lead_scoring.decaying_total, lead_scoring.decaying_total) RETURNS boolean
  AS 'MODULE_PATHNAME', 'lead_scoring_decaying_total_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION lead_scoring.decaying_total_ge(lead_scoring.decaying_total, lead_scoring.decaying_total) RETURNS boolean
  AS 'MODULE_PATHNAME', 'lead_scoring_decaying_total_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE OPERATOR lead_scoring.= (
  LEFTARG = lead_scoring.decaying_total, RIGHTARG = lead_scoring.decaying_total, FUNCTION = lead_scoring.decaying_total_eq,
  COMMUTATOR = OPERATOR(lead_scoring.=), NEGATOR = OPERATOR(lead_scoring.<>),
  RESTRICT = eqsel, JOIN = eqjoinsel, MERGES
);
CREATE OPERATOR lead_scoring.<> (
  LEFTARG = lead_scoring.decaying_total, RIGHTARG = lead_scoring.decaying_total, FUNCTION = lead_scoring.decaying_total_ne,
  COMMUTATOR = OPERATOR(lead_scoring.<>), NEGATOR = OPERATOR(lead_scoring.=),
  RESTRICT = neqsel, JOIN = neqjoinsel
);
CREATE OPERATOR lead_scoring.< (
  LEFTARG = lead_scoring.decaying_total, RIGHTARG = lead_scoring.decaying_total, FUNCTION = lead_scoring.decaying_total_lt,
  COMMUTATOR = OPERATOR(lead_scoring.>), NEGATOR = OPERATOR(lead_scoring.>=),
  RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
CREATE OPERATOR lead_scoring.<= (
  LEFTARG = lead_scoring.decaying_total, RIGHTARG = lead_scoring.decaying_total, FUNCTION = lead_scoring.decaying_total_le,
  COMMUTATOR = OPERATOR(lead_scoring.>=), NEGATOR = OPERATOR(lead_scoring.>),
  RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
CREATE OPERATOR lead_scoring.> (
  LEFTARG = lead_scoring.decaying_total, RIGHTARG = lead_scoring.decaying_total, FUNCTION = lead_scoring.decaying_total_gt,
  COMMUTATOR = OPERATOR(lead_scoring.<), NEGATOR = OPERATOR(lead_scoring.<=),
  RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
CREATE OPERATOR lead_scoring.>= (
  LEFTARG = lead_scoring.decaying_total, RIGHTARG = lead_scoring.decaying_total, FUNCTION = lead_scoring.decaying_total_ge,
  COMMUTATOR = OPERATOR(lead_scoring.<=), NEGATOR = OPERATOR(lead_scoring.<),
  RESTRICT = scalargesel, JOIN = scalargejoinsel
);

CREATE OPERATOR CLASS lead_scoring.decaying_total_ops DEFAULT FOR TYPE lead_scoring.decaying_total USING btree AS
  OPERATOR 1 lead_scoring.<,
  OPERATOR 2 lead_scoring.<=,
  OPERATOR 3 lead_scoring.=,
  OPERATOR 4 lead_scoring.>=,
  OPERATOR 5 lead_scoring.>,
  FUNCTION 1 lead_scoring.decaying_total_cmp(lead_scoring.decaying_total, lead_scoring.decaying_total);
