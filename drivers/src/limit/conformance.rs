//! The suite every limiter passes. Rates are per hour, so that no test depends on how fast it is.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use domain::Owner;
use governor::clock::FakeRelativeClock;
use testbed::Redis;

use super::memory::Memory;
use super::{Caller, Limit, Policy, Rates, Standing, open};

const PATIENCE: Duration = Duration::from_secs(30);

fn rates(address: &str, key: &str) -> Rates {
    let rate = |text: &str| (!text.is_empty()).then(|| text.parse().expect("a rate"));
    Rates { address: rate(address), key: rate(key) }
}

fn owner(name: &str) -> Owner {
    Owner::parse(name).expect("a name")
}

fn address(text: &str) -> Caller<'static> {
    Caller { address: Some(text.parse::<IpAddr>().expect("an address")), key: None }
}

/// What the policy says of one more request.
async fn take(limit: &dyn Limit, caller: Caller<'_>, policy: Policy) -> Standing {
    let standings = limit.take(caller).await;
    standings.into_iter().flatten().find(|standing| standing.policy == policy).expect("the policy applies")
}

async fn limits_hold_at_the_boundary(limit: Arc<dyn Limit>) {
    let (alice, bob) = (owner("alice"), owner("bob"));
    for name in [&alice, &bob] {
        let caller = Caller { key: Some(name), address: None };
        for remaining in (0..3).rev() {
            let standing = take(&*limit, caller, Policy::Key).await;
            assert_eq!((standing.remaining, standing.refused_for), (remaining, None));
        }
        for _ in 0..3 {
            let standing = take(&*limit, caller, Policy::Key).await;
            let wait = standing.refused_for.expect("refused");
            // One per minute comes back, from the first request on.
            assert!(standing.remaining == 0 && wait <= Duration::from_secs(60), "{standing:?}");
        }
    }
}

async fn the_address_is_asked_first(limit: Arc<dyn Limit>) {
    let (alice, bob) = (owner("alice"), owner("bob"));
    let here = |key| Caller { key: Some(key), ..address("192.0.2.1") };
    for _ in 0..2 {
        assert!(limit.take(here(&alice)).await.iter().flatten().all(|standing| standing.refused_for.is_none()));
    }
    let [of_address, of_key] = limit.take(here(&bob)).await;
    assert!(of_address.expect("asked").refused_for.is_some() && of_key.is_none(), "one address, whichever key");
    let bob = take(&*limit, Caller { key: Some(&bob), ..address("192.0.2.2") }, Policy::Key).await;
    assert_eq!(bob.remaining, 4, "what the address refused did not count");
}

async fn a_network_counts_as_one_address(limit: Arc<dyn Limit>) {
    for (text, remaining) in [
        ("2001:db8::1", 1),
        ("2001:db8::ffff:1", 0),
        ("2001:db8:0:1::1", 1),
        ("192.0.2.9", 1),
        ("::ffff:192.0.2.9", 0),
        ("192.0.2.10", 1),
    ] {
        let standing = take(&*limit, address(text), Policy::Address).await;
        assert_eq!((standing.remaining, standing.refused_for), (remaining, None), "{text}");
    }
}

async fn who_is_not_known_is_not_counted(limit: Arc<dyn Limit>) {
    for _ in 0..10 {
        assert_eq!(limit.take(Caller::default()).await, [None, None]);
    }
}

async fn memory(rates: Rates) -> Arc<dyn Limit> {
    open("memory?megabytes=1", rates).await.expect("a limiter").expect("rates")
}

/// Under a prefix of its own.
async fn redis(rates: Rates) -> Arc<dyn Limit> {
    let url = format!("{}?prefix={}:&deadline_millis=10000", testbed::redis(), uuid::Uuid::now_v7().simple());
    open(&url, rates).await.expect("a limiter").expect("rates")
}

macro_rules! suite {
    ($($driver:ident)*) => {$(
        mod $driver {
            use super::rates;

            #[tokio::test]
            async fn limits_hold_at_the_boundary() {
                super::limits_hold_at_the_boundary(super::$driver(rates("", "60/h:3")).await).await;
            }

            #[tokio::test]
            async fn the_address_is_asked_first() {
                super::the_address_is_asked_first(super::$driver(rates("1/h:2", "1/h:5")).await).await;
            }

            #[tokio::test]
            async fn a_network_counts_as_one_address() {
                super::a_network_counts_as_one_address(super::$driver(rates("1/h:2", "")).await).await;
            }

            #[tokio::test]
            async fn who_is_not_known_is_not_counted() {
                super::who_is_not_known_is_not_counted(super::$driver(rates("1/h", "1/h")).await).await;
            }
        }
    )*};
}

