SELECT p.name, (SELECT sum(i.quantity) FROM items i WHERE i.product_id = p.id) AS sold FROM products p ORDER BY sold DESC NULLS LAST LIMIT 5
