SELECT id, total, status, placed_at FROM orders WHERE status = 'open' ORDER BY placed_at DESC LIMIT 20
