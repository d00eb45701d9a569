//! Everything running: starts the loops, and stops them in order.

use std::sync::Arc;
use std::time::Duration;

use domain::token::Registry;
use drivers::export::Export;
use drivers::journal::Journal;
use drivers::venue::Venue;
use drivers::wake::Wake;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::confirm::Confirmers;
use crate::expire::Expiry;
use crate::hub::Hub;
use crate::intake::Intake;
use crate::leases::Leases;
use crate::loops::Loops;
use crate::observe::Metrics;
use crate::relay::Relay;
use crate::router::Router;
use crate::sweep;
use crate::work::Worker;

/// How much of the time to stop is kept for each of: the loops' present step, giving leases back, closing the journal.
const LAST_STEP: Duration = Duration::from_secs(1);

/// How the engine behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long venues have to quote, in milliseconds.
    pub quote_deadline_millis: u64,
    /// Orders worked on at once; 0 means that this process executes none.
    pub swap_concurrency: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { quote_deadline_millis: 800, swap_concurrency: 256 }
    }
}

/// What an engine is made of.
pub struct Parts {
    /// Where everything is kept.
    pub journal: Arc<dyn Journal>,
    /// Hints from that journal.
    pub wake: Arc<dyn Wake>,
    /// Where swaps are executed.
    pub venues: Vec<Arc<dyn Venue>>,
    /// Where events go, each with its URL: the journal keeps its position under a name made from that.
    pub exports: Vec<(String, Arc<dyn Export>)>,
    /// What can be traded.
    pub tokens: Arc<Registry>,
    /// How it behaves.
    pub settings: Settings,
}

/// The running engine.
pub struct Engine {
    /// Where everything is kept: for reading; commands go through `intake`.
    pub journal: Arc<dyn Journal>,
    /// The way in.
    pub intake: Arc<Intake>,
    /// The venues.
    pub router: Arc<Router>,
    /// The way out, to sockets.
    pub hub: Arc<Hub>,
    /// What can be traded.
    pub tokens: Arc<Registry>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    leases: Arc<Leases>,
    tasks: TaskTracker,
    loops: Loops,
    claiming: CancellationToken,
    running: CancellationToken,
}

impl Engine {
    /// Starts every loop. Needs a Tokio runtime.
    #[must_use]
    pub fn start(parts: Parts) -> Self {
        let Parts { journal, wake, venues, exports, tokens, settings } = parts;
        let metrics = Arc::new(Metrics::default());
        let leases = Arc::new(Leases::default());
        let (tasks, loops) = (TaskTracker::new(), Loops::default());
        let (claiming, running) = (CancellationToken::new(), CancellationToken::new());
        let engine = Self {
            intake: Arc::new(Intake::new(Arc::clone(&journal), Arc::clone(&metrics))),
            router: Arc::new(Router::new(venues, settings.quote_deadline_millis)),
            hub: Arc::new(Hub::new(Arc::clone(&journal), Arc::clone(&wake))),
            journal: Arc::clone(&journal),
            tokens,
            metrics: Arc::clone(&metrics),
            leases: Arc::clone(&leases),
            tasks: tasks.clone(),
            loops: loops.clone(),
            claiming: claiming.clone(),
            running: running.clone(),
        };
        loops.spawn("leases", &running, Arc::clone(&leases).run(Arc::clone(&journal), running.clone()));
        loops.spawn("hub", &running, Arc::clone(&engine.hub).run(running.clone()));
        loops.spawn("sweep", &running, sweep::run(Arc::clone(&journal), running.clone()));
        for (url, export) in exports {
            let relay = Relay::new(&url, Arc::clone(&journal), Arc::clone(&wake), export);
            loops.spawn("relay", &running, relay.run(running.clone()));
        }
        if settings.swap_concurrency > 0 {
            let expiry =
                Expiry { journal: Arc::clone(&journal), wake: Arc::clone(&wake), metrics: Arc::clone(&metrics) };
            loops.spawn("expire", &claiming, expiry.run(claiming.clone()));
            let worker = Arc::new(Worker {
                journal,
                wake,
                router: Arc::clone(&engine.router),
                leases,
                metrics,
                tasks,
                concurrency: settings.swap_concurrency,
            });
            let confirmers = Confirmers::start(&worker, &loops, &running);
            loops.spawn("work", &claiming, worker.run(confirmers, claiming.clone()));
        }
        engine
    }

    /// Waits until a loop panicked. The engine does only part of its work from then on: stop it and end the process; what
    /// is committed is safe, and the next start takes up what was in hand.
    pub async fn broken(&self) {
        self.loops.broken().await;
    }

    /// Takes up no more orders, from now on. What is in hand goes on until [`Engine::stop`].
    pub fn rest(&self) {
        self.claiming.cancel();
        self.tasks.close();
    }

    /// Stops within `deadline`: lets the orders in hand come to their next rest, stops every loop, gives the orders that
    /// are still in hand back without counting their attempt, and closes the journal. What does not end in its part of
    /// the time is left to the next start, as after a crash.
    pub async fn stop(&self, deadline: Duration) {
        let (end, last) = (Instant::now() + deadline, LAST_STEP.min(deadline / 4));
        self.rest();
        let _ = timeout(deadline - 3 * last, self.tasks.wait()).await;
        self.running.cancel();
        self.loops.end(last).await;
        let _ = timeout(last, self.leases.give_back(self.journal.as_ref())).await;
        let _ = timeout_at(end, self.journal.close()).await;
    }

    /// Jobs this process holds a lease on.
    #[must_use]
    pub fn leases(&self) -> usize {
        self.leases.count()
    }
}
