//! `GET /v1/swaps`: an account's orders, newest first, page by page.

use std::fmt::Write;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use domain::swap::{Status, client_order_scope};
use domain::{Kind, Owner};
use drivers::journal::{List, Page};
use engine::clock;

use super::{json, view};
use crate::account::Account;
use crate::cursor;
use crate::problem::{At, Problem, codes};
use crate::query::Query;
use crate::routes::App;
use crate::schema::{ProblemView, SwapList};

const DEFAULT_LIMIT: u64 = 20;
const MOST: u64 = 100;
/// Where an order's body has its tokens.
const INPUT: &str = "ask.input";
const OUTPUT: &str = "ask.output";

/// Lists the account's orders, newest first.
///
/// `nextCursor` (and the `Link` header) lead to the next page of the same list; a cursor is good only together with the
/// filters it came from. A page looks at a bounded number of orders: where filters pass over many, it may hold fewer than
/// `limit`, even none, and still have a `nextCursor`. The list is over when `hasMore` is false.
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
    let wanted = Wanted::parse(&uri, account, &app.settings.secret)?;
    let name = wanted.name();
    let Page { entities, next } = match &wanted.client_order_id {
        Some(id) => by_client_order_id(&app, &wanted, id).await?,
        None => app.engine.journal.entities(wanted.list).await?,
    };
    let next = next.map(|after| cursor::seal(&app.settings.secret, &name, after));
    let more = next.is_some();

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

/// The one order that may have that id, found by the key that keeps the id unique: nothing is walked.
async fn by_client_order_id(app: &App, wanted: &Wanted, id: &str) -> Result<Page, Problem> {
    let List { owner, statuses, fields, .. } = &wanted.list;
    let journal = &app.engine.journal;
    let Some(owner) = owner else { return Ok(Page::default()) };
    let Some(held) = journal.key(&client_order_scope(owner), id, clock::now()).await? else {
        return Ok(Page::default());
    };
    let entity = journal.entity(Kind::Swap, &held.id).await?;
    let entity = entity.filter(|e| e.owner == *owner && (statuses.is_empty() || statuses.contains(&e.status)));
    let Some(entity) = entity else { return Ok(Page::default()) };
    let ask = super::swap(&entity)?.ask;
    let token = |field: &str| if field == INPUT { &ask.input } else { &ask.output };
    let fits = fields.iter().all(|(field, symbol)| **token(field) == **symbol);
    Ok(Page { entities: if fits { vec![entity] } else { Vec::new() }, next: None })
}

/// What is asked for, checked.
struct Wanted {
    list: List,
    client_order_id: Option<String>,
}

impl Wanted {
    /// Names the list, filters and account, whatever the order of the parameters: what a cursor is bound to.
    fn name(&self) -> String {
        let List { owner, statuses, fields, .. } = &self.list;
        let account = owner.as_ref().map(Owner::as_str).unwrap_or_default();
        format!("swaps\0{account}\0{statuses:?}\0{fields:?}\0{:?}", self.client_order_id)
    }

    fn parse(uri: &Uri, account: Owner, secret: &[u8; 32]) -> Result<Self, Problem> {
        let mut query = Query::parse(uri)?;
        let mut statuses = query.list("status");
        statuses.sort();
        statuses.dedup();
        if statuses.iter().any(|s| Status::parse(s).is_none()) {
            let words = Status::ALL.map(Status::as_str).join(", ");
            query.fault("status", format!("expected some of {words}"));
        }
        let mut short = |parameter| {
            let value = query.one(parameter);
            if value.as_ref().is_some_and(|value| value.is_empty() || value.len() > 64) {
                query.fault(parameter, "1 to 64 bytes");
            }
            value
        };
        let tokens = [(INPUT, short("inputToken")), (OUTPUT, short("outputToken"))];
        let client_order_id = short("clientOrderId");
        let fields = tokens.into_iter().filter_map(|(field, symbol)| Some((field, symbol?))).collect();
        let limit = query.integer("limit", 1, MOST).unwrap_or(DEFAULT_LIMIT);
        let cursor = query.one("cursor");
        query.finish()?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let (kind, owner) = (Kind::Swap, Some(account));
        let list = List { kind, owner, statuses, fields, after: None, newest_first: true, limit };
        let mut wanted = Self { list, client_order_id };
        if let Some(text) = cursor {
            let after = cursor::open(secret, &wanted.name(), &text).ok_or_else(|| {
                let detail = "take the cursor from the previous page of the same list";
                Problem::at(At::parameter("cursor"), codes::INVALID_CURSOR, detail)
            })?;
            wanted.list.after = Some(after);
        }
        Ok(wanted)
    }
}

/// RFC 8288: the same list from the cursor on.
fn link(uri: &Uri, cursor: &str) -> String {
    let kept = uri.query().unwrap_or("").split('&').filter(|p| !p.is_empty() && !p.starts_with("cursor="));
    let mut query = kept.collect::<Vec<_>>().join("&");
    let _ = write!(query, "{}cursor={cursor}", if query.is_empty() { "" } else { "&" });
    format!("<{}?{query}>; rel=\"next\"", uri.path())
}
