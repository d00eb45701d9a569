//! Deals over HTTP: post, read, list, change, follow back, withdraw, put back, release, sell.

mod list;
mod terms;

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use domain::deal::Post;
use domain::{Kind, Owner};
use engine::intake::new_id;

use self::terms::Ids;
use crate::account::Account;
use crate::body::{Form, JsonBytes, PerhapsJson};
use crate::command::{Command, answer};
use crate::problem::{Problem, codes};
use crate::routes::App;
use crate::schema::{
    Acting, AfterVersion, AtVersion, DealRequest, DealUpdate, DealView, History, Keyed, MustNameVersion, SaleRequest,
    UnlessKnown,
};
use crate::seen;
use crate::swaps::is_id;

pub(crate) use list::{__path_list, list};
pub(crate) use terms::{discount, minor};

const FOLDER: &str = "/v1/deals";

/// Posts a deal.
///
/// The server adds the prices up and takes the discount off; a `totalPrice` that differs from the sum is refused. A percentage
/// is rounded once, half to even. Amounts are integers of the currency's minor units. As JSON the deal has at most 8,000 bytes.
#[utoipa::path(post, path = "/v1/deals", tag = "deals", request_body = DealRequest,
    params(Acting, Keyed),
    responses(
        (status = 201, description = "On the list: on disk.", body = DealView),
        (status = 422, description = "Refused: `TOTAL_PRICE_DIFFERS`, `CURRENCY_UNKNOWN`, `NAME_MALFORMED`, `ITEM_COUNT`, `PRICE_OUT_OF_RANGE`, \
            `DISCOUNT_OUT_OF_RANGE`, `DISCOUNT_CURRENCY_DIFFERS`, `TOTAL_OUT_OF_RANGE`, `AMOUNT_TOO_LARGE`, `UNKNOWN_CHOICE` \
            or `DEAL_TOO_LARGE`.")))]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    Account(account): Account,
    command: Command,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    let (terms, said) = terms::parse(&body, Ids::Made)?;
    let request = command.request("deals.create", &account, &[&said]);
    let post = Post { id: new_id(), seller: account, terms, sold: false };
    Ok(answer(StatusCode::CREATED, FOLDER, app.engine.intake.post_deal(post, request).await?))
}

/// Reads a deal: one's own, or one of a seller that authorised the account.
#[utoipa::path(get, path = "/v1/deals/{id}", tag = "deals",
    params(
        ("id" = String, Path, description = "The deal's id."),
        Acting, UnlessKnown),
    responses(
        (status = 200, description = "The deal; its ETag is its version.", body = DealView),
        (status = 304, description = "Still at the version already known."),
        (status = 404, description = "No such deal that this account may see: `DEAL_NOT_FOUND`.")))]
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let view = seen::view(&app, &account, Kind::Deal, &id, codes::DEAL_NOT_FOUND).await?;
    Ok(seen::answer(&view, &headers))
}

/// The history of a deal: every change, who made it, and the old values.
#[utoipa::path(get, path = "/v1/deals/{id}/events", tag = "deals",
    params(
        ("id" = String, Path, description = "The deal's id."),
        AfterVersion, Acting),
    responses(
        (status = 200, description = "Its events, oldest first, at most 1,000.", body = History),
        (status = 404, description = "No such deal that this account may see: `DEAL_NOT_FOUND`.")))]
pub(crate) async fn history(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    seen::view(&app, &account, Kind::Deal, &id, codes::DEAL_NOT_FOUND).await?;
    seen::history(&app, Kind::Deal, &id, &uri).await
}

/// Changes what a deal offers, all of it at once: while it is available or withdrawn.
///
/// `If-Match` must name the version that the change is based on. Items whose id is given keep it, the others get one.
#[utoipa::path(put, path = "/v1/deals/{id}", tag = "deals", request_body = DealUpdate,
    params(
        ("id" = String, Path, description = "The deal's id."),
        MustNameVersion, Acting, Keyed),
    responses(
        (status = 200, description = "Changed.", body = DealView),
        (status = 422, description = "Refused: `TOTAL_PRICE_DIFFERS`, `CURRENCY_UNKNOWN`, `NAME_MALFORMED`, `ITEM_COUNT`, `PRICE_OUT_OF_RANGE`, \
            `DISCOUNT_OUT_OF_RANGE`, `DISCOUNT_CURRENCY_DIFFERS`, `TOTAL_OUT_OF_RANGE`, `AMOUNT_TOO_LARGE`, `UNKNOWN_CHOICE`, \
            `ITEM_ID_MALFORMED`, `DUPLICATE_ITEM_ID` or `DEAL_TOO_LARGE`."),
        (status = 404, description = "No such deal of this account: `DEAL_NOT_FOUND`."),
        (status = 409, description = "It is reserved or sold: `WRONG_STATE`.")))]
