-- Functions by schema and name, all overloads of each together.
SELECT n.nspname::pg_catalog.text, p.proname::pg_catalog.text,
       pg_catalog.min(p.pronargs - p.pronargdefaults)::pg_catalog.int8,
       pg_catalog.max(CASE WHEN p.provariadic <> 0 THEN 50 ELSE p.pronargs END)::pg_catalog.int8,
       pg_catalog.bool_and(p.prokind = 'f' AND NOT p.proretset),
       pg_catalog.bool_or(p.provolatile = 'v'),
       pg_catalog.bool_or(p.prosecdef OR l.lanname NOT IN ('c', 'internal'))
FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS wanted (schema, name)
JOIN pg_catalog.pg_namespace n ON n.nspname::pg_catalog.text = wanted.schema
JOIN pg_catalog.pg_proc p ON p.pronamespace = n.oid AND p.proname::pg_catalog.text = wanted.name
JOIN pg_catalog.pg_language l ON l.oid = p.prolang
GROUP BY 1, 2
