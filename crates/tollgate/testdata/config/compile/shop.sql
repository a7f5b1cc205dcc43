CREATE TABLE users (
    id            INTEGER PRIMARY KEY,
    name          TEXT NOT NULL,
    email         TEXT NOT NULL,
    region        TEXT NOT NULL CHECK (region IN ('eu', 'us')),
    password_hash TEXT NOT NULL
);
CREATE TABLE orders (
    id      INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id),
    total   REAL NOT NULL,
    note    TEXT
);
