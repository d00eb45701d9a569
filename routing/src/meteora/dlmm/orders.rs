//! Bins in which limit orders lie beside the liquidity: layers at one price, taken one after the other.

use super::bin::{Fill, Terms, share};
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
        match self.inputs(&terms) {
            Some((of_provisions, of_all)) if net > of_all => self.all_for(&terms, of_provisions, of_all),
            _ => self.fill(&terms, amount, net),
        }
    }

    /// Receives `amount`, or as much of it as the bin has.
    #[inline(never)]
    pub(super) fn receive(self, terms: Terms, amount: u64) -> Result<Fill, PoolError> {
        let mut rest = terms.gross_output(amount);
        if u128::from(rest) >= self.total() {
            let (of_provisions, of_all) = self.inputs(&terms).ok_or(PoolError::Overflow)?;
            return self.all_for(&terms, of_provisions, of_all);
        }
        let mut net = 0_u64;
        for layer in self.all() {
            let part = rest.min(layer);
            rest -= part;
            net = net.checked_add(input_for(&terms, part)?).ok_or(PoolError::Overflow)?;
        }
        let fill = self.fill(&terms, terms.gross_input(net)?, net)?;
        terms.keep(fill, amount)
    }

    /// Everything, of which liquidity providers give theirs for `of_provisions` of `of_all`.
    fn all_for(self, terms: &Terms, of_provisions: u64, of_all: u64) -> Result<Fill, PoolError> {
        self.settle(terms, terms.gross_input(of_all)?, of_all, of_provisions)
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
        // What is left of open orders joins those that are being filled.
        self.processed.checked_add(self.open).ok_or(PoolError::Overflow)?;
        Self { provisions, processed, open }.settle(terms, paid, net, provided)
    }

    /// Gives all of these layers for `net`, which remains of `paid` after a fee on it and of which providers take `provided`.
    fn settle(self, terms: &Terms, paid: u64, net: u64, provided: u64) -> Result<Fill, PoolError> {
        let Self { provisions, processed, open } = self;
        let orders = processed.checked_add(open).ok_or(PoolError::Overflow)?;
        let bought = provisions.checked_add(orders).ok_or(PoolError::Overflow)?;
        let fee = terms.fee(paid, net, bought);
        let received = if terms.fee_on_input { bought } else { bought - fee };
        let (protocol, owners) = parts(terms, fee, provided, net);
        Ok(Fill { paid, received, fee, protocol, owners, provided, provisions, processed, open })
    }

    /// The inputs that buy the provisions and everything, before a fee on them; none where they do not fit.
    fn inputs(self, terms: &Terms) -> Option<(u64, u64)> {
        let [provisions, processed, open] = self.all().map(|layer| input_for(terms, layer).ok());
        Some((provisions?, provisions?.checked_add(processed?)?.checked_add(open?)?))
    }

    fn all(self) -> [u64; 3] {
        [self.provisions, self.processed, self.open]
    }
}

/// The least input that buys a layer, before a fee on it. Many are empty.
fn input_for(terms: &Terms, layer: u64) -> Result<u64, PoolError> {
    if layer == 0 { Ok(0) } else { terms.input_for(layer) }
}

/// The protocol's and the owners' parts of a fee, where liquidity providers took `provided` of `net`.
fn parts(terms: &Terms, fee: u64, provided: u64, net: u64) -> (u64, u64) {
    let of_providers = match provided {
        0 => 0,
        _ if provided == net => fee,
        // Providers took less than all, so their part is no more than the fee.
        _ => part_up(fee, provided, net),
    };
    let of_orders = fee - of_providers;
    let owners = share(of_orders, OWNERS_SHARE);
    (of_orders - owners + share(of_providers, u64::from(terms.protocol_share)), owners)
}

/// `⌈fee · part / whole⌉`, of a part that is no more than the whole, which is not zero.
fn part_up(fee: u64, part: u64, whole: u64) -> u64 {
    let sum = u128::from(fee) * u128::from(part) + u128::from(whole - 1);
    u64::try_from(sum / u128::from(whole)).unwrap_or(fee)
}
