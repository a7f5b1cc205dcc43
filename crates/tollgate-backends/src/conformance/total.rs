//! What the core counts as unable to fail, put to the engines: statements made at random, run without a fence over values at
//! which operations fail. One that fails there and not over an empty table would betray rows that a filter hides.

use std::collections::BTreeMap;

use tollgate_core::{
    catalog::{Catalog, Table},
    names::Dialect,
    sql::{
        CheckedStatement, Request, RestrictedColumn, Restriction, Restrictions, check,
        functions::{self, FunctionKind, FunctionSpec, Given, Limit},
    },
};

/// How many statements; `TOLLGATE_STATEMENTS` says otherwise, `TOLLGATE_SEED` starts elsewhere.
const STATEMENTS: u64 = 4000;

/// The number an environment variable gives.
fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

/// A statement over the hostile table and its twin over the empty one, neither of them fenced.
struct Pair {
    hostile: CheckedStatement,
    empty: CheckedStatement,
}

/// Statements of a seed, those that are refused or fenced left out.
struct Pairs<'c> {
    catalog: &'c Catalog,
    restrictions: Restrictions,
    maker: Maker,
    left: u64,
}

impl<'c> Pairs<'c> {
    fn new(catalog: &'c Catalog) -> Self {
        let open = |table: &Table| {
            let columns = table.columns.iter().map(|c| RestrictedColumn { name: c.name.clone(), mask: None });
            (
                table.id.clone(),
                Restriction { columns: columns.collect(), filter: None, hides_rows: true, min_group_size: None },
            )
        };
        let table = catalog.table(None, "hostile").unwrap();
        let columns = table.columns.iter().map(|c| c.name.clone()).collect();
        let state = 0x9e37_79b9_7f4a_7c15 ^ setting("TOLLGATE_SEED", 0);
        Self {
            catalog,
            restrictions: Restrictions { tables: catalog.tables().iter().map(open).collect(), mask_key: None },
            maker: Maker { state, dialect: catalog.dialect(), columns },
            left: setting("TOLLGATE_STATEMENTS", STATEMENTS),
        }
    }

    fn checked(&self, sql: &str) -> Option<CheckedStatement> {
        let request =
            Request { sql, catalog: self.catalog, restrictions: &self.restrictions, params: &BTreeMap::new() };
        check(&request).ok().filter(|statement| !statement.fenced())
    }
}

impl Iterator for Pairs<'_> {
    type Item = (String, Pair);

    fn next(&mut self) -> Option<Self::Item> {
        while self.left > 0 {
            self.left -= 1;
            let sql = self.maker.statement();
            let Some(hostile) = self.checked(&sql.replace("TABLE", "hostile")) else { continue };
            let empty = self.checked(&sql.replace("TABLE", "empty")).unwrap();
            return Some((sql, Pair { hostile, empty }));
        }
        None
    }
}

/// Makes statements up.
struct Maker {
    state: u64,
    dialect: Dialect,
    columns: Vec<String>,
}

const LITERALS: [&str; 31] = [
    "NULL",
    "0",
    "1",
    "2",
    "-1",
    "0.5",
    "2147483647",
    "2147483648",
    "9223372036854775808",
    "1e300",
    "TRUE",
    "''",
    "'a'",
    "'1'",
    "'%'",
    "'a%\\\\'",
    "'2024-01-01'",
    "'year'",
    "'{}'",
    "'{a}'",
    "'now'",
    "'%s'",
    "'glad'",
    "' '",
    "'-1'",
    "'-2147483648'",
    "'1e131071'",
    "'5874897-12-31'",
    "'294276-12-31'",
    "'4713-01-01 BC'",
    "'infinity'",
];
const TYPES: [(&str, &str); 14] = [
    ("text", "TEXT"),
    ("varchar(3)", "TEXT"),
    ("char(3)", "BLOB"),
    ("integer", "INTEGER"),
    ("bigint", "INTEGER"),
    ("numeric", "NUMERIC"),
    ("numeric(4,2)", "NUMERIC"),
    ("real", "REAL"),
    ("double precision", "REAL"),
    ("date", "TEXT"),
    ("timestamp", "TEXT"),
    ("timestamptz", "TEXT"),
    ("boolean", "INTEGER"),
    ("json", "TEXT"),
];
const OPERATORS: [&str; 34] = [
    "=",
    "<>",
    "<",
    "<=",
    ">",
    ">=",
    "AND",
    "OR",
    "+",
    "-",
    "*",
    "/",
    "%",
    "||",
    "IS DISTINCT FROM",
    "IS NOT DISTINCT FROM",
    "->>",
    "->",
    "#>",
    "#>>",
    "@>",
    "<@",
    "&&",
    "?",
    "?|",
    "&",
    "|",
    "#",
    "<<",
    ">>",
    "^",
    "~",
    "@?",
    "GLOB",
];

