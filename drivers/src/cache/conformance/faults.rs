//! Several nodes on one Redis, and a Redis that is away, slow, emptied or older than it was.

use std::sync::Arc;
use std::time::Duration;

use redis::Commands;
use testbed::Redis;

use super::races::{crowd, crowd_of_lists};
use super::redis_at;
use super::truth::{BEGINNING, KEY, PATIENCE, Slow, Truth, entry, stale, until};
use crate::cache::{Cache, open};
use crate::journal::Head;

/// A second connection to look and to meddle with.
fn meddler(server: &Redis) -> redis::Connection {
    let client = redis::Client::open(server.url()).expect("a client");
    client.get_connection().expect("a connection")
}

async fn node(server: &Redis) -> Arc<dyn Cache> {
    redis_at(&server.url(), "prefix=nodes:").await
}

/// Waits until a node uses Redis: a read finds what an earlier one filled in.
async fn in_use(node: &dyn Cache) {
    let truth = Truth::default();
    until("the node uses Redis", async || {
        let hits = node.statistics().hits;
        truth.read(node, "swap:probe").await;
        truth.read(node, "swap:probe").await;
        node.statistics().hits > hits
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_reads_what_another_wrote() {
    let server = Redis::start();
    let (a, b, truth) = (node(&server).await, node(&server).await, Truth::default());
    truth.write(KEY, 1);
    assert_eq!(truth.read(&*a, KEY).await, entry(1));
    assert_eq!(truth.read(&*b, KEY).await, entry(1));
    assert_eq!(truth.loads(), 1, "they share");
    truth.write(KEY, 2);
    a.invalidate(&stale(KEY, 2)).await;
    assert_eq!(truth.read(&*b, KEY).await, entry(2));
    a.clear().await;
    truth.write(KEY, 3);
    assert_eq!(truth.read(&*b, KEY).await, entry(3));
}

/// A reader on one node is in its load while a write is answered on the other.
#[tokio::test(flavor = "multi_thread")]
async fn a_load_on_one_node_meets_a_write_on_another() {
    let server = Redis::start();
    let (a, b, truth) = (node(&server).await, node(&server).await, Truth::default());
    let slow = Slow::new(1);
    let (load, reading) = (Arc::clone(&slow), Arc::clone(&a));
    let reader = tokio::spawn(async move { reading.read(KEY, &*load).await });
    slow.has_begun().await;
    truth.write(KEY, 2);
    b.invalidate(&stale(KEY, 2)).await;
    assert_eq!(truth.read(&*a, KEY).await, entry(2), "joined a load that began before the write");
    slow.go_on.add_permits(1);
    reader.await.expect("no panic").expect("a read");
    for node in [&a, &b] {
        assert_eq!(truth.read(&**node, KEY).await, entry(2));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reads_what_is_older_on_two_nodes() {
    let server = Redis::start();
    let nodes = [node(&server).await, node(&server).await, node(&server).await];
    crowd(&nodes, 1_500).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reads_a_list_that_is_older_on_two_nodes() {
    let server = Redis::start();
    let nodes = [node(&server).await, node(&server).await, node(&server).await];
    crowd_of_lists(&nodes, 1_500).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_was_killed_comes_back_empty() {
    let server = Redis::start();
    let (a, b, truth) = (node(&server).await, node(&server).await, Truth::default());
    truth.write(KEY, 1);
    truth.read(&*a, KEY).await;
    let slow = Slow::new(1);
    let (load, reading) = (Arc::clone(&slow), Arc::clone(&b));
    let reader = tokio::spawn(async move { reading.read("swap:slow", &*load).await });
    slow.has_begun().await;

    server.kill();
    truth.write(KEY, 2);
    truth.write("swap:slow", 2);
    a.invalidate(&stale(KEY, 2)).await;
    a.invalidate(&stale("swap:slow", 2)).await;
    assert_eq!(truth.read(&*a, KEY).await, entry(2), "without Redis");
    server.restart();
    in_use(&*a).await;
    in_use(&*b).await;
    slow.go_on.add_permits(1);
    reader.await.expect("no panic").expect("a read");
    for node in [&a, &b] {
        assert_eq!(truth.read(&**node, KEY).await, entry(2));
        assert_eq!(truth.read(&**node, "swap:slow").await, entry(2), "filled with a lease that Redis forgot");
    }
    assert!(a.statistics().errors > 0);
}

/// The answer to a write does not wait for a Redis that has stopped, and the old value is not read when it goes on.
#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_told_is_owed() {
    let server = Redis::start();
    let a = redis_at(&server.url(), "prefix=nodes:&deadline_millis=200").await;
    let (b, truth) = (node(&server).await, Truth::default());
    truth.write(KEY, 1);
    truth.read(&*b, KEY).await;
    truth.read(&*b, KEY).await;

    server.pause();
    truth.write(KEY, 2);
    tokio::time::timeout(PATIENCE, a.invalidate(&stale(KEY, 2))).await.expect("an end");
    for _ in 0..5 {
        assert_eq!(truth.read(&*a, KEY).await, entry(2));
    }
    server.resume();
    until("it is paid", async || {
        assert_eq!(truth.read(&*a, KEY).await, entry(2));
        // The other node's own view of it: until then it may read the old value, but not for ever.
        truth.read(&*b, KEY).await == entry(2)
    })
    .await;
    in_use(&*a).await;
    assert_eq!(truth.read(&*a, KEY).await, entry(2));
}

/// The caller of an invalidation goes away in the middle of it.
#[tokio::test(flavor = "multi_thread")]
async fn an_invalidation_that_is_dropped_is_owed() {
    let server = Redis::start();
    let (a, truth) = (node(&server).await, Truth::default());
    truth.write(KEY, 1);
    truth.read(&*a, KEY).await;
    server.pause();
    truth.write(KEY, 2);
    let cut = tokio::time::timeout(Duration::from_millis(50), a.invalidate(&stale(KEY, 2))).await;
    assert!(cut.is_err(), "it was not cut off");
    assert_eq!(truth.read(&*a, KEY).await, entry(2));
    server.resume();
    in_use(&*a).await;
    assert_eq!(truth.read(&*a, KEY).await, entry(2));
}

/// A server that begins with an old copy of its memory, as after a crash with snapshots, has forgotten invalidations.
#[tokio::test(flavor = "multi_thread")]
async fn the_memory_of_another_run_is_not_believed() {
    let server = Redis::start();
    let (a, truth) = (node(&server).await, Truth::default());
    truth.write(KEY, 1);
    truth.read(&*a, KEY).await;
    truth.write(KEY, 2);
    let mut meddler = meddler(&server);
    let _: () = meddler.set("nodes:cache1:run", "an earlier run").expect("set");
    assert_eq!(truth.read(&*a, KEY).await, entry(1), "nobody told the cache");
    let _: () =
        redis::cmd("CLIENT").arg(&["KILL", "TYPE", "normal", "SKIPME", "yes"]).query(&mut meddler).expect("cut");
    until("it connects anew", async || truth.read(&*a, KEY).await == entry(2)).await;
    in_use(&*a).await;
    assert_eq!(truth.read(&*a, KEY).await, entry(2));
}

/// Everything but the entries is lost, as when memory is short.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_generation_loses_its_entries() {
    let server = Redis::start();
    let (a, truth) = (node(&server).await, Truth::default());
    truth.write(KEY, 1);
    truth.read(&*a, KEY).await;
    truth.write(KEY, 2);
    let _: () = meddler(&server).del("nodes:cache1:generation").expect("deleted");
    assert_eq!(truth.read(&*a, KEY).await, entry(2));
}

/// A process that died between its commit and its invalidation: the next one finds it in the log.
#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_told_is_found_in_the_log() {
    let server = Redis::start();
    let truth = Truth::default();
    {
        let dies = node(&server).await;
        truth.write(KEY, 1);
        truth.read(&*dies, KEY).await;
        dies.follow(&stale(KEY, 1), 40).await;
    }
    truth.write(KEY, 2);
    let next = open(&format!("{}?prefix=nodes:&deadline_millis=10000", server.url())).await.expect("a cache");
    assert_eq!(truth.read(&*next, KEY).await, entry(2), "before it has followed the log");
    let head = Head { seq: 50, ..BEGINNING };
    assert_eq!(next.resume(head).await, 40);
    assert_eq!(truth.read(&*next, KEY).await, entry(2), "before it has caught up");
    next.follow(&stale(KEY, 2), 50).await;
    in_use(&*next).await;
    assert_eq!(truth.read(&*next, KEY).await, entry(2));

    for other in [Head { seq: 20_000, ..BEGINNING }, Head { epoch: 8, ..head }, Head { seq: 3, ..BEGINNING }] {
        truth.write(KEY, 1);
        let node = open(&format!("{}?prefix=nodes:&deadline_millis=10000", server.url())).await.expect("a cache");
        assert_eq!(node.resume(other).await, other.seq, "too far behind, or of another history");
        in_use(&*node).await;
        assert_eq!(truth.read(&*node, KEY).await, entry(1), "what was cached before is forgotten");
    }
}
