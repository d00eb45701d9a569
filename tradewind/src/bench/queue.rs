//! Queues: jobs through the job queue, messages that pile up, orders of one product that everyone buys, and messages over `/sqs`.

mod messages;
mod stock;
mod through;
mod wire;

use super::report::Row;
use crate::config::Bench;

/// Everything about queues that has a bar.
pub(crate) async fn run(settings: &Bench) -> anyhow::Result<Vec<Row>> {
    let mut rows = vec![through::run(settings).await?];
    rows.extend(messages::run(settings).await?);
    rows.push(stock::run(settings).await?);
    rows.extend(wire::run(settings).await?);
    Ok(rows)
}
