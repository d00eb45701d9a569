//! From commit to frame.

use super::report::Row;
use crate::config::Bench;

pub(crate) async fn run(_settings: &Bench) -> anyhow::Result<Vec<Row>> {
    Ok(Vec::new())
}
