\echo Use "CREATE EXTENSION lead_scoring" to load this file. \quit

-- Nothing that a user may have planted in another schema is ever found by this script.
SET LOCAL search_path TO pg_catalog, pg_temp;

CREATE SCHEMA lead_scoring;
COMMENT ON SCHEMA lead_scoring IS 'Lead scoring: definitions are rows of its tables, evaluate() and activate() compute and keep the scores';
