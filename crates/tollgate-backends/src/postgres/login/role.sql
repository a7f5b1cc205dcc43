-- The login role itself: one row. The columns after the name and the memberships are in the order of `ATTRIBUTES`.
WITH me AS (
    SELECT oid, rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication
    FROM pg_catalog.pg_roles
    WHERE rolname = CURRENT_USER
)
SELECT me.rolname::pg_catalog.text,
       ARRAY(
           SELECT rolname::pg_catalog.text FROM pg_catalog.pg_roles
           WHERE rolname LIKE 'pg\_%' AND rolname <> 'pg_database_owner' AND pg_catalog.pg_has_role(oid, 'MEMBER')
           ORDER BY rolname
       ),
       ARRAY(
           SELECT rolname::pg_catalog.text FROM pg_catalog.pg_roles
           WHERE rolname NOT LIKE 'pg\_%' AND oid <> me.oid AND pg_catalog.pg_has_role(oid, 'MEMBER')
           ORDER BY rolname
       ),
       me.rolsuper,
       me.rolbypassrls,
       me.rolcreaterole,
       me.rolcreatedb,
       me.rolreplication,
       pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'),
       EXISTS (
           SELECT FROM pg_catalog.pg_namespace
           WHERE nspname NOT LIKE 'pg\_%' AND pg_catalog.has_schema_privilege(oid, 'CREATE')
       ),
       EXISTS (
           SELECT
           FROM pg_catalog.pg_class c
           JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
           WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
             AND n.nspname <> 'information_schema'
             AND n.nspname NOT LIKE 'pg\_%'
             AND (
                 pg_catalog.pg_has_role(c.relowner, 'USAGE')
                 OR (c.relkind <> 'S' AND (
                     pg_catalog.has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
                     OR pg_catalog.has_any_column_privilege(c.oid, 'INSERT, UPDATE')))
                 OR (c.relkind = 'S' AND pg_catalog.has_sequence_privilege(c.oid, 'USAGE, UPDATE'))
             )
       )
FROM me
