//! Wire-format adapters for clients of other systems. They hold no rules and no state.

pub(crate) mod deals;
pub(crate) mod dex;
pub(crate) mod shop;
pub(crate) mod sqs;
pub(crate) mod universal;

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderValue, Method};
use axum::response::Response;
use domain::key::Scope;

use crate::problem::Problem;
use crate::routes::App;

/// Which facade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FacadeName {
    /// Deals between sellers and buyers.
    Deals,
    /// Market orders in two dialects.
    Dex,
    /// A shop's orders, by way of a queue.
    Shop,
    /// Queues as AWS SQS has them.
    Sqs,
    /// Firm quotes, and orders for them.
    Universal,
}

impl FacadeName {
    /// Every facade.
    pub const ALL: [Self; 5] = [Self::Deals, Self::Dex, Self::Shop, Self::Sqs, Self::Universal];

    /// The name in the settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deals => "deals",
            Self::Dex => "dex",
            Self::Shop => "shop",
            Self::Sqs => "sqs",
            Self::Universal => "universal",
        }
    }

    /// The facade of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|facade| facade.as_str() == name)
    }

    /// Where it is mounted beside the native API.
    pub(crate) const fn mount(self) -> &'static str {
        match self {
            Self::Deals => deals::MOUNT,
            Self::Dex => dex::MOUNT,
            Self::Shop => shop::MOUNT,
            Self::Sqs => sqs::MOUNT,
            Self::Universal => universal::MOUNT,
        }
    }

    /// What the layer around all routes knows of it below `mount`.
    pub(crate) const fn at(self, mount: &'static str) -> Facade {
        match self {
            Self::Deals => deals::facade(mount),
            Self::Dex => dex::facade(mount),
            Self::Shop => shop::facade(mount),
            Self::Sqs => sqs::facade(mount),
            Self::Universal => universal::facade(mount),
        }
    }

    /// Its routes below `mount`, empty for a listener of its own.
    pub(crate) fn routes(self, mount: &'static str) -> Router<Arc<App>> {
        match self {
            Self::Deals => deals::routes(mount),
            Self::Dex => dex::routes(mount),
            Self::Shop => shop::routes(mount),
            Self::Sqs => sqs::routes(mount),
            Self::Universal => universal::routes(mount),
        }
    }
}

/// What the layer around all routes knows of a facade.
#[derive(Clone, Copy)]
pub(crate) struct Facade {
    /// Its name in the settings: `dex`.
    pub(crate) name: &'static str,
    /// Below which path it is mounted; empty on a listener of its own.
    pub(crate) mount: &'static str,
    /// What a request for one of its paths needs on a server that has keys; none where anyone may ask.
    pub(crate) needs: fn(&Method, &str) -> Option<Scope>,
    /// What it may need at all: what callers without a key may do where they are let in.
    pub(crate) scopes: &'static [Scope],
    /// The most bytes of a signed body, where callers may sign as clients of AWS do.
    pub(crate) signed: Option<usize>,
    /// A failure outside of its handlers in its own words, which may hang on the type of the request's content.
    pub(crate) failure: fn(&Problem, Option<&HeaderValue>) -> Response,
}

impl Facade {
    /// Whether a path is one of the facade's.
    pub(crate) fn owns(&self, path: &str) -> bool {
        path.strip_prefix(self.mount).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}
