//! How many messages of a queue are in flight: counted now and then beside the receives, which go by the last count meanwhile.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::Timestamp;
use domain::queue::Queue;

use super::Queues;
use crate::observe;

/// A count is not made more often.
const LASTS: Duration = Duration::from_secs(2);
/// A count is made again after so long, however little was handed out here: others hand out too.
const AGED: Duration = Duration::from_secs(10);
/// So many queues' counts are remembered at most.
const LIMIT: usize = 10_000;
/// This process hands out so large a part of what was left before it counts again sooner.
const PART: u64 = 4;

/// By generation.
#[derive(Default)]
pub(super) struct Flights {
    counts: Mutex<HashMap<String, Count>>,
}

/// What was in flight when it was counted, and what this process handed out since.
#[derive(Clone, Copy)]
struct Count {
    hidden: u64,
    /// When the last count began.
    at: Instant,
    since: u64,
    /// Somebody is counting.
    counting: bool,
}

impl Flights {
    /// Notes messages that were handed out.
    pub(super) fn handed_out(&self, generation: &str, messages: usize) {
        if let Some(count) = self.counts().get_mut(generation) {
            count.since += messages as u64;
        }
    }

    /// Whether as many are in flight as may be, as far as is known; and what was handed out before a count that is due now, which
    /// is the caller's to make.
    fn look(&self, generation: &str, limit: u64) -> (bool, Option<u64>) {
        let mut counts = self.counts();
        if counts.len() >= LIMIT && !counts.contains_key(generation) {
            counts.clear();
        }
        let count = match counts.entry(generation.to_owned()) {
            Entry::Vacant(free) => {
                free.insert(Count { hidden: 0, at: Instant::now(), since: 0, counting: true });
                return (false, Some(0));
            }
            Entry::Occupied(known) => known.into_mut(),
        };
        let spent = count.since >= limit.saturating_sub(count.hidden) / PART;
        let age = count.at.elapsed();
        let due = !count.counting && age >= if spent { LASTS } else { AGED };
        if due {
            (count.counting, count.at) = (true, Instant::now());
        }
        (count.hidden.saturating_add(count.since) >= limit, due.then_some(count.since))
    }

    /// Notes a count: it has in it what was handed out before it began.
    fn counted(&self, generation: &str, hidden: u64, before: u64) {
        if let Some(count) = self.counts().get_mut(generation) {
            (count.hidden, count.counting) = (hidden, false);
            count.since = count.since.saturating_sub(before);
        }
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<String, Count>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queues {
    /// Whether as many messages are in flight as may be, by the last count. A count that is due is made beside the call: neither
    /// its time nor its failure is the receiver's.
    pub(super) fn is_full(&self, queue: &Queue, now: Timestamp) -> bool {
        let limit = self.settings.in_flight;
        let (full, due) = self.flights.look(queue.generation(), limit);
        if let Some(before) = due {
            let (flights, journal) = (Arc::clone(&self.flights), Arc::clone(&self.journal));
            let generation = queue.generation().to_owned();
            tokio::spawn(async move {
                let hidden = journal.hidden(&generation, now, limit).await.unwrap_or_else(|fault| {
                    observe::fault("count messages in flight", &fault);
                    0
                });
                flights.counted(&generation, hidden, before);
            });
        }
        full
    }
}
