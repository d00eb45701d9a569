//! How long to wait before trying again: exponential, capped, with jitter, and the same for the same draw.

/// Milliseconds before the attempt after `attempt` (1, 2, …): `base` doubled each time, at most `cap`, ± 20 % by `draw`.
///
/// The jitter is a hash of `draw` and `attempt`, so that many failures at once do not come back at once.
pub(crate) fn millis(base: u64, cap: u64, attempt: u32, draw: u64) -> i64 {
    let whole = base.saturating_mul(1 << attempt.saturating_sub(1).min(20)).min(cap);
    let spread = whole / 5;
    // SplitMix64's finaliser (Steele et al., 2014) spreads neighbouring draws apart.
    let mut mixed = draw.wrapping_add(u64::from(attempt).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^= mixed >> 31;
    let jittered = whole - spread + mixed % (2 * spread + 1);
    i64::try_from(jittered).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::millis;

    #[test]
    fn doubles_within_a_fifth_and_stops_at_the_cap() {
        for draw in 0..1_000 {
            for (attempt, whole) in [(1, 1_000), (2, 2_000), (3, 4_000), (9, 30_000), (u32::MAX, 30_000)] {
                let waits = millis(1_000, 30_000, attempt, draw);
                assert!((whole * 4 / 5..=whole * 6 / 5).contains(&waits), "{attempt} {draw}: {waits}");
            }
        }
    }
}
