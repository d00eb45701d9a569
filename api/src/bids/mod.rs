//! Bids over HTTP: offer, read, list, follow back, and every answer.

mod list;

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use domain::bid::Counter;
use domain::{Kind, Timestamp};

use crate::account::Account;
use crate::body::{Form, JsonBytes};
use crate::command::{Command, answer};
use crate::deals::minor;
use crate::problem::{Problem, codes};
use crate::routes::App;
use crate::schema::{Acting, AfterVersion, AtVersion, BidRequest, BidView, History, Keyed, UnlessKnown};
use crate::seen;
use crate::swaps::is_id;

pub(crate) use list::{__path_list, __path_of_deal, list, of_deal};

const FOLDER: &str = "/v1/bids";

/// Makes a bid for a deal that the account may see, and that is not its own.
///
/// A buyer has one open bid for a deal at a time, and 32 in the deal's life. The amount is in minor units of the deal's
/// currency. The seller answers with accept, counter or decline.
#[utoipa::path(post, path = "/v1/deals/{id}/bids", tag = "bids", request_body = BidRequest,
    params(
        ("id" = String, Path, description = "The deal's id."),
        Acting, Keyed),
    responses(
        (status = 201, description = "Offered: on disk.", body = BidView),
        (status = 422, description = "Refused: `AMOUNT_NOT_POSITIVE`, `AMOUNT_TOO_LARGE`, `OWN_DEAL`, `EXPIRE_TIME_MALFORMED`, \
            `EXPIRE_TIME_IN_PAST` or `EXPIRE_TIME_TOO_LATE`."),
        (status = 404, description = "No such deal that this account may see: `DEAL_NOT_FOUND`."),
        (status = 409, description = "The deal is not available (`DEAL_NOT_AVAILABLE`), a bid for it is open (`BID_OPEN`), or \
            there were too many (`TOO_MANY_BIDS`).")))]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(id): Path<String>,
    command: Command,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    if !is_id(&id) {
        return Err(Problem::new(codes::DEAL_NOT_FOUND, "there is no such deal"));
    }
    let (terms, said) = terms(&body)?;
    let request = command.request("bids.create", &account, &[&id, &said]);
    let taken = app.engine.intake.offer_bid(&account, &id, terms, request).await?;
    Ok(answer(StatusCode::CREATED, FOLDER, taken))
}

/// Reads a bid that the account made or got.
#[utoipa::path(get, path = "/v1/bids/{id}", tag = "bids",
    params(
        ("id" = String, Path, description = "The bid's id."),
        Acting, UnlessKnown),
    responses(
        (status = 200, description = "The bid; its ETag is its version.", body = BidView),
        (status = 304, description = "Still at the version already known."),
        (status = 404, description = "No such bid that this account made or got: `BID_NOT_FOUND`.")))]
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let view = seen::view(&app, &account, Kind::Bid, &id, codes::BID_NOT_FOUND).await?;
    Ok(seen::answer(&view, &headers))
}

/// The history of a bid: every price and answer, and who gave it.
#[utoipa::path(get, path = "/v1/bids/{id}/events", tag = "bids",
    params(
        ("id" = String, Path, description = "The bid's id."),
        AfterVersion, Acting),
    responses(
        (status = 200, description = "Its events, oldest first, at most 1,000.", body = History),
        (status = 404, description = "No such bid that this account made or got: `BID_NOT_FOUND`.")))]
pub(crate) async fn history(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    seen::view(&app, &account, Kind::Bid, &id, codes::BID_NOT_FOUND).await?;
    seen::history(&app, Kind::Bid, &id, &uri).await
}

/// Names another price: the seller for an offer, the buyer for the seller's price. The other side has to answer then.
///
/// The price is for the deal as it is now. `expiresAt` takes the place of what stood there.
#[utoipa::path(post, path = "/v1/bids/{id}/counter", tag = "bids", request_body = BidRequest,
    params(
        ("id" = String, Path, description = "The bid's id."),
        AtVersion, Acting, Keyed),
    responses(
        (status = 200, description = "Countered.", body = BidView),
        (status = 422, description = "Refused: `AMOUNT_NOT_POSITIVE`, `AMOUNT_TOO_LARGE`, `EXPIRE_TIME_MALFORMED`, \
            `EXPIRE_TIME_IN_PAST` or `EXPIRE_TIME_TOO_LATE`."),
        (status = 404, description = "No such bid that this account made or got: `BID_NOT_FOUND`."),
        (status = 409, description = "It is not open (`WRONG_STATE`, `BID_EXPIRED`), the other side has to answer \
            (`NOT_YOUR_TURN`), the deal is gone (`DEAL_NOT_AVAILABLE`), or there were too many answers (`TOO_MANY_COUNTERS`).")))]
