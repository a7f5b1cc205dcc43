//! One JSON-RPC message, read strictly and borrowed: the text of its parameters stays as the client wrote it.
//!
//! It knows JSON-RPC and the members every MCP request may carry; it never decides what a method means.

use std::borrow::Cow;

use hyper::StatusCode;
use rmcp::model::RequestId;
use serde::{Deserialize, Deserializer, de::IgnoredAny};
use serde_json::value::RawValue;
use tollgate_core::names::{Code, Refusal};

use super::{
    strict,
    wire::{RpcCode, RpcError},
};

/// A JSON-RPC id longer than this is not an id but a payload.
const ID_MAX: usize = 256;
/// As long as any method's name will ever be.
const METHOD_MAX: usize = 128;

/// A message a client may send to a server that asks its clients nothing.
#[derive(Debug)]
pub(super) enum Message<'a> {
    /// Wants an answer.
    Request(RequestId, Body<'a>),
    /// Wants none.
    Notification(Body<'a>),
}

/// The method and its parameters.
#[derive(Debug)]
pub(super) struct Body<'a> {
    /// The method as written.
    pub(super) method: Cow<'a, str>,
    /// The text of `params`: one object, if there at all.
    pub(super) params: Option<Cow<'a, RawValue>>,
    /// `params._meta`, as far as Tollgate reads it.
    pub(super) meta: Meta,
}

impl Body<'_> {
    /// The same, for a task of its own.
    pub(super) fn into_owned(self) -> Body<'static> {
        let params = self.params.map(|params| Cow::Owned(params.into_owned()));
        Body { method: Cow::Owned(self.method.into_owned()), params, meta: self.meta }
    }

    /// What the client of a handshake calls itself.
    pub(super) fn handshake_client(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Handshake {
            #[serde(rename = "clientInfo")]
            client: ClientInfo,
        }
        let params = self.params.as_deref().filter(|_| self.method == "initialize")?;
        let client = serde_json::from_str::<Handshake>(params.get()).ok()?.client;
        Some(client_name(&client.name, client.version.as_deref()))
    }
}

/// What a request says about itself.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Meta {
    /// The revision that the request is made under, from 2026-07-28 on.
    #[serde(rename = "io.modelcontextprotocol/protocolVersion", default)]
    pub(super) version: Option<String>,
    #[serde(rename = "io.modelcontextprotocol/clientCapabilities", default)]
    capabilities: Option<Object>,
    #[serde(rename = "io.modelcontextprotocol/clientInfo", default)]
    client: Option<ClientInfo>,
    #[serde(default)]
    traceparent: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ClientInfo {
    name: String,
    #[serde(default)]
    version: Option<String>,
}

impl Meta {
    /// Whether `clientCapabilities` is there.
    pub(super) fn has_capabilities(&self) -> bool {
        self.capabilities.is_some()
    }

    /// `name/version` of the client, cut to 128 characters.
    pub(super) fn client(&self) -> Option<String> {
        self.client.as_ref().map(|client| client_name(&client.name, client.version.as_deref()))
    }

    /// The trace context, if it is one of W3C's form.
    pub(super) fn traceparent(&self) -> Option<String> {
        self.traceparent.clone().filter(|text| is_traceparent(text))
    }
}

/// A client's name for the log, at most 128 characters.
pub(super) fn client_name(name: &str, version: Option<&str>) -> String {
    let full = version.map_or_else(|| name.to_owned(), |version| format!("{name}/{version}"));
    full.chars().take(128).collect()
}

/// `00-` 32 hex digits `-` 16 hex digits `-` 2 hex digits. Later versions may be longer; they are not taken.
fn is_traceparent(text: &str) -> bool {
    let lengths = [2, 32, 16, 2];
    let lower_hex = |part: &str| part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    text.len() == 55
        && text.starts_with("00-")
        && text.split('-').count() == lengths.len()
        && text.split('-').zip(lengths).all(|(part, length)| part.len() == length && lower_hex(part))
}

#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    jsonrpc: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    method: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    params: Option<&'a RawValue>,
    #[serde(default)]
    result: Option<IgnoredAny>,
    #[serde(default)]
    error: Option<IgnoredAny>,
}

/// Tells `null` from absent.
fn present<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

#[derive(Default, Deserialize)]
struct Params {
    #[serde(rename = "_meta", default)]
    meta: Option<Meta>,
}

/// An object whose members do not matter.
#[derive(Debug)]
struct Object;

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Object;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Object)
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

