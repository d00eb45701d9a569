//! The switch of one of the program's own queues: while it is off, no process hands out that queue's jobs.

use serde::{Deserialize, Serialize};

use crate::{Entity, EntityWrite, Expect, Kind, Owner, Timestamp};

/// What all switches hang on, so that one list finds them and no queue of messages.
pub const PARENT: &str = "own";

/// How a queue was switched last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switch {
    /// The queue's name, such as `swap.execute`.
    pub queue: String,
    /// Whether its jobs rest.
    pub paused: bool,
    /// The account that switched it.
    pub by: Owner,
    /// When.
    pub at: Timestamp,
    /// Of its row; 0 for one that was never switched.
    pub version: u64,
}

#[derive(Serialize, Deserialize)]
struct Body {
    by: Owner,
    at: Timestamp,
}

impl Switch {
    /// A queue that was never switched: it runs.
    #[must_use]
    pub fn untouched(queue: &str) -> Self {
        Self { queue: queue.to_owned(), paused: false, by: Owner::system(), at: Timestamp::default(), version: 0 }
    }

    /// The switch as the journal has it.
    ///
    /// # Errors
    /// Its body is not what this program writes.
    pub fn from_entity(entity: &Entity) -> Result<Self, serde_json::Error> {
        let Body { by, at } = serde_json::from_str(&entity.body)?;
        let (queue, paused) = (entity.id.clone(), entity.status == "paused");
        Ok(Self { queue, paused, by, at, version: entity.version })
    }

    /// The switch after it was turned; none when it stands so already.
    #[must_use]
    pub fn turned(&self, paused: bool, by: &Owner, now: Timestamp) -> Option<Self> {
        let turned = Self { queue: self.queue.clone(), paused, by: by.clone(), at: now, version: self.version + 1 };
        (self.paused != paused).then_some(turned)
    }

    /// The row after it was turned.
    #[must_use]
    pub fn write(&self) -> EntityWrite {
        let body = Body { by: self.by.clone(), at: self.at };
        EntityWrite {
            kind: Kind::Queue,
            id: self.queue.clone(),
            expect: match self.version {
                0 | 1 => Expect::Absent,
                version => Expect::Version(version - 1),
            },
            status: if self.paused { "paused" } else { "running" },
            owner: Owner::system(),
            party: None,
            parent: Some(PARENT.to_owned()),
            body: serde_json::to_string(&body).unwrap_or_default(),
            event: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_is_turned_once_and_keeps_who_did_it() {
        let (by, now) = (Owner::default(), Timestamp(7));
        let untouched = Switch::untouched("swap.execute");
        assert_eq!(untouched.turned(false, &by, now), None);
        let paused = untouched.turned(true, &by, now).expect("turned");
        let write = paused.write();
        assert_eq!((write.status, write.expect), ("paused", Expect::Absent));
        let entity = Entity {
            kind: write.kind,
            id: write.id,
            version: 1,
            status: write.status.to_owned(),
            owner: write.owner,
            party: None,
            parent: write.parent,
            body: write.body,
            created_seq: 1,
            created_at: now,
            updated_at: now,
        };
        let read = Switch::from_entity(&entity).expect("readable");
        assert_eq!(read, paused);
        let running = read.turned(false, &by, now).expect("turned back").write();
        assert_eq!((running.status, running.expect), ("running", Expect::Version(1)));
    }
}
