//! Webhooks: `relay` makes a delivery of every event that an endpoint wants, `deliver` brings it there, `replay` makes
//! deliveries of the past again, and `prune` deletes those that are old.

mod attempt;
mod book;
mod deliver;
mod events;
mod known;
mod pace;
mod payload;
mod prune;
mod relay;
mod replay;
mod vigil;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use domain::webhook::Schedule;
use domain::webhook::delivery::Delivery;
use domain::webhook::endpoint::Endpoint;
use domain::webhook::sign::Secret;
use drivers::journal::Journal;
use drivers::{Fault, Network, webhook};
use ring::rand::{SecureRandom, SystemRandom};
use uuid::Uuid;

pub(crate) use self::deliver::{Deliverer, Parts};
pub(crate) use self::events::Events;
pub(crate) use self::known::Known;
pub(crate) use self::prune::Prune;
pub(crate) use self::relay::WebhookRelay;
pub(crate) use self::replay::Replays;
pub(crate) use self::vigil::read as health_of;
use crate::access::Access;
use crate::seal::Seal;

/// The row of the relay to all webhooks.
pub(crate) const RELAY: &str = "webhooks";

/// How long an endpoint has to take a connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// The installation's secret; prints as dots.
#[derive(Clone, Default)]
pub struct InstallationSecret(pub [u8; 32]);

impl fmt::Debug for InstallationSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// How webhooks behave.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Seals the endpoints' secrets: all processes of an installation have the same one.
    pub secret: InstallationSecret,
    /// Networks that endpoints may lie in although they are not public.
    pub allow: Vec<Network>,
    /// How long an endpoint has to answer.
    pub answer_within: Duration,
    /// How old deliveries get before they are deleted.
    pub keep_deliveries: Duration,
    /// When a delivery that failed is tried again.
    pub schedule: Schedule,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            secret: InstallationSecret::default(),
            allow: Vec::new(),
            answer_within: Duration::from_secs(15),
            keep_deliveries: Duration::from_secs(30 * 86_400),
            schedule: Schedule::default(),
        }
    }
}

impl Settings {
    /// How requests are sent.
    pub(crate) fn sender(&self) -> webhook::Options {
        let connect_within = self.answer_within.min(CONNECT_WITHIN);
        webhook::Options { allow: self.allow.clone(), connect_within, answer_within: self.answer_within }
    }
}

/// What the parts of the webhooks share, and what the API asks of them.
pub struct Webhooks {
    /// How they behave.
    pub settings: Settings,
    pub(crate) events: Events,
    pub(crate) known: Known,
    seal: Arc<Seal>,
    random: SystemRandom,
}

impl Webhooks {
    pub(crate) fn new(journal: &Arc<dyn Journal>, access: &Arc<Access>, settings: Settings) -> Self {
        let seal = Arc::new(Seal::new(&settings.secret.0));
        let known = Known::new(Arc::clone(journal), Arc::clone(access), Arc::clone(&seal));
        Self { settings, events: Events::new(Arc::clone(journal)), known, seal, random: SystemRandom::new() }
    }

    /// A new secret for an endpoint; none when the system has no random bytes to give.
    #[must_use]
    pub fn new_secret(&self) -> Option<Secret> {
        let mut bytes = [0; 32];
        self.random.fill(&mut bytes).ok()?;
        Secret::new(&bytes)
    }

    /// The secret as the journal keeps it, for one endpoint.
    #[must_use]
    pub fn seal(&self, secret: &Secret, endpoint: &str) -> String {
        self.seal.seal(secret.as_bytes(), endpoint)
    }

    /// The body of a delivery's requests, as JSON; none when its event is no longer held, or the account may no longer see it.
    ///
    /// # Errors
    /// Those of the journal.
    pub async fn body_of(&self, journal: &dyn Journal, delivery: &Delivery) -> Result<Option<String>, Fault> {
        let Some(ready) = self.known.get(&delivery.endpoint).await? else { return Ok(None) };
        if !self.known.may_see(&ready, &delivery.about).await? {
            return Ok(None);
        }
        if delivery.payload.is_some() {
            return Ok(delivery.payload.clone());
        }
        payload_of(self, journal, &ready.endpoint, delivery.about.seq).await
    }

    /// The endpoint changed: what is known of it is looked up again.
    pub fn changed(&self, endpoint: &str) {
        self.known.forget(endpoint);
    }
}

/// The id of the delivery of an event to an endpoint, whoever makes it: UUID version 5 of both.
pub(crate) fn delivery_id(endpoint: &str, seq: u64) -> String {
    let space = Uuid::parse_str(endpoint).unwrap_or(Uuid::NAMESPACE_OID);
    Uuid::new_v5(&space, &seq.to_be_bytes()).to_string()
}

/// What is sent of the event of that number; none when it was forgotten, or there is nothing to say of it.
///
/// # Errors
/// Those of the journal.
pub(crate) async fn payload_of(
    webhooks: &Webhooks,
    journal: &dyn Journal,
    endpoint: &Endpoint,
    seq: u64,
) -> Result<Option<String>, Fault> {
    match webhooks.events.get(seq).await? {
        Some(event) => payload::of(journal, endpoint, &event).await,
        None => Ok(None),
    }
}
