-- Points decayed to an instant, in any query.

CREATE FUNCTION lead_scoring.decayed(points double precision, occurred_at timestamptz, decay lead_scoring.decay, as_of timestamptz)
RETURNS double precision
  AS 'MODULE_PATHNAME', 'lead_scoring_decayed' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION lead_scoring.decayed(double precision, timestamptz, lead_scoring.decay, timestamptz) IS
  'Points of one event, decayed to an instant: points * share, the share by age / period as the decay says (see type decay). 0 for an event later than as_of; one at -infinity is infinitely old. Raises 22003 for points that are not finite, 22023 for an as_of that is not';

CREATE FUNCTION lead_scoring.decay_sum_trans(double precision, points double precision, occurred_at timestamptz, decay lead_scoring.decay, as_of timestamptz)
RETURNS double precision
  AS 'MODULE_PATHNAME', 'lead_scoring_decay_sum_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION lead_scoring.decay_sum_trans(double precision, double precision, timestamptz, lead_scoring.decay, timestamptz) IS
  'Transition of decay_sum';
CREATE AGGREGATE lead_scoring.decay_sum(points double precision, occurred_at timestamptz, decay lead_scoring.decay, as_of timestamptz) (
  SFUNC = lead_scoring.decay_sum_trans,
  STYPE = double precision,
  COMBINEFUNC = pg_catalog.float8pl,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE lead_scoring.decay_sum(double precision, timestamptz, lead_scoring.decay, timestamptz) IS
  'Sum of the points of events, each decayed to an instant on its own: sum(decayed(points, occurred_at, decay, as_of)). Rows with a NULL do not count; NULL without any other';

CREATE FUNCTION lead_scoring.decay_count_trans(double precision, occurred_at timestamptz, decay lead_scoring.decay, as_of timestamptz)
RETURNS double precision
  AS 'MODULE_PATHNAME', 'lead_scoring_decay_count_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION lead_scoring.decay_count_trans(double precision, timestamptz, lead_scoring.decay, timestamptz) IS
  'Transition of decay_count';
CREATE AGGREGATE lead_scoring.decay_count(occurred_at timestamptz, decay lead_scoring.decay, as_of timestamptz) (
  SFUNC = lead_scoring.decay_count_trans,
  STYPE = double precision,
  COMBINEFUNC = pg_catalog.float8pl,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE lead_scoring.decay_count(timestamptz, lead_scoring.decay, timestamptz) IS
  'Number of events, each counting what is left of it: decay_sum with 1 point each';
