//! The operators of the allow-list. None of them can be told apart by anything but its name here: what it may do is judged elsewhere.

/// ANY or ALL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    /// ANY, SOME
    Any,
    /// ALL
    All,
}

/// The languages of patterns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LikeKind {
    /// LIKE
    Like,
    /// ILIKE. PostgreSQL only.
    ILike,
    /// SIMILAR TO. PostgreSQL only.
    SimilarTo,
}

/// Prefix operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// NOT
    Not,
    /// -
    Minus,
    /// +
    Plus,
    /// ~
    BitNot,
}

/// The binary operators of the allow-list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    /// AND
    And,
    /// OR
    Or,
    /// =
    Eq,
    /// <>
    NotEq,
    /// <
    Lt,
    /// <=
    LtEq,
    /// >
    Gt,
    /// >=
    GtEq,
    /// IS DISTINCT FROM
    IsDistinctFrom,
    /// IS NOT DISTINCT FROM
    IsNotDistinctFrom,
    /// +
    Add,
    /// -
    Subtract,
    /// *
    Multiply,
    /// /
    Divide,
    /// DIV: a quotient without its fraction. MariaDB only.
    IntDivide,
    /// %
    Modulo,
    /// ||
    Concat,
    /// ->
    JsonGet,
    /// ->>
    JsonGetText,
    /// `#>`
    JsonPath,
    /// `#>>`
    JsonPathText,
    /// `#-`
    JsonRemove,
    /// `?`
    JsonHasKey,
    /// `?|`
    JsonHasAnyKey,
    /// `?&`
    JsonHasAllKeys,
    /// `@?`
    JsonPathExists,
    /// `@@`
    Matches,
    /// `@>`
    Contains,
    /// `<@`
    ContainedBy,
    /// `&&`
    Overlap,
    /// `&`
    BitAnd,
    /// `|`
    BitOr,
    /// `#`
    BitXor,
    /// `<<`
    ShiftLeft,
    /// `>>`
    ShiftRight,
    /// `^`, a power.
    Power,
    /// `~~`, LIKE; with ANY and ALL only.
    Like,
    /// `~~*`, ILIKE; with ANY and ALL only.
    ILike,
    /// `!~~`, NOT LIKE; with ANY and ALL only.
    NotLike,
    /// `!~~*`, NOT ILIKE; with ANY and ALL only.
    NotILike,
    /// `~`
    Regex,
    /// `~*`
    RegexI,
    /// `!~`
    NotRegex,
    /// `!~*`
    NotRegexI,
    /// GLOB. SQLite only.
    Glob,
    /// OVERLAPS, between rows of two.
    Overlaps,
}

/// What sort of operator it is: all of one sort are judged alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpClass {
    /// AND and OR.
    Logic,
    /// Comparison by the type's own order.
    Comparison,
    /// `+ - * / % ^`
    Arithmetic,
    /// `& | # << >>`
    Bits,
    /// `||`
    Concat,
    /// A part of a JSON document.
    JsonPart,
    /// A truth about a JSON document, an array or a range.
    Containment,
    /// A pattern or regular expression, a path in a JSON document, overlapping periods: a truth.
    Pattern,
}

impl BinaryOp {
    /// Its sort.
    pub fn class(self) -> OpClass {
        match self {
            Self::And | Self::Or => OpClass::Logic,
            Self::Eq
            | Self::NotEq
            | Self::Lt
            | Self::LtEq
            | Self::Gt
            | Self::GtEq
            | Self::IsDistinctFrom
            | Self::IsNotDistinctFrom => OpClass::Comparison,
            Self::Add
            | Self::Subtract
            | Self::Multiply
            | Self::Divide
            | Self::IntDivide
            | Self::Modulo
            | Self::Power => OpClass::Arithmetic,
            Self::BitAnd | Self::BitOr | Self::BitXor | Self::ShiftLeft | Self::ShiftRight => OpClass::Bits,
            Self::Concat => OpClass::Concat,
            Self::JsonGet | Self::JsonGetText | Self::JsonPath | Self::JsonPathText | Self::JsonRemove => {
                OpClass::JsonPart
            }
            Self::JsonHasKey
            | Self::JsonHasAnyKey
            | Self::JsonHasAllKeys
            | Self::Contains
            | Self::ContainedBy
            | Self::Overlap => OpClass::Containment,
            Self::JsonPathExists
            | Self::Matches
            | Self::Like
            | Self::ILike
            | Self::NotLike
            | Self::NotILike
            | Self::Regex
            | Self::RegexI
            | Self::NotRegex
            | Self::NotRegexI
            | Self::Glob
            | Self::Overlaps => OpClass::Pattern,
        }
    }

    /// Whether it yields a truth value.
    pub fn is_truth(self) -> bool {
        match self.class() {
            OpClass::Logic | OpClass::Comparison | OpClass::Containment | OpClass::Pattern => true,
            OpClass::Arithmetic | OpClass::Bits | OpClass::Concat | OpClass::JsonPart => false,
        }
    }
}

/// What IS tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IsTest {
    /// NULL
    Null,
    /// TRUE
    True,
    /// FALSE
    False,
}
