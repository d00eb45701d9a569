//! The venue itself: firm quotes, and orders that are filled once.
//!
//! A quote leaves nothing behind: its id is a digest of all that it says and of the venue's secret, so that one that comes
//! back is known to be unchanged, whoever kept it. An order leaves its nonce behind, which is used once.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde_json::Number;
use sha2::{Digest, Sha256};

use super::evm::{self, Address, to_hex};
use super::exchange::{self, Amount, Exchange};
use super::price::{Fixed, MOST_REFERRER_BPS, amounts, units};
use super::tokens::{Chain, TOKENS, USDC_DECIMALS, token};
use super::typed_data::EXCLUSIVE_DUTCH_ORDER_REACTOR;
use super::wire::{Direction, Mode, Order, Quote, QuoteRequest, Refused};
use crate::{BLOCKHASH_SLOTS, GENESIS_MILLIS, Retention, SLOT_MILLIS};

/// How long a quote is firm, in seconds.
const FIRM_SECONDS: u64 = 60;
/// The most orders that are kept.
const ORDERS_LIMIT: usize = 1_000_000;
/// The reactor that simulated orders name.
const REACTOR: Address = EXCLUSIVE_DUTCH_ORDER_REACTOR;
/// What a fill is taken to cost the merchant: in base units of the chain's own token, and in dollars.
const GAS: (&str, &str) = ("2500000000000", "0.01");

/// What becomes of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Filled so many milliseconds after it was taken.
    Filled(u64),
    /// The same, but a fifth less of what is received: a merchant that cheats.
    Short(u64),
    /// Never filled; failed when its deadline passes.
    Dropped,
}

/// What is wrong with a quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Twist {
    /// Nothing.
    None,
    /// It was firm until a second ago.
    Stale,
    /// It is for another token than was asked for.
    OtherToken,
}

/// The answer to an order that was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Taken {
    /// The transaction that fills it.
    pub transaction_hash: String,
    /// The second one of an order that is filled across chains.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction_hash_2: Option<String>,
    /// The order's id.
    pub order_id: String,
}

/// How an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Not filled yet.
    Pending,
    /// Filled.
    Success,
    /// Never to be filled.
    Failed,
}

/// An order, and what was paid and received if it was filled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fill {
    /// The order's id.
    pub id: String,
    /// How it stands.
    pub status: Status,
    /// The quote that it is for.
    pub quote_id: String,
    /// Used by it.
    pub relayer_nonce: u64,
    /// Whose it is.
    pub user_address: String,
    /// Whether the token was bought.
    #[serde(rename = "type")]
    pub direction: Direction,
    /// Where.
    pub blockchain: Chain,
    /// The token.
    pub token: String,
    /// In base units.
    pub token_amount: String,
    /// In base units of USDC.
    pub pair_token_amount: String,
    /// The transaction that fills it.
    pub transaction_hash: String,
}

/// The venue.
pub struct Rfq {
    secret: [u8; 32],
    retention: Retention,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    nonce: u64,
    taken: u64,
    orders: BTreeMap<u64, Entry>,
    by_nonce: HashMap<u64, u64>,
    by_id: HashMap<String, u64>,
    /// Orders that nobody asks for any more, by the deadline after which they can be forgotten.
    settled: BTreeMap<(u64, u64), ()>,
}

struct Entry {
    quote: Quote,
    deadline: u64,
    signature: String,
    answer: Taken,
    fate: Fate,
    at: u64,
}

impl Rfq {
    /// A venue whose quotes nobody else can make up but who knows the seed. With [`Retention::Recent`] it forgets what
    /// [`Rfq::settled`] names once it could not be filled again anyway.
    #[must_use]
    pub fn new(seed: u64, retention: Retention) -> Self {
        let secret = Sha256::digest([b"simulated RFQ", &seed.to_be_bytes()[..]].concat()).into();
        Self { secret, retention, state: Mutex::default() }
    }

