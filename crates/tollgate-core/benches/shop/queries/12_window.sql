SELECT customer_id, id, total, row_number() OVER (PARTITION BY customer_id ORDER BY placed_at DESC) AS nth FROM orders
