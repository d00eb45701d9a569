//! Requests and answers of the venue, as its documents have them.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Number;
use thiserror::Error;

use super::evm::{Address, NotSigned};
use super::tokens::{Chain, token};
use super::typed_data::{DutchOrder, Output};

/// Seen from the trader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Direction {
    /// The token for USDC.
    Buy,
    /// USDC for the token.
    Sell,
}

/// How a merchant fills an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Mode {
    /// In two transactions.
    Bridged,
    /// In one.
    Direct,
}

/// What a client asks for. Unknown fields are nobody's business.
#[derive(Clone, Debug, Deserialize)]
pub struct QuoteRequest {
    /// Whether the token is bought.
    #[serde(rename = "type")]
    pub direction: Direction,
    /// Its name in the list.
    pub token: String,
    /// `USDC`, or its contract on the chain.
    pub pair_token: String,
    /// Where.
    pub blockchain: Chain,
    /// Said back, and no more.
    pub slippage_bips: Option<Number>,
    /// Whose order it will be.
    pub user_address: String,
    /// How much of the token; counts before the other where both are given.
    pub token_amount: Option<String>,
    /// How much of the pair's token.
    pub pair_token_amount: Option<String>,
    /// What a referrer adds to the spread, in basis points.
    pub referrer_bps: Option<String>,
}

/// A firm price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// Whether the token is bought.
    #[serde(rename = "type")]
    pub direction: Direction,
    /// Its name in the list.
    pub token: String,
    /// In base units, as digits.
    #[serde(deserialize_with = "digits")]
    pub token_amount: String,
    /// As it was asked for.
    pub pair_token: String,
    /// In base units, as digits.
    #[serde(deserialize_with = "digits")]
    pub pair_token_amount: String,
    /// As it was asked for; 0 where it was not.
    pub slippage_bips: Number,
    /// Where.
    pub blockchain: Chain,
    /// Until when it is firm, in Unix seconds, as digits.
    #[serde(deserialize_with = "digits")]
    pub deadline: String,
    /// The quote's own id.
    pub id: String,
    /// Whose order it will be.
    pub user_address: String,
    /// Who fills it.
    pub merchant_address: String,
    /// Which merchant that is.
    pub merchant_id: String,
    /// What the merchant pays for gas, in the chain's base units, as digits. The amounts include it.
    #[serde(deserialize_with = "digits")]
    pub gas_fee_nominal: String,
    /// The same in dollars.
    pub gas_fee_dollars: Number,
    /// Used once.
    pub relayer_nonce: u64,
    /// How it is filled.
    pub mode: Mode,
    /// On Solana: the transaction to sign, as hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<String>,
    /// On Solana: the blockhash that it names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recent_blockhash: Option<String>,
    /// On Solana: the last height that may hold it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_valid_block_height: Option<u64>,
}

/// Digits as text; or as a number, as some clients write them.
fn digits<'a, D: Deserializer<'a>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Digits {
        Text(String),
        Number(u64),
    }
    Ok(match Digits::deserialize(deserializer)? {
        Digits::Text(text) => text,
        Digits::Number(number) => number.to_string(),
    })
}

/// A quote that its trader signed.
#[derive(Clone, Debug, Deserialize)]
pub struct Order {
    /// The quote, unchanged.
    #[serde(flatten)]
    pub quote: Quote,
    /// `0x` and 130 digits; on Solana 128 digits.
    pub signature: String,
}

impl Quote {
    /// What is signed on an EVM chain: the amounts as they are, with no decay. `reactor` settles it; `contract` is the token's.
    ///
    /// # Errors
    /// The chain is none of them, an amount or the deadline is no number, or an address none.
    pub fn to_sign(&self, reactor: Address, contract: Address) -> Result<DutchOrder, Refused> {
        let (Some(chain), Some(usdc)) = (self.blockchain.id(), self.blockchain.usdc()) else {
            return Err(Refused::Malformed("what is signed on Solana is a transaction".to_owned()));
        };
        let number = |text: &str| text.parse().map_err(|_| Refused::Malformed(format!("{text:?} is no whole number")));
        let address =
            |text: &str| text.parse().map_err(|why: NotSigned| Refused::Malformed(format!("{text:?}: {why}")));
        let pair = if self.pair_token == "USDC" { usdc } else { address(&self.pair_token)? };
        let (token_amount, pair_amount) = (number(&self.token_amount)?, number(&self.pair_token_amount)?);
        let (input, input_amount, output, output_amount) = match self.direction {
            Direction::Buy => (pair, pair_amount, contract, token_amount),
            Direction::Sell => (contract, token_amount, pair, pair_amount),
        };
        let deadline = self.deadline.parse().map_err(|_| Refused::Malformed("the deadline is no number".to_owned()))?;
        let user = address(&self.user_address)?;
        Ok(DutchOrder {
            chain,
            reactor,
            swapper: user,
            nonce: self.relayer_nonce,
            deadline,
            decay_start: deadline.saturating_sub(100),
            decay_end: deadline,
            filler: address(&self.merchant_address)?,
            override_bps: 0,
            input,
            input_amount,
            output: Output { token: output, start: output_amount, end: output_amount, recipient: user },
        })
    }

    /// Where its token has its contract, as far as [`super::Token::contract`] knows.
    ///
    /// # Errors
    /// The token is not in the list.
    pub fn contract(&self) -> Result<Address, Refused> {
        Ok(token(&self.token).ok_or_else(|| Refused::TokenUnknown(self.token.clone()))?.contract())
    }
}

/// Why the venue does not do what it is asked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// It cannot be read.
    #[error("{0}")]
    Malformed(String),
    /// The token is not in the list.
    #[error("{0} is not traded here")]
    TokenUnknown(String),
    /// Only USDC is taken and given.
    #[error("{0} is not traded here: the pair is USDC")]
    PairUnknown(String),
    /// Too much or too little.
    #[error("{0}")]
    Amount(String),
    /// The quote is not one that was given, or was changed.
    #[error("this is no quote that was given here, or it was changed")]
    QuoteUnknown,
    /// It came too late.
    #[error("the quote's deadline has passed")]
    QuoteExpired,
    /// Not by the account whose order it is.
    #[error("the signature is not of {0}")]
    BadSignature(String),
    /// The quote was traded with another signature.
    #[error("the nonce was used by the order {0}")]
    NonceUsed(String),
    /// What came as a key is none.
    #[error("the key is none: expected Bearer and the key")]
    Unauthorised,
    /// It keeps as many orders as it can.
    #[error("no room for another order")]
    Full,
}

impl Refused {
    /// Stable.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "MALFORMED_REQUEST",
            Self::TokenUnknown(_) => "TOKEN_UNKNOWN",
            Self::PairUnknown(_) => "PAIR_UNKNOWN",
            Self::Amount(_) => "AMOUNT_NOT_QUOTED",
            Self::QuoteUnknown => "QUOTE_UNKNOWN",
            Self::QuoteExpired => "QUOTE_EXPIRED",
            Self::BadSignature(_) => "BAD_SIGNATURE",
            Self::NonceUsed(_) => "NONCE_USED",
            Self::Unauthorised => "UNAUTHORISED",
            Self::Full => "FULL",
        }
    }
}
