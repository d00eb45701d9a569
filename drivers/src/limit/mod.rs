//! How many requests a caller may make: per key, and per address.
//!
//! Counted by the generic cell rate algorithm: a caller may make a burst at once, which comes back evenly with time. A new
//! driver: one file here, one arm in [`open`], and the conformance suite passes unchanged.

#[cfg(test)]
mod conformance;

mod memory;
mod rate;
mod redis;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::Owner;

use crate::Fault;
use crate::cache::is_redis;

pub use rate::Rate;

/// What is counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// The requests from one address; of IPv6 from one network of 64 bits.
    Address,
    /// The requests on one account, with whichever of its keys.
    Key,
}

impl Policy {
    /// Every policy, in the order in which they are asked.
    pub const ALL: [Self; 2] = [Self::Address, Self::Key];

    /// The name that callers read.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Key => "key",
        }
    }
}

/// What is allowed by each policy; none means everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// From one address.
    pub address: Option<Rate>,
    /// With one key.
    pub key: Option<Rate>,
}

impl Rates {
    /// The rate of a policy.
    #[must_use]
    pub const fn of(&self, policy: Policy) -> Option<Rate> {
        match policy {
            Policy::Address => self.address,
            Policy::Key => self.key,
        }
    }
}

/// Who asks. What is not known is not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caller<'a> {
    /// From where.
    pub address: Option<IpAddr>,
    /// With which key.
    pub key: Option<&'a Owner>,
}

/// How a caller stands with one policy, the request counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Which.
    pub policy: Policy,
    /// What it allows.
    pub rate: Rate,
    /// So many more requests may be made at once.
    pub remaining: u32,
    /// When the request was refused, how long until one is allowed.
    pub refused_for: Option<Duration>,
}

/// How a caller stands with each policy that applies, in the order of [`Policy::ALL`]. Nothing is counted behind the one
/// that refuses.
pub type Standings = [Option<Standing>; 2];

/// The limit port. It always answers.
#[async_trait]
pub trait Limit: Send + Sync + 'static {
    /// What it allows.
    fn rates(&self) -> Rates;

    /// Counts one request.
    async fn take(&self, caller: Caller<'_>) -> Standings;
}

/// Opens a limiter beside the cache at `cache_url`: shared between processes where that is a Redis, else counted in this
/// process. None if there is nothing to limit.
///
/// # Errors
/// [`Fault::Unavailable`] with a one-line reason when the Redis does not answer.
pub async fn open(cache_url: &str, rates: Rates) -> Result<Option<Arc<dyn Limit>>, Fault> {
    if rates == Rates::default() {
        return Ok(None);
    }
    let (place, options) = cache_url.split_once('?').unwrap_or((cache_url, ""));
    Ok(Some(match is_redis(place) {
        true => redis::open(place, options, rates).await?,
        false => Arc::new(memory::Memory::open(rates)),
    }))
}

/// What is counted as one address: of IPv6, its network of 64 bits.
#[must_use]
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        // Whoever has one address of such a network has all of them.
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) >> 64 << 64).into()),
    }
}
