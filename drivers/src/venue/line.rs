//! The HTTP line to one server: deadlines, retries where they are safe, a rate, a circuit breaker. What comes back is JSON, or a
//! reason why not.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Method, Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde::de::DeserializeOwned;
use tokio::time::timeout_at;
use url::Url;

use super::VenueError;
use super::breaker::{Breaker, Pass};
use super::connect::Connector;
use super::pace::Pace;
use crate::Fault;
use crate::limit::Rate;

mod reply;

pub(super) use reply::{Reply, said, short};
use reply::{Trouble, cause, read, rest};

/// No honest answer is longer.
const ANSWER_BYTES: usize = 512 * 1024;

/// Exchanges per call where repeating is safe.
const TRIES: u32 = 3;
/// Before the second exchange; doubled before the third, each with jitter.
const AGAIN: Duration = Duration::from_millis(50);

/// A call waits no longer for leave. Its caller knows what to do meanwhile: an order that waited here would take a server that
/// rests for one that is silent, and lose an attempt.
const WAITS: Duration = Duration::from_millis(250);

/// Connections that are kept for the next call.
const IDLE_CONNECTIONS: usize = 64;
const IDLE_FOR: Duration = Duration::from_secs(30);

/// The line to one server. Calls may be made at once from many tasks.
pub(super) struct Line {
    client: Client<Connector, Full<Bytes>>,
    /// Everything before a call's path.
    base: String,
    key: Option<(HeaderName, HeaderValue)>,
    pace: Mutex<Pace>,
    breaker: Mutex<Breaker>,
    draws: AtomicU64,
}

/// One call.
pub(super) struct Call<'a> {
    method: Method,
    path: &'a str,
    query: &'a [(&'a str, &'a str)],
    body: Option<Bytes>,
    repeatable: bool,
    within: Duration,
}

impl<'a> Call<'a> {
    /// A question; it is repeated where it fails.
    pub(super) fn get(path: &'a str, query: &'a [(&'a str, &'a str)], within: Duration) -> Self {
        Self { method: Method::GET, path, query, body: None, repeatable: true, within }
    }

    /// A JSON body; it is sent once, unless [`Self::repeatable`].
    pub(super) fn post(path: &'a str, body: impl Into<Bytes>, within: Duration) -> Self {
        Self { method: Method::POST, path, query: &[], body: Some(body.into()), repeatable: false, within }
    }

    /// Twice is as good as once.
    pub(super) fn repeatable(self) -> Self {
        Self { repeatable: true, ..self }
    }
}

/// A call on its way. Dropped without a word it has failed: its caller did not wait any longer.
struct Flight<'a> {
    line: &'a Line,
    pass: Option<Pass>,
}

impl Flight<'_> {
    fn answered(mut self) {
        if let Some(pass) = self.pass.take() {
            self.line.breaker.lock().unwrap_or_else(PoisonError::into_inner).answered(pass);
        }
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        if let Some(pass) = self.pass.take() {
            self.line.breaker.lock().unwrap_or_else(PoisonError::into_inner).failed(pass, Instant::now());
        }
    }
}

impl Line {
    /// A line to the server at `base`. `key` goes with every call, and into no message.
    ///
    /// # Errors
    /// [`Fault::Broken`] when TLS cannot be set up.
    pub(super) fn open(base: &Url, key: Option<(HeaderName, HeaderValue)>, rate: Option<Rate>) -> Result<Self, Fault> {
        let mut builder = Client::builder(TokioExecutor::new());
        builder.pool_max_idle_per_host(IDLE_CONNECTIONS).pool_idle_timeout(IDLE_FOR).pool_timer(TokioTimer::new());
        let key = key.map(|(name, mut value)| {
            value.set_sensitive(true);
            (name, value)
        });
        Ok(Self {
            client: builder.build(Connector::of_the_system()?),
            base: base.as_str().trim_end_matches('/').to_owned(),
            key,
            pace: Mutex::new(Pace::new(rate)),
            breaker: Mutex::default(),
            draws: AtomicU64::new(0),
        })
    }

