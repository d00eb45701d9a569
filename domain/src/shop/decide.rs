//! The decisions about a shop order. Each returns the order after it and the change that makes it so.

use std::collections::{BTreeMap, BTreeSet};

use super::{Content, Customer, Draft, Happening, Held, Order, Status, VIEW_LIMIT, Wanted, counts, next, stock};
use crate::money::{Currency, Discount, Minor};
use crate::view::event_body;
use crate::{Change, EntityWrite, EventDraft, Expect, Key, Kind, LevelMove, Owner, Refusal, Timestamp};

/// The most bytes of what the shop calls an order.
const REFERENCE: usize = 128;

/// A request for an order, its content checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The id it is to have: UUID text.
    pub id: String,
    /// Whose it is.
    pub shop: Owner,
    /// What it says.
    pub content: Content,
    /// What the shop calls it.
    pub external_reference: Option<String>,
}

/// What of an order is to be other than it was; what is none stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Amendment {
    /// Who ordered.
    pub customer: Option<Customer>,
    /// What is ordered: all of it.
    pub items: Option<Vec<Wanted>>,
    /// The currency of every amount.
    pub currency: Option<Currency>,
    /// What is taken off; or nothing any more.
    pub discount: Option<Option<Discount>>,
    /// What the client takes the total to be then.
    pub stated: Option<Minor>,
    /// What else there is to say; or nothing any more.
    pub note: Option<Option<String>>,
}

/// An order after a decision, and the change that makes it so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The order as it will be.
    pub order: Order,
    /// What the journal is to apply.
    pub change: Change,
}

/// Takes an order in. Of the products that are `counted` its pieces are kept for it, in the same change: all or nothing.
///
/// # Errors
/// `REFERENCE_MALFORMED`, `ORDER_TOO_LARGE`.
pub fn place(place: Place, counted: &BTreeSet<String>, now: Timestamp) -> Result<Choice, Refusal> {
    let Place { id, shop, content, external_reference } = place;
    let order = Order {
        id,
        version: 1,
        status: Status::Pending,
        held: holding(&content, counted),
        content,
        external_reference,
        deleted_at: None,
        created_at: now,
        updated_at: now,
        shop,
    };
    fits(&order)?;
    let mut choice = write(None, order);
    if let Some(reference) = &choice.order.external_reference {
        let wrong = reference.is_empty() || reference.len() > REFERENCE || reference.chars().any(char::is_control);
        if wrong {
            let text = format!("a reference has 1 to {REFERENCE} bytes and no control characters");
            return Err(Refusal::at("/externalReference", "REFERENCE_MALFORMED", text));
        }
        choice.change.keys.push(Key {
            scope: format!("shop.reference:{}", choice.order.shop),
            key: reference.clone(),
            fingerprint: None,
            kind: Kind::ShopOrder,
            id: choice.order.id.clone(),
            version: 1,
            expires_at: None,
        });
    }
    Ok(choice)
}

/// Changes what a pending order says; what is kept for it changes with it.
///
/// # Errors
/// `WRONG_STATE`, `ORDER_TOO_LARGE`; those of [`Content::new`].
pub fn amend(
    order: &Order,
    amendment: Amendment,
    counted: &BTreeSet<String>,
    now: Timestamp,
) -> Result<Choice, Refusal> {
    let after = move_on(order, Happening::Amend, now)?;
    let Amendment { customer, items, currency, discount, stated, note } = amendment;
    // What else is said of an order takes nothing, whatever is counted by now.
    let keeps = items.is_none();
    let before = order.content.draft();
    let content = Content::new(Draft {
        customer: customer.unwrap_or(before.customer),
        items: items.unwrap_or(before.items),
        currency: currency.unwrap_or(before.currency),
        discount: discount.unwrap_or(before.discount),
        stated,
        note: note.unwrap_or(before.note),
    })?;
    let held = if keeps { order.held.clone() } else { holding(&content, counted) };
    let after = Order { held, content, ..after };
    fits(&after)?;
    Ok(write(Some(order), after))
}

/// Moves an order to another state. What was kept for it goes back when it is cancelled, and is gone when it is completed.
///
/// # Errors
/// `WRONG_STATE`.
pub fn move_to(order: &Order, status: Status, now: Timestamp) -> Result<Choice, Refusal> {
    let Some(happening) = Happening::towards(status) else { return Err(impossible(order, status)) };
    let mut after = move_on(order, happening, now)?;
    if after.status.is_final() {
        after.held = Vec::new();
    }
    Ok(write(Some(order), after))
}