    /// A firm price at `now`, in milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// An unknown token or pair, an amount that is none, too much or too little, or an address that is none.
    pub fn quote(&self, request: &QuoteRequest, now: u64, twist: Twist) -> Result<Quote, Refused> {
        let token = token(&request.token).ok_or_else(|| Refused::TokenUnknown(request.token.clone()))?;
        let chain = request.blockchain;
        if request.pair_token != "USDC" && !is_usdc(chain, &request.pair_token) {
            return Err(Refused::PairUnknown(request.pair_token.clone()));
        }
        check_user(request)?;
        let referrer = request.referrer_bps.as_deref().unwrap_or("0").parse().ok().filter(|b| *b <= MOST_REFERRER_BPS);
        let referrer = referrer.ok_or_else(|| Refused::Malformed("referrer_bps: 0 to 1000".to_owned()))?;
        let (token_amount, pair_amount) = amounts((token, chain), request.direction, fixed(request)?, referrer)?;
        let mode = if chain == Chain::World { Mode::Bridged } else { Mode::Direct };
        let mut quote = Quote {
            direction: request.direction,
            token: request.token.clone(),
            token_amount: token_amount.to_string(),
            pair_token: request.pair_token.clone(),
            pair_token_amount: pair_amount.to_string(),
            slippage_bips: request.slippage_bips.clone().unwrap_or_else(|| Number::from(0)),
            blockchain: chain,
            deadline: (now / 1_000 + FIRM_SECONDS).to_string(),
            id: String::new(),
            user_address: request.user_address.clone(),
            merchant_address: merchant(chain),
            merchant_id: "simulated".to_owned(),
            gas_fee_nominal: GAS.0.to_owned(),
            gas_fee_dollars: GAS.1.parse().unwrap_or_else(|_| Number::from(0)),
            relayer_nonce: self.next_nonce(now),
            mode,
            transaction: None,
            recent_blockhash: None,
            last_valid_block_height: None,
        };
        if chain == Chain::Solana {
            put_transaction(&mut quote, now)?;
        }
        match twist {
            Twist::None => {}
            Twist::Stale => quote.deadline = (now / 1_000).saturating_sub(1).to_string(),
            Twist::OtherToken => quote.token = TOKENS[usize::from(TOKENS[0] == *token)].name.to_owned(),
        }
        quote.id = self.id(&quote);
        Ok(quote)
    }

    /// Takes a signed quote at `now`. The same one again, quote and signature, is answered as the first time, also after its
    /// deadline.
    ///
    /// # Errors
    /// The quote is none, or changed; its deadline has passed; the signature is not its user's; its nonce is used.
    pub fn order(&self, order: &Order, now: u64, fate: Fate) -> Result<Taken, Refused> {
        let Order { quote, signature } = order;
        if let Some(answer) = self.state().answer_to(quote, signature) {
            return Ok(answer);
        }
        if quote.id != self.id(quote) {
            return Err(Refused::QuoteUnknown);
        }
        let deadline = quote.deadline.parse().map_err(|_| Refused::QuoteUnknown)?;
        if now / 1_000 > deadline {
            return Err(Refused::QuoteExpired);
        }
        verify(quote, signature)?;
        let mut state = self.state();
        // It may have been taken meanwhile.
        if let Some(answer) = state.answer_to(quote, signature) {
            return Ok(answer);
        }
        if let Some(entry) = state.by_nonce.get(&quote.relayer_nonce).and_then(|index| state.orders.get(index)) {
            return Err(Refused::NonceUsed(entry.answer.order_id.clone()));
        }
        state.forget(now / 1_000);
        if state.orders.len() >= ORDERS_LIMIT {
            return Err(Refused::Full);
        }
        let answer = answer(quote);
        let (quote, signature) = (quote.clone(), signature.clone());
        state.keep(Entry { quote, deadline, signature, answer: answer.clone(), fate, at: now });
        Ok(answer)
    }

    /// How an order stands at `now`; none of an order that was never taken.
    #[must_use]
    pub fn status(&self, order_id: &str, now: u64) -> Option<Fill> {
        let state = self.state();
        state.by_id.get(order_id).and_then(|index| state.orders.get(index)).map(|entry| entry.fill(now))
    }

    /// Nobody will ask for the order again.
    pub fn settled(&self, order_id: &str) {
        let mut state = self.state();
        let Some(index) = state.by_id.get(order_id).copied() else { return };
        if let (Retention::Recent, Some(entry)) = (self.retention, state.orders.get(&index)) {
            let deadline = entry.deadline;
            state.settled.insert((deadline, index), ());
        }
    }

