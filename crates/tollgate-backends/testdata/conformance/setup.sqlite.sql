CREATE TABLE parent (a TEXT NOT NULL, b TEXT NOT NULL, PRIMARY KEY (b, a));
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
  code TEXT NOT NULL UNIQUE,
  status TEXT NOT NULL CHECK (status IN ('active', 'inactive')),
  other BIGINT REFERENCES exact (id),
  pa TEXT,
  pb TEXT,
  note TEXT,
  FOREIGN KEY (pb, pa) REFERENCES parent (b, a),
  UNIQUE (pa, pb)
);
CREATE VIEW shown AS SELECT id, code FROM facts WHERE status = 'active';
CREATE TABLE series (n BIGINT PRIMARY KEY);
WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r LIMIT 3000) INSERT INTO series SELECT n FROM r;
INSERT INTO exact VALUES
  (1, 9007199254740991, 0.1, '', x'', 0, '{"a": [1, 2.50]}', '2026-01-31', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'),
  (2, 9007199254740992, 1e300, 'O''Reilly "quoted" \ back', x'00', 1, '[]', '0001-01-01', NULL),
  (3, 9007199254740993, -1e-300, 'naïve 漢字 😀', x'ff00fe', NULL, '"text"', NULL, NULL),
  (4, -9007199254740993, 9e999, char(1, 9, 10, 31, 127), x'0102030405', NULL, 'null', NULL, NULL),
  (5, 9223372036854775807, -9e999, char(8203, 8238, 65279), NULL, NULL, NULL, NULL, NULL),
  (6, -9223372036854775808, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO facts VALUES (1, 'one', 'active', 1, NULL, NULL, 'x'), (2, 'two', 'inactive', NULL, NULL, NULL, NULL);
