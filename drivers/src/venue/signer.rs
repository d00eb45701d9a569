//! Who signs: a key in a file, or a command in front of a key that never leaves its module.

use std::fmt;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use zeroize::Zeroizing;

use crate::Fault;

/// How long a command may take for one answer.
const WITHIN: Duration = Duration::from_secs(5);
/// How often it is looked whether it ended.
const LOOK: Duration = Duration::from_millis(2);
/// No key and no signature is longer.
const ANSWER_BYTES: u64 = 1_024;
/// The most bytes of a key file.
const FILE_BYTES: u64 = 4_096;

/// Signs with one ed25519 key. `Debug` shows the public half alone.
#[derive(Clone)]
pub struct Signer(Arc<Inner>);

struct Inner {
    public: VerifyingKey,
    hand: Hand,
}

enum Hand {
    /// The key itself; wiped when it is dropped.
    Key(Box<SigningKey>),
    /// A program that is run for each signature.
    Command(String),
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({}, …)", self.address())
    }
}

impl Signer {
    /// The signer behind `file:<path>` or `command:<program>`.
    ///
    /// `file` is a key as Solana's command line tools keep it: a JSON array of 64 bytes, the secret half and then the public
    /// one, readable by its owner alone. `command` is run with the argument `pubkey` and prints the address in base58; for
    /// each signature it is run with `sign`, reads the message in base64 from its standard input and prints the signature
    /// in base58. It has five seconds.
    ///
    /// # Errors
    /// [`Fault::Unavailable`] with a line that says what to do. Blocks while a command runs.
    pub fn open(text: &str) -> Result<Self, Fault> {
        let inner = match text.split_once(':') {
            Some(("file", path)) if !path.is_empty() => {
                let key = read(Path::new(path)).map_err(|why| wrong(&format!("file:{path}: {why}")))?;
                Inner { public: key.verifying_key(), hand: Hand::Key(Box::new(key)) }
            }
            Some(("command", program)) if !program.is_empty() => {
                let why = |why: String| wrong(&format!("command:{program}: {why}"));
                let address = run(program, "pubkey", b"").map_err(why)?;
                let public = bytes::<32>(&address).and_then(|key| VerifyingKey::from_bytes(&key).ok());
                let public = public.ok_or_else(|| why("what it prints for `pubkey` is no address".to_owned()))?;
                Inner { public, hand: Hand::Command(program.to_owned()) }
            }
            _ => return Err(wrong("expected file:<path> or command:<program>")),
        };
        Ok(Self(Arc::new(inner)))
    }

    /// Signs with that key, in memory.
    #[must_use]
    pub fn of_key(key: SigningKey) -> Self {
        Self(Arc::new(Inner { public: key.verifying_key(), hand: Hand::Key(Box::new(key)) }))
    }

    /// The wallet: the public key in base58.
    #[must_use]
    pub fn address(&self) -> String {
        bs58::encode(self.public_key()).into_string()
    }

    /// The public key.
    #[must_use]
    pub fn public_key(&self) -> [u8; 32] {
        self.0.public.to_bytes()
    }

    /// The signature of `message`. A command's is verified before it is used.
    ///
    /// # Errors
    /// For people: why there is none.
    pub async fn sign(&self, message: &[u8]) -> Result<[u8; 64], String> {
        let program = match &self.0.hand {
            Hand::Key(key) => return Ok(key.sign(message).to_bytes()),
            Hand::Command(program) => program.clone(),
        };
        let text = STANDARD.encode(message);
        let ran = tokio::task::spawn_blocking(move || run(&program, "sign", text.as_bytes())).await;
        let answer = ran.map_err(|_| "the signer's command could not be run".to_owned())??;
        let signature = bytes::<64>(&answer).ok_or("what the signer's command printed is no signature")?;
        let verified = self.0.public.verify_strict(message, &Signature::from_bytes(&signature));
        verified.map_err(|_| "the signer's command signed something else, or with another key")?;
        Ok(signature)
    }
}

fn wrong(why: &str) -> Fault {
    Fault::Unavailable(format!("--signer {why}"))
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut out = [0; N];
    let length = bs58::decode(text).onto(&mut out).ok()?;
    (length == N).then_some(out)
}

/// Reads the key. Nothing that it says shows what stands in the file.
fn read(path: &Path) -> Result<SigningKey, String> {
    let file = std::fs::File::open(path).map_err(|error| format!("it cannot be read: {error}"))?;
    let facts = file.metadata().map_err(|error| format!("it cannot be read: {error}"))?;
    let mode = facts.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(format!("others can read or change it (mode {mode:o}): say `chmod 600` to it"));
    }
    if facts.len() > FILE_BYTES {
        return Err("it is too long for a key".to_owned());
    }
    let mut text = Zeroizing::new(Vec::with_capacity(usize::try_from(FILE_BYTES).unwrap_or(0)));
    file.take(FILE_BYTES).read_to_end(&mut text).map_err(|error| format!("it cannot be read: {error}"))?;
    let expected = "expected a key of Solana's command line tools, a JSON array of 64 bytes";
    let list: Zeroizing<Vec<u8>> = Zeroizing::new(serde_json::from_slice(&text).map_err(|_| expected)?);
    let pair: Zeroizing<[u8; 64]> = Zeroizing::new(list.as_slice().try_into().map_err(|_| expected)?);
    SigningKey::from_keypair_bytes(&pair).map_err(|_| "its public half is not that of its secret half".to_owned())
}

/// Runs the program with one argument and `input` on its standard input: the first line that it prints. What it says on its
/// standard error goes to ours.
fn run(program: &str, argument: &str, input: &[u8]) -> Result<String, String> {
    let mut command = Command::new(program);
    command.arg(argument).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("it cannot be run: {error}"))?;
    let until = Instant::now() + WITHIN;
    // A message is at most 1,232 bytes, which any pipe takes at once. A program that reads none of them may have its reasons.
    if let Some(mut stdin) = child.stdin.take() {
        let _ = stdin.write_all(input);
    }
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < until => std::thread::sleep(LOOK),
            ended => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(ended.err().map_or_else(
                    || format!("it did not answer within {} s", WITHIN.as_secs()),
                    |error| format!("it cannot be waited for: {error}"),
                ));
            }
        }
    };
    if !status.success() {
        return Err(format!("it failed ({status})"));
    }
    let mut answer = String::new();
    // All that it printed is in the pipe. A child of its own that holds the pipe open must not hold us: the first line is enough.
    let out = child.stdout.take().ok_or("it has no output")?;
    let mut lines = std::io::BufReader::new(out.take(ANSWER_BYTES));
    std::io::BufRead::read_line(&mut lines, &mut answer).map_err(|_| "what it printed is no text".to_owned())?;
    Ok(answer.trim().to_owned())
}

#[cfg(test)]
mod tests;
