//! `schema://DATABASE/TABLE`: a table's description as a resource, as the caller sees it. Only its address is read here.

use std::fmt::Write as _;

use rmcp::model::{Resource as Listed, ResourceTemplate};
use serde_json::{json, value::RawValue};
use tollgate_core::names::{Code, Refusal};

use super::{
    dispatch::ReadParams,
    envelope::Body,
    host::ResourceListing,
    revision::Revision,
    wire::{RpcCode, RpcError},
};

/// What every address begins with.
const SCHEME: &str = "schema://";
/// What a resource is written in.
pub(super) const MIME_TYPE: &str = "application/json";
/// Bytes of an address at most.
const URI_MAX: usize = 1_024;

/// What `resources/read` asks for: a call of `describe_table`.
pub(super) struct Resource {
    pub(super) uri: String,
    pub(super) arguments: Box<RawValue>,
}

/// The call that an address stands for.
pub(super) fn arguments(body: &Body<'_>) -> Result<Resource, RpcError> {
    let refuse =
        |sentence: &str| RpcError::new(RpcCode::INVALID_PARAMS, Refusal::new(Code::MALFORMED_REQUEST, sentence));
    let params = ReadParams::of(body).ok_or_else(|| refuse("`params` must have the resource's `uri`, a string"))?;
    let uri = params.uri.into_owned();
    let parts = uri.strip_prefix(SCHEME).filter(|_| uri.len() <= URI_MAX).and_then(|rest| rest.split_once('/'));
    let decoded = parts.and_then(|(database, table)| Some((decoded(database)?, decoded(table)?)));
    let (database, table) = decoded.ok_or_else(|| refuse("a resource's `uri` is `schema://DATABASE/TABLE`"))?;
    let arguments = json!({ "database": database, "table": table }).to_string();
    let arguments = RawValue::from_string(arguments).map_err(|_| refuse("the `uri` cannot be read"))?;
    Ok(Resource { uri, arguments })
}

/// A refusal of what was asked for. Revisions before 2026-07-28 have a code of their own for a resource that is not there.
pub(super) fn refused(refusal: Refusal, revision: Revision) -> RpcError {
    let code = match refusal.code {
        Code::SQL_UNKNOWN_TABLE | Code::INVALID_ARGUMENT | Code::UNKNOWN_TOOL if revision.is_stateless() => {
            RpcCode::INVALID_PARAMS
        }
        Code::SQL_UNKNOWN_TABLE | Code::INVALID_ARGUMENT | Code::UNKNOWN_TOOL => RpcCode::RESOURCE_NOT_FOUND,
        _ => RpcCode::INTERNAL,
    };
    RpcError::new(code, refusal)
}

/// A table in the list.
pub(super) fn listed(listing: &ResourceListing) -> Listed {
    let (database, table) = (encoded(&listing.database), encoded(&listing.table));
    Listed::new(format!("{SCHEME}{database}/{table}"), format!("{}.{}", listing.database, listing.table))
        .with_description("The columns, types and keys of a table that `query` may name.")
        .with_mime_type(MIME_TYPE)
}

/// What the addresses look like.
pub(super) fn template() -> ResourceTemplate {
    ResourceTemplate::new(format!("{SCHEME}{{database}}/{{table}}"), "table")
        .with_title("A table")
        .with_description("The columns, types and keys of a table that `query` may name.")
        .with_mime_type(MIME_TYPE)
}

/// Percent-encoding of everything that is not plain in an address.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let value = digit(rest.next()?)? * 16 + digit(rest.next()?)?;
        bytes.push(u8::try_from(value).ok()?);
    }
    String::from_utf8(bytes).ok().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_read_back() {
        for name in ["users", "sales.orders", "odd name/%\u{e9}"] {
            assert_eq!(decoded(&encoded(name)).as_deref(), Some(name));
        }
        assert!(["", "%", "%2", "%zz", "%ff"].iter().all(|text| decoded(text).is_none()));
    }
}
