-- One text a line: each must run under the footprint of refused.sql.
SELECT id FROM main.users
SELECT tg_raw."id" FROM "main"."users" AS tg_raw WHERE (tg_raw."region" = 'eu') LIMIT -1
SELECT count(*) FROM main.users
SELECT count(*) FROM users
SELECT 1 FROM main.users
SELECT count(u.id) FROM (SELECT id FROM main.users WHERE region = 'eu' LIMIT -1) AS u WHERE u.id LIKE '1%'
SELECT id FROM main.eu_users
SELECT shouted FROM main.eu_users
SELECT count(*) FROM main.eu_users
SELECT 1 FROM main.eu_users
SELECT u.name FROM main.users u JOIN main.eu_users e ON e.id = u.id
WITH c AS (SELECT id FROM main.users) SELECT count(*) FROM c
WITH c AS (SELECT id FROM main.users) SELECT id FROM c WHERE id IN (SELECT id FROM main.eu_users)
WITH c AS (SELECT shouted FROM main.eu_users) SELECT count(*) FROM c AS x, c AS y
SELECT id FROM main.users WHERE id IN (SELECT value FROM json_each('[1,2]'))
SELECT id FROM main.users WHERE id IN (SELECT "json_each"."value" FROM json_each('[1,2]'))
SELECT u.id FROM (SELECT id FROM main.users) AS u WHERE EXISTS (SELECT 1 FROM (SELECT id FROM main.eu_users) AS e WHERE e.id = u.id)
SELECT rowid FROM main.users
