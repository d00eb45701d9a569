//! How a stream's messages look: our own events, or the deals that another system's consumers know.

use domain::Event;
use domain::deal::recorded;

use crate::Fault;
use crate::address::{self, Address};
use crate::export::object;

/// What a stream holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Every event, as the file has it too.
    Events,
    /// Deals as system D publishes them: what was answered to the client, without an envelope.
    Deals,
}

/// One event as a message.
pub(super) struct Message {
    /// What follows the stream's first word.
    pub(super) subject: String,
    pub(super) payload: Vec<u8>,
}

impl Format {
    pub(super) fn of(address: &Address) -> Result<Self, Fault> {
        match address.word("format")? {
            None | Some("events") => Ok(Self::Events),
            Some("deals") => Ok(Self::Deals),
            Some(_) => Err(address.wrong("format must be events or deals")),
        }
    }

    /// The stream's name where none is given.
    pub(super) const fn stream(self) -> &'static str {
        match self {
            Self::Events => "TRADEWIND_EVENTS",
            Self::Deals => "DEALS",
        }
    }

    /// The first word of the subjects where none is given.
    pub(super) const fn subject(self) -> &'static str {
        match self {
            Self::Events => "tradewind",
            Self::Deals => "deal",
        }
    }

    /// What the subjects of a stream are behind their first word.
    pub(super) const fn wildcard(self) -> &'static str {
        match self {
            Self::Events => ">",
            Self::Deals => "*",
        }
    }

    /// What a stream is said to be for.
    pub(super) const fn description(self) -> &'static str {
        match self {
            Self::Events => "Tradewind: every committed event, in order",
            Self::Deals => "Tradewind: every deal that was posted or changed, in order",
        }
    }

    /// Whether the stream may have been begun by others, whose messages say nothing of our positions.
    pub(super) const fn is_of_others(self) -> bool {
        matches!(self, Self::Deals)
    }

    /// Whether there is a message for an event.
    pub(super) fn takes(self, event: &Event) -> bool {
        match self {
            Self::Events => true,
            Self::Deals => matches!(event.type_.as_str(), recorded::SUBJECT_CREATED | recorded::SUBJECT_UPDATED),
        }
    }

    /// An event as a message; none where it takes none.
    pub(super) fn message(self, event: &Event, epoch: u64) -> Result<Option<Message>, Fault> {
        let broken = |why: String| Fault::Broken(format!("event {}: {why}", event.seq));
        if self == Self::Deals {
            let published = recorded::published(event).map_err(|error| broken(error.to_string()))?;
            return Ok(published.map(|(subject, payload)| Message {
                subject: subject.rsplit('.').next().unwrap_or(subject).to_owned(),
                payload: payload.into_bytes(),
            }));
        }
        let tokens = || event.type_.split('.');
        if tokens().any(|token| token.is_empty() || !token.chars().all(address::plain)) {
            return Err(broken(format!("its type {:?} is no subject", event.type_)));
        }
        Ok(Some(Message { subject: event.type_.clone(), payload: object::write(event, epoch)? }))
    }
}
