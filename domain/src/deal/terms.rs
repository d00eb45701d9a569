//! What a seller offers: a name, items, a currency and a price, checked together.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::Refusal;
use crate::money::{Currency, Discount, Minor, Totals, split, totals};

/// The most items of a deal.
pub const MOST_ITEMS: usize = 100;
/// The most bytes of a deal's public view: an event holds two of them, the present one and what it was before.
pub const VIEW_LIMIT: usize = 8_000;
/// The most characters of a name.
const NAME_CHARACTERS: usize = 200;
/// The most bytes of a number in a listed discount.
const LISTED_NUMBER: usize = 32;

/// One thing of a deal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// UUID text, unique within the deal.
    pub id: String,
    /// What it is: at most 200 characters.
    pub name: String,
    /// What it costs before the discount.
    pub price: Minor,
}

/// A discount beside a listed price: what the client sent, to be given back. Nothing is computed from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedDiscount(String);

impl ListedDiscount {
    /// A discount whose amount is a JSON number as it was sent; none where it is no number, a very long one, or beyond doubles.
    #[must_use]
    pub fn new(percentage: bool, amount: &str) -> Option<Self> {
        let number = serde_json::from_str::<serde_json::Number>(amount);
        let kind = if percentage { "percentage" } else { "flat" };
        (amount.len() <= LISTED_NUMBER && number.is_ok())
            .then(|| Self(format!("{{\"type\":\"{kind}\",\"amount\":{}}}", amount.trim())))
    }

    /// From what the journal holds.
    pub(super) fn stored(json: &str) -> Self {
        Self(json.to_owned())
    }

    /// `{"type":"flat","amount":12.5}`
    #[must_use]
    pub fn as_json(&self) -> &str {
        &self.0
    }
}

/// The price that a seller asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Price {
    /// The server computes it.
    Computed {
        /// What is taken off.
        discount: Option<Discount>,
        /// What the client takes the total to be: refused when it differs.
        stated: Option<Minor>,
    },
    /// The client's own, whatever the items cost; it may be negative, and so may theirs.
    Listed {
        /// The total.
        total: Minor,
        /// Information.
        discount: Option<ListedDiscount>,
    },
}

/// A seller's terms before they are checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// What it is called.
    pub name: String,
    /// The currency of every amount.
    pub currency: Currency,
    /// What there is.
    pub items: Vec<Item>,
    /// What it costs.
    pub price: Price,
}

/// How a deal's price came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pricing {
    /// From its items and discount.
    Computed {
        /// What is taken off.
        discount: Option<Discount>,
        /// What it comes to.
        totals: Totals,
    },
    /// As its seller listed it.
    Listed {
        /// The total.
        total: Minor,
        /// Information.
        discount: Option<ListedDiscount>,
    },
}

/// Checked terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    pub(super) name: String,
    pub(super) currency: Currency,
    pub(super) items: Vec<Item>,
    pub(super) pricing: Pricing,
}

impl Terms {
    /// Checks a draft and computes what is to be computed.
    ///
    /// # Errors
    /// `NAME_MALFORMED`, `ITEM_COUNT`, `DUPLICATE_ITEM_ID`, `PRICE_OUT_OF_RANGE`, `DISCOUNT_OUT_OF_RANGE`,
    /// `TOTAL_OUT_OF_RANGE`, `TOTAL_PRICE_DIFFERS`.
    pub fn new(draft: Draft) -> Result<Self, Refusal> {
        let Draft { name, currency, items, price } = draft;
        let listed = matches!(price, Price::Listed { .. });
        if let Some(why) = wrong_name(&name, listed) {
            return Err(Refusal::at("/name", "NAME_MALFORMED", why));
        }
        check_items(&items, listed)?;
        let pricing = match price {
            Price::Listed { total, discount } => Pricing::Listed { total, discount },
            Price::Computed { discount, stated } => {
                let totals = compute(&items, discount)?;
                if let Some(stated) = stated.filter(|stated| *stated != totals.total) {
                    let text =
                        format!("totalPrice is {stated}, but the items and the discount come to {}", totals.total);
                    return Err(Refusal::at("/totalPrice", "TOTAL_PRICE_DIFFERS", text));
                }
                Pricing::Computed { discount, totals }
            }
        };
        Ok(Self { name, currency, items, pricing })
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The currency of every amount.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// What there is.
    #[must_use]
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// How the price came about.
    #[must_use]
    pub const fn pricing(&self) -> &Pricing {
        &self.pricing
    }

    /// What it costs.
    #[must_use]
    pub const fn total(&self) -> Minor {
        match &self.pricing {
            Pricing::Computed { totals, .. } => totals.total,
            Pricing::Listed { total, .. } => *total,
        }
    }

    /// What of the discount falls on each item; nothing where the price is listed.
    #[must_use]
    pub fn shares(&self) -> Vec<Minor> {
        let prices: Vec<Minor> = self.items.iter().map(|item| item.price).collect();
        match &self.pricing {
            Pricing::Computed { totals, .. } => split(&prices, totals.discount),
            Pricing::Listed { .. } => vec![Minor::ZERO; prices.len()],
        }
    }
}

fn wrong_name(name: &str, may_be_empty: bool) -> Option<&'static str> {
    match name.chars().count() {
        0 if !may_be_empty => Some("a name has at least one character"),
        characters if characters > NAME_CHARACTERS => Some("a name has at most 200 characters"),
        _ if name.chars().any(char::is_control) => Some("a name has no control characters"),
        _ => None,
    }
}

fn check_items(items: &[Item], listed: bool) -> Result<(), Refusal> {
    if !(1..=MOST_ITEMS).contains(&items.len()) {
        let text = format!("a deal has 1 to {MOST_ITEMS} items, not {}", items.len());
        return Err(Refusal::at("/items", "ITEM_COUNT", text));
    }
    let mut ids = BTreeSet::new();
    for (index, item) in items.iter().enumerate() {
        if let Some(why) = wrong_name(&item.name, listed) {
            return Err(Refusal::at("/items", "NAME_MALFORMED", format!("item {index}: {why}")));
        }
        if item.price < Minor::ZERO && !listed {
            let text = format!("item {index}: a price is not negative");
            return Err(Refusal::at("/items", "PRICE_OUT_OF_RANGE", text));
        }
        if !ids.insert(item.id.as_str()) {
            let text = format!("item {index}: another item has the id {}", item.id);
            return Err(Refusal::at("/items", "DUPLICATE_ITEM_ID", text));
        }
    }
    Ok(())
}

fn compute(items: &[Item], discount: Option<Discount>) -> Result<Totals, Refusal> {
    let wrong = match discount {
        Some(Discount::Flat { amount }) if amount < Minor::ZERO => Some("a discount is not negative"),
        Some(Discount::Percentage { basis_points }) if basis_points > 10_000 => Some("0 to 10000 basis points"),
        _ => None,
    };
    if let Some(why) = wrong {
        return Err(Refusal::at("/discount", "DISCOUNT_OUT_OF_RANGE", why));
    }
    totals(items.iter().map(|item| item.price), discount).ok_or_else(|| {
        let text = format!("the prices add up to more than {}", Minor::LIMIT);
        Refusal::at("/items", "TOTAL_OUT_OF_RANGE", text)
    })
}
