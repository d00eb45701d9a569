//! What can be done with an endpoint: its secret replaced, tried out, switched off and on, the past replayed.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::Kind;
use domain::webhook::sign::Secret;

use super::endpoints::{no_random_bytes, with_secret};
use super::{DELIVERIES, ENDPOINTS, REPLAYS, known, owned, terms};
use crate::account::Account;
use crate::body::{Form, JsonBytes, PerhapsJson};
use crate::command::{Command, answer};
use crate::page;
use crate::problem::{Problem, codes};
use crate::routes::App;
use crate::schema::{Acting, AtVersion, DeliveryView, EndpointView, Keyed, ReplayRequest, ReplayView, RotationRequest};
use crate::swaps::json;

/// Gives an endpoint a new secret, shown this once, in `secret`.
///
/// Requests are signed with the new and the old secret for `overlapSeconds`, a day by default: receivers change over in that
/// time.
#[utoipa::path(post, path = "/v1/webhooks/endpoints/{id}/rotate-secret", tag = "webhooks",
    request_body = Option<RotationRequest>,
    params(
        ("id" = String, Path, description = "The endpoint's id."),
        AtVersion, Acting, Keyed),
    responses(
        (status = 200, description = "Rotated.", body = EndpointView),
        (status = 404, description = "No such endpoint of this account: `ENDPOINT_NOT_FOUND`."),
        (status = 409, description = "As many secrets sign as may: `TOO_MANY_SECRETS`."),
        (status = 422, description = "Refused: `SECRET_MALFORMED` or `OUT_OF_RANGE`.")))]
pub(crate) async fn rotate(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(id): Path<String>,
    command: Command,
    PerhapsJson(body): PerhapsJson,
) -> Result<Response, Problem> {
    known(&id)?;
    let webhooks = &app.engine.webhooks;
    let body = body.unwrap_or_else(|| "{}".into());
    let mut form = Form::parse(&body)?;
    let (given, overlap) = (terms::given_secret(&mut form), terms::overlap(&mut form));
    form.finish()?;
    let brought = given.as_ref().map(Secret::show).unwrap_or_default();
    let request = command.request("webhooks.rotate", &account, &[&id, &brought, &overlap.to_string()]);
    let secret = given.or_else(|| webhooks.new_secret()).ok_or_else(no_random_bytes)?;
    let sealed = webhooks.seal(&secret, &id);
    let taken = app.engine.intake.rotate_secret(&account, command.target(&id), (&sealed, overlap), request).await?;
    webhooks.changed(&id);
    Ok(answer(StatusCode::OK, ENDPOINTS, with_secret(taken, &secret)))
}

/// Sends an endpoint an event of type `webhook.test`, which stands in no log.
#[utoipa::path(post, path = "/v1/webhooks/endpoints/{id}/test", tag = "webhooks",
    params(
        ("id" = String, Path, description = "The endpoint's id."),
        Acting, Keyed),
    responses(
        (status = 202, description = "On its way: the delivery.", body = DeliveryView),
        (status = 404, description = "No such endpoint of this account: `ENDPOINT_NOT_FOUND`."),
        (status = 409, description = "It is disabled: `WRONG_STATE`.")))]
pub(crate) async fn test(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(id): Path<String>,
    command: Command,
) -> Result<Response, Problem> {
    known(&id)?;
    let request = command.request("webhooks.test", &account, &[&id]);
    let taken = app.engine.intake.test_endpoint(&account, &id, request).await?;
    Ok(answer(StatusCode::ACCEPTED, DELIVERIES, taken))
}

/// Has an endpoint get events again, from now on; what it missed comes with a replay.
#[utoipa::path(post, path = "/v1/webhooks/endpoints/{id}/enable", tag = "webhooks",
    params(
        ("id" = String, Path, description = "The endpoint's id."),
        AtVersion, Acting, Keyed),
    responses(
        (status = 200, description = "Enabled.", body = EndpointView),
        (status = 404, description = "No such endpoint of this account: `ENDPOINT_NOT_FOUND`."),
        (status = 409, description = "It is active already: `WRONG_STATE`.")))]
pub(crate) async fn enable(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(id): Path<String>,
    command: Command,
) -> Result<Response, Problem> {
    known(&id)?;
    let request = command.request("webhooks.enable", &account, &[&id]);
    let taken = app.engine.intake.enable_endpoint(&account, command.target(&id), request).await?;
    app.engine.webhooks.changed(&id);
    Ok(answer(StatusCode::OK, ENDPOINTS, taken))
}

/// Has an endpoint get no more events. What was to be delivered to it is given up, and can be replayed later.
#[utoipa::path(post, path = "/v1/webhooks/endpoints/{id}/disable", tag = "webhooks",
    params(
        ("id" = String, Path, description = "The endpoint's id."),
        AtVersion, Acting, Keyed),
    responses(
        (status = 200, description = "Disabled.", body = EndpointView),
        (status = 404, description = "No such endpoint of this account: `ENDPOINT_NOT_FOUND`."),
        (status = 409, description = "It is disabled already: `WRONG_STATE`.")))]
pub(crate) async fn disable(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(id): Path<String>,
    command: Command,
) -> Result<Response, Problem> {
    known(&id)?;
    let request = command.request("webhooks.disable", &account, &[&id]);
    let taken = app.engine.intake.disable_endpoint(&account, command.target(&id), request).await?;
    app.engine.webhooks.changed(&id);
    Ok(answer(StatusCode::OK, ENDPOINTS, taken))
}

/// Delivers the events of a range of time again, those that were never delivered too, each with the id that it has or would
/// have had. What is on its way already is left to go on. The range holds only events that are still kept.
#[utoipa::path(post, path = "/v1/webhooks/endpoints/{id}/replay", tag = "webhooks", request_body = ReplayRequest,
    params(
        ("id" = String, Path, description = "The endpoint's id."),
        Acting, Keyed),
    responses(
        (status = 202, description = "Begun: its progress is read at `Location`.", body = ReplayView),
        (status = 422, description = "Refused: `TIME_MALFORMED` or `OUT_OF_RANGE`."),
        (status = 404, description = "No such endpoint of this account: `ENDPOINT_NOT_FOUND`."),
        (status = 409, description = "It is disabled: `WRONG_STATE`.")))]
pub(crate) async fn replay(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(id): Path<String>,
    command: Command,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    known(&id)?;
    let mut form = Form::parse(&body)?;
    let since = form.needed("since", |form, name| terms::instant(form, name));
    let until = terms::instant(&mut form, "until");
    form.finish()?;
    let since = since.unwrap_or_default();
    let words = [&*id, &since.to_string(), &until.map(|until| until.to_string()).unwrap_or_default()];
    let request = command.request("webhooks.replay", &account, &words);
    let taken = app.engine.intake.replay(&account, &id, (since, until), request).await?;
    Ok(answer(StatusCode::ACCEPTED, REPLAYS, taken))
}

/// Reads how far a replay has got.
#[utoipa::path(get, path = "/v1/webhooks/replays/{id}", tag = "webhooks",
    params(
        ("id" = String, Path, description = "The replay's id."),
        Acting),
    responses(
        (status = 200, description = "The replay.", body = ReplayView),
        (status = 404, description = "No such replay of this account: `REPLAY_NOT_FOUND`.")))]
pub(crate) async fn replayed(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let row = owned(&app, &account, Kind::Replay, &id, codes::REPLAY_NOT_FOUND).await?;
    Ok(json(page::view(&row)?).into_response())
}
