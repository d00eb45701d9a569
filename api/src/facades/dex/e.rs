//! Dialect E: `inputToken`, `outputToken`, amounts in whole input tokens; flat frames.

use axum::http::StatusCode;
use axum::response::Response;
use domain::Event;
use domain::swap::{Ask, Mode, Side, Status};
use domain::token::Registry;

use super::execute::{Fields, Order, amount, limit_price, token};
use super::{Refused, decimal, facts, json, text};
use crate::terms::DEFAULT_SLIPPAGE_BPS;

/// What the body asks for: sell exactly `amount` of `inputToken`; of a limit order for `price` output tokens each or more, as the
/// frames tell prices. `side` is information.
pub(super) fn order(fields: &Fields<'_>, tokens: &Registry) -> Result<Order, Refused> {
    let bad = |error: &str| Refused::new(StatusCode::BAD_REQUEST, error);
    let stated = fields.get("amount").filter(|raw| !decimal::is_falsy(Some(raw))).and_then(decimal::plain);
    let stated = stated.filter(|plain| plain.bytes().any(|b| b.is_ascii_digit() && b != b'0'));
    let stated = stated.ok_or_else(|| bad("Invalid amount"))?;
    let limit_price = match fields.text("type").map(|t| t.to_ascii_uppercase()).as_deref() {
        None if fields.get("type").is_none_or(|raw| raw == "null") => None,
        Some("MARKET") => None,
        Some("LIMIT") => Some(limit_price(fields).ok_or_else(|| bad("Invalid price"))?),
        Some("SNIPER") => {
            return Err(bad("SNIPER orders are not supported yet; only MARKET and LIMIT orders are"));
        }
        _ => return Err(bad("Unknown order type; only MARKET and LIMIT orders are supported")),
    };
    let unknown = || bad("Unknown token");
    let input = token(fields, "inputToken", tokens).ok_or_else(unknown)?;
    let output = token(fields, "outputToken", tokens).ok_or_else(unknown)?;
    let units = amount(&stated, input).ok_or_else(|| bad("Invalid amount"))?;
    // The price of a purchase would be the other way round.
    let buys = fields.text("side").is_some_and(|side| side.eq_ignore_ascii_case("buy")) && limit_price.is_none();
    let side = if buys { Side::Buy } else { Side::Sell };
    let ask = Ask { input: input.symbol.clone(), output: output.symbol.clone(), mode: Mode::ExactIn, amount: units };
    let (input, output) = (input.clone(), output.clone());
    Ok(Order { side, ask, input, output, slippage_bps: DEFAULT_SLIPPAGE_BPS, limit_price })
}

/// The answer to an accepted order.
pub(super) fn accepted(id: &str, ws_url: &str) -> Response {
    let url = text(ws_url);
    let body = format!(r#"{{"message":"Order received","orderId":"{id}","status":"pending","wsUrl":{url}}}"#);
    json(StatusCode::OK, body)
}

/// The frames of one event, and whether they are the last.
pub(super) fn frames(event: &Event) -> (Vec<String>, bool) {
    let Some((status, facts)) = facts::of(event) else {
        return (Vec::new(), false);
    };
    let frame = |status: &str, rest: &str| format!(r#"{{"orderId":"{}","status":"{status}"{rest}}}"#, event.id);
    let route = facts.route.as_ref();
    let exchange = facts.exchange();
    let frames = match status {
        Status::Pending => vec![frame("pending", r#","message":"Connected to updates""#)],
        // One that rests is pending; that it rests again is nothing new.
        Status::Open if event.version == 1 => vec![frame("pending", r#","message":"Connected to updates""#)],
        Status::Open => Vec::new(),
        Status::Routing => vec![
            frame("processing", r#","message":"Order picked up by worker""#),
            frame("routing", r#","message":"Fetching quotes...""#),
        ],
        Status::Building => {
            let message = text(&format!("Best Route: {exchange}"));
            let price = route.map(|route| format!(r#","price":{}"#, route.price)).unwrap_or_default();
            vec![
                frame("routing", &format!(r#","message":{message}{price}"#)),
                frame("building", r#","message":"Creating transaction...""#),
            ]
        }
        Status::Submitted => Vec::new(),
        Status::Confirmed => {
            let hash = text(facts.transaction.as_ref().map(|t| t.id.as_ref()).unwrap_or_default());
            let price = facts.fill.as_ref().map(|fill| fill.price.as_ref()).unwrap_or("0");
            let rest = format!(r#","txHash":{hash},"finalPrice":{price},"price":{price},"dex":{}"#, text(exchange));
            vec![frame("confirmed", &rest)]
        }
        Status::Failed | Status::Cancelled | Status::Expired => {
            vec![frame("failed", &format!(r#","error":{}"#, text(&facts.reason(status))))]
        }
    };
    (frames, status.is_final())
}

/// The frame for an id that is nobody's.
pub(super) fn unknown(id: &str) -> String {
    format!(r#"{{"orderId":{},"status":"failed","error":"Order not found"}}"#, text(id))
}
