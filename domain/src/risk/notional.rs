//! What an order is worth in US dollars, in whole millionths, and how much of a day's limit it takes.

use crate::amount::Decimal;
use crate::swap::{Ask, Mode};
use crate::token::Registry;
use crate::{LevelMove, Owner, Timestamp};

/// Millionths of a US dollar: the unit of notionals.
const DECIMALS: u8 = 6;
/// A reference price is in US dollars times ten to the power of this.
const PRICE_DECIMALS: u32 = crate::token::REFERENCE_SCALE.ilog10();
const DAY_MICROS: i64 = 24 * 3_600 * 1_000_000;
/// What an order took of a day is given back for so long after it; later it would help nobody.
const GIVEN_BACK_DAYS: i64 = 7;
/// How long the sums of past days are kept: well beyond the days that are given back to, also by a clock that is off.
pub const KEPT_DAYS: i64 = 2 * GIVEN_BACK_DAYS;
/// Names of levels that are such sums begin with it.
const PREFIX: &str = "notional:";

/// The worth of what is fixed, the input of a sale or the output of a purchase, by the registry's reference price: in millionths
/// of a US dollar, rounded up; `u128::MAX` where it is beyond that. None where the token has no reference price.
#[must_use]
pub fn notional(ask: &Ask, tokens: &Registry) -> Option<u128> {
    let fixed = if ask.mode == Mode::ExactIn { &ask.input } else { &ask.output };
    let token = tokens.get(fixed)?;
    let price = token.reference_price?;
    let scale = 10_u128.checked_pow(u32::from(token.decimals) + PRICE_DECIMALS - u32::from(DECIMALS))?;
    Some(product_over(ask.amount, price, scale).unwrap_or(u128::MAX))
}

/// `amount * price / scale`, rounded up, where the product may have more than 128 bits; none where the result has. The price is
/// gone through bit by bit, with quotient and rest kept apart. `scale` is below 2^126.
fn product_over(amount: u128, price: u64, scale: u128) -> Option<u128> {
    let (whole, part) = (amount / scale, amount % scale);
    let (mut quotient, mut rest) = (0_u128, 0_u128);
    for bit in (0..u64::BITS).rev() {
        let one = price >> bit & 1 == 1;
        rest = 2 * rest + if one { part } else { 0 };
        quotient = quotient.checked_mul(2)?.checked_add(if one { whole } else { 0 })?.checked_add(rest / scale)?;
        rest %= scale;
    }
    quotient.checked_add(u128::from(rest > 0))
}

/// Millionths of a US dollar as decimal text of dollars.
#[must_use]
pub const fn shown(micros: u128) -> Decimal {
    Decimal { units: micros, decimals: DECIMALS }
}

/// The day of an instant, UTC: `2026-11-18`.
#[must_use]
pub fn day(at: Timestamp) -> String {
    let mut day = at.to_string();
    day.truncate("2026-11-18".len());
    day
}

/// The level that sums up what an account's orders of a day are worth: days first, so that old ones are next to each other.
#[must_use]
pub fn level(account: &Owner, at: Timestamp) -> String {
    format!("{PREFIX}{}:{account}", day(at))
}

/// Whether a level of that name is such a sum.
#[must_use]
pub fn is_level(name: &str) -> bool {
    name.starts_with(PREFIX)
}

/// Between which names the sums lie that nobody needs any more.
#[must_use]
pub fn old_levels(now: Timestamp) -> (String, String) {
    (PREFIX.to_owned(), format!("{PREFIX}{}", day(now.plus_micros(-KEPT_DAYS * DAY_MICROS))))
}

/// What goes back to the day that an order was taken on, because it did not trade; none where nothing was taken, or long ago.
#[must_use]
pub fn released(account: &Owner, reserved: Option<i64>, taken_at: Timestamp, now: Timestamp) -> Option<LevelMove> {
    let micros = reserved?;
    let days = now.0.div_euclid(DAY_MICROS) - taken_at.0.div_euclid(DAY_MICROS);
    (days <= GIVEN_BACK_DAYS).then(|| LevelMove { name: level(account, taken_at), add: -micros, most: None })
}
