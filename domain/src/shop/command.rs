//! Orders over a queue: commands that messages hold, and what is told of what became of them.
//!
//! The words are those of a recorded system, whose clients and whose facade send them.

use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{Content, Customer, Draft, MOST_ITEMS, Status, Wanted};
use crate::amount;
use crate::money::Currency;
use crate::queue::{Attribute, Outgoing, Value};
use crate::{EventDraft, Owner, Refusal, Timestamp};

/// The queue of an account that takes its commands.
pub const ORDERS: &str = "shop-orders.fifo";
/// Where commands go that cannot be done, unless their queue names another one.
pub const DEAD: &str = "shop-orders-dead.fifo";
/// The queue that is told of every change of the account's orders, and of every command that was refused.
pub const EVENTS: &str = "shop-events.fifo";
/// The attribute of a dead letter that says why it is one.
pub const REASON: &str = "reason";
/// The most characters of a reason.
const REASON_CHARACTERS: usize = 500;
/// The currency of amounts that name none.
const DOLLARS: &str = "USD";

/// What is to be done with an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// It is to be taken.
    Create {
        /// The id that it is to have; none leaves that to the shop.
        id: Option<String>,
        /// What it says.
        content: Box<Content>,
        /// What the shop calls it.
        external_reference: Option<String>,
    },
    /// It is to come to another state.
    Update {
        /// Which one.
        id: String,
        /// To which.
        status: Status,
    },
    /// It is to be deleted.
    Delete {
        /// Which one.
        id: String,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    #[serde(rename = "type")]
    type_: Option<String>,
    order_id: Option<String>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Created<'a> {
    customer_name: Option<String>,
    customer_email: Option<String>,
    customer_phone: Option<String>,
    currency: Option<String>,
    external_reference: Option<String>,
    note: Option<String>,
    #[serde(borrow)]
    items: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
struct Line<'a> {
    product_id: Option<String>,
    product_name: Option<String>,
    quantity: Option<i64>,
    #[serde(borrow)]
    unit_price: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Updated {
    status: Option<String>,
}

impl Command {
    /// Reads the text of a message. Fields that nobody knows are let be, as the recorded system does.
    ///
    /// # Errors
    /// `COMMAND_MALFORMED`, `FIELD_MISSING`, `ORDER_ID_MALFORMED`, `UNKNOWN_CHOICE`, `CURRENCY_UNKNOWN`, those of
    /// [`Customer::new`] and [`Content::new`].
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let Envelope { type_, order_id, data } = read(text, "")?;
        let data = data.map_or("{}", RawValue::get);
        if let Some(id) = order_id.as_deref().filter(|id| !is_id(id)) {
            let text = format!("orderId is {id:?}: expected a UUID in lower case");
            return Err(Refusal::at("/orderId", "ORDER_ID_MALFORMED", text));
        }
        let needed = |id: Option<String>| id.ok_or_else(|| missing("/orderId"));
        match type_.as_deref() {
            Some("CREATE") => create(order_id, data),
            Some("UPDATE") => {
                let Updated { status } = read(data, "/data")?;
                let status = status.ok_or_else(|| missing("/data/status"))?;
                let status = Status::parse_shown(&status).ok_or_else(|| {
                    let known = Status::ALL.map(Status::shown).join(", ");
                    Refusal::at("/data/status", "UNKNOWN_CHOICE", format!("expected one of {known}"))
                })?;
                Ok(Self::Update { id: needed(order_id)?, status })
            }
            Some("DELETE") => Ok(Self::Delete { id: needed(order_id)? }),
            Some(_) => Err(Refusal::at("/type", "UNKNOWN_CHOICE", "expected CREATE, UPDATE or DELETE")),
            None => Err(missing("/type")),
        }
    }
}

fn create(id: Option<String>, data: &str) -> Result<Command, Refusal> {
    let Created { customer_name, customer_email, customer_phone, currency, external_reference, note, items } =
        read(data, "/data")?;
    let code = currency.as_deref().unwrap_or(DOLLARS);
    let currency = Currency::parse(code)
        .ok_or_else(|| Refusal::at("/data/currency", "CURRENCY_UNKNOWN", "expected a code of ISO 4217 such as GBP"))?;
    let name = customer_name.ok_or_else(|| missing("/data/customer_name"))?;
    let email = customer_email.ok_or_else(|| missing("/data/customer_email"))?;
    let lines = items.ok_or_else(|| missing("/data/items"))?;
    if lines.len() > MOST_ITEMS {
        return Err(Refusal::at("/data/items", "ITEM_COUNT", format!("an order has 1 to {MOST_ITEMS} items")));
    }
    let items = lines.into_iter().enumerate().map(|(index, line)| item(index, line.get(), currency));
    let items = items.collect::<Result<Vec<_>, _>>()?;
    let customer = Customer::new(name, email, customer_phone)?;
    let content = Content::new(Draft { customer, items, currency, discount: None, stated: None, note })?;
    Ok(Command::Create { id, content: Box::new(content), external_reference })
}

