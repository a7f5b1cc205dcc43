SELECT CASE WHEN total < 50 THEN 'small' WHEN total < 500 THEN 'middle' ELSE 'large' END AS size, count(*) FROM orders GROUP BY 1
