-- The sample shop, in words that SQLite, PostgreSQL, MariaDB and MySQL share.
CREATE TABLE users (
    id             INTEGER PRIMARY KEY,
    name           VARCHAR(80) NOT NULL,
    email          VARCHAR(120) NOT NULL UNIQUE,
    region         VARCHAR(20) NOT NULL CHECK (region IN ('us-west', 'us-east', 'eu', 'apac')),
    status         VARCHAR(20) NOT NULL CHECK (status IN ('active', 'inactive')),
    created_at     TIMESTAMP NOT NULL,
    password_hash  VARCHAR(120) NOT NULL,
    ssn            VARCHAR(20) NOT NULL,
    internal_notes VARCHAR(200)
);

CREATE TABLE products (
    id            INTEGER PRIMARY KEY,
    name          VARCHAR(80) NOT NULL,
    category      VARCHAR(20) NOT NULL CHECK (category IN ('home', 'kitchen', 'outdoor', 'audio')),
    price         DECIMAL(10, 2) NOT NULL,
    stock         INTEGER NOT NULL,
    supplier_cost DECIMAL(10, 2) NOT NULL
);

CREATE TABLE orders (
    id               INTEGER PRIMARY KEY,
    user_id          INTEGER NOT NULL,
    product_id       INTEGER NOT NULL,
    quantity         INTEGER NOT NULL,
    total            DECIMAL(10, 2) NOT NULL,
    status           VARCHAR(20) NOT NULL CHECK (status IN ('pending', 'paid', 'shipped', 'delivered', 'refunded')),
    created_at       TIMESTAMP NOT NULL,
    stripe_secret_id VARCHAR(60) NOT NULL,
    payment_token    VARCHAR(60) NOT NULL,
    FOREIGN KEY (user_id) REFERENCES users (id),
    FOREIGN KEY (product_id) REFERENCES products (id)
);

CREATE INDEX users_region ON users (region, status);
CREATE INDEX orders_user ON orders (user_id);
CREATE INDEX orders_product ON orders (product_id);
