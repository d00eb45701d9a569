//! What travels between the HTTP front and its callers, as JSON. Amounts are decimal text in base units.

mod convert;

use serde::{Deserialize, Serialize};

use crate::{Failure, Venue};

/// The most look-ups in one request.
pub const LOOK_UP_LIMIT: usize = 256;

/// `POST /quote`; the answer is a [`crate::Quote`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ask {
    /// Where.
    pub venue: Venue,
    /// Symbol of the token that is paid.
    pub input: String,
    /// Symbol of the token that is received.
    pub output: String,
    /// Which amount is fixed.
    pub mode: Mode,
    /// The fixed amount.
    #[serde(with = "text")]
    pub amount: u64,
}

/// Which amount is fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    /// What is paid.
    ExactIn,
    /// What is received.
    ExactOut,
}

/// The answer to `GET /blockhash`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Blockhash {
    /// Its slot.
    pub slot: u64,
    /// The hash in base58.
    pub blockhash: String,
    /// The last height that may hold a transaction which names it.
    pub last_valid_height: u64,
}

/// `POST /transactions`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Submission {
    /// The signed transaction in base64.
    pub transaction: String,
}

/// The answer to a [`Submission`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Submitted {
    /// The transaction's id.
    pub id: String,
}

/// `POST /transactions/status`: at most [`LOOK_UP_LIMIT`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LookUps {
    /// Whose fate is asked for.
    pub transactions: Vec<LookUp>,
}

/// One transaction to look up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LookUp {
    /// Its id.
    pub id: String,
    /// The last height that may hold it.
    pub expires_at_height: u64,
}

/// The answer to [`LookUps`]: one status each, in the same order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Statuses {
    /// What became of them.
    pub statuses: Vec<Status>,
}

/// What became of one transaction; see [`crate::Outcome`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "outcome")]
pub enum Status {
    /// Not executed yet, or not heard of.
    Open,
    /// Executed.
    Confirmed {
        /// Paid.
        #[serde(with = "text")]
        amount_in: u64,
        /// Received.
        #[serde(with = "text")]
        amount_out: u64,
        /// The slot that holds it.
        slot: u64,
    },
    /// Included and refused.
    Failed {
        /// Why.
        code: Failure,
        /// For people.
        message: String,
    },
    /// Never executed, and now it never can be.
    Expired,
}

/// The answer to `GET /ledger?after=&limit=`: executions in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LedgerPage {
    /// The executions after the first `after`.
    pub executions: Vec<Execution>,
    /// How many there are in all.
    pub total: usize,
}

/// One executed transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Execution {
    /// Counts executions, from 1: the `after` of the next page.
    pub index: usize,
    /// The transaction's id.
    pub id: String,
    /// The order it served.
    pub order_id: String,
    /// Which transaction for that order it was.
    pub build: u32,
    /// Whose wallet paid and received.
    pub account: String,
    /// Paid.
    #[serde(with = "text")]
    pub amount_in: u64,
    /// Received.
    #[serde(with = "text")]
    pub amount_out: u64,
    /// The slot that holds it.
    pub slot: u64,
}

/// The answer to `GET /wallets/{account}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Wallet {
    /// The account.
    pub account: String,
    /// Its wallet's public key in base58. Simulated money only.
    pub address: String,
    /// What it holds.
    pub balances: Vec<Balance>,
}

/// What a wallet holds of one token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Balance {
    /// The token.
    pub symbol: String,
    /// Its decimals.
    pub decimals: u8,
    /// Base units; null when the wallet is refilled and never short.
    pub amount: Option<String>,
}

/// The answer to `GET /health`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// `ok`.
    pub status: String,
    /// The slot now.
    pub slot: u64,
    /// The newest slot that nothing can undo.
    pub finalised: u64,
}

/// Every refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Stable, for programs.
    pub code: String,
    /// For people.
    pub message: String,
}

/// Base units as decimal text: JSON numbers lose digits in many readers.
pub(crate) mod text {
    use serde::{Deserialize, Deserializer, Serializer, de};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub(crate) fn serialize<S: Serializer>(units: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(units)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        std::borrow::Cow::<str>::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
