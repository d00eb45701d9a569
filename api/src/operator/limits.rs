//! The limits of accounts over HTTP.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use domain::amount::{self, AmountError};
use domain::risk::{ALL_OTHERS, Limits, Status, Terms, level, shown};
use domain::token::Registry;
use domain::{Kind, Owner};
use drivers::journal::List;
use engine::clock;

use super::actor;
use crate::account::{Account, CameIn};
use crate::body::{Form, JsonBytes};
use crate::command::{Command, answer};
use crate::page::{self, Paging};
use crate::problem::{At, Problem, codes};
use crate::query::{Query, encoded};
use crate::routes::App;
use crate::schema::{
    AccountOrAll, Acting, AtVersion, Keyed, LimitsList, LimitsRequest, LimitsView, Paged, UnlessKnown,
};
use crate::swaps::{etag, json, matches};

const FOLDER: &str = "/v1/admin/limits";
/// Limits are in US dollars with so many decimals.
const DECIMALS: u8 = 6;

/// Lists the limits of accounts, those first that were set first; those of all others have the account `*`.
#[utoipa::path(get, path = "/v1/admin/limits", operation_id = "limitsList", tag = "administration",
    params(Paged),
    responses((status = 200, description = "One page.", body = LimitsList)))]
pub(crate) async fn limits_list(State(app): State<Arc<App>>, uri: Uri) -> Result<Response, Problem> {
    let mut query = Query::parse(&uri)?;
    let paging = Paging::parse(&mut query);
    query.finish()?;
    let name = "admin.limits";
    let list = List {
        kind: Kind::Limits,
        among: Vec::new(),
        statuses: vec![Status::Active.as_str().to_owned()],
        fields: Vec::new(),
        ranges: Vec::new(),
        after: paging.after(&app, name)?,
        newest_first: false,
        limit: paging.limit,
    };
    page::read(&app, &uri, name, list).await
}

/// Reads an account's own limits, and what its orders of today took of them.
#[utoipa::path(get, path = "/v1/admin/limits/{account}", operation_id = "limitsRead", tag = "administration",
    params(("account" = AccountOrAll, Path, description = "The account, or `*`.", example = "alice"), UnlessKnown),
    responses(
        (status = 200, description = "The limits; the ETag is their version.", body = LimitsView),
        (status = 304, description = "Still at the version already known."),
        (status = 404, description = "It has none of its own: `LIMITS_NOT_FOUND`.")))]
pub(crate) async fn limits_read(
    State(app): State<Arc<App>>,
    Path(account): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let unknown = || Problem::new(codes::LIMITS_NOT_FOUND, "the account has no limits of its own");
    let target = target(&account).map_err(|_| unknown())?;
    let limits = app.engine.risk.recorded(&target).await?.filter(|limits| limits.status == Status::Active);
    let limits = limits.ok_or_else(unknown)?;
    let tag = etag(limits.version);
    if headers.get_all(header::IF_NONE_MATCH).iter().any(|known| matches(known, &tag)) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    Ok((StatusCode::OK, [(header::ETAG, tag)], json(with_today(&app, &limits).await?)).into_response())
}

/// Sets all limits of an account: those that the body does not name it no longer has.
///
/// The limits of the account `*` are for every account that has none of its own. An order is worth its fixed amount, what a sale
/// pays or a purchase receives, by its token's reference price, rounded up to a millionth of a dollar. What the orders of
/// a day (UTC) are worth is counted while the account has a daily limit, in the change that takes an order, so that no two of
/// them pass the limit together; it is given back to that day when the order ends without a trade. An order holds to the smaller
/// of its own `maxPriceImpactBps` and that of the limits. Limits are for orders that are taken from the answer on.
#[utoipa::path(put, path = "/v1/admin/limits/{account}", operation_id = "limitsSet", tag = "administration", request_body = LimitsRequest,
    params(("account" = AccountOrAll, Path, description = "The account, or `*`.", example = "alice"), AtVersion, Acting, Keyed),
    responses(
        (status = 200, description = "The limits from now on.", body = LimitsView),
        (status = 422, description = "Refused: `AMOUNT_MALFORMED`, `AMOUNT_TOO_PRECISE`, `AMOUNT_TOO_LARGE`, `UNKNOWN_TOKEN`, `OUT_OF_RANGE`.")))]
