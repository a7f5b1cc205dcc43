//! What every backend must do, in one suite: exact values, honest limits, deadlines, cancellation, a bounded pool, coming
//! back after the database went away, and nothing carried over from one caller to the next. A new backend is a `Fixture`
//! and one word in `conformance!(…)`.

use std::{future::Future, sync::Arc};

use crate::{Backend, PoolLimits};

mod bench;
mod cases;
mod grouping;
mod mariadb;
mod postgres;
mod sqlite;
mod suite;
mod total;

/// A database made for one test from `testdata/conformance/setup.*.sql`.
trait Fixture: Sized + Send + Sync + 'static {
    /// A database, and a backend over it. `None`, and a loud word, where the engine is not installed.
    fn start(limits: PoolLimits) -> impl Future<Output = Option<Self>> + Send;

    /// The same on an engine that no other test uses, so that it can go away.
    fn start_alone(limits: PoolLimits) -> impl Future<Output = Option<Self>> + Send;

    /// The backend.
    fn backend(&self) -> &Arc<dyn Backend>;

    /// Takes the database away, open connections included.
    fn go_away(&self);

    /// Brings it back at the same place.
    fn come_back(&self);
}

macro_rules! conformance {
    ($backend:ident: $($test:ident),* $(,)?) => {
        mod $backend {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    super::super::suite::$test::<super::super::$backend::Database>().await;
                }
            )*
        }
    };
    ($($backend:ident),*) => {
        $(conformance!($backend:
            values_come_back_exactly,
            rows_max_is_exact,
            bytes_max_is_exact,
            pages_follow_one_another,
            restricted_tables_show_their_rows_alone,
            relations_hide_rows_wherever_they_stand,
            expressions_mean_what_they_say,
            a_recursion_is_read_whole_or_not_at_all,
            a_deadline_stops_a_statement,
            a_cancel_stops_a_statement_and_not_the_next,
            a_dropped_call_stops_its_statement_and_not_the_next,
            a_full_pool_refuses_in_time,
            three_hundred_callers_share_four_connections,
            three_hundred_callers_share_twenty_connections,
            a_database_that_went_away_is_unavailable_until_it_is_back,
            nothing_is_carried_over,
            introspection_finds_the_facts,
            descriptions_name_every_column,
            plans_are_told,
            closing_waits_for_what_runs,
        );)*
    };
}

mod tests {
    conformance!(sqlite, postgres, mariadb);
}
