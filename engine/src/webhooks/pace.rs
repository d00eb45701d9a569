//! How many requests each endpoint may have at once, and when: so that one that is dead, slow or limited slows no other.
//!
//! What is known here goes with each claim as the room that lanes have. A lane that is not known yet may have more handed
//! out than it has room for; those jobs go back, once. A lane is doubtful while it fails, is slow, or never answered well:
//! the doubtful share half of the slots evenly, and however many they are, a quarter is left to the others.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::webhook::endpoint::{Endpoint, MOST_CONCURRENCY};
use domain::{JobId, Timestamp};

const SECOND: i64 = 1_000_000;
/// An endpoint that failed so often in a row is tried with few requests,
const FAILURES: u32 = 5;
/// namely so many, until one succeeds.
const FEW: usize = 2;
/// One that has not answered well yet may have so many: nobody knows whether it will answer at all.
const NEW: usize = 8;
/// An endpoint that takes longer than this is slow, also while it has not answered.
const SLOW_MICROS: i64 = SECOND;
/// A rate may be exceeded for so long: claims come in lots.
const BURST_MICROS: i64 = SECOND / 10;
/// How long a job rests that was handed out beyond its endpoint's room.
const REST_MICROS: i64 = SECOND / 20;
/// A lane that had nothing to do for so long is forgotten: its endpoint may be disabled or deleted.
const IDLE_MICROS: i64 = 300 * SECOND;
/// More endpoints than this are forgotten when they are at rest.
const MOST: usize = 10_000;
/// The most reservations.
const MOST_RESERVED: usize = 100_000;

/// What one claim may take.
pub(super) struct Rooms {
    /// Of any one lane, those in flight included.
    pub(super) per_lane: usize,
    /// Lanes that have less room than that.
    pub(super) narrow: Vec<(String, usize)>,
}

/// What is known of the endpoints' paces.
pub(super) struct Paces {
    slots: usize,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    lanes: HashMap<String, Lane>,
    /// Jobs that went back until their own time.
    reserved: HashSet<JobId>,
    /// Requests in flight to the doubtful at the last claim, and those that began since.
    doubted: usize,
    /// What the last claim could take of any one lane.
    per_lane: usize,
}

/// One endpoint.
struct Lane {
    concurrency: usize,
    /// Each request in flight, and when it began.
    in_flight: Vec<(JobId, i64)>,
    /// Whether it ever answered well.
    answered: bool,
    failures: u32,
    /// How long its requests take: half the newest, half what it was.
    takes_micros: i64,
    /// Its part of what the doubtful have together; all there is for the others.
    share: usize,
    /// When it last had a job.
    used: i64,
    /// When it was last given room although it had nothing in flight.
    offered: i64,
    /// The interval between two requests; 0 without a rate.
    interval: i64,
    /// When the next request is due by its rate (the theoretical arrival time of GCRA).
    due: i64,
}

impl Lane {
    fn new() -> Self {
        Self {
            concurrency: 1,
            in_flight: Vec::new(),
            answered: false,
            failures: 0,
            takes_micros: 0,
            share: usize::MAX,
            used: 0,
            offered: i64::MIN,
            interval: 0,
            due: 0,
        }
    }

    fn is_doubtful(&self, now: i64) -> bool {
        !self.answered
            || self.failures >= FAILURES
            || self.takes_micros >= SLOW_MICROS
            || self.in_flight.iter().any(|(_, began)| now - began >= SLOW_MICROS)
    }

    fn is_at_rest(&self, now: i64) -> bool {
        self.in_flight.is_empty() && self.due <= now && now - self.used >= IDLE_MICROS
    }

    fn room(&self) -> usize {
        let most = match self.failures {
            FAILURES.. => FEW,
            _ if !self.answered => NEW,
            _ => per_lane(),
        };
        most.min(self.concurrency)
    }

    /// How many requests its rate allows at this instant.
    fn allowed(&self, now: i64) -> usize {
        if self.interval == 0 {
            return usize::MAX;
        }
        let ahead = now + BURST_MICROS - self.due.max(now - BURST_MICROS);
        usize::try_from(ahead / self.interval + 1).unwrap_or(0).saturating_sub(usize::from(ahead < 0))
    }
}

/// Whether a job may go now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Now; [`Paces::leave`] follows.
    Now,
    /// Not before this instant.
    At(Timestamp),
}

impl Paces {
    /// For so many slots.
    pub(super) fn new(slots: usize) -> Self {
        Self { slots, held: Mutex::new(Held { per_lane: per_lane(), ..Held::default() }) }
    }

    /// How many jobs to claim when so many slots are free: the last quarter is looked at anew, for lanes have less room then.
    pub(super) fn at_once(&self, free: usize) -> usize {
        if free > self.slots / 4 { free - self.slots / 4 } else { free }
    }

