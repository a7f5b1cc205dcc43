-- References, each column beside the one it refers to.
SELECT k.conrelid, k.confrelid,
       (SELECT pg_catalog.array_agg(a.attname::pg_catalog.text ORDER BY part.position)
        FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY AS part (attnum, position)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = part.attnum),
       (SELECT pg_catalog.array_agg(a.attname::pg_catalog.text ORDER BY part.position)
        FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY AS part (attnum, position)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = part.attnum)
FROM pg_catalog.pg_constraint k
WHERE k.contype = 'f'
ORDER BY k.conrelid, k.conname
