//! Swap orders: placed and withdrawn.

use domain::swap::{Place, Status, Swap, cancel};
use domain::{Change, Key, Kind, Owner, Timestamp};
use drivers::{Conflict, Fault};

use super::{Intake, IntakeError, RequestKey, Taken, within_deadline};
use crate::clock;
use crate::risk::Met;

impl Intake {
    /// Takes a swap order in, if the trading state and its account's limits let it. With a request key a second call answers the
    /// first one's order.
    ///
    /// # Errors
    /// See [`IntakeError`]; a refusal keeps no key.
    pub async fn place(&self, place: Place, request: Option<RequestKey>) -> Result<Taken, IntakeError> {
        within_deadline(self.place_now(place, request)).await
    }

    async fn place_now(&self, place: Place, request: Option<RequestKey>) -> Result<Taken, IntakeError> {
        loop {
            let mut choice = match self.risk.accept(&place, clock::now()).await {
                Ok(choice) => choice,
                // What is refused now may have been taken before: its expiry was still ahead then.
                Err(error) => return self.replay_or(request, error).await,
            };
            // First, so that a replay is seen as one before the client's own order id is seen as taken.
            choice.change.keys.extend(request.as_ref().map(|r| key(r, &choice.swap, choice.swap.updated_at)));
            choice.change.keys.rotate_right(usize::from(request.is_some()));
            let event = choice.change.entities.first().and_then(|e| e.event.as_ref());
            let view = event.map(|e| domain::view::of_event(&e.body)).unwrap_or_default();
            match self.journal.apply(choice.change).await {
                Ok(_) => {
                    self.metrics.swap_taken();
                    return Ok(Taken { id: choice.swap.id, version: choice.swap.version, view, replayed: false });
                }
                Err(Fault::Conflict(Conflict::Key(held))) => return self.key_held(held, request.as_ref()).await,
                Err(Fault::Conflict(conflict)) => match self.risk.met(&conflict).await? {
                    Met::Change => {}
                    Met::Limit(refusal) => return self.replay_or(request, refusal.into()).await,
                    Met::Else => return Err(Fault::Conflict(conflict).into()),
                },
                Err(fault) => return Err(fault.into()),
            }
        }
    }

    /// Withdraws an order that is pending, open or routing. Cancelling a cancelled order answers it again, and takes the key
    /// that came with it.
    ///
    /// # Errors
    /// `NotFound`; `Refused` with `NOT_CANCELLABLE`; see [`IntakeError`].
    pub async fn cancel(&self, account: &Owner, id: &str, request: Option<RequestKey>) -> Result<Taken, IntakeError> {
        within_deadline(self.cancel_now(account, id, request)).await
    }

    async fn cancel_now(&self, account: &Owner, id: &str, request: Option<RequestKey>) -> Result<Taken, IntakeError> {
        let _turn = self.turn(id).await;
        loop {
            let entity = self.journal.entity(Kind::Swap, id).await?.filter(|e| e.owner == *account);
            let entity = entity.ok_or(IntakeError::NotFound)?;
            let swap = Swap::from_entity(&entity).map_err(|e| Fault::Broken(format!("swap {id}: {e}")))?;
            if swap.status == Status::Cancelled {
                return self.cancelled_before(&swap, request).await;
            }
            let mut choice = match cancel(&swap, clock::now()) {
                Ok(choice) => choice,
                Err(refusal) => return self.replay_or(request, IntakeError::Refused(refusal)).await,
            };
            choice.change.keys.extend(request.as_ref().map(|r| key(r, &choice.swap, choice.swap.updated_at)));
            match self.journal.apply(choice.change).await {
                Ok(_) => {
                    self.metrics.swap_ended(Status::Cancelled);
                    let view = choice.swap.view_json();
                    return Ok(Taken { id: choice.swap.id, version: choice.swap.version, view, replayed: false });
                }
                // A worker was faster: look again.
                Err(Fault::Conflict(Conflict::Version { .. })) => {}
                Err(Fault::Conflict(Conflict::Key(held))) => return self.key_held(held, request.as_ref()).await,
                Err(fault) => return Err(fault.into()),
            }
        }
    }

    /// Changes nothing, but takes the key, so that it cannot serve another request.
    async fn cancelled_before(&self, swap: &Swap, request: Option<RequestKey>) -> Result<Taken, IntakeError> {
        let taken = Taken { id: swap.id.clone(), version: swap.version, view: swap.view_json(), replayed: true };
        let Some(request) = request else { return Ok(taken) };
        let now = clock::now();
        if let Some(held) = self.journal.key(&request.scope, &request.key, now).await? {
            return self.key_held(held, Some(&request)).await;
        }
        let change = Change { at: now, keys: vec![key(&request, swap, now)], ..Change::default() };
        match self.journal.apply(change).await {
            Ok(_) => Ok(taken),
            Err(Fault::Conflict(Conflict::Key(held))) => self.key_held(held, Some(&request)).await,
            Err(fault) => Err(fault.into()),
        }
    }
}

fn key(request: &RequestKey, swap: &Swap, now: Timestamp) -> Key {
    request.leads_to(Kind::Swap, &swap.id, swap.version, now)
}