    /// The orders that are filled at `now`, as they were taken, after the first `after`; and how many there are.
    #[must_use]
    pub fn ledger(&self, after: usize, limit: usize, now: u64) -> (Vec<Fill>, usize) {
        let state = self.state();
        let filled =
            || state.orders.values().map(|entry| entry.fill(now)).filter(|fill| fill.status == Status::Success);
        (filled().skip(after).take(limit).collect(), filled().count())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One that was never used: they follow the clock, so that a venue that starts again repeats none.
    fn next_nonce(&self, now: u64) -> u64 {
        let mut state = self.state();
        state.nonce = (state.nonce + 1).max(now.saturating_mul(1_000));
        state.nonce
    }

    /// The id that the quote has if nobody changed it: a digest, formed as a UUID of version 8 (RFC 9562).
    fn id(&self, quote: &Quote) -> String {
        let said = serde_json::to_vec(&Quote { id: String::new(), ..quote.clone() }).unwrap_or_default();
        let digest: [u8; 32] = Sha256::digest([&self.secret[..], &said].concat()).into();
        let text = to_hex(&digest[..16]);
        let digits = &text[2..];
        format!("{}-{}-8{}-8{}-{}", &digits[..8], &digits[8..12], &digits[13..16], &digits[17..20], &digits[20..])
    }
}

impl State {
    /// What the same order was answered before.
    fn answer_to(&self, quote: &Quote, signature: &str) -> Option<Taken> {
        let entry = self.orders.get(self.by_nonce.get(&quote.relayer_nonce)?)?;
        (entry.quote == *quote && entry.signature == signature).then(|| entry.answer.clone())
    }

    fn keep(&mut self, entry: Entry) {
        self.taken += 1;
        self.by_nonce.insert(entry.quote.relayer_nonce, self.taken);
        self.by_id.insert(entry.answer.order_id.clone(), self.taken);
        self.orders.insert(self.taken, entry);
    }

    fn forget(&mut self, seconds: u64) {
        let left = self.settled.split_off(&(seconds, 0));
        for (_, index) in std::mem::replace(&mut self.settled, left).into_keys() {
            let Some(entry) = self.orders.remove(&index) else { continue };
            self.by_nonce.remove(&entry.quote.relayer_nonce);
            self.by_id.remove(&entry.answer.order_id);
        }
    }
}

impl Entry {
    fn fill(&self, now: u64) -> Fill {
        let status = match self.fate {
            Fate::Filled(after) | Fate::Short(after) if now >= self.at.saturating_add(after) => Status::Success,
            Fate::Dropped if now / 1_000 > self.deadline => Status::Failed,
            _ => Status::Pending,
        };
        let received = |amount: &str| match amount.parse::<u128>() {
            Ok(units) if matches!(self.fate, Fate::Short(_)) => (units - units / 5).to_string(),
            _ => amount.to_owned(),
        };
        let (mut token_amount, mut pair_token_amount) =
            (self.quote.token_amount.clone(), self.quote.pair_token_amount.clone());
        match self.quote.direction {
            Direction::Buy => token_amount = received(&token_amount),
            Direction::Sell => pair_token_amount = received(&pair_token_amount),
        }
        Fill {
            id: self.answer.order_id.clone(),
            status,
            quote_id: self.quote.id.clone(),
            relayer_nonce: self.quote.relayer_nonce,
            user_address: self.quote.user_address.clone(),
            direction: self.quote.direction,
            blockchain: self.quote.blockchain,
            token: self.quote.token.clone(),
            token_amount,
            pair_token_amount,
            transaction_hash: self.answer.transaction_hash.clone(),
        }
    }
}

/// What the request fixes: the token's amount before the pair's.
fn fixed(request: &QuoteRequest) -> Result<Fixed, Refused> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let none = |text: &str| Refused::Amount(format!("{text:?} is no amount: expected base units as digits"));
    match (given(&request.token_amount), given(&request.pair_token_amount)) {
        (Some(text), _) => {
            units(&text, request.blockchain.token_decimals()).map(Fixed::Token).ok_or_else(|| none(&text))
        }
        (None, Some(text)) => units(&text, USDC_DECIMALS).map(Fixed::Pair).ok_or_else(|| none(&text)),
        (None, None) => Err(Refused::Malformed("either token_amount or pair_token_amount must be given".to_owned())),
    }
}

