//! Paging by a key on both engines, through the tools as they are called: over random data, keys, directions and page sizes the pages one
//! after the other are the whole, and rows that come and go between them neither repeat nor hide others.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value as Json, json, value::RawValue};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tollgate_backends::{
    Backend, Execution, PoolLimits, ReadLimits,
    testing::postgres::{PostgresServer, TestDatabase},
};
use tollgate_core::{
    catalog::Catalog,
    names::{AgentId, Dialect, Origin, Presentation, Principal},
    policy::{ColumnsGrant, Grants, Role, RoleGrant, RowsGrant, TableGrant},
    tools::{
        self, Bound, Call, Callable, CompileRequest, ConstraintDeclaration, CursorSeal, Declaration, PageDeclaration,
        ParamDeclaration, ParamType, Plan, Tool, ToolError,
    },
};

/// A database with one table, and what writes to it behind the gateway's back.
struct World {
    backend: Arc<dyn Backend>,
    catalog: Catalog,
    role: Role,
    writer: Writer,
    _folder: tempfile::TempDir,
}

enum Writer {
    Postgres(TestDatabase),
    Sqlite(rusqlite::Connection),
}

impl World {
    async fn postgres(setup: &str) -> Option<Self> {
        let database = PostgresServer::shared()?.database(setup).await;
        let backend = tollgate_backends::open(&database.url(), Path::new("."), PoolLimits::default()).unwrap();
        Some(Self::over(backend, Writer::Postgres(database), tempfile::tempdir().unwrap()).await)
    }

    async fn sqlite(setup: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let writer = rusqlite::Connection::open(folder.path().join("db")).unwrap();
        writer.execute_batch("PRAGMA synchronous = OFF").unwrap();
        writer.execute_batch(setup).unwrap();
        let backend = tollgate_backends::open("sqlite:db", folder.path(), PoolLimits::default()).unwrap();
        Self::over(backend, Writer::Sqlite(writer), folder).await
    }

    async fn over(backend: Arc<dyn Backend>, writer: Writer, folder: tempfile::TempDir) -> Self {
        let catalog = backend.introspect().await.unwrap();
        let grant = |name: &str, rows: &str| TableGrant {
            key: format!("db.{name}"),
            schema: None,
            table: name.to_owned(),
            columns: ColumnsGrant::AllExcept(Vec::new()),
            masks: Vec::new(),
            rows: Some(RowsGrant::One(rows.to_owned())),
            min_group_size: None,
        };
        let tables = catalog.tables().iter().map(|table| table.id.name.as_str());
        let tables = tables.map(|name| grant(name, if name == "things" { "region <> 'hidden'" } else { "all" }));
        let role = Role::compile(&RoleGrant { tables: tables.collect(), mask_key: None }, &catalog).unwrap();
        Self { backend, catalog, role, writer, _folder: folder }
    }

    async fn write(&self, sql: &str) {
        match &self.writer {
            Writer::Postgres(database) => database.run(sql).await,
            Writer::Sqlite(connection) => connection.execute_batch(&format!("BEGIN; {sql}; COMMIT")).unwrap(),
        }
    }

    fn dialect(&self) -> Dialect {
        self.catalog.dialect()
    }

    /// The tool, compiled and described.
    async fn tool(&self, sql: &str, key: &[&str], rows_max: u32) -> Result<Grants<Callable>, Vec<ToolError>> {
        let tool = Arc::new(Tool::declare(&declaration(sql, key), self.dialect())?);
        let draft = Plan::compile(&CompileRequest {
            tool: &tool,
            catalog: &self.catalog,
            restrictions: self.role.restrictions(),
            rows_max: Some(rows_max),
            presentation: Presentation::default(),
            granted: &BTreeSet::new(),
            sensitive: &BTreeSet::new(),
        })?;
        let mut described = Vec::new();
        for statement in draft.statements() {
            let answer = self.backend.describe(statement).await;
            described.push(answer.unwrap_or_else(|error| panic!("{error:?}: {}", statement.text())));
        }
        let plan = draft.verify(&described, &self.catalog)?;
        Ok(Grants::new([("things".parse().unwrap(), Callable::Tool(Arc::new(plan)))]))
    }

