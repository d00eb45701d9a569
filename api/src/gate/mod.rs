//! Who comes in: judged once per request, before its limits and its handler.
//!
//! While there is no key the server is open, and everyone may do everything. From the first key on, each path lets in only
//! whoever has the scope that its row in `routes` names; a path without a row lets in nobody.

mod attempts;
pub(crate) mod signature;
mod ticket;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::MatchedPath;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use domain::key::{Presented, Scope, SigningPair};
use domain::{Owner, Timestamp};
use engine::access::{Principal, Recalled};
use engine::clock;
use tokio::sync::Semaphore;

use crate::account::Account;
use crate::body;
use crate::facades::Facade;
use crate::limits;
use crate::problem::{Problem, codes};
use crate::routes::{App, Route};
use attempts::Attempts;
use signature::{Head, Signed};

pub(crate) use ticket::{PARAMETER, issue, shows_ticket};

/// Documents, which are the same for everyone.
const PUBLIC: [&str; 6] = ["/", "/problems", "/openapi.json", "/docs", "/docs/", "/docs/{*rest}"];
/// Where a ticket does instead of a key.
const STREAMS: [&str; 2] = ["/v1/events", "/v1/stream"];

/// So many look-ups of unknown keys and tickets at once: guesses take no more of the journal.
const LOOK_UPS: usize = 32;

/// What every path needs.
pub(crate) struct Gate {
    native: HashMap<&'static str, &'static [(Method, Option<Scope>)]>,
    attempts: Attempts,
    /// Keys and tickets that nobody vouches for yet are looked up so many at once.
    look_ups: Semaphore,
}

/// Who came in, among the request's extensions. Without it, nobody asked: the server is open, or the path is public.
#[derive(Clone)]
pub(crate) struct Visitor {
    /// Who it is; none came with the ticket of an open server.
    pub(crate) principal: Option<Arc<Principal>>,
    /// The account to act for.
    pub(crate) account: Owner,
}

/// What is needed at a place.
enum Need {
    Nothing,
    Scope(Scope),
    /// There is nothing to be had here, whatever one has.
    Refused(Problem),
}

impl Gate {
    pub(crate) fn new(native: &[Route]) -> Self {
        let native = native.iter().map(|route| (route.path, route.methods)).collect();
        Self { native, attempts: Attempts::default(), look_ups: Semaphore::new(LOOK_UPS) }
    }

    fn need(&self, method: &Method, path: &str) -> Need {
        if PUBLIC.contains(&path) {
            return Need::Nothing;
        }
        let Some(methods) = self.native.get(path) else {
            return Need::Refused(Problem::new(codes::NOT_FOUND, "there is no such route; see /docs"));
        };
        // What answers GET answers HEAD.
        let asked = if *method == Method::HEAD { &Method::GET } else { method };
        match methods.iter().find(|(known, _)| known == asked) {
            Some((_, Some(scope))) => Need::Scope(*scope),
            Some((_, None)) => Need::Nothing,
            None => Need::Refused(Problem::new(codes::METHOD_NOT_ALLOWED, "see the OpenAPI document")),
        }
    }
}

