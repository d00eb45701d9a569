//! Shop orders over HTTP: taken, read, listed, changed, moved on, deleted, followed back; and stock.

mod list;
mod stock;
mod terms;

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use domain::shop::{Place, Status, is_deleted};
use domain::{Kind, Owner};
use engine::cached::View;
use engine::intake::new_id;

use crate::account::Account;
use crate::body::{Form, JsonBytes};
use crate::command::{Command, answer};
use crate::problem::{Problem, codes};
use crate::query::Query;
use crate::routes::App;
use crate::schema::{
    Acting, AfterVersion, AtVersion, History, Keyed, MustNameVersion, ShopOrderEdit, ShopOrderRequest, ShopOrderView,
    ShopStatusRequest, UnlessKnown,
};
use crate::seen;
use crate::swaps::is_id;

pub(crate) use list::{__path_list, SORTS, list};
pub(crate) use stock::{
    __path_adjust as __path_stock_adjust, __path_list as __path_stock_list, __path_read as __path_stock_read,
    __path_set as __path_stock_set, adjust as stock_adjust, list as stock_list, read as stock_read, set as stock_set,
};

const FOLDER: &str = "/v1/shop/orders";

/// Takes an order.
///
/// The server adds the items up and takes the discount off: a percentage is rounded once, half to even, and split over the
/// items by largest remainder, so that their totals add up to the order's. A `total` that differs is refused. Amounts are
/// integers of the currency's minor units. Of products that the shop counts, the pieces are kept for the order in the same
/// step: all of them, or the order is refused. As JSON an order has at most 8,000 bytes.
#[utoipa::path(post, path = "/v1/shop/orders", tag = "shop", request_body = ShopOrderRequest,
    params(
        Acting,
        Keyed),
    responses(
        (status = 201, description = "Taken: on disk.", body = ShopOrderView),
        (status = 409, description = "Not enough is left of a product, or another order has the external reference: \
            `OUT_OF_STOCK`, `DUPLICATE_EXTERNAL_REFERENCE`."),
        (status = 422, description = "Refused: `ITEM_COUNT`, `PRODUCT_ID_MALFORMED`, `NAME_MALFORMED`, `EMAIL_MALFORMED`, `PHONE_MALFORMED`, \
            `QUANTITY_OUT_OF_RANGE`, `PRICE_OUT_OF_RANGE`, `CURRENCY_UNKNOWN`, `DISCOUNT_OUT_OF_RANGE`, \
            `DISCOUNT_CURRENCY_DIFFERS`, `TOTAL_OUT_OF_RANGE`, `AMOUNT_TOO_LARGE`, `UNKNOWN_CHOICE`, `TOTAL_PRICE_DIFFERS`, \
            `NOTE_MALFORMED`, \
            `REFERENCE_MALFORMED` or `ORDER_TOO_LARGE`.")))]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    Account(account): Account,
    command: Command,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    let terms::Asked { content, external_reference, said } = terms::parse(&body)?;
    let request = command.request("shop.create", &account, &[&said]);
    let place = Place { id: new_id(), shop: account, content, external_reference };
    Ok(answer(StatusCode::CREATED, FOLDER, app.engine.intake.place_order(place, request).await?))
}

/// Reads an order of the shop.
#[utoipa::path(get, path = "/v1/shop/orders/{id}", tag = "shop",
    params(
        ("id" = String, Path, description = "The order's id."),
        ("deleted" = Option<bool>, Query, description = "Whether a deleted order is shown; false by default.", example = false),
        Acting,
        UnlessKnown),
    responses(
        (status = 200, description = "The order; its ETag is its version.", body = ShopOrderView),
        (status = 304, description = "Still at the version already known."),
        (status = 404, description = "No such order of this shop, or a deleted one: `SHOP_ORDER_NOT_FOUND`.")))]
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut query = Query::parse(&uri)?;
    let deleted = query.flag("deleted");
    query.finish()?;
    let view = own(&app, &account, &id).await?;
    if !deleted && std::str::from_utf8(&view.body()).is_ok_and(is_deleted) {
        return Err(unknown());
    }
    Ok(seen::answer(&view, &headers))
}

/// The history of an order: every change, who made it, and the old values. That of a deleted order stays.
#[utoipa::path(get, path = "/v1/shop/orders/{id}/events", tag = "shop",
    params(
        ("id" = String, Path, description = "The order's id."),
        AfterVersion,
        Acting),
    responses(
        (status = 200, description = "Its events, oldest first, at most 1,000.", body = History),
        (status = 404, description = "No such order of this shop: `SHOP_ORDER_NOT_FOUND`.")))]
pub(crate) async fn history(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    own(&app, &account, &id).await?;
    seen::history(&app, Kind::ShopOrder, &id, &uri).await
}

