//! Starts the loops of the queues of messages.

use std::sync::Arc;

use domain::queue::QUEUE_MOVE;

use super::{Engine, Settings};
use crate::queues::{Clearing, Movers};

impl Engine {
    pub(super) fn start_queues(&self, settings: &Settings) {
        let (queues, running, claiming) = (&self.queues, &self.running, &self.claiming);
        self.loops.spawn("clear queues", running, Clearing::new(Arc::clone(queues)).run(running.clone()));
        let concurrency = settings.concurrency.of(QUEUE_MOVE);
        if concurrency > 0 {
            let (queues, leases) = (Arc::clone(queues), Arc::clone(&self.leases));
            let movers = Movers { queues, leases, paused: Arc::clone(&self.paused), concurrency };
            self.loops.spawn("move messages", claiming, movers.run(claiming.clone()));
        }
    }
}