/// Lets a request in, or says why not. None where nobody needs to be known. A body that a signature covers is read on the way.
///
/// # Errors
/// 401, 403, 429; 503 when the journal does not answer; of a signed body what `body::read` says.
pub(crate) async fn enter(app: &App, request: &Parts, body: &mut Body) -> Result<Option<Visitor>, Problem> {
    let (method, headers) = (&request.method, &request.headers);
    let path = request.extensions.get::<MatchedPath>().map(MatchedPath::as_str);
    let facade = app.facade(request.uri.path());
    let need = match (facade, path) {
        (Some(facade), _) => (facade.needs)(method, path.unwrap_or_default()).map_or(Need::Nothing, Need::Scope),
        (None, Some(path)) => app.gate.need(method, path),
        // The fallback says that there is nothing.
        (None, None) => Need::Nothing,
    };
    let scope = match need {
        Need::Nothing => return Ok(None),
        Need::Scope(scope) => Ok(scope),
        Need::Refused(problem) => Err(problem),
    };
    let open = app.engine.access.is_open().await?;
    let ticket = path.filter(|path| STREAMS.contains(path)).and_then(|_| ticket::of(&request.uri));
    if open {
        return match ticket {
            Some(ticket) => by_ticket(app, request, &ticket, true).await.map(Some),
            None => Ok(facade.and_then(|facade| anonymous(app, facade, headers))),
        };
    }
    let caller = match (presented(headers)?, ticket) {
        (Some(text), _) => {
            let principal = by_key(app, request, text).await?;
            let account = Account::acting(&principal, headers)?.0;
            Visitor { principal: Some(principal), account }
        }
        (None, Some(ticket)) => by_ticket(app, request, &ticket, false).await?,
        (None, None) => match by_signature(app, facade, request, body).await? {
            Some(caller) => caller,
            None => facade.and_then(|facade| anonymous(app, facade, headers)).ok_or_else(|| {
                let detail = "send a key: `Authorization: Bearer <key>`, or `x-api-key: <key>`";
                Problem::new(codes::KEY_REQUIRED, detail)
            })?,
        },
    };
    let scope = scope?;
    if caller.principal.as_ref().is_none_or(|principal| !principal.may(scope)) {
        let detail = format!("the key lacks the scope {}", scope.as_str());
        return Err(Problem::new(codes::SCOPE_MISSING, detail));
    }
    Ok(Some(caller))
}

