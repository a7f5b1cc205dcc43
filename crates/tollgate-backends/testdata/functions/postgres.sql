-- What PostgreSQL's own functions are by the rule of the allow-list. A name passes when every overload does.
WITH overload AS (
    SELECT p.oid, p.proname AS name, p.prokind, p.proretset, a.aggkind,
        p.pronargs - p.pronargdefaults AS fewest,
        CASE WHEN p.provariadic <> 0 THEN 50 ELSE p.pronargs END AS most,
        p.provolatile <> 'v' AND p.prokind IN ('f', 'a', 'w') AND has_function_privilege('public', p.oid, 'EXECUTE')
            AND NOT EXISTS (
                SELECT FROM unnest(p.proargtypes::oid[] || p.prorettype || COALESCE(p.proallargtypes, '{}')) AS named (oid)
                JOIN pg_type AS t USING (oid) LEFT JOIN pg_type AS element ON element.oid = t.typelem AND t.typcategory = 'A'
                WHERE COALESCE(element.typname, t.typname) ~ '^(reg.*|pg_.*|.*_handler|.*trigger)$'
                    OR COALESCE(element.typname, t.typname) IN ('internal', 'cstring', 'oid', 'oidvector', 'xid', 'xid8', 'cid', 'tid',
                        'xml', 'refcursor', 'aclitem', 'void', 'txid_snapshot', 'gtsvector')
            ) AS passes,
        p.oid IN (
            SELECT unnest(ARRAY[oprcode, oprrest, oprjoin]::oid[]) FROM pg_operator
            UNION ALL SELECT unnest(ARRAY[typinput, typoutput, typreceive, typsend, typmodin, typmodout, typanalyze, typsubscript]::oid[])
                FROM pg_type
            UNION ALL SELECT amproc FROM pg_amproc
            UNION ALL SELECT castfunc FROM pg_cast
            UNION ALL SELECT conproc FROM pg_conversion
            UNION ALL SELECT unnest(ARRAY[aggtransfn, aggfinalfn, aggcombinefn, aggserialfn, aggdeserialfn, aggmtransfn, aggminvtransfn,
                aggmfinalfn]::oid[]) FROM pg_aggregate
        ) AS is_machinery
    FROM pg_proc AS p LEFT JOIN pg_aggregate AS a ON a.aggfnoid = p.oid
    WHERE p.pronamespace = 'pg_catalog'::regnamespace
)
SELECT name::text,
    bool_and(passes) AND NOT bool_or(is_machinery) AND name !~ '^(pg|has|current|session|txid|inet|lo|binary_upgrade)_' AS passes,
    min(fewest)::int8 AS fewest, max(most)::int8 AS most,
    array_agg(DISTINCT CASE WHEN proretset THEN 'set' WHEN prokind = 'w' THEN 'window' WHEN aggkind = 'o' THEN 'ordered-set'
        WHEN aggkind = 'h' THEN 'hypothetical-set' WHEN prokind = 'a' THEN 'aggregate' ELSE 'scalar' END) AS kinds
FROM overload GROUP BY name ORDER BY name
