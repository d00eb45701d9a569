//! What a node is asked and what it answers, as far as it is understood.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::venue::number::Units;

/// What a node said instead of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(in crate::venue) struct Complaint {
    /// JSON-RPC's and Solana's numbers: -32002 a simulation failed …
    pub(in crate::venue) code: i64,
    /// For people.
    #[serde(default)]
    pub(in crate::venue) message: String,
    /// Details.
    #[serde(default)]
    pub(in crate::venue) data: Value,
}

/// Where the chain stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::venue) struct Finalized {
    /// The newest finalised slot that this node knows.
    pub(in crate::venue) slot: u64,
    /// How many blocks there are up to it.
    pub(in crate::venue) height: u64,
}

/// What a node knows of a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::venue) struct Status {
    /// The slot that holds it.
    pub(in crate::venue) slot: u64,
    /// Why it failed; null if it did not.
    #[serde(default)]
    pub(in crate::venue) err: Value,
    /// `processed`, `confirmed` or `finalized`; a node that has forgotten says nothing, because it is long finalised.
    #[serde(default)]
    pub(in crate::venue) confirmation_status: Option<String>,
}

/// A transaction that is on the chain: what it moved.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::venue) struct Executed {
    pub(in crate::venue) slot: u64,
    pub(in crate::venue) meta: Moved,
    pub(in crate::venue) transaction: Body,
}

#[derive(Clone, Debug, Deserialize)]
pub(in crate::venue) struct Body {
    pub(in crate::venue) message: Named,
}

/// The accounts that it names.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::venue) struct Named {
    pub(in crate::venue) account_keys: Vec<String>,
}

/// Balances before and after. Places are those of its accounts, the ones of lookup tables behind.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::venue) struct Moved {
    #[serde(default)]
    pub(in crate::venue) err: Value,
    pub(in crate::venue) fee: u64,
    pub(in crate::venue) pre_balances: Vec<u64>,
    pub(in crate::venue) post_balances: Vec<u64>,
    #[serde(default)]
    pub(in crate::venue) pre_token_balances: Vec<Held>,
    #[serde(default)]
    pub(in crate::venue) post_token_balances: Vec<Held>,
}

/// What a token account held.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::venue) struct Held {
    pub(in crate::venue) account_index: usize,
    pub(in crate::venue) mint: String,
    #[serde(default)]
    pub(in crate::venue) owner: Option<String>,
    pub(in crate::venue) ui_token_amount: Amount,
}

#[derive(Clone, Debug, Deserialize)]
pub(in crate::venue) struct Amount {
    /// Base units.
    pub(in crate::venue) amount: Units,
}

/// What a simulation came to.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::venue) struct Simulated {
    #[serde(default)]
    pub(in crate::venue) err: Value,
}

/// An account's data and how it is written.
#[derive(Deserialize)]
pub(super) struct Account {
    pub(super) data: (String, String),
}

#[derive(Deserialize)]
pub(super) struct Context {
    pub(super) slot: u64,
}

#[derive(Deserialize)]
pub(super) struct WithContext<T> {
    pub(super) context: Context,
    pub(super) value: T,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Blockhash {
    pub(super) last_valid_block_height: u64,
}

#[derive(Serialize)]
pub(super) struct Request<'a> {
    pub(super) jsonrpc: &'static str,
    pub(super) id: u64,
    pub(super) method: &'a str,
    pub(super) params: &'a Value,
}

#[derive(Deserialize)]
pub(super) struct Response {
    #[serde(default)]
    pub(super) id: Option<u64>,
    #[serde(default)]
    pub(super) result: Option<Box<RawValue>>,
    #[serde(default)]
    pub(super) error: Option<Complaint>,
}
