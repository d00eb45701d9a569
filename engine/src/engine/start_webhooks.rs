//! Starts the loops of the webhooks.

use std::sync::Arc;

use domain::webhook::delivery::QUEUE_DELIVER;
use domain::webhook::replay::QUEUE_REPLAY;
use drivers::wake::Wake;
use drivers::webhook::Sender;

use super::{Engine, Settings};
use crate::observe;
use crate::webhooks::{self, Deliverer, Prune, Replays, WebhookRelay};

impl Engine {
    pub(super) fn start_webhook_relay(&self, wake: &Arc<dyn Wake>) {
        let (journal, access, webhooks) =
            (Arc::clone(&self.journal), Arc::clone(&self.access), Arc::clone(&self.webhooks));
        let relay = WebhookRelay::new(journal, Arc::clone(wake), access, webhooks, Arc::clone(&self.metrics));
        self.loops.spawn("webhook relay", &self.running, relay.run(self.running.clone()));
    }

    pub(super) fn start_webhooks(&self, wake: &Arc<dyn Wake>, settings: &Settings) {
        let (journal, running, claiming) = (&self.journal, &self.running, &self.claiming);
        let prune = Prune { journal: Arc::clone(journal), keep: settings.webhooks.keep_deliveries };
        self.loops.spawn("prune", running, prune.run(running.clone()));
        let concurrency = settings.concurrency.of(QUEUE_REPLAY);
        if concurrency > 0 {
            let replays = Replays {
                journal: Arc::clone(journal),
                wake: Arc::clone(wake),
                access: Arc::clone(&self.access),
                leases: Arc::clone(&self.leases),
                paused: Arc::clone(&self.paused),
                concurrency,
            };
            self.loops.spawn("replay", claiming, replays.run(claiming.clone()));
        }
        let concurrency = settings.concurrency.of(QUEUE_DELIVER);
        if concurrency == 0 {
            return;
        }
        match Sender::new(settings.webhooks.sender()) {
            Ok(sender) => self.start_deliverer(wake, sender, concurrency),
            Err(fault) => observe::fault("make ready to send webhooks; none is sent", &fault),
        }
    }

    fn start_deliverer(&self, wake: &Arc<dyn Wake>, sender: Sender, concurrency: usize) {
        let (journal, running, claiming) = (&self.journal, &self.running, &self.claiming);
        let deliverer = Deliverer::new(webhooks::Parts {
            journal: Arc::clone(journal),
            wake: Arc::clone(wake),
            webhooks: Arc::clone(&self.webhooks),
            leases: Arc::clone(&self.leases),
            metrics: Arc::clone(&self.metrics),
            paused: Arc::clone(&self.paused),
            tasks: self.tasks.clone(),
            sender,
            concurrency,
        });
        self.loops.spawn("vigil", running, Arc::clone(&deliverer).watch(running.clone()));
        self.loops.spawn("measure", running, Arc::clone(&deliverer).measure(running.clone()));
        self.loops.spawn("deliver", claiming, deliverer.run(claiming.clone()));
    }
}
