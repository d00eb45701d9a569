//! What one reader and one writer see, one after the other.

use std::sync::Arc;

use async_trait::async_trait;

use super::truth::{KEY, Truth, entry, stale, until, value};
use crate::Fault;
use crate::cache::{Cache, Entry, Load, Stale};

pub(super) async fn a_second_read_is_a_hit(cache: Arc<dyn Cache>) {
    let (truth, before) = (Truth::default(), cache.statistics());
    truth.write(KEY, 3);
    for _ in 0..3 {
        assert_eq!(truth.read(&*cache, KEY).await, entry(3));
    }
    let after = cache.statistics();
    assert_eq!((truth.loads(), after.hits - before.hits, after.fills - before.fills), (1, 2, 1));
    truth.write("swap:b", 1);
    assert_eq!(truth.read(&*cache, "swap:b").await, entry(1), "another key");
}

pub(super) async fn an_invalidated_value_is_loaded_again(cache: Arc<dyn Cache>) {
    let truth = Truth::default();
    for version in 1..5 {
        truth.write(KEY, version);
        cache.invalidate(&stale(KEY, version)).await;
        assert_eq!(truth.read(&*cache, KEY).await, entry(version));
        assert_eq!(truth.read(&*cache, KEY).await, entry(version));
    }
    assert_eq!(truth.loads(), 4);
}

pub(super) async fn invalidations_out_of_order_lose_nothing(cache: Arc<dyn Cache>) {
    let truth = Truth::default();
    truth.write(KEY, 5);
    assert_eq!(truth.read(&*cache, KEY).await, entry(5));
    for late in [2, 5, 1, 4] {
        cache.invalidate(&stale(KEY, late)).await;
        assert_eq!(truth.read(&*cache, KEY).await, entry(5));
    }
    assert_eq!(truth.loads(), 1, "what is new enough stays");
    truth.write(KEY, 7);
    for version in [7, 6] {
        cache.invalidate(&stale(KEY, version)).await;
        assert_eq!(truth.read(&*cache, KEY).await, entry(7));
    }
}

pub(super) async fn what_is_older_than_asked_for_is_loaded_again(cache: Arc<dyn Cache>) {
    let truth = Truth::default();
    truth.write(KEY, 3);
    for (least, loads) in [(3, 1), (3, 1), (0, 1)] {
        assert_eq!(truth.read_from(&*cache, KEY, least).await, entry(3));
        assert_eq!(truth.loads(), loads);
    }
    truth.write(KEY, 5);
    for (least, seen) in [(2, 3), (4, 5), (5, 5), (1, 5), (0, 5)] {
        assert_eq!(truth.read_from(&*cache, KEY, least).await, entry(seen), "from {least}");
    }
    assert_eq!(truth.loads(), 2);
    cache.invalidate(&stale(KEY, 5)).await;
    assert_eq!(truth.read_from(&*cache, KEY, 5).await, entry(5));
    assert_eq!(truth.loads(), 2, "it is new enough");
}

pub(super) async fn nothing_is_known_too(cache: Arc<dyn Cache>) {
    let truth = Truth::default();
    assert_eq!(truth.read(&*cache, KEY).await, entry(0));
    assert_eq!(truth.read(&*cache, KEY).await, entry(0));
    assert_eq!(truth.loads(), 1);
    truth.write(KEY, 1);
    cache.invalidate(&stale(KEY, 1)).await;
    assert_eq!(truth.read(&*cache, KEY).await, entry(1));
    assert_eq!(truth.read(&*cache, "swap:b").await, entry(0));
    truth.write("swap:b", 1);
    cache.put("swap:b", 1, value(1)).await;
    assert_eq!(truth.read(&*cache, "swap:b").await, entry(1));
}

pub(super) async fn put_takes_the_place_of_what_is_older(cache: Arc<dyn Cache>) {
    let truth = Truth::default();
    truth.write(KEY, 1);
    truth.read(&*cache, KEY).await;
    truth.write(KEY, 3);
    cache.put(KEY, 3, value(3)).await;
    assert_eq!(truth.read(&*cache, KEY).await, entry(3));
    for late in [1, 2, 3] {
        cache.put(KEY, late, "late".into()).await;
        assert_eq!(truth.read(&*cache, KEY).await, entry(3));
    }
    assert_eq!(truth.loads(), 1);
}