    /// One page, and the cursor of the next; none where a key cannot be carried.
    async fn page(&self, tool: &Grants<Callable>, arguments: &Json) -> Option<(Vec<Json>, Option<String>)> {
        let agent = AgentId::new("tester".parse().unwrap(), Origin::Key);
        let caller = Principal::new(agent, "tester".parse().unwrap(), BTreeMap::new());
        let arguments = RawValue::from_string(arguments.to_string()).unwrap();
        let call = Call {
            caller: &caller,
            arguments: Some(&arguments),
            call_id: "call",
            today: jiff::civil::date(2026, 1, 31),
            cursors: &Unsealed,
            policy_hash: &[7; 32],
        };
        let Bound::Call(bound) = tools::bind(&tool.authorize("things").unwrap(), &call).unwrap() else { panic!() };
        let execution = Execution {
            statement: &bound.statement,
            values: &bound.values,
            limits: ReadLimits { rows_max: bound.rows_max, bytes_max: 1 << 20 },
            cost_max: None,
            form: bound.presentation.result,
            deadline: Instant::now() + Duration::from_secs(30),
            cancel: &CancellationToken::new(),
        };
        let rows = self.backend.execute(execution).await;
        let rows = rows.unwrap_or_else(|error| panic!("{error:?}: {}", bound.statement.text())).rows;
        let cursor = match rows.truncated {
            Some(_) => bound.page.next_cursor(rows.count, rows.key, &Unsealed).ok()?,
            None => None,
        };
        let shown: Vec<Json> = serde_json::from_slice(&rows.json).unwrap();
        Some((shown, cursor))
    }

    /// Every page, `between` them whatever comes and goes.
    async fn pages(&self, tool: &Grants<Callable>, arguments: &Json, mut between: impl AsyncFnMut()) -> Vec<Json> {
        let mut all = Vec::new();
        let mut asked = arguments.clone();
        loop {
            let (rows, cursor) = self.page(tool, &asked).await.unwrap();
            all.extend(rows);
            match cursor {
                Some(cursor) => asked["cursor"] = json!(cursor),
                None => return all,
            }
            assert!(all.len() < 10_000, "the pages do not end");
            between().await;
        }
    }
}

fn declaration(sql: &str, key: &[&str]) -> Declaration {
    let params = if sql.contains(":region") { vec![region()] } else { Vec::new() };
    Declaration {
        name: "things".parse().unwrap(),
        title: None,
        description: "Things.".to_owned(),
        database: "db".parse().unwrap(),
        params,
        sql: sql.to_owned(),
        rows_max: None,
        definer: None,
        page: Some(PageDeclaration { key: key.iter().map(|&column| column.to_owned()).collect() }),
        result: None,
        fence: None,
        deprecated: None,
    }
}

fn region() -> ParamDeclaration {
    ParamDeclaration {
        name: "region".parse().unwrap(),
        constraints: ConstraintDeclaration {
            ty: ParamType::String,
            allowed: None,
            minimum: None,
            maximum: None,
            min_length: None,
            max_length: None,
            pattern: None,
        },
        items: None,
        max_items: None,
        default: None,
        required: Some(false),
        description: None,
        sensitive: false,
    }
}

/// Keeps a position as it is, with its binding.
struct Unsealed;

impl CursorSeal for Unsealed {
    fn seal(&self, position: &[u8], binding: &[u8; 32]) -> Option<String> {
        Some(URL_SAFE_NO_PAD.encode([binding, position].concat()))
    }

    fn open(&self, sealed: &str, binding: &[u8; 32]) -> Option<Vec<u8>> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (bound, position) = bytes.split_first_chunk::<32>()?;
        (bound == binding).then(|| position.to_vec())
    }
}

/// A small generator of numbers, so that a failure repeats.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }
}

const NAMES: [&str; 16] =
    ["", "a", "A", "ä", "Ä", "b", "it''s", "\\", "\"", " a", "a ", "\u{200b}", "é", "e\u{301}", "😀", "{\"x\":[1]}"];

const POSTGRES: &str = "CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
    CREATE TABLE kinds (code text PRIMARY KEY, label text NOT NULL);
    INSERT INTO kinds VALUES ('0', 'none'), ('1', 'one'), ('2', 'two');
    CREATE TABLE things (id bigint PRIMARY KEY, at timestamptz NOT NULL, name text NOT NULL, n integer NOT NULL,
        region text NOT NULL, kind text NOT NULL, num numeric NOT NULL, bytes bytea NOT NULL, mood mood NOT NULL,
        day date NOT NULL, clock time NOT NULL, flag boolean NOT NULL, tag uuid NOT NULL UNIQUE,
        french text COLLATE \"C\" NOT NULL, note text, small smallint NOT NULL, code character(4) NOT NULL, moment timestamp NOT NULL,
        gap interval DEFAULT '1 day')";

