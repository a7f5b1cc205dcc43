CREATE TYPE status AS ENUM ('active', 'inactive');
CREATE TABLE parent (a TEXT NOT NULL, b TEXT NOT NULL, PRIMARY KEY (b, a));
CREATE TABLE exact (
  id INTEGER PRIMARY KEY,
  big BIGINT,
  ratio DOUBLE PRECISION,
  label TEXT,
  raw BYTEA,
  flag BOOLEAN,
  doc JSON,
  born DATE,
  uid UUID
);
CREATE TABLE facts (
  id INTEGER PRIMARY KEY,
  code TEXT NOT NULL UNIQUE,
  status status NOT NULL,
  other INTEGER REFERENCES exact (id),
  pa TEXT,
  pb TEXT,
  note TEXT,
  FOREIGN KEY (pb, pa) REFERENCES parent (b, a),
  UNIQUE (pa, pb)
);
CREATE VIEW shown AS SELECT id, code FROM facts WHERE status = 'active';
CREATE TABLE series (n BIGINT PRIMARY KEY);
INSERT INTO series SELECT n FROM generate_series(1, 3000) AS n;
INSERT INTO exact VALUES
  (1, 9007199254740991, 0.1, '', '\x', false, '{"a": [1, 2.50]}', '2026-01-31', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'),
  (2, 9007199254740992, 1e300, 'O''Reilly "quoted" \ back', '\x00', true, '[]', '0001-01-01', NULL),
  (3, 9007199254740993, -1e-300, 'naïve 漢字 😀', '\xff00fe', NULL, '"text"', NULL, NULL),
  (4, -9007199254740993, 'infinity', chr(1) || chr(9) || chr(10) || chr(31) || chr(127), '\x0102030405', NULL, 'null', NULL, NULL),
  (5, 9223372036854775807, '-infinity', chr(8203) || chr(8238) || chr(65279), NULL, NULL, NULL, NULL, NULL),
  (6, -9223372036854775808, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO facts VALUES (1, 'one', 'active', 1, NULL, NULL, 'x'), (2, 'two', 'inactive', NULL, NULL, NULL, NULL);
