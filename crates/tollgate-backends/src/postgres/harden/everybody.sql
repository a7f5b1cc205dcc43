-- Functions that everybody may run and that do what no grant on a table says: what is wrong with each, and how it is written in a
-- REVOKE. `$1`: names of PostgreSQL's own that have effects.
SELECT *
FROM (
    SELECT CASE
               -- Kept from everybody when it was made, and opened since.
               WHEN EXISTS (
                   SELECT FROM pg_catalog.pg_init_privs i
                   WHERE i.classoid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND i.objoid = p.oid AND NOT EXISTS (
                       SELECT FROM pg_catalog.aclexplode(i.initprivs) first WHERE first.grantee = 0)
               ) THEN 'opened'
               WHEN p.prosecdef THEN 'definer'
               WHEN l.lanpltrusted OR (p.oid >= 16384 AND l.lanname IN ('c', 'internal') AND p.provolatile <> 'v') THEN NULL
               WHEN p.oid >= 16384 THEN 'untrusted'
               WHEN p.proname::pg_catalog.text = ANY ($1) THEN 'effects'
           END AS concern,
           pg_catalog.format('%I.%I(%s)', n.nspname, p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid))
    FROM pg_catalog.pg_proc p
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    JOIN pg_catalog.pg_language l ON l.oid = p.prolang
    WHERE EXISTS (
            SELECT FROM pg_catalog.aclexplode(COALESCE(p.proacl, pg_catalog.acldefault('f', p.proowner))) g
            WHERE g.grantee = 0 AND g.privilege_type = 'EXECUTE')
      -- What no statement can call.
      AND 'pg_catalog.internal'::pg_catalog.regtype::pg_catalog.oid <> ALL (p.proargtypes::pg_catalog.oid[])
      AND p.prorettype <> ALL (ARRAY['trigger', 'event_trigger', 'internal', 'language_handler', 'fdw_handler',
                                     'index_am_handler', 'table_am_handler',
                                     'tsm_handler']::pg_catalog.regtype[]::pg_catalog.oid[])
) AS found (concern, signature)
WHERE concern IS NOT NULL
ORDER BY 1, 2
LIMIT 10000
