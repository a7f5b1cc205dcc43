//! Policies made at random, each filter in two forms: as the configuration has it, and as a condition of our own over tables that
//! already are what the role sees.

use std::collections::BTreeSet;

use ring::{
    digest::{self, digest},
    hmac,
};
use tollgate_core::{
    names::{Dialect, Value},
    policy::MaskGrant,
};

use super::{
    kind::{Cell, Kind, name, quoted},
    random::Random,
    world::{Grant, KEY, NUMBER, Table, World},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mask {
    Null,
    Redact,
    Email,
    Last4,
    Year,
    Hash,
    /// In SQL: NULL where another column, maybe a hidden one, is.
    Unless(usize),
    /// In SQL: the first character.
    First,
}

impl Mask {
    pub(super) fn granted(self, table: &Table, index: usize, dialect: Dialect) -> MaskGrant {
        let column = |index: usize| name(&table.columns[index].name, dialect);
        let named = match self {
            Mask::Null => "null",
            Mask::Redact => "redact",
            Mask::Email => "email",
            Mask::Last4 => "last4",
            Mask::Year => "year",
            Mask::Hash => "hash",
            Mask::Unless(other) => {
                return MaskGrant::Sql(format!(
                    "CASE WHEN {} IS NOT NULL THEN {} ELSE NULL END",
                    column(other),
                    column(index)
                ));
            }
            Mask::First => return MaskGrant::Sql(format!("substr({}, 1, 1)", column(index))),
        };
        MaskGrant::Named(named.to_owned())
    }

    /// The other column of its table that it reads.
    pub(super) fn reads(self) -> Option<usize> {
        if let Mask::Unless(other) = self { Some(other) } else { None }
    }

    /// What the manual says that the mask shows of a row's column.
    pub(super) fn over(self, row: &[Cell], index: usize) -> Cell {
        let text = row[index].as_deref()?;
        let shown = match self {
            Mask::Null => return None,
            Mask::Redact => None,
            Mask::Unless(other) => return row[other].as_ref().map(|_| text.to_owned()),
            Mask::First => Some(text.chars().take(1).collect()),
            Mask::Year => {
                return text.starts_with(|c: char| c.is_ascii_digit()).then(|| format!("{}-01-01", &text[..4]));
            }
            Mask::Hash => Some(hash(text)),
            Mask::Email => email(text),
            Mask::Last4 => {
                let characters: Vec<char> = text.chars().collect();
                (characters.len() > 8)
                    .then(|| format!("****{}", characters[characters.len() - 4..].iter().collect::<String>()))
            }
        };
        Some(shown.unwrap_or_else(|| "redacted".to_owned()))
    }
}

/// What the hashes are keyed with.
pub(super) const SECRET: &str = "a secret of the tests, long enough";
/// The role that they are for.
pub(super) const ROLE: &str = "tested";

/// HMAC-SHA-256 under the key that the manual gives a role, cut to 128 bits.
fn hash(text: &str) -> String {
    let length = (SECRET.len() as u64).to_be_bytes();
    let parts: [&[u8]; 4] = [b"tollgate mask key v1\0", &length, SECRET.as_bytes(), ROLE.as_bytes()];
    let key = digest(&digest::SHA256, &parts.concat());
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_ref()), text.as_bytes());
    super::hexadecimal(&tag.as_ref()[..16])
}

/// `j***@example.com`: a name of two characters or more, and a domain that is one.
fn email(text: &str) -> Option<String> {
    let (user, domain) = text.split_once('@')?;
    let first = user.chars().next()?;
    let is_domain = domain.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-');
    let dotted = domain.find('.').is_some_and(|at| at > 0);
    (user.chars().count() > 1 && is_domain && dotted).then(|| format!("{first}***@{domain}"))
}

/// A claim of the caller.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) values: Vec<String>,
    pub(super) is_list: bool,
}

impl Claim {
    fn one(&self, text: &str) -> Value {
        if self.kind == Kind::Int { Value::Integer(text.parse().unwrap()) } else { Value::Text(text.to_owned()) }
    }

    /// The value to bind.
    pub(super) fn value(&self) -> Value {
        if self.is_list {
            Value::Array(self.values.iter().map(|text| self.one(text)).collect())
        } else {
            self.one(&self.values[0])
        }
    }

    fn literals(&self, dialect: Dialect) -> Vec<String> {
        let literal = |text: &String| if self.kind == Kind::Int { format!("({text})") } else { quoted(text, dialect) };
        self.values.iter().map(literal).collect()
    }
}

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Table(usize),
    /// A table as its owner sees it.
    Owned(usize),
    /// `column = claim` or `column IN (claim)`.
    Claimed {
        column: usize,
        operator: &'static str,
        claim: usize,
    },
    Column(usize),
    /// `o.column` of another table.
    Other {
        table: usize,
        column: usize,
    },
}

