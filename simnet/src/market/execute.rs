//! Plans as transactions carry them, and what becomes of one when it is executed.

use routing::{Amount, Fees, PoolError, Side, Swap};

/// One swap of a plan, in one pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The pool's number in its world.
    pub pool: u16,
    /// The token of the pool that is paid.
    pub input: Side,
    /// What was planned: paid when the whole input is fixed, received when the whole output is. It is a share of what comes
    /// to its token, so that a plan stays whole when pools have moved.
    pub amount: u64,
}

/// What an executed plan comes to.
#[derive(Debug)]
pub(crate) struct Executed {
    /// Paid in all.
    pub(crate) amount_in: u64,
    /// Received in all.
    pub(crate) amount_out: u64,
    /// The swaps, in the plan's order.
    pub(crate) made: Vec<Made>,
    /// The pools that were traded in, in their states after it.
    pub(crate) after: Vec<(u16, routing::Pool)>,
}

/// One executed step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Made {
    pub(crate) pool: u16,
    pub(crate) input: Side,
    /// The token that was paid, and the one received.
    pub(crate) from: u16,
    pub(crate) to: u16,
    /// As they count for the plan: what a pool gives beyond a fixed output stays behind.
    pub(crate) amount_in: u64,
    pub(crate) amount_out: u64,
    pub(crate) fees: Fees,
}

/// Why a plan does not execute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unexecuted {
    /// A pool refuses.
    Refused(PoolError),
    /// The steps do not lead from the one token to the other and leave nothing between.
    Astray,
}

/// What has come to a token, or is needed of it, and the shares of the steps that take it on.
#[derive(Clone, Copy, Default)]
struct Held {
    token: u16,
    units: u64,
    shares: u128,
}

struct Purse(Vec<Held>);

impl Purse {
    fn of(&mut self, token: u16) -> &mut Held {
        let at = self.0.iter().position(|held| held.token == token).unwrap_or_else(|| {
            self.0.push(Held { token, ..Held::default() });
            self.0.len() - 1
        });
        &mut self.0[at]
    }
}

/// Makes every step by `swap`, each pool's tokens being what `ends` says.
///
/// With a fixed input the steps are made in order: what has come to a token is divided by the shares of the steps that leave
/// it, and the last takes the rest, so that nothing is left between. With a fixed output they are made from the last one on,
/// and what is divided is what is needed of a token. On pools that have not moved that gives what was planned, to the unit.
pub(crate) fn execute(
    (from, to): (u16, u16),
    amount: Amount,
    steps: &[Step],
    ends: impl Fn(u16) -> Option<(u16, u16)>,
    mut swap: impl FnMut(u16, Side, Amount) -> Result<Swap, PoolError>,
) -> Result<Executed, Unexecuted> {
    let forward = matches!(amount, Amount::In(_));
    let (start, end) = if forward { (from, to) } else { (to, from) };
    if start == end {
        return Err(Unexecuted::Astray);
    }
    let mut purse = Purse(Vec::with_capacity(steps.len() + 1));
    // The near token is where the fixed amount comes from.
    let near_and_far = |step: &Step| {
        let (a, b) = ends(step.pool).ok_or(Unexecuted::Astray)?;
        let a_first = (step.input == Side::A) == forward;
        Ok(if a_first { (a, b) } else { (b, a) })
    };
    for step in steps {
        let (near, _) = near_and_far(step)?;
        purse.of(near).shares += u128::from(step.amount);
    }
    purse.of(start).units = amount.units();
    let mut done = Vec::with_capacity(steps.len());
    let mut make = |step: &Step| {
        let (near, far_token) = near_and_far(step)?;
        let held = purse.of(near);
        let units = part_of(held.units, step.amount, held.shares);
        held.shares = held.shares.saturating_sub(step.amount.into());
        let last = held.shares == 0;
        if units == 0 {
            return Ok(());
        }
        let made = match swap(step.pool, step.input, if forward { Amount::In(units) } else { Amount::Out(units) }) {
            Ok(made) => made,
            // Dust goes over the token's other pools.
            Err(PoolError::ZeroOutput | PoolError::AmountTooSmall) if !last => return Ok(()),
            Err(error) => return Err(Unexecuted::Refused(error)),
        };
        let whole = if forward { made.amount_in == units } else { made.amount_out >= units };
        if !whole {
            return Err(Unexecuted::Refused(PoolError::InsufficientLiquidity));
        }
        purse.of(near).units -= units;
        let brought = if forward { made.amount_out } else { made.amount_in };
        let far = purse.of(far_token);
        far.units = far.units.checked_add(brought).ok_or(Unexecuted::Refused(PoolError::Overflow))?;
        let ((from, amount_in), (to, amount_out)) =
            if forward { ((near, units), (far_token, brought)) } else { ((far_token, brought), (near, units)) };
        let Step { pool, input, .. } = *step;
        done.push(Made { pool, input, from, to, amount_in, amount_out, fees: made.fees });
        Ok(())
    };
    if forward {
        steps.iter().try_for_each(&mut make)?;
    } else {
        steps.iter().rev().try_for_each(&mut make)?;
        done.reverse();
    }
    let got = purse.of(end).units;
    if got == 0 || purse.0.iter().any(|held| held.token != end && held.units > 0) {
        return Err(Unexecuted::Astray);
    }
    let (amount_in, amount_out) = if forward { (amount.units(), got) } else { (got, amount.units()) };
    Ok(Executed { amount_in, amount_out, made: done, after: Vec::new() })
}

/// `held · share / shares`, rounded down; all of it for the last.
fn part_of(held: u64, share: u64, shares: u128) -> u64 {
    if u128::from(share) >= shares {
        return held;
    }
    u64::try_from(u128::from(held) * u128::from(share) / shares).unwrap_or(held)
}
