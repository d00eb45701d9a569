//! Deals in the words of another system, whose clients, consumers and webhooks keep working: what it answers, what it
//! publishes, and what it sends.
//!
//! Everything here is made of a deal's public view, or of an event's body, which begins with one. Our four states are its
//! two: a reserved deal may become free again and shows as `available`, a withdrawn one is not to be had and shows as
//! `sold`. Instants have milliseconds, a percentage is a number of per cent, amounts stay integers of minor units.

mod put;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

pub use self::put::{Put, put};
use crate::{Event, Kind, Timestamp};

/// The subject of a new deal's message.
pub const SUBJECT_CREATED: &str = "deal.created";
/// The subject of a changed deal's message.
pub const SUBJECT_UPDATED: &str = "deal.updated";

/// The fields whose change has a webhook of its own, `deal.updated.<field>`.
const FIELDS: [&str; 5] = ["totalPrice", "status", "name", "currency", "sellerId"];

/// A deal as the other system knows it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Deal {
    id: String,
    status: Status,
    seller_id: String,
    name: String,
    currency: String,
    items: Vec<Item>,
    discount: Option<Discount>,
    total_price: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// The two states of the other system, read from our four.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    /// On offer, or reserved for a buyer whose bid was accepted: it may become free again.
    #[serde(alias = "reserved")]
    Available,
    /// Sold, or withdrawn: not to be had.
    #[serde(alias = "withdrawn")]
    Sold,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Item {
    id: String,
    name: String,
    price: i64,
}

/// A discount as the view has it: computed with an amount of minor units or basis points, or listed with the number that the
/// client sent.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Discount {
    #[serde(rename = "type")]
    type_: String,
    amount: Option<Box<RawValue>>,
    basis_points: Option<i64>,
}

/// The answer to a deal that was posted; also its message.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Created<'a> {
    name: &'a str,
    total_price: i64,
    currency: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    discount: Option<RecordedDiscount>,
    status: Status,
    id: &'a str,
    seller_id: &'a str,
    created_at: String,
    updated_at: String,
    items: &'a [Item],
}

/// The answer to a deal that was changed; also its message.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Updated<'a> {
    id: &'a str,
    seller_id: &'a str,
    name: &'a str,
    total_price: i64,
    currency: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    discount: Option<RecordedDiscount>,
    status: Status,
    created_at: String,
    updated_at: String,
    items: &'a [Item],
}

/// A deal as buyers see it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed<'a> {
    id: &'a str,
    name: &'a str,
    total_price: i64,
    currency: &'a str,
    status: Status,
    seller_id: &'a str,
    created_at: String,
    updated_at: String,
    delivery_sequence: u64,
}

#[derive(Serialize)]
struct RecordedDiscount {
    #[serde(rename = "type")]
    type_: String,
    /// A JSON number: minor units, or per cent.
    amount: Box<RawValue>,
}

/// The answer to a deal that was posted, of its view.
///
/// # Errors
/// The text is no view of a deal.
pub fn created(view: &str) -> Result<String, serde_json::Error> {
    let deal: Deal = serde_json::from_str(view)?;
    serde_json::to_string(&Created {
        name: &deal.name,
        total_price: deal.total_price,
        currency: &deal.currency,
        discount: deal.discount()?,
        status: deal.status,
        id: &deal.id,
        seller_id: &deal.seller_id,
        created_at: instant(deal.created_at),
        updated_at: instant(deal.updated_at),
        items: &deal.items,
    })
}

/// The answer to a deal that was changed, of its view.
///
/// # Errors
/// The text is no view of a deal.
pub fn updated(view: &str) -> Result<String, serde_json::Error> {
    let deal: Deal = serde_json::from_str(view)?;
    serde_json::to_string(&Updated {
        id: &deal.id,
        seller_id: &deal.seller_id,
        name: &deal.name,
        total_price: deal.total_price,
        currency: &deal.currency,
        discount: deal.discount()?,
        status: deal.status,
        created_at: instant(deal.created_at),
        updated_at: instant(deal.updated_at),
        items: &deal.items,
    })
}

