//! The part of MCP that is not a call: the handshake of older clients, discovery, the list of tools. rmcp's engine
//! answers these, one request at a time, with nothing kept between two.
//!
//! Only methods that Tollgate offers get here; everything else rmcp would answer is refused before.

use std::{
    borrow::Cow,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CacheScope, ClientCapabilities, ClientJsonRpcMessage, DiscoverResult, ErrorCode, InitializeRequestParams,
        ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, MetaObject, PaginatedRequestParams,
        ProtocolVersion, ResourcesCapability, ServerCapabilities, ServerConfig, ServerJsonRpcMessage, Tool,
        ToolAnnotations,
    },
    service::{RequestContext, serve_directly},
    transport::OneshotTransport,
};
use tollgate_core::names::{Code, Principal, Refusal};

use super::{
    host::{ToolHost, ToolListing},
    resource,
    revision::Revision,
    wire::{self, RpcCode, RpcError},
};

/// Tools on one page of `tools/list`.
const PAGE_MAX: usize = 250;
/// How long a client may keep a list: a change of policy is in force at once all the same.
const TTL_MS: u64 = 60_000;
const BAD_CURSOR: &str = "the cursor is not one of this list";

/// The server as one caller sees it.
struct Server<H> {
    host: Arc<H>,
    caller: Arc<Principal>,
}

/// Answers one request that is no call. The result is the JSON-RPC message, or the error that stands for it.
pub(super) async fn answer<H: ToolHost>(
    host: Arc<H>,
    caller: Arc<Principal>,
    revision: Revision,
    request: ClientJsonRpcMessage,
) -> Result<Vec<u8>, RpcError> {
    let peer = InitializeRequestParams::new(ClientCapabilities::default(), wire::server_info())
        .with_protocol_version(revision.version());
    let (transport, mut answers) = OneshotTransport::<RoleServer>::new(request);
    // Dropping the service ends it, so nothing of this request outlives it.
    let service = serve_directly(Server { host, caller }, transport, Some(peer));
    let first = answers.recv().await;
    drop(service);
    match first {
        Some(message @ ServerJsonRpcMessage::Response(_)) => serde_json::to_vec(&message).map_err(|_| internal()),
        Some(ServerJsonRpcMessage::Error(error)) => Err(rpc_error(&error.error)),
        _ => Err(internal()),
    }
}

fn internal() -> RpcError {
    RpcError::new(RpcCode::INTERNAL, Refusal::new(Code::INTERNAL, "the server failed to answer"))
}

/// rmcp's errors carry text of its own making; the agent gets ours.
fn rpc_error(error: &ErrorData) -> RpcError {
    let malformed = |code, sentence: &str| RpcError::new(code, Refusal::new(Code::MALFORMED_REQUEST, sentence));
    match error.code {
        ErrorCode::INVALID_PARAMS if error.message == BAD_CURSOR => {
            RpcError::new(RpcCode::INVALID_PARAMS, Refusal::new(Code::INVALID_CURSOR, BAD_CURSOR))
        }
        ErrorCode::INVALID_PARAMS => malformed(RpcCode::INVALID_PARAMS, "the parameters do not fit the method"),
        ErrorCode::INVALID_REQUEST => malformed(RpcCode::INVALID_REQUEST, "the request does not fit its revision"),
        ErrorCode::METHOD_NOT_FOUND => {
            RpcError::new(RpcCode::METHOD_NOT_FOUND, Refusal::new(Code::UNKNOWN_METHOD, "the method is not offered"))
        }
        _ => internal(),
    }
}

impl<H: ToolHost> ServerHandler for Server<H> {
    fn get_info(&self) -> ServerConfig {
        let mut capabilities = ServerCapabilities::builder().enable_tools().build();
        capabilities.resources = self.host.resources(&self.caller).map(|_| ResourcesCapability::default());
        ServerConfig::new(capabilities)
            .with_server_info(wire::server_info())
            .with_protocol_version(ProtocolVersion::LATEST_WITH_INITIALIZE)
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Owned(Revision::ALL.map(Revision::version).to_vec())
    }

