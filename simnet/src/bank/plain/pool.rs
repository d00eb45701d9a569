//! Swaps: what the pool programs ask the token program for.

use solana::{Address, Instruction, InstructionError, Meta};

use super::super::program;
use super::token::{self, Movement};
use super::work::Work;

/// Makes the transfers of an instruction. Every account of theirs must be among the instruction's.
pub(super) fn swap(work: &mut Work<'_>, instruction: &Instruction) -> Result<(), InstructionError> {
    let mut pools = work.pools.clone();
    let transfers = program::run(instruction, &mut pools, &|address| work.get(address).cloned());
    let transfers = transfers.map_err(InstructionError::Custom)?;
    work.pools = pools;
    for transfer in transfers {
        let program::Transfer { token_program, from, to, authority, by_program, amount } = transfer;
        let granted = |key: Address, needs: fn(&Meta) -> bool| {
            let mut metas = instruction.accounts.iter().filter(|meta| meta.key == Some(key));
            let meta = metas.next().ok_or(InstructionError::MissingAccount)?;
            if needs(meta) { Ok(()) } else { Err(InstructionError::PrivilegeEscalation) }
        };
        granted(from, |meta| meta.writable)?;
        granted(to, |meta| meta.writable)?;
        granted(authority, if by_program { |_| true } else { |meta| meta.signer })?;
        granted(token_program, |_| true)?;
        let movement =
            Movement { program: token_program, source: from, destination: to, owner: authority, amount, named: None };
        token::moved(work, &movement, true)?;
    }
    Ok(())
}
