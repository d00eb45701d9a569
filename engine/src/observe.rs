//! What the operator sees: log lines and metrics, each by the name of what happened. Never secrets.

mod cache;
mod queues;
mod trade;
mod webhooks;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64};

use domain::risk::State;
use domain::swap::{Quote, Status};
use drivers::Fault;
use drivers::cache::Cache;
use drivers::limit::Policy;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use self::queues::QueueMetrics;
use self::trade::TradeMetrics;
pub(crate) use self::trade::{order_not_told, order_refused, orders_not_received, trading_changed};
use self::webhooks::WebhookMetrics;
pub use self::webhooks::{webhook_delivery_rests, webhook_endpoint_disabled};

/// A driver failed under `what`.
pub fn fault(what: &str, fault: &Fault) {
    match fault {
        Fault::Broken(_) => tracing::error!(%fault, "{what}"),
        _ => tracing::warn!(%fault, "{what}"),
    }
}

/// A lease lapsed or was taken while this process worked under it.
pub fn lease_lost(job: u64) {
    tracing::warn!(job, "lease lost; its step will be refused");
}

/// A task panicked while it worked under a lease.
pub fn task_panicked(job: u64) {
    tracing::error!(job, "a task panicked; its job is handed out again when the lease lapses");
}

/// A loop ended before it was told to.
pub fn loop_broke(name: &str) {
    tracing::error!(name, "a loop panicked: this process is to stop, and the next start recovers");
}

/// A port does not answer the readiness check.
pub fn not_ready(port: &str, fault: &Fault) {
    tracing::warn!(port, %fault, "not ready");
}

/// Events that are old enough stay, because an export has not got them.
pub fn retention_held(relay: &str, position: u64) {
    tracing::warn!(relay, position, "old events are kept: this export has got no further");
}

/// The hub found events gone that it had not handed out.
pub fn hub_overtaken(position: u64, oldest: u64) {
    tracing::warn!(position, oldest, "events were forgotten before they were handed out; watchers are cut off");
}

/// A slow reader was cut off.
pub fn watcher_cut_off() {
    tracing::debug!("a slow watcher was cut off");
}

/// A venue was chosen for an order.
pub fn order_routed(id: &str, quote: &Quote, reason: &str) {
    let gap_bps = quote.certificate.map(|certificate| certificate.gap_bps());
    tracing::debug!(order = id, venue = &*quote.venue, legs = quote.legs.len(), gap_bps, reason, "routed");
}

/// An attempt at an order failed.
pub fn attempt_failed(id: &str, attempt: u32, code: &str, message: &str) {
    tracing::warn!(order = id, attempt, code, message, "attempt failed");
}

/// A submission did not get through; its outcome is unknown until the venue is asked.
pub fn submit_unanswered(id: &str, venue: &str, error: &str) {
    tracing::warn!(order = id, venue, error, "submission unanswered");
}

/// The venue could not be asked about outcomes.
pub fn look_up_failed(venue: &str, error: &str, waiting: usize) {
    tracing::warn!(venue, error, waiting, "look-up failed");
}

/// A venue's poller follows as many orders as it can; another one waits in its queue.
pub fn no_room(venue: &str) {
    tracing::warn!(venue, "the poller is full; an order goes back into its queue");
}

/// The journal and the code disagree about something that must hold.
pub fn broken(what: &str, id: &str, detail: &str) {
    tracing::error!(id, detail, "{what}");
}

/// This process sends to an export from now on.
pub fn relay_sends(export: &str) {
    tracing::info!(export, "this process relays");
}

/// Another process sends to an export.
pub fn relay_steps_back(export: &str) {
    tracing::warn!(export, "another process has taken over the relay");
}

