//! Readers and writers at the same time, with the dangerous orders forced.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::task::JoinHandle;

use super::truth::{KEY, PATIENCE, Slow, Truth, entry, stale, until, value};
use crate::Fault;
use crate::cache::{Cache, Entry, Load};

/// A reader whose load has read `version` and has not yet said so.
async fn reader_in_its_load(cache: &Arc<dyn Cache>, version: u64) -> (Arc<Slow>, JoinHandle<Result<Entry, Fault>>) {
    reader_from(cache, 0, version).await
}

/// The same of one who wants nothing older than `least`.
async fn reader_from(
    cache: &Arc<dyn Cache>,
    least: u64,
    version: u64,
) -> (Arc<Slow>, JoinHandle<Result<Entry, Fault>>) {
    let (slow, cache) = (Slow::new(version), Arc::clone(cache));
    let load = Arc::clone(&slow);
    let reader = tokio::spawn(async move { cache.read_from(KEY, least, &*load).await });
    slow.has_begun().await;
    (slow, reader)
}

async fn ended(reader: JoinHandle<Result<Entry, Fault>>) -> Entry {
    tokio::time::timeout(PATIENCE, reader).await.expect("in time").expect("no panic").expect("a read")
}

/// Read, then write and invalidate, then fill: the fill comes too late.
pub(super) async fn a_slow_load_fills_nothing_stale_in(cache: Arc<dyn Cache>) {
    let (truth, refused) = (Truth::default(), cache.statistics().fills_refused);
    let (slow, reader) = reader_in_its_load(&cache, 1).await;
    truth.write(KEY, 2);
    cache.invalidate(&stale(KEY, 2)).await;
    slow.go_on.add_permits(1);
    assert_eq!(ended(reader).await, entry(1), "it began before the write was answered");
    assert_eq!(truth.read(&*cache, KEY).await, entry(2));
    assert_eq!(truth.read(&*cache, KEY).await, entry(2));
    assert_eq!(cache.statistics().fills_refused, refused + 1);
}

pub(super) async fn a_slow_load_fills_nothing_in_after_a_put(cache: Arc<dyn Cache>) {
    let truth = Truth::default();
    let (slow, reader) = reader_in_its_load(&cache, 1).await;
    truth.write(KEY, 2);
    cache.put(KEY, 2, value(2)).await;
    slow.go_on.add_permits(1);
    ended(reader).await;
    assert_eq!(truth.read(&*cache, KEY).await, entry(2));
}

pub(super) async fn a_slow_load_finds_nothing_that_exists_by_now(cache: Arc<dyn Cache>) {
    let truth = Truth::default();
    let (slow, reader) = reader_in_its_load(&cache, 0).await;
    truth.write(KEY, 1);
    cache.invalidate(&stale(KEY, 1)).await;
    slow.go_on.add_permits(1);
    assert_eq!(ended(reader).await, entry(0));
    assert_eq!(truth.read(&*cache, KEY).await, entry(1));
}

/// Joining it would answer with what was there before the write.
pub(super) async fn a_load_begun_before_the_write_is_not_joined(cache: Arc<dyn Cache>) {
    let truth = Truth::default();
    let (slow, reader) = reader_in_its_load(&cache, 1).await;
    truth.write(KEY, 2);
    cache.invalidate(&stale(KEY, 2)).await;
    let second = tokio::time::timeout(PATIENCE, truth.read(&*cache, KEY)).await;
    assert_eq!(second.expect("it does not wait for the first"), entry(2));
    slow.go_on.add_permits(1);
    ended(reader).await;
    assert_eq!(truth.read(&*cache, KEY).await, entry(2));
    assert_eq!(truth.loads(), 1);
}

pub(super) async fn a_slow_load_fills_nothing_in_after_a_clear(cache: Arc<dyn Cache>) {
    let truth = Truth::default();
    let (slow, reader) = reader_in_its_load(&cache, 1).await;
    truth.write(KEY, 2);
    cache.clear().await;
    slow.go_on.add_permits(1);
    ended(reader).await;
    assert_eq!(truth.read(&*cache, KEY).await, entry(2));
}

