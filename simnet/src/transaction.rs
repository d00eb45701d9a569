//! Transactions as they travel: a signature and a compact message, together in base64.
//!
//! The message is length-prefixed binary, numbers little-endian:
//! `version u8 = 2 · blockhash slot u64 · blockhash [16] · account · input mint · output mint · mode u8 · amount u64 ·
//! limit u64 · order id · build u32 · step count u8 · steps each (pool u16, paid side u8, amount u64) · instruction count
//! u8 · instructions u8 each`, where a text is its length as u8 and its bytes. The 64 bytes before the message are its ed25519 signature by the account's wallet, and in
//! base58 they are the transaction's id.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signature, Signer as _, SigningKey};

use crate::{Amount, BLOCKHASH_SLOTS, Refused, Side, Step, base58};

/// The most bytes of base64 text that a transaction may have.
pub const TRANSACTION_BYTES: usize = 4_096;

/// The most steps of a transaction.
pub const STEPS_LIMIT: usize = 16;

const VERSION: u8 = 2;
const EXACT_IN: u8 = 0;
const EXACT_OUT: u8 = 1;
const WRAP: u8 = 1;
const SWAP: u8 = 2;
const UNWRAP: u8 = 3;

/// What a transaction names to be valid for a while only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blockhash {
    /// The slot whose hash it is.
    pub slot: u64,
    /// The hash.
    pub hash: [u8; 16],
}

impl Blockhash {
    /// The last height (slot) that may hold a transaction which names it.
    #[must_use]
    pub const fn last_valid_height(&self) -> u64 {
        self.slot + BLOCKHASH_SLOTS
    }
}

/// A swap to be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swap<'a> {
    /// Whose wallet pays and receives: at most 64 bytes.
    pub account: &'a str,
    /// Mint of the token that is paid.
    pub input_mint: &'a str,
    /// The input is native: it is wrapped first.
    pub wrap: bool,
    /// Mint of the token that is received.
    pub output_mint: &'a str,
    /// The output is native: it is unwrapped after.
    pub unwrap: bool,
    /// The fixed amount, in base units.
    pub amount: Amount,
    /// The least output (exact-in) or the most input (exact-out), in base units.
    pub limit: u64,
    /// The swaps it is made of, in order, each in another pool: 1 to [`STEPS_LIMIT`].
    pub steps: Vec<Step>,
    /// The order it serves: at most 64 bytes.
    pub order: &'a str,
    /// Which transaction for that order it is. Order and build make the bytes unique.
    pub build: u32,
}

/// A signed transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// As it travels.
    pub bytes: String,
    /// Its id: the signature in base58.
    pub id: String,
    /// The last height (slot) that may hold it.
    pub expires_at_height: u64,
}

impl Signed {
    pub(crate) fn of(bytes: &[u8], blockhash: &Blockhash) -> Self {
        let signature = bytes.first_chunk::<64>().unwrap_or(&[0; 64]);
        Self {
            bytes: BASE64.encode(bytes),
            id: base58::encode(signature),
            expires_at_height: blockhash.last_valid_height(),
        }
    }
}

impl Swap<'_> {
    /// Signs it with the key of the account's wallet.
    ///
    /// # Errors
    /// [`Refused::Malformed`]: a text is longer than the message can carry.
    pub fn sign(&self, blockhash: &Blockhash, key: &SigningKey) -> Result<Signed, Refused> {
        self.signed_bytes(blockhash, key).map(|bytes| Signed::of(&bytes, blockhash))
    }

    /// The signature and the message.
    pub(crate) fn signed_bytes(&self, blockhash: &Blockhash, key: &SigningKey) -> Result<Vec<u8>, Refused> {
        let mut bytes = Vec::with_capacity(320);
        bytes.extend_from_slice(&[0; 64]);
        self.write(blockhash, &mut bytes)?;
        let signature = key.sign(&bytes[64..]).to_bytes();
        bytes[..64].copy_from_slice(&signature);
        Ok(bytes)
    }

    fn write(&self, blockhash: &Blockhash, bytes: &mut Vec<u8>) -> Result<(), Refused> {
        let (mode, amount) = match self.amount {
            Amount::In(amount) => (EXACT_IN, amount),
            Amount::Out(amount) => (EXACT_OUT, amount),
        };
        bytes.push(VERSION);
        bytes.extend_from_slice(&blockhash.slot.to_le_bytes());
        bytes.extend_from_slice(&blockhash.hash);
        write_text(bytes, self.account)?;
        write_text(bytes, self.input_mint)?;
        write_text(bytes, self.output_mint)?;
        bytes.push(mode);
        bytes.extend_from_slice(&amount.to_le_bytes());
        bytes.extend_from_slice(&self.limit.to_le_bytes());
        write_text(bytes, self.order)?;
        bytes.extend_from_slice(&self.build.to_le_bytes());
        write_steps(bytes, &self.steps)?;
        let instructions = [self.wrap.then_some(WRAP), Some(SWAP), self.unwrap.then_some(UNWRAP)];
        bytes.push(1 + u8::from(self.wrap) + u8::from(self.unwrap));
        bytes.extend(instructions.into_iter().flatten());
        Ok(())
    }
}

