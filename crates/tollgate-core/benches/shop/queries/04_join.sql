SELECT c.name, o.id, o.total FROM customers c JOIN orders o ON o.customer_id = c.id WHERE c.region = 'eu' AND o.total > 100 ORDER BY o.total DESC
