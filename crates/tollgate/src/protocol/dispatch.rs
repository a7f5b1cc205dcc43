//! The one path from a well-formed request to its answer, for both transports and every revision.
//!
//! Nothing here differs by revision but the shape of the answer: who may call what is the host's word alone.

use std::{borrow::Cow, sync::Arc};

use rmcp::model::{ClientJsonRpcMessage, ClientRequest, RequestId};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tollgate_core::names::{Code, Principal, Refusal};

use super::{
    envelope::Body,
    host::{CallReply, Peer, READ_TOOL, ToolCall, ToolHost},
    resource::{self, Resource},
    revision::{self, Revision},
    server,
    wire::{self, RpcCode, RpcError},
};

/// Longer than any tool's name.
const TOOL_NAME_MAX: usize = 128;

/// What all connections share.
pub(super) struct Gate<H> {
    pub(super) host: Arc<H>,
    /// The calls that run, whether or not their client still waits.
    pub(super) calls: TaskTracker,
    /// Fires when the time to drain is over.
    pub(super) abort: CancellationToken,
}

/// Who asks, and from where.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) principal: Arc<Principal>,
    pub(super) peer: Peer,
}

/// One request, with the revision it was found to be made under.
pub(super) struct Asked<'a> {
    pub(super) id: &'a RequestId,
    pub(super) revision: Revision,
    pub(super) body: &'a Body<'a>,
}

/// The methods that exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Initialize,
    Ping,
    Discover,
    ListTools,
    CallTool,
    ListResources,
    ListTemplates,
    ReadResource,
}

impl Method {
    /// Whether it is there for those alone who may read about tables.
    fn is_of_resources(self) -> bool {
        matches!(self, Self::ListResources | Self::ListTemplates | Self::ReadResource)
    }

    fn named(name: &str, revision: Revision) -> Option<Self> {
        match (name, revision.is_stateless()) {
            ("initialize", false) => Some(Self::Initialize),
            ("ping", false) => Some(Self::Ping),
            ("server/discover", _) => Some(Self::Discover),
            ("tools/list", _) => Some(Self::ListTools),
            ("tools/call", _) => Some(Self::CallTool),
            ("resources/list", _) => Some(Self::ListResources),
            ("resources/templates/list", _) => Some(Self::ListTemplates),
            ("resources/read", _) => Some(Self::ReadResource),
            _ => None,
        }
    }
}

/// The parameters of `tools/call`.
#[derive(Deserialize)]
pub(super) struct CallParams<'a> {
    #[serde(borrow)]
    pub(super) name: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) arguments: Option<&'a RawValue>,
    #[serde(rename = "requestState", default)]
    state: Option<IgnoredAny>,
    #[serde(rename = "inputResponses", default)]
    responses: Option<IgnoredAny>,
}

impl<'a> CallParams<'a> {
    pub(super) fn of(body: &'a Body<'_>) -> Option<Self> {
        serde_json::from_str(body.params.as_deref()?.get()).ok()
    }

    fn read(body: &'a Body<'_>) -> Result<Self, RpcError> {
        let refuse =
            |sentence: &str| RpcError::new(RpcCode::INVALID_PARAMS, Refusal::new(Code::MALFORMED_REQUEST, sentence));
        let params = Self::of(body).ok_or_else(|| refuse("`params` must have the tool's `name`, a string"))?;
        if params.name.len() > TOOL_NAME_MAX {
            return Err(refuse("no tool has a name of more than 128 bytes"));
        }
        if params.arguments.is_some_and(|arguments| !arguments.get().starts_with('{')) {
            return Err(refuse("`arguments` must be an object"));
        }
        if params.state.is_some() || params.responses.is_some() {
            return Err(refuse("this call was not asked for input, so it has no state to go on from"));
        }
        Ok(params)
    }
}

