//! Every code of the native API with its status and title: one table, also served as a page.

/// A code, the status it comes with, and what it means.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    /// Stable, for programs.
    pub(crate) code: &'static str,
    /// The HTTP status.
    pub(crate) status: u16,
    /// The same for every problem of this code.
    pub(crate) title: &'static str,
}

macro_rules! table {
    ($($code:ident $status:literal $title:literal)*) => {
        $(pub(crate) const $code: Known = Known { code: stringify!($code), status: $status, title: $title };)*
        /// Every code, by status.
        pub(crate) const ALL: &[Known] = &[$($code),*];
    };
}

table! {
    BODY_EMPTY 400 "The body is empty"
    BODY_NOT_OBJECT 400 "The body is no JSON object"
    BODY_TOO_DEEP 400 "The body is nested too deeply"
    DUPLICATE_FIELD 400 "A field stands there twice"
    DUPLICATE_PARAMETER 400 "A parameter stands there twice"
    ALREADY_SUBSCRIBED 400 "The socket has a subscription of that id"
    AMOUNT_NOT_TEXT 400 "Amounts are decimal text, not JSON numbers"
    FIELD_MISSING 400 "A field is missing"
    INVALID_ACCOUNT 400 "The account name is malformed"
    INVALID_CURSOR 400 "The cursor is not one of ours, or of another list"
    INVALID_IDEMPOTENCY_KEY 400 "The idempotency key is malformed"
    INVALID_PARAMETER 400 "A parameter is malformed"
    INVALID_POSITION 400 "The position is malformed"
    INVALID_UTF8 400 "The body is no UTF-8"
    MALFORMED_JSON 400 "The body is no JSON"
    MALFORMED_REQUEST 400 "The request is malformed"
    NOT_AN_INTEGER 400 "Expected an integer"
    TOO_MANY_SUBSCRIPTIONS 400 "The socket has as many subscriptions as it may"
    UNKNOWN_ACCOUNT 400 "There is no such account for this caller"
    UNKNOWN_FIELD 400 "A field is unknown"
    UNKNOWN_PARAMETER 400 "A parameter is unknown"
    WRONG_TYPE 400 "A field has the wrong type"
    NOT_FOUND 404 "There is nothing here"
    SWAP_NOT_FOUND 404 "There is no such order"
    METHOD_NOT_ALLOWED 405 "The method is not allowed here"
    REQUEST_TIMEOUT 408 "The request took too long to arrive"
    DUPLICATE_CLIENT_ORDER_ID 409 "The client order id is taken"
    NOT_CANCELLABLE 409 "The order cannot be cancelled any more"
    WRONG_STATE 409 "The order is in another state"
    POSITION_GONE 410 "The position is no longer held"
    BODY_TOO_LARGE 413 "The body is too large"
    UNSUPPORTED_MEDIA_TYPE 415 "Expected application/json"
    AMOUNT_MALFORMED 422 "The amount is no plain decimal"
    AMOUNT_NOT_POSITIVE 422 "The amount is not above zero"
    AMOUNT_TOO_LARGE 422 "The amount is too large"
    AMOUNT_TOO_PRECISE 422 "The amount has more decimals than the token"
    CLIENT_ORDER_ID_MALFORMED 422 "The client order id is malformed"
    EXPIRE_TIME_IN_PAST 422 "The expiry is not in the future"
    EXPIRE_TIME_MALFORMED 422 "The expiry is no RFC 3339 instant"
    IDEMPOTENCY_KEY_REUSED 422 "The idempotency key was used with another request"
    REFUSED 422 "The request is refused"
    SAME_TOKEN 422 "Both tokens are the same"
    SLIPPAGE_OUT_OF_RANGE 422 "The slippage is out of range"
    UNKNOWN_CHOICE 422 "The value is none of the allowed ones"
    UNKNOWN_TOKEN 422 "The token is unknown"
    UPGRADE_REQUIRED 426 "Expected a WebSocket handshake"
    RATE_LIMITED 429 "Too many requests"
    INTERNAL 500 "The server failed"
    BUSY 503 "The server is busy"
    DEADLINE 503 "The request was not done in time"
    TOO_MANY_CONNECTIONS 503 "The server has as many connections as it can"
    TOO_MANY_SOCKETS 503 "The server follows as many clients as it can"
    UNAVAILABLE 503 "The server cannot do this now"
}

/// The row of that code.
pub(crate) fn of(code: &str) -> Option<Known> {
    ALL.iter().copied().find(|known| known.code == code)
}

/// The page behind the `type` of every problem.
pub(crate) fn page() -> String {
    use std::fmt::Write;

    let mut page = String::from("<!doctype html><meta charset=utf-8><title>Problems</title><h1>Problem codes</h1><dl>");
    for known in ALL {
        let Known { code, status, title } = known;
        let _ = write!(page, "<dt id={code}><code>{code}</code> ({status})<dd>{title}.");
    }
    page.push_str("</dl>");
    page
}
