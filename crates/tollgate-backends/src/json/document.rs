//! JSON documents that come out of a database. One that every reader can read stays JSON; any other becomes a string, so
//! that a document can never break the answer it stands in.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::escape;

/// How deep a document may nest and stay JSON: readers of the whole answer have limits of their own.
const DEPTH_MAX: u32 = 64;

/// Writes a document as it is, or as a string when its text is not JSON that a strict reader can hold: malformed, nested
/// too deep, a number beyond a double's range, half a surrogate pair.
pub(crate) fn document(out: &mut Vec<u8>, text: &str) {
    let mut reader = serde_json::Deserializer::from_str(text);
    let readable = Readable { depth_left: DEPTH_MAX }.deserialize(&mut reader).and_then(|()| reader.end());
    match readable {
        Ok(()) => escape::valid_document(out, text),
        Err(_not_readable) => escape::string(out, text),
    }
}

/// Reads a document to its end and keeps nothing of it.
#[derive(Clone, Copy)]
struct Readable {
    depth_left: u32,
}

impl Readable {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        let depth_left = self.depth_left.checked_sub(1).ok_or_else(|| E::custom("nested too deep"))?;
        Ok(Self { depth_left })
    }
}

impl<'de> DeserializeSeed<'de> for Readable {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Readable {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let deeper = self.deeper()?;
        while items.next_element_seed(deeper)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let deeper = self.deeper()?;
        while entries.next_key_seed(deeper)?.is_some() {
            entries.next_value_seed(deeper)?;
        }
        Ok(())
    }
}
