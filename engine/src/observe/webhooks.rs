//! Webhooks as the operator sees them.

use std::sync::atomic::AtomicI64;
use std::time::Duration;

use domain::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::Metrics;

/// An endpoint was disabled, and not by its owner.
pub fn webhook_endpoint_disabled(endpoint: &str, why: &str) {
    tracing::warn!(endpoint, why, "a webhook endpoint was disabled");
}

/// A delivery was handed out many times without an attempt that came to its end: processes ended meanwhile, or it ends them.
pub fn webhook_delivery_rests(delivery: &str, endpoint: &str, hand_outs: u32, until: Timestamp) {
    tracing::warn!(delivery, endpoint, hand_outs, %until, "a webhook delivery gets lost again and again; it rests");
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabel {
    state: &'static str,
}

/// What is counted of webhooks.
pub(super) struct WebhookMetrics {
    attempts: Family<OutcomeLabel, Counter>,
    seconds: Histogram,
    endpoints: Family<StateLabel, Gauge<i64, AtomicI64>>,
    pending: Gauge<i64, AtomicI64>,
}

const SECONDS: [f64; 12] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 60.0, 3_600.0, 86_400.0];

impl WebhookMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let attempts = Family::<OutcomeLabel, Counter>::default();
        registry.register("webhook_attempts", "Requests to webhook endpoints, by what came of them", attempts.clone());
        let seconds = Histogram::new(SECONDS);
        registry.register("webhook_delivery_seconds", "From the event to its delivery", seconds.clone());
        let endpoints = Family::<StateLabel, Gauge<i64, AtomicI64>>::default();
        registry.register("webhook_endpoints", "Endpoints, as the process that relays knows them", endpoints.clone());
        let pending = Gauge::default();
        registry.register("webhooks_pending", "Deliveries on their way", pending.clone());
        Self { attempts, seconds, endpoints, pending }
    }
}

impl Metrics {
    /// A request to an endpoint came to its end.
    pub(crate) fn webhook_attempt(&self, outcome: &'static str) {
        self.webhooks.attempts.get_or_create(&OutcomeLabel { outcome }).inc();
    }

    /// An endpoint took an event, so long after it happened.
    pub(crate) fn webhook_delivered(&self, after: Duration) {
        self.webhooks.seconds.observe(after.as_secs_f64());
    }

    /// How many endpoints get events, and how many do not.
    pub(crate) fn webhook_endpoints(&self, active: usize, disabled: usize) {
        for (state, count) in [("active", active), ("disabled", disabled)] {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            self.webhooks.endpoints.get_or_create(&StateLabel { state }).set(count);
        }
    }

    /// How many deliveries are on their way.
    pub(crate) fn webhooks_pending(&self, deliveries: u64) {
        self.webhooks.pending.set(i64::try_from(deliveries).unwrap_or(i64::MAX));
    }
}
