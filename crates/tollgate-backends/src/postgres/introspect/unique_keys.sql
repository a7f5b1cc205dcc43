-- Keys over plain columns that hold at once and for every row. A table's key says nothing of the rows that it inherits from others.
SELECT i.indrelid, i.indisprimary,
       (SELECT pg_catalog.array_agg(a.attname::pg_catalog.text ORDER BY part.position)
        FROM pg_catalog.unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY AS part (attnum, position)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = part.attnum
        WHERE part.position <= i.indnkeyatts)
FROM pg_catalog.pg_index i
WHERE NOT EXISTS (
    SELECT FROM pg_catalog.pg_inherits h JOIN pg_catalog.pg_class c ON c.oid = h.inhparent
    WHERE h.inhparent = i.indrelid AND c.relkind = 'r')
  AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
ORDER BY i.indrelid, i.indexrelid
