SELECT id, profile->>'plan' AS plan FROM customers WHERE profile->>'newsletter' = 'true'
