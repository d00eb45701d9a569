//! The JSON-RPC methods of a Solana node that venues need.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::line::{Call, Line, Reply, said, short};
use super::{LOOK_UP_LIMIT, VenueError};

mod shapes;

use shapes::{Account, Amount, Blockhash, Request, Response, WithContext};
pub(super) use shapes::{Complaint, Executed, Finalized, Held, Simulated, Status};

/// A node answers from memory; what it looks up in its history takes longer.
const WITHIN: Duration = Duration::from_secs(2);
/// The most transactions in one request: each answer may have tens of kilobytes.
const TRANSACTIONS: usize = 16;

/// A node.
pub(super) struct Rpc {
    line: Line,
    numbers: AtomicU64,
}

impl Rpc {
    pub(super) fn new(line: Line) -> Self {
        Self { line, numbers: AtomicU64::new(1) }
    }

    /// An error while the node is left alone.
    pub(super) fn ready(&self) -> Result<(), VenueError> {
        self.line.ready()
    }

    /// The last height at which a transaction with the newest blockhash is valid.
    pub(super) async fn last_valid_height(&self) -> Result<u64, VenueError> {
        let params = json!([{ "commitment": "processed" }]);
        let answer: WithContext<Blockhash> = self.one("getLatestBlockhash", &params).await?;
        Ok(answer.value.last_valid_block_height)
    }

    /// Where the chain stands for good. Both numbers are of one node: they are asked for in one request.
    pub(super) async fn finalized(&self) -> Result<Finalized, VenueError> {
        let params = json!([{ "commitment": "finalized" }]);
        let answers = self.many(&[("getSlot", params.clone()), ("getBlockHeight", params)]).await?;
        let [slot, height]: [_; 2] = answers.try_into().map_err(|_| odd("two answers were expected"))?;
        Ok(Finalized { slot: read(slot)?, height: read(height)? })
    }

    /// Sends a signed transaction, in base64. A transaction that the node knows already is no complaint.
    ///
    /// Nothing is simulated before: a transaction that would fail is to fail on the chain, where its outcome is soon known
    /// for good, and not to stay in doubt until it expires. Who wants to save the fee of those simulates before signing.
    pub(super) async fn send(&self, transaction: &str) -> Result<(), VenueError> {
        let options = json!({ "encoding": "base64", "skipPreflight": true, "preflightCommitment": "processed" });
        match self.ask("sendTransaction", &json!([transaction, options])).await? {
            Ok(_) => Ok(()),
            Err(complaint) if complaint.is_of_one_known() => Ok(()),
            Err(complaint) => Err(complaint.into()),
        }
    }

    /// What the node knows of at most 256 transactions, its history included, and the slot that it stood at.
    pub(super) async fn statuses(&self, ids: &[&str]) -> Result<(u64, Vec<Option<Status>>), VenueError> {
        if ids.len() > LOOK_UP_LIMIT {
            return Err(VenueError::Failed(format!("at most {LOOK_UP_LIMIT} look-ups at once")));
        }
        let params = json!([ids, { "searchTransactionHistory": true }]);
        let answer: WithContext<Vec<Option<Status>>> = self.one("getSignatureStatuses", &params).await?;
        if answer.value.len() != ids.len() {
            return Err(odd(&format!("{} answers to {} look-ups", answer.value.len(), ids.len())));
        }
        Ok((answer.context.slot, answer.value))
    }

    /// What transactions did, in the order of the ids; none of those that the node cannot tell yet.
    pub(super) async fn transactions(&self, ids: &[&str]) -> Result<Vec<Option<Executed>>, VenueError> {
        let options = json!({ "commitment": "confirmed", "encoding": "json", "maxSupportedTransactionVersion": 0 });
        let mut all = Vec::with_capacity(ids.len());
        for some in ids.chunks(TRANSACTIONS) {
            let calls: Vec<_> = some.iter().map(|id| ("getTransaction", json!([id, options]))).collect();
            for answer in self.many(&calls).await? {
                all.push(read(answer)?);
            }
        }
        Ok(all)
    }

    /// What a token account holds, in base units; none where there is no such account.
    pub(super) async fn token_balance(&self, account: &str) -> Result<Option<u64>, VenueError> {
        let params = json!([account, { "commitment": "processed" }]);
        match self.ask("getTokenAccountBalance", &params).await? {
            Ok(answer) => {
                let answer: WithContext<Amount> = read(Ok(answer))?;
                Ok(Some(answer.value.amount.0))
            }
            // -32602: the account is not there.
            Err(complaint) if complaint.code == -32602 => Ok(None),
            Err(complaint) => Err(complaint.into()),
        }
    }

