//! Invoices over HTTP: read, as JSON or as a page to print, and list.

mod sheet;

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use domain::invoice::Invoice;
use domain::{Entity, Kind, Owner};
use drivers::Fault;
use drivers::journal::{Among, List};

use crate::account::Account;
use crate::page::{self, Paging};
use crate::problem::{Problem, codes};
use crate::query::Query;
use crate::routes::App;
use crate::schema::{Acting, InvoiceList, InvoiceView, Paged, PartySide};
use crate::sides::{As, among};
use crate::swaps::{is_id, json};

/// What the page begins with.
const PAGE: &str = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n…";

/// Lists the invoices that the account issued or got, newest first.
///
/// Pages are as those of deals: see there.
#[utoipa::path(get, path = "/v1/invoices", tag = "invoices",
    params(
        ("as" = Option<PartySide>, Query, description = "`seller`: those it issued; `buyer`: those it got."),
        ("dealId" = Option<String>, Query, pattern = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
            description = "Only that of this deal."),
        Paged, Acting),
    responses(
        (status = 200, description = "One page.", body = InvoiceList)))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Account(account): Account,
    uri: Uri,
) -> Result<Response, Problem> {
    let mut query = Query::parse(&uri)?;
    let (side, deal, paging) = (As::parse(&mut query), query.one("dealId"), Paging::parse(&mut query));
    if deal.as_deref().is_some_and(|deal| !is_id(deal)) {
        query.fault("dealId", "expected the id of a deal");
    }
    query.finish()?;
    let name = format!("invoices\0{account}\0{side:?}\0{deal:?}");
    let among = match &deal {
        Some(deal) => vec![Among::Parent(deal.clone())],
        None => among(&account, side, As::Seller),
    };
    let mut page = app
        .engine
        .journal
        .entities(List {
            kind: Kind::Invoice,
            among,
            statuses: Vec::new(),
            fields: Vec::new(),
            ranges: Vec::new(),
            after: paging.after(&app, &name)?,
            newest_first: true,
            limit: paging.limit,
        })
        .await?;
    page.entities.retain(|invoice| match side {
        Some(As::Seller) => invoice.owner == account,
        Some(As::Buyer) => invoice.party.as_ref() == Some(&account),
        None => concerns(invoice, &account),
    });
    page::answer(&app, &uri, &name, &page)
}

/// Reads an invoice: as JSON, or as a page to print where the client prefers `text/html`.
#[utoipa::path(get, path = "/v1/invoices/{id}", tag = "invoices",
    params(
        ("id" = String, Path, description = "The invoice's id."),
        ("Accept" = Option<String>, Header, description = "`text/html` for the page."),
        Acting),
    responses(
        (status = 200, description = "The invoice.", content(
            (InvoiceView),
            (String = "text/html", example = json!(PAGE))
        )),
        (status = 404, description = "No such invoice that this account issued or got: `INVOICE_NOT_FOUND`.")))]
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let invoice = of(&app, &account, &id).await?;
    let mut response = match prefers_html(&headers) {
        true => as_page(&invoice),
        false => json(invoice.view_json()).into_response(),
    };
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
    Ok(response)
}

/// The same as a page to print, whatever the client prefers. It needs nothing else: no script, no font, no other server.
#[utoipa::path(get, path = "/v1/invoices/{id}/html", tag = "invoices",
    params(
        ("id" = String, Path, description = "The invoice's id."),
        Acting),
    responses(
        (status = 200, description = "The page.", body = String, content_type = "text/html",
            example = json!(PAGE)),
        (status = 404, description = "No such invoice that this account issued or got: `INVOICE_NOT_FOUND`.")))]
pub(crate) async fn html(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    Ok(as_page(&of(&app, &account, &id).await?))
}

fn as_page(invoice: &Invoice) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        // What sellers write is text in it, and nothing that a browser would run or fetch.
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
        ),
        (HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff")),
    ];
    (headers, sheet::render(invoice)).into_response()
}

async fn of(app: &App, account: &Owner, id: &str) -> Result<Invoice, Problem> {
    let unknown = || Problem::new(codes::INVOICE_NOT_FOUND, "there is no such invoice, or it is not yours to see");
    if !is_id(id) {
        return Err(unknown());
    }
    let entity = app.engine.journal.entity(Kind::Invoice, id).await?;
    let entity = entity.filter(|invoice| concerns(invoice, account)).ok_or_else(unknown)?;
    Ok(Invoice::from_entity(&entity).map_err(|error| Fault::Broken(format!("invoice {id}: {error}")))?)
}

fn concerns(invoice: &Entity, account: &Owner) -> bool {
    invoice.owner == *account || invoice.party.as_ref() == Some(account)
}

/// Whether a client would rather have HTML than JSON (RFC 9110, 12.5.1).
fn prefers_html(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let (mut html, mut any_json) = (0, 0);
    for range in accepted.flat_map(|value| value.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let media = parts.next().unwrap_or_default().to_ascii_lowercase();
        let quality = parts.find_map(|part| part.strip_prefix("q=")).map_or(1_000, thousandths);
        match media.as_str() {
            "text/html" | "text/*" => html = html.max(quality),
            "application/json" | "application/*" | "*/*" => any_json = any_json.max(quality),
            _ => {}
        }
    }
    html > any_json
}

/// `0.8` is 800; what is no quality counts nothing.
fn thousandths(text: &str) -> u32 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{fraction:0<3}");
    if fraction.len() > 3 { 0 } else { digits.parse().unwrap_or(0).min(1_000) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_get_the_page_and_programs_the_json() {
        for (accept, html) in [
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true),
            ("text/html", true),
            ("application/json", false),
            ("*/*", false),
            ("text/html;q=0.5, application/json", false),
            ("text/html;q=0.5, application/json;q=0.25", true),
            ("text/html;q=x", false),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(prefers_html(&headers), html, "{accept}");
        }
        assert!(!prefers_html(&HeaderMap::new()));
    }
}
