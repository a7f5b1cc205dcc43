-- Their columns in order. System columns have negative numbers and do not exist here.
SELECT a.attrelid, a.attname::pg_catalog.text, a.atttypid, pg_catalog.format_type(a.atttypid, a.atttypmod),
       -- Since PostgreSQL 18 a constraint may not have been checked yet.
       a.attnotnull AND NOT EXISTS (
           SELECT FROM pg_catalog.pg_constraint nn
           WHERE nn.conrelid = a.attrelid AND nn.contype = 'n' AND NOT nn.convalidated
             AND a.attnum = ANY (nn.conkey)),
       pg_catalog.col_description(a.attrelid, a.attnum),
       k.oid::pg_catalog.regcollation::pg_catalog.text, k.collisdeterministic
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
-- The ordinary collation is the one named `default`.
LEFT JOIN pg_catalog.pg_collation k ON k.oid = a.attcollation AND k.collprovider <> 'd'
WHERE a.attnum > 0
  AND NOT a.attisdropped
  AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND n.nspname <> 'information_schema'
  AND n.nspname NOT LIKE 'pg\_%'
ORDER BY a.attrelid, a.attnum
LIMIT 500001
