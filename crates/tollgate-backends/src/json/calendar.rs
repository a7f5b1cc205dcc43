//! Days and clocks as RFC 3339 has them. What it cannot say, a year beyond four digits or a day that the calendar does not have, each
//! engine marks as its own text does.

/// Whether a timestamp is an instant (in UTC, as sessions are) or a wall clock's reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Zone {
    None,
    Utc,
}

/// A day, its month and its number in the month below 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Day {
    pub(crate) year: u32,
    pub(crate) month: u8,
    pub(crate) of_month: u8,
}

/// A time of day, or a span that may be longer than one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clock {
    pub(crate) hours: u32,
    pub(crate) minutes: u8,
    pub(crate) seconds: u8,
    pub(crate) micros: u32,
}

impl Day {
    /// Writes it, the year in at least four digits.
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        at_least_two_digits(out, self.year / 100);
        two_digits(out, self.year % 100);
        out.push(b'-');
        two_digits(out, self.month.into());
        out.push(b'-');
        two_digits(out, self.of_month.into());
    }
}

impl Clock {
    /// Writes hours, minutes, seconds and as many digits of a fraction as there are.
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        at_least_two_digits(out, self.hours);
        out.push(b':');
        two_digits(out, self.minutes.into());
        out.push(b':');
        two_digits(out, self.seconds.into());
        if self.micros != 0 {
            out.push(b'.');
            for pair in [self.micros / 10_000, self.micros / 100, self.micros] {
                two_digits(out, pair % 100);
            }
            while out.last() == Some(&b'0') {
                out.pop();
            }
        }
    }
}

/// Writes a day and a clock as a timestamp of RFC 3339.
pub(crate) fn timestamp(out: &mut Vec<u8>, day: Day, clock: Clock, zone: Zone) {
    day.write(out);
    out.push(b'T');
    clock.write(out);
    if zone == Zone::Utc {
        out.push(b'Z');
    }
}

fn at_least_two_digits(out: &mut Vec<u8>, number: u32) {
    if number < 100 {
        two_digits(out, number);
    } else {
        out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    }
}

/// Two decimal digits of a number from 0 to 99.
fn two_digits(out: &mut Vec<u8>, number: u32) {
    let digit = |number: u32| b'0' + (number % 10) as u8;
    out.extend_from_slice(&[digit(number / 10), digit(number)]);
}
