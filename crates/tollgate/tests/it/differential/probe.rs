//! What fails on a hidden row: statements over one row, in which a value at the edge of its type takes the place of the row's own.
//! Asked for a row that is hidden and for one that is not there, they get the same answer.

use super::{
    Case, Verdict, Yield,
    campaign::sources,
    compare,
    engine::Engine,
    kind::{Kind, name},
    node::Node,
    query::{Made, Source},
    random::Random,
    report::{Run, note},
    world::{KEY, World, number_of},
};
use tollgate_core::names::Dialect;

/// Statements to a world.
const PER_WORLD: u64 = 300;

/// A key that no row has.
const ABSENT: &str = "987654321";

/// Values at the edge of their types, in both dialects.
const INTEGERS: [&str; 8] = ["0", "(-1)", "1", "2147483647", "(-2147483648)", "9223372036854775807", "1.5", "NULL"];
const TEXTS: [&str; 14] = [
    "''",
    "'\\'",
    "'a\\'",
    "'['",
    "'('",
    "'*'",
    "'1'",
    "'x'",
    "'9999-99-99'",
    "'2024-01-31'",
    "'{'",
    "'{\"a\": 1}'",
    "'$.'",
    "NULL",
];
const FLOATS: [&str; 5] = ["1e308", "1e-308", "0.0", "CAST('NaN' AS double precision)", "(-1e308)"];
const DATES: [&str; 4] = ["DATE 'infinity'", "DATE '4714-11-24 BC'", "DATE '5874897-12-31'", "DATE '0001-01-01'"];
const JSONS: [&str; 6] = ["'null'", "'[]'", "'{}'", "'1'", "'\"x\"'", "'[[1], {\"a\": null}]'"];

/// What fails or overflows on some number.
const OF_NUMBERS: [&str; 24] = [
    "1 / #",
    "# % 0",
    "# * 2147483647",
    "# + 2147483647",
    "# - 2147483648",
    "-#",
    "abs(#)",
    "CAST(# AS smallint)",
    "CAST(# AS integer)",
    "round(#, 2)",
    "substr('abc', 1, #)",
    "CAST(# AS text)",
    "# << 40",
    "power(#, 1000)",
    "sqrt(#)",
    "exp(#)",
    "ln(#)",
    "chr(#)",
    "make_date(#, 1, 1)",
    "to_timestamp(#)",
    "width_bucket(#, 0, 0, 1)",
    "gcd(#, 2)",
    "char(#)",
    "# = 1",
];
const OF_TEXTS: [&str; 24] = [
    "CAST(# AS integer)",
    "CAST(# AS date)",
    "CAST(# AS jsonb)",
    "CAST(# AS numeric)",
    "CAST(# AS boolean)",
    "'a' LIKE #",
    "# LIKE 'a%'",
    "'a' ~ #",
    "'a' SIMILAR TO #",
    "regexp_replace('a', #, 'b')",
    "to_date(#, 'YYYY-MM-DD')",
    "to_number(#, '9')",
    "decode(#, 'hex')",
    "left('abc', length(#))",
    "split_part(#, 'a', 1)",
    "ascii(#)",
    "date_trunc(#, TIMESTAMP '2024-01-01')",
    "json_extract(#, '$.a')",
    "json_extract('{}', #)",
    "# -> 'a'",
    "json(#)",
    "strftime(#, 'now')",
    "'a' GLOB #",
    "# || #",
];
const OF_DATES: [&str; 6] = [
    "# + 2147483647",
    "# - 1",
    "# - INTERVAL '300000 years'",
    "extract(epoch FROM #)",
    "to_char(#, 'IW Q')",
    "age(#, #)",
];
const OF_JSONS: [&str; 6] =
    ["jsonb_array_length(#)", "# - 1", "# #- '{a}'", "CAST(# AS integer)", "jsonb_set(#, '{a,b}', '1')", "# || '[]'"];

