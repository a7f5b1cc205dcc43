-- What the login owns, can write to, or can select from, relation by relation: name, owns, writes, and the columns it can select.
SELECT n.nspname::pg_catalog.text,
       c.relname::pg_catalog.text,
       pg_catalog.pg_has_role(c.relowner, 'USAGE'),
       CASE WHEN c.relkind = 'S' THEN pg_catalog.has_sequence_privilege(c.oid, 'USAGE, UPDATE')
            ELSE pg_catalog.has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
                 OR pg_catalog.has_any_column_privilege(c.oid, 'INSERT, UPDATE') END,
       CASE WHEN c.relkind <> 'S' AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') THEN ARRAY(
           SELECT a.attname::pg_catalog.text FROM pg_catalog.pg_attribute a
           WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
             AND pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT')
           ORDER BY a.attnum
       ) ELSE ARRAY[]::pg_catalog.text[] END
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  AND n.nspname <> 'information_schema'
  AND n.nspname NOT LIKE 'pg\_%'
ORDER BY 1, 2
LIMIT 40000
