-- What the server itself leaves open to the login: foreign servers, large objects, unbounded temporary files.
SELECT ARRAY(
           SELECT s.srvname::pg_catalog.text FROM pg_catalog.pg_foreign_server s
           WHERE pg_catalog.has_server_privilege(s.oid, 'USAGE')
           ORDER BY s.srvname
       ),
       ARRAY(
           SELECT DISTINCT p.proname::pg_catalog.text FROM pg_catalog.pg_proc p
           WHERE p.pronamespace = 'pg_catalog'::pg_catalog.regnamespace
             AND p.proname IN ('lo_creat', 'lo_create', 'lo_from_bytea')
             AND pg_catalog.has_function_privilege(p.oid, 'EXECUTE')
           ORDER BY 1
       ),
       pg_catalog.current_setting('temp_file_limit') = '-1'
