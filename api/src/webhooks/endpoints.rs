//! Endpoints: made, listed, read, changed, deleted.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use domain::Kind;
use domain::webhook::endpoint::{Create, MOST_CONCURRENCY, Status};
use domain::webhook::sign::Secret;
use drivers::Fault;
use drivers::journal::{Among, List};
use engine::intake::{Taken, new_id};

use super::{ENDPOINTS, known, owned, terms};
use crate::account::Account;
use crate::body::{Form, JsonBytes};
use crate::command::{Command, answer};
use crate::page::{self, Paging};
use crate::problem::{Problem, codes};
use crate::query::Query;
use crate::routes::App;
use crate::schema::{
    Acting, AtVersion, EndpointEdit, EndpointList, EndpointRequest, EndpointView, EndpointWanted, Keyed, Paged,
    UnlessKnown,
};
use crate::swaps::{etag, json, matches};

/// Makes an endpoint.
///
/// Its secret stands in the answer, in `secret`, and nowhere else ever again; a caller may bring one. From then on every event
/// that the account may see and one of the patterns matches is posted to the URL as Standard Webhooks 1.0.0 says, at least
/// once. Patterns: `*`, `deal.*`, `deal.updated`, `deal.updated.*` (some field changed), `deal.updated.totalPrice`.
#[utoipa::path(post, path = "/v1/webhooks/endpoints", tag = "webhooks", request_body = EndpointRequest,
    params(Acting, Keyed),
    responses(
        (status = 201, description = "Made.", body = EndpointView),
        (status = 422, description = "Refused: `URL_REFUSED`, `UNKNOWN_PATTERN`, `UNKNOWN_CHOICE`, `OUT_OF_RANGE` or \
            `SECRET_MALFORMED`."),
        (status = 409, description = "The account has as many endpoints as it may: `TOO_MANY_ENDPOINTS`.")))]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    Account(account): Account,
    command: Command,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    let webhooks = &app.engine.webhooks;
    let (settings, given) = terms::settings(Form::parse(&body)?, &webhooks.settings.allow, true)?;
    let brought = given.as_ref().map(Secret::show).unwrap_or_default();
    let request = command.request("webhooks.create", &account, &[&format!("{settings:?}"), &brought]);
    let secret = given.or_else(|| webhooks.new_secret()).ok_or_else(no_random_bytes)?;
    let id = new_id();
    let create = Create {
        secret: webhooks.seal(&secret, &id),
        id,
        account,
        url: settings.url.unwrap_or_default(),
        patterns: settings.patterns.unwrap_or_default(),
        description: settings.description.flatten(),
        format: settings.format.unwrap_or_default(),
        rate_per_second: settings.rate_per_second.flatten(),
        concurrency: settings.concurrency.unwrap_or(MOST_CONCURRENCY),
        ordered: settings.ordered.unwrap_or_default(),
    };
    let taken = app.engine.intake.create_endpoint(create, request).await?;
    Ok(answer(StatusCode::CREATED, ENDPOINTS, with_secret(taken, &secret)))
}

/// Lists the account's endpoints, newest first.
#[utoipa::path(get, path = "/v1/webhooks/endpoints", tag = "webhooks",
    params(
        ("status" = Option<EndpointWanted>, Query, description = "`active` or `disabled`; both by default."),
        Paged, Acting),
    responses(
        (status = 200, description = "One page.", body = EndpointList)))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Account(account): Account,
    uri: Uri,
) -> Result<Response, Problem> {
    let mut query = Query::parse(&uri)?;
    let shown = [Status::Active, Status::Disabled].map(Status::as_str);
    let statuses = match query.one("status") {
        Some(status) if shown.contains(&&*status) => vec![status],
        Some(_) => {
            query.fault("status", "expected active or disabled");
            Vec::new()
        }
        None => shown.map(str::to_owned).to_vec(),
    };
    let paging = Paging::parse(&mut query);
    query.finish()?;
    let name = format!("endpoints\0{account}\0{statuses:?}");
    let list = List {
        kind: Kind::Endpoint,
        among: vec![Among::Owner(account)],
        statuses,
        fields: Vec::new(),
        ranges: Vec::new(),
        after: paging.after(&app, &name)?,
        newest_first: true,
        limit: paging.limit,
    };
    page::read(&app, &uri, &name, list).await
}

