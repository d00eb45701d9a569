//! Orders that nobody has signed yet: those of the native API, which our own key signs.
//!
//! They trade USDC against a token of the venue's list by the symbol `u` and its name, `uBTC`, if the installation's tokens have it:
//! on an EVM chain with 18 decimals and its contract in the place of the mint, on Solana with its mint and decimals there.
//!
//! On Solana only a transaction is signed that can be read to its end: the two transfers that the quote says, and nothing else.
//! What calls the venue's own program, whose instructions nobody has published, is refused.

use std::sync::Arc;

use domain::swap::{Ask, Inquiry, Mode, Quote};
use domain::token::Registry;
use serde_json::{Value, json};
use simnet::universal::exchange::{self, Amount, Exchange};
use simnet::universal::{Address, Chain, Direction, Key, Quote as FirmQuote, token};

use super::{NAME, words};
use crate::venue::{Order, Signer, VenueError};

/// The most slippage that the venue's documents allow, in basis points. What is signed has none.
const MOST_SLIPPAGE: u16 = 100;

/// Who signs, and for where.
pub(super) struct Own {
    pub(super) hand: Hand,
    pub(super) chain: Chain,
    pub(super) tokens: Arc<Registry>,
}

/// What signs.
pub(super) enum Hand {
    /// A key for orders that this contract settles.
    Evm { key: Key, reactor: Address },
    /// The wallet of the venues on Solana.
    Solana(Signer),
}

/// A swap in the venue's words, and where the token is.
struct Pair<'a> {
    direction: Direction,
    name: &'a str,
    mint: &'a str,
    decimals: u8,
}

impl Own {
    /// Whether the venue has these tokens.
    pub(super) fn trades(&self, ask: &Ask) -> bool {
        self.pair(ask).is_some()
    }

    fn pair<'a>(&'a self, ask: &'a Ask) -> Option<Pair<'a>> {
        let (direction, symbol) = match (&*ask.input, &*ask.output) {
            ("USDC", symbol) => (Direction::Buy, symbol),
            (symbol, "USDC") => (Direction::Sell, symbol),
            _ => return None,
        };
        let name = symbol.strip_prefix('u').filter(|name| token(name).is_some())?;
        let known = self.tokens.get(symbol)?;
        let pair = Pair { direction, name, mint: &known.mint, decimals: known.decimals };
        let is_there = match self.hand {
            Hand::Evm { .. } => pair.decimals == self.chain.token_decimals() && pair.mint.parse::<Address>().is_ok(),
            Hand::Solana(_) => pair.mint.parse::<solana::Address>().is_ok(),
        };
        is_there.then_some(pair)
    }

    fn address(&self) -> String {
        match &self.hand {
            Hand::Evm { key, .. } => key.address().to_string(),
            Hand::Solana(signer) => signer.address(),
        }
    }

    /// What the venue is asked for a swap.
    ///
    /// # Errors
    /// It does not have these tokens.
    pub(super) fn request(&self, inquiry: &Inquiry) -> Result<Value, VenueError> {
        let ask = &inquiry.ask;
        let pair = self.pair(ask).ok_or_else(|| none(ask))?;
        let of_token = (pair.direction == Direction::Buy) == (ask.mode == Mode::ExactOut);
        let amount = if of_token { "token_amount" } else { "pair_token_amount" };
        Ok(json!({
            "type": pair.direction, "token": pair.name, "pair_token": "USDC", "blockchain": self.chain,
            "slippage_bips": inquiry.slippage_bps.min(MOST_SLIPPAGE), "user_address": self.address(),
            amount: ask.amount.to_string(),
        }))
    }

    /// The venue's answer in our words.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn quote(ask: &Ask, answer: &str) -> Result<Quote, VenueError> {
        let firm = words::firm(answer)?;
        let (amount_in, amount_out) = words::amounts(&firm)?;
        Ok(Quote {
            venue: NAME.into(),
            ask: ask.clone(),
            amount_in,
            amount_out,
            fee: 0,
            price_impact_bps: 0,
            legs: Vec::new(),
            certificate: None,
            opaque: Some(answer.into()),
        })
    }

    /// Signs the quote that an order is for. Everything but the signature stays as the venue wrote it.
    ///
    /// # Errors
    /// `TRANSACTION_MISMATCH`: what would be signed is not what was quoted, or beyond the order's limit.
    pub(super) async fn sign(&self, order: &Order) -> Result<String, VenueError> {
        let text = order.quote.opaque.as_deref().unwrap_or_default();
        let (firm, ask) = (words::firm(text)?, &order.quote.ask);
        let pair = self.pair(ask).ok_or_else(|| none(ask))?;
        let (amount_in, amount_out) = words::amounts(&firm)?;
        let keeps = match ask.mode {
            Mode::ExactIn => amount_in == ask.amount && amount_out >= order.limit,
            Mode::ExactOut => amount_out == ask.amount && amount_in <= order.limit,
        };
        let same =
            self.is_for(&firm, &pair) && (amount_in, amount_out) == (order.quote.amount_in, order.quote.amount_out);
        if !keeps || !same {
            return Err(words::mismatch("what it wants signed is not what it quoted"));
        }
        let signature = match &self.hand {
            Hand::Evm { key, reactor } => by_key(key, *reactor, &firm, &pair)?,
            Hand::Solana(signer) => by_signer(signer, &firm, &pair).await?,
        };
        let open = text.trim_end().strip_suffix('}').unwrap_or_default();
        Ok(format!("{open},\"signature\":\"{signature}\"}}"))
    }

    fn is_for(&self, firm: &FirmQuote, pair: &Pair<'_>) -> bool {
        firm.direction == pair.direction
            && firm.token == pair.name
            && firm.pair_token == "USDC"
            && firm.blockchain == self.chain
            && firm.user_address == self.address()
    }
}

/// Signs typed data.
fn by_key(key: &Key, reactor: Address, firm: &FirmQuote, pair: &Pair<'_>) -> Result<String, VenueError> {
    let contract = pair.mint.parse().map_err(|_| words::mismatch("the token has no contract"))?;
    let order = firm.to_sign(reactor, contract).map_err(|why| words::mismatch(&why.to_string()))?;
    Ok(key.sign(&order.digest()))
}

/// Signs the quote's transaction, if it is the exchange that was quoted.
async fn by_signer(signer: &Signer, firm: &FirmQuote, pair: &Pair<'_>) -> Result<String, VenueError> {
    let unread = || words::mismatch("its transaction is not the exchange that it quoted");
    let transaction = firm.transaction.as_deref().and_then(exchange::read).ok_or_else(unread)?;
    let units = |text: &str| text.parse().map_err(|_| unread());
    let mint = pair.mint.parse().map_err(|_| unread())?;
    let of_token = Amount { mint, units: units(&firm.token_amount)?, decimals: pair.decimals };
    let usdc = Amount::usdc(units(&firm.pair_token_amount)?);
    let (paid, received) = if pair.direction == Direction::Buy { (usdc, of_token) } else { (of_token, usdc) };
    let merchant = firm.merchant_address.parse().map_err(|_| unread())?;
    let user = solana::Address::new_from_array(signer.public_key());
    if !(Exchange { user, merchant, paid, received }).is_done_by(&transaction) {
        return Err(unread());
    }
    let signature = signer.sign(transaction.message()).await.map_err(VenueError::Failed)?;
    Ok(exchange::digits(&signature))
}

fn none(ask: &Ask) -> VenueError {
    VenueError::NoRoute(format!("{} and {} are not traded here", ask.input, ask.output))
}
