//! Network files: `{"now", "tokens": [{"id", …}], "pools": [{"id", "kind", "token_a", "token_b", "pool": {…}}], "trades": […]}`,
//! integers as decimal text.

use std::fmt::Write as _;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;
use thiserror::Error;

use super::Network;
use crate::decimal;
use crate::pool::Pool;

/// A network and the trades that are to be tried in it.
#[derive(Clone, Debug)]
pub struct NetworkFile {
    /// Its tokens and pools; those that cannot be are left out of it, and said to be.
    pub network: Network,
    /// What is to be routed, each from the same state.
    pub trades: Vec<Trade>,
}

/// A trade to try.
#[derive(Clone, Debug, Deserialize)]
pub struct Trade {
    /// The token that is paid.
    pub from: Arc<str>,
    /// The token that is received.
    pub to: Arc<str>,
    /// What is paid, in base units.
    #[serde(with = "decimal")]
    pub amount: u64,
    /// The most that any route gives, rounding aside, in base units with decimals; where it is known.
    pub optimum: Option<String>,
    /// A bound of it that was computed elsewhere.
    pub upper_bound: Option<String>,
    /// `small`, `medium` or `large`.
    pub size: Option<String>,
}

/// A network file cannot be read as a whole.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct ReadError(String);

#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(with = "decimal")]
    now: u64,
    tokens: Vec<RawToken>,
    #[serde(borrow)]
    pools: Vec<&'a RawValue>,
    #[serde(default)]
    trades: Vec<Trade>,
}

#[derive(Deserialize)]
struct RawToken {
    id: Arc<str>,
}

#[derive(Deserialize)]
struct Named {
    id: Arc<str>,
}

#[derive(Deserialize)]
struct RawPool<'a> {
    id: Arc<str>,
    kind: String,
    token_a: String,
    token_b: String,
    #[serde(borrow)]
    pool: &'a RawValue,
}

impl NetworkFile {
    /// Reads a file's text. A pool of an unknown family, with a wrong field or of an impossible state is left out of the
    /// network and named in [`Network::left_out`].
    ///
    /// # Errors
    /// The text is no JSON, or lacks what is no pool's own: says where.
    pub fn read(text: &str) -> Result<Self, ReadError> {
        let mut reader = serde_json::Deserializer::from_str(text);
        let raw: Raw<'_> = serde_path_to_error::deserialize(&mut reader).map_err(|e| ReadError(told(&e, "")))?;
        let mut network = Network::new(raw.tokens.into_iter().map(|token| token.id), raw.now);
        for (place, text) in raw.pools.into_iter().enumerate() {
            if let Err(why) = list(&mut network, text.get()) {
                let named: Option<Named> = serde_json::from_str(text.get()).ok();
                network.leave_out(named.map_or_else(|| format!("pools[{place}]").into(), |named| named.id), why);
            }
        }
        Ok(Self { network, trades: raw.trades })
    }
}

/// Lists one pool of a file.
fn list(network: &mut Network, text: &str) -> Result<(), String> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let raw: RawPool<'_> = serde_path_to_error::deserialize(&mut reader).map_err(|e| told(&e, ""))?;
    let pool = Pool::read(&raw.kind, raw.pool.get())?;
    network.list(raw.id, (&raw.token_a, &raw.token_b), pool).map(|_| ()).map_err(|error| error.to_string())
}

impl Pool {
    /// Reads the state of a pool of the family `kind`.
    ///
    /// # Errors
    /// A sentence that names the field: the family is unknown, or the state does not fit it.
    pub fn read(kind: &str, state: &str) -> Result<Self, String> {
        macro_rules! state_of {
            ($family:expr) => {{
                let mut reader = serde_json::Deserializer::from_str(state);
                serde_path_to_error::deserialize(&mut reader).map($family).map_err(|e| told(&e, "pool."))
            }};
        }
        match kind {
            "raydium_amm_v4" => state_of!(Self::RaydiumAmmV4),
            "raydium_cpmm" => state_of!(Self::RaydiumCpmm),
            "raydium_clmm" | "raydium_clmm_2026" => state_of!(Self::RaydiumClmm),
            "meteora_dlmm" | "meteora_dlmm_orders" => state_of!(Self::MeteoraDlmm),
            "meteora_damm_v2" => state_of!(Self::MeteoraDammV2),
            "meteora_damm_v1" => state_of!(Self::MeteoraDammV1),
            _ => Err(format!("kind: no pool family {kind}")),
        }
    }
}

/// An error with the path to its field.
fn told(error: &serde_path_to_error::Error<serde_json::Error>, prefix: &str) -> String {
    let path = error.path().to_string();
    let mut text = if path == "." { prefix.trim_end_matches('.').to_owned() } else { format!("{prefix}{path}") };
    if !text.is_empty() {
        text.push_str(": ");
    }
    let _ = write!(text, "{}", error.inner());
    text
}
