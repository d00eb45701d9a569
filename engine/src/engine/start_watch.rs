//! Starts what waits for prices and for the turns of slices.

use std::sync::Arc;

use domain::swap::QUEUE;
use drivers::wake::Wake;

use super::{Engine, Settings};
use crate::slices::Slices;
use crate::watch::{Book, Watch};

impl Engine {
    pub(super) fn start_watch(&self, book: &Arc<Book>, wake: &Arc<dyn Wake>, settings: &Settings) {
        let (journal, metrics) = (Arc::clone(&self.journal), Arc::clone(&self.metrics));
        let slices = Slices { journal, risk: Arc::clone(&self.risk), metrics };
        self.start_chores("slices", slices, wake, settings);
        if settings.concurrency.of(QUEUE) > 0 {
            let watch = Watch {
                journal: Arc::clone(&self.journal),
                router: Arc::clone(&self.router),
                paused: Arc::clone(&self.paused),
                risk: Arc::clone(&self.risk),
                book: Arc::clone(book),
            };
            self.loops.spawn("watch", &self.claiming, watch.run(self.claiming.clone()));
        }
    }
}
