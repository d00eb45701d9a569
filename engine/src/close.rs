//! Declines the bids for deals that were sold or withdrawn, page by page: each page and the job for the next are one change,
//! so that a crash in between loses and repeats nothing.

use std::sync::Arc;

use async_trait::async_trait;
use domain::bid::{self, Bid, Close, QUEUE_CLOSE, Status};
use domain::deal::Deal;
use domain::{Change, Claimed, Entity, JobStep, Kind, Then};
use drivers::journal::{Among, Journal, List, Page};
use drivers::{Conflict, Fault};

use crate::chores::Chore;
use crate::clock;
use crate::observe::Metrics;

/// The most bids that one change declines.
const PAGE: usize = 100;

/// The work of the queue of bids to close.
pub(crate) struct Closing {
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) metrics: Arc<Metrics>,
}

#[async_trait]
impl Chore for Closing {
    fn queue(&self) -> &'static str {
        QUEUE_CLOSE
    }

    async fn work(&self, claimed: &Claimed) -> Result<(), Fault> {
        let body = &claimed.job.body;
        let close = Close::parse(body).ok_or_else(|| Fault::Broken(format!("{QUEUE_CLOSE}: {body:?} is no job")))?;
        loop {
            let mut change = self.decide(&close).await?;
            change.step = Some(JobStep { lease: claimed.lease, then: Then::Finish });
            let declined = change.entities.len();
            match self.journal.apply(change).await {
                // Somebody answered one of them: look again.
                Err(Fault::Conflict(Conflict::Version { .. })) => {}
                Err(fault) => return Err(fault),
                Ok(_) => {
                    for _ in 0..declined {
                        self.metrics.trade.bid_ended(Status::Declined);
                    }
                    return Ok(());
                }
            }
        }
    }
}

impl Closing {
    async fn decide(&self, close: &Close) -> Result<Change, Fault> {
        let (id, page) = match close {
            Close::Deal { id, after } => (id.clone(), self.page(id, *after).await?),
            Close::Bid { id } => {
                let entity = self.journal.entity(Kind::Bid, id).await?;
                let deal = entity.as_ref().and_then(|bid| bid.parent.clone()).unwrap_or_default();
                (deal, Page { entities: entity.into_iter().collect(), next: None, rank: None })
            }
        };
        // Read after the bids: what was closed before them is seen.
        let now = clock::now();
        let mut change = Change { at: now, ..Change::default() };
        let Some(deal) = self.journal.entity(Kind::Deal, &id).await? else { return Ok(change) };
        let deal = Deal::from_entity(&deal).map_err(|error| broken(&deal, &error))?;
        for entity in &page.entities {
            let bid = Bid::from_entity(entity).map_err(|error| broken(entity, &error))?;
            // A bid that was answered in the meantime is open no more.
            let choice = bid::close(&bid, &deal, now).ok().flatten();
            change.entities.extend(choice.into_iter().flat_map(|choice| choice.change.entities));
        }
        let next = page.next.map(|after| Close::Deal { id: id.clone(), after: Some(after) });
        change.jobs.extend(next.map(|next| next.job(&id, now)));
        Ok(change)
    }

    async fn page(&self, deal: &str, after: Option<u64>) -> Result<Page, Fault> {
        let open = Status::ALL.into_iter().filter(|status| status.is_open());
        let list = List {
            kind: Kind::Bid,
            among: vec![Among::Parent(deal.to_owned())],
            statuses: open.map(|status| status.as_str().to_owned()).collect(),
            fields: Vec::new(),
            ranges: Vec::new(),
            after,
            newest_first: false,
            limit: PAGE,
        };
        self.journal.entities(list).await
    }
}

fn broken(entity: &Entity, error: &serde_json::Error) -> Fault {
    Fault::Broken(format!("{} {}: {error}", entity.kind, entity.id))
}
