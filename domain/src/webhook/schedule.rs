//! When a delivery that failed is tried again: the schedule of Standard Webhooks 1.0.0, with jitter.
//!
//! Source: <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>, "Retries".

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// The waits before the second attempt and each later one, in microseconds: ten attempts within 75 h 35 min.
const SPECIFIED: [i64; 9] =
    [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR];

/// The waits between the attempts at one delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule(Vec<i64>);

impl Default for Schedule {
    fn default() -> Self {
        Self(SPECIFIED.to_vec())
    }
}

impl Schedule {
    /// Other waits than those of the specification, in microseconds.
    #[must_use]
    pub fn of(waits: &[i64]) -> Self {
        Self(waits.to_vec())
    }

    /// How many attempts it has.
    #[must_use]
    pub fn attempts(&self) -> usize {
        self.0.len() + 1
    }

    /// How long to wait after `attempts` that failed, in microseconds; none when there is no other attempt.
    ///
    /// The scheduled wait ± 20 %, by `draw`. What the receiver asked for in `Retry-After` counts where it is longer than that,
    /// up to twice the scheduled wait: a receiver can slow us down, and neither hurry us nor put us off for ever.
    #[must_use]
    pub fn wait(&self, attempts: usize, retry_after: Option<i64>, draw: u64) -> Option<i64> {
        let scheduled = *self.0.get(attempts.checked_sub(1)?)?;
        let spread = scheduled / 5;
        let within = (2 * spread + 1).unsigned_abs();
        let drawn = i64::try_from(mix(draw, attempts) % within).unwrap_or(0);
        let wait = scheduled - spread + drawn;
        Some(retry_after.map_or(wait, |asked| asked.clamp(wait, (2 * scheduled).max(wait))))
    }
}

/// Spreads neighbouring draws apart: SplitMix64's finaliser (Steele et al., 2014).
fn mix(draw: u64, attempts: usize) -> u64 {
    let mut mixed = draw.wrapping_add((attempts as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn there_are_ten_attempts_in_three_days() {
        let schedule = Schedule::default();
        assert_eq!(schedule.attempts(), 10);
        assert_eq!(SPECIFIED.iter().sum::<i64>(), 75 * HOUR + 35 * MINUTE + 5 * SECOND);
        assert_eq!((schedule.wait(0, None, 7), schedule.wait(10, None, 7)), (None, None));
    }

    proptest! {
        #[test]
        fn waits_stay_within_a_fifth_and_what_is_asked_for_within_twice(
            attempt in 1_usize..=9, draw: u64, asked in proptest::option::of(-HOUR..200 * HOUR),
        ) {
            let (schedule, scheduled) = (Schedule::default(), SPECIFIED[attempt - 1]);
            let plain = schedule.wait(attempt, None, draw).unwrap();
            prop_assert!((scheduled * 4 / 5..=scheduled * 6 / 5).contains(&plain));
            let wait = schedule.wait(attempt, asked, draw).unwrap();
            prop_assert!((plain..=scheduled * 2).contains(&wait));
            if let Some(asked) = asked.filter(|asked| (plain..=scheduled * 2).contains(asked)) {
                prop_assert_eq!(wait, asked);
            }
        }

        #[test]
        fn many_failures_at_once_do_not_come_back_at_once(first in 0..u64::MAX - 64) {
            let waits: std::collections::HashSet<_> =
                (first..first + 64).filter_map(|draw| Schedule::default().wait(2, None, draw)).collect();
            prop_assert!(waits.len() > 60);
        }
    }
}
