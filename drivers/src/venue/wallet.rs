//! The wallet on Solana that live orders trade from: checks and signs what venues build, sends it, and finds out what became of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::swap::{Ask, Prepared};
use domain::token::Registry;
use serde::{Deserialize, Serialize};
use solana::program::{Mode, associated_token, token};
use solana::{Address, Transaction};

use super::check::{Agreed, Programs, Side, check, mismatch};
use super::options::Options;
use super::rpc::{Finalized, Rpc, Status};
use super::signer::Signer;
use super::{Order, Outcome, VenueError};
use crate::Fault;

mod outcome;
mod signed;
mod tables;

use signed::Signed;
use tables::Tables;

/// The most that a transaction offers for being taken up, unless the operator says otherwise: a thousandth of a SOL.
const MAX_FEE_LAMPORTS: u64 = 1_000_000;
/// How old the newest blockhash's height may be; blocks of that time are added to it.
const HEIGHT_AGE: Duration = Duration::from_secs(1);
/// More blocks than a chain makes while a height is kept or a node lags behind the venue's.
const HEIGHT_MARGIN: u64 = 16;
/// How often it is asked how far the chain is finalised, while something may have expired.
const FINALIZED_AGE: Duration = Duration::from_secs(2);

/// How a wallet is run.
pub(super) struct Settings {
    /// The most lamports that a transaction may offer for being taken up.
    pub(super) max_fee_lamports: u64,
    /// Whether a transaction is simulated before it is signed.
    pub(super) simulate: bool,
}

impl Settings {
    /// `max-fee-lamports=` and `simulate=yes`.
    pub(super) fn of(options: &Options) -> Result<Self, Fault> {
        let max_fee_lamports = options.number("max-fee-lamports", 0, 1_000_000_000)?.unwrap_or(MAX_FEE_LAMPORTS);
        let simulate = match options.text("simulate") {
            None | Some("no") => false,
            Some("yes") => true,
            Some(_) => return Err(options.wrong("simulate must be yes or no")),
        };
        Ok(Self { max_fee_lamports, simulate })
    }
}

/// The signer's wallet.
pub(super) struct Wallet {
    venue: &'static str,
    signer: Signer,
    address: Address,
    sides: HashMap<Arc<str>, Side>,
    settings: Settings,
    rpc: Rpc,
    tables: Tables,
    height: Mutex<Option<(Instant, u64)>>,
    finalized: Mutex<Option<(Instant, Finalized)>>,
    /// Where each token is paid from, as far as that was asked. No longer than the registry.
    sources: Mutex<HashMap<Address, Address>>,
    signed: Mutex<Signed>,
}

/// The bytes of a prepared order: the transaction, and what is needed to say what it moved.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Envelope {
    /// Symbol of the token paid.
    pub(super) input: String,
    /// Symbol of the token received.
    pub(super) output: String,
    /// The venue's name for the order that it builds, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "requestId")]
    pub(super) request: Option<String>,
    /// Signed, in base64.
    pub(super) transaction: String,
}

/// What a venue built for an order.
pub(super) struct Built<'a> {
    /// In base64, unsigned.
    pub(super) transaction: &'a str,
    /// The last height that may hold it, as the venue says.
    pub(super) last_valid_height: Option<u64>,
    /// The venue's name for it.
    pub(super) request: Option<String>,
    /// What it has to do.
    pub(super) agreed: Agreed,
}

impl Wallet {
    /// The wallet of `signer` for the tokens that have a mint on Solana.
    pub(super) fn new(venue: &'static str, signer: Signer, tokens: &Registry, rpc: Rpc, settings: Settings) -> Self {
        let address = Address::from(signer.public_key());
        let mut sides = HashMap::new();
        for token in tokens.all() {
            let Ok(mint) = token.mint.parse::<Address>() else { continue };
            let accounts =
                [token::ID, token::ID_2022].map(|program| associated_token::address(&address, &mint, &program));
            sides.insert(Arc::clone(&token.symbol), Side { mint, accounts, native: token.is_native() });
        }
        let (height, finalized, signed) = (Mutex::default(), Mutex::default(), Mutex::default());
        let (tables, sources) = (Tables::default(), Mutex::default());
        Self { venue, signer, address, sides, settings, rpc, tables, height, finalized, sources, signed }
    }

    /// Its address in base58.
    pub(super) fn address(&self) -> String {
        self.address.to_string()
    }

    /// An error while the node is left alone: what cannot be signed and sent is not quoted.
    pub(super) fn ready(&self) -> Result<(), VenueError> {
        self.rpc.ready()
    }

    /// Both sides of a swap; none where a token has no mint, or both are the same.
    pub(super) fn sides(&self, ask: &Ask) -> Option<[Side; 2]> {
        let (input, output) = (*self.sides.get(&ask.input)?, *self.sides.get(&ask.output)?);
        (input.mint != output.mint).then_some([input, output])
    }

