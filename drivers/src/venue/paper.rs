//! The simulated venues inside this process: one world, its two exchanges and the router over both; and beside it the venue that
//! quotes on request, which trades other tokens on other chains.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::Timestamp;
use domain::swap::{Inquiry, Prepared, Quote};
use domain::token::Registry;
use simnet::{Clock, LookUp, Pace, Retention, Settings, World};

use super::chain::{self, Desk};
use super::universal;
use super::{LOOK_UP_LIMIT, Order, Outcome, Settlement, Venue, VenueError};
use crate::Fault;

/// One venue of the world in this process.
struct Paper {
    desk: Desk,
    world: Arc<World>,
    clock: Arc<Clock>,
}

/// The venues of a new world with these options.
pub(super) fn open(options: &str, tokens: &Arc<Registry>, now: Timestamp) -> Result<Vec<Arc<dyn Venue>>, Fault> {
    let settings = Settings::parse(options).map_err(|e| Fault::Unavailable(format!("--venue paper: {e}")))?;
    let begins = u64::try_from(now.as_millis()).unwrap_or(0);
    let world = World::new(settings, chain::tokens(tokens), Retention::Recent, begins);
    let world = world.map_err(|e| Fault::Unavailable(format!("--venue paper: {e}")))?;
    let (world, clock) = (Arc::new(world), Arc::new(Clock::wall()));
    let mut venues = over(&world, tokens, &clock);
    venues.push(universal::open_paper(world.settings(), &clock));
    Ok(venues)
}

/// The venues of a world, by that clock.
pub(super) fn over(world: &Arc<World>, tokens: &Arc<Registry>, clock: &Arc<Clock>) -> Vec<Arc<dyn Venue>> {
    let venue = |venue| -> Arc<dyn Venue> {
        let desk = Desk::new(venue, Arc::clone(tokens));
        Arc::new(Paper { desk, world: Arc::clone(world), clock: Arc::clone(clock) })
    };
    ::simnet::Venue::ALL.map(venue).into()
}

#[async_trait]
impl Venue for Paper {
    fn name(&self) -> &'static str {
        self.desk.venue.as_str()
    }

    fn settlement(&self) -> Settlement {
        Settlement::Signature
    }

    async fn quote(&self, inquiry: &Inquiry) -> Result<Quote, VenueError> {
        let ask = &inquiry.ask;
        let asked = self.desk.ask(ask)?;
        let delay = self.world.quote_delay(&asked, self.clock.now());
        if delay > 0 {
            tokio::time::sleep(Duration::from_millis(delay)).await;
        }
        let quote = self.world.quote(&asked, self.clock.now()).map_err(chain::refused)?;
        self.desk.quote(ask, &quote)
    }

    async fn prepare(&self, order: &Order) -> Result<Prepared, VenueError> {
        let blockhash = self.world.blockhash(self.clock.now());
        self.desk.prepare(order, |swap| self.world.sign(swap, &blockhash))
    }

    async fn submit(&self, prepared: &Prepared) -> Result<(), VenueError> {
        self.world.submit(&prepared.bytes, self.clock.now()).map_err(chain::refused).map(drop)
    }

    async fn look_up(&self, prepared: &[Arc<Prepared>]) -> Result<Vec<Outcome>, VenueError> {
        if prepared.len() > LOOK_UP_LIMIT {
            return Err(VenueError::Failed(format!("at most {LOOK_UP_LIMIT} look-ups at once")));
        }
        let asked: Vec<_> =
            prepared.iter().map(|p| LookUp { id: &p.id, expires_at_height: p.expires_at_height }).collect();
        Ok(self.world.look_up(&asked, self.clock.now()).into_iter().map(chain::outcome).collect())
    }

    fn settled(&self, prepared: &Prepared) {
        self.world.settled(&prepared.id, self.clock.now());
    }

    fn poll_millis(&self) -> u64 {
        match self.world.settings().pace {
            Pace::Real => simnet::SLOT_MILLIS,
            Pace::Instant => 1,
        }
    }
}
