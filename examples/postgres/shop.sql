-- The sample shop on PostgreSQL: load it into an empty database with
--     psql -v ON_ERROR_STOP=1 -d shop -f examples/postgres/shop.sql
-- and let Tollgate log in as a role that can only read:
--     CREATE ROLE tollgate LOGIN PASSWORD '…';
--     GRANT USAGE ON SCHEMA public TO tollgate;
--     GRANT SELECT ON users, orders, products TO tollgate;
-- All of it is made up.

BEGIN;

CREATE TYPE order_status AS ENUM ('pending', 'paid', 'shipped', 'delivered', 'refunded');

CREATE TABLE users (
    id             bigint PRIMARY KEY,
    name           text NOT NULL,
    email          text NOT NULL UNIQUE,
    region         text NOT NULL CHECK (region IN ('us-west', 'us-east', 'eu', 'apac')),
    status         text NOT NULL CHECK (status IN ('active', 'inactive')),
    created_at     timestamptz NOT NULL,
    password_hash  text NOT NULL,
    ssn            text NOT NULL,
    internal_notes text
);
COMMENT ON COLUMN users.region IS 'Where the customer is served from';

CREATE TABLE products (
    id            bigint PRIMARY KEY,
    name          text NOT NULL,
    category      text NOT NULL CHECK (category IN ('home', 'kitchen', 'outdoor', 'audio')),
    price         numeric(10, 2) NOT NULL,
    stock         integer NOT NULL,
    supplier_cost numeric(10, 2) NOT NULL
);

CREATE TABLE orders (
    id               bigint PRIMARY KEY,
    user_id          bigint NOT NULL REFERENCES users (id),
    product_id       bigint NOT NULL REFERENCES products (id),
    quantity         integer NOT NULL,
    total            numeric(10, 2) NOT NULL,
    status           order_status NOT NULL,
    created_at       timestamptz NOT NULL,
    stripe_secret_id text NOT NULL,
    payment_token    text NOT NULL
);

INSERT INTO users
SELECT n,
       'User ' || n,
       'user' || n || '@example.com',
       (ARRAY ['us-west', 'us-east', 'eu', 'apac'])[1 + n % 4],
       CASE WHEN n % 5 = 0 THEN 'inactive' ELSE 'active' END,
       timestamptz '2025-01-01 00:00:00Z' + n * interval '2 hours',
       '$argon2id$v=19$' || md5('password' || n),
       lpad((900 + n % 99)::text, 3, '0') || '-' || lpad((n % 98 + 1)::text, 2, '0') || '-' || lpad((n % 9998 + 1)::text, 4, '0'),
       CASE WHEN n % 12 = 0 THEN 'Under investigation: shared card with account ' || n + 1 END
FROM generate_series(1, 6000) AS n;

INSERT INTO products
SELECT n,
       'Product ' || n,
       (ARRAY ['home', 'kitchen', 'outdoor', 'audio'])[1 + n % 4],
       39 + n % 40 + 0.90,
       n % 250,
       20 + n % 17 + 0.35
FROM generate_series(1, 400) AS n;

INSERT INTO orders
SELECT n,
       1 + (n * 7919) % 6000,
       p.id,
       1 + n % 4,
       p.price * (1 + n % 4),
       (enum_range(NULL::order_status))[1 + n % 5],
       timestamptz '2025-01-01 00:00:00Z' + n * interval '50 minutes',
       'sk_order_' || md5('stripe' || n),
       'tok_' || md5('payment' || n)
FROM generate_series(1, 14000) AS n
JOIN products p ON p.id = 1 + (n * 104729) % 400;

CREATE INDEX users_region ON users (region, status);
CREATE INDEX orders_user ON orders (user_id);
CREATE INDEX orders_product ON orders (product_id);

COMMIT;

ANALYZE users, products, orders;
