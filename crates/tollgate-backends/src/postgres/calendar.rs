//! Dates and times from their binary form, counts from the year 2000. Years 1 to 9999 are written as RFC 3339 has them,
//! all others as PostgreSQL's own text has them, since RFC 3339 cannot say them.

use crate::json;

/// Whether a timestamp is an instant (in UTC) or a wall clock's reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zone {
    None,
    Utc,
}

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;
/// Days from 0000-03-01 to 2000-01-01.
const EPOCH: i64 = 730_425;

/// Writes a date, counted in days.
pub(super) fn date(out: &mut Vec<u8>, days: i32) {
    match days {
        i32::MAX => json::plain(out, "infinity"),
        i32::MIN => json::plain(out, "-infinity"),
        _ => {
            let day = Day::from_days(days.into());
            out.push(b'"');
            day.write(out);
            if !day.is_common() {
                day.write_era(out);
            }
            out.push(b'"');
        }
    }
}

/// Writes a time of day, counted in microseconds.
pub(super) fn time(out: &mut Vec<u8>, micros: i64) {
    out.push(b'"');
    clock(out, micros);
    out.push(b'"');
}

/// Writes a timestamp, counted in microseconds.
pub(super) fn timestamp(out: &mut Vec<u8>, micros: i64, zone: Zone) {
    match micros {
        i64::MAX => json::plain(out, "infinity"),
        i64::MIN => json::plain(out, "-infinity"),
        _ => {
            let day = Day::from_days(micros.div_euclid(MICROS_PER_DAY));
            let micros = micros.rem_euclid(MICROS_PER_DAY);
            out.push(b'"');
            day.write(out);
            if day.is_common() {
                out.push(b'T');
                clock(out, micros);
                out.extend_from_slice(if zone == Zone::Utc { b"Z" } else { b"" });
            } else {
                out.push(b' ');
                clock(out, micros);
                out.extend_from_slice(if zone == Zone::Utc { b"+00" } else { b"" });
                day.write_era(out);
            }
            out.push(b'"');
        }
    }
}

/// A day of the proleptic Gregorian calendar; year 0 is 1 BC.
struct Day {
    year: i64,
    month: i64,
    of_month: i64,
}

impl Day {
    /// From days since 2000-01-01. Years are counted from March, so that the leap day is the last of its year
    /// (Hinnant, "chrono-compatible low-level date algorithms").
    fn from_days(days: i64) -> Self {
        let days = days + EPOCH;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self { year, month, of_month }
    }

    fn is_common(&self) -> bool {
        (1..=9999).contains(&self.year)
    }

    fn write(&self, out: &mut Vec<u8>) {
        let year = if self.year > 0 { self.year } else { 1 - self.year };
        if year < 10_000 {
            two_digits(out, year / 100);
            two_digits(out, year % 100);
        } else {
            out.extend_from_slice(itoa::Buffer::new().format(year).as_bytes());
        }
        out.push(b'-');
        two_digits(out, self.month);
        out.push(b'-');
        two_digits(out, self.of_month);
    }

    fn write_era(&self, out: &mut Vec<u8>) {
        if self.year <= 0 {
            out.extend_from_slice(b" BC");
        }
    }
}

/// Hours, minutes, seconds and as many digits of a fraction as there are.
fn clock(out: &mut Vec<u8>, micros: i64) {
    let seconds = micros / MICROS_PER_SECOND;
    two_digits(out, seconds / 3600);
    out.push(b':');
    two_digits(out, seconds / 60 % 60);
    out.push(b':');
    two_digits(out, seconds % 60);
    let fraction = micros % MICROS_PER_SECOND;
    if fraction != 0 {
        out.push(b'.');
        two_digits(out, fraction / 10_000);
        two_digits(out, fraction / 100 % 100);
        two_digits(out, fraction % 100);
        while out.last() == Some(&b'0') {
            out.pop();
        }
    }
}

/// Two decimal digits of a number from 0 to 99.
fn two_digits(out: &mut Vec<u8>, number: i64) {
    let digit = |n: i64| b'0' + n.rem_euclid(10) as u8;
    out.extend_from_slice(&[digit(number / 10), digit(number)]);
}
