//! Which jobs may be handed out next: a bounded window per queue and lane over what the table holds. Pure memory.

use std::collections::{BTreeSet, HashMap};

use super::rooms::{Changed, Rooms};

/// Where a job stands in its lane: when it is due, then its number.
pub(super) type Slot = (i64, u64);

/// The most jobs in memory per queue (a refill may exceed it once, by its own size).
pub(super) const QUEUE_LIMIT: usize = 10_000;
/// How many jobs one refill of a queue's common lane reads.
const REFILL_COMMON: usize = 4_096;
/// The same of a named lane: it is limited in flight, so more would only lie there.
const REFILL_NAMED: usize = 256;
const BEFORE_ALL: Slot = (i64::MIN, 0);

/// Every queue's window.
#[derive(Default)]
pub(super) struct Windows {
    queues: Vec<Queue>,
    by_name: HashMap<Box<str>, usize>,
    /// Queues that were dropped; others take their places.
    free: Vec<usize>,
    /// Queues that [`Windows::settle`] has to look at, since they were used after the last one.
    used: Vec<usize>,
}

/// A lane of a queue, by position; it stays valid while jobs of the lane are in flight or in the window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) queue: usize,
    pub(super) lane: usize,
}

/// What a claim meets next.
pub(super) enum Next {
    /// This job, which has left the window and counts as in flight.
    Job(Place, Slot),
    /// A lane whose next jobs have to be read first.
    Load(Place),
    /// Nothing that is due.
    Nothing,
}

struct Queue {
    name: String,
    rooms: Rooms,
    lanes: Vec<Lane>,
    by_name: HashMap<Box<str>, usize>,
    free: Vec<usize>,
    idle: Vec<usize>,
    /// The first job of each lane that is not saturated; number 0 stands for "on disk from that time on".
    heads: BTreeSet<(i64, u64, usize)>,
    held: usize,
    runnable: bool,
    /// Stands among those used since the last commit.
    used: bool,
}

/// Memory holds the jobs up to `mark`, the disk the ones beyond it, none of which is due before `beyond`.
struct Lane {
    name: Option<Box<str>>,
    jobs: BTreeSet<Slot>,
    mark: Slot,
    beyond: i64,
    in_flight: usize,
    listed: Option<Slot>,
}

impl Lane {
    fn new(name: Option<Box<str>>) -> Self {
        Self { name, jobs: BTreeSet::new(), mark: BEFORE_ALL, beyond: i64::MAX, in_flight: 0, listed: None }
    }

    fn is_idle(&self) -> bool {
        self.jobs.is_empty() && self.beyond == i64::MAX && self.in_flight == 0
    }

    /// Forgets all but the first `keep` jobs; they are on disk.
    fn trim(&mut self, keep: usize) -> usize {
        let mut dropped = 0;
        while self.jobs.len() > keep
            && let Some((run_at, _)) = self.jobs.pop_last()
        {
            self.beyond = run_at;
            dropped += 1;
        }
        if dropped > 0 {
            self.mark = self.jobs.last().copied().unwrap_or(BEFORE_ALL);
        }
        dropped
    }
}

impl Windows {
    /// The position of a lane, made when it is new.
    pub(super) fn place(&mut self, queue: &str, lane: Option<&str>) -> Place {
        let queue = self.queue(queue);
        let q = &mut self.queues[queue];
        let Some(name) = lane else { return Place { queue, lane: 0 } };
        if let Some(lane) = q.by_name.get(name) {
            return Place { queue, lane: *lane };
        }
        let fresh = Lane::new(Some(name.into()));
        let lane = q.free.pop().unwrap_or(q.lanes.len());
        if lane == q.lanes.len() {
            q.lanes.push(fresh);
        } else {
            q.lanes[lane] = fresh;
        }
        q.by_name.insert(name.into(), lane);
        Place { queue, lane }
    }

    /// The position of a queue, made when it is new.
    pub(super) fn queue(&mut self, name: &str) -> usize {
        if let Some(found) = self.find(name) {
            return found;
        }
        let queue = self.free.pop().unwrap_or(self.queues.len());
        if queue == self.queues.len() {
            self.queues.push(Queue::new(name));
        } else {
            self.queues[queue] = Queue::new(name);
        }
        self.by_name.insert(name.into(), queue);
        queue
    }

