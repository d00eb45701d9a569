//! Limits counted in this process, for a bounded number of callers.

use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use domain::Owner;
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use super::{Caller, Limit, Policy, Rate, Rates, Standing, Standings, network};

/// Above so many callers all are counted in groups, until there is room again.
const MOST_CALLERS: usize = 100_000;
/// The groups.
const GROUPS: u64 = 65_536;
/// After so many requests those who did not ask for long are forgotten.
const TIDY_EVERY: usize = 16_384;

type Counters<K, C> = RateLimiter<K, DashMapStateStore<K>, C, StateInformationMiddleware>;

pub(super) struct Memory<C: Clock + Clone = DefaultClock> {
    rates: Rates,
    addresses: Option<Counted<IpAddr, C>>,
    keys: Option<Counted<Owner, C>>,
}

impl Memory {
    pub(super) fn open(rates: Rates) -> Self {
        Self::by(rates, &DefaultClock::default(), MOST_CALLERS)
    }
}

impl<C: Clock + Clone> Memory<C> {
    /// By that clock, for so many callers.
    pub(super) fn by(rates: Rates, clock: &C, most: usize) -> Self {
        Self {
            rates,
            addresses: rates.address.map(|rate| Counted::new(rate, clock, most)),
            keys: rates.key.map(|rate| Counted::new(rate, clock, most)),
        }
    }

    pub(super) fn count(&self, caller: Caller<'_>) -> Standings {
        let mut standings = Standings::default();
        if let (Some(counted), Some(address)) = (&self.addresses, caller.address) {
            standings[0] = Some(counted.count(Policy::Address, &network(address)));
        }
        let refused = standings[0].is_some_and(|standing| standing.refused_for.is_some());
        if let (Some(counted), Some(key), false) = (&self.keys, caller.key, refused) {
            standings[1] = Some(counted.count(Policy::Key, key));
        }
        standings
    }

    /// Callers that are remembered.
    #[cfg(test)]
    pub(super) fn callers(&self) -> usize {
        self.addresses.as_ref().map_or(0, |counted| counted.each.len())
            + self.keys.as_ref().map_or(0, |counted| counted.each.len())
    }
}

#[async_trait]
impl<C> Limit for Memory<C>
where
    C: Clock + Clone + Send + Sync + 'static,
    C::Instant: Send + Sync,
{
    fn rates(&self) -> Rates {
        self.rates
    }

    async fn take(&self, caller: Caller<'_>) -> Standings {
        self.count(caller)
    }
}

/// The callers of one policy.
struct Counted<K: Hash + Eq + Clone, C: Clock + Clone> {
    rate: Rate,
    clock: C,
    each: Counters<K, C>,
    most: usize,
    /// Everyone in a group shares its rate. That is hard on them, and nobody can use up memory or escape the limit by
    /// calling himself a new name each time.
    groups: Counters<u64, C>,
    crowded: AtomicBool,
    taken: AtomicUsize,
    hasher: RandomState,
}

impl<K: Hash + Eq + Clone, C: Clock + Clone> Counted<K, C> {
    fn new(rate: Rate, clock: &C, most: usize) -> Self {
        let one_by_one = Quota::with_period(rate.interval().max(Duration::from_nanos(1)));
        let burst = NonZeroU32::new(rate.burst()).unwrap_or(NonZeroU32::MIN);
        let quota = one_by_one.unwrap_or(Quota::per_second(burst)).allow_burst(burst);
        Self {
            rate,
            clock: clock.clone(),
            each: RateLimiter::dashmap_with_clock(quota, clock.clone()).with_middleware(),
            most,
            groups: RateLimiter::dashmap_with_clock(quota, clock.clone()).with_middleware(),
            crowded: AtomicBool::new(false),
            taken: AtomicUsize::new(0),
            hasher: RandomState::new(),
        }
    }

    fn count(&self, policy: Policy, who: &K) -> Standing {
        if self.taken.fetch_add(1, Ordering::Relaxed).is_multiple_of(TIDY_EVERY.min(self.most)) {
            self.tidy();
        }
        let checked = if self.crowded.load(Ordering::Relaxed) {
            self.groups.check_key(&(self.hasher.hash_one(who) % GROUPS))
        } else {
            self.each.check_key(who)
        };
        let (remaining, refused_for) = match checked {
            Ok(left) => (left.remaining_burst_capacity(), None),
            Err(refusal) => (0, Some(refusal.wait_time_from(self.clock.now()))),
        };
        Standing { policy, rate: self.rate, remaining, refused_for }
    }

    fn tidy(&self) {
        self.each.retain_recent();
        self.crowded.store(self.each.len() >= self.most, Ordering::Relaxed);
    }
}