    /// The data of an account; none where there is no such account.
    pub(super) async fn account(&self, address: &str) -> Result<Option<Vec<u8>>, VenueError> {
        let params = json!([address, { "encoding": "base64", "commitment": "processed" }]);
        let answer: WithContext<Option<Account>> = self.one("getAccountInfo", &params).await?;
        let Some(Account { data: (text, _) }) = answer.value else { return Ok(None) };
        STANDARD.decode(text).map(Some).map_err(|_| odd("an account's data that is not in base64"))
    }

    /// What would become of a transaction now. Signatures are not looked at.
    pub(super) async fn simulate(&self, transaction: &str) -> Result<Simulated, VenueError> {
        let options = json!({ "encoding": "base64", "commitment": "processed", "sigVerify": false });
        let answer: WithContext<Simulated> = self.one("simulateTransaction", &json!([transaction, options])).await?;
        Ok(answer.value)
    }

    async fn one<T: DeserializeOwned>(&self, method: &str, params: &Value) -> Result<T, VenueError> {
        read(self.ask(method, params).await?)
    }

    async fn ask(&self, method: &str, params: &Value) -> Result<Result<Box<RawValue>, Complaint>, VenueError> {
        let id = self.numbers.fetch_add(1, Ordering::Relaxed);
        let body = serde_json::to_vec(&Request { jsonrpc: "2.0", id, method, params });
        let body = body.map_err(|error| odd(&error.to_string()))?;
        let response: Response = self.exchange(body).await?;
        if response.id != Some(id) && response.error.is_none() {
            return Err(odd("an answer to another question"));
        }
        result(response)
    }

    /// Several questions in one request, answered in their order.
    async fn many(&self, calls: &[(&str, Value)]) -> Result<Vec<Result<Box<RawValue>, Complaint>>, VenueError> {
        if calls.is_empty() {
            return Ok(Vec::new());
        }
        let count = u64::try_from(calls.len()).unwrap_or(u64::MAX);
        let first = self.numbers.fetch_add(count, Ordering::Relaxed);
        let requests = (first..).zip(calls);
        let requests: Vec<_> =
            requests.map(|(id, (method, params))| Request { jsonrpc: "2.0", id, method, params }).collect();
        let body = serde_json::to_vec(&requests).map_err(|error| odd(&error.to_string()))?;
        let mut responses: Vec<Response> = self.exchange(body).await?;
        // They may come in any order.
        responses.sort_by_key(|response| response.id);
        let ids = responses.iter().map(|response| response.id);
        if !ids.eq((first..).take(calls.len()).map(Some)) {
            return Err(odd("answers to other questions"));
        }
        responses.into_iter().map(result).collect()
    }

    /// Every method here may be repeated: the same transaction twice is one.
    async fn exchange<T: DeserializeOwned>(&self, body: Vec<u8>) -> Result<T, VenueError> {
        match self.line.ask(Call::post("", body, WITHIN).repeatable()).await? {
            Reply::Said { value, .. } => Ok(value),
            Reply::Refused { status, body } => {
                let said = said(&body).map(|said| format!(": {said}")).unwrap_or_default();
                Err(odd(&format!("it answered {status}{said}")))
            }
        }
    }
}

impl Complaint {
    /// The node has this transaction already.
    fn is_of_one_known(&self) -> bool {
        self.message.contains("already been processed") || self.data["err"] == "AlreadyProcessed"
    }
}

impl From<Complaint> for VenueError {
    fn from(complaint: Complaint) -> Self {
        odd(&format!("{} ({})", short(&complaint.message), complaint.code))
    }
}

fn odd(why: &str) -> VenueError {
    VenueError::Failed(format!("the Solana node: {why}"))
}

/// A `null` is a result, too.
fn result(response: Response) -> Result<Result<Box<RawValue>, Complaint>, VenueError> {
    match response {
        Response { error: Some(complaint), .. } => Ok(Err(complaint)),
        Response { result: Some(result), .. } => Ok(Ok(result)),
        Response { .. } => RawValue::from_string("null".to_owned()).map(Ok).map_err(|e| odd(&e.to_string())),
    }
}

fn read<T: DeserializeOwned>(answer: Result<Box<RawValue>, Complaint>) -> Result<T, VenueError> {
    serde_json::from_str(answer?.get())
        .map_err(|error| odd(&format!("its answer is odd: {}", short(&error.to_string()))))
}