    /// Makes the call, again where that is safe and useful, within its deadline.
    ///
    /// # Errors
    /// [`VenueError::Resting`] while the server is left alone; [`VenueError::Failed`] for all else that is no [`Reply`].
    pub(super) async fn ask<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<Reply<T>, VenueError> {
        let deadline = Instant::now() + call.within;
        let mut tries = 0;
        loop {
            self.turn(deadline).await?;
            let flight = self.enter()?;
            tries += 1;
            let late = || Trouble::Failed(format!("no answer within {} ms", call.within.as_millis()));
            let exchanged = timeout_at(deadline.into(), self.exchange(&call)).await;
            let trouble = match exchanged.unwrap_or_else(|_| Err(late())) {
                Ok(reply) => {
                    flight.answered();
                    return Ok(reply);
                }
                Err(trouble) => trouble,
            };
            let pause = match &trouble {
                Trouble::Failed(_) => self.jitter(AGAIN * tries),
                Trouble::Odd(why) => return Err(VenueError::Failed(why.clone())),
                Trouble::Rests(pause) => {
                    flight.answered();
                    self.pace().rest(*pause, Instant::now());
                    *pause
                }
            };
            let in_time = Instant::now() + pause < deadline;
            match trouble {
                // What was refused for its rate was not done: again is safe whatever it was.
                Trouble::Rests(pause) if pause <= WAITS && in_time && tries < TRIES => {}
                Trouble::Rests(pause) => return Err(resting(pause, "it is asked too often")),
                Trouble::Failed(_) if in_time && tries < TRIES && call.repeatable => tokio::time::sleep(pause).await,
                Trouble::Failed(why) | Trouble::Odd(why) => return Err(VenueError::Failed(why)),
            }
        }
    }

    /// An error while the server is left alone.
    pub(super) fn ready(&self) -> Result<(), VenueError> {
        let rests = self.breaker.lock().unwrap_or_else(PoisonError::into_inner).rests(Instant::now());
        rests.map_or(Ok(()), |pause| Err(resting(pause, "it failed too often of late")))
    }

    /// Waits for leave by the rate, if it comes in time.
    async fn turn(&self, deadline: Instant) -> Result<(), VenueError> {
        let deadline = deadline.min(Instant::now() + WAITS);
        loop {
            let now = Instant::now();
            let taken = self.pace().take(now);
            match taken {
                Ok(()) => return Ok(()),
                Err(wait) if now + wait < deadline => tokio::time::sleep(wait).await,
                Err(wait) => return Err(resting(wait, "it is asked as often as its rate allows")),
            }
        }
    }

    fn enter(&self) -> Result<Flight<'_>, VenueError> {
        let entered = self.breaker.lock().unwrap_or_else(PoisonError::into_inner).enter(Instant::now());
        let pass = entered.map_err(|pause| resting(pause, "it failed too often of late"))?;
        Ok(Flight { line: self, pass: Some(pass) })
    }

    fn pace(&self) -> std::sync::MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Half to one and a half of it: many that failed together do not come back together.
    fn jitter(&self, pause: Duration) -> Duration {
        // SplitMix64's finaliser (Steele et al., 2014) spreads neighbouring draws apart.
        let mut mixed = self.draws.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let share = u32::try_from((mixed ^ (mixed >> 31)) % 1_000).unwrap_or(0);
        pause / 2 + pause * share / 1_000
    }

    async fn exchange<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<Reply<T>, Trouble> {
        let request = self.request(call)?;
        let response = self.client.request(request).await.map_err(|error| Trouble::Failed(cause(&error)))?;
        let (head, body) = response.into_parts();
        if head.status == StatusCode::TOO_MANY_REQUESTS {
            return Err(Trouble::Rests(rest(&head.headers)));
        }
        let body = Limited::new(body, ANSWER_BYTES).collect().await;
        let body = body.map_err(|error| Trouble::Failed(format!("its answer broke off or is too long: {error}")))?;
        read(head.status, &head.headers, &body.to_bytes())
    }

    fn request(&self, call: &Call<'_>) -> Result<Request<Full<Bytes>>, Trouble> {
        let mut url = format!("{}{}", self.base, call.path);
        if !call.query.is_empty() {
            let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(call.query).finish();
            url.push('?');
            url.push_str(&query);
        }
        let mut request = Request::builder().method(&call.method).uri(url).header(ACCEPT, "application/json");
        request = request.header(USER_AGENT, concat!("tradewind/", env!("CARGO_PKG_VERSION")));
        if call.body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some((name, value)) = &self.key {
            request = request.header(name, value);
        }
        let body = Full::new(call.body.clone().unwrap_or_default());
        // The error may show the URL, which may hold a secret of the operator's.
        request.body(body).map_err(|_| Trouble::Odd("the address of the call is no URL".to_owned()))
    }
}

fn resting(pause: Duration, why: &str) -> VenueError {
    let pause_millis = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX).max(1);
    VenueError::Resting { pause_millis, why: format!("{why}; it is asked again in {pause_millis} ms") }
}

#[cfg(test)]
mod tests;
