//! Quotes: a route over the pools of a view, and what it costs.

use routing::{Limits, Network, Plan, Question, Ratio, Swap};

use super::{Certificate, Leg, Quote};
use crate::market::{View, execute};
use crate::token::Tokens;
use crate::transaction::STEPS_LIMIT;
use crate::{Amount, Side, Venue};

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
    let routing::Answer { plan, certificate } =
        routing::best(network, &question, &LIMITS).map_err(|error| error.to_string())?;
    let told = |plan: &Plan| {
        let gap = gap_billionths(amount, plan, certificate.bound);
        asked.told(plan, Some(Certificate { bound: certificate.bound, gap_billionths: gap }))
    };
    // A plan that a transaction cannot carry, or that would not execute as it is quoted.
    told(&plan).or_else(|_| told(&single()?))
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
    /// The plan in words, when it executes as it says.
    fn told(&self, plan: &Plan, certificate: Option<Certificate>) -> Result<Quote, String> {
        let network = &self.view.reach(self.venue).network;
        if plan.legs.len() > STEPS_LIMIT {
            return Err("more swaps than one transaction can carry".to_owned());
        }
        let mut worth = Worth::new(plan.legs.first().map_or(0, |leg| leg.from), plan.amount_in);
        let mut legs = Vec::with_capacity(plan.legs.len());
        for leg in &plan.legs {
            let place = network.pools().get(leg.pool).ok_or("a pool is gone")?;
            let price = place.pool.price(leg.input).map_err(|error| error.to_string())?;
            let impact = impact_billionths(price, leg);
            let (number, known) = self.view.reach(self.venue).pool(leg.pool).ok_or("a pool is gone")?;
            let fee_is_paid = leg.swap.fees.token == leg.input;
            worth.pass(leg, fee_is_paid, impact);
            let [from, to] = [leg.from, leg.to].map(|token| self.token(token));
            let fee_token = if fee_is_paid { &from.0 } else { &to.0 }.clone();
            legs.push(Leg {
                number,
                side: leg.input,
                pool: known.id.clone(),
                exchange: known.exchange,
                family: place.pool.kind().into(),
                input: from.0,
                input_decimals: from.1,
                output: to.0,
                output_decimals: to.1,
                amount_in: leg.swap.amount_in,
                amount_out: leg.swap.amount_out,
                fee: leg.swap.fees.total,
                fee_token,
                price_impact_bps: bps(impact),
            });
        }
        let quote = Quote {
            amount_in: plan.amount_in,
            amount_out: plan.amount_out,
            fee: u64::try_from(worth.fees).unwrap_or(u64::MAX),
            price_impact_bps: bps(worth.impact.checked_div(plan.amount_in.into()).unwrap_or(0)),
            legs,
            certificate,
        };
        if self.executes(network, &quote) { Ok(quote) } else { Err("the amount does not divide".to_owned()) }
    }

    /// Whether the plan gives what it says when it is executed on these pools, each of which it names once.
    fn executes(&self, network: &Network, quote: &Quote) -> bool {
        let steps = quote.steps(self.amount);
        let once = |(place, leg): (usize, &Leg)| quote.legs[..place].iter().all(|other| other.number != leg.number);
        let reach = self.view.reach(self.venue);
        let listed = |number: u16| network.pools().get(reach.place(number)?);
        let token = |place: usize| u16::try_from(place).ok();
        let ends = |number: u16| listed(number).and_then(|pool| token(pool.token_a).zip(token(pool.token_b)));
        let swap = |number: u16, input: Side, amount: Amount| {
            listed(number).ok_or(routing::PoolError::Math)?.pool.quote(input, amount, network.now())
        };
        let tokens = (self.tokens.asset(self.input), self.tokens.asset(self.output));
        let asked = match self.amount {
            Amount::In(units) => quote.amount_in == units,
            Amount::Out(units) => quote.amount_out == units,
        };
        let executed = execute(tokens, self.amount, &steps, ends, swap);
        asked
            && quote.legs.iter().enumerate().all(once)
            && executed.is_ok_and(|e| (e.amount_in, e.amount_out) == (quote.amount_in, quote.amount_out))
    }

    /// Symbol and decimals of a token of the network, by the caller's own name where the caller named it.
    fn token(&self, place: usize) -> (std::sync::Arc<str>, u8) {
        let asset = u16::try_from(place).unwrap_or(u16::MAX);
        let named = [self.input, self.output].into_iter().find(|token| self.tokens.asset(*token) == asset);
        let token = self.tokens.get(named.unwrap_or(asset));
        (token.symbol.clone(), token.decimals)
    }
}

/// What tokens between have cost, so that fees in them can be counted in the token that is paid.
struct Worth {
    /// Token, units that have come to it, and what was paid for them at the start.
    held: Vec<(usize, u128, u128)>,
    fees: u128,
    /// Billionths of what was paid, times what was paid.
    impact: u128,
}

impl Worth {
    fn new(start: usize, amount_in: u64) -> Self {
        Self { held: vec![(start, amount_in.into(), amount_in.into())], fees: 0, impact: 0 }
    }

    fn pass(&mut self, leg: &routing::Leg, fee_is_paid: bool, impact: u128) {
        let Swap { amount_in, amount_out, fees } = leg.swap;
        let held = self.held.iter().find(|(token, ..)| *token == leg.from).copied();
        let (_, units, cost) = held.unwrap_or((leg.from, 1, 0));
        // A token's cost is at most what was paid at the start, so that the products fit.
        let paid = u128::from(amount_in) * cost / units.max(1);
        let whole = if fee_is_paid { amount_in.into() } else { u128::from(amount_out) + u128::from(fees.total) };
        self.fees += (paid * u128::from(fees.total)).div_ceil(whole.max(1));
        self.impact += paid * impact;
        match self.held.iter_mut().find(|(token, ..)| *token == leg.to) {
            Some((_, units, cost)) => {
                *units += u128::from(amount_out);
                *cost += paid;
            }
            None => self.held.push((leg.to, amount_out.into(), paid)),
        }
    }
}

/// How much less a swap gives, its fee aside, than the pool's price before it: billionths.
fn impact_billionths(price: Ratio, leg: &routing::Leg) -> u128 {
    let Swap { amount_in, amount_out, fees } = leg.swap;
    let (net, gross) = if fees.token == leg.input {
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

/// How far a plan is from the bound, in billionths of the bound, rounded up.
fn gap_billionths(amount: Amount, plan: &Plan, bound: u64) -> u64 {
    let apart = match amount {
        Amount::In(_) => bound.saturating_sub(plan.amount_out),
        Amount::Out(_) => plan.amount_in.saturating_sub(bound),
    };
    let gap = (u128::from(apart) * BILLION).div_ceil(u128::from(bound.max(1)));
    u64::try_from(gap).unwrap_or(u64::MAX)
}
