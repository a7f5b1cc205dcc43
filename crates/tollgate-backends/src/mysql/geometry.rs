//! Spatial values as well-known text, from the form that the server sends them in: a reference system and well-known binary.

use std::fmt::Write as _;

/// Geometries within geometries, at most.
const NESTING_MAX: u32 = 16;

/// The text of a value; `None` where it is none.
pub(super) fn text(value: &[u8]) -> Option<String> {
    let mut reader = Reader(value.get(4..)?);
    let mut out = String::new();
    geometry(&mut reader, &mut out, NESTING_MAX)?;
    reader.0.is_empty().then_some(out)
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*head)
    }

    /// A geometry's kind. The server keeps all of them with the lowest byte first.
    fn kind(&mut self) -> Option<u32> {
        let [1] = self.take()? else { return None };
        self.count()
    }

    fn count(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn number(&mut self) -> Option<f64> {
        self.take().map(f64::from_le_bytes)
    }
}

fn geometry(reader: &mut Reader<'_>, out: &mut String, depth_left: u32) -> Option<()> {
    let depth_left = depth_left.checked_sub(1)?;
    let kind = reader.kind()?;
    out.push_str(match kind {
        1 => "POINT",
        2 => "LINESTRING",
        3 => "POLYGON",
        4 => "MULTIPOINT",
        5 => "MULTILINESTRING",
        6 => "MULTIPOLYGON",
        7 => "GEOMETRYCOLLECTION",
        _ => return None,
    });
    match kind {
        7 => list(reader, out, |reader, out| geometry(reader, out, depth_left)),
        kind => body(reader, out, kind),
    }
}

/// What stands in a geometry's parentheses, and they.
fn body(reader: &mut Reader<'_>, out: &mut String, kind: u32) -> Option<()> {
    match kind {
        1 => {
            out.push('(');
            point(reader, out)?;
            out.push(')');
            Some(())
        }
        2 => list(reader, out, point),
        3 => list(reader, out, |reader, out| list(reader, out, point)),
        // Each part is a geometry of its own, of the kind that it is many of.
        4 => list(reader, out, |reader, out| (reader.kind()? == 1).then(|| point(reader, out))?),
        _ => list(reader, out, |reader, out| (reader.kind()? == kind - 3).then(|| body(reader, out, kind - 3))?),
    }
}

fn list(
    reader: &mut Reader<'_>,
    out: &mut String,
    mut part: impl FnMut(&mut Reader<'_>, &mut String) -> Option<()>,
) -> Option<()> {
    let count = reader.count()?;
    if count == 0 {
        out.push_str(" EMPTY");
        return Some(());
    }
    for index in 0..count {
        out.push(if index == 0 { '(' } else { ',' });
        part(reader, out)?;
    }
    out.push(')');
    Some(())
}

fn point(reader: &mut Reader<'_>, out: &mut String) -> Option<()> {
    let (x, y) = (reader.number()?, reader.number()?);
    // Writing to a String cannot fail.
    let _ = write!(out, "{x} {y}");
    Some(())
}
