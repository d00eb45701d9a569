//! `GET /v1/swaps`: an account's orders, newest first, page by page.

use std::sync::Arc;

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use domain::swap::{Status, client_order_scope};
use domain::{Kind, Owner};
use drivers::journal::{Among, List, Page};
use engine::clock;

use crate::account::Account;
use crate::page::{self, Paging};
use crate::problem::Problem;
use crate::query::Query;
use crate::routes::App;
use crate::schema::{Acting, Paged, SwapList, SwapStatus};

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
        ("status" = Option<Vec<SwapStatus>>, Query, description = "In one of these states; repeatable or comma-separated."),
        ("inputToken" = Option<String>, Query, min_length = 1, max_length = 64,
            description = "Symbol of the token that is paid."),
        ("outputToken" = Option<String>, Query, min_length = 1, max_length = 64,
            description = "Symbol of the token that is received."),
        ("clientOrderId" = Option<String>, Query, min_length = 1, max_length = 64, description = "The client's own id."),
        Paged, Acting),
    responses(
        (status = 200, description = "One page.", body = SwapList)))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Account(account): Account,
    uri: Uri,
) -> Result<Response, Problem> {
    let wanted = Wanted::parse(&uri, account, &app)?;
    let name = wanted.name();
    let page = match &wanted.client_order_id {
        Some(id) => by_client_order_id(&app, &wanted, id).await?,
        None => app.engine.journal.entities(wanted.list).await?,
    };
    page::answer(&app, &uri, &name, &page)
}

/// The one order that may have that id, found by the key that keeps the id unique: nothing is walked.
async fn by_client_order_id(app: &App, wanted: &Wanted, id: &str) -> Result<Page, Problem> {
    let (owner, List { statuses, fields, .. }) = (&wanted.account, &wanted.list);
    let journal = &app.engine.journal;
    let Some(held) = journal.key(&client_order_scope(owner), id, clock::now()).await? else {
        return Ok(Page::default());
    };
    let entity = journal.entity(Kind::Swap, &held.id).await?;
    let entity = entity.filter(|e| e.owner == *owner && (statuses.is_empty() || statuses.contains(&e.status)));
    let Some(entity) = entity else { return Ok(Page::default()) };
    let ask = super::swap(&entity)?.ask;
    let token = |field: &str| if field == INPUT { &ask.input } else { &ask.output };
    let fits = fields.iter().all(|(field, symbol)| **token(field) == **symbol);
    Ok(Page { entities: if fits { vec![entity] } else { Vec::new() }, next: None, rank: None })
}

/// What is asked for, checked.
struct Wanted {
    account: Owner,
    list: List,
    client_order_id: Option<String>,
}

impl Wanted {
    /// Names the list, filters and account, whatever the order of the parameters: what a cursor is bound to.
    fn name(&self) -> String {
        let Self { account, list: List { statuses, fields, .. }, .. } = self;
        format!("swaps\0{account}\0{statuses:?}\0{fields:?}\0{:?}", self.client_order_id)
    }

    fn parse(uri: &Uri, account: Owner, app: &App) -> Result<Self, Problem> {
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
        let paging = Paging::parse(&mut query);
        query.finish()?;
        let list = List {
            kind: Kind::Swap,
            among: vec![Among::Owner(account.clone())],
            statuses,
            fields,
            ranges: Vec::new(),
            after: None,
            newest_first: true,
            limit: paging.limit,
        };
        let mut wanted = Self { account, list, client_order_id };
        wanted.list.after = paging.after(app, &wanted.name())?;
        Ok(wanted)
    }
}
