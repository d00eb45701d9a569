//! Keys over HTTP: made, listed, read, revoked; and tickets for streams.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use domain::key::{Create, Env, Material, Role, Scope, SigningPair};
use domain::{Entity, Kind, Owner, Timestamp};
use drivers::journal::{Among, List};
use engine::access::Principal;
use engine::intake::{IntakeError, Issued, RequestKey, Requester, Taken, entropy};
use sha2::{Digest, Sha256};

use crate::account::{Account, CameIn};
use crate::body::{Form, JsonBytes};
use crate::gate::Visitor;
use crate::page::{self, Paging};
use crate::problem::{Problem, codes};
use crate::query::Query;
use crate::routes::App;
use crate::schema::{Acting, KeyList, KeyRequest, KeyView, Keyed, Paged, TicketView};
use crate::swaps::json;
use crate::{gate, idempotency};

/// Makes a key.
///
/// Its text stands in the answer, in `key`, and nowhere else ever again; so do, in `sqs`, the credentials of a key that may use
/// queues, for clients of AWS SQS. The first key of an installation must be an
/// admin's: from then on every request needs a key. An admin makes keys for any account and role, and brings keys of other
/// systems in with `import`; others make keys for their own account that may do no more than the one they make it with.
#[utoipa::path(post, path = "/v1/keys", tag = "keys", request_body = KeyRequest,
    params(Acting, Keyed),
    responses(
        (status = 201, description = "Made.", body = KeyView),
        (status = 422, description = "Refused: `SCOPE_NOT_OF_ROLE`, `SCOPES_EMPTY`, `NAME_TOO_LONG`, `ENV_MALFORMED`, \
            `IMPORT_MALFORMED`, `UNKNOWN_CHOICE`, `EXPIRE_TIME_MALFORMED`, `EXPIRE_TIME_IN_PAST` or `EXPIRE_TIME_TOO_LATE`."),
        (status = 409, description = "The first key must be an admin's (`FIRST_KEY_NOT_ADMIN`), or the imported key is known \
            already (`KEY_EXISTS`).")))]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    Account(account): Account,
    CameIn(caller): CameIn,
    headers: HeaderMap,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    let principal = caller.and_then(|caller| caller.principal);
    let create = parse(&body, &account, principal.as_deref())?;
    let by = match principal {
        Some(principal) => Requester::Holder(principal, account.clone()),
        None => Requester::Anyone(account.clone()),
    };
    let request = idempotency::key(&headers)?.map(|key| RequestKey {
        scope: format!("keys.create:{account}"),
        key,
        fingerprint: Sha256::digest(&body).into(),
    });
    let Issued { taken, text, signs } = app.engine.intake.create_key(create, by, request).await.map_err(refused)?;
    let pair = if signs { SigningPair::of(&app.settings.secret, &taken.id) } else { None };
    Ok(answer(StatusCode::CREATED, taken, text.as_deref(), pair))
}

/// Lists the account's keys, newest first; an admin with `all` those of every account.
#[utoipa::path(get, path = "/v1/keys", tag = "keys",
    params(
        ("all" = Option<bool>, Query, description = "`true`: those of every account, for admins."),
        Paged, Acting),
    responses(
        (status = 200, description = "One page.", body = KeyList)))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Account(account): Account,
    CameIn(caller): CameIn,
    uri: Uri,
) -> Result<Response, Problem> {
    let mut query = Query::parse(&uri)?;
    let all = match query.one("all").as_deref() {
        Some("true") => true,
        None | Some("false") => false,
        Some(_) => {
            query.fault("all", "expected true or false");
            false
        }
    };
    let paging = Paging::parse(&mut query);
    query.finish()?;
    if all && !may_see_all(caller.as_ref()) {
        return Err(Problem::new(codes::SCOPE_MISSING, "the key lacks the scope admin"));
    }
    let name = format!("keys\0{account}\0{all}");
    let among = if all { Vec::new() } else { vec![Among::Owner(account)] };
    let list = List {
        kind: Kind::Key,
        among,
        statuses: Vec::new(),
        fields: Vec::new(),
        ranges: Vec::new(),
        after: paging.after(&app, &name)?,
        newest_first: true,
        limit: paging.limit,
    };
    let page = app.engine.journal.entities(list).await?;
    let mut used = HashMap::new();
    for key in &page.entities {
        used.insert(key.id.clone(), app.engine.access.last_used(&key.id).await?);
    }
    page::answer_as(&app, &uri, &name, &page, |key| with_use(key, used.get(&key.id).copied().flatten()))
}

