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
           WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND g.grantee = 0
             AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\_%'
           ORDER BY 1
       ),
       ARRAY(
           SELECT pg_catalog.format('%I', s.srvname)
           FROM pg_catalog.pg_foreign_server s, pg_catalog.aclexplode(s.srvacl) g
           WHERE g.grantee = 0
           ORDER BY 1
       ),
       ARRAY(
           SELECT l.oid::pg_catalog.text
           FROM pg_catalog.pg_largeobject_metadata l, pg_catalog.aclexplode(l.lomacl) g
           WHERE g.grantee = 0
           GROUP BY l.oid
           ORDER BY l.oid
           LIMIT 10000
       ),
       ARRAY(
           SELECT pg_catalog.format('%I', d.datname)
           FROM pg_catalog.pg_database d,
                pg_catalog.aclexplode(COALESCE(d.datacl, pg_catalog.acldefault('d', d.datdba))) g
           WHERE d.datallowconn AND d.datname <> pg_catalog.current_database()
             AND g.grantee = 0 AND g.privilege_type = 'CONNECT'
           ORDER BY 1
       )
