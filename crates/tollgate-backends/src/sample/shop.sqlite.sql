-- The sample shop on SQLite.
CREATE TABLE users (
    id             INTEGER PRIMARY KEY,
    name           TEXT NOT NULL,
    email          TEXT NOT NULL UNIQUE,
    region         TEXT NOT NULL CHECK (region IN ('us-west', 'us-east', 'eu', 'apac')),
    status         TEXT NOT NULL CHECK (status IN ('active', 'inactive')),
    created_at     TIMESTAMP NOT NULL,
    password_hash  TEXT NOT NULL,
    ssn            TEXT NOT NULL,
    internal_notes TEXT
);

CREATE TABLE products (
    id            INTEGER PRIMARY KEY,
    name          TEXT NOT NULL,
    category      TEXT NOT NULL CHECK (category IN ('home', 'kitchen', 'outdoor', 'audio')),
    price         DECIMAL(10, 2) NOT NULL,
    stock         INTEGER NOT NULL,
    supplier_cost DECIMAL(10, 2) NOT NULL
);

CREATE TABLE orders (
    id               INTEGER PRIMARY KEY,
    user_id          INTEGER NOT NULL REFERENCES users (id),
    product_id       INTEGER NOT NULL REFERENCES products (id),
    quantity         INTEGER NOT NULL,
    total            DECIMAL(10, 2) NOT NULL,
    status           TEXT NOT NULL CHECK (status IN ('pending', 'paid', 'shipped', 'delivered', 'refunded')),
    created_at       TIMESTAMP NOT NULL,
    stripe_secret_id TEXT NOT NULL,
    payment_token    TEXT NOT NULL
);

CREATE INDEX users_region ON users (region, status);
CREATE INDEX orders_user ON orders (user_id);
CREATE INDEX orders_product ON orders (product_id);
