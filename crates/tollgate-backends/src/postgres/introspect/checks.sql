-- CHECK constraints over one column that hold for every row.
SELECT k.conrelid, pg_catalog.pg_get_constraintdef(k.oid)
FROM pg_catalog.pg_constraint k
WHERE k.contype = 'c' AND k.convalidated AND k.conrelid <> 0 AND pg_catalog.cardinality(k.conkey) = 1
ORDER BY k.conrelid, k.conname
