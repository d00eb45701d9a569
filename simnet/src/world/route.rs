//! Quotes: a route over the pools of a view, and what it costs.

use std::sync::Arc;

use routing::{Limits, Listed, Plan, PoolError, Question, Ratio};

use super::{Certificate, Leg, Quote};
use crate::market::{Executed, Made, View, execute};
use crate::token::Tokens;
use crate::transaction::{STEPS_LIMIT, check_steps};
use crate::{Amount, Side, Step, Token, Venue};

/// An exchange goes over so many of its pools one after the other.
const HOPS: usize = 3;

/// The router's limits.
const LIMITS: Limits = Limits { hops: 4, legs: Some(STEPS_LIMIT), paths: None, partial: false };

/// Billionths of one.
const BILLION: u128 = 1_000_000_000;

/// What the venue gives on these pools. Tokens by their indices.
///
/// # Errors
/// A sentence for the caller: why there is no route.
pub(super) fn quote(
    view: &View,
    tokens: &Tokens,
    venue: Venue,
    (input, output): (u16, u16),
    amount: Amount,
) -> Result<Quote, String> {
    let network = &view.reach(venue).network;
    let question = Question { from: tokens.asset(input).into(), to: tokens.asset(output).into(), amount };
    if question.from == question.to {
        return Err("no pool: both are the same in pools".to_owned());
    }
    let single = || routing::fast(network, &question, HOPS).map_err(|error| error.to_string());
    let asked = Asked { view, tokens, venue, input, output, amount };
    if venue != Venue::Tradewind {
        return asked.told(&single()?, None);
    }
    let routing::Answer { plan, certificate, .. } =
        routing::best(network, &question, &LIMITS).map_err(|error| error.to_string())?;
    // A plan that a transaction cannot carry, or that would not execute, gives way to the best single path.
    asked.told(&plan, Some(certificate.bound)).or_else(|_| asked.told(&single()?, Some(certificate.bound)))
}

/// A question with all that it hangs on.
struct Asked<'a> {
    view: &'a View,
    tokens: &'a Tokens,
    venue: Venue,
    input: u16,
    output: u16,
    amount: Amount,
}

impl Asked<'_> {
    /// The plan as it executes on these pools, so that what is quoted is what is realised while they stand.
    fn told(&self, plan: &Plan, bound: Option<u64>) -> Result<Quote, String> {
        let executed = self.executed(plan)?;
        let mut worth = Worth::new(executed.made.first().map_or(0, |made| made.from), executed.amount_in);
        let legs: Option<Vec<_>> = executed.made.iter().map(|made| self.leg(made, &mut worth)).collect();
        let certificate = bound.map(|bound| Certificate { bound, gap_billionths: self.gap(&executed, bound) });
        Ok(Quote {
            amount_in: executed.amount_in,
            amount_out: executed.amount_out,
            fee: u64::try_from(worth.fees).unwrap_or(u64::MAX),
            price_impact_bps: bps(worth.impact.checked_div(executed.amount_in.into()).unwrap_or(0)),
            legs: legs.ok_or("a pool is gone")?,
            certificate,
        })
    }

    /// Executes the plan on these pools, each of which it must name once.
    fn executed(&self, plan: &Plan) -> Result<Executed, String> {
        let reach = self.view.reach(self.venue);
        let planned = |leg: &routing::Leg| match self.amount {
            Amount::In(_) => leg.swap.amount_in,
            Amount::Out(_) => leg.swap.amount_out,
        };
        let step = |leg: &routing::Leg| {
            reach.pool(leg.pool).map(|(pool, _)| Step { pool, input: leg.input, amount: planned(leg) })
        };
        let steps: Option<Vec<_>> = plan.legs.iter().map(step).collect();
        let steps = steps.ok_or("a pool is gone")?;
        check_steps(&steps).map_err(|refused| refused.to_string())?;
        let token = |place: usize| u16::try_from(place).ok();
        let ends = |number: u16| self.listed(number).and_then(|pool| token(pool.token_a).zip(token(pool.token_b)));
        let swap = |number: u16, input: Side, amount: Amount| {
            self.listed(number).ok_or(PoolError::Math)?.pool.quote(input, amount, reach.network.now())
        };
        let tokens = (self.tokens.asset(self.input), self.tokens.asset(self.output));
        execute(tokens, self.amount, &steps, ends, swap).map_err(|_| "the amount does not divide".to_owned())
    }

    fn listed(&self, number: u16) -> Option<&Listed> {
        let reach = self.view.reach(self.venue);
        reach.network.pools().get(reach.place(number)?)
    }

    fn leg(&self, made: &Made, worth: &mut Worth) -> Option<Leg> {
        let reach = self.view.reach(self.venue);
        let (_, known) = reach.pool(reach.place(made.pool)?)?;
        let pool = &self.listed(made.pool)?.pool;
        let impact = impact_billionths(pool.price(made.input).ok()?, made);
        worth.pass(made, impact);
        let [from, to] = [made.from, made.to].map(|token| self.token(token));
        Some(Leg {
            number: made.pool,
            side: made.input,
            pool: Arc::clone(&known.id),
            exchange: known.exchange,
            family: pool.kind().into(),
            fee_token: Arc::clone(if made.fees.token == made.input { &from.symbol } else { &to.symbol }),
            input: Arc::clone(&from.symbol),
            input_decimals: from.decimals,
            output: Arc::clone(&to.symbol),
            output_decimals: to.decimals,
            amount_in: made.amount_in,
            amount_out: made.amount_out,
            fee: made.fees.total,
            price_impact_bps: bps(impact),
        })
    }

    /// How far an execution is from the bound, in billionths of the bound, rounded up.
    fn gap(&self, executed: &Executed, bound: u64) -> u64 {
        let apart = match self.amount {
            Amount::In(_) => bound.saturating_sub(executed.amount_out),
            Amount::Out(_) => executed.amount_in.saturating_sub(bound),
        };
        let gap = (u128::from(apart) * BILLION).div_ceil(u128::from(bound.max(1)));
        u64::try_from(gap).unwrap_or(u64::MAX)
    }

    /// An asset, by the caller's own name where the caller named it.
    fn token(&self, asset: u16) -> &Token {
        let named = [self.input, self.output].into_iter().find(|token| self.tokens.asset(*token) == asset);
        self.tokens.get(named.unwrap_or(asset))
    }
}