/// Reads a key, without its text.
#[utoipa::path(get, path = "/v1/keys/{id}", tag = "keys",
    params(
        ("id" = String, Path, description = "The key's id: the third part of its text."),
        Acting),
    responses(
        (status = 200, description = "The key.", body = KeyView),
        (status = 404, description = "No such key of this account: `KEY_NOT_FOUND`.")))]
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    Account(account): Account,
    CameIn(caller): CameIn,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let known = if id.len() <= 64 { app.engine.journal.entity(Kind::Key, &id).await? } else { None };
    let all = may_see_all(caller.as_ref());
    let key = known.filter(|key| all || key.owner == account).ok_or_else(unknown)?;
    let used = app.engine.access.last_used(&id).await?;
    Ok(json(with_use(&key, used)?).into_response())
}

/// Revokes a key, for ever; revoking it again answers with it again. From the answer on this node lets nobody in with it,
/// all others within some tens of milliseconds; streams that were opened with it end.
#[utoipa::path(post, path = "/v1/keys/{id}/revoke", tag = "keys",
    params(
        ("id" = String, Path, description = "The key's id: the third part of its text."),
        Acting, Keyed),
    responses(
        (status = 200, description = "Revoked.", body = KeyView),
        (status = 404, description = "No such key of this account: `KEY_NOT_FOUND`.")))]
pub(crate) async fn revoke(
    State(app): State<Arc<App>>,
    Account(account): Account,
    CameIn(caller): CameIn,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if id.len() > 64 {
        return Err(unknown());
    }
    let request = idempotency::key(&headers)?.map(|key| RequestKey {
        scope: format!("keys.revoke:{account}"),
        key,
        fingerprint: Sha256::digest(format!("key.revoke\0{id}")).into(),
    });
    let of = (!may_see_all(caller.as_ref())).then_some(&account);
    let taken = app.engine.intake.revoke_key(of, &id, &account, request).await.map_err(refused)?;
    Ok(answer(StatusCode::OK, taken, None, None))
}

/// Gives a ticket that opens one stream, for browsers, which cannot send a key with a WebSocket.
///
/// Send it within 30 s as `?ticket=` to `/v1/events` or `/v1/stream`; it is good once, on whichever node.
#[utoipa::path(post, path = "/v1/stream-tickets", operation_id = "streamTicketsCreate", tag = "keys",
    params(Acting),
    responses((status = 201, description = "A ticket.", body = TicketView)))]
pub(crate) async fn ticket(State(app): State<Arc<App>>, Account(account): Account, CameIn(caller): CameIn) -> Response {
    let principal = caller.and_then(|caller| caller.principal);
    let (ticket, end) = gate::issue(&app, &account, principal.as_deref());
    let body = serde_json::json!({ "ticket": ticket, "expiresAt": end });
    (StatusCode::CREATED, NO_STORE, json(body.to_string())).into_response()
}

const NO_STORE: [(HeaderName, HeaderValue); 1] = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];

