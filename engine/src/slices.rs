//! Places the slices of plans when they have their turn: the order, the plan after it and the job of the next slice are one
//! change, so that each slice is one order or one refusal, whatever dies.

use std::sync::Arc;

use async_trait::async_trait;
use domain::plan::{self, Plan, QUEUE_SLICE};
use domain::{Change, Claimed, JobStep, Kind, Then};
use drivers::journal::Journal;
use drivers::{Conflict, Fault};

use crate::chores::Chore;
use crate::clock;
use crate::intake::IntakeError;
use crate::observe::Metrics;
use crate::risk::{Met, Risk};

/// The work of the queue of slices.
pub(crate) struct Slices {
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) risk: Arc<Risk>,
    pub(crate) metrics: Arc<Metrics>,
}

#[async_trait]
impl Chore for Slices {
    fn queue(&self) -> &'static str {
        QUEUE_SLICE
    }

    async fn work(&self, claimed: &Claimed) -> Result<(), Fault> {
        let id = claimed.job.body.as_str();
        // What a limit has refused when it was to be written.
        let mut refused = None;
        loop {
            let entity = self.journal.entity(Kind::Plan, id).await?;
            let plan = entity.as_ref().map(Plan::from_entity).transpose();
            let plan = plan.map_err(|error| Fault::Broken(format!("plan {id}: {error}")))?;
            let now = clock::now();
            let step = JobStep { lease: claimed.lease, then: Then::Finish };
            let Some(plan) = plan.filter(|plan| !plan.status.is_final()) else {
                let change = Change { at: now, step: Some(step), ..Change::default() };
                return self.journal.apply(change).await.map(drop);
            };
            let order = match refused.take() {
                Some(refusal) => Err(IntakeError::Refused(refusal)),
                None => self.risk.accept(&plan.place(plan.after_this(now)), now).await,
            };
            let choice = match order {
                Ok(order) => plan::slice(&plan, order, step, now),
                Err(IntakeError::Refused(refusal)) => plan::skip(&plan, &refusal, step, now),
                Err(IntakeError::Fault(fault)) => return Err(fault),
                Err(error) => return Err(Fault::Broken(format!("a slice of plan {id}: {error}"))),
            };
            let change = choice.map_err(|refusal| Fault::Broken(refusal.to_string()))?.change;
            let placed = change.entities.iter().any(|write| write.kind == Kind::Swap);
            match self.journal.apply(change).await {
                Ok(_) => {
                    if placed {
                        self.metrics.swap_taken();
                    }
                    return Ok(());
                }
                // It was cancelled meanwhile: look again.
                Err(Fault::Conflict(Conflict::Version { kind: Kind::Plan, .. })) => {}
                Err(Fault::Conflict(conflict)) => match self.risk.met(&conflict).await? {
                    Met::Change => {}
                    Met::Limit(refusal) => refused = Some(refusal),
                    Met::Else => return Err(Fault::Conflict(conflict)),
                },
                Err(fault) => return Err(fault),
            }
        }
    }
}
