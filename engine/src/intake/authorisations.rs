//! Which buyers see a seller's deals: said and taken back.

use domain::authorisation::{self, Status};
use domain::{Kind, Owner, Refusal};
use drivers::Fault;
use drivers::journal::{Among, List};

use super::{Decision, Intake, IntakeError, RequestKey, Taken};
use crate::access::MOST_SELLERS;

impl From<authorisation::Choice> for Decision {
    fn from(choice: authorisation::Choice) -> Self {
        let authorisation::Choice { authorisation, change } = choice;
        let (version, view) = (authorisation.version, authorisation.view_json());
        Self { change, kind: Kind::Authorisation, id: authorisation.id, version, view }
    }
}

impl Intake {
    /// Lets a buyer see a seller's deals from now on; one that may already stays as it is.
    ///
    /// # Errors
    /// `OWN_ACCOUNT`, `TOO_MANY_SELLERS`; see [`IntakeError`].
    pub async fn authorise(
        &self,
        seller: &Owner,
        buyer: &Owner,
        request: Option<RequestKey>,
    ) -> Result<Taken, IntakeError> {
        let decide = async |now| {
            let before = self.authorisation(seller, buyer).await?;
            if before.as_ref().is_none_or(|before| before.status == Status::Revoked)
                && self.sellers_of(buyer).await? >= MOST_SELLERS
            {
                let text =
                    format!("the buyer is authorised by {MOST_SELLERS} sellers, which is all that an account has");
                return Err(Refusal::at("/buyerId", "TOO_MANY_SELLERS", text).into());
            }
            Ok(authorisation::grant(before.as_ref(), seller, buyer, now)?.into())
        };
        self.decide(&authorisation::id(seller, buyer), request, decide).await
    }

    /// Takes that back, effective at once; what was taken back before stays as it is.
    ///
    /// # Errors
    /// `BUYER_NOT_FOUND` where the seller never authorised it; see [`IntakeError`].
    pub async fn revoke_authorisation(
        &self,
        seller: &Owner,
        buyer: &Owner,
        request: Option<RequestKey>,
    ) -> Result<Taken, IntakeError> {
        let decide = async |now| {
            let before = self.authorisation(seller, buyer).await?;
            let before =
                before.ok_or_else(|| Refusal::new("BUYER_NOT_FOUND", "there is no such buyer of this seller"))?;
            Ok(authorisation::revoke(&before, now).into())
        };
        self.decide(&authorisation::id(seller, buyer), request, decide).await
    }

    /// How many sellers let an account see their deals.
    async fn sellers_of(&self, buyer: &Owner) -> Result<usize, Fault> {
        let (mut sellers, mut after) = (0, None);
        loop {
            let page = self.journal.entities(List {
                kind: Kind::Authorisation,
                among: vec![Among::Party(buyer.clone())],
                statuses: vec![Status::Active.as_str().to_owned()],
                fields: Vec::new(),
                ranges: Vec::new(),
                after,
                newest_first: false,
                limit: MOST_SELLERS,
            });
            let page = page.await?;
            sellers += page.entities.len();
            after = page.next;
            if after.is_none() || sellers >= MOST_SELLERS {
                return Ok(sellers);
            }
        }
    }
}
