//! Which buyers see a seller's deals: `/v1/sellers/{id}/buyers`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use domain::authorisation::Status;
use domain::{Kind, Owner};
use drivers::journal::{Among, List};

use crate::account::Account;
use crate::body::{Form, JsonBytes};
use crate::command::{Command, answer};
use crate::page::{self, Paging};
use crate::problem::{Problem, codes};
use crate::query::Query;
use crate::routes::App;
use crate::schema::{Acting, AuthorisationList, AuthorisationStatus, AuthorisationView, BuyerRequest, Keyed, Paged};

/// Lets a buyer see all deals of the seller, those to come included: from the answer on, on every node.
///
/// A buyer that may see them already stays as it is. An account is authorised by at most 1,000 sellers.
#[utoipa::path(post, path = "/v1/sellers/{id}/buyers", tag = "buyers", request_body = BuyerRequest,
    params(
        ("id" = String, Path, description = "The seller's account: the caller's own."),
        Acting, Keyed),
    responses(
        (status = 201, description = "Authorised for the first time, or said again since then.", body = AuthorisationView),
        (status = 422, description = "The buyer is the seller: `OWN_ACCOUNT`."),
        (status = 200, description = "Authorised again after a revocation.", body = AuthorisationView),
        (status = 404, description = "Another account's: `SELLER_NOT_FOUND`."),
        (status = 409, description = "The buyer is authorised by as many sellers as it can be: `TOO_MANY_SELLERS`.")))]
pub(crate) async fn authorise(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(seller): Path<String>,
    command: Command,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    own(&account, &seller)?;
    let mut form = Form::parse(&body)?;
    let buyer = form.needed("buyerId", Form::account);
    form.finish()?;
    let buyer = buyer.ok_or_else(|| Problem::new(codes::REFUSED, "the buyer is missing"))?;
    let request = command.request("buyers.authorise", &account, &[buyer.as_str()]);
    let taken = app.engine.intake.authorise(&account, &buyer, request).await?;
    let status = if taken.version == 1 { StatusCode::CREATED } else { StatusCode::OK };
    Ok(at(status, &account, &buyer, taken))
}

/// Lists the buyers that the seller authorised, newest first; those whose authorisation was revoked with `status=revoked`.
#[utoipa::path(get, path = "/v1/sellers/{id}/buyers", tag = "buyers",
    params(
        ("id" = String, Path, description = "The seller's account: the caller's own."),
        ("status" = Option<AuthorisationStatus>, Query, description = "`active` (default) or `revoked`."),
        Paged, Acting),
    responses(
        (status = 200, description = "One page.", body = AuthorisationList),
        (status = 404, description = "Another account's: `SELLER_NOT_FOUND`.")))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(seller): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    own(&account, &seller)?;
    let mut query = Query::parse(&uri)?;
    let wanted = query.one("status");
    let status = wanted.as_deref().map_or(Some(Status::Active), Status::parse);
    if status.is_none() {
        query.fault("status", "expected active or revoked");
    }
    let paging = Paging::parse(&mut query);
    query.finish()?;
    let status = status.unwrap_or(Status::Active).as_str();
    let name = format!("buyers\0{account}\0{status}");
    let list = List {
        kind: Kind::Authorisation,
        among: vec![Among::Owner(account)],
        statuses: vec![status.to_owned()],
        fields: Vec::new(),
        ranges: Vec::new(),
        after: paging.after(&app, &name)?,
        newest_first: true,
        limit: paging.limit,
    };
    page::read(&app, &uri, &name, list).await
}

/// Takes an authorisation back: from the answer on the buyer reads no deal of the seller, on any node; open
/// streams hear of it within some tens of milliseconds. Taking it back again
/// answers with it again.
#[utoipa::path(delete, path = "/v1/sellers/{id}/buyers/{buyerId}", tag = "buyers",
    params(
        ("id" = String, Path, description = "The seller's account: the caller's own."),
        ("buyerId" = String, Path, description = "The buyer's account."),
        Acting, Keyed),
    responses(
        (status = 200, description = "Revoked.", body = AuthorisationView),
        (status = 404, description = "Another account's (`SELLER_NOT_FOUND`), or a buyer that was never authorised \
            (`BUYER_NOT_FOUND`).")))]
pub(crate) async fn revoke(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path((seller, buyer)): Path<(String, String)>,
    command: Command,
) -> Result<Response, Problem> {
    own(&account, &seller)?;
    let unknown = || Problem::new(codes::BUYER_NOT_FOUND, "there is no such buyer of this seller");
    let buyer = Owner::parse(&buyer).ok_or_else(unknown)?;
    let request = command.request("buyers.revoke", &account, &[buyer.as_str()]);
    let taken = app.engine.intake.revoke_authorisation(&account, &buyer, request).await?;
    Ok(at(StatusCode::OK, &account, &buyer, taken))
}

/// An authorisation is found under its buyer's name.
fn at(status: StatusCode, seller: &Owner, buyer: &Owner, mut taken: engine::intake::Taken) -> Response {
    taken.id = buyer.as_str().to_owned();
    answer(status, &format!("/v1/sellers/{seller}/buyers"), taken)
}

/// Nobody looks into another seller's list.
fn own(account: &Owner, seller: &str) -> Result<(), Problem> {
    if account.as_str() == seller {
        return Ok(());
    }
    Err(Problem::new(codes::SELLER_NOT_FOUND, "there is no such seller, or it is not you"))
}
