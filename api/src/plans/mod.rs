//! Plans over HTTP: made, read, listed, followed back, cancelled; and the orders of one.

mod terms;

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use domain::plan::{Plan, Status};
use domain::{Kind, Owner};
use drivers::Fault;
use drivers::journal::{Among, List};

use crate::account::Account;
use crate::body::JsonBytes;
use crate::command::{Command, answer};
use crate::page::{self, Paging};
use crate::problem::{Problem, codes};
use crate::query::Query;
use crate::routes::App;
use crate::schema::{
    Acting, AfterVersion, AtVersion, History, Keyed, Paged, PlanList, PlanRequest, PlanStatus, PlanView, SwapList,
    UnlessKnown,
};
use crate::seen;
use crate::swaps::{etag, is_id, json, matches};

const FOLDER: &str = "/v1/plans";

/// Makes a plan: an amount swapped in slices, one every so many seconds.
///
/// Each slice is an order of its own, whose `planId` is the plan. A slice that is refused, by limits or because trading is halted,
/// is noted in `refusal`, and the plan goes on with the next.
#[utoipa::path(post, path = "/v1/plans", tag = "plans", request_body = PlanRequest,
    params(Acting, Keyed),
    responses(
        (status = 201, description = "Active: on disk.", body = PlanView),
        (status = 409, description = "The client order id is taken: `DUPLICATE_CLIENT_ORDER_ID`."),
        (status = 422, description = "Refused: `UNKNOWN_TOKEN`, `SAME_TOKEN`, `AMOUNT_MALFORMED`, `AMOUNT_NOT_POSITIVE`, \
            `AMOUNT_TOO_PRECISE`, `AMOUNT_TOO_LARGE`, `SLIPPAGE_OUT_OF_RANGE`, `UNKNOWN_CHOICE`, `OUT_OF_RANGE`, \
            `CLIENT_ORDER_ID_MALFORMED`, `LIMIT_PRICE_MALFORMED`, `LIMIT_PRICE_OUT_OF_RANGE` or `TIME_MALFORMED`.")))]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    Account(account): Account,
    command: Command,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    let make = terms::parse(&body, account.clone(), &app.engine.tokens)?;
    let request = command.request("plans.create", &account, &[&terms::said(&make)]);
    Ok(answer(StatusCode::CREATED, FOLDER, app.engine.intake.make_plan(make, request).await?))
}

/// Lists the account's plans, newest first.
///
/// Pages are as those of orders: see there.
#[utoipa::path(get, path = "/v1/plans", tag = "plans",
    params(
        ("status" = Option<Vec<PlanStatus>>, Query, description = "In one of these states; repeatable or comma-separated."),
        Paged, Acting),
    responses(
        (status = 200, description = "One page.", body = PlanList)))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Account(account): Account,
    uri: Uri,
) -> Result<Response, Problem> {
    let mut query = Query::parse(&uri)?;
    let mut statuses = query.list("status");
    statuses.sort();
    statuses.dedup();
    if statuses.iter().any(|status| Status::parse(status).is_none()) {
        query.fault("status", format!("expected some of {}", Status::ALL.map(Status::as_str).join(", ")));
    }
    let paging = Paging::parse(&mut query);
    query.finish()?;
    let name = format!("plans\0{account}\0{statuses:?}");
    let after = paging.after(&app, &name)?;
    let list = List { statuses, ..of(Kind::Plan, Among::Owner(account), after, paging.limit) };
    page::read(&app, &uri, &name, list).await
}

/// Reads a plan.
#[utoipa::path(get, path = "/v1/plans/{id}", tag = "plans",
    params(
        ("id" = String, Path, description = "The plan's id."),
        Acting, UnlessKnown),
    responses(
        (status = 200, description = "The plan; its ETag is its version.", body = PlanView),
        (status = 304, description = "Still at the version already known."),
        (status = 404, description = "No such plan of this account; malformed ids too: `PLAN_NOT_FOUND`.")))]
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let plan = owned(&app, &account, &id).await?;
    let tag = etag(plan.version);
    if headers.get_all(header::IF_NONE_MATCH).iter().any(|known| matches(known, &tag)) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    Ok((StatusCode::OK, [(header::ETAG, tag)], json(plan.view_json())).into_response())
}

/// The history of a plan: every slice, and what was refused.
#[utoipa::path(get, path = "/v1/plans/{id}/events", tag = "plans",
    params(
        ("id" = String, Path, description = "The plan's id."),
        AfterVersion, Acting),
    responses(
        (status = 200, description = "Its events, oldest first, at most 1,000.", body = History),
        (status = 404, description = "No such plan of this account; malformed ids too: `PLAN_NOT_FOUND`.")))]
pub(crate) async fn history(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    owned(&app, &account, &id).await?;
    seen::history(&app, Kind::Plan, &id, &uri).await
}

/// Lists the orders of a plan, newest first.
///
/// Pages are as those of orders: see there.
#[utoipa::path(get, path = "/v1/plans/{id}/swaps", operation_id = "plansSwaps", tag = "plans",
    params(
        ("id" = String, Path, description = "The plan's id."),
        Paged, Acting),
    responses(
        (status = 200, description = "One page.", body = SwapList),
        (status = 404, description = "No such plan of this account; malformed ids too: `PLAN_NOT_FOUND`.")))]
pub(crate) async fn orders(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    owned(&app, &account, &id).await?;
    let mut query = Query::parse(&uri)?;
    let paging = Paging::parse(&mut query);
    query.finish()?;
    let name = format!("plan.swaps\0{account}\0{id}");
    let after = paging.after(&app, &name)?;
    page::read(&app, &uri, &name, of(Kind::Swap, Among::Parent(id), after, paging.limit)).await
}

/// Cancels an active plan: no more slices follow. Orders that were placed live on; each is cancelled by itself.
#[utoipa::path(post, path = "/v1/plans/{id}/cancel", tag = "plans",
    params(
        ("id" = String, Path, description = "The plan's id."),
        AtVersion, Acting, Keyed),
    responses(
        (status = 200, description = "Cancelled.", body = PlanView),
        (status = 404, description = "No such plan of this account; malformed ids too: `PLAN_NOT_FOUND`."),
        (status = 409, description = "It is over: `WRONG_STATE`.")))]
pub(crate) async fn cancel(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(id): Path<String>,
    command: Command,
) -> Result<Response, Problem> {
    if !is_id(&id) {
        return Err(unknown());
    }
    let request = command.request("plans.cancel", &account, &[&id]);
    let taken = app.engine.intake.cancel_plan(&account, command.target(&id), request).await?;
    Ok(answer(StatusCode::OK, FOLDER, taken))
}

fn of(kind: Kind, among: Among, after: Option<u64>, limit: usize) -> List {
    let (statuses, fields, ranges) = (Vec::new(), Vec::new(), Vec::new());
    List { kind, among: vec![among], statuses, fields, ranges, after, newest_first: true, limit }
}

async fn owned(app: &App, account: &Owner, id: &str) -> Result<Plan, Problem> {
    if !is_id(id) {
        return Err(unknown());
    }
    let entity = app.engine.journal.entity(Kind::Plan, id).await?;
    let entity = entity.filter(|plan| plan.owner == *account).ok_or_else(unknown)?;
    Ok(Plan::from_entity(&entity).map_err(|error| Fault::Broken(format!("plan {id}: {error}")))?)
}

fn unknown() -> Problem {
    Problem::new(codes::PLAN_NOT_FOUND, "there is no such plan")
}
