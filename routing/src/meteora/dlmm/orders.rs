//! Bins in which limit orders lie beside the liquidity: layers at one price, taken one after the other.

use super::bin::{Fill, Terms, share};
use crate::math::mul_div_ceil;
use crate::swap::PoolError;

/// The part of a fee on limit orders that their owners get, in 1e-4. The protocol gets the rest.
const OWNERS_SHARE: u64 = 5_000;

/// What a bin has for sale, in the order in which it is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layers {
    /// Of liquidity providers.
    pub(super) provisions: u64,
    /// Of limit orders that are being filled.
    pub(super) processed: u64,
    /// Of limit orders that nobody has touched.
    pub(super) open: u64,
}

impl Layers {
    /// What is taken first, if there is anything.
    pub(super) fn first(self) -> Option<u64> {
        self.all().into_iter().find(|&layer| layer > 0)
    }

    /// All of it; it may exceed what an amount can be.
    pub(super) fn total(self) -> u128 {
        self.all().into_iter().map(u128::from).sum()
    }

    /// Pays `amount`, or as much of it as the bin takes.
    #[inline(never)]
    pub(super) fn pay(self, terms: Terms, amount: u64) -> Result<Fill, PoolError> {
        let net = terms.net(amount);
        match self.input_for_all(&terms) {
            Some(most) if net > most => self.fill(&terms, terms.gross_input(most)?, most),
            _ => self.fill(&terms, amount, net),
        }
    }

    /// Receives `amount`, or as much of it as the bin has.
    #[inline(never)]
    pub(super) fn receive(self, terms: Terms, amount: u64) -> Result<Fill, PoolError> {
        let mut rest = terms.gross_output(amount);
        if u128::from(rest) >= self.total() {
            let most = self.input_for_all(&terms).ok_or(PoolError::Overflow)?;
            return self.fill(&terms, terms.gross_input(most)?, most);
        }
        let mut net = 0_u64;
        for layer in self.all() {
            let part = rest.min(layer);
            rest -= part;
            net = net.checked_add(terms.input_for(part)?).ok_or(PoolError::Overflow)?;
        }
        let fill = self.fill(&terms, terms.gross_input(net)?, net)?;
        terms.keep(fill, amount)
    }

    /// What `net` buys, the remainder of `paid` after a fee on it. It is no more than the input for everything.
    fn fill(self, terms: &Terms, paid: u64, net: u64) -> Result<Fill, PoolError> {
        let mut left = net;
        let mut take = |layer: u64| {
            if left == 0 || layer == 0 {
                return Ok((0, 0));
            }
            let most = terms.input_for(layer)?;
            let used = left.min(most);
            left -= used;
            let bought = if used == most { layer } else { terms.output_for(used)? };
            Ok((used, bought))
        };
        let (provided, provisions) = take(self.provisions)?;
        let (_, processed) = take(self.processed)?;
        let (_, open) = take(self.open)?;
        let bought =
            provisions.checked_add(processed).and_then(|sum| sum.checked_add(open)).ok_or(PoolError::Overflow)?;
        let fee = terms.fee(paid, net, bought);
        let received = if terms.fee_on_input { bought } else { bought - fee };
        let (protocol, owners) = parts(terms, fee, provided, net);
        Ok(Fill { paid, received, fee, protocol, owners, provided, provisions, processed, open })
    }

    /// The input that buys everything, before a fee on it; none where it does not fit.
    fn input_for_all(self, terms: &Terms) -> Option<u64> {
        self.all().into_iter().try_fold(0_u64, |sum, layer| sum.checked_add(terms.input_for(layer).ok()?))
    }

    fn all(self) -> [u64; 3] {
        [self.provisions, self.processed, self.open]
    }
}

/// The protocol's and the owners' parts of a fee, where liquidity providers took `provided` of `net`.
fn parts(terms: &Terms, fee: u64, provided: u64, net: u64) -> (u64, u64) {
    // Providers took no more than all, so their part is no more than the fee; of nothing they have none.
    let of_providers = mul_div_ceil(u128::from(fee), u128::from(provided), u128::from(net));
    let of_providers = of_providers.and_then(|part| u64::try_from(part).ok()).unwrap_or(0).min(fee);
    let of_orders = fee - of_providers;
    let owners = share(of_orders, OWNERS_SHARE);
    (of_orders - owners + share(of_providers, u64::from(terms.protocol_share)), owners)
}
