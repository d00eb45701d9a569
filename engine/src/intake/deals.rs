//! Deals: posted, changed, withdrawn and put back, released, sold.

use domain::authorisation::{self, Authorisation};
use domain::bid::{self, Bid};
use domain::deal::{self, Deal, Post, Terms};
use domain::invoice::{self, Book};
use domain::{Change, Kind, Owner, Refusal, Timestamp};
use drivers::Fault;

use super::{Decision, Intake, IntakeError, RequestKey, Taken, new_id};

/// What a command is about, and at which version, if that matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// The id.
    pub id: &'a str,
    /// At another version the command is refused.
    pub version: Option<u64>,
}

impl Target<'_> {
    /// # Errors
    /// `STALE_VERSION`.
    pub(super) fn check(&self, version: u64) -> Result<(), Refusal> {
        match self.version {
            Some(wanted) if wanted != version => {
                let text = format!("it is at version {version}, not {wanted}: read it again");
                Err(Refusal::new("STALE_VERSION", text))
            }
            _ => Ok(()),
        }
    }
}

/// The refusal of what is not there, or not the caller's to see.
pub(super) fn no_such_deal() -> IntakeError {
    IntakeError::Refused(Refusal::new("DEAL_NOT_FOUND", "there is no such deal"))
}

impl From<deal::Choice> for Decision {
    fn from(choice: deal::Choice) -> Self {
        decided(&choice.deal, choice.change)
    }
}

fn decided(deal: &Deal, change: Change) -> Decision {
    Decision { change, kind: Kind::Deal, id: deal.id.clone(), version: deal.version, view: deal.view_json() }
}

impl Intake {
    /// Takes a deal in.
    ///
    /// # Errors
    /// See [`IntakeError`]; a refusal keeps no key.
    pub async fn post_deal(&self, post: Post, request: Option<RequestKey>) -> Result<Taken, IntakeError> {
        let turn = post.id.clone();
        let taken = self.decide(&turn, request, async |now| Ok(deal::post(post.clone(), now)?.into())).await?;
        if !taken.replayed {
            self.metrics.trade.deal_posted();
        }
        Ok(taken)
    }

    /// Changes what a deal offers.
    ///
    /// # Errors
    /// `DEAL_NOT_FOUND`, `STALE_VERSION`, `WRONG_STATE`, `DEAL_TOO_LARGE`; see [`IntakeError`].
    pub async fn update_deal(
        &self,
        seller: &Owner,
        target: Target<'_>,
        terms: &Terms,
        request: Option<RequestKey>,
    ) -> Result<Taken, IntakeError> {
        self.change_deal(seller, target, request, |deal, now| deal::update(deal, terms.clone(), now)).await
    }

    /// Takes a deal off the list; its open bids are declined soon after.
    ///
    /// # Errors
    /// `DEAL_NOT_FOUND`, `STALE_VERSION`, `WRONG_STATE`; see [`IntakeError`].
    pub async fn withdraw_deal(
        &self,
        seller: &Owner,
        target: Target<'_>,
        request: Option<RequestKey>,
    ) -> Result<Taken, IntakeError> {
        self.change_deal(seller, target, request, deal::withdraw).await
    }

    /// Puts a deal on the list again.
    ///
    /// # Errors
    /// As [`Intake::withdraw_deal`].
    pub async fn relist_deal(
        &self,
        seller: &Owner,
        target: Target<'_>,
        request: Option<RequestKey>,
    ) -> Result<Taken, IntakeError> {
        self.change_deal(seller, target, request, deal::relist).await
    }

    async fn change_deal(
        &self,
        seller: &Owner,
        target: Target<'_>,
        request: Option<RequestKey>,
        change: impl Fn(&Deal, Timestamp) -> Result<deal::Choice, Refusal>,
    ) -> Result<Taken, IntakeError> {
        let decide = async |now| Ok(change(&self.own_deal(seller, target).await?, now)?.into());
        self.decide(target.id, request, decide).await
    }

