//! The OpenAPI document, and the page that shows it without asking any other server.
//!
//! How a new route gets documented. The tests below fail until all of it is there, and say what is missing.
//!
//! 1. Give its row in `routes.rs` a handler with `#[utoipa::path(…)]`, and name the handler in `paths(…)` here. The first line
//!    of its comment is the summary; what follows is the description. The operation's id is its tag and its handler's name
//!    (`dealsCreate`), unless `operation_id` gives it one.
//! 2. Say what is special about it, and no more:
//!    - parameters of its own with a description; those that many have, by their types in `schema/parameters.rs`: `params(("id" =
//!      String, Path, description = "…"), Acting, Keyed, AtVersion, Paged)`;
//!    - its successes with their bodies; its refusals by status and a description that names their codes between backticks, in
//!      which case they need neither body nor example: `(status = 404, description = "No such deal: `DEAL_NOT_FOUND`.")`.
//! 3. Bodies are structs in `schema/`, every field with a comment. Fields that hold one of some words have a type of
//!    `schema/words.rs`. A field whose name has no example in `openapi/examples.json` gets `#[schema(example = …)]` or a line there:
//!    by its own name, or as `Schema.field`. Examples of bodies are put together from those of their fields.
//!
//! What is the same everywhere comes from `complete`: security and its 401 and 403, the refusals that a body or a parameter
//! brings with it (400, 408, 413, 415, 412, 422), 429, 500, 503, headers of answers, and that nothing unknown is taken in requests.
//! `tradewind/tests/openapi/check` runs linters and schemathesis over the result.

mod complete;
mod examples;
mod problems;

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use utoipa::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::catalogue::Webhooks;
use crate::routes::App;
use crate::schema::{
    AccountName, AccountOrAll, DayOrInstant, EndpointWanted, EntityId, EventView, ProblemView, ShopOrderSort,
};
use crate::{
    bids, buyers, cache, catalogue, deals, events, health, invoices, keys, operator, plans, quotes, shop, stream,
    swaps, tokens, webhooks,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tradewind",
        description = "A durable order backend. A 2xx answer to a write means on disk. Until there is a key, everyone may do \
            everything, and the header `x-account` says on which account; from the first key on every request needs one with the \
            scope that its operation names. Every error is a problem document (RFC 9457) with a stable `code`. Unknown \
            parameters and fields are refused. Money is an integer of minor units, token amounts are decimal text.",
        contact(name = "The operator of this server"),
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    servers((url = "/", description = "The server that this document comes from.")),
    paths(
        swaps::create, swaps::list, swaps::read, swaps::history, swaps::cancel,
        plans::create, plans::list, plans::read, plans::history, plans::orders, plans::cancel,
        deals::create, deals::list, deals::read, deals::history, deals::update,
        deals::withdraw, deals::relist, deals::release, deals::sell,
        bids::create, bids::of_deal, bids::list, bids::read, bids::history,
        bids::counter, bids::accept, bids::decline, bids::retract,
        invoices::list, invoices::read, invoices::html,
        buyers::authorise, buyers::list, buyers::revoke,
        shop::create, shop::list, shop::read, shop::history, shop::update, shop::move_to, shop::delete,
        shop::stock_list, shop::stock_read, shop::stock_set, shop::stock_adjust,
        quotes::by_body, quotes::by_query, tokens::list,
        events::follow, stream::connect, catalogue::list,
        keys::create, keys::list, keys::read, keys::revoke, keys::ticket,
        webhooks::create, webhooks::list, webhooks::read, webhooks::update, webhooks::delete, webhooks::rotate,
        webhooks::test, webhooks::enable, webhooks::disable, webhooks::replay, webhooks::replayed,
        webhooks::deliveries, webhooks::delivery, webhooks::resend,
        operator::list, operator::read, operator::pause, operator::resume, operator::purge,
        operator::dead_list, operator::dead_errors, operator::dead_read, operator::dead_retry, operator::dead_discard,
        operator::dead_retry_all, operator::dead_discard_all,
        operator::trading_read, operator::trading_set,
        operator::limits_list, operator::limits_read, operator::limits_set, operator::limits_remove,
        cache::read, cache::clear, cache::keys, cache::delete,
        health::live, health::ready, health::metrics
    ),
    components(schemas(AccountName, AccountOrAll, DayOrInstant, EntityId, EndpointWanted, EventView, ProblemView, ShopOrderSort)),
    tags(
        (name = "swaps", description = "Orders to exchange one token for another."),
        (name = "plans", description = "An amount swapped in slices, one every so many seconds."),
        (name = "quotes", description = "What the venues would give, and what can be traded."),
        (name = "deals", description = "What sellers offer to the buyers whom they authorised."),
        (name = "bids", description = "What buyers would pay, and the sellers' answers."),
        (name = "invoices", description = "The documents about deals that were sold."),
        (name = "buyers", description = "Who sees a seller's deals."),
        (name = "shop", description = "Shop orders, and the stock that they are taken from."),
        (name = "streams", description = "Every change, as it happens and from any position."),
        (name = "keys", description = "Who may do what."),
        (name = "webhooks", description = "Every change, posted to an address of yours until it is taken."),
        (name = "administration", description = "What the installation does and holds, for who runs it."),
        (name = "operation", description = "Health and metrics.")
    ),
    modifiers(&Webhooks)
)]
struct Document;

static TEXT: LazyLock<String> = LazyLock::new(|| {
    // A document that were no JSON would be missed by every test that looks at it.
    let written = serde_json::to_value(Document::openapi()).unwrap_or_default();
    let mut text = serde_json::to_string_pretty(&complete::complete(written)).unwrap_or_default();
    text.push('\n');
    text
});

/// The OpenAPI document of the native API as pretty JSON.
#[must_use]
pub fn openapi() -> String {
    TEXT.clone()
}

/// `GET /openapi.json`.
pub(crate) async fn document() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], TEXT.as_str())
}

/// What the page may load, as browsers enforce it: nothing that does not come from here.
const OWN_ONLY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'self'",
);

/// Swagger UI under `/docs`.
pub(crate) fn pages() -> Router<Arc<App>> {
    // By itself it would have another server judge the document of every server that is not on this machine.
    let config = Config::new(["/openapi.json"]).validator_url("none");
    let pages: Router<Arc<App>> = SwaggerUi::new("/docs").config(config).into();
    pages.layer(map_response(async |mut response: Response| {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, OWN_ONLY);
        response
    }))
}

#[cfg(test)]
mod tests;
