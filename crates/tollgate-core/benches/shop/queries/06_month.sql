SELECT date_trunc('month', placed_at) AS month, sum(total) AS revenue FROM orders WHERE placed_at >= '2026-01-01' GROUP BY 1 ORDER BY 1
