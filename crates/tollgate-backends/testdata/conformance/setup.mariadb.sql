CREATE TABLE parent (a VARCHAR(40) NOT NULL, b VARCHAR(40) NOT NULL, PRIMARY KEY (b, a));
CREATE TABLE exact (
  id INTEGER PRIMARY KEY,
  big BIGINT,
  ratio DOUBLE PRECISION,
  label TEXT,
  raw BLOB,
  flag BOOLEAN,
  doc JSON,
  born DATE,
  uid UUID
);
CREATE TABLE facts (
  id INTEGER PRIMARY KEY,
  code VARCHAR(40) NOT NULL UNIQUE,
  status ENUM ('active', 'inactive') NOT NULL,
  other INTEGER REFERENCES exact (id),
  pa VARCHAR(40),
  pb VARCHAR(40),
  note TEXT,
  FOREIGN KEY (pb, pa) REFERENCES parent (b, a),
  UNIQUE (pa, pb)
);
CREATE VIEW shown AS SELECT id, code FROM facts WHERE status = 'active';
CREATE TABLE series (n BIGINT PRIMARY KEY);
SET max_recursive_iterations = 10000;
INSERT INTO series WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 3000) SELECT n FROM r;
INSERT INTO exact VALUES
  (1, 9007199254740991, 0.1, '', x'', 0, '{"a": [1, 2.50]}', '2026-01-31', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'),
  (2, 9007199254740992, 1e300, 'O''Reilly "quoted" \\ back', x'00', 1, '[]', '0001-01-01', NULL),
  (3, 9007199254740993, -1e-300, 'naïve 漢字 😀', x'ff00fe', NULL, '"text"', NULL, NULL),
  (4, -9007199254740993, NULL, CHAR(1, 9, 10, 31, 127 USING utf8mb4), x'0102030405', NULL, 'null', NULL, NULL),
  (5, 9223372036854775807, NULL, CONVERT(x'e2808be280aeefbbbf' USING utf8mb4), NULL, NULL, NULL, NULL, NULL),
  (6, -9223372036854775808, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO facts VALUES (1, 'one', 'active', 1, NULL, NULL, 'x'), (2, 'two', 'inactive', NULL, NULL, NULL, NULL);
ANALYZE TABLE series, exact, facts;
