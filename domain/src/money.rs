//! Money of deals and shops: integers of a currency's minor units, small enough for every JSON reader.

mod total;

use std::fmt;

use iso_currency::Currency as Iso;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub use total::{Discount, Totals, split, totals};

/// An amount in minor units (pence, cents): of magnitude at most [`Minor::LIMIT`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Minor(i64);

impl Minor {
    /// 2^53 − 1: readers that make doubles of JSON numbers keep every digit up to here.
    pub const LIMIT: i64 = (1 << 53) - 1;
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// That many minor units, if they are not too many.
    #[must_use]
    pub const fn new(units: i64) -> Option<Self> {
        if units >= -Self::LIMIT && units <= Self::LIMIT { Some(Self(units)) } else { None }
    }

    /// How many minor units.
    #[must_use]
    pub const fn units(self) -> i64 {
        self.0
    }

    /// The sum, if it is within the limit.
    #[must_use]
    pub const fn plus(self, other: Self) -> Option<Self> {
        // Two amounts within the limit cannot overflow.
        Self::new(self.0 + other.0)
    }

    /// The difference, if it is within the limit.
    #[must_use]
    pub const fn minus(self, other: Self) -> Option<Self> {
        Self::new(self.0 - other.0)
    }
}

impl fmt::Display for Minor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl<'de> Deserialize<'de> for Minor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(i64::deserialize(deserializer)?).ok_or_else(|| de::Error::custom("more than 2^53 - 1 minor units"))
    }
}

/// A currency of ISO 4217 that has minor units, be they none (JPY) or thousandths (KWD).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Currency(Iso);

impl Currency {
    /// The currency of that code, three capitals. What is measured otherwise, such as gold (XAU), is none.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Iso::from_code(code).filter(|currency| currency.exponent().is_some()).map(Self)
    }

    /// `GBP`.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// How many decimals its amounts have when they are shown to people.
    #[must_use]
    pub fn exponent(self) -> u8 {
        self.0.exponent().and_then(|exponent| u8::try_from(exponent).ok()).unwrap_or(0)
    }

    /// An amount as people read it: `1234.50`.
    #[must_use]
    pub fn show(self, amount: Minor) -> String {
        let sign = if amount.0 < 0 { "-" } else { "" };
        let one = 10_u64.pow(u32::from(self.exponent()));
        let (whole, rest) = (amount.0.unsigned_abs() / one, amount.0.unsigned_abs() % one);
        match self.exponent() {
            0 => format!("{sign}{whole}"),
            decimals => format!("{sign}{whole}.{rest:0width$}", width = usize::from(decimals)),
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::parse(&code).ok_or_else(|| de::Error::custom("not a currency of ISO 4217"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_end_where_doubles_lose_digits() {
        assert_eq!(Minor::new(9_007_199_254_740_991).map(Minor::units), Some(9_007_199_254_740_991));
        assert_eq!(Minor::new(9_007_199_254_740_992), None);
        assert_eq!(Minor::new(-9_007_199_254_740_992), None);
        assert_eq!(Minor::new(i64::MIN), None);
        let most = Minor(Minor::LIMIT);
        assert_eq!((most.plus(Minor(1)), most.minus(most)), (None, Some(Minor::ZERO)));
        assert!(serde_json::from_str::<Minor>("9007199254740992").is_err());
        assert!(serde_json::from_str::<Minor>("1.0").is_err());
    }

    #[test]
    fn currencies_have_their_own_minor_units() {
        for (code, exponent, shown) in [("GBP", 2, "-1234.05"), ("JPY", 0, "-123405"), ("KWD", 3, "-123.405")] {
            let currency = Currency::parse(code).unwrap();
            assert_eq!((currency.exponent(), currency.show(Minor(-123_405))), (exponent, shown.to_owned()));
        }
        assert_eq!(Currency::parse("GBP").unwrap().show(Minor(-5)), "-0.05");
        for none in ["gbp", "XAU", "XXX", "", "POUND"] {
            assert_eq!(Currency::parse(none), None, "{none}");
        }
    }
}
