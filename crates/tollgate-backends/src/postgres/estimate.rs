//! What a caller's statement would cost, as the planner reckons it of the statement without its constants. It runs nothing, and the
//! number goes nowhere: not to the caller, not to a log.

use serde_json::Value as Json;
use tokio_postgres::{Client, SimpleQueryMessage};
use tollgate_core::sql::Estimate;

use super::{error, execute::Failure};
use crate::{BackendError, ErrorKind, Fault};

/// No value that a parameter might have is planned for.
const BEGIN: &str = "BEGIN READ ONLY; SET LOCAL plan_cache_mode = force_generic_plan";

/// A plan without a cost.
#[derive(Debug, thiserror::Error)]
#[error("the server's plan does not say what it costs")]
struct NoCost;

/// Refuses a statement that would cost more. The connection is as it was, or the failure is one that closes it.
pub(super) async fn refuse_over(
    client: &Client,
    estimate: &Estimate,
    [limit, offset]: [u64; 2],
    most: u32,
) -> Result<(), Failure> {
    if cost(client, &estimate.text(limit, offset), estimate.params()).await? > f64::from(most) {
        return Err(BackendError::of(ErrorKind::Cost).into());
    }
    Ok(())
}

/// The planner's total cost of a text with so many parameters.
pub(super) async fn cost(client: &Client, text: &str, params: usize) -> Result<f64, Failure> {
    let unclean = |error| BackendError::new(ErrorKind::Internal, error);
    client.batch_execute(BEGIN).await.map_err(unclean)?;
    // As a statement of its own, so that there can be no second one in it. The first parameter is the call's id, which is text.
    let prepared = client.query_typed(&format!("PREPARE tg_estimate (text) AS {text}"), &[]).await;
    let (answer, end) = match prepared {
        Ok(_) => (explained(client, params).await, "ROLLBACK; DEALLOCATE tg_estimate"),
        Err(refused) if error::fault(&refused).is_some() => {
            let kind = ErrorKind::Statement(Fault::Unpriced);
            let database_code = refused.code().map(|state| state.code().to_owned());
            let source = Some(refused.into());
            (Err(BackendError { kind, database_code, source }.into()), "ROLLBACK")
        }
        Err(refused) => (Err(refused.into()), "ROLLBACK"),
    };
    client.batch_execute(end).await.map_err(unclean)?;
    answer
}

async fn explained(client: &Client, params: usize) -> Result<f64, Failure> {
    let nothing = vec!["NULL"; params].join(", ");
    let answer = client.simple_query(&format!("EXPLAIN (FORMAT JSON) EXECUTE tg_estimate ({nothing})")).await?;
    let plan = answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    let plan: Option<Json> = plan.and_then(|plan| serde_json::from_str(plan).ok());
    let cost = plan.as_ref().and_then(|plan| plan.pointer("/0/Plan/Total Cost")).and_then(Json::as_f64);
    Ok(cost.ok_or_else(|| BackendError::new(ErrorKind::Internal, NoCost))?)
}
