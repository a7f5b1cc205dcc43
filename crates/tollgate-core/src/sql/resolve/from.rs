//! Relations: tables that are visible, subqueries, common table expressions, and joins of them.

use std::collections::{BTreeMap, BTreeSet};

use sqlparser::ast;

use super::Resolver;
use super::expr::{Aggregates, At, Position, balanced};
use super::names::{Names, Source, Visible, similar};
use super::output::{columns_read, unique};
use super::query::{Outer, rename_outputs};
use super::refused;
use super::with::{CteShape, Reading};
use crate::catalog::{Column, ColumnId, TableId};
use crate::names::Dialect;
use crate::sql::error::{SqlError, shown};
use crate::sql::limits::RELATIONS_MAX;
use crate::sql::restriction::Restriction;
use crate::sql::statement::OutputColumn;
use crate::sql::tree::{
    BinaryOp, ColumnRef, Expr, Function, FunctionArgs, JoinKind, Literal, Projection, Query, Relation,
};

/// A relation and what its columns are called.
pub(super) struct Joined {
    pub(super) relation: Relation,
    pub(super) sources: Vec<Source>,
    pub(super) columns: Vec<Visible>,
}

/// What stands to the left of a relation, inside its own parentheses first.
pub(super) struct Left<'l> {
    before: Option<&'l Left<'l>>,
    sources: &'l [Source],
    columns: &'l [Visible],
}

impl<'l> Left<'l> {
    /// A whole FROM.
    pub(super) fn all(sources: &'l [Source], columns: &'l [Visible]) -> Self {
        Self { before: None, sources, columns }
    }
}

/// Relations and what their columns are called.
pub(super) type From = (Vec<Relation>, Vec<Source>, Vec<Visible>);