fn parse(body: &[u8], account: &Owner, principal: Option<&Principal>) -> Result<Create, Problem> {
    let mut form = Form::parse(body)?;
    let named = form.text("account").map(|name| Owner::parse(&name));
    if named == Some(None) {
        form.fault::<()>("account", codes::INVALID_ACCOUNT, "1 to 64 characters of A-Z a-z 0-9 . _ : -");
    }
    let role = match form.text("role") {
        Some(name) => Role::parse(&name)
            .or_else(|| form.fault("role", codes::UNKNOWN_CHOICE, "expected admin, seller, buyer or trader")),
        None => principal.map(|principal| principal.role).filter(|role| *role != Role::Admin),
    };
    if role.is_none() && form.errors.is_empty() {
        form.fault::<()>("role", codes::FIELD_MISSING, "expected admin, seller, buyer or trader");
    }
    let scopes = form.optional_texts("scopes").map(|names| {
        let scopes: Option<Vec<Scope>> = names.iter().map(|name| Scope::parse(name)).collect();
        scopes.or_else(|| form.fault("scopes", codes::UNKNOWN_CHOICE, "there is no such scope")).unwrap_or_default()
    });
    let name = form.text("name").map(Cow::into_owned);
    let env = form.text("env").map(|env| {
        let env = Env::parse(&env);
        env.or_else(|| form.fault("env", codes::ENV_MALFORMED, "1 to 16 characters of a-z 0-9")).unwrap_or_default()
    });
    let expires_at = form.text("expiresAt").and_then(|text| {
        let detail = "expected an RFC 3339 instant such as 2030-01-01T00:00:00Z";
        Timestamp::parse(&text).or_else(|| form.fault("expiresAt", codes::EXPIRE_TIME_MALFORMED, detail))
    });
    let import = form.text("import").map(Cow::into_owned);
    if import.is_some() && env.is_some() {
        form.fault::<()>("env", codes::UNKNOWN_FIELD, "a key of another system has none");
    }
    form.finish()?;
    let material = match import {
        Some(text) => Material::Import(text),
        None => Material::New(env.unwrap_or_default(), entropy()?),
    };
    let account = named.flatten().unwrap_or_else(|| account.clone());
    let role = role.ok_or_else(|| Problem::new(codes::REFUSED, "the role is missing"))?;
    Ok(Create { account, role, scopes, name, expires_at, material })
}

/// On an open server everyone may do everything.
fn may_see_all(caller: Option<&Visitor>) -> bool {
    let principal = caller.and_then(|caller| caller.principal.as_ref());
    principal.is_none_or(|principal| principal.is_admin())
}

/// The view of a key, with its text and its credentials for signing if they are to be shown.
fn answer(status: StatusCode, taken: Taken, text: Option<&str>, pair: Option<SigningPair>) -> Response {
    let mut view = taken.view;
    if let Some(SigningPair { access_key_id, secret_access_key }) = pair {
        // Letters, digits, `-` and `_` need no escapes.
        let sqs = format!(r#""sqs":{{"accessKeyId":"{access_key_id}","secretAccessKey":"{secret_access_key}"}},"#);
        view.insert_str(1, &sqs);
    }
    if let Some(text) = text {
        // A key needs no escapes.
        view.insert_str(1, &format!("\"key\":\"{text}\","));
    }
    let mut response = (status, NO_STORE, json(view)).into_response();
    let headers = response.headers_mut();
    headers.extend(HeaderValue::try_from(format!("/v1/keys/{}", taken.id)).map(|at| (header::LOCATION, at)));
    if taken.replayed {
        headers.insert(HeaderName::from_static(idempotency::REPLAYED), HeaderValue::from_static("true"));
    }
    response
}

/// The view with when it was last used.
fn with_use(key: &Entity, used: Option<Timestamp>) -> Result<String, Problem> {
    let mut view = page::view(key)?;
    if let Some(used) = used {
        view.pop();
        view.push_str(&format!(",\"lastUsedAt\":\"{used}\"}}"));
    }
    Ok(view)
}

fn refused(error: IntakeError) -> Problem {
    match error {
        IntakeError::NotFound => unknown(),
        other => other.into(),
    }
}

fn unknown() -> Problem {
    Problem::new(codes::KEY_NOT_FOUND, "there is no such key")
}
