//! What an order on Solana is: a transaction in which the trader's tokens and the merchant's change hands.
//!
//! Universal's own program there (`3UcHkqbtMGtRZmWNGGfC6wwi9f7uGBacTBbuRgrGyoLG`) has no published instructions, so the simulated
//! venue does without it: two transfers of SPL Token, the trader's and the merchant's, in one transaction whose fee the merchant
//! pays. Whoever signs can read what it does. Mints of the list's tokens and their nine decimals are simulated.

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};
use solana::program::associated_token;
use solana::program::token::{self, Order};
use solana::{Address, Malformed, Transaction};

use super::Token;
use super::evm::{bytes, to_hex};
use super::tokens::{SOLANA_TOKEN_DECIMALS, USDC_DECIMALS};

/// Circle's USDC on Solana.
pub const USDC_MINT: Address = Address::from_str_const("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v");

/// Who gives what to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The trader.
    pub user: Address,
    /// Who fills the order, and pays the fee.
    pub merchant: Address,
    /// What the trader gives.
    pub paid: Amount,
    /// What the trader gets.
    pub received: Amount,
}

/// So much of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount {
    /// Its mint.
    pub mint: Address,
    /// In base units.
    pub units: u64,
    /// The token's decimals.
    pub decimals: u8,
}

impl Amount {
    /// Of USDC.
    #[must_use]
    pub const fn usdc(units: u64) -> Self {
        Self { mint: USDC_MINT, units, decimals: USDC_DECIMALS }
    }

    /// Of a token of the list, whose mint is simulated.
    #[must_use]
    pub fn of(token: &Token, units: u64) -> Self {
        Self { mint: mint(token), units, decimals: SOLANA_TOKEN_DECIMALS }
    }

    fn transfer(self, from: Address, to: Address) -> solana::Instruction {
        let Self { mint, units: amount, decimals } = self;
        let [source, destination] = [from, to].map(|owner| associated_token::address(&owner, &mint, &token::ID));
        let order = Order::TransferChecked { source, mint, destination, owner: from, amount, decimals };
        token::order(token::ID, order)
    }
}

/// The simulated mint of a token of the list.
#[must_use]
pub fn mint(token: &Token) -> Address {
    Address::new_from_array(Sha256::digest(format!("simulated uAsset {}", token.name)).into())
}

impl Exchange {
    /// The transaction that does it, still to be signed by both.
    ///
    /// # Errors
    /// Trader and merchant are the same.
    pub fn transaction(&self, blockhash: [u8; 32]) -> Result<Transaction, Malformed> {
        let given = self.paid.transfer(self.user, self.merchant);
        Transaction::unsigned(&self.merchant, &[given, self.received.transfer(self.merchant, self.user)], blockhash)
    }

    /// Whether a transaction does exactly this, and nothing else.
    #[must_use]
    pub fn is_done_by(&self, transaction: &Transaction) -> bool {
        self.transaction(transaction.blockhash()).is_ok_and(|same| same.message() == transaction.message())
    }
}

/// A transaction as hexadecimal digits, as quotes carry it.
#[must_use]
pub fn write(transaction: &Transaction) -> String {
    to_hex(&transaction.bytes())[2..].to_owned()
}

/// A signature as hexadecimal digits, as orders carry it.
#[must_use]
pub fn digits(signature: &[u8; 64]) -> String {
    to_hex(signature)[2..].to_owned()
}

/// The transaction back.
#[must_use]
pub fn read(digits: &str) -> Option<Transaction> {
    Transaction::read(&bytes(&format!("0x{digits}"))?).ok()
}

/// The simulated merchant's key.
pub(super) fn merchant() -> SigningKey {
    SigningKey::from_bytes(&Sha256::digest("simulated merchant").into())
}

/// A blockhash that no other quote names.
pub(super) fn blockhash(nonce: u64) -> [u8; 32] {
    Sha256::digest(format!("simulated blockhash {nonce}")).into()
}

/// Whether the trader signed the transaction: 128 hexadecimal digits.
pub(super) fn is_signed(transaction: &Transaction, user: &Address, signature: &str) -> bool {
    let signature = bytes(&format!("0x{signature}")).and_then(|bytes| bytes.try_into().ok());
    let (Some(signature), Ok(key)) = (signature, VerifyingKey::from_bytes(user.as_array())) else { return false };
    transaction.signers().contains(user)
        && key.verify_strict(transaction.message(), &Signature::from_bytes(&signature)).is_ok()
}

/// The id of the transaction once the merchant has signed it: its first signature.
pub(super) fn id(transaction: &Transaction) -> String {
    solana::transaction::id(&merchant().sign(transaction.message()).to_bytes())
}
