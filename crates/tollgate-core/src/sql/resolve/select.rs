//! One SELECT: its relations, its output, grouping, and the ordering that may name its columns.

use std::collections::BTreeSet;

use sqlparser::ast;

use super::Resolver;
use super::expr::{Aggregates, At, Position};
use super::from::Left;
use super::group::few_keys;
use super::names::{Names, Precedence, Source};
use super::output::{Naming, Output, default_name};
use super::query::{Outer, ordinal, sort_key, unparenthesised};
use super::refused;
use crate::names::Dialect;
use crate::sql::error::{SqlError, shown};
use crate::sql::limits::PROJECTION_MAX;
use crate::sql::tree::{ColumnRef, Distinct, Expr, OrderBy, OrderKey, Projection, Select};

/// The clauses of a SELECT that may stand in our grammar.
struct Clauses<'s> {
    distinct: Option<&'s ast::Distinct>,
    projection: &'s [ast::SelectItem],
    from: &'s [ast::TableWithJoins],
    filter: Option<&'s ast::Expr>,
    group_by: &'s [ast::Expr],
    having: Option<&'s ast::Expr>,
    windows: &'s [ast::NamedWindowDefinition],
}

impl Resolver<'_> {
    /// A SELECT with the ordering of the query whose body it is.
    pub(super) fn select(
        &mut self,
        select: &ast::Select,
        ordering: &[ast::OrderByExpr],
        outer: Outer<'_>,
    ) -> Result<(Select, Vec<OrderBy>), SqlError> {
        let clauses = clauses(select)?;
        let (mut from, sources, columns) = self.from(clauses.from, outer)?;
        let sorted = !ordering.is_empty() && clauses.distinct.is_none() && clauses.group_by.is_empty();
        let set_call = self.set_call(clauses.projection, sorted, &Left::all(&sources, &columns), outer)?;
        let (set_call, set_relation) = set_call.unzip();
        let windows = self.named_windows(clauses.windows)?;
        let mut names = Names { parent: outer.names, sources, columns, windows, set_call, ..Names::default() };
        let outputs = self.projection(clauses.projection, &names, outer)?;
        if self.dialect == Dialect::Sqlite {
            names.aliases = outputs.iter().filter(|o| o.naming == Naming::Alias).cloned().collect();
        }
        let used_in_output = names.references.borrow().len();

        // A claim's empty list hides rows here, and hidden rows are fewer rows: unless they are counted. `ORDER BY count(*)`
        // counts them as well.
        let grouped = !clauses.group_by.is_empty()
            || clauses.having.is_some()
            || !ordering.is_empty()
            || matches!(clauses.distinct, Some(ast::Distinct::On(_)))
            || names.aggregates.get();
        let position = if grouped { Position::Inside } else { outer.position };
        let in_where = At { names: &names, ctes: outer.ctes, position, aggregates: Aggregates::Refused("in WHERE") };
        let filter = clauses.filter.map(|e| self.expr(e, in_where)).transpose()?;
        let used_in_filter = used_in_output..names.references.borrow().len();

        if self.dialect == Dialect::MariaDb {
            names.aliases = outputs.iter().filter(|o| o.naming == Naming::Alias).cloned().collect();
        }
        let at = At { names: &names, ctes: outer.ctes, position: Position::Inside, aggregates: Aggregates::Allowed };
        let (mut group_by, grouping_sets) = self.group_by(clauses.group_by, &outputs, at)?;
        let aliases = names.aliases.clone();
        if self.dialect == Dialect::MariaDb {
            (names.aliases, names.precedence) = (aliases_in_having(&outputs, &group_by), Precedence::Either);
        }
        let aggregates = Aggregates::NoWindows("in HAVING");
        let in_having = At { names: &names, ctes: outer.ctes, position: Position::Inside, aggregates };
        let having = clauses.having.map(|e| self.expr(e, in_having)).transpose()?;
        (names.aliases, names.precedence) = (aliases, Precedence::Columns);
        let at = At { names: &names, ctes: outer.ctes, position: Position::Inside, aggregates: Aggregates::Allowed };
        let distinct = self.distinction(clauses.distinct, &outputs, at)?;
        let mut order_by = Vec::with_capacity(ordering.len());
        for key in ordering {
            let lowered = self.order_key(&key.expr, &outputs, &distinct, at)?;
            order_by.push(sort_key(key, lowered)?);
        }
        leads_the_ordering(&distinct, &order_by, &outputs)?;
        if self.dialect != Dialect::Sqlite && !group_by.is_empty() && grouping_sets.is_empty() {
            let references = names.references.take();
            let used = references.iter().enumerate().filter(|(at, _)| !used_in_filter.contains(at)).map(|(_, c)| c);
            add_dependent(&mut group_by, &names.sources, used);
        }
        let projection: Vec<_> = outputs.into_iter().map(|o| Projection { expr: o.expr, name: o.name }).collect();
        if let Some(relation) = set_relation {
            relation.join(&mut from, &projection, &mut order_by)?;
        }
        Ok((Select { distinct, projection, from, filter, group_by, grouping_sets, having }, order_by))
    }

    /// The output: wildcards expanded, every column named.
    fn projection(
        &mut self,
        items: &[ast::SelectItem],
        names: &Names<'_>,
        outer: Outer<'_>,
    ) -> Result<Vec<Output>, SqlError> {
        let at = At { names, ctes: outer.ctes, position: Position::Inside, aggregates: Aggregates::Allowed };
        let mut outputs = Vec::new();
        for item in items {
            match item {
                ast::SelectItem::UnnamedExpr(written) => {
                    let expr = self.expr(written, at)?;
                    let (name, naming) = match (&expr, written) {
                        // What a full join with USING merged keeps its name.
                        (Expr::Function(_), ast::Expr::Identifier(ident)) => (self.folded(ident), Naming::Column),
                        // The name of a function in FROM stands for its one column, whatever that is called.
                        (Expr::Column(column), ast::Expr::Identifier(ident))
                            if !self.dialect.same_name(&column.name, &self.folded(ident)) =>
                        {
                            (self.folded(ident), Naming::Column)
                        }
                        _ => default_name(&expr, outputs.len() + 1),
                    };
                    outputs.push(Output { name, expr, naming });
                }
                ast::SelectItem::ExprWithAlias { expr, alias } => {
                    let name = self.alias(alias)?;
                    outputs.push(Output { name, expr: self.expr(expr, at)?, naming: Naming::Alias });
                }
                ast::SelectItem::Wildcard(options) => {
                    plain_wildcard(options)?;
                    refused::when(names.columns.is_empty(), "`*` without FROM")?;
                    let column = |c: &super::names::Visible| Output {
                        name: c.name.clone(),
                        expr: c.expr.clone(),
                        naming: Naming::Column,
                    };
                    for column in &names.columns {
                        self.count_copy(&column.expr)?;
                    }
                    outputs.extend(names.columns.iter().map(column));
                }
                ast::SelectItem::QualifiedWildcard(kind, options) => {
                    plain_wildcard(options)?;
                    let source = self.wildcard_source(kind, names)?;
                    self.count_nodes(source.columns.len())?;
                    let column = |c: &ColumnRef| Output {
                        name: c.name.clone(),
                        expr: Expr::Column(c.clone()),
                        naming: Naming::Column,
                    };
                    outputs.extend(source.columns.iter().map(column));
                }
                ast::SelectItem::ExprWithAliases { expr: _, aliases: _ } => {
                    return Err(SqlError::unsupported("several aliases of one expression"));
                }
            }
            if outputs.len() > PROJECTION_MAX {
                return Err(SqlError::TooComplex { what: "output columns", max: PROJECTION_MAX });
            }
        }
        refused::when(outputs.is_empty(), "a SELECT without columns")?;
        // A wildcard's columns are used like those that are named.
        for output in &outputs {
            super::names::any_column(&output.expr, &mut |c| names.references.borrow_mut().push(c.clone()));
        }
        Ok(outputs)
    }

    fn wildcard_source<'n>(
        &self,
        kind: &ast::SelectItemQualifiedWildcardKind,
        names: &'n Names<'_>,
    ) -> Result<&'n Source, SqlError> {
        let ast::SelectItemQualifiedWildcardKind::ObjectName(ast::ObjectName(parts)) = kind else {
            return Err(SqlError::unsupported_use("`*` of an expression", "name the columns"));
        };
        let [ast::ObjectNamePart::Identifier(ident)] = parts.as_slice() else {
            return Err(SqlError::unsupported_use("`*` of a qualified name", "write alias.*"));
        };
        names.source(self.dialect, &self.folded(ident))
    }

    /// DISTINCT and DISTINCT ON, whose keys are read like those of ORDER BY.
    fn distinction(
        &mut self,
        written: Option<&ast::Distinct>,
        outputs: &[Output],
        at: At<'_>,
    ) -> Result<Distinct, SqlError> {
        let keys = match written {
            None | Some(ast::Distinct::All) => return Ok(Distinct::All),
            Some(ast::Distinct::Distinct) => return Ok(Distinct::Rows),
            Some(ast::Distinct::On(_)) if self.dialect != Dialect::Postgres => {
                return Err(SqlError::unsupported_use("DISTINCT ON", "write GROUP BY with min or max"));
            }
            Some(ast::Distinct::On(keys)) => keys,
        };
        refused::when(keys.is_empty(), "DISTINCT ON without an expression")?;
        few_keys(keys.len(), "keys of one DISTINCT ON")?;
        let mut on = Vec::with_capacity(keys.len());
        for key in keys {
            let expr = match self.order_key(key, outputs, &Distinct::All, at)? {
                OrderKey::Expr(expr) => Some(expr),
                OrderKey::Output(position) => outputs.get(position - 1).map(|o| o.expr.clone()),
            };
            if let Some(expr) = expr.filter(|expr| !on.contains(expr)) {
                self.count_copy(&expr)?;
                on.push(expr);
            }
        }
        Ok(Distinct::On(on))
    }

    /// One sort key: a bare name means the output first, then an input column.
    pub(super) fn order_key(
        &mut self,
        key: &ast::Expr,
        outputs: &[Output],
        distinct: &Distinct,
        at: At<'_>,
    ) -> Result<OrderKey, SqlError> {
        match unparenthesised(key) {
            ast::Expr::Value(value) if matches!(value.value, ast::Value::Number(..)) => {
                return ordinal(&value.value, outputs.len(), "ORDER BY").map(OrderKey::Output);
            }
            ast::Expr::Identifier(ident) => {
                if let Some(position) = self.one_output(&self.folded(ident), outputs)? {
                    return Ok(OrderKey::Output(position + 1));
                }
            }
            _ => {}
        }
        let expr = self.expr(key, at)?;
        refused::when(is_constant(&expr), "a constant in ORDER BY")?;
        if *distinct == Distinct::Rows && self.dialect != Dialect::Sqlite {
            let position = outputs.iter().position(|o| o.expr == expr);
            return position.map(|at| OrderKey::Output(at + 1)).ok_or_else(|| {
                SqlError::unsupported_use(
                    "ORDER BY of something that SELECT DISTINCT does not put out",
                    "order by an output column",
                )
            });
        }
        Ok(OrderKey::Expr(expr))
    }

    /// The output of that name, if there is one; several are no matter where they are the same.
    pub(super) fn one_output(&self, name: &str, outputs: &[Output]) -> Result<Option<usize>, SqlError> {
        // SQLite names what has no alias after its text, which nobody writes.
        let nameable = |o: &Output| self.dialect == Dialect::Postgres || o.naming != Naming::MadeUp;
        let mut found = self.matching_outputs(name, outputs).into_iter();
        let Some(first) = found.find(|at| outputs.get(*at).is_some_and(nameable)) else { return Ok(None) };
        let same = |at: usize| outputs.get(at).map(|o| &o.expr) == outputs.get(first).map(|o| &o.expr);
        if found.all(same) { Ok(Some(first)) } else { Err(SqlError::AmbiguousColumn { name: shown(name) }) }
    }
}

