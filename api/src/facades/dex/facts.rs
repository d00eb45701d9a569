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
    pub(super) venue: Cow<'a, str>,
    #[serde(borrow)]
    amount_in: Cow<'a, str>,
    #[serde(borrow)]
    amount_out: Cow<'a, str>,
    /// Output per input, as decimal text: also a JSON number.
    #[serde(borrow)]
    pub(super) price: Cow<'a, str>,
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
