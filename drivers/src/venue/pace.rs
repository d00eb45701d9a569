//! How often a server may be asked: our own rate, and the rests that it asks for itself. Pure; `now` is an argument.

use std::time::{Duration, Instant};

use crate::limit::Rate;

/// The longest rest that a server's word is taken for.
const REST_CAP: Duration = Duration::from_secs(60);

/// The generic cell rate algorithm (ITU-T I.371): `next` is when the next call would be due at an even pace.
#[derive(Debug)]
pub(super) struct Pace {
    interval: Duration,
    /// How far before its due time a call may be made: what makes the burst.
    ahead: Duration,
    next: Option<Instant>,
    rests_until: Option<Instant>,
}

impl Pace {
    /// At that rate, or at any.
    pub(super) fn new(rate: Option<Rate>) -> Self {
        let interval = rate.map_or(Duration::ZERO, Rate::interval);
        let ahead = interval * rate.map_or(0, |rate| rate.burst().saturating_sub(1));
        Self { interval, ahead, next: None, rests_until: None }
    }

    /// Takes leave for one call, or says how long there is none.
    pub(super) fn take(&mut self, now: Instant) -> Result<(), Duration> {
        if let Some(until) = self.rests_until.filter(|until| *until > now) {
            return Err(until - now);
        }
        self.rests_until = None;
        let due = self.next.map_or(now, |next| next.max(now));
        match due.checked_duration_since(now + self.ahead) {
            Some(early) if !early.is_zero() => Err(early),
            _ => {
                self.next = Some(due + self.interval);
                Ok(())
            }
        }
    }

    /// The server wants to be left alone for that long.
    pub(super) fn rest(&mut self, pause: Duration, now: Instant) {
        let until = now + pause.min(REST_CAP);
        self.rests_until = Some(self.rests_until.map_or(until, |kept| kept.max(until)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_one_per_interval() {
        let now = Instant::now();
        let mut pace = Pace::new(Some("10/s:3".parse().expect("a rate")));
        for _ in 0..3 {
            assert_eq!(pace.take(now), Ok(()));
        }
        let tenth = Duration::from_millis(100);
        assert_eq!(pace.take(now), Err(tenth));
        for n in 1..50 {
            assert_eq!(pace.take(now + tenth * n), Ok(()));
            assert_eq!(pace.take(now + tenth * n), Err(tenth));
        }
        assert_eq!(pace.take(now + Duration::from_secs(60)), Ok(()), "and what was not used does not add up");
        let mut burst = 1;
        while pace.take(now + Duration::from_secs(60)).is_ok() {
            burst += 1;
        }
        assert_eq!(burst, 3);
    }

    #[test]
    fn rests_are_kept_and_have_a_cap() {
        let now = Instant::now();
        let mut pace = Pace::new(None);
        for _ in 0..1_000 {
            assert_eq!(pace.take(now), Ok(()));
        }
        pace.rest(Duration::from_secs(2), now);
        pace.rest(Duration::from_secs(1), now);
        assert_eq!(pace.take(now), Err(Duration::from_secs(2)), "the longer of two");
        assert_eq!(pace.take(now + Duration::from_secs(2)), Ok(()));
        pace.rest(Duration::from_secs(1_000_000), now);
        assert_eq!(pace.take(now), Err(REST_CAP));
    }
}
