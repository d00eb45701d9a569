//! What a queue is to do, in the plainest way: all messages that there ever were in one list.

use domain::queue::Outgoing;

const WINDOW: i64 = 300_000_000;

/// By what the model goes; times are microseconds.
pub(super) struct Rules {
    pub(super) fifo: bool,
    /// Duplicates are looked for within a group.
    pub(super) by_group: bool,
    pub(super) retention: i64,
    pub(super) max_receives: u32,
}

pub(super) struct Model {
    rules: Rules,
    messages: Vec<Held>,
    /// Messages that died, in order.
    pub(super) dead: Vec<usize>,
    /// How many were handed out.
    pub(super) received: usize,
}

struct Held {
    what: Outgoing,
    sent_at: i64,
    visible_at: i64,
    count: u32,
    token: u64,
    here: bool,
}

/// A message that is to be handed out.
pub(super) struct Expected {
    pub(super) message: usize,
    pub(super) count: u32,
    pub(super) token: u64,
}

/// What is to come of a hand-out that is settled.
pub(super) enum Settled {
    Done,
    Gone,
    Late,
}

impl Model {
    pub(super) fn new(rules: Rules) -> Self {
        Self { rules, messages: Vec::new(), dead: Vec::new(), received: 0 }
    }

    pub(super) fn text(&self, message: usize) -> &str {
        &self.messages[message].what.body
    }

    pub(super) fn count(&self) -> usize {
        self.messages.iter().filter(|one| one.here).count()
    }

    /// The message that it becomes, or that it duplicates.
    pub(super) fn send(&mut self, what: Outgoing, now: i64) -> usize {
        let same = |one: &Held| {
            let group = !self.rules.by_group || one.what.group == what.group;
            one.what.dedup.is_some() && one.what.dedup == what.dedup && group && one.sent_at + WINDOW > now
        };
        if let Some(earlier) = self.messages.iter().rposition(same) {
            return earlier;
        }
        let held = Held { what, sent_at: now, visible_at: now, count: 0, token: 0, here: true };
        self.messages.push(held);
        self.messages.len() - 1
    }

    pub(super) fn receive(&mut self, limit: usize, hide: i64, now: i64) -> Vec<Expected> {
        loop {
            let chosen = self.choose(limit, now);
            if chosen.is_empty() {
                return Vec::new();
            }
            let mut expected = Vec::new();
            for message in chosen {
                let one = &mut self.messages[message];
                (one.count, one.token, one.visible_at) = (one.count + 1, one.token + 1, now + hide);
                let over = (one.sent_at / 1_000) * 1_000 + self.rules.retention <= (now / 1_000) * 1_000;
                let dead = one.count > self.rules.max_receives;
                if over || dead {
                    one.here = false;
                    self.dead.extend((!over).then_some(message));
                } else {
                    expected.push(Expected { message, count: one.count, token: one.token });
                }
            }
            if !expected.is_empty() {
                self.received += expected.len();
                return expected;
            }
        }
    }

    /// Those that can be received: from each group the oldest and those that follow, up to the first that is hidden. The group
    /// whose oldest has been visible for longest comes first.
    fn choose(&self, limit: usize, now: i64) -> Vec<usize> {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for (message, _) in self.messages.iter().enumerate().filter(|(_, one)| one.here) {
            let mate = |group: &&mut Vec<usize>| {
                self.rules.fifo && self.messages[group[0]].what.group == self.messages[message].what.group
            };
            match groups.iter_mut().find(mate) {
                Some(group) => group.push(message),
                None => groups.push(vec![message]),
            }
        }
        groups.sort_by_key(|group| (self.messages[group[0]].visible_at, group[0]));
        let visible = |message: &usize| self.messages[*message].visible_at <= now;
        groups.into_iter().flat_map(|group| group.into_iter().take_while(visible)).take(limit).collect()
    }

    pub(super) fn delete(&mut self, message: usize, token: u64, now: i64) -> Settled {
        let late_counts = !self.rules.fifo;
        let one = &self.messages[message];
        if one.here && one.token != token && !late_counts {
            return Settled::Late;
        }
        let settled = self.settle(message, token, now, late_counts);
        if matches!(settled, Settled::Done) {
            self.messages[message].here = false;
        }
        settled
    }

    pub(super) fn show_at(&mut self, message: usize, token: u64, at: i64, now: i64) -> Settled {
        let settled = self.settle(message, token, now, false);
        if matches!(settled, Settled::Done) {
            self.messages[message].visible_at = at;
        }
        settled
    }

    fn settle(&self, message: usize, token: u64, now: i64, late_counts: bool) -> Settled {
        let one = &self.messages[message];
        match () {
            () if !one.here || one.token != token => Settled::Gone,
            () if one.visible_at <= now && !late_counts => Settled::Late,
            () => Settled::Done,
        }
    }
}