    /// The position of a queue, if it ever had a job since the start.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// Forgets a queue that has no jobs any more, on disk neither, and none of whose jobs is in flight.
    pub(super) fn drop(&mut self, name: &str) {
        let Some(queue) = self.find(name) else { return };
        if self.queues[queue].lanes.iter().all(|lane| lane.in_flight == 0) {
            self.by_name.remove(name);
            self.queues[queue] = Queue::new("");
            self.free.push(queue);
        }
    }

    pub(super) fn lane_name(&self, place: Place) -> Option<&str> {
        self.queues[place.queue].lanes[place.lane].name.as_deref()
    }

    pub(super) fn queue_name(&self, queue: usize) -> &str {
        &self.queues[queue].name
    }

    /// A job that may run from `slot.0` on lies in the table now; decided at `now`.
    pub(super) fn offer(&mut self, place: Place, slot: Slot, now: i64) {
        let queue = &mut self.queues[place.queue];
        let full = queue.held >= QUEUE_LIMIT;
        let lane = &mut queue.lanes[place.lane];
        let within = slot <= lane.mark;
        if within || (slot.0 < lane.beyond && slot.0 <= now && !full) {
            lane.mark = lane.mark.max(slot);
            queue.held += usize::from(lane.jobs.insert(slot));
            if full {
                queue.held -= lane.trim(lane.jobs.len() - 1);
            }
        } else {
            lane.beyond = lane.beyond.min(slot.0);
        }
        queue.runnable |= slot.0 <= now;
        queue.relist(place.lane);
        self.note_use(place.queue);
    }

    /// A job that was offered with this slot has another one now.
    pub(super) fn withdraw(&mut self, place: Place, slot: Slot) {
        let queue = &mut self.queues[place.queue];
        if queue.lanes[place.lane].jobs.remove(&slot) {
            queue.held -= 1;
            queue.relist(place.lane);
        }
    }

    /// Sets how many of a named lane may be in flight. A lane that has more room than before comes up again at once.
    pub(super) fn limit_lanes(&mut self, queue: usize, per_lane: usize, narrow: &[(String, usize)]) {
        let queue = &mut self.queues[queue];
        let changed = match queue.rooms.set(per_lane, narrow) {
            Changed::All => (0..queue.lanes.len()).collect(),
            Changed::These(names) => names.iter().filter_map(|name| queue.by_name.get(name).copied()).collect(),
        };
        for lane in Vec::into_iter(changed) {
            queue.relist(lane);
        }
    }

    /// Takes the oldest due job of the lanes that have room.
    pub(super) fn next(&mut self, queue: usize, now: i64) -> Next {
        let q = &mut self.queues[queue];
        let Some(&(run_at, id, lane)) = q.heads.first() else { return Next::Nothing };
        let place = Place { queue, lane };
        if run_at > now {
            return Next::Nothing;
        }
        if id == 0 {
            return Next::Load(place);
        }
        let found = &mut q.lanes[lane];
        found.jobs.remove(&(run_at, id));
        found.in_flight += 1;
        q.held -= 1;
        q.relist(lane);
        Next::Job(place, (run_at, id))
    }

    /// Where a refill of the lane starts (exclusive) and how many rows it reads.
    pub(super) fn refill(&mut self, place: Place) -> (Slot, usize) {
        let queue = &mut self.queues[place.queue];
        if queue.held >= QUEUE_LIMIT {
            queue.make_room();
        }
        let lane = &queue.lanes[place.lane];
        (lane.mark, if lane.name.is_some() { REFILL_NAMED } else { REFILL_COMMON })
    }

    /// Takes what a refill found: all jobs between the old mark and the new one; none on disk is due before `beyond`.
    pub(super) fn filled(&mut self, place: Place, jobs: &[Slot], mark: Slot, beyond: i64) {
        let queue = &mut self.queues[place.queue];
        let lane = &mut queue.lanes[place.lane];
        let before = lane.jobs.len();
        lane.jobs.extend(jobs);
        queue.held += lane.jobs.len() - before;
        lane.mark = lane.mark.max(mark);
        lane.beyond = beyond;
        queue.relist(place.lane);
    }

    /// A job of the lane is no longer in flight.
    pub(super) fn release(&mut self, place: Place) {
        let queue = &mut self.queues[place.queue];
        let lane = &mut queue.lanes[place.lane];
        lane.in_flight = lane.in_flight.saturating_sub(1);
        let was_full = lane.listed.is_none();
        queue.relist(place.lane);
        let lane = &queue.lanes[place.lane];
        queue.runnable |= was_full && lane.listed.is_some();
        if place.lane != 0 && lane.is_idle() {
            queue.idle.push(place.lane);
        }
        self.note_use(place.queue);
    }

