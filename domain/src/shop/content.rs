//! What an order says: a customer, items, a currency and a discount, checked and added up together.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Customer, wrong_name};
use crate::Refusal;
use crate::money::{Currency, Discount, Minor, Totals, split, totals};

/// The most items of an order.
pub const MOST_ITEMS: usize = 100;
/// The most pieces of one item.
pub const MOST_PIECES: i64 = 1_000_000;
/// The highest price of one piece, in minor units.
pub const HIGHEST_PRICE: i64 = 1_000_000_000_000;
/// The most bytes of an order's public view: an event holds two of them, the present one and what it was before.
pub const VIEW_LIMIT: usize = 8_000;
/// The most bytes of a product's id.
const PRODUCT: usize = 100;
/// The most characters of a note.
const NOTE: usize = 1_000;

/// One item as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Wanted {
    /// Which product: at most 100 bytes.
    pub product_id: String,
    /// What it is called: at most 255 characters.
    pub name: String,
    /// How many pieces: 1 to [`MOST_PIECES`].
    pub quantity: i64,
    /// What one piece costs, in minor units: 0 to [`HIGHEST_PRICE`].
    pub unit_price: i64,
}

/// One item of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// Which product.
    pub product_id: String,
    /// What it is called.
    pub name: String,
    /// How many pieces.
    pub quantity: i64,
    /// What one piece costs.
    pub unit_price: Minor,
    /// What of the order's discount falls on it.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub discount: Minor,
    /// What all its pieces cost, less that: those of all items add up to the order's total.
    pub total: Minor,
}

fn is_nothing(amount: &Minor) -> bool {
    *amount == Minor::ZERO
}

/// What an order is to say, before it is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Who orders.
    pub customer: Customer,
    /// What is ordered.
    pub items: Vec<Wanted>,
    /// The currency of every amount.
    pub currency: Currency,
    /// What is taken off.
    pub discount: Option<Discount>,
    /// What the client takes the total to be: refused when it differs.
    pub stated: Option<Minor>,
    /// What else there is to say: at most 1,000 characters.
    pub note: Option<String>,
}

/// What an order says, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    pub(super) customer: Customer,
    pub(super) items: Vec<Item>,
    pub(super) currency: Currency,
    pub(super) discount: Option<Discount>,
    pub(super) totals: Totals,
    pub(super) note: Option<String>,
}

impl Content {
    /// Checks a draft and adds it up. The discount is rounded once and split over the items by largest remainder.
    ///
    /// # Errors
    /// `ITEM_COUNT`, `PRODUCT_ID_MALFORMED`, `NAME_MALFORMED`, `QUANTITY_OUT_OF_RANGE`, `PRICE_OUT_OF_RANGE`,
    /// `DISCOUNT_OUT_OF_RANGE`, `TOTAL_OUT_OF_RANGE`, `TOTAL_PRICE_DIFFERS`, `NOTE_MALFORMED`.
    pub fn new(draft: Draft) -> Result<Self, Refusal> {
        let Draft { customer, items, currency, discount, stated, note } = draft;
        if !(1..=MOST_ITEMS).contains(&items.len()) {
            let text = format!("an order has 1 to {MOST_ITEMS} items, not {}", items.len());
            return Err(Refusal::at("/items", "ITEM_COUNT", text));
        }
        if let Some(why) = note.as_deref().and_then(wrong_note) {
            return Err(Refusal::at("/note", "NOTE_MALFORMED", why));
        }
        let mut items: Vec<Item> = items.into_iter().enumerate().map(item).collect::<Result<_, _>>()?;
        let prices: Vec<Minor> = items.iter().map(|item| item.total).collect();
        let totals = sums(&prices, discount)?;
        if let Some(stated) = stated.filter(|stated| *stated != totals.total) {
            let text = format!("total is {stated}, but the items and the discount come to {}", totals.total);
            return Err(Refusal::at("/total", "TOTAL_PRICE_DIFFERS", text));
        }
        for (item, part) in items.iter_mut().zip(split(&prices, totals.discount)) {
            // A part is never more than what it is of.
            (item.discount, item.total) = (part, item.total.minus(part).unwrap_or(Minor::ZERO));
        }
        Ok(Self { customer, items, currency, discount, totals, note })
    }

