//! Rows into JSON as they arrive, within the limits. It never holds more than `bytes_max` and the row at hand, and what it
//! writes is what both the structured result and the text content show: invisible characters are escaped in it.

use std::{borrow::Cow, io::Write as _, mem};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tollgate_core::names::ResultForm;

use crate::{ReadLimits, Rows, Truncation};

pub(crate) mod calendar;
mod document;
mod escape;

pub(crate) use document::document;
pub(crate) use escape::string;

/// The largest integer up to which every integer is exact in a JSON reader that has only floats.
const EXACT_MAX: u64 = 1 << 53;

/// What stands before each value of a statement's rows, and behind the last, encoded once: `{"id":`, `,"name":`, …, `}`.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    before: Vec<Vec<u8>>,
    close: u8,
}

impl Keys {
    /// The keys in the order of the columns.
    pub(crate) fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let key = |(index, name)| {
            let mut key = vec![if index == 0 { b'{' } else { b',' }];
            string(&mut key, name);
            key.push(b':');
            key
        };
        Self { before: names.into_iter().enumerate().map(key).collect(), close: b'}' }
    }

    /// The same columns without their names: each row is a list.
    pub(crate) fn list(&self) -> Self {
        let before = (0..self.before.len()).map(|index| vec![if index == 0 { b'[' } else { b',' }]);
        Self { before: before.collect(), close: b']' }
    }

    /// The keys of that form.
    pub(crate) fn of(&self, form: ResultForm) -> Cow<'_, Self> {
        match form {
            ResultForm::Rows => Cow::Borrowed(self),
            ResultForm::Table => Cow::Owned(self.list()),
        }
    }
}

/// Whether to read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Reading {
    /// The row is in; there is room for another.
    More,
    /// A limit is reached and the row is not in: nothing further will be.
    Full,
}

/// The rows of one answer.
#[derive(Debug)]
pub(crate) struct RowsWriter<'k> {
    keys: &'k Keys,
    limits: ReadLimits,
    json: Vec<u8>,
    count: u32,
    truncated: Option<Truncation>,
}

impl<'k> RowsWriter<'k> {
    /// No rows yet.
    pub(crate) fn new(keys: &'k Keys, limits: ReadLimits) -> Self {
        Self { keys, limits, json: vec![b'['], count: 0, truncated: None }
    }

    /// Writes one row; `value` writes the value of the column of that index. A row that a limit forbids is left out and
    /// remembered as truncation; an error of `value` leaves the row out too.
    pub(crate) fn row<E>(&mut self, mut value: impl FnMut(usize, &mut Vec<u8>) -> Result<(), E>) -> Result<Reading, E> {
        if self.truncated.is_some() {
            return Ok(Reading::Full);
        }
        if self.count >= self.limits.rows_max {
            self.truncated = Some(Truncation::Rows);
            return Ok(Reading::Full);
        }
        let start = self.json.len();
        if self.count > 0 {
            self.json.push(b',');
        }
        for (index, key) in self.keys.before.iter().enumerate() {
            self.json.extend_from_slice(key);
            if let Err(error) = value(index, &mut self.json) {
                self.json.truncate(start);
                return Err(error);
            }
            // Two bytes are still to come: this row's end and the array's.
            if self.json.len() + 2 > self.limits.bytes_max {
                self.json.truncate(start);
                self.truncated = Some(Truncation::Bytes);
                return Ok(Reading::Full);
            }
        }
        self.json.push(self.keys.close);
        self.count += 1;
        Ok(Reading::More)
    }

    /// Leaves out a row that is too long to be looked at, and all behind it.
    pub(crate) fn leave_out(&mut self) {
        self.truncated.get_or_insert(Truncation::Bytes);
    }

    /// The answer.
    pub(crate) fn finish(mut self) -> Rows {
        self.json.push(b']');
        Rows { json: mem::take(&mut self.json), count: self.count, truncated: self.truncated, key: None }
    }
}

/// `null`.
pub(crate) fn null(out: &mut Vec<u8>) {
    out.extend_from_slice(b"null");
}

/// `true` or `false`.
pub(crate) fn boolean(out: &mut Vec<u8>, value: bool) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

/// An integer: a number up to 2^53, a string beyond.
pub(crate) fn integer(out: &mut Vec<u8>, value: i64) {
    let mut digits = itoa::Buffer::new();
    let digits = digits.format(value);
    if value.unsigned_abs() <= EXACT_MAX {
        out.extend_from_slice(digits.as_bytes());
    } else {
        plain(out, digits);
    }
}

/// The same of an integer without a sign.
pub(crate) fn unsigned(out: &mut Vec<u8>, value: u64) {
    let mut digits = itoa::Buffer::new();
    let digits = digits.format(value);
    if value <= EXACT_MAX {
        out.extend_from_slice(digits.as_bytes());
    } else {
        plain(out, digits);
    }
}

/// A double: a number in its shortest exact form, a string where JSON has no number for it.
pub(crate) fn double(out: &mut Vec<u8>, value: f64) {
    if value.is_finite() {
        // The debug form is the shortest that reads back as the same double, and is JSON. Writing to a Vec cannot fail.
        let _ = write!(out, "{value:?}");
    } else {
        plain(out, non_finite(value.is_nan(), value > 0.0));
    }
}

/// A single-precision float, in the digits it has and not in those of the double beside it.
pub(crate) fn float(out: &mut Vec<u8>, value: f32) {
    if value.is_finite() {
        // Writing to a Vec cannot fail.
        let _ = write!(out, "{value:?}");
    } else {
        plain(out, non_finite(value.is_nan(), value > 0.0));
    }
}

/// Bytes, as base64 with padding.
pub(crate) fn bytes(out: &mut Vec<u8>, value: &[u8]) {
    out.push(b'"');
    let start = out.len();
    out.resize(start + value.len().div_ceil(3) * 4, 0);
    let room = out.get_mut(start..).unwrap_or_default();
    // The room is exactly what base64 needs.
    let written = STANDARD.encode_slice(value, room).unwrap_or_default();
    out.truncate(start + written);
    out.push(b'"');
}

/// A string of characters that need no escape: digits, timestamps, UUIDs.
pub(crate) fn plain(out: &mut Vec<u8>, text: &str) {
    debug_assert!(text.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\' || b == b' '));
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

fn non_finite(is_nan: bool, is_positive: bool) -> &'static str {
    match (is_nan, is_positive) {
        (true, _) => "NaN",
        (false, true) => "Infinity",
        (false, false) => "-Infinity",
    }
}

#[cfg(test)]
mod tests;
