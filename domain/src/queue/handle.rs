//! Receipt handles: which hand-out of which message, signed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

use super::Refusal;
use crate::{JobId, Timestamp};

/// What a handle's key is made of beside the secret, so that it is good for nothing else.
const PURPOSE: &[u8] = b"tradewind receipt handle 1";
/// Bytes before the signature: queue, generation, job, token, time.
const CONTENT: usize = 16 + 16 + 8 + 8 + 8;
/// Bytes of the signature.
const SIGNATURE: usize = 8;

/// The installation's secret; prints as dots.
#[derive(Clone, Default)]
pub struct Secret(pub [u8; 32]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

/// The right to settle one hand-out of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handle {
    /// The queue: its entity's id.
    pub queue: Uuid,
    /// The queue's generation when it was received.
    pub generation: Uuid,
    /// The message.
    pub job: JobId,
    /// The hand-out.
    pub token: u64,
    /// When it was received; zero where that is not known.
    pub received_at: Timestamp,
}

impl Handle {
    /// The handle as its text.
    #[must_use]
    pub fn seal(&self, secret: &Secret) -> String {
        let mut bytes = Vec::with_capacity(CONTENT + SIGNATURE);
        bytes.extend_from_slice(self.queue.as_bytes());
        bytes.extend_from_slice(self.generation.as_bytes());
        bytes.extend_from_slice(&self.job.to_be_bytes());
        bytes.extend_from_slice(&self.token.to_be_bytes());
        bytes.extend_from_slice(&self.received_at.0.to_be_bytes());
        let signature = mac(secret, &bytes).finalize().into_bytes();
        bytes.extend_from_slice(&signature[..SIGNATURE]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a handle that the queue `queue` (its entity's id) gave out.
    ///
    /// # Errors
    /// [`Refusal::ReceiptHandleIsInvalid`] when it is another queue's, was changed, or is none.
    pub fn open(secret: &Secret, queue: &str, text: &str) -> Result<Self, Refusal> {
        let invalid = || Refusal::ReceiptHandleIsInvalid(text.to_owned());
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
        let (content, signature) = bytes.split_at_checked(CONTENT).ok_or_else(invalid)?;
        if signature.len() != SIGNATURE {
            return Err(invalid());
        }
        mac(secret, content).verify_truncated_left(signature).map_err(|_| invalid())?;
        let number = |at: usize| content[at..at + 8].iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        let uuid = |at: usize| Uuid::from_slice(&content[at..at + 16]).map_err(|_| invalid());
        let handle = Self {
            queue: uuid(0)?,
            generation: uuid(16)?,
            job: number(32),
            token: number(40),
            received_at: Timestamp(number(48).cast_signed()),
        };
        if Uuid::parse_str(queue) == Ok(handle.queue) { Ok(handle) } else { Err(invalid()) }
    }
}

fn mac(secret: &Secret, content: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(&secret.0).expect("a key of any length will do");
    mac.update(PURPOSE);
    mac.update(content);
    mac
}
