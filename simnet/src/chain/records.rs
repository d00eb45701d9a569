//! What a chain remembers of the transactions that its slots hold.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::{Brief, Landed, Signature};
use crate::{BLOCKHASH_SLOTS, Retention};

/// The most transactions that are remembered in full: about 3 KiB each.
const FULL: usize = 20_000;

/// The most that a chain which keeps everything remembers in brief; then it takes no more.
const EVERYTHING: usize = 2_000_000;

/// The most that any other chain remembers, but for those whose blockhashes are still good.
const RECENT: usize = 50_000;

pub(super) struct Records {
    retention: Retention,
    /// In the order of their execution; those before were forgotten.
    briefs: VecDeque<Arc<Brief>>,
    forgotten: usize,
    by_signature: HashMap<Signature, Arc<Brief>>,
    full: HashMap<Signature, Arc<Landed>>,
    /// Those in full, the oldest first.
    ages: VecDeque<Signature>,
}

impl Records {
    pub(super) fn new(retention: Retention) -> Self {
        Self {
            retention,
            briefs: VecDeque::new(),
            forgotten: 0,
            by_signature: HashMap::new(),
            full: HashMap::new(),
            ages: VecDeque::new(),
        }
    }

    pub(super) fn has_room(&self, waiting: usize) -> bool {
        self.briefs.len() + waiting < EVERYTHING
    }

    pub(super) fn keep(&mut self, brief: Brief, landed: Landed) {
        let brief = Arc::new(brief);
        self.briefs.push_back(Arc::clone(&brief));
        self.full.insert(brief.signature, Arc::new(landed));
        self.ages.push_back(brief.signature);
        self.by_signature.insert(brief.signature, brief);
        while self.ages.len() > FULL {
            if let Some(oldest) = self.ages.pop_front() {
                self.full.remove(&oldest);
            }
        }
    }

    /// Takes one back that a fork has undone: it is among the newest.
    pub(super) fn undo(&mut self, signature: &Signature) {
        self.by_signature.remove(signature);
        self.full.remove(signature);
        if let Some(place) = self.briefs.iter().rposition(|brief| brief.signature == *signature) {
            self.briefs.remove(place);
        }
        if let Some(place) = self.ages.iter().rposition(|known| known == signature) {
            self.ages.remove(place);
        }
    }

    /// Forgets the oldest, unless everything is kept or their blockhashes are still good.
    pub(super) fn forget(&mut self, slot: u64) {
        if self.retention == Retention::Everything {
            return;
        }
        while self.briefs.len() > RECENT
            && let Some(oldest) = self.briefs.pop_front_if(|brief| brief.slot + 2 * BLOCKHASH_SLOTS < slot)
        {
            self.forgotten += 1;
            self.by_signature.remove(&oldest.signature);
        }
    }

    pub(super) fn brief(&self, signature: &Signature) -> Option<&Arc<Brief>> {
        self.by_signature.get(signature)
    }

    pub(super) fn landed(&self, signature: &Signature) -> Option<Arc<Landed>> {
        self.full.get(signature).cloned()
    }

    pub(super) fn page(&self, after: usize, limit: usize) -> (Vec<Arc<Brief>>, usize) {
        let skipped = after.saturating_sub(self.forgotten);
        let page = self.briefs.iter().skip(skipped).take(limit).cloned().collect();
        (page, self.forgotten + self.briefs.len())
    }
}
