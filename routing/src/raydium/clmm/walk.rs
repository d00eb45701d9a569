//! A swap's way from tick to tick.

use super::step::{Terms, step};
use super::tick::Tick;
use super::tick_math::{MAX_SQRT_PRICE_X64, MIN_SQRT_PRICE_X64, tick_at_sqrt_price};
use super::volatility::Volatility;
use super::{RATE_WHOLE, RaydiumClmm};
use crate::math::mul_div_floor;
use crate::swap::{Amount, Fees, PoolError, Side, Swap};

/// More steps than a swap through every tick and spacing there is; only a state that cannot be needs more.
const MAX_STEPS: u32 = 1 << 20;

/// Hears what a swap does to the pool. A quote listens to nothing, which costs nothing.
pub(super) trait Ledger {
    /// So much of a fee, in base units, goes to the providers of so much liquidity.
    fn earned(&mut self, fee: u64, liquidity: u128);
    /// The orders of the tick at this index of the pool's list sold so much, in base units.
    fn sold(&mut self, index: usize, amount: u64);
}

impl Ledger for () {
    fn earned(&mut self, _fee: u64, _liquidity: u128) {}
    fn sold(&mut self, _index: usize, _amount: u64) {}
}

/// How far a swap has come.
pub(super) struct Walk<'pool, L> {
    pool: &'pool RaydiumClmm,
    terms: Terms,
    limit: u128,
    given: u64,
    remaining: u64,
    /// The other amount: received of exact-in, paid of exact-out.
    found: u64,
    pub(super) price: u128,
    /// The tick below the price, unless the price moved on from where that was known.
    known_tick: Option<i32>,
    pub(super) liquidity: u128,
    pub(super) protocol: u64,
    pub(super) fund: u64,
    total: u64,
    pub(super) volatility: Option<Volatility>,
    steps: u32,
    pub(super) ledger: L,
}

impl<'pool, L: Ledger> Walk<'pool, L> {
    /// Stands where the pool stands.
    pub(super) fn begin(
        pool: &'pool RaydiumClmm,
        input: Side,
        amount: Amount,
        now: u64,
        limit: Option<u128>,
        ledger: L,
    ) -> Result<Self, PoolError> {
        let given = amount.units();
        if given == 0 {
            return Err(PoolError::ZeroAmount);
        }
        let price = pool.sqrt_price_x64;
        if !(MIN_SQRT_PRICE_X64..MAX_SQRT_PRICE_X64).contains(&price) {
            return Err(PoolError::Invalid { field: "sqrt_price_x64", reason: "beyond the program's range" });
        }
        let (limit, allowed) = match input {
            Side::A => (limit.unwrap_or(MIN_SQRT_PRICE_X64 + 1), MIN_SQRT_PRICE_X64 + 1..price),
            Side::B => (limit.unwrap_or(MAX_SQRT_PRICE_X64 - 1), price + 1..MAX_SQRT_PRICE_X64),
        };
        if !allowed.contains(&limit) {
            return Err(PoolError::PriceLimit);
        }
        if pool.trade_fee_rate >= RATE_WHOLE {
            return Err(PoolError::Invalid { field: "trade_fee_rate", reason: "takes everything" });
        }
        let fee_on_input = pool.fee_on.token(input) == input;
        Ok(Self {
            pool,
            terms: Terms { input, exact_in: matches!(amount, Amount::In(_)), fee_on_input },
            limit,
            given,
            remaining: given,
            found: 0,
            price,
            known_tick: Some(pool.tick_current),
            liquidity: pool.liquidity,
            protocol: 0,
            fund: 0,
            total: 0,
            volatility: Volatility::begin(pool, now)?,
            steps: 0,
            ledger,
        })
    }

    /// Goes all the way.
    pub(super) fn run(&mut self) -> Result<Swap, PoolError> {
        let ticks = &self.pool.ticks;
        let above = ticks.partition_point(|tick| tick.tick() <= self.pool.tick_current);
        match self.terms.input {
            Side::A => {
                let below = ticks.get(..above).unwrap_or_default();
                self.pass(below.iter().enumerate().rev())?;
            }
            Side::B => self.pass(ticks.iter().enumerate().skip(above))?,
        }
        self.swap()
    }

    /// The tick below the price.
    pub(super) fn tick(&self) -> Result<i32, PoolError> {
        match self.known_tick {
            Some(tick) => Ok(tick),
            None => tick_at_sqrt_price(self.price).ok_or(PoolError::Math),
        }
    }