/// Reads an endpoint, without its secret.
#[utoipa::path(get, path = "/v1/webhooks/endpoints/{id}", tag = "webhooks",
    params(
        ("id" = String, Path, description = "The endpoint's id."),
        Acting, UnlessKnown),
    responses(
        (status = 200, description = "The endpoint; its ETag is its version.", body = EndpointView),
        (status = 304, description = "Still at the version already known."),
        (status = 404, description = "No such endpoint of this account: `ENDPOINT_NOT_FOUND`.")))]
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let row = owned(&app, &account, Kind::Endpoint, &id, codes::ENDPOINT_NOT_FOUND).await?;
    let tag = etag(row.version);
    if headers.get_all(header::IF_NONE_MATCH).iter().any(|known| matches(known, &tag)) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    Ok((StatusCode::OK, [(header::ETAG, tag)], json(page::view(&row)?)).into_response())
}

/// Changes an endpoint's settings: those that the body names.
///
/// An empty `description` and a `ratePerSecond` of 0 take what there was away. Requests that are on their way may still go to
/// the old URL.
#[utoipa::path(patch, path = "/v1/webhooks/endpoints/{id}", tag = "webhooks", request_body = EndpointEdit,
    params(
        ("id" = String, Path, description = "The endpoint's id."),
        AtVersion, Acting, Keyed),
    responses(
        (status = 200, description = "Changed.", body = EndpointView),
        (status = 422, description = "Refused: `URL_REFUSED`, `UNKNOWN_PATTERN`, `UNKNOWN_CHOICE` or `OUT_OF_RANGE`."),
        (status = 404, description = "No such endpoint of this account: `ENDPOINT_NOT_FOUND`.")))]
pub(crate) async fn update(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(id): Path<String>,
    command: Command,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    known(&id)?;
    let webhooks = &app.engine.webhooks;
    let (edit, _) = terms::settings(Form::parse(&body)?, &webhooks.settings.allow, false)?;
    let request = command.request("webhooks.update", &account, &[&id, &format!("{edit:?}")]);
    let taken = app.engine.intake.edit_endpoint(&account, command.target(&id), &edit, request).await?;
    webhooks.changed(&id);
    Ok(answer(StatusCode::OK, ENDPOINTS, taken))
}

/// Deletes an endpoint, and its secrets at once. What was to be delivered to it is given up; its deliveries can still be read.
#[utoipa::path(delete, path = "/v1/webhooks/endpoints/{id}", tag = "webhooks",
    params(
        ("id" = String, Path, description = "The endpoint's id."),
        AtVersion, Acting, Keyed),
    responses(
        (status = 200, description = "Deleted: the endpoint as it was last.", body = EndpointView),
        (status = 404, description = "No such endpoint of this account: `ENDPOINT_NOT_FOUND`.")))]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(id): Path<String>,
    command: Command,
) -> Result<Response, Problem> {
    known(&id)?;
    let request = command.request("webhooks.delete", &account, &[&id]);
    let taken = app.engine.intake.delete_endpoint(&account, command.target(&id), request).await?;
    app.engine.webhooks.changed(&id);
    Ok(answer(StatusCode::OK, ENDPOINTS, taken))
}

/// Shows the secret of what was just done, this once.
pub(super) fn with_secret(taken: Taken, secret: &Secret) -> Taken {
    if taken.replayed {
        return taken;
    }
    let shown = taken.view.strip_suffix('}').unwrap_or(&taken.view);
    Taken { view: format!("{shown},\"secret\":\"{}\"}}", secret.show()), ..taken }
}

pub(super) fn no_random_bytes() -> Problem {
    Fault::Unavailable("the system has no random bytes to give".to_owned()).into()
}
