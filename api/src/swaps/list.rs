//! `GET /v1/swaps`: an account's orders, newest first, page by page.

use std::fmt::Write;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use domain::swap::Status;
use domain::{Kind, Owner};
use drivers::journal::List;

use super::{json, view};
use crate::account::Account;
use crate::cursor;
use crate::problem::{At, Problem, codes};
use crate::query::Query;
use crate::routes::App;
use crate::schema::{ProblemView, SwapList};

const DEFAULT_LIMIT: u64 = 20;
const MOST: u64 = 100;

/// Lists the account's orders, newest first.
///
/// `nextCursor` (and the `Link` header) lead to the next page of the same list; a cursor is good only together with the
/// filters it came from.
#[utoipa::path(get, path = "/v1/swaps", tag = "swaps",
    params(
        ("status" = Option<String>, Query, description = "In one of these states; repeatable or comma-separated."),
        ("inputToken" = Option<String>, Query, description = "Symbol of the token that is paid."),
        ("outputToken" = Option<String>, Query, description = "Symbol of the token that is received."),
        ("clientOrderId" = Option<String>, Query, description = "The client's own id."),
        ("limit" = Option<u64>, Query, description = "At most so many: 1 to 100, 20 by default."),
        ("cursor" = Option<String>, Query, description = "Where the previous page ended."),
        ("x-account" = Option<String>, Header, description = "Whose orders; `default` when absent.")),
    responses(
        (status = 200, description = "One page.", body = SwapList),
        (status = 400, description = "A parameter or the cursor is wrong.", body = ProblemView,
            content_type = "application/problem+json")))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Account(account): Account,
    uri: Uri,
) -> Result<Response, Problem> {
    let page = Page::parse(&uri, &account, &app.settings.secret)?;
    let wanted = List {
        kind: Kind::Swap,
        owner: Some(account),
        statuses: page.statuses,
        fields: page.fields,
        after: page.after,
        newest_first: true,
        // One more than shown tells whether there is a next page.
        limit: page.limit + 1,
    };
    let mut entities = app.engine.journal.entities(wanted).await?;
    let more = entities.len() > page.limit;
    entities.truncate(page.limit);
    let next = entities.last().filter(|_| more).map(|e| cursor::seal(&app.settings.secret, &page.name, e.created_seq));

    let mut body = String::from("{\"data\":[");
    for (i, entity) in entities.iter().enumerate() {
        body.push_str(if i == 0 { "" } else { "," });
        body.push_str(&view(entity)?);
    }
    let shown = next.as_ref().map_or_else(|| "null".to_owned(), |cursor| format!("\"{cursor}\""));
    let _ = write!(body, "],\"nextCursor\":{shown},\"hasMore\":{more}}}");
    let mut response = json(body).into_response();
    let link = next.and_then(|cursor| HeaderValue::try_from(link(&uri, &cursor)).ok());
    response.headers_mut().extend(link.map(|link| (header::LINK, link)));
    Ok(response)
}

/// What is asked for, checked.
struct Page {
    statuses: Vec<String>,
    fields: Vec<(&'static str, String)>,
    limit: usize,
    after: Option<u64>,
    /// Names the list, filters and account, whatever the order of the parameters: what a cursor is bound to.
    name: String,
}

impl Page {
    fn parse(uri: &Uri, account: &Owner, secret: &[u8; 32]) -> Result<Self, Problem> {
        let mut query = Query::parse(uri)?;
        let mut statuses = query.list("status");
        statuses.sort();
        statuses.dedup();
        if statuses.iter().any(|s| Status::parse(s).is_none()) {
            let words = Status::ALL.map(Status::as_str).join(", ");
            query.fault("status", format!("expected some of {words}"));
        }
        let filters = [
            ("inputToken", "ask.input", query.one("inputToken")),
            ("outputToken", "ask.output", query.one("outputToken")),
            ("clientOrderId", "clientOrderId", query.one("clientOrderId")),
        ];
        let mut fields = Vec::new();
        for (parameter, field, value) in filters {
            match value {
                Some(value) if value.is_empty() || value.len() > 64 => query.fault(parameter, "1 to 64 bytes"),
                Some(value) => fields.push((field, value)),
                None => {}
            }
        }
        let limit = query.integer("limit", 1, MOST).unwrap_or(DEFAULT_LIMIT);
        let cursor = query.one("cursor");
        query.finish()?;
        let name = format!("swaps\0{account}\0{statuses:?}\0{fields:?}");
        let after = match cursor {
            None => None,
            Some(text) => Some(cursor::open(secret, &name, &text).ok_or_else(|| {
                let detail = "take the cursor from the previous page of the same list";
                Problem::at(At::parameter("cursor"), codes::INVALID_CURSOR, detail)
            })?),
        };
        Ok(Self { statuses, fields, limit: usize::try_from(limit).unwrap_or(usize::MAX), after, name })
    }
}

/// RFC 8288: the same list from the cursor on.
fn link(uri: &Uri, cursor: &str) -> String {
    let kept = uri.query().unwrap_or("").split('&').filter(|p| !p.is_empty() && !p.starts_with("cursor="));
    let mut query = kept.collect::<Vec<_>>().join("&");
    let _ = write!(query, "{}cursor={cursor}", if query.is_empty() { "" } else { "&" });
    format!("<{}?{query}>; rel=\"next\"", uri.path())
}
