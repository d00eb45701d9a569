//! Orders read back at every server: whatever a cache holds, an order that has ended is read as it ended.

use futures_util::{StreamExt, stream};
use serde_json::Value;

use crate::proof::Market;
use crate::proof::PATIENCE;
use crate::proof::seen::Log;

/// Requests on their way at once.
const AT_ONCE: usize = 16;
/// The most orders that are read at each server, evenly over the run.
const MOST: usize = 4_000;

/// What does not hold.
pub(super) async fn stale(market: &Market, logs: &[Log]) -> Vec<String> {
    let ends = logs.iter().flat_map(|log| log.events.iter().map(|event| (log.account, event)));
    let ends: Vec<_> = ends.filter_map(|(account, event)| Some((account, event, event.end.as_deref()?))).collect();
    let some = ends.iter().step_by(ends.len().div_ceil(MOST).max(1));
    let each = some.flat_map(|end| (0..market.fronts.count()).map(move |turn| (turn, end)));
    let asked = each.map(|(turn, (account, event, end))| async move {
        let base = market.fronts.url(turn, PATIENCE).await;
        let request = market.client.get(format!("{base}/v1/swaps/{}", event.id)).header("x-account", *account);
        let found = request.send().await.expect("an answer").text().await.expect("an answer");
        let found: Value = serde_json::from_str(&found).expect("JSON");
        let end: Value = serde_json::from_str(end).expect("JSON");
        let same = found["version"] == event.version && found["status"] == end["status"];
        (!same).then(|| format!("order {} ended as {end}, and is read as {found}", event.id))
    });
    stream::iter(asked).buffer_unordered(AT_ONCE).filter_map(async |finding| finding).collect().await
}
