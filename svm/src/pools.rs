//! The pool programs as builtins: what an instruction moves is computed by simnet, and moved by SPL Token.
//!
//! A builtin is a plain function. So the pools that it computes on lie in its thread, for as long as one transaction takes.

use std::cell::RefCell;

use simnet::bank::program::{self, Transfer};
use simnet::bank::{Account, Pools};
use solana::program::token;
use solana::{Address, Instruction, InstructionError, Meta};
use solana_instruction::AccountMeta;
use solana_program_runtime::declare_process_instruction;
use solana_program_runtime::invoke_context::InvokeContext;

/// What a pool program's own work counts for.
const COMPUTE_UNITS: u64 = 1_000;

thread_local! {
    static LENT: RefCell<Option<Pools>> = const { RefCell::new(None) };
}

/// Lays down what the next transaction of this thread computes on.
pub(crate) fn lend(pools: Pools) {
    LENT.set(Some(pools));
}

/// The pools as the transaction left them.
pub(crate) fn take_back() -> Option<Pools> {
    LENT.take()
}

declare_process_instruction!(Entrypoint, COMPUTE_UNITS, |context| { execute(context) });

fn execute(context: &mut InvokeContext<'_, '_>) -> Result<(), InstructionError> {
    let (instruction, accounts) = given(context)?;
    let state = |address: &Address| accounts.iter().find(|(key, _)| key == address).map(|(_, held)| held.clone());
    let transfers = LENT.with_borrow_mut(|lent| {
        let pools = lent.as_mut().ok_or(InstructionError::GenericError)?;
        program::run(&instruction, pools, &state).map_err(InstructionError::Custom)
    })?;
    for Transfer { token_program, from, to, authority, by_program, amount } in transfers {
        let order = token::Order::Transfer { source: from, destination: to, owner: authority, amount };
        let signers: &[Address] = if by_program { &[authority] } else { &[] };
        context.native_invoke(native(token::order(token_program, order))?, signers)?;
    }
    Ok(())
}

/// Accounts that are there, each once.
type Held = Vec<(Address, Account)>;

/// The instruction that is executed now, and its accounts.
fn given(context: &InvokeContext<'_, '_>) -> Result<(Instruction, Held), InstructionError> {
    let current = context.transaction_context.get_current_instruction_context()?;
    let mut instruction = Instruction {
        program: *current.get_program_key()?,
        accounts: Vec::new(),
        data: current.get_instruction_data().to_vec(),
    };
    let mut held = Held::new();
    for place in 0..current.get_number_of_instruction_accounts() {
        let key = *current.get_key_of_instruction_account(place)?;
        instruction.accounts.push(Meta {
            key: Some(key),
            signer: current.is_instruction_account_signer(place)?,
            writable: current.is_instruction_account_writable(place)?,
        });
        if current.is_instruction_account_duplicate(place)?.is_none() {
            let account = current.try_borrow_instruction_account(place)?;
            let (lamports, owner, data) = (account.get_lamports(), *account.get_owner(), account.get_data().to_vec());
            if lamports > 0 {
                held.push((key, Account { lamports, owner, data }));
            }
        }
    }
    Ok((instruction, held))
}

/// The instruction in Solana's own form.
fn native(instruction: Instruction) -> Result<solana_instruction::Instruction, InstructionError> {
    let meta = |meta: &Meta| {
        let pubkey = meta.key.ok_or(InstructionError::MissingAccount)?;
        Ok(AccountMeta { pubkey, is_signer: meta.signer, is_writable: meta.writable })
    };
    let accounts = instruction.accounts.iter().map(meta).collect::<Result<_, InstructionError>>()?;
    Ok(solana_instruction::Instruction { program_id: instruction.program, accounts, data: instruction.data })
}