const SQLITE: &str = "CREATE TABLE kinds (code text PRIMARY KEY, label text NOT NULL);
    INSERT INTO kinds VALUES ('0', 'none'), ('1', 'one'), ('2', 'two');
    CREATE TABLE things (id INTEGER PRIMARY KEY, at timestamp NOT NULL, name text NOT NULL, n integer NOT NULL,
        region text NOT NULL, kind text NOT NULL, loose integer NOT NULL, nocase text COLLATE NOCASE NOT NULL, note text, gap text)";

fn row(id: usize, dialect: Dialect, numbers: &mut Numbers) -> String {
    let name = numbers.of(&NAMES);
    let region = numbers.of(&["eu", "us", "hidden"]);
    let (n, kind) = (numbers.below(5), numbers.below(4));
    let day = numbers.below(4);
    match dialect {
        Dialect::Postgres => {
            let at = numbers.of(&[
                "2026-01-01 00:00:00.000001Z",
                "2026-01-01 00:00:00.000002Z",
                "infinity",
                "-infinity",
                "0044-03-15 12:00:00+00 BC",
                "12026-01-01 00:00:00Z",
                "1969-12-31 23:59:59.999999Z",
            ]);
            let num =
                numbers.of(&["NaN", "Infinity", "-Infinity", "0.1", "0.10", "123456789012345678901234567890.5", "-7"]);
            let bytes = numbers.of(&["", "00", "ff", "00ff", "41"]);
            let mood = numbers.of(&["sad", "ok", "happy"]);
            let clock = numbers.of(&["00:00", "24:00", "12:00:00.5"]);
            let date = numbers.of(&["infinity", "-infinity", "2026-01-01", "0044-03-15 BC", "12026-01-01"]);
            format!(
                "INSERT INTO things VALUES ({id}, '{at}', '{name}', {n}, '{region}', '{kind}', '{num}', '\\x{bytes}', '{mood}', '{date}', \
                 '{clock}', {flag}, md5('{id}')::uuid, '{name}', NULL, {n} - 2, '{kind}', '2026-01-0{moment}')",
                flag = day == 1,
                moment = day + 1
            )
        }
        Dialect::MariaDb => unreachable!("no world is made for MariaDB"),
        Dialect::Sqlite => {
            let at =
                numbers.of(&["'2026-01-01'", "20260101", "2461041.5", "'x'", "-0.5", "1e300", "9223372036854775807"]);
            let loose = numbers.of(&["'a'", "1", "1.5", "'B'", "-9223372036854775808", "0.1"]);
            format!(
                "INSERT INTO things VALUES ({id}, {at}, '{name}', {n}, '{region}', '{kind}', {loose}, '{name}', NULL, NULL)"
            )
        }
    }
}

