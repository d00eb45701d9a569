//! A seller's word that a buyer may see its deals: given, taken back, given again.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::view::event_body;
use crate::{Change, Entity, EntityWrite, EventDraft, Expect, Kind, Owner, Refusal, Timestamp};

/// Whether the word holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The buyer sees the seller's deals.
    Active,
    /// Not any more.
    Revoked,
}

impl Status {
    /// Every state.
    pub const ALL: [Self; 2] = [Self::Active, Self::Revoked];

    /// The word in the journal and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Revoked => "revoked",
        }
    }

    /// The state of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

/// An authorisation: the journal's columns are the whole of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorisation {
    /// See [`id`].
    pub id: String,
    /// 1 for a new one.
    pub version: u64,
    /// Whether it holds.
    pub status: Status,
    /// Whose deals.
    pub seller: Owner,
    /// Who sees them.
    pub buyer: Owner,
    /// When it was first given.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// An authorisation after a decision, and the change that makes it so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The authorisation as it will be.
    pub authorisation: Authorisation,
    /// What the journal is to apply; nothing where it was so already.
    pub change: Change,
}

/// The id of a seller's word about a buyer: there is one of each two.
#[must_use]
pub fn id(seller: &Owner, buyer: &Owner) -> String {
    // No name has a space in it.
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("authorisation {seller} {buyer}").as_bytes()).to_string()
}

/// The seller lets the buyer see its deals; nothing changes where it may already.
///
/// # Errors
/// `OWN_ACCOUNT`.
pub fn grant(before: Option<&Authorisation>, seller: &Owner, buyer: &Owner, now: Timestamp) -> Result<Choice, Refusal> {
    if seller == buyer {
        return Err(Refusal::at("/buyerId", "OWN_ACCOUNT", "a seller sees its own deals anyway"));
    }
    Ok(match before {
        Some(before) => become_(before, Status::Active, now),
        None => {
            let (version, status) = (1, Status::Active);
            let (seller, buyer) = (seller.clone(), buyer.clone());
            let id = id(&seller, &buyer);
            write(None, Authorisation { id, version, status, seller, buyer, created_at: now, updated_at: now })
        }
    })
}

/// The seller takes its word back; nothing changes where it did before.
#[must_use]
pub fn revoke(before: &Authorisation, now: Timestamp) -> Choice {
    become_(before, Status::Revoked, now)
}

fn become_(before: &Authorisation, status: Status, now: Timestamp) -> Choice {
    if before.status == status {
        return Choice { authorisation: before.clone(), change: Change { at: now, ..Change::default() } };
    }
    write(Some(before), Authorisation { status, version: before.version + 1, updated_at: now, ..before.clone() })
}

fn write(before: Option<&Authorisation>, after: Authorisation) -> Choice {
    let old = before.map(Authorisation::view_json);
    let type_ = match after.status {
        Status::Active => "authorisation.granted",
        Status::Revoked => "authorisation.revoked",
    };
    let entity = EntityWrite {
        kind: Kind::Authorisation,
        id: after.id.clone(),
        expect: before.map_or(Expect::Absent, |before| Expect::Version(before.version)),
        status: after.status.as_str(),
        owner: after.seller.clone(),
        party: Some(after.buyer.clone()),
        parent: None,
        body: "{}".to_owned(),
        event: Some(EventDraft { type_, body: event_body(old.as_deref(), &after.view_json(), &after.seller) }),
    };
    let change = Change { at: after.updated_at, entities: vec![entity], ..Change::default() };
    Choice { authorisation: after, change }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View<'a> {
    id: &'a str,
    version: u64,
    status: Status,
    seller_id: &'a Owner,
    buyer_id: &'a Owner,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl Authorisation {
    /// The public view as JSON.
    #[must_use]
    pub fn view_json(&self) -> String {
        let Self { id, version, status, seller: seller_id, buyer: buyer_id, created_at, updated_at } = self;
        let (version, status, created_at, updated_at) = (*version, *status, *created_at, *updated_at);
        let view = View { id, version, status, seller_id, buyer_id, created_at, updated_at };
        // Text keys and no failing parts.
        serde_json::to_string(&view).unwrap_or_default()
    }

    /// Reads the authorisation from its row in the journal.
    ///
    /// # Errors
    /// A row that no release of this program wrote.
    pub fn from_entity(entity: &Entity) -> Result<Self, serde_json::Error> {
        let custom = |text| <serde_json::Error as serde::de::Error>::custom(text);
        Ok(Self {
            id: entity.id.clone(),
            version: entity.version,
            status: Status::parse(&entity.status).ok_or_else(|| custom("no such status"))?,
            seller: entity.owner.clone(),
            buyer: entity.party.clone().ok_or_else(|| custom("no buyer"))?,
            created_at: entity.created_at,
            updated_at: entity.updated_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_000_000_000_000);

    #[test]
    fn a_word_is_given_taken_back_and_given_again() {
        let (acme, bob) = (Owner::parse("acme").unwrap(), Owner::parse("bob").unwrap());
        let given = grant(None, &acme, &bob, NOW).unwrap();
        insta::assert_snapshot!("granted", given.change.entities[0].event.as_ref().unwrap().body);
        let again = grant(Some(&given.authorisation), &acme, &bob, NOW).unwrap();
        assert!(again.change.entities.is_empty());
        let gone = revoke(&given.authorisation, NOW.plus_millis(1));
        insta::assert_snapshot!("revoked", gone.change.entities[0].event.as_ref().unwrap().body);
        assert!(revoke(&gone.authorisation, NOW).change.entities.is_empty());
        let back = grant(Some(&gone.authorisation), &acme, &bob, NOW).unwrap().authorisation;
        assert_eq!((back.version, back.status, back.id), (3, Status::Active, id(&acme, &bob)));
        assert_ne!(id(&acme, &bob), id(&bob, &acme));
        assert_eq!(grant(None, &bob, &bob, NOW).unwrap_err().code, "OWN_ACCOUNT");
    }
}
