//! `GET /v1/bids` and `GET /v1/deals/{id}/bids`: bids that an account made or got, newest first.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::Response;
use domain::Kind;
use domain::bid::{self, MOST_BIDS, Status};
use drivers::journal::{Among, List, Page};

use crate::account::Account;
use crate::page::{self, Paging};
use crate::problem::{Problem, codes};
use crate::query::Query;
use crate::routes::App;
use crate::schema::{Acting, BidList, BidStatus, Paged, PartySide};
use crate::seen;
use crate::sides::{As, among};

/// Lists the bids that the account made or got, newest first.
///
/// Pages are as those of deals: see there.
#[utoipa::path(get, path = "/v1/bids", tag = "bids",
    params(
        ("as" = Option<PartySide>, Query, description = "`buyer`: those it made; `seller`: those it got."),
        ("status" = Option<Vec<BidStatus>>, Query, description = "In one of these states; repeatable or comma-separated."),
        Paged, Acting),
    responses(
        (status = 200, description = "One page.", body = BidList)))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Account(account): Account,
    uri: Uri,
) -> Result<Response, Problem> {
    let mut query = Query::parse(&uri)?;
    let (side, statuses, paging) = (As::parse(&mut query), statuses(&mut query), Paging::parse(&mut query));
    query.finish()?;
    let name = format!("bids\0{account}\0{side:?}\0{statuses:?}");
    let list = of(among(&account, side, As::Buyer), statuses, paging.after(&app, &name)?, paging.limit);
    page::read(&app, &uri, &name, list).await
}

/// Lists the bids for a deal, newest first: to its seller all of them, to a buyer its own.
///
/// Pages are as those of deals: see there.
#[utoipa::path(get, path = "/v1/deals/{id}/bids", tag = "bids",
    params(
        ("id" = String, Path, description = "The deal's id."),
        ("status" = Option<Vec<BidStatus>>, Query, description = "In one of these states; repeatable or comma-separated."),
        Paged, Acting),
    responses(
        (status = 200, description = "One page.", body = BidList),
        (status = 404, description = "No such deal that this account may see: `DEAL_NOT_FOUND`.")))]
pub(crate) async fn of_deal(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    let deal = seen::view(&app, &account, Kind::Deal, &id, codes::DEAL_NOT_FOUND).await?;
    let mut query = Query::parse(&uri)?;
    let (statuses, paging) = (statuses(&mut query), Paging::parse(&mut query));
    query.finish()?;
    let name = format!("deal.bids\0{account}\0{id}\0{statuses:?}");
    let after = paging.after(&app, &name)?;
    if deal.is_of(&account) {
        let list = of(vec![Among::Parent(id)], statuses, after, paging.limit);
        return page::read(&app, &uri, &name, list).await;
    }
    // A buyer's bids for a deal are few, and their ids are known.
    let mut bids = Vec::new();
    for number in 1..=MOST_BIDS {
        let Some(bid) = app.engine.journal.entity(Kind::Bid, &bid::id(&id, &account, number)).await? else { break };
        if (statuses.is_empty() || statuses.contains(&bid.status)) && after.is_none_or(|after| bid.created_seq < after)
        {
            bids.push(bid);
        }
    }
    bids.reverse();
    let next = if bids.len() > paging.limit { bids.get(paging.limit - 1).map(|bid| bid.created_seq) } else { None };
    bids.truncate(paging.limit);
    page::answer(&app, &uri, &name, &Page { entities: bids, next, rank: None })
}

fn of(among: Vec<Among>, statuses: Vec<String>, after: Option<u64>, limit: usize) -> List {
    List { kind: Kind::Bid, among, statuses, fields: Vec::new(), ranges: Vec::new(), after, newest_first: true, limit }
}

fn statuses(query: &mut Query) -> Vec<String> {
    let mut statuses = query.list("status");
    statuses.sort();
    statuses.dedup();
    if statuses.iter().any(|status| Status::parse(status).is_none()) {
        query.fault("status", format!("expected some of {}", Status::ALL.map(Status::as_str).join(", ")));
    }
    statuses
}