/// The same of MariaDB. A text that is no number, date or document is one with a warning, or fails.
const MARIADBS_INTEGERS: [&str; 9] = [
    "0",
    "(-1)",
    "2147483647",
    "9223372036854775807",
    "(-9223372036854775807)",
    "18446744073709551615",
    "1.5",
    "99999999999999999999999999999999999999999999999999999999999999999",
    "NULL",
];
const MARIADBS_TEXTS: [&str; 14] = [
    "''",
    "'\\\\'",
    "'a\\\\'",
    "'['",
    "'('",
    "'*'",
    "'1'",
    "'9999-99-99'",
    "'2024-01-31'",
    "'{'",
    "'{\"a\": 1}'",
    "'$.'",
    "'éx'",
    "NULL",
];
const MARIADBS_FLOATS: [&str; 4] = ["1e308", "1e-308", "0.0", "(-1e308)"];
const MARIADBS_DATES: [&str; 5] = [
    "CAST('9999-12-31' AS DATE)",
    "CAST('0000-00-00' AS DATE)",
    "CAST('2024-02-31' AS DATE)",
    "CAST('0001-01-01' AS DATETIME)",
    "CAST('x' AS DATETIME(6))",
];
const MARIADBS_OF_NUMBERS: [&str; 44] = [
    "1 / #",
    "# % 0",
    "# DIV 0.001",
    "# * 9223372036854775807",
    "# + 9223372036854775807",
    "# - 9223372036854775807 - 2",
    "# - CAST(1 AS UNSIGNED)",
    "-#",
    "abs(#)",
    "CAST(# AS SIGNED)",
    "CAST(# AS DECIMAL(3,1))",
    "CAST(# AS CHAR(1))",
    "CAST(# AS DATE)",
    "round(#, 2)",
    "truncate(#, 2)",
    "ceil(#)",
    "mod(#, 0)",
    "sign(#)",
    "substr('abc', 1, #)",
    "left('abc', #)",
    "locate('a', 'ba', #)",
    "substring_index('a.b', '.', #)",
    "power(#, 1000)",
    "sqrt(#)",
    "exp(#)",
    "ln(#)",
    "log10(#)",
    "# | 1",
    "# & #",
    "# = 1",
    "# = 'x'",
    "# IN ('a', 1)",
    "# LIKE '1%'",
    "concat(#, 'a')",
    "concat_ws('a', #, #)",
    "greatest(#, 1)",
    "coalesce(#, 'a')",
    "if(#, 1, 2)",
    "nullif(#, 'a')",
    "from_unixtime(#)",
    "date(#)",
    "format(#, 2)",
    "hour(#)",
    "char_length(#)",
];
const MARIADBS_OF_TEXTS: [&str; 44] = [
    "CAST(# AS SIGNED)",
    "CAST(# AS DATE)",
    "CAST(# AS DATETIME(6))",
    "CAST(# AS TIME)",
    "CAST(# AS DECIMAL(5,2))",
    "CAST(# AS DOUBLE)",
    "CAST(# AS CHAR(1))",
    "# = 1",
    "# = 'É'",
    "# + 0",
    "NOT #",
    "# AND TRUE",
    "'a' LIKE #",
    "# LIKE 'a%'",
    "# LIKE '\\\\'",
    "# LIKE 'a!' ESCAPE '!'",
    "'a' REGEXP #",
    "str_to_date(#, '%Y')",
    "date_format(#, '%Y')",
    "date_format(CAST('2024-01-01' AS DATE), #)",
    "date(#)",
    "last_day(#)",
    "year(#)",
    "left(#, 1)",
    "left('abc', length(#))",
    "substring_index(#, 'a', 1)",
    "replace(#, '', #)",
    "reverse(#)",
    "ascii(#)",
    "upper(#)",
    "find_in_set(#, #)",
    "locate(#, 'a')",
    "instr(#, #)",
    "trim(#)",
    "json_extract(#, '$.a')",
    "json_extract('{}', #)",
    "json_valid(#)",
    "json_length(#)",
    "json_unquote(#)",
    "json_value(#, '$.a')",
    "json_contains(#, '1')",
    "concat(#, #)",
    "concat_ws(#, 'a', 'b')",
    "greatest(#, 'a')",
];
const MARIADBS_OF_DATES: [&str; 18] = [
    "last_day(#)",
    "to_days(#)",
    "unix_timestamp(#)",
    "datediff(#, CAST('0001-01-01' AS DATE))",
    "date_format(#, '%Y-%u')",
    "dayname(#)",
    "week(#, 3)",
    "yearweek(#)",
    "quarter(#)",
    "CAST(# AS DATE)",
    "CAST(# AS DATETIME)",
    "CAST(# AS SIGNED)",
    "CAST(# AS CHAR)",
    "# = '2024-13-45'",
    "# = 5",
    "# IN ('x', '2024-01-01')",
    "# + 0",
    "greatest(#, '2024-01-01')",
];

