//! Dialect M: `baseAsset`, `quoteAsset`, amounts in whole base tokens; frames with `meta`.

use axum::http::StatusCode;
use axum::response::Response;
use domain::Event;
use domain::amount::parse;
use domain::swap::{Ask, Mode, Side, Status};
use domain::token::Registry;

use super::execute::{Fields, Order, amount, limit_price, token};
use super::{Refused, decimal, facts, json, text};
use crate::terms::DEFAULT_SLIPPAGE_BPS;

/// What the body asks for: `buy` receives exactly `amount` of the base for the quote, `sell` pays exactly that much; of a limit
/// order for `price` quote tokens each at most or at least.
pub(super) fn order(fields: &Fields<'_>, tokens: &Registry) -> Result<Order, Refused> {
    let bad = |error: &str| Refused::new(StatusCode::BAD_REQUEST, error);
    let kind = fields.text("type");
    let limited = kind.as_deref() == Some("limit");
    if !limited && kind.as_deref() != Some("market") {
        return Err(bad("Only market orders allowed for this assignment"));
    }
    let priced = |name| !decimal::is_falsy(fields.get(name));
    let missing = limited && !priced("price") && !priced("limitPrice");
    let missing =
        missing || ["side", "baseAsset", "quoteAsset", "amount"].iter().any(|name| decimal::is_falsy(fields.get(name)));
    let stated = fields.get("amount").and_then(decimal::plain);
    let stated = stated.filter(|plain| !missing && plain.bytes().any(|b| b.is_ascii_digit() && b != b'0'));
    let stated = stated.ok_or_else(|| bad("missing fields"))?;
    let side = match fields.text("side").as_deref() {
        Some("buy") => Side::Buy,
        Some("sell") => Side::Sell,
        _ => return Err(bad("Invalid side")),
    };
    let unknown = || bad("Unknown token");
    let base = token(fields, "baseAsset", tokens).ok_or_else(unknown)?;
    let quote = token(fields, "quoteAsset", tokens).ok_or_else(unknown)?;
    let units = amount(&stated, base).ok_or_else(|| bad("Invalid amount"))?;
    let limit_price = limited.then(|| limit_price(fields).ok_or_else(|| bad("Invalid price"))).transpose()?;
    let slippage_bps = slippage(fields.get("slippagePct")).ok_or_else(|| bad("Invalid slippage"))?;
    let (input, output, mode) = match side {
        Side::Sell => (base, quote, Mode::ExactIn),
        Side::Buy => (quote, base, Mode::ExactOut),
    };
    let ask = Ask { input: input.symbol.clone(), output: output.symbol.clone(), mode, amount: units };
    Ok(Order { side, ask, input: input.clone(), output: output.clone(), slippage_bps, limit_price })
}

/// A fraction, `0.005` for half a percent, as basis points; what is finer than one is cut off, in the trader's favour.
fn slippage(raw: Option<&str>) -> Option<u16> {
    let Some(raw) = raw.filter(|raw| *raw != "null") else {
        return Some(DEFAULT_SLIPPAGE_BPS);
    };
    let fraction = decimal::plain(raw)?;
    let (whole, rest) = fraction.split_once('.').unwrap_or((&fraction, ""));
    let cut = format!("{whole}.{:0<4}", rest.get(..4).unwrap_or(rest));
    parse(&cut, 4).ok().and_then(|bps| u16::try_from(bps).ok()).filter(|bps| *bps <= 10_000)
}

/// The answer to an accepted order.
pub(super) fn accepted(id: &str) -> Response {
    json(StatusCode::OK, format!(r#"{{"orderId":"{id}"}}"#))
}

/// The frame of one event, if it has one, and whether it is the last.
pub(super) fn frame(event: &Event) -> (Option<String>, bool) {
    let Some((status, facts)) = facts::of(event) else {
        return (None, false);
    };
    if status == Status::Open && event.version > 1 {
        // That it rests again is nothing new.
        return (None, false);
    }
    let (word, meta) = match status {
        Status::Open => ("pending", String::new()),
        Status::Building => {
            let route = facts.route.as_ref();
            let chosen = text(facts.exchange());
            let price = route.map_or_else(|| "0".to_owned(), |route| facts.price_of_base(route));
            ("building", format!(r#""chosen":{chosen},"quotedPrice":{price}"#))
        }
        Status::Confirmed => {
            let hash = text(facts.transaction.as_ref().map(|t| t.id.as_ref()).unwrap_or_default());
            let price = facts.fill.as_ref().map_or_else(|| "0".to_owned(), |fill| facts.price_of_base(fill));
            ("confirmed", format!(r#""txHash":{hash},"executedPrice":{price}"#))
        }
        Status::Failed | Status::Cancelled | Status::Expired => {
            ("failed", format!(r#""reason":{}"#, text(&facts.reason(status))))
        }
        Status::Pending | Status::Routing | Status::Submitted => (status.as_str(), String::new()),
    };
    let frame = format!(r#"{{"orderId":"{}","status":"{word}","meta":{{{meta}}}}}"#, event.id);
    (Some(frame), status.is_final())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slippage_is_a_fraction() {
        for (raw, expected) in [
            (None, Some(50)),
            (Some("null"), Some(50)),
            (Some("0.005"), Some(50)),
            (Some("0.01"), Some(100)),
            (Some("\"0.01\""), Some(100)),
            (Some("0.00019"), Some(1)),
            (Some("1e-3"), Some(10)),
            (Some("0"), Some(0)),
            (Some("1"), Some(10_000)),
            (Some("1.0001"), None),
            (Some("-0.1"), None),
            (Some("true"), None),
        ] {
            assert_eq!(slippage(raw), expected, "{raw:?}");
        }
    }
}