fn ids(rows: &[Json]) -> Vec<i64> {
    rows.iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

fn statement(key: &[&str], numbers: &mut Numbers) -> String {
    let order: Vec<String> =
        key.iter().map(|column| format!("t.{column} {}", numbers.of(&["ASC", "DESC", "DESC NULLS FIRST"]))).collect();
    let order = match numbers.below(4) {
        0 => String::new(),
        _ => format!(" ORDER BY {}", order.join(", ")),
    };
    let join = numbers.of(&["", " LEFT JOIN kinds k ON k.code = t.kind", " JOIN kinds k ON k.code = t.kind"]);
    let bounds = numbers.of(&["", "", " LIMIT 11", " OFFSET 3", " LIMIT 9 OFFSET 2"]);
    let shown = numbers.of(&["t.id", "t.id, t.name AS other", "t.id, t.note, t.gap"]);
    format!("SELECT {shown} FROM things t{join} WHERE t.n < 5 [[ AND t.region = :region ]]{order}{bounds}")
}

async fn the_pages_are_the_whole(world: &World, keys: &[&[&str]], rounds: u64) {
    let mut rows = 0;
    for round in 0..rounds {
        let mut numbers = Numbers(round * 977 + 5);
        world.write("DELETE FROM things").await;
        let inserts: Vec<String> =
            (0..15 + numbers.below(30)).map(|id| row(id, world.dialect(), &mut numbers)).collect();
        world.write(&inserts.join(";")).await;
        let key = keys[numbers.below(keys.len())];
        let sql = statement(key, &mut numbers);
        let arguments = numbers.of(&["{}", r#"{"region": "eu"}"#]);
        let arguments: Json = serde_json::from_str(arguments).unwrap();
        let whole = world.tool(&sql, key, 1_000).await.unwrap_or_else(|errors| panic!("{sql}: {errors:?}"));
        let (whole, cursor) = world.page(&whole, &arguments).await.unwrap();
        assert_eq!(cursor, None);
        let size = u32::try_from(1 + numbers.below(6)).unwrap();
        let pages = world.tool(&sql, key, size).await.unwrap();
        assert_eq!(world.pages(&pages, &arguments, async || {}).await, whole, "{round}: {sql}");
        rows += whole.len();
    }
    assert!(rows as u64 > rounds * 5, "only {rows} rows in {rounds} rounds");
}

async fn what_comes_and_goes_moves_nothing(world: &World, keys: &[&[&str]], rounds: u64) {
    for round in 0..rounds {
        let mut numbers = Numbers(round * 31 + 3);
        world.write("DELETE FROM things").await;
        let mut live: BTreeSet<usize> = (0..30).collect();
        let inserts: Vec<String> = live.iter().map(|id| row(*id, world.dialect(), &mut numbers)).collect();
        world.write(&inserts.join(";")).await;
        let key = keys[numbers.below(keys.len())];
        let mut sql = statement(key, &mut numbers);
        sql.truncate(sql.find(" LIMIT").or_else(|| sql.find(" OFFSET")).unwrap_or(sql.len()));
        let tool = world.tool(&sql, key, 1 + u32::try_from(numbers.below(5)).unwrap()).await.unwrap();
        let whole = world.tool(&sql, key, 1_000).await.unwrap();
        let before: BTreeSet<i64> = ids(&world.page(&whole, &json!({})).await.unwrap().0).into_iter().collect();
        let mut fresh = 1_000;
        let seen = world
            .pages(&tool, &json!({}), async || {
                let gone = *live.iter().nth(numbers.below(live.len())).unwrap();
                live.remove(&gone);
                fresh += 1;
                let come = row(fresh, world.dialect(), &mut numbers);
                world.write(&format!("DELETE FROM things WHERE id = {gone}; {come}")).await;
                live.insert(fresh);
            })
            .await;
        let seen = ids(&seen);
        let distinct: BTreeSet<i64> = seen.iter().copied().collect();
        assert_eq!(distinct.len(), seen.len(), "{round}: {sql}: a row came twice");
        let stayed = before.iter().filter(|id| live.contains(&usize::try_from(**id).unwrap()));
        for id in stayed {
            assert!(distinct.contains(id), "{round}: {sql}: {id} was there all the time and never came");
        }
    }
}

async fn refused(world: &World, sql: &str, key: &[&str], because: &str) {
    let errors = world.tool(sql, key, 10).await.err().unwrap_or_else(|| panic!("{sql} by {key:?} is taken"));
    let [error] = errors.as_slice() else { panic!("{errors:?}") };
    assert!(error.at == "page.key" && error.to_string().contains(because), "{sql} by {key:?}: {error:?}");
}

#[tokio::test]
async fn pages_on_postgresql() {
    let Some(world) = World::postgres(POSTGRES).await else { return };
    let keys: [&[&str]; 10] = [
        &["id"],
        &["at", "id"],
        &["n", "name", "id"],
        &["tag"],
        &["num", "id"],
        &["bytes", "flag", "tag"],
        &["mood", "day", "clock", "id"],
        &["french", "small", "id"],
        &["code", "tag"],
        &["moment", "num", "id"],
    ];
    the_pages_are_the_whole(&world, &keys, 60).await;
    what_comes_and_goes_moves_nothing(&world, &keys, 15).await;
    world.backend.close().await;
}

#[tokio::test]
async fn pages_on_sqlite() {
    let world = World::sqlite(SQLITE).await;
    let keys: [&[&str]; 6] =
        [&["id"], &["at", "id"], &["n", "name", "id"], &["loose", "id"], &["nocase", "id"], &["name", "at", "id"]];
    the_pages_are_the_whole(&world, &keys, 100).await;
    what_comes_and_goes_moves_nothing(&world, &keys, 25).await;
    world.backend.close().await;
}

#[tokio::test]
async fn keys_that_are_none_on_postgresql() {
    let setup = "CREATE TABLE things (id integer PRIMARY KEY, region text NOT NULL, part integer NOT NULL, whole integer NOT NULL,
            late integer NOT NULL UNIQUE DEFERRABLE, ratio double precision NOT NULL UNIQUE, doc jsonb NOT NULL UNIQUE);
        CREATE UNIQUE INDEX ON things (part) WHERE part > 0;
        CREATE UNIQUE INDEX ON things ((whole + 1));
        CREATE VIEW seen AS SELECT id FROM things;
        CREATE TABLE parent (id integer PRIMARY KEY); CREATE TABLE child () INHERITS (parent);
        CREATE TABLE parted (id integer PRIMARY KEY) PARTITION BY HASH (id);
        CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 1, REMAINDER 0);
        CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
        CREATE TABLE loose (name text COLLATE nocase PRIMARY KEY)";
    let Some(world) = World::postgres(setup).await else { return };
    for column in ["part", "whole", "late"] {
        refused(&world, "SELECT id FROM things", &[column], "no whole unique key").await;
    }
    refused(&world, "SELECT id FROM things", &["ratio"], "cannot be carried exactly").await;
    refused(&world, "SELECT id FROM things", &["doc"], "cannot be carried exactly").await;
    refused(&world, "SELECT id FROM seen", &["id"], "may be NULL").await;
    refused(&world, "SELECT id FROM parent", &["id"], "no whole unique key").await;
    refused(&world, "SELECT name FROM loose", &["name"], "cannot be carried exactly").await;
    refused(&world, "SELECT t.id FROM things t JOIN parent p ON p.id = t.part", &["id"], "may repeat rows").await;
    assert!(world.tool("SELECT id FROM parted", &["id"], 10).await.is_ok());
    assert!(world.tool("SELECT id FROM child", &["id"], 10).await.is_err());
    world.backend.close().await;
}

#[tokio::test]
async fn keys_that_are_none_on_sqlite() {
    let setup = "CREATE TABLE things (id integer PRIMARY KEY, region text NOT NULL, name text COLLATE NOCASE NOT NULL, ratio real NOT NULL UNIQUE,
            any_value NOT NULL UNIQUE, raw blob NOT NULL UNIQUE, part integer NOT NULL, maybe integer UNIQUE, code text NOT NULL);
        CREATE UNIQUE INDEX exact ON things (name COLLATE BINARY);
        CREATE UNIQUE INDEX loose ON things (code COLLATE NOCASE);
        CREATE UNIQUE INDEX some ON things (part) WHERE part > 0;
        CREATE TABLE texts (k text PRIMARY KEY);
        CREATE TABLE odd (k text COLLATE NOCASE NOT NULL, PRIMARY KEY (k COLLATE BINARY));
        INSERT INTO odd VALUES ('a'), ('A')";
    let world = World::sqlite(setup).await;
    for column in ["name", "part"] {
        refused(&world, "SELECT id FROM things", &[column], "no whole unique key").await;
    }
    for column in ["ratio", "any_value", "raw"] {
        refused(&world, "SELECT id FROM things", &[column], "cannot be carried exactly").await;
    }
    refused(&world, "SELECT id FROM things", &["maybe"], "may be NULL").await;
    refused(&world, "SELECT k FROM texts", &["k"], "may be NULL").await;
    refused(&world, "SELECT k FROM odd", &["k"], "no whole unique key").await;
    // The left side's collation is what a comparison goes by.
    refused(&world, "SELECT t.id FROM things t JOIN texts x ON t.name = x.k", &["id"], "may repeat rows").await;
    assert!(world.tool("SELECT t.id FROM things t JOIN texts x ON x.k = t.name", &["id"], 10).await.is_ok());
    // Alike under NOCASE at most once, so apart under BINARY.
    assert!(world.tool("SELECT id FROM things", &["code"], 10).await.is_ok());
    world.backend.close().await;
}

