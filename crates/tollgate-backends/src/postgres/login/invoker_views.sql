-- What views read that have their caller's privileges, views behind views included: the view, a relation and its columns. Where a
-- relation's rows are only counted, its first column. `$1` and `$2`: schemas and names of relations, views or not.
WITH RECURSIVE invoker (oid) AS (
    SELECT c.oid
    FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS wanted (schema, name)
    JOIN pg_catalog.pg_namespace n ON n.nspname::pg_catalog.text = wanted.schema
    JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname::pg_catalog.text = wanted.name
    WHERE c.relkind = 'v' AND EXISTS (
        SELECT FROM pg_catalog.pg_options_to_table(c.reloptions) o
        WHERE o.option_name = 'security_invoker' AND o.option_value::pg_catalog.bool)
    UNION
    SELECT c.oid
    FROM invoker
    JOIN pg_catalog.pg_rewrite r ON r.ev_class = invoker.oid
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = r.oid
        AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
    JOIN pg_catalog.pg_class c ON c.oid = d.refobjid
    WHERE c.relkind = 'v' AND EXISTS (
        SELECT FROM pg_catalog.pg_options_to_table(c.reloptions) o
        WHERE o.option_name = 'security_invoker' AND o.option_value::pg_catalog.bool)
)
SELECT vn.nspname::pg_catalog.text, v.relname::pg_catalog.text, n.nspname::pg_catalog.text, c.relname::pg_catalog.text,
       pg_catalog.array_agg(DISTINCT a.attname::pg_catalog.text ORDER BY a.attname::pg_catalog.text)
FROM invoker
JOIN pg_catalog.pg_class v ON v.oid = invoker.oid
JOIN pg_catalog.pg_namespace vn ON vn.oid = v.relnamespace
JOIN pg_catalog.pg_rewrite r ON r.ev_class = invoker.oid
JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = r.oid
    AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid <> invoker.oid
JOIN pg_catalog.pg_class c ON c.oid = d.refobjid AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = CASE d.refobjsubid
    WHEN 0 THEN (SELECT pg_catalog.min(first.attnum) FROM pg_catalog.pg_attribute first
                 WHERE first.attrelid = c.oid AND first.attnum > 0 AND NOT first.attisdropped)
    ELSE d.refobjsubid END
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
