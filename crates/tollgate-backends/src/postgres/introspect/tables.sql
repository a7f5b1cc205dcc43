-- Tables, views and what stands for one, in schemas that are not the server's own. A table that has foreign ones among its partitions
-- or children is read as a foreign one.
WITH RECURSIVE over_foreign (oid) AS (
    SELECT i.inhparent
    FROM pg_catalog.pg_foreign_table f
    JOIN pg_catalog.pg_inherits i ON i.inhrelid = f.ftrelid
    UNION
    SELECT i.inhparent FROM over_foreign JOIN pg_catalog.pg_inherits i ON i.inhrelid = over_foreign.oid
)
SELECT c.oid, n.nspname::pg_catalog.text, c.relname::pg_catalog.text,
       CASE WHEN c.oid IN (SELECT oid FROM over_foreign) THEN 'f' ELSE c.relkind::pg_catalog.text END,
       pg_catalog.obj_description(c.oid, 'pg_class')
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND n.nspname <> 'information_schema'
  AND n.nspname NOT LIKE 'pg\_%'
LIMIT 20001