/// Reads one message. What is refused here never had a chance to mean anything.
pub(super) fn parse(bytes: &[u8]) -> Result<Message<'_>, RpcError> {
    let text = std::str::from_utf8(bytes).map_err(|_| malformed(RpcCode::PARSE, "the message is not valid UTF-8"))?;
    let whole: &RawValue =
        serde_json::from_str(text).map_err(|_| malformed(RpcCode::PARSE, "the message is not valid JSON"))?;
    let json = whole.get();
    strict::inspect(json).map_err(|flaw| malformed(RpcCode::PARSE, flaw.to_string()).answering(readable_id(json)))?;
    if json.starts_with('[') {
        return Err(malformed(RpcCode::INVALID_REQUEST, "a batch is not accepted: send one message at a time"));
    }
    if !json.starts_with('{') {
        return Err(malformed(RpcCode::INVALID_REQUEST, "a message is one JSON object"));
    }
    let frame: Frame<'_> = serde_json::from_str(json)
        .map_err(|_| malformed(RpcCode::INVALID_REQUEST, "the message is not a JSON-RPC request"))?;
    message(&frame)
}

/// The id of a message that is refused for what stands elsewhere in it, so that its sender need not wait.
fn readable_id(json: &str) -> Option<RequestId> {
    let frame: Frame<'_> = serde_json::from_str(json).ok()?;
    request_id(frame.id?).ok()
}

fn message<'a>(frame: &Frame<'a>) -> Result<Message<'a>, RpcError> {
    let id = frame.id.map(request_id).transpose()?;
    let refuse = |code, sentence: &str| malformed(code, sentence).answering(id.clone());
    if frame.jsonrpc.map(RawValue::get) != Some("\"2.0\"") {
        return Err(refuse(RpcCode::INVALID_REQUEST, "`jsonrpc` must be \"2.0\""));
    }
    if frame.result.is_some() || frame.error.is_some() {
        return Err(refuse(RpcCode::INVALID_REQUEST, "this server asks its clients nothing and takes no responses"));
    }
    let method = frame
        .method
        .and_then(|raw| serde_json::from_str::<Cow<'a, str>>(raw.get()).ok())
        .filter(|method| method.len() <= METHOD_MAX)
        .ok_or_else(|| refuse(RpcCode::INVALID_REQUEST, "`method` must be a string of at most 128 bytes"))?;
    if frame.params.is_some_and(|params| !params.get().starts_with('{')) {
        return Err(refuse(RpcCode::INVALID_PARAMS, "`params` must be an object"));
    }
    let meta = frame
        .params
        .map(|params| serde_json::from_str::<Params>(params.get()))
        .transpose()
        .map_err(|_| refuse(RpcCode::INVALID_PARAMS, "`_meta` holds a member of the wrong type"))?
        .unwrap_or_default()
        .meta
        .unwrap_or_default();
    let body = Body { method, params: frame.params.map(Cow::Borrowed), meta };
    Ok(match id {
        Some(id) => Message::Request(id, body),
        None => Message::Notification(body),
    })
}

fn request_id(raw: &RawValue) -> Result<RequestId, RpcError> {
    let refused = || malformed(RpcCode::INVALID_REQUEST, "`id` must be an integer or a string of at most 256 bytes");
    if raw.get().starts_with('"') {
        let text: String = serde_json::from_str(raw.get()).map_err(|_| refused())?;
        return if text.len() <= ID_MAX { Ok(RequestId::String(text.into())) } else { Err(refused()) };
    }
    raw.get().parse().map(RequestId::Number).map_err(|_| refused())
}

fn malformed(code: RpcCode, sentence: impl Into<String>) -> RpcError {
    RpcError::new(code, Refusal::new(Code::MALFORMED_REQUEST, sentence)).with_status(StatusCode::BAD_REQUEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_context_is_taken_in_its_one_form_only() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert!(is_traceparent(good));
        for bad in [
            "",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333-001",
        ] {
            assert!(!is_traceparent(bad), "{bad}");
        }
    }

    /// Frames a little wrong in every way: read or refused, never a panic, and what is read holds to the rules.
    #[test]
    fn mutated_frames_are_read_or_refused() {
        let frame = r#"{"jsonrpc":"2.0","id":"é\u00e9","method":"tools/call","params":{"name":"echo","arguments":{"a":[1,{"b":"\ud83d\ude00"}],"c":-1e9},"_meta":{"traceparent":"x","io.modelcontextprotocol/clientInfo":{"name":"n"}}}}"#;
        assert!(matches!(parse(frame.as_bytes()), Ok(Message::Request(..))));
        let alphabet = b"{}[]\",:\\u0dD8e-1 \n\xff\0t";
        let (mut state, mut read) = (0x9e37_79b9_7f4a_7c15_u64, 0);
        let mut random = |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % below as u64) as usize
        };
        for _ in 0..20_000 {
            let mut bytes = frame.as_bytes().to_vec();
            for _ in 0..=random(3) {
                let (at, byte) = (random(bytes.len()), alphabet[random(alphabet.len())]);
                match random(3) {
                    0 => bytes[at] = byte,
                    1 => bytes.insert(at, byte),
                    _ => drop(bytes.remove(at)),
                }
            }
            if let Ok(Message::Request(_, body) | Message::Notification(body)) = parse(&bytes) {
                read += 1;
                assert!(body.params.is_none_or(|params| strict::inspect(params.get()).is_ok()));
            }
        }
        assert!(read > 100, "some mutations do no harm: {read}");
    }
}
