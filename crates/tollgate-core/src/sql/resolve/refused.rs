//! The names of what is refused. Matches are exhaustive: what a new version of the parser can read is refused until it is named.

use sqlparser::ast::{self, Expr, SetExpr, TableFactor};

use crate::sql::error::SqlError;

/// Refuses `construct` when it is there.
pub(super) fn when(there: bool, construct: &str) -> Result<(), SqlError> {
    if there { Err(SqlError::unsupported(construct)) } else { Ok(()) }
}

/// A body that is not a SELECT.
pub(super) fn body(body: &SetExpr) -> SqlError {
    let found = match body {
        SetExpr::Insert(_) => "INSERT",
        SetExpr::Update(_) => "UPDATE",
        SetExpr::Delete(_) => "DELETE",
        SetExpr::Merge(_) => "MERGE",
        SetExpr::Values(_) => return SqlError::unsupported("VALUES"),
        SetExpr::Table(_) => return SqlError::unsupported_use("TABLE name", "write SELECT * FROM name"),
        SetExpr::Select(_) | SetExpr::Query(_) | SetExpr::SetOperation { .. } => "a nested query",
    };
    SqlError::NotOneSelect { found: found.to_owned() }
}

/// A relation that is neither a table, a subquery nor a join.
pub(super) fn relation(factor: &TableFactor) -> SqlError {
    SqlError::unsupported(match factor {
        TableFactor::TableFunction { .. } => "TABLE (…)",
        TableFactor::JsonTable { .. } | TableFactor::OpenJsonTable { .. } => "a JSON table",
        TableFactor::Pivot { .. } => "PIVOT",
        TableFactor::Unpivot { .. } | TableFactor::UnpivotExpr { .. } => "UNPIVOT",
        TableFactor::MatchRecognize { .. } => "MATCH_RECOGNIZE",
        TableFactor::XmlTable { .. } => "XMLTABLE",
        TableFactor::SemanticView { .. } => "SEMANTIC_VIEW",
        TableFactor::Table { .. }
        | TableFactor::Derived { .. }
        | TableFactor::NestedJoin { .. }
        | TableFactor::Function { .. }
        | TableFactor::UNNEST { .. } => "this relation",
    })
}

/// A join that is none of the five kinds.
pub(super) fn join(operator: &ast::JoinOperator) -> SqlError {
    use ast::JoinOperator as J;
    SqlError::unsupported(match operator {
        J::Semi(_) | J::LeftSemi(_) | J::RightSemi(_) => "a SEMI join",
        J::Anti(_) | J::LeftAnti(_) | J::RightAnti(_) => "an ANTI join",
        J::CrossApply | J::OuterApply => "APPLY",
        J::AsOf { .. } => "an ASOF join",
        J::StraightJoin(_) => "STRAIGHT_JOIN",
        J::ArrayJoin | J::LeftArrayJoin | J::InnerArrayJoin => "ARRAY JOIN",
        J::Join(_)
        | J::Inner(_)
        | J::Left(_)
        | J::LeftOuter(_)
        | J::Right(_)
        | J::RightOuter(_)
        | J::FullOuter(_)
        | J::CrossJoin(_) => "this join",
    })
}

/// An expression outside the grammar.
pub(super) fn expression(expr: &Expr) -> SqlError {
    let (construct, instead) = match expr {
        Expr::CompoundFieldAccess { .. } => {
            ("a field of a row, or a subscript", Some("name the column as table.column"))
        }
        Expr::JsonAccess { .. } => ("JSON access by `:`", Some("write -> or ->>")),
        Expr::IsJson { .. } => ("IS JSON", None),
        Expr::IsNormalized { .. } => ("IS NORMALIZED", None),
        Expr::InUnnest { .. } => ("IN UNNEST", Some("write IN (:list)")),
        Expr::SimilarTo { .. } => ("SIMILAR TO", Some("write LIKE or GLOB")),
        Expr::RLike { .. } => ("RLIKE or REGEXP", Some("write LIKE")),
        Expr::AnyOp { .. } => ("ANY", Some("write IN (SELECT …) or EXISTS (SELECT …)")),
        Expr::AllOp { .. } => ("ALL", Some("write NOT EXISTS (SELECT …)")),
        Expr::Convert { .. } => ("CONVERT", Some("write CAST(x AS type)")),
        Expr::Overlay { .. } => ("OVERLAY", Some("write substr and ||")),
        Expr::Collate { .. } => ("COLLATE", None),
        Expr::Prefixed { .. } => ("a string with a prefix", Some("write the string in single quotes")),
        Expr::GroupingSets(_) => ("GROUPING SETS", None),
        Expr::Cube(_) => ("CUBE", None),
        Expr::Rollup(_) => ("ROLLUP", None),
        Expr::Tuple(_) => ("a row of several values here", Some("compare it with another row, or by IN")),
        Expr::Struct { .. } | Expr::Named { .. } | Expr::Dictionary(_) | Expr::Map(_) => ("a structured value", None),
        Expr::Array(_) => ("an array here", Some("write IN (…), or ARRAY[…] on PostgreSQL")),
        Expr::MatchAgainst { .. } => ("MATCH … AGAINST", None),
        Expr::Wildcard(_) | Expr::QualifiedWildcard(..) => ("`*` in an expression", Some("name the columns")),
        Expr::OuterJoin(_) => ("(+)", Some("write LEFT JOIN")),
        Expr::Prior(_) => ("PRIOR", None),
        Expr::Lambda(_) => ("a lambda", None),
        Expr::MemberOf(_) => ("MEMBER OF", None),
        Expr::Position { .. } => ("POSITION", Some("write instr(text, part)")),
        Expr::AtTimeZone { .. } => ("AT TIME ZONE", Some("write datetime(x, modifier)")),
        Expr::Extract { .. } => ("EXTRACT", Some("write strftime('%Y', x)")),
        Expr::Identifier(_)
        | Expr::CompoundIdentifier(_)
        | Expr::IsFalse(_)
        | Expr::IsNotFalse(_)
        | Expr::IsTrue(_)
        | Expr::IsNotTrue(_)
        | Expr::IsNull(_)
        | Expr::IsNotNull(_)
        | Expr::IsUnknown(_)
        | Expr::IsNotUnknown(_)
        | Expr::IsDistinctFrom(..)
        | Expr::IsNotDistinctFrom(..)
        | Expr::InList { .. }
        | Expr::InSubquery { .. }
        | Expr::Between { .. }
        | Expr::BinaryOp { .. }
        | Expr::Like { .. }
        | Expr::ILike { .. }
        | Expr::UnaryOp { .. }
        | Expr::Cast { .. }
        | Expr::Ceil { .. }
        | Expr::Floor { .. }
        | Expr::Substring { .. }
        | Expr::Trim { .. }
        | Expr::Nested(_)
        | Expr::Value(_)
        | Expr::TypedString(_)
        | Expr::Function(_)
        | Expr::Case { .. }
        | Expr::Exists { .. }
        | Expr::Subquery(_)
        | Expr::Interval(_) => ("this expression", None),
    };
    SqlError::Unsupported { construct: construct.to_owned(), instead }
}
