//! Tokens: SPL Token's transfers and accounts, and the creation of associated ones.

use solana::program::associated_token::{self, Create};
use solana::program::token::{self, ACCOUNT_BYTES, Account as Held, Mint, NATIVE_MINT, Order, State};
use solana::{Address, Instruction, InstructionError};

use super::super::Account;
use super::work::Work;
use super::{rent, system};

const INVALID_INSTRUCTION: InstructionError = InstructionError::Custom(12);
const INSUFFICIENT_FUNDS: InstructionError = InstructionError::Custom(token::INSUFFICIENT_FUNDS);
const INVALID_MINT: InstructionError = InstructionError::Custom(2);
const MINT_MISMATCH: InstructionError = InstructionError::Custom(3);
const OWNER_MISMATCH: InstructionError = InstructionError::Custom(4);
const NON_NATIVE_HAS_BALANCE: InstructionError = InstructionError::Custom(11);
const INVALID_STATE: InstructionError = InstructionError::Custom(13);
const FROZEN: InstructionError = InstructionError::Custom(17);
const DECIMALS_MISMATCH: InstructionError = InstructionError::Custom(18);
const NON_NATIVE: InstructionError = InstructionError::Custom(19);

/// What the real programs return where there are too few accounts.
#[expect(deprecated, reason = "they were built before `MissingAccount` took its place")]
const TOO_FEW_ACCOUNTS: InstructionError = InstructionError::NotEnoughAccountKeys;

/// A transfer between two accounts.
pub(super) struct Movement {
    pub(super) program: Address,
    pub(super) source: Address,
    pub(super) destination: Address,
    pub(super) owner: Address,
    pub(super) amount: u64,
    /// The mint and its decimals, where the instruction names them.
    pub(super) named: Option<(Address, u8)>,
}

/// Executes an instruction of the token program.
pub(super) fn order(work: &mut Work<'_>, instruction: &Instruction) -> Result<(), InstructionError> {
    let program = instruction.program;
    match token::read(instruction).ok_or_else(|| unreadable(instruction))? {
        Order::Transfer { source, destination, owner, amount } => {
            let movement = Movement { program, source, destination, owner, amount, named: None };
            moved(work, &movement, instruction.signs(2))
        }
        Order::TransferChecked { source, mint, destination, owner, amount, decimals } => {
            let named = Some((mint, decimals));
            moved(work, &Movement { program, source, destination, owner, amount, named }, instruction.signs(3))
        }
        Order::Close { account, destination, owner } => close(work, instruction, account, destination, owner),
        Order::SyncNative { account } => sync(work, program, account),
        // Nobody but a faucet makes tokens here, and accounts are begun as associated ones.
        Order::MintTo { .. } | Order::Initialize { .. } => Err(InstructionError::InvalidInstructionData),
    }
}

/// Data that is of no instruction, or too few accounts for it.
fn unreadable(instruction: &Instruction) -> InstructionError {
    let needed = match (instruction.data.first(), instruction.data.len()) {
        (Some(17), 1) => 1,
        (Some(3), 9) | (Some(9), 1) => 3,
        (Some(12), 10) => 4,
        _ => return INVALID_INSTRUCTION,
    };
    if instruction.accounts.len() < needed { TOO_FEW_ACCOUNTS } else { INVALID_INSTRUCTION }
}

/// The state of a token account.
fn held(work: &Work<'_>, address: &Address) -> Result<(Account, Held), InstructionError> {
    let account = work.get(address).ok_or(InstructionError::InvalidAccountData)?;
    if account.data.len() == ACCOUNT_BYTES && account.data.get(108) == Some(&0) {
        return Err(InstructionError::UninitializedAccount);
    }
    let held = Held::unpack(&account.data).ok_or(InstructionError::InvalidAccountData)?;
    if account.owner != token::ID && account.owner != token::ID_2022 {
        return Err(InstructionError::IncorrectProgramId);
    }
    Ok((account.clone(), held))
}

/// Moves tokens if everything is right; of wrapped SOL, lamports too.
pub(super) fn moved(work: &mut Work<'_>, movement: &Movement, signed: bool) -> Result<(), InstructionError> {
    let Movement { program, source, destination, owner, amount, named } = *movement;
    let (mut from, mut paying) = held(work, &source)?;
    let (_, receiving) = held(work, &destination)?;
    if paying.state == State::Frozen || receiving.state == State::Frozen {
        return Err(FROZEN);
    }
    let left = paying.amount.checked_sub(amount).ok_or(INSUFFICIENT_FUNDS)?;
    if paying.mint != receiving.mint {
        return Err(MINT_MISMATCH);
    }
    if let Some((mint, decimals)) = named {
        checked(work, &paying, mint, decimals)?;
    }
    owned(&paying, &owner, signed)?;
    if from.owner != program {
        return Err(InstructionError::IncorrectProgramId);
    }
    if source == destination || amount == 0 {
        return Ok(());
    }
    paying.amount = left;
    if paying.native.is_some() {
        from.lamports = from.lamports.checked_sub(amount).ok_or(InstructionError::ArithmeticOverflow)?;
    }
    from.data = paying.pack();
    work.change(source, from)?;
    let (mut to, mut receiving) = held(work, &destination)?;
    receiving.amount = receiving.amount.checked_add(amount).ok_or(InstructionError::ArithmeticOverflow)?;
    if receiving.native.is_some() {
        to.lamports = to.lamports.checked_add(amount).ok_or(InstructionError::ArithmeticOverflow)?;
    }
    to.data = receiving.pack();
    work.change(destination, to)
}