/// The aliases that HAVING may name on MariaDB. There a column that is grouped by wins over an alias, and an alias over any other
/// column.
fn aliases_in_having(outputs: &[Output], group_by: &[Expr]) -> Vec<Output> {
    let grouped = |name: &str| {
        let same = |key: &Expr| matches!(key, Expr::Column(c) if Dialect::MariaDb.same_name(&c.name, name));
        group_by.iter().any(same)
    };
    outputs.iter().filter(|o| o.naming == Naming::Alias && !grouped(&o.name)).cloned().collect()
}

/// `GROUP BY` of a primary key lets the table's other columns be selected, but a restricted table is a derived table, which has
/// no key: the columns that are used join the list. It changes no group.
fn add_dependent<'c>(group_by: &mut Vec<Expr>, sources: &[Source], used: impl Iterator<Item = &'c ColumnRef>) {
    let is_key = |source: &&Source| {
        let grouped = |key: &String| {
            group_by.iter().any(|e| match e {
                Expr::Column(c) => c.name == *key && source.columns.iter().any(|own| own.relation == c.relation),
                _ => false,
            })
        };
        !source.key.is_empty() && source.key.iter().all(grouped)
    };
    let determined: Vec<&Source> = sources.iter().filter(is_key).collect();
    if determined.is_empty() {
        return;
    }
    let mut seen = BTreeSet::new();
    for column in used.filter(|column| seen.insert((&column.relation, &column.name))) {
        let expr = Expr::Column(column.clone());
        if determined.iter().any(|s| s.columns.contains(column)) && !group_by.contains(&expr) {
            group_by.push(expr);
        }
    }
}