/// A transaction taken apart. Its signature is not checked yet.
#[derive(Clone, Debug)]
pub(crate) struct Parsed<'a> {
    pub(crate) signature: [u8; 64],
    pub(crate) message: &'a [u8],
    pub(crate) blockhash: Blockhash,
    pub(crate) swap: Swap<'a>,
}

/// From base64 to the bytes of signature and message.
pub(crate) fn decode(text: &str) -> Result<Vec<u8>, Refused> {
    if text.len() > TRANSACTION_BYTES {
        return Err(Refused::Malformed("longer than 4 KiB"));
    }
    BASE64.decode(text).map_err(|_| Refused::Malformed("not base64"))
}

impl<'a> Parsed<'a> {
    /// Takes the bytes apart; all of them must be used.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, Refused> {
        let (signature, message) = bytes.split_first_chunk::<64>().ok_or(Refused::Malformed("too short"))?;
        let mut rest = message;
        if take::<1>(&mut rest)? != [VERSION] {
            return Err(Refused::Malformed("unknown version"));
        }
        let blockhash = Blockhash { slot: u64::from_le_bytes(take(&mut rest)?), hash: take(&mut rest)? };
        let account = take_text(&mut rest)?;
        let input_mint = take_text(&mut rest)?;
        let output_mint = take_text(&mut rest)?;
        let [mode] = take::<1>(&mut rest)?;
        let amount = u64::from_le_bytes(take(&mut rest)?);
        let amount = match mode {
            EXACT_IN => Amount::In(amount),
            EXACT_OUT => Amount::Out(amount),
            _ => return Err(Refused::Malformed("unknown mode")),
        };
        let limit = u64::from_le_bytes(take(&mut rest)?);
        let order = take_text(&mut rest)?;
        let build = u32::from_le_bytes(take(&mut rest)?);
        let steps = take_steps(&mut rest)?;
        let [count] = take::<1>(&mut rest)?;
        let (wrap, unwrap) = match (count, rest) {
            (1, [SWAP]) => (false, false),
            (2, [WRAP, SWAP]) => (true, false),
            (2, [SWAP, UNWRAP]) => (false, true),
            (3, [WRAP, SWAP, UNWRAP]) => (true, true),
            _ => return Err(Refused::Malformed("unexpected instructions")),
        };
        let swap = Swap { account, input_mint, wrap, output_mint, unwrap, amount, limit, steps, order, build };
        Ok(Self { signature: *signature, message, blockhash, swap })
    }

    /// Whether the key's owner signed the message.
    pub(crate) fn is_signed_by(&self, key: &SigningKey) -> bool {
        key.verify(self.message, &Signature::from_bytes(&self.signature)).is_ok()
    }
}

fn write_text(bytes: &mut Vec<u8>, text: &str) -> Result<(), Refused> {
    let length = u8::try_from(text.len()).ok().filter(|n| *n <= 64).ok_or(Refused::Malformed("a text is too long"))?;
    bytes.push(length);
    bytes.extend_from_slice(text.as_bytes());
    Ok(())
}

fn write_steps(bytes: &mut Vec<u8>, steps: &[Step]) -> Result<(), Refused> {
    check_steps(steps)?;
    bytes.push(u8::try_from(steps.len()).unwrap_or(u8::MAX));
    for step in steps {
        bytes.extend_from_slice(&step.pool.to_le_bytes());
        bytes.push(u8::from(step.input == Side::B));
        bytes.extend_from_slice(&step.amount.to_le_bytes());
    }
    Ok(())
}

fn take_steps(rest: &mut &[u8]) -> Result<Vec<Step>, Refused> {
    let [count] = take::<1>(rest)?;
    let mut steps = Vec::with_capacity(usize::from(count).min(STEPS_LIMIT));
    for _ in 0..count {
        let pool = u16::from_le_bytes(take(rest)?);
        let input = match take::<1>(rest)? {
            [0] => Side::A,
            [1] => Side::B,
            _ => return Err(Refused::Malformed("unknown side")),
        };
        steps.push(Step { pool, input, amount: u64::from_le_bytes(take(rest)?) });
    }
    check_steps(&steps)?;
    Ok(steps)
}

/// Whether a transaction can carry them.
pub(crate) fn check_steps(steps: &[Step]) -> Result<(), Refused> {
    if steps.is_empty() || steps.len() > STEPS_LIMIT {
        return Err(Refused::Malformed("a transaction has 1 to 16 steps"));
    }
    let again = |(place, step): (usize, &Step)| steps[..place].iter().any(|other| other.pool == step.pool);
    if steps.iter().enumerate().any(again) {
        return Err(Refused::Malformed("a pool is named twice"));
    }
    Ok(())
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Refused> {
    let (taken, left) = rest.split_first_chunk::<N>().ok_or(Refused::Malformed("too short"))?;
    *rest = left;
    Ok(*taken)
}

fn take_text<'a>(rest: &mut &'a [u8]) -> Result<&'a str, Refused> {
    let [length] = take::<1>(rest)?;
    let (taken, left) = rest.split_at_checked(usize::from(length)).ok_or(Refused::Malformed("too short"))?;
    *rest = left;
    std::str::from_utf8(taken).map_err(|_| Refused::Malformed("not UTF-8"))
}

#[cfg(test)]
mod tests;