/// Deletes an order: lists do not show it any more, its history stays. What was kept for it goes back.
#[must_use]
pub fn delete(order: &Order, now: Timestamp) -> Choice {
    let after =
        Order { version: order.version + 1, held: Vec::new(), deleted_at: Some(now), updated_at: now, ..order.clone() };
    write(Some(order), after)
}

/// What is kept for an order of that content.
fn holding(content: &Content, counted: &BTreeSet<String>) -> Vec<Held> {
    let pieces = content.pieces().into_iter().filter(|(product, _)| counted.contains(*product));
    pieces.map(|(product, quantity)| Held { product_id: product.to_owned(), quantity }).collect()
}

fn move_on(order: &Order, happening: Happening, now: Timestamp) -> Result<Order, Refusal> {
    let status = next(order.status, happening);
    let status = status.ok_or_else(|| match happening {
        Happening::Amend => {
            let text = format!("the order is {}: only a pending one can be changed", order.status.shown());
            Refusal::new("WRONG_STATE", text)
        }
        Happening::Process => impossible(order, Status::Processing),
        Happening::Complete => impossible(order, Status::Completed),
        Happening::Cancel => impossible(order, Status::Cancelled),
    })?;
    Ok(Order { status, version: order.version + 1, updated_at: now, ..order.clone() })
}

/// The refusal of a state that cannot follow: it lists those that can.
fn impossible(order: &Order, wanted: Status) -> Refusal {
    let leads = |to: &Status| Happening::towards(*to).and_then(|h| next(order.status, h)).is_some();
    let possible: Vec<_> = Status::ALL.into_iter().filter(leads).map(Status::shown).collect();
    let possible = if possible.is_empty() { "nothing".to_owned() } else { possible.join(", ") };
    let text =
        format!("{} does not follow: the order is {}; possible now: {possible}", wanted.shown(), order.status.shown());
    Refusal::at("/status", "WRONG_STATE", text)
}

/// An order that fits may be completed and deleted: what that adds, its event has room for.
fn fits(order: &Order) -> Result<(), Refusal> {
    let length = order.view_json().len();
    if length > VIEW_LIMIT {
        let text =
            format!("the order has {length} bytes as JSON, {VIEW_LIMIT} at most: fewer items, shorter names or note");
        return Err(Refusal::at("/items", "ORDER_TOO_LARGE", text));
    }
    Ok(())
}

fn write(before: Option<&Order>, after: Order) -> Choice {
    let view = after.view_json();
    let old = before.map(Order::view_json);
    let type_ = match before {
        None => "shop.order.created",
        Some(_) if after.deleted_at.is_some() => "shop.order.deleted",
        Some(_) => "shop.order.updated",
    };
    let entity = EntityWrite {
        kind: Kind::ShopOrder,
        id: after.id.clone(),
        expect: before.map_or(Expect::Absent, |order| Expect::Version(order.version)),
        status: after.journal_status(),
        owner: after.shop.clone(),
        party: None,
        parent: None,
        body: after.body(),
        event: Some(EventDraft { type_, body: event_body(old.as_deref(), &view, &after.shop) }),
    };
    let levels = moves(before, &after);
    let change = Change { at: after.updated_at, entities: vec![entity], levels, ..Change::default() };
    Choice { order: after, change }
}

/// What a change of an order means to the shop's counts, and that of what is kept for it to the stock, by name. Of a completed
/// order nothing goes back.
fn moves(before: Option<&Order>, after: &Order) -> Vec<LevelMove> {
    let mut kept: BTreeMap<&str, i64> = BTreeMap::new();
    for held in &after.held {
        *kept.entry(&held.product_id).or_default() += held.quantity;
    }
    for held in before.iter().flat_map(|before| &before.held) {
        *kept.entry(&held.product_id).or_default() -= held.quantity;
    }
    let sold = after.status == Status::Completed && before.is_some_and(|order| !order.status.is_final());
    let mut levels = counts::moves(before, after);
    for (product, more) in kept.into_iter().filter(|(_, more)| *more != 0) {
        if !sold {
            levels.push(LevelMove { name: stock::available(&after.shop, product), add: -more, most: None });
        }
        levels.push(LevelMove { name: stock::reserved(&after.shop, product), add: more, most: None });
    }
    levels.sort_by(|a, b| a.name.cmp(&b.name));
    levels
}
