//! How many jobs of each queue this process finished in the last minute.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use domain::{Change, Claimed, JobId, Settle, Then};

/// How far back is counted, in seconds.
const WINDOW: usize = 60;
/// More queues than this are forgotten when nothing of them was finished for a minute.
const MOST_QUEUES: usize = 4_096;
/// Jobs whose end was not seen here are forgotten together when there are so many.
const MOST_CLAIMED: usize = 65_536;

/// The counters, one row of seconds for each queue.
pub struct Rates {
    started: Instant,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    /// Which queue a job in hand is of: the change that ends it does not say.
    claimed: HashMap<JobId, &'static str>,
    queues: HashMap<String, Seconds>,
}

/// What was finished in each of the last seconds.
struct Seconds {
    /// The second that was counted last.
    last: u64,
    counts: [u32; WINDOW],
}

/// How many were finished lately.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rate {
    /// So many,
    pub finished: u64,
    /// in so many seconds: 60, or as long as the process runs.
    pub seconds: u64,
}

impl Default for Rates {
    fn default() -> Self {
        Self { started: Instant::now(), held: Mutex::default() }
    }
}

impl Rates {
    /// Jobs were handed out.
    pub(crate) fn claimed(&self, queue: &'static str, jobs: &[Claimed]) {
        if jobs.is_empty() {
            return;
        }
        let mut held = self.lock();
        if held.claimed.len() >= MOST_CLAIMED {
            held.claimed.clear();
        }
        held.claimed.extend(jobs.iter().map(|claimed| (claimed.job.id, queue)));
    }

    /// What of a change ends jobs or messages; to be counted when it is applied.
    pub(crate) fn ends(change: &Change) -> Option<Ends> {
        let job = change.step.as_ref().filter(|step| step.then != Then::Hold);
        let job = job.map(|step| (step.lease.job, step.then == Then::Finish));
        let deleted = change.messages.iter().filter(|message| message.then == Settle::Delete);
        let messages: Vec<String> = deleted.map(|message| message.queue.clone()).collect();
        (job.is_some() || !messages.is_empty()).then_some(Ends { job, messages })
    }

    /// Such a change was applied.
    pub(crate) fn ended(&self, ends: Ends) {
        let now = self.started.elapsed().as_secs();
        let mut held = self.lock();
        if let Some((job, finished)) = ends.job
            && let Some(queue) = held.claimed.remove(&job)
            && finished
        {
            held.count(queue, now);
        }
        for queue in ends.messages {
            held.count(&queue, now);
        }
    }

    /// How many of the queue this process finished in the last minute.
    #[must_use]
    pub fn of(&self, queue: &str) -> Rate {
        let alive = self.started.elapsed().as_secs();
        let mut held = self.lock();
        let finished = held.queues.get_mut(queue).map_or(0, |seconds| {
            seconds.turn(alive);
            seconds.counts.iter().map(|count| u64::from(*count)).sum()
        });
        Rate { finished, seconds: (alive + 1).min(WINDOW as u64) }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a change ends.
pub(crate) struct Ends {
    job: Option<(JobId, bool)>,
    messages: Vec<String>,
}

impl Held {
    fn count(&mut self, queue: &str, now: u64) {
        if let Some(seconds) = self.queues.get_mut(queue) {
            return seconds.count(now);
        }
        if self.queues.len() >= MOST_QUEUES {
            self.queues.retain(|_, seconds| now - seconds.last < WINDOW as u64);
        }
        let mut seconds = Seconds { last: now, counts: [0; WINDOW] };
        seconds.count(now);
        self.queues.insert(queue.to_owned(), seconds);
    }
}

impl Seconds {
    fn count(&mut self, now: u64) {
        self.turn(now);
        let count = &mut self.counts[slot(now)];
        *count = count.saturating_add(1);
    }

    /// Empties the seconds between the last count and now.
    fn turn(&mut self, now: u64) {
        let from = (self.last + 1).max(now.saturating_sub(WINDOW as u64 - 1));
        for second in from..=now {
            self.counts[slot(second)] = 0;
        }
        self.last = self.last.max(now);
    }
}

fn slot(second: u64) -> usize {
    usize::try_from(second % WINDOW as u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_is_remembered_and_no_more() {
        let mut seconds = Seconds { last: 0, counts: [0; WINDOW] };
        let sum = |seconds: &Seconds| seconds.counts.iter().sum::<u32>();
        for second in 0..90 {
            seconds.count(second);
            seconds.count(second);
        }
        assert_eq!(sum(&seconds), 120);
        seconds.turn(119);
        assert_eq!(sum(&seconds), 60);
        seconds.turn(1_000_000);
        assert_eq!((sum(&seconds), seconds.last), (0, 1_000_000));
    }

    #[test]
    fn only_what_is_finished_counts() {
        use domain::{Job, JobStep, Lease, Timestamp};
        let rates = Rates::default();
        let job = |id| {
            let (queue, body) = ("q".to_owned(), String::new());
            let run_at = Timestamp(0);
            let job = Job { id, queue, group: None, lane: None, run_at, attempt: 1, body, last_error: None };
            Claimed { job, lease: Lease { job: id, token: 1 } }
        };
        rates.claimed("q", &[job(1), job(2), job(3)]);
        let wait = Then::Wait { run_at: Timestamp(0) };
        for (id, then) in [(1, Then::Finish), (1, Then::Finish), (2, wait), (2, Then::Finish), (3, Then::Hold)] {
            let step = Some(JobStep { lease: Lease { job: id, token: 1 }, then });
            if let Some(ends) = Rates::ends(&Change { step, ..Change::default() }) {
                rates.ended(ends);
            }
        }
        assert_eq!(rates.of("q").finished, 1);
        assert_eq!(rates.of("another").finished, 0);
    }
}
