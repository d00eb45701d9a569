//! Who may see whose deals, for the accounts that somebody here asks for: kept up with the log, in both directions.
//!
//! Whoever reads the log in order holds an account, then reads its [`Audience`] from the journal, then has it taken in;
//! and has every event heard from the holding on. What was heard meanwhile is newer than what was read, so that from the
//! taking in on the account's sellers are those of the log's position. What an event costs does not grow with the
//! authorisations that there are, only with those who hold an account that it concerns.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use domain::{Audience, Event, Kind, Owner};

/// The type of the event with which a seller lets a buyer in; any other of its kind takes the leave back.
const GRANTED: &str = "authorisation.granted";

/// The accounts that are held, and who authorised them.
#[derive(Default)]
pub(crate) struct Audiences {
    accounts: HashMap<Owner, Held>,
    /// Of each seller, the held accounts that may see its deals.
    by_seller: HashMap<Owner, HashSet<Owner>>,
}

#[derive(Default)]
struct Held {
    holders: usize,
    /// Whether its audience was taken in.
    known: bool,
    sellers: HashSet<Owner>,
    /// What the log said since it is held: whether a seller's leave stands.
    heard: HashMap<Owner, bool>,
}

impl Audiences {
    /// Holds an account once more. True if its audience has to be read and taken in before it is asked for.
    pub(crate) fn hold(&mut self, account: &Owner) -> bool {
        let held = self.accounts.entry(account.clone()).or_default();
        held.holders += 1;
        !held.known
    }

    /// Lets go of an account once; nobody who holds it is left, it is forgotten.
    pub(crate) fn release(&mut self, account: &Owner) {
        let Entry::Occupied(mut held) = self.accounts.entry(account.clone()) else { return };
        held.get_mut().holders -= 1;
        if held.get().holders == 0 {
            let sellers = held.remove().sellers;
            sellers.iter().for_each(|seller| self.unlink(seller, account));
        }
    }

    /// Takes in what was read after the account was held. An account that is not held any more is passed over.
    pub(crate) fn take_in(&mut self, audience: &Audience) {
        let Some(held) = self.accounts.get_mut(&audience.account) else { return };
        held.known = true;
        let heard = &held.heard;
        let read = audience.sellers.iter().filter(|seller| heard.get(*seller) != Some(&false));
        let later = heard.iter().filter(|(_, stands)| **stands).map(|(seller, _)| seller);
        let sellers: HashSet<Owner> = read.chain(later).cloned().collect();
        let before = std::mem::replace(&mut held.sellers, sellers.clone());
        before.difference(&sellers).for_each(|seller| self.unlink(seller, &audience.account));
        for seller in sellers {
            self.by_seller.entry(seller).or_default().insert(audience.account.clone());
        }
    }

    /// Hears an event, in the order of the log: what follows it is judged by what it says.
    pub(crate) fn hear(&mut self, event: &Event) {
        let (Kind::Authorisation, seller, Some(buyer)) = (event.kind, &event.owner, &event.party) else { return };
        let Some(held) = self.accounts.get_mut(buyer) else { return };
        let stands = event.type_ == GRANTED;
        held.heard.insert(seller.clone(), stands);
        if stands {
            held.sellers.insert(seller.clone());
            self.by_seller.entry(seller.clone()).or_default().insert(buyer.clone());
        } else {
            held.sellers.remove(seller);
            self.unlink(seller, buyer);
        }
    }

    /// Events were passed over unheard: every audience has to be read again before it is asked for.
    pub(crate) fn miss(&mut self) {
        self.by_seller.clear();
        for held in self.accounts.values_mut() {
            *held = Held { holders: held.holders, ..Held::default() };
        }
    }

    /// Whether the account's audience is taken in.
    pub(crate) fn knows(&self, account: &Owner) -> bool {
        self.accounts.get(account).is_some_and(|held| held.known)
    }

    /// Whether a held account may see an event, by what has been heard so far.
    pub(crate) fn sees(&self, account: &Owner, event: &Event) -> bool {
        let authorised = || self.accounts.get(account).is_some_and(|held| held.sellers.contains(&event.owner));
        event.owner == *account || event.party.as_ref() == Some(account) || (event.kind == Kind::Deal && authorised())
    }

    /// The held accounts that may see a seller's deals, besides itself; each once.
    pub(crate) fn authorised_by(&self, seller: &Owner) -> impl Iterator<Item = &Owner> {
        self.by_seller.get(seller).into_iter().flatten()
    }

