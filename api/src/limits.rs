//! The limits on requests: who asks, what is said about it, and the refusal.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use drivers::limit::{Caller, Limit, Policy, Standing, Standings};

use crate::account::Account;
use crate::gate::Visitor;
use crate::problem::{Problem, codes};
use crate::routes::App;
use crate::server::Peer;

/// What is allowed, as the draft RateLimit header fields for HTTP of the IETF says it: quota, and window in seconds.
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// What is left of it, and in how many seconds all of it is back.
const STATE: HeaderName = HeaderName::from_static("ratelimit");

/// What every request that is limited has in common.
pub(crate) struct Limits {
    limit: Arc<dyn Limit>,
    policies: HeaderValue,
}

/// Who asks.
pub(crate) struct Who {
    address: Option<IpAddr>,
    account: Option<Account>,
}

/// What to say about a request that was counted.
pub(crate) struct Counted {
    policies: HeaderValue,
    standings: Standings,
}

impl Limits {
    pub(crate) fn new(limit: Arc<dyn Limit>) -> Self {
        let rates = limit.rates();
        let all = Policy::ALL.into_iter().filter_map(|policy| Some((policy, rates.of(policy)?)));
        let all = all.map(|(policy, rate)| {
            format!("\"{}\";q={};w={}", policy.name(), rate.burst(), seconds(rate.until_full(0)))
        });
        Self { limit, policies: value(&all.collect::<Vec<_>>()) }
    }

    /// Counts a request.
    pub(crate) async fn count(&self, who: Who) -> Counted {
        let caller = Caller { address: who.address, key: who.account.as_ref().map(|account| &account.0) };
        let standings = self.limit.take(caller).await;
        Counted { policies: self.policies.clone(), standings }
    }
}

impl Who {
    /// Who asks, if the route is one of the limited. An account that is none is refused by its handler.
    pub(crate) fn asks(app: &App, request: &Parts, caller: Option<&Visitor>) -> Option<Self> {
        let path = request.uri.path();
        let limited = path.starts_with("/v1/") || app.facade(path).is_some();
        let account = || match caller {
            Some(caller) => Some(Account(caller.account.clone())),
            None => Account::of(&request.headers).ok(),
        };
        limited.then(|| Self { address: address(app, request), account: account() })
    }

    /// Someone who was not let in: only the address is known.
    pub(crate) fn nobody(self) -> Self {
        Self { account: None, ..self }
    }
}

impl Counted {
    /// The refusal, if the request is one too many.
    pub(crate) fn refusal(&self) -> Option<(Policy, Problem)> {
        let refused = self.standings.iter().flatten().find_map(|standing| Some((standing, standing.refused_for?)));
        refused.map(|(standing, wait)| {
            let detail = match standing.policy {
                Policy::Address => "too many requests from this address; wait, then send fewer",
                Policy::Key => "too many requests of this account; wait, then send fewer",
            };
            let problem = Problem::new(codes::RATE_LIMITED, detail);
            (standing.policy, problem.with_violated(standing.policy.name(), seconds(wait)))
        })
    }

    /// Says how the caller stands.
    pub(crate) fn say(self, headers: &mut HeaderMap) {
        let standings: Vec<String> = self.standings.iter().flatten().map(state).collect();
        if !standings.is_empty() {
            headers.insert(POLICY, self.policies);
            headers.insert(STATE, value(&standings));
        }
    }
}

fn state(standing: &Standing) -> String {
    let Standing { policy, rate, remaining, .. } = standing;
    format!("\"{}\";r={remaining};t={}", policy.name(), seconds(rate.until_full(*remaining)))
}

/// A list of structured fields (RFC 9651).
fn value(members: &[String]) -> HeaderValue {
    HeaderValue::try_from(members.join(", ")).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// Whole seconds, rounded up: whoever waits so long is not too early.
pub(crate) fn seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

/// Where the request comes from: the connection's other end, or, when that is a proxy we know, whom it names.
pub(crate) fn address(app: &App, request: &Parts) -> Option<IpAddr> {
    let Peer(peer) = *request.extensions.get::<Peer>()?;
    let trusted = |address: IpAddr| app.settings.trusted_proxies.iter().any(|net| net.contains(address));
    if !trusted(peer) {
        return Some(peer);
    }
    // Each proxy adds the address that it saw at the end: the last one that is no proxy of ours is the caller's. What
    // stands before it, the caller may have made up.
    let named = request.headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok());
    let mut named: Vec<&str> = named.flat_map(|line| line.split(',')).map(str::trim).collect();
    let mut address = peer;
    while let Some(text) = named.pop() {
        let Ok(next) = text.parse::<IpAddr>() else { break };
        address = next.to_canonical();
        if !trusted(address) {
            break;
        }
    }
    Some(address)
}
