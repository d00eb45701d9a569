//! The pools of a world, as they stand at a slot, and how they are traded in.

mod census;
mod execute;
mod path;
mod place;
mod price;
mod stand;
mod view;

use std::sync::Arc;

use routing::{Amount, Pool, Side};

pub use self::execute::Step;
pub(crate) use self::execute::{Executed, Made, Unexecuted, execute};
pub(crate) use self::view::View;

use self::path::{ONE, Path};
pub(crate) use self::place::Listing;
use self::place::{Place, scaled_factor};
use self::price::Pair;
use crate::draw::Draw;
use crate::token::Tokens;
use crate::{GENESIS_MILLIS, Pace, SLOT_MILLIS, Settings};

/// Every pool of a world.
#[derive(Debug)]
pub(crate) struct Market {
    pace: Pace,
    places: Vec<Place>,
    /// Of each token's fair price in US dollars around its reference; the tokens of one mint have the same.
    paths: Vec<Path>,
    view: Arc<View>,
    /// Pools that users have moved since the view was made.
    dirty: Vec<u16>,
}

impl Market {
    pub(crate) fn new(settings: Settings, tokens: &Tokens, slot: u64) -> Self {
        let paths: Vec<_> = tokens.all().iter().map(|token| fair_path(settings.seed, token)).collect();
        let mut places = Vec::new();
        for (assets, kinds) in census::pairs(tokens) {
            let [a, b] = assets.map(|asset| tokens.get(asset));
            let Some(pair) = Pair::new([a, b]) else { continue };
            let fair = fair_price(&paths, assets, slot);
            for (number, kind) in kinds.iter().enumerate() {
                let id = format!("{}-{}-{}-{}", kind.family.name(), a.symbol, b.symbol, number + 1);
                let exchange = kind.family.exchange();
                let listing = Listing { id: id.into(), a: assets[0], b: assets[1], exchange };
                places.extend(Place::new(settings.seed, listing, kind, pair, slot, fair));
            }
        }
        places.truncate(usize::from(u16::MAX));
        let view = Arc::new(View::new(tokens, &places, slot));
        Self { pace: settings.pace, places, paths, view, dirty: Vec::new() }
    }

    /// All pools at `slot`, made ready for routing. Made anew once a slot, and for what users have moved, when it is asked
    /// for.
    pub(crate) fn view(&mut self, slot: u64) -> &Arc<View> {
        if slot > self.view.slot {
            for place in 0..self.places.len() {
                self.advance(place, slot);
            }
            self.view = Arc::new(self.view.renewed(&self.places, slot));
            self.dirty.clear();
        } else if !self.dirty.is_empty() {
            self.dirty.sort_unstable();
            self.dirty.dedup();
            let view = Arc::make_mut(&mut self.view);
            view.update(&self.places, &self.dirty);
            self.dirty.clear();
        }
        &self.view
    }

    /// Executes all steps of a swap on the pools as they stand at `slot`, or none. Nothing is changed before
    /// [`Executed::after`] is given back to [`Market::become_pools`].
    pub(crate) fn execute(
        &mut self,
        (from, to): (u16, u16),
        amount: Amount,
        steps: &[Step],
        slot: u64,
    ) -> Result<Executed, Unexecuted> {
        for step in steps {
            self.advance(step.pool.into(), slot);
        }
        let now = seconds(slot);
        let mut after = Vec::new();
        let swap = |number: u16, input: Side, amount: Amount| {
            let place = &self.places[usize::from(number)];
            if self.pace == Pace::Instant {
                // Arbitrage is instant, too: the pool will stand where it stood.
                return place.pool.quote(input, amount, now);
            }
            let mut pool = place.pool.clone();
            let swap = pool.apply(input, amount, now)?;
            after.push((number, pool));
            Ok(swap)
        };
        let ends = |number: u16| self.places.get(usize::from(number)).map(|place| (place.listing.a, place.listing.b));
        let mut executed = execute((from, to), amount, steps, ends, swap)?;
        executed.after = after;
        Ok(executed)
    }

    /// Puts pools into the states that an execution at `slot` has left.
    pub(crate) fn become_pools(&mut self, after: Vec<(u16, Pool)>, slot: u64) {
        for (number, pool) in after {
            if let Some(place) = self.places.get_mut(usize::from(number)) {
                let fair = fair_price(&self.paths, [place.listing.a, place.listing.b], slot);
                place.become_pool(pool, fair);
                self.dirty.push(number);
            }
        }
    }

    /// What there is, in the order of the pools' numbers.
    pub(crate) fn listings(&self) -> impl Iterator<Item = (&Listing, &Pool)> {
        self.places.iter().map(|place| (&place.listing, &place.pool))
    }

    /// Some pools as they stand at `slot`.
    pub(crate) fn pools(&mut self, numbers: &[u16], slot: u64) -> Vec<(u16, Pool)> {
        let mut pool = |number: &u16| {
            self.advance(usize::from(*number), slot);
            self.places.get(usize::from(*number)).map(|place| (*number, place.pool.clone()))
        };
        numbers.iter().filter_map(&mut pool).collect()
    }

    fn advance(&mut self, number: usize, slot: u64) {
        if let Some(place) = self.places.get_mut(number) {
            let fair = fair_price(&self.paths, [place.listing.a, place.listing.b], slot);
            place.advance(slot, fair);
        }
    }
}

/// When a slot begins, in seconds since the Unix epoch.
pub(crate) const fn seconds(slot: u64) -> u64 {
    (GENESIS_MILLIS + slot * SLOT_MILLIS) / 1_000
}

/// Out by 0.8 to 2 %: pairs by up to 4, and never so fast that an order with the usual slippage of 50 basis points fails
/// between its quote and its block. Stable coins move by a fiftieth of that.
fn fair_path(seed: u64, token: &crate::Token) -> Path {
    let part = if census::is_stable(token) { 50 } else { 1 };
    let identity = |about| Draw::new(seed, about).on_text(&token.mint);
    Path::new(identity, ONE / 125 / part, ONE / 50 / part)
}

/// Units of the second asset for one of the first, in billionths of the reference price.
fn fair_price(paths: &[Path], [a, b]: [u16; 2], slot: u64) -> i64 {
    let worth = |token: u16| ONE + paths.get(usize::from(token)).map_or(0, |path| path.deviation(slot));
    scaled_factor(worth(a), ONE * ONE / worth(b) - ONE)
}

#[cfg(test)]
mod tests;