/// Edges, what may fail on them, and the kinds of columns that they may stand for.
type Group = (&'static [&'static str], &'static [&'static str], &'static [Kind]);

fn groups(dialect: Dialect) -> &'static [Group] {
    const NUMBERS: &[Kind] = &[Kind::Int, Kind::BigInt, Kind::Decimal];
    match dialect {
        Dialect::Postgres => &[
            (&INTEGERS, &OF_NUMBERS, NUMBERS),
            (&TEXTS, &OF_TEXTS, &[Kind::Text]),
            (&FLOATS, &OF_NUMBERS, &[Kind::Float]),
            (&DATES, &OF_DATES, &[Kind::Date]),
            (&JSONS, &OF_JSONS, &[Kind::Json]),
        ],
        Dialect::Sqlite => &[(&INTEGERS, &OF_NUMBERS, NUMBERS), (&TEXTS, &OF_TEXTS, &[Kind::Text])],
        Dialect::MariaDb => &[
            (&MARIADBS_INTEGERS, &MARIADBS_OF_NUMBERS, NUMBERS),
            (&MARIADBS_TEXTS, &MARIADBS_OF_TEXTS, &[Kind::Text, Kind::Json, Kind::Mood]),
            (&MARIADBS_FLOATS, &MARIADBS_OF_NUMBERS, &[Kind::Float]),
            (&MARIADBS_DATES, &MARIADBS_OF_DATES, &[Kind::Date, Kind::Timestamp]),
        ],
    }
}

/// Statements over one row of `@t` by the key `@k`; `#` is what may fail.
const STATEMENTS: [&str; 14] = [
    "SELECT count(*) AS n FROM @t WHERE @k AND (#) IS NULL",
    "SELECT # AS x FROM @t WHERE @k",
    "SELECT max(#) AS x, count(DISTINCT #) AS n FROM @t WHERE @k",
    "SELECT sum(#) AS x, avg(#) AS y FROM @t WHERE @k",
    "SELECT count(*) AS n FROM @t WHERE @k GROUP BY # HAVING count(*) > 0",
    "SELECT 1 AS x FROM @t WHERE @k ORDER BY #",
    "SELECT DISTINCT # AS x FROM @t WHERE @k",
    "SELECT lag(#) OVER (ORDER BY @c) AS x, count(#) OVER (PARTITION BY #) AS n FROM @t WHERE @k",
    "SELECT sum(#) OVER (ORDER BY @c ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS x FROM @t WHERE @k",
    "SELECT count(#) FILTER (WHERE (#) IS NOT NULL) AS n FROM @t WHERE @k",
    "SELECT n FROM (SELECT rank() OVER (ORDER BY #) AS n FROM @t WHERE @k) AS d",
    "SELECT (SELECT count(*) FROM @t WHERE @k AND (#) IS NOT NULL) AS n",
    "WITH w AS (SELECT # AS x FROM @t WHERE @k) SELECT count(x) AS n FROM w",
    "SELECT count(*) AS n FROM @t AS o JOIN @t ON o.@c = @t.@c AND (#) IS NOT NULL WHERE @k",
];

/// Asks until that many statements were accepted.
pub(super) fn run(engine: &mut dyn Engine, otherwise: u64) {
    let mut run = Run::start(format!("{:?} hidden rows", engine.dialect()), otherwise);
    while run.goes_on(run.report.accepted) {
        let mut random = Random::new(run.seed);
        let world = World::new(&mut random, engine.dialect());
        let mut case = Case::new(engine, world, None);
        probe(&mut case, &mut random, &mut run);
        run.seed += 1;
    }
    run.end();
}

/// Statements over the hidden rows of one world.
fn probe(case: &mut Case<'_>, random: &mut Random, run: &mut Run) {
    let hidden: Vec<(Source, String)> = case.hidden();
    for _ in 0..PER_WORLD {
        if hidden.is_empty() || super::report::interrupted() {
            return;
        }
        let (table, id) = random.one_of(&hidden).clone();
        let text = statement(random, case.world.dialect, &table);
        run.tell();
        run.report.asked += 1;
        match case.unseen(&text, &id) {
            Verdict::Refused(error) => {
                note(&mut run.report.refusals, super::report::generalised(&error.to_string()), &text);
            }
            Verdict::GivenUp => run.report.given_up += 1,
            Verdict::Same(answer) => {
                run.report.accepted += 1;
                run.report.fenced += u64::from(answer.fenced);
                run.report.failed += u64::from(answer.of == Yield::Failure);
            }
            Verdict::Different(found, _, detail) => {
                run.report.findings.push(format!("seed {}, {found:?}\n{text}\n{detail}", run.seed));
                return;
            }
        }
    }
}

