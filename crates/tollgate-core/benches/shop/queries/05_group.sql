SELECT c.country, count(*) AS orders, sum(o.total) AS revenue FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY c.country HAVING count(*) > 10 ORDER BY revenue DESC
