//! Who holds which job, in memory, by the monotonic clock; every step since the last commit can be taken back.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use domain::{JobId, Lease};

use super::window::{Place, Slot};

/// A job that is out.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) token: u64,
    pub(super) until: Instant,
    pub(super) place: Place,
    pub(super) slot: Slot,
    pub(super) group: Option<Box<str>>,
}

/// Every lease that is out.
pub(super) struct Leases {
    lasts: Duration,
    held: HashMap<JobId, Held>,
    /// All leases last equally long, so that this stays sorted; renewed and finished ones leave stale entries.
    order: VecDeque<(Instant, JobId)>,
    undo: Vec<(JobId, Option<Held>)>,
}

impl Leases {
    pub(super) fn new(lasts: Duration) -> Self {
        Self { lasts, held: HashMap::new(), order: VecDeque::new(), undo: Vec::new() }
    }

    /// How long a lease lasts, in microseconds.
    pub(super) fn lasts_micros(&self) -> i64 {
        i64::try_from(self.lasts.as_micros()).unwrap_or(i64::MAX)
    }

    /// The holder, if the lease is the job's newest and has not lapsed.
    pub(super) fn valid(&self, lease: Lease, now: Instant) -> Option<&Held> {
        self.held.get(&lease.job).filter(|held| held.token == lease.token && held.until > now)
    }

    /// Whether the job is out.
    pub(super) fn contains(&self, job: JobId) -> bool {
        self.held.contains_key(&job)
    }

    /// Whether any job is out.
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Hands a job out until the lease time from `now`.
    pub(super) fn grant(
        &mut self,
        job: JobId,
        token: u64,
        place: Place,
        slot: Slot,
        group: Option<&str>,
        now: Instant,
    ) {
        let until = now + self.lasts;
        let held = Held { token, until, place, slot, group: group.map(Into::into) };
        self.undo.push((job, self.held.insert(job, held)));
        self.order.push_back((until, job));
    }

    /// Prolongs a valid lease; false when it is none.
    pub(super) fn renew(&mut self, lease: Lease, now: Instant) -> bool {
        if self.valid(lease, now).is_none() {
            return false;
        }
        let until = now + self.lasts;
        if let Some(held) = self.held.get_mut(&lease.job) {
            self.undo.push((lease.job, Some(held.clone())));
            held.until = until;
        }
        self.order.push_back((until, lease.job));
        true
    }

    /// Ends a lease.
    pub(super) fn end(&mut self, job: JobId) -> Option<Held> {
        let held = self.held.remove(&job)?;
        self.undo.push((job, Some(held.clone())));
        Some(held)
    }

    /// Ends one lease that has lapsed at `now`, if there is any.
    pub(super) fn lapse(&mut self, now: Instant) -> Option<Held> {
        while let Some((until, job)) = self.order.front().copied() {
            if until > now {
                return None;
            }
            self.order.pop_front();
            if self.held.get(&job).is_some_and(|held| held.until <= now) {
                return self.end(job);
            }
        }
        None
    }

    /// After a commit: nothing before it can be taken back any more.
    pub(super) fn settle(&mut self) {
        self.undo.clear();
        if self.order.len() > 2 * self.held.len() + 1_024 {
            self.sort();
        }
    }

    /// After a failed batch: as it was after the last commit.
    pub(super) fn take_back(&mut self) {
        while let Some((job, before)) = self.undo.pop() {
            match before {
                Some(held) => self.held.insert(job, held),
                None => self.held.remove(&job),
            };
        }
        self.sort();
    }

    /// Where jobs are in flight, one entry per job.
    pub(super) fn places(&self) -> impl Iterator<Item = Place> {
        self.held.values().map(|held| held.place)
    }

    fn sort(&mut self) {
        self.order.clear();
        self.order.extend(self.held.iter().map(|(job, held)| (held.until, *job)));
        self.order.make_contiguous().sort_unstable();
    }
}
