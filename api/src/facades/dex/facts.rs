//! What the frames of both dialects are made of: one event of an order, with its prices.

use std::borrow::Cow;

use domain::Event;
use domain::amount::{self, Decimal};
use domain::swap::{Failure, Mode, Status};
use serde::Deserialize;

/// An order after one of its events.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Facts<'a> {
    mode: Mode,
    #[serde(borrow)]
    input_token: Cow<'a, str>,
    input_decimals: u8,
    output_decimals: u8,
    #[serde(borrow)]
    pub(super) route: Option<Trade<'a>>,
    pub(super) fill: Option<Trade<'a>>,
    pub(super) transaction: Option<Transaction<'a>>,
    failure: Option<Failure>,
}

/// What was promised or done.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Trade<'a> {
    #[serde(borrow, default)]
    venue: Cow<'a, str>,
    #[serde(borrow)]
    amount_in: Cow<'a, str>,
    #[serde(borrow)]
    amount_out: Cow<'a, str>,
    /// Output per input, as decimal text: also a JSON number.
    #[serde(borrow)]
    pub(super) price: Cow<'a, str>,
    #[serde(borrow, default)]
    legs: Vec<Leg<'a>>,
}

/// One swap of a route.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Leg<'a> {
    #[serde(borrow)]
    exchange: Cow<'a, str>,
    #[serde(borrow)]
    input_token: Cow<'a, str>,
    #[serde(borrow)]
    amount_in: Cow<'a, str>,
}

/// The transaction's id at the venue.
#[derive(Deserialize)]
pub(super) struct Transaction<'a> {
    #[serde(borrow)]
    pub(super) id: Cow<'a, str>,
}

/// The state that an event tells of and the order then; none for events that change no state (another attempt, another
/// route, new bytes).
pub(super) fn of(event: &Event) -> Option<(Status, Facts<'_>)> {
    let status = Status::parse(event.type_.strip_prefix("swap.")?)?;
    match serde_json::from_str(&event.body) {
        Ok(facts) => Some((status, facts)),
        Err(error) => {
            tracing::error!(id = event.id, version = event.version, %error, "an event's body cannot be read");
            None
        }
    }
}

impl Facts<'_> {
    /// The exchange of the route. Both dialects know one per order: of a split, the one that takes the most of the input.
    pub(super) fn exchange(&self) -> &str {
        let Some(route) = &self.route else { return "" };
        let mut taken: Vec<(&str, u128)> = Vec::new();
        for leg in route.legs.iter().filter(|leg| leg.input_token == self.input_token) {
            let units = amount::parse(&leg.amount_in, self.input_decimals).unwrap_or(0);
            match taken.iter_mut().find(|(exchange, _)| *exchange == leg.exchange) {
                Some((_, all)) => *all = all.saturating_add(units),
                None => taken.push((&leg.exchange, units)),
            }
        }
        // Of equal ones the first.
        let most = taken.into_iter().reduce(|most, next| if next.1 > most.1 { next } else { most });
        most.map_or(&route.venue, |(exchange, _)| exchange)
    }

    /// The price of one whole base token in quote tokens: the base is the token whose amount is fixed.
    pub(super) fn price_of_base(&self, trade: &Trade<'_>) -> String {
        if self.mode == Mode::ExactIn {
            return trade.price.clone().into_owned();
        }
        let decimal = |text: &str, decimals| {
            let units = amount::parse(text, decimals).unwrap_or(0);
            Decimal { units, decimals }
        };
        amount::price(decimal(&trade.amount_out, self.output_decimals), decimal(&trade.amount_in, self.input_decimals))
    }

    /// Why it did not trade, in a sentence.
    pub(super) fn reason(&self, status: Status) -> String {
        match (status, &self.failure) {
            (Status::Cancelled, _) => "Order cancelled".to_owned(),
            (Status::Expired, _) => "Order expired".to_owned(),
            (_, Some(failure)) => format!("{}: {}", failure.code, failure.message),
            (_, None) => "Order failed".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_split_is_named_after_the_exchange_that_takes_most_of_the_input() {
        let leg = |exchange: &str, input: &str, amount: &str| {
            format!(r#"{{"exchange":"{exchange}","inputToken":"{input}","amountIn":"{amount}"}}"#)
        };
        let named = |legs: &[String]| {
            let body = format!(
                r#"{{"mode":"exactIn","inputToken":"SOL","inputDecimals":9,"outputDecimals":6,"route":{{
                "venue":"Tradewind","amountIn":"10","amountOut":"1520","price":"152","legs":[{}]}}}}"#,
                legs.join(",")
            );
            let facts: Facts<'_> = serde_json::from_str(&body).expect("an order");
            facts.exchange().to_owned()
        };
        let (three, four) = (leg("Raydium", "SOL", "3"), leg("Meteora", "SOL", "4"));
        assert_eq!(named(&[three.clone(), four.clone()]), "Meteora");
        assert_eq!(named(&[three.clone(), four.clone(), three.clone()]), "Raydium");
        // What flows on through another token is no input.
        assert_eq!(named(&[three.clone(), four, leg("Raydium", "USDT", "900")]), "Meteora");
        assert_eq!(named(&[three.clone(), leg("Meteora", "SOL", "3")]), "Raydium");
        assert_eq!(named(&[]), "Tradewind");
    }
}
