//! `/healthz`, `/readyz` and `/metrics`.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use hyper::server::conn::http1;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::gateway::{Gate, Readiness};

/// Where the answers come from.
pub type Health = Arc<Gate>;

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// A probe that takes longer than this is a failure.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// Connections at a time. Those who ask here are few.
const CONNECTIONS_MAX: usize = 64;
/// How long a connection may last, with its one request and the answer to it.
const CONNECTION_TIME: Duration = Duration::from_secs(10);
/// How long to wait when the system has no connection to give: out of file descriptors or memory.
const PAUSE: Duration = Duration::from_millis(50);

/// Serves until `stop` fires, which waits for nobody.
pub async fn serve(listener: TcpListener, health: Health, stop: CancellationToken) {
    let router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(health);
    let mut open = JoinSet::new();
    loop {
        let full = open.len() >= CONNECTIONS_MAX;
        tokio::select! {
            accepted = listener.accept(), if !full => match accepted {
                Ok((stream, _)) => drop(open.spawn(timeout(CONNECTION_TIME, answer(stream, router.clone())))),
                Err(_) => sleep(PAUSE).await,
            },
            // Whether it ended in time, in order, or otherwise is its client's affair.
            Some(_) = open.join_next() => {}
            () = stop.cancelled() => return,
        }
    }
}

async fn answer(stream: TcpStream, router: Router) {
    let serving = http1::Builder::new()
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    // A connection that breaks has nobody to tell.
    drop(serving.await);
}

async fn ready(State(gate): State<Health>) -> Response {
    let report = gate.readiness(PROBE_TIMEOUT).await;
    let status = if report.iter().all(Readiness::is_ready) { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let lines: Vec<String> = report.iter().map(ToString::to_string).collect();
    (status, format!("{}\n", lines.join("\n"))).into_response()
}

async fn metrics(State(gate): State<Health>) -> Response {
    match gate.metrics_text() {
        Ok(text) => ([(CONTENT_TYPE, OPENMETRICS)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
