-- Foreign tables among these relations and among their partitions and children, and the server of each.
WITH RECURSIVE read (oid) AS (
    SELECT c.oid
    FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS wanted (schema, name)
    JOIN pg_catalog.pg_namespace n ON n.nspname::pg_catalog.text = wanted.schema
    JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname::pg_catalog.text = wanted.name
    UNION
    SELECT i.inhrelid FROM read JOIN pg_catalog.pg_inherits i ON i.inhparent = read.oid
)
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), pg_catalog.format('%I', s.srvname)
FROM read
JOIN pg_catalog.pg_foreign_table f ON f.ftrelid = read.oid
JOIN pg_catalog.pg_foreign_server s ON s.oid = f.ftserver
JOIN pg_catalog.pg_class c ON c.oid = read.oid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
ORDER BY 1
LIMIT 10000