/// A page that ends at a key which no cursor holds is refused as a whole: without a way on it would pass for everything.
#[tokio::test]
async fn a_key_that_cannot_be_carried_is_no_end() {
    let setup = "CREATE TABLE things (id integer PRIMARY KEY, region text NOT NULL, name text NOT NULL, UNIQUE (name));
        INSERT INTO things VALUES (1, 'eu', 'a'), (2, 'eu', printf('%0800d', 2)), (3, 'eu', x'00ff'), (4, 'eu', 'x')";
    let world = World::sqlite(setup).await;
    let tool = world.tool("SELECT id FROM things ORDER BY name DESC", &["name"], 1).await.unwrap();
    // Behind 4 comes 3, whose name is bytes.
    assert!(world.page(&tool, &json!({})).await.is_none());
    let tool = world.tool("SELECT id FROM things ORDER BY name", &["name"], 1).await.unwrap();
    assert!(world.page(&tool, &json!({})).await.is_none());
    let tool = world.tool("SELECT id FROM things ORDER BY name", &["name"], 2).await.unwrap();
    let (rows, cursor) = world.page(&tool, &json!({})).await.unwrap();
    assert_eq!(ids(&rows), [2, 1]);
    let (rows, cursor) = world.page(&tool, &json!({"cursor": cursor.unwrap()})).await.unwrap();
    assert_eq!((ids(&rows), cursor), (vec![4, 3], None));
    world.backend.close().await;
}
