//! The simulated venues in a process of their own, which outlives this one.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use domain::swap::{Inquiry, Prepared, Quote};
use domain::token::Registry;
use reqwest::{Client, RequestBuilder};
use serde::de::DeserializeOwned;
use simnet::{Blockhash, Outcome as Fate, SLOT_MILLIS, Wallets, wire};

use super::chain::{self, Desk};
use super::{LOOK_UP_LIMIT, Order, Outcome, Settlement, Venue, VenueError};
use crate::Fault;

const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);
const QUOTE_TIMEOUT: Duration = Duration::from_secs(5);

/// A blockhash is good for a minute; asking for each order would double the requests.
const BLOCKHASH_AGE: Duration = Duration::from_secs(2);

/// No honest answer is longer.
const ANSWER_BYTES: usize = 256 * 1024;

/// One venue of the world over there.
struct Simnet {
    desk: Desk,
    line: Arc<Line>,
}

/// What the venues share.
struct Line {
    client: Client,
    base: String,
    wallets: Wallets,
    blockhash: Mutex<Option<(Instant, Blockhash)>>,
}

/// The venues of the process at `base`. It need not be up yet.
pub(super) fn open(base: &str, tokens: &Arc<Registry>) -> Result<Vec<Arc<dyn Venue>>, Fault> {
    let shown = crate::without_secrets(base);
    let wrong = |why: &dyn std::fmt::Display| Fault::Unavailable(format!("--venue simnet={shown}: {why}"));
    let url = reqwest::Url::parse(base).map_err(|e| wrong(&e))?;
    if !matches!(url.scheme(), "http" | "https") || url.query().is_some() {
        return Err(wrong(&"expected http://host:port"));
    }
    let client = Client::builder().no_proxy().connect_timeout(CONNECT_TIMEOUT).timeout(REQUEST_TIMEOUT);
    let client = client.redirect(reqwest::redirect::Policy::none()).build().map_err(|e| wrong(&e))?;
    let base = base.trim_end_matches('/').to_owned();
    let line = Arc::new(Line { client, base, wallets: Wallets::default(), blockhash: Mutex::new(None) });
    let venue = |venue| -> Arc<dyn Venue> {
        Arc::new(Simnet { desk: Desk::new(venue, Arc::clone(tokens)), line: Arc::clone(&line) })
    };
    Ok(::simnet::Venue::ALL.map(venue).into())
}

#[async_trait]
impl Venue for Simnet {
    fn name(&self) -> &'static str {
        self.desk.venue.as_str()
    }

    fn settlement(&self) -> Settlement {
        Settlement::Signature
    }

    async fn quote(&self, inquiry: &Inquiry) -> Result<Quote, VenueError> {
        let ask = &inquiry.ask;
        let asked = wire::Ask::from(self.desk.ask(ask)?);
        let request = self.line.post("/quote").timeout(QUOTE_TIMEOUT).json(&asked);
        let answer: ::simnet::Quote = self.line.send(request).await?;
        self.desk.quote(ask, &answer)
    }

    async fn prepare(&self, order: &Order) -> Result<Prepared, VenueError> {
        let blockhash = self.line.blockhash().await?;
        self.desk.prepare(order, |swap| swap.sign(&blockhash, &self.line.wallets.key(swap.account)))
    }

    async fn submit(&self, prepared: &Prepared) -> Result<(), VenueError> {
        let submission = wire::Submission { transaction: prepared.bytes.clone() };
        let answer: wire::Submitted = self.line.send(self.line.post("/transactions").json(&submission)).await?;
        if answer.id != prepared.id {
            return Err(VenueError::Failed(format!("it calls the transaction {}, not {}", answer.id, prepared.id)));
        }
        Ok(())
    }

    async fn look_up(&self, prepared: &[Arc<Prepared>]) -> Result<Vec<Outcome>, VenueError> {
        if prepared.len() > LOOK_UP_LIMIT {
            return Err(VenueError::Failed(format!("at most {LOOK_UP_LIMIT} look-ups at once")));
        }
        if prepared.is_empty() {
            return Ok(Vec::new());
        }
        let asked = |p: &Arc<Prepared>| wire::LookUp { id: p.id.clone(), expires_at_height: p.expires_at_height };
        let asked = wire::LookUps { transactions: prepared.iter().map(asked).collect() };
        let request = self.line.post("/transactions/status").json(&asked);
        let wire::Statuses { statuses } = self.line.send(request).await?;
        if statuses.len() != prepared.len() {
            return Err(VenueError::Failed(format!("{} answers to {} look-ups", statuses.len(), prepared.len())));
        }
        Ok(statuses.into_iter().map(|status| chain::outcome(Fate::from(status))).collect())
    }

    fn poll_millis(&self) -> u64 {
        SLOT_MILLIS
    }
}

impl Line {
    fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.base))
    }

    /// A blockhash of the last two seconds.
    async fn blockhash(&self) -> Result<Blockhash, VenueError> {
        let kept = || self.blockhash.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((fetched, blockhash)) = *kept()
            && fetched.elapsed() < BLOCKHASH_AGE
        {
            return Ok(blockhash);
        }
        let answer: wire::Blockhash = self.send(self.client.get(format!("{}/blockhash", self.base))).await?;
        let blockhash = answer.as_signable().ok_or_else(|| VenueError::Failed("its blockhash is none".to_owned()))?;
        *kept() = Some((Instant::now(), blockhash));
        Ok(blockhash)
    }

    /// Sends and reads the answer, within the request's timeout. Whatever goes wrong leaves the outcome unknown, but for
    /// a missing route.
    async fn send<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, VenueError> {
        let failed = |e: &dyn std::fmt::Display| VenueError::Failed(e.to_string());
        let mut response = request.send().await.map_err(|e| failed(&e))?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| failed(&e))? {
            if body.len() + chunk.len() > ANSWER_BYTES {
                return Err(failed(&"its answer is too long"));
            }
            body.extend_from_slice(&chunk);
        }
        if response.status().is_success() {
            return serde_json::from_slice(&body).map_err(|e| failed(&e));
        }
        Err(match serde_json::from_slice::<wire::Problem>(&body) {
            Ok(problem) if problem.code == "NO_ROUTE" => VenueError::NoRoute(problem.message),
            Ok(problem) => VenueError::Failed(format!("{}: {}", problem.code, problem.message)),
            Err(_) => VenueError::Failed(format!("it answered {}", response.status())),
        })
    }
}
