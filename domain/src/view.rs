//! Public views out of entities and events, whatever their kind.
//!
//! An event's body is the public view after the change, then who did it (`actor`), when it had last changed before
//! (`previousUpdatedAt`), and the old values of what changed (`changed`): enough for every reader, without a second look.

use serde_json::{Map, Value};

use crate::authorisation::Authorisation;
use crate::bid::Bid;
use crate::deal::Deal;
use crate::invoice::Invoice;
use crate::key::Key;
use crate::plan::Plan;
use crate::risk::{Limits, Trading};
use crate::shop::Order;
use crate::shop::stock::Stock;
use crate::swap::Swap;
use crate::webhook::delivery::Delivery;
use crate::webhook::endpoint::Endpoint;
use crate::webhook::replay::Replay;
use crate::{Entity, Kind, Owner};

// No text inside a view can contain these marks, because JSON escapes its quotes, and no view has such a field.
const MARKS: [&str; 3] = [",\"quotes\":[", ",\"actor\":\"", ",\"changed\":{"];
/// What changes with every change, and is therefore no news.
const ALWAYS: [&str; 2] = ["version", "updatedAt"];

/// The public view of an entity as JSON; none where its kind has no public view.
///
/// # Errors
/// The body is not what this program writes.
pub fn of_entity(entity: &Entity) -> Result<Option<String>, serde_json::Error> {
    Ok(match entity.kind {
        Kind::Swap => Some(Swap::from_entity(entity)?.view_json()),
        Kind::Plan => Some(Plan::from_entity(entity)?.view_json()),
        Kind::Endpoint => Some(Endpoint::from_entity(entity)?.view_json()),
        Kind::Delivery => Some(Delivery::from_entity(entity)?.view_json()),
        Kind::Replay => Some(Replay::from_entity(entity)?.view_json()),
        Kind::Deal => Some(Deal::from_entity(entity)?.view_json()),
        Kind::Bid => Some(Bid::from_entity(entity)?.view_json()),
        Kind::Invoice => Some(Invoice::from_entity(entity)?.view_json()),
        Kind::Authorisation => Some(Authorisation::from_entity(entity)?.view_json()),
        Kind::ShopOrder => Some(Order::from_entity(entity)?.view_json()),
        Kind::Stock => Some(Stock::from_entity(entity)?.view_json()),
        Kind::Key => Some(Key::from_entity(entity)?.view_json()),
        Kind::Limits => Some(Limits::from_entity(entity)?.view_json()),
        Kind::Trading => Some(Trading::from_entity(entity)?.view_json()),
        _ => None,
    })
}

/// The public view from the body of an event, which is the view with more after it.
#[must_use]
pub fn of_event(body: &str) -> String {
    let end = MARKS.iter().filter_map(|mark| body.find(mark)).min();
    end.map_or_else(|| body.to_owned(), |end| format!("{}}}", &body[..end]))
}

/// The body of an event: the view after the change, who made it, when the entity had last changed, and the old values of the
/// fields that differ from `before`, the view before it; none for a new entity. Views are JSON objects.
#[must_use]
pub fn event_body(before: Option<&str>, after: &str, actor: &Owner) -> String {
    let mut body = after.strip_suffix('}').unwrap_or(after).to_owned();
    body.push_str(",\"actor\":\"");
    // Names of accounts need no escapes.
    body.push_str(actor.as_str());
    body.push('"');
    let before = before.map(|before| serde_json::from_str::<Map<String, Value>>(before).unwrap_or_default());
    if let Some(Value::String(at)) = before.as_ref().and_then(|before| before.get("updatedAt")) {
        // Instants need no escapes either.
        body.push_str(",\"previousUpdatedAt\":\"");
        body.push_str(at);
        body.push('"');
    }
    body.push_str(",\"changed\":");
    let changed = before.map(|before| changed(before, after)).unwrap_or_default();
    body.push_str(&Value::Object(changed).to_string());
    body.push('}');
    body
}

/// The old values of the fields that differ between two views; null for one that was not there.
fn changed(mut before: Map<String, Value>, after: &str) -> Map<String, Value> {
    let after = serde_json::from_str::<Map<String, Value>>(after).unwrap_or_default();
    let mut changed = Map::new();
    for (name, value) in &after {
        let old = before.remove(name).unwrap_or(Value::Null);
        if old != *value && !ALWAYS.contains(&name.as_str()) {
            changed.insert(name.clone(), old);
        }
    }
    // What is there no more.
    changed.extend(before.into_iter().filter(|(name, old)| !old.is_null() && !ALWAYS.contains(&name.as_str())));
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_says_what_changed_and_gives_its_view_back() {
        let actor = Owner::parse("acme").unwrap();
        let (before, after) = (
            r#"{"id":"1","version":1,"price":5,"note":"a","updatedAt":"x"}"#,
            r#"{"id":"1","version":2,"price":6,"by":",\"changed\":{","updatedAt":"y"}"#,
        );
        let body = event_body(Some(before), after, &actor);
        let read: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(read["changed"].to_string(), r#"{"by":null,"note":"a","price":5}"#);
        assert_eq!((&read["actor"], &read["previousUpdatedAt"]), (&"acme".into(), &"x".into()));
        assert_eq!(of_event(&body), after);
        assert_eq!(of_event(&event_body(None, after, &actor)), after);
    }
}
