-- Helpers for criteria and values: free e-mail domains, keywords, completeness, business hours, comparison with peers.

-- Two tables, so that a dump holds what users have said and nothing else, and a later version of the shipped list meets no
-- row of theirs when the dump is restored. Byte order, so that no locale decides which domains are the same.
CREATE TABLE lead_scoring.free_email_domain (
  domain  text COLLATE "C" PRIMARY KEY,
  is_free boolean NOT NULL DEFAULT true
);
COMMENT ON TABLE lead_scoring.free_email_domain IS 'What this database says about free-mail domains: it wins over shipped_free_email_domain. Scores that use is_free_email follow at their next refresh';
COMMENT ON COLUMN lead_scoring.free_email_domain.domain IS 'Domain, stored in lower case; its subdomains are not included';
COMMENT ON COLUMN lead_scoring.free_email_domain.is_free IS 'Whether it is one of a free-mail service; false takes a shipped domain off';
SELECT pg_extension_config_dump('lead_scoring.free_email_domain', '');

CREATE TABLE lead_scoring.shipped_free_email_domain (
  domain text COLLATE "C" PRIMARY KEY
);
COMMENT ON TABLE lead_scoring.shipped_free_email_domain IS 'Free-mail domains that come with the extension; not dumped, and replaced by updates of the extension: write to free_email_domain instead';
COMMENT ON COLUMN lead_scoring.shipped_free_email_domain.domain IS 'Domain, in lower case';

INSERT INTO lead_scoring.shipped_free_email_domain (domain) VALUES
  ('gmail.com'), ('googlemail.com'),
  ('outlook.com'), ('outlook.de'), ('outlook.fr'), ('hotmail.com'), ('hotmail.co.uk'), ('hotmail.de'),
  ('hotmail.es'), ('hotmail.fr'), ('hotmail.it'), ('live.com'), ('live.co.uk'), ('live.fr'), ('live.nl'), ('msn.com'),
  ('yahoo.com'), ('yahoo.ca'), ('yahoo.co.in'), ('yahoo.co.jp'), ('yahoo.co.uk'), ('yahoo.com.ar'), ('yahoo.com.au'),
  ('yahoo.com.br'), ('yahoo.com.mx'), ('yahoo.de'), ('yahoo.es'), ('yahoo.fr'), ('yahoo.it'), ('ymail.com'),
  ('rocketmail.com'), ('aol.com'),
  ('icloud.com'), ('me.com'), ('mac.com'),
  ('proton.me'), ('protonmail.com'), ('pm.me'), ('tuta.io'), ('tutamail.com'), ('tutanota.com'),
  ('gmx.at'), ('gmx.ch'), ('gmx.com'), ('gmx.de'), ('gmx.net'), ('web.de'), ('freenet.de'), ('t-online.de'), ('mail.com'),
  ('zohomail.com'),
  ('free.fr'), ('laposte.net'), ('orange.fr'), ('sfr.fr'), ('wanadoo.fr'),
  ('alice.it'), ('libero.it'), ('tiscali.it'), ('virgilio.it'),
  ('interia.pl'), ('o2.pl'), ('onet.pl'), ('wp.pl'), ('centrum.cz'), ('seznam.cz'),
  ('freemail.hu'), ('abv.bg'), ('ukr.net'),
  ('bk.ru'), ('inbox.ru'), ('list.ru'), ('mail.ru'), ('rambler.ru'), ('ya.ru'), ('yandex.com'), ('yandex.ru'),
  ('126.com'), ('139.com'), ('163.com'), ('foxmail.com'), ('qq.com'),
  ('sina.com'), ('sohu.com'), ('yeah.net'),
  ('daum.net'), ('hanmail.net'), ('nate.com'), ('naver.com'), ('rediffmail.com'),
  ('bol.com.br'), ('ig.com.br'), ('terra.com.br'), ('uol.com.br'),
  ('att.net'), ('btinternet.com'), ('comcast.net'), ('cox.net'), ('sbcglobal.net'), ('verizon.net');

CREATE FUNCTION lead_scoring.email_domain(email text) RETURNS text
  AS 'MODULE_PATHNAME', 'lead_scoring_email_domain' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION lead_scoring.email_domain(text) IS
  'Domain of an e-mail address, that is what stands behind its last @, in lower case (ASCII letters) and without a final dot; also of an address in angle brackets, as in Ada <ada@x.example>, and with white space around it. NULL for a text that is not one address with a domain name';

