//! A shop and a role that sees a part of it: `users` and `orders` filtered, a mask, hidden columns, and `secrets` hidden altogether.

use std::thread_local;

use tollgate_core::{
    catalog::{Catalog, Column, SqlType, Table, TableId, TableKind, TypeKind},
    names::Dialect,
    policy::{ColumnsGrant, MaskGrant, Role, RoleGrant, RowsGrant, TableGrant},
};

pub(crate) struct Shop {
    pub(crate) catalog: Catalog,
    pub(crate) role: Role,
}

/// The columns that filters read and nobody sees.
pub(crate) const FILTERED_BY: [&str; 2] = ["org_id", "user_id"];
/// The columns that nobody reads.
pub(crate) const HIDDEN: [&str; 3] = ["password_hash", "ssn", "payment_token"];

/// What has become of the columns and the table that nobody reads.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unread {
    There,
    /// They never were.
    Missing,
}

thread_local! {
    static SHOPS: [Shop; 2] = [shop(Dialect::Postgres, Unread::There), shop(Dialect::Sqlite, Unread::There)];
    static SHOPS_WITHOUT: [Shop; 2] = [shop(Dialect::Postgres, Unread::Missing), shop(Dialect::Sqlite, Unread::Missing)];
}

pub(crate) fn with<T>(dialect: Dialect, work: impl FnOnce(&Shop) -> T) -> T {
    SHOPS.with(|shops| work(&shops[usize::from(dialect == Dialect::Sqlite)]))
}

/// The same shop for whoever sees what the role sees: what nobody reads is not there.
pub(crate) fn without_hidden<T>(dialect: Dialect, work: impl FnOnce(&Shop) -> T) -> T {
    SHOPS_WITHOUT.with(|shops| work(&shops[usize::from(dialect == Dialect::Sqlite)]))
}

fn ty(kind: TypeKind, dialect: Dialect) -> SqlType {
    let name = match &kind {
        TypeKind::Int => "integer",
        TypeKind::BigInt => "bigint",
        TypeKind::Decimal => "numeric",
        TypeKind::Float => "double precision",
        TypeKind::Bool => "boolean",
        TypeKind::TimestampTz => "timestamp with time zone",
        TypeKind::Date => "date",
        TypeKind::Json => "jsonb",
        TypeKind::Enum(_) => "mood",
        TypeKind::Array(_) => "text[]",
        _ => "text",
    };
    let kind = match (&kind, dialect) {
        (TypeKind::Enum(_) | TypeKind::Array(_), Dialect::Sqlite) => TypeKind::Text,
        _ => kind,
    };
    SqlType { name: name.to_owned(), kind }
}

fn table(dialect: Dialect, name: &str, columns: &[(&str, TypeKind)]) -> Table {
    let schema = if dialect == Dialect::Postgres { "public" } else { "main" };
    let column = |(name, kind): &(&str, TypeKind)| Column {
        name: (*name).to_owned(),
        ty: ty(kind.clone(), dialect),
        nullable: *name != "id",
        allowed: None,
        comment: None,
    };
    Table {
        id: TableId { schema: schema.to_owned(), name: name.to_owned() },
        kind: TableKind::Table,
        columns: columns.iter().map(column).collect(),
        primary_key: vec!["id".to_owned()],
        unique_keys: Vec::new(),
        foreign_keys: Vec::new(),
        comment: None,
    }
}

fn shop(dialect: Dialect, unread: Unread) -> Shop {
    use TypeKind::{Array, BigInt, Bool, Date, Decimal, Enum, Float, Int, Json, Text, TimestampTz};
    let texts = Array(Box::new(ty(Text, dialect)));
    let mood = Enum(vec!["glad".to_owned(), "sad".to_owned()]);
    let users = [
        ("id", Int),
        ("name", Text),
        ("email", Text),
        ("region", Text),
        ("created_at", TimestampTz),
        ("born", Date),
        ("profile", Json),
        ("score", Float),
        ("active", Bool),
        ("mood", mood),
        ("tags", texts),
        ("org_id", Int),
        ("password_hash", Text),
        ("ssn", Text),
    ];
    let orders = [("id", BigInt), ("user_id", Int), ("total", Decimal), ("status", Text), ("payment_token", Text)];
    let items = [("id", Int), ("order_id", BigInt), ("Title", Text)];
    let mut tables = vec![
        table(dialect, "users", &users),
        table(dialect, "orders", &orders),
        table(dialect, "items", &items),
        table(dialect, "secrets", &[("id", Int), ("value", Text)]),
    ];
    if unread == Unread::Missing {
        tables.retain(|table| table.id.name != "secrets");
        for table in &mut tables {
            table.columns.retain(|column| !HIDDEN.contains(&column.name.as_str()));
        }
    }
    let schema = if dialect == Dialect::Postgres { "public" } else { "main" };
    let catalog = Catalog::new(dialect, schema.to_owned(), "test".to_owned(), tables);
    let granted = |name: &str, rows: &str| {
        let unseen = |column: &str| HIDDEN.contains(&column) || column == "org_id";
        let columns = catalog.table(None, name).map(|table| table.columns.iter().map(|column| column.name.clone()));
        TableGrant {
            key: format!("shop.{name}"),
            schema: None,
            table: name.to_owned(),
            columns: ColumnsGrant::These(columns.into_iter().flatten().filter(|column| !unseen(column)).collect()),
            masks: if name == "users" {
                vec![("email".to_owned(), MaskGrant::Named("email".to_owned()))]
            } else {
                Vec::new()
            },
            rows: Some(RowsGrant::One(rows.to_owned())),
            min_group_size: None,
        }
    };
    let tables = vec![
        granted("users", "org_id = :claims.org"),
        granted("orders", "user_id IN (SELECT u.id FROM users AS u)"),
        granted("items", "all"),
    ];
    let role =
        Role::compile(&RoleGrant { tables, mask_key: None }, &catalog).unwrap_or_else(|errors| panic!("{errors:?}"));
    Shop { catalog, role }
}
