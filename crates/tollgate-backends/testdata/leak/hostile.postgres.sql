-- Two tables alike: one with values at which operations fail, one without rows. What fails over the first and not over the
-- second fails on data.
CREATE COLLATION ci (provider = icu, locale = 'und', deterministic = false);
CREATE TYPE mood AS ENUM ('glad', 'sad');
CREATE DOMAIN amount AS numeric(12, 2);
CREATE TABLE hostile (
    id int PRIMARY KEY, small smallint, big bigint, price numeric(12, 2), dec numeric, domained amount, fl double precision, re real,
    flag boolean, txt text, vc varchar(10), bp char(6), nm name, c_a text COLLATE "C", c_b text COLLATE "POSIX", c_ci text COLLATE ci,
    d date, tm time, ts timestamp, tz timestamptz, u uuid, j json, jb jsonb, raw bytea, e mood, iv interval, p point, r int4range,
    texts text[], ints int[], jsons json[], points point[], moods mood[], collated text[] COLLATE "C"
);
CREATE TABLE empty (LIKE hostile INCLUDING ALL);
INSERT INTO hostile VALUES
    (0, 0, 0, 0, 0, 0, 0, 0, false, '', '', '', '', '', '', '', '2024-01-01', '00:00', '2024-01-01', '2024-01-01Z',
     '00000000-0000-0000-0000-000000000000', '{}', '{}', '', 'glad', '0', '(0,0)', 'empty', '{}', '{}', '{}', '{}', '{}', '{}'),
    (1, 1, 1, 1.5, 'NaN', 1.5, 'NaN', 'NaN', true, 'abc\', 'a%_', 'x\', 'n', 'a', 'a', 'a', 'infinity', '24:00', 'infinity', 'infinity',
     'ffffffff-ffff-ffff-ffff-ffffffffffff', '[1]', '[1]', '\x00ff', 'sad', '1 year', '(1,1)', '[1,2)', '{a,NULL}', '{1,NULL}',
     '{"{}"}', '{"(0,0)"}', '{sad}', '{a,b}'),
    (-2147483648, -32768, -9223372036854775808, -9999999999.99, 1e400, -1, '-infinity', '-infinity', NULL, 'x', '-5', '1', 'tg', 'A',
     'b', 'B', '-infinity', '12:00', '-infinity', '-infinity', '12345678-1234-1234-1234-123456789abc', '"s"', 'null', '\xff', NULL,
     '-178000000 years', '(-1e300,1e300)', '(,)', '{}', '{-1}', '{"1","{}"}', '{"(1,1)","(0,0)"}', '{glad,NULL}', '{}'),
    (2147483647, 32767, 9223372036854775807, 9999999999.99, 'infinity', 9999999999.99, 1.7e308, 3.4e38, true, repeat('é%\', 400),
     '1e999', E'\n', 'zz', 'z', 'Z', 'é', '9999-12-31', '23:59:59.999999', '9999-12-31 23:59:59', '9999-12-31Z', NULL, '{"a":1}',
     '{"a":{"b":[]}}', '\x', 'glad', '178000000 years', '(nan,0)', '[1,)', '{"{}",""}', '{2147483647}', '{"null"}', '{"(0,0)"}', '{sad,sad}', '{b}'),
    (5, NULL, 3, NULL, 1e-400, NULL, 1e-308, 1e-40, false, '2024-13-45', '0', '0x', '', 'ß', 'ss', 'SS', '0044-03-15 BC', NULL,
     '0044-03-15 BC', '0044-03-15 BC', NULL, '1', '1', '\x5c', 'sad', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
ANALYZE;
