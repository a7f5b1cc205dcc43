//! Calls of functions that the operator adds to the reviewed list. A listed function is never hidden by one of the same name: an
//! added one is then called with its schema.

use std::sync::Arc;

use sqlparser::ast;

use super::Resolver;
use super::call::arguments_wanted;
use super::expr::At;
use crate::catalog::AddedFunction;
use crate::names::Dialect;
use crate::sql::error::SqlError;
use crate::sql::tree::Expr;

impl Resolver<'_> {
    /// The added function of that name; `None` where the name means a listed one, or nothing.
    pub(super) fn added(&self, name: &ast::ObjectName) -> Result<Option<Arc<AddedFunction>>, SqlError> {
        let added = self.scope.catalog.functions();
        if added.is_empty() || self.dialect != Dialect::Postgres {
            return Ok(None);
        }
        let ast::ObjectName(parts) = name;
        let (schema, name) = match parts.as_slice() {
            [ast::ObjectNamePart::Identifier(name)] => (None, self.folded(name)),
            [ast::ObjectNamePart::Identifier(schema), ast::ObjectNamePart::Identifier(name)] => {
                (Some(self.folded(schema)), self.folded(name))
            }
            _ => return Ok(None),
        };
        let listed = schema.as_deref().is_none_or(|schema| schema == "pg_catalog") && self.spec(&name).is_ok();
        if listed {
            return Ok(None);
        }
        let is_meant =
            |f: &&Arc<AddedFunction>| f.name == name && schema.as_ref().is_none_or(|schema| f.schema == *schema);
        let mut found = added.iter().filter(is_meant);
        match (found.next(), found.next()) {
            (Some(one), None) => Ok(Some(Arc::clone(one))),
            (None, _) => Ok(None),
            (Some(_), Some(_)) => Err(SqlError::function(&name, "is in several schemas; write it with its schema")),
        }
    }

    /// A call of it: plain arguments and nothing else.
    pub(super) fn added_call(
        &mut self,
        added: Arc<AddedFunction>,
        call: &ast::Function,
        at: At<'_>,
    ) -> Result<Expr, SqlError> {
        let ast::Function { name: _, uses_odbc_syntax, parameters, args, within_group, filter, null_treatment, over } =
            call;
        let plain = !uses_odbc_syntax
            && matches!(parameters, ast::FunctionArguments::None)
            && within_group.is_empty()
            && filter.is_none()
            && null_treatment.is_none()
            && over.is_none();
        let written = match args {
            ast::FunctionArguments::List(ast::FunctionArgumentList { duplicate_treatment: None, args, clauses })
                if plain && clauses.is_empty() =>
            {
                args
            }
            _ => return Err(SqlError::function(&added.name, "takes arguments in parentheses and nothing else")),
        };
        let (fewest, most) = added.arity;
        if !(fewest..=most).contains(&written.len()) {
            let problem = format!("takes {}, not {}", arguments_wanted(added.arity), written.len());
            return Err(SqlError::function(&added.name, problem));
        }
        let mut args = Vec::with_capacity(written.len());
        for arg in written {
            match arg {
                ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(expr)) => args.push(self.expr(expr, at)?),
                _ => return Err(SqlError::function(&added.name, "takes expressions by position")),
            }
        }
        Ok(Expr::Added { function: added, args })
    }
}