/// The parameters of `resources/read`.
#[derive(Deserialize)]
pub(super) struct ReadParams<'a> {
    #[serde(borrow)]
    pub(super) uri: Cow<'a, str>,
}

impl<'a> ReadParams<'a> {
    pub(super) fn of(body: &'a Body<'_>) -> Option<Self> {
        serde_json::from_str(body.params.as_deref()?.get()).ok()
    }
}

/// The parameters of `tools/list` and its like.
#[derive(Deserialize)]
struct ListParams {
    #[serde(rename = "cursor", default)]
    _cursor: Option<String>,
}

impl ListParams {
    fn fit(body: &Body<'_>) -> bool {
        body.params.as_deref().is_none_or(|params| serde_json::from_str::<Self>(params.get()).is_ok())
    }
}

impl<H: ToolHost> Gate<H> {
    pub(super) fn new(host: Arc<H>) -> Self {
        Self { host, calls: TaskTracker::new(), abort: CancellationToken::new() }
    }

    /// Answers a request. `cancel` fires when nobody waits for the answer any more.
    pub(super) async fn answer(
        &self,
        caller: &Caller,
        asked: &Asked<'_>,
        cancel: CancellationToken,
    ) -> Result<Vec<u8>, RpcError> {
        let method = Method::named(&asked.body.method, asked.revision);
        let method = method.filter(|m| !m.is_of_resources() || self.host.resources(&caller.principal).is_some());
        let answered = match method {
            Some(Method::CallTool) => match CallParams::read(asked.body) {
                Ok(params) => return self.call(caller, asked, params, cancel).await,
                Err(error) => Err(error),
            },
            Some(Method::ReadResource) => match resource::arguments(asked.body) {
                Ok(arguments) => return self.read(caller, asked, arguments, cancel).await,
                Err(error) => Err(error),
            },
            // Discovery is the one method that a request cannot ask for without saying what it speaks.
            Some(Method::Discover) if asked.body.meta.version.is_none() => Err(revision::missing_meta()),
            Some(method) => self.engine(caller, asked, method).await,
            None => {
                let shown: String = asked.body.method.chars().take(64).collect();
                let refusal = Refusal::new(Code::UNKNOWN_METHOD, format!("the method `{shown}` is not offered"));
                Err(RpcError::new(RpcCode::METHOD_NOT_FOUND, refusal))
            }
        };
        answered.map_err(|error| self.refuse(Some(caller), &caller.peer, error.answering(Some(asked.id.clone()))))
    }

    /// Tells the audit log of a request that is refused before it is a call.
    pub(super) fn refuse(&self, caller: Option<&Caller>, peer: &Peer, error: RpcError) -> RpcError {
        self.host.reject(caller.map(|caller| caller.principal.as_ref()), peer, error.refusal());
        error
    }

    async fn call(
        &self,
        caller: &Caller,
        asked: &Asked<'_>,
        params: CallParams<'_>,
        cancel: CancellationToken,
    ) -> Result<Vec<u8>, RpcError> {
        let arguments = params.arguments.map(ToOwned::to_owned);
        match self.run(caller, asked, params.name.into_owned(), arguments, cancel).await {
            Some(CallReply::Rows { json, marked, call_id }) => {
                Ok(wire::rows(asked.id, asked.revision, &json, marked.as_ref(), &call_id))
            }
            Some(CallReply::Refused { refusal, call_id }) => {
                Ok(wire::refused(asked.id, asked.revision, &refusal, Some(&call_id)))
            }
            Some(CallReply::UnknownTool { refusal, call_id }) => Err(RpcError::new(RpcCode::INVALID_PARAMS, refusal)
                .with("call_id", call_id.into())
                .answering(Some(asked.id.clone()))),
            None => {
                let refusal = Refusal::new(Code::INTERNAL, "the call failed inside the server");
                Ok(wire::refused(asked.id, asked.revision, &refusal, None))
            }
        }
    }

