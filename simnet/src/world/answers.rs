//! Answers that are kept while the pools stand where they stood: the same question again costs a look-up.

use std::collections::HashMap;
use std::sync::Arc;

use super::Quote;
use crate::{Amount, Venue};

/// The most answers that are kept.
const KEPT: usize = 8_192;

/// A question: where, the two tokens, the mode and the amount.
pub(super) type Key = (Venue, u16, u16, bool, u64);

/// A quote, or why there is none.
pub(super) type Answer = Result<Arc<Quote>, Arc<str>>;

/// The answers of one state of the pools.
#[derive(Debug, Default)]
pub(super) struct Answers {
    version: u64,
    kept: HashMap<Key, Answer>,
}

pub(super) const fn key(venue: Venue, (input, output): (u16, u16), amount: Amount) -> Key {
    (venue, input, output, matches!(amount, Amount::In(_)), amount.units())
}

impl Answers {
    pub(super) fn get(&self, version: u64, key: &Key) -> Option<Answer> {
        self.kept.get(key).filter(|_| self.version == version).cloned()
    }

    /// Keeps an answer that was computed on that state of the pools, unless a newer one has answers already.
    pub(super) fn keep(&mut self, version: u64, key: Key, answer: Answer) {
        if version < self.version {
            return;
        }
        if version > self.version || self.kept.len() >= KEPT {
            self.kept.clear();
            self.version = version;
        }
        self.kept.insert(key, answer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_those_of_the_newest_state() {
        let mut answers = Answers::default();
        let key = |amount| key(Venue::Raydium, (1, 2), Amount::In(amount));
        answers.keep(1, key(5), Err("old".into()));
        assert_eq!(answers.get(1, &key(5)), Some(Err("old".into())));
        assert_eq!(answers.get(2, &key(5)), None);
        answers.keep(2, key(6), Err("new".into()));
        answers.keep(1, key(7), Err("late".into()));
        assert_eq!((answers.get(2, &key(5)), answers.get(2, &key(7))), (None, None));
        for amount in 0..100_000 {
            answers.keep(2, key(amount), Err("many".into()));
        }
        assert!(answers.kept.len() <= KEPT);
    }
}