    /// Frees a reserved deal; the bid that it was reserved for is declined in the same change.
    ///
    /// # Errors
    /// As [`Intake::withdraw_deal`].
    pub async fn release_deal(
        &self,
        seller: &Owner,
        target: Target<'_>,
        request: Option<RequestKey>,
    ) -> Result<Taken, IntakeError> {
        let decide = async |now| {
            let deal = self.own_deal(seller, target).await?;
            let mut choice = deal::release(&deal, now)?;
            let reservation = deal.reservation.as_ref();
            let bid = match reservation {
                Some(reservation) => self.bid(&reservation.bid_id).await?,
                None => None,
            };
            if let Some(bid) = bid {
                choice.change.entities.extend(bid::release(&bid, now)?.change.entities);
            }
            Ok(choice.into())
        };
        let taken = self.decide(target.id, request, decide).await?;
        if !taken.replayed {
            self.metrics.trade.bid_ended(bid::Status::Declined);
        }
        Ok(taken)
    }

    /// Sells a reserved deal to the buyer that it is reserved for at the agreed price, or an available one to an authorised
    /// buyer at its total price, with its invoice in the same change.
    ///
    /// # Errors
    /// `BUYER_REQUIRED`, `BUYER_NOT_AUTHORISED`, `ANOTHER_BUYER`; as [`Intake::withdraw_deal`].
    pub async fn sell_deal(
        &self,
        seller: &Owner,
        target: Target<'_>,
        to: Option<&Owner>,
        request: Option<RequestKey>,
    ) -> Result<Taken, IntakeError> {
        let decide = async |now| {
            let deal = self.own_deal(seller, target).await?;
            if let Some(buyer) = to.filter(|_| deal.reservation.is_none())
                && !self.is_authorised(seller, buyer).await?
            {
                let text = "you have not authorised this buyer to see your deals";
                return Err(Refusal::at("/buyerId", "BUYER_NOT_AUTHORISED", text).into());
            }
            let book = self.journal.entity(Kind::InvoiceBook, seller.as_str()).await?;
            let sold = invoice::sell(&deal, (new_id(), Book::of(book.as_ref())), to, now)?;
            Ok(decided(&sold.deal, sold.change))
        };
        // One after the other through the seller's book, which they would collide in.
        let taken = self.decide(seller.as_str(), request, decide).await?;
        if !taken.replayed {
            self.metrics.trade.deal_sold();
        }
        Ok(taken)
    }

    /// A deal, if it is there.
    pub(super) async fn deal(&self, id: &str) -> Result<Option<Deal>, Fault> {
        let entity = self.journal.entity(Kind::Deal, id).await?;
        let deal = entity.as_ref().map(Deal::from_entity).transpose();
        deal.map_err(|error| Fault::Broken(format!("deal {id}: {error}")))
    }

    /// A bid, if it is there.
    pub(super) async fn bid(&self, id: &str) -> Result<Option<Bid>, Fault> {
        let entity = self.journal.entity(Kind::Bid, id).await?;
        let bid = entity.as_ref().map(Bid::from_entity).transpose();
        bid.map_err(|error| Fault::Broken(format!("bid {id}: {error}")))
    }

    /// What a seller said about a buyer, if it ever did.
    pub(super) async fn authorisation(&self, seller: &Owner, buyer: &Owner) -> Result<Option<Authorisation>, Fault> {
        let id = authorisation::id(seller, buyer);
        let entity = self.journal.entity(Kind::Authorisation, &id).await?;
        let authorisation = entity.as_ref().map(Authorisation::from_entity).transpose();
        authorisation.map_err(|error| Fault::Broken(format!("authorisation {id}: {error}")))
    }

    /// Whether a buyer may see a seller's deals, by the journal itself: commands do not go by what is remembered.
    pub(super) async fn is_authorised(&self, seller: &Owner, buyer: &Owner) -> Result<bool, Fault> {
        let found = self.authorisation(seller, buyer).await?;
        Ok(found.is_some_and(|authorisation| authorisation.status == authorisation::Status::Active))
    }

    async fn own_deal(&self, seller: &Owner, target: Target<'_>) -> Result<Deal, IntakeError> {
        let deal = self.deal(target.id).await?.filter(|deal| deal.seller == *seller).ok_or_else(no_such_deal)?;
        target.check(deal.version)?;
        Ok(deal)
    }
}
