//! Functions in FROM: those of the list that yield rows, each with its columns. A function whose columns are not known here is no
//! relation, whatever it returns.

use sqlparser::ast;

use super::expr::{Aggregates, At, Position};
use super::from::{Joined, Left, joined, neighbours, source};
use super::limit::within_limits;
use super::output::describe;
use super::query::Outer;
use super::{Resolver, refused, series};
use crate::catalog::{SqlType, TypeKind};
use crate::names::Dialect;
use crate::sql::error::{SqlError, shown};
use crate::sql::functions::{FunctionKind, FunctionSpec, list, lookup};
use crate::sql::statement::OutputColumn;
use crate::sql::tree::{ColumnRef, Expr, Relation, TableFunction};

/// What a function's rows are.
enum Yields {
    /// Plain values under a name of their own.
    Named(&'static str, Type),
    /// Plain values, called like the relation.
    Value(Type),
    /// Rows of these columns.
    Rows(&'static [(&'static str, Type)]),
}

/// A column's type.
#[derive(Clone, Copy)]
enum Type {
    Text,
    Json,
    Jsonb,
    /// That of an array's elements.
    Element,
    /// Not known here.
    Unknown,
}

/// The columns of SQLite's two functions.
const JSON_COLUMNS: &[(&str, Type)] = &[
    ("key", Type::Unknown),
    ("value", Type::Unknown),
    ("type", Type::Unknown),
    ("atom", Type::Unknown),
    ("id", Type::Unknown),
    ("parent", Type::Unknown),
    ("fullkey", Type::Unknown),
    ("path", Type::Unknown),
];

/// What a listed function yields; `None` where it may not stand in FROM after all.
fn yields(dialect: Dialect, name: &str) -> Option<Yields> {
    Some(match (dialect, name) {
        (Dialect::Postgres, "unnest") => Yields::Value(Type::Element),
        (Dialect::Postgres, "generate_series" | "regexp_matches") => Yields::Value(Type::Unknown),
        (Dialect::Postgres, "json_object_keys" | "jsonb_object_keys" | "string_to_table" | "regexp_split_to_table") => {
            Yields::Value(Type::Text)
        }
        (Dialect::Postgres, "json_array_elements") => Yields::Named("value", Type::Json),
        (Dialect::Postgres, "jsonb_array_elements") => Yields::Named("value", Type::Jsonb),
        (Dialect::Postgres, "json_array_elements_text" | "jsonb_array_elements_text") => {
            Yields::Named("value", Type::Text)
        }
        (Dialect::Postgres, "json_each") => Yields::Rows(&[("key", Type::Text), ("value", Type::Json)]),
        (Dialect::Postgres, "jsonb_each") => Yields::Rows(&[("key", Type::Text), ("value", Type::Jsonb)]),
        (Dialect::Postgres, "json_each_text" | "jsonb_each_text") => {
            Yields::Rows(&[("key", Type::Text), ("value", Type::Text)])
        }
        (Dialect::Sqlite, "json_each" | "json_tree") => Yields::Rows(JSON_COLUMNS),
        _ => return None,
    })
}

