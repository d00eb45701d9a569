//! What a quote for a small amount says of limit prices: which cross, and whether it got better.

use domain::amount::Decimal;
use domain::swap::{LimitPrice, Side, price_units};

/// An order counts as crossing that much before its price: the part of its price that a small amount's rounding may take.
const MARGIN: u128 = 5_000;
/// A price is better when it is so by this part of itself.
const STEP: u128 = 10_000;

/// Where prices stand on a ladder: the lower, the sooner it is crossed, whatever the side.
pub(super) type Rung = u128;

/// The present price of a pair, for sales and for purchases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rate {
    sale: Level,
    purchase: Level,
}

/// How far up a ladder orders cross, and from where on that is better than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Level {
    /// Orders up to here cross.
    pub(super) reached: Rung,
    /// What was reached when it is better now was below this.
    pub(super) better_than: Rung,
}

impl Rate {
    /// The rate of a swap of so much; none where it is too large or too small for a limit price.
    pub(super) fn of(paid: Decimal, received: Decimal) -> Option<Self> {
        // The most that a sale may have of one input token, and the least that a purchase may cost.
        let most = price_units(received, paid, true)?;
        let least = price_units(paid, received, false)?;
        Some(Self {
            sale: Level {
                reached: most.checked_add(most / MARGIN + 1)?,
                better_than: most.checked_add(most / MARGIN + 1)?.checked_sub(most / STEP + 1)?,
            },
            purchase: Level {
                reached: u128::MAX - least.saturating_sub(least / MARGIN + 1),
                better_than: (u128::MAX - least.saturating_sub(least / MARGIN + 1)).checked_sub(least / STEP + 1)?,
            },
        })
    }

    pub(super) const fn of_side(&self, side: Side) -> Level {
        match side {
            Side::Sell => self.sale,
            Side::Buy => self.purchase,
        }
    }
}

/// Where a limit price stands.
pub(super) const fn rung(side: Side, price: LimitPrice) -> Rung {
    match side {
        Side::Sell => price.units(),
        // The most that may be paid: the higher, the sooner.
        Side::Buy => u128::MAX - price.units(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crosses(side: Side, price: &str, rate: &Rate) -> bool {
        rung(side, LimitPrice::parse(price).expect("a price")) <= rate.of_side(side).reached
    }

    #[test]
    fn prices_cross_from_both_sides() {
        let one = |units, decimals| Decimal { units, decimals };
        // A SOL for 150 USDC: a USDC costs 0.00666… SOL.
        let rate = Rate::of(one(1_000_000_000, 9), one(150_000_000, 6)).expect("a rate");
        for (side, price, expected) in [
            (Side::Sell, "149.9", true),
            (Side::Sell, "150", true),
            (Side::Sell, "150.1", false),
            (Side::Buy, "0.00667", true),
            (Side::Buy, "0.00666", false),
        ] {
            assert_eq!(crosses(side, price, &rate), expected, "{side:?} {price}");
        }
        let better = Rate::of(one(1_000_000_000, 9), one(150_100_000, 6)).expect("a rate");
        for side in [Side::Sell, Side::Buy] {
            assert!(better.of_side(side).better_than > rate.of_side(side).reached, "{side:?}");
            assert!(rate.of_side(side).better_than < rate.of_side(side).reached, "{side:?}");
        }
    }

    /// Whatever order the small swap itself would fill crosses.
    #[test]
    fn what_the_quote_fills_crosses() {
        let amounts = [10_000, 12_345, 99_999, 1_000_000, 7_777_777_777, 999_999_999_999];
        for (paid, received) in amounts.iter().flat_map(|paid| amounts.map(|received| (*paid, received))) {
            for (input, output) in [(9, 6), (6, 9), (8, 5), (5, 8), (0, 12), (6, 6)] {
                let (paid, received) =
                    (Decimal { units: paid, decimals: input }, Decimal { units: received, decimals: output });
                let rate = Rate::of(paid, received).expect("a rate");
                for (side, price) in
                    [(Side::Sell, price_units(received, paid, false)), (Side::Buy, price_units(paid, received, true))]
                {
                    let text = price.map(|units| Decimal { units, decimals: LimitPrice::DECIMALS }.to_string());
                    let Some(Ok(price)) = text.map(|text| LimitPrice::parse(&text)) else { continue };
                    assert!(rung(side, price) <= rate.of_side(side).reached, "{side:?} {paid} for {received}");
                }
            }
        }
    }
}
