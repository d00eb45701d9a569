//! Routes through a network: one path, or the best split over all of them with a proof of how good it is.

mod best;
mod bound;
mod equilibrium;
mod fast;
mod flows;
mod linear;
mod plan;
mod tilted;

use thiserror::Error;

pub use self::best::best;
pub use self::bound::{Certificate, certify};
pub use self::fast::fast;
pub use self::plan::{Leg, Plan};

use crate::network::{LeftOut, Network, pool_of};
use crate::pool::Pool;
use crate::swap::{Amount, PoolError};

/// What is to be traded: tokens are places in [`Network::tokens`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// The token that is paid.
    pub from: usize,
    /// The token that is received.
    pub to: usize,
    /// What is fixed, in base units.
    pub amount: Amount,
}

/// How large a route may grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Every swap lies on a way of at most so many pools from the first token to the last.
    pub hops: usize,
    /// The most swaps of the whole route; none: as many as pay.
    pub legs: Option<usize>,
    /// The most ways through it; none: as many as pay.
    pub paths: Option<usize>,
    /// Whether a plan may leave a part untraded that no pool takes at any price; else that is [`RouteError::TooMuch`].
    pub partial: bool,
}

impl Default for Limits {
    /// Eight hops, any number of legs and paths, the whole amount.
    fn default() -> Self {
        Self { hops: 8, legs: None, paths: None, partial: false }
    }
}

/// A route and the proof of how good it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What to execute.
    pub plan: Plan,
    /// What no route can beat.
    pub certificate: Certificate,
    /// The pools that took no part, and why.
    pub left_out: Vec<LeftOut>,
}

/// Why there is no route.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RouteError {
    /// A token is not of the network, or both are the same.
    #[error("{field}: {reason}")]
    BadQuestion {
        /// `from` or `to`.
        field: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The amount is zero.
    #[error("amount: is zero")]
    ZeroAmount,
    /// No chain of pools leads from the one token to the other within the limits.
    #[error("no route: no pools lead from {from} to {to} in at most {hops} hops")]
    NoRoute {
        /// The token that is paid.
        from: String,
        /// The token that is received.
        to: String,
        /// The limit.
        hops: usize,
    },
    /// So little is paid that nothing comes out at the end.
    #[error("amount: so small that nothing would come out")]
    Dust,
    /// The pools cannot take or give so much.
    #[error("amount: more than the pools hold")]
    TooMuch,
    /// A pool refused what its curve promised.
    #[error("pool {pool}: {error}")]
    Refused {
        /// The pool's name.
        pool: String,
        /// Its words.
        error: PoolError,
    },
}

/// Whether an edge can take part in a route to `last` of which the output is fixed.
///
/// DAMM v1 knows no exact output: it may give more, which would be left over before the last token.
fn may_give(network: &Network, edge: u32, last: usize) -> bool {
    let listed = &network.pools()[pool_of(edge).0];
    !matches!(listed.pool, Pool::MeteoraDammV1(_)) || network.edges()[edge as usize].to == last
}

impl Question {
    /// # Errors
    /// [`RouteError::BadQuestion`], [`RouteError::ZeroAmount`].
    fn check(&self, network: &Network) -> Result<(), RouteError> {
        let tokens = network.tokens().len();
        for (field, token) in [("from", self.from), ("to", self.to)] {
            if token >= tokens {
                return Err(RouteError::BadQuestion { field, reason: "is no token of the network" });
            }
        }
        if self.from == self.to {
            return Err(RouteError::BadQuestion { field: "to", reason: "is the token that is paid" });
        }
        if self.amount.units() == 0 {
            return Err(RouteError::ZeroAmount);
        }
        Ok(())
    }

    fn no_route(&self, network: &Network, hops: usize) -> RouteError {
        let name = |token: usize| network.tokens()[token].to_string();
        RouteError::NoRoute { from: name(self.from), to: name(self.to), hops }
    }
}