pub(crate) async fn limits_set(
    State(app): State<Arc<App>>,
    Account(acting): Account,
    Path(account): Path<String>,
    caller: CameIn,
    command: Command,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    let id = target(&account)?;
    let mut form = Form::parse(&body)?;
    let terms = terms(&mut form, &app.engine.tokens);
    form.finish()?;
    let by = actor(&acting, caller);
    let request = command.request("admin.limits", &by, &[&id, &format!("{terms:?}")]);
    let mut taken = app.engine.intake.set_limits(command.target(&id), &terms, &by, request).await?;
    taken.id = encoded(&taken.id);
    Ok(answer(StatusCode::OK, FOLDER, taken))
}

/// Takes an account's own limits away: those of `*` hold for it then, if there are any.
#[utoipa::path(delete, path = "/v1/admin/limits/{account}", operation_id = "limitsRemove", tag = "administration",
    params(("account" = AccountOrAll, Path, description = "The account, or `*`.", example = "alice"), AtVersion, Acting, Keyed),
    responses(
        (status = 200, description = "They are gone.", body = LimitsView),
        (status = 404, description = "It has none of its own: `LIMITS_NOT_FOUND`.")))]
pub(crate) async fn limits_remove(
    State(app): State<Arc<App>>,
    Account(acting): Account,
    Path(account): Path<String>,
    caller: CameIn,
    command: Command,
) -> Result<Response, Problem> {
    let id = target(&account)?;
    let by = actor(&acting, caller);
    let request = command.request("admin.limits.remove", &by, &[&id]);
    let mut taken = app.engine.intake.remove_limits(command.target(&id), &by, request).await?;
    taken.id = encoded(&taken.id);
    Ok(answer(StatusCode::OK, FOLDER, taken))
}

/// Whose limits are meant.
fn target(account: &str) -> Result<String, Problem> {
    let known = account == ALL_OTHERS || Owner::parse(account).is_some();
    let detail = "an account is 1 to 64 characters of A-Z a-z 0-9 . _ : -, or * for all others";
    let malformed = || Problem::at(At::parameter("account"), codes::INVALID_ACCOUNT, detail);
    known.then(|| account.to_owned()).ok_or_else(malformed)
}

fn terms(form: &mut Form<'_>, tokens: &Registry) -> Terms {
    let (max_order, max_day) = (dollars(form, "maxNotionalPerOrder"), dollars(form, "maxNotionalPerDay"));
    let named = form.optional_texts("allowedTokens");
    if named.iter().flatten().any(|symbol| tokens.get(symbol).is_none()) {
        form.fault::<()>("allowedTokens", codes::UNKNOWN_TOKEN, "no such token; GET /v1/tokens lists them");
    }
    let impact = form.integer("maxPriceImpactBps");
    let max_price_impact_bps = impact.map(|bps| u32::try_from(bps).unwrap_or(u32::MAX));
    let allowed_tokens = named.map(|symbols| symbols.into_iter().map(Into::into).collect());
    Terms { max_order, max_day, allowed_tokens, max_price_impact_bps }
}

/// Decimal text of US dollars as millionths.
fn dollars(form: &mut Form<'_>, name: &'static str) -> Option<u64> {
    let text = form.amount(name)?;
    match amount::parse(&text, DECIMALS) {
        Ok(micros) => Some(u64::try_from(micros).unwrap_or(u64::MAX)),
        Err(AmountError::Malformed) => {
            form.fault(name, codes::AMOUNT_MALFORMED, "expected US dollars such as \"1000.5\"")
        }
        Err(AmountError::TooPrecise) => form.fault(name, codes::AMOUNT_TOO_PRECISE, "at most 6 decimals here"),
        Err(AmountError::TooLarge) => form.fault(name, codes::AMOUNT_TOO_LARGE, "the amount is too large"),
    }
}

/// The view, and what the account's orders of today are worth.
async fn with_today(app: &App, limits: &Limits) -> Result<String, Problem> {
    let view = limits.view_json();
    let Some(account) = Owner::parse(&limits.id) else { return Ok(view) };
    let sums = app.engine.journal.levels(&[level(&account, clock::now())]).await?;
    let today = shown(sums.first().map_or(0, |sum| sum.unsigned_abs().into()));
    Ok(format!("{},\"notionalToday\":\"{today}\"}}", view.strip_suffix('}').unwrap_or(&view)))
}