fn item(index: usize, text: &str, currency: Currency) -> Result<Wanted, Refusal> {
    let place = format!("/data/items/{index}");
    let Line { product_id, product_name, quantity, unit_price } = read(text, &place)?;
    let missing = |field: &str| missing(&format!("{place}/{field}"));
    let price = unit_price.ok_or_else(|| missing("unit_price"))?;
    let decimals = currency.exponent();
    let units = amount::parse(price.get(), decimals).ok().and_then(|units| i64::try_from(units).ok());
    let unit_price = units.ok_or_else(|| {
        let text = format!("expected a number that is not negative, with at most {decimals} decimals");
        Refusal::at(format!("{place}/unit_price"), "PRICE_OUT_OF_RANGE", text)
    })?;
    Ok(Wanted {
        product_id: product_id.ok_or_else(|| missing("product_id"))?,
        name: product_name.ok_or_else(|| missing("product_name"))?,
        quantity: quantity.ok_or_else(|| missing("quantity"))?,
        unit_price,
    })
}

fn read<'a, T: Deserialize<'a>>(text: &'a str, place: &str) -> Result<T, Refusal> {
    serde_json::from_str(text)
        .map_err(|error| Refusal::at(place.to_owned(), "COMMAND_MALFORMED", format!("not as expected: {error}")))
}

fn missing(pointer: &str) -> Refusal {
    Refusal::at(pointer.to_owned(), "FIELD_MISSING", format!("{pointer} is missing"))
}

fn is_id(text: &str) -> bool {
    text.len() == 36 && Uuid::try_parse(text).is_ok() && !text.bytes().any(|b| b.is_ascii_uppercase())
}

/// The id of an order whose command names none: always the same for the same message, so that it is taken once.
#[must_use]
pub fn id_of_message(message_id: &str) -> String {
    let space = Uuid::parse_str(message_id).unwrap_or(Uuid::NAMESPACE_OID);
    Uuid::new_v5(&space, b"shop.order").to_string()
}

/// Which command something is told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The id of its message.
    pub message_id: String,
    /// The group that its message is in.
    pub group: String,
}

/// The message that tells of a change of an order, in the order's group: the event, and the command that led to it.
#[must_use]
pub fn changed(id: &str, version: u64, event: &EventDraft, source: Option<&Source>, at: Timestamp) -> Outgoing {
    let data: Box<RawValue> = RawValue::from_string(event.body.clone()).unwrap_or_default();
    let command = source.map(|source| format!(",\"command\":{}", json!({ "messageId": source.message_id })));
    let body = format!(
        "{{\"type\":\"{}\",\"orderId\":\"{id}\",\"timestamp\":\"{at}\"{},\"data\":{data}}}",
        event.type_,
        command.unwrap_or_default()
    );
    outgoing(body, event.type_, id, format!("{id}:{version}"))
}

/// The message that tells of a command that was refused, in the group of the command.
#[must_use]
pub fn refused(source: &Source, refusal: &Refusal, at: Timestamp) -> Outgoing {
    let type_ = "shop.command.refused";
    let body = json!({
        "type": type_,
        "timestamp": at,
        "command": { "messageId": source.message_id },
        "reason": { "code": refusal.code, "detail": refusal.message, "pointer": refusal.pointer }
    });
    outgoing(body.to_string(), type_, &source.group, format!("refused:{}", source.message_id))
}

fn outgoing(body: String, type_: &str, group: &str, dedup: String) -> Outgoing {
    let attributes = vec![text_attribute("type", type_.to_owned())];
    let (group, dedup) = (Some(group.to_owned()), Some(dedup));
    Outgoing { body, attributes, group, dedup, sender: Owner::system().to_string(), ..Outgoing::default() }
}

fn text_attribute(name: &str, text: String) -> Attribute {
    Attribute { name: name.to_owned(), type_: "String".to_owned(), value: Value::Text(text) }
}

/// What a dead letter says of why it is one.
#[must_use]
pub fn reason(refusal: &Refusal) -> Attribute {
    let pointer = refusal.pointer.as_deref().map(|pointer| format!(" at {pointer}")).unwrap_or_default();
    let text = format!("{}{pointer}: {}", refusal.code, refusal.message);
    // Of control characters SQS takes few, and none is needed.
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    text_attribute(REASON, plain.take(REASON_CHARACTERS).collect())
}

#[cfg(test)]
mod tests;
