//! Deals as another system's clients change them: put as a whole.

use std::sync::atomic::{AtomicBool, Ordering};

use domain::deal::recorded::{self, Put, Status};
use domain::deal::{Deal, Terms};
use domain::{Change, Kind, Owner};
use drivers::Fault;

use super::{Decision, Intake, IntakeError, RequestKey, Taken, Target};

impl Intake {
    /// Puts `terms` and `status` in place of what a seller's deal has.
    ///
    /// # Errors
    /// `NotFound`: there is no such deal, or it is another's; `Refused` as [`recorded::put`] says; see [`IntakeError`].
    pub async fn put_deal(
        &self,
        seller: &Owner,
        id: &str,
        (terms, status): (Terms, Status),
        request: Option<RequestKey>,
    ) -> Result<Taken, IntakeError> {
        let is_sale = AtomicBool::new(false);
        let put = async |now| {
            let entity = self.journal.entity(Kind::Deal, id).await?.filter(|entity| entity.owner == *seller);
            let entity = entity.ok_or(IntakeError::NotFound)?;
            let deal = Deal::from_entity(&entity).map_err(|error| Fault::Broken(format!("deal {id}: {error}")))?;
            let put = recorded::put(&deal, terms.clone(), status, now)?;
            is_sale.store(put == Put::Sale, Ordering::Relaxed);
            let (deal, change) = match put {
                Put::Changed(choice) => (choice.deal, choice.change),
                Put::AsItIs => (deal, Change { at: now, ..Change::default() }),
                // A sale to a buyer has an invoice, and is decided elsewhere.
                Put::Sale => return Err(IntakeError::NotFound),
            };
            Ok(Decision { change, kind: Kind::Deal, id: id.to_owned(), version: deal.version, view: deal.view_json() })
        };
        match self.decide(id, request.clone(), put).await {
            Err(IntakeError::NotFound) if is_sale.load(Ordering::Relaxed) => {
                self.sell_deal(seller, Target { id, version: None }, None, request).await
            }
            other => other,
        }
    }
}
