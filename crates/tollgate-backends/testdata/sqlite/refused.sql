-- One text a line: each must be refused by the engine alone, under a footprint of users (id, name, region), eu_users
-- (id, shouted), the functions count, like and json_each, and a CTE `c`.
SELECT ssn FROM main.users
SELECT id FROM main.users WHERE ssn = '111'
SELECT id FROM main.users ORDER BY ssn
SELECT count(*) FROM main.users GROUP BY email
SELECT email FROM main.users
SELECT * FROM main.users
SELECT u.rowid FROM main.orders u
SELECT id FROM main.orders
SELECT count(*) FROM main.orders
SELECT count(*) FROM orders
SELECT count(*) FROM secrets
SELECT 1 FROM secrets
SELECT 1 FROM main.users WHERE EXISTS (SELECT 1 FROM secrets)
SELECT 1 FROM main.users, secrets
SELECT token FROM secrets
SELECT (SELECT token FROM main.secrets)
SELECT id FROM main.users UNION SELECT token FROM secrets
WITH c AS (SELECT token FROM secrets) SELECT token FROM c
WITH c AS (SELECT ssn FROM main.users) SELECT ssn FROM c
WITH eu_users AS (SELECT token FROM secrets) SELECT token FROM eu_users
WITH eu_users AS (SELECT email FROM main.users) SELECT email FROM eu_users
WITH other AS (SELECT id FROM main.users) SELECT id FROM other
WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c
SELECT ssn FROM main.eu_users
SELECT n FROM main.eu_count
SELECT body FROM notes
SELECT c0 FROM notes_content
SELECT highlight(notes, 0, '', '') FROM notes
SELECT upper(name) FROM main.users
SELECT hex(zeroblob(400000000))
SELECT randomblob(1000000000)
SELECT printf('%1000000000d', 1)
SELECT load_extension('/x.so')
SELECT readfile('/etc/passwd')
SELECT writefile('/tmp/x', 'y')
SELECT fts3_tokenizer('simple')
SELECT sqlite_version()
SELECT name -> '$' FROM main.users
SELECT id FROM main.users WHERE name GLOB 'A*'
SELECT id FROM main.users WHERE name MATCH 'A'
SELECT id FROM main.users WHERE name REGEXP 'A'
SELECT key FROM json_each('[1]')
SELECT json FROM json_each('[1]')
SELECT value FROM json_tree('[1]')
SELECT value FROM generate_series(1, 9)
SELECT name FROM pragma_table_info('secrets')
SELECT name FROM pragma_database_list
SELECT sql FROM sqlite_master
SELECT sql FROM main.sqlite_schema
SELECT sql FROM sqlite_temp_master
SELECT count(*) FROM sqlite_schema
SELECT pgno FROM dbstat
SELECT data FROM sqlite_dbpage
SELECT "no_such_column" FROM main.users
SELECT id FROM main.users WHERE name = "Ada"
ATTACH '/tmp/other.db' AS o
ATTACH ':memory:' AS o
DETACH main
PRAGMA query_only = OFF
PRAGMA trusted_schema = ON
PRAGMA locking_mode = EXCLUSIVE
PRAGMA cache_size = -2000000
PRAGMA hard_heap_limit = 0
PRAGMA temp_store_directory = '/tmp'
PRAGMA case_sensitive_like = ON
PRAGMA table_info(secrets)
PRAGMA table_list
PRAGMA user_version
PRAGMA writable_schema = ON
PRAGMA wal_checkpoint
BEGIN
BEGIN IMMEDIATE
SAVEPOINT s
COMMIT
ROLLBACK
VACUUM
VACUUM INTO '/tmp/copy.db'
ANALYZE
REINDEX
INSERT INTO users VALUES (3, 'Eve', NULL, 'eu', NULL)
INSERT INTO users SELECT * FROM users RETURNING id
UPDATE users SET name = 'Eve' WHERE id = 1
UPDATE users SET name = 'Eve' WHERE id = 1 RETURNING id
DELETE FROM users
WITH c AS (SELECT 1) DELETE FROM users
REPLACE INTO users (id, name, region) VALUES (1, 'Eve', 'eu')
CREATE TABLE t (a)
CREATE TEMP TABLE users (id, name, region)
CREATE TEMP VIEW users AS SELECT 1 AS id
CREATE TEMP TRIGGER t INSERT ON users BEGIN SELECT 1; END
CREATE VIRTUAL TABLE v USING fts5(a)
CREATE INDEX i ON users (name)
DROP TABLE users
ALTER TABLE users RENAME TO gone
EXPLAIN SELECT id FROM main.users
EXPLAIN QUERY PLAN SELECT id FROM main.users
SELECT id FROM main.users; SELECT token FROM secrets
SELECT id FROM main.users; DROP TABLE users
