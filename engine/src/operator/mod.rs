//! What an operator sees and does: the program's own queues, their switches, and the jobs that were given up.

mod dead;
mod paused;
mod rates;

use std::sync::Arc;

use domain::Owner;
use domain::switch::Switch;
use drivers::Fault;
use drivers::journal::{Depth, Journal};

use crate::clock;
use crate::roles::Concurrency;

pub use dead::{AT_ONCE, Found, Group, Groups, Judged, LONGEST_GROUP, MOST_LOOKED, OTHERS, Verdict, Wanted};
pub use paused::Paused;
pub use rates::{Rate, Rates};

/// The operator's desk.
pub struct Operator {
    journal: Arc<dyn Journal>,
    paused: Arc<Paused>,
    rates: Arc<Rates>,
    queues: Vec<&'static str>,
}

/// How one of the program's own queues stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its name, such as `swap.execute`.
    pub queue: &'static str,
    /// Its jobs by their state.
    pub depth: Depth,
    /// Whether it runs, and who said so.
    pub switch: Switch,
    /// What this process finished lately.
    pub rate: Rate,
}

impl Operator {
    /// Over a journal that no engine works on in this process: nothing is known of rates, and a switch works when those who
    /// work see it.
    #[must_use]
    pub fn new(journal: &Arc<dyn Journal>) -> Self {
        let paused = Arc::new(Paused::new(Arc::clone(journal)));
        Self::with(Arc::clone(journal), paused, Arc::default())
    }

    pub(crate) fn with(journal: Arc<dyn Journal>, paused: Arc<Paused>, rates: Arc<Rates>) -> Self {
        Self { journal, paused, rates, queues: Concurrency::default().queues().collect() }
    }

    /// The names of the program's own queues, in order.
    #[must_use]
    pub fn queues(&self) -> &[&'static str] {
        &self.queues
    }

    /// The own queue of that name.
    #[must_use]
    pub fn own(&self, name: &str) -> Option<&'static str> {
        self.queues.iter().copied().find(|queue| *queue == name)
    }

    /// How an own queue stands.
    ///
    /// # Errors
    /// Those of the journal.
    pub async fn standing(&self, queue: &'static str) -> Result<Standing, Fault> {
        let depth = self.journal.depth(queue, clock::now()).await?;
        let switch = self.paused.switch(queue).await?;
        Ok(Standing { queue, depth, switch, rate: self.rates.of(queue) })
    }

    /// How many of a queue, the program's own or one of messages, this process finished lately.
    #[must_use]
    pub fn rate(&self, queue: &str) -> Rate {
        self.rates.of(queue)
    }

    /// Pauses an own queue, or lets it run again; see [`Paused::turn`].
    ///
    /// # Errors
    /// Those of the journal.
    pub async fn turn(&self, queue: &'static str, paused: bool, by: &Owner) -> Result<(), Fault> {
        self.paused.turn(queue, paused, by).await.map(|_| ())
    }
}
