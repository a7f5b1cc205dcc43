-- The lab of the red team on SQLite: see postgres.sql for what the marks mean.
CREATE TABLE customers (id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, name TEXT NOT NULL, email TEXT NOT NULL, ssn TEXT NOT NULL, salary INTEGER NOT NULL);
INSERT INTO customers VALUES
  (1, 't0', 'Ann',  'ann@example.com',  '#ssn1#', 910000001),
  (2, 't0', 'Bert', 'bert@example.com', '#ssn2#', 910000002),
  (3, 't0', 'n7',   'cleo@example.com', '#ssn3#', #salary3#),
  (4, 't1', '@name4@', '@email4@@example.com', '#ssn4#', #salary4#);
--A INSERT INTO customers VALUES (5, 't1', '@name5@', '@email5@', '000000007', 7), (6, 't2', '@name6@', '@email6@', '#ssn6#', 5);

CREATE TABLE orders (id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, total REAL NOT NULL, memo TEXT);
INSERT INTO orders VALUES (1, 't0', 10.00, 'x'), (2, 't0', 20.50, 'y'), (3, 't1', 30.00, '@memo3@');
--A INSERT INTO orders VALUES (4, 't2', 40.00, '@memo4@'), (5, 't1', 0, '@memo5@');
CREATE VIEW mv_orders AS SELECT * FROM orders;

CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT NOT NULL, tenant TEXT NOT NULL DEFAULT 't0');
INSERT INTO notes (body, tenant) VALUES ('buy milk', 't0'), ('1', 't0'), ('@note3@', 't1');
--A INSERT INTO notes (body, tenant) VALUES ('@note4@', 't2'), ('SECRET-\', 't1'), ('0', 't1');

CREATE TABLE secrets (id INTEGER PRIMARY KEY, token TEXT NOT NULL);
INSERT INTO secrets VALUES (1, '@token1@');
--A INSERT INTO secrets VALUES (0, 'tok@token2@');

CREATE TABLE big (n INTEGER PRIMARY KEY);
WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 3000) INSERT INTO big SELECT n FROM s;

CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, b TEXT, c TEXT, x INTEGER, ssn TEXT, tenant TEXT NOT NULL, doc TEXT);
INSERT INTO t VALUES
  (1, 1, 'one', 'c1', 1, '#tssn1#', 't0', '{"k":"v"}'),
  (2, 2, 'two', 'c2', 2, '#tssn2#', 't0', '[1,2]'),
  (3, 3, '@b3@', '@c3@', 3, '#tssn3#', 't1', '{"k":"@doc3@"}');
--A INSERT INTO t VALUES (4, 0, '@b4@', 'not a number', 0, '012345678', 't1', 'not json');

-- Seen in groups of five at least. Department c is too small; which of its two people earns what differs from world to world, what they
-- earn together does not.
CREATE TABLE staff (id INTEGER PRIMARY KEY, name TEXT NOT NULL, dept TEXT NOT NULL, city TEXT NOT NULL, pay INTEGER NOT NULL, bonus INTEGER);
INSERT INTO staff VALUES
  (1, 'p1', 'a', 'x', 1001, NULL), (2, 'p2', 'a', 'y', 1002, NULL), (3, 'p3', 'a', 'x', 1003, NULL), (4, 'p4', 'a', 'y', 1004, NULL),
  (5, 'p5', 'a', 'x', 1005, NULL), (6, 'p6', 'a', 'y', 1006, NULL), (7, 'p7', 'a', 'x', 1007, NULL), (8, 'p8', 'a', 'y', 1008, NULL),
  (9, 'p9', 'a', 'x', 1009, NULL), (10, 'p10', 'a', 'y', 1010, NULL), (11, 'p11', 'a', 'x', 1011, NULL), (12, 'p12', 'a', 'y', 1012, NULL),
  (13, 'p13', 'b', 'x', 1013, NULL), (14, 'p14', 'b', 'y', 1014, NULL), (15, 'p15', 'b', 'x', 1015, NULL), (16, 'p16', 'b', 'y', 1016, NULL),
  (17, 'p17', 'b', 'x', 1017, NULL), (18, 'p18', 'b', 'y', 1018, NULL), (19, 'p19', 'b', 'x', 1019, NULL), (20, 'p20', 'b', 'y', 1020, NULL),
  (21, '@staff21@', 'c', 'x', #pay#, NULL), (22, '@staff22@', 'c', 'x', 1000000000 - #pay#, #bonus#);

CREATE TABLE g (id INTEGER PRIMARY KEY, a TEXT, b TEXT GENERATED ALWAYS AS (a || '!') VIRTUAL, tenant TEXT NOT NULL);
INSERT INTO g (id, a, tenant) VALUES (1, '@ga1@', 't0'), (2, '@ga2@', 't1');

CREATE VIRTUAL TABLE f USING fts5(ssn, note);
INSERT INTO f (ssn, note) VALUES ('sone @fssn1@', 'a note'), ('1 @fssn2@', 'another');
CREATE VIRTUAL TABLE place USING rtree(id, x0, x1);
CREATE TABLE log (at TEXT, what TEXT);
CREATE TABLE without (k TEXT PRIMARY KEY, v TEXT) WITHOUT ROWID;
INSERT INTO without VALUES ('@k@', '@v@');

CREATE VIEW v_t0 AS SELECT * FROM customers WHERE tenant = 't0';
CREATE VIEW definer_view AS SELECT * FROM secrets;
CREATE TRIGGER noted AFTER INSERT ON notes BEGIN INSERT INTO log VALUES ('note', new.body); END;
ANALYZE;
