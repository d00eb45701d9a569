//! What clients post and put: read by the original's schema, then by our own rules, whose refusals are issues too.

use domain::Refusal;
use domain::deal::recorded::Status;
use domain::deal::{Draft, Item, ListedDiscount, Price, Terms};
use domain::money::{Currency, Minor};
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::zod::{Fields, Issues, Path, Spot};

const CURRENCIES: [&str; 3] = ["GBP", "USD", "EUR"];
const STATUSES: [&str; 2] = ["available", "sold"];
const DISCOUNTS: [&str; 2] = ["flat", "percentage"];

/// A deal as a client sent it.
pub(super) struct Sent {
    /// What is offered, the listed price with it.
    pub(super) terms: Terms,
    /// What the client takes its status to be.
    pub(super) status: Status,
    /// SHA-256 of all that was asked for; ids that we made up are no part of it.
    pub(super) fingerprint: [u8; 32],
}

/// Which deal a client changes.
pub(super) struct Which {
    pub(super) id: String,
    pub(super) seller: String,
}

/// What both schemas have in common.
#[derive(Default)]
struct Parts {
    name: Option<String>,
    total: Option<Minor>,
    currency: Option<Currency>,
    discount: Option<ListedDiscount>,
    status: Option<Status>,
    items: Vec<SentItem>,
}

struct SentItem {
    id: Option<String>,
    name: Option<String>,
    price: Option<Minor>,
}

/// A new deal.
///
/// # Errors
/// All that is wrong.
pub(super) fn create(body: &str) -> Result<Sent, Issues> {
    let mut issues = Issues::default();
    let Some(fields) = Spot::body(body).object(&mut issues) else { return Err(issues) };
    let mut parts = Parts::default();
    parts.read_offer(&fields, &mut issues);
    parts.read_items(&fields, false, &mut issues);
    parts.finish("", issues)
}

/// A whole deal in place of one that is there. `account`, the caller's, may stand for a seller's id although it is no UUID.
///
/// # Errors
/// All that is wrong.
pub(super) fn update(body: &str, account: &str) -> Result<(Which, Sent), Issues> {
    let mut issues = Issues::default();
    let Some(fields) = Spot::body(body).object(&mut issues) else { return Err(issues) };
    let mut parts = Parts::default();
    let id = fields.get("id").uuid(None, &mut issues).unwrap_or_default();
    let seller = fields.get("sellerId").uuid(Some(account), &mut issues).unwrap_or_default();
    parts.read_offer(&fields, &mut issues);
    fields.get("createdAt").date(&mut issues);
    fields.get("updatedAt").date(&mut issues);
    parts.read_items(&fields, true, &mut issues);
    let sent = parts.finish(&id, issues)?;
    Ok((Which { id, seller }, sent))
}

impl Parts {
    /// The fields from name to status, in the schema's order.
    fn read_offer(&mut self, fields: &Fields<'_>, issues: &mut Issues) {
        self.name = fields.get("name").string(issues).map(std::borrow::Cow::into_owned);
        self.total = fields.get("totalPrice").integer(issues).and_then(Minor::new);
        self.currency = fields.get("currency").native_enum(&CURRENCIES, issues).and_then(Currency::parse);
        let discount = fields.get("discount");
        if discount.raw.is_some() {
            self.discount = read_discount(&discount, issues);
        }
        let status = fields.get("status").native_enum(&STATUSES, issues);
        self.status = status.map(|word| if word == "sold" { Status::Sold } else { Status::Available });
    }

    fn read_items(&mut self, fields: &Fields<'_>, with_ids: bool, issues: &mut Issues) {
        for spot in fields.get("items").nonempty_array(issues).into_iter().flatten() {
            let Some(item) = spot.object(issues) else { continue };
            let id = with_ids.then(|| item.get("id")).filter(|id| id.raw.is_some());
            self.items.push(SentItem {
                id: id.and_then(|id| id.uuid(None, issues)),
                name: item.get("name").string(issues).map(std::borrow::Cow::into_owned),
                price: item.get("price").integer(issues).and_then(Minor::new),
            });
        }
    }

    fn finish(self, id: &str, mut issues: Issues) -> Result<Sent, Issues> {
        let fingerprint = self.fingerprint(id);
        let item = |SentItem { id, name, price }: SentItem| {
            Some(Item { id: id.unwrap_or_else(|| Uuid::now_v7().to_string()), name: name?, price: price? })
        };
        let items: Option<Vec<Item>> = self.items.into_iter().map(item).collect();
        // What is missing has an issue.
        let (Some(name), Some(total), Some(currency), Some(status), Some(items)) =
            (self.name, self.total, self.currency, self.status, items)
        else {
            return Err(issues);
        };
        if !issues.is_empty() {
            return Err(issues);
        }
        let draft = Draft { name, currency, items, price: Price::Listed { total, discount: self.discount } };
        match Terms::new(draft) {
            Ok(terms) => Ok(Sent { terms, status, fingerprint }),
            Err(refusal) => {
                refused(&mut issues, &refusal, "");
                Err(issues)
            }
        }
    }

    fn fingerprint(&self, id: &str) -> [u8; 32] {
        let items = self.items.iter();
        let items = items.map(|item| json!([item.id, item.name, item.price.map(Minor::units)])).collect::<Vec<_>>();
        let asked = json!([
            "recorded deal",
            id,
            self.name,
            self.total.map(Minor::units),
            self.currency.map(Currency::code),
            self.discount.as_ref().map(ListedDiscount::as_json),
            self.status,
            items
        ]);
        Sha256::digest(asked.to_string()).into()
    }
}

/// `{type, amount}`: minor units, or a number of per cent with any fraction.
fn read_discount(spot: &Spot<'_>, issues: &mut Issues) -> Option<ListedDiscount> {
    let fields = spot.object(issues)?;
    let type_ = fields.get("type").one_of(&DISCOUNTS, issues);
    let amount = fields.get("amount");
    let number = match type_ {
        Some("flat") => amount.integer(issues).map(|units| units.to_string()),
        _ => amount.number(issues).map(str::to_owned),
    };
    let (type_, number) = (type_?, number?);
    let discount = ListedDiscount::new(type_ == "percentage", &number);
    if discount.is_none() {
        issues.custom(&amount.path, "The number is too long or too large");
    }
    discount
}

/// A refusal of our rules as an issue: at the field it names, else at `field`, else at the whole.
pub(super) fn refused(issues: &mut Issues, refusal: &Refusal, field: &str) {
    let field = refusal.pointer.as_deref().map_or(field, |pointer| pointer.trim_start_matches('/'));
    let path = if field.is_empty() { Path::default() } else { Path::of(field) };
    issues.custom(&path, &refusal.message);
}
