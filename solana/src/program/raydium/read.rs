//! Swaps of Raydium's programs, read from instructions.

use super::{AMM_V4, CLMM, CPMM, Hop, Mode, ROUTER, SWAP_BASE_INPUT, SWAP_BASE_OUTPUT, SWAP_V2, Swap};
use crate::instruction::u64_at;
use crate::{Address, Instruction};

/// Reads a swap of any of the four programs; their other instructions are none.
#[must_use]
pub fn read(instruction: &Instruction) -> Option<Swap> {
    let swap = match instruction.program {
        AMM_V4 => amm_v4(instruction)?,
        CPMM => cpmm(instruction)?,
        CLMM => clmm(instruction)?,
        ROUTER => router(instruction)?,
        _ => return None,
    };
    let signs = instruction.accounts.iter().any(|meta| meta.signer && meta.key == Some(swap.owner));
    Some(swap).filter(|_| signs)
}

/// The mode, the fixed amount and the limit, from the two numbers behind a tag.
fn numbers(data: &[u8], at: usize, mode: Mode) -> Option<(Mode, u64, u64)> {
    let (first, second) = (u64_at(data, at)?, u64_at(data, at + 8)?);
    Some(if mode == Mode::ExactIn { (mode, first, second) } else { (mode, second, first) })
}

/// A swap in one pool.
fn single(
    instruction: &Instruction,
    numbers: (Mode, u64, u64),
    owner: usize,
    ends: [Address; 2],
    hop: Hop,
) -> Option<Swap> {
    let (mode, amount, limit) = numbers;
    let [source, destination] = ends;
    let (program, owner) = (instruction.program, instruction.key(owner)?);
    Some(Swap { program, mode, owner, source, destination, amount, limit, hops: vec![hop] })
}

/// With 17 accounts or, from when there were target orders, 18: the user's are the last three.
fn amm_v4(instruction: &Instruction) -> Option<Swap> {
    let data = &instruction.data;
    let mode = match data.first()? {
        9 => Mode::ExactIn,
        11 => Mode::ExactOut,
        _ => return None,
    };
    let numbers = numbers(data, 1, mode).filter(|_| data.len() == 17)?;
    let count = instruction.accounts.len();
    let vaults = match count {
        17 => 4,
        18 => 5,
        _ => return None,
    };
    let key = |place: usize| instruction.key(place);
    let ends = [key(count - 3)?, key(count - 2)?];
    let vaults = [key(vaults)?, key(vaults + 1)?];
    let hop = Hop { program: AMM_V4, pool: key(1)?, authority: key(2)?, vaults, mints: None, ends };
    single(instruction, numbers, count - 1, ends, hop)
}

fn cpmm(instruction: &Instruction) -> Option<Swap> {
    let data = &instruction.data;
    let mode = match *data.first_chunk::<8>()? {
        SWAP_BASE_INPUT => Mode::ExactIn,
        SWAP_BASE_OUTPUT => Mode::ExactOut,
        _ => return None,
    };
    let numbers = numbers(data, 8, mode).filter(|_| data.len() == 24)?;
    let key = |place: usize| instruction.key(place);
    let (ends, vaults) = ([key(4)?, key(5)?], [key(6)?, key(7)?]);
    let mints = Some([key(10)?, key(11)?]);
    let hop = Hop { program: CPMM, pool: key(3)?, authority: key(1)?, vaults, mints, ends };
    single(instruction, numbers, 0, ends, hop)
}

/// The fixed amount comes first whichever it is; the last byte says.
fn clmm(instruction: &Instruction) -> Option<Swap> {
    let data = &instruction.data;
    if *data.first_chunk::<8>()? != SWAP_V2 || data.len() != 41 {
        return None;
    }
    let mode = match data.get(40)? {
        0 => Mode::ExactOut,
        1 => Mode::ExactIn,
        _ => return None,
    };
    let numbers = (mode, u64_at(data, 8)?, u64_at(data, 16)?);
    let key = |place: usize| instruction.key(place);
    let (ends, vaults) = ([key(3)?, key(4)?], [key(5)?, key(6)?]);
    let mints = Some([key(11)?, key(12)?]);
    let hop = Hop { program: CLMM, pool: key(2)?, authority: key(2)?, vaults, mints, ends };
    single(instruction, numbers, 0, ends, hop)
}

/// What a pool needs stands behind its program, so that programs are where the pools begin.
fn router(instruction: &Instruction) -> Option<Swap> {
    let data = &instruction.data;
    let (mode, begin) = match data.first()? {
        0 => (Mode::ExactIn, 7),
        1 => (Mode::ExactOut, 5),
        _ => return None,
    };
    let (mode, amount, limit) = numbers(data, 1, mode)?;
    let is_program = |place: &usize| instruction.key(*place).is_some_and(|key| [AMM_V4, CPMM, CLMM].contains(&key));
    let starts: Vec<_> = (begin..instruction.accounts.len()).filter(is_program).collect();
    if starts.first() != Some(&begin) {
        return None;
    }
    let mut from = instruction.key(5)?;
    let mut hops = Vec::with_capacity(starts.len());
    for start in starts {
        let hop = routed(instruction, start, mode, from)?;
        from = hop.ends[1];
        hops.push(hop);
    }
    if mode == Mode::ExactOut {
        hops.reverse();
    }
    let [source, destination] = [hops.first()?.ends[0], hops.last()?.ends[1]];
    let named = mode == Mode::ExactOut || instruction.key(6) == Some(destination);
    let owner = instruction.key(4)?;
    named.then_some(Swap { program: ROUTER, mode, owner, source, destination, amount, limit, hops })
}

/// A router's pool whose program is at `start`; exact in it is paid from where the last one paid into.
fn routed(instruction: &Instruction, start: usize, mode: Mode, from: Address) -> Option<Hop> {
    let key = |behind: usize| instruction.key(start + behind);
    let (ends, mints) = match mode {
        Mode::ExactIn => ([from, key(1)?], 2),
        Mode::ExactOut => ([key(1)?, key(2)?], 3),
    };
    let own = mints + 2;
    let (program, mints) = (key(0)?, Some([key(mints)?, key(mints + 1)?]));
    let (pool, authority, vaults) = match program {
        AMM_V4 => (key(own)?, key(own + 1)?, own + 5),
        CPMM => (key(own + 2)?, key(own)?, own + 3),
        _ => (key(own + 1)?, key(own + 1)?, own + 2),
    };
    Some(Hop { program, pool, authority, vaults: [key(vaults)?, key(vaults + 1)?], mints, ends })
}
