//! Which endpoints there are and who sees whose deals, as far as the relay has followed the log.
//!
//! The book is loaded when the relay takes over, and from then on kept by the events that pass: so each event is judged by
//! what held when it happened, however late that is.

use std::collections::HashMap;

use domain::webhook::News;
use domain::webhook::Pattern;
use domain::webhook::endpoint::{Endpoint, Format, Status};
use domain::{Audience, Event, Kind, Owner};
use serde::Deserialize;

use super::payload;
use crate::audiences::Audiences;

/// An endpoint, as far as it matters to the making of deliveries.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    pub(super) id: String,
    status: String,
    patterns: Vec<Pattern>,
    format: Format,
    pub(super) ordered: bool,
}

impl Entry {
    pub(super) fn of(endpoint: &Endpoint) -> Self {
        Self {
            id: endpoint.id.clone(),
            status: endpoint.status.as_str().to_owned(),
            patterns: endpoint.patterns.clone(),
            format: endpoint.format,
            ordered: endpoint.ordered,
        }
    }

    /// The endpoint after an event about it.
    pub(super) fn after(event: &Event) -> Result<Self, serde_json::Error> {
        serde_json::from_str(&event.body)
    }

    fn is(&self, status: Status) -> bool {
        self.status == status.as_str()
    }
}

/// The book.
#[derive(Default)]
pub(super) struct Book {
    accounts: HashMap<Owner, Vec<Entry>>,
    /// What the accounts with endpoints see.
    audiences: Audiences,
}

impl Book {
    /// Enters an endpoint as it is now, or strikes it off. True if its account's audience has to be read, and taken in with
    /// [`Book::take_in`].
    pub(super) fn enter(&mut self, account: &Owner, entry: Entry) -> bool {
        let stood = self.accounts.contains_key(account);
        let entries = self.accounts.entry(account.clone()).or_default();
        entries.retain(|known| known.id != entry.id);
        if !entry.is(Status::Deleted) {
            entries.push(entry);
        }
        let stands = !entries.is_empty();
        if !stands {
            self.accounts.remove(account);
        }
        match (stood, stands) {
            (false, true) => self.audiences.hold(account),
            (true, false) => {
                self.audiences.release(account);
                false
            }
            _ => false,
        }
    }

    /// Takes in what an account sees.
    pub(super) fn take_in(&mut self, audience: &Audience) {
        self.audiences.take_in(audience);
    }

    /// Hears an event: a seller may have said whether a buyer sees its deals.
    pub(super) fn hear(&mut self, event: &Event) {
        self.audiences.hear(event);
    }

    /// The endpoints that an event goes to, with their accounts.
    pub(super) fn wanted_by(&self, event: &Event) -> Vec<(&Owner, &Entry)> {
        let Some(news) = News::of(event) else { return Vec::new() };
        let concerned = [Some(&event.owner), event.party.as_ref().filter(|party| **party != event.owner)];
        let authorised = self.audiences.authorised_by(&event.owner);
        let authorised = authorised.filter(|account| event.kind == Kind::Deal && !concerned.contains(&Some(account)));
        let mut found = Vec::new();
        for account in concerned.into_iter().flatten().chain(authorised) {
            let Some((account, entries)) = self.accounts.get_key_value(account) else { continue };
            let wanted = entries
                .iter()
                .filter(|entry| entry.is(Status::Active) && payload::has_news(&entry.patterns, entry.format, &news));
            found.extend(wanted.map(|entry| (account, entry)));
        }
        found
    }

    /// How many endpoints there are that get events, and that do not.
    pub(super) fn counts(&self) -> (usize, usize) {
        let all = self.accounts.values().flatten();
        let (active, others): (Vec<_>, Vec<_>) = all.partition(|entry| entry.is(Status::Active));
        (active.len(), others.len())
    }
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;

    use super::*;

    fn owner(name: &str) -> Owner {
        Owner::parse(name).expect("a name")
    }

    fn entry(id: &str, status: Status, pattern: &str) -> Entry {
        Entry {
            id: id.to_owned(),
            status: status.as_str().to_owned(),
            patterns: vec![Pattern::parse(pattern).expect("a pattern")],
            format: Format::Standard,
            ordered: false,
        }
    }

    fn event(kind: Kind, type_: &str, of: &str, party: Option<&str>, body: &str) -> Event {
        let (owner, party) = (owner(of), party.map(owner));
        Event {
            seq: 1,
            kind,
            id: "1".into(),
            version: 1,
            type_: type_.into(),
            owner,
            party,
            body: body.into(),
            at: Timestamp(0),
        }
    }

    #[test]
    fn an_event_goes_to_those_who_see_it_and_want_it_and_to_each_once() {
        let mut book = Book::default();
        assert!(book.enter(&owner("seller"), entry("s", Status::Active, "*")));
        assert!(book.enter(&owner("buyer"), entry("b1", Status::Active, "deal.*")));
        assert!(!book.enter(&owner("buyer"), entry("b2", Status::Active, "bid.*")));
        assert!(book.enter(&owner("stranger"), entry("x", Status::Active, "*")));
        book.take_in(&Audience { account: owner("buyer"), sellers: [owner("another"), owner("seller")].into() });
        let to = |book: &Book, event: &Event| {
            let mut ids: Vec<_> = book.wanted_by(event).into_iter().map(|(_, entry)| entry.id.clone()).collect();
            ids.sort();
            ids
        };
        let deal = event(Kind::Deal, "deal.created", "seller", None, "{}");
        let bid = event(Kind::Bid, "bid.offered", "buyer", Some("seller"), "{}");
        assert_eq!(to(&book, &deal), ["b1", "s"]);
        assert_eq!(to(&book, &bid), ["b2", "s"]);
        assert_eq!(to(&book, &event(Kind::Deal, "deal.created", "seller", Some("buyer"), "{}")), ["b1", "s"]);
        assert!(to(&book, &event(Kind::Key, "key.created", "seller", None, "{}")).is_empty());
        book.enter(&owner("seller"), entry("s", Status::Disabled, "*"));
        assert_eq!((to(&book, &deal), book.counts()), (vec!["b1".to_owned()], (3, 1)));
        let revoked = event(Kind::Authorisation, "authorisation.revoked", "seller", Some("buyer"), "{}");
        book.hear(&revoked);
        assert!(to(&book, &deal).is_empty());
        let granted = Event { type_: "authorisation.granted".into(), ..revoked };
        book.hear(&granted);
        assert_eq!(to(&book, &deal), ["b1"]);
        book.enter(&owner("buyer"), entry("b1", Status::Deleted, "*"));
        book.enter(&owner("buyer"), entry("b2", Status::Deleted, "*"));
        book.hear(&granted);
        assert!(to(&book, &deal).is_empty() && !book.audiences.knows(&owner("buyer")));
    }
}