/// Whether it is the contract or the mint of USDC there.
fn is_usdc(chain: Chain, named: &str) -> bool {
    match chain.usdc() {
        Some(contract) => named.parse() == Ok(contract),
        None => named.parse() == Ok(exchange::USDC_MINT),
    }
}

/// Who fills orders there.
fn merchant(chain: Chain) -> String {
    match chain {
        Chain::Solana => solana::Address::new_from_array(exchange::merchant().verifying_key().to_bytes()).to_string(),
        _ => Address::derived("simulated merchant").to_string(),
    }
}

fn check_user(request: &QuoteRequest) -> Result<(), Refused> {
    let user = &request.user_address;
    let wrong = |why: String| Refused::Malformed(format!("user_address: {why}"));
    match request.blockchain {
        Chain::Solana => user.parse::<solana::Address>().map(drop).map_err(|why| wrong(why.to_string())),
        _ => user.parse::<Address>().map(drop).map_err(|why| wrong(why.to_string())),
    }
}

/// What is signed on Solana, where that is a transaction.
fn put_transaction(quote: &mut Quote, now: u64) -> Result<(), Refused> {
    let blockhash = exchange::blockhash(quote.relayer_nonce);
    let transaction = exchange_of(quote)?.transaction(blockhash).map_err(|why| Refused::Malformed(why.to_string()))?;
    let height = now.saturating_sub(GENESIS_MILLIS) / SLOT_MILLIS;
    quote.transaction = Some(exchange::write(&transaction));
    quote.recent_blockhash = Some(solana::Address::new_from_array(blockhash).to_string());
    quote.last_valid_block_height = Some(height + BLOCKHASH_SLOTS);
    Ok(())
}

/// What a quote on Solana exchanges.
fn exchange_of(quote: &Quote) -> Result<Exchange, Refused> {
    let token = token(&quote.token).ok_or_else(|| Refused::TokenUnknown(quote.token.clone()))?;
    let too_much = |_| Refused::Amount("more than a token account on Solana holds".to_owned());
    let units = |text: &str| text.parse::<u64>().map_err(too_much);
    let (token, pair) =
        (Amount::of(token, units(&quote.token_amount)?), Amount::usdc(units(&quote.pair_token_amount)?));
    let (paid, received) = if quote.direction == Direction::Buy { (pair, token) } else { (token, pair) };
    let address = |text: &str| text.parse().map_err(|_| Refused::Malformed(format!("{text:?} is no address")));
    Ok(Exchange { user: address(&quote.user_address)?, merchant: address(&quote.merchant_address)?, paid, received })
}

/// Whether the quote's user signed it.
fn verify(quote: &Quote, signature: &str) -> Result<(), Refused> {
    let bad = || Refused::BadSignature(quote.user_address.clone());
    if let Some(transaction) = quote.transaction.as_deref().and_then(exchange::read) {
        let user = quote.user_address.parse().map_err(|_| bad())?;
        return if exchange::is_signed(&transaction, &user, signature) { Ok(()) } else { Err(bad()) };
    }
    let digest = quote.to_sign(REACTOR, quote.contract()?)?.digest();
    let signer = evm::recover(&digest, signature).map_err(|_| bad())?;
    if quote.user_address.parse() == Ok(signer) { Ok(()) } else { Err(bad()) }
}

/// The answer to an order: its ids follow from the quote's; on Solana the transaction's is the merchant's signature.
fn answer(quote: &Quote) -> Taken {
    let of = |what: &str| -> [u8; 32] { Sha256::digest(format!("{what} {}", quote.id)).into() };
    let bridged = quote.mode == Mode::Bridged;
    let transaction = quote.transaction.as_deref().and_then(exchange::read);
    Taken {
        transaction_hash: transaction.map_or_else(|| to_hex(&of("fill")), |transaction| exchange::id(&transaction)),
        transaction_hash_2: bridged.then(|| to_hex(&of("bridged fill"))),
        order_id: to_hex(&of("order")[..16])[2..].to_owned(),
    }
}
