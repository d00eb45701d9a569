//! The plan inside a route, as this chain writes it: the count of steps as `u32`, and of each step the pool's number `u16`,
//! the paid side `u8` (0 is A) and the planned amount `u64`; little-endian.
//!
//! On the real chain a step names the exchange instead, and its accounts follow the instruction's. Whoever checks a route
//! before signing looks at its amounts and accounts, never at its steps.

use crate::{STEPS_LIMIT, Side, Step};

const STEP_BYTES: usize = 11;

/// Writes the steps.
#[must_use]
pub fn write(steps: &[Step]) -> Vec<u8> {
    let count = u32::try_from(steps.len()).unwrap_or(u32::MAX);
    let mut bytes = count.to_le_bytes().to_vec();
    for Step { pool, input, amount } in steps {
        bytes.extend(pool.to_le_bytes());
        bytes.push(u8::from(*input == Side::B));
        bytes.extend(amount.to_le_bytes());
    }
    bytes
}

/// Reads them, all bytes; none where they are of another form, or no or too many steps.
#[must_use]
pub fn read(bytes: &[u8]) -> Option<Vec<Step>> {
    let (count, rest) = bytes.split_first_chunk::<4>()?;
    let (steps, []) = rest.as_chunks::<STEP_BYTES>() else { return None };
    let counted = usize::try_from(u32::from_le_bytes(*count)).ok()? == steps.len();
    if !counted || steps.is_empty() || steps.len() > STEPS_LIMIT {
        return None;
    }
    let step = |bytes: &[u8; STEP_BYTES]| {
        let (pool, rest) = bytes.split_first_chunk::<2>()?;
        let (side, amount) = rest.split_first_chunk::<1>()?;
        let input = match side {
            [0] => Side::A,
            [1] => Side::B,
            _ => return None,
        };
        let amount = u64::from_le_bytes(amount.try_into().ok()?);
        Some(Step { pool: u16::from_le_bytes(*pool), input, amount })
    };
    steps.iter().map(step).collect()
}