impl Resolver<'_> {
    /// `name(arguments) [WITH ORDINALITY]` in FROM. It sees its neighbours to the left, with or without LATERAL.
    pub(super) fn table_function(
        &mut self,
        (name, args, ordinality): (&ast::ObjectName, &[ast::FunctionArg], bool),
        alias: Option<&ast::TableAlias>,
        before: Option<&Left<'_>>,
        outer: Outer<'_>,
    ) -> Result<Joined, SqlError> {
        let (spec, exprs) = self.table_call(name, args)?;
        self.listed_relation(spec, (&exprs, ordinality), alias, before, outer)
    }

    /// The same in a SELECT's output, as a relation under a name of our own with one column, and a second one that counts the rows.
    pub(super) fn hidden_relation(
        &mut self,
        (name, args, ordinality): (&ast::ObjectName, &[ast::FunctionArg], bool),
        before: &Left<'_>,
        outer: Outer<'_>,
    ) -> Result<(Relation, Vec<ColumnRef>), SqlError> {
        let ((spec, yields), written) = self.table_call(name, args)?;
        if matches!(yields, Yields::Rows(_)) {
            return Err(SqlError::function(spec.name, "yields rows of several columns and may stand in FROM only"));
        }
        let args = self.table_arguments(spec, &written, Some(before), outer)?;
        let alias = self.made_up_alias();
        let mut columns = self.columns_of(&yields, &args, spec.name);
        for column in &mut columns {
            spec.name.clone_into(&mut column.name);
        }
        if ordinality {
            columns.push(place());
        }
        let source = source(alias.clone(), &columns);
        let columns = columns.into_iter().map(|c| c.name).collect();
        let function = TableFunction { name: spec.name, args, columns, ordinality, alias };
        Ok((Relation::Function(Box::new(function)), source.columns))
    }

    /// The function of a call, and its arguments as written.
    fn table_call<'e>(
        &self,
        name: &ast::ObjectName,
        args: &'e [ast::FunctionArg],
    ) -> Result<((&'static FunctionSpec, Yields), Vec<&'e ast::Expr>), SqlError> {
        let ast::ObjectName(parts) = name;
        let [ast::ObjectNamePart::Identifier(ident)] = parts.as_slice() else {
            return Err(SqlError::unsupported_use("a function with a schema", "write its name alone"));
        };
        let spec = self.table_spec(&self.folded(ident))?;
        let mut exprs = Vec::with_capacity(args.len());
        for arg in args {
            let ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(expr)) = arg else {
                return Err(SqlError::function(spec.0.name, "takes expressions, by position"));
            };
            exprs.push(expr);
        }
        Ok((spec, exprs))
    }

    /// `UNNEST (array) [WITH ORDINALITY]`.
    pub(super) fn unnest(
        &mut self,
        (arrays, ordinality): (&[ast::Expr], bool),
        alias: Option<&ast::TableAlias>,
        before: Option<&Left<'_>>,
        outer: Outer<'_>,
    ) -> Result<Joined, SqlError> {
        let spec = self.table_spec("unnest")?;
        let arrays: Vec<&ast::Expr> = arrays.iter().collect();
        self.listed_relation(spec, (&arrays, ordinality), alias, before, outer)
    }

    /// A function of the list that yields rows, and which columns they have.
    fn table_spec(&self, name: &str) -> Result<(&'static FunctionSpec, Yields), SqlError> {
        let rows = |spec: &&FunctionSpec| spec.kind == FunctionKind::Set && self.dialect.same_name(spec.name, name);
        let known = |spec: &'static FunctionSpec| yields(self.dialect, spec.name).map(|yields| (spec, yields));
        lookup(self.dialect, name).filter(rows).and_then(known).ok_or_else(|| {
            let known = list(self.dialect).iter().filter(|spec| yields(self.dialect, spec.name).is_some());
            let names: Vec<&str> = known.map(|spec| spec.name).collect();
            SqlError::function(name, format!("is not one of those that may stand in FROM: {}", names.join(", ")))
        })
    }

    fn listed_relation(
        &mut self,
        (spec, yields): (&'static FunctionSpec, Yields),
        (written, ordinality): (&[&ast::Expr], bool),
        alias: Option<&ast::TableAlias>,
        before: Option<&Left<'_>>,
        outer: Outer<'_>,
    ) -> Result<Joined, SqlError> {
        refused::when(ordinality && self.dialect != Dialect::Postgres, "WITH ORDINALITY")?;
        let args = self.table_arguments(spec, written, before, outer)?;
        let own_name = alias.map_or_else(|| Ok(spec.name.to_owned()), |alias| self.alias(&alias.name))?;
        let mut columns = self.columns_of(&yields, &args, &own_name);
        if ordinality {
            columns.push(place());
        }
        self.rename_first(&mut columns, alias)?;
        let mut source = source(own_name.clone(), &columns);
        source.scalar = !ordinality && !matches!(yields, Yields::Rows(_));
        let columns = columns.into_iter().map(|c| c.name).collect();
        let function = TableFunction { name: spec.name, args, columns, ordinality, alias: own_name };
        Ok(joined(Relation::Function(Box::new(function)), source))
    }

    /// A call's arguments; it counts as a relation.
    fn table_arguments(
        &mut self,
        spec: &FunctionSpec,
        written: &[&ast::Expr],
        before: Option<&Left<'_>>,
        outer: Outer<'_>,
    ) -> Result<Vec<Expr>, SqlError> {
        let (fewest, most) = spec.arity;
        if !(fewest..=most).contains(&written.len()) {
            let wanted = if fewest == most { format!("{most}") } else { format!("{fewest} to {most}") };
            let problem = format!("takes {wanted} arguments in FROM, not {}", written.len());
            return Err(SqlError::function(spec.name, problem));
        }
        let frame = neighbours(before, outer.names);
        let aggregates = Aggregates::Refused("in FROM");
        let at = At { names: &frame, ctes: outer.ctes, position: Position::Inside, aggregates };
        let mut args = Vec::with_capacity(written.len());
        for arg in written {
            args.push(self.expr(arg, at)?);
        }
        if spec.name == "generate_series" {
            series::bounded(&args)?;
        }
        within_limits(spec, &args)?;
        self.count_relations(1)?;
        Ok(args)
    }

    fn columns_of(&self, yields: &Yields, args: &[Expr], own_name: &str) -> Vec<OutputColumn> {
        let masked = args.iter().any(|arg| describe(self.dialect, String::new(), arg).masked);
        let one = |name: &str, ty: Type| column(name, self.type_in(ty, args), masked);
        match yields {
            Yields::Named(name, ty) => vec![one(name, *ty)],
            Yields::Value(ty) => vec![one(own_name, *ty)],
            Yields::Rows(columns) => columns.iter().map(|(name, ty)| one(name, *ty)).collect(),
        }
    }

    fn type_in(&self, ty: Type, args: &[Expr]) -> Option<SqlType> {
        match ty {
            Type::Text => {
                let ty = |arg: &Expr| describe(self.dialect, String::new(), arg).ty;
                let collated = |ty: SqlType| matches!(ty.kind, TypeKind::Collated(_));
                let plain = !args.iter().filter_map(ty).any(collated);
                plain.then(|| named("text", TypeKind::Text))
            }
            Type::Json => Some(named("json", TypeKind::Json)),
            Type::Jsonb => Some(named("jsonb", TypeKind::Json)),
            Type::Element => match describe(self.dialect, String::new(), args.first()?).ty?.kind {
                TypeKind::Array(element) if !matches!(element.kind, TypeKind::Array(_)) => Some(*element),
                _ => None,
            },
            Type::Unknown => None,
        }
    }

    /// Applies `alias (a, b, …)`; fewer names than columns are enough, as PostgreSQL has it.
    pub(super) fn rename_first(
        &self,
        columns: &mut [OutputColumn],
        alias: Option<&ast::TableAlias>,
    ) -> Result<(), SqlError> {
        let Some(ast::TableAlias { explicit: _, name, columns: names, at }) = alias else { return Ok(()) };
        refused::when(at.is_some(), "AT in an alias")?;
        if names.is_empty() {
            return Ok(());
        }
        refused::when(self.dialect != Dialect::Postgres, "a list of column aliases of a table or function")?;
        let count = columns.len();
        let Some(first) = columns.get_mut(..names.len()) else {
            let relation = shown(&name.value);
            let construct = format!("a list of {} names for the {count} columns of {relation}", names.len());
            return Err(SqlError::unsupported(construct));
        };
        self.rename(first, names, &name.value)
    }
}

/// What WITH ORDINALITY adds.
fn place() -> OutputColumn {
    column("ordinality", Some(named("bigint", TypeKind::BigInt)), false)
}

fn column(name: &str, ty: Option<SqlType>, masked: bool) -> OutputColumn {
    OutputColumn { name: name.to_owned(), origin: None, ty, nullable: true, masked }
}

fn named(name: &str, kind: TypeKind) -> SqlType {
    SqlType { name: name.to_owned(), kind }
}
