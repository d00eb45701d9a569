//! Transactions as they travel: signatures, and the message that they are over.

use bincode::Options as _;
use ed25519_dalek::{Signature, VerifyingKey};
use solana_message::compiled_instruction::CompiledInstruction;
use solana_message::{VersionedMessage, v0};
use solana_transaction::versioned::VersionedTransaction;
use thiserror::Error;

use crate::{Address, Instruction, Meta};

/// The most bytes of a transaction: one packet.
pub const PACKET_BYTES: usize = 1_232;

/// The text of a signature, which is its transaction's id, has no more characters than this.
pub const ID_CHARACTERS: usize = 88;

/// A transaction, legacy or v0. Until it is signed its signatures are zeros.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    signatures: Vec<[u8; 64]>,
    message: VersionedMessage,
    /// The message as it is signed.
    signed: Vec<u8>,
}

/// What a transaction takes from one lookup table: places in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// The table's account.
    pub table: Address,
    /// Accounts that may be changed.
    pub writable: Vec<u8>,
    /// Accounts that are only looked at.
    pub readonly: Vec<u8>,
}

/// Bytes that are no transaction, or a transaction that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Malformed {
    /// Longer than a packet.
    #[error("a transaction has at most {PACKET_BYTES} bytes")]
    TooLong,
    /// Not of the form, or with something after it.
    #[error("the bytes are no transaction")]
    Unreadable,
    /// An index points to nothing, or the header does not fit its accounts.
    #[error("the transaction's accounts do not fit together")]
    Inconsistent,
    /// An instruction names an account by nothing, or there are too many.
    #[error("the instructions' accounts cannot be written")]
    Accounts,
    /// Nobody of that address has to sign.
    #[error("that address signs nothing in this transaction")]
    NotASigner,
}

impl Transaction {
    /// A v0 transaction without lookup tables whose fee `payer` pays. Its signatures are still to be put in.
    ///
    /// # Errors
    /// [`Malformed::Accounts`], [`Malformed::TooLong`].
    pub fn unsigned(payer: &Address, instructions: &[Instruction], blockhash: [u8; 32]) -> Result<Self, Malformed> {
        let native = |instruction: &Instruction| {
            let meta = |meta: &Meta| {
                let pubkey = meta.key?;
                Some(solana_message::AccountMeta { pubkey, is_signer: meta.signer, is_writable: meta.writable })
            };
            let accounts = instruction.accounts.iter().map(meta).collect::<Option<_>>()?;
            let Instruction { program, data, .. } = instruction;
            Some(solana_message::Instruction { program_id: *program, accounts, data: data.clone() })
        };
        let native: Vec<_> = instructions.iter().map(native).collect::<Option<_>>().ok_or(Malformed::Accounts)?;
        let message = v0::Message::try_compile(payer, &native, &[], blockhash.into());
        let message = VersionedMessage::V0(message.map_err(|_| Malformed::Accounts)?);
        let signatures = vec![[0; 64]; usize::from(message.header().num_required_signatures)];
        let transaction = Self { signatures, signed: message.serialize(), message };
        if transaction.bytes().len() > PACKET_BYTES {
            return Err(Malformed::TooLong);
        }
        Ok(transaction)
    }

