CREATE TABLE parent (a TEXT, b TEXT, c, PRIMARY KEY (b, a)) WITHOUT ROWID;
CREATE TABLE child (
  id INTEGER PRIMARY KEY,
  pa TEXT, pb TEXT,
  other INT REFERENCES simple,
  status TEXT NOT NULL CHECK (status IN ('active', 'in''active')), -- CHECK (pa IN ('x'))
  level INTEGER /* CHECK (level IN (7)) */ CHECK (level in (1, 2,3)) CHECK (level IN (2, 3, 4)),
  unsure TEXT CHECK (unsure IN ('a', 'b') OR unsure IS NULL),
  notlist TEXT CHECK (length(notlist) < 9),
  [quoted name] TEXT,
  flag BOOLEAN, doc JSON, made DATETIME, born DATE, price DECIMAL(10,2), raw BLOB, ratio DOUBLE PRECISION,
  label VARCHAR(20), uid UUID, big BIGINT, free, point POINT,
  doubled INTEGER GENERATED ALWAYS AS (level * 2) VIRTUAL,
  stored INTEGER GENERATED ALWAYS AS (level * 3) STORED,
  FOREIGN KEY (pb, pa) REFERENCES parent (b, a),
  UNIQUE (pa, pb),
  CHECK ("quoted name" IN ('q'))
);
CREATE UNIQUE INDEX one_label ON child (label);
CREATE UNIQUE INDEX partial_index ON child (raw) WHERE flag;
CREATE UNIQUE INDEX expression_index ON child (lower(label));
CREATE INDEX plain ON child (made);
CREATE TABLE simple (k TEXT PRIMARY KEY, v INT NOT NULL);
CREATE TABLE "odd ""name" (x);
CREATE VIEW a_view AS SELECT id, status, level + 1 AS next FROM child;
CREATE VIEW broken AS SELECT 1 AS one FROM nowhere;
CREATE VIRTUAL TABLE words USING fts5(body);
