//! Lists of business things as CSV (RFC 4180): the list's own pages, one after the other, each written out before the next is asked for.
//!
//! A layer around the handlers, so that a list is filtered, judged and read as it is for everyone, page by page.

mod columns;
mod table;

use std::io;
use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;

use crate::problem::{Problem, codes};
use crate::routes::App;
use crate::{gate, layers};

pub(crate) use columns::of as columns_of;

/// The media type.
pub(crate) const TYPE: &str = "text/csv";
/// How many entities a page of an export has.
const PAGE: usize = 100;
/// The most bytes of a page: views have at most 16 KiB.
const MOST_BYTES: usize = 4 << 20;

/// Answers a request: with CSV where a list is asked for as such, else as the handler does.
pub(crate) async fn answer(
    app: &Arc<App>,
    (mut parts, body): (Parts, Body),
    route: Option<&str>,
    next: Next,
) -> Response {
    let path = parts.uri.path().to_owned();
    let columns = route.and_then(columns::of).filter(|_| matches!(parts.method, Method::GET | Method::HEAD));
    let Some(columns) = columns else {
        return layers::handle(app, &path, Request::from_parts(parts, body), next).await;
    };
    let mut response = if let Some(export) = Export::asked(&parts, columns) {
        export.answer(app, parts, next).await
    } else {
        without_format(&mut parts.uri);
        layers::handle(app, &path, Request::from_parts(parts, body), next).await
    };
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
    response
}

/// Takes `format=json`, of which lists themselves know nothing, out of the query, once.
fn without_format(uri: &mut Uri) {
    let pairs: Vec<&str> = uri.query().unwrap_or_default().split('&').collect();
    let Some(at) = pairs.iter().position(|pair| *pair == "format=json") else { return };
    let left = [&pairs[..at], &pairs[at + 1..]].concat().join("&");
    let mark = if left.is_empty() { "" } else { "?" };
    if let Ok(without) = format!("{}{mark}{left}", uri.path()).parse() {
        *uri = without;
    }
}

/// A list that is wanted as CSV.
struct Export {
    columns: &'static [&'static str],
    /// The request's path, and its parameters but for those of paging and form.
    path: String,
    filters: Vec<String>,
    cursor: Option<String>,
}