CREATE FUNCTION lead_scoring.is_free_email(email text) RETURNS boolean
  AS 'MODULE_PATHNAME', 'lead_scoring_is_free_email' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION lead_scoring.is_free_email(text) IS
  'Whether the email_domain of an address is in free_email_domain with is_free, or in shipped_free_email_domain and not in free_email_domain; subdomains are not included. NULL where email_domain is NULL';

CREATE FUNCTION lead_scoring.check_free_email_domain() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  -- A domain is what can stand behind an @
  domain text := lead_scoring.email_domain('x@' || btrim(NEW.domain, E' \t\n\x0b\f\r'));
BEGIN
  IF domain IS NULL THEN
    RAISE EXCEPTION 'not an e-mail domain: "%"', NEW.domain USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Write what stands behind the @, such as gmail.com.';
  END IF;
  NEW.domain := domain;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION lead_scoring.check_free_email_domain() IS 'Checks a row of free_email_domain and writes its domain in lower case';
CREATE TRIGGER a_check BEFORE INSERT OR UPDATE ON lead_scoring.free_email_domain
  FOR EACH ROW EXECUTE FUNCTION lead_scoring.check_free_email_domain();

-- Criteria run as the owners of relations, whoever these are, so that everybody reads the lists. They serve all scores of the
-- database: who may write the first one is for the extension's owner to grant.
GRANT SELECT ON lead_scoring.free_email_domain, lead_scoring.shipped_free_email_domain TO PUBLIC;
REVOKE EXECUTE ON FUNCTION lead_scoring.check_free_email_domain() FROM PUBLIC;

CREATE FUNCTION lead_scoring.keyword_hits(body text, keywords text[]) RETURNS integer
  AS 'MODULE_PATHNAME', 'lead_scoring_keyword_hits' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION lead_scoring.keyword_hits(text, text[]) IS
  'How often any of the keywords stands in the text as a whole: neither the character before nor the one behind it is a letter, digit or underscore (\w of regular expressions). Case does not matter: characters are the same if lower(upper(character)) is. A run of white space (\s, or as Unicode has it) in a keyword matches any run of white space; at its ends it does not count. Hits are counted from left to right and do not overlap; of keywords that begin at one place the longest that fits is taken. NULL and empty keywords are ignored. Raises 54000 for a keyword of more than 1000 characters';

CREATE FUNCTION lead_scoring.completeness(VARIADIC "any") RETURNS double precision
  AS 'MODULE_PATHNAME', 'lead_scoring_completeness' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION lead_scoring.completeness("any") IS
  'Share of the arguments, or of the elements of a VARIADIC array, that are filled in, 0 to 1. Not filled in are NULL; texts without anything but white space (as Unicode has it); arrays without elements; of json and jsonb null, {}, [] and strings without anything but white space. NULL for an array that is NULL or has no elements';

CREATE FUNCTION lead_scoring.in_business_hours(
  at timestamptz, time_zone text DEFAULT 'UTC', opens time DEFAULT '09:00', closes time DEFAULT '17:00',
  days integer[] DEFAULT '{1,2,3,4,5}')
RETURNS boolean
  AS 'MODULE_PATHNAME', 'lead_scoring_in_business_hours' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION lead_scoring.in_business_hours(timestamptz, text, time, time, integer[]) IS
  'Whether the clocks of a time zone show a time from opens (included) to closes (not included) on one of these weekdays, 1 for Monday to 7 for Sunday. Hours that close before they open last into the next day and belong to the weekday on which they open; opens = closes is the whole day, from midnight to midnight. false for +-infinity. Raises 22023 for an unknown time zone or weekday';

CREATE FUNCTION lead_scoring.peer_ratio(value double precision) RETURNS double precision
  AS 'MODULE_PATHNAME', 'lead_scoring_peer_ratio' LANGUAGE C WINDOW IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION lead_scoring.peer_ratio(double precision) IS
  'The value divided by the mean of its peers: all rows of the window''s partition, whatever its order and frame, whose value is a finite number. NULL for a value that is NULL or not finite, and where the mean is 0. The sum behind the mean is exact, so the order of the rows changes no digit';