/// Of which rows and columns a filter's subquery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    AsRole,
    Whole,
}

/// A row filter.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    table: usize,
    parts: Vec<Part>,
}

impl Filter {
    pub(super) fn as_configured(&self, world: &World) -> String {
        self.write(
            world,
            |table, _| name(&world.tables[table].name, world.dialect),
            |column, operator, claim| {
                let claim = &world.claims[claim];
                if claim.is_list {
                    format!("{column} IN (:claims.{})", claim.name)
                } else {
                    format!("{column} {operator} :claims.{}", claim.name)
                }
            },
        )
    }

    /// In which `seen` is the schema of the tables as the role sees them.
    pub(super) fn as_run(&self, world: &World, seen: &str) -> String {
        self.write(
            world,
            |table, which| match which {
                Seen::Whole => name(&world.tables[table].name, world.dialect),
                Seen::AsRole => format!("{seen}.{}", name(&world.tables[table].name, world.dialect)),
            },
            |column, operator, claim| {
                let claim = &world.claims[claim];
                let literals = claim.literals(world.dialect);
                if !claim.is_list {
                    format!("{column} {operator} {}", literals[0])
                } else if literals.is_empty() {
                    "(1 = 0)".to_owned()
                } else {
                    format!("{column} IN ({})", literals.join(", "))
                }
            },
        )
    }

    fn write(
        &self,
        world: &World,
        table: impl Fn(usize, Seen) -> String,
        claimed: impl Fn(String, &str, usize) -> String,
    ) -> String {
        let own = &world.tables[self.table];
        let name = |text: &str| name(text, world.dialect);
        let column = |index: usize| format!("{}.{}", name(&own.name), name(&own.columns[index].name));
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Table(at) => table(*at, Seen::AsRole),
            Part::Owned(at) => table(*at, Seen::Whole),
            Part::Column(index) => column(*index),
            Part::Other { table, column } => format!("o.{}", name(&world.tables[*table].columns[*column].name)),
            Part::Claimed { column: index, operator, claim } => claimed(column(*index), operator, *claim),
        };
        self.parts.iter().map(part).collect()
    }

    /// The columns of its own table that it reads.
    pub(super) fn reads(&self) -> BTreeSet<usize> {
        let column = |part: &Part| match part {
            Part::Column(index) | Part::Claimed { column: index, .. } => Some(*index),
            Part::Text(_) | Part::Table(_) | Part::Owned(_) | Part::Other { .. } => None,
        };
        self.parts.iter().filter_map(column).collect()
    }

    /// The tables that it reads whole.
    pub(super) fn owners(&self) -> BTreeSet<usize> {
        let owned = |part: &Part| if let Part::Owned(at) = part { Some(*at) } else { None };
        self.parts.iter().filter_map(owned).collect()
    }
}

/// A policy in the making.
pub(super) struct Policy<'a> {
    pub(super) random: &'a mut Random,
    pub(super) dialect: Dialect,
    pub(super) tables: &'a [Table],
    pub(super) grants: Vec<Option<Grant>>,
    pub(super) claims: Vec<Claim>,
}