impl Export {
    /// The export that a request asks for, if it asks for one: by `format=csv` or by its `Accept`.
    fn asked(parts: &Parts, columns: &'static [&'static str]) -> Option<Self> {
        let (mut filters, mut cursor, mut format) = (Vec::new(), None, None);
        for pair in parts.uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("format", word)) if format.is_none() => format = Some(word),
                Some(("cursor", text)) if cursor.is_none() => cursor = Some(text.to_owned()),
                Some(("limit", _)) => {}
                _ => filters.push(pair.to_owned()),
            }
        }
        let wanted = format.map_or_else(|| accepts(parts), |format| format == "csv");
        wanted.then(|| Self { columns, path: parts.uri.path().to_owned(), filters, cursor })
    }

    /// Answers with the first page's refusal, or with the list.
    async fn answer(self, app: &Arc<App>, parts: Parts, next: Next) -> Response {
        let full = || Problem::new(codes::TOO_MANY_SOCKETS, "try again in a moment").into_response();
        let Ok(permit) = Arc::clone(&app.sockets).try_acquire_owned() else { return full() };
        let name = format!("attachment; filename=\"{}.csv\"", self.name());
        let head = table::line(self.columns.iter().map(|column| Value::from(*column)));
        let mut pages = Pages { app: Arc::clone(app), parts, next, export: self, _permit: permit };
        let (first, after) = match pages.read(None).await {
            Ok(page) => page,
            Err(refusal) => return *refusal,
        };
        let begun = (pages, Some((Bytes::from(head + &first), after)), None);
        let body = Body::from_stream(stream::try_unfold(begun, step));
        let mut response = (StatusCode::OK, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8; header=present"));
        headers.extend(HeaderValue::try_from(name).map(|name| (header::CONTENT_DISPOSITION, name)));
        response
    }

    /// `shop-orders`
    fn name(&self) -> String {
        let words = self.path.trim_start_matches("/v1/").split('/');
        words.filter(|word| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')).collect::<Vec<_>>().join("-")
    }

    fn uri(&self, after: Option<&str>) -> Option<Uri> {
        let cursor = after.or(self.cursor.as_deref()).map(|cursor| format!("cursor={cursor}"));
        let limit = format!("limit={PAGE}");
        let pairs: Vec<&str> =
            self.filters.iter().map(String::as_str).chain([limit.as_str()]).chain(cursor.as_deref()).collect();
        format!("{}?{}", self.path, pairs.join("&")).parse().ok()
    }
}

/// Whether CSV is asked for by the header, and JSON is not.
fn accepts(parts: &Parts) -> bool {
    let named = parts.headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let types: Vec<&str> =
        named.flat_map(|value| value.split(',')).map(|one| one.split(';').next().unwrap_or(one).trim()).collect();
    let has = |wanted: &str| types.iter().any(|one| one.eq_ignore_ascii_case(wanted));
    has(TYPE) && !has("application/json")
}

/// The pages of a list.
struct Pages {
    app: Arc<App>,
    parts: Parts,
    next: Next,
    export: Export,
    _permit: OwnedSemaphorePermit,
}

/// A page as lines, and the cursor to the next one.
type Page = (String, Option<String>);
/// What is written next, or where the page after it begins.
type State = (Pages, Option<(Bytes, Option<String>)>, Option<String>);

/// Writes what there is, else reads the next page. What fails half-way ends the connection, so that nobody takes a part for
/// the whole.
async fn step((mut pages, ready, after): State) -> io::Result<Option<(Bytes, State)>> {
    if let Some((bytes, next)) = ready {
        return Ok(Some((bytes, (pages, None, next))));
    }
    let Some(after) = after else { return Ok(None) };
    if pages.app.settings.stop.is_cancelled() {
        return Err(io::Error::other("the server stops"));
    }
    match pages.read(Some(&after)).await {
        Ok((lines, next)) => Ok(Some((Bytes::from(lines), (pages, None, next)))),
        Err(_) => Err(io::Error::other("a later page was refused")),
    }
}

impl Pages {
    /// # Errors
    /// Whatever the list answers instead of a page.
    async fn read(&mut self, after: Option<&str>) -> Result<Page, Box<Response>> {
        let mut parts = self.parts.clone();
        let bad = || Box::new(Problem::new(codes::INVALID_PARAMETER, "the query is malformed").into_response());
        parts.method = Method::GET;
        parts.uri = self.export.uri(after).ok_or_else(bad)?;
        if after.is_some() {
            // Whoever began may have lost the right since.
            // No list is asked for with a signed body.
            let entered = gate::enter(&self.app, &self.parts, &mut Body::empty()).await;
            if let Some(visitor) = entered.map_err(|problem| Box::new(problem.into_response()))? {
                parts.extensions.insert(visitor);
            }
        }
        let request = Request::from_parts(parts, Body::empty());
        let response = layers::handle(&self.app, &self.export.path, request, self.next.clone()).await;
        if response.status() != StatusCode::OK {
            return Err(Box::new(response));
        }
        let failed = || {
            Box::new(Problem::new(codes::INTERNAL, "the server failed; the operator's log says why").into_response())
        };
        let body = to_bytes(response.into_body(), MOST_BYTES).await.map_err(|_| failed())?;
        let page: Value = serde_json::from_slice(&body).map_err(|_| failed())?;
        let rows = page["data"].as_array().map(Vec::as_slice).unwrap_or_default();
        let lines = rows.iter().map(|row| table::row(row, self.export.columns)).collect();
        Ok((lines, page["nextCursor"].as_str().map(str::to_owned)))
    }
}
