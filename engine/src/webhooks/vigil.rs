//! Keeps vigil over endpoints that fail: notes since when, and disables those that took nothing for five days.
//!
//! What happens to an endpoint is noted in memory, and a row is written only when a failing lasts or ends: at most one
//! write per endpoint and look. Several processes look; the row says what all of them saw.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::webhook::endpoint::{Endpoint, Reason, disable};
use domain::webhook::health::{Health, State};
use domain::{Change, Kind, Owner, Timestamp};
use drivers::Fault;
use drivers::journal::Journal;
use tokio_util::sync::CancellationToken;

use super::Webhooks;
use crate::{clock, observe};

/// How often it looks.
const EVERY: Duration = Duration::from_secs(1);
/// A failing that is shorter is not written down.
const LASTING_MICROS: i64 = 2_000_000;
/// More endpoints are forgotten together: what lasts is noted again.
const MOST: usize = 50_000;

/// What this process saw of each endpoint.
#[derive(Default)]
pub(super) struct Vigil {
    seen: Mutex<HashMap<String, Seen>>,
}

#[derive(Clone)]
struct Seen {
    account: Owner,
    /// The last success.
    success: Option<Timestamp>,
    /// The first failure after it.
    failing: Option<Timestamp>,
    /// The last failure.
    failure: Option<Timestamp>,
}

impl Vigil {
    /// A request to an endpoint went well, or not.
    pub(super) fn saw(&self, endpoint: &Endpoint, well: bool, at: Timestamp) {
        let mut seen = self.lock();
        if seen.len() >= MOST {
            seen.clear();
        }
        let new = || Seen { account: endpoint.account.clone(), success: None, failing: None, failure: None };
        let one = seen.entry(endpoint.id.clone()).or_insert_with(new);
        if well {
            (one.success, one.failing) = (Some(at), None);
        } else {
            one.failing.get_or_insert(at);
            one.failure = Some(at);
        }
    }

    /// Looks until `stop`.
    pub(super) async fn run(&self, journal: Arc<dyn Journal>, webhooks: Arc<Webhooks>, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some() {
            for (endpoint, seen) in self.lasting(clock::now()) {
                if let Err(fault) = look(journal.as_ref(), &webhooks, &endpoint, &seen).await {
                    match fault {
                        // Another process was faster; the next look sees what it wrote.
                        Fault::Conflict(_) => {}
                        fault => observe::fault("note an endpoint's health", &fault),
                    }
                }
            }
        }
    }

    /// What is to be looked at, each once.
    fn lasting(&self, now: Timestamp) -> Vec<(String, Seen)> {
        let mut seen = self.lock();
        let lasts = |one: &Seen| one.failing.is_none_or(|since| now.0 - since.0 >= LASTING_MICROS);
        let found: Vec<_> =
            seen.iter().filter(|(_, one)| lasts(one)).map(|(id, one)| (id.clone(), one.clone())).collect();
        // What fails is looked at again when it has failed once more.
        for (id, _) in &found {
            seen.remove(id);
        }
        found
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn look(journal: &dyn Journal, webhooks: &Webhooks, endpoint: &str, seen: &Seen) -> Result<(), Fault> {
    let health = read(journal, endpoint).await?;
    let now = clock::now();
    let turned = match (health.state, seen.success, seen.failing) {
        (State::Failing, Some(at), None) => Some(health.turned(State::Well, at)),
        (State::Failing, Some(success), Some(failing)) if success > health.since => {
            Some(health.turned(State::Failing, failing))
        }
        // A failing that began before another process saw a success is over; what came after it counts.
        (State::Well, _, Some(failing)) => {
            let since =
                if failing > health.since { Some(failing) } else { seen.failure.filter(|at| *at > health.since) };
            since.map(|since| health.turned(State::Failing, since))
        }
        _ => None,
    };
    if let Some(turned) = &turned {
        let change = Change { at: now, entities: vec![turned.write(endpoint, &seen.account)], ..Change::default() };
        journal.apply(change).await?;
    }
    let health = turned.unwrap_or(health);
    if seen.failing.is_some() && health.is_hopeless(now) {
        give_up(journal, webhooks, endpoint, now).await?;
    }
    Ok(())
}

async fn give_up(journal: &dyn Journal, webhooks: &Webhooks, id: &str, now: Timestamp) -> Result<(), Fault> {
    let Some(entity) = journal.entity(Kind::Endpoint, id).await? else { return Ok(()) };
    let endpoint = Endpoint::from_entity(&entity).map_err(|error| Fault::Broken(error.to_string()))?;
    let Ok(choice) = disable(&endpoint, Reason::Failing, &Owner::system(), now) else { return Ok(()) };
    journal.apply(choice.change).await?;
    webhooks.changed(id);
    observe::webhook_endpoint_disabled(id, "it failed for five days");
    Ok(())
}

/// The endpoint's health as the journal has it.
pub(crate) async fn read(journal: &dyn Journal, endpoint: &str) -> Result<Health, Fault> {
    let Some(row) = journal.entity(Kind::Health, endpoint).await? else { return Ok(Health::unknown()) };
    Health::from_entity(&row).map_err(|error| Fault::Broken(format!("webhook.health {endpoint}: {error}")))
}
