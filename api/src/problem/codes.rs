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
    INVALID_IF_MATCH 400 "The If-Match header is malformed"
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
    KEY_NOT_GOOD 401 "The key is unknown, expired or revoked"
    KEY_REQUIRED 401 "A key is needed"
    SIGNATURE_MALFORMED 400 "The signature is malformed"
    SIGNATURE_EXPIRED 401 "The signature is too old, or of the future"
    SIGNATURE_NOT_GOOD 401 "The signature does not fit the request"
    TICKET_NOT_GOOD 401 "The ticket is not ours, too old, or used"
    ACCOUNT_NOT_YOURS 403 "The account is another's"
    ORIGIN_NOT_ALLOWED 403 "Pages of another origin need a ticket"
    SCOPE_MISSING 403 "The key lacks a scope"
    SCOPE_NOT_YOURS 403 "Nobody gives what its own key does not have"
    QUEUE_NOT_FOUND 404 "There is no such queue"
    DEAD_JOB_NOT_FOUND 404 "There is no such dead job"
    LIMITS_NOT_FOUND 404 "The account has no limits of its own"
    KEY_NOT_FOUND 404 "There is no such key"
    PLAN_NOT_FOUND 404 "There is no such plan"
    BID_NOT_FOUND 404 "There is no such bid"
    BUYER_NOT_FOUND 404 "There is no such buyer of the seller"
    DELIVERY_NOT_FOUND 404 "There is no such delivery"
    ENDPOINT_NOT_FOUND 404 "There is no such webhook endpoint"
    REPLAY_NOT_FOUND 404 "There is no such replay"
    CACHE_KEY_NOT_FOUND 404 "The cache holds no such key"
    DEAL_NOT_FOUND 404 "There is no such deal"
    INVOICE_NOT_FOUND 404 "There is no such invoice"
    SELLER_NOT_FOUND 404 "There is no such seller"
    SHOP_ORDER_NOT_FOUND 404 "There is no such shop order"
    STOCK_NOT_FOUND 404 "The product is not counted"
    NOT_FOUND 404 "There is nothing here"
    SWAP_NOT_FOUND 404 "There is no such order"
    METHOD_NOT_ALLOWED 405 "The method is not allowed here"
    REQUEST_TIMEOUT 408 "The request took too long to arrive"
    ANOTHER_BUYER 409 "The deal is reserved for another buyer"
    BID_EXPIRED 409 "The bid's time ran out"
    BID_OPEN 409 "The buyer has an open bid for the deal"
    DEAL_CHANGED 409 "The deal was changed after the price was named"
    DEAL_NOT_AVAILABLE 409 "The deal takes no bid now"
    NOT_YOUR_TURN 409 "The other side has to answer"
    TOO_MANY_ENDPOINTS 409 "The account has as many webhook endpoints as it may"
    TOO_MANY_SECRETS 409 "As many secrets sign as may"
    TOO_MANY_BIDS 409 "The buyer has made as many bids for the deal as it may"
    TOO_MANY_COUNTERS 409 "The bid was countered too often"
    TOO_MANY_SELLERS 409 "The buyer is authorised by as many sellers as it can be"
    BELOW_RESERVED 409 "More is kept for open orders"
    OUT_OF_STOCK 409 "Of a product there is not enough left"
    DUPLICATE_EXTERNAL_REFERENCE 409 "Another order of the shop has the reference"
    DUPLICATE_CLIENT_ORDER_ID 409 "The client order id is taken"
    FIRST_KEY_NOT_ADMIN 409 "The first key must be an admin's"
    KEY_EXISTS 409 "The key is known already"
    NOT_CANCELLABLE 409 "The order cannot be cancelled any more"
    DAILY_LIMIT 409 "The account's orders of the day would be worth more than they may"
    TRADING_HALTED 409 "Trading is halted"
    TRADING_STATE_REDUCING 409 "Only orders into a settlement token are taken"
    QUEUE_OWN 409 "The queue is the program's own"
    PURGE_IN_PROGRESS 409 "The queue was purged a moment ago"
    WRONG_STATE 409 "It is in another state"
    EVENT_FORGOTTEN 410 "The event is no longer held"
    POSITION_GONE 410 "The position is no longer held"
    STALE_VERSION 412 "It was changed meanwhile"
    BODY_TOO_LARGE 413 "The body is too large"
    UNSUPPORTED_MEDIA_TYPE 415 "Expected application/json"
    AMOUNT_MALFORMED 422 "The amount is no plain decimal"
    AMOUNT_NOT_POSITIVE 422 "The amount is not above zero"
    AMOUNT_TOO_LARGE 422 "The amount is too large"
    AMOUNT_TOO_PRECISE 422 "The amount has more decimals than the token"
    NOTIONAL_EXCEEDS_MAX_PER_ORDER 422 "The order is worth more than one of the account may be"
    NOTIONAL_UNKNOWN 422 "What the order is worth is not known"
    PRICE_IMPACT_TOO_HIGH 422 "The price impact is higher than accepted"
    TOKEN_NOT_ALLOWED 422 "The account may not trade the token"
    BUYER_NOT_AUTHORISED 422 "The buyer may not see the seller's deals"
    BUYER_REQUIRED 422 "The sale needs a buyer"
    CURRENCY_UNKNOWN 422 "The currency is none of ISO 4217"
    DEAL_TOO_LARGE 422 "The deal is too large"
    DISCOUNT_CURRENCY_DIFFERS 422 "The discount is in another currency"
    DISCOUNT_OUT_OF_RANGE 422 "The discount is out of range"
    DUPLICATE_ITEM_ID 422 "Two items have the same id"
    ITEM_COUNT 422 "There are no items, or too many"
    ITEM_ID_MALFORMED 422 "The item's id is no UUID"
    NAME_MALFORMED 422 "The name is malformed"
    OWN_ACCOUNT 422 "It must be another account"
    OWN_DEAL 422 "The deal is the bidder's own"
    OUT_OF_RANGE 422 "A value is out of range"
    PRICE_OUT_OF_RANGE 422 "The price is out of range"
    TIME_MALFORMED 422 "The instant is malformed"
    TOTAL_OUT_OF_RANGE 422 "The total is out of range"
    TOTAL_PRICE_DIFFERS 422 "The total is another than the client takes it to be"
    CLIENT_ORDER_ID_MALFORMED 422 "The client order id is malformed"
    EMAIL_MALFORMED 422 "The e-mail address is none"
    NOTE_MALFORMED 422 "The note is malformed"
    ORDER_TOO_LARGE 422 "The order is too large"
    PHONE_MALFORMED 422 "The telephone number is none"
    PRODUCT_ID_MALFORMED 422 "The product's id is malformed"
    QUANTITY_OUT_OF_RANGE 422 "The number of pieces is out of range"
    REFERENCE_MALFORMED 422 "The reference is malformed"
    ENV_MALFORMED 422 "The environment is malformed"
    EXPIRE_TIME_REQUIRED 422 "The order needs the date until which it is good"
    EXPIRE_TIME_IN_PAST 422 "The expiry is not in the future"
    EXPIRE_TIME_MALFORMED 422 "The expiry is no RFC 3339 instant"
    EXPIRE_TIME_TOO_LATE 422 "The expiry is too late"
    LIMIT_PRICE_MALFORMED 422 "The limit price is no plain decimal"
    LIMIT_PRICE_OUT_OF_RANGE 422 "At the limit price no amount could be traded"
    IDEMPOTENCY_KEY_REUSED 422 "The idempotency key was used with another request"
    IMPORT_MALFORMED 422 "The key of another system is malformed"
    NAME_TOO_LONG 422 "The name is empty or too long"
    REFUSED 422 "The request is refused"
    SAME_TOKEN 422 "Both tokens are the same"
    SCOPES_EMPTY 422 "The key would have no scope"
    SCOPE_NOT_OF_ROLE 422 "The role does not have the scope"
    SECRET_MALFORMED 422 "The webhook secret is malformed"
    SLIPPAGE_OUT_OF_RANGE 422 "The slippage is out of range"
    UNKNOWN_CHOICE 422 "The value is none of the allowed ones"
    UNKNOWN_PATTERN 422 "The pattern is none that matches anything"
    UNKNOWN_TOKEN 422 "The token is unknown"
    UNSUPPORTED_TIME_IN_FORCE 422 "The time in force is none of those that there are"
    URL_REFUSED 422 "The URL is none that webhooks go to"
    UPGRADE_REQUIRED 426 "Expected a WebSocket handshake"
    TOO_MANY_ATTEMPTS 429 "Too many keys were not good"
    IF_MATCH_REQUIRED 428 "The request must say which version it is for"
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