impl Policy<'_> {
    pub(super) fn fill(&mut self) {
        for at in (0..self.tables.len()).rev() {
            // The last one is always there: a role without tables has nothing to ask.
            if at + 1 < self.tables.len() && self.random.percent(12) {
                continue;
            }
            let columns = self.columns(at);
            let filters = match self.random.below(10) {
                0..=3 => Vec::new(),
                4..=7 => vec![self.filter(at, Seen::Whole)],
                _ => vec![self.filter(at, Seen::AsRole), self.filter(at, Seen::AsRole)],
            };
            self.grants[at] = Some(Grant { columns, filters });
        }
    }

    fn columns(&mut self, at: usize) -> Vec<(usize, Option<Mask>)> {
        let columns = &self.tables[at].columns;
        let mut granted = Vec::new();
        for (index, column) in columns.iter().enumerate() {
            if index == NUMBER || self.random.percent(20) {
                continue;
            }
            let other = Mask::Unless(self.random.below(columns.len()));
            let mask = match column.kind {
                // What a mask makes of a collated column is no column any more.
                _ if column.collation.is_some() => self.random.percent(8).then_some(Mask::Null),
                Kind::Text if self.random.percent(35) => Some(*self.random.one_of(&[
                    Mask::Null,
                    Mask::Redact,
                    Mask::Email,
                    Mask::Last4,
                    Mask::Hash,
                    Mask::First,
                ])),
                _ if self.random.percent(10) => Some(other),
                Kind::Date | Kind::Timestamp if self.random.percent(25) => Some(Mask::Year),
                _ => self.random.percent(8).then_some(Mask::Null),
            };
            granted.push((index, mask));
        }
        if granted.is_empty() {
            granted.push((1, None));
        }
        if self.random.percent(20) {
            self.random.shuffle(&mut granted);
        }
        granted
    }

    /// A filter; one that reads other tables whole is the only one of its table.
    fn filter(&mut self, table: usize, most: Seen) -> Filter {
        let mut parts = self.condition(table, most);
        if self.random.percent(30) {
            let both = if self.random.percent(60) { " OR " } else { " AND " };
            parts.insert(0, Part::Text("(".to_owned()));
            parts.push(Part::Text(format!("){both}(")));
            parts.extend(self.condition(table, Seen::AsRole));
            parts.push(Part::Text(")".to_owned()));
        }
        // A table named as its owner's is whole wherever the filter reads it.
        let owned: BTreeSet<usize> = Filter { table, parts: parts.clone() }.owners();
        for part in &mut parts {
            if let Part::Table(at) = part
                && owned.contains(at)
            {
                *part = Part::Owned(*at);
            }
        }
        Filter { table, parts }
    }

    fn condition(&mut self, table: usize, most: Seen) -> Vec<Part> {
        let columns = &self.tables[table].columns;
        let index = 1 + self.random.below(columns.len() - 1);
        let kind = columns[index].kind;
        let column = Part::Column(index);
        let text = |text: &str| Part::Text(text.to_owned());
        match self.random.below(10) {
            0..=3 if matches!(kind, Kind::Int | Kind::Text) => {
                let (claim, is_list) = self.claim(kind);
                let operator = if is_list { "=" } else { *self.random.one_of(&["=", "<=", ">", "<>"]) };
                vec![Part::Claimed { column: index, operator, claim }]
            }
            4..=6 if table + 1 < self.tables.len() => match self.elsewhere(table, index, most) {
                Some(parts) => parts,
                None => vec![column, text(" IS NOT NULL")],
            },
            7 if kind == Kind::Text => vec![column, text(" LIKE 'a%'")],
            8 => vec![text("NOT ("), column, text(" IS NULL)")],
            9 => vec![column, text(" IS NULL")],
            _ => {
                let literal = kind.literal(self.random, self.dialect);
                let operator = *self.random.one_of(&[" = ", " <> ", " <= ", " > "]);
                vec![column, Part::Text(format!("{operator}{literal}"))]
            }
        }
    }

    fn claim(&mut self, kind: Kind) -> (usize, bool) {
        let is_list = self.random.percent(50);
        let count = if is_list { self.random.below(4) } else { 1 };
        let mut values = Vec::new();
        while values.len() < count {
            values.extend(kind.cell(self.random, self.dialect));
        }
        let at = self.claims.len();
        self.claims.push(Claim { name: format!("c{at}"), kind, values, is_list });
        (at, is_list)
    }

    /// A condition over another table, mostly as the role sees it.
    fn elsewhere(&mut self, table: usize, index: usize, most: Seen) -> Option<Vec<Part>> {
        let other = table + 1 + self.random.below(self.tables.len() - table - 1);
        let kind = self.tables[table].columns[index].kind;
        let whole = most == Seen::Whole && self.random.percent(40);
        let columns: Vec<usize> = if whole {
            (KEY..self.tables[other].columns.len()).collect()
        } else {
            self.grants[other].as_ref()?.columns.iter().map(|(at, _)| *at).collect()
        };
        let of_kind: Vec<usize> =
            columns.into_iter().filter(|at| self.tables[other].columns[*at].kind == kind).collect();
        let read = if whole { Part::Owned(other) } else { Part::Table(other) };
        if of_kind.is_empty() {
            return None;
        }
        let target = Part::Other { table: other, column: *self.random.one_of(&of_kind) };
        let text = |text: &str| Part::Text(text.to_owned());
        Some(if self.random.percent(60) {
            let before = [Part::Column(index), text(" IN (SELECT "), target.clone(), text(" FROM "), read];
            before.into_iter().chain([text(" AS o WHERE "), target, text(" IS NOT NULL)")]).collect()
        } else {
            let before = [text("EXISTS (SELECT 1 FROM "), read, text(" AS o WHERE "), target];
            before.into_iter().chain([text(" = "), Part::Column(index), text(")")]).collect()
        })
    }
}
