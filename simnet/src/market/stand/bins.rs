//! Meteora DLMM: bins of equal value around a middle that follows the price.

use routing::{MeteoraDlmm, Pool};
use serde_json::json;

/// Bins on either side of the middle.
const REACH: i32 = 16;

/// The middle moves when the price has gone so many bins from it.
const NEIGHBOURHOOD: i32 = 8;

/// One, in Q64.64.
const ONE_X64: u128 = 1 << 64;

/// Ids beyond this have no price.
const MAX_ID: i32 = 443_636;

/// A pool with empty bins.
pub(super) fn pool(step: u16, fee: u32) -> Option<Pool> {
    let bin = json!({"id": "0", "price_x64": ONE_X64.to_string(), "amount_x": "0", "amount_y": "0"});
    let bins = vec![bin; usize::try_from(2 * REACH + 1).ok()?];
    let pool = json!({"kind": "meteora_dlmm", "pool": {
        "bin_step": step.to_string(),
        "active_id": "0",
        // The base fee is `base_factor · bin_step · 10` of 1e-9.
        "base_factor": (u64::from(fee) * 100 / u64::from(step.max(1))).to_string(),
        "variable_fee_control": if step >= 10 { "40000" } else { "0" },
        "max_volatility_accumulator": "350000",
        "filter_period": "30",
        "decay_period": "600",
        "reduction_factor": "5000",
        "protocol_share": "500",
        "volatility_accumulator": "0",
        "volatility_reference": "0",
        "index_reference": "0",
        "last_update_timestamp": "0",
        "min_bin_id": (-MAX_ID).to_string(),
        "max_bin_id": MAX_ID.to_string(),
        "bins": bins,
    }});
    serde_json::from_value(pool).ok()
}

/// Puts the price there: bins below it hold the second token, bins above it the first, and the active one as much of both as
/// the place of the price in it says. On either side of the middle there are about `value_b` of the second token's worth.
pub(super) fn stand(pool: &mut MeteoraDlmm, price: u128, value_b: u64) -> Option<()> {
    let active = nearest(pool.bin_step, price)?;
    let middle = (active + NEIGHBOURHOOD / 2).div_euclid(NEIGHBOURHOOD) * NEIGHBOURHOOD;
    let lowest = middle - REACH;
    let kept = pool.bins.first().is_some_and(|first| first.id == lowest && first.price_x64 != ONE_X64);
    let each = u128::from(value_b) / u128::from(REACH.unsigned_abs());
    for (bin, id) in pool.bins.iter_mut().zip(lowest..) {
        if !kept {
            (bin.id, bin.price_x64) = (id, price_of(pool.bin_step, id)?);
        }
        let share_y = match id.cmp(&active) {
            std::cmp::Ordering::Less => WHOLE,
            std::cmp::Ordering::Equal => place_within(bin.price_x64, pool.bin_step, price),
            std::cmp::Ordering::Greater => 0,
        };
        let y = each * share_y / WHOLE;
        bin.amount_y = u64::try_from(y).ok()?;
        bin.amount_x = u64::try_from(((each - y) << 64) / bin.price_x64.max(1)).ok()?;
    }
    (pool.active_id, pool.index_reference) = (active, active);
    (pool.volatility_accumulator, pool.volatility_reference, pool.last_update_timestamp) = (0, 0, 0);
    (pool.protocol_fee_x, pool.protocol_fee_y) = (0, 0);
    Some(())
}

/// Where a pool's price is, its place within the active bin included: what [`stand`] would make this state of.
pub(in crate::market) fn price(pool: &MeteoraDlmm) -> Option<u128> {
    let bin = pool.bins.iter().find(|bin| bin.id == pool.active_id)?;
    let x = (u128::from(bin.amount_x) * (bin.price_x64 >> 20)) >> 44;
    let y = u128::from(bin.amount_y);
    let share_y = (y * WHOLE).checked_div(x + y).unwrap_or(WHOLE / 2);
    let width = bin.price_x64 / 10_000 * u128::from(pool.bin_step);
    let lower = bin.price_x64 - width / 2;
    Some(lower + (width >> 20) * share_y / (WHOLE >> 20))
}

/// Shares are parts of this.
const WHOLE: u128 = 1 << 40;

/// How far up in its bin a price is: the share of the bin's value that is the second token.
fn place_within(bin: u128, step: u16, price: u128) -> u128 {
    let width = (bin / 10_000 * u128::from(step)).max(1);
    let up = price.saturating_sub(bin - width / 2).min(width);
    // Both lose the same low bits, so that the product fits.
    let cut = (128 - width.leading_zeros()).saturating_sub(80);
    (up >> cut) * WHOLE / (width >> cut).max(1)
}

/// The bin whose price is nearest.
fn nearest(step: u16, price: u128) -> Option<i32> {
    let (mut low, mut high) = (-MAX_ID, MAX_ID);
    // The greatest id whose price is not above: prices that do not fit are beyond any pair's.
    while low < high {
        let middle = low + (high - low + 1) / 2;
        match price_of(step, middle) {
            Some(at) if at <= price => low = middle,
            None if middle < 0 => low = middle,
            _ => high = middle - 1,
        }
    }
    let (below, above) = (price_of(step, low)?, price_of(step, low + 1)?);
    Some(if price - below.min(price) <= above.saturating_sub(price) { low } else { low + 1 })
}

/// `(1 + step / 10⁴)^id` in Q64.64, as the program computes it: squares of a base below one, and the reciprocal.
fn price_of(step: u16, id: i32) -> Option<u128> {
    let base = ONE_X64 + (u128::from(step) << 64) / 10_000;
    let mut square = u128::MAX / base;
    let mut result = ONE_X64;
    let mut exponent = id.unsigned_abs();
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = result.checked_mul(square)? >> 64;
        }
        square = square.checked_mul(square)? >> 64;
        exponent >>= 1;
    }
    if result == 0 {
        return None;
    }
    Some(if id > 0 { u128::MAX / result } else { result })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_those_of_the_program() {
        // From the state of a pool with the program's own prices.
        for (id, expected) in [(-1_189, 947_524_320_599_105_535), (-1_178, 973_909_405_993_963_318)] {
            assert_eq!(price_of(25, id), Some(expected));
        }
        assert_eq!(price_of(10, 0), Some(ONE_X64));
        assert!(price_of(25, 400_000).is_none());
    }

    #[test]
    fn a_price_is_found_again() {
        for step in [1, 4, 25] {
            for price in [ONE_X64 / 7, ONE_X64 * 150 / 1_000, ONE_X64 * 999 / 1_000, ONE_X64 * 90] {
                let Some(Pool::MeteoraDlmm(mut pool)) = pool(step, 400) else { panic!("a pool") };
                stand(&mut pool, price, 1_000_000_000).expect("it can");
                let seen = super::price(&pool).expect("a price");
                assert!(seen.abs_diff(price) < price / 1_000_000, "{step} {price} {seen}");
            }
        }
    }
}