    fn unlink(&mut self, seller: &Owner, account: &Owner) {
        if let Entry::Occupied(mut accounts) = self.by_seller.entry(seller.clone()) {
            accounts.get_mut().remove(account);
            if accounts.get().is_empty() {
                accounts.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;

    use super::*;

    fn owner(name: &str) -> Owner {
        Owner::parse(name).expect("a name")
    }

    fn event(kind: Kind, type_: &str, of: &str, party: Option<&str>) -> Event {
        Event {
            seq: 1,
            kind,
            id: "x".to_owned(),
            version: 1,
            type_: type_.to_owned(),
            owner: owner(of),
            party: party.map(owner),
            body: "{}".to_owned(),
            at: Timestamp(0),
        }
    }

    fn granted(seller: &str, buyer: &str) -> Event {
        event(Kind::Authorisation, "authorisation.granted", seller, Some(buyer))
    }

    fn revoked(seller: &str, buyer: &str) -> Event {
        event(Kind::Authorisation, "authorisation.revoked", seller, Some(buyer))
    }

    fn audience(account: &str, sellers: &[&str]) -> Audience {
        Audience { account: owner(account), sellers: sellers.iter().copied().map(owner).collect() }
    }

    fn sellers_of(audiences: &Audiences, account: &str) -> Vec<&'static str> {
        let sees = |seller: &&&str| audiences.sees(&owner(account), &event(Kind::Deal, "deal.created", seller, None));
        let seen: Vec<&str> = ["a", "b", "c"].iter().filter(sees).copied().collect();
        let reached = |seller: &&&str| audiences.authorised_by(&owner(seller)).any(|who| *who == owner(account));
        assert_eq!(["a", "b", "c"].iter().filter(reached).copied().collect::<Vec<_>>(), seen, "both directions");
        seen
    }

    #[test]
    fn what_is_heard_while_reading_is_newer_than_what_is_read() {
        let mut audiences = Audiences::default();
        assert!(audiences.hold(&owner("me")));
        audiences.hear(&granted("b", "me"));
        audiences.hear(&revoked("a", "me"));
        audiences.hear(&granted("a", "other"));
        audiences.take_in(&audience("me", &["a", "c"]));
        assert_eq!(sellers_of(&audiences, "me"), ["b", "c"]);
        audiences.hear(&revoked("c", "me"));
        audiences.hear(&granted("a", "me"));
        assert_eq!(sellers_of(&audiences, "me"), ["a", "b"]);
        // Another one that was read before all that.
        assert!(!audiences.hold(&owner("me")));
        audiences.take_in(&audience("me", &["c"]));
        assert_eq!(sellers_of(&audiences, "me"), ["a", "b"]);
    }

    #[test]
    fn an_account_is_forgotten_when_nobody_holds_it() {
        let mut audiences = Audiences::default();
        audiences.hold(&owner("me"));
        audiences.hold(&owner("me"));
        audiences.take_in(&audience("me", &["a"]));
        audiences.release(&owner("me"));
        assert_eq!(sellers_of(&audiences, "me"), ["a"]);
        audiences.release(&owner("me"));
        audiences.release(&owner("me"));
        audiences.hear(&granted("b", "me"));
        audiences.take_in(&audience("me", &["c"]));
        assert!(sellers_of(&audiences, "me").is_empty());
        assert!(audiences.accounts.is_empty() && audiences.by_seller.is_empty());
        assert!(audiences.hold(&owner("me")));
    }

    #[test]
    fn what_was_missed_is_read_again() {
        let mut audiences = Audiences::default();
        audiences.hold(&owner("me"));
        audiences.hear(&granted("a", "me"));
        audiences.take_in(&audience("me", &[]));
        audiences.miss();
        assert!(!audiences.knows(&owner("me")) && sellers_of(&audiences, "me").is_empty());
        audiences.take_in(&audience("me", &["b"]));
        assert!(audiences.knows(&owner("me")));
        assert_eq!(sellers_of(&audiences, "me"), ["b"]);
    }

    #[test]
    fn deals_alone_are_seen_by_authorisation() {
        let mut audiences = Audiences::default();
        audiences.hold(&owner("me"));
        audiences.take_in(&audience("me", &["a"]));
        for (kind, of, party, seen) in [
            (Kind::Deal, "a", None, true),
            (Kind::Deal, "b", None, false),
            (Kind::Deal, "b", Some("me"), true),
            (Kind::Bid, "a", None, false),
            (Kind::Bid, "me", Some("b"), true),
        ] {
            assert_eq!(audiences.sees(&owner("me"), &event(kind, "x", of, party)), seen, "{kind} of {of}");
        }
    }
}