/// A statement with `@id` where the row's key stands.
fn statement(random: &mut Random, dialect: Dialect, table: &Source) -> String {
    let (edges, operations, kinds) = *random.one_of(groups(dialect));
    let own = format!("@t.{}", name(&random.one_of(&table.columns).0, dialect));
    let of_kind: Vec<&str> =
        table.columns.iter().filter(|(_, kind)| kinds.contains(kind)).map(|(column, _)| column.as_str()).collect();
    let constant = |random: &mut Random| match *random.one_of(edges) {
        json if operations == OF_JSONS => format!("CAST({json} AS jsonb)"),
        edge => edge.to_owned(),
    };
    let edge = constant(random);
    let otherwise = if of_kind.is_empty() {
        constant(random)
    } else {
        format!("@t.{}", name(random.one_of::<&str>(&of_kind), dialect))
    };
    let value = match random.below(4) {
        0 => edge,
        1 => format!("CASE WHEN {own} IS NULL THEN {otherwise} ELSE {edge} END"),
        2 => format!("coalesce(nullif({edge}, {otherwise}), {edge})"),
        _ => format!("CASE WHEN @k THEN {edge} ELSE {otherwise} END"),
    };
    let failing = random.one_of(operations).replace('#', &format!("({value})"));
    let key = name("id", dialect);
    random
        .one_of(&STATEMENTS)
        .replace('#', &failing)
        .replace("@k", &format!("@t.{key} = @id"))
        .replace("@c", &key)
        .replace("@t", &name(&table.name, dialect))
}

impl Case<'_> {
    /// The granted tables whose key is granted in plain, each with the key of a hidden row.
    fn hidden(&self) -> Vec<(Source, String)> {
        let mut hidden = Vec::new();
        for table in sources(&self.world) {
            let Some((at, grant)) = self.world.granted().find(|(at, _)| self.world.tables[*at].name == table.name)
            else {
                continue;
            };
            let keyed = grant.columns.iter().any(|(index, mask)| *index == KEY && mask.is_none());
            let rows = &self.world.tables[at].rows;
            let row = rows.iter().find(|row| !self.visible[at].contains(&number_of(row)));
            if let (true, Some(id)) = (keyed, row.and_then(|row| row[KEY].clone())) {
                hidden.push((table, id));
            }
        }
        hidden
    }

    /// A statement over the row of that key, against the same over a key that no row has.
    fn unseen(&mut self, text: &str, id: &str) -> Verdict {
        let ask = |case: &Self, id: &str| {
            let made = Made { node: Node::from(text.replace("@id", id)), columns: Vec::new(), ordered: false };
            let statement = std::sync::Arc::new(case.check(&made)?);
            let values = case.values(&statement, &made);
            Ok((case.engine.executed(super::Side::Full, &statement, &values), statement))
        };
        let (one, other) = match (ask(self, id), ask(self, ABSENT)) {
            (Ok(one), Ok(other)) => (one, other),
            (Err(error), Err(_)) => return Verdict::Refused(error),
            (Err(error), Ok(_)) | (Ok(_), Err(error)) => {
                return Verdict::Different(compare::Difference::Lax, String::new(), error.to_string());
            }
        };
        if one.0 == other.0 {
            let of = one.0.map_or(Yield::Failure, |rows| if rows.is_empty() { Yield::Nothing } else { Yield::Rows });
            return Verdict::Same(super::Answer { fenced: one.1.fenced(), of });
        }
        // A plan may fail on what is seen, for one key and not for the other.
        if one.0.is_ok() != other.0.is_ok() && [id, ABSENT].iter().any(|id| self.engine.fails(&text.replace("@id", id)))
        {
            return Verdict::GivenUp;
        }
        let told = format!("{}\n  hidden {:?}\n  absent {:?}", one.1.text(), one.0, other.0);
        Verdict::Different(compare::Difference::Failed, String::new(), told)
    }
}
