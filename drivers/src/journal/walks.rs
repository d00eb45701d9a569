//! Several walks along indexes as one: in the order of their numbers, each number once, and no further than all of them
//! have been looked at. Pure: a driver reads what this asks for.

use std::collections::VecDeque;

/// How much more each turn reads of a walk than the one before it.
const GROWTH: usize = 2;

/// Walks that are read a stretch at a time, the ones that have come least far first.
pub(super) struct Walks {
    walks: Vec<Walk>,
    newest_first: bool,
    /// How many numbers are wanted.
    want: usize,
    /// How many rows may still be looked at, about.
    may_look: usize,
    /// The longest stretch of this turn, in rows.
    stretch: usize,
    begun: bool,
    taken: Vec<u64>,
}

struct Walk {
    /// Looked at up to here, inclusively.
    at: u64,
    over: bool,
    /// Wanted, and not taken yet: other walks have not come as far.
    found: VecDeque<u64>,
}

/// What a driver read of a walk.
#[derive(Debug, Default)]
pub(super) struct Stretch {
    /// The wanted ones, in the walk's order.
    pub(super) found: Vec<u64>,
    /// How many rows were looked at.
    pub(super) looked: usize,
    /// The last of them; none if there were none.
    pub(super) last: Option<u64>,
    /// Nothing follows.
    pub(super) over: bool,
}

/// Where the walks ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Walked {
    /// As many as were wanted, if there are so many up to where the walks came.
    pub(super) numbers: Vec<u64>,
    /// How far all have been looked at; none where they are over.
    pub(super) goes_on: Option<u64>,
}

impl Walked {
    /// Whether it came further than another one of the same list: to more than a page of `limit`, to the end, or on.
    pub(super) fn is_further(&self, other: &Self, limit: usize, newest_first: bool) -> bool {
        let stopped = |walked: &Self| walked.goes_on.filter(|_| walked.numbers.len() <= limit);
        match (stopped(self), stopped(other)) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(ours), Some(theirs)) => {
                if newest_first {
                    ours < theirs
                } else {
                    ours > theirs
                }
            }
        }
    }
}

impl Walks {
    /// So many walks that begin after `begin` and end with `want` numbers. `first` is the length of the first stretches.
    pub(super) fn new(count: usize, newest_first: bool, begin: u64, want: usize, first: usize) -> Self {
        let walk = || Walk { at: begin, over: false, found: VecDeque::new() };
        let walks = (0..count).map(|_| walk()).collect();
        Self { walks, newest_first, want, may_look: usize::MAX, stretch: first.max(1), begun: false, taken: Vec::new() }
    }

    /// The same, and they end when they have looked at so many rows, but not before each was looked at.
    pub(super) fn looking_at(self, may_look: usize) -> Self {
        Self { may_look, ..self }
    }

    /// The walks of the next turn, each to be read on from [`Self::at`] by at most [`Self::stretch`] rows; none at the end.
    pub(super) fn turn(&mut self) -> Vec<usize> {
        self.take();
        let mut open: Vec<usize> = (0..self.walks.len()).filter(|n| !self.walks[*n].over).collect();
        if open.is_empty() || self.taken.len() >= self.want || self.may_look == 0 {
            return Vec::new();
        }
        open.sort_by_key(|n| self.rank(self.walks[*n].at));
        if self.begun {
            // Those that came far have enough for now.
            open.truncate(open.len().div_ceil(2));
            self.stretch = self.stretch.saturating_mul(GROWTH);
        }
        self.begun = true;
        self.stretch = self.stretch.min(self.may_look / open.len()).max(1);
        open
    }

    /// The number after which a walk is to be read on.
    pub(super) fn at(&self, walk: usize) -> u64 {
        self.walks[walk].at
    }

    /// The most rows of a walk to look at in this turn.
    pub(super) const fn stretch(&self) -> usize {
        self.stretch
    }

    /// A walk that has found so many in this turn need not be read on.
    pub(super) fn enough(&self) -> usize {
        self.want - self.taken.len()
    }

    /// Takes what was read of a walk.
    pub(super) fn read(&mut self, walk: usize, stretch: Stretch) {
        self.may_look = self.may_look.saturating_sub(stretch.looked);
        let walk = &mut self.walks[walk];
        walk.at = stretch.last.unwrap_or(walk.at);
        walk.over = stretch.over;
        walk.found.extend(stretch.found);
    }

    /// What came of it.
    pub(super) fn end(mut self) -> Walked {
        self.take();
        let goes_on = self.horizon();
        self.taken.truncate(self.want);
        Walked { numbers: self.taken, goes_on }
    }

    /// Grows in the direction of the walks.
    const fn rank(&self, number: u64) -> u64 {
        if self.newest_first { u64::MAX - number } else { number }
    }

    /// How far the walk has come that came least far; none where all are over.
    fn horizon(&self) -> Option<u64> {
        self.walks.iter().filter(|walk| !walk.over).map(|walk| walk.at).min_by_key(|at| self.rank(*at))
    }

    /// Takes what lies within the horizon: no walk can bring anything before it any more.
    fn take(&mut self) {
        let horizon = self.horizon().map_or(u64::MAX, |at| self.rank(at));
        let newest_first = self.newest_first;
        let rank = |number: u64| if newest_first { u64::MAX - number } else { number };
        let mut within = Vec::new();
        for walk in &mut self.walks {
            while let Some(number) = walk.found.pop_front_if(|number| rank(*number) <= horizon) {
                within.push(number);
            }
        }
        within.sort_unstable_by_key(|number| rank(*number));
        within.dedup();
        self.taken.append(&mut within);
    }
}
