//! Swaps of Raydium's pools, one by one or by its router.

use solana::program::Mode;
use solana::program::raydium::{
    AMM_V4, AMM_V4_SLIPPAGE, CLMM, CLMM_TOO_LITTLE, CLMM_TOO_MUCH, CPMM, CPMM_SLIPPAGE, Swap, read,
};
use solana::{Address, Instruction};

use super::{Account, Ends, Pools, Transfer, UNKNOWN_INSTRUCTION, WRONG_POOL, swap, token_account, transfers};
use crate::{Amount, Side, Step};

/// AMM v4: the source holds less than is to be paid.
const AMM_V4_INSUFFICIENT_FUNDS: u32 = 40;

/// An account is not of a token of the pool, in Anchor's numbers.
const WRONG_TOKEN: u32 = 2014;

pub(super) fn run(
    instruction: &Instruction,
    pools: &mut Pools,
    state: &dyn Fn(&Address) -> Option<Account>,
) -> Result<[Transfer; 2], u32> {
    let wanted = read(instruction).filter(|swap| !swap.hops.is_empty()).ok_or(UNKNOWN_INSTRUCTION)?;
    let source = token_account(&wanted.source, state).ok_or(WRONG_TOKEN)?;
    let destination = token_account(&wanted.destination, state).ok_or(WRONG_TOKEN)?;
    let mints = [source.mint, destination.mint];
    let steps = steps(&wanted, pools, mints)?;
    let amount = match wanted.mode {
        Mode::ExactIn => Amount::In(wanted.amount),
        Mode::ExactOut => Amount::Out(wanted.amount),
    };
    let mut after = pools.clone();
    // A pool that cannot give so much has moved past every limit.
    let executed = swap(&mut after, mints, amount, &steps).map_err(|_| slippage(&wanted))?;
    let kept = match wanted.mode {
        Mode::ExactIn => executed.amount_out >= wanted.limit,
        Mode::ExactOut => executed.amount_in <= wanted.limit,
    };
    if !kept {
        return Err(slippage(&wanted));
    }
    if wanted.program == AMM_V4 && source.amount < executed.amount_in {
        return Err(AMM_V4_INSUFFICIENT_FUNDS);
    }
    *pools = after;
    let ends = Ends { authority: wanted.owner, source: wanted.source, destination: wanted.destination };
    Ok(transfers(&ends, mints, &executed))
}

/// One step for each pool, the whole of what comes to it.
fn steps(wanted: &Swap, pools: &Pools, [from, to]: [Address; 2]) -> Result<Vec<Step>, u32> {
    let mut at = from;
    let mut steps = Vec::with_capacity(wanted.hops.len());
    for hop in &wanted.hops {
        let pool = pools.pools.iter().find(|pool| pool.address == hop.pool).ok_or(WRONG_POOL)?;
        if pool.program != hop.program {
            return Err(WRONG_POOL);
        }
        let [a, b] = pool.mints;
        let (input, next) = match at {
            _ if at == a => (Side::A, b),
            _ if at == b => (Side::B, a),
            _ => return Err(WRONG_TOKEN),
        };
        if hop.mints.is_some_and(|mints| mints != [at, next]) {
            return Err(WRONG_TOKEN);
        }
        steps.push(Step { pool: pool.number, input, amount: 1 });
        at = next;
    }
    if at == to { Ok(steps) } else { Err(WRONG_TOKEN) }
}

fn slippage(wanted: &Swap) -> u32 {
    match (wanted.program, wanted.mode) {
        (CPMM, _) => CPMM_SLIPPAGE,
        (CLMM, Mode::ExactIn) => CLMM_TOO_LITTLE,
        (CLMM, Mode::ExactOut) => CLMM_TOO_MUCH,
        _ => AMM_V4_SLIPPAGE,
    }
}
