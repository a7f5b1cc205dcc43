//! Reads what would be sent with the parser's own visitor, and holds it to the policy. The product never reads with a visitor: here it
//! is a second opinion.

use std::{collections::BTreeSet, ops::ControlFlow};

use sqlparser::{
    ast::{Expr, Ident, ObjectName, ObjectNamePart, Query, Select, SetExpr, Statement, TableFactor, Visit, Visitor},
    dialect::{Dialect as ParserDialect, MySqlDialect, PostgreSqlDialect, SQLiteDialect},
    parser::Parser,
};
use tollgate_core::{
    catalog::TableId,
    names::Dialect,
    sql::{CheckedStatement, Footprint, RAW},
};

use crate::shop::{FILTERED_BY, HIDDEN};

/// One SELECT, in which every table is inside its restriction, and nothing is named but what the footprint names.
pub(crate) fn inside(statement: &CheckedStatement, dialect: Dialect, written: &str) {
    let text = statement.text();
    let grammar: &dyn ParserDialect = match dialect {
        Dialect::Postgres => &PostgreSqlDialect {},
        Dialect::Sqlite => &SQLiteDialect {},
        Dialect::MariaDb => &MySqlDialect {},
    };
    let parsed = Parser::new(grammar)
        .with_recursion_limit(4_000)
        .try_with_sql(text)
        .and_then(|mut parser| parser.parse_statements());
    let parsed = parsed.unwrap_or_else(|error| panic!("{error} in {text}\nfrom {written}"));
    let [only @ Statement::Query(_)] = parsed.as_slice() else {
        panic!("not one SELECT: {text}\nfrom {written}");
    };
    let mut reading = Reading { footprint: statement.footprint(), wrong: BTreeSet::new() };
    let _ = only.visit(&mut reading);
    assert!(reading.wrong.is_empty(), "{:?}\nin {text}\nfrom {written}", reading.wrong);
}

struct Reading<'a> {
    footprint: &'a Footprint,
    wrong: BTreeSet<String>,
}

impl Reading<'_> {
    fn hold(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.wrong.insert(what());
        }
    }

    /// A SELECT from a base table holds nothing else, and the table's filter among its conditions.
    fn select(&mut self, select: &Select) {
        let Some(table) = select.from.iter().find_map(|from| base(&from.relation)) else { return };
        let alone = select.from.len() == 1 && select.from.iter().all(|from| from.joins.is_empty());
        self.hold(alone, || format!("`{table}` is not alone in its FROM"));
        let mut conditions = Vec::new();
        if let Some(filter) = &select.selection {
            conjuncts(filter, &mut conditions);
        }
        let holds = |wanted: &str| {
            conditions.iter().any(|condition| match condition {
                Expr::BinaryOp { left, .. } => is_raw(left, wanted),
                Expr::InSubquery { expr, negated: false, .. } => is_raw(expr, wanted),
                _ => false,
            })
        };
        let filtered = match table.as_str() {
            "users" => holds("org_id"),
            "orders" => holds("user_id"),
            _ => true,
        };
        self.hold(filtered, || format!("`{table}` is not filtered"));
    }

    fn named(&mut self, name: &ObjectName) -> Vec<String> {
        let ObjectName(parts) = name;
        let mut path = Vec::new();
        for part in parts {
            match part {
                ObjectNamePart::Identifier(ident) => path.push(ident.value.clone()),
                ObjectNamePart::Function(_) => self.hold(false, || format!("a function in the name {name}")),
            }
        }
        path
    }

    fn function(&mut self, name: &ObjectName) {
        let path = self.named(name);
        let bare = match path.as_slice() {
            [bare] => bare,
            [schema, bare] if schema == "pg_catalog" => bare,
            _ => return self.hold(false, || format!("the function {name}")),
        };
        // `ARRAY(SELECT …)` reads as a call of that name.
        let listed = self.footprint.functions.contains(bare) || (path.len() == 1 && bare == "ARRAY");
        self.hold(listed, || format!("the function {name} is not in the footprint"));
    }
}

impl Visitor for Reading<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let mut arms = vec![&*query.body];
        while let Some(body) = arms.pop() {
            match body {
                SetExpr::SetOperation { left, right, .. } => arms.extend([&**left, &**right]),
                SetExpr::Select(_) | SetExpr::Query(_) | SetExpr::Values(_) => {}
                other => self.hold(false, || format!("the body {other}")),
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        self.select(select);
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        match factor {
            TableFactor::Table { name, alias, args, .. } => {
                if args.is_some() {
                    self.function(name);
                    return ControlFlow::Continue(());
                }
                let path = self.named(name);
                let alias = alias.as_ref().map(|alias| alias.name.value.as_str());
                match path.as_slice() {
                    [cte] => {
                        let known = self.footprint.ctes.contains(cte);
                        self.hold(known, || format!("{cte} is no common table expression"));
                    }
                    [schema, table] => {
                        let id = TableId { schema: schema.clone(), name: table.clone() };
                        let known = self.footprint.tables.contains(&id) && table != "secrets";
                        self.hold(known, || format!("the table {id}"));
                        self.hold(alias == Some(RAW), || format!("{id} under the name {alias:?}"));
                    }
                    _ => self.hold(false, || format!("the relation {name}")),
                }
            }
            TableFactor::Derived { .. } | TableFactor::NestedJoin { .. } => {}
            TableFactor::Function { name, .. } => self.function(name),
            TableFactor::UNNEST { .. } => {
                let listed = self.footprint.functions.contains("unnest");
                self.hold(listed, || "unnest is not in the footprint".to_owned());
            }
            other => self.hold(false, || format!("the relation {other}")),
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Function(function) => self.function(&function.name),
            Expr::CompoundIdentifier(parts) => {
                if let [relation, column] = parts.as_slice()
                    && relation.value == RAW
                {
                    let known = self.footprint.columns.iter().any(|id| id.column == column.value);
                    self.hold(known, || format!("the column {column} is not in the footprint"));
                    let hidden = HIDDEN.contains(&column.value.as_str());
                    self.hold(!hidden, || format!("the hidden column {column}"));
                }
                self.hold(parts.iter().all(quoted), || format!("the name {expr} is not quoted"));
            }
            // What stands alone is a name of the output, or nothing of ours.
            Expr::Identifier(ident) => {
                let kept = !HIDDEN.contains(&ident.value.as_str()) && !FILTERED_BY.contains(&ident.value.as_str());
                self.hold(kept || quoted(ident), || format!("the bare name {ident}"));
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

fn quoted(ident: &Ident) -> bool {
    ident.quote_style.is_some()
}

/// The base table that a factor is, if it is one.
fn base(factor: &TableFactor) -> Option<String> {
    match factor {
        TableFactor::Table { name: ObjectName(parts), args: None, .. } => match parts.as_slice() {
            [_, ObjectNamePart::Identifier(table)] => Some(table.value.clone()),
            _ => None,
        },
        _ => None,
    }
}

fn conjuncts<'e>(expr: &'e Expr, into: &mut Vec<&'e Expr>) {
    match expr {
        Expr::Nested(inner) => conjuncts(inner, into),
        Expr::BinaryOp { left, op: sqlparser::ast::BinaryOperator::And, right } => {
            conjuncts(left, into);
            conjuncts(right, into);
        }
        other => into.push(other),
    }
}

fn is_raw(expr: &Expr, wanted: &str) -> bool {
    match expr {
        Expr::Nested(inner) => is_raw(inner, wanted),
        Expr::CompoundIdentifier(parts) => {
            matches!(parts.as_slice(), [relation, column] if relation.value == RAW && column.value == wanted)
        }
        _ => false,
    }
}
