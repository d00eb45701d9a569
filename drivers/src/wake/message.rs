//! What goes over the wire: a JSON object that stays far below the 8,000 bytes of PostgreSQL, and the hints it is made of.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Hint;

/// How many bytes of queue names a message holds; more than that are "all queues".
const NAMES_LIMIT: usize = 4_000;

/// A message of one port to all others of its installation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Message {
    /// Which port sent it, so that it passes over its own.
    pub(super) from: String,
    /// The newest event's number; 0 when there is no new one.
    pub(super) head: u64,
    /// Queues that got runnable jobs.
    #[serde(default)]
    pub(super) queues: Vec<String>,
    /// Any queue may have got some.
    #[serde(default)]
    pub(super) all: bool,
}

/// Hints that wait to be sent, joined into one: it stays small however many there are.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    any: bool,
    head: u64,
    queues: BTreeSet<String>,
    names: usize,
    all: bool,
}

impl Waiting {
    /// Joins a hint to those that wait.
    pub(super) fn join(&mut self, head: u64, queues: &[String]) {
        self.any = true;
        self.head = self.head.max(head);
        for queue in queues {
            if !self.all && !self.queues.contains(queue) {
                // As they stand in JSON: at worst six bytes for one.
                self.names += 6 * queue.len() + 3;
                self.queues.insert(queue.clone());
            }
            self.all |= self.names > NAMES_LIMIT;
        }
        if self.all {
            self.queues.clear();
        }
    }

    /// Puts back a message that could not be sent.
    pub(super) fn put_back(&mut self, message: &Message) {
        self.join(message.head, &message.queues);
        self.all |= message.all;
    }

    /// Everything that waits as one message; none when nothing does.
    pub(super) fn take(&mut self, from: &str) -> Option<Message> {
        let Self { any, head, queues, all, .. } = std::mem::take(self);
        let queues = if all { Vec::new() } else { queues.into_iter().collect() };
        any.then(|| Message { from: from.to_owned(), head, queues, all })
    }
}

impl Message {
    pub(super) fn hint(self) -> Hint {
        Hint { head: self.head, queues: self.queues }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize, name: &str) -> Vec<String> {
        (0..count).map(|n| format!("{name}{n}")).collect()
    }

    #[test]
    fn many_hints_are_one_message() {
        let mut waiting = Waiting::default();
        assert_eq!(waiting.take("me"), None);
        waiting.join(7, &names(2, "q"));
        waiting.join(3, &names(1, "q"));
        let message = waiting.take("me").expect("a message");
        assert_eq!(message, Message { from: "me".to_owned(), head: 7, queues: names(2, "q"), all: false });
        assert_eq!(waiting.take("me"), None);
        waiting.put_back(&message);
        waiting.join(9, &[]);
        assert_eq!(waiting.take("me"), Some(Message { head: 9, ..message }));
    }

    #[test]
    fn a_message_stays_small() {
        for (count, name) in
            [(10_000, "queue"), (200, "\u{1}\u{1}\u{1}"), (1, &"ä".repeat(5_000) as &str), (60, "\"\\")]
        {
            let mut waiting = Waiting::default();
            waiting.join(u64::MAX, &names(count, name));
            let message = waiting.take(&"f".repeat(36)).expect("a message");
            let length = serde_json::to_string(&message).expect("JSON").len();
            assert!(length < 8_000, "{length} bytes");
            assert!(message.all || message.queues.len() == count);
        }
    }
}