/// The deal as buyers see it, of its view and the number of its creation.
///
/// # Errors
/// The text is no view of a deal.
pub fn listed(view: &str, delivery_sequence: u64) -> Result<String, serde_json::Error> {
    serde_json::from_str::<Deal>(view)?.listed(delivery_sequence)
}

/// What is published about an event: the subject and the payload, which is the answer that the change got. None for what is
/// not about a deal.
///
/// # Errors
/// The event's body is not what this program writes.
pub fn published(event: &Event) -> Result<Option<(&'static str, String)>, serde_json::Error> {
    Ok(match event.type_.as_str() {
        "deal.created" => Some((SUBJECT_CREATED, created(&event.body)?)),
        "deal.updated" => Some((SUBJECT_UPDATED, updated(&event.body)?)),
        _ => None,
    })
}

/// The body of the webhook that an endpoint of format `deals` gets, when its `pattern` matched `event`; `delivery_sequence`
/// is the number of the deal's creation ([`crate::Entity::created_seq`]).
///
/// `deal.updated.*` and `deal.updated.<field>` get `{"was":{…},"now":{…}}`, and only when one of the fields that the other
/// system knows changed, or that one; every other pattern that matches a deal's event gets `{"deal":{…}}`. None where there
/// is nothing to send: the event is about something else, or changed only what that system has no word for, such as a
/// reservation. The same event, pattern and number give the same bytes at any time.
#[must_use]
pub fn webhook_payload(pattern: &str, event: &Event, delivery_sequence: u64) -> Option<String> {
    if event.kind != Kind::Deal {
        return None;
    }
    let now: Deal = serde_json::from_str(&event.body).ok()?;
    let shown = now.listed(delivery_sequence).ok()?;
    let Some(field) = pattern.strip_prefix("deal.updated.") else {
        return Some(format!("{{\"deal\":{shown}}}"));
    };
    let was = before(&event.body)?.listed(delivery_sequence).ok()?;
    let read = |text: &str| serde_json::from_str::<Map<String, Value>>(text).ok();
    let (old, new) = (read(&was)?, read(&shown)?);
    let changed = |name: &str| FIELDS.contains(&name) && old.get(name) != new.get(name);
    let told = if field == "*" { FIELDS.into_iter().any(changed) } else { changed(field) };
    told.then(|| format!("{{\"was\":{was},\"now\":{shown}}}"))
}

/// The deal before an event: its view with the old values put back.
fn before(body: &str) -> Option<Deal> {
    let mut view: Map<String, Value> = serde_json::from_str(body).ok()?;
    let Some(Value::Object(changed)) = view.remove("changed") else { return None };
    let updated_at = view.remove("previousUpdatedAt")?;
    view.insert("updatedAt".to_owned(), updated_at);
    // An old value of null stands for a field that was not there, which reads the same.
    view.extend(changed);
    serde_json::from_value(Value::Object(view)).ok()
}

impl Deal {
    fn listed(&self, delivery_sequence: u64) -> Result<String, serde_json::Error> {
        serde_json::to_string(&Listed {
            id: &self.id,
            name: &self.name,
            total_price: self.total_price,
            currency: &self.currency,
            status: self.status,
            seller_id: &self.seller_id,
            created_at: instant(self.created_at),
            updated_at: instant(self.updated_at),
            delivery_sequence,
        })
    }

    fn discount(&self) -> Result<Option<RecordedDiscount>, serde_json::Error> {
        let Some(Discount { type_, amount, basis_points }) = self.discount.clone() else { return Ok(None) };
        let amount = match (amount, basis_points) {
            (Some(amount), _) => amount,
            (None, points) => RawValue::from_string(per_cent(points.unwrap_or_default()))?,
        };
        Ok(Some(RecordedDiscount { type_, amount }))
    }
}

/// Basis points as a JSON number of per cent, without zeros at its end.
fn per_cent(basis_points: i64) -> String {
    let (sign, size) = (if basis_points < 0 { "-" } else { "" }, basis_points.unsigned_abs());
    let text = format!("{sign}{}.{:02}", size / 100, size % 100);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// As JavaScript's `toISOString` writes it.
fn instant(at: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(at.as_millis()) {
        Ok(instant) => format!("{instant:.3}"),
        Err(_) => at.to_string(),
    }
}

#[cfg(test)]
mod tests;
