//! Everything running: starts the loops, and stops them in order.

mod start_orders;
mod start_queues;
mod start_watch;
mod start_webhooks;

use std::sync::Arc;
use std::time::Duration;

use domain::Kind;
use domain::swap::QUEUE;
use domain::token::Registry;
use drivers::cache::{Cache, Reach};
use drivers::export::Export;
use drivers::journal::Journal;
use drivers::limit::Limit;
use drivers::venue::Venue;
use drivers::wake::Wake;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::access::Access;
use crate::cached::Cached;
use crate::chores::{Chore, Chores};
use crate::close::Closing;
use crate::confirm::Confirmers;
use crate::expire::Expiry;
use crate::hub::Hub;
use crate::intake::Intake;
use crate::leases::Leases;
use crate::loops::Loops;
use crate::observe::Metrics;
use crate::operator::{Operator, Paused, Rates};
use crate::queues::{self, Queues};
use crate::ready::Ready;
use crate::relay::{Relay, Route};
use crate::retention::Retention;
use crate::risk::Risk;
use crate::roles::{Concurrency, Roles};
use crate::router::Router;
use crate::sweep;
use crate::telling::Telling;
use crate::watch::Book;
use crate::webhooks::{self, Webhooks};
use crate::work::Worker;

/// How much of the time to stop is kept for each of: the loops' present step, giving leases back, closing the journal.
const LAST_STEP: Duration = Duration::from_secs(1);

/// How the engine behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which parts of the product this process is.
    pub roles: Roles,
    /// How long venues have to quote, in milliseconds.
    pub quote_deadline_millis: u64,
    /// How many jobs are worked on at once.
    pub concurrency: Concurrency,
    /// How old events get before they are forgotten; none keeps them for ever.
    pub keep_events: Option<Duration>,
    /// How long a job's lease lasts, as the journal was told; it is renewed three times in that time.
    pub lease: Duration,
    /// How webhooks behave.
    pub webhooks: webhooks::Settings,
    /// How queues of messages behave.
    pub queues: queues::Settings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            roles: Roles::ALL,
            quote_deadline_millis: 800,
            concurrency: Concurrency::default(),
            keep_events: None,
            lease: Duration::from_secs(30),
            webhooks: webhooks::Settings::default(),
            queues: queues::Settings::default(),
        }
    }
}

/// What an engine is made of.
pub struct Parts {
    /// Where everything is kept.
    pub journal: Arc<dyn Journal>,
    /// Hints from that journal.
    pub wake: Arc<dyn Wake>,
    /// Makes reads cheap.
    pub cache: Arc<dyn Cache>,
    /// How many requests callers may make; none means any number.
    pub limit: Option<Arc<dyn Limit>>,
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
    /// Who may see what.
    pub access: Arc<Access>,
    /// Reads by id.
    pub cached: Cached,
    /// What the API asks of the webhooks.
    pub webhooks: Arc<Webhooks>,
    /// The queues of messages.
    pub queues: Arc<Queues>,
    /// How many requests callers may make; none means any number.
    pub limit: Option<Arc<dyn Limit>>,
    /// The program's own queues and the jobs that were given up.
    pub operator: Operator,
    /// What may be traded now.
    pub risk: Arc<Risk>,
    /// What can be traded.
    pub tokens: Arc<Registry>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Whether the ports answer.
    pub ready: Ready,
    pub(crate) paused: Arc<Paused>,
    leases: Arc<Leases>,
    tasks: TaskTracker,
    loops: Loops,
    claiming: CancellationToken,
    running: CancellationToken,
}

impl Engine {
    /// Starts the loops of the process's roles. Needs a Tokio runtime.
    #[must_use]
    pub fn start(parts: Parts) -> Self {
        let Parts { journal, wake, cache, limit, venues, exports, tokens, settings } = parts;
        let metrics = Arc::new(Metrics::default().with_cache(Arc::clone(&cache)));
        let access = Arc::new(Access::new(Arc::clone(&journal)));
        let (rates, book) = (Arc::<Rates>::default(), Arc::<Book>::default());
        // Where others write too, the hub tells of all that happens to orders, in its order.
        let (shared, watches) = (journal.shared(), settings.roles.work);
        let journal: Arc<dyn Journal> = Arc::new(Telling {
            journal,
            cache: Arc::clone(&cache),
            access: Arc::clone(&access),
            rates: Arc::clone(&rates),
            book: (watches && !shared).then(|| Arc::clone(&book)),
        });
        let paused = Arc::new(Paused::new(Arc::clone(&journal)));
        let risk = Arc::new(Risk::new(Arc::clone(&journal), Arc::clone(&tokens), Arc::clone(&metrics)));
        let hub = Hub::new(Arc::clone(&journal), Arc::clone(&wake), Arc::clone(&access));
        let (hub, follows) = match others_write(journal.as_ref(), cache.as_ref()) {
            true => (hub.keeping(Arc::clone(&cache)), true),
            false => (hub, false),
        };
        let hub = if watches && shared { hub.telling(Arc::clone(&book)) } else { hub };
        let hub = Arc::new(hub);
        let webhooks = Arc::new(Webhooks::new(&journal, &access, settings.webhooks.clone()));
        if journal.shared() {
            access.listen_to(&hub);
        }
        let claiming = CancellationToken::new();
        let queues = Queues::new(queues::Parts {
            journal: Arc::clone(&journal),
            wake: Arc::clone(&wake),
            metrics: Arc::clone(&metrics),
            settings: settings.queues.clone(),
            resting: claiming.clone(),
        });
        let engine = Self {
            webhooks,
            queues: Arc::new(queues),
            intake: Arc::new(Intake::with(Arc::clone(&journal), Arc::clone(&metrics), Arc::clone(&risk))),
            router: Arc::new(Router::new(venues, settings.quote_deadline_millis)),
            ready: Ready::new(settings.roles, &journal, &wake, &cache, &exports),
            cached: Cached::new(Arc::clone(&journal), cache, follows.then(|| Arc::clone(&hub))),
            operator: Operator::with(Arc::clone(&journal), Arc::clone(&paused), rates),
            paused,
            risk,
            hub,
            access,
            limit,
            journal,
            tokens,
            metrics,
            leases: Arc::default(),
            tasks: TaskTracker::new(),
            loops: Loops::default(),
            claiming,
            running: CancellationToken::new(),
        };
        engine.start_loops(&wake, exports, &settings);
        if watches {
            engine.start_watch(&book, &wake, &settings);
        }
        engine
    }

