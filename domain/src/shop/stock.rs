//! What a shop has of a product: a row that says that it is counted, and two levels that say how many there are.
//!
//! The levels move with orders, conditionally and in the order's own change; the row changes only by hand.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::content::is_product;
use crate::view::event_body;
use crate::{Change, Entity, EntityWrite, EventDraft, Expect, Kind, LevelMove, Owner, Refusal, Timestamp};

/// The only state of a product's stock.
pub const STATUS: &str = "counted";
/// The most pieces that one command sets, adds or takes away.
pub const MOST: i64 = 1_000_000_000;

/// A product that is counted: the whole state but for its levels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stock {
    /// UUID text, of shop and product.
    pub id: String,
    /// 1 for a new one.
    pub version: u64,
    /// Whose it is.
    pub shop: Owner,
    /// Which product.
    pub product_id: String,
    /// What was last added by hand, or taken away where it is negative.
    pub adjustment: i64,
    /// When it was first counted.
    pub created_at: Timestamp,
    /// When it was last changed by hand.
    pub updated_at: Timestamp,
}

/// How much there is of a product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Levels {
    /// To be sold.
    pub available: i64,
    /// Kept for open orders.
    pub reserved: i64,
}

impl Levels {
    /// What the shop has: the one and the other.
    #[must_use]
    pub const fn on_hand(self) -> i64 {
        self.available.saturating_add(self.reserved)
    }
}

/// What a shop says of a product's stock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// So many are on hand, those kept for orders included.
    Set(i64),
    /// So many came in, or went where it is negative.
    Add(i64),
}

/// A stock after a decision, and the change that makes it so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The stock as it will be.
    pub stock: Stock,
    /// What the journal is to apply.
    pub change: Change,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    product_id: String,
    adjustment: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View<'a> {
    id: &'a str,
    version: u64,
    status: &'static str,
    product_id: &'a str,
    adjustment: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// The id of a product's stock.
#[must_use]
pub fn id(shop: &Owner, product: &str) -> String {
    // No name of an account has a space in it.
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("stock {shop} {product}").as_bytes()).to_string()
}

/// The level of what is to be sold of a product. No name of an account has a slash in it.
#[must_use]
pub fn available(shop: &Owner, product: &str) -> String {
    format!("stock:{shop}/{product}")
}

/// The level of what is kept for open orders.
#[must_use]
pub fn reserved(shop: &Owner, product: &str) -> String {
    format!("reserved:{shop}/{product}")
}

/// The product that a level is about, where it is one of what is to be sold.
#[must_use]
pub fn product_of(level: &str) -> Option<&str> {
    Some(level.strip_prefix("stock:")?.split_once('/')?.1)
}

/// Counts a product: from then on orders take of it.
///
/// # Errors
/// `PRODUCT_ID_MALFORMED`, `QUANTITY_OUT_OF_RANGE`, `BELOW_RESERVED`, `OUT_OF_STOCK`.
pub fn count(
    before: Option<&Stock>,
    (shop, product): (&Owner, &str),
    (levels, count): (Levels, Count),
    now: Timestamp,
) -> Result<Choice, Refusal> {
    if !is_product(product) {
        let text = "a product has an id of 1 to 100 bytes without control characters or blanks around it";
        return Err(Refusal::new("PRODUCT_ID_MALFORMED", text));
    }
    let adjustment = adjustment(levels, count)?;
    let stock = Stock {
        id: id(shop, product),
        version: before.map_or(0, |stock| stock.version) + 1,
        shop: shop.clone(),
        product_id: product.to_owned(),
        adjustment,
        created_at: before.map_or(now, |stock| stock.created_at),
        updated_at: now,
    };
    let old = before.map(Stock::view_json);
    let body = event_body(old.as_deref(), &stock.view_json(), shop);
    let entity = EntityWrite {
        kind: Kind::Stock,
        id: stock.id.clone(),
        expect: before.map_or(Expect::Absent, |stock| Expect::Version(stock.version)),
        status: STATUS,
        owner: shop.clone(),
        party: None,
        parent: None,
        body: stock.body(),
        event: Some(EventDraft { type_: "shop.stock.adjusted", body }),
    };
    let moved = LevelMove { name: available(shop, product), add: adjustment, most: None };
    let levels = if adjustment == 0 { Vec::new() } else { vec![moved] };
    Ok(Choice { stock, change: Change { at: now, entities: vec![entity], levels, ..Change::default() } })
}

/// What is to be added to what is available.
fn adjustment(levels: Levels, count: Count) -> Result<i64, Refusal> {
    match count {
        Count::Set(on_hand) if !(0..=MOST).contains(&on_hand) => {
            Err(Refusal::at("/onHand", "QUANTITY_OUT_OF_RANGE", format!("0 to {MOST} pieces")))
        }
        Count::Add(pieces) if !(-MOST..=MOST).contains(&pieces) || pieces == 0 => {
            Err(Refusal::at("/add", "QUANTITY_OUT_OF_RANGE", format!("1 to {MOST} pieces, or as many less")))
        }
        Count::Set(on_hand) if on_hand < levels.reserved => {
            let text = format!("{} pieces are kept for open orders: cancel some first", levels.reserved);
            Err(Refusal::at("/onHand", "BELOW_RESERVED", text))
        }
        Count::Add(pieces) if levels.available.saturating_add(pieces) < 0 => {
            let text = format!("{} pieces are available", levels.available);
            Err(Refusal::at("/add", "OUT_OF_STOCK", text))
        }
        Count::Add(pieces) if levels.on_hand().saturating_add(pieces) > LevelMove::HIGHEST => {
            Err(Refusal::at("/add", "QUANTITY_OUT_OF_RANGE", format!("{} pieces at most", LevelMove::HIGHEST)))
        }
        // What is on hand moves only when an order is completed, and that after this was read is as if it came after this.
        Count::Set(on_hand) => Ok(on_hand - levels.on_hand()),
        Count::Add(pieces) => Ok(pieces),
    }
}

impl Stock {
    fn body(&self) -> String {
        let body = Body { product_id: self.product_id.clone(), adjustment: self.adjustment };
        // Text keys and no failing parts.
        serde_json::to_string(&body).unwrap_or_default()
    }

    /// The public view as JSON; how much there is, the levels say.
    #[must_use]
    pub fn view_json(&self) -> String {
        let view = View {
            id: &self.id,
            version: self.version,
            status: STATUS,
            product_id: &self.product_id,
            adjustment: self.adjustment,
            created_at: self.created_at,
            updated_at: self.updated_at,
        };
        serde_json::to_string(&view).unwrap_or_default()
    }

    /// Reads the stock from its row in the journal.
    ///
    /// # Errors
    /// A body that no release of this program wrote.
    pub fn from_entity(entity: &Entity) -> Result<Self, serde_json::Error> {
        let body: Body = serde_json::from_str(&entity.body)?;
        Ok(Self {
            id: entity.id.clone(),
            version: entity.version,
            shop: entity.owner.clone(),
            product_id: body.product_id,
            adjustment: body.adjustment,
            created_at: entity.created_at,
            updated_at: entity.updated_at,
        })
    }
}
