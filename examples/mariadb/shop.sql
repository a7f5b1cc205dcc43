-- The sample shop on MariaDB or MySQL: load it into an empty database with
--     mariadb shop < examples/mariadb/shop.sql
-- and let Tollgate log in as a login that can only read:
--     CREATE USER tollgate IDENTIFIED BY '…';
--     GRANT SELECT ON shop.* TO tollgate;
-- All of it is made up.

CREATE TABLE users (
    id             BIGINT PRIMARY KEY,
    name           VARCHAR(80) NOT NULL,
    email          VARCHAR(120) NOT NULL UNIQUE,
    region         VARCHAR(20) NOT NULL COMMENT 'Where the customer is served from' CHECK (region IN ('us-west', 'us-east', 'eu', 'apac')),
    status         VARCHAR(20) NOT NULL CHECK (status IN ('active', 'inactive')),
    created_at     TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    password_hash  VARCHAR(120) NOT NULL,
    ssn            VARCHAR(20) NOT NULL,
    internal_notes VARCHAR(200)
);

CREATE TABLE products (
    id            BIGINT PRIMARY KEY,
    name          VARCHAR(80) NOT NULL,
    category      VARCHAR(20) NOT NULL CHECK (category IN ('home', 'kitchen', 'outdoor', 'audio')),
    price         DECIMAL(10, 2) NOT NULL,
    stock         INTEGER NOT NULL,
    supplier_cost DECIMAL(10, 2) NOT NULL
);

CREATE TABLE orders (
    id               BIGINT PRIMARY KEY,
    user_id          BIGINT NOT NULL,
    product_id       BIGINT NOT NULL,
    quantity         INTEGER NOT NULL,
    total            DECIMAL(10, 2) NOT NULL,
    status           ENUM ('pending', 'paid', 'shipped', 'delivered', 'refunded') NOT NULL,
    created_at       TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    stripe_secret_id VARCHAR(60) NOT NULL,
    payment_token    VARCHAR(60) NOT NULL,
    FOREIGN KEY (user_id) REFERENCES users (id),
    FOREIGN KEY (product_id) REFERENCES products (id)
);

-- Numbers from 1 to 20,000, for what follows.
CREATE TABLE numbers (n INTEGER PRIMARY KEY);
INSERT INTO numbers
SELECT 1 + a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d
FROM (SELECT 0 AS d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9) a
CROSS JOIN (SELECT 0 AS d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9) b
CROSS JOIN (SELECT 0 AS d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9) c
CROSS JOIN (SELECT 0 AS d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9) e
CROSS JOIN (SELECT 0 AS d UNION SELECT 1) f;

SET time_zone = '+00:00';

INSERT INTO users
SELECT n,
       concat('User ', n),
       concat('user', n, '@example.com'),
       elt(1 + n % 4, 'us-west', 'us-east', 'eu', 'apac'),
       CASE WHEN n % 5 = 0 THEN 'inactive' ELSE 'active' END,
       timestamp '2025-01-01 00:00:00' + INTERVAL 2 * n HOUR,
       concat('$argon2id$v=19$', md5(concat('password', n))),
       concat(900 + n % 99, '-', lpad(n % 98 + 1, 2, '0'), '-', lpad(n % 9998 + 1, 4, '0')),
       CASE WHEN n % 12 = 0 THEN concat('Under investigation: shared card with account ', n + 1) END
FROM numbers
WHERE n <= 6000;

INSERT INTO products
SELECT n,
       concat('Product ', n),
       elt(1 + n % 4, 'home', 'kitchen', 'outdoor', 'audio'),
       39 + n % 40 + 0.90,
       n % 250,
       20 + n % 17 + 0.35
FROM numbers
WHERE n <= 400;

INSERT INTO orders
SELECT s.n,
       1 + (s.n * 7919) % 6000,
       p.id,
       1 + s.n % 4,
       p.price * (1 + s.n % 4),
       elt(1 + s.n % 5, 'pending', 'paid', 'shipped', 'delivered', 'refunded'),
       timestamp '2025-01-01 00:00:00' + INTERVAL 50 * s.n MINUTE,
       concat('sk_order_', md5(concat('stripe', s.n))),
       concat('tok_', md5(concat('payment', s.n)))
FROM numbers s
JOIN products p ON p.id = 1 + (s.n * 104729) % 400
WHERE s.n <= 14000;

DROP TABLE numbers;

CREATE INDEX users_region ON users (region, status);

ANALYZE TABLE users, products, orders;
