//! Instructions: a program, the accounts that it is given, and its data.

use crate::Address;

/// One instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// Who executes it.
    pub program: Address,
    /// What it may look at, and what it may change, in the program's order.
    pub accounts: Vec<Meta>,
    /// What it is told.
    pub data: Vec<u8>,
}

/// An account as an instruction names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Meta {
    /// Its address; none where only a lookup table knows it.
    pub key: Option<Address>,
    /// Whether it signs.
    pub signer: bool,
    /// Whether it may be changed.
    pub writable: bool,
}

impl Meta {
    /// An account that is only looked at.
    #[must_use]
    pub const fn readonly(key: Address) -> Self {
        Self { key: Some(key), signer: false, writable: false }
    }

    /// An account that may be changed.
    #[must_use]
    pub const fn writable(key: Address) -> Self {
        Self { key: Some(key), signer: false, writable: true }
    }

    /// An account that signs, and is not changed.
    #[must_use]
    pub const fn signer(key: Address) -> Self {
        Self { key: Some(key), signer: true, writable: false }
    }

    /// An account that signs and may be changed.
    #[must_use]
    pub const fn payer(key: Address) -> Self {
        Self { key: Some(key), signer: true, writable: true }
    }
}

impl Instruction {
    /// The account at a place, if there is one and its address is known.
    #[must_use]
    pub fn key(&self, place: usize) -> Option<Address> {
        self.accounts.get(place)?.key
    }

    /// Whether the account at a place signs.
    #[must_use]
    pub fn signs(&self, place: usize) -> bool {
        self.accounts.get(place).is_some_and(|meta| meta.signer)
    }
}

/// A little-endian number at the place.
pub(crate) fn u64_at(data: &[u8], at: usize) -> Option<u64> {
    let bytes = data.get(at..at.checked_add(8)?)?;
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

/// A little-endian number at the place.
pub(crate) fn u32_at(data: &[u8], at: usize) -> Option<u32> {
    let bytes = data.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

/// A little-endian number at the place.
pub(crate) fn u16_at(data: &[u8], at: usize) -> Option<u16> {
    let bytes = data.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes(bytes.try_into().ok()?))
}
