//! Ends what ran out of time: swap orders before a transaction was built, bids that nobody answered. One job each, due then.

use std::sync::Arc;

use async_trait::async_trait;
use domain::bid::{self, Bid};
use domain::swap::{self, Swap};
use domain::{Change, Claimed, Entity, JobStep, Kind, Then, Timestamp};
use drivers::journal::Journal;
use drivers::{Conflict, Fault};

use crate::chores::Chore;
use crate::clock;
use crate::observe::Metrics;

/// The work of the queues of what is to expire; a job's body is the id.
pub(crate) struct Expiry {
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) metrics: Arc<Metrics>,
    /// Of what kind: a swap or a bid.
    pub(crate) kind: Kind,
}

#[async_trait]
impl Chore for Expiry {
    fn queue(&self) -> &'static str {
        match self.kind {
            Kind::Bid => bid::QUEUE_EXPIRE,
            _ => swap::QUEUE_EXPIRE,
        }
    }

    async fn work(&self, claimed: &Claimed) -> Result<(), Fault> {
        loop {
            let (now, step) = (clock::now(), JobStep { lease: claimed.lease, then: Then::Finish });
            let entity = self.journal.entity(self.kind, &claimed.job.body).await?;
            let expiring = entity.map(|entity| self.expire(&entity, step.clone(), now)).transpose();
            // Too late to expire, too early, or nothing there: only the job ends.
            let change = expiring
                .map_err(|error| Fault::Broken(format!("{} {}: {error}", self.kind, claimed.job.body)))?
                .flatten()
                .unwrap_or_else(|| Change { at: now, step: Some(step), ..Change::default() });
            let expired = !change.entities.is_empty();
            match self.journal.apply(change).await {
                Err(Fault::Conflict(Conflict::Version { .. })) => {}
                Err(fault) => return Err(fault),
                Ok(_) => {
                    if expired {
                        self.count();
                    }
                    return Ok(());
                }
            }
        }
    }
}

impl Expiry {
    /// None where it does not expire now.
    fn expire(&self, entity: &Entity, step: JobStep, now: Timestamp) -> Result<Option<Change>, serde_json::Error> {
        Ok(match self.kind {
            Kind::Bid => {
                let choice = bid::expire(&Bid::from_entity(entity)?, step, now);
                choice.ok().flatten().map(|choice| choice.change)
            }
            _ => swap::expire(&Swap::from_entity(entity)?, step, now).ok().map(|choice| choice.change),
        })
    }

    fn count(&self) {
        match self.kind {
            Kind::Bid => self.metrics.trade.bid_ended(bid::Status::Expired),
            _ => self.metrics.swap_ended(swap::Status::Expired),
        }
    }
}