/// What tokens between have cost, so that fees in them can be counted in the token that is paid.
struct Worth {
    /// Token, units that have come to it, and what was paid for them at the start.
    held: Vec<(u16, u128, u128)>,
    fees: u128,
    /// Billionths of what was paid, times what was paid.
    impact: u128,
}

impl Worth {
    fn new(start: u16, amount_in: u64) -> Self {
        Self { held: vec![(start, amount_in.into(), amount_in.into())], fees: 0, impact: 0 }
    }

    fn pass(&mut self, made: &Made, impact: u128) {
        let Made { from, to, amount_in, amount_out, fees, .. } = *made;
        let held = self.held.iter().find(|(token, ..)| *token == from).copied();
        let (_, units, cost) = held.unwrap_or((from, 1, 0));
        // A token's cost is at most what was paid at the start, so that the products fit.
        let paid = u128::from(amount_in) * cost / units.max(1);
        let whole =
            if fees.token == made.input { amount_in.into() } else { u128::from(amount_out) + u128::from(fees.total) };
        self.fees += (paid * u128::from(fees.total)).div_ceil(whole.max(1));
        self.impact += paid * impact;
        match self.held.iter_mut().find(|(token, ..)| *token == to) {
            Some((_, units, cost)) => {
                *units += u128::from(amount_out);
                *cost += paid;
            }
            None => self.held.push((to, amount_out.into(), paid)),
        }
    }
}

/// How much less a swap gives, its fee aside, than the pool's price before it: billionths.
fn impact_billionths(price: Ratio, made: &Made) -> u128 {
    let Made { amount_in, amount_out, fees, .. } = *made;
    let (net, gross) = if fees.token == made.input {
        (amount_in.saturating_sub(fees.total), amount_out)
    } else {
        (amount_in, amount_out.saturating_add(fees.total))
    };
    let given = product(gross.into(), price.denominator);
    let due = product(net.into(), price.numerator);
    if due.0 == 0 {
        return 0;
    }
    let share = given.0 * BILLION / due.0;
    let bits = given.1.abs_diff(due.1);
    let share = if given.1 >= due.1 { share << bits.min(30) } else { share.checked_shr(bits).unwrap_or(0) };
    BILLION.saturating_sub(share)
}

/// A product as a number below 2⁶⁴ and a power of two: it has 62 bits or more unless it is exact.
fn product(a: u128, b: u128) -> (u128, u32) {
    let cut = |number: u128, bits: u32| {
        let cut = (128 - number.leading_zeros()).saturating_sub(bits);
        (number >> cut, cut)
    };
    let ((a, first), (b, second)) = (cut(a, 64), cut(b, 64));
    let whole = a * b;
    let (whole, third) = cut(whole, 64);
    (whole, first + second + third)
}

/// Basis points, rounded up.
fn bps(billionths: u128) -> u32 {
    u32::try_from(billionths.div_ceil(100_000)).unwrap_or(10_000).min(10_000)
}
