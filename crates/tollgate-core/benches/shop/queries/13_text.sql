SELECT lower(name) AS name, split_part(email, '@', 2) AS domain FROM customers WHERE name ILIKE '%smith%' OR email LIKE '%@example.com'
