CREATE TABLE users (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  email TEXT UNIQUE,
  region TEXT NOT NULL CHECK (region IN ('eu', 'us')),
  ssn TEXT
);
CREATE TABLE orders (
  id INTEGER PRIMARY KEY,
  user_id INTEGER NOT NULL REFERENCES users,
  total REAL,
  payment_token TEXT
);
CREATE TABLE secrets (token TEXT);
CREATE VIEW eu_users AS SELECT id, upper(name) AS shouted, ssn FROM users WHERE region = 'eu';
CREATE VIEW eu_count AS WITH e AS (SELECT id FROM eu_users) SELECT count(*) AS n FROM e;
CREATE VIRTUAL TABLE notes USING fts5(body);
INSERT INTO users VALUES (1, 'Ada', 'ada@example.com', 'eu', '111'), (2, 'Bob', 'bob@example.com', 'us', '222');
INSERT INTO orders VALUES (10, 1, 12.5, 'tok_1'), (11, 2, 7, 'tok_2');
INSERT INTO secrets VALUES ('s3cret');
INSERT INTO notes VALUES ('hidden words');
