-- The lab of the red team on MariaDB: see postgres.sql for what the marks mean.
CREATE TABLE customers (id INTEGER PRIMARY KEY, tenant VARCHAR(120) NOT NULL, name VARCHAR(120) NOT NULL, email VARCHAR(120) NOT NULL, ssn VARCHAR(120) NOT NULL, salary INTEGER NOT NULL);
INSERT INTO customers VALUES
  (1, 't0', 'Ann',  'ann@example.com',  '#ssn1#', 910000001),
  (2, 't0', 'Bert', 'bert@example.com', '#ssn2#', 910000002),
  (3, 't0', 'n7',   'cleo@example.com', '#ssn3#', #salary3#),
  (4, 't1', '@name4@', '@email4@@example.com', '#ssn4#', #salary4#);
--A INSERT INTO customers VALUES (5, 't1', '@name5@', '@email5@', '000000007', 7), (6, 't2', '@name6@', '@email6@', '#ssn6#', 5);

CREATE TABLE orders (id INTEGER PRIMARY KEY, tenant VARCHAR(120) NOT NULL, total DECIMAL(10, 2) NOT NULL, memo VARCHAR(120));
INSERT INTO orders VALUES (1, 't0', 10.00, 'x'), (2, 't0', 20.50, 'y'), (3, 't1', 30.00, '@memo3@');
--A INSERT INTO orders VALUES (4, 't2', 40.00, '@memo4@'), (5, 't1', 0, '@memo5@');
CREATE VIEW mv_orders AS SELECT * FROM orders;

CREATE TABLE notes (id INTEGER PRIMARY KEY AUTO_INCREMENT, body VARCHAR(120) NOT NULL, tenant VARCHAR(120) NOT NULL DEFAULT 't0');
INSERT INTO notes (body, tenant) VALUES ('buy milk', 't0'), ('1', 't0'), ('@note3@', 't1');
--A INSERT INTO notes (body, tenant) VALUES ('@note4@', 't2'), ('SECRET-\\', 't1'), ('0', 't1');

CREATE TABLE secrets (id INTEGER PRIMARY KEY, token VARCHAR(120) NOT NULL);
INSERT INTO secrets VALUES (1, '@token1@');
--A INSERT INTO secrets VALUES (0, 'tok@token2@');

CREATE TABLE big (n INTEGER PRIMARY KEY);
INSERT INTO big SELECT seq FROM seq_1_to_3000;

CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, b VARCHAR(120), c VARCHAR(120), x INTEGER, ssn VARCHAR(120), tenant VARCHAR(120) NOT NULL, doc VARCHAR(120));
INSERT INTO t VALUES
  (1, 1, 'one', 'c1', 1, '#tssn1#', 't0', '{"k":"v"}'),
  (2, 2, 'two', 'c2', 2, '#tssn2#', 't0', '[1,2]'),
  (3, 3, '@b3@', '@c3@', 3, '#tssn3#', 't1', '{"k":"@doc3@"}');
--A INSERT INTO t VALUES (4, 0, '@b4@', 'not a number', 0, '012345678', 't1', 'not json');

-- Seen in groups of five at least. Department c is too small; which of its two people earns what differs from world to world, what they
-- earn together does not.
CREATE TABLE staff (id INTEGER PRIMARY KEY, name VARCHAR(120) NOT NULL, dept VARCHAR(120) NOT NULL, city VARCHAR(120) NOT NULL, pay INTEGER NOT NULL, bonus INTEGER);
INSERT INTO staff VALUES
  (1, 'p1', 'a', 'x', 1001, NULL), (2, 'p2', 'a', 'y', 1002, NULL), (3, 'p3', 'a', 'x', 1003, NULL), (4, 'p4', 'a', 'y', 1004, NULL),
  (5, 'p5', 'a', 'x', 1005, NULL), (6, 'p6', 'a', 'y', 1006, NULL), (7, 'p7', 'a', 'x', 1007, NULL), (8, 'p8', 'a', 'y', 1008, NULL),
  (9, 'p9', 'a', 'x', 1009, NULL), (10, 'p10', 'a', 'y', 1010, NULL), (11, 'p11', 'a', 'x', 1011, NULL), (12, 'p12', 'a', 'y', 1012, NULL),
  (13, 'p13', 'b', 'x', 1013, NULL), (14, 'p14', 'b', 'y', 1014, NULL), (15, 'p15', 'b', 'x', 1015, NULL), (16, 'p16', 'b', 'y', 1016, NULL),
  (17, 'p17', 'b', 'x', 1017, NULL), (18, 'p18', 'b', 'y', 1018, NULL), (19, 'p19', 'b', 'x', 1019, NULL), (20, 'p20', 'b', 'y', 1020, NULL),
  (21, '@staff21@', 'c', 'x', #pay#, NULL), (22, '@staff22@', 'c', 'x', 1000000000 - #pay#, #bonus#);

CREATE TABLE g (id INTEGER PRIMARY KEY, a VARCHAR(120), b VARCHAR(120) GENERATED ALWAYS AS (CONCAT(a, '!')) VIRTUAL, tenant VARCHAR(120) NOT NULL);
INSERT INTO g (id, a, tenant) VALUES (1, '@ga1@', 't0'), (2, '@ga2@', 't1');

CREATE TABLE log (at VARCHAR(120), what VARCHAR(120));
CREATE TABLE `without` (k VARCHAR(80) PRIMARY KEY, v VARCHAR(120));
INSERT INTO `without` VALUES ('@k@', '@v@');

CREATE VIEW v_t0 AS SELECT * FROM customers WHERE tenant = 't0';
CREATE VIEW definer_view AS SELECT * FROM secrets;
CREATE FUNCTION f_sd() RETURNS VARCHAR(120) READS SQL DATA RETURN (SELECT token FROM secrets WHERE id = 1);
CREATE SEQUENCE ticks;

-- All that a caller could leave in a session.
CREATE VIEW session_state AS SELECT CONCAT_WS(',',
  (SELECT GROUP_CONCAT(VARIABLE_NAME, '=', VARIABLE_VALUE ORDER BY VARIABLE_NAME) FROM information_schema.SESSION_VARIABLES
    WHERE VARIABLE_NAME NOT IN ('TIMESTAMP', 'RAND_SEED1', 'RAND_SEED2', 'PSEUDO_THREAD_ID', 'LAST_GTID', 'WARNING_COUNT', 'ERROR_COUNT')),
  (SELECT GROUP_CONCAT('variable ', VARIABLE_NAME) FROM information_schema.USER_VARIABLES),
  IF(IS_USED_LOCK('a') OR IS_USED_LOCK('b'), 'a lock', 'no lock'), LAST_INSERT_ID(), FOUND_ROWS() >= 0, DATABASE(), CURRENT_ROLE()) AS report;
