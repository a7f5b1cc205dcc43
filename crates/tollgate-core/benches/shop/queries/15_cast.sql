SELECT id, total::integer AS total, placed_at::date AS day FROM orders
