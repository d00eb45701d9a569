//! The suite on each driver.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{Harness, Pair, async_trait};
use crate::wake;

/// A name that no other test has, on a server that they share.
pub(super) fn prefix() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("test-{}-{}", uuid::Uuid::now_v7().simple(), COUNT.fetch_add(1, Ordering::Relaxed))
}

pub(super) async fn pair_at(url: &str, journal_url: &str) -> Pair {
    let open = || wake::open(url, journal_url);
    Pair { here: open().await.expect("a port"), there: open().await.expect("another port") }
}

struct Local;
struct Postgres(testbed::Database);
struct Redis;
struct Nats;

#[async_trait]
impl Harness for Local {
    async fn pair(&self) -> Pair {
        let port = wake::local();
        Pair { here: port.clone(), there: port }
    }
}

#[async_trait]
impl Harness for Postgres {
    async fn pair(&self) -> Pair {
        pair_at("postgres", &self.0.url).await
    }
}

#[async_trait]
impl Harness for Redis {
    async fn pair(&self) -> Pair {
        pair_at(&format!("{}?prefix={}", testbed::redis(), prefix()), "postgres://h/tradewind").await
    }
}

#[async_trait]
impl Harness for Nats {
    async fn pair(&self) -> Pair {
        // The installation is named by the database alone: nodes may reach it in other ways.
        let name = prefix();
        let url = testbed::nats();
        let here = wake::open(&url, &format!("postgres://one/{name}")).await.expect("a port");
        let there = wake::open(&url, &format!("postgres://u:p@other:6432/{name}?sslmode=disable")).await;
        Pair { here, there: there.expect("another port") }
    }
}

macro_rules! tests {
    ($driver:ident, $harness:expr) => {
        mod $driver {
            use super::*;
            tests!(@cases $harness;
                head_rises_only, late_follower_hears_the_head, registered_queue_is_woken, sender_hears_itself_at_once,
                hints_go_both_ways, doubled_and_late_hints_are_harmless, burst_wakes_few_times,
                every_one_of_many_queues_is_woken);
        }
    };
    (@cases $harness:expr; $($case:ident),*) => {
        $(#[tokio::test]
        async fn $case() {
            let harness = $harness;
            crate::wake::conformance::$case(harness.pair().await).await;
        })*
    };
}

tests!(local, Local);
tests!(postgres, Postgres(testbed::database()));
tests!(redis, Redis);
tests!(nats, Nats);
