-- Functions and procedures that the login can run and that have their owner's privileges, may have effects, or are kept from
-- ordinary roles when a database is made: name and which of these it is. `$1` and `$2`: schemas and names of those it is to run.
SELECT *
FROM (
    SELECT n.nspname::pg_catalog.text || '.' || p.proname::pg_catalog.text,
           CASE
               WHEN EXISTS (
                   SELECT FROM pg_catalog.pg_init_privs i
                   WHERE i.classoid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND i.objoid = p.oid AND NOT EXISTS (
                       SELECT FROM pg_catalog.aclexplode(i.initprivs) first WHERE first.grantee = 0)
               ) THEN 'opened'
               WHEN p.oid < 16384 THEN NULL
               WHEN p.prosecdef THEN 'definer'
               WHEN NOT l.lanpltrusted AND l.lanname NOT IN ('c', 'internal') THEN 'untrusted'
               WHEN p.provolatile = 'v' THEN 'volatile'
           END
    FROM pg_catalog.pg_proc p
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    JOIN pg_catalog.pg_language l ON l.oid = p.prolang
    WHERE p.prorettype NOT IN ('pg_catalog.trigger'::pg_catalog.regtype, 'pg_catalog.event_trigger'::pg_catalog.regtype)
      AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
      AND pg_catalog.has_function_privilege(p.oid, 'EXECUTE')
      AND NOT EXISTS (
          SELECT FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS needed (schema, name)
          WHERE needed.schema = n.nspname::pg_catalog.text AND needed.name = p.proname::pg_catalog.text)
) AS found (name, concern)
WHERE concern IS NOT NULL
ORDER BY 1
LIMIT 10000
