//! What an operator sees of a cache, and takes out of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::redis_at;
use super::truth::{KEY, Truth, entry, stale};
use crate::cache::{Cache, Held, What};

/// Everything that is listed, by key; each page is about as long as was asked for.
async fn all(cache: &dyn Cache, limit: usize) -> BTreeMap<String, Held> {
    let (mut found, mut from) = (BTreeMap::new(), None);
    for _ in 0..10_000 {
        let page = cache.keys(from, limit).await.expect("a page");
        assert!(page.keys.len() <= limit + 50, "{} keys where {limit} were asked for", page.keys.len());
        found.extend(page.keys.into_iter().map(|held| (held.key.clone(), held)));
        match page.next {
            Some(next) => from = Some(next),
            None => return found,
        }
    }
    panic!("a list without an end");
}

pub(super) async fn keys_are_listed_page_by_page(cache: Arc<dyn Cache>) {
    let truth = Truth::default();
    for number in 0..200 {
        let key = format!("swap:{number}");
        truth.write(&key, number % 3);
        truth.read(&*cache, &key).await;
    }
    for limit in [1, 7, 500] {
        let listed = all(&*cache, limit).await;
        for number in 0..200_u64 {
            let held = &listed[&format!("swap:{number}")];
            let what = if number % 3 == 0 { What::Nothing } else { What::Value };
            assert_eq!((held.what, held.version), (what, Some(number % 3)), "{held:?}");
            assert!(held.bytes > 10 && held.left.as_millis() > 0 && held.left.as_secs() < 120, "{held:?}");
        }
        assert_eq!(listed.len(), 201, "and the first, with which each case begins");
    }
    cache.clear().await;
    assert!(all(&*cache, 100).await.is_empty());
}

pub(super) async fn what_is_invalidated_is_no_value_any_more(cache: Arc<dyn Cache>) {
    let truth = Truth::default();
    truth.write(KEY, 1);
    truth.read(&*cache, KEY).await;
    assert_eq!(all(&*cache, 10).await[KEY].what, What::Value);
    cache.invalidate(&stale(KEY, 2)).await;
    let left = all(&*cache, 10).await.remove(KEY);
    assert!(left.is_none_or(|held| (held.what, held.version) == (What::Tombstone, Some(2))));
}

pub(super) async fn a_removed_key_is_loaded_again(cache: Arc<dyn Cache>) {
    let truth = Truth::default();
    truth.write(KEY, 1);
    truth.write("swap:b", 1);
    for key in [KEY, "swap:b"] {
        truth.read(&*cache, key).await;
    }
    // Nobody told the cache.
    truth.write(KEY, 2);
    truth.write("swap:b", 2);
    assert_eq!((cache.remove(KEY).await, cache.remove(KEY).await), (Ok(true), Ok(false)));
    assert_eq!(truth.read(&*cache, KEY).await, entry(2));
    assert_eq!(truth.read(&*cache, "swap:b").await, entry(1), "another key");
    cache.clear().await;
    assert_eq!(cache.remove("swap:b").await, Ok(false), "what was cleared is not there");
}

pub(super) async fn what_is_held_is_added_up(cache: Arc<dyn Cache>) {
    let (truth, before) = (Truth::default(), cache.weigh().await.expect("a weight"));
    for number in 0..1_200 {
        let key = format!("swap:{number}");
        truth.write(&key, 1);
        truth.read(&*cache, &key).await;
    }
    let after = cache.weigh().await.expect("a weight");
    assert_eq!((after.keys - before.keys, after.whole), (1_200, true));
    assert!((20 * 1_200..1_000 * 1_200).contains(&(after.bytes - before.bytes)), "{after:?}");
    let listed: u64 = all(&*cache, 300).await.values().map(|held| held.bytes).sum();
    assert_eq!(listed, after.bytes);
    cache.clear().await;
    assert_eq!(cache.weigh().await.expect("a weight").keys, 0);
}

/// What stands under another prefix is another's, also where the prefix could be read as a pattern.
#[tokio::test(flavor = "multi_thread")]
async fn others_in_the_same_redis_are_left_alone() {
    let server = testbed::Redis::start();
    let ours = redis_at(&server.url(), "prefix=a*[b]?\\").await;
    let theirs = redis_at(&server.url(), "prefix=aXb1\\").await;
    let truth = Truth::default();
    truth.write(KEY, 1);
    truth.write("swap:theirs", 1);
    truth.read(&*ours, KEY).await;
    truth.read(&*theirs, "swap:theirs").await;
    let keys = |listed: BTreeMap<String, Held>| listed.into_keys().collect::<Vec<_>>();
    assert_eq!(keys(all(&*ours, 10).await), [KEY, "swap:first"]);
    ours.clear().await;
    assert!(all(&*ours, 10).await.is_empty());
    assert_eq!(keys(all(&*theirs, 10).await), ["swap:first", "swap:theirs"]);
    truth.write("swap:theirs", 2);
    assert_eq!(truth.read(&*theirs, "swap:theirs").await, entry(1), "still cached");
}