mod drivers {
    use super::{
        a_network_counts_as_one_address, limits_hold_at_the_boundary, memory, rates, redis, the_address_is_asked_first,
        who_is_not_known_is_not_counted,
    };

    suite! { memory redis }
}

#[tokio::test]
async fn without_rates_there_is_no_limiter() {
    assert!(open("memory", Rates::default()).await.expect("no fault").is_none());
}

/// By an injected clock: what was taken comes back evenly.
#[tokio::test]
async fn what_was_taken_comes_back() {
    let clock = FakeRelativeClock::default();
    let limit = Memory::by(rates("", "10/s:2"), &clock, 1_000);
    let alice = owner("alice");
    let caller = Caller { key: Some(&alice), address: None };
    let one = async || take(&limit, caller, Policy::Key).await;
    assert_eq!((one().await.remaining, one().await.remaining), (1, 0));
    assert_eq!(one().await.refused_for, Some(Duration::from_millis(100)));
    clock.advance(Duration::from_millis(99));
    assert_eq!(one().await.refused_for, Some(Duration::from_millis(1)));
    clock.advance(Duration::from_millis(1));
    assert_eq!(one().await.refused_for, None);
    assert_eq!(one().await.refused_for, Some(Duration::from_millis(100)));
    clock.advance(Duration::from_secs(5));
    assert_eq!(one().await.remaining, 1, "and no more than a burst");
}

/// A crowd of names takes a bounded place, and nobody escapes by taking a new name.
#[tokio::test]
async fn a_crowd_is_bounded() {
    let clock = FakeRelativeClock::default();
    let limit = Memory::by(rates("10/s:1", ""), &clock, 100);
    let mut refused = 0;
    for number in 0..200_000_u32 {
        let caller = Caller { address: Some(IpAddr::V4(number.into())), key: None };
        refused += usize::from(limit.count(caller)[0].is_some_and(|standing| standing.refused_for.is_some()));
    }
    assert!(limit.callers() <= 200, "{} callers", limit.callers());
    assert!(refused > 100_000, "{refused} of 200,000 were refused");
    clock.advance(Duration::from_secs(60));
    for number in 0..200_u32 {
        let caller = Caller { address: Some(IpAddr::V4((number % 50).into())), key: None };
        limit.count(caller);
        clock.advance(Duration::from_secs(1));
    }
    assert!(limit.callers() < 100, "they were not forgotten: {}", limit.callers());
}

/// Two processes share what is allowed.
#[tokio::test]
async fn two_nodes_share_a_limit() {
    let url = format!("{}?prefix={}:&deadline_millis=10000", testbed::redis(), uuid::Uuid::now_v7().simple());
    let mut nodes = Vec::new();
    for _ in 0..2 {
        nodes.push(open(&url, rates("", "1/h:10")).await.expect("a limiter").expect("rates"));
    }
    let alice = owner("alice");
    let caller = Caller { key: Some(&alice), address: None };
    let mut allowed = 0;
    for round in 0..20 {
        allowed += u32::from(take(&*nodes[round % 2], caller, Policy::Key).await.refused_for.is_none());
    }
    assert_eq!(allowed, 10);
}

/// Without Redis each process counts for itself; nobody is let through uncounted, and nobody waits.
#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_is_away_lifts_no_limit() {
    let server = Redis::start();
    let url = format!("{}?deadline_millis=1000", server.url());
    let limit = open(&url, rates("", "1/h:3")).await.expect("a limiter").expect("rates");
    let alice = owner("alice");
    let caller = Caller { key: Some(&alice), address: None };
    assert_eq!(take(&*limit, caller, Policy::Key).await.remaining, 2);
    server.kill();
    let mut allowed = 0;
    for _ in 0..10 {
        allowed += u32::from(take(&*limit, caller, Policy::Key).await.refused_for.is_none());
    }
    assert_eq!(allowed, 3, "a burst of its own");
    server.restart();
    let back = async {
        while take(&*limit, caller, Policy::Key).await.refused_for.is_some() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, back).await.expect("Redis, which was emptied, is asked again");
}
