//! One pool: its reserves, where its price ought to be, and the trades that bring it there.

use routing::constant_product::{Amount, ConstantProduct};

use super::Exchange;
use super::path::{ONE, Path};
use crate::draw::Draw;
use crate::token::Token;

/// What a new pool holds on either side, in US dollars times 10¹².
const SIDE_VALUE: u128 = 20_000_000 * 1_000_000_000_000;

/// Reserves of a new pool are cut to this, so that trades have room in 64 bits.
const RESERVE_LIMIT: u128 = 1 << 60;

/// Reserves below this cannot express a price finely enough: no pool.
const RESERVE_LEAST: u128 = 1_000_000;

/// A pool between two assets: the first is what `state` takes in.
#[derive(Debug)]
pub(super) struct Pool {
    state: ConstantProduct,
    /// As it was made, at the reference price.
    reference: ConstantProduct,
    path: Path,
    /// Up to when background trades and arbitrage have been made.
    slot: u64,
}

impl Pool {
    /// A pool of the size that the reference price says, moved to where its path is at `first_slot`; `None` when a token has
    /// no price or the price cannot be expressed.
    pub(super) fn new(seed: u64, exchange: Exchange, pair: [&Token; 2], first_slot: u64) -> Option<Self> {
        let [reserve_in, reserve_out] = reserves(pair)?;
        let reference = ConstantProduct { reserve_in, reserve_out, fee: exchange.fee() };
        let identity = |about| {
            let draw = Draw::new(seed, about).on(u64::from(exchange.index()));
            draw.on_text(&pair[0].mint).on_text(&pair[1].mint)
        };
        let path = Path::new(identity);
        let mut pool = Self { state: reference, reference, path, slot: first_slot };
        pool.settle();
        Some(pool)
    }

    pub(super) const fn state(&self) -> ConstantProduct {
        self.state
    }

    pub(super) const fn set(&mut self, state: ConstantProduct) {
        self.state = state;
    }

    /// Makes the trades of the slots up to `slot`, as one: background trades follow the path, and what users moved the
    /// price is halved by arbitrage with every slot.
    pub(super) fn advance(&mut self, slot: u64) {
        let slots = slot.saturating_sub(self.slot);
        if slots == 0 {
            return;
        }
        let before = scaled(price(&self.reference), ONE + self.path.deviation(self.slot));
        let apart = relative(price(&self.state), before) - ONE;
        let left = apart / (1 << slots.min(40));
        self.slot = slot;
        let target = scaled(price(&self.reference), ONE + self.path.deviation(slot));
        self.trade_to(scaled(target, ONE + left));
    }

    /// Brings the price to the path at once.
    pub(super) fn settle(&mut self) {
        self.trade_to(scaled(price(&self.reference), ONE + self.path.deviation(self.slot)));
    }

    /// One trade that brings the price to `goal`, but for the fee that it leaves behind.
    fn trade_to(&mut self, goal: u128) {
        // At the goal the first reserve is its own √(price / goal) times as large; the product stays.
        let root = root_of_ratio(price(&self.state), goal);
        let first = (u128::from(self.state.reserve_in) * root) >> 32;
        let product = u128::from(self.state.reserve_in) * u128::from(self.state.reserve_out);
        let second = product / first.max(1);
        let traded = match (less(first, self.state.reserve_in), less(second, self.state.reserve_out)) {
            (Some(net), _) => self.pay(self.state, net),
            (None, Some(net)) => self.pay(self.state.reversed(), net).map(ConstantProduct::reversed),
            (None, None) => return,
        };
        // A trade that does not fit means that users have emptied one side: its owners put it back.
        self.state = self.without_earnings(traded.unwrap_or(self.reference));
    }

    fn pay(&self, facing: ConstantProduct, net: u64) -> Option<ConstantProduct> {
        let gross = facing.fee.gross(net).ok()?;
        facing.apply(Amount::In(gross)).ok().map(|(_, after)| after)
    }

    /// The owners of a pool take its earnings out when they exceed one per cent, in proportion, so that it stays the
    /// size it was made.
    fn without_earnings(&self, state: ConstantProduct) -> ConstantProduct {
        let root = |p: &ConstantProduct| (u128::from(p.reserve_in) * u128::from(p.reserve_out)).isqrt();
        let (made, now) = (root(&self.reference), root(&state));
        if now <= made + made / 200 {
            return state;
        }
        let cut = |reserve: u64| u64::try_from(u128::from(reserve) * made / now).unwrap_or(reserve);
        ConstantProduct { reserve_in: cut(state.reserve_in), reserve_out: cut(state.reserve_out), fee: state.fee }
    }
}

/// By how much `goal` is more than `reserve`, if it is and by more than a billionth.
fn less(goal: u128, reserve: u64) -> Option<u64> {
    let more = goal.checked_sub(u128::from(reserve))?;
    u64::try_from(more).ok().filter(|more| *more > reserve / 1_000_000_000)
}

/// What a new pool holds at the reference prices: both sides are halved until both fit.
fn reserves(pair: [&Token; 2]) -> Option<[u64; 2]> {
    let units = |token: &Token, value: u128| {
        let price = u128::from(token.reference_price.filter(|price| *price > 0)?);
        10_u128.checked_pow(u32::from(token.decimals))?.checked_mul(value).map(|units| units / price)
    };
    pair[0].reference_price.and(pair[1].reference_price)?;
    let sizes = (0..64).map(|halvings| pair.map(|token| units(token, SIDE_VALUE >> halvings)));
    let [first, second] = sizes.into_iter().find_map(|size| match size {
        [Some(first), Some(second)] if first.max(second) <= RESERVE_LIMIT => Some([first, second]),
        _ => None,
    })?;
    if first.min(second) < RESERVE_LEAST {
        return None;
    }
    Some([u64::try_from(first).ok()?, u64::try_from(second).ok()?])
}

/// Units of the second asset for one of the first, in 2⁻⁶⁴; never zero.
fn price(pool: &ConstantProduct) -> u128 {
    ((u128::from(pool.reserve_out) << 64) / u128::from(pool.reserve_in.max(1))).max(1)
}

/// `price · billionths / 10⁹`, without an overflow; never zero.
fn scaled(price: u128, billionths: i64) -> u128 {
    let factor = u128::from(billionths.max(1).cast_unsigned());
    let exact = price.checked_mul(factor).map(|product| product / 1_000_000_000);
    exact.unwrap_or_else(|| (price / 1_000_000_000).saturating_mul(factor)).max(1)
}

/// `price / base` in billionths, at most a thousand.
fn relative(price: u128, base: u128) -> i64 {
    let (price, base) = narrowed(price, base, 90);
    i64::try_from(price * 1_000_000_000 / base).unwrap_or(i64::MAX).clamp(1, 1_000 * ONE)
}

/// `√(price / goal)` in 2⁻³².
fn root_of_ratio(price: u128, goal: u128) -> u128 {
    let (price, goal) = narrowed(price, goal, 63);
    ((price << 64) / goal).isqrt()
}

/// Both numbers without so many low bits that the larger one has at most `bits`; the second is never zero.
fn narrowed(a: u128, b: u128, bits: u32) -> (u128, u128) {
    let shift = (128 - a.max(b).leading_zeros()).saturating_sub(bits);
    (a >> shift, (b >> shift).max(1))
}

#[cfg(test)]
mod tests;