impl Resolver<'_> {
    /// FROM: several relations are a cross join.
    pub(super) fn from(&mut self, list: &[ast::TableWithJoins], outer: Outer<'_>) -> Result<From, SqlError> {
        let joins_after_comma = list.iter().skip(1).any(|table| !table.joins.is_empty());
        if self.dialect == Dialect::Sqlite && joins_after_comma {
            return self.left_to_right(list, outer);
        }
        let mut relations = Vec::with_capacity(list.len());
        let (mut sources, mut columns) = (Vec::new(), Vec::new());
        for table in list {
            let left = Left { before: None, sources: &sources, columns: &columns };
            let joined = self.table_with_joins(table, Some(&left), outer)?;
            self.add_sources(&mut sources, joined.sources)?;
            columns.extend(joined.columns);
            relations.push(joined.relation);
        }
        Ok((relations, sources, columns))
    }

    /// FROM as SQLite groups it: a comma joins like any other join, from left to right, where the standard has it bind last.
    fn left_to_right(&mut self, list: &[ast::TableWithJoins], outer: Outer<'_>) -> Result<From, SqlError> {
        // Not CROSS JOIN, which would keep SQLite from choosing the order.
        let comma = ast::JoinConstraint::On(ast::Expr::value(ast::Value::Boolean(true)));
        let mut whole: Option<Joined> = None;
        for ast::TableWithJoins { relation, joins } in list {
            let before =
                whole.as_ref().map(|left| Left { before: None, sources: &left.sources, columns: &left.columns });
            let right = self.factor(relation, before.as_ref(), outer)?;
            let left = match whole.take() {
                None => right,
                Some(left) => self.join(left, right, (JoinKind::Inner, &comma), outer)?,
            };
            whole = Some(self.joins(left, joins, None, outer)?);
        }
        Ok(whole.map_or_else(From::default, |all| (vec![all.relation], all.sources, all.columns)))
    }

    /// Adds the relations of one side to those of another; a name may stand for one only.
    fn add_sources(&self, sources: &mut Vec<Source>, more: Vec<Source>) -> Result<(), SqlError> {
        for source in more {
            if sources.iter().any(|s| self.dialect.same_name(&s.name, &source.name)) {
                let construct = format!("the name {} for two relations of one FROM", shown(&source.name));
                return Err(SqlError::unsupported_use(construct, "give each an alias of its own"));
            }
            if sources.len() == RELATIONS_MAX {
                return Err(SqlError::TooComplex { what: "relations in one FROM", max: RELATIONS_MAX });
            }
            sources.push(source);
        }
        Ok(())
    }

    fn table_with_joins(
        &mut self,
        table: &ast::TableWithJoins,
        before: Option<&Left<'_>>,
        outer: Outer<'_>,
    ) -> Result<Joined, SqlError> {
        let ast::TableWithJoins { relation, joins } = table;
        let left = self.factor(relation, before, outer)?;
        self.joins(left, joins, before, outer)
    }

    /// The joins behind a relation, from left to right.
    fn joins(
        &mut self,
        mut left: Joined,
        joins: &[ast::Join],
        before: Option<&Left<'_>>,
        outer: Outer<'_>,
    ) -> Result<Joined, SqlError> {
        for ast::Join { relation, global, join_operator } in joins {
            refused::when(*global, "a GLOBAL join")?;
            let kind = join_kind(join_operator)?;
            let here = Left { before, sources: &left.sources, columns: &left.columns };
            // The right side of a join that keeps rows without a partner cannot depend on the left one.
            let before = match kind.0 {
                JoinKind::Inner | JoinKind::Left | JoinKind::Cross => Some(&here),
                JoinKind::Right | JoinKind::Full => None,
            };
            let right = self.factor(relation, before, outer)?;
            left = self.join(left, right, kind, outer)?;
        }
        Ok(left)
    }

    fn factor(
        &mut self,
        factor: &ast::TableFactor,
        before: Option<&Left<'_>>,
        outer: Outer<'_>,
    ) -> Result<Joined, SqlError> {
        let joined = self.factor_here(factor, before, outer)?;
        self.count_nodes(joined.columns.len())?;
        Ok(joined)
    }

    fn factor_here(
        &mut self,
        factor: &ast::TableFactor,
        before: Option<&Left<'_>>,
        outer: Outer<'_>,
    ) -> Result<Joined, SqlError> {
        self.deeper(|this| match factor {
            ast::TableFactor::Table {
                name,
                alias,
                args,
                with_hints,
                version,
                with_ordinality,
                partitions,
                json_path,
                sample,
                index_hints,
            } => {
                refused::when(!with_hints.is_empty() || !index_hints.is_empty(), "an index or table hint")?;
                refused::when(version.is_some(), "a table at another time")?;
                refused::when(!partitions.is_empty(), "PARTITION")?;
                refused::when(json_path.is_some(), "a path into a table")?;
                refused::when(sample.is_some(), "TABLESAMPLE")?;
                let Some(ast::TableFunctionArgs { args, settings }) = args else {
                    refused::when(*with_ordinality, "WITH ORDINALITY of a table")?;
                    return this.named_relation(name, alias.as_ref(), outer);
                };
                refused::when(settings.is_some(), "SETTINGS")?;
                let ast::ObjectName(parts) = name;
                this.not_only(parts)?;
                this.table_function((name, args, *with_ordinality), alias.as_ref(), before, outer)
            }
            ast::TableFactor::Derived { lateral, subquery, alias, sample } => {
                if *lateral && this.dialect != Dialect::Postgres {
                    return Err(SqlError::unsupported_use("LATERAL", "write a subquery in the output, or a join"));
                }
                refused::when(sample.is_some(), "TABLESAMPLE")?;
                if !lateral {
                    return this.derived((subquery, false), alias.as_ref(), outer);
                }
                let frame = neighbours(before, outer.names);
                this.count_nodes(frame.columns.len())?;
                this.derived((subquery, true), alias.as_ref(), Outer { names: Some(&frame), ..outer })
            }
            ast::TableFactor::Function { lateral: _, name, args, with_ordinality, alias } => {
                this.table_function((name, args, *with_ordinality), alias.as_ref(), before, outer)
            }
            ast::TableFactor::UNNEST { alias, array_exprs, with_offset, with_offset_alias, with_ordinality } => {
                refused::when(*with_offset || with_offset_alias.is_some(), "WITH OFFSET")?;
                this.unnest((array_exprs, *with_ordinality), alias.as_ref(), before, outer)
            }
            ast::TableFactor::NestedJoin { table_with_joins, alias } => {
                refused::when(alias.is_some(), "an alias of a parenthesised join")?;
                this.table_with_joins(table_with_joins, before, outer)
            }
            other => Err(refused::relation(other)),
        })
    }

    /// A common table expression in scope, or a visible table.
    fn named_relation(
        &mut self,
        name: &ast::ObjectName,
        alias: Option<&ast::TableAlias>,
        outer: Outer<'_>,
    ) -> Result<Joined, SqlError> {
        let ast::ObjectName(parts) = name;
        let mut path = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                ast::ObjectNamePart::Identifier(ident) => path.push(self.folded(ident)),
                ast::ObjectNamePart::Function(_) => return Err(SqlError::unsupported("a function as a table's name")),
            }
        }
        match path.as_slice() {
            [name] => {
                self.not_only(parts)?;
                let found = outer.ctes.map(|ctes| ctes.find(self.dialect, name)).transpose()?.flatten();
                let joined = match found {
                    Some(cte) => self.cte(cte, name, alias),
                    None => self.table(None, name, alias),
                };
                self.renamed(joined?, alias)
            }
            [schema, name] => {
                let joined = self.table(Some(schema), name, alias)?;
                self.renamed(joined, alias)
            }
            _ => Err(SqlError::unsupported_use("a table of another database", "write schema.table")),
        }
    }

    /// Refuses `ONLY t` and `ONLY (t)`: a table or function called `only` to the parser, a table without its children to
    /// PostgreSQL.
    fn not_only(&self, parts: &[ast::ObjectNamePart]) -> Result<(), SqlError> {
        match parts {
            [ast::ObjectNamePart::Identifier(ident)]
                if self.dialect == Dialect::Postgres
                    && ident.quote_style.is_none()
                    && ident.value.eq_ignore_ascii_case("only") =>
            {
                Err(SqlError::unsupported_use("ONLY", "name the table alone; its rows include its children's"))
            }
            _ => Ok(()),
        }
    }

    /// A common table expression.
    fn cte(&mut self, cte: &CteShape, own: &str, alias: Option<&ast::TableAlias>) -> Result<Joined, SqlError> {
        self.count_relations(1 + cte.weight)?;
        let alias = self.relation_alias(alias, own)?;
        let source = source(alias.clone(), &cte.columns);
        let name = cte.printed.clone();
        let relation = match &cte.reading {
            Reading::Itself(read) => {
                read.set(true);
                Relation::Cte { name, alias }
            }
            Reading::Plain => Relation::Cte { name, alias },
            Reading::Bounded => {
                let columns = cte.columns.iter().map(|column| column.name.clone()).collect();
                Relation::Recursion { name, columns, alias }
            }
        };
        Ok(joined(relation, source))
    }

    /// A visible table. The catalog is asked only for what `visible` has.
    fn table(&mut self, schema: Option<&str>, name: &str, alias: Option<&ast::TableAlias>) -> Result<Joined, SqlError> {
        let wanted = schema.unwrap_or(self.scope.catalog.default_schema());
        let found = self
            .scope
            .visible
            .tables
            .iter()
            .find(|(id, _)| self.dialect.same_name(&id.schema, wanted) && self.dialect.same_name(&id.name, name));
        let Some((id, restriction)) = found else {
            let written = schema.map_or_else(|| name.to_owned(), |schema| format!("{schema}.{name}"));
            let visible = self.scope.visible.tables.keys().map(|id| id.name.as_str());
            return Err(SqlError::UnknownTable { name: shown(&written), suggestion: similar(name, visible) });
        };
        self.count_relations(1)?;
        let under_own_name = alias.is_none();
        let alias = self.relation_alias(alias, &id.name)?;
        let mut source = self.restricted(id, restriction, &alias)?;
        source.table = under_own_name.then(|| id.clone());
        Ok(joined(Relation::Base { table: id.clone(), alias }, source))
    }

    /// A visible table's columns.
    fn restricted(&self, id: &TableId, restriction: &Restriction, alias: &str) -> Result<Source, SqlError> {
        let gone = || SqlError::UnknownTable { name: shown(&id.name), suggestion: None };
        let table = self.scope.catalog.get(id).ok_or_else(gone)?;
        let known: BTreeMap<&str, &Column> = table.columns.iter().map(|c| (c.name.as_str(), c)).collect();
        let mut columns = Vec::with_capacity(restriction.columns.len());
        for visible in &restriction.columns {
            let column = known.get(visible.name.as_str()).ok_or_else(gone)?;
            columns.push(ColumnRef {
                relation: alias.to_owned(),
                name: column.name.clone(),
                origin: Some(ColumnId { table: id.clone(), column: column.name.clone() }),
                ty: visible.mask.as_ref().map_or_else(|| Some(column.ty.clone()), |mask| mask.ty.clone()),
                masked: visible.mask.is_some(),
                nullable: column.nullable || visible.mask.is_some(),
            });
        }
        let plain = |key: &String| columns.iter().any(|c| c.name == *key && !c.masked);
        let key = if table.primary_key.iter().all(plain) { table.primary_key.clone() } else { Vec::new() };
        Ok(Source { name: alias.to_owned(), table: None, columns, scalar: false, key })
    }

    /// The alias of a table or common table expression; its own name without one.
    fn relation_alias(&self, alias: Option<&ast::TableAlias>, own: &str) -> Result<String, SqlError> {
        let Some(ast::TableAlias { explicit: _, name, columns: _, at }) = alias else {
            return match own.get(..3) {
                Some(prefix) if prefix.eq_ignore_ascii_case("tg_") => Err(SqlError::unsupported_use(
                    format!("the table {} under its own name (`tg_` is reserved)", shown(own)),
                    "give it an alias",
                )),
                _ => Ok(own.to_owned()),
            };
        };
        refused::when(at.is_some(), "AT in an alias")?;
        self.alias(name)
    }

    /// A table under `alias (a, b, …)`: a subquery that renames its columns.
    fn renamed(&self, table: Joined, alias: Option<&ast::TableAlias>) -> Result<Joined, SqlError> {
        let ([whole], false) = (table.sources.as_slice(), alias.is_none_or(|alias| alias.columns.is_empty())) else {
            return Ok(table);
        };
        let output = |c: &ColumnRef| OutputColumn {
            name: c.name.clone(),
            origin: c.origin.clone(),
            ty: c.ty.clone(),
            nullable: c.nullable,
            masked: c.masked,
        };
        let mut columns: Vec<OutputColumn> = whole.columns.iter().map(output).collect();
        self.rename_first(&mut columns, alias)?;
        unique(self.dialect, columns.iter().map(|c| c.name.clone()), &shown(&whole.name))?;
        let renamed =
            |(c, to): (&ColumnRef, &OutputColumn)| Projection { expr: Expr::Column(c.clone()), name: to.name.clone() };
        let projection = whole.columns.iter().zip(&columns).map(renamed).collect();
        let query = Query::plain(projection, vec![table.relation], None);
        Ok(joined(query.derived(&whole.name), source(whole.name.clone(), &columns)))
    }

    /// A subquery in FROM. It sees what surrounds the SELECT, and its neighbours only where it is LATERAL.
    fn derived(
        &mut self,
        (subquery, lateral): (&ast::Query, bool),
        alias: Option<&ast::TableAlias>,
        outer: Outer<'_>,
    ) -> Result<Joined, SqlError> {
        let mut query = self.query(subquery, Outer { position: Position::Inside, ..outer })?;
        let mut shape = columns_read(self.dialect, &query.body);
        let alias = match alias {
            None => self.made_up_alias(),
            Some(ast::TableAlias { explicit: _, name, columns, at }) => {
                refused::when(at.is_some(), "AT in an alias")?;
                let alias = self.alias(name)?;
                self.rename(&mut shape, columns, &alias)?;
                rename_outputs(&mut query, &shape);
                alias
            }
        };
        unique(self.dialect, shape.iter().map(|c| c.name.clone()), "a subquery in FROM")?;
        self.count_relations(1)?;
        let relation = Relation::Derived { query: Box::new(query), alias: alias.clone(), lateral };
        Ok(joined(relation, source(alias, &shape)))
    }

    fn join(
        &mut self,
        left: Joined,
        right: Joined,
        (kind, constraint): (JoinKind, &ast::JoinConstraint),
        outer: Outer<'_>,
    ) -> Result<Joined, SqlError> {
        let merged = match constraint {
            ast::JoinConstraint::Using(columns) => self.using(&left, &right, columns)?,
            ast::JoinConstraint::Natural => self.natural(&left, &right)?,
            ast::JoinConstraint::On(_) | ast::JoinConstraint::None => Vec::new(),
        };
        self.count_merged(merged.len())?;
        for (left, right) in &merged {
            self.count_copy(&left.expr)?;
            self.count_copy(&right.expr)?;
        }
        let Joined { relation: left_relation, mut sources, mut columns } = left;
        let split = (sources.len(), columns.len());
        self.add_sources(&mut sources, right.sources)?;
        columns.extend(right.columns);
        let mut names = Names { parent: outer.names, sources, columns, ..Names::default() };
        let on = match constraint {
            ast::JoinConstraint::On(condition) => {
                let aggregates = Aggregates::Refused("in a join condition");
                let at = At { names: &names, ctes: outer.ctes, position: Position::Inside, aggregates };
                Some(self.expr(condition, at)?)
            }
            // Without a column in common a NATURAL join pairs every row with every one.
            ast::JoinConstraint::Using(_) | ast::JoinConstraint::Natural => {
                Some(conjunction(&merged).unwrap_or(Expr::Literal(Literal::Bool(true))))
            }
            ast::JoinConstraint::None if kind == JoinKind::Cross => None,
            ast::JoinConstraint::None => {
                return Err(SqlError::unsupported_use("a JOIN without ON or USING", "write CROSS JOIN"));
            }
        };
        let (mut sources, mut columns) = (std::mem::take(&mut names.sources), std::mem::take(&mut names.columns));
        null_extend(kind, split, &mut sources, &mut columns);
        if !merged.is_empty() {
            columns = self.merge(kind, merged, columns);
        }
        let (left, right) = (Box::new(left_relation), Box::new(right.relation));
        Ok(Joined { relation: Relation::Join { kind, left, right, on }, sources, columns })
    }

    /// The one column of a join's side that USING names.
    fn merging(&self, side: &Joined, name: &str) -> Result<Visible, SqlError> {
        let mut found = side.columns.iter().filter(|c| self.dialect.same_name(&c.name, name));
        match (found.next(), found.next()) {
            (Some(column), None) => Ok(column.clone()),
            (Some(_), Some(_)) => Err(SqlError::AmbiguousColumn { name: shown(name) }),
            (None, _) => {
                let names = side.columns.iter().map(|c| c.name.as_str());
                Err(SqlError::UnknownColumn { name: shown(name), suggestion: similar(name, names) })
            }
        }
    }

    /// The pairs of columns that NATURAL makes equal: those of one name, in the order of the left side.
    fn natural(&self, left: &Joined, right: &Joined) -> Result<Vec<(Visible, Visible)>, SqlError> {
        let (on_left, on_right) = (self.by_name(&left.columns), self.by_name(&right.columns));
        let mut pairs = Vec::new();
        for column in &left.columns {
            let key = self.key(&column.name);
            match (on_left.get(&key).map(Vec::as_slice), on_right.get(&key).map(Vec::as_slice)) {
                (_, None) => {}
                (Some([left]), Some([right])) => pairs.push(((*left).clone(), (*right).clone())),
                _ => return Err(SqlError::AmbiguousColumn { name: shown(&column.name) }),
            }
        }
        Ok(pairs)
    }

    /// Columns by what their names are compared by.
    fn by_name<'c>(&self, columns: &'c [Visible]) -> BTreeMap<String, Vec<&'c Visible>> {
        let mut found: BTreeMap<String, Vec<&Visible>> = BTreeMap::new();
        for column in columns {
            found.entry(self.key(&column.name)).or_default().push(column);
        }
        found
    }

    /// A name as names are compared.
    fn key(&self, name: &str) -> String {
        match self.dialect {
            Dialect::Postgres => name.to_owned(),
            Dialect::Sqlite | Dialect::MariaDb => name.to_ascii_lowercase(),
        }
    }

    /// The pairs of columns that USING makes equal.
    fn using(
        &self,
        left: &Joined,
        right: &Joined,
        columns: &[ast::ObjectName],
    ) -> Result<Vec<(Visible, Visible)>, SqlError> {
        let mut merged: Vec<(Visible, Visible)> = Vec::with_capacity(columns.len());
        for ast::ObjectName(parts) in columns {
            let [ast::ObjectNamePart::Identifier(ident)] = parts.as_slice() else {
                return Err(SqlError::unsupported("a qualified name in USING"));
            };
            let name = self.folded(ident);
            let twice = merged.iter().any(|(l, _)| self.dialect.same_name(&l.name, &name));
            refused::when(twice, "a column named twice in USING")?;
            merged.push((self.merging(left, &name)?, self.merging(right, &name)?));
        }
        Ok(merged)
    }

    /// The columns after USING: those it merged first, each once.
    fn merge(&self, kind: JoinKind, merged: Vec<(Visible, Visible)>, columns: Vec<Visible>) -> Vec<Visible> {
        let names: BTreeSet<String> = merged.iter().map(|(left, _)| self.key(&left.name)).collect();
        let is_merged = |c: &Visible| names.contains(&self.key(&c.name));
        let rest: Vec<Visible> = columns.into_iter().filter(|c| !is_merged(c)).collect();
        let one = |(left, right): (Visible, Visible)| match kind {
            JoinKind::Inner | JoinKind::Left | JoinKind::Cross => left,
            JoinKind::Right => right,
            JoinKind::Full => {
                let mut expr = coalesce(left.expr, right.expr);
                nullable_expr(&mut expr);
                Visible { name: left.name, expr }
            }
        };
        merged.into_iter().map(one).chain(rest).collect()
    }
}