    /// What an order and its quote agreed upon. `bounds` are the amount that is not fixed as it was quoted, and the worst that
    /// the quote allows; `between` is what the quote passes through.
    pub(super) fn agreed(
        &self,
        programs: Programs,
        order: &Order,
        [quoted, worst]: [u64; 2],
        between: Vec<Address>,
    ) -> Result<Agreed, VenueError> {
        let ask = &order.quote.ask;
        let [input, output] =
            self.sides(ask).ok_or_else(|| VenueError::NoRoute("a token without a mint".to_owned()))?;
        let too_much = |_| VenueError::NoRoute("the amount exceeds 64 bits".to_owned());
        let mode = mode(ask);
        let limit = match mode {
            Mode::ExactIn => u64::try_from(order.limit).map_err(too_much)?.max(worst),
            Mode::ExactOut => u64::try_from(order.limit).unwrap_or(u64::MAX).min(worst),
        };
        Ok(Agreed {
            programs,
            wallet: self.address,
            input,
            output,
            mode,
            amount: u64::try_from(ask.amount).map_err(too_much)?,
            quoted,
            limit,
            between,
            platform_fee_bps: 0,
            max_fee_lamports: self.settings.max_fee_lamports,
        })
    }

    /// Checks what was built, signs it, and says until when it may be executed.
    pub(super) async fn sign(&self, order: &Order, built: Built<'_>) -> Result<Prepared, VenueError> {
        let Built { transaction, last_valid_height, request, agreed } = built;
        let bytes = STANDARD.decode(transaction).map_err(|_| mismatch("it is not in base64"))?;
        let mut transaction = Transaction::read(&bytes).map_err(|error| mismatch(&error.to_string()))?;
        let looked_up = self.tables.resolve(&self.rpc, &transaction).await?;
        check(&transaction, &looked_up, &agreed)?;
        // The venue's node may be ahead of ours or behind it: the later height is the safe one.
        let expires_at_height = self.last_valid_height().await?.max(last_valid_height.unwrap_or(0));
        if self.settings.simulate {
            self.simulate(&transaction).await?;
        }
        let failed = |why: String| VenueError::Failed(format!("it is not signed: {why}"));
        let signature = self.signer.sign(transaction.message()).await.map_err(failed)?;
        transaction.sign_with(&self.address, signature).map_err(|error| failed(error.to_string()))?;
        let id = transaction.id();
        if !self.signed().note(&id, order) {
            return Err(VenueError::Failed("the venue built the same transaction for another order".to_owned()));
        }
        let (input, output) = (order.quote.ask.input.to_string(), order.quote.ask.output.to_string());
        let envelope = Envelope { input, output, request, transaction: STANDARD.encode(transaction.bytes()) };
        let bytes = serde_json::to_string(&envelope).map_err(|error| failed(error.to_string()))?;
        Ok(Prepared { venue: self.venue.into(), bytes, id, expires_at_height, build: order.attempt })
    }

    /// Which of the wallet's accounts of a token there is, to be paid from: under the token program, or under Token-2022.
    pub(super) async fn source(&self, side: &Side) -> Result<Address, VenueError> {
        let known = lock(&self.sources).get(&side.mint).copied();
        if let Some(known) = known {
            return Ok(known);
        }
        for account in side.accounts {
            if self.rpc.token_balance(&account.to_string()).await?.is_some() {
                lock(&self.sources).insert(side.mint, account);
                return Ok(account);
            }
        }
        // Nothing to pay from: what is sent fails for its balance.
        Ok(side.accounts[0])
    }

    async fn simulate(&self, transaction: &Transaction) -> Result<(), VenueError> {
        let simulated = self.rpc.simulate(&STANDARD.encode(transaction.bytes())).await?;
        if simulated.err.is_null() {
            return Ok(());
        }
        let (code, message) = outcome::failure(&simulated.err, Some(transaction));
        Err(VenueError::Failed(format!("it would fail now: {code}: {message}")))
    }

    /// Reads prepared bytes; they are ours only if their signature is good and the one that was committed.
    pub(super) fn open(prepared: &Prepared) -> Result<(Envelope, Transaction), VenueError> {
        let odd = |what: &str| VenueError::Failed(format!("the prepared bytes are odd: {what}"));
        let envelope: Envelope = serde_json::from_str(&prepared.bytes).map_err(|_| odd("no envelope"))?;
        let bytes = STANDARD.decode(&envelope.transaction).map_err(|_| odd("not in base64"))?;
        let transaction = Transaction::read(&bytes).map_err(|error| odd(&error.to_string()))?;
        if transaction.id() != prepared.id || !transaction.verify() {
            return Err(odd("the signature is not good"));
        }
        Ok((envelope, transaction))
    }

    /// Sends the transaction. Ours alone know that it expired; a node takes it and says nothing.
    pub(super) async fn submit(&self, prepared: &Prepared) -> Result<(), VenueError> {
        let (envelope, _) = Self::open(prepared)?;
        self.refuse_expired(prepared)?;
        self.rpc.send(&envelope.transaction).await
    }

