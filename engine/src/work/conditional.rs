//! Orders that trade under their conditions or not at all: those that rest until their price is there, and those that are to
//! be had at once.

use domain::swap::{
    AT_ONCE_HALVES, Answer, Failure, Status, Swap, TimeInForce, Verdict, begin, choose, fail, meets, rest,
    too_much_impact, unfilled,
};
use domain::{Claimed, JobStep, Lease, Then, Timestamp};
use drivers::Fault;

use super::{Step, Worker, hold};
use crate::clock;
use crate::router::no_venue;

/// What venues call a transaction that failed because its price was gone.
pub(crate) const SLIPPAGE_EXCEEDED: &str = "SLIPPAGE_EXCEEDED";
/// Why an order does not trade now, and may later.
const PASSING: [&str; 6] =
    ["NO_ROUTE", "VENUE_FAILED", "VENUE_RESTING", "QUOTE_TIMEOUT", "QUOTE_EXPIRED", SLIPPAGE_EXCEEDED];

/// Whether a failure of that code is one of the moment.
pub(super) fn is_passing(code: &str) -> bool {
    PASSING.contains(&code)
}

impl Worker {
    /// An order that is open: asks the venues before anything of it changes. While its price is not there it stays as it is, and
    /// only the job ends.
    pub(super) async fn look(&self, swap: Swap, claimed: &Claimed) -> Result<Step, Fault> {
        let answers = self.router.quote(&swap.inquiry()).await;
        let Some(verdict) = met(&swap, &answers) else {
            return self.end_job(claimed.lease, "", &swap.id).await;
        };
        let swap = self.commit(begin(&swap, swap.attempt, hold(claimed.lease), clock::now())).await?;
        self.take(&swap, (&answers, &verdict), claimed.lease, clock::now()).await
    }

    /// The answers to an order, one of which meets its price if it has one: of an order that may be filled in part, those to the
    /// largest part that does.
    ///
    /// # Errors
    /// Why none does.
    pub(super) async fn within_price(&self, swap: &Swap) -> Result<(Vec<Answer>, Option<Verdict>), Failure> {
        let (answers, verdict) = self.choose(swap).await;
        if !swap.is_conditional() || met(swap, &answers).is_some() {
            return Ok((answers, verdict));
        }
        if swap.conditions.time_in_force == TimeInForce::Ioc {
            for halves in 1..=AT_ONCE_HALVES {
                let amount = swap.ask.amount >> halves;
                if amount == 0 {
                    break;
                }
                let answers = self.router.quote(&swap.inquiry_of(amount)).await;
                let verdict = met(swap, &answers);
                if verdict.is_some() {
                    return Ok((answers, verdict));
                }
            }
        }
        if verdict.is_some() {
            let message = "no venue's quote meets the limit price".to_owned();
            return Err(Failure { code: "PRICE_NOT_MET".to_owned(), message });
        }
        let why = too_much_impact(swap, &answers);
        Err(why.or_else(|| answers.into_iter().find_map(|answer| answer.result.err())).unwrap_or_else(no_venue))
    }

    /// It does not trade now: it rests until its price is there, or ends, because it was to be had at once.
    pub(super) async fn not_met(&self, swap: &Swap, why: Failure, lease: Lease) -> Result<Step, Fault> {
        let (now, done) = (clock::now(), JobStep { lease, then: Then::Finish });
        if swap.rests() {
            self.commit(rest(swap, why, done, now)).await?;
            return Ok(Step::Gone);
        }
        self.end(unfilled(swap, &format!("{}: {}", why.code, why.message), done, now), Status::Expired).await
    }

    /// Its bytes expired unexecuted, for good: it rests again, or was not to be had at once.
    pub(super) async fn not_rebuilt(&self, swap: &Swap, lease: Lease, now: Timestamp) -> Result<Step, Fault> {
        let done = JobStep { lease, then: Then::Finish };
        let message = "the transaction expired before it was executed".to_owned();
        if swap.rests() {
            let why = Failure { code: "TRANSACTION_EXPIRED".to_owned(), message };
            self.commit(rest(swap, why, done, now)).await?;
            return Ok(Step::Gone);
        }
        let why = Failure { code: "NOT_FILLED".to_owned(), message };
        self.end(fail(swap, why, done, now), Status::Failed).await
    }
}

/// The best answer, where it is as good as the order's price.
fn met(swap: &Swap, answers: &[Answer]) -> Option<Verdict> {
    let verdict = choose(swap, answers)?;
    let quote = answers.get(verdict.index)?.result.as_ref().ok()?;
    meets(swap, quote).then_some(verdict)
}
