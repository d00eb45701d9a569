//! Since when an endpoint takes nothing any more: five days of that, and it is disabled.

use serde::{Deserialize, Serialize};

use crate::{Entity, EntityWrite, Expect, Kind, Owner, Timestamp};

/// How long an endpoint may fail: five days.
pub const MAY_FAIL_MICROS: i64 = 5 * 24 * 3_600 * 1_000_000;

/// How an endpoint fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It took what it was sent last.
    Well,
    /// Every request failed.
    Failing,
}

/// An endpoint's health: the whole state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// The row's version; 0 where there is none yet.
    pub version: u64,
    /// How it fares.
    pub state: State,
    /// Since when.
    pub since: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Body {
    since: Timestamp,
}

impl Health {
    /// The health of an endpoint of which nothing is known.
    #[must_use]
    pub const fn unknown() -> Self {
        Self { version: 0, state: State::Well, since: Timestamp(i64::MIN) }
    }

    /// Whether it has failed for too long at `now`.
    #[must_use]
    pub const fn is_hopeless(&self, now: Timestamp) -> bool {
        matches!(self.state, State::Failing) && now.0.saturating_sub(self.since.0) >= MAY_FAIL_MICROS
    }

    /// The same row with another state.
    #[must_use]
    pub fn turned(&self, state: State, since: Timestamp) -> Self {
        Self { version: self.version + 1, state, since }
    }

    /// What the journal is to keep.
    #[must_use]
    pub fn write(&self, endpoint: &str, account: &Owner) -> EntityWrite {
        EntityWrite {
            kind: Kind::Health,
            id: endpoint.to_owned(),
            expect: if self.version <= 1 { Expect::Absent } else { Expect::Version(self.version - 1) },
            status: match self.state {
                State::Well => "well",
                State::Failing => "failing",
            },
            owner: account.clone(),
            party: None,
            parent: Some(endpoint.to_owned()),
            body: serde_json::to_string(&Body { since: self.since }).unwrap_or_default(),
            event: None,
        }
    }

    /// Reads the health from its row in the journal.
    ///
    /// # Errors
    /// A body that no release of this program wrote.
    pub fn from_entity(entity: &Entity) -> Result<Self, serde_json::Error> {
        let Body { since } = serde_json::from_str(&entity.body)?;
        let state = if entity.status == "failing" { State::Failing } else { State::Well };
        Ok(Self { version: entity.version, state, since })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_days_of_nothing_but_failures_are_too_long() {
        let failing = Health::unknown().turned(State::Failing, Timestamp(0));
        assert!(!failing.is_hopeless(Timestamp(MAY_FAIL_MICROS - 1)));
        assert!(failing.is_hopeless(Timestamp(MAY_FAIL_MICROS)));
        assert!(!failing.turned(State::Well, Timestamp(0)).is_hopeless(Timestamp(MAY_FAIL_MICROS)));
    }
}