    /// Those of the process's roles.
    fn start_loops(&self, wake: &Arc<dyn Wake>, exports: Vec<(String, Arc<dyn Export>)>, settings: &Settings) {
        let running = &self.running;
        // Whatever this process does by what it knows of rights, it has to hear of what others change.
        if settings.roles.api || self.journal.shared() {
            self.loops.spawn("hub", running, Arc::clone(&self.hub).run(running.clone()));
        }
        if settings.roles.api || settings.roles.work {
            self.loops.spawn("risk", running, Arc::clone(&self.risk).run(running.clone()));
        }
        if settings.roles.api {
            self.loops.spawn("key uses", running, Arc::clone(&self.access).write_uses(running.clone()));
        }
        if settings.roles.work {
            self.start_work(wake, settings);
        }
        if settings.roles.relay {
            self.start_webhook_relay(wake);
            for (url, export) in exports {
                let (journal, wake, metrics) = (Arc::clone(&self.journal), Arc::clone(wake), Arc::clone(&self.metrics));
                let relay = Relay::new(Route { url, journal, wake, export, metrics });
                self.loops.spawn("relay", running, relay.run(running.clone()));
            }
        }
    }

    fn start_work(&self, wake: &Arc<dyn Wake>, settings: &Settings) {
        let (journal, running, claiming) = (&self.journal, &self.running, &self.claiming);
        self.loops.spawn(
            "leases",
            running,
            Arc::clone(&self.leases).run(Arc::clone(journal), settings.lease / 3, running.clone()),
        );
        self.loops.spawn("paused", running, Arc::clone(&self.paused).run(running.clone()));
        self.loops.spawn("sweep", running, sweep::run(Arc::clone(journal), running.clone()));
        if let Some(keep) = settings.keep_events {
            let retention = Retention { journal: Arc::clone(journal), keep };
            self.loops.spawn("retention", running, retention.run(running.clone()));
        }
        for kind in [Kind::Swap, Kind::Bid] {
            let (journal, metrics) = (Arc::clone(journal), Arc::clone(&self.metrics));
            self.start_chores("expire", Expiry { journal, metrics, kind }, wake, settings);
        }
        let closing = Closing { journal: Arc::clone(journal), metrics: Arc::clone(&self.metrics) };
        self.start_chores("close", closing, wake, settings);
        self.start_webhooks(wake, settings);
        self.start_orders(wake, settings);
        self.start_queues(settings);
        let swaps = settings.concurrency.of(QUEUE);
        if swaps > 0 {
            let worker = Arc::new(Worker {
                journal: Arc::clone(journal),
                wake: Arc::clone(wake),
                router: Arc::clone(&self.router),
                leases: Arc::clone(&self.leases),
                metrics: Arc::clone(&self.metrics),
                paused: Arc::clone(&self.paused),
                risk: Arc::clone(&self.risk),
                tasks: self.tasks.clone(),
                concurrency: swaps,
            });
            let confirmers = Confirmers::start(&worker, &self.loops, running);
            self.loops.spawn("work", claiming, worker.run(confirmers, claiming.clone()));
        }
    }

    fn start_chores(&self, name: &'static str, chore: impl Chore, wake: &Arc<dyn Wake>, settings: &Settings) {
        let (concurrency, stop) = (settings.concurrency.of(chore.queue()), &self.claiming);
        if concurrency > 0 {
            let (journal, wake, paused) = (Arc::clone(&self.journal), Arc::clone(wake), Arc::clone(&self.paused));
            let chores = Chores { journal, wake, paused, chore, concurrency };
            self.loops.spawn(name, stop, chores.run(stop.clone()));
        }
    }

    /// Waits until a loop panicked. The engine does only part of its work from then on: stop it and end the process; what
    /// is committed is safe, and the next start takes up what was in hand.
    pub async fn broken(&self) {
        self.loops.broken().await;
    }

    /// Takes up no more orders, from now on, and lets no receiver wait for messages. What is in hand goes on until [`Engine::stop`].
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

/// Whether something may be committed that this process does not tell its cache of, or was before it started.
fn others_write(journal: &dyn Journal, cache: &dyn Cache) -> bool {
    match cache.reach() {
        Reach::Nothing => false,
        Reach::Process => journal.shared(),
        Reach::Cluster => true,
    }
}
