//! The amounts of a quote: exact, from the reference price and the merchant's spread.
//!
//! A buyer pays the price plus the spread, a seller receives the price less the spread. What does not come out even is
//! rounded in the trader's favour, by less than one base unit; so nobody ever fares worse than the spread says. The amount that
//! the request fixes is met to the unit. The slippage that a request names moves nothing: the price is firm, and what is
//! signed is exactly what was quoted.

use super::tokens::{Chain, Token, USDC_DECIMALS};
use super::wire::{Direction, Refused};

/// What the merchant takes, in basis points of the price.
const SPREAD_BPS: u64 = 20;
/// The most that a referrer may add.
pub(super) const MOST_REFERRER_BPS: u64 = 1_000;
/// The most of one quote, in base units of USDC: ten million dollars.
const MOST: u128 = 10_000_000_000_000;
const WHOLE: u128 = 10_000;

/// Which amount the request fixes, in base units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fixed {
    Token(u128),
    Pair(u128),
}

/// Both amounts: of the token, and of USDC.
///
/// # Errors
/// Nothing at all, too little to be worth one unit of the other, or more than the merchant fills at once.
pub(super) fn amounts(
    (token, chain): (&Token, Chain),
    direction: Direction,
    fixed: Fixed,
    referrer: u64,
) -> Result<(u128, u128), Refused> {
    let too_much = || Refused::Amount("more than the merchant fills at once: ten million dollars".to_owned());
    let too_little = || Refused::Amount("too little: the other amount would be nothing".to_owned());
    let price = price(token, direction, referrer);
    // Between a price times base units of the token and base units of USDC: its decimals and 12 of the price, less 6.
    let scale = 10_u128.pow(u32::from(chain.token_decimals() + 12 - USDC_DECIMALS));
    let (token, pair) = match fixed {
        Fixed::Token(token) => {
            let scaled = token.checked_mul(price).ok_or_else(too_much)?;
            let rounded = if direction == Direction::Buy { scaled / scale } else { scaled.div_ceil(scale) };
            (token, if scaled < scale { 0 } else { rounded })
        }
        Fixed::Pair(pair) => {
            let scaled = Some(pair).filter(|pair| *pair <= MOST).ok_or_else(too_much)? * scale;
            let rounded = if direction == Direction::Buy { scaled.div_ceil(price) } else { scaled / price };
            (if scaled < price { 0 } else { rounded }, pair)
        }
    };
    if token == 0 || pair == 0 {
        return Err(too_little());
    }
    if pair > MOST {
        return Err(too_much());
    }
    Ok((token, pair))
}

/// What one whole token costs or gives, rounded in the trader's favour.
fn price(token: &Token, direction: Direction, referrer: u64) -> u128 {
    let (price, off) = (u128::from(token.price), u128::from(SPREAD_BPS + referrer.min(MOST_REFERRER_BPS)));
    match direction {
        Direction::Buy => price * (WHOLE + off) / WHOLE,
        Direction::Sell => (price * (WHOLE - off)).div_ceil(WHOLE),
    }
}

/// An amount as clients write it: digits are base units; with a point they are whole tokens.
pub(super) fn units(text: &str, decimals: u8) -> Option<u128> {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let Some((whole, rest)) = text.split_once('.') else {
        return digits(text).then(|| text.parse().ok())?;
    };
    let places = usize::from(decimals);
    if !digits(whole) || !digits(rest) || rest.len() > places {
        return None;
    }
    format!("{whole}{rest:0<places$}").parse().ok()
}
