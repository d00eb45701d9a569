//! The suite every export driver passes. Each case takes a fresh [`Stage`].

use std::sync::Arc;

use domain::{Event, Kind, Owner, Timestamp};

use super::{Export, open};

/// A destination that nobody has sent anything to.
pub struct Stage {
    /// Opens it, as often as one likes.
    pub url: String,
    /// The numbers of the events that are out there, in their order.
    pub arrived: Box<dyn Fn() -> Vec<u64> + Send + Sync>,
}

impl Stage {
    async fn open(&self) -> Arc<dyn Export> {
        open(&self.url).await.expect("an export")
    }
}

/// An event of that number.
///
/// # Panics
/// Never: the owner's name is a good one.
#[must_use]
pub fn event(seq: u64) -> Event {
    Event {
        seq,
        kind: Kind::Swap,
        id: format!("00000000-0000-7000-8000-{seq:012}"),
        version: 1,
        type_: "swap.pending".to_owned(),
        owner: Owner::parse("trader-1").expect("a name"),
        body: format!(r#"{{"id":"order {seq}","note":"line\nbreak, ünïcode"}}"#),
        at: Timestamp(1_800_000_000_000_000),
    }
}

fn events(from: u64, to: u64) -> Vec<Event> {
    (from..=to).map(event).collect()
}

/// A fresh destination is at 0, and sending nothing changes nothing.
pub async fn begins_with_nothing(stage: &Stage) {
    let export = stage.open().await;
    export.send(&[]).await.expect("nothing sent");
    assert_eq!(export.position().await, Ok(0));
    assert_eq!((stage.arrived)(), [0; 0]);
}

/// Every event arrives once, in order, and the position is that of the newest.
pub async fn keeps_order_and_position(stage: &Stage) {
    let export = stage.open().await;
    for (from, to) in [(1, 1), (2, 500), (501, 502)] {
        export.send(&events(from, to)).await.expect("sent");
        assert_eq!(export.position().await, Ok(to));
    }
    assert_eq!((stage.arrived)(), (1..=502).collect::<Vec<_>>());
}

/// What was sent before does not arrive again.
pub async fn passes_over_what_is_there(stage: &Stage) {
    let export = stage.open().await;
    for to in [3, 2, 3, 5, 5] {
        export.send(&events(1, to)).await.expect("sent");
    }
    assert_eq!((stage.arrived)(), [1, 2, 3, 4, 5]);
    assert_eq!(export.position().await, Ok(5));
}

/// A process that begins anew finds the position where it was.
pub async fn remembers_over_restarts(stage: &Stage) {
    for to in 1..=4 {
        let export = stage.open().await;
        assert_eq!(export.position().await, Ok(to - 1));
        export.send(&events(1, to)).await.expect("sent");
    }
    assert_eq!((stage.arrived)(), [1, 2, 3, 4]);
}
