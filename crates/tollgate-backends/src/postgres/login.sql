-- What the login role can do beyond reading. One row; the columns after the name are in the order of `REACHES`.
WITH me AS (
    SELECT oid, rolname, rolsuper, rolbypassrls, rolcreaterole, rolreplication
    FROM pg_catalog.pg_roles
    WHERE rolname = CURRENT_USER
), relations AS (
    SELECT c.oid, c.relowner
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND n.nspname NOT IN ('pg_catalog', 'information_schema')
      AND n.nspname NOT LIKE 'pg\_%'
)
SELECT me.rolname::pg_catalog.text,
       me.rolsuper,
       me.rolbypassrls AND NOT me.rolsuper,
       me.rolcreaterole AND NOT me.rolsuper,
       me.rolreplication AND NOT me.rolsuper,
       EXISTS (SELECT FROM relations WHERE pg_catalog.pg_has_role(relowner, 'USAGE')) AND NOT me.rolsuper,
       EXISTS (
           SELECT FROM relations
           WHERE pg_catalog.has_table_privilege(oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
              OR pg_catalog.has_any_column_privilege(oid, 'INSERT, UPDATE')
       ) AND NOT me.rolsuper,
       EXISTS (
           SELECT FROM pg_catalog.pg_namespace
           WHERE nspname NOT LIKE 'pg\_%' AND pg_catalog.has_schema_privilege(oid, 'CREATE')
       ) AND NOT me.rolsuper,
       pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') AND NOT me.rolsuper,
       EXISTS (
           SELECT FROM pg_catalog.pg_roles
           WHERE rolname IN ('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program')
             AND pg_catalog.pg_has_role(oid, 'USAGE')
       ) AND NOT me.rolsuper
FROM me
