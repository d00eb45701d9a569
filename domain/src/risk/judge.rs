//! An order against its account's limits.

use super::{Terms, notional, shown};
use crate::swap::Place;
use crate::token::Registry;
use crate::{LevelMove, Refusal};

/// What an order is taken under. The default is for orders without limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reserved {
    /// What it takes of the day's limit.
    pub share: Option<Share>,
    /// The most price impact of its quote, in basis points.
    pub max_price_impact_bps: Option<u32>,
}

/// A share of the day's limit, in millionths of a US dollar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// So much,
    pub micros: i64,
    /// where all of the day may come to so much.
    pub most: i64,
}

/// Holds an order against limits. Whether the day has room for it is for the change to say that takes it.
///
/// # Errors
/// `TOKEN_NOT_ALLOWED`, `NOTIONAL_UNKNOWN`, `NOTIONAL_EXCEEDS_MAX_PER_ORDER`, `DAILY_LIMIT`, and `PRICE_IMPACT_TOO_HIGH` of an order
/// that is for one quote.
pub fn judge(limits: &Terms, place: &Place, tokens: &Registry) -> Result<Reserved, Refusal> {
    if let Some(allowed) = &limits.allowed_tokens {
        for (token, pointer) in [(&place.ask.input, "/inputToken"), (&place.ask.output, "/outputToken")] {
            if !allowed.contains(token) {
                let why = format!("the account may not trade {token}");
                return Err(Refusal::at(pointer, "TOKEN_NOT_ALLOWED", why));
            }
        }
    }
    let max_price_impact_bps = smaller(limits.max_price_impact_bps, place.conditions.max_price_impact_bps);
    if let (Some(most), Some(firm)) = (max_price_impact_bps, &place.firm)
        && firm.price_impact_bps > most
    {
        let why = format!("the quote has a price impact of {} basis points, of {most} at most", firm.price_impact_bps);
        return Err(Refusal::new("PRICE_IMPACT_TOO_HIGH", why));
    }
    Ok(Reserved { share: share(limits, place, tokens)?, max_price_impact_bps })
}

fn share(limits: &Terms, place: &Place, tokens: &Registry) -> Result<Option<Share>, Refusal> {
    if limits.max_order.is_none() && limits.max_day.is_none() {
        return Ok(None);
    }
    let Some(worth) = notional(&place.ask, tokens) else {
        let why = "the account has a limit in US dollars, and the token of the amount has no reference price";
        return Err(Refusal::at("/amount", "NOTIONAL_UNKNOWN", why));
    };
    if let Some(most) = limits.max_order
        && worth > u128::from(most)
    {
        let (worth, most) = (shown(worth), shown(most.into()));
        let why = format!("the order is worth {worth} US dollars; the account's limit is {most} per order");
        return Err(Refusal::at("/amount", "NOTIONAL_EXCEEDS_MAX_PER_ORDER", why));
    }
    let Some(most) = limits.max_day else { return Ok(None) };
    match i64::try_from(worth) {
        Ok(micros) if worth <= u128::from(most) => {
            let most = i64::try_from(most).unwrap_or(LevelMove::HIGHEST);
            Ok(Some(Share { micros, most }))
        }
        _ => {
            let (worth, most) = (shown(worth), shown(most.into()));
            let why = format!("the order is worth {worth} US dollars; the account's limit is {most} per day");
            Err(Refusal::at("/amount", "DAILY_LIMIT", why))
        }
    }
}

/// The smaller of two bounds that need not be there.
fn smaller(one: Option<u32>, other: Option<u32>) -> Option<u32> {
    one.into_iter().chain(other).min()
}
