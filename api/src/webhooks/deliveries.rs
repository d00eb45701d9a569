//! What was delivered: every request with its answers, and one sent again.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use domain::Kind;
use domain::webhook::delivery::{Delivery, Status};
use drivers::Fault;
use drivers::journal::{Among, List};
use serde_json::json as value;

use super::{DELIVERIES, owned};
use crate::account::Account;
use crate::command::{Command, answer};
use crate::page::{self, Paging};
use crate::problem::{Problem, codes};
use crate::query::Query;
use crate::routes::App;
use crate::schema::{Acting, DeliveryList, DeliveryStatus, DeliveryView, Keyed, Paged};
use crate::swaps::{is_id, json};

/// Lists deliveries, newest first: those to one endpoint, or to all of the account's.
#[utoipa::path(get, path = "/v1/webhooks/deliveries", operation_id = "deliveriesList", tag = "webhooks",
    params(
        ("endpoint" = Option<String>, Query, description = "Those to this endpoint."),
        ("status" = Option<Vec<DeliveryStatus>>, Query, description = "`pending`, `delivered` or `failed`; repeatable or comma-separated."),
        Paged, Acting),
    responses(
        (status = 200, description = "One page.", body = DeliveryList),
        (status = 404, description = "No such endpoint of this account: `ENDPOINT_NOT_FOUND`.")))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Account(account): Account,
    uri: Uri,
) -> Result<Response, Problem> {
    let mut query = Query::parse(&uri)?;
    let endpoint = query.one("endpoint");
    let mut statuses = query.list("status");
    statuses.sort();
    statuses.dedup();
    if statuses.iter().any(|status| Status::parse(status).is_none()) {
        query.fault("status", "expected some of pending, delivered, failed");
    }
    let paging = Paging::parse(&mut query);
    query.finish()?;
    if let Some(id) = &endpoint {
        // A deleted one's can still be read.
        let row = if is_id(id) { app.engine.journal.entity(Kind::Endpoint, id).await? } else { None };
        let unknown = || Problem::new(codes::ENDPOINT_NOT_FOUND, "there is no such webhook endpoint");
        row.filter(|row| row.owner == account).ok_or_else(unknown)?;
    }
    let name = format!("deliveries\0{account}\0{endpoint:?}\0{statuses:?}");
    let list = List {
        kind: Kind::Delivery,
        among: vec![endpoint.map_or_else(|| Among::Owner(account), Among::Parent)],
        statuses,
        fields: Vec::new(),
        ranges: Vec::new(),
        after: paging.after(&app, &name)?,
        newest_first: true,
        limit: paging.limit,
    };
    page::read(&app, &uri, &name, list).await
}

/// Reads a delivery with its request: what was, or is to be, sent, but for the signature. A body whose event is no longer held
/// is null.
#[utoipa::path(get, path = "/v1/webhooks/deliveries/{id}", operation_id = "deliveriesRead", tag = "webhooks",
    params(
        ("id" = String, Path, description = "The delivery's id: the `webhook-id` of its requests."),
        Acting),
    responses(
        (status = 200, description = "The delivery.", body = DeliveryView),
        (status = 404, description = "No such delivery of this account: `DELIVERY_NOT_FOUND`.")))]
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let row = owned(&app, &account, Kind::Delivery, &id, codes::DELIVERY_NOT_FOUND).await?;
    let broken = |error: serde_json::Error| Fault::Broken(format!("webhook.delivery {id}: {error}"));
    let delivery = Delivery::from_entity(&row).map_err(broken)?;
    let body = app.engine.webhooks.body_of(app.engine.journal.as_ref(), &delivery).await?;
    let timestamp = delivery.attempts.last().map(|attempt| attempt.at.0.div_euclid(1_000_000));
    let headers = value!({
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": timestamp.map(|seconds| seconds.to_string()),
        "webhook-signature": "…",
    });
    let view = delivery.view_json();
    let shown = view.strip_suffix('}').unwrap_or(&view);
    let body = body.unwrap_or_else(|| "null".to_owned());
    let text = format!("{shown},\"request\":{{\"method\":\"POST\",\"headers\":{headers},\"body\":{body}}}}}");
    Ok(json(text).into_response())
}

/// Sends a delivery again at once, whatever became of it: the same id, the same body, a new signature.
#[utoipa::path(post, path = "/v1/webhooks/deliveries/{id}/resend", operation_id = "deliveriesResend", tag = "webhooks",
    params(
        ("id" = String, Path, description = "The delivery's id."),
        Acting, Keyed),
    responses(
        (status = 202, description = "On its way.", body = DeliveryView),
        (status = 404, description = "No such delivery of this account: `DELIVERY_NOT_FOUND`."),
        (status = 409, description = "Its endpoint is disabled: `WRONG_STATE`."),
        (status = 410, description = "Its event is no longer held: `EVENT_FORGOTTEN`.")))]
pub(crate) async fn resend(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(id): Path<String>,
    command: Command,
) -> Result<Response, Problem> {
    if !is_id(&id) {
        return Err(Problem::new(codes::DELIVERY_NOT_FOUND, "there is no such delivery"));
    }
    let request = command.request("webhooks.resend", &account, &[&id]);
    let taken = app.engine.intake.resend(&app.engine.webhooks, &account, &id, request).await?;
    Ok(answer(StatusCode::ACCEPTED, DELIVERIES, taken))
}