pub(super) fn joined(relation: Relation, source: Source) -> Joined {
    Joined { relation, columns: source.visible(), sources: vec![source] }
}

/// The kind of a join, and its condition.
fn join_kind(operator: &ast::JoinOperator) -> Result<(JoinKind, &ast::JoinConstraint), SqlError> {
    use ast::JoinOperator as J;
    match operator {
        J::Join(constraint) | J::Inner(constraint) => Ok((JoinKind::Inner, constraint)),
        J::Left(constraint) | J::LeftOuter(constraint) => Ok((JoinKind::Left, constraint)),
        J::Right(constraint) | J::RightOuter(constraint) => Ok((JoinKind::Right, constraint)),
        J::FullOuter(constraint) => Ok((JoinKind::Full, constraint)),
        J::CrossJoin(none @ ast::JoinConstraint::None) => Ok((JoinKind::Cross, none)),
        J::CrossJoin(_) => Err(SqlError::unsupported("CROSS JOIN with a condition")),
        other => Err(refused::join(other)),
    }
}

/// What a LATERAL relation sees: its neighbours to the left as one frame, and what surrounds the SELECT.
pub(super) fn neighbours<'p>(left: Option<&Left<'_>>, parent: Option<&'p Names<'p>>) -> Names<'p> {
    let mut frame = Names { parent, ..Names::default() };
    let mut next = left;
    while let Some(Left { before, sources, columns }) = next {
        frame.sources.extend(sources.iter().cloned());
        frame.columns.extend(columns.iter().cloned());
        next = *before;
    }
    frame
}

