//! Durable orders accepted per second, while the workers execute them at the pace of a real chain.

use std::sync::Arc;

use super::orders;
use super::report::Row;
use super::rounds::{Contest, Subject};
use crate::config::Bench;

/// A new server and journal every round: the backlog of one would slow down the yardstick of the next.
pub(crate) async fn run(settings: &Bench) -> anyhow::Result<Row> {
    let contest = Contest {
        what: format!("orders accepted, {} connections", settings.connections),
        unit: "orders/s",
        bar: 0.35,
        make: orders::placing(),
    };
    let arguments = ["--venue", "paper?pace=real"];
    contest.run(settings, |_| async { Ok(Arc::new(Subject::take(settings, &arguments).await?)) }).await
}
