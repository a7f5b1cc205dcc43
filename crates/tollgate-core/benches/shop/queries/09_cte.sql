WITH spent AS (SELECT customer_id, sum(total) AS total FROM orders GROUP BY customer_id) SELECT c.name, s.total FROM spent s JOIN customers c ON c.id = s.customer_id ORDER BY s.total DESC LIMIT 10
