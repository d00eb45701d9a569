//! The suite every export driver passes.

mod deals;
mod file;
mod jetstream;

use std::sync::Arc;

use async_trait::async_trait;
use domain::{Event, Kind, Owner, Timestamp};

use super::Export;
use crate::Fault;

/// The journal's epoch: the greatest there can be.
const EPOCH: u64 = i64::MAX.cast_unsigned();

/// What the suite needs of a driver: one empty target per harness.
#[async_trait]
pub trait Harness: Send + Sync {
    /// Opens the target: empty at first, the same one afterwards.
    async fn open(&self) -> Arc<dyn Export> {
        self.open_at(EPOCH).await.expect("opens")
    }

    /// The same for a journal of this epoch.
    async fn open_at(&self, epoch: u64) -> Result<Arc<dyn Export>, Fault>;

    /// The `seq` of everything out there, in its order.
    async fn sent(&self) -> Vec<u64>;
}

fn event(seq: u64) -> Event {
    Event {
        seq,
        kind: Kind::Swap,
        id: format!("id-{seq}"),
        version: 1,
        type_: "swap.pending".to_owned(),
        owner: Owner::parse("alice").expect("a plain name"),
        party: None,
        body: format!("{{\"n\":{seq},\n\"text\":\"a\\nb\"}}"),
        at: Timestamp(1_795_000_000_123_456),
    }
}

fn events(seqs: impl IntoIterator<Item = u64>) -> Vec<Event> {
    seqs.into_iter().map(event).collect()
}

/// Nothing is out there at first.
pub async fn starts_at_zero(harness: &dyn Harness) {
    let export = harness.open().await;
    assert_eq!(export.position().await, Ok(Some(0)));
    assert_eq!(export.send(&[]).await, Ok(()));
    assert_eq!(export.position().await, Ok(Some(0)));
}

/// The position follows what was sent, and the order holds.
pub async fn position_follows(harness: &dyn Harness) {
    let export = harness.open().await;
    export.send(&events(1..=3)).await.expect("sent");
    assert_eq!(export.position().await, Ok(Some(3)));
    // Not every event of the log has to be exported.
    export.send(&events([5, 9])).await.expect("sent");
    assert_eq!(export.position().await, Ok(Some(9)));
    assert_eq!(harness.sent().await, [1, 2, 3, 5, 9]);
}

/// What was sent before is passed over.
pub async fn repeated_events_are_passed_over(harness: &dyn Harness) {
    let export = harness.open().await;
    export.send(&events(1..=4)).await.expect("sent");
    export.send(&events(2..=6)).await.expect("sent");
    export.send(&events(1..=6)).await.expect("sent");
    assert_eq!(harness.sent().await, [1, 2, 3, 4, 5, 6]);
}

/// The position is out there, not in the process.
pub async fn position_holds_after_reopening(harness: &dyn Harness) {
    let export = harness.open().await;
    export.send(&events(1..=500)).await.expect("sent");
    drop(export);
    let export = harness.open().await;
    assert_eq!(export.position().await, Ok(Some(500)));
    export.send(&events(499..=502)).await.expect("sent");
    assert_eq!(harness.sent().await, (1..=502).collect::<Vec<_>>());
}

/// A journal of another epoch has other events under the same numbers: they are neither passed over nor mixed in.
pub async fn another_epoch_is_refused(harness: &dyn Harness) {
    drop(harness.open_at(EPOCH - 1).await.expect("nothing is out there"));
    let export = harness.open().await;
    export.send(&events(1..=5)).await.expect("sent");
    drop(export);
    let refused = harness.open_at(EPOCH - 1).await.map(drop);
    assert!(matches!(refused, Err(Fault::Unavailable(_))), "{refused:?}");
    assert_eq!(harness.open().await.position().await, Ok(Some(5)));
    assert_eq!(harness.sent().await, [1, 2, 3, 4, 5]);
}

/// Bodies of the greatest size go through.
pub async fn long_bodies_go_through(harness: &dyn Harness) {
    let export = harness.open().await;
    let body = format!("{{\"x\":\"{}\"}}", "y".repeat(Event::BODY_LIMIT - 8));
    assert_eq!(body.len(), Event::BODY_LIMIT);
    let long: Vec<Event> = (1..=20).map(|seq| Event { body: body.clone(), ..event(seq) }).collect();
    export.send(&long).await.expect("sent");
    drop(export);
    assert_eq!(harness.open().await.position().await, Ok(Some(20)));
    assert_eq!(harness.sent().await.len(), 20);
}

/// The suite on one driver: a test per case, each with a new harness.
macro_rules! suite {
    ($harness:expr) => {
        suite!(@cases $harness;
            starts_at_zero, position_follows, repeated_events_are_passed_over, position_holds_after_reopening,
            another_epoch_is_refused, long_bodies_go_through);
    };
    (@cases $harness:expr; $($name:ident),*) => {
        $(#[tokio::test]
        async fn $name() {
            crate::export::conformance::$name(&$harness).await;
        })*
    };
}
use suite;
