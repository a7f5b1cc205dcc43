SELECT status, count(*) AS n, round(100.0 * count(*) / (SELECT count(*) FROM orders), 1) AS share FROM orders GROUP BY status
