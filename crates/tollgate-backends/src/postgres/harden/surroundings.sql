-- The database around a login that is to be narrow. One row: its name, its schemas, and what everybody may do in it.
SELECT pg_catalog.current_database()::pg_catalog.text,
       ARRAY(
           SELECT nspname::pg_catalog.text FROM pg_catalog.pg_namespace
           WHERE nspname <> 'information_schema' AND nspname NOT LIKE 'pg\_%'
           ORDER BY 1
       ),
       ARRAY(
           SELECT n.nspname::pg_catalog.text
           FROM pg_catalog.pg_namespace n, pg_catalog.aclexplode(n.nspacl) g
           WHERE n.nspname NOT LIKE 'pg\_%' AND g.grantee = 0 AND g.privilege_type = 'CREATE'
           ORDER BY 1
       ),
       ARRAY(
           SELECT DISTINCT pg_catalog.format('%I.%I', n.nspname, c.relname)
           FROM pg_catalog.pg_class c
           JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
           LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attacl IS NOT NULL
           CROSS JOIN LATERAL pg_catalog.aclexplode(pg_catalog.array_cat(c.relacl, a.attacl)) g
           WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND g.grantee = 0
             AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\_%'
           ORDER BY 1
       ),
       ARRAY(
           SELECT pg_catalog.format('%I.%I(%s)', n.nspname, p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid))
           FROM pg_catalog.pg_proc p
           JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
           CROSS JOIN LATERAL pg_catalog.aclexplode(
               COALESCE(p.proacl, pg_catalog.acldefault('f', p.proowner))) g
           WHERE p.prosecdef AND g.grantee = 0 AND g.privilege_type = 'EXECUTE'
             AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\_%'
           ORDER BY 1
       ),
       ARRAY(
           SELECT n.nspname::pg_catalog.text
           FROM pg_catalog.pg_class c
           JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
           WHERE c.relkind = 'v' AND c.reloptions && ARRAY['security_invoker=true', 'security_invoker=on', 'security_invoker=1']
           ORDER BY c.oid
       ),
       ARRAY(
           SELECT c.relname::pg_catalog.text
           FROM pg_catalog.pg_class c
           JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
           WHERE c.relkind = 'v' AND c.reloptions && ARRAY['security_invoker=true', 'security_invoker=on', 'security_invoker=1']
           ORDER BY c.oid
       )
