//! The functions of two texts whose time in SQLite is the product of their lengths: here it is the sum, and the clock is looked at
//! first. They answer as SQLite's own do and never fail where those do not: indices and views of a file may be made with them.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use memchr::memmem;
use rusqlite::{
    Connection, Error, ToSql, ffi,
    functions::{Context, FunctionFlags},
    types::{ToSqlOutput, ValueRef},
};

use super::{call::CurrentCall, connect::LENGTH_MAX};

/// The most bytes of a character.
const CHARACTER_BYTES_MAX: usize = 4;

/// Gives a connection the functions, in place of SQLite's.
pub(super) fn install(connection: &Connection, current: &CurrentCall) -> rusqlite::Result<()> {
    // As SQLite's own: views and indices may call them, whatever the schema says.
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    let reader = Reader { current: current.clone(), numbers: Arc::new(Mutex::new(Connection::open_in_memory()?)) };
    for (name, side) in [("ltrim", Side::Left), ("rtrim", Side::Right), ("trim", Side::Both)] {
        let reader = reader.clone();
        connection.create_scalar_function(name, 2, flags, move |context| trim(context, &reader, side))?;
    }
    let own = reader.clone();
    connection.create_scalar_function("instr", 2, flags, move |context| instr(context, &own))?;
    connection.create_scalar_function("replace", 3, flags, move |context| replace(context, &reader))
}

/// Reads arguments as texts.
#[derive(Clone)]
struct Reader {
    current: CurrentCall,
    /// Knows how SQLite writes a number with a fraction.
    numbers: Arc<Mutex<Connection>>,
}

impl Reader {
    /// The bytes of an argument as a text; `None` for NULL.
    fn text<'v>(&self, value: ValueRef<'v>) -> rusqlite::Result<Option<Cow<'v, [u8]>>> {
        Ok(match value {
            ValueRef::Null => None,
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(Cow::Borrowed(bytes)),
            ValueRef::Integer(integer) => Some(Cow::Owned(integer.to_string().into_bytes())),
            ValueRef::Real(double) => {
                let numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
                let text: String = numbers.query_row("SELECT CAST(?1 AS TEXT)", [double], |row| row.get(0))?;
                Some(Cow::Owned(text.into_bytes()))
            }
        })
    }

    /// Fails as an interrupted statement does once the call is over: many long calls can follow one another without SQLite asking.
    fn in_time(&self) -> rusqlite::Result<()> {
        match self.current.over() {
            None => Ok(()),
            Some(_) => Err(Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_INTERRUPT), None)),
        }
    }
}

/// A text that need not be UTF-8.
struct Text(Vec<u8>);

impl ToSql for Text {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(&self.0)))
    }
}

#[derive(Clone, Copy)]
enum Side {
    Left,
    Right,
    Both,
}

fn trim(context: &Context<'_>, reader: &Reader, side: Side) -> rusqlite::Result<Option<Text>> {
    reader.in_time()?;
    let (Some(text), Some(set)) = (reader.text(context.get_raw(0))?, reader.text(context.get_raw(1))?) else {
        return Ok(None);
    };
    let set = Characters::of(&set);
    let mut rest: &[u8] = &text;
    if matches!(side, Side::Left | Side::Both) {
        while let Some(length) = set.first(|length| rest.get(..length)) {
            rest = rest.get(length..).unwrap_or_default();
        }
    }
    if matches!(side, Side::Right | Side::Both) {
        while let Some(length) = set.first(|length| rest.len().checked_sub(length).and_then(|at| rest.get(at..))) {
            rest = rest.get(..rest.len() - length).unwrap_or_default();
        }
    }
    Ok(Some(Text(rest.to_vec())))
}

/// The characters of a text and the place of each. What is no UTF-8 is taken apart as SQLite does it.
struct Characters<'a> {
    /// Those of one byte.
    single: [Option<usize>; 256],
    longer: HashMap<&'a [u8], usize>,
    /// How many bytes the longer ones have.
    lengths: BTreeSet<usize>,
}

impl<'a> Characters<'a> {
    fn of(text: &'a [u8]) -> Self {
        let end = memchr::memchr(0, text).unwrap_or(text.len());
        let mut rest = text.get(..end).unwrap_or_default();
        let mut characters = Self { single: [None; 256], longer: HashMap::new(), lengths: BTreeSet::new() };
        for place in 0.. {
            let Some((&lead, behind)) = rest.split_first() else { break };
            let more = if lead >= 0xc0 { behind.iter().take_while(|byte| is_continuation(**byte)).count() } else { 0 };
            let (character, others) = rest.split_at(1 + more);
            match character.len() {
                1 => drop(characters.single.get_mut(usize::from(lead)).map(|known| known.get_or_insert(place))),
                // What is longer is no character, and no text has it.
                length if length <= CHARACTER_BYTES_MAX => {
                    characters.longer.entry(character).or_insert(place);
                    characters.lengths.insert(length);
                }
                _ => {}
            }
            rest = others;
        }
        characters
    }

    /// The length of the first of them that the bytes of its length are.
    fn first<'t>(&self, bytes: impl Fn(usize) -> Option<&'t [u8]>) -> Option<usize> {
        let single = bytes(1)?.first().and_then(|byte| *self.single.get(usize::from(*byte))?);
        let longer = self.lengths.iter().filter_map(|length| Some((*self.longer.get(bytes(*length)?)?, *length)));
        single.map(|place| (place, 1)).into_iter().chain(longer).min().map(|(_, length)| length)
    }
}

fn is_continuation(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

/// The place of a text in another, from 1 and in characters; in bytes where both are blobs.
fn instr(context: &Context<'_>, reader: &Reader) -> rusqlite::Result<Option<i64>> {
    reader.in_time()?;
    let (first, second) = (context.get_raw(0), context.get_raw(1));
    let in_bytes = matches!((first, second), (ValueRef::Blob(_), ValueRef::Blob(_)));
    let (Some(text), Some(wanted)) = (reader.text(first)?, reader.text(second)?) else { return Ok(None) };
    let place = match wanted.first() {
        None => Some(0),
        // Only the begin of a text can be inside a character.
        Some(lead) if !in_bytes && is_continuation(*lead) => text.starts_with(&wanted).then_some(0),
        Some(_) => memmem::find(&text, &wanted),
    };
    let Some(place) = place else { return Ok(Some(0)) };
    let before = if in_bytes || place == 0 {
        place
    } else {
        text.get(1..=place).unwrap_or_default().iter().filter(|byte| !is_continuation(**byte)).count()
    };
    Ok(i64::try_from(before).ok().map(|before| before + 1))
}

fn replace(context: &Context<'_>, reader: &Reader) -> rusqlite::Result<Option<Text>> {
    reader.in_time()?;
    let (Some(text), Some(old)) = (reader.text(context.get_raw(0))?, reader.text(context.get_raw(1))?) else {
        return Ok(None);
    };
    if old.first().is_none_or(|byte| *byte == 0) {
        return Ok(Some(Text(text.into_owned())));
    }
    let Some(new) = reader.text(context.get_raw(2))? else { return Ok(None) };
    let mut made = Vec::with_capacity(text.len());
    let mut copied = 0;
    for place in memmem::find_iter(&text, &old) {
        made.extend_from_slice(text.get(copied..place).unwrap_or_default());
        made.extend_from_slice(&new);
        copied = place + old.len();
        if made.len() > LENGTH_MAX {
            return Err(Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_TOOBIG), None));
        }
    }
    made.extend_from_slice(text.get(copied..).unwrap_or_default());
    Ok(Some(Text(made)))
}
