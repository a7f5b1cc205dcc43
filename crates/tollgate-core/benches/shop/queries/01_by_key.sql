SELECT id, name, email FROM customers WHERE id = 42