/// Changes what a pending order says.
///
/// What is not sent stays as it is; `items` replaces all of them; a `discount` or `note` of `null` is there no more. Stock that
/// is kept for the order changes with it, in the same step. `If-Match` must name the version that the change is based on.
#[utoipa::path(patch, path = "/v1/shop/orders/{id}", tag = "shop", request_body = ShopOrderEdit,
    params(
        ("id" = String, Path, description = "The order's id."),
        MustNameVersion,
        Acting,
        Keyed),
    responses(
        (status = 200, description = "Changed.", body = ShopOrderView),
        (status = 404, description = "No such order of this shop: `SHOP_ORDER_NOT_FOUND`."),
        (status = 409, description = "It is not pending any more, or not enough is left of a product: \
            `WRONG_STATE`, `OUT_OF_STOCK`."),
        (status = 422, description = "Refused: `ITEM_COUNT`, `PRODUCT_ID_MALFORMED`, `NAME_MALFORMED`, `EMAIL_MALFORMED`, `PHONE_MALFORMED`, \
            `QUANTITY_OUT_OF_RANGE`, `PRICE_OUT_OF_RANGE`, `CURRENCY_UNKNOWN`, `DISCOUNT_OUT_OF_RANGE`, \
            `DISCOUNT_CURRENCY_DIFFERS`, `TOTAL_OUT_OF_RANGE`, `AMOUNT_TOO_LARGE`, `UNKNOWN_CHOICE`, `TOTAL_PRICE_DIFFERS`, \
            `NOTE_MALFORMED` or \
            `ORDER_TOO_LARGE`.")))]
pub(crate) async fn update(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(id): Path<String>,
    command: Command,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    known(&id)?;
    command.must_name_version()?;
    let (amendment, said) = terms::parse_amendment(&body)?;
    let request = command.request("shop.update", &account, &[&id, &said]);
    let taken = app.engine.intake.amend_order(&account, command.target(&id), &amendment, request).await?;
    Ok(answer(StatusCode::OK, FOLDER, taken))
}

/// Moves an order to another state.
///
/// `PENDING` leads to `PROCESSING`, `COMPLETED` or `CANCELLED`, `PROCESSING` to the last two, and those to nothing; the refusal
/// of another move lists what is possible. Stock that is kept for the order goes back when it is cancelled.
#[utoipa::path(post, path = "/v1/shop/orders/{id}/status", tag = "shop", request_body = ShopStatusRequest,
    params(
        ("id" = String, Path, description = "The order's id."),
        AtVersion,
        Acting,
        Keyed),
    responses(
        (status = 200, description = "Moved.", body = ShopOrderView),
        (status = 404, description = "No such order of this shop: `SHOP_ORDER_NOT_FOUND`."),
        (status = 409, description = "The state does not follow the present one: `WRONG_STATE`."),
        (status = 422, description = "There is no such state: `UNKNOWN_CHOICE`.")))]
pub(crate) async fn move_to(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(id): Path<String>,
    command: Command,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    known(&id)?;
    let mut form = Form::parse(&body)?;
    let status = form.needed("status", |form, name| {
        let detail = "expected PENDING, PROCESSING, COMPLETED or CANCELLED";
        let status = Status::parse_shown(&form.text(name)?);
        status.or_else(|| form.fault(name, codes::UNKNOWN_CHOICE, detail))
    });
    form.finish()?;
    let status = status.ok_or_else(|| Problem::new(codes::REFUSED, "the state is missing"))?;
    let request = command.request("shop.status", &account, &[&id, status.as_str()]);
    let taken = app.engine.intake.move_order(&account, command.target(&id), status, request).await?;
    Ok(answer(StatusCode::OK, FOLDER, taken))
}

/// Deletes an order, in whatever state it is.
///
/// Lists do not show it any more and reads answer 404, unless they ask for what was deleted; its history and its external
/// reference stay. Stock that is kept for it goes back.
#[utoipa::path(delete, path = "/v1/shop/orders/{id}", tag = "shop",
    params(
        ("id" = String, Path, description = "The order's id."),
        AtVersion,
        Acting,
        Keyed),
    responses(
        (status = 200, description = "Deleted: the order as it was last, with `deletedAt`.", body = ShopOrderView),
        (status = 404, description = "No such order of this shop: `SHOP_ORDER_NOT_FOUND`.")))]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(id): Path<String>,
    command: Command,
) -> Result<Response, Problem> {
    known(&id)?;
    let request = command.request("shop.delete", &account, &[&id]);
    let taken = app.engine.intake.delete_order(&account, command.target(&id), request).await?;
    Ok(answer(StatusCode::OK, FOLDER, taken))
}

/// A view of the shop's own order, deleted or not.
async fn own(app: &App, account: &Owner, id: &str) -> Result<View, Problem> {
    seen::view(app, account, Kind::ShopOrder, id, codes::SHOP_ORDER_NOT_FOUND).await
}

fn unknown() -> Problem {
    Problem::new(codes::SHOP_ORDER_NOT_FOUND, "there is no such order")
}

/// Anything else is nobody's id.
fn known(id: &str) -> Result<(), Problem> {
    if is_id(id) { Ok(()) } else { Err(unknown()) }
}