    /// Who ordered.
    #[must_use]
    pub const fn customer(&self) -> &Customer {
        &self.customer
    }

    /// What is ordered.
    #[must_use]
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// The currency of every amount.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// What it comes to.
    #[must_use]
    pub const fn totals(&self) -> Totals {
        self.totals
    }

    /// How many pieces of each product are ordered, over all items, by product.
    #[must_use]
    pub fn pieces(&self) -> BTreeMap<&str, i64> {
        let mut pieces = BTreeMap::new();
        for item in &self.items {
            // 100 items of at most a million pieces.
            *pieces.entry(item.product_id.as_str()).or_default() += item.quantity;
        }
        pieces
    }

    /// The draft that it came from, to be changed.
    #[must_use]
    pub(super) fn draft(&self) -> Draft {
        let items = self.items.iter().map(|item| Wanted {
            product_id: item.product_id.clone(),
            name: item.name.clone(),
            quantity: item.quantity,
            unit_price: item.unit_price.units(),
        });
        Draft {
            customer: self.customer.clone(),
            items: items.collect(),
            currency: self.currency,
            discount: self.discount,
            stated: None,
            note: self.note.clone(),
        }
    }
}

/// Whether a product may have that id: it has no control characters, and no blank at an end.
pub(super) fn is_product(id: &str) -> bool {
    (1..=PRODUCT).contains(&id.len()) && !id.chars().any(char::is_control) && id.trim() == id
}

/// Its total is what its pieces cost: of the discount it knows nothing yet.
fn item((index, wanted): (usize, Wanted)) -> Result<Item, Refusal> {
    let wrong = |field: &str, code, text: String| Err(Refusal::at(format!("/items/{index}/{field}"), code, text));
    let Wanted { product_id, name, quantity, unit_price } = wanted;
    if !is_product(&product_id) {
        let text =
            format!("a product has an id of 1 to {PRODUCT} bytes without control characters or blanks around it");
        return wrong("productId", "PRODUCT_ID_MALFORMED", text);
    }
    if let Some(why) = wrong_name(&name) {
        return wrong("name", "NAME_MALFORMED", why.to_owned());
    }
    if !(1..=MOST_PIECES).contains(&quantity) {
        return wrong("quantity", "QUANTITY_OUT_OF_RANGE", format!("1 to {MOST_PIECES} pieces"));
    }
    let unit_price = Minor::new(unit_price).filter(|price| (0..=HIGHEST_PRICE).contains(&price.units()));
    let Some(unit_price) = unit_price else {
        return wrong("unitPrice", "PRICE_OUT_OF_RANGE", format!("a piece costs 0 to {HIGHEST_PRICE} minor units"));
    };
    // At most 10^18: within 64 bits.
    let Some(total) = Minor::new(unit_price.units() * quantity) else {
        let text = format!("item {index} comes to more than {} minor units", Minor::LIMIT);
        return Err(Refusal::at(format!("/items/{index}"), "TOTAL_OUT_OF_RANGE", text));
    };
    Ok(Item { product_id, name, quantity, unit_price, discount: Minor::ZERO, total })
}

fn sums(prices: &[Minor], discount: Option<Discount>) -> Result<Totals, Refusal> {
    let wrong = match discount {
        Some(Discount::Flat { amount }) if amount < Minor::ZERO => Some("a discount is not negative"),
        Some(Discount::Percentage { basis_points }) if basis_points > 10_000 => Some("0 to 10000 basis points"),
        _ => None,
    };
    if let Some(why) = wrong {
        return Err(Refusal::at("/discount", "DISCOUNT_OUT_OF_RANGE", why));
    }
    totals(prices.iter().copied(), discount).ok_or_else(|| {
        let text = format!("the items add up to more than {} minor units", Minor::LIMIT);
        Refusal::at("/items", "TOTAL_OUT_OF_RANGE", text)
    })
}

fn wrong_note(note: &str) -> Option<&'static str> {
    match note.chars().count() {
        0 => Some("a note has at least one character"),
        characters if characters > NOTE => Some("a note has at most 1000 characters"),
        _ if note.chars().any(|c| c.is_control() && c != '\n') => {
            Some("a note has no control characters but line feeds")
        }
        _ => None,
    }
}
