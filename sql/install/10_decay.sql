-- The decay type: how an event's points fade with its age.

CREATE TYPE lead_scoring.decay;

CREATE FUNCTION lead_scoring.decay_in(cstring) RETURNS lead_scoring.decay
  AS 'MODULE_PATHNAME', 'lead_scoring_decay_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION lead_scoring.decay_out(lead_scoring.decay) RETURNS cstring
  AS 'MODULE_PATHNAME', 'lead_scoring_decay_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION lead_scoring.decay_recv(internal) RETURNS lead_scoring.decay
  AS 'MODULE_PATHNAME', 'lead_scoring_decay_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION lead_scoring.decay_send(lead_scoring.decay) RETURNS bytea
  AS 'MODULE_PATHNAME', 'lead_scoring_decay_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE TYPE lead_scoring.decay (
  INPUT = lead_scoring.decay_in,
  OUTPUT = lead_scoring.decay_out,
  RECEIVE = lead_scoring.decay_recv,
  SEND = lead_scoring.decay_send,
  INTERNALLENGTH = 32,
  ALIGNMENT = double
);
COMMENT ON TYPE lead_scoring.decay IS
  'How points fade with age: ''50% per month'' (linear, of the original points), ''50% per 30 days stepwise'', ''20% per 72 hours exponential'', ''half-life 7 days'', each with an optional ''after 3 days''. A month is 30 days, a year 360 days.';

CREATE FUNCTION lead_scoring.decay_cmp(lead_scoring.decay, lead_scoring.decay) RETURNS integer
  AS 'MODULE_PATHNAME', 'lead_scoring_decay_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION lead_scoring.decay_eq(lead_scoring.decay, lead_scoring.decay) RETURNS boolean
  AS 'MODULE_PATHNAME', 'lead_scoring_decay_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION lead_scoring.decay_ne(lead_scoring.decay, lead_scoring.decay) RETURNS boolean
  AS 'MODULE_PATHNAME', 'lead_scoring_decay_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION lead_scoring.decay_lt(lead_scoring.decay, lead_scoring.decay) RETURNS boolean
  AS 'MODULE_PATHNAME', 'lead_scoring_decay_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION lead_scoring.decay_le(lead_scoring.decay, lead_scoring.decay) RETURNS boolean
  AS 'MODULE_PATHNAME', 'lead_scoring_decay_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION lead_scoring.decay_gt(lead_scoring.decay, lead_scoring.decay) RETURNS boolean
  AS 'MODULE_PATHNAME', 'lead_scoring_decay_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION lead_scoring.decay_ge(lead_scoring.decay, lead_scoring.decay) RETURNS boolean
  AS 'MODULE_PATHNAME', 'lead_scoring_decay_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE OPERATOR lead_scoring.= (
  LEFTARG = lead_scoring.decay, RIGHTARG = lead_scoring.decay, FUNCTION = lead_scoring.decay_eq,
  COMMUTATOR = OPERATOR(lead_scoring.=), NEGATOR = OPERATOR(lead_scoring.<>),
  RESTRICT = eqsel, JOIN = eqjoinsel, MERGES
);
CREATE OPERATOR lead_scoring.<> (
  LEFTARG = lead_scoring.decay, RIGHTARG = lead_scoring.decay, FUNCTION = lead_scoring.decay_ne,
  COMMUTATOR = OPERATOR(lead_scoring.<>), NEGATOR = OPERATOR(lead_scoring.=),
  RESTRICT = neqsel, JOIN = neqjoinsel
);
CREATE OPERATOR lead_scoring.< (
  LEFTARG = lead_scoring.decay, RIGHTARG = lead_scoring.decay, FUNCTION = lead_scoring.decay_lt,
  COMMUTATOR = OPERATOR(lead_scoring.>), NEGATOR = OPERATOR(lead_scoring.>=),
  RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
CREATE OPERATOR lead_scoring.<= (
  LEFTARG = lead_scoring.decay, RIGHTARG = lead_scoring.decay, FUNCTION = lead_scoring.decay_le,
  COMMUTATOR = OPERATOR(lead_scoring.>=), NEGATOR = OPERATOR(lead_scoring.>),
  RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
CREATE OPERATOR lead_scoring.> (
  LEFTARG = lead_scoring.decay, RIGHTARG = lead_scoring.decay, FUNCTION = lead_scoring.decay_gt,
  COMMUTATOR = OPERATOR(lead_scoring.<), NEGATOR = OPERATOR(lead_scoring.<=),
  RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
CREATE OPERATOR lead_scoring.>= (
  LEFTARG = lead_scoring.decay, RIGHTARG = lead_scoring.decay, FUNCTION = lead_scoring.decay_ge,
  COMMUTATOR = OPERATOR(lead_scoring.<=), NEGATOR = OPERATOR(lead_scoring.<),
  RESTRICT = scalargesel, JOIN = scalargejoinsel
);

-- Lets DISTINCT, UNION, GROUP BY and comparisons of whole definition rows work.
CREATE OPERATOR CLASS lead_scoring.decay_ops DEFAULT FOR TYPE lead_scoring.decay USING btree AS
  OPERATOR 1 lead_scoring.<,
  OPERATOR 2 lead_scoring.<=,
  OPERATOR 3 lead_scoring.=,
  OPERATOR 4 lead_scoring.>=,
  OPERATOR 5 lead_scoring.>,
  FUNCTION 1 lead_scoring.decay_cmp(lead_scoring.decay, lead_scoring.decay);
