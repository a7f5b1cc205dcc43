//! Exact decimals from their binary form: groups of four digits, never by way of a float.

use std::io::Write as _;

use super::value::{Malformed, Reader};
use crate::json;

/// Decimal digits in a group.
const GROUP: usize = 4;

/// Writes a decimal as a JSON string of its text, every digit of its scale kept.
pub(super) fn write(out: &mut Vec<u8>, raw: &[u8]) -> Result<(), Malformed> {
    let mut raw = Reader(raw);
    let groups = usize::try_from(raw.i16()?).map_err(|_| Malformed)?;
    let weight = i32::from(raw.i16()?);
    let sign = raw.i16()?.cast_unsigned();
    let scale = usize::try_from(raw.i16()?).map_err(|_| Malformed)?;
    if raw.0.len() != groups * 2 {
        return Err(Malformed);
    }
    let negative = match sign {
        0x0000 => false,
        0x4000 => true,
        0xc000 => return special(out, "NaN"),
        0xd000 => return special(out, "Infinity"),
        0xf000 => return special(out, "-Infinity"),
        _ => return Err(Malformed),
    };
    out.push(b'"');
    if negative {
        out.push(b'-');
    }
    let digits = Digits { groups: raw.0, weight };
    whole(out, &digits)?;
    fraction(out, &digits, scale)?;
    out.push(b'"');
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "ends `write` in each of its arms")]
fn special(out: &mut Vec<u8>, text: &str) -> Result<(), Malformed> {
    json::plain(out, text);
    Ok(())
}

struct Digits<'a> {
    groups: &'a [u8],
    weight: i32,
}

impl Digits<'_> {
    /// The group that counts 10000^power; zero where none was sent.
    fn group(&self, power: i32) -> Result<u16, Malformed> {
        let Ok(index) = usize::try_from(self.weight - power) else { return Ok(0) };
        let Some(bytes) = self.groups.get(index * 2..index * 2 + 2) else { return Ok(0) };
        let group = u16::from_be_bytes(bytes.try_into().map_err(|_| Malformed)?);
        if group < 10_000 { Ok(group) } else { Err(Malformed) }
    }
}

fn whole(out: &mut Vec<u8>, digits: &Digits) -> Result<(), Malformed> {
    // Writing to a Vec cannot fail.
    let _ = write!(out, "{}", digits.group(digits.weight.max(0))?);
    for power in (0..digits.weight.max(0)).rev() {
        let _ = write!(out, "{:04}", digits.group(power)?);
    }
    Ok(())
}

fn fraction(out: &mut Vec<u8>, digits: &Digits, scale: usize) -> Result<(), Malformed> {
    if scale == 0 {
        return Ok(());
    }
    out.push(b'.');
    let start = out.len();
    let mut power = 0;
    while out.len() - start < scale {
        power -= 1;
        let _ = write!(out, "{:04}", digits.group(power)?);
    }
    debug_assert!(out.len() - start < scale + GROUP);
    out.truncate(start + scale);
    Ok(())
}
