//! The venue inside this process.

use std::sync::Arc;

use async_trait::async_trait;
use domain::swap::Receipt;
use simnet::universal::{Fate, Order, Refused, Rfq, Status, Twist};
use simnet::{Clock, Pace, Retention, Settings};

use super::relayer::{Relayer, Said, State};
use super::{Universal, words};
use crate::venue::{Venue, VenueError};

/// How long a merchant takes to fill an order, in milliseconds.
const FILL_MILLIS: u64 = 1_200;
/// How often orders are asked for.
const POLL_MILLIS: u64 = 400;

/// The venue and its clock.
struct Paper {
    rfq: Rfq,
    clock: Arc<Clock>,
    fill_millis: u64,
}

/// A venue that begins with no orders.
pub(in crate::venue) fn open(settings: &Settings, clock: &Arc<Clock>) -> Arc<dyn Venue> {
    let (fill_millis, poll_millis) = match settings.pace {
        Pace::Real => (FILL_MILLIS, POLL_MILLIS),
        Pace::Instant => (0, 1),
    };
    let rfq = Rfq::new(settings.seed, Retention::Recent);
    let relayer = Box::new(Paper { rfq, clock: Arc::clone(clock), fill_millis });
    Arc::new(Universal { relayer, clock: Arc::clone(clock), own: None, known: Default::default(), poll_millis })
}

#[async_trait]
impl Relayer for Paper {
    async fn quote(&self, request: &str) -> Result<String, VenueError> {
        let request = serde_json::from_str(request).map_err(|error| refused(&Refused::Malformed(error.to_string())))?;
        let quote = self.rfq.quote(&request, self.clock.now(), Twist::None).map_err(|why| refused(&why))?;
        serde_json::to_string(&quote).map_err(|error| VenueError::Failed(error.to_string()))
    }

    async fn order(&self, signed: &str) -> Result<Said, VenueError> {
        let order: Result<Order, _> = serde_json::from_str(signed);
        // What cannot be read as a quote was never given.
        let Ok(order) = order else { return Ok(no(&Refused::QuoteUnknown)) };
        Ok(match self.rfq.order(&order, self.clock.now(), Fate::Filled(self.fill_millis)) {
            Ok(taken) => Said::Yes(Receipt { order_id: taken.order_id, transaction: taken.transaction_hash }),
            Err(Refused::Full) => return Err(VenueError::Failed(Refused::Full.to_string())),
            Err(why) => no(&why),
        })
    }

    async fn state(&self, order_id: &str) -> Result<State, VenueError> {
        let Some(fill) = self.rfq.status(order_id, self.clock.now()) else { return Ok(State::Unknown) };
        Ok(match fill.status {
            Status::Pending => State::Pending,
            Status::Success => State::Filled(fill.token_amount.parse().ok().zip(fill.pair_token_amount.parse().ok())),
            Status::Failed => State::Failed,
        })
    }

    fn settled(&self, order_id: &str) {
        self.rfq.settled(order_id);
    }
}

fn no(why: &Refused) -> Said {
    Said::No { code: why.code().to_owned(), message: why.to_string() }
}

fn refused(why: &Refused) -> VenueError {
    match why {
        Refused::QuoteExpired => VenueError::Refused { code: words::EXPIRED, message: why.to_string() },
        why => VenueError::NoRoute(why.to_string()),
    }
}
