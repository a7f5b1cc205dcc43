-- One query a line, over `t` of which some rows are hidden and `m` of which none is.
SELECT id, note, n FROM t ORDER BY id
SELECT COUNT(*) AS c, SUM(n) AS s, AVG(n) AS a, MIN(note) AS b, MAX(price) AS d FROM t
SELECT id FROM t WHERE note = 'it''s' OR note = 'C:\\x\\' OR note = 'it\'s' ORDER BY id
SELECT id FROM t WHERE note LIKE '50\%' OR note LIKE '%\\\\' OR note LIKE '50!%' ESCAPE '!' ORDER BY id
SELECT id FROM t WHERE id = 2 AND n + 1 > 0
SELECT id FROM t WHERE n + 1 > 0 ORDER BY id
SELECT id FROM t WHERE n * n >= 0 ORDER BY id
SELECT id FROM t WHERE n - 10 < 100 ORDER BY id
SELECT id FROM t WHERE power(n, 40) >= 0 ORDER BY id
SELECT id FROM t WHERE exp(n) > 0 ORDER BY id
SELECT id FROM t WHERE abs(n) > 1 ORDER BY id
SELECT id FROM t WHERE -n > 1 ORDER BY id
SELECT MAX(n + 1) AS x FROM t
SELECT id, n + 1 AS x FROM t ORDER BY n + 1
SELECT tenant, SUM(n * 2) AS s FROM t GROUP BY tenant HAVING SUM(n * 2) > 0
SELECT id FROM t WHERE (SELECT 1 UNION SELECT IF(t.note = 'SECRET', 2, 1)) > 0 ORDER BY id
SELECT m.who, t.id FROM m JOIN t ON t.tenant = m.tenant AND t.n + 1 > 0 ORDER BY 1, 2
SELECT m.who, t.id FROM m LEFT JOIN t ON t.tenant = m.tenant AND t.n * 3 > 0 ORDER BY 1, 2
SELECT t.id, x.id AS y FROM t INNER JOIN (m CROSS JOIN t AS x) ON x.id = t.id AND m.tenant = t.tenant ORDER BY 1, 2
SELECT a.id, c.n FROM t a CROSS JOIN m b INNER JOIN t c ON a.id = c.id AND a.tenant = b.tenant ORDER BY 1
SELECT b.who, c.id FROM t a CROSS JOIN m b RIGHT JOIN t c ON b.tenant = c.id ORDER BY 1, 2
SELECT who FROM m WHERE tenant IN (SELECT tenant FROM t WHERE n + 1 > 0) ORDER BY 1
SELECT who FROM m WHERE NOT EXISTS (SELECT 1 FROM t WHERE t.tenant = m.tenant) ORDER BY 1
SELECT who FROM m WHERE (SELECT MAX(n) FROM t WHERE t.tenant = m.tenant) > 5 ORDER BY 1
SELECT id FROM t WHERE id IN (SELECT * FROM (SELECT id FROM t ORDER BY id DESC LIMIT 2) q) ORDER BY 1
SELECT q.id FROM (SELECT id FROM t ORDER BY id LIMIT 3 OFFSET 1) q ORDER BY 1
WITH c (a, b) AS (SELECT id, n FROM t) SELECT x.a, y.b FROM c AS x JOIN c AS y ON x.a = y.a ORDER BY 1
SELECT id FROM t UNION SELECT tenant FROM m ORDER BY 1
SELECT tenant FROM m EXCEPT SELECT tenant FROM t
SELECT tenant FROM m INTERSECT SELECT tenant FROM t
SELECT id, ROW_NUMBER() OVER (ORDER BY n) AS r, SUM(id) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS s, LAG(id) OVER (ORDER BY id) AS l FROM t ORDER BY 1
SELECT id, note, COUNT(*) AS c FROM t GROUP BY id, note ORDER BY id
SELECT DISTINCT tenant FROM t ORDER BY tenant
SELECT YEAR(made) AS y, COUNT(*) AS c FROM t WHERE made IS NOT NULL GROUP BY YEAR(made) ORDER BY y
SELECT id, DATE_FORMAT(made, '%Y-%m') AS d, DATE(made) AS e, EXTRACT(MONTH FROM made) AS f, DATEDIFF(made, '2024-01-01') AS g, LAST_DAY(made) AS h FROM t ORDER BY id
SELECT id, CONCAT(note, '-', id) AS c, LEFT(note, 2) AS l, RIGHT(note, 1) AS r, SUBSTRING(note, 2) AS s, UPPER(note) AS u, CHAR_LENGTH(note) AS n, REPLACE(note, '%', '#') AS p, TRIM(note) AS q, LPAD(note, 6, '*') AS w FROM t ORDER BY id
SELECT id, IFNULL(note, 'none') AS a, COALESCE(note, id) AS b, NULLIF(tenant, 1) AS c, IF(n > 5, 'big', 'small') AS d, CASE WHEN n < 0 THEN 'minus' END AS e, GREATEST(id, n) AS f FROM t ORDER BY id
SELECT id, CAST(id AS CHAR) AS a, CAST(note AS SIGNED) AS b, CAST(price AS DECIMAL(5,1)) AS c, CAST(made AS DATE) AS d, ROUND(price, 1) AS e, FLOOR(price) AS f, CEIL(price) AS g, TRUNCATE(price, 0) AS h, MOD(n, 3) AS i, n % 3 AS j, n / 3 AS k, 1 / 0 AS l FROM t ORDER BY id
SELECT id FROM t WHERE note <=> NULL
SELECT id FROM t WHERE NOT note <=> 'SECRET' ORDER BY id
SELECT id FROM t WHERE (tenant, id) IN ((1, 1), (2, 2), (1, 4)) ORDER BY id
SELECT id FROM t WHERE id BETWEEN 1 AND 3 AND (id & 1) = 1 ORDER BY id
SELECT GROUP_CONCAT(note ORDER BY id) AS g FROM t
SELECT id FROM t ORDER BY note DESC, id LIMIT 2
SELECT id FROM t WHERE JSON_VALID(note) = 1
SELECT TRUE AS a, FALSE AS b, NULL AS c, NULL IS UNKNOWN AS d, 'a\nb' AS e, '\%' AS f
SELECT `id` AS `a``b` FROM `t` ORDER BY `id`
SELECT T.ID FROM t AS T WHERE T.Tenant = 1 ORDER BY 1
SELECT id, made + INTERVAL 1 DAY AS a, DATE_SUB(made, INTERVAL id MONTH) AS b, TIMESTAMPDIFF(DAY, made, '2024-03-01') AS c FROM t ORDER BY id
SELECT id FROM t WHERE made + INTERVAL 9000 YEAR IS NULL ORDER BY id
SELECT id FROM t WHERE made < NOW() - INTERVAL 1 DAY AND made >= CURDATE() - INTERVAL 900 YEAR ORDER BY id
SELECT id FROM t WHERE TIMESTAMPDIFF(MICROSECOND, made, '9999-12-31') > 0 ORDER BY id
SELECT id FROM t WHERE TIMESTAMPDIFF(YEAR, made, made) = 0 OR TO_SECONDS(made) < 0 OR MICROSECOND(made) > 0 ORDER BY id
SELECT id FROM t WHERE made > TIMESTAMP '2024-01-01 00:00:00' AND made <> DATE '2024-02-01' ORDER BY id
SELECT id FROM t WHERE n DIV 0.001 > 100 ORDER BY id
SELECT id, n DIV 2 AS a, n MOD 3 AS b FROM t WHERE id DIV 2 < 2 && tenant = 1 ORDER BY id
SELECT id FROM t WHERE note REGEXP '^[A-Z]' OR note NOT REGEXP '[a-z]' ORDER BY id
SELECT id FROM t WHERE note COLLATE utf8mb4_bin <> 'secret' ORDER BY note COLLATE utf8mb4_unicode_ci, id
SELECT id FROM t WHERE FIELD(note, 'SECRET', '50%') = 0 AND STRCMP(note, 'T') < 0 ORDER BY id
SELECT SUM(note = 'SECRET') AS a, AVG(n > 1) AS b, GROUP_CONCAT(DISTINCT tenant ORDER BY tenant DESC SEPARATOR '+') AS c FROM t
SELECT tenant, COUNT(*) AS c FROM t GROUP BY tenant HAVING c > 1 ORDER BY c
WITH RECURSIVE r (id, d) AS (SELECT id, 1 FROM t UNION ALL SELECT id, d + 1 FROM r WHERE d < 3) SELECT id, MAX(d) AS d FROM r GROUP BY id ORDER BY id
WITH RECURSIVE r (i) AS (SELECT 1 UNION SELECT t.id + 1 FROM r JOIN t ON t.id >= r.i WHERE t.n + 1 > 0) SELECT i FROM r ORDER BY i
SELECT id FROM t WHERE HEX(note) <> X'00' AND CAST(note AS BINARY) <> 'secret' ORDER BY id
SELECT id, CONVERT(note, CHAR(2)) AS a, CAST(id AS UNSIGNED) AS b, CAST(price AS FLOAT) AS c FROM t ORDER BY id
