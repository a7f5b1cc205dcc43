//! Dates and times from their binary form, counts from the year 2000. Years 1 to 9999 are written as RFC 3339 has them,
//! all others as PostgreSQL's own text has them, since RFC 3339 cannot say them.

use crate::json::{
    self,
    calendar::{self, Clock, Day, Zone},
};

const MICROS_PER_SECOND: u64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400_000_000;
/// Days from 0000-03-01 to 2000-01-01.
const EPOCH: i64 = 730_425;

/// Writes a date, counted in days.
pub(super) fn date(out: &mut Vec<u8>, days: i32) {
    match days {
        i32::MAX => json::plain(out, "infinity"),
        i32::MIN => json::plain(out, "-infinity"),
        _ => {
            let (day, era) = day(days.into());
            out.push(b'"');
            day.write(out);
            out.extend_from_slice(era.mark());
            out.push(b'"');
        }
    }
}

/// Writes a time of day, counted in microseconds.
pub(super) fn time(out: &mut Vec<u8>, micros: i64) {
    out.push(b'"');
    clock(micros).write(out);
    out.push(b'"');
}

/// Writes a timestamp, counted in microseconds.
pub(super) fn timestamp(out: &mut Vec<u8>, micros: i64, zone: Zone) {
    match micros {
        i64::MAX => json::plain(out, "infinity"),
        i64::MIN => json::plain(out, "-infinity"),
        _ => {
            let (day, era) = day(micros.div_euclid(MICROS_PER_DAY));
            let clock = clock(micros.rem_euclid(MICROS_PER_DAY));
            out.push(b'"');
            if era == Era::Common && day.year <= 9999 {
                calendar::timestamp(out, day, clock, zone);
            } else {
                day.write(out);
                out.push(b' ');
                clock.write(out);
                out.extend_from_slice(if zone == Zone::Utc { b"+00" } else { b"" });
                out.extend_from_slice(era.mark());
            }
            out.push(b'"');
        }
    }
}

/// What a year is counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Era {
    Common,
    Before,
}

impl Era {
    fn mark(self) -> &'static [u8] {
        match self {
            Era::Common => b"",
            Era::Before => b" BC",
        }
    }
}

/// The day of the proleptic Gregorian calendar that is so many days after 2000-01-01. Years are counted from March, so that the leap
/// day is the last of its year (Hinnant, "chrono-compatible low-level date algorithms").
fn day(days: i64) -> (Day, Era) {
    let days = days + EPOCH;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    // Year 0 is 1 BC.
    let (year, counted) = if year > 0 { (year, Era::Common) } else { (1 - year, Era::Before) };
    let part = |number: i64| number.unsigned_abs();
    (Day { year: part(year) as u32, month: part(month) as u8, of_month: part(of_month) as u8 }, counted)
}

fn clock(micros: i64) -> Clock {
    let micros = micros.unsigned_abs();
    let seconds = micros / MICROS_PER_SECOND;
    Clock {
        hours: (seconds / 3600) as u32,
        minutes: (seconds / 60 % 60) as u8,
        seconds: (seconds % 60) as u8,
        micros: (micros % MICROS_PER_SECOND) as u32,
    }
}
