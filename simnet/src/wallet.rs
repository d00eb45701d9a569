//! Wallets: one per account, with a key that follows from the account's name. Simulated money only.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ed25519_dalek::SigningKey;
use sha2::{Digest, Sha256};

/// Part of every wallet's key, so that a name hashed for another purpose is no key here.
const KEY_PREFIX: &[u8] = b"tradewind simnet wallet, simulated money only\0";

/// Keys that were used lately are kept: making one costs a multiplication on the curve.
const KEPT: usize = 4_096;

/// The keys of accounts.
///
/// Anybody can compute any of them: never send real money to such an address.
#[derive(Debug, Default)]
pub struct Wallets {
    kept: Mutex<HashMap<Arc<str>, Arc<SigningKey>>>,
}

impl Wallets {
    /// The key of the account's wallet.
    #[must_use]
    pub fn key(&self, account: &str) -> Arc<SigningKey> {
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = kept().get(account) {
            return Arc::clone(key);
        }
        let mut digest = Sha256::new();
        digest.update(KEY_PREFIX);
        digest.update(account.as_bytes());
        let key = Arc::new(SigningKey::from_bytes(&digest.finalize().into()));
        let mut kept = kept();
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(account.into(), Arc::clone(&key));
        key
    }

    /// The address of the account's wallet: its public key in base58.
    #[must_use]
    pub fn address(&self, account: &str) -> String {
        bs58::encode(self.key(account).verifying_key().as_bytes()).into_string()
    }
}
