//! Failed attempts to come in, per address: ten at once, then ten a minute. Counted in this process alone.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use drivers::limit::network;

/// Attempts at once.
const BURST: u32 = 10;
/// One more after so long.
const INTERVAL: Duration = Duration::from_secs(6);
/// Addresses remembered at once.
const MOST: usize = 10_000;

/// By the generic cell rate algorithm: per address, the instant at which nothing counts against it any more.
#[derive(Default)]
pub(super) struct Attempts(Mutex<HashMap<IpAddr, Instant>>);

impl Attempts {
    /// Whether another may fail from `address`.
    ///
    /// # Errors
    /// It would be one too many: how long to wait for the next.
    pub(super) fn check(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let free = self.lock().get(&network(address)).copied().unwrap_or(now).max(now);
        let (next, allowed) = (free + INTERVAL, now + INTERVAL * BURST);
        if next > allowed { Err(next - allowed) } else { Ok(()) }
    }

    /// Counts one that failed. Those that were under way together may be a few more than are allowed.
    pub(super) fn count(&self, address: IpAddr, now: Instant) {
        let address = network(address);
        let mut clear = self.lock();
        let free = clear.get(&address).copied().unwrap_or(now).max(now);
        let next = (free + INTERVAL).min(now + INTERVAL * BURST);
        if clear.len() >= MOST && !clear.contains_key(&address) {
            make_room(&mut clear, now);
        }
        clear.insert(address, next);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets those against whom nothing counts; where there is none, the one against whom the least does.
fn make_room(clear: &mut HashMap<IpAddr, Instant>, now: Instant) {
    clear.retain(|_, free| *free > now);
    if clear.len() >= MOST
        && let Some(least) = clear.iter().min_by_key(|(_, free)| **free).map(|(address, _)| *address)
    {
        clear.remove(&least);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_at_once_then_ten_a_minute() {
        let (attempts, start) = (Attempts::default(), Instant::now());
        let here = IpAddr::from([192, 0, 2, 1]);
        for _ in 0..10 {
            assert_eq!(attempts.check(here, start), Ok(()));
            attempts.count(here, start);
        }
        assert_eq!(attempts.check(here, start), Err(INTERVAL));
        assert_eq!(attempts.check(IpAddr::from([192, 0, 2, 2]), start), Ok(()), "another address");
        let later = start + INTERVAL;
        assert_eq!(attempts.check(here, later), Ok(()));
        attempts.count(here, later);
        assert!(attempts.check(here, later).is_err());
        (0..100).for_each(|_| attempts.count(here, later));
        assert_eq!(
            attempts.check(here, later),
            Err(INTERVAL),
            "what was under way together locks nobody out for longer"
        );
    }

    #[test]
    fn its_memory_has_an_end_and_forgets_the_most_harmless_first() {
        let (attempts, start) = (Attempts::default(), Instant::now());
        let guilty = IpAddr::from([192, 0, 2, 1]);
        while attempts.check(guilty, start).is_ok() {
            attempts.count(guilty, start);
        }
        for address in 0..20_000_u32 {
            attempts.count(IpAddr::from(address.to_be_bytes()), start);
        }
        assert_eq!(attempts.lock().len(), MOST);
        assert!(attempts.check(guilty, start).is_err());
    }
}
