//! Who sends for a relay: its row in the journal, held under a lease by one process at a time.
//!
//! The row has a place, a holder and a version, and is written by compare-and-set alone. A holder writes it at least once
//! a second. Nobody compares clocks: a standby takes the row when its version stood still for the length of the lease by
//! the standby's own clock. A holder that was stopped and goes on finds its next write refused.

use std::sync::Arc;
use std::time::Duration;

use domain::{Change, EntityWrite, Expect, Kind, Owner};
use drivers::Fault;
use drivers::journal::Journal;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use uuid::Uuid;

use crate::clock;

/// How long the row must stand still before another process may take it.
const LEASE: Duration = Duration::from_secs(3);
/// How often a holder writes it at least.
const RENEWAL: Duration = Duration::from_secs(1);
/// Beyond any wait.
const NEVER: Duration = Duration::from_secs(86_400);

/// One process's part in a relay.
pub(crate) struct Lease {
    journal: Arc<dyn Journal>,
    /// The id of the row.
    name: String,
    /// This process, as the row names it.
    me: String,
    /// No other process can have the journal open: the lease is ours without waiting, and is not renewed.
    alone: bool,
    held: Option<Held>,
    /// The version that a standby saw, and since when.
    seen: Option<(u64, Instant)>,
}

/// How far a relay has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Everything up to here that the export takes is durably outside.
    pub(crate) position: u64,
    /// The newest event of those: what the export ends with. An export that takes all has `position` here.
    pub(crate) sent: u64,
}

impl Place {
    /// An export that ends with the event `sent`, and lacks nothing before it.
    pub(crate) const fn at(sent: u64) -> Self {
        Self { position: sent, sent }
    }
}

/// What the row says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Body {
    position: u64,
    /// None when it is the position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sent: Option<u64>,
    /// Who sends; none when nobody does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    holder: Option<String>,
}

impl Body {
    fn place(&self) -> Place {
        Place { position: self.position, sent: self.sent.unwrap_or(self.position) }
    }
}

#[derive(Clone, Copy)]
struct Held {
    place: Place,
    version: u64,
    /// When the last write of the row began.
    renewed: Instant,
}

impl Lease {
    /// A standby for the row `name`.
    pub(crate) fn new(journal: Arc<dyn Journal>, name: String, alone: bool) -> Self {
        Self { journal, name, me: Uuid::now_v7().to_string(), alone, held: None, seen: None }
    }

    /// The row's place, if this process holds it.
    pub(crate) fn place(&self) -> Option<Place> {
        self.held.map(|held| held.place)
    }

    /// The row's position, whoever holds it; none when there is no row.
    pub(crate) async fn look(&self) -> Result<Option<u64>, Fault> {
        Ok(self.read().await?.map(|(body, _)| body.position))
    }

    /// Takes the row if it is free. A new row begins where the export ends, as `begin` says. False when another process holds it or was faster.
    pub(crate) async fn stand(&mut self, begin: impl AsyncFnOnce() -> Result<u64, Fault>) -> Result<bool, Fault> {
        let (place, expect) = match self.read().await? {
            None => (Place::at(begin().await?), Expect::Absent),
            Some((body, version)) if self.may_take(&body, version) => (body.place(), Expect::Version(version)),
            Some(_) => return Ok(false),
        };
        self.seen = None;
        match self.write(place, expect, true).await {
            Err(Fault::Conflict(_)) => Ok(false),
            other => other.map(|()| true),
        }
    }

    /// Whether the row is free: held by nobody, by us (a write whose answer was lost), or by one who stood still too long.
    fn may_take(&mut self, body: &Body, version: u64) -> bool {
        if self.alone || body.holder.as_ref().is_none_or(|holder| *holder == self.me) {
            return true;
        }
        match self.seen {
            Some((seen, since)) if seen == version => since.elapsed() >= LEASE,
            _ => {
                self.seen = Some((version, Instant::now()));
                false
            }
        }
    }

    /// When the row is to be written again, if nothing moves it before.
    pub(crate) fn due(&self) -> Instant {
        match self.held {
            Some(held) if !self.alone => held.renewed + RENEWAL,
            _ => Instant::now() + NEVER,
        }
    }

    /// Writes the row if it is time to.
    pub(crate) async fn renew(&mut self) -> Result<(), Fault> {
        match self.held {
            Some(held) if self.due() <= Instant::now() => self.move_to(held.place).await,
            _ => Ok(()),
        }
    }

    /// Moves the row's place. A conflict means that another process has taken the row.
    pub(crate) async fn move_to(&mut self, place: Place) -> Result<(), Fault> {
        self.move_with(place, Change::default()).await
    }

    /// Moves the row's place in one change with what is made of the events up to there: both happen, or neither.
    pub(crate) async fn move_with(&mut self, place: Place, change: Change) -> Result<(), Fault> {
        let Some(held) = self.held else { return Ok(()) };
        self.write_with(place, Expect::Version(held.version), true, change).await
    }

    /// No longer sends for the relay, whatever the row says.
    pub(crate) fn drop_it(&mut self) {
        self.held = None;
    }

    /// Tells the others that they need not wait for the lease to lapse.
    pub(crate) async fn release(&mut self) -> Result<(), Fault> {
        self.held = None;
        match self.read().await? {
            Some((body, version)) if !self.alone && body.holder.as_ref() == Some(&self.me) => {
                self.write(body.place(), Expect::Version(version), false).await
            }
            _ => Ok(()),
        }
    }

    async fn read(&self) -> Result<Option<(Body, u64)>, Fault> {
        let Some(row) = self.journal.entity(Kind::Relay, &self.name).await? else { return Ok(None) };
        let body = serde_json::from_str(&row.body).map_err(|error| Fault::Broken(error.to_string()))?;
        Ok(Some((body, row.version)))
    }

    /// Writes the row if it is as expected; holds it then, or not. Any error ends the holding: its outcome is not known.
    async fn write(&mut self, place: Place, expect: Expect, hold: bool) -> Result<(), Fault> {
        self.write_with(place, expect, hold, Change::default()).await
    }

    async fn write_with(&mut self, place: Place, expect: Expect, hold: bool, mut change: Change) -> Result<(), Fault> {
        self.held = None;
        let renewed = Instant::now();
        let Place { position, sent } = place;
        let sent = (sent != position).then_some(sent);
        let body = Body { position, sent, holder: hold.then(|| self.me.clone()) };
        let row = EntityWrite {
            kind: Kind::Relay,
            id: self.name.clone(),
            expect,
            status: "active",
            owner: Owner::system(),
            party: None,
            parent: None,
            body: serde_json::to_string(&body).map_err(|error| Fault::Broken(error.to_string()))?,
            event: None,
        };
        change.at = clock::now();
        // First, so that another holder is seen before anything it has done already.
        change.entities.insert(0, row);
        self.journal.apply(change).await?;
        self.held = hold.then(|| Held { place, version: expect.next_version(), renewed });
        Ok(())
    }
}
