//! Queries as they are rendered over all the rows, and as they are written over a twin that holds only those that a filter keeps: one
//! answer. Some fail on a hidden row unless it is fenced off.

use std::collections::BTreeMap;

use tollgate_core::{
    catalog::{Catalog, Column, SqlType, Table, TableId, TableKind, TypeKind},
    names::Dialect,
    sql::{
        ClaimUse, Request, RestrictedColumn, Restriction, Restrictions, Scope, check, resolve_predicate,
        restrict_predicate, tree::Slot,
    },
};

use super::SQL_MODE;
use crate::testing::mariadb::{MariaDbServer, TestDatabase};

/// The rows that no hidden one is among.
const KEPT: &str = "INSERT INTO t SELECT * FROM source.t WHERE tenant = 1; INSERT INTO m SELECT * FROM source.m";

struct Shop {
    full: TestDatabase,
    twin: TestDatabase,
    catalog: Catalog,
    restrictions: Restrictions,
}

impl Shop {
    fn new(server: &std::sync::Arc<MariaDbServer>) -> Self {
        let definition = include_str!("../../../testdata/mariadb/dialect.sql");
        let full = server.database(definition);
        let twin = server.database(&definition.lines().filter(|line| line.starts_with("CREATE")).collect::<String>());
        twin.ask(&KEPT.replace("source", full.name()));
        let catalog = catalog(full.name());
        let mut restrictions = Restrictions::default();
        for table in catalog.tables() {
            let columns = table.columns.iter().map(|c| RestrictedColumn { name: c.name.clone(), mask: None }).collect();
            let all = Restriction { columns, filter: None, hides_rows: false, min_group_size: None };
            restrictions.tables.insert(table.id.clone(), all);
        }
        let mut shop = Self { full, twin, catalog, restrictions };
        shop.keep("tenant = 1");
        shop
    }

    /// Filters `t`, in words that keep the same rows.
    fn keep(&mut self, predicate: &str) {
        let Self { catalog, restrictions, .. } = self;
        let table = catalog.table(None, "t").unwrap();
        let scope = Scope { catalog, visible: restrictions, params: &BTreeMap::new(), claims: ClaimUse::Allowed };
        let resolved = resolve_predicate(predicate, table, &scope).unwrap();
        let filter = restrict_predicate(resolved, restrictions, Dialect::MariaDb).unwrap();
        let restriction = restrictions.tables.get_mut(&table.id).unwrap();
        restriction.filter = Some(filter);
        restriction.hides_rows = true;
    }

    /// The text that would be sent, its page written into it, and whether it is fenced.
    fn rendered(&self, sql: &str) -> (String, bool) {
        let Self { catalog, restrictions, .. } = self;
        let request = Request { sql, catalog, restrictions, params: &BTreeMap::new() };
        let statement = check(&request).unwrap_or_else(|error| panic!("{error} in {sql}"));
        let slots: Vec<&Slot> = statement.slots().iter().map(|used| &used.slot).collect();
        assert_eq!(slots, [&Slot::Limit, &Slot::Offset], "{sql}");
        let text = statement.text().strip_suffix(" LIMIT ? OFFSET ?").unwrap();
        let page = statement.page().limit.as_ref().map_or("", |_| " LIMIT 2");
        (format!("{text}{page}"), statement.fenced())
    }
}

fn catalog(schema: &str) -> Catalog {
    let column = |name: &str, ty: &str, kind| Column {
        name: name.to_owned(),
        ty: SqlType { name: ty.to_owned(), kind },
        nullable: true,
        allowed: None,
        comment: None,
    };
    let table = |name: &str, columns| Table {
        id: TableId { schema: schema.to_owned(), name: name.to_owned() },
        kind: TableKind::Table,
        columns,
        primary_key: if name == "t" { vec!["id".to_owned()] } else { Vec::new() },
        unique_keys: Vec::new(),
        foreign_keys: Vec::new(),
        comment: None,
    };
    let t = vec![
        column("id", "int(11)", TypeKind::Int),
        column("tenant", "int(11)", TypeKind::Int),
        column("note", "varchar(40)", TypeKind::Text),
        column("n", "bigint(20)", TypeKind::BigInt),
        column("price", "decimal(10,2)", TypeKind::Decimal),
        column("made", "datetime", TypeKind::Timestamp),
    ];
    let m = vec![column("tenant", "int(11)", TypeKind::Int), column("who", "varchar(20)", TypeKind::Text)];
    Catalog::new(Dialect::MariaDb, schema.to_owned(), "10.11".to_owned(), vec![table("t", t), table("m", m)])
}

fn answer(database: &TestDatabase, sql: &str) -> Result<Vec<Vec<String>>, String> {
    database.try_ask(&format!("SET SESSION sql_mode = '{SQL_MODE}'; SET time_zone = '+00:00'; {sql}"))
}

/// Each filter keeps the same rows, the second by a semi-join, before which the server may look at what is hidden.
#[test]
fn hidden_rows_change_no_answer() {
    let Some(server) = MariaDbServer::shared() else { return };
    let mut shop = Shop::new(&server);
    let queries: Vec<&str> = include_str!("../../../testdata/mariadb/queries.sql").lines().collect();
    let mut wrong = Vec::new();
    let mut fenced = 0;
    for filter in ["tenant = 1", "EXISTS (SELECT 1 FROM m WHERE m.tenant = t.tenant AND m.who = 'ann')"] {
        shop.keep(filter);
        for sql in queries.iter().filter(|line| !line.starts_with("--")) {
            let (rendered, is_fenced) = shop.rendered(sql);
            fenced += usize::from(is_fenced);
            let (wanted, got) = (answer(&shop.twin, sql), answer(&shop.full, &rendered));
            if wanted.is_err() || wanted != got {
                wrong.push(format!("{sql}\n  {rendered}\n  wanted {wanted:?}\n  got    {got:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(fenced > 10, "only {fenced} were fenced");
}

/// Without the fence each of these would tell of the hidden row, so the cases above mean something.
#[test]
fn without_a_fence_hidden_rows_would_show() {
    let Some(server) = MariaDbServer::shared() else { return };
    let mut shop = Shop::new(&server);
    shop.keep("EXISTS (SELECT 1 FROM m WHERE m.tenant = t.tenant AND m.who = 'ann')");
    for sql in [
        "SELECT id FROM t WHERE n + 1 > 0",
        "SELECT id FROM t WHERE power(n, 40) > 0",
        "SELECT id FROM t WHERE exp(n) > 1",
        "SELECT id FROM t WHERE (SELECT 1 UNION SELECT IF(t.note = 'SECRET', 2, 1)) > 0",
    ] {
        let (rendered, fenced) = shop.rendered(sql);
        assert!(fenced, "{sql}");
        assert!(answer(&shop.full, &rendered).is_ok(), "{rendered}");
        let open = rendered.replace(" LIMIT 18446744073709551615", "");
        assert!(answer(&shop.full, &open).is_err(), "{open}");
    }
}
