-- Functions and procedures of the database's users that the login can run and that have their owner's privileges or may have effects.
SELECT n.nspname::pg_catalog.text || '.' || p.proname::pg_catalog.text, p.prosecdef
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE (p.prosecdef OR p.provolatile = 'v')
  AND p.prorettype NOT IN ('pg_catalog.trigger'::pg_catalog.regtype, 'pg_catalog.event_trigger'::pg_catalog.regtype)
  AND n.nspname <> 'information_schema'
  AND n.nspname NOT LIKE 'pg\_%'
  AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
  AND pg_catalog.has_function_privilege(p.oid, 'EXECUTE')
ORDER BY 1
LIMIT 10000
