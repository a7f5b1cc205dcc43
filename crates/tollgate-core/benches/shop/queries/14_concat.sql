SELECT id, name || ' <' || email || '>' AS address FROM customers WHERE region = 'us'
