//! What token accounts and mints keep, byte for byte as the programs do.

use crate::Address;
use crate::instruction::{u32_at, u64_at};

/// The bytes of an account.
pub const ACCOUNT_BYTES: usize = 165;

/// The bytes of a mint.
pub const MINT_BYTES: usize = 82;

/// What an account of a token keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Of which token.
    pub mint: Address,
    /// Whose it is.
    pub owner: Address,
    /// Base units.
    pub amount: u64,
    /// Who else may move some of it.
    pub delegate: Option<Address>,
    /// Whether it is in use.
    pub state: State,
    /// Of wrapped SOL: the lamports that are not wrapped, which are its rent.
    pub native: Option<u64>,
    /// How much the delegate may move.
    pub delegated: u64,
    /// Who may close it besides its owner.
    pub close_authority: Option<Address>,
}

/// Whether an account can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not begun.
    Uninitialized = 0,
    /// In use.
    Initialized,
    /// Stopped by its mint.
    Frozen,
}

impl Account {
    /// An account in use that nobody but its owner may touch. One of wrapped SOL is native and keeps `rent` apart.
    #[must_use]
    pub fn new(mint: Address, owner: Address, amount: u64, rent: u64) -> Self {
        let native = (mint == super::NATIVE_MINT).then_some(rent);
        let state = State::Initialized;
        Self { mint, owner, amount, delegate: None, state, native, delegated: 0, close_authority: None }
    }

    /// The bytes that it is kept as.
    #[must_use]
    pub fn pack(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(ACCOUNT_BYTES);
        bytes.extend_from_slice(self.mint.as_ref());
        bytes.extend_from_slice(self.owner.as_ref());
        bytes.extend(self.amount.to_le_bytes());
        pack_address(&mut bytes, self.delegate);
        bytes.push(self.state as u8);
        bytes.extend(u32::from(self.native.is_some()).to_le_bytes());
        bytes.extend(self.native.unwrap_or(0).to_le_bytes());
        bytes.extend(self.delegated.to_le_bytes());
        pack_address(&mut bytes, self.close_authority);
        bytes
    }

    /// Reads those bytes. Longer ones, with which Token-2022 keeps extensions, and accounts that were never begun are none.
    #[must_use]
    pub fn unpack(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != ACCOUNT_BYTES {
            return None;
        }
        let native = match u32_at(bytes, 109)? {
            0 => None,
            1 => Some(u64_at(bytes, 113)?),
            _ => return None,
        };
        Some(Self {
            mint: address_at(bytes, 0)?,
            owner: address_at(bytes, 32)?,
            amount: u64_at(bytes, 64)?,
            delegate: unpack_address(bytes, 72)?,
            state: match bytes.get(108)? {
                1 => State::Initialized,
                2 => State::Frozen,
                _ => return None,
            },
            native,
            delegated: u64_at(bytes, 121)?,
            close_authority: unpack_address(bytes, 129)?,
        })
    }
}

/// What a mint keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mint {
    /// Who may make more.
    pub authority: Option<Address>,
    /// Base units that there are.
    pub supply: u64,
    /// Base units of one token as a power of ten.
    pub decimals: u8,
    /// Who may stop accounts.
    pub freeze_authority: Option<Address>,
}

impl Mint {
    /// The bytes that it is kept as, in use.
    #[must_use]
    pub fn pack(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(MINT_BYTES);
        pack_address(&mut bytes, self.authority);
        bytes.extend(self.supply.to_le_bytes());
        bytes.extend([self.decimals, 1]);
        pack_address(&mut bytes, self.freeze_authority);
        bytes
    }

    /// Reads those bytes; a mint that was never begun is none.
    #[must_use]
    pub fn unpack(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != MINT_BYTES || bytes.get(45) != Some(&1) {
            return None;
        }
        Some(Self {
            authority: unpack_address(bytes, 0)?,
            supply: u64_at(bytes, 36)?,
            decimals: *bytes.get(44)?,
            freeze_authority: unpack_address(bytes, 46)?,
        })
    }
}

/// Four bytes that say whether there is one, and the address or zeros.
fn pack_address(bytes: &mut Vec<u8>, address: Option<Address>) {
    bytes.extend(u32::from(address.is_some()).to_le_bytes());
    bytes.extend_from_slice(address.unwrap_or_default().as_ref());
}

fn unpack_address(bytes: &[u8], at: usize) -> Option<Option<Address>> {
    match u32_at(bytes, at)? {
        0 => Some(None),
        1 => Some(Some(address_at(bytes, at + 4)?)),
        _ => None,
    }
}

fn address_at(bytes: &[u8], at: usize) -> Option<Address> {
    let address: [u8; 32] = bytes.get(at..at + 32)?.try_into().ok()?;
    Some(address.into())
}
