//! Forgets events that are old enough, a few at a time, and none that an export has not got yet or a webhook has still to
//! be made of.

use std::sync::Arc;
use std::time::Duration;

use domain::webhook::delivery::{Delivery, Status};
use domain::{Kind, Timestamp};
use drivers::Fault;
use drivers::journal::{Journal, List};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use crate::{clock, observe};

/// How often it looks, unless what is kept is shorter.
const EVERY: Duration = Duration::from_secs(60);
/// So few at once, and such a rest between, that no write waits noticeably: still 10,000 and more a second.
const AT_ONCE: usize = 250;
const REST: Duration = Duration::from_millis(20);
/// More exports than anyone has, and deliveries read at once.
const RELAYS: usize = 1_000;
/// So many pages of deliveries are looked at.
const PAGES: usize = 10;

/// The loop that keeps the log from growing for ever.
pub(crate) struct Retention {
    pub(crate) journal: Arc<dyn Journal>,
    /// How old an event gets.
    pub(crate) keep: Duration,
}

/// What a relay's row says, of which only this matters here.
#[derive(Deserialize)]
struct Row {
    position: u64,
}

impl Retention {
    /// Forgets until `stop`.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let every = EVERY.min(self.keep / 4).max(REST);
        while stop.run_until_cancelled(tokio::time::sleep(every)).await.is_some() {
            // What comes meanwhile is of later events.
            let unsent = match self.unsent().await {
                Ok(unsent) => unsent,
                Err(fault) => {
                    observe::fault("forget old events", &fault);
                    continue;
                }
            };
            loop {
                match self.step(unsent).await {
                    Ok(AT_ONCE) => {}
                    Ok(_) => break,
                    Err(fault) => {
                        observe::fault("forget old events", &fault);
                        break;
                    }
                }
                if stop.run_until_cancelled(tokio::time::sleep(REST)).await.is_none() {
                    return;
                }
            }
        }
    }

    /// Forgets a few events, none beyond `unsent`.
    async fn step(&self, unsent: u64) -> Result<usize, Fault> {
        let keep = i64::try_from(self.keep.as_micros()).unwrap_or(i64::MAX);
        let before = clock::now().plus_micros(keep.saturating_neg());
        let floor = self.journal.head().await?.floor;
        let within = usize::try_from(unsent.saturating_sub(floor)).unwrap_or(AT_ONCE).min(AT_ONCE);
        let limit = match self.exported().await? {
            None => AT_ONCE,
            Some((position, relay)) => {
                let room = usize::try_from(position.saturating_sub(floor)).unwrap_or(AT_ONCE).min(AT_ONCE);
                if room < AT_ONCE {
                    self.say_if_held(before, position, &relay).await?;
                }
                room
            }
        };
        match limit.min(within) {
            0 => Ok(0),
            limit => self.journal.forget(before, limit).await,
        }
    }

    /// Before this event none is needed for a webhook that was not tried yet: from its first failure on a delivery has its
    /// payload with it. It looks at so many deliveries at most, and takes no risk with the rest, which are of later events.
    async fn unsent(&self) -> Result<u64, Fault> {
        let (mut after, mut seen) = (None, 0);
        for _ in 0..PAGES {
            let list = List {
                kind: Kind::Delivery,
                among: Vec::new(),
                statuses: vec![Status::Pending.as_str().to_owned()],
                fields: Vec::new(),
                ranges: Vec::new(),
                after,
                newest_first: false,
                limit: RELAYS,
            };
            let page = self.journal.entities(list).await?;
            for row in page.entities {
                let delivery = Delivery::from_entity(&row)
                    .map_err(|error| Fault::Broken(format!("webhook.delivery {}: {error}", row.id)))?;
                let seq = delivery.about.seq;
                if delivery.payload.is_none() && seq > 0 {
                    return Ok(seq - 1);
                }
                seen = seq.max(seen);
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(u64::MAX),
            }
        }
        Ok(seen)
    }

    /// How far the export has got that is furthest behind, and the id of its row; none where there are no exports. A row
    /// of an export that is no longer configured counts too, until an operator gives it another status than `active`.
    async fn exported(&self) -> Result<Option<(u64, String)>, Fault> {
        let list = List {
            kind: Kind::Relay,
            among: Vec::new(),
            statuses: vec!["active".to_owned()],
            fields: Vec::new(),
            ranges: Vec::new(),
            after: None,
            newest_first: false,
            limit: RELAYS,
        };
        let mut furthest = None;
        for row in self.journal.entities(list).await?.entities {
            let held: Row = serde_json::from_str(&row.body)
                .map_err(|error| Fault::Broken(format!("relay {}: its row cannot be read: {error}", row.id)))?;
            if furthest.as_ref().is_none_or(|(position, _)| held.position < *position) {
                furthest = Some((held.position, row.id));
            }
        }
        Ok(furthest)
    }

    /// Tells the operator when an export holds up what is due.
    async fn say_if_held(&self, before: Timestamp, position: u64, relay: &str) -> Result<(), Fault> {
        let next = self.journal.events(position, None, 1).await?;
        if next.first().is_some_and(|event| event.at < before) {
            observe::retention_held(relay, position);
        }
        Ok(())
    }
}
