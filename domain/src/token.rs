//! The tokens that can be traded: symbol, mint, decimals; built in, and more from a file.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::amount::MAX_DECIMALS;

/// One token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Token {
    /// 1 to 12 letters and digits, case-sensitive: `USDC`.
    pub symbol: Arc<str>,
    /// The mint's address on Solana (base58). SOL, which has none, carries that of wSOL, into which it is wrapped.
    pub mint: String,
    /// Base units per token as a power of ten.
    pub decimals: u8,
    /// What the simulated venues take one token to be worth, in US dollars times [`REFERENCE_SCALE`]; a token without
    /// it is quoted by outside venues only.
    #[serde(default)]
    pub reference_price: Option<u64>,
    /// Whether what is held is to end up in it: while the installation reduces what it holds, only orders into such a token trade.
    #[serde(default)]
    pub settlement: bool,
}

/// Reference prices are in US dollars times this: fine enough for tokens of a millionth of a cent.
pub const REFERENCE_SCALE: u64 = 1_000_000_000_000;

impl Token {
    /// Native SOL: wrapped for the swap, unwrapped after.
    #[must_use]
    pub fn is_native(&self) -> bool {
        &*self.symbol == "SOL"
    }
}

/// The tokens of one installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registry {
    tokens: BTreeMap<Arc<str>, Token>,
}

/// Symbol, mint, decimals, reference price in US dollars times [`REFERENCE_SCALE`].
const BUILT_IN: [(&str, &str, u8, u64); 9] = [
    ("SOL", "So11111111111111111111111111111111111111112", 9, 150_000_000_000_000),
    ("wSOL", "So11111111111111111111111111111111111111112", 9, 150_000_000_000_000),
    ("USDC", "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v", 6, 1_000_000_000_000),
    ("USDT", "Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB", 6, 1_000_000_000_000),
    ("BONK", "DezXAZ8z7PnrnRJjz3wXBoRgixCa6xjnB7YaB1pPB263", 5, 20_000_000),
    ("JUP", "JUPyiwrYJFskUPiHa7hkeR8VUtAeFoSYbKedZNsDvCN", 6, 500_000_000_000),
    ("RAY", "4k3Dyjzvzp8eMZWUXbBCjEvwSkkk59S5iCNLY3QrkX6R", 6, 2_000_000_000_000),
    ("ETH", "7vfCXTUXx5WJV5JADk17DUJ4ksgau7utNKj4b963voxs", 8, 3_000_000_000_000_000),
    ("BTC", "3NZ9JMVBmGAqocybic2c7LQCJScmgsAZ6vQqTDzcqmJh", 8, 90_000_000_000_000_000),
];

/// Those of the built-in tokens in which trades are settled.
const SETTLEMENT: [&str; 2] = ["USDC", "USDT"];

impl Default for Registry {
    fn default() -> Self {
        let token = |(symbol, mint, decimals, price): (&str, &str, u8, u64)| Token {
            symbol: symbol.into(),
            mint: mint.to_owned(),
            decimals,
            reference_price: Some(price),
            settlement: SETTLEMENT.contains(&symbol),
        };
        Self { tokens: BUILT_IN.into_iter().map(token).map(|t| (Arc::clone(&t.symbol), t)).collect() }
    }
}

impl Registry {
    /// The token of that exact symbol.
    #[must_use]
    pub fn get(&self, symbol: &str) -> Option<&Token> {
        self.tokens.get(symbol)
    }

    /// Every token, by symbol.
    pub fn all(&self) -> impl Iterator<Item = &Token> {
        self.tokens.values()
    }

    /// Adds tokens from a JSON array of `{symbol, mint, decimals, referencePrice?, settlement?}`.
    ///
    /// # Errors
    /// A sentence for the operator: what is wrong and where.
    pub fn extend_from_json(&mut self, json: &str) -> Result<(), String> {
        let more: Vec<Token> = serde_json::from_str(json).map_err(|e| e.to_string())?;
        for token in more {
            let symbol = &token.symbol;
            if !(1..=12).contains(&symbol.len()) || !symbol.bytes().all(|b| b.is_ascii_alphanumeric()) {
                return Err(format!("{symbol:?} is no symbol: expected 1 to 12 letters and digits"));
            }
            if token.decimals > MAX_DECIMALS {
                return Err(format!("{symbol}: at most {MAX_DECIMALS} decimals"));
            }
            if token.mint.is_empty() || self.tokens.values().any(|t| t.mint == token.mint) {
                return Err(format!("{symbol}: its mint is empty or another token's"));
            }
            if self.tokens.contains_key(symbol) {
                return Err(format!("{symbol} is there already"));
            }
            self.tokens.insert(Arc::clone(symbol), token);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_adds_tokens_and_changes_none() {
        let mut registry = Registry::default();
        assert_eq!(registry.all().count(), 9);
        registry.extend_from_json(r#"[{"symbol":"WIF","mint":"EKpQ","decimals":6}]"#).expect("a good file");
        assert_eq!(registry.get("WIF").map(|t| (t.decimals, t.settlement)), Some((6, false)));
        registry
            .extend_from_json(r#"[{"symbol":"EURC","mint":"HzwqbK","decimals":6,"settlement":true}]"#)
            .expect("good");
        let settled: Vec<_> = registry.all().filter(|t| t.settlement).map(|t| &*t.symbol).collect();
        assert_eq!(settled, ["EURC", "USDC", "USDT"]);
        for (bad, says) in [
            (r#"[{"symbol":"USDC","mint":"x","decimals":6}]"#, "there already"),
            (r#"[{"symbol":"a b","mint":"x","decimals":6}]"#, "no symbol"),
            (r#"[{"symbol":"X","mint":"EKpQ","decimals":6}]"#, "another token's"),
            (r#"[{"symbol":"X","mint":"x","decimals":99}]"#, "at most 24"),
            (r#"[{"symbol":"X","mint":"x","decimals":6,"colour":1}]"#, "colour"),
        ] {
            let error = registry.extend_from_json(bad).expect_err(bad);
            assert!(error.contains(says), "{error}");
        }
    }
}
