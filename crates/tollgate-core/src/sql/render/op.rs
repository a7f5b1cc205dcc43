//! Operators, by the words that each dialect has for them. Never prints one that a dialect would read as something else.

use super::{Printer, RenderError};
use crate::names::Dialect;
use crate::sql::tree::{BinaryOp, OpClass};

impl Printer {
    /// An operator with the spaces around it.
    pub(super) fn operator(&self, op: BinaryOp) -> Result<&'static str, RenderError> {
        match (self.dialect, op) {
            (Dialect::Postgres, BinaryOp::Glob) => Err(self.lacks("GLOB")),
            (Dialect::Postgres | Dialect::Sqlite, BinaryOp::IntDivide) => Err(self.lacks("DIV")),
            (Dialect::Sqlite, BinaryOp::Power | BinaryOp::BitXor) => Err(self.lacks("this operator")),
            (Dialect::Sqlite, BinaryOp::JsonPath | BinaryOp::JsonPathText | BinaryOp::JsonRemove)
            | (Dialect::MariaDb, BinaryOp::IsDistinctFrom | BinaryOp::Power | BinaryOp::BitXor) => {
                Err(self.lacks("this operator"))
            }
            (Dialect::Sqlite, op)
                if op != BinaryOp::Glob && matches!(op.class(), OpClass::Containment | OpClass::Pattern) =>
            {
                Err(self.lacks("this operator"))
            }
            (Dialect::MariaDb, BinaryOp::IsNotDistinctFrom) => Ok(" <=> "),
            (Dialect::MariaDb, BinaryOp::Regex) => Ok(" REGEXP "),
            (Dialect::MariaDb, op) => match op.class() {
                OpClass::Logic | OpClass::Comparison | OpClass::Arithmetic | OpClass::Bits => Ok(word(op)),
                OpClass::Concat | OpClass::JsonPart | OpClass::Containment | OpClass::Pattern => {
                    Err(self.lacks("this operator"))
                }
            },
            (Dialect::Postgres | Dialect::Sqlite, op) => Ok(word(op)),
        }
    }
}

fn word(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::And => " AND ",
        BinaryOp::Or => " OR ",
        BinaryOp::Eq => " = ",
        BinaryOp::NotEq => " <> ",
        BinaryOp::Lt => " < ",
        BinaryOp::LtEq => " <= ",
        BinaryOp::Gt => " > ",
        BinaryOp::GtEq => " >= ",
        BinaryOp::IsDistinctFrom => " IS DISTINCT FROM ",
        BinaryOp::IsNotDistinctFrom => " IS NOT DISTINCT FROM ",
        BinaryOp::Add => " + ",
        BinaryOp::Subtract => " - ",
        BinaryOp::Multiply => " * ",
        BinaryOp::Divide => " / ",
        BinaryOp::IntDivide => " DIV ",
        BinaryOp::Modulo => " % ",
        BinaryOp::Power => " ^ ",
        BinaryOp::BitAnd => " & ",
        BinaryOp::BitOr => " | ",
        BinaryOp::BitXor => " # ",
        BinaryOp::ShiftLeft => " << ",
        BinaryOp::ShiftRight => " >> ",
        BinaryOp::Concat => " || ",
        BinaryOp::JsonGet => " -> ",
        BinaryOp::JsonGetText => " ->> ",
        BinaryOp::JsonPath => " #> ",
        BinaryOp::JsonPathText => " #>> ",
        BinaryOp::JsonRemove => " #- ",
        BinaryOp::JsonHasKey => " ? ",
        BinaryOp::JsonHasAnyKey => " ?| ",
        BinaryOp::JsonHasAllKeys => " ?& ",
        BinaryOp::JsonPathExists => " @? ",
        BinaryOp::Matches => " @@ ",
        BinaryOp::Contains => " @> ",
        BinaryOp::ContainedBy => " <@ ",
        BinaryOp::Overlap => " && ",
        BinaryOp::Like => " ~~ ",
        BinaryOp::ILike => " ~~* ",
        BinaryOp::NotLike => " !~~ ",
        BinaryOp::NotILike => " !~~* ",
        BinaryOp::Regex => " ~ ",
        BinaryOp::RegexI => " ~* ",
        BinaryOp::NotRegex => " !~ ",
        BinaryOp::NotRegexI => " !~* ",
        BinaryOp::Glob => " GLOB ",
        BinaryOp::Overlaps => " OVERLAPS ",
    }
}
