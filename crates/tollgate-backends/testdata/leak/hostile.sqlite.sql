-- Two tables alike: one with values at which operations fail, one without rows. What fails over the first and not over the
-- second fails on data. Every column holds values of every kind, as SQLite lets them.
CREATE TABLE hostile (id INTEGER PRIMARY KEY, n INTEGER, f REAL, txt TEXT, b BLOB, x, price DECIMAL(12, 2), d DATE, j JSON, flag BOOLEAN);
CREATE TABLE empty (id INTEGER PRIMARY KEY, n INTEGER, f REAL, txt TEXT, b BLOB, x, price DECIMAL(12, 2), d DATE, j JSON, flag BOOLEAN);
WITH list(value) AS (VALUES (NULL), (0), (1), (-1), (9223372036854775807), (-9223372036854775807 - 1), (1e308), (-1e308), (9e999), (0.5),
    (''), ('a'), ('a%_\'), ('2024-13-45'), ('now'), ('0000-00-00'), ('{'), ('[1]'), ('{"a":1}'), ('9223372036854775808'), ('1e999'),
    (x''), (x'00ff'), (x'61'), ('a' || char(0) || 'b'), (char(55357)), (replace(hex(zeroblob(3000)), '0', 'é%'))),
    v AS (SELECT value, row_number() OVER () AS k FROM list)
INSERT INTO hostile (n, f, txt, b, x, price, d, j, flag)
SELECT one.value, one.value, one.value, one.value, other.value, other.value, other.value, other.value, other.value FROM v AS one, v AS other
WHERE (other.k - one.k) % 9 = 0;
