-- Enums, domains and arrays of them: the types whose kind the server's built-in numbers do not tell.
SELECT t.oid, pg_catalog.format_type(t.oid, NULL), t.typtype::pg_catalog.text, t.typbasetype, t.typelem,
       (SELECT pg_catalog.array_agg(e.enumlabel::pg_catalog.text ORDER BY e.enumsortorder)
        FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid),
       (SELECT pg_catalog.array_agg(pg_catalog.pg_get_constraintdef(k.oid) ORDER BY k.conname)
        FROM pg_catalog.pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c' AND k.convalidated)
FROM pg_catalog.pg_type t
LEFT JOIN pg_catalog.pg_type element ON element.oid = t.typelem AND t.typcategory = 'A'
WHERE t.typtype IN ('e', 'd') OR element.typtype IN ('e', 'd')
