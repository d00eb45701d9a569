//! What things cost together: sums that are checked, one rounding, and a split of the discount whose parts add up.

use serde::{Deserialize, Serialize};

use super::Minor;

/// A hundredth of a percent is 1; all of it is this.
const ALL_BASIS_POINTS: i128 = 10_000;

/// What is taken off the sum of the prices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", rename_all_fields = "camelCase")]
pub enum Discount {
    /// So much, but no more than there is.
    Flat {
        /// In the currency of the prices, not negative.
        amount: Minor,
    },
    /// So much of it.
    Percentage {
        /// Hundredths of a percent: 0 to 10,000.
        basis_points: u16,
    },
}

/// What the prices of the items come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// The sum of the prices.
    pub subtotal: Minor,
    /// What is taken off it.
    pub discount: Minor,
    /// What is left.
    pub total: Minor,
}

/// Adds prices (none negative) up and takes the discount off; none where the sum is beyond the limit.
///
/// A flat discount takes off no more than there is. A percentage is rounded once, half to even.
#[must_use]
pub fn totals(prices: impl IntoIterator<Item = Minor>, discount: Option<Discount>) -> Option<Totals> {
    let subtotal = prices.into_iter().try_fold(Minor::ZERO, Minor::plus)?;
    let discount = match discount {
        None => Minor::ZERO,
        Some(Discount::Flat { amount }) => amount.min(subtotal),
        Some(Discount::Percentage { basis_points }) => share(subtotal, basis_points)?,
    };
    Some(Totals { subtotal, discount, total: subtotal.minus(discount)? })
}

/// That many basis points of an amount that is not negative, half to even.
fn share(amount: Minor, basis_points: u16) -> Option<Minor> {
    let exact = i128::from(amount.units()) * i128::from(basis_points);
    let (whole, rest) = (exact / ALL_BASIS_POINTS, exact % ALL_BASIS_POINTS);
    let up = match (2 * rest).cmp(&ALL_BASIS_POINTS) {
        std::cmp::Ordering::Less => 0,
        std::cmp::Ordering::Equal => whole % 2,
        std::cmp::Ordering::Greater => 1,
    };
    i64::try_from(whole + up).ok().and_then(Minor::new)
}

/// How much of a discount falls on each price, in proportion, by largest remainder: the parts add up to the discount for
/// every input, and none is negative or more than its price. The prices are not negative, the discount not above their sum.
#[must_use]
pub fn split(prices: &[Minor], discount: Minor) -> Vec<Minor> {
    let sum: i128 = prices.iter().map(|price| i128::from(price.units())).sum();
    if sum == 0 {
        return vec![Minor::ZERO; prices.len()];
    }
    let exact = |price: &Minor| i128::from(price.units()) * i128::from(discount.units());
    let mut parts: Vec<i128> = prices.iter().map(|price| exact(price) / sum).collect();
    let left = i128::from(discount.units()) - parts.iter().sum::<i128>();
    // Whole units are left, fewer than there are remainders above zero. The sort is stable: of equals the first gains.
    let mut order: Vec<usize> = (0..prices.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(exact(&prices[*index]) % sum));
    for index in order.into_iter().take(usize::try_from(left).unwrap_or(0)) {
        parts[index] += 1;
    }
    parts.into_iter().map(|part| i64::try_from(part).ok().and_then(Minor::new).unwrap_or(Minor::ZERO)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn minor(units: i64) -> Minor {
        Minor::new(units).unwrap()
    }

    #[test]
    fn percentages_round_half_to_even_once() {
        for (amount, basis_points, expected) in [
            (1_000, 1_000, 100),
            (25, 1_000, 2), // 2.5
            (35, 1_000, 4), // 3.5
            (26, 1_000, 3), // 2.6
            (24, 1_000, 2), // 2.4
            (1, 10_000, 1),
            (1, 5_000, 0), // 0.5
            (3, 5_000, 2), // 1.5
            (Minor::LIMIT, 10_000, Minor::LIMIT),
        ] {
            let totals = totals([minor(amount)], Some(Discount::Percentage { basis_points })).unwrap();
            assert_eq!(totals.discount, minor(expected), "{basis_points} of {amount}");
        }
    }

    #[test]
    fn a_flat_discount_takes_off_no_more_than_there_is() {
        let flat = |amount| Some(Discount::Flat { amount: minor(amount) });
        assert_eq!(totals([minor(7), minor(5)], flat(100)).unwrap().total, Minor::ZERO);
        assert_eq!(totals([minor(7), minor(5)], flat(2)).unwrap().total, minor(10));
        assert_eq!(totals([minor(Minor::LIMIT), minor(1)], None), None);
    }

    #[test]
    fn what_is_left_over_goes_to_the_largest_remainders() {
        let prices = [minor(100), minor(100), minor(100)];
        assert_eq!(split(&prices, minor(100)), [minor(34), minor(33), minor(33)]);
        assert_eq!(split(&[minor(1), minor(8), minor(1)], minor(5)), [minor(1), minor(4), minor(0)]);
        assert_eq!(split(&[Minor::ZERO, Minor::ZERO], Minor::ZERO), [Minor::ZERO, Minor::ZERO]);
    }

    proptest! {
        #[test]
        fn parts_add_up_and_are_never_more_than_their_price(
            prices in prop::collection::vec(prop_oneof![0..50_i64, 0..Minor::LIMIT / 100], 1..100),
            basis_points in 0..=10_000_u16,
            flat in 0..=Minor::LIMIT,
            is_flat: bool,
        ) {
            let prices: Vec<Minor> = prices.into_iter().map(minor).collect();
            let discount = match is_flat {
                true => Discount::Flat { amount: minor(flat) },
                false => Discount::Percentage { basis_points },
            };
            let totals = totals(prices.iter().copied(), Some(discount)).unwrap();
            prop_assert!(totals.discount >= Minor::ZERO && totals.total >= Minor::ZERO);
            let parts = split(&prices, totals.discount);
            let lines = prices.iter().zip(&parts).map(|(price, part)| price.minus(*part).unwrap());
            prop_assert_eq!(lines.clone().try_fold(Minor::ZERO, Minor::plus), Some(totals.total));
            prop_assert!(lines.clone().all(|line| line >= Minor::ZERO));
            prop_assert!(parts.iter().all(|part| *part >= Minor::ZERO));
        }
    }
}
