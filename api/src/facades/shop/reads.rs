//! What is read: an order, and the list of orders, both through the cache.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use domain::money::{Currency, Minor};
use domain::shop::{Status, count_of, is_deleted};
use domain::{Entity, Kind, Owner, Timestamp};
use drivers::Fault;
use drivers::journal::{Among, List};
use engine::cached::Whose;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::ajv::{self, Listed};
use super::{Id, Refused, json};
use crate::account::Account;
use crate::page;
use crate::routes::App;

/// Orders read at once on the way to the page.
const STRIDE: usize = 1_000;

/// One order.
pub(super) async fn one(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Id(id): Id,
) -> Result<Response, Refused> {
    let found = if id.len() > 64 { Ok(None) } else { app.engine.cached.view(Kind::ShopOrder, &id).await };
    let found = found.map_err(|fault| failed("Failed to get order", &fault))?;
    let view = found.filter(|view| view.is_of(&account)).ok_or_else(Refused::no_such_order)?.body();
    let view = std::str::from_utf8(&view).ok().filter(|view| !is_deleted(view)).ok_or_else(Refused::no_such_order)?;
    let order = recorded(view).map_err(|fault| failed("Failed to get order", &fault))?;
    Ok(json(StatusCode::OK, order))
}

/// A page of the orders, newest first.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Account(account): Account,
    uri: Uri,
) -> Result<Response, Refused> {
    let asked = ajv::listed(&uri)
        .map_err(|message| Refused::fastify(StatusCode::BAD_REQUEST, "FST_ERR_VALIDATION", message))?;
    let owners = [account.clone()];
    let name = format!("recorded.shop\0{account}\0{asked:?}");
    let load = || page(&app, &account, &asked);
    let body = app.engine.cached.list(Kind::ShopOrder, Whose::Of(&owners), &name, load).await;
    let body = body.map_err(|fault| failed("Failed to get orders", &fault))?;
    let content = HeaderValue::from_static("application/json; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, content)], body).into_response())
}

async fn page(app: &App, account: &Owner, asked: &Listed) -> Result<Bytes, Fault> {
    let statuses = asked.status.map_or_else(|| Status::ALL.to_vec(), |status| vec![status]);
    let levels: Vec<String> = statuses.iter().map(|status| count_of(account, *status)).collect();
    let total: i64 = app.engine.journal.levels(&levels).await?.iter().sum();
    let found = match u64::try_from(total) {
        Ok(total) if asked.offset < total => find(app, account, &statuses, asked).await?,
        _ => Vec::new(),
    };
    let mut orders = Vec::with_capacity(found.len());
    for entity in &found {
        let view = page::of_entity(entity)?;
        orders.push(recorded(&view)?);
    }
    let Listed { limit, offset, .. } = asked;
    let orders = orders.join(",");
    Ok(format!(r#"{{"orders":[{orders}],"total":{total},"limit":{limit},"offset":{offset}}}"#).into())
}

/// The orders of the page: those before it are walked over, for a list has no numbers.
async fn find(app: &App, account: &Owner, statuses: &[Status], asked: &Listed) -> Result<Vec<Entity>, Fault> {
    let mut list = List {
        kind: Kind::ShopOrder,
        among: vec![Among::Owner(account.clone())],
        statuses: statuses.iter().map(|status| status.as_str().to_owned()).collect(),
        fields: Vec::new(),
        ranges: Vec::new(),
        after: None,
        newest_first: true,
        limit: STRIDE,
    };
    let mut skip = usize::try_from(asked.offset).unwrap_or(usize::MAX);
    let mut found: Vec<Entity> = Vec::new();
    loop {
        list.limit = skip.saturating_add(asked.limit - found.len()).min(STRIDE);
        let page = app.engine.journal.entities(list.clone()).await?;
        let passed = skip.min(page.entities.len());
        skip -= passed;
        found.extend(page.entities.into_iter().skip(passed).take(asked.limit - found.len()));
        match page.next {
            Some(after) if found.len() < asked.limit => list.after = Some(after),
            _ => return Ok(found),
        }
    }
}

fn failed(what: &str, fault: &Fault) -> Refused {
    tracing::error!(%fault, "{what}");
    Refused::failed(what)
}

/// What of an order's view is shown.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct View {
    id: String,
    customer: Customer,
    currency: Currency,
    items: Vec<Item>,
    total: Minor,
    status: Status,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Deserialize)]
struct Customer {
    name: String,
    email: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    product_id: String,
    name: String,
    quantity: i64,
    unit_price: Minor,
    total: Minor,
}

/// An order in the original's words.
#[derive(Serialize)]
struct Recorded {
    id: String,
    customer_name: String,
    customer_email: String,
    total_amount: Box<RawValue>,
    status: &'static str,
    created_at: String,
    updated_at: String,
    items: Vec<RecordedItem>,
}

#[derive(Serialize)]
struct RecordedItem {
    product_id: String,
    product_name: String,
    quantity: i64,
    unit_price: Box<RawValue>,
    total_price: Box<RawValue>,
}

/// The view of an order in the original's words.
fn recorded(view: &str) -> Result<String, Fault> {
    let broken = |error: serde_json::Error| Fault::Broken(format!("a shop order's view: {error}"));
    let view: View = serde_json::from_str(view).map_err(broken)?;
    let decimals = view.currency.exponent();
    let items = view.items.into_iter().map(|item| RecordedItem {
        product_id: item.product_id,
        product_name: item.name,
        quantity: item.quantity,
        unit_price: number(item.unit_price, decimals),
        total_price: number(item.total, decimals),
    });
    let order = Recorded {
        id: view.id,
        customer_name: view.customer.name,
        customer_email: view.customer.email,
        total_amount: number(view.total, decimals),
        // A new order's state is in small letters there, every later one in capitals.
        status: if view.status == Status::Pending { view.status.as_str() } else { view.status.shown() },
        created_at: instant(view.created_at),
        updated_at: instant(view.updated_at),
        items: items.collect(),
    };
    serde_json::to_string(&order).map_err(broken)
}

/// An amount as a JSON number of the currency's whole units, without zeros at its end: as JavaScript writes it.
fn number(amount: Minor, decimals: u8) -> Box<RawValue> {
    let one = 10_u64.pow(u32::from(decimals));
    let (sign, units) = (if amount.units() < 0 { "-" } else { "" }, amount.units().unsigned_abs());
    let fraction = format!("{:0width$}", units % one, width = usize::from(decimals));
    let fraction = if decimals == 0 { "" } else { fraction.trim_end_matches('0') };
    let point = if fraction.is_empty() { "" } else { "." };
    RawValue::from_string(format!("{sign}{}{point}{fraction}", units / one)).unwrap_or_default()
}

/// An instant with milliseconds.
pub(super) fn instant(at: Timestamp) -> String {
    let text = at.to_string();
    match text.split_once('.') {
        Some((seconds, fraction)) => format!("{seconds}.{}Z", fraction.get(..3).unwrap_or("000")),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_and_instants_are_as_javascript_writes_them() {
        for (units, decimals, shown) in [
            (1_250, 2, "12.5"),
            (1_200, 2, "12"),
            (5, 2, "0.05"),
            (0, 2, "0"),
            (-1_234, 2, "-12.34"),
            (7, 0, "7"),
            (1_005, 3, "1.005"),
        ] {
            assert_eq!(number(Minor::new(units).unwrap(), decimals).get(), shown);
        }
        assert_eq!(instant(Timestamp(1_795_000_000_123_456)), "2026-11-18T11:06:40.123Z");
        assert_eq!(instant(Timestamp(0)), "1970-01-01T00:00:00.000Z");
    }
}
