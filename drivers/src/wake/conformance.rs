//! The suite every wake driver passes.

use std::sync::Arc;
use std::time::Duration;

use super::{Hint, Wake};

/// How long a hint may take in a test.
const DEADLINE: Duration = Duration::from_secs(20);

fn hint(head: u64, queues: &[&str]) -> Hint {
    Hint { head, queues: queues.iter().map(|queue| (*queue).to_owned()).collect() }
}

/// The head's followers see it rise and never fall.
pub async fn head_rises_only(wake: Arc<dyn Wake>) {
    let mut head = wake.head();
    wake.send(&hint(5, &[]));
    wake.send(&hint(3, &[]));
    wake.send(&hint(0, &["q"]));
    tokio::time::timeout(DEADLINE, head.wait_for(|head| *head >= 5)).await.expect("a hint").expect("the port lives");
    assert_eq!(*head.borrow(), 5);
    wake.send(&hint(6, &[]));
    tokio::time::timeout(DEADLINE, head.wait_for(|head| *head == 6)).await.expect("a hint").expect("the port lives");
}

/// A follower that comes late learns the head from the next hint at the latest.
pub async fn late_follower_hears_the_head(wake: Arc<dyn Wake>) {
    wake.send(&hint(8, &[]));
    let mut head = wake.head();
    wake.send(&hint(9, &[]));
    tokio::time::timeout(DEADLINE, head.wait_for(|head| *head == 9)).await.expect("a hint").expect("the port lives");
}

/// A hint that comes after registering is not lost, even if it comes before the waiting.
pub async fn registered_queue_is_woken(wake: Arc<dyn Wake>) {
    let queue = wake.queue("q");
    let other = wake.queue("other");
    let notified = queue.notified();
    wake.send(&hint(0, &["q"]));
    tokio::time::timeout(DEADLINE, notified).await.expect("a hint");
    let silence = tokio::time::timeout(Duration::from_millis(50), other.notified()).await;
    assert!(silence.is_err(), "a hint about another queue");
}

/// Many hints that nobody waited for wake once.
pub async fn burst_wakes_once(wake: Arc<dyn Wake>) {
    let queue = wake.queue("q");
    for _ in 0..100 {
        wake.send(&hint(0, &["q"]));
    }
    tokio::time::timeout(DEADLINE, queue.notified()).await.expect("a hint");
    // A remote driver may deliver the burst in pieces; in one process it is one piece.
    let mut more = 0;
    while tokio::time::timeout(Duration::from_millis(50), queue.notified()).await.is_ok() {
        more += 1;
        assert!(more < 50, "the burst was not joined");
    }
}

mod local {
    use crate::wake::open;

    #[tokio::test]
    async fn head_rises_only() {
        super::head_rises_only(open("local").unwrap()).await;
    }

    #[tokio::test]
    async fn late_follower_hears_the_head() {
        super::late_follower_hears_the_head(open("local").unwrap()).await;
    }

    #[tokio::test]
    async fn registered_queue_is_woken() {
        super::registered_queue_is_woken(open("local").unwrap()).await;
    }

    #[tokio::test]
    async fn burst_wakes_once() {
        super::burst_wakes_once(open("local").unwrap()).await;
    }

    #[test]
    fn unknown_urls_are_refused() {
        assert!(open("nowhere").is_err());
    }
}
