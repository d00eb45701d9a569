//! The part of the view that tells how an order is routed and what came of it: swaps, fees, bound, realised against quoted.

use serde::Serialize;

use crate::Timestamp;
use crate::amount::{Decimal, price};
use crate::swap::quote::billionths_as_bps;
use crate::swap::{Fill, Leg, Mode, Quote, Swap};

/// The chosen quote and its limit.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RouteView<'a> {
    venue: &'a str,
    amount_in: Decimal,
    amount_out: Decimal,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_amount_out: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_amount_in: Option<Decimal>,
    fee: Decimal,
    price_impact_bps: u32,
    price: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    bound: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gap_bps: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    legs: Vec<LegView<'a>>,
    quoted_at: Timestamp,
}

/// One swap of the route.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LegView<'a> {
    pool: &'a str,
    exchange: &'a str,
    family: &'a str,
    input_token: &'a str,
    output_token: &'a str,
    amount_in: Decimal,
    amount_out: Decimal,
    fee: Decimal,
    fee_token: &'a str,
    price_impact_bps: u32,
}

/// What was traded.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FillView {
    amount_in: Decimal,
    amount_out: Decimal,
    price: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    against_quote_bps: Option<String>,
    slot: u64,
}

/// The order's route, if it has one.
pub(super) fn route_view(swap: &Swap) -> Option<RouteView<'_>> {
    let route = swap.route.as_ref()?;
    let quote = &route.quote;
    let (amount_in, amount_out) = (swap.input(quote.amount_in), swap.output(quote.amount_out));
    let exact_in = quote.ask.mode == Mode::ExactIn;
    Some(RouteView {
        venue: &quote.venue,
        amount_in,
        amount_out,
        min_amount_out: exact_in.then(|| swap.output(route.limit)),
        max_amount_in: (!exact_in).then(|| swap.input(route.limit)),
        fee: swap.input(quote.fee),
        price_impact_bps: quote.price_impact_bps,
        price: price(amount_in, amount_out),
        bound: swap.bound(quote),
        gap_bps: quote.certificate.map(|certificate| certificate.gap_bps()),
        legs: quote.legs.iter().map(LegView::from).collect(),
        quoted_at: route.quoted_at,
    })
}

/// What was traded, beside what the route had promised.
pub(super) fn fill_view(swap: &Swap) -> Option<FillView> {
    let fill = swap.fill?;
    let (amount_in, amount_out) = (swap.input(fill.amount_in), swap.output(fill.amount_out));
    Some(FillView {
        amount_in,
        amount_out,
        price: price(amount_in, amount_out),
        against_quote_bps: swap.route.as_ref().map(|route| against(&route.quote, fill)),
        slot: fill.slot,
    })
}

impl RouteView<'_> {
    /// An old route, of which its numbers are enough: its swaps stand in the event that chose it.
    pub(super) fn without_legs(self) -> Self {
        Self { legs: Vec::new(), ..self }
    }
}

impl<'a> From<&'a Leg> for LegView<'a> {
    fn from(leg: &'a Leg) -> Self {
        Self {
            pool: &leg.pool,
            exchange: &leg.exchange,
            family: &leg.family,
            input_token: &leg.input,
            output_token: &leg.output,
            amount_in: leg.paid(),
            amount_out: leg.received(),
            fee: leg.fee(),
            fee_token: &leg.fee_token,
            price_impact_bps: leg.price_impact_bps,
        }
    }
}

/// How much better than quoted the trader fared, in basis points of the quoted amount that was not fixed, as decimal text; worse
/// with a minus. Rounded against what looks good.
fn against(quote: &Quote, fill: Fill) -> String {
    const WHOLE: u128 = 1_000_000_000;
    let (quoted, better, worse) = match quote.ask.mode {
        Mode::ExactIn => (quote.amount_out, fill.amount_out, quote.amount_out),
        Mode::ExactOut => (quote.amount_in, quote.amount_in, fill.amount_in),
    };
    // What is too large to be multiplied is large enough to be divided first.
    let share = |part: u128, round: fn(u128, u128) -> u128| match part.checked_mul(WHOLE) {
        Some(part) => round(part, quoted.max(1)),
        None => round(part, (quoted / WHOLE).max(1)),
    };
    let text = |billionths: u128| billionths_as_bps(u64::try_from(billionths).unwrap_or(u64::MAX));
    if better >= worse {
        return text(share(better - worse, |part, whole| part / whole));
    }
    format!("-{}", text(share(worse - better, u128::div_ceil)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::swap::Ask;

    #[test]
    fn what_was_traded_is_told_against_what_was_quoted() {
        let quote = |mode, amount_in, amount_out| Quote {
            venue: "Tradewind".into(),
            ask: Ask { input: "SOL".into(), output: "USDC".into(), mode, amount: 1 },
            amount_in,
            amount_out,
            fee: 0,
            price_impact_bps: 0,
            legs: Vec::new(),
            certificate: None,
            opaque: None,
        };
        let fill = |amount_in, amount_out| Fill { amount_in, amount_out, slot: 1 };
        let large = 10_u128.pow(37);
        for (mode, quoted, filled, bps) in [
            (Mode::ExactIn, (10, 100_000), (10, 100_000), "0.00000"),
            (Mode::ExactIn, (10, 100_000), (10, 100_001), "0.10000"),
            (Mode::ExactIn, (10, 100_000), (10, 99_990), "-1.00000"),
            (Mode::ExactIn, (10, 3), (10, 2), "-3333.33334"),
            (Mode::ExactIn, (10, 3), (10, 5), "6666.66666"),
            (Mode::ExactOut, (100_000, 10), (100_050, 10), "-5.00000"),
            (Mode::ExactOut, (100_000, 10), (99_950, 10), "5.00000"),
            (Mode::ExactIn, (10, large), (10, large - large / 10_000), "-1.00000"),
            (Mode::ExactIn, (10, 0), (10, 0), "0.00000"),
        ] {
            assert_eq!(
                against(&quote(mode, quoted.0, quoted.1), fill(filled.0, filled.1)),
                bps,
                "{quoted:?} {filled:?}"
            );
        }
    }
}
