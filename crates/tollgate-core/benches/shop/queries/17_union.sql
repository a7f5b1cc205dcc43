SELECT 'customer' AS kind, name FROM customers UNION ALL SELECT 'product', name FROM products ORDER BY 1, 2
