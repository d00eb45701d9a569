//! Watches prices for the orders that wait for theirs: one small quote per pair and beat, and those that cross are woken.
//!
//! `book` has the waiting orders in memory, `rate` what a quote says of their prices. Nothing rests on this but that waiting
//! orders are looked at in time: a worker asks for an order's own quotes before anything of it changes, so that an order woken
//! in vain stays as it is, and one woken twice, by several processes, is done once.

mod book;
mod rate;

use std::sync::Arc;
use std::time::Duration;

use domain::Kind;
use domain::swap::{Ask, Inquiry, Mode, QUEUE, Swap, wake};
use drivers::journal::{Journal, List};
use drivers::{Conflict, Fault};
use futures_util::StreamExt;
use futures_util::stream::iter;
use tokio_util::sync::CancellationToken;

use crate::operator::Paused;
use crate::risk::Risk;
use crate::router::Router;
use crate::{clock, observe};

pub(crate) use self::book::Book;
use self::book::{Pair, Wake};
use self::rate::Rate;

/// As long as a slot of the chain: prices do not move in between.
const BEAT: Duration = Duration::from_millis(400);
/// Orders woken in one beat, at most.
const WAKES: usize = 256;
/// Pairs that are quoted at the same time.
const QUOTES: usize = 16;
/// Changes that wake orders, under way at the same time.
const WAKING: usize = 64;
/// Orders read at once at the start.
const PAGE: usize = 1_000;

/// The watcher of this process.
pub(crate) struct Watch {
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) router: Arc<Router>,
    pub(crate) paused: Arc<Paused>,
    pub(crate) risk: Arc<Risk>,
    pub(crate) book: Arc<Book>,
}

impl Watch {
    /// Watches until `stop`.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut beats = tokio::time::interval(BEAT);
        beats.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while stop.run_until_cancelled(beats.tick()).await.is_some() {
            // While orders rest, none is woken: jobs would only pile up.
            if !self.paused.pass(QUEUE, &stop).await {
                return;
            }
            if let Err(fault) = self.step().await {
                observe::fault("watch waiting orders", &fault);
            }
        }
    }

    /// One beat; answers with how many orders were woken.
    pub(crate) async fn step(&self) -> Result<usize, Fault> {
        if self.book.is_stale() {
            self.load().await?;
        }
        let now = clock::now();
        self.book.rouse(now, WAKES);
        let mut rates = iter(self.book.pairs().into_iter().map(|pair| self.rate(pair))).buffer_unordered(QUOTES);
        let mut woken = 0;
        while let Some((pair, rate)) = rates.next().await {
            let Some(rate) = rate else { continue };
            let wakes = self.book.cross(&pair, &rate, now, WAKES - woken.min(WAKES));
            woken += wakes.len();
            self.wake(wakes).await?;
        }
        Ok(woken)
    }

    /// What a small amount of the pair's input is swapped at now, the best venue asked; none where there is no answer.
    async fn rate(&self, pair: Pair) -> (Pair, Option<Rate>) {
        let Some(amount) = self.book.probe(&pair) else { return (pair, None) };
        let (input, output) = (Arc::clone(&pair.input), Arc::clone(&pair.output));
        let ask = Ask { input, output, mode: Mode::ExactIn, amount };
        // What may not trade now need not be woken.
        if !self.risk.lets(&ask) {
            return (pair, None);
        }
        let answers = self.router.quote(&Inquiry::from(ask)).await;
        let best = answers.iter().filter_map(|answer| answer.result.as_ref().ok()).max_by_key(|quote| quote.amount_out);
        let amounts = best.map(|quote| (quote.amount_in, quote.amount_out));
        let rate = self.book.probed(&pair, amounts);
        (pair, rate)
    }

    async fn wake(&self, wakes: Vec<Wake>) -> Result<(), Fault> {
        let mut waking = iter(wakes.into_iter().map(|wake| self.wake_one(wake))).buffer_unordered(WAKING);
        while let Some(woken) = waking.next().await {
            woken?;
        }
        Ok(())
    }

    async fn wake_one(&self, Wake { id, version }: Wake) -> Result<(), Fault> {
        match self.journal.apply(wake(&id, version, clock::now())).await {
            // It was cancelled or is over, or another process was faster: what became of it is told.
            Err(Fault::Conflict(Conflict::Version { .. })) => {
                self.book.gone(&id, version);
                Ok(())
            }
            applied => applied.map(drop),
        }
    }

    /// Reads every order that is open. What happens to orders meanwhile is told to the book, which lets it count.
    async fn load(&self) -> Result<(), Fault> {
        self.book.begin_load();
        let mut list = List {
            kind: Kind::Swap,
            among: Vec::new(),
            statuses: vec![domain::swap::Status::Open.as_str().to_owned()],
            fields: Vec::new(),
            ranges: Vec::new(),
            after: None,
            newest_first: false,
            limit: PAGE,
        };
        loop {
            let page = match self.journal.entities(list.clone()).await {
                Ok(page) => page,
                Err(fault) => {
                    self.book.miss();
                    return Err(fault);
                }
            };
            for entity in &page.entities {
                match Swap::from_entity(entity) {
                    Ok(swap) => self.book.put(&swap, clock::now()),
                    Err(error) => observe::broken("an open order that cannot be read", &entity.id, &error.to_string()),
                }
            }
            list.after = page.next;
            if list.after.is_none() {
                self.book.end_load();
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests;
