//! Many at once, on both nodes.

use std::collections::BTreeSet;
use std::sync::Mutex;

use futures_util::future::join_all;

use super::*;

const GROUPS: usize = 10;
const PER_GROUP: usize = 20;

pub(super) async fn many_receivers_get_every_message_once_and_every_group_in_order(nodes: &Nodes<'_>) {
    nodes.make("q.fifo", &[]).await;
    let (account, got) = (&nodes.account, &Mutex::new(vec![Vec::new(); GROUPS]));
    let total = || got.lock().expect("no panic").iter().map(Vec::len).sum::<usize>();
    let send = async |node: usize| {
        for number in 0..PER_GROUP {
            let of_this_node = (0..GROUPS).filter(|group| group % 2 == node);
            let batch = of_this_node.map(|group| ordered(&group.to_string(), &format!("{group}:{number}"))).collect();
            nodes.queues()[node].send(account, "q.fifo", batch).await.expect("sent");
        }
    };
    let take = async |node: usize| {
        while total() < GROUPS * PER_GROUP {
            let received = nodes.queues()[node].receive(account, "q.fifo", Wish { max: 3, ..ten(3_600, 1) }).await;
            let received = received.expect("received");
            for one in &received {
                let (group, number) = one.message.body.split_once(':').expect("two numbers");
                let (group, number): (usize, usize) = (group.parse().expect("one"), number.parse().expect("one"));
                got.lock().expect("no panic")[group].push(number);
            }
            let handles: Vec<String> = received.into_iter().map(|one| one.handle).collect();
            for deleted in nodes.queues()[node].delete_messages(account, "q.fifo", &handles).await.expect("answered") {
                assert_eq!(deleted, Ok(()));
            }
        }
    };
    tokio::join!(join_all((0..2).map(send)), join_all((0..8).map(|n| take(n % 2))));
    let in_order: Vec<usize> = (0..PER_GROUP).collect();
    assert!(got.lock().expect("no panic").iter().all(|group| *group == in_order), "{got:?}");
}

pub(super) async fn nothing_is_sent_into_a_purged_generation(nodes: &Nodes<'_>) {
    nodes.make("q", &[]).await;
    let (account, generations) = (&nodes.account, &Mutex::new(BTreeSet::new()));
    let send = async |node: usize| {
        for number in 0..40 {
            let sent = nodes.queues()[node].send(account, "q", vec![text(&number.to_string())]).await;
            sent.expect("sent").remove(0).expect("taken");
        }
    };
    let purge = async {
        for _ in 0..6 {
            let purged = nodes.one.queues.purge(account, "q").await.expect("purged");
            generations.lock().expect("no panic").extend(purged.body.old.clone());
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::join!(join_all((0..4).map(|n| send(n % 2))), purge);
    let generations: Vec<String> = generations.lock().expect("no panic").iter().cloned().collect();
    assert_eq!(generations.len(), 6);
    until("all that was sent before a purge is cleared away", async || {
        let left = generations.iter().map(|one| nodes.one.journal.jobs(one, 0, 1));
        join_all(left).await.into_iter().all(|jobs| jobs.expect("jobs").is_empty())
    })
    .await;
}
