//! Decimal numbers by their text: exact comparison, no float, no big arithmetic.

use std::cmp::Ordering;

/// Digits of a number, zeros included, at most.
const DIGITS_MAX: usize = 100;
/// Bytes of a number's text at most: its digits, signs, point and exponent.
const TEXT_MAX: usize = DIGITS_MAX + 16;
/// The exponent's absolute value at most; past every column type's range.
const EXPONENT_MAX: i64 = 400;

/// A decimal number: `0.DIGITS × 10^exponent`, negated or not. Equal numbers are equal values, however they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    negative: bool,
    /// Without leading or trailing zeros; empty for zero.
    digits: Vec<u8>,
    exponent: i64,
}

impl Decimal {
    /// Reads a JSON number's text; `None` for anything else and for numbers past the limits.
    pub(super) fn parse(text: &str) -> Option<Decimal> {
        if text.len() > TEXT_MAX {
            return None;
        }
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent_of(exponent)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return None,
            None => (mantissa, ""),
        };
        let well_formed = !whole.is_empty() && (whole == "0" || !whole.starts_with('0'));
        let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        if !well_formed || digits.len() > DIGITS_MAX || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let leading = digits.iter().take_while(|digit| **digit == b'0').count();
        digits.drain(..leading);
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        if digits.is_empty() {
            return Some(Decimal { negative: false, digits, exponent: 0 });
        }
        let point = i64::try_from(whole.len()).ok()? - i64::try_from(leading).ok()?;
        Some(Decimal { negative, digits, exponent: point + exponent })
    }

    /// Whether it has no fraction, whatever its size.
    pub(super) fn is_integral(&self) -> bool {
        self.digits.is_empty() || i64::try_from(self.digits.len()).is_ok_and(|digits| self.exponent >= digits)
    }

    /// The number as a 64-bit integer, where it is exactly one.
    pub(super) fn to_integer(&self) -> Option<i64> {
        let digits = usize::try_from(self.exponent).unwrap_or(0);
        if self.digits.len() > digits || digits > 19 {
            return if self.digits.is_empty() { Some(0) } else { None };
        }
        let mut integer: i128 = 0;
        for position in 0..digits {
            let digit = self.digits.get(position).map_or(0, |digit| i128::from(digit - b'0'));
            integer = integer * 10 + digit;
        }
        i64::try_from(if self.negative { -integer } else { integer }).ok()
    }

    /// One text for equal numbers: what a cursor is bound to.
    pub(super) fn canonical(&self) -> String {
        if self.digits.is_empty() {
            return "0".to_owned();
        }
        let sign = if self.negative { "-" } else { "" };
        let digits: String = self.digits.iter().map(|digit| char::from(*digit)).collect();
        format!("{sign}0.{digits}e{}", self.exponent)
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |number: &Decimal| match (number.digits.is_empty(), number.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let (left, right) = (sign(self), sign(other));
        if left != right || left == 0 {
            return left.cmp(&right);
        }
        // Without leading zeros the exponent decides; digits then compare as text does, the shorter prefix being smaller.
        let magnitude = self.exponent.cmp(&other.exponent).then_with(|| self.digits.cmp(&other.digits));
        if left < 0 { magnitude.reverse() } else { magnitude }
    }
}

fn exponent_of(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || digits.len() > 10 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let exponent: i64 = text.parse().ok()?;
    (exponent.abs() <= EXPONENT_MAX).then_some(exponent)
}