    /// The room that lanes have when so many slots are free. What was healthy may hang from now on, so the fewer slots are
    /// left, the fewer one lane may have of them.
    pub(super) fn rooms(&self, free: usize, now: Timestamp) -> Rooms {
        let mut held = self.lock();
        let held = &mut *held;
        held.lanes.retain(|_, lane| !lane.is_at_rest(now.0));
        held.per_lane = match free {
            free if free > self.slots / 4 => per_lane(),
            free if free > self.slots / 8 => NEW,
            _ => FEW,
        };
        self.share_out(held, now.0);
        let room = |lane: &Lane| {
            let by_rate = lane.in_flight.len().saturating_add(lane.allowed(now.0));
            lane.room().min(lane.share).min(by_rate)
        };
        let rooms = held.lanes.iter().map(|(name, lane)| (name, room(lane)));
        let narrow = rooms.filter(|(_, room)| *room < held.per_lane).map(|(name, room)| (name.clone(), room)).collect();
        Rooms { per_lane: held.per_lane, narrow }
    }

    /// Gives each doubtful lane its part. Those that have requests in flight share half of the slots evenly, the ones with
    /// the fewest first. Each of the others may have one request; should there not be slots for so many, they take turns.
    fn share_out(&self, held: &mut Held, now: i64) {
        let mut doubtful = Vec::new();
        for lane in held.lanes.values_mut() {
            lane.share = usize::MAX;
            if lane.is_doubtful(now) {
                doubtful.push(lane);
            }
        }
        held.doubted = doubtful.iter().map(|lane| lane.in_flight.len()).sum();
        let (mut busy, mut idle): (Vec<_>, Vec<_>) = doubtful.into_iter().partition(|lane| !lane.in_flight.is_empty());
        let each = self.half().div_ceil(busy.len().max(1));
        let mut left = self.half().saturating_sub(held.doubted);
        let mut taken = held.doubted;
        busy.sort_unstable_by_key(|lane| lane.in_flight.len());
        for lane in busy {
            let more = lane.room().min(each).saturating_sub(lane.in_flight.len()).min(left);
            lane.share = lane.in_flight.len() + more;
            (left, taken) = (left - more, taken + more);
        }
        let turns = self.most_doubted().saturating_sub(taken);
        idle.sort_unstable_by_key(|lane| lane.offered);
        for (turn, lane) in idle.into_iter().enumerate() {
            lane.share = usize::from(turn < turns);
            if turn < turns {
                lane.offered = now;
            }
        }
    }

    /// What the doubtful share.
    fn half(&self) -> usize {
        (self.slots / 2).max(1)
    }

    /// The most slots that the doubtful have, however many they are.
    fn most_doubted(&self) -> usize {
        (self.slots - self.slots / 4).max(1)
    }

    /// Whether a job of the endpoint may go, which counts as a request then.
    pub(super) fn enter(&self, endpoint: &Endpoint, job: JobId, now: Timestamp) -> Turn {
        let mut held = self.lock();
        let Held { lanes, reserved, doubted, .. } = &mut *held;
        if lanes.len() >= MOST && !lanes.contains_key(&endpoint.id) {
            lanes.retain(|_, lane| !lane.in_flight.is_empty());
        }
        let lane = lanes.entry(endpoint.id.clone()).or_insert_with(Lane::new);
        lane.used = now.0;
        lane.concurrency = usize::try_from(endpoint.concurrency).unwrap_or(1);
        lane.interval = endpoint.rate_per_second.map_or(0, |rate| SECOND / i64::from(rate.max(1)));
        let doubtful = lane.is_doubtful(now.0);
        let room = match *doubted {
            doubted if doubtful && doubted >= self.most_doubted() => 0,
            doubted if doubtful && doubted >= self.half() => 1,
            _ => lane.room(),
        };
        if lane.in_flight.len() >= room {
            return Turn::At(now.plus_micros(REST_MICROS));
        }
        if lane.interval > 0 && !reserved.remove(&job) {
            let due = lane.due.max(now.0 - BURST_MICROS);
            lane.due = due + lane.interval;
            if due > now.0 + BURST_MICROS {
                if reserved.len() >= MOST_RESERVED {
                    reserved.clear();
                }
                reserved.insert(job);
                return Turn::At(Timestamp(due));
            }
        }
        lane.in_flight.push((job, now.0));
        *doubted += usize::from(doubtful);
        Turn::Now
    }

    /// A request ended; none says that it was not one that tells of the endpoint. True if the lane was full.
    pub(super) fn leave(&self, endpoint: &str, job: JobId, went: Option<(bool, i64)>) -> bool {
        let mut held = self.lock();
        let Held { lanes, per_lane, .. } = &mut *held;
        let Some(lane) = lanes.get_mut(endpoint) else { return true };
        let was_full = lane.in_flight.len() >= lane.room().min(lane.share).min(*per_lane);
        if let Some(at) = lane.in_flight.iter().position(|(of, _)| *of == job) {
            lane.in_flight.swap_remove(at);
        }
        if let Some((well, micros)) = went {
            lane.answered |= well;
            lane.failures = if well { 0 } else { lane.failures.saturating_add(1) };
            lane.takes_micros = i64::midpoint(lane.takes_micros, micros);
        }
        was_full
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The most requests at once to any one endpoint.
pub(super) fn per_lane() -> usize {
    usize::try_from(MOST_CONCURRENCY).unwrap_or(1)
}

#[cfg(test)]
mod tests;
