//! The pools at one slot, made ready for routing: one network for each venue.

use std::sync::Arc;

use routing::Network;

use super::place::{Listing, Place};
use super::seconds;
use crate::Venue;
use crate::token::Tokens;

/// What quotes are made from. It does not change while somebody holds it.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// The slot whose state it is.
    pub(crate) slot: u64,
    /// Counts states.
    pub(crate) version: u64,
    names: Arc<[Arc<str>]>,
    /// The tokens' places in the networks are those of the world, but for tokens that share a mint: the first stands for
    /// all.
    networks: [Reach; 3],
}

/// What one venue routes over.
#[derive(Clone, Debug)]
pub(crate) struct Reach {
    pub(crate) network: Network,
    /// The world's numbers of the network's pools.
    numbers: Vec<u16>,
    listings: Vec<Listing>,
}

impl View {
    pub(super) fn new(tokens: &Tokens, places: &[Place], slot: u64) -> Self {
        let names: Arc<[Arc<str>]> = tokens.all().iter().map(|token| Arc::clone(&token.symbol)).collect();
        let networks = Venue::ALL.map(|venue| Reach::new(venue, &names, places, slot));
        Self { slot, version: 0, names, networks }
    }

    /// All pools as they stand now.
    pub(super) fn renewed(&self, places: &[Place], slot: u64) -> Self {
        let networks = Venue::ALL.map(|venue| Reach::new(venue, &self.names, places, slot));
        Self { slot, version: self.version + 1, names: Arc::clone(&self.names), networks }
    }

    /// Some pools as they stand now.
    pub(super) fn update(&mut self, places: &[Place], changed: &[u16]) {
        self.version += 1;
        for reach in &mut self.networks {
            for number in changed {
                let place = reach.numbers.binary_search(number).ok();
                let pool = places.get(usize::from(*number)).map(|place| place.pool.clone());
                if let Some((place, pool)) = place.zip(pool) {
                    // A state that cannot be leaves the pool as it was: a plan that counts on it does not execute.
                    let _ = reach.network.set(place, pool);
                }
            }
        }
    }

    /// What the venue routes over.
    pub(crate) const fn reach(&self, venue: Venue) -> &Reach {
        &self.networks[venue.index()]
    }
}

impl Reach {
    fn new(venue: Venue, names: &[Arc<str>], places: &[Place], slot: u64) -> Self {
        let mut reach = Self {
            network: Network::new(names.iter().cloned(), seconds(slot)),
            numbers: Vec::with_capacity(places.len()),
            listings: Vec::with_capacity(places.len()),
        };
        for (number, place) in (0_u16..).zip(places) {
            let Listing { id, a, b, exchange } = &place.listing;
            let name = |token: u16| names.get(usize::from(token)).map_or("", |name| name);
            let ends = (name(*a), name(*b));
            if venue.reaches(*exchange) && reach.network.list(Arc::clone(id), ends, place.pool.clone()).is_ok() {
                reach.numbers.push(number);
                reach.listings.push(place.listing.clone());
            }
        }
        reach
    }

    /// The world's number and what is known of the network's pool at `place`.
    pub(crate) fn pool(&self, place: usize) -> Option<(u16, &Listing)> {
        self.numbers.get(place).copied().zip(self.listings.get(place))
    }

    /// The network's place of the world's pool.
    pub(crate) fn place(&self, number: u16) -> Option<usize> {
        self.numbers.binary_search(&number).ok()
    }
}