/// A put that comes late could be older than a value that was evicted meanwhile.
pub(super) async fn put_fills_no_empty_place(cache: Arc<dyn Cache>) {
    let truth = Truth::default();
    truth.write(KEY, 9);
    cache.put(KEY, 2, value(2)).await;
    assert_eq!(truth.read(&*cache, KEY).await, entry(9));
}

pub(super) async fn a_failed_load_is_nobody_elses(cache: Arc<dyn Cache>) {
    struct Fails;

    #[async_trait]
    impl Load for Fails {
        async fn load(&self) -> Result<Entry, Fault> {
            Err(Fault::Busy)
        }
    }

    assert_eq!(cache.read(KEY, &Fails).await, Err(Fault::Busy));
    let truth = Truth::default();
    truth.write(KEY, 1);
    assert_eq!(truth.read(&*cache, KEY).await, entry(1));
    assert_eq!(cache.read(KEY, &Fails).await, Ok(entry(1)), "it is cached by now");
}

pub(super) async fn values_end(cache: Arc<dyn Cache>) {
    let truth = Truth::default();
    truth.write(KEY, 1);
    truth.read(&*cache, KEY).await;
    // Nobody told the cache: only the end of its time brings this to light.
    truth.write(KEY, 2);
    until("the value ends", async || truth.read(&*cache, KEY).await == entry(2)).await;
    until("nothing ends too", async || {
        let key = "swap:none";
        truth.write(key, 0);
        let first = truth.read(&*cache, key).await;
        truth.write(key, 1);
        first == entry(0) && {
            until("it is seen", async || truth.read(&*cache, key).await == entry(1)).await;
            true
        }
    })
    .await;
}

pub(super) async fn clear_forgets_everything(cache: Arc<dyn Cache>) {
    let truth = Truth::default();
    for key in ["swap:a", "swap:b"] {
        truth.write(key, 1);
        truth.read(&*cache, key).await;
        truth.write(key, 2);
    }
    cache.clear().await;
    for key in ["swap:a", "swap:b"] {
        assert_eq!(truth.read(&*cache, key).await, entry(2));
    }
}

/// More than one call to Redis can take.
pub(super) async fn many_invalidations_at_once(cache: Arc<dyn Cache>) {
    let (truth, keys) = (Truth::default(), (0..1_000).map(|n| format!("swap:{n}")).collect::<Vec<_>>());
    for key in keys.iter().step_by(97) {
        truth.write(key, 1);
        truth.read(&*cache, key).await;
    }
    let mut all = Vec::new();
    for key in &keys {
        truth.write(key, 3);
        all.extend([2, 3].map(|version| Stale { key: key.clone(), version }));
    }
    cache.follow(&all, 2_000).await;
    for key in keys.iter().step_by(97) {
        assert_eq!(truth.read(&*cache, key).await, entry(3));
    }
}

pub(super) async fn memory_is_bounded(cache: Arc<dyn Cache>) {
    struct Large(u64);

    #[async_trait]
    impl Load for Large {
        async fn load(&self) -> Result<Entry, Fault> {
            Ok(Entry { version: self.0, value: Some(vec![7; 1_000].into()) })
        }
    }

    for number in 0..5_000 {
        cache.read(&format!("swap:{number}"), &Large(number)).await.expect("a read");
    }
    let held = cache.statistics();
    let (entries, bytes) = (held.entries.expect("known"), held.bytes.expect("known"));
    assert!(bytes <= 1 << 20, "{bytes} bytes");
    assert!((500..1_000).contains(&entries), "{entries} entries of over a thousand bytes each");
}

pub(super) async fn every_read_is_a_load(cache: Arc<dyn Cache>) {
    let truth = Truth::default();
    for version in 0..3 {
        truth.write(KEY, version);
        assert_eq!(truth.read(&*cache, KEY).await, entry(version));
    }
    assert_eq!((truth.loads(), cache.statistics().misses), (3, 3));
}
