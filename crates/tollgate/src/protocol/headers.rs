//! The headers by which a proxy may route a request of MCP, held against its body: what a proxy sees must be what is
//! done. They never decide anything by themselves.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hyper::HeaderMap;
use serde_json::{Map, Value, value::RawValue};
use tollgate_core::names::{Code, Refusal};

use super::{
    dispatch::{CallParams, ReadParams},
    envelope::Body,
    revision::{self, Revision},
    wire::{RpcCode, RpcError},
};

const VERSION: &str = "mcp-protocol-version";
const METHOD: &str = "mcp-method";
const NAME: &str = "mcp-name";
const PARAM: &str = "mcp-param-";

/// The revision a request over HTTP is made under.
pub(super) fn revision(headers: &HeaderMap, body: &Body<'_>) -> Result<Revision, RpcError> {
    let header = single(headers, VERSION)?;
    if body.method == "initialize" && body.meta.version.is_none() {
        return handshake(header, body);
    }
    match (header, body.meta.version.as_deref()) {
        // Before 2025-06-18 there was no such header.
        (None, None) => Ok(Revision::V2025_03_26),
        (Some(header), None) => {
            let revision = Revision::named(header)?;
            if revision.is_stateless() { Err(revision::missing_meta()) } else { Ok(revision) }
        }
        (None, Some(_)) => Err(mismatch("the `MCP-Protocol-Version` header is missing")),
        (Some(header), Some(version)) if header != version => {
            Err(mismatch("the `MCP-Protocol-Version` header is not the version in `_meta`"))
        }
        (Some(header), Some(_)) => match Revision::of_meta(&body.meta)? {
            Some(revision) => Ok(revision),
            None => Revision::named(header),
        },
    }
}

/// A handshake belongs to the older revisions, whatever version it asks for; the answer names the one to use. A request
/// that says in `_meta` that it needs none does not come here.
fn handshake(header: Option<&str>, body: &Body<'_>) -> Result<Revision, RpcError> {
    #[derive(serde::Deserialize)]
    struct Asked<'a> {
        #[serde(rename = "protocolVersion", borrow)]
        version: std::borrow::Cow<'a, str>,
    }
    let asked = body.params.as_deref().and_then(|params| serde_json::from_str::<Asked<'_>>(params.get()).ok());
    match (header, asked) {
        (Some(header), Some(asked)) if header != asked.version => {
            Err(mismatch("the `MCP-Protocol-Version` header is not the version in the body"))
        }
        _ => Ok(Revision::V2025_11_25),
    }
}

/// The revision a notification over HTTP is made under, as its header says.
pub(super) fn notification_revision(headers: &HeaderMap) -> Result<Revision, RpcError> {
    single(headers, VERSION)?.map_or(Ok(Revision::V2025_03_26), Revision::named)
}

/// `Mcp-Method` and `Mcp-Name`: the same as in the body, and there from 2026-07-28 on. An older request that has them is
/// held to them too: a proxy that lets requests through by these headers need not know that they were not yet meant.
pub(super) fn agree(headers: &HeaderMap, body: &Body<'_>, revision: Revision) -> Result<(), RpcError> {
    match single(headers, METHOD)? {
        Some(method) if method == body.method => {}
        Some(_) => return Err(mismatch("the `Mcp-Method` header is not the body's method")),
        None if revision.is_stateless() => return Err(mismatch("the `Mcp-Method` header is missing")),
        None => {}
    }
    let named = match &*body.method {
        "tools/call" => CallParams::of(body).map(|params| (params.name, "tool's name")),
        "resources/read" => ReadParams::of(body).map(|params| (params.uri, "resource's uri")),
        _ => None,
    };
    let Some((named, what)) = named else { return Ok(()) };
    match single(headers, NAME)? {
        Some(name) if decoded(name)? == named => Ok(()),
        Some(_) => Err(mismatch(format!("the `Mcp-Name` header is not the {what} in the body"))),
        None if revision.is_stateless() => Err(mismatch("the `Mcp-Name` header is missing")),
        None => Ok(()),
    }
}

/// `Mcp-Param-*` of 2026-07-28: one for each argument that the tool's schema marks with `x-mcp-header`.
pub(super) fn params_agree(
    headers: &HeaderMap,
    schema: &Map<String, Value>,
    arguments: Option<&RawValue>,
) -> Result<(), RpcError> {
    let marked: Vec<(&str, &str)> = schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(property, schema)| Some((property.as_str(), schema.get("x-mcp-header")?.as_str()?)))
        .collect();
    if marked.is_empty() {
        return Ok(());
    }
    let arguments: std::collections::BTreeMap<String, &RawValue> = arguments
        .map(|raw| serde_json::from_str(raw.get()))
        .transpose()
        .map_err(|_| mismatch("the arguments are not an object"))?
        .unwrap_or_default();
    for (property, header) in marked {
        let name = format!("{PARAM}{}", header.to_ascii_lowercase());
        let given = single(headers, &name)?.map(decoded).transpose()?;
        if given != arguments.get(property).and_then(|raw| plain(raw)) {
            return Err(mismatch(format!("the `Mcp-Param-{header}` header is not the argument `{property}`")));
        }
    }
    Ok(())
}

/// A primitive argument as a header carries it: text as itself, everything else as it is written.
fn plain(raw: &RawValue) -> Option<String> {
    let json = raw.get();
    match json.bytes().next() {
        Some(b'"') => serde_json::from_str(json).ok(),
        Some(b'{' | b'[' | b'n') | None => None,
        Some(_) => Some(json.to_owned()),
    }
}

/// Reads `=?base64?…?=`, by which a header carries what a header may not.
fn decoded(value: &str) -> Result<String, RpcError> {
    let Some(inner) = value.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?=")) else {
        return Ok(value.to_owned());
    };
    let bytes = STANDARD.decode(inner).map_err(|_| mismatch("a header's base64 cannot be read"))?;
    String::from_utf8(bytes).map_err(|_| mismatch("a header's base64 is not valid UTF-8"))
}

/// A header's one value. Two would let a proxy read another than Tollgate does.
fn single<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, RpcError> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(mismatch(format!("the `{name}` header is there more than once")));
    }
    value.to_str().map(Some).map_err(|_| mismatch(format!("the `{name}` header is not plain text")))
}

fn mismatch(sentence: impl Into<String>) -> RpcError {
    RpcError::new(RpcCode::HEADER_MISMATCH, Refusal::new(Code::MALFORMED_REQUEST, sentence))
}
