//! Stock over HTTP: what a shop has of its products.

use std::fmt::Write;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use domain::shop::stock::{self, Count, Levels, Stock};
use domain::{Entity, Kind, Owner};
use drivers::Fault;
use drivers::journal::{Among, List};
use engine::intake::Taken;

use crate::account::Account;
use crate::body::{Form, JsonBytes};
use crate::command::{Command, answer};
use crate::page::{self, Paging};
use crate::problem::{Problem, codes};
use crate::query::Query;
use crate::routes::App;
use crate::schema::{Acting, AtVersion, Keyed, Paged, StockAdjustment, StockCount, StockList, StockView};
use crate::swaps::{etag, json};

const FOLDER: &str = "/v1/shop/stock";

/// Lists the products that the shop counts, those first that were counted first, each with what there is of it now.
#[utoipa::path(get, path = "/v1/shop/stock", tag = "shop", operation_id = "shopStockList",
    params(
        Paged,
        Acting),
    responses(
        (status = 200, description = "One page.", body = StockList)))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Account(account): Account,
    uri: Uri,
) -> Result<Response, Problem> {
    let mut query = Query::parse(&uri)?;
    let paging = Paging::parse(&mut query);
    query.finish()?;
    let name = format!("shop.stock\0{account}");
    let list = List {
        kind: Kind::Stock,
        among: vec![Among::Owner(account.clone())],
        statuses: Vec::new(),
        fields: Vec::new(),
        ranges: Vec::new(),
        after: paging.after(&app, &name)?,
        newest_first: false,
        limit: paging.limit,
    };
    let page = app.engine.journal.entities(list).await?;
    let stocks = page.entities.iter().map(stock_of).collect::<Result<Vec<_>, _>>()?;
    let products: Vec<&str> = stocks.iter().map(|stock| stock.product_id.as_str()).collect();
    let levels = app.engine.intake.levels(&account, &products).await?;
    let views = stocks.iter().zip(levels).map(|(stock, levels)| with_levels(&stock.view_json(), levels));
    let mut views = views.collect::<Vec<_>>().into_iter();
    page::answer_as(&app, &uri, &name, &page, |_| Ok(views.next().unwrap_or_default()))
}

/// Reads what the shop has of a product. Its ETag changes when it is counted or adjusted, and not with orders.
#[utoipa::path(get, path = "/v1/shop/stock/{productId}", tag = "shop", operation_id = "shopStockRead",
    params(
        ("productId" = String, Path, description = "The product's id.", example = "mug-1"),
        Acting),
    responses(
        (status = 200, description = "What there is.", body = StockView),
        (status = 404, description = "The shop does not count this product: `STOCK_NOT_FOUND`.")))]
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(product): Path<String>,
    _: HeaderMap,
) -> Result<Response, Problem> {
    let entity = app.engine.journal.entity(Kind::Stock, &stock::id(&account, &product)).await?;
    let unknown = || Problem::new(codes::STOCK_NOT_FOUND, "the product is not counted");
    let stock = stock_of(&entity.ok_or_else(unknown)?)?;
    let view = with_levels(&stock.view_json(), levels(&app, &account, &product).await?);
    Ok((StatusCode::OK, [(axum::http::header::ETAG, etag(stock.version))], json(view)).into_response())
}

/// Counts a product: so many are on hand, those kept for open orders included. From then on orders take of it.
#[utoipa::path(put, path = "/v1/shop/stock/{productId}", tag = "shop", operation_id = "shopStockSet", request_body = StockCount,
    params(
        ("productId" = String, Path, description = "The product's id: 1 to 100 bytes.", example = "mug-1"),
        AtVersion,
        Acting,
        Keyed),
    responses(
        (status = 200, description = "Counted.", body = StockView),
        (status = 404, description = "With `If-Match`: the shop does not count this product yet: `STOCK_NOT_FOUND`."),
        (status = 409, description = "More is kept for open orders: `BELOW_RESERVED`."),
        (status = 422, description = "Refused: `QUANTITY_OUT_OF_RANGE`, `PRODUCT_ID_MALFORMED`.")))]
pub(crate) async fn set(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(product): Path<String>,
    command: Command,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    let mut form = Form::parse(&body)?;
    let on_hand = form.needed("onHand", Form::integer);
    form.finish()?;
    count(&app, &account, &product, &command, on_hand.map(Count::Set)).await
}

/// Adds to what there is of a product, or takes away: what came in, was lost, was found.
#[utoipa::path(patch, path = "/v1/shop/stock/{productId}", tag = "shop", operation_id = "shopStockAdjust", request_body = StockAdjustment,
    params(
        ("productId" = String, Path, description = "The product's id.", example = "mug-1"),
        AtVersion,
        Acting,
        Keyed),
    responses(
        (status = 200, description = "Adjusted.", body = StockView),
        (status = 404, description = "The shop does not count this product yet: `STOCK_NOT_FOUND`."),
        (status = 409, description = "So many are not available: `OUT_OF_STOCK`."),
        (status = 422, description = "Refused: `QUANTITY_OUT_OF_RANGE`.")))]
pub(crate) async fn adjust(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(product): Path<String>,
    command: Command,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    let mut form = Form::parse(&body)?;
    let add = form.needed("add", Form::integer);
    form.finish()?;
    count(&app, &account, &product, &command, add.map(Count::Add)).await
}

async fn count(
    app: &App,
    account: &Owner,
    product: &str,
    command: &Command,
    count: Option<Count>,
) -> Result<Response, Problem> {
    let count = count.ok_or_else(|| Problem::new(codes::REFUSED, "the number is missing"))?;
    let request = command.request("shop.stock", account, &[product, &format!("{count:?}")]);
    let version = command.target("").version;
    let taken = app.engine.intake.count_stock(account, (product, version), count, request).await?;
    let view = with_levels(&taken.view, levels(app, account, product).await?);
    // Read by its product, not by its id.
    Ok(answer(StatusCode::OK, FOLDER, Taken { view, id: crate::query::encoded(product), ..taken }))
}

async fn levels(app: &App, account: &Owner, product: &str) -> Result<Levels, Problem> {
    Ok(app.engine.intake.levels(account, &[product]).await?.first().copied().unwrap_or_default())
}

fn stock_of(entity: &Entity) -> Result<Stock, Problem> {
    let broken = |error| Fault::Broken(format!("stock {}: {error}", entity.id)).into();
    Stock::from_entity(entity).map_err(broken)
}

/// The view of a stock, and how much there is.
fn with_levels(view: &str, levels: Levels) -> String {
    let mut all = view.strip_suffix('}').unwrap_or(view).to_owned();
    let Levels { available, reserved } = levels;
    let _ = write!(all, ",\"available\":{available},\"reserved\":{reserved},\"onHand\":{}}}", levels.on_hand());
    all
}
