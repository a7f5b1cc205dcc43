//! Dates, timestamps and UUIDs by their one accepted text form. Reads no clock.

use jiff::{
    civil::{Date, DateTime, Time},
    tz::Offset,
};

use crate::names::Dialect;

/// RFC 3339 `full-date`, a day that exists, from the year 1 on (PostgreSQL has no year 0).
pub(super) fn date(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = bytes else { return None };
    let year = number(&[*y1, *y2, *y3, *y4])?;
    let month = number(&[*m1, *m2])?;
    let day = number(&[*d1, *d2])?;
    let date = Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    (year >= 1).then_some(date)
}

/// RFC 3339 `date-time`, the offset required, as the UTC text that the dialect compares rightly.
///
/// PostgreSQL reads `2026-01-31T09:30:00.5Z` for both kinds of timestamp (a column without a zone is taken as UTC).
/// SQLite compares text, so the value takes the form that `CURRENT_TIMESTAMP` and `datetime()` write there,
/// `2026-01-31 09:30:00`, with a fraction only where there is one. A column kept in another form needs a `string` parameter.
pub(super) fn timestamp(text: &str, dialect: Dialect) -> Option<String> {
    let (day, rest) = (text.get(..10)?, text.get(10..)?);
    let rest = rest.strip_prefix(['T', 't'])?;
    let (clock, rest) = (rest.get(..8)?, rest.get(8..)?);
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            if digits == 0 || digits > 9 {
                return None;
            }
            (rest.get(..digits)?.trim_end_matches('0'), rest.get(digits..)?)
        }
        None => ("", rest),
    };
    let local = DateTime::from_parts(date(day)?, time(clock)?);
    let utc = offset(rest)?.to_timestamp(local).ok()?;
    let utc = Offset::UTC.to_datetime(utc);
    // The offset may carry the moment out of the years that have a form.
    if !(1..=9999).contains(&utc.year()) {
        return None;
    }
    let point = if fraction.is_empty() { "" } else { "." };
    let (separator, zone) = match dialect {
        Dialect::Postgres => ("T", "Z"),
        // To MariaDB in UTC, which its sessions are set to.
        Dialect::Sqlite | Dialect::MariaDb => (" ", ""),
    };
    let day = utc.date();
    Some(format!(
        "{:04}-{:02}-{:02}{separator}{:02}:{:02}:{:02}{point}{fraction}{zone}",
        day.year(),
        day.month(),
        day.day(),
        utc.hour(),
        utc.minute(),
        utc.second(),
    ))
}

/// The canonical 8-4-4-4-12 form, in lower case.
pub(super) fn uuid(text: &str) -> Option<String> {
    let well_formed = text.len() == 36
        && text.bytes().enumerate().all(|(position, byte)| match position {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    well_formed.then(|| text.to_ascii_lowercase())
}

fn time(text: &str) -> Option<Time> {
    let [h1, h2, b':', m1, m2, b':', s1, s2] = text.as_bytes() else { return None };
    let part = |digits: [u8; 2]| i8::try_from(number(&digits)?).ok();
    Time::new(part([*h1, *h2])?, part([*m1, *m2])?, part([*s1, *s2])?, 0).ok()
}

fn offset(text: &str) -> Option<Offset> {
    if text.eq_ignore_ascii_case("z") {
        return Some(Offset::UTC);
    }
    let [sign, h1, h2, b':', m1, m2] = text.as_bytes() else { return None };
    let (hours, minutes) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let seconds = i32::try_from(hours * 3600 + minutes * 60).ok()?;
    match sign {
        b'+' => Offset::from_seconds(seconds).ok(),
        b'-' => Offset::from_seconds(-seconds).ok(),
        _ => None,
    }
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0')))
}