    /// An error when the transaction can no longer be executed, as far as is known.
    pub(super) fn refuse_expired(&self, prepared: &Prepared) -> Result<(), VenueError> {
        let known = *lock(&self.finalized);
        match known {
            Some((_, finalized)) if finalized.height > prepared.expires_at_height => {
                Err(VenueError::Failed("the transaction has expired".to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// What became of transactions, by the chain's word: executed once it is confirmed, never only when it is unknown at a
    /// finalised height past its expiry.
    pub(super) async fn look_up(&self, prepared: &[Arc<Prepared>]) -> Result<Vec<Outcome>, VenueError> {
        if prepared.is_empty() {
            return Ok(Vec::new());
        }
        // The height first: what is unknown to a node that knows this slot is not in any block up to this height.
        let finalized = self.finalized(prepared).await?;
        let ids: Vec<&str> = prepared.iter().map(|prepared| prepared.id.as_str()).collect();
        let (slot, statuses) = self.rpc.statuses(&ids).await?;
        let executed: Vec<&str> =
            ids.iter().zip(&statuses).filter(|(_, status)| is_executed(status.as_ref())).map(|(id, _)| *id).collect();
        let mut executed = self.rpc.transactions(&executed).await?.into_iter();
        let mut outcomes = Vec::with_capacity(prepared.len());
        for (prepared, status) in prepared.iter().zip(&statuses) {
            outcomes.push(match status {
                None if slot >= finalized.slot && finalized.height > prepared.expires_at_height => Outcome::Expired,
                Some(_) if is_executed(status.as_ref()) => match executed.next().flatten() {
                    Some(executed) => self.realised(prepared, &executed)?,
                    // The node knows that it is there and cannot show it yet.
                    None => Outcome::Open,
                },
                Some(status) if is_settled(status) => {
                    let transaction = Self::open(prepared).ok().map(|(_, transaction)| transaction);
                    let (code, message) = outcome::failure(&status.err, transaction.as_ref());
                    Outcome::Failed { code: code.to_owned(), message }
                }
                _ => Outcome::Open,
            });
        }
        Ok(outcomes)
    }

    fn realised(&self, prepared: &Prepared, executed: &super::rpc::Executed) -> Result<Outcome, VenueError> {
        if !executed.meta.err.is_null() {
            let (code, message) = outcome::failure(&executed.meta.err, None);
            return Ok(Outcome::Failed { code: code.to_owned(), message });
        }
        let (envelope, _) = Self::open(prepared)?;
        let side = |symbol: &str| self.sides.get(symbol).copied();
        let moved = side(&envelope.input).zip(side(&envelope.output));
        let moved =
            moved.and_then(|(input, output)| outcome::moved(executed, &self.address, &input.mint, &output.mint));
        let (amount_in, amount_out) =
            moved.ok_or_else(|| VenueError::Failed(format!("what {} moved cannot be told", prepared.id)))?;
        Ok(Outcome::Confirmed { amount_in, amount_out, slot: executed.slot })
    }

    /// How far the chain is finalised: asked for again only when something may have expired since. An older answer is no
    /// danger, only slower.
    async fn finalized(&self, prepared: &[Arc<Prepared>]) -> Result<Finalized, VenueError> {
        let known = *lock(&self.finalized);
        let settled = |known: &Finalized| prepared.iter().all(|p| known.height > p.expires_at_height);
        if let Some((_, known)) = known.filter(|(asked, known)| asked.elapsed() < FINALIZED_AGE || settled(known)) {
            return Ok(known);
        }
        let now = self.rpc.finalized().await?;
        // Nodes behind one name differ; what one has finalised is final.
        let now = known.map(|(_, known)| known).filter(|known| known.height > now.height).unwrap_or(now);
        *lock(&self.finalized) = Some((Instant::now(), now));
        Ok(now)
    }

    async fn last_valid_height(&self) -> Result<u64, VenueError> {
        let known = *lock(&self.height);
        if let Some((_, height)) = known.filter(|(asked, _)| asked.elapsed() < HEIGHT_AGE) {
            return Ok(height);
        }
        let height = self.rpc.last_valid_height().await?.saturating_add(HEIGHT_MARGIN);
        *lock(&self.height) = Some((Instant::now(), height));
        Ok(height)
    }

    fn signed(&self) -> MutexGuard<'_, Signed> {
        lock(&self.signed)
    }
}

/// Which amount is fixed, in the words of the chain.
pub(super) const fn mode(ask: &Ask) -> Mode {
    match ask.mode {
        domain::swap::Mode::ExactIn => Mode::ExactIn,
        domain::swap::Mode::ExactOut => Mode::ExactOut,
    }
}

/// In a block that more than two thirds of the stake have voted for. A node that says no level has it in its history alone.
fn is_settled(status: &Status) -> bool {
    matches!(status.confirmation_status.as_deref(), None | Some("confirmed" | "finalized"))
}

fn is_executed(status: Option<&Status>) -> bool {
    status.is_some_and(|status| status.err.is_null() && is_settled(status))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
