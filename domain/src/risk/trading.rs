//! Whether anything is traded: one state for the whole installation.

use serde::{Deserialize, Serialize};

use crate::swap::Ask;
use crate::token::Registry;
use crate::view::event_body;
use crate::{Change, Entity, EntityWrite, EventDraft, Expect, Kind, Owner, Refusal, Timestamp};

/// The id of the one row.
pub const TRADING: &str = "trading";
/// The longest reason, in bytes.
const LONGEST_REASON: usize = 500;

/// What is traded. What was submitted comes to its end in every state: nothing stops a confirmation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum State {
    /// Everything.
    #[default]
    Active,
    /// Only what leads into a settlement token.
    Reducing,
    /// Nothing new.
    Halted,
}

impl State {
    /// Every state, from the freest on.
    pub const ALL: [Self; 3] = [Self::Active, Self::Reducing, Self::Halted];

    /// The word in the journal and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Reducing => "reducing",
            Self::Halted => "halted",
        }
    }

    /// The state of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether a swap may be taken on, and a transaction built for it.
    ///
    /// # Errors
    /// `TRADING_HALTED`, `TRADING_STATE_REDUCING`.
    pub fn judge(self, ask: &Ask, tokens: &Registry) -> Result<(), Refusal> {
        match self {
            Self::Active => Ok(()),
            Self::Reducing if tokens.get(&ask.output).is_some_and(|token| token.settlement) => Ok(()),
            Self::Reducing => {
                let why = "only orders into a settlement token are taken now; GET /v1/tokens says which those are";
                Err(Refusal::at("/outputToken", "TRADING_STATE_REDUCING", why))
            }
            Self::Halted => Err(Refusal::new("TRADING_HALTED", "trading is halted: no order is taken now")),
        }
    }
}

/// The state as the journal has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trading {
    /// What is traded.
    pub state: State,
    /// Why, for people.
    pub reason: Option<String>,
    /// The account that set it.
    pub set_by: Owner,
    /// When it was set first.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Of its row; 0 where it was never set.
    pub version: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    set_by: Owner,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View<'a> {
    id: &'static str,
    version: u64,
    status: &'static str,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    set_by: Option<&'a Owner>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<Timestamp>,
}

impl Trading {
    /// The state before anybody set one: everything is traded.
    #[must_use]
    pub fn untouched() -> Self {
        let at = Timestamp::default();
        let (state, reason, set_by) = (State::Active, None, Owner::system());
        Self { state, reason, set_by, created_at: at, updated_at: at, version: 0 }
    }

    /// The state that an entity is.
    ///
    /// # Errors
    /// The entity is not what this program writes.
    pub fn from_entity(entity: &Entity) -> Result<Self, serde_json::Error> {
        let Body { reason, set_by } = serde_json::from_str(&entity.body)?;
        let wrong = || <serde_json::Error as serde::de::Error>::custom("no such state");
        let state = State::parse(&entity.status).ok_or_else(wrong)?;
        let (created_at, updated_at) = (entity.created_at, entity.updated_at);
        Ok(Self { state, reason, set_by, created_at, updated_at, version: entity.version })
    }

    /// What the world sees.
    #[must_use]
    pub fn view_json(&self) -> String {
        let was_set = self.version > 0;
        let view = View {
            id: TRADING,
            version: self.version,
            status: self.state.as_str(),
            state: self.state.as_str(),
            reason: self.reason.as_deref(),
            set_by: was_set.then_some(&self.set_by),
            created_at: was_set.then_some(self.created_at),
            updated_at: was_set.then_some(self.updated_at),
        };
        serde_json::to_string(&view).unwrap_or_default()
    }
}

/// Sets the state. Nothing changes where it was set so already, for that reason. The book is for the caller to add.
///
/// # Errors
/// `NOTE_MALFORMED`.
pub fn turn(
    before: &Trading,
    state: State,
    reason: Option<String>,
    by: &Owner,
    now: Timestamp,
) -> Result<(Trading, Change), Refusal> {
    if reason.as_ref().is_some_and(|reason| !(1..=LONGEST_REASON).contains(&reason.len())) {
        return Err(Refusal::at("/reason", "NOTE_MALFORMED", format!("a reason has 1 to {LONGEST_REASON} bytes")));
    }
    if before.version > 0 && (before.state, &before.reason) == (state, &reason) {
        return Ok((before.clone(), Change { at: now, ..Change::default() }));
    }
    let (version, set_by) = (before.version + 1, by.clone());
    let created_at = if before.version == 0 { now } else { before.created_at };
    let after = Trading { state, reason, set_by, created_at, updated_at: now, version };
    let body = Body { reason: after.reason.clone(), set_by: by.clone() };
    let write = EntityWrite {
        kind: Kind::Trading,
        id: TRADING.to_owned(),
        expect: if before.version == 0 { Expect::Absent } else { Expect::Version(before.version) },
        status: state.as_str(),
        owner: Owner::system(),
        party: None,
        parent: None,
        body: serde_json::to_string(&body).unwrap_or_default(),
        event: Some(EventDraft {
            type_: "trading.changed",
            body: event_body((before.version > 0).then(|| before.view_json()).as_deref(), &after.view_json(), by),
        }),
    };
    Ok((after, Change { at: now, entities: vec![write], ..Change::default() }))
}
