//! Asks all venues at once under one deadline; a venue that errs or is late holds nobody up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::swap::{Answer, Ask, Failure, prove};
use drivers::venue::{Venue, VenueError};
use futures_util::future::join_all;

/// The venues of this installation.
pub struct Router {
    venues: Vec<Arc<dyn Venue>>,
    deadline: Duration,
}

impl Router {
    /// A router over `venues`; each has `deadline_millis` to answer.
    #[must_use]
    pub fn new(venues: Vec<Arc<dyn Venue>>, deadline_millis: u64) -> Self {
        Self { venues, deadline: Duration::from_millis(deadline_millis) }
    }

    /// Every venue's answer, in the order of the venues, held against the bound if one of them proves any. Choose with
    /// [`domain::swap::choose`].
    pub async fn quote(&self, ask: &Ask) -> Vec<Answer> {
        let mut answers = join_all(self.venues.iter().map(|venue| self.answer(venue.as_ref(), ask))).await;
        prove(&mut answers);
        answers
    }

    /// The venues' names.
    #[must_use]
    pub fn venues(&self) -> Vec<&'static str> {
        self.venues.iter().map(|venue| venue.name()).collect()
    }

    pub(crate) fn venue(&self, name: &str) -> Option<&Arc<dyn Venue>> {
        self.venues.iter().find(|venue| venue.name() == name)
    }

    pub(crate) fn all(&self) -> &[Arc<dyn Venue>] {
        &self.venues
    }

    async fn answer(&self, venue: &dyn Venue, ask: &Ask) -> Answer {
        let asked = Instant::now();
        let result = match tokio::time::timeout(self.deadline, venue.quote(ask)).await {
            Ok(Ok(quote)) => Ok(quote),
            Ok(Err(error)) => Err(failure(error)),
            Err(_) => {
                let message = format!("{} did not answer within {} ms", venue.name(), self.deadline.as_millis());
                Err(Failure { code: "QUOTE_TIMEOUT".to_owned(), message })
            }
        };
        let millis = u32::try_from(asked.elapsed().as_millis()).unwrap_or(u32::MAX);
        Answer { venue: venue.name().into(), result, millis }
    }
}

/// What a trader may read about a venue's error.
pub(crate) fn failure(error: VenueError) -> Failure {
    match error {
        VenueError::NoRoute(message) => Failure { code: "NO_ROUTE".to_owned(), message },
        VenueError::Failed(message) => Failure { code: "VENUE_FAILED".to_owned(), message },
    }
}
