//! The venue's JSON: what we read of it; all else is passed on as it came.

use std::fmt::Write as _;

use domain::swap::Prepared;
use serde_json::Value;
use sha3::{Digest, Keccak256};
use simnet::universal::{Direction, Quote as FirmQuote};

use super::NAME;
use crate::venue::{Outcome, VenueError};

/// The code of an order whose quote is no longer firm.
pub(super) const EXPIRED: &str = "QUOTE_EXPIRED";

/// What the request says and the quote has to repeat.
const REPEATED: [&str; 4] = ["type", "token", "pair_token", "blockchain"];

/// A text, or a number written where a text belongs.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn field(value: &Value, name: &str) -> Option<String> {
    value.get(name).and_then(text)
}

fn malformed(why: &str) -> VenueError {
    VenueError::Refused { code: "ORDER_MALFORMED", message: format!("the signed quote cannot be read: {why}") }
}

/// What is quoted or to be signed is not what was asked for.
pub(super) fn mismatch(why: &str) -> VenueError {
    VenueError::Refused { code: "TRANSACTION_MISMATCH", message: why.to_owned() }
}

/// Whether a quote is for what was asked, and still firm at `now`, in Unix seconds.
///
/// # Errors
/// `TRANSACTION_MISMATCH`; [`VenueError::Failed`] for what is no quote, or no longer firm.
pub(super) fn check(request: &str, quote: &str, now: u64) -> Result<(), VenueError> {
    let failed = |why: &str| VenueError::Failed(format!("its quote {why}"));
    let request: Value = serde_json::from_str(request).map_err(|error| VenueError::NoRoute(error.to_string()))?;
    let quote: Value = serde_json::from_str(quote).map_err(|_| failed("is no JSON"))?;
    if let Some(name) = REPEATED.iter().find(|name| field(&request, name) != field(&quote, name)) {
        return Err(mismatch(&format!("its quote is for another {name} than was asked for")));
    }
    let user = |value: &Value| field(value, "user_address").map(|text| text.to_ascii_lowercase());
    if user(&request) != user(&quote) {
        return Err(mismatch("its quote is for somebody else"));
    }
    // The token's amount counts before the pair's; one that is not in base units cannot be compared.
    let fixed = ["token_amount", "pair_token_amount"].into_iter();
    let fixed = fixed.filter_map(|name| Some((name, field(&request, name).filter(|text| !text.is_empty())?))).next();
    if let Some((name, asked)) = fixed
        && let Ok(asked) = asked.parse::<u128>()
        && field(&quote, name).and_then(|text| text.parse().ok()) != Some(asked)
    {
        return Err(mismatch(&format!("its quote has another {name} than was asked for")));
    }
    let deadline = field(&quote, "deadline").and_then(|text| text.parse::<u64>().ok());
    match deadline.ok_or_else(|| failed("has no deadline"))? {
        deadline if deadline < now => Err(failed("is no longer firm")),
        _ => Ok(()),
    }
}

/// A quote as it is to be signed. Numbers where texts belong are read as texts.
///
/// # Errors
/// It is no quote.
pub(super) fn firm(quote: &str) -> Result<FirmQuote, VenueError> {
    serde_json::from_str(quote).map_err(|error| mismatch(&format!("its quote cannot be read: {error}")))
}

/// What is paid and received by it, in base units.
///
/// # Errors
/// They are no numbers.
pub(super) fn amounts(firm: &FirmQuote) -> Result<(u128, u128), VenueError> {
    let number = |text: &str| text.parse().map_err(|_| mismatch(&format!("its amount {text:?} is none")));
    let (token, pair) = (number(&firm.token_amount)?, number(&firm.pair_token_amount)?);
    Ok(if firm.direction == Direction::Buy { (pair, token) } else { (token, pair) })
}

/// Whether it has its trader's signature.
pub(super) fn is_signed(quote: &str) -> bool {
    serde_json::from_str::<Value>(quote).is_ok_and(|quote| quote.get("signature").is_some())
}

/// Until when the quote is firm, in Unix seconds.
///
/// # Errors
/// It is no quote.
pub(super) fn deadline(quote: &str) -> Result<u64, VenueError> {
    let quote: Value = serde_json::from_str(quote).map_err(|error| malformed(&error.to_string()))?;
    let deadline = field(&quote, "deadline").and_then(|text| text.parse().ok());
    deadline.ok_or_else(|| malformed("its deadline is no number of seconds"))
}

/// The bytes of an order: the signed quote itself. Their id is a digest, because a quote's own id is its maker's to choose; in the
/// place of a height stands the deadline.
pub(super) fn prepared(signed: String, deadline: u64, build: u32) -> Prepared {
    let mut id = String::with_capacity(64);
    for byte in Keccak256::digest(&signed) {
        let _ = write!(id, "{byte:02x}");
    }
    Prepared { venue: NAME.into(), bytes: signed, id, expires_at_height: deadline, build }
}

/// What was traded: as the venue says, or else as it was signed, since a fill gives exactly that. There is no slot.
///
/// # Errors
/// It says nothing, and what was signed is no number.
pub(super) fn fill(signed: &str, said: Option<&(u128, u128)>) -> Result<Outcome, VenueError> {
    let unread = || VenueError::Failed("what was signed has no amounts".to_owned());
    let order: Value = serde_json::from_str(signed).map_err(|_| unread())?;
    let number = |name: &str| field(&order, name).and_then(|text| text.parse().ok());
    let signed = || number("token_amount").zip(number("pair_token_amount"));
    let (token, pair) = said.copied().or_else(signed).ok_or_else(unread)?;
    let buys = order.get("type").and_then(Value::as_str) == Some("BUY");
    let (amount_in, amount_out) = if buys { (pair, token) } else { (token, pair) };
    Ok(Outcome::Confirmed { amount_in, amount_out, slot: 0 })
}
