//! One request: whose it is, and what queues are called where it came from.

use std::sync::Arc;

use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use domain::Owner;
use domain::key::Scope;
use domain::queue::{Refusal, arn};
use domain::shop::command::{DEAD, EVENTS, ORDERS};
use engine::access::Principal;

use super::check::required;
use super::error::{Refused, code};
use crate::gate::signature::Signed;
use crate::routes::App;

/// One request, and what its operation needs of it.
pub(super) struct Call {
    pub(super) app: Arc<App>,
    pub(super) account: Owner,
    /// Who asks; none where nobody needs to be known.
    principal: Option<Arc<Principal>>,
    /// The account as twelve digits.
    pub(super) digits: String,
    /// What a queue's URL begins with: scheme, host and mount.
    base: String,
    /// The region that the client takes us for.
    region: String,
}

impl Call {
    pub(super) fn new(
        app: Arc<App>,
        (account, principal): (Owner, Option<Arc<Principal>>),
        request: &Parts,
        mount: &str,
    ) -> Self {
        let text = |name: header::HeaderName| request.headers.get(name).and_then(|value| value.to_str().ok());
        let host = text(header::HOST).or_else(|| request.uri.host()).unwrap_or("localhost");
        // A proxy may speak TLS for us; whoever says so without one is only told wrong names itself.
        let secure = text(header::HeaderName::from_static("x-forwarded-proto")) == Some("https");
        let scheme = if secure { "https" } else { "http" };
        let (digits, region) = (arn::digits(&account), region(&request.headers));
        Self { app, account, principal, digits, base: format!("{scheme}://{host}{mount}"), region }
    }

    /// The URL of a queue of the caller's.
    pub(super) fn url(&self, name: &str) -> String {
        format!("{}/{}/{name}", self.base, self.digits)
    }

    /// The ARN of a queue of the caller's, in the region that it takes us for.
    pub(super) fn arn(&self, name: &str) -> String {
        format!("arn:aws:sqs:{}:{}:{name}", self.region, self.digits)
    }

    /// The name of the caller's queue that a URL means. Only the end of the URL counts: a client may know the server by
    /// another name than the one that told it the URL. The name alone will do, as it does for AWS.
    ///
    /// # Errors
    /// `MissingParameter`, `QueueDoesNotExist` for what is no queue of the caller's; those of [`Call::may_use`].
    pub(super) fn queue(&self, url: Option<String>) -> Result<String, Refused> {
        let url = required(url, "QueueUrl")?;
        let name = match url.rsplit_once('/') {
            None => url,
            Some((place, name)) if place.rsplit('/').next() == Some(&self.digits) => name.to_owned(),
            Some(_) => return Err(Refusal::QueueDoesNotExist.into()),
        };
        self.may_use(&name)?;
        Ok(name)
    }

    /// A shop's own queues are a way to its orders, and take the scope that the orders take: what is sent to the one changes
    /// them, what the others hold tells of them.
    ///
    /// # Errors
    /// `AccessDenied`.
    pub(super) fn may_use(&self, name: &str) -> Result<(), Refused> {
        match name {
            ORDERS => self.needs(Scope::ShopWrite, name),
            EVENTS | DEAD => self.needs(Scope::ShopRead, name),
            _ => Ok(()),
        }
    }

    /// Commands tell of orders too.
    ///
    /// # Errors
    /// `AccessDenied`.
    pub(super) fn may_receive(&self, name: &str) -> Result<(), Refused> {
        if name == ORDERS { self.needs(Scope::ShopRead, name) } else { Ok(()) }
    }

    /// A move takes messages out of one queue and sends them to another: without a name, to where they came from.
    ///
    /// # Errors
    /// `AccessDenied`.
    pub(super) fn may_move(&self, source: &str, destination: Option<&str>) -> Result<(), Refused> {
        let name = |arn: &str| arn.rsplit(':').next().unwrap_or_default().to_owned();
        let source = name(source);
        self.may_use(&source)?;
        self.may_receive(&source)?;
        match destination {
            Some(destination) => self.may_use(&name(destination)),
            None if source == DEAD => self.may_use(ORDERS),
            None => Ok(()),
        }
    }

    fn needs(&self, scope: Scope, name: &str) -> Result<(), Refused> {
        if self.principal.as_ref().is_none_or(|principal| principal.may(scope)) {
            return Ok(());
        }
        let why = format!("The queue {name} is the shop's: the key lacks the scope {}.", scope.as_str());
        Err(Refused::new(code::ACCESS_DENIED, why))
    }
}

/// The region that a signature names, good or not.
fn region(headers: &HeaderMap) -> String {
    let signed = Signed::of(headers).flatten();
    let plain = |region: &&str| {
        (1..=32).contains(&region.len()) && region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    signed.map(|signed| signed.region).filter(plain).unwrap_or(arn::REGION).to_owned()
}
