//! Follows the log for an export: sends what is new, then moves its position, by compare-and-set.

use std::sync::Arc;
use std::time::Duration;

use domain::{Change, EntityWrite, Event, Expect, Kind, Owner};
use drivers::export::Export;
use drivers::journal::Journal;
use drivers::wake::Wake;
use drivers::{Fault, failpoint};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{backoff, clock, observe};

const PAGE: usize = 500;
const POLL: Duration = Duration::from_millis(20);

/// One export's relay.
pub(crate) struct Relay {
    /// The id of its row.
    name: String,
    journal: Arc<dyn Journal>,
    wake: Arc<dyn Wake>,
    export: Arc<dyn Export>,
}

/// The row of a relay: everything up to `position` is durably outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Position {
    position: u64,
}

/// Where a relay stands, and the version of the row that says so.
#[derive(Clone, Copy, Debug)]
struct Place {
    position: u64,
    expect: Expect,
}

impl Relay {
    /// A relay to the export at `url`. Its row is named by a digest of the URL (UUID version 5), which may be longer than
    /// an id and may hold a password.
    pub(crate) fn new(url: &str, journal: Arc<dyn Journal>, wake: Arc<dyn Wake>, export: Arc<dyn Export>) -> Self {
        Self { name: Uuid::new_v5(&Uuid::NAMESPACE_URL, url.as_bytes()).to_string(), journal, wake, export }
    }

    /// Relays until `stop`.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut heads = self.wake.head();
        let mut place = None;
        let mut failures = 0;
        while !stop.is_cancelled() {
            heads.mark_unchanged();
            match self.step(&mut place).await {
                Ok(PAGE) => failures = 0,
                Ok(_) => {
                    failures = 0;
                    tokio::select! { _ = heads.changed() => {}, () = tokio::time::sleep(POLL) => {}, () = stop.cancelled() => {} }
                }
                Err(fault) => {
                    // A conflict means that another relay of this name is at work; look again where things stand.
                    place = None;
                    failures += 1;
                    observe::fault("relay", &fault);
                    let wait = backoff::millis(50, 5_000, failures, 0);
                    let pause = tokio::time::sleep(Duration::from_millis(u64::try_from(wait).unwrap_or(0)));
                    stop.run_until_cancelled(pause).await;
                }
            }
        }
    }

    async fn step(&self, place: &mut Option<Place>) -> Result<usize, Fault> {
        let Place { position, expect } = match *place {
            Some(place) => place,
            None => self.look().await?,
        };
        let events: Vec<Event> = self.journal.events(position, None, PAGE).await?;
        let (Some(last), count) = (events.last().map(|e| e.seq), events.len()) else {
            *place = Some(Place { position, expect });
            return Ok(0);
        };
        failpoint::hit("relay.before");
        self.export.send(&events).await?;
        failpoint::hit("relay.sent");
        self.journal.apply(self.moved(last, expect)).await?;
        failpoint::hit("relay.after");
        *place = Some(Place { position: last, expect: Expect::Version(expect.next_version()) });
        Ok(count)
    }

    /// The row's position, or the export's own where that is behind: what got lost outside is sent again.
    async fn look(&self) -> Result<Place, Fault> {
        let outside = self.export.position().await?;
        let Some(row) = self.journal.entity(Kind::Relay, &self.name).await? else {
            return Ok(Place { position: outside, expect: Expect::Absent });
        };
        let held: Position = serde_json::from_str(&row.body).map_err(|e| Fault::Broken(e.to_string()))?;
        Ok(Place { position: held.position.min(outside), expect: Expect::Version(row.version) })
    }

    fn moved(&self, position: u64, expect: Expect) -> Change {
        let row = EntityWrite {
            kind: Kind::Relay,
            id: self.name.clone(),
            expect,
            status: "active",
            owner: Owner::system(),
            body: serde_json::to_string(&Position { position }).unwrap_or_default(),
            event: None,
        };
        Change { at: clock::now(), entities: vec![row], ..Change::default() }
    }
}
