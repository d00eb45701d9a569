//! `tradewind trading`: whether anything is traded, on a running server or in its journal.

use std::sync::Arc;

use anyhow::anyhow;
use domain::Owner;
use domain::risk::State;
use drivers::journal::Options;
use engine::intake::{Intake, IntakeError};
use serde::Deserialize;
use serde_json::{Value, json};

use super::line;
use crate::client::Client;
use crate::config::{Place, Trading, TradingAction, TradingShow, TradingTurn};
use crate::serve::plain;

const TRADING: &str = "/v1/admin/trading";
/// Far longer than anything here takes.
const LEASE_MILLIS: u64 = 30_000;

/// What the state's view has that is shown.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    state: String,
    reason: Option<String>,
    set_by: Option<String>,
    updated_at: Option<String>,
}

/// Does what is asked.
pub(crate) async fn run(settings: Trading) -> anyhow::Result<u8> {
    let (place, turn) = match settings.action {
        TradingAction::Show(TradingShow { place }) => (place, None),
        TradingAction::Halt(TradingTurn { reason, place }) => (place, Some((State::Halted, reason))),
        TradingAction::Reduce(TradingTurn { reason, place }) => (place, Some((State::Reducing, reason))),
        TradingAction::Resume(TradingTurn { reason, place }) => (place, Some((State::Active, reason))),
    };
    let answered = match &place.journal {
        Some(url) => of_journal(url, &place, turn).await?,
        None => of_server(&Client::new(&place.remote)?, turn).await?,
    };
    if place.remote.json {
        line(answered)?;
        return Ok(0);
    }
    let Shown { state, reason, set_by, updated_at } = serde_json::from_value(answered)?;
    let why = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    let who = set_by.zip(updated_at).map(|(by, at)| format!(", set by {by} at {at}")).unwrap_or_default();
    line(format_args!("trading is {state}{who}{why}"))?;
    Ok(0)
}

async fn of_server(client: &Client, turn: Option<(State, Option<String>)>) -> anyhow::Result<Value> {
    let Some((state, reason)) = turn else { return client.get(TRADING, &[]).await };
    let mut body = json!({ "state": state.as_str() });
    if let Some(reason) = reason {
        body["reason"] = reason.into();
    }
    client.put(TRADING, &body).await
}

async fn of_journal(url: &str, place: &Place, turn: Option<(State, Option<String>)>) -> anyhow::Result<Value> {
    let by = match &place.remote.account {
        Some(name) => Owner::parse(name).ok_or_else(|| anyhow!("--account: not an account name"))?,
        None => Owner::default(),
    };
    let wake = drivers::wake::open(drivers::wake::default_for(url), url).await.map_err(plain)?;
    let options = Options { wake, lease_millis: LEASE_MILLIS, migrate: false };
    let journal = drivers::journal::open(url, options).await.map_err(plain)?;
    let intake = Intake::new(Arc::clone(&journal), Arc::default());
    let view = match turn {
        Some(turn) => intake.turn_trading(None, turn, &by, None).await.map(|taken| taken.view),
        None => intake.risk().trading().await.map(|trading| trading.view_json()).map_err(IntakeError::Fault),
    };
    journal.close().await;
    Ok(serde_json::from_str(&view?)?)
}