/// A relation made of a query's columns.
pub(super) fn source(alias: String, columns: &[OutputColumn]) -> Source {
    let column = |c: &OutputColumn| ColumnRef {
        relation: alias.clone(),
        name: c.name.clone(),
        origin: c.origin.clone(),
        ty: c.ty.clone(),
        masked: c.masked,
        nullable: c.nullable,
    };
    let columns = columns.iter().map(column).collect();
    Source { name: alias, table: None, columns, scalar: false, key: Vec::new() }
}

fn coalesce(left: Expr, right: Expr) -> Expr {
    Expr::Function(Function::plain("coalesce", vec![left, right]))
}

fn conjunction(pairs: &[(Visible, Visible)]) -> Option<Expr> {
    let equal = |(left, right): &(Visible, Visible)| Expr::Binary {
        op: BinaryOp::Eq,
        left: Box::new(left.expr.clone()),
        right: Box::new(right.expr.clone()),
    };
    balanced(BinaryOp::And, pairs.iter().map(equal).collect())
}

/// An outer join makes the columns of one side or of both nullable.
fn null_extend(kind: JoinKind, split: (usize, usize), sources: &mut [Source], columns: &mut [Visible]) {
    let (left_sources, right_sources) = sources.split_at_mut(split.0);
    let (left_columns, right_columns) = columns.split_at_mut(split.1);
    if matches!(kind, JoinKind::Right | JoinKind::Full) {
        make_nullable(left_sources, left_columns);
    }
    if matches!(kind, JoinKind::Left | JoinKind::Full) {
        make_nullable(right_sources, right_columns);
    }
}

fn make_nullable(sources: &mut [Source], columns: &mut [Visible]) {
    for column in sources.iter_mut().flat_map(|s| &mut s.columns) {
        column.nullable = true;
    }
    for column in columns {
        nullable_expr(&mut column.expr);
    }
}

/// A visible column is a column or the `coalesce` that USING made.
fn nullable_expr(expr: &mut Expr) {
    match expr {
        Expr::Column(column) => column.nullable = true,
        Expr::Function(Function { args: FunctionArgs::List(list), .. }) => list.iter_mut().for_each(nullable_expr),
        _ => {}
    }
}
