//! The circuit breaker: a server that keeps failing is left alone for a while. Pure; `now` is an argument.

use std::time::{Duration, Instant};

/// So many failures in a row open it.
const FAILURES: u32 = 5;
/// How long it stays open the first time; doubled each time a trial fails, up to the cap.
const PAUSE: Duration = Duration::from_secs(10);
const PAUSE_CAP: Duration = Duration::from_secs(60);

/// Whether a server is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Breaker {
    /// It is asked; this many answers in a row were failures.
    Closed { failures: u32 },
    /// It is not asked until then; `pause` is how long that was.
    Open { until: Instant, pause: Duration },
    /// One call tries whether it is back; the others wait for its outcome.
    HalfOpen { since: Instant, pause: Duration },
}

/// A call that may be made. Its outcome is to be reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pass {
    /// It tries whether the server is back.
    pub(super) trial: bool,
}

impl Default for Breaker {
    fn default() -> Self {
        Self::Closed { failures: 0 }
    }
}

impl Breaker {
    /// Leave to make a call, or how long there is none.
    pub(super) fn enter(&mut self, now: Instant) -> Result<Pass, Duration> {
        match *self {
            Self::Closed { .. } => Ok(Pass { trial: false }),
            Self::Open { until, pause } if until <= now => {
                *self = Self::HalfOpen { since: now, pause };
                Ok(Pass { trial: true })
            }
            Self::Open { until, .. } => Err(until - now),
            // A trial has its deadline; whoever asks meanwhile comes back a little later.
            Self::HalfOpen { since, pause } => Err((pause / 10).saturating_sub(now - since).max(pause / 40)),
        }
    }

    /// How long no call is made, if none is; whoever comes after that may be the trial.
    pub(super) fn rests(&self, now: Instant) -> Option<Duration> {
        match self {
            Self::Open { until, .. } => until.checked_duration_since(now).filter(|pause| !pause.is_zero()),
            Self::Closed { .. } | Self::HalfOpen { .. } => None,
        }
    }

    /// The call was answered, even if with a refusal: the server works.
    pub(super) fn answered(&mut self, pass: Pass) {
        match self {
            Self::Closed { failures } => *failures = 0,
            Self::HalfOpen { .. } if pass.trial => *self = Self::default(),
            // A late answer to a call from before it opened; the trial decides.
            Self::Open { .. } | Self::HalfOpen { .. } => {}
        }
    }

    /// The call failed, was not answered in time, or was given up by its caller.
    pub(super) fn failed(&mut self, pass: Pass, now: Instant) {
        match *self {
            Self::Closed { failures } if failures + 1 < FAILURES => *self = Self::Closed { failures: failures + 1 },
            Self::Closed { .. } => *self = Self::Open { until: now + PAUSE, pause: PAUSE },
            Self::HalfOpen { pause, .. } if pass.trial => {
                let pause = (pause * 2).min(PAUSE_CAP);
                *self = Self::Open { until: now + pause, pause };
            }
            Self::Open { .. } | Self::HalfOpen { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: Pass = Pass { trial: false };
    const TRIAL: Pass = Pass { trial: true };

    fn opened(now: Instant) -> Breaker {
        let mut breaker = Breaker::default();
        for _ in 0..FAILURES {
            assert_eq!(breaker.enter(now), Ok(CALL));
            breaker.failed(CALL, now);
        }
        breaker
    }

    #[test]
    fn five_failures_in_a_row_open_it() {
        let now = Instant::now();
        let mut breaker = Breaker::default();
        for _ in 0..100 {
            for _ in 1..FAILURES {
                breaker.failed(CALL, now);
            }
            breaker.answered(CALL);
            assert_eq!(breaker.enter(now), Ok(CALL), "not in a row");
        }
        assert_eq!(opened(now).enter(now), Err(PAUSE));
    }

    #[test]
    fn after_the_pause_one_call_tries() {
        let now = Instant::now();
        let mut breaker = opened(now);
        let later = now + PAUSE;
        assert!(breaker.enter(later - Duration::from_millis(1)).is_err());
        assert_eq!((breaker.rests(now), breaker.rests(later)), (Some(PAUSE), None));
        assert_eq!(breaker.enter(later), Ok(TRIAL));
        for _ in 0..3 {
            assert!(breaker.enter(later).is_err(), "one trial at a time");
        }
        breaker.answered(CALL);
        assert!(breaker.enter(later).is_err(), "an answer to an older call decides nothing");
        breaker.answered(TRIAL);
        assert_eq!(breaker, Breaker::default());
    }

    #[test]
    fn the_pause_doubles_up_to_its_cap() {
        let mut now = Instant::now();
        let mut breaker = opened(now);
        for seconds in [10, 20, 40, 60, 60] {
            let pause = Duration::from_secs(seconds);
            assert_eq!(breaker.enter(now), Err(pause));
            now += pause;
            assert_eq!(breaker.enter(now), Ok(TRIAL));
            breaker.failed(CALL, now);
            assert!(matches!(breaker, Breaker::HalfOpen { .. }), "a failure of an older call decides nothing");
            breaker.failed(TRIAL, now);
        }
        now += Duration::from_secs(60);
        assert_eq!(breaker.enter(now), Ok(TRIAL));
        breaker.answered(TRIAL);
        assert_eq!(opened(now).enter(now), Err(PAUSE), "and begins at its beginning");
    }
}