/// Which row of several DISTINCT ON keeps is chosen by the ordering, so what it tells apart must lead there.
fn leads_the_ordering(distinct: &Distinct, order_by: &[OrderBy], outputs: &[Output]) -> Result<(), SqlError> {
    let Distinct::On(on) = distinct else { return Ok(()) };
    let expr = |key: &OrderKey| match key {
        OrderKey::Expr(expr) => Some(expr.clone()),
        OrderKey::Output(position) => outputs.get(position - 1).map(|o| o.expr.clone()),
    };
    let keys: Vec<Option<Expr>> = order_by.iter().map(|key| expr(&key.key)).collect();
    let is_on = |key: &Option<Expr>| key.as_ref().is_some_and(|key| on.contains(key));
    let leading: Vec<&Option<Expr>> = keys.iter().take_while(|key| is_on(key)).collect();
    let all_lead = on.iter().all(|key| leading.iter().any(|lead| lead.as_ref() == Some(key)));
    if leading.len() == keys.len() || all_lead {
        return Ok(());
    }
    Err(SqlError::unsupported_use("DISTINCT ON of something that ORDER BY does not begin with", "order by it first"))
}

/// Whether an expression is a constant to the engine, whose meaning in GROUP BY and ORDER BY differs from its value.
pub(super) fn is_constant(expr: &Expr) -> bool {
    match expr {
        Expr::Literal(_) | Expr::Slot(_) => true,
        Expr::Unary { op: _, expr } => is_constant(expr),
        _ => false,
    }
}

