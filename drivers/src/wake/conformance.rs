//! The suite every wake driver passes. A harness makes two ports that hear each other, as two processes would.

mod drivers;
mod remote;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{Notify, watch};

use super::{Hint, Wake};

/// How long a hint may take in a test.
const DEADLINE: Duration = Duration::from_secs(20);

/// What the suite needs of a driver.
#[async_trait]
pub trait Harness: Send + Sync {
    /// Two ports of one installation. Each call makes a new one: nobody else sends to it.
    async fn pair(&self) -> Pair;
}

/// Two ports of one installation. Within one process they are the same.
pub struct Pair {
    /// Where a case sends.
    pub here: Arc<dyn Wake>,
    /// Where it listens.
    pub there: Arc<dyn Wake>,
}

fn hint(head: u64, queues: &[&str]) -> Hint {
    Hint { head, queues: queues.iter().map(|queue| (*queue).to_owned()).collect() }
}

async fn reaches(head: &mut watch::Receiver<u64>, number: u64) {
    let reached = tokio::time::timeout(DEADLINE, head.wait_for(|head| *head >= number)).await;
    reached.expect("a hint").expect("the port lives");
}

async fn woken(queue: &Notify) {
    tokio::time::timeout(DEADLINE, queue.notified()).await.expect("a hint");
}

/// The head's followers see it rise and never fall; a hint that comes late changes nothing.
pub async fn head_rises_only(pair: Pair) {
    let (mut head, queue) = (pair.there.head(), pair.there.queue("q"));
    pair.here.send(&hint(5, &[]));
    reaches(&mut head, 5).await;
    pair.here.send(&hint(3, &[]));
    pair.here.send(&hint(0, &["q"]));
    // The late hint has come with it or before it.
    woken(&queue).await;
    assert_eq!(*head.borrow(), 5);
    pair.here.send(&hint(6, &[]));
    reaches(&mut head, 6).await;
    assert_eq!(*head.borrow(), 6);
}

/// A follower that comes late learns the head from the next hint at the latest.
pub async fn late_follower_hears_the_head(pair: Pair) {
    pair.here.send(&hint(8, &[]));
    let mut head = pair.there.head();
    pair.here.send(&hint(9, &[]));
    reaches(&mut head, 9).await;
}

/// A hint that comes after registering is not lost, even if it comes before the waiting; nobody else is woken by it.
pub async fn registered_queue_is_woken(pair: Pair) {
    let (queue, other) = (pair.there.queue("q"), pair.there.queue("other"));
    let notified = queue.notified();
    pair.here.send(&hint(0, &["q"]));
    tokio::time::timeout(DEADLINE, notified).await.expect("a hint");
    let silence = tokio::time::timeout(Duration::from_millis(50), other.notified()).await;
    assert!(silence.is_err(), "a hint about another queue");
}

/// Who sends hears it at once, without waiting for any server.
pub async fn sender_hears_itself_at_once(pair: Pair) {
    let (head, queue) = (pair.here.head(), pair.here.queue("q"));
    pair.here.send(&hint(4, &["q"]));
    assert_eq!(*head.borrow(), 4);
    let notified = futures_util::FutureExt::now_or_never(queue.notified());
    assert!(notified.is_some(), "the sender's own queue is woken before the call returns");
}

/// Both ports send and hear.
pub async fn hints_go_both_ways(pair: Pair) {
    let (mut here, mut there) = (pair.here.head(), pair.there.head());
    pair.here.send(&hint(1, &[]));
    reaches(&mut there, 1).await;
    pair.there.send(&hint(2, &[]));
    reaches(&mut here, 2).await;
}

/// A hint that is sent twice, and one of the past, are as harmless as they are useless.
pub async fn doubled_and_late_hints_are_harmless(pair: Pair) {
    let (mut head, queue) = (pair.there.head(), pair.there.queue("q"));
    for number in [1, 2, 2, 1, 3, 3, 2] {
        pair.here.send(&hint(number, &["q"]));
        woken(&queue).await;
    }
    reaches(&mut head, 3).await;
    assert_eq!(*head.borrow(), 3);
}

/// Many hints that nobody waited for wake few times.
pub async fn burst_wakes_few_times(pair: Pair) {
    let queue = pair.there.queue("q");
    for _ in 0..100 {
        pair.here.send(&hint(0, &["q"]));
    }
    woken(&queue).await;
    // Between processes the burst may come in pieces; in one it is one piece.
    let mut more = 0;
    while tokio::time::timeout(Duration::from_millis(50), queue.notified()).await.is_ok() {
        more += 1;
        assert!(more < 50, "the burst was not joined");
    }
}

/// However many queues, and however long their names: each is woken.
pub async fn every_one_of_many_queues_is_woken(pair: Pair) {
    for (head, length) in [(1, 5), (2, 3_000)] {
        let names: Vec<String> = (0..500).map(|n| format!("{n:0length$}")).collect();
        let queues: Vec<_> = names.iter().map(|name| pair.there.queue(name)).collect();
        for name in &names {
            pair.here.send(&hint(head, &[name]));
        }
        for queue in queues {
            woken(&queue).await;
        }
    }
}
