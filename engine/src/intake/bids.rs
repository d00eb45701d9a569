//! Bids: made, answered, taken back.

use domain::bid::{self, Bid, Counter, MOST_BIDS, Offer, Status};
use domain::deal::Deal;
use domain::{Change, Kind, Owner, Refusal, Timestamp};

use super::deals::{Target, no_such_deal};
use super::{Decision, Intake, IntakeError, RequestKey, Taken};

fn no_such_bid() -> IntakeError {
    IntakeError::Refused(Refusal::new("BID_NOT_FOUND", "there is no such bid"))
}

impl From<bid::Choice> for Decision {
    fn from(choice: bid::Choice) -> Self {
        decided(&choice.bid, choice.change)
    }
}

fn decided(bid: &Bid, change: Change) -> Decision {
    Decision { change, kind: Kind::Bid, id: bid.id.clone(), version: bid.version, view: bid.view_json() }
}

impl Intake {
    /// Takes an offer for a deal in: one open at a time of each buyer for each deal, and [`MOST_BIDS`] in all.
    ///
    /// # Errors
    /// `DEAL_NOT_FOUND` where the buyer may not see it, `BID_OPEN`, `TOO_MANY_BIDS`, those of [`bid::offer`]; see
    /// [`IntakeError`].
    pub async fn offer_bid(
        &self,
        buyer: &Owner,
        deal: &str,
        terms: Counter,
        request: Option<RequestKey>,
    ) -> Result<Taken, IntakeError> {
        let decide = async |now| {
            let deal = self.seen_deal(buyer, deal).await?;
            let id = self.next_bid(buyer, &deal.id).await?;
            let Counter { amount, expires_at } = terms;
            Ok(bid::offer(&deal, Offer { id, buyer: buyer.clone(), amount, expires_at }, now)?.into())
        };
        let taken = self.decide(&format!("{deal} {buyer}"), request, decide).await?;
        if !taken.replayed {
            self.metrics.trade.bid_made();
        }
        Ok(taken)
    }

    /// Names another price.
    ///
    /// # Errors
    /// `BID_NOT_FOUND`, `STALE_VERSION`, those of [`bid::counter`]; see [`IntakeError`].
    pub async fn counter_bid(
        &self,
        by: &Owner,
        target: Target<'_>,
        counter: Counter,
        request: Option<RequestKey>,
    ) -> Result<Taken, IntakeError> {
        let decide = async |now| {
            let bid = self.own_bid(by, target).await?;
            let deal = self.seen_deal(by, &bid.deal).await?;
            Ok(bid::counter(&bid, &deal, by, counter, now)?.into())
        };
        self.decide(target.id, request, decide).await
    }

    /// Takes the price that stands: the deal is reserved in the same change, so that of many accepted at once one is.
    ///
    /// # Errors
    /// `BID_NOT_FOUND`, `STALE_VERSION`, those of [`bid::accept`]; see [`IntakeError`].
    pub async fn accept_bid(
        &self,
        by: &Owner,
        target: Target<'_>,
        request: Option<RequestKey>,
    ) -> Result<Taken, IntakeError> {
        // Those for one deal take turns; a bid never changes its deal.
        let turn = self.bid(target.id).await?.map_or_else(|| target.id.to_owned(), |bid| bid.deal);
        let decide = async |now| {
            let bid = self.own_bid(by, target).await?;
            let deal = self.seen_deal(by, &bid.deal).await?;
            let accepted = bid::accept(&bid, &deal, by, now)?;
            Ok(decided(&accepted.bid, accepted.change))
        };
        let taken = self.decide(&turn, request, decide).await?;
        self.count_end(&taken, Status::Accepted);
        Ok(taken)
    }

    /// Turns a bid, or its seller's price, down.
    ///
    /// # Errors
    /// `BID_NOT_FOUND`, `STALE_VERSION`, those of [`bid::decline`]; see [`IntakeError`].
    pub async fn decline_bid(
        &self,
        by: &Owner,
        target: Target<'_>,
        request: Option<RequestKey>,
    ) -> Result<Taken, IntakeError> {
        let taken = self.end_bid(by, target, request, bid::decline).await?;
        self.count_end(&taken, Status::Declined);
        Ok(taken)
    }

    /// The buyer takes its bid back.
    ///
    /// # Errors
    /// `BID_NOT_FOUND`, `STALE_VERSION`, those of [`bid::retract`]; see [`IntakeError`].
    pub async fn retract_bid(
        &self,
        by: &Owner,
        target: Target<'_>,
        request: Option<RequestKey>,
    ) -> Result<Taken, IntakeError> {
        let taken = self.end_bid(by, target, request, bid::retract).await?;
        self.count_end(&taken, Status::Retracted);
        Ok(taken)
    }

    async fn end_bid(
        &self,
        by: &Owner,
        target: Target<'_>,
        request: Option<RequestKey>,
        end: impl Fn(&Bid, &Owner, Timestamp) -> Result<bid::Choice, Refusal>,
    ) -> Result<Taken, IntakeError> {
        let decide = async |now| Ok(end(&self.own_bid(by, target).await?, by, now)?.into());
        self.decide(target.id, request, decide).await
    }

    fn count_end(&self, taken: &Taken, status: Status) {
        if !taken.replayed {
            self.metrics.trade.bid_ended(status);
        }
    }

    /// A deal that an account may see.
    async fn seen_deal(&self, account: &Owner, id: &str) -> Result<Deal, IntakeError> {
        let deal = self.deal(id).await?.ok_or_else(no_such_deal)?;
        if deal.seller != *account && !self.is_authorised(&deal.seller, account).await? {
            return Err(no_such_deal());
        }
        Ok(deal)
    }

    /// A bid that an account made or got.
    async fn own_bid(&self, account: &Owner, target: Target<'_>) -> Result<Bid, IntakeError> {
        let bid = self.bid(target.id).await?.filter(|bid| bid.side(account).is_some()).ok_or_else(no_such_bid)?;
        target.check(bid.version)?;
        Ok(bid)
    }

    /// The id of a buyer's next bid for a deal. Two at once get the same, and one of them meets the other.
    async fn next_bid(&self, buyer: &Owner, deal: &str) -> Result<String, IntakeError> {
        for number in 1..=MOST_BIDS {
            let id = bid::id(deal, buyer, number);
            match self.bid(&id).await? {
                None => return Ok(id),
                Some(bid) if bid.status.is_open() => {
                    let text = format!("your bid {id} for this deal is open: counter or retract it");
                    return Err(Refusal::new("BID_OPEN", text).into());
                }
                Some(_) => {}
            }
        }
        let text = format!("you have made {MOST_BIDS} bids for this deal, which is all that a buyer has");
        Err(Refusal::new("TOO_MANY_BIDS", text).into())
    }
}
