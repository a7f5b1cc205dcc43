-- Functions by schema and name: the schema, and each overload as a GRANT writes it.
SELECT DISTINCT n.nspname::pg_catalog.text,
       pg_catalog.format('%I.%I(%s)', n.nspname, p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid))
FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS wanted (schema, name)
JOIN pg_catalog.pg_namespace n ON n.nspname::pg_catalog.text = wanted.schema
JOIN pg_catalog.pg_proc p ON p.pronamespace = n.oid AND p.proname::pg_catalog.text = wanted.name
ORDER BY 1, 2