/// The owner is who is said to be, and has signed.
fn owned(account: &Held, owner: &Address, signed: bool) -> Result<(), InstructionError> {
    match (account.owner == *owner, signed) {
        (false, _) => Err(OWNER_MISMATCH),
        (true, false) => Err(InstructionError::MissingRequiredSignature),
        (true, true) => Ok(()),
    }
}

/// What a checked transfer names besides is so.
fn checked(work: &Work<'_>, paying: &Held, mint: Address, decimals: u8) -> Result<(), InstructionError> {
    if paying.mint != mint {
        return Err(MINT_MISMATCH);
    }
    let state = work.get(&mint).and_then(|account| Mint::unpack(&account.data));
    let state = state.ok_or(InstructionError::InvalidAccountData)?;
    if state.decimals == decimals { Ok(()) } else { Err(DECIMALS_MISMATCH) }
}

/// Takes an account away and gives its lamports to somebody.
fn close(
    work: &mut Work<'_>,
    instruction: &Instruction,
    account: Address,
    destination: Address,
    owner: Address,
) -> Result<(), InstructionError> {
    if account == destination {
        return Err(InstructionError::InvalidAccountData);
    }
    if instruction.program == token::ID_2022 && work.get(&account).is_none() {
        return Err(InstructionError::UninitializedAccount);
    }
    let (closed, state) = held(work, &account)?;
    if state.native.is_none() && state.amount != 0 {
        return Err(NON_NATIVE_HAS_BALANCE);
    }
    let authority = Held { owner: state.close_authority.unwrap_or(state.owner), ..state };
    owned(&authority, &owner, instruction.signs(2))?;
    if closed.owner != instruction.program {
        return Err(InstructionError::ExternalAccountLamportSpend);
    }
    let receiver = work.get(&destination).cloned().unwrap_or_else(system::empty);
    let lamports = receiver.lamports.checked_add(closed.lamports).ok_or(InstructionError::ArithmeticOverflow)?;
    work.change(account, system::empty())?;
    work.change(destination, Account { lamports, ..receiver })
}

/// Makes the amount of a wrapped account what its lamports come to.
fn sync(work: &mut Work<'_>, program: Address, address: Address) -> Result<(), InstructionError> {
    if work.get(&address).is_none_or(|account| account.owner != program) {
        return Err(InstructionError::IncorrectProgramId);
    }
    let (mut account, mut state) = held(work, &address)?;
    let reserve = state.native.ok_or(NON_NATIVE)?;
    let amount = account.lamports.checked_sub(reserve).ok_or(InstructionError::ArithmeticOverflow)?;
    if amount < state.amount {
        return Err(INVALID_STATE);
    }
    if amount == state.amount {
        return Ok(());
    }
    state.amount = amount;
    account.data = state.pack();
    work.change(address, account)
}

/// Creates an associated account, its rent paid by the payer.
pub(super) fn create(work: &mut Work<'_>, instruction: &Instruction) -> Result<(), InstructionError> {
    if !matches!(instruction.data[..], [] | [0] | [1]) {
        return Err(InstructionError::InvalidInstructionData);
    }
    if instruction.accounts.len() < 6 {
        return Err(TOO_FEW_ACCOUNTS);
    }
    let read = associated_token::read(instruction).ok_or(InstructionError::InvalidSeeds)?;
    let Create { payer, account, owner, mint, token_program, idempotent } = read;
    if account != associated_token::address(&owner, &mint, &token_program) {
        return Err(InstructionError::InvalidSeeds);
    }
    // Accounts of Token-2022 are longer, and no token of this chain is kept by it.
    if token_program != token::ID {
        return Err(InstructionError::IncorrectProgramId);
    }
    let there = work.get(&account).cloned().unwrap_or_else(system::empty);
    if idempotent && there.owner == token_program {
        let (_, state) = held(work, &account)?;
        if state.owner != owner {
            return Err(InstructionError::InvalidAccountOwner);
        }
        return if state.mint == mint { Ok(()) } else { Err(InstructionError::InvalidAccountData) };
    }
    if there.owner != solana::program::system::ID {
        return Err(InstructionError::IllegalOwner);
    }
    let kept =
        work.get(&mint).filter(|account| account.owner == token::ID).ok_or(InstructionError::IncorrectProgramId)?;
    if Mint::unpack(&kept.data).is_none() {
        return Err(INVALID_MINT);
    }
    let creates = instruction.accounts.get(..2).is_some_and(|metas| metas.iter().all(|meta| meta.writable));
    if !creates || !instruction.signs(0) {
        return Err(InstructionError::PrivilegeEscalation);
    }
    let least = rent::least(ACCOUNT_BYTES);
    system::moved(work, payer, account, least.saturating_sub(there.lamports))?;
    let lamports = there.lamports.max(least);
    let amount = if mint == NATIVE_MINT { lamports - least } else { 0 };
    let data = Held::new(mint, owner, amount, least).pack();
    work.change(account, Account { lamports, owner: token_program, data })
}