pub(super) async fn many_readers_make_one_load(cache: Arc<dyn Cache>) {
    let mut version = 0;
    // Those who begin too late to join find the value; so it is tried until some did join.
    until("readers join", async || {
        let joined = cache.statistics().joined;
        version += 1;
        cache.invalidate(&stale(KEY, version)).await;
        let (slow, first) = reader_in_its_load(&cache, version).await;
        let mut readers = vec![first];
        for _ in 0..20 {
            let (cache, load) = (Arc::clone(&cache), Arc::clone(&slow));
            readers.push(tokio::spawn(async move { cache.read(KEY, &*load).await }));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        // One permit: a second load would wait for ever.
        slow.go_on.add_permits(1);
        for reader in readers {
            assert_eq!(ended(reader).await, entry(version));
        }
        assert_eq!(slow.began.available_permits(), 0, "one load");
        cache.statistics().joined > joined
    })
    .await;
}

pub(super) async fn a_slow_load_fills_nothing_in_after_a_removal(cache: Arc<dyn Cache>) {
    let truth = Truth::default();
    let (slow, reader) = reader_in_its_load(&cache, 1).await;
    truth.write(KEY, 2);
    assert_eq!(cache.remove(KEY).await, Ok(false), "there is nothing yet");
    slow.go_on.add_permits(1);
    ended(reader).await;
    assert_eq!(truth.read(&*cache, KEY).await, entry(2));
}

/// Nor does it take the place of what is newer.
pub(super) async fn a_load_of_something_older_than_asked_for_is_not_taken(cache: Arc<dyn Cache>) {
    let truth = Arc::new(Truth::default());
    let (slow, first) = reader_from(&cache, 1, 1).await;
    truth.write(KEY, 2);
    let (reading, loads) = (Arc::clone(&cache), Arc::clone(&truth));
    let second = tokio::spawn(async move { reading.read_from(KEY, 2, &loads.of(KEY)).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    slow.go_on.add_permits(1);
    assert_eq!(ended(first).await, entry(1));
    assert_eq!(ended(second).await, entry(2));
    for least in [0, 1, 2] {
        assert_eq!(truth.read_from(&*cache, KEY, least).await, entry(2), "from {least}");
    }
    assert_eq!(truth.loads(), 1);
}

pub(super) async fn many_readers_from_a_version_make_one_load(cache: Arc<dyn Cache>) {
    for version in 1..4 {
        let (slow, first) = reader_from(&cache, version, version).await;
        let mut readers = vec![first];
        for _ in 0..20 {
            let (cache, load) = (Arc::clone(&cache), Arc::clone(&slow));
            readers.push(tokio::spawn(async move { cache.read_from(KEY, version, &*load).await }));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        // One permit: a second load would wait for ever.
        slow.go_on.add_permits(1);
        for reader in readers {
            assert_eq!(ended(reader).await, entry(version));
        }
        assert_eq!(slow.began.available_permits(), 0, "one load");
    }
}

pub(super) async fn a_reader_that_goes_away_stalls_nobody(cache: Arc<dyn Cache>) {
    let (slow, first) = reader_in_its_load(&cache, 4).await;
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let (cache, load) = (Arc::clone(&cache), Arc::clone(&slow));
            tokio::spawn(async move { cache.read(KEY, &*load).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(50)).await;
    first.abort();
    slow.has_begun().await;
    slow.go_on.add_permits(1);
    for reader in readers {
        assert_eq!(ended(reader).await, entry(4));
    }
}

pub(super) async fn nobody_reads_what_is_older_than_an_answered_write(cache: Arc<dyn Cache>) {
    crowd(&[Arc::clone(&cache), cache], 3_000).await;
}

pub(super) async fn nobody_reads_what_is_older_with_short_lives(cache: Arc<dyn Cache>) {
    crowd(&[Arc::clone(&cache), cache], 1_500).await;
}

/// Readers and writers on a few keys, each on the node that its number names: a read that begins after a write was
/// answered sees that write or a newer one.
pub(super) async fn crowd(nodes: &[Arc<dyn Cache>], rounds: u64) {
    let truth = Arc::new(Truth::default());
    let answered: Arc<[AtomicU64; 4]> = Arc::default();
    let mut crowd = Vec::new();
    for number in 0..12_u64 {
        let node = Arc::clone(&nodes[usize::try_from(number).expect("small") % nodes.len()]);
        let (truth, answered) = (Arc::clone(&truth), Arc::clone(&answered));
        crowd.push(tokio::spawn(async move {
            for round in 0..rounds {
                let at = usize::try_from((round * 7 + number * number) % 4).expect("small");
                let (key, newest) = (format!("swap:{at}"), &answered[at]);
                if number < 3 && round % 4 == 0 {
                    let version = truth.next(&key);
                    match round % 8 {
                        0 => node.put(&key, version, value(version)).await,
                        _ => node.invalidate(&stale(&key, version)).await,
                    }
                    newest.fetch_max(version, Ordering::SeqCst);
                } else {
                    let at_least = newest.load(Ordering::SeqCst);
                    let seen = truth.read(&*node, &key).await;
                    assert!(seen.version >= at_least, "{key}: read {}, {at_least} was answered", seen.version);
                    assert_eq!(seen, entry(seen.version));
                }
            }
        }));
    }
    for one in crowd {
        one.await.expect("no panic");
    }
    let seen = nodes[0].statistics();
    assert!(seen.misses > 0 && seen.hits + seen.joined > 0, "{seen:?}");
}

pub(super) async fn nobody_reads_a_list_that_is_older_than_an_answered_write(cache: Arc<dyn Cache>) {
    crowd_of_lists(&[Arc::clone(&cache), cache], 3_000).await;
}

pub(super) async fn nobody_reads_a_list_that_is_older_with_short_lives(cache: Arc<dyn Cache>) {
    crowd_of_lists(&[Arc::clone(&cache), cache], 1_500).await;
}

/// The log's end: what a mark is loaded from.
struct End<'a>(&'a AtomicU64);

#[async_trait]
impl Load for End<'_> {
    async fn load(&self) -> Result<Entry, Fault> {
        let end = self.0.load(Ordering::SeqCst);
        tokio::task::yield_now().await;
        Ok(Entry { version: end, value: Some(Bytes::new()) })
    }
}

/// A page that knows `least`, made of the log as it is now.
struct Listed<'a> {
    log: &'a AtomicU64,
    least: u64,
}

#[async_trait]
impl Load for Listed<'_> {
    async fn load(&self) -> Result<Entry, Fault> {
        let end = self.log.load(Ordering::SeqCst);
        tokio::task::yield_now().await;
        Ok(Entry { version: self.least, value: Some(Bytes::copy_from_slice(&end.to_be_bytes())) })
    }
}

/// Readers and writers of lists of two owners, each owner with a mark of how far the log was: a list that is read after a
/// write was answered knows the log up to that write.
pub(super) async fn crowd_of_lists(nodes: &[Arc<dyn Cache>], rounds: u64) {
    let (log, answered) = (Arc::new(AtomicU64::new(0)), Arc::<[AtomicU64; 2]>::default());
    let mut crowd = Vec::new();
    for number in 0..12_u64 {
        let node = Arc::clone(&nodes[usize::try_from(number).expect("small") % nodes.len()]);
        let (log, answered) = (Arc::clone(&log), Arc::clone(&answered));
        crowd.push(tokio::spawn(async move {
            for round in 0..rounds {
                let at = usize::try_from((round + number) % 2).expect("small");
                if number < 3 && round % 8 == 0 {
                    let seq = log.fetch_add(1, Ordering::SeqCst) + 1;
                    node.invalidate(&stale(&format!("mark:{at}"), seq)).await;
                    answered[at].fetch_max(seq, Ordering::SeqCst);
                    continue;
                }
                let both = round % 5 == 0;
                let owners = if both { 0..2 } else { at..at + 1 };
                let owed = owners.clone().map(|one| answered[one].load(Ordering::SeqCst)).max().unwrap_or(0);
                let mut least = 0;
                for one in owners {
                    let mark = node.read(&format!("mark:{one}"), &End(&log)).await.expect("a mark");
                    least = mark.version.max(least);
                }
                let key = if both { "list:both".to_owned() } else { format!("list:{at}") };
                let page = node.read_from(&key, least, &Listed { log: &log, least }).await.expect("a page");
                let body = page.value.expect("a body");
                let knows = u64::from_be_bytes(body.as_ref().try_into().expect("eight bytes"));
                assert!(knows >= owed, "{key}: knows the log up to {knows}, {owed} was answered");
                assert!(page.version >= least, "{key}: of {} where {least} was asked for", page.version);
            }
        }));
    }
    for one in crowd {
        one.await.expect("no panic");
    }
    let seen = nodes[0].statistics();
    assert!(seen.misses > 0 && seen.hits + seen.joined > 0, "{seen:?}");
}
