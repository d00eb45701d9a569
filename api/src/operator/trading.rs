//! The trading state over HTTP.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::risk;

use super::actor;
use crate::account::{Account, CameIn};
use crate::body::{Form, JsonBytes};
use crate::command::{Command, answer};
use crate::problem::{Problem, codes};
use crate::routes::App;
use crate::schema::{Acting, AtVersion, Keyed, TradingRequest, TradingView, UnlessKnown};
use crate::swaps::{etag, json, matches};

/// Reads whether anything is traded.
#[utoipa::path(get, path = "/v1/admin/trading", operation_id = "tradingRead", tag = "administration",
    params(UnlessKnown),
    responses(
        (status = 200, description = "The state; its ETag is its version, 0 where it was never set.", body = TradingView),
        (status = 304, description = "Still at the version already known.")))]
pub(crate) async fn trading_read(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Problem> {
    let trading = app.engine.risk.trading().await?;
    let tag = etag(trading.version);
    if headers.get_all(header::IF_NONE_MATCH).iter().any(|known| matches(known, &tag)) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    Ok((StatusCode::OK, [(header::ETAG, tag)], json(trading.view_json())).into_response())
}

/// Says whether anything is traded.
///
/// `halted`: no order is taken, and nothing is built for those that wait. `reducing`: only orders into a settlement token are
/// taken and executed. `active`: everything. On this process that holds from the answer on, on others within a second, and over
/// restarts. Orders that wait lose no attempt, can be cancelled, and expire. What was submitted before is sent again and looked
/// up in every state, until its venue says what became of it. Told on the account `system` as `trading.changed`.
#[utoipa::path(put, path = "/v1/admin/trading", operation_id = "tradingSet", tag = "administration", request_body = TradingRequest,
    params(AtVersion, Acting, Keyed),
    responses(
        (status = 200, description = "The state from now on.", body = TradingView),
        (status = 422, description = "Refused: `UNKNOWN_CHOICE`, `NOTE_MALFORMED`.")))]
pub(crate) async fn trading_set(
    State(app): State<Arc<App>>,
    Account(account): Account,
    caller: CameIn,
    command: Command,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    let mut form = Form::parse(&body)?;
    let word = form.needed("state", Form::text);
    let state = word.as_deref().and_then(risk::State::parse);
    if word.is_some() && state.is_none() {
        form.fault::<()>("state", codes::UNKNOWN_CHOICE, "expected active, reducing or halted");
    }
    let reason = form.text("reason").map(std::borrow::Cow::into_owned);
    form.finish()?;
    let state = state.ok_or_else(|| Problem::new(codes::REFUSED, "the state is missing"))?;
    let by = actor(&account, caller);
    let request = command.request("admin.trading", &by, &[state.as_str(), reason.as_deref().unwrap_or("")]);
    let version = command.target("").version;
    let taken = app.engine.intake.turn_trading(version, (state, reason), &by, request).await?;
    Ok(answer(StatusCode::OK, "/v1/admin", taken))
}
