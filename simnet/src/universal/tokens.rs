//! What is traded: the tokens with their reference prices, and the chains they live on.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::evm::Address;

/// One token of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// As requests name it: `BTC`.
    pub name: &'static str,
    /// What one whole token is taken to be worth, in billionths of a thousandth of a US dollar: dollars times 10¹².
    pub price: u64,
}

/// The tokens in the order of the list that clients know. The prices are reference figures, of no particular day; nothing
/// moves them.
pub static TOKENS: LazyLock<Vec<Token>> =
    LazyLock::new(|| include_str!("prices.csv").lines().filter_map(Token::read).collect());

/// The token of that exact name.
#[must_use]
pub fn token(name: &str) -> Option<&'static Token> {
    TOKENS.iter().find(|token| token.name == name)
}

/// Decimals of USDC, everywhere.
pub(super) const USDC_DECIMALS: u8 = 6;
/// Decimals of the list's tokens on Solana, whose programs count to 2⁶⁴: simulated.
pub(super) const SOLANA_TOKEN_DECIMALS: u8 = 9;
/// The same on EVM chains.
const EVM_TOKEN_DECIMALS: u8 = 18;

impl Token {
    /// Where it has its contract, the same on all EVM chains. Five are public knowledge; the others are simulated: the last 20
    /// bytes of the Keccak-256 of `simulated uAsset ` and the name.
    #[must_use]
    pub fn contract(&self) -> Address {
        Address(match self.name {
            "SOL" => hex(b"9b8df6e244526ab5f6e6400d331db28c8fdddb55"),
            "SUI" => hex(b"b0505e5a99abd03d94a1169e638b78edfed26ea4"),
            "ADA" => hex(b"a3a34a0d9a08ccddb6ed422ac0a28a06731335aa"),
            "XRP" => hex(b"2615a94df961278dcbc41fb0a54fec5f10a693ae"),
            "DOGE" => hex(b"12e96c2bfea6e835cf8dd38a5834fa61cf723736"),
            name => return Address::derived(&format!("simulated uAsset {name}")),
        })
    }

    /// The price as decimal text.
    pub(super) fn dollars(&self) -> String {
        const ONE: u64 = 1_000_000_000_000;
        let text = format!("{}.{:012}", self.price / ONE, self.price % ONE);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }

    /// `BTC,90000`
    fn read(line: &'static str) -> Option<Self> {
        let (name, dollars) = line.split_once(',')?;
        let (whole, rest) = dollars.split_once('.').unwrap_or((dollars, ""));
        let price = format!("{whole}{rest:0<12}").parse().ok()?;
        Some(Self { name, price })
    }
}

/// A chain that orders are filled on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Chain {
    /// Arbitrum One.
    Arbitrum,
    /// Base.
    Base,
    /// Polygon.
    Polygon,
    /// World Chain.
    World,
    /// Solana, whose orders are transactions.
    Solana,
}

impl Chain {
    /// The chains whose orders are typed data, in the order that clients know.
    pub const EVM: [Self; 4] = [Self::Arbitrum, Self::Base, Self::Polygon, Self::World];

    /// As requests name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Arbitrum => "ARBITRUM",
            Self::Base => "BASE",
            Self::Polygon => "POLYGON",
            Self::World => "WORLD",
            Self::Solana => "SOLANA",
        }
    }

    /// The chain of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::EVM.into_iter().chain([Self::Solana]).find(|chain| chain.as_str() == name)
    }

    /// Decimals of the list's tokens there.
    #[must_use]
    pub const fn token_decimals(self) -> u8 {
        match self {
            Self::Solana => SOLANA_TOKEN_DECIMALS,
            _ => EVM_TOKEN_DECIMALS,
        }
    }

    /// Its number (EIP-155, chainlist.org); none for Solana.
    #[must_use]
    pub const fn id(self) -> Option<u64> {
        match self {
            Self::Arbitrum => Some(42_161),
            Self::Base => Some(8_453),
            Self::Polygon => Some(137),
            Self::World => Some(480),
            Self::Solana => None,
        }
    }

    /// Circle's USDC there (developers.circle.com, "USDC contract addresses"); none for Solana.
    #[must_use]
    pub const fn usdc(self) -> Option<Address> {
        Some(Address(match self {
            Self::Arbitrum => hex(b"af88d065e77c8cc2239327c5edb3a432268e5831"),
            Self::Base => hex(b"833589fcd6edb6e08f4c7c32d4f71b54bda02913"),
            Self::Polygon => hex(b"3c499c542cef5e3811e1192ce70d8cc03d5c3359"),
            Self::World => hex(b"79a02482a880bce3f13e09da970dc34db4cd24d1"),
            Self::Solana => return None,
        }))
    }
}

/// Forty digits of the sixteen, as bytes. What is no digit counts as zero: only constants are read so, and a test reads them
/// again.
pub(super) const fn hex(digits: &[u8; 40]) -> [u8; 20] {
    const fn value(digit: u8) -> u8 {
        match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => 0,
        }
    }
    let mut bytes = [0; 20];
    let mut at = 0;
    while at < 20 {
        bytes[at] = value(digits[2 * at]) << 4 | value(digits[2 * at + 1]);
        at += 1;
    }
    bytes
}
