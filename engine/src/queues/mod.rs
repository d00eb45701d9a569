//! Queues of messages as SQS has them, on the journal's jobs. Everything that decides is in the journal, so that any number of
//! processes serve the same queues.

mod clear;
mod dead;
mod flight;
mod known;
mod lists;
mod mover;
mod moves;
mod receive;
mod send;
mod settle;
mod turns;
mod write;

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use domain::Owner;
use domain::queue::{Queue, Refusal, Rests, Secret};
use drivers::Fault;
use drivers::journal::Journal;
use drivers::wake::Wake;
use thiserror::Error;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use self::flight::Flights;
use self::known::Known;
use self::turns::Turns;
use crate::observe::Metrics;

pub use receive::Wish;

pub(crate) use clear::Clearing;
pub(crate) use mover::Movers;

/// A queue, as it stood when it was looked at.
pub type QueueInfo = Queue;

/// How long a call may take, but for the time that it was asked to wait.
const DEADLINE: Duration = Duration::from_secs(10);

/// How queues behave.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Signs receipt handles: all processes of an installation have the same one.
    pub secret: Secret,
    /// How long a name and a purged queue rest.
    pub rests: Rests,
    /// So many messages of a queue are in flight at most; 120,000 as AWS has it.
    pub in_flight: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { secret: Secret::default(), rests: Rests::default(), in_flight: 120_000 }
    }
}

/// Why something asked of a queue, or one entry of a batch, was not done.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum QueueError {
    /// The rules say no. Nothing has changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The journal failed.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The deadline passed; whether it was done is unknown.
    #[error("the deadline passed")]
    Timeout,
}

/// The same of one entry of a batch.
pub type EntryError = QueueError;

/// What queues are made of.
pub(crate) struct Parts {
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) wake: Arc<dyn Wake>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) settings: Settings,
    /// Ends the waiting of receivers.
    pub(crate) resting: CancellationToken,
}

/// The queues of every account. Every call comes to its end within ten seconds, or those that it was asked to wait and ten.
pub struct Queues {
    journal: Arc<dyn Journal>,
    wake: Arc<dyn Wake>,
    metrics: Arc<Metrics>,
    settings: Settings,
    known: Known,
    turns: Turns,
    flights: Arc<Flights>,
    /// Something is to be cleared away.
    litter: Notify,
    resting: CancellationToken,
}

impl Queues {
    /// The queues in a journal that no engine works on in this process; no handle is made or read by them.
    #[must_use]
    pub fn of_journal(journal: &Arc<dyn Journal>, wake: &Arc<dyn Wake>) -> Self {
        let (journal, wake, resting) = (Arc::clone(journal), Arc::clone(wake), CancellationToken::new());
        Self::new(Parts { journal, wake, metrics: Arc::default(), settings: Settings::default(), resting })
    }

    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { journal, wake, metrics, settings, resting } = parts;
        Self {
            journal,
            wake,
            metrics,
            settings,
            known: Known::default(),
            turns: Turns::default(),
            flights: Arc::default(),
            litter: Notify::new(),
            resting,
        }
    }

    /// A queue that is there, as it stood at most a second ago.
    ///
    /// # Errors
    /// `QueueDoesNotExist`.
    pub async fn find(&self, account: &Owner, name: &str) -> Result<Arc<QueueInfo>, QueueError> {
        within(DEADLINE, self.queue(account, name)).await
    }

    /// Forgets what it remembers of a queue: a change that was given it met another version. For those who make changes of their own
    /// with [`Queue::job`] and [`Queue::given`].
    pub fn look_again(&self, account: &Owner, name: &str) {
        self.known.forget(&domain::queue::id_of(account, name));
    }

    /// As [`Queues::find`], without a deadline.
    async fn queue(&self, account: &Owner, name: &str) -> Result<Arc<Queue>, QueueError> {
        let id = domain::queue::id_of(account, name);
        if let Some(queue) = self.known.get(&id) {
            return Ok(queue);
        }
        self.queue_now(&id).await
    }

    /// The queue of that id as it stands in the journal.
    async fn queue_now(&self, id: &str) -> Result<Arc<Queue>, QueueError> {
        match known::read(self.journal.as_ref(), id).await? {
            Some(queue) if queue.is_active() => Ok(self.known.keep(queue)),
            _ => {
                self.known.forget(id);
                Err(Refusal::QueueDoesNotExist.into())
            }
        }
    }

    /// Tells everyone who waits for messages of a generation that there may be some.
    fn tell(&self, generation: &str) {
        self.wake.send(&drivers::wake::Hint { head: 0, queues: vec![generation.to_owned()] });
    }
}

/// Boxed, so that the futures of handlers, which are moved about, stay small.
fn within<T>(
    time: Duration,
    work: impl Future<Output = Result<T, QueueError>>,
) -> impl Future<Output = Result<T, QueueError>> {
    let timed = tokio::time::timeout(time, Box::pin(work));
    async move { timed.await.unwrap_or(Err(QueueError::Timeout)) }
}
