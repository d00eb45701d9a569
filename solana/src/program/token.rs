//! SPL Token and Token-2022: accounts of tokens and what moves between them. Without extensions both are alike.

mod state;

pub use self::state::{ACCOUNT_BYTES, Account, MINT_BYTES, Mint, State};

use crate::instruction::u64_at;
use crate::{Address, Instruction, Meta};

/// SPL Token.
pub const ID: Address = Address::from_str_const("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA");

/// Token-2022.
pub const ID_2022: Address = Address::from_str_const("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb");

/// The mint of wrapped SOL.
pub const NATIVE_MINT: Address = Address::from_str_const("So11111111111111111111111111111111111111112");

/// What a token account keeps in lamports while it exists.
pub const ACCOUNT_RENT: u64 = 2_039_280;

/// The error of both programs when an account holds too little.
pub const INSUFFICIENT_FUNDS: u32 = 1;

/// What the program is told, as far as swaps do so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Moves tokens.
    Transfer {
        /// Out of this account.
        source: Address,
        /// Into this one.
        destination: Address,
        /// Signed by the owner of the source.
        owner: Address,
        /// Base units.
        amount: u64,
    },
    /// Moves tokens, and says which.
    TransferChecked {
        /// Out of this account.
        source: Address,
        /// Of this token.
        mint: Address,
        /// Into this one.
        destination: Address,
        /// Signed by the owner of the source.
        owner: Address,
        /// Base units.
        amount: u64,
        /// The token's decimals.
        decimals: u8,
    },
    /// New tokens.
    MintTo {
        /// Of this token.
        mint: Address,
        /// Into this account.
        destination: Address,
        /// Who may make them.
        authority: Address,
        /// Base units.
        amount: u64,
    },
    /// Gives back what an account keeps in lamports; of wrapped SOL, all of it.
    Close {
        /// The account.
        account: Address,
        /// Who receives its lamports.
        destination: Address,
        /// Signed by its owner.
        owner: Address,
    },
    /// Makes the amount of a wrapped account what its lamports come to.
    SyncNative {
        /// The account.
        account: Address,
    },
    /// Begins an account that another program has made.
    Initialize {
        /// The account.
        account: Address,
        /// Of this token.
        mint: Address,
        /// Whose it is.
        owner: Address,
    },
}

/// Writes an instruction of a token program.
#[must_use]
pub fn order(program: Address, order: Order) -> Instruction {
    let numbered = |tag: u8, amount: u64| [&[tag][..], &amount.to_le_bytes()].concat();
    let (accounts, data) = match order {
        Order::Transfer { source, destination, owner, amount } => {
            (vec![Meta::writable(source), Meta::writable(destination), Meta::signer(owner)], numbered(3, amount))
        }
        Order::TransferChecked { source, mint, destination, owner, amount, decimals } => {
            let [source, destination] = [source, destination].map(Meta::writable);
            let data = [&numbered(12, amount)[..], &[decimals]].concat();
            (vec![source, Meta::readonly(mint), destination, Meta::signer(owner)], data)
        }
        Order::MintTo { mint, destination, authority, amount } => {
            (vec![Meta::writable(mint), Meta::writable(destination), Meta::signer(authority)], numbered(7, amount))
        }
        Order::Close { account, destination, owner } => {
            (vec![Meta::writable(account), Meta::writable(destination), Meta::signer(owner)], vec![9])
        }
        Order::SyncNative { account } => (vec![Meta::writable(account)], vec![17]),
        Order::Initialize { account, mint, owner } => {
            (vec![Meta::writable(account), Meta::readonly(mint)], [&[18][..], owner.as_ref()].concat())
        }
    };
    Instruction { program, accounts, data }
}

/// Reads an instruction of either token program; what swaps do not need of them is none.
#[must_use]
pub fn read(instruction: &Instruction) -> Option<Order> {
    if instruction.program != ID && instruction.program != ID_2022 {
        return None;
    }
    let data = &instruction.data;
    let key = |place| instruction.key(place);
    let amount = |length: usize| u64_at(data, 1).filter(|_| data.len() == length);
    let order = match *data.first()? {
        3 => Order::Transfer { source: key(0)?, destination: key(1)?, owner: key(2)?, amount: amount(9)? },
        7 => Order::MintTo { mint: key(0)?, destination: key(1)?, authority: key(2)?, amount: amount(9)? },
        9 if data.len() == 1 => Order::Close { account: key(0)?, destination: key(1)?, owner: key(2)? },
        12 => Order::TransferChecked {
            source: key(0)?,
            mint: key(1)?,
            destination: key(2)?,
            owner: key(3)?,
            amount: amount(10)?,
            decimals: *data.get(9)?,
        },
        17 if data.len() == 1 => Order::SyncNative { account: key(0)? },
        18 => {
            let owner: [u8; 32] = data.get(1..)?.try_into().ok()?;
            Order::Initialize { account: key(0)?, mint: key(1)?, owner: owner.into() }
        }
        _ => return None,
    };
    Some(order)
}