    fn note_use(&mut self, queue: usize) {
        if !std::mem::replace(&mut self.queues[queue].used, true) {
            self.used.push(queue);
        }
    }

    /// After a commit: forgets lanes without work, and names the queues that got runnable jobs.
    pub(super) fn settle(&mut self, mut runnable: impl FnMut(&str)) {
        for queue in self.used.drain(..) {
            let queue = &mut self.queues[queue];
            queue.used = false;
            while let Some(lane) = queue.idle.pop() {
                let found = &mut queue.lanes[lane];
                if found.is_idle()
                    && let Some(name) = found.name.take()
                {
                    queue.by_name.remove(&name);
                    queue.free.push(lane);
                }
            }
            if std::mem::take(&mut queue.runnable) {
                runnable(&queue.name);
            }
        }
    }

    /// After a failed batch: forgets all but the lanes' names; the rest is read again from the disk.
    pub(super) fn forget(&mut self, in_flight: impl Iterator<Item = Place>) {
        for queue in &mut self.queues {
            queue.idle.clear();
            queue.heads.clear();
            queue.held = 0;
            queue.runnable = false;
            for lane in &mut queue.lanes {
                *lane = Lane { beyond: i64::MIN, ..Lane::new(lane.name.take()) };
            }
        }
        for place in in_flight {
            self.queues[place.queue].lanes[place.lane].in_flight += 1;
        }
        for queue in &mut self.queues {
            for lane in 0..queue.lanes.len() {
                if lane == 0 || queue.lanes[lane].name.is_some() {
                    queue.relist(lane);
                }
            }
        }
    }

    /// Says that the table holds jobs of the lane that were never read.
    pub(super) fn unread(&mut self, place: Place) {
        let queue = &mut self.queues[place.queue];
        queue.lanes[place.lane].beyond = i64::MIN;
        queue.runnable = true;
        queue.relist(place.lane);
        self.note_use(place.queue);
    }
}

impl Queue {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            rooms: Rooms::default(),
            lanes: vec![Lane::new(None)],
            by_name: HashMap::new(),
            free: Vec::new(),
            idle: Vec::new(),
            heads: BTreeSet::new(),
            held: 0,
            runnable: false,
            used: false,
        }
    }

    /// Brings the lane's entry in `heads` up to date.
    fn relist(&mut self, index: usize) {
        let lane = &mut self.lanes[index];
        let saturated = lane.in_flight >= self.rooms.of(lane.name.as_deref());
        let wanted = match lane.jobs.first() {
            _ if saturated => None,
            Some(slot) => Some(*slot),
            None if lane.beyond < i64::MAX => Some((lane.beyond, 0)),
            None => None,
        };
        if wanted == lane.listed {
            return;
        }
        if let Some((run_at, id)) = lane.listed {
            self.heads.remove(&(run_at, id, index));
        }
        if let Some((run_at, id)) = wanted {
            self.heads.insert((run_at, id, index));
        }
        lane.listed = wanted;
    }

    /// Halves the longest lane, so that another one can be read.
    fn make_room(&mut self) {
        let longest = (0..self.lanes.len()).max_by_key(|i| self.lanes[*i].jobs.len());
        if let Some(index) = longest {
            let lane = &mut self.lanes[index];
            self.held -= lane.trim(lane.jobs.len() / 2);
            self.relist(index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropped_queues_leave_nothing_behind() {
        let mut windows = Windows::default();
        for number in 0..1_000 {
            let name = number.to_string();
            let place = windows.place(&name, None);
            windows.offer(place, (1, number + 1), 1);
            windows.drop(&name);
            assert_eq!(windows.find(&name), None);
        }
        assert_eq!((windows.queues.len(), windows.by_name.len()), (1, 0));
        windows.settle(|name| assert!(name.is_empty(), "{name} is no more"));
        // One whose job is out stays until that is back.
        let place = windows.place("busy", None);
        windows.offer(place, (1, 1), 1);
        assert!(matches!(windows.next(place.queue, 1), Next::Job(..)));
        windows.drop("busy");
        assert_eq!(windows.find("busy"), Some(place.queue));
        windows.release(place);
        windows.drop("busy");
        assert_eq!(windows.find("busy"), None);
    }
}