impl Maker {
    /// A number below a bound (xorshift64*).
    fn below(&mut self, bound: usize) -> usize {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        let number = self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(number).unwrap() % bound
    }

    fn one_of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }

    fn statement(&mut self) -> String {
        let (a, b) = (self.expr(3), self.expr(2));
        match self.below(12) {
            0 => format!("SELECT {a} AS a, {b} AS b FROM TABLE t"),
            10 => format!("SELECT {} AS a FROM TABLE t", self.window()),
            11 => format!("SELECT max({a} ORDER BY {b}) AS a FROM TABLE t"),
            1 => format!("SELECT DISTINCT {a} AS a FROM TABLE t"),
            2 => format!("SELECT {a} AS a, count(*) AS n FROM TABLE t GROUP BY {a}"),
            3 => format!("SELECT id FROM TABLE t ORDER BY {a} DESC, {b}"),
            4 => {
                let aggregate = self.aggregate();
                format!("SELECT {aggregate} AS a FROM TABLE t")
            }
            5 => format!("SELECT {a} AS a FROM TABLE t UNION SELECT {b} FROM TABLE t"),
            6 => format!("SELECT t.id FROM TABLE t LEFT JOIN TABLE v ON t.id = v.id AND ({a}) IS NOT NULL"),
            7 => format!("WITH c AS (SELECT {a} AS a, {b} AS b FROM TABLE t) SELECT a FROM c WHERE a = b OR b < a"),
            8 => format!(
                "SELECT x.a FROM (SELECT {a} AS a FROM TABLE t) x JOIN (SELECT {b} AS a FROM TABLE t) y USING (a)"
            ),
            _ => format!("SELECT id FROM TABLE t WHERE ({a}) IS NOT NULL"),
        }
    }

    fn column(&mut self) -> String {
        let at = self.below(self.columns.len());
        format!("t.{}", self.columns[at])
    }

    fn aggregate(&mut self) -> String {
        let listed = functions::list(self.dialect);
        let aggregates: Vec<_> = listed.iter().filter(|f| f.kind == FunctionKind::Aggregate).collect();
        let at = self.below(aggregates.len());
        format!("{}({})", aggregates[at].name, self.expr(2))
    }

    /// A window function or an aggregate over a window.
    fn window(&mut self) -> String {
        let listed = functions::list(self.dialect);
        let kinds = [FunctionKind::Window, FunctionKind::Aggregate];
        let windows: Vec<_> = listed.iter().filter(|f| kinds.contains(&f.kind)).collect();
        let at = self.below(windows.len());
        let count = windows[at].arity.0.max(usize::from(windows[at].kind == FunctionKind::Aggregate));
        let args: Vec<String> = (0..count)
            .map(|n| if n == 0 { self.expr(2) } else { self.one_of(&["1", "3", "','"]).to_owned() })
            .collect();
        let frame = self.one_of(&[
            "",
            "ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING",
            "GROUPS UNBOUNDED PRECEDING",
            "RANGE CURRENT ROW",
            "RANGE 1 PRECEDING",
        ]);
        let (partition, order) = (self.expr(1), self.expr(1));
        format!("{}({}) OVER (PARTITION BY {partition} ORDER BY {order} {frame})", windows[at].name, args.join(", "))
    }

    fn call(&mut self, depth: usize) -> String {
        let listed = functions::list(self.dialect);
        let scalars: Vec<_> = listed.iter().filter(|f| f.kind == FunctionKind::Scalar).collect();
        let at = self.below(scalars.len());
        let (fewest, most) = scalars[at].arity;
        let count = fewest + self.below(most.min(3).max(fewest) - fewest + 1);
        let mut args: Vec<String> = (0..count).map(|_| self.expr(depth - 1)).collect();
        self.set_constants(scalars[at], &mut args);
        format!("{}({})", scalars[at].name, args.join(", "))
    }

    /// Puts constants where a function wants them, or is total over some; chance would hardly find these.
    fn set_constants(&mut self, spec: &FunctionSpec, args: &mut [String]) {
        let last = args.len().saturating_sub(1);
        let wanted: &[(usize, &[&'static str])] = match spec.given {
            None => &[],
            Some(Given::Field) => {
                &[(0, &["'year'", "'hour'", "'day'", "'epoch'", "'week'", "'isodow'", "'microseconds'"])]
            }
            Some(Given::Unit) => &[(0, &["'day'", "'hour'", "'century'", "'week'"])],
            Some(Given::Template) => {
                &[(1, &["'YYYY-MM'", "'Mon DD, YYYY HH24:MI:SS.US'", "'IYYY-IW Q'", "'HH12:MI AM Day Month'"])]
            }
            Some(Given::Numbers) => &[(0, &["'%d'", "'%.2f'", "'%+09.1f%%'", "'%,d %x'", "'%e %g'"])],
            Some(Given::NoLonger) => &[(1, &["'a'", "'%'"]), (2, &["'b'", "''"])],
            Some(Given::Counts) => &[(1, &["1", "0"]), (2, &["3", "0"])],
            Some(Given::NonZero) => &[(last, &["1", "7", "0.5", "2"])],
        };
        let limited: Vec<(usize, &[&'static str])> = spec
            .limits
            .iter()
            .map(|(position, limit)| match limit {
                Limit::Whole(..) => (*position, &["1", "12", "1000"][..]),
                Limit::Fraction => (*position, &["0.5"][..]),
                Limit::Text(_) | Limit::Short(_) => (*position, &["'x'", "'é%'"][..]),
                Limit::Format => (*position, &["'%s'", "'%5s'"][..]),
                Limit::Unit => (*position, &["MICROSECOND", "DAY", "YEAR"][..]),
            })
            .collect();
        // What is wanted for totality comes last: it is within the limit too.
        for (position, choices) in limited.iter().chain(wanted) {
            let choice = self.one_of(choices);
            if let Some(arg) = args.get_mut(*position) {
                choice.clone_into(arg);
            }
        }
    }

    fn expr(&mut self, depth: usize) -> String {
        if depth == 0 || self.below(4) == 0 {
            return if self.below(3) == 0 { self.one_of(&LITERALS).to_owned() } else { self.column() };
        }
        let choice = self.below(17);
        let a = self.expr(depth - 1);
        match choice {
            0..=3 => self.call(depth),
            4 => format!("({a} {} {})", self.one_of(&OPERATORS), self.expr(depth - 1)),
            5 => format!("({a} {} {a})", self.one_of(&OPERATORS)),
            6 => format!("({a} IN ({}, {}))", self.expr(depth - 1), self.expr(depth - 1)),
            7 => format!("({a} BETWEEN {} AND {})", self.expr(depth - 1), self.expr(depth - 1)),
            8 => format!("({a} LIKE {})", self.one_of(&["'a%'", "'%\\\\%'", "'_'", "'%a' ESCAPE 'x'", "t.txt"])),
            9 => format!("CASE WHEN t.flag THEN {a} ELSE {} END", self.expr(depth - 1)),
            10 => format!("CAST({a} AS {})", self.cast_type()),
            11 => match self.below(5) {
                0 => format!("({a} IN (SELECT {} FROM TABLE t))", self.expr(depth - 1)),
                1 => format!("EXISTS (SELECT 1 FROM TABLE v WHERE v.id = {a})"),
                2 => format!("(SELECT max({}) FROM TABLE t)", self.expr(depth - 1)),
                3 => format!("(SELECT count(*) FROM {}({a}) AS f)", self.table_function()),
                _ => format!("(SELECT {} FROM TABLE v WHERE {a} = v.id LIMIT 1)", self.expr(depth - 1)),
            },
            12 => format!("({a} {} ANY (ARRAY[{}, {}]))", self.one_of(&["=", "<"]), self.expr(depth - 1), self.expr(1)),
            13 => format!("(({a}, t.id) = ({}, {}))", self.expr(depth - 1), self.expr(1)),
            14 => format!("({a})[{}]", self.expr(depth - 1)),
            15 => format!("ARRAY[{a}, {}]", self.expr(depth - 1)),
            _ => format!("({} {a})", self.one_of(&["-", "NOT", "+", "~"])),
        }
    }

    fn table_function(&mut self) -> &'static str {
        match self.dialect {
            Dialect::Postgres => self.one_of(&["json_array_elements", "jsonb_each", "unnest"]),
            Dialect::Sqlite | Dialect::MariaDb => self.one_of(&["json_each", "json_tree"]),
        }
    }

    fn cast_type(&mut self) -> &'static str {
        let (postgres, sqlite) = self.one_of(&TYPES);
        match self.dialect {
            Dialect::Postgres => postgres,
            Dialect::Sqlite | Dialect::MariaDb => sqlite,
        }
    }
}

mod tests {
    use std::sync::Arc;

    use tokio_postgres::{Client, types::Type};

    use super::Pairs;
    use crate::{PoolLimits, postgres, sqlite, testing::postgres::PostgresServer};

    /// How the database fails, if it does. Types are a matter of the text, so those errors are the same for both tables.
    async fn postgres_failure(client: &Client, text: &str) -> Option<String> {
        let typed = [(&"call" as _, Type::TEXT), (&1000_i64 as _, Type::INT8), (&0_i64 as _, Type::INT8)];
        client.query_typed(text, &typed).await.err().map(|e| e.as_db_error().unwrap().to_string())
    }

    #[tokio::test]
    async fn nothing_that_counts_as_total_fails_on_postgres() {
        let Some(server) = PostgresServer::shared() else { return };
        let setup = include_str!("../../testdata/leak/hostile.postgres.sql");
        let database = Arc::new(server.database(setup).await);
        let backend = postgres::connect(&database.url(), PoolLimits::default()).unwrap();
        let catalog = backend.introspect().await.unwrap();
        let client = database.superuser().await;
        client.batch_execute("SET search_path = ''; SET client_min_messages = error").await.unwrap();
        let (mut ran, mut failed) = (0, Vec::new());
        for (sql, pair) in Pairs::new(&catalog) {
            match postgres_failure(&client, pair.hostile.text()).await {
                None => ran += 1,
                Some(error) => {
                    if postgres_failure(&client, pair.empty.text()).await.is_none() {
                        failed.push(format!("{error}\n  {sql}"));
                    }
                }
            }
        }
        assert!(failed.is_empty(), "{} of {ran}:\n{}", failed.len(), failed.join("\n"));
        assert!(ran > 100, "only {ran} statements ran");
    }

    #[tokio::test]
    async fn nothing_that_counts_as_total_fails_on_sqlite() {
        let dir = tempfile::TempDir::new().unwrap();
        let path = dir.path().join("hostile.db");
        let client = rusqlite::Connection::open(&path).unwrap();
        client.execute_batch(include_str!("../../testdata/leak/hostile.sqlite.sql")).unwrap();
        let catalog = sqlite::open(&path, PoolLimits::default()).unwrap().introspect().await.unwrap();
        let failure = |text: &str| -> Option<String> {
            let run = || -> rusqlite::Result<()> {
                let mut statement = client.prepare(text)?;
                let mut rows = statement.query([1000, 0])?;
                while rows.next()?.is_some() {}
                Ok(())
            };
            run().err().map(|error| error.to_string())
        };
        let (mut ran, mut failed) = (0, Vec::new());
        for (sql, pair) in Pairs::new(&catalog) {
            match failure(pair.hostile.text()) {
                None => ran += 1,
                Some(error) if failure(pair.empty.text()).is_none() => failed.push(format!("{error}\n  {sql}")),
                Some(_) => {}
            }
        }
        assert!(failed.is_empty(), "{} of {ran}:\n{}", failed.len(), failed.join("\n"));
        assert!(ran > 100, "only {ran} statements ran");
    }
}
