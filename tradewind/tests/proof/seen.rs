//! Events as somebody saw them: a subscriber, an export, the journal itself.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use domain::Event;
use serde_json::Value;
use tokio::sync::watch;

/// One event as it arrived. Of long runs nobody can keep all of them whole.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) seq: u64,
    pub(crate) id: String,
    pub(crate) version: u64,
    pub(crate) type_: String,
    /// Of the order's public view after it.
    digest: u64,
    /// That view itself, when the event ended the order.
    pub(crate) end: Option<Box<str>>,
}

/// What a subscriber saw.
pub(crate) struct Log {
    pub(crate) account: &'static str,
    /// The only orders it asked for, if it did.
    pub(crate) ids: Option<HashSet<String>>,
    /// The position it began after.
    pub(crate) start: u64,
    pub(crate) events: Vec<Seen>,
    /// How often it resumed.
    pub(crate) resumed: u32,
}

/// The last order of an account, once it is known: its end is the end of the account's log.
pub(crate) type Last = watch::Receiver<Option<String>>;

impl Seen {
    /// An event as the API sends it to `account`.
    pub(crate) fn of_envelope(text: &str, account: &str) -> Self {
        let event = parse(text);
        assert_eq!(event["owner"], account, "an event of somebody else");
        Self::read(seq(event["seq"].as_str().unwrap_or_else(|| panic!("no seq in {event}"))), &event)
    }

    /// An event as exports get it.
    pub(crate) fn of_export(text: &str) -> Self {
        let event = parse(text);
        Self::read(event["seq"].as_u64().unwrap_or_else(|| panic!("no seq in {event}")), &event)
    }

    /// An event as the journal has it.
    pub(crate) fn of_journal(event: &Event) -> Self {
        let body = parse(&event.body);
        let (id, type_) = (event.id.clone(), event.type_.to_string());
        Self { seq: event.seq, id, version: event.version, digest: digest(&body), end: end(&type_, &body), type_ }
    }

    /// Whether both are the same event with the same content.
    pub(crate) fn is(&self, other: &Self) -> bool {
        let all = |seen: &Self| (seen.seq, seen.version, seen.digest);
        all(self) == all(other) && self.id == other.id && self.type_ == other.type_
    }

    fn read(seq: u64, event: &Value) -> Self {
        let text = |name: &str| event[name].as_str().unwrap_or_else(|| panic!("no {name} in {event}")).to_owned();
        let (type_, data) = (text("type"), &event["data"]);
        let version = event["version"].as_u64().unwrap_or_else(|| panic!("no version in {event}"));
        Self { seq, id: text("id"), version, digest: digest(data), end: end(&type_, data), type_ }
    }
}

impl Log {
    pub(crate) const fn new(account: &'static str) -> Self {
        Self { account, ids: None, start: 0, events: Vec::new(), resumed: 0 }
    }

    /// Whether it has the end of the account's last order.
    pub(crate) fn ends(&self, last: &Last) -> bool {
        last.borrow().as_ref().is_some_and(|last| self.has_end_of(last))
    }

    /// Whether it has the end of that order.
    pub(crate) fn has_end_of(&self, id: &str) -> bool {
        self.events.iter().rev().any(|event| event.id == id && is_final(&event.type_))
    }
}

/// The number in `epoch-seq`.
pub(crate) fn seq(position: &str) -> u64 {
    let number = position.split_once('-').and_then(|(_, seq)| seq.parse().ok());
    number.unwrap_or_else(|| panic!("{position:?} is no position"))
}

/// Whether an event of that type ends its order.
pub(crate) fn is_final(type_: &str) -> bool {
    ["swap.confirmed", "swap.failed", "swap.cancelled", "swap.expired"].contains(&type_)
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text:?}"))
}

fn digest(data: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    data.to_string().hash(&mut hasher);
    hasher.finish()
}

fn end(type_: &str, data: &Value) -> Option<Box<str>> {
    is_final(type_).then(|| data.to_string().into())
}
