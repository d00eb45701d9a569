//! Universal.xyz, a venue that quotes on request: a firm price, an order that its trader signs, one fill by a merchant.
//!
//! An order's bytes are the signed quote as the venue takes it. They may be sent again: the quote's nonce is used once, and the
//! venue says of the same bytes which order they are. `words` reads and writes its JSON, `own` signs orders that nobody has signed
//! yet; `relayer` is the way to the venue: `paper` inside this process, `http` to its own address.

mod http;
mod own;
mod paper;
mod relayer;
mod words;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::swap::{Ask, Inquiry, Prepared, Quote, Receipt};
use simnet::Clock;

use self::own::Own;
use self::relayer::{Relayer, Said, State};
use super::{LOOK_UP_LIMIT, Order, Outcome, Settlement, Venue, VenueError};

pub(super) use self::http::open;
pub(super) use self::paper::open as open_paper;
pub use simnet::universal::{Address, Chain, EXCLUSIVE_DUTCH_ORDER_REACTOR, Key, Quote as FirmQuote, TOKENS};

/// The venue's name on quotes and in routes.
pub const NAME: &str = "Universal";

/// Decimals of every token of its list.
pub const TOKEN_DECIMALS: u8 = 18;
/// Decimals of USDC.
pub const USDC_DECIMALS: u8 = 6;

/// So many outcomes are kept at once; beyond it the venue is asked again.
const KNOWN_LIMIT: usize = 100_000;
/// An order that the venue took and knows nothing of is given up so long after its deadline, in seconds.
const LOST_SECONDS: u64 = 600;

/// The venue, wherever it is.
struct Universal {
    relayer: Box<dyn Relayer>,
    clock: Arc<Clock>,
    /// Who signs orders that came without a signature; none where nobody does.
    own: Option<Own>,
    /// What the venue said to orders that were sent, by the ids of their bytes.
    known: Mutex<HashMap<String, Known>>,
    poll_millis: u64,
}

/// What is known of an order that was sent.
#[derive(Clone)]
enum Known {
    /// The venue took it.
    Taken(Receipt),
    /// It never will.
    Refused { code: String, message: String },
}

impl Universal {
    fn known(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the venue says to the order, which it is sent unless it said something before.
    async fn send(&self, prepared: &Prepared) -> Result<Known, VenueError> {
        if let Some(known) = self.known().get(&prepared.id) {
            return Ok(known.clone());
        }
        let known = match self.relayer.order(&prepared.bytes).await? {
            Said::Yes(receipt) => Known::Taken(receipt),
            Said::No { code, message } => Known::Refused { code, message },
        };
        let mut all = self.known();
        if all.len() < KNOWN_LIMIT {
            all.insert(prepared.id.clone(), known.clone());
        }
        Ok(known)
    }

    async fn outcome(&self, prepared: &Prepared) -> Result<Outcome, VenueError> {
        let receipt = match self.send(prepared).await? {
            Known::Taken(receipt) => receipt,
            // It is said of the same order again only when that was never taken.
            Known::Refused { code, .. } if code == words::EXPIRED => return Ok(Outcome::Expired),
            Known::Refused { code, message } => return Ok(Outcome::Failed { code, message }),
        };
        if receipt.order_id == receipt.transaction {
            return words::fill(&prepared.bytes, None);
        }
        Ok(match self.relayer.state(&receipt.order_id).await? {
            State::Pending => Outcome::Open,
            State::Unknown if self.clock.now() / 1_000 < prepared.expires_at_height + LOST_SECONDS => Outcome::Open,
            State::Unknown => {
                let message = "the venue took the order and knows nothing of it: look at the wallet".to_owned();
                Outcome::Failed { code: "ORDER_LOST".to_owned(), message }
            }
            State::Failed => {
                let message = "the merchant did not fill the order".to_owned();
                Outcome::Failed { code: "ORDER_NOT_FILLED".to_owned(), message }
            }
            State::Filled(filled) => words::fill(&prepared.bytes, filled.as_ref())?,
        })
    }
}

#[async_trait]
impl Venue for Universal {
    fn name(&self) -> &'static str {
        NAME
    }

    fn settlement(&self) -> Settlement {
        Settlement::Nonce
    }

    async fn quote(&self, inquiry: &Inquiry) -> Result<Quote, VenueError> {
        let unsigned = || VenueError::NoRoute("only quotes that their traders sign are traded here".to_owned());
        let request = self.own.as_ref().ok_or_else(unsigned)?.request(inquiry)?;
        Own::quote(&inquiry.ask, &self.firm_quote(&request.to_string()).await?)
    }

    fn trades(&self, ask: &Ask) -> bool {
        self.own.as_ref().is_some_and(|own| own.trades(ask))
    }

    async fn firm_quote(&self, request: &str) -> Result<String, VenueError> {
        let quote = self.relayer.quote(request).await?;
        words::check(request, &quote, self.clock.now() / 1_000)?;
        Ok(quote)
    }

    async fn prepare(&self, order: &Order) -> Result<Prepared, VenueError> {
        let quoted = order.quote.opaque.as_deref().unwrap_or_default();
        let deadline = words::deadline(quoted)?;
        if self.clock.now() / 1_000 > deadline {
            let message = "the quote's deadline has passed".to_owned();
            return Err(VenueError::Refused { code: words::EXPIRED, message });
        }
        let signed = match &self.own {
            Some(own) if !words::is_signed(quoted) => own.sign(order).await?,
            _ => quoted.to_owned(),
        };
        Ok(words::prepared(signed, deadline, order.attempt))
    }

    async fn submit(&self, prepared: &Prepared) -> Result<(), VenueError> {
        self.send(prepared).await.map(drop)
    }

    async fn look_up(&self, prepared: &[Arc<Prepared>]) -> Result<Vec<Outcome>, VenueError> {
        if prepared.len() > LOOK_UP_LIMIT {
            return Err(VenueError::Failed(format!("at most {LOOK_UP_LIMIT} look-ups at once")));
        }
        let mut outcomes = Vec::with_capacity(prepared.len());
        let mut failed = None;
        for one in prepared {
            // One after the other: the venue counts requests. What fails once is asked again on the next beat.
            let outcome = match failed {
                Some(_) => Ok(Outcome::Open),
                None => self.outcome(one).await,
            };
            outcomes.push(outcome.unwrap_or_else(|error| {
                failed = Some(error);
                Outcome::Open
            }));
        }
        match failed {
            Some(error) if outcomes.iter().all(|outcome| *outcome == Outcome::Open) => Err(error),
            _ => Ok(outcomes),
        }
    }

    fn settled(&self, prepared: &Prepared) {
        if let Some(Known::Taken(receipt)) = self.known().remove(&prepared.id) {
            self.relayer.settled(&receipt.order_id);
        }
    }

    fn receipt(&self, prepared: &Prepared) -> Option<Receipt> {
        match self.known().get(&prepared.id) {
            Some(Known::Taken(receipt)) => Some(receipt.clone()),
            _ => None,
        }
    }

    fn poll_millis(&self) -> u64 {
        self.poll_millis
    }
}

#[cfg(test)]
mod tests;
