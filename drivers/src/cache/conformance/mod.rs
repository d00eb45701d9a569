//! The suite every cache driver passes; what only a cache in Redis can meet is in `faults`.

mod cases;
mod faults;
mod listing;
mod races;
mod truth;

use std::sync::Arc;

use self::truth::begin;
use super::{Cache, open};

async fn memory(options: &str) -> Arc<dyn Cache> {
    begin(open(&format!("memory?{options}")).await.expect("a cache")).await
}

/// A cache under a prefix of its own.
async fn redis(options: &str) -> Arc<dyn Cache> {
    let prefix = uuid::Uuid::now_v7().simple();
    redis_at(&testbed::redis(), &format!("prefix={prefix}:&{options}")).await
}

/// The machine may be busy: only who asks for it gets a short deadline.
async fn redis_at(server: &str, options: &str) -> Arc<dyn Cache> {
    let patience = if options.contains("deadline_millis") { "" } else { "&deadline_millis=10000" };
    begin(open(&format!("{server}?{options}{patience}")).await.expect("a cache")).await
}

macro_rules! suite {
    ($driver:ident: $($module:ident::$case:ident($options:literal))*) => {
        mod $driver {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $case() {
                    super::$module::$case(super::super::$driver($options).await).await;
                }
            )*
        }
    };
}

macro_rules! suites {
    ($($driver:ident)*) => {
        mod drivers {
            use super::{cases, listing, races};
            $(suite! { $driver:
                cases::a_second_read_is_a_hit("")
                cases::an_invalidated_value_is_loaded_again("")
                cases::invalidations_out_of_order_lose_nothing("")
                cases::nothing_is_known_too("")
                cases::put_takes_the_place_of_what_is_older("")
                cases::put_fills_no_empty_place("")
                cases::a_failed_load_is_nobody_elses("")
                cases::values_end("ttl_millis=50")
                cases::clear_forgets_everything("")
                cases::many_invalidations_at_once("")
                cases::what_is_older_than_asked_for_is_loaded_again("")
                listing::keys_are_listed_page_by_page("")
                listing::what_is_invalidated_is_no_value_any_more("")
                listing::a_removed_key_is_loaded_again("")
                listing::what_is_held_is_added_up("")
                races::a_slow_load_fills_nothing_stale_in("")
                races::a_slow_load_fills_nothing_in_after_a_removal("")
                races::a_load_of_something_older_than_asked_for_is_not_taken("")
                races::many_readers_from_a_version_make_one_load("")
                races::nobody_reads_a_list_that_is_older_than_an_answered_write("")
                races::nobody_reads_a_list_that_is_older_with_short_lives("ttl_millis=1")
                races::a_slow_load_fills_nothing_in_after_a_put("")
                races::a_slow_load_finds_nothing_that_exists_by_now("")
                races::a_load_begun_before_the_write_is_not_joined("")
                races::a_slow_load_fills_nothing_in_after_a_clear("")
                races::many_readers_make_one_load("")
                races::a_reader_that_goes_away_stalls_nobody("")
                races::nobody_reads_what_is_older_than_an_answered_write("")
                races::nobody_reads_what_is_older_with_short_lives("ttl_millis=1")
            })*
        }
    };
}

suites! { memory redis }

#[tokio::test]
async fn memory_is_bounded() {
    cases::memory_is_bounded(memory("megabytes=1").await).await;
}

#[tokio::test]
async fn without_a_cache_every_read_is_a_load() {
    cases::every_read_is_a_load(open("none").await.expect("a cache")).await;
}

#[tokio::test]
async fn wrong_urls_say_what_to_do() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    for (url, says) in [
        ("", "expected memory"),
        ("memcached://x", "expected memory"),
        ("none?a=1", "expected memory"),
        ("memory?size=5", "unknown option"),
        ("memory?megabytes=0", "megabytes"),
        ("redis://", "malformed"),
        ("redis://127.0.0.1:1?colour=red", "unknown option"),
        (&format!("redis://:hunter2@{closed}"), "start Redis"),
    ] {
        let fault = open(url).await.err().expect(url).to_string();
        assert!(fault.contains(says) && !fault.contains("hunter2"), "{url}: {fault}");
    }
}
