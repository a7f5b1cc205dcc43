SELECT d::date AS day, count(o.id) AS orders FROM generate_series('2026-01-01'::date, '2026-01-31'::date, '1 day') AS d LEFT JOIN orders o ON o.placed_at::date = d::date GROUP BY d ORDER BY d
