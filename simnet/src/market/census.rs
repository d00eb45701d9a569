//! Which pools there are: what kinds of them a pair of assets has, how deep, at which fee.

use crate::Exchange;
use crate::token::{Token, Tokens};

/// A kind of pool as pairs of a class have it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    pub(super) family: Family,
    /// The trade fee, in millionths.
    pub(super) fee: u32,
    /// What either side holds, in thousands of US dollars, before chance makes it up to a half more or less.
    pub(super) depth: u32,
}

/// The mathematics of a pool, and how its liquidity lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// Raydium AMM v4.
    AmmV4,
    /// Raydium CPMM.
    Cpmm,
    /// Raydium CLMM.
    Clmm {
        spacing: u16,
        /// How far to each side of the middle its positions reach, in ticks, ascending.
        reaches: &'static [i32],
        /// Whether its fee grows with the price's movement.
        dynamic: bool,
    },
    /// Meteora DLMM, with bins of a width in 1e-4.
    Dlmm { step: u16 },
    /// Meteora DAMM v2 over one range of prices.
    Range,
    /// Meteora DAMM v2, compounding.
    Compounding,
    /// Meteora DAMM v1 with a constant product.
    Vaults,
    /// Meteora DAMM v1 with a stable curve.
    Stable { amplification: u64 },
}

impl Family {
    /// As in the pool's JSON.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::AmmV4 => "raydium_amm_v4",
            Self::Cpmm => "raydium_cpmm",
            Self::Clmm { .. } => "raydium_clmm",
            Self::Dlmm { .. } => "meteora_dlmm",
            Self::Range | Self::Compounding => "meteora_damm_v2",
            Self::Vaults | Self::Stable { .. } => "meteora_damm_v1",
        }
    }

    pub(super) const fn exchange(self) -> Exchange {
        match self {
            Self::AmmV4 | Self::Cpmm | Self::Clmm { .. } => Exchange::Raydium,
            Self::Dlmm { .. } | Self::Range | Self::Compounding | Self::Vaults | Self::Stable { .. } => {
                Exchange::Meteora
            }
        }
    }
}

const fn kind(family: Family, fee: u32, depth: u32) -> Kind {
    Kind { family, fee, depth }
}

const fn clmm(spacing: u16, reaches: &'static [i32]) -> Family {
    Family::Clmm { spacing, reaches, dynamic: false }
}

/// The native token against a stable coin.
const HUBS: [Kind; 12] = [
    kind(Family::AmmV4, 2_500, 15_000),
    kind(clmm(1, &[50, 100, 200, 400, 800, 2_000, 6_000, 30_000]), 400, 8_000),
    kind(clmm(1, &[20, 60, 150, 500, 1_500, 9_000]), 100, 700),
    kind(Family::Clmm { spacing: 60, reaches: &[180, 600, 2_400, 12_000], dynamic: true }, 2_500, 2_000),
    kind(Family::Cpmm, 2_500, 1_000),
    kind(Family::Cpmm, 10_000, 250),
    kind(Family::Dlmm { step: 4 }, 400, 1_500),
    kind(Family::Dlmm { step: 10 }, 1_000, 1_200),
    kind(Family::Dlmm { step: 1 }, 100, 100),
    kind(Family::Range, 2_500, 900),
    kind(Family::Compounding, 3_000, 400),
    kind(Family::Vaults, 2_500, 3_000),
];

/// Two stable coins.
const STABLES: [Kind; 6] = [
    kind(clmm(1, &[3, 6, 12, 25, 60, 200]), 100, 8_000),
    kind(Family::Cpmm, 2_500, 1_000),
    kind(Family::AmmV4, 2_500, 300),
    kind(Family::Dlmm { step: 1 }, 100, 5_000),
    kind(Family::Stable { amplification: 100 }, 400, 4_000),
    kind(Family::Range, 1_000, 600),
];

/// Any other asset against a hub.
const MAJORS: [Kind; 6] = [
    kind(Family::AmmV4, 2_500, 3_000),
    kind(clmm(60, &[180, 360, 720, 1_440, 3_600, 12_000]), 2_500, 2_000),
    kind(Family::Cpmm, 2_500, 400),
    kind(Family::Dlmm { step: 20 }, 2_000, 1_200),
    kind(Family::Range, 3_000, 500),
    kind(Family::Vaults, 2_500, 800),
];

/// Any other asset against the least of three hubs.
const MINORS: [Kind; 3] = [
    kind(Family::Cpmm, 2_500, 400),
    kind(clmm(60, &[240, 900, 3_600, 12_000]), 2_500, 250),
    kind(Family::Dlmm { step: 25 }, 2_500, 300),
];

/// An asset among very many, against the first hub alone.
const CROWD: [Kind; 2] = [kind(Family::AmmV4, 2_500, 500), kind(Family::Vaults, 2_500, 500)];

/// So many assets have pools with every hub.
const WELL_CONNECTED: usize = 12;

/// So many more have every kind of pool with the first hub.
const CONNECTED: usize = 48;

/// The pairs of assets that are traded directly, and their kinds of pools. An asset is named by the first token that has
/// its mint.
pub(super) fn pairs(tokens: &Tokens) -> Vec<([u16; 2], &'static [Kind])> {
    let priced = |index: &u16| tokens.get(*index).reference_price.is_some_and(|price| price > 0);
    let assets: Vec<u16> = tokens.assets().filter(priced).collect();
    let native = assets.iter().copied().filter(|index| tokens.get(*index).native);
    let stable = assets.iter().copied().filter(|index| is_stable(tokens.get(*index))).take(2);
    let mut hubs: Vec<u16> = native.chain(stable).take(3).collect();
    if hubs.is_empty() {
        hubs.extend(assets.first());
    }
    let mut pairs = Vec::new();
    for (place, first) in hubs.iter().enumerate() {
        for second in &hubs[place + 1..] {
            let both_stable = is_stable(tokens.get(*first)) && is_stable(tokens.get(*second));
            pairs.push(([*first, *second], if both_stable { &STABLES[..] } else { &HUBS[..] }));
        }
    }
    let others = assets.iter().copied().filter(|index| !hubs.contains(index));
    for (rank, asset) in others.enumerate() {
        let reached = if rank < WELL_CONNECTED { hubs.len() } else { 1 };
        for (place, hub) in hubs.iter().take(reached).enumerate() {
            let kinds = match place {
                _ if rank >= CONNECTED => &CROWD[..],
                0 | 1 => &MAJORS[..],
                _ => &MINORS[..],
            };
            pairs.push(([asset, *hub], kinds));
        }
    }
    pairs
}

/// Worth a dollar, but for one per cent.
pub(super) fn is_stable(token: &Token) -> bool {
    const DOLLAR: u64 = 1_000_000_000_000;
    token.reference_price.is_some_and(|price| price.abs_diff(DOLLAR) <= DOLLAR / 100)
}