    /// Reads the wire form, all of it.
    ///
    /// # Errors
    /// See [`Malformed`].
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.len() > PACKET_BYTES {
            return Err(Malformed::TooLong);
        }
        let form = bincode::DefaultOptions::new().with_fixint_encoding().with_limit(PACKET_BYTES as u64);
        let read: VersionedTransaction = form.deserialize(bytes).map_err(|_| Malformed::Unreadable)?;
        read.sanitize().map_err(|_| Malformed::Inconsistent)?;
        let signatures: Vec<[u8; 64]> = read.signatures.iter().map(|signature| (*signature).into()).collect();
        if signatures.is_empty() {
            return Err(Malformed::Inconsistent);
        }
        Ok(Self { signatures, signed: read.message.serialize(), message: read.message })
    }

    /// The wire form.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        // There is one signature for each of at most 38 signers: their count fits the seven bits of one byte.
        let count = u8::try_from(self.signatures.len()).unwrap_or(u8::MAX);
        let mut bytes = Vec::with_capacity(1 + 64 * self.signatures.len() + self.signed.len());
        bytes.push(count);
        bytes.extend(self.signatures.iter().flatten());
        bytes.extend_from_slice(&self.signed);
        bytes
    }

    /// What is signed.
    #[must_use]
    pub fn message(&self) -> &[u8] {
        &self.signed
    }

    /// Who signs, in the order of the signatures. The first pays the fee.
    #[must_use]
    pub fn signers(&self) -> &[Address] {
        self.keys().get(..self.signatures.len()).unwrap_or_default()
    }

    /// The signatures; zeros where one is still missing.
    #[must_use]
    pub fn signatures(&self) -> &[[u8; 64]] {
        &self.signatures
    }

    /// The first signature as text, by which everybody knows the transaction.
    #[must_use]
    pub fn id(&self) -> String {
        self.signatures.first().map(id).unwrap_or_default()
    }

    /// Puts a signer's signature in its place. Whether it is good, [`Transaction::verify`] says.
    ///
    /// # Errors
    /// [`Malformed::NotASigner`].
    pub fn sign_with(&mut self, signer: &Address, signature: [u8; 64]) -> Result<(), Malformed> {
        let place = self.signers().iter().position(|address| address == signer).ok_or(Malformed::NotASigner)?;
        *self.signatures.get_mut(place).ok_or(Malformed::NotASigner)? = signature;
        Ok(())
    }

    /// Whether every signature is its signer's over this message, strictly as the chain has it.
    #[must_use]
    pub fn verify(&self) -> bool {
        let good = |(signer, signature): (&Address, &[u8; 64])| {
            let key = VerifyingKey::from_bytes(signer.as_array());
            key.is_ok_and(|key| key.verify_strict(&self.signed, &Signature::from_bytes(signature)).is_ok())
        };
        self.signers().len() == self.signatures.len() && self.signers().iter().zip(&self.signatures).all(good)
    }

    /// The blockhash that it names.
    #[must_use]
    pub fn blockhash(&self) -> [u8; 32] {
        self.message.recent_blockhash().to_bytes()
    }

    /// The accounts that it names itself, the signers first; those of lookup tables are not among them.
    #[must_use]
    pub fn keys(&self) -> &[Address] {
        self.message.static_account_keys()
    }

    /// How many accounts it names, those of lookup tables counted.
    #[must_use]
    pub fn account_count(&self) -> usize {
        let lookups = self.message.address_table_lookups().unwrap_or_default();
        let looked_up: usize = lookups.iter().map(|l| l.writable_indexes.len() + l.readonly_indexes.len()).sum();
        self.keys().len() + looked_up
    }

    /// Whether the account at a place may be changed, by the message's header alone.
    #[must_use]
    pub fn is_writable(&self, place: usize) -> bool {
        let header = self.message.header();
        let [signers, signed_readonly, readonly] = [
            header.num_required_signatures,
            header.num_readonly_signed_accounts,
            header.num_readonly_unsigned_accounts,
        ]
        .map(usize::from);
        if let Some(looked_up) = place.checked_sub(self.keys().len()) {
            let lookups = self.message.address_table_lookups().unwrap_or_default();
            return looked_up < lookups.iter().map(|lookup| lookup.writable_indexes.len()).sum();
        }
        if place < signers { place + signed_readonly < signers } else { place + readonly < self.keys().len() }
    }

    /// The instructions in their order. Accounts that only a lookup table knows have no key.
    #[must_use]
    pub fn instructions(&self) -> Vec<Instruction> {
        self.instructions_with(&[])
    }

    /// The instructions with the accounts of lookup tables: those that may be changed, of all tables, and then the others.
    #[must_use]
    pub fn instructions_with(&self, looked_up: &[Address]) -> Vec<Instruction> {
        let meta = |place: &u8| {
            let place = usize::from(*place);
            let own = self.keys().get(place).copied();
            let key = own.or_else(|| looked_up.get(place.checked_sub(self.keys().len())?).copied());
            Meta { key, signer: place < self.signatures.len(), writable: self.is_writable(place) }
        };
        let instruction = |compiled: &CompiledInstruction| Instruction {
            program: self.keys().get(usize::from(compiled.program_id_index)).copied().unwrap_or_default(),
            accounts: compiled.accounts.iter().map(meta).collect(),
            data: compiled.data.clone(),
        };
        self.message.instructions().iter().map(instruction).collect()
    }

    /// The transaction in the form of Solana's own crates.
    #[must_use]
    pub fn into_versioned(self) -> VersionedTransaction {
        let signatures = self.signatures.into_iter().map(Into::into).collect();
        VersionedTransaction { signatures, message: self.message }
    }

    /// Whether it names accounts by lookup tables.
    #[must_use]
    pub fn uses_lookup_tables(&self) -> bool {
        self.message.address_table_lookups().is_some_and(|lookups| !lookups.is_empty())
    }

    /// What it takes from lookup tables.
    #[must_use]
    pub fn lookups(&self) -> Vec<Lookup> {
        let lookups = self.message.address_table_lookups().unwrap_or_default().iter();
        let lookup = |lookup: &solana_message::v0::MessageAddressTableLookup| Lookup {
            table: lookup.account_key,
            writable: lookup.writable_indexes.clone(),
            readonly: lookup.readonly_indexes.clone(),
        };
        lookups.map(lookup).collect()
    }

    /// Whether it is of the form that has a version.
    #[must_use]
    pub const fn is_versioned(&self) -> bool {
        matches!(self.message, VersionedMessage::V0(_))
    }
}

/// The base58 text of a signature.
#[must_use]
pub fn id(signature: &[u8; 64]) -> String {
    bs58::encode(signature).into_string()
}

/// The signature of that text; none where it is no signature's.
#[must_use]
pub fn signature(id: &str) -> Option<[u8; 64]> {
    if id.len() > ID_CHARACTERS {
        return None;
    }
    let mut signature = [0; 64];
    let length = bs58::decode(id).onto(&mut signature).ok()?;
    (length == signature.len()).then_some(signature)
}

#[cfg(test)]
mod tests;
