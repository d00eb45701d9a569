//! The pool as stretches of curves, for routers: the way of a swap without end, with what each stretch of it offers.

use super::tick::Tick;
use super::tick_math::{MAX_SQRT_PRICE_X64, MIN_SQRT_PRICE_X64};
use super::volatility::Volatility;
use super::{RATE_WHOLE, RaydiumClmm};
use crate::dyadic::{Dyadic, Round};
use crate::piece::Piece;
use crate::swap::{PoolError, Side};

/// So many stretches between spacings of ticks have a piece of their own. What lies beyond has the lowest fee that it can
/// have, so that the pieces still promise no less than the program gives.
const MAX_SPACINGS: u32 = 511;

/// All pieces for trades that pay `input`, in the order in which a swap passes them.
pub(super) fn of(pool: &RaydiumClmm, input: Side, now: u64) -> Result<Vec<Piece>, PoolError> {
    pool.check()?;
    let ticks = pool.ticks.partition_point(|tick| tick.tick() <= pool.tick_current);
    let (below, above) = pool.ticks.split_at(ticks);
    let mut outline = Outline {
        input,
        fee_on_input: pool.fee_on.token(input) == input,
        price: pool.sqrt_price_x64,
        liquidity: pool.liquidity,
        rate: pool.trade_fee_rate,
        volatility: Volatility::begin(pool, now)?,
        spacings: 0,
        pieces: Vec::with_capacity(match input {
            Side::A => below.len(),
            Side::B => above.len(),
        }),
    };
    match input {
        Side::A => below.iter().rev().try_for_each(|tick| outline.approach(tick))?,
        Side::B => above.iter().try_for_each(|tick| outline.approach(tick))?,
    }
    Ok(outline.pieces)
}

/// How far the outline is drawn.
struct Outline {
    input: Side,
    fee_on_input: bool,
    price: u128,
    liquidity: u128,
    /// The whole fee, where none is dynamic.
    rate: u32,
    volatility: Option<Volatility>,
    spacings: u32,
    pieces: Vec<Piece>,
}

impl Outline {
    /// Draws everything up to a tick, the orders there included, as a swap passes it: see `walk`.
    fn approach(&mut self, tick: &Tick) -> Result<(), PoolError> {
        if !tick.is_initialized() {
            return Ok(());
        }
        let at = tick.sqrt_price_x64();
        let target = at.clamp(MIN_SQRT_PRICE_X64 + 1, MAX_SQRT_PRICE_X64 - 1);
        loop {
            let (skipped, bound) = self.fee_ahead(target)?;
            if self.liquidity > 0 && bound != self.price {
                self.pieces.push(self.curve(bound));
            }
            self.price = bound;
            if bound == at {
                self.pieces.extend(self.orders(tick));
                let net = match self.input {
                    Side::A => tick.liquidity_net.checked_neg(),
                    Side::B => Some(tick.liquidity_net),
                };
                let liquidity = net.and_then(|net| self.liquidity.checked_add_signed(net));
                self.liquidity =
                    liquidity.ok_or(PoolError::Invalid { field: "ticks", reason: "the liquidity does not add up" })?;
            }
            if let Some(volatility) = &mut self.volatility {
                volatility.advance(self.input, skipped.then_some(tick.tick()))?;
            }
            if bound == target {
                return Ok(());
            }
        }
    }

    /// Sets the fee that holds from here. Returns whether spacings of ticks are skipped, and the price up to which it holds.
    fn fee_ahead(&mut self, target: u128) -> Result<(bool, u128), PoolError> {
        let Some(volatility) = &mut self.volatility else { return Ok((true, target)) };
        if self.spacings == MAX_SPACINGS {
            self.rate = volatility.lowest_rate(self.input)?;
            self.volatility = None;
            return Ok((true, target));
        }
        volatility.accumulate();
        self.rate = volatility.rate()?;
        let (skipped, bound) = volatility.bound(target, self.input, self.liquidity)?;
        self.spacings += u32::from(!skipped && bound != target);
        Ok((skipped, bound))
    }

    /// A range of equal liquidity and fee, from where the outline stands to another square root of a price.
    fn curve(&self, to: u128) -> Piece {
        let (from_down, from_up) = (root(self.price, Round::Down), root(self.price, Round::Up));
        let (down, up) = (Dyadic::scaled(self.liquidity, 0, Round::Down), Dyadic::scaled(self.liquidity, 0, Round::Up));
        let distance = root(self.price.abs_diff(to), Round::Up);
        // Virtual reserves in base units: L / √P of token 0, L · √P of token 1.
        let (x, y, cap) = match self.input {
            Side::A => (
                down.div(from_up, Round::Down),
                up.mul(from_up, Round::Up),
                up.mul(distance, Round::Up).div(from_down, Round::Up).div(root(to, Round::Down), Round::Up),
            ),
            Side::B => (down.mul(from_down, Round::Down), up.div(from_down, Round::Up), up.mul(distance, Round::Up)),
        };
        if self.fee_on_input {
            Piece::Curve { x: self.with_fee(x, Round::Down), y, cap: Some(self.with_fee(cap, Round::Up)) }
        } else {
            Piece::Curve { x, y: self.less_fee(y), cap: Some(cap) }
        }
    }

    /// What the orders of a tick sell, at its price.
    fn orders(&self, tick: &Tick) -> Option<Piece> {
        let unfilled = tick.unfilled().filter(|unfilled| *unfilled > 0)?;
        let price_x64 = tick.order_price_x64(self.input).filter(|price| *price > 0)?;
        let (price, unfilled) = (root(price_x64, Round::Up), Dyadic::whole(unfilled));
        let price_down = root(price_x64, Round::Down);
        let (rate, cap) = match self.input {
            Side::A => (price, unfilled.div(price_down, Round::Up)),
            Side::B => (Dyadic::whole(1).div(price_down, Round::Up), unfilled.mul(price, Round::Up)),
        };
        let rate = self.less_fee(rate);
        Some(Piece::Line { rate, cap: if self.fee_on_input { self.with_fee(cap, Round::Up) } else { cap } })
    }

    /// An input with the fee that is taken from it before it trades.
    fn with_fee(&self, net: Dyadic, round: Round) -> Dyadic {
        let (whole, kept) = self.shares();
        net.mul(whole, round).div(kept, round)
    }

    /// The part of an output, or of a rate, that the fee leaves; rounded up.
    fn less_fee(&self, gross: Dyadic) -> Dyadic {
        let (whole, kept) = self.shares();
        gross.mul(kept, Round::Up).div(whole, Round::Up)
    }

    fn shares(&self) -> (Dyadic, Dyadic) {
        let kept = RATE_WHOLE.saturating_sub(self.rate);
        (Dyadic::whole(u64::from(RATE_WHOLE)), Dyadic::whole(u64::from(kept)))
    }
}

/// A number of Q64.64.
fn root(value_x64: u128, round: Round) -> Dyadic {
    Dyadic::scaled(value_x64, -64, round)
}
