//! Starts the loop that takes shop orders out of queues.

use std::sync::Arc;

use drivers::wake::Wake;

use super::{Engine, Settings};
use crate::orders::Orders;

impl Engine {
    pub(super) fn start_orders(&self, wake: &Arc<dyn Wake>, settings: &Settings) {
        let orders = Orders {
            journal: Arc::clone(&self.journal),
            wake: Arc::clone(wake),
            queues: Arc::clone(&self.queues),
            intake: Arc::clone(&self.intake),
            metrics: Arc::clone(&self.metrics),
            // Who took a command is given up later than who took a job: nothing renews this.
            hidden: i64::try_from(settings.lease.as_secs().max(1) * 2).unwrap_or(60),
            tasks: self.tasks.clone(),
            stop: self.claiming.clone(),
        };
        self.loops.spawn("shop orders", &self.claiming, orders.run());
    }
}
