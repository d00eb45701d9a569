//! What is counted of deals, bids and shop orders.

use std::sync::atomic::AtomicU64;

use domain::risk::State;
use domain::{Owner, bid, shop};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StatusLabel {
    status: &'static str,
}

/// From now on this process goes by another trading state.
pub(crate) fn trading_changed(before: State, after: State, reason: Option<&str>) {
    let (before, after) = (before.as_str(), after.as_str());
    tracing::warn!(before, after, reason, "the trading state changed");
}

/// The counters of deals, bids and shop orders.
pub(crate) struct TradeMetrics {
    posted: Counter,
    sold: Counter,
    bids: Counter,
    ended: Family<StatusLabel, Counter<u64, AtomicU64>>,
    orders: Counter,
    moved: Family<StatusLabel, Counter<u64, AtomicU64>>,
}

impl TradeMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            posted: Counter::default(),
            sold: Counter::default(),
            bids: Counter::default(),
            ended: Family::default(),
            orders: Counter::default(),
            moved: Family::default(),
        };
        registry.register("deals_posted", "Deals posted", metrics.posted.clone());
        registry.register("deals_sold", "Deals sold with an invoice", metrics.sold.clone());
        registry.register("bids_made", "Bids made", metrics.bids.clone());
        registry.register("bids_ended", "Bids that were accepted, or ended otherwise", metrics.ended.clone());
        registry.register("shop_orders_taken", "Shop orders taken", metrics.orders.clone());
        registry.register("shop_orders_moved", "Shop orders that came to another state", metrics.moved.clone());
        metrics
    }

    pub(crate) fn deal_posted(&self) {
        self.posted.inc();
    }

    pub(crate) fn deal_sold(&self) {
        self.sold.inc();
    }

    pub(crate) fn bid_made(&self) {
        self.bids.inc();
    }

    pub(crate) fn bid_ended(&self, status: bid::Status) {
        self.ended.get_or_create(&StatusLabel { status: status.as_str() }).inc();
    }

    pub(crate) fn order_taken(&self) {
        self.orders.inc();
    }

    pub(crate) fn order_moved(&self, status: shop::Status) {
        self.moved.get_or_create(&StatusLabel { status: status.as_str() }).inc();
    }
}

/// An account's queue of events does not take what tells of an order.
pub(crate) fn order_not_told(account: &Owner, why: &str) {
    tracing::warn!(%account, why, "a change of a shop order does not go into the queue of events");
}

/// A command of a queue was refused, and is a dead letter now.
pub(crate) fn order_refused(account: &Owner, message: &str, code: &str) {
    tracing::info!(%account, message, code, "a command about a shop order was refused");
}

/// An account's queue of commands cannot be read.
pub(crate) fn orders_not_received(account: &Owner, why: &str) {
    tracing::warn!(%account, why, "commands about shop orders are not received");
}
