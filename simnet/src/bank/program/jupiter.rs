//! Routes of the aggregator.

use solana::program::Mode;
use solana::program::jupiter::{
    EXACT_OUT_NOT_MATCHED, INSUFFICIENT_FUNDS, INVALID_TOKEN_ACCOUNT, Route, SLIPPAGE_EXCEEDED, read,
};
use solana::{Address, Instruction};

use super::{Account, Ends, Pools, Transfer, UNKNOWN_INSTRUCTION, WRONG_POOL, plan, swap, token_account, transfers};
use crate::Amount;
use crate::market::Unexecuted;

/// The plan is empty or leads astray.
const INVALID_ROUTE_PLAN: u32 = 6010;

/// A fee is to be paid to nobody.
const MISSING_PLATFORM_FEE_ACCOUNT: u32 = 6003;

/// A pool cannot compute this.
const INVALID_CALCULATION: u32 = 6002;

pub(super) fn run(
    instruction: &Instruction,
    pools: &mut Pools,
    state: &dyn Fn(&Address) -> Option<Account>,
) -> Result<[Transfer; 2], u32> {
    let route = read(instruction).ok_or(UNKNOWN_INSTRUCTION)?;
    let steps = plan::read(&route.plan).ok_or(INVALID_ROUTE_PLAN)?;
    if route.platform_fee_bps > 0 {
        return Err(MISSING_PLATFORM_FEE_ACCOUNT);
    }
    if steps.iter().any(|step| pools.pools.iter().all(|pool| pool.number != step.pool)) {
        return Err(WRONG_POOL);
    }
    let source = token_account(&route.source, state).ok_or(INVALID_TOKEN_ACCOUNT)?;
    let destination = token_account(&route.destination, state).ok_or(INVALID_TOKEN_ACCOUNT)?;
    let named = route.source_mint.is_none_or(|mint| mint == source.mint);
    if !named || destination.mint != route.destination_mint {
        return Err(INVALID_TOKEN_ACCOUNT);
    }
    let mints = [source.mint, destination.mint];
    let mut after = pools.clone();
    let executed = swap(&mut after, mints, amount(&route), &steps).map_err(|why| failure(why, &route))?;
    let kept = match route.form.mode {
        Mode::ExactIn => executed.amount_out >= route.limit(),
        Mode::ExactOut => executed.amount_in <= route.limit(),
    };
    if !kept {
        return Err(SLIPPAGE_EXCEEDED);
    }
    if source.amount < executed.amount_in {
        return Err(INSUFFICIENT_FUNDS);
    }
    *pools = after;
    let ends = Ends { authority: route.authority, source: route.source, destination: route.destination };
    Ok(transfers(&ends, mints, &executed))
}

const fn amount(route: &Route) -> Amount {
    match route.form.mode {
        Mode::ExactIn => Amount::In(route.amount),
        Mode::ExactOut => Amount::Out(route.amount),
    }
}

const fn failure(why: Unexecuted, route: &Route) -> u32 {
    match (why, route.form.mode) {
        (Unexecuted::Astray, _) => INVALID_ROUTE_PLAN,
        (Unexecuted::Refused(_), Mode::ExactOut) => EXACT_OUT_NOT_MATCHED,
        (Unexecuted::Refused(_), Mode::ExactIn) => INVALID_CALCULATION,
    }
}