pub(crate) async fn update(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(id): Path<String>,
    command: Command,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    known(&id)?;
    command.must_name_version()?;
    let (terms, said) = terms::parse(&body, Ids::Given)?;
    let request = command.request("deals.update", &account, &[&id, &said]);
    let taken = app.engine.intake.update_deal(&account, command.target(&id), &terms, request).await?;
    Ok(answer(StatusCode::OK, FOLDER, taken))
}

/// Takes a deal that is available off the list. Its open bids are declined soon after.
#[utoipa::path(post, path = "/v1/deals/{id}/withdraw", tag = "deals",
    params(
        ("id" = String, Path, description = "The deal's id."),
        AtVersion, Acting, Keyed),
    responses(
        (status = 200, description = "Withdrawn.", body = DealView),
        (status = 404, description = "No such deal of this account: `DEAL_NOT_FOUND`."),
        (status = 409, description = "It is not available: `WRONG_STATE`.")))]
pub(crate) async fn withdraw(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(id): Path<String>,
    command: Command,
) -> Result<Response, Problem> {
    known(&id)?;
    let request = command.request("deals.withdraw", &account, &[&id]);
    let taken = app.engine.intake.withdraw_deal(&account, command.target(&id), request).await?;
    Ok(answer(StatusCode::OK, FOLDER, taken))
}

/// Puts a withdrawn deal on the list again.
#[utoipa::path(post, path = "/v1/deals/{id}/relist", tag = "deals",
    params(
        ("id" = String, Path, description = "The deal's id."),
        AtVersion, Acting, Keyed),
    responses(
        (status = 200, description = "Available.", body = DealView),
        (status = 404, description = "No such deal of this account: `DEAL_NOT_FOUND`."),
        (status = 409, description = "It is not withdrawn: `WRONG_STATE`.")))]
pub(crate) async fn relist(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(id): Path<String>,
    command: Command,
) -> Result<Response, Problem> {
    known(&id)?;
    let request = command.request("deals.relist", &account, &[&id]);
    let taken = app.engine.intake.relist_deal(&account, command.target(&id), request).await?;
    Ok(answer(StatusCode::OK, FOLDER, taken))
}

/// Frees a reserved deal. The bid that was accepted for it is declined in the same step.
#[utoipa::path(post, path = "/v1/deals/{id}/release", tag = "deals",
    params(
        ("id" = String, Path, description = "The deal's id."),
        AtVersion, Acting, Keyed),
    responses(
        (status = 200, description = "Available.", body = DealView),
        (status = 404, description = "No such deal of this account: `DEAL_NOT_FOUND`."),
        (status = 409, description = "It is not reserved: `WRONG_STATE`.")))]
pub(crate) async fn release(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(id): Path<String>,
    command: Command,
) -> Result<Response, Problem> {
    known(&id)?;
    let request = command.request("deals.release", &account, &[&id]);
    let taken = app.engine.intake.release_deal(&account, command.target(&id), request).await?;
    Ok(answer(StatusCode::OK, FOLDER, taken))
}

/// Sells a deal: a reserved one to the buyer whose bid was accepted, for what was agreed; an available one to the authorised
/// buyer in the body, at its total price.
///
/// The invoice is issued in the same step: `invoiceId` leads to it. Other open bids are declined soon after.
#[utoipa::path(post, path = "/v1/deals/{id}/sell", tag = "deals", request_body = Option<SaleRequest>,
    params(
        ("id" = String, Path, description = "The deal's id."),
        AtVersion, Acting, Keyed),
    responses(
        (status = 200, description = "Sold.", body = DealView),
        (status = 404, description = "No such deal of this account: `DEAL_NOT_FOUND`."),
        (status = 409, description = "It is sold or withdrawn (`WRONG_STATE`), or reserved for another buyer \
            (`ANOTHER_BUYER`)."),
        (status = 422, description = "Refused: `BUYER_REQUIRED`, `BUYER_NOT_AUTHORISED` or `OWN_DEAL`.")))]
pub(crate) async fn sell(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(id): Path<String>,
    command: Command,
    PerhapsJson(body): PerhapsJson,
) -> Result<Response, Problem> {
    known(&id)?;
    let buyer = match body {
        Some(body) => {
            let mut form = Form::parse(&body)?;
            let buyer = form.account("buyerId");
            form.finish()?;
            buyer
        }
        None => None,
    };
    let request = command.request("deals.sell", &account, &[&id, buyer.as_ref().map_or("", Owner::as_str)]);
    let taken = app.engine.intake.sell_deal(&account, command.target(&id), buyer.as_ref(), request).await?;
    Ok(answer(StatusCode::OK, FOLDER, taken))
}

/// Anything else is nobody's id.
fn known(id: &str) -> Result<(), Problem> {
    if is_id(id) { Ok(()) } else { Err(Problem::new(codes::DEAL_NOT_FOUND, "there is no such deal")) }
}
