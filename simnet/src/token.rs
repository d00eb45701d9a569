//! The tokens of a world, and which of them share pools.

use std::collections::HashMap;
use std::sync::Arc;

/// One token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its symbol, unique: `USDC`.
    pub symbol: Arc<str>,
    /// Its mint. Native SOL carries that of wSOL, into which it is wrapped; any other mint is unique.
    pub mint: Arc<str>,
    /// Base units per token as a power of ten.
    pub decimals: u8,
    /// What one token is worth, in US dollars times 10¹²; without it no pool holds the token.
    pub reference_price: Option<u64>,
    /// Native: wrapped for the swap, unwrapped after.
    pub native: bool,
}

/// The tokens of a world by symbol and by mint.
#[derive(Debug)]
pub(crate) struct Tokens {
    all: Vec<Token>,
    /// The first token of the same mint.
    assets: Vec<u16>,
    by_symbol: HashMap<Arc<str>, u16>,
    /// Native tokens apart from all others.
    by_mint: [HashMap<Arc<str>, u16>; 2],
}

impl Tokens {
    /// Takes at most 1,000 tokens.
    pub(crate) fn new(all: Vec<Token>) -> Result<Self, String> {
        if all.len() > 1_000 {
            return Err("a world takes at most 1,000 tokens".to_owned());
        }
        let mut tokens = Self {
            all: Vec::new(),
            assets: Vec::new(),
            by_symbol: HashMap::new(),
            by_mint: [HashMap::new(), HashMap::new()],
        };
        let mut assets: HashMap<Arc<str>, u16> = HashMap::new();
        for token in all {
            if token.mint.len() > 64 {
                return Err(format!("{}: a mint has at most 64 characters", token.symbol));
            }
            let index = u16::try_from(tokens.all.len()).unwrap_or(u16::MAX);
            tokens.assets.push(*assets.entry(Arc::clone(&token.mint)).or_insert(index));
            let symbol = tokens.by_symbol.insert(Arc::clone(&token.symbol), index);
            let mint = tokens.by_mint[usize::from(token.native)].insert(Arc::clone(&token.mint), index);
            if symbol.is_some() || mint.is_some() {
                return Err(format!("{}: its symbol or mint is there already", token.symbol));
            }
            tokens.all.push(token);
        }
        Ok(tokens)
    }

    /// The index of the token of that symbol.
    pub(crate) fn by_symbol(&self, symbol: &str) -> Option<u16> {
        self.by_symbol.get(symbol).copied()
    }

    /// The index of the token of that mint, native or not.
    pub(crate) fn by_mint(&self, mint: &str, native: bool) -> Option<u16> {
        self.by_mint[usize::from(native)].get(mint).copied()
    }

    /// The token of that index.
    pub(crate) fn get(&self, index: u16) -> &Token {
        &self.all[usize::from(index)]
    }

    /// The asset that stands in pools for the token, one for SOL and wSOL: the index of the first token of the mint.
    pub(crate) fn asset(&self, index: u16) -> u16 {
        self.assets[usize::from(index)]
    }

    /// Every asset.
    pub(crate) fn assets(&self) -> impl Iterator<Item = u16> {
        (0_u16..).zip(&self.assets).filter(|(index, asset)| index == *asset).map(|(index, _)| index)
    }

    /// Every token.
    pub(crate) fn all(&self) -> &[Token] {
        &self.all
    }
}