/// The key that the headers show.
fn presented(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let bearer = headers.get_all(header::AUTHORIZATION).iter().filter_map(|value| {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    let plain = headers.get_all("x-api-key").iter().map(|value| value.to_str().unwrap_or_default().trim());
    let mut shown = bearer.chain(plain);
    let first = shown.next();
    if shown.any(|other| Some(other) != first) {
        return Err(Problem::new(codes::KEY_NOT_GOOD, "the request shows two keys: show one"));
    }
    Ok(first)
}

/// The holder of a key. What memory knows costs no look-up; all else is looked up, a few at a time, and
/// counts against its address when it turns out not to be good.
async fn by_key(app: &App, request: &Parts, text: &str) -> Result<Arc<Principal>, Problem> {
    let (access, now) = (&app.engine.access, clock::now());
    let bad = || Problem::new(codes::KEY_NOT_GOOD, "the key is unknown, expired or revoked");
    let presented = Presented::parse(text);
    let recalled = presented.as_ref().map(|presented| access.recall(presented, now));
    if let Some(Recalled::Known(Some(principal))) = recalled {
        return Ok(principal);
    }
    let trusted = matches!(recalled, Some(Recalled::Unknown { was_good: true }));
    let attempt = Attempt::begin(app, request, trusted)?;
    let _turn = app.gate.look_ups.acquire().await;
    let found = match (recalled, presented) {
        (Some(Recalled::Unknown { .. }), Some(presented)) => access.look_up(&presented, now).await,
        _ => Ok(None),
    };
    // A journal that fails says nothing against the key.
    if matches!(found, Ok(None)) {
        attempt.failed(app);
    }
    found?.ok_or_else(bad)
}

/// Whoever signed the request with a key's credentials, where that is a way to come in; none where nobody signed.
///
/// The credentials follow from the key's id, so a signature is judged before anything is looked up: one that is wrong costs the
/// journal nothing, and one that is right comes in whatever else was tried from its address. Only where the body is large is
/// the key looked up first: what is made up takes no room from others.
async fn by_signature(
    app: &App,
    facade: Option<&Facade>,
    request: &Parts,
    body: &mut Body,
) -> Result<Option<Visitor>, Problem> {
    let headers = &request.headers;
    let limited = facade.and_then(|facade| Some((facade.signed?, facade.name)));
    let (Some((limit, name)), Some(signed)) = (limited, Signed::of(headers)) else { return Ok(None) };
    let malformed = || Problem::new(codes::SIGNATURE_MALFORMED, "the Authorization header is no whole signature");
    let signed = signed.ok_or_else(malformed)?;
    let known = SigningPair::key_id(signed.access_key_id);
    let pair = known.and_then(|id| Some((SigningPair::of(&app.settings.secret, &id)?, id)));
    let unknown = || Problem::new(codes::KEY_NOT_GOOD, "the key of these credentials is unknown, expired or revoked");
    let Some((pair, id)) = pair else {
        // Clients that sign always do: where anyone is let in, what cannot be ours counts for nothing.
        if app.anonymous.contains_key(name) {
            return Ok(None);
        }
        Attempt::begin(app, request, false)?.failed(app);
        return Err(unknown());
    };
    let now = clock::now();
    if !signed.is_fresh(headers, now) {
        let detail = format!("the signature's time is more than 15 minutes from the server's, {now}");
        return Err(Problem::new(codes::SIGNATURE_EXPIRED, detail));
    }
    if !body::is_small(app, headers) {
        check_holder(app, request, &id, now).await?.ok_or_else(unknown)?;
    }
    let (bytes, _) = body::read_large(app, headers, std::mem::take(body), limit).await?;
    let head = Head { method: &request.method, uri: &request.uri, headers };
    if !signed.fits(&pair.secret_access_key, head, &bytes) {
        Attempt::begin(app, request, false)?.failed(app);
        return Err(Problem::new(
            codes::SIGNATURE_NOT_GOOD,
            "the request is not what was signed with these credentials",
        ));
    }
    *body = Body::from(bytes);
    let principal = app.engine.access.holder(&id, now).await?.ok_or_else(unknown)?;
    app.engine.access.came_in(&principal, now);
    let account = Account::acting(&principal, headers)?.0;
    Ok(Some(Visitor { principal: Some(principal), account }))
}

/// The holder of a key that a request names but does not show; that there is none counts against its address.
async fn check_holder(app: &App, request: &Parts, id: &str, now: Timestamp) -> Result<Option<Arc<Principal>>, Problem> {
    let _turn = app.gate.look_ups.acquire().await;
    let holder = app.engine.access.holder(id, now).await?;
    if holder.is_none() {
        Attempt::begin(app, request, false)?.failed(app);
    }
    Ok(holder)
}

/// Whoever was given a ticket. It is used up, whatever comes of the request.
async fn by_ticket(app: &App, request: &Parts, text: &str, open: bool) -> Result<Visitor, Problem> {
    let attempt = Attempt::begin(app, request, false)?;
    let _turn = app.gate.look_ups.acquire().await;
    let redeemed = ticket::redeem(app, text, open).await;
    if redeemed.as_ref().is_err_and(|problem| problem.code() == codes::TICKET_NOT_GOOD.code) {
        attempt.failed(app);
    }
    redeemed
}

/// Whoever comes to a facade that lets in everyone, on the account that it names.
fn anonymous(app: &App, facade: &Facade, headers: &HeaderMap) -> Option<Visitor> {
    let principal = app.anonymous.get(facade.name)?;
    // On an open server a caller may name another.
    if headers.contains_key(crate::account::HEADER) {
        return None;
    }
    Some(Visitor { principal: Some(Arc::clone(principal)), account: principal.account.clone() })
}

/// An attempt to come in, which may count against its address.
struct Attempt(Option<IpAddr>);

impl Attempt {
    fn begin(app: &App, request: &Parts, trusted: bool) -> Result<Self, Problem> {
        let address = limits::address(app, request).filter(|_| !trusted);
        if let Some(wait) = address.and_then(|address| app.gate.attempts.check(address, Instant::now()).err()) {
            let problem = Problem::new(codes::TOO_MANY_ATTEMPTS, "too many keys from this address were not good; wait");
            return Err(problem.with_violated("attempts", limits::seconds(wait)));
        }
        Ok(Self(address))
    }

    /// It counts against its address.
    fn failed(self, app: &App) {
        if let Some(address) = self.0 {
            app.gate.attempts.count(address, Instant::now());
        }
    }
}
