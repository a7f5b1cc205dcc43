//! Dates and times as the binary protocol has them. A day of the calendar is written as RFC 3339 has it; what is none, such as
//! `0000-00-00`, as the server's own text has it, since RFC 3339 cannot say it.

use std::io::Write as _;

/// A moment as it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) year: u16,
    pub(super) month: u8,
    pub(super) day: u8,
    pub(super) clock: Clock,
}

/// A time of day, or a span that may be longer than one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clock {
    pub(super) hours: u32,
    pub(super) minutes: u8,
    pub(super) seconds: u8,
    pub(super) micros: u32,
}

/// Whether a timestamp is an instant (in UTC, as sessions are) or a wall clock's reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zone {
    None,
    Utc,
}

impl Moment {
    fn is_of_the_calendar(&self) -> bool {
        self.year > 0 && self.month > 0 && self.day > 0
    }

    fn write_day(&self, out: &mut Vec<u8>) {
        // Writing to a Vec cannot fail.
        let _ = write!(out, "{:04}-{:02}-{:02}", self.year, self.month, self.day);
    }
}

/// Writes a date.
pub(super) fn date(out: &mut Vec<u8>, moment: &Moment) {
    out.push(b'"');
    moment.write_day(out);
    out.push(b'"');
}

/// Writes a timestamp.
pub(super) fn timestamp(out: &mut Vec<u8>, moment: &Moment, zone: Zone) {
    out.push(b'"');
    moment.write_day(out);
    if moment.is_of_the_calendar() {
        out.push(b'T');
        clock(out, moment.clock);
        out.extend_from_slice(if zone == Zone::Utc { b"Z" } else { b"" });
    } else {
        out.push(b' ');
        clock(out, moment.clock);
    }
    out.push(b'"');
}

/// Writes a time, `-838:59:59` to `838:59:59`.
pub(super) fn time(out: &mut Vec<u8>, negative: bool, span: Clock) {
    out.extend_from_slice(if negative { b"\"-" } else { b"\"" });
    clock(out, span);
    out.push(b'"');
}

/// Hours, minutes, seconds and as many digits of a fraction as there are.
fn clock(out: &mut Vec<u8>, clock: Clock) {
    // Writing to a Vec cannot fail.
    let _ = write!(out, "{:02}:{:02}:{:02}", clock.hours, clock.minutes, clock.seconds);
    if clock.micros != 0 {
        let _ = write!(out, ".{:06}", clock.micros);
        while out.last() == Some(&b'0') {
            out.pop();
        }
    }
}
