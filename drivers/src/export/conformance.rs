//! The suite every export driver passes, and what the file driver has to show beyond it.

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
    assert_eq!(export.position().await, Ok(0));
    assert_eq!(export.send(&[]).await, Ok(()));
    assert_eq!(export.position().await, Ok(0));
}

/// The position follows what was sent, and the order holds.
pub async fn position_follows(harness: &dyn Harness) {
    let export = harness.open().await;
    export.send(&events(1..=3)).await.expect("sent");
    assert_eq!(export.position().await, Ok(3));
    // Not every event of the log has to be exported.
    export.send(&events([5, 9])).await.expect("sent");
    assert_eq!(export.position().await, Ok(9));
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
    assert_eq!(export.position().await, Ok(500));
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
    assert_eq!(harness.open().await.position().await, Ok(5));
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
    assert_eq!(harness.open().await.position().await, Ok(20));
    assert_eq!(harness.sent().await.len(), 20);
}

mod file {
    use std::io::Write;

    use super::*;

    struct Files(tempfile::TempDir);

    impl Files {
        fn new() -> Self {
            Self(tempfile::TempDir::new().unwrap())
        }

        fn path(&self) -> std::path::PathBuf {
            self.0.path().join("made/events.jsonl")
        }

        fn write(&self, text: &str) {
            let mut file = std::fs::OpenOptions::new().create(true).append(true).open(self.path()).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        }
    }

    #[async_trait]
    impl Harness for Files {
        async fn open_at(&self, epoch: u64) -> Result<Arc<dyn Export>, Fault> {
            crate::export::open(&format!("file:{}", self.path().display()), epoch).await
        }

        async fn sent(&self) -> Vec<u64> {
            let text = std::fs::read_to_string(self.path()).unwrap();
            let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
            lines.map(|line| line["seq"].as_u64().unwrap()).collect()
        }
    }

    macro_rules! tests {
        ($($name:ident),*) => {
            $(#[tokio::test]
            async fn $name() {
                super::$name(&Files::new()).await;
            })*
        };
    }
    tests!(
        starts_at_zero,
        position_follows,
        repeated_events_are_passed_over,
        position_holds_after_reopening,
        another_epoch_is_refused,
        long_bodies_go_through
    );

    #[tokio::test]
    async fn torn_line_is_cut_off() {
        for torn in ["{", r#"{"seq":3,"kind":"sw"#, r#"{"seq":3,"data":{}}"#] {
            let files = Files::new();
            files.open().await.send(&events(1..=2)).await.unwrap();
            files.write(torn);
            let export = files.open().await;
            assert_eq!(export.position().await, Ok(2), "{torn}");
            export.send(&events(1..=4)).await.unwrap();
            assert_eq!(files.sent().await, [1, 2, 3, 4]);
        }
    }

    #[tokio::test]
    async fn other_files_are_left_alone() {
        for text in [
            "{\"seq\":1}\n",
            "{\"seq\":1,\"position\":\"7-2\"}\n",
            "my diary\n",
            "my diary",
            "[1]\n",
            "{\"seq\":1}\nmy diary",
        ] {
            let files = Files::new();
            drop(files.open().await);
            files.write(text);
            let refused = files.open_at(EPOCH).await.map(drop);
            assert!(matches!(refused, Err(Fault::Unavailable(said)) if said.contains("no exported event")), "{text}");
            assert_eq!(std::fs::read_to_string(files.path()).unwrap(), text);
        }
    }

    #[tokio::test]
    async fn line_has_every_field() {
        let files = Files::new();
        files.open().await.send(&events([7])).await.unwrap();
        let text = std::fs::read_to_string(files.path()).unwrap();
        let expected = concat!(
            r#"{"seq":7,"position":"9223372036854775807-7","kind":"swap","id":"id-7","version":1,"type":"swap.pending","owner":"alice","#,
            r#""at":"2026-11-18T11:06:40.123456Z","data":{"n":7, "text":"a\nb"}}"#,
            "\n"
        );
        assert_eq!(text, expected);
    }
}