    fn pass(&mut self, ticks: impl Iterator<Item = (usize, &'pool Tick)>) -> Result<(), PoolError> {
        for (index, tick) in ticks {
            if self.remaining == 0 || self.price == self.limit {
                return Ok(());
            }
            if tick.is_initialized() {
                self.approach(index, tick)?;
            }
        }
        if self.remaining == 0 || self.price == self.limit { Ok(()) } else { Err(PoolError::InsufficientLiquidity) }
    }

    /// Goes up to the next initialised tick, and over it if the amount suffices.
    fn approach(&mut self, index: usize, tick: &Tick) -> Result<(), PoolError> {
        let at = tick.sqrt_price_x64();
        let (ahead, target) = match self.terms.input {
            Side::A => (at != 0 && at <= self.price, at.max(self.limit)),
            Side::B => (at >= self.price, at.min(self.limit)),
        };
        if !ahead {
            return Err(PoolError::Invalid { field: "ticks", reason: "out of order, or beyond the program's range" });
        }
        let mut liquidity = self.liquidity;
        loop {
            self.steps += 1;
            if self.steps > MAX_STEPS {
                return Err(PoolError::Math);
            }
            let (rate, skipped, bound) = self.fee_ahead(target)?;
            if self.price != bound {
                let step = step(self.terms, (self.price, bound), self.liquidity, self.remaining, rate)?;
                self.settle(step.paid, step.received, step.fee)?;
                if self.price != step.price {
                    self.known_tick = None;
                }
                self.price = step.price;
            }
            if self.price == at {
                liquidity = self.reach(index, tick, rate)?;
            }
            let over = self.remaining == 0 || self.price == target;
            self.advance_fee(skipped, over, tick)?;
            if over {
                break;
            }
        }
        self.liquidity = liquidity;
        Ok(())
    }

    /// The fee that holds now, whether spacings of ticks are skipped, and the price up to which it holds.
    fn fee_ahead(&mut self, target: u128) -> Result<(u32, bool, u128), PoolError> {
        let Some(volatility) = &mut self.volatility else { return Ok((self.pool.trade_fee_rate, true, target)) };
        volatility.accumulate();
        let (skipped, bound) = volatility.bound(target, self.terms.input, self.liquidity)?;
        Ok((volatility.rate()?, skipped, bound))
    }

    /// Lets the dynamic fee follow the price into the next spacing.
    fn advance_fee(&mut self, skipped: bool, over: bool, next: &Tick) -> Result<(), PoolError> {
        let Some(volatility) = &mut self.volatility else { return Ok(()) };
        let reached = self.price == next.sqrt_price_x64();
        if skipped && !reached && over && self.liquidity > 0 {
            // The swap ends here with the accumulator at its maximum: nothing depends on where in the spacings it ends.
            return Ok(());
        }
        let skipped_to = match (skipped, reached) {
            (false, _) => None,
            (true, true) => Some(next.tick()),
            (true, false) => Some(match self.known_tick {
                Some(tick) => tick,
                None => tick_at_sqrt_price(self.price).ok_or(PoolError::Math)?,
            }),
        };
        volatility.advance(self.terms.input, skipped_to)
    }

    /// On a tick: buys from its orders and, if none are left, crosses it. Returns the liquidity from there on.
    fn reach(&mut self, index: usize, tick: &Tick, rate: u32) -> Result<u128, PoolError> {
        let unfilled = tick.unfilled().ok_or(PoolError::Overflow)?;
        let mut left = unfilled;
        if let Some(fill) = tick.fill(self.terms, self.remaining, rate)? {
            self.settle(fill.paid, fill.received, fill.fee)?;
            left = unfilled.checked_sub(fill.sold).ok_or(PoolError::Math)?;
            self.ledger.sold(index, fill.sold);
            if left > 0 && self.remaining > 0 {
                return Err(PoolError::Math);
            }
        }
        let crossed_down = (self.terms.input == Side::A) == (left == 0);
        self.known_tick = Some(if crossed_down { tick.tick() - 1 } else { tick.tick() });
        if left > 0 || tick.liquidity_gross == 0 {
            return Ok(self.liquidity);
        }
        let crossed = match self.terms.input {
            Side::A => tick.liquidity_net.checked_neg().and_then(|net| self.liquidity.checked_add_signed(net)),
            Side::B => self.liquidity.checked_add_signed(tick.liquidity_net),
        };
        crossed.ok_or(PoolError::Invalid { field: "ticks", reason: "the liquidity does not add up" })
    }

    /// Books what was paid, received and taken, and shares out the fee.
    #[inline]
    fn settle(&mut self, paid: u64, received: u64, fee: u64) -> Result<(), PoolError> {
        let paid = if self.terms.fee_on_input { paid.checked_add(fee).ok_or(PoolError::Overflow)? } else { paid };
        let (used, found) = if self.terms.exact_in { (paid, received) } else { (received, paid) };
        self.remaining = self.remaining.checked_sub(used).ok_or(PoolError::Overflow)?;
        self.found = self.found.checked_add(found).ok_or(PoolError::Overflow)?;
        let protocol = share(fee, self.pool.protocol_fee_rate)?;
        let fund = share(fee, self.pool.fund_fee_rate)?;
        let rest = fee.checked_sub(protocol).and_then(|fee| fee.checked_sub(fund)).ok_or(PoolError::Math)?;
        self.total = self.total.checked_add(fee).ok_or(PoolError::Overflow)?;
        self.fund = self.fund.checked_add(fund).ok_or(PoolError::Overflow)?;
        let protocol = if self.liquidity == 0 { protocol + rest } else { protocol };
        self.protocol = self.protocol.checked_add(protocol).ok_or(PoolError::Overflow)?;
        if self.liquidity > 0 && rest > 0 {
            self.ledger.earned(rest, self.liquidity);
        }
        Ok(())
    }

    fn swap(&self) -> Result<Swap, PoolError> {
        let used = self.given - self.remaining;
        let (amount_in, amount_out) = if self.terms.exact_in { (used, self.found) } else { (self.found, used) };
        if amount_in == 0 || amount_out == 0 {
            return Err(PoolError::AmountTooSmall);
        }
        let mut fees = Fees::new(self.total, self.pool.fee_on.token(self.terms.input));
        fees.protocol = self.protocol;
        fees.fund = self.fund;
        fees.claiming = self.total.saturating_sub(self.protocol).saturating_sub(self.fund);
        Ok(Swap { amount_in, amount_out, fees })
    }
}

/// `⌊fee·rate / 1e6⌋`, in 64 bits where that is enough.
#[inline]
fn share(fee: u64, rate: u32) -> Result<u64, PoolError> {
    if let Some(product) = fee.checked_mul(u64::from(rate)) {
        return Ok(product / u64::from(RATE_WHOLE));
    }
    let share = mul_div_floor(u128::from(fee), u128::from(rate), u128::from(RATE_WHOLE));
    share.and_then(|share| u64::try_from(share).ok()).ok_or(PoolError::Overflow)
}
