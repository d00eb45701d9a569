//! The fronts over a real socket: from a quote to the transaction's result, and every fault.

mod faults;
mod jupiter;
mod raydium;
mod rpc;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use solana::program::{associated_token, token};
use solana::{Address, Transaction};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::bank::Plain;
use crate::chain::Chain;
use crate::faults::Faults;
use crate::http::serve_chain;
use crate::{Clock, Retention, SLOT_MILLIS, Settings, Token, World};

const NOW: u64 = 1_800_000_000_000;
pub(super) const SOL: &str = "So11111111111111111111111111111111111111112";
pub(super) const USDC: &str = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v";
pub(super) const USDT: &str = "Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB";
pub(super) const BONK: &str = "DezXAZ8z7PnrnRJjz3wXBoRgixCa6xjnB7YaB1pPB263";

pub(crate) fn tokens() -> Vec<Token> {
    let token = |symbol: &str, mint: &str, decimals, price, native| Token {
        symbol: symbol.into(),
        mint: mint.into(),
        decimals,
        reference_price: Some(price),
        native,
    };
    vec![
        token("SOL", SOL, 9, 150_000_000_000_000, true),
        token("wSOL", SOL, 9, 150_000_000_000_000, false),
        token("USDC", USDC, 6, 1_000_000_000_000, false),
        token("USDT", USDT, 6, 1_000_000_000_000, false),
        token("BONK", BONK, 5, 20_000_000, false),
    ]
}

pub(crate) fn chain(options: &str, faults: &str) -> Arc<Chain> {
    let settings = Settings::parse(options).expect("good options");
    let world = World::new(settings, tokens(), Retention::Everything, NOW).expect("a world");
    let faults = Arc::new(Faults::parse(settings.seed, faults).expect("good faults"));
    Arc::new(Chain::new(Arc::new(world), Box::new(Plain::default()), faults, Retention::Everything, NOW))
}

/// A chain that is served, its clock, and somebody who trades on it.
pub(super) struct Served {
    address: std::net::SocketAddr,
    pub(super) chain: Arc<Chain>,
    clock: Arc<Clock>,
    key: SigningKey,
    pub(super) wallet: Address,
}

pub(super) async fn served(options: &str, faults: &str) -> Served {
    let chain = chain(options, faults);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let clock = Arc::new(Clock::standing_at(NOW));
    tokio::spawn(serve_chain(listener, Arc::clone(&chain), Arc::clone(&clock), std::future::pending()));
    let key = SigningKey::from_bytes(&[5; 32]);
    let wallet = key.verifying_key().to_bytes().into();
    let served = Served { address, chain, clock, key, wallet };
    for (token, amount) in
        [(Value::Null, "100000000000"), (json!("USDC"), "1000000000000"), (json!(BONK), "10000000000")]
    {
        let wanted = json!({"address": wallet.to_string(), "token": token, "amount": amount});
        served.post("/faucet", &wanted).await;
    }
    served
}

impl Served {
    /// The status, the head and the body of an answer; nothing where the connection ends first.
    pub(super) async fn raw(&self, method: &str, path: &str, body: &str) -> Option<(u16, String, String)> {
        let mut stream = TcpStream::connect(self.address).await.expect("a connection");
        let length = body.len();
        let head =
            format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
        stream.write_all(format!("{head}{body}").as_bytes()).await.expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        let status = answer.split(' ').nth(1)?.parse().expect("a status");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a body");
        Some((status, head.to_lowercase(), body.to_owned()))
    }

    pub(super) async fn ask(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let (status, _, body) = self.raw(method, path, body).await.expect("an answer");
        (status, serde_json::from_str(&body).unwrap_or_else(|e| panic!("{path}: {e}: {body:?}")))
    }

    pub(super) async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask("GET", path, "").await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Value {
        let (status, body) = self.ask("POST", path, &body.to_string()).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    pub(super) async fn rpc(&self, method: &str, parameters: Value) -> Result<Value, Value> {
        let call = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": parameters});
        let mut answer = self.post("/rpc", &call).await;
        assert_eq!((&answer["jsonrpc"], &answer["id"]), (&json!("2.0"), &json!(7)));
        match answer.get_mut("error") {
            Some(error) => Err(error.take()),
            None => Ok(answer["result"].take()),
        }
    }

    /// The transaction in base64, signed.
    pub(super) fn signed(&self, transaction: &Value) -> String {
        let bytes = BASE64.decode(transaction.as_str().expect("base64")).expect("base64");
        let mut transaction = Transaction::read(&bytes).expect("a transaction");
        let signature = self.key.sign(transaction.message()).to_bytes();
        transaction.sign_with(&self.wallet, signature).expect("the wallet signs");
        BASE64.encode(transaction.bytes())
    }

    pub(super) async fn send(&self, signed: &str) -> Result<Value, Value> {
        self.rpc("sendTransaction", json!([signed, {"encoding": "base64"}])).await
    }

    pub(super) async fn status(&self, signature: &Value) -> Value {
        self.rpc("getSignatureStatuses", json!([[signature]])).await.expect("statuses")["value"][0].clone()
    }

    pub(super) async fn landed(&self, signature: &Value) -> Value {
        let options = json!({"commitment": "confirmed", "maxSupportedTransactionVersion": 0});
        self.rpc("getTransaction", json!([signature, options])).await.expect("an answer")
    }

    pub(super) fn pass(&self, slots: u64) {
        self.clock.advance(slots * SLOT_MILLIS);
    }

    pub(super) fn lamports(&self) -> u64 {
        self.chain.account(&self.wallet, self.clock.now()).map_or(0, |account| account.lamports)
    }

    /// What the wallet's own account of a token holds.
    pub(super) fn held(&self, mint: &str) -> Option<u64> {
        let mint = mint.parse().expect("a mint");
        let account =
            self.chain.account(&associated_token::address(&self.wallet, &mint, &token::ID), self.clock.now())?;
        token::Account::unpack(&account.data).map(|held| held.amount)
    }

    pub(super) fn now(&self) -> u64 {
        self.clock.now()
    }
}

pub(super) fn units(value: &Value) -> u64 {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("no amount: {value}"))
}