pub(crate) async fn counter(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(id): Path<String>,
    command: Command,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    known(&id)?;
    let (terms, said) = terms(&body)?;
    let request = command.request("bids.counter", &account, &[&id, &said]);
    let taken = app.engine.intake.counter_bid(&account, command.target(&id), terms, request).await?;
    Ok(answer(StatusCode::OK, FOLDER, taken))
}

/// Takes the price that stands, and reserves the deal in the same step: the seller an offer, the buyer the seller's price.
///
/// Of many bids that are accepted at once, exactly one is. A price that was named before the deal was changed is not
/// accepted any more. `If-Match` makes sure that the price is the one that was read.
#[utoipa::path(post, path = "/v1/bids/{id}/accept", tag = "bids",
    params(
        ("id" = String, Path, description = "The bid's id."),
        AtVersion, Acting, Keyed),
    responses(
        (status = 200, description = "Accepted; the deal is reserved.", body = BidView),
        (status = 404, description = "No such bid that this account made or got: `BID_NOT_FOUND`."),
        (status = 409, description = "It is not open (`WRONG_STATE`, `BID_EXPIRED`), the other side has to answer \
            (`NOT_YOUR_TURN`), or the deal is reserved, gone (`DEAL_NOT_AVAILABLE`) or changed (`DEAL_CHANGED`).")))]
pub(crate) async fn accept(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(id): Path<String>,
    command: Command,
) -> Result<Response, Problem> {
    known(&id)?;
    let request = command.request("bids.accept", &account, &[&id]);
    let taken = app.engine.intake.accept_bid(&account, command.target(&id), request).await?;
    Ok(answer(StatusCode::OK, FOLDER, taken))
}

/// Turns a bid down: the seller any open one, the buyer the seller's price.
#[utoipa::path(post, path = "/v1/bids/{id}/decline", tag = "bids",
    params(
        ("id" = String, Path, description = "The bid's id."),
        AtVersion, Acting, Keyed),
    responses(
        (status = 200, description = "Declined.", body = BidView),
        (status = 404, description = "No such bid that this account made or got: `BID_NOT_FOUND`."),
        (status = 409, description = "It is not open (`WRONG_STATE`, `BID_EXPIRED`), or the other side has to answer \
            (`NOT_YOUR_TURN`).")))]
pub(crate) async fn decline(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(id): Path<String>,
    command: Command,
) -> Result<Response, Problem> {
    known(&id)?;
    let request = command.request("bids.decline", &account, &[&id]);
    let taken = app.engine.intake.decline_bid(&account, command.target(&id), request).await?;
    Ok(answer(StatusCode::OK, FOLDER, taken))
}

/// Takes one's own open bid back.
#[utoipa::path(post, path = "/v1/bids/{id}/retract", tag = "bids",
    params(
        ("id" = String, Path, description = "The bid's id."),
        AtVersion, Acting, Keyed),
    responses(
        (status = 200, description = "Retracted.", body = BidView),
        (status = 404, description = "No such bid that this account made or got: `BID_NOT_FOUND`."),
        (status = 409, description = "It is not open (`WRONG_STATE`, `BID_EXPIRED`), or another's (`NOT_YOUR_TURN`).")))]
pub(crate) async fn retract(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(id): Path<String>,
    command: Command,
) -> Result<Response, Problem> {
    known(&id)?;
    let request = command.request("bids.retract", &account, &[&id]);
    let taken = app.engine.intake.retract_bid(&account, command.target(&id), request).await?;
    Ok(answer(StatusCode::OK, FOLDER, taken))
}

/// The price in the body of a request, and what it says as one text.
fn terms(body: &[u8]) -> Result<(Counter, String), Problem> {
    let mut form = Form::parse(body)?;
    let amount = form.needed("amount", minor);
    let expires_at = form.text("expiresAt").and_then(|text| {
        let detail = "expected an RFC 3339 instant such as 2030-01-01T00:00:00Z";
        Timestamp::parse(&text).or_else(|| form.fault("expiresAt", codes::EXPIRE_TIME_MALFORMED, detail))
    });
    form.finish()?;
    let amount = amount.ok_or_else(|| Problem::new(codes::REFUSED, "the amount is missing"))?;
    let said = format!("{amount} {}", expires_at.map_or_else(String::new, |at| at.to_string()));
    Ok((Counter { amount, expires_at }, said))
}

/// Anything else is nobody's id.
fn known(id: &str) -> Result<(), Problem> {
    if is_id(id) { Ok(()) } else { Err(Problem::new(codes::BID_NOT_FOUND, "there is no such bid")) }
}
