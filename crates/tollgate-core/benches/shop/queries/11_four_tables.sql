SELECT p.category, extract(year FROM o.placed_at) AS year, sum(i.quantity * i.price) AS revenue
FROM items i JOIN orders o ON o.id = i.order_id JOIN products p ON p.id = i.product_id JOIN customers c ON c.id = o.customer_id
WHERE c.country IN ('DE', 'FR', 'PL') AND o.status <> 'cancelled' GROUP BY p.category, extract(year FROM o.placed_at) ORDER BY revenue DESC
