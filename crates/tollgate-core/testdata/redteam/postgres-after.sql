-- What needs to know the database's own address: `{db}`, `{port}`, `{password}`.
DO $$ BEGIN
  IF EXISTS (SELECT FROM pg_extension WHERE extname = 'postgres_fdw') THEN
    CREATE VIEW remote_writer AS SELECT f_writer() AS n;
    CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '{port}', dbname '{db}');
    CREATE USER MAPPING FOR PUBLIC SERVER elsewhere OPTIONS (user 'postgres', password '{password}');
    CREATE FOREIGN TABLE pgfdw_foreign_table_with_trigger (n int) SERVER elsewhere OPTIONS (table_name 'remote_writer');
    GRANT SELECT ON pgfdw_foreign_table_with_trigger TO PUBLIC;
  END IF;
END $$;
