//! Dates and times as the binary protocol has them. A day of the calendar is written as RFC 3339 has it; what is none, such as
//! `0000-00-00`, as the server's own text has it, since RFC 3339 cannot say it.

use crate::json::calendar::{self, Clock, Day, Zone};

/// Writes a date.
pub(super) fn date(out: &mut Vec<u8>, day: Day) {
    out.push(b'"');
    day.write(out);
    out.push(b'"');
}

/// Writes a timestamp.
pub(super) fn timestamp(out: &mut Vec<u8>, day: Day, clock: Clock, zone: Zone) {
    out.push(b'"');
    if day.year > 0 && day.month > 0 && day.of_month > 0 {
        calendar::timestamp(out, day, clock, zone);
    } else {
        day.write(out);
        out.push(b' ');
        clock.write(out);
    }
    out.push(b'"');
}

/// Writes a time, `-838:59:59` to `838:59:59`.
pub(super) fn time(out: &mut Vec<u8>, negative: bool, span: Clock) {
    out.extend_from_slice(if negative { b"\"-" } else { b"\"" });
    span.write(out);
    out.push(b'"');
}
