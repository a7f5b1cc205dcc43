//! `/healthz`, `/readyz` and `/metrics`.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::gateway::{Gate, Readiness};

/// Where the answers come from.
pub type Health = Arc<Gate>;

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// A probe that takes longer than this is a failure.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// Serves until `stop` fires.
pub async fn serve(listener: TcpListener, health: Health, stop: CancellationToken) -> std::io::Result<()> {
    let router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(health);
    axum::serve(listener, router).with_graceful_shutdown(async move { stop.cancelled().await }).await
}

async fn ready(State(gate): State<Health>) -> Response {
    let report = gate.readiness(PROBE_TIMEOUT).await;
    let status = if report.iter().all(Readiness::is_ready) { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let lines: String = report.iter().map(|part| format!("{part}\n")).collect();
    (status, lines).into_response()
}

async fn metrics(State(gate): State<Health>) -> Response {
    match gate.metrics_text() {
        Ok(text) => ([(CONTENT_TYPE, OPENMETRICS)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
