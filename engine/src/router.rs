//! Asks all venues at once under one deadline; a venue that errs or is late holds nobody up.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::swap::{Answer, Failure, Inquiry, prove};
use drivers::venue::{Venue, VenueError};
use futures_util::future::join_all;

/// The venues of this installation.
pub struct Router {
    venues: Vec<Arc<dyn Venue>>,
    deadline: Duration,
    /// Until when each venue rests that said so.
    rests: Mutex<HashMap<&'static str, Instant>>,
}

impl Router {
    /// A router over `venues`; each has `deadline_millis` to answer.
    #[must_use]
    pub fn new(venues: Vec<Arc<dyn Venue>>, deadline_millis: u64) -> Self {
        Self { venues, deadline: Duration::from_millis(deadline_millis), rests: Mutex::default() }
    }

    /// Every venue's answer, in the order of the venues, held against the bound if one of them proves any. Choose with
    /// [`domain::swap::choose`].
    pub async fn quote(&self, inquiry: &Inquiry) -> Vec<Answer> {
        let asked = self.venues.iter().filter(|venue| venue.trades(&inquiry.ask));
        let mut answers = join_all(asked.map(|venue| self.answer(venue.as_ref(), inquiry))).await;
        prove(&mut answers);
        answers
    }

    /// A firm quote of the venue of that name, in its own JSON, for whom the request names to sign.
    ///
    /// # Errors
    /// There is no such venue, it refuses, or it does not answer in time.
    pub async fn firm_quote(&self, venue: &str, request: &str) -> Result<String, Failure> {
        let none = || Failure { code: "NO_ROUTE".to_owned(), message: format!("no venue {venue} is configured") };
        let venue = self.venue(venue).ok_or_else(none)?;
        match tokio::time::timeout(self.deadline, venue.firm_quote(request)).await {
            Ok(answer) => answer.map_err(|error| self.failure(venue.name(), error)),
            Err(_) => Err(self.late(venue.name())),
        }
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

    async fn answer(&self, venue: &dyn Venue, inquiry: &Inquiry) -> Answer {
        let asked = Instant::now();
        let result = match tokio::time::timeout(self.deadline, venue.quote(inquiry)).await {
            Ok(Ok(quote)) => Ok(quote),
            Ok(Err(error)) => Err(self.failure(venue.name(), error)),
            Err(_) => Err(self.late(venue.name())),
        };
        let millis = u32::try_from(asked.elapsed().as_millis()).unwrap_or(u32::MAX);
        Answer { venue: venue.name().into(), result, millis }
    }

    fn late(&self, venue: &str) -> Failure {
        let message = format!("{venue} did not answer within {} ms", self.deadline.as_millis());
        Failure { code: QUOTE_TIMEOUT.to_owned(), message }
    }

    /// What a trader may read about a venue's error. A pause that the venue asks for is noted.
    pub(crate) fn failure(&self, venue: &'static str, error: VenueError) -> Failure {
        let (code, message) = match error {
            VenueError::NoRoute(message) => (NO_ROUTE, message),
            VenueError::Failed(message) => (VENUE_FAILED, message),
            VenueError::Resting { pause_millis, why } => {
                self.rests().insert(venue, Instant::now() + Duration::from_millis(pause_millis));
                (VENUE_RESTING, why)
            }
            VenueError::Refused { code, message } => (code, message),
        };
        Failure { code: code.to_owned(), message }
    }

    /// Until the first of the venues that rest is asked again; none while none rests.
    pub(crate) fn rests_for(&self) -> Option<Duration> {
        let now = Instant::now();
        let mut rests = self.rests();
        rests.retain(|_, until| *until > now);
        rests.values().min().map(|until| *until - now)
    }

    /// Whether that venue rests.
    pub(crate) fn is_resting(&self, venue: &str) -> bool {
        self.rests().get(venue).is_some_and(|until| *until > Instant::now())
    }

    fn rests(&self) -> MutexGuard<'_, HashMap<&'static str, Instant>> {
        self.rests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const NO_ROUTE: &str = "NO_ROUTE";
const VENUE_FAILED: &str = "VENUE_FAILED";
const VENUE_RESTING: &str = "VENUE_RESTING";
const QUOTE_TIMEOUT: &str = "QUOTE_TIMEOUT";

/// The order waits for a venue.
pub(crate) fn is_resting(why: &Failure) -> bool {
    why.code == VENUE_RESTING
}

/// A venue refused the order for good: another attempt would be refused, too.
pub(crate) fn is_refusal(why: &Failure) -> bool {
    ![NO_ROUTE, VENUE_FAILED, VENUE_RESTING, QUOTE_TIMEOUT].contains(&why.code.as_str())
}

/// Why none of these answers is a quote: what may pass before what is for good, and a rest, which certainly passes, first.
pub(crate) fn why_none(answers: Vec<Answer>) -> Failure {
    let rank = |why: &Failure| match why.code.as_str() {
        VENUE_RESTING => 0,
        VENUE_FAILED | QUOTE_TIMEOUT => 1,
        NO_ROUTE => 3,
        _ => 2,
    };
    answers.into_iter().filter_map(|answer| answer.result.err()).min_by_key(rank).unwrap_or_else(no_venue)
}

/// There is no venue for it.
pub(crate) fn no_venue() -> Failure {
    Failure { code: NO_ROUTE.to_owned(), message: "no venue has a quote".to_owned() }
}