/// An export ends before what it had acknowledged: it was wiped or restored.
pub fn export_fell_back(export: &str, acknowledged: u64, found: u64) {
    tracing::warn!(export, acknowledged, found, "events are gone from the export; they are sent again");
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HttpLabels {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ExportLabel {
    export: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StatusLabel {
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabel {
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PolicyLabel {
    policy: &'static str,
}

/// The metrics of this process, in Prometheus's words and base units.
pub struct Metrics {
    registry: Registry,
    http: Family<HttpLabels, Counter>,
    http_seconds: Histogram,
    limited: Family<PolicyLabel, Counter>,
    taken: Counter,
    replayed: Counter,
    ended: [Counter; Status::ALL.len()],
    retried: Counter,
    working: Gauge<i64, AtomicI64>,
    confirming: Gauge<i64, AtomicI64>,
    sockets: Gauge<i64, AtomicI64>,
    trading: Family<StateLabel, Gauge<i64, AtomicI64>>,
    export_lag: Family<ExportLabel, Gauge<i64, AtomicI64>>,
    webhooks: WebhookMetrics,
    /// Deals and bids.
    pub(crate) trade: TradeMetrics,
    /// Messages.
    pub(crate) queues: QueueMetrics,
}

const SECONDS: [f64; 12] = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0];

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("tradewind");
        let http = Family::<HttpLabels, Counter>::default();
        registry.register("http_requests", "Requests answered", http.clone());
        let http_seconds = Histogram::new(SECONDS);
        registry.register("http_request_duration_seconds", "Time to answer", http_seconds.clone());
        let limited = Family::<PolicyLabel, Counter>::default();
        registry.register("rate_limited", "Requests refused because there were too many", limited.clone());
        let taken = Counter::default();
        registry.register("swaps_accepted", "Swap orders accepted", taken.clone());
        let replayed = Counter::default();
        registry.register("replays", "Requests answered from an earlier one with the same key", replayed.clone());
        let family = Family::<StatusLabel, Counter<u64, AtomicU64>>::default();
        let ended = Status::ALL.map(|status| {
            let label = StatusLabel { status: status.as_str() };
            if status.is_final() { family.get_or_create_owned(&label) } else { Counter::default() }
        });
        registry.register("swaps_ended", "Swap orders that reached a final state", family);
        let retried = Counter::default();
        registry.register("swap_attempts_failed", "Attempts that failed and are followed by another", retried.clone());
        let working = Gauge::default();
        registry.register("swaps_working", "Swap orders in a worker's hands", working.clone());
        let confirming = Gauge::default();
        registry.register("swaps_confirming", "Submitted orders whose outcome is looked up", confirming.clone());
        let sockets = Gauge::default();
        registry.register("sockets", "Open event streams", sockets.clone());
        let trading = Family::<StateLabel, Gauge<i64, AtomicI64>>::default();
        registry.register(
            "trading_state",
            "1 for the trading state that this process goes by, 0 for the others",
            trading.clone(),
        );
        let export_lag = Family::<ExportLabel, Gauge<i64, AtomicI64>>::default();
        registry.register("export_lag", "Events that an export is behind the head of the log", export_lag.clone());
        let webhooks = WebhookMetrics::register(&mut registry);
        let trade = TradeMetrics::register(&mut registry);
        let queues = QueueMetrics::register(&mut registry);
        Self {
            registry,
            http,
            http_seconds,
            limited,
            taken,
            replayed,
            ended,
            retried,
            working,
            confirming,
            sockets,
            trading,
            export_lag,
            webhooks,
            trade,
            queues,
        }
    }
}

impl Metrics {
    /// Shows what a cache counts, too.
    #[must_use]
    pub(crate) fn with_cache(mut self, cache: Arc<dyn Cache>) -> Self {
        self.registry.register_collector(Box::new(cache::CacheMetrics(cache)));
        self
    }

    /// The text that Prometheus scrapes.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::new();
        // Writing to a String does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    /// A request was answered; `route` is the pattern, not the path.
    pub fn http_request(&self, method: &'static str, route: &str, status: u16, seconds: f64) {
        self.http.get_or_create(&HttpLabels { method, route: route.to_owned(), status }).inc();
        self.http_seconds.observe(seconds);
    }

    /// A request was one too many.
    pub fn rate_limited(&self, policy: Policy) {
        self.limited.get_or_create(&PolicyLabel { policy: policy.name() }).inc();
    }

    /// An event stream was opened (+1) or closed (-1).
    pub fn sockets(&self, change: i64) {
        self.sockets.inc_by(change);
    }

    /// What this process goes by.
    pub(crate) fn trading_state(&self, state: State) {
        for one in State::ALL {
            self.trading.get_or_create(&StateLabel { state: one.as_str() }).set(i64::from(one == state));
        }
    }

    pub(crate) fn swap_taken(&self) {
        self.taken.inc();
    }

    pub(crate) fn replayed(&self) {
        self.replayed.inc();
    }

    pub(crate) fn swap_ended(&self, status: Status) {
        if let Some(index) = Status::ALL.iter().position(|s| *s == status) {
            self.ended[index].inc();
        }
    }

    pub(crate) fn swap_retried(&self) {
        self.retried.inc();
    }

    pub(crate) fn working(&self, change: i64) {
        self.working.inc_by(change);
    }

    pub(crate) fn confirming(&self, change: i64) {
        self.confirming.inc_by(change);
    }

    /// How many events `export`, a URL without its secrets, is behind the head.
    pub(crate) fn export_lag(&self, export: &str, events: u64) {
        let lag = i64::try_from(events).unwrap_or(i64::MAX);
        self.export_lag.get_or_create(&ExportLabel { export: export.to_owned() }).set(lag);
    }
}