    /// A resource is what `describe_table` answers: the same call, with the same stages and the same records.
    async fn read(
        &self,
        caller: &Caller,
        asked: &Asked<'_>,
        resource: Resource,
        cancel: CancellationToken,
    ) -> Result<Vec<u8>, RpcError> {
        let Resource { uri, arguments } = resource;
        let answering = |error: RpcError| error.answering(Some(asked.id.clone()));
        match self.run(caller, asked, READ_TOOL.to_owned(), Some(arguments), cancel).await {
            Some(CallReply::Rows { json, call_id, .. }) => {
                Ok(wire::resource(asked.id, asked.revision, &uri, &json, &call_id))
            }
            Some(CallReply::Refused { refusal, call_id } | CallReply::UnknownTool { refusal, call_id }) => {
                Err(answering(resource::refused(refusal, asked.revision).with("call_id", call_id.into())))
            }
            None => {
                let refusal = Refusal::new(Code::INTERNAL, "the call failed inside the server");
                Err(answering(RpcError::new(RpcCode::INTERNAL, refusal)))
            }
        }
    }

    /// Runs a call to its end; `None` when it panicked outside its own guard.
    async fn run(
        &self,
        caller: &Caller,
        asked: &Asked<'_>,
        name: String,
        arguments: Option<Box<RawValue>>,
        cancel: CancellationToken,
    ) -> Option<CallReply> {
        let meta = &asked.body.meta;
        let mut peer = caller.peer.clone();
        peer.client = meta.client().or(peer.client);
        let call = ToolCall {
            caller: Arc::clone(&caller.principal),
            name,
            arguments,
            request_id: Some(asked.id.to_string()),
            traceparent: meta.traceparent(),
            peer,
            deadline: None,
            cancel: cancel.clone(),
        };
        // On a task of its own: a client that leaves cancels it and does not cut it off before its outcome is
        // written, and a panic ends the task and not the connection.
        let host = Arc::clone(&self.host);
        let task = self.calls.spawn(async move { host.call(call).await });
        let left = cancel.drop_guard();
        let reply = task.await;
        left.disarm();
        reply.ok()
    }

    async fn engine(&self, caller: &Caller, asked: &Asked<'_>, method: Method) -> Result<Vec<u8>, RpcError> {
        let request = typed(asked.body).filter(|request| {
            matches!(
                (method, request),
                (Method::Initialize, ClientRequest::InitializeRequest(_))
                    | (Method::Ping, ClientRequest::PingRequest(_))
                    | (Method::Discover, ClientRequest::DiscoverRequest(_))
                    | (Method::ListTools, ClientRequest::ListToolsRequest(_))
                    | (Method::ListResources, ClientRequest::ListResourcesRequest(_))
                    | (Method::ListTemplates, ClientRequest::ListResourceTemplatesRequest(_))
            )
        });
        // rmcp takes a cursor that is no string for none.
        let lists = matches!(method, Method::ListTools | Method::ListResources | Method::ListTemplates);
        let request = request.filter(|_| !lists || ListParams::fit(asked.body));
        let Some(request) = request else {
            let refusal = Refusal::new(Code::MALFORMED_REQUEST, "the parameters do not fit the method");
            return Err(RpcError::new(RpcCode::INVALID_PARAMS, refusal));
        };
        let message = ClientJsonRpcMessage::request(request, asked.id.clone());
        server::answer(Arc::clone(&self.host), Arc::clone(&caller.principal), asked.revision, message).await
    }
}

/// The request as rmcp's types have it. One that fits no type of its method comes out as a custom request.
fn typed(body: &Body<'_>) -> Option<ClientRequest> {
    #[derive(serde::Serialize)]
    struct Plain<'a> {
        method: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        params: Option<&'a RawValue>,
    }
    let plain = serde_json::to_string(&Plain { method: &body.method, params: body.params.as_deref() }).ok()?;
    serde_json::from_str(&plain).ok()
}