/// Takes a SELECT apart; everything outside the grammar is refused by name.
fn clauses(select: &ast::Select) -> Result<Clauses<'_>, SqlError> {
    let ast::Select {
        select_token: _,
        optimizer_hints,
        distinct,
        select_modifiers,
        top,
        top_before_distinct,
        projection,
        exclude,
        into,
        from,
        lateral_views,
        prewhere,
        selection,
        connect_by,
        group_by,
        cluster_by,
        distribute_by,
        sort_by,
        having,
        named_window,
        qualify,
        window_before_qualify: _,
        value_table_mode,
        flavor,
    } = select;
    if into.is_some() {
        return Err(SqlError::NotOneSelect { found: "SELECT INTO, which creates a table".into() });
    }
    refused::when(!optimizer_hints.is_empty(), "an optimizer hint")?;
    refused::when(select_modifiers.is_some(), "a SELECT modifier")?;
    refused::when(top.is_some() || *top_before_distinct, "TOP")?;
    refused::when(exclude.is_some(), "EXCLUDE")?;
    refused::when(!lateral_views.is_empty(), "LATERAL VIEW")?;
    refused::when(prewhere.is_some(), "PREWHERE")?;
    refused::when(!connect_by.is_empty(), "CONNECT BY")?;
    refused::when(
        !cluster_by.is_empty() || !distribute_by.is_empty() || !sort_by.is_empty(),
        "CLUSTER, DISTRIBUTE or SORT BY",
    )?;
    refused::when(qualify.is_some(), "QUALIFY")?;
    refused::when(value_table_mode.is_some(), "SELECT AS VALUE or STRUCT")?;
    refused::when(*flavor != ast::SelectFlavor::Standard, "FROM before SELECT")?;
    let group_by = match group_by {
        ast::GroupByExpr::All(_) => return Err(SqlError::unsupported("GROUP BY ALL")),
        // MariaDB 10.11 ends over some, and gives the last group's key for the total's over others.
        ast::GroupByExpr::Expressions(_, modifiers) if !modifiers.is_empty() => {
            let instead = "join the groupings by UNION ALL, or write ROLLUP (…) on PostgreSQL";
            return Err(SqlError::unsupported_use("WITH ROLLUP or WITH CUBE", instead));
        }
        ast::GroupByExpr::Expressions(keys, _) => keys,
    };
    Ok(Clauses {
        distinct: distinct.as_ref(),
        projection,
        from,
        filter: selection.as_ref(),
        group_by,
        having: having.as_ref(),
        windows: named_window,
    })
}

/// `*` without options.
fn plain_wildcard(options: &ast::WildcardAdditionalOptions) -> Result<(), SqlError> {
    let ast::WildcardAdditionalOptions {
        wildcard_token: _,
        opt_ilike,
        opt_exclude,
        opt_except,
        opt_replace,
        opt_rename,
        opt_alias,
    } = options;
    let bare = opt_ilike.is_none()
        && opt_exclude.is_none()
        && opt_except.is_none()
        && opt_replace.is_none()
        && opt_rename.is_none()
        && opt_alias.is_none();
    refused::when(!bare, "`*` with options")
}
