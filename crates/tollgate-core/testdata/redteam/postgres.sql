-- The lab of the red team on PostgreSQL: everything that the attacks of this folder are after, within their reach.
-- `@name@` becomes a string nobody can guess, `#name#` nine digits; both differ from one world to the other. A line that begins
-- with `--A ` is there in the first world only. What the role `agent` may see is the same in both.

DO $$ DECLARE wanted text; BEGIN
  FOREACH wanted IN ARRAY ARRAY['dblink','adminpack','tablefunc','pgcrypto','pageinspect','xml2','hstore','postgres_fdw','file_fdw',
      'pgstattuple','pgrowlocks','pg_prewarm','pg_visibility','pg_trgm','citext','ltree','intarray','lo','unaccent','fuzzystrmatch'] LOOP
    IF EXISTS (SELECT FROM pg_available_extensions WHERE name = wanted) THEN EXECUTE format('CREATE EXTENSION %I', wanted); END IF;
  END LOOP;
END $$;

CREATE TYPE mood AS ENUM ('calm', 'cross');
CREATE TYPE pair AS (l text, r text);

CREATE TABLE customers (id int PRIMARY KEY, tenant text NOT NULL, name text NOT NULL, email text NOT NULL, ssn text NOT NULL, salary int NOT NULL);
INSERT INTO customers VALUES
  (1, 't0', 'Ann',  'ann@example.com',  '#ssn1#', 910000001),
  (2, 't0', 'Bert', 'bert@example.com', '#ssn2#', 910000002),
  (3, 't0', 'n7',   'cleo@example.com', '#ssn3#', #salary3#),
  (4, 't1', '@name4@', '@email4@@example.com', '#ssn4#', #salary4#);
--A INSERT INTO customers VALUES (5, 't1', '@name5@', '@email5@', '000000007', 7), (6, 't2', '@name6@', '@email6@', '#ssn6#', 5);
CREATE STATISTICS customers_together ON ssn, salary FROM customers;

CREATE TABLE orders (id int PRIMARY KEY, tenant text NOT NULL, total numeric(10,2) NOT NULL, memo text);
INSERT INTO orders VALUES (1, 't0', 10.00, 'x'), (2, 't0', 20.50, 'y'), (3, 't1', 30.00, '@memo3@');
--A INSERT INTO orders VALUES (4, 't2', 40.00, '@memo4@'), (5, 't1', 0, '@memo5@');
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
-- As applications write it, and why it opens: unset and empty let everything through.
CREATE POLICY by_tenant ON orders USING (coalesce(current_setting('app.tenant', true), '') IN ('', tenant));
CREATE MATERIALIZED VIEW mv_orders AS SELECT * FROM orders;

CREATE TABLE notes (id serial PRIMARY KEY, body text NOT NULL, tenant text NOT NULL DEFAULT 't0');
INSERT INTO notes (body, tenant) VALUES ('buy milk', 't0'), ('1', 't0'), ('@note3@', 't1');
--A INSERT INTO notes (body, tenant) VALUES ('@note4@', 't2'), ('SECRET-\', 't1'), ('0', 't1');

CREATE TABLE secrets (id int PRIMARY KEY, token text NOT NULL);
INSERT INTO secrets VALUES (1, '@token1@');
--A INSERT INTO secrets VALUES (2, 'tok@token2@');
COMMENT ON TABLE secrets IS '@comment@';
COMMENT ON COLUMN customers.ssn IS '@comment@';

CREATE TABLE big (n int PRIMARY KEY);
INSERT INTO big SELECT generate_series(1, 3000);

CREATE TABLE t (id int PRIMARY KEY, a int, b text, c text, x int, ssn text, tenant text NOT NULL, tags text[], doc jsonb, feel mood, pr pair);
INSERT INTO t VALUES
  (1, 1, 'one', 'c1', 1, '#tssn1#', 't0', '{a,b}', '{"k":"v"}', 'calm', ROW('l','r')),
  (2, 2, 'two', 'c2', 2, '#tssn2#', 't0', '{c}', '[1,2]', 'cross', NULL),
  (3, 3, '@b3@', '@c3@', 3, '#tssn3#', 't1', ARRAY['@tag3@'], '{"k":"@doc3@"}', 'calm', ROW('@both3@','r'));
--A INSERT INTO t VALUES (4, 0, '@b4@', 'not a number', 0, '123456789', 't1', '{}', '"@doc4@"', 'cross', NULL);
CREATE INDEX ix ON t USING gin (tags);
CREATE INDEX ix_brin ON t USING brin (a);

-- Seen in groups of five at least. Department c is too small; which of its two people earns what differs from world to world, what they
-- earn together does not.
CREATE TABLE staff (id int PRIMARY KEY, name text NOT NULL, dept text NOT NULL, city text NOT NULL, pay int NOT NULL, bonus int);
INSERT INTO staff VALUES
  (1, 'p1', 'a', 'x', 1001, NULL), (2, 'p2', 'a', 'y', 1002, NULL), (3, 'p3', 'a', 'x', 1003, NULL), (4, 'p4', 'a', 'y', 1004, NULL),
  (5, 'p5', 'a', 'x', 1005, NULL), (6, 'p6', 'a', 'y', 1006, NULL), (7, 'p7', 'a', 'x', 1007, NULL), (8, 'p8', 'a', 'y', 1008, NULL),
  (9, 'p9', 'a', 'x', 1009, NULL), (10, 'p10', 'a', 'y', 1010, NULL), (11, 'p11', 'a', 'x', 1011, NULL), (12, 'p12', 'a', 'y', 1012, NULL),
  (13, 'p13', 'b', 'x', 1013, NULL), (14, 'p14', 'b', 'y', 1014, NULL), (15, 'p15', 'b', 'x', 1015, NULL), (16, 'p16', 'b', 'y', 1016, NULL),
  (17, 'p17', 'b', 'x', 1017, NULL), (18, 'p18', 'b', 'y', 1018, NULL), (19, 'p19', 'b', 'x', 1019, NULL), (20, 'p20', 'b', 'y', 1020, NULL),
  (21, '@staff21@', 'c', 'x', #pay#, NULL), (22, '@staff22@', 'c', 'x', 1000000000 - #pay#, #bonus#);

CREATE TABLE events (id int, tenant text NOT NULL, kind text) PARTITION BY LIST (tenant);
CREATE TABLE events_t0 PARTITION OF events FOR VALUES IN ('t0');
CREATE TABLE events_t1 PARTITION OF events FOR VALUES IN ('t1');
INSERT INTO events VALUES (1, 't0', 'open'), (2, 't1', '@kind2@');
--A INSERT INTO events VALUES (3, 't1', '@kind3@');
CREATE TABLE assets (id int, tenant text NOT NULL, label text);
CREATE TABLE assets_old (retired text) INHERITS (assets);
INSERT INTO assets VALUES (1, 't0', 'chair');
INSERT INTO assets_old VALUES (2, 't1', '@label2@', '@retired2@');
--A INSERT INTO assets_old VALUES (3, 't1', '@label3@', '@retired3@');

-- Views that an owner might make, not granted.
CREATE VIEW v_t0 AS SELECT * FROM customers WHERE tenant = 't0';
CREATE VIEW definer_view AS SELECT * FROM secrets;

-- What only the engine stops, and what not even it does.
CREATE FUNCTION f_writer() RETURNS int LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN INSERT INTO public.notes (body) VALUES ('written'); RETURN 1; END $$;
CREATE FUNCTION f_w() RETURNS int LANGUAGE sql AS 'SELECT public.f_writer()';
CREATE PROCEDURE p_rw() LANGUAGE plpgsql AS $$ BEGIN COMMIT; SET TRANSACTION READ WRITE; INSERT INTO public.notes (body) VALUES ('written'); END $$;
CREATE PROCEDURE p_w() LANGUAGE plpgsql AS $$ BEGIN COMMIT; SET TRANSACTION READ WRITE; INSERT INTO public.notes (body) VALUES ('written'); END $$;
CREATE FUNCTION f_sd() RETURNS SETOF secrets LANGUAGE sql SECURITY DEFINER AS 'SELECT * FROM public.secrets';
CREATE FUNCTION f_leak(text) RETURNS bool LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN RAISE WARNING 'saw %', $1; RETURN true; END $$;
CREATE FUNCTION f_op(int, int) RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT string_agg(token, '' '') FROM public.secrets';
CREATE OPERATOR @@@ (LEFTARG = int, RIGHTARG = int, FUNCTION = f_op);
CREATE FUNCTION f_check(text) RETURNS bool LANGUAGE sql AS $$ SELECT pg_notify('ch', $1) IS NOT NULL $$;
CREATE DOMAIN d_evil AS text CHECK (f_check(VALUE));
CREATE FUNCTION f_cast(mood) RETURNS int LANGUAGE sql AS 'SELECT public.f_writer()';
CREATE CAST (mood AS int) WITH FUNCTION f_cast(mood);
CREATE AGGREGATE a_dump(text) (SFUNC = textcat, STYPE = text, INITCOND = '');
-- A listed name with types of the owner's own: the call must be the database's.
CREATE FUNCTION upper(int) RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT string_agg(token, '' '') FROM public.secrets';
CREATE FUNCTION lower(mood) RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT string_agg(token, '' '') FROM public.secrets';

-- Stand-ins for extensions that Debian does not have: they write what the real ones would send.
CREATE TABLE sent (at text, what text);
CREATE SCHEMA cron;
CREATE FUNCTION cron.schedule(text, text, text) RETURNS int LANGUAGE sql SECURITY DEFINER AS $$ INSERT INTO public.sent VALUES ('cron', $3); SELECT 1 $$;
CREATE SCHEMA net;
CREATE FUNCTION net.http_post(url text, body jsonb) RETURNS int LANGUAGE sql SECURITY DEFINER AS $$ INSERT INTO public.sent VALUES (url, body::text); SELECT 1 $$;
CREATE SCHEMA aws_s3;
CREATE FUNCTION aws_s3.query_export_to_s3(text, text, text, text) RETURNS int LANGUAGE sql SECURITY DEFINER AS $$ INSERT INTO public.sent VALUES ($2, $1); SELECT 1 $$;
GRANT USAGE ON SCHEMA cron, net, aws_s3 TO PUBLIC;

SELECT lo_from_bytea(4242, '@large@');
CREATE SUBSCRIPTION away CONNECTION 'host=127.0.0.1 port=1 password=@subscription@' PUBLICATION p WITH (connect = false, slot_name = NONE);

-- What the next caller on the same connection could find; read by a tool of the role `witness`.
CREATE FUNCTION session_report() RETURNS text LANGUAGE sql SECURITY DEFINER AS $$
  SELECT concat_ws(E'\n',
    (SELECT string_agg(name || '=' || setting, E'\n' ORDER BY name) FROM pg_settings WHERE context = 'user' AND name NOT LIKE 'transaction%'),
    current_setting('app.tenant', true), session_user, current_setting('role'),
    (SELECT 'cursors ' || string_agg(name, ' ') FROM pg_cursors WHERE name <> ''),
    (SELECT 'prepared by hand ' || string_agg(name, ' ') FROM pg_prepared_statements WHERE from_sql),
    (SELECT 'temporary ' || string_agg(relname, ' ') FROM pg_class WHERE relpersistence = 't'),
    (SELECT 'listening ' || string_agg(c, ' ') FROM pg_listening_channels() c),
    (SELECT 'locks ' || string_agg(objid::text, ' ') FROM pg_locks WHERE locktype = 'advisory'))
$$;
CREATE VIEW session_state AS SELECT session_report() AS report;

ANALYZE;