    async fn discover(&self, _context: RequestContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        let versions = self.supported_protocol_versions().into_owned();
        Ok(DiscoverResult::from_server_info(versions, self.get_info())
            .with_ttl_ms(TTL_MS)
            .with_cache_scope(CacheScope::Private))
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        // A panic in a handler of rmcp's is never answered.
        let tools = catch_unwind(AssertUnwindSafe(|| self.host.list(&self.caller)))
            .map_err(|_| ErrorData::internal_error("", None))?;
        let page = page(request, "tools", tools.len())?;
        let listed = tools.iter().skip(page.from).take(PAGE_MAX).map(tool).collect();
        let mut result = ListToolsResult::with_all_items(listed);
        result.next_cursor = page.next;
        if is_stateless(&context) {
            result.meta = Some(server_meta());
            return Ok(result.with_ttl_ms(TTL_MS).with_cache_scope(CacheScope::Private));
        }
        Ok(result)
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let resources = catch_unwind(AssertUnwindSafe(|| self.host.resources(&self.caller)))
            .map_err(|_| ErrorData::internal_error("", None))?
            .unwrap_or_default();
        let page = page(request, "resources", resources.len())?;
        let listed = resources.iter().skip(page.from).take(PAGE_MAX).map(resource::listed).collect();
        let mut result = ListResourcesResult::with_all_items(listed);
        result.next_cursor = page.next;
        if is_stateless(&context) {
            result.meta = Some(server_meta());
            return Ok(result.with_ttl_ms(TTL_MS).with_cache_scope(CacheScope::Private));
        }
        Ok(result)
    }

    async fn list_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        page(request, "templates", 1)?;
        let mut result = ListResourceTemplatesResult::with_all_items(vec![resource::template()]);
        if is_stateless(&context) {
            result.meta = Some(server_meta());
            return Ok(result.with_ttl_ms(TTL_MS).with_cache_scope(CacheScope::Private));
        }
        Ok(result)
    }
}

fn is_stateless(context: &RequestContext<RoleServer>) -> bool {
    context.protocol_version().is_some_and(|version| !version.has_initialize())
}

/// The `_meta` of every answer of 2026-07-28.
fn server_meta() -> MetaObject {
    let mut meta = MetaObject::default();
    meta.insert("io.modelcontextprotocol/serverInfo".to_owned(), serde_json::json!(wire::server_info()));
    meta
}

/// Where a page of a list begins, and the cursor of the next one.
struct Page {
    from: usize,
    next: Option<String>,
}

fn page(request: Option<PaginatedRequestParams>, list: &str, length: usize) -> Result<Page, ErrorData> {
    let given = request.and_then(|request| request.cursor);
    let from = given.map_or(Ok(0), |cursor| offset(&cursor, list, length))?;
    let next = from + PAGE_MAX;
    Ok(Page { from, next: (next < length).then(|| cursor(list, next)) })
}

/// A place in the caller's own list: nothing in it is secret, and any other place is one the caller may ask for too.
fn cursor(list: &str, offset: usize) -> String {
    URL_SAFE_NO_PAD.encode(format!("{list}:{offset}"))
}

fn offset(cursor: &str, list: &str, length: usize) -> Result<usize, ErrorData> {
    let read = || {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let offset: usize = text.strip_prefix(list)?.strip_prefix(':')?.parse().ok()?;
        (offset < length && offset.is_multiple_of(PAGE_MAX)).then_some(offset)
    };
    read().ok_or_else(|| ErrorData::invalid_params(BAD_CURSOR, None))
}

fn tool(listing: &ToolListing) -> Tool {
    let annotations = ToolAnnotations::from_raw(
        listing.title.clone(),
        Some(listing.read_only),
        (!listing.read_only).then_some(true),
        Some(listing.read_only),
        Some(false),
    );
    let mut tool = Tool::new(listing.name.clone(), listing.description.clone(), Arc::clone(&listing.input_schema));
    tool.title.clone_from(&listing.title);
    tool.output_schema = Some(Arc::clone(&listing.output_schema));
    tool.annotations = Some(annotations);
    tool.meta = listing.meta.clone().map(MetaObject::from);
    tool
}
