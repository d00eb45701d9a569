//! The way of a quote through pools, in the words of the registry. Nothing here waits.

use std::collections::HashMap;
use std::sync::Arc;

use domain::swap::{Ask, Leg};
use domain::token::{Registry, Token};

/// The most swaps that a quote is shown with.
const SHOWN: usize = 16;
/// The most pools one after the other.
const DEEP: usize = 8;

/// A swap as a venue names it: by mints.
pub(super) struct Hop {
    pub(super) pool: String,
    pub(super) exchange: String,
    pub(super) input: String,
    pub(super) output: String,
    pub(super) amount_in: u64,
    pub(super) amount_out: u64,
    /// In base units of the mint beside it, where the venue says.
    pub(super) fee: Option<(u64, String)>,
}

/// Tokens by their mint; wrapped SOL, not SOL, which has the same.
pub(super) struct Mints(HashMap<String, Token>);

impl Mints {
    pub(super) fn new(tokens: &Registry) -> Self {
        let all = tokens.all().filter(|token| !token.is_native());
        Self(all.map(|token| (token.mint.clone(), token.clone())).collect())
    }

    fn token(&self, mint: &str, ask: &Ask) -> Option<(Arc<str>, u8)> {
        let token = self.0.get(mint)?;
        // Native SOL is named as its trader names it.
        let native = |symbol: &Arc<str>| &**symbol == "SOL" && &*token.symbol == "wSOL";
        let symbol = [&ask.input, &ask.output].into_iter().find(|symbol| native(symbol)).unwrap_or(&token.symbol);
        Some((Arc::clone(symbol), token.decimals))
    }

    /// The legs and the whole fee in the input token. No legs where a token is unknown; the fee then is what is known of it.
    pub(super) fn legs(&self, hops: &[Hop], ask: &Ask, input_mint: &str) -> (Vec<Leg>, u128) {
        let fee = hops.iter().filter_map(|hop| hop.fee.as_ref());
        let fee = fee.filter_map(|(fee, mint)| in_input((*fee).into(), mint, hops, input_mint, DEEP)).sum();
        let legs: Option<Vec<Leg>> = hops.iter().map(|hop| self.leg(hop, ask)).collect();
        (legs.filter(|legs| legs.len() <= SHOWN).unwrap_or_default(), fee)
    }

    fn leg(&self, hop: &Hop, ask: &Ask) -> Option<Leg> {
        let ((input, input_decimals), (output, output_decimals)) =
            (self.token(&hop.input, ask)?, self.token(&hop.output, ask)?);
        let (fee, fee_token) = match &hop.fee {
            Some((fee, mint)) if *mint == hop.output => (*fee, Arc::clone(&output)),
            Some((fee, _)) => (*fee, Arc::clone(&input)),
            None => (0, Arc::clone(&input)),
        };
        Some(Leg {
            pool: hop.pool.as_str().into(),
            exchange: hop.exchange.as_str().into(),
            family: hop.exchange.to_lowercase().replace(' ', "_").into(),
            input,
            input_decimals,
            output,
            output_decimals,
            amount_in: hop.amount_in.into(),
            amount_out: hop.amount_out.into(),
            fee: fee.into(),
            fee_token,
            price_impact_bps: 0,
        })
    }
}

/// An amount of a token in the input token, at the prices of the hops, rounded up.
fn in_input(amount: u128, mint: &str, hops: &[Hop], input: &str, deep: usize) -> Option<u128> {
    if mint == input {
        return Some(amount);
    }
    let hop = hops.iter().find(|hop| hop.output == mint).filter(|_| deep > 0)?;
    let before = amount.checked_mul(hop.amount_in.into())?.div_ceil(u128::from(hop.amount_out).max(1));
    in_input(before, &hop.input, hops, input, deep - 1)
}

#[cfg(test)]
mod tests {
    use domain::swap::Mode;

    use super::*;

    fn hop(input: &str, output: &str, amounts: [u64; 2], fee: (u64, &str)) -> Hop {
        let tokens = Registry::default();
        let mint = |symbol: &str| tokens.get(symbol).map_or_else(|| symbol.to_owned(), |token| token.mint.clone());
        let [amount_in, amount_out] = amounts;
        let fee = Some((fee.0, mint(fee.1)));
        let (pool, exchange) = ("pool".to_owned(), "Raydium CLMM".to_owned());
        Hop { pool, exchange, input: mint(input), output: mint(output), amount_in, amount_out, fee }
    }

    #[test]
    fn fees_count_in_the_input_token() {
        let tokens = Registry::default();
        let mints = Mints::new(&tokens);
        let ask = Ask { input: "SOL".into(), output: "BONK".into(), mode: Mode::ExactIn, amount: 1_000 };
        let sol = tokens.get("SOL").expect("known").mint.clone();
        let hops = [hop("SOL", "USDC", [1_000, 150], (3, "SOL")), hop("USDC", "BONK", [150, 9_000], (1, "USDC"))];
        let (legs, fee) = mints.legs(&hops, &ask, &sol);
        assert_eq!(fee, 3 + 7, "one of 150 is 6.67 of 1,000");
        assert_eq!((&*legs[0].input, &*legs[1].fee_token, &*legs[1].family), ("SOL", "USDC", "raydium_clmm"));
        let unknown =
            [hop("SOL", "mystery", [1_000, 5], (3, "SOL")), hop("mystery", "BONK", [5, 9_000], (1, "mystery"))];
        assert_eq!(mints.legs(&unknown, &ask, &sol), (Vec::new(), 203));
    }
}
