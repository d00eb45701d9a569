//! A bid: its whole state, and how the journal keeps it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::money::{Currency, Minor};
use crate::{Entity, Owner, Timestamp};

/// The most bids that one buyer makes for one deal in its life, one open at a time.
pub const MOST_BIDS: u32 = 32;

/// The id of a buyer's bid number `number`, from 1, for a deal. One after the other, so that a buyer cannot have two bids
/// open for the same deal: the second would have to be the first.
#[must_use]
pub fn id(deal: &str, buyer: &Owner, number: u32) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("bid {deal} {buyer} {number}").as_bytes()).to_string()
}

/// The states of a bid; the last three are final.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The buyer's price stands; the seller has to answer.
    #[default]
    Offered,
    /// The seller's price stands; the buyer has to answer.
    Countered,
    /// Agreed: the deal is reserved for its buyer, or sold to it.
    Accepted,
    /// Not agreed, or the deal is gone.
    Declined,
    /// Taken back by its buyer.
    Retracted,
    /// Its time ran out.
    Expired,
}

impl Status {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Offered, Self::Countered, Self::Accepted, Self::Declined, Self::Retracted, Self::Expired];

    /// The word in the journal and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Countered => "countered",
            Self::Accepted => "accepted",
            Self::Declined => "declined",
            Self::Retracted => "retracted",
            Self::Expired => "expired",
        }
    }

    /// The state of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Somebody has to answer it.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Offered | Self::Countered)
    }

    /// Nothing follows it.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Declined | Self::Retracted | Self::Expired)
    }

    /// Who has to answer it.
    #[must_use]
    pub const fn turn(self) -> Option<Side> {
        match self {
            Self::Offered => Some(Side::Seller),
            Self::Countered => Some(Side::Buyer),
            _ => None,
        }
    }
}

/// The two whom a bid concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Whose deal it is for.
    Seller,
    /// Whose bid it is.
    Buyer,
}

/// A bid: the whole state. What the journal keeps in columns of its own does not stand in the body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bid {
    /// See [`id`]. A column.
    #[serde(skip)]
    pub id: String,
    /// 1 for a new one. A column.
    #[serde(skip)]
    pub version: u64,
    /// Whose it is. A column.
    #[serde(skip)]
    pub buyer: Owner,
    /// Whose deal it is for. A column.
    #[serde(skip)]
    pub seller: Owner,
    /// The deal's id. A column.
    #[serde(skip)]
    pub deal: String,
    /// Where it is in its life. A column.
    #[serde(skip)]
    pub status: Status,
    /// The price that stands.
    pub amount: Minor,
    /// The deal's currency.
    pub currency: Currency,
    /// Not to be accepted at this instant or after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The deal's version when it was made: closing the deal's bids later closes it.
    pub deal_version: u64,
    /// The version of the deal's terms that the price is for.
    pub terms_version: u64,
    /// When it was made. A column.
    #[serde(skip)]
    pub created_at: Timestamp,
    /// When it last changed. A column.
    #[serde(skip)]
    pub updated_at: Timestamp,
}

impl Bid {
    /// Which side an account is on; none where it is none of its business.
    #[must_use]
    pub fn side(&self, account: &Owner) -> Option<Side> {
        match account {
            account if *account == self.seller => Some(Side::Seller),
            account if *account == self.buyer => Some(Side::Buyer),
            _ => None,
        }
    }

    /// Reads the bid from its row in the journal.
    ///
    /// # Errors
    /// A body that no release of this program wrote.
    pub fn from_entity(entity: &Entity) -> Result<Self, serde_json::Error> {
        let custom = |text| <serde_json::Error as serde::de::Error>::custom(text);
        let status = Status::parse(&entity.status).ok_or_else(|| custom("no such status"))?;
        let body: Self = serde_json::from_str(&entity.body)?;
        Ok(Self {
            id: entity.id.clone(),
            version: entity.version,
            buyer: entity.owner.clone(),
            seller: entity.party.clone().ok_or_else(|| custom("no seller"))?,
            deal: entity.parent.clone().ok_or_else(|| custom("no deal"))?,
            status,
            created_at: entity.created_at,
            updated_at: entity.updated_at,
            ..body
        })
    }
}
