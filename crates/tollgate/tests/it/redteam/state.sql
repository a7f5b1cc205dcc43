SELECT 'table ' || c.oid::regclass::text,
       (xpath('//h/text()', query_to_xml(format('SELECT md5(coalesce(string_agg(x::text, '','' ORDER BY x::text), '''')) AS h FROM ONLY %s x', c.oid::regclass), false, true, '')))[1]::text
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND c.relpersistence <> 't'
UNION ALL SELECT 'relations', md5(string_agg(c.oid::text || c.relname || c.relfilenode::text || c.relowner::text || coalesce(c.relacl::text, ''), ' ' ORDER BY c.oid)) FROM pg_class c
   WHERE c.relnamespace <> ALL (ARRAY['pg_toast'::regnamespace]) AND c.relpersistence <> 't'
UNION ALL SELECT 'temporary', count(*)::text FROM pg_class WHERE relpersistence = 't'
UNION ALL SELECT 'routines', md5(string_agg(oid::text || proname || prosrc, ' ' ORDER BY oid)) FROM pg_proc
UNION ALL SELECT 'types', count(*)::text FROM pg_type WHERE typnamespace::regnamespace::text NOT LIKE 'pg_temp%'
UNION ALL SELECT 'roles', md5(string_agg(a::text, ' ' ORDER BY a.oid)) FROM pg_authid a
UNION ALL SELECT 'members', count(*)::text FROM pg_auth_members
UNION ALL SELECT 'databases', md5(string_agg(oid::text || datname, ' ' ORDER BY oid)) FROM pg_database
UNION ALL SELECT 'extensions', string_agg(extname, ' ' ORDER BY extname) FROM pg_extension
UNION ALL SELECT 'comments', md5(coalesce(string_agg(description, ' ' ORDER BY description), '')) FROM pg_description
UNION ALL SELECT 'settings', md5(string_agg(name || '=' || setting, ' ' ORDER BY name)) FROM pg_settings WHERE context <> 'internal' AND name NOT IN ('application_name')
UNION ALL SELECT 'settings of roles', count(*)::text FROM pg_db_role_setting
UNION ALL SELECT 'configuration loaded', pg_conf_load_time()::text
UNION ALL SELECT 'large objects', count(*)::text || md5(coalesce(string_agg(data, ''::bytea ORDER BY loid, pageno), ''::bytea)::text) FROM pg_largeobject
UNION ALL SELECT 'large objects named', count(*)::text FROM pg_largeobject_metadata
UNION ALL SELECT 'advisory locks', count(*)::text FROM pg_locks WHERE locktype = 'advisory'
UNION ALL SELECT 'open transactions', count(*)::text FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND datname = current_database() AND usename <> 'narrow'
UNION ALL SELECT 'replication slots', coalesce(string_agg(slot_name, ' ' ORDER BY slot_name), '') FROM pg_replication_slots
UNION ALL SELECT 'statistics reset', coalesce(max(stats_reset)::text, '') FROM pg_stat_database
UNION ALL SELECT 'files', md5(string_agg(f, ' ' ORDER BY f)) FROM pg_ls_dir('.') f
UNION ALL SELECT 'checkpoints asked for', checkpoints_req::text FROM pg_stat_bgwriter
UNION ALL SELECT 'prepared transactions', count(*)::text FROM pg_prepared_xacts
UNION ALL SELECT 'next transaction', pg_snapshot_xmax(pg_current_snapshot())::text
