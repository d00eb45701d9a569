//! Which events an endpoint wants: `*`, `deal.*`, `deal.updated`, `deal.updated.*`, `deal.updated.totalPrice`.

use std::cell::OnceCell;
use std::collections::HashSet;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::event_types::{self, EventType};
use crate::{Event, Kind};

/// The longest name of a field that a pattern may have.
const LONGEST_FIELD: usize = 64;

/// A wish for events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// `*`: all that webhooks may tell.
    All,
    /// `deal.*`: all about one kind of thing.
    Kind(Kind),
    /// `deal.updated`: all of one type.
    Type(&'static str),
    /// `deal.updated.*`: those of one type in which some field changed.
    AnyField(&'static str),
    /// `deal.updated.totalPrice`: those of one type in which this field changed.
    Field(&'static str, String),
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// A sentence for the caller; where a type is unknown it names those that there are.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "*" {
            return Ok(Self::All);
        }
        if let Some(known) = for_webhooks(text) {
            return Ok(Self::Type(known.name));
        }
        let unknown = || {
            let shown: String = text.chars().take(LONGEST_FIELD).collect();
            let names: Vec<_> = offered().map(|one| one.name).collect();
            format!(
                "{shown:?} is no pattern: expected *, a kind such as deal.*, or one of {}, which may be followed by .* or by \
                 a field that changes",
                names.join(", ")
            )
        };
        let (before, last) = text.rsplit_once('.').ok_or_else(unknown)?;
        if let Some(known) = for_webhooks(before) {
            let plain = (1..=LONGEST_FIELD).contains(&last.len()) && last.bytes().all(|b| b.is_ascii_alphanumeric());
            return match last {
                "*" => Ok(Self::AnyField(known.name)),
                _ if plain => Ok(Self::Field(known.name, last.to_owned())),
                _ => Err(format!("a field has 1 to {LONGEST_FIELD} letters and digits")),
            };
        }
        let kind = offered().find(|one| one.business && one.kind.as_str() == before).filter(|_| last == "*");
        kind.map(|one| Self::Kind(one.kind)).ok_or_else(unknown)
    }

    /// Whether an event is wanted.
    #[must_use]
    pub fn wants(&self, news: &News<'_>) -> bool {
        let Event { kind, type_, .. } = news.event;
        match self {
            Self::All => true,
            Self::Kind(wanted) => kind == wanted,
            Self::Type(wanted) => type_ == wanted,
            Self::AnyField(wanted) => type_ == wanted && !news.changed().is_empty(),
            Self::Field(wanted, field) => type_ == wanted && news.changed().contains(field),
        }
    }
}

/// An event that webhooks may tell, and what changed in it, which is looked at only when a pattern asks.
pub struct News<'a> {
    event: &'a Event,
    changed: OnceCell<HashSet<String>>,
}

impl<'a> News<'a> {
    /// What webhooks may tell of an event: all of the trade, and of the installation only that an endpoint was disabled.
    #[must_use]
    pub fn of(event: &'a Event) -> Option<Self> {
        let inner = matches!(event.kind, Kind::Key | Kind::Endpoint | Kind::Limits | Kind::Trading)
            || event.kind.is_bookkeeping();
        (!inner || for_webhooks(&event.type_).is_some()).then_some(Self { event, changed: OnceCell::new() })
    }

    /// The event.
    #[must_use]
    pub const fn event(&self) -> &'a Event {
        self.event
    }

    fn changed(&self) -> &HashSet<String> {
        #[derive(Default, Deserialize)]
        struct Body {
            #[serde(default)]
            changed: std::collections::HashMap<String, de::IgnoredAny>,
        }
        self.changed.get_or_init(|| {
            let body: Body = serde_json::from_str(&self.event.body).unwrap_or_default();
            body.changed.into_keys().collect()
        })
    }
}

fn offered() -> impl Iterator<Item = &'static EventType> {
    event_types::ALL.iter().filter(|one| one.is_for_webhooks())
}

fn for_webhooks(name: &str) -> Option<&'static EventType> {
    event_types::find(name).filter(|one| one.is_for_webhooks())
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::Kind(kind) => write!(f, "{kind}.*"),
            Self::Type(name) => f.write_str(name),
            Self::AnyField(name) => write!(f, "{name}.*"),
            Self::Field(name, field) => write!(f, "{name}.{field}"),
        }
    }
}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
