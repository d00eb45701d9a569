//! One-time tickets for streams: a browser cannot send a key with a WebSocket, and a key has no place in a URL.
//!
//! A ticket says by itself whose it is and until when, signed with the installation's secret; that it was used is a row in
//! the journal, so that it opens one stream on one node.

use axum::http::Uri;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::key::{Role, Scope};
use domain::{Change, Key, Kind, Owner, Timestamp};
use drivers::{Conflict, Fault};
use engine::access::Principal;
use engine::clock;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::sync::Arc;

use super::Visitor;
use crate::problem::{Problem, codes};
use crate::routes::App;

/// How long a ticket is good, in milliseconds.
pub(crate) const LIFE_MILLIS: i64 = 30_000;
/// The parameter that carries it.
pub(crate) const PARAMETER: &str = "ticket";
/// A ticket is never longer.
const LONGEST: usize = 1_024;

/// What a ticket says.
#[derive(Serialize, Deserialize)]
struct Said {
    /// Its own id: a UUID.
    id: String,
    /// On whose account.
    account: String,
    /// What its bearer may do.
    scopes: Vec<String>,
    /// The key that it was asked for with; none on a server that had none.
    key: Option<String>,
    /// When it is good no more.
    end: Timestamp,
}

/// The ticket that a query carries.
pub(super) fn of(uri: &Uri) -> Option<String> {
    let mut pairs = uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(name, _)| *name == PARAMETER).map(|(_, text)| text.to_owned())
}

/// Whether a query carries a ticket, which the gate has looked at.
pub(crate) fn shows_ticket(uri: &Uri) -> bool {
    of(uri).is_some()
}

/// Writes a ticket for a stream of that account's events, good until the instant that comes with it.
pub(crate) fn issue(app: &App, account: &Owner, principal: Option<&Principal>) -> (String, Timestamp) {
    let end = clock::now().plus_millis(LIFE_MILLIS);
    let said = Said {
        id: engine::intake::new_id(),
        account: account.as_str().to_owned(),
        scopes: vec![Scope::EventsRead.as_str().to_owned()],
        key: principal.and_then(|principal| principal.key.clone()),
        end,
    };
    let said = serde_json::to_vec(&said).unwrap_or_default();
    let signature = mac(&app.settings.secret, &said).finalize().into_bytes();
    (format!("{}.{}", URL_SAFE_NO_PAD.encode(said), URL_SAFE_NO_PAD.encode(signature)), end)
}

/// Takes a ticket, once.
///
/// # Errors
/// 401: it is not ours, too old, used, or its key is not good any more; those of the journal.
pub(super) async fn redeem(app: &App, text: &str, open: bool) -> Result<Visitor, Problem> {
    let bad = || Problem::new(codes::TICKET_NOT_GOOD, "the ticket is not ours, too old, or used: ask for another");
    let now = clock::now();
    let said = read(&app.settings.secret, text).filter(|said| now < said.end).ok_or_else(bad)?;
    let account = Owner::parse(&said.account).ok_or_else(bad)?;
    let holder = match &said.key {
        Some(key) => Some(app.engine.access.holder(key, now).await?.ok_or_else(bad)?),
        None if open => None,
        None => return Err(bad()),
    };
    let used = Key {
        scope: "stream-tickets".to_owned(),
        key: said.id,
        fingerprint: None,
        kind: Kind::Key,
        id: said.key.unwrap_or_else(|| "none".to_owned()),
        version: 1,
        // Kept longer than it is good by any node's clock.
        expires_at: Some(said.end.plus_millis(10 * LIFE_MILLIS)),
    };
    match app.engine.journal.apply(Change { at: now, keys: vec![used], ..Change::default() }).await {
        Ok(_) => {}
        Err(Fault::Conflict(Conflict::Key(_))) => return Err(bad()),
        Err(fault) => return Err(fault.into()),
    }
    let principal = holder.map(|holder| {
        let scopes = said.scopes.iter().filter_map(|name| Scope::parse(name)).filter(|scope| holder.may(*scope));
        let role = if holder.role == Role::Admin { Role::Trader } else { holder.role };
        Arc::new(Principal { account: account.clone(), role, scopes: scopes.collect(), ..Principal::clone(&holder) })
    });
    Ok(Visitor { principal, account })
}

fn read(secret: &[u8; 32], text: &str) -> Option<Said> {
    let (said, signature) = Some(text).filter(|text| text.len() <= LONGEST)?.split_once('.')?;
    let (said, signature) = (URL_SAFE_NO_PAD.decode(said).ok()?, URL_SAFE_NO_PAD.decode(signature).ok()?);
    mac(secret, &said).verify_slice(&signature).ok()?;
    serde_json::from_slice(&said).ok()
}

fn mac(secret: &[u8; 32], said: &[u8]) -> Hmac<Sha256> {
    // As with cursors: padded with zeros to the block of 64 bytes (RFC 2104).
    let mut block = [0_u8; 64];
    block[..secret.len()].copy_from_slice(secret);
    let mut mac = <Hmac<Sha256> as KeyInit>::new(&block.into());
    mac.update(b"tradewind stream ticket 1\0");
    mac.update(said);
    mac
}
