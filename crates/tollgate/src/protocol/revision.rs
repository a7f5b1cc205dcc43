//! The revisions of MCP that are served, and which of them a request is made under. Nothing of a connection counts.

use rmcp::model::ProtocolVersion;
use serde_json::json;
use tollgate_core::names::{Code, Refusal};

use super::{
    envelope::Meta,
    wire::{RpcCode, RpcError},
};

/// A revision of MCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Revision {
    V2025_03_26,
    V2025_06_18,
    V2025_11_25,
    V2026_07_28,
}

impl Revision {
    /// Newest first, as `server/discover` names them.
    pub(super) const ALL: [Self; 4] = [Self::V2026_07_28, Self::V2025_11_25, Self::V2025_06_18, Self::V2025_03_26];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
            Self::V2026_07_28 => "2026-07-28",
        }
    }

    pub(super) fn version(self) -> ProtocolVersion {
        match self {
            Self::V2025_03_26 => ProtocolVersion::V_2025_03_26,
            Self::V2025_06_18 => ProtocolVersion::V_2025_06_18,
            Self::V2025_11_25 => ProtocolVersion::V_2025_11_25,
            Self::V2026_07_28 => ProtocolVersion::V_2026_07_28,
        }
    }

    /// Whether each request says everything about itself, without a handshake before it.
    pub(super) fn is_stateless(self) -> bool {
        self >= Self::V2026_07_28
    }

    /// The revision a version names; -32022 for one that is not served.
    pub(super) fn named(version: &str) -> Result<Self, RpcError> {
        Self::ALL.into_iter().find(|revision| revision.as_str() == version).ok_or_else(|| {
            let shown: String = version.chars().take(32).collect();
            let sentence = format!("protocol version `{shown}` is not served");
            RpcError::new(RpcCode::UNSUPPORTED_VERSION, Refusal::new(Code::UNSUPPORTED_VERSION, sentence))
                .with("supported", json!(Self::ALL.map(Self::as_str)))
                .with("requested", json!(shown))
        })
    }

    /// What the request's own `_meta` says: `None` where it says nothing, as all requests before 2026-07-28 do.
    pub(super) fn of_meta(meta: &Meta) -> Result<Option<Self>, RpcError> {
        let Some(revision) = meta.version.as_deref().map(Self::named).transpose()? else {
            return Ok(None);
        };
        if revision.is_stateless() && !meta.has_capabilities() {
            return Err(missing_meta());
        }
        Ok(Some(revision))
    }
}

/// A request of 2026-07-28 that does not say what it must about itself.
pub(super) fn missing_meta() -> RpcError {
    let sentence = "`_meta` must have `io.modelcontextprotocol/protocolVersion` and \
                    `io.modelcontextprotocol/clientCapabilities`";
    RpcError::new(RpcCode::INVALID_PARAMS, Refusal::new(Code::MALFORMED_REQUEST, sentence))
        .with_status(hyper::StatusCode::BAD_REQUEST)
}
