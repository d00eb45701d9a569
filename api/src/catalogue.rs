//! The catalogue of events: what each type says and the JSON schema of its data, at `GET /v1/event-types` and, as requests
//! that endpoints get, in the OpenAPI document.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::response::IntoResponse;
use domain::Kind;
use domain::event_types::{self, EventType};
use serde_json::{Map, Value, json};
use utoipa::Modify;

use crate::openapi;
use crate::schema::EventTypes;
use crate::swaps;

const COMPONENTS: &str = "#/components/schemas/";

/// Lists every type of event.
///
/// `schema` is JSON Schema (2020-12) of an event's `data`: the public view after the change, then who made it, when the
/// entity had last changed, and the old values of what changed.
#[utoipa::path(get, path = "/v1/event-types", operation_id = "eventTypesList", tag = "streams",
    responses((status = 200, description = "Every type, by kind.", body = EventTypes)))]
pub(crate) async fn list() -> impl IntoResponse {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        let components = components();
        let all: Vec<Value> = event_types::ALL.iter().map(|one| entry(one, &components)).collect();
        json!({ "data": all }).to_string()
    });
    swaps::json(TEXT.clone())
}

/// The name of the schema of a kind's public view.
const fn view(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Swap => Some("SwapView"),
        Kind::Plan => Some("PlanView"),
        Kind::Deal => Some("DealView"),
        Kind::Bid => Some("BidView"),
        Kind::Invoice => Some("InvoiceView"),
        Kind::Authorisation => Some("AuthorisationView"),
        Kind::ShopOrder => Some("ShopOrderView"),
        Kind::Stock => Some("StockView"),
        Kind::Key => Some("KeyView"),
        Kind::Endpoint => Some("EndpointView"),
        Kind::Limits => Some("LimitsView"),
        Kind::Trading => Some("TradingView"),
        // Bookkeeping tells of nothing.
        Kind::Delivery
        | Kind::Queue
        | Kind::MessageMove
        | Kind::Replay
        | Kind::Health
        | Kind::KeyUse
        | Kind::InvoiceBook
        | Kind::Relay
        | Kind::RiskBook => None,
    }
}

/// What an event's data has beyond the view.
fn beyond(kind: Kind) -> Value {
    let changed = json!({
        "type": "object",
        "description": "The old values of the fields that changed; null for one that was not there. Empty for a new entity."
    });
    if kind == Kind::Swap {
        let quotes = json!({"type": "array", "items": {"type": "object"},
            "description": "Every venue's answer; in the event of a routing alone."});
        let reason =
            json!({"type": "string", "description": "Why the venue was chosen; in the event of a routing alone."});
        return json!({"type": "object", "required": ["changed"],
            "properties": {"quotes": quotes, "reason": reason, "changed": changed}});
    }
    json!({"type": "object", "required": ["actor", "changed"], "properties": {
        "actor": {"type": "string", "description": "The account that made the change."},
        "previousUpdatedAt": {"type": "string", "format": "date-time",
            "description": "When the entity had last changed; absent for a new one."},
        "changed": changed
    }})
}

/// One line of the catalogue.
fn entry(one: &EventType, components: &Map<String, Value>) -> Value {
    json!({
        "type": one.name,
        "kind": one.kind.as_str(),
        "description": one.about,
        "webhooks": one.is_for_webhooks(),
        "schema": schema(one, components)
    })
}

/// The schema of an event's data, which needs no other document.
fn schema(one: &EventType, components: &Map<String, Value>) -> Value {
    let mut schema = view(one.kind).and_then(|name| components.get(name)).cloned().unwrap_or_else(|| json!({}));
    let more = beyond(one.kind);
    for part in ["properties", "required"] {
        match (&mut schema[part], &more[part]) {
            (Value::Object(all), Value::Object(more)) => all.extend(more.clone()),
            (Value::Array(all), Value::Array(more)) => all.extend(more.iter().cloned()),
            (none, more) => *none = more.clone(),
        }
    }
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = one.name.into();
    schema["description"] = one.about.into();
    let mut inner = BTreeMap::new();
    gather(&mut schema, components, &mut inner);
    if !inner.is_empty() {
        schema["$defs"] = json!(inner);
    }
    schema
}

/// Turns references into the document into references within the schema, and collects what they refer to.
fn gather(value: &mut Value, components: &Map<String, Value>, inner: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(fields) => {
            let name = fields.get("$ref").and_then(Value::as_str).and_then(|to| to.strip_prefix(COMPONENTS));
            if let Some(name) = name.map(str::to_owned) {
                fields.insert("$ref".to_owned(), format!("#/$defs/{name}").into());
                if !inner.contains_key(&name) {
                    // Noted before it is looked into, which ends circles.
                    inner.insert(name.clone(), Value::Null);
                    let mut part = components.get(&name).cloned().unwrap_or_default();
                    gather(&mut part, components, inner);
                    inner.insert(name, part);
                }
            }
            fields.values_mut().for_each(|field| gather(field, components, inner));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| gather(value, components, inner)),
        _ => {}
    }
}

fn components() -> Map<String, Value> {
    let document: Value = serde_json::from_str(&openapi::openapi()).unwrap_or_default();
    document["components"]["schemas"].as_object().cloned().unwrap_or_default()
}

/// The requests that webhook endpoints get.
pub(crate) struct Webhooks;

impl Modify for Webhooks {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let types = event_types::ALL.iter().filter(|one| one.is_for_webhooks());
        let items: Map<String, Value> = types.map(|one| (one.name.to_owned(), request(one))).collect();
        // As everywhere here: what is missing is missed by the test that looks at the document.
        document.webhooks = serde_json::from_value(Value::Object(items)).ok();
    }
}

/// One request, as Standard Webhooks 1.0.0 has it.
fn request(one: &EventType) -> Value {
    let header = |name: &str, said: &str| json!({"name": name, "in": "header", "required": true, "description": said, "schema": {"type": "string"}});
    let named = view(one.kind).map(|name| json!({"$ref": format!("{COMPONENTS}{name}")}));
    let parts: Vec<Value> = named.into_iter().chain([beyond(one.kind)]).collect();
    let body = json!({
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {"type": "string", "enum": [one.name], "description": "What happened."},
            "timestamp": {"type": "string", "format": "date-time", "description": "When."},
            "data": {"allOf": parts}
        }
    });
    json!({"post": {
        "tags": ["webhooks"],
        "summary": one.about,
        "description": "Sent to every endpoint of an account that may see it and asks for it, at least once.",
        "operationId": one.name,
        "parameters": [
            header("webhook-id", "The delivery's id: the same over all attempts, so that a repeated one is known."),
            header("webhook-timestamp", "When this attempt was made, in seconds since 1970."),
            header("webhook-signature", "`v1,` and the HMAC-SHA256 of id, timestamp and body, one for each secret.")
        ],
        "requestBody": {"required": true, "description": "What happened, and to what.", "content": {"application/json": {"schema": body}}},
        "responses": {
            "2XX": {"description": "Taken."},
            "410": {"description": "Nothing more is wanted: the endpoint is switched off."},
            "default": {"description": "Not taken: it is tried again later, after `Retry-After` where that is said."}
        }
    }})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_a_schema_that_stands_by_itself() {
        let components = components();
        for one in event_types::ALL {
            let schema = schema(one, &components);
            for field in ["id", "version", "status"] {
                let required = schema["required"].as_array().is_some_and(|all| all.iter().any(|name| name == field));
                assert!(required && schema["properties"][field].is_object(), "{}: {field}", one.name);
            }
            assert!(schema["properties"]["changed"].is_object(), "{}", one.name);
            let text = schema.to_string();
            assert!(!text.contains(COMPONENTS), "{}: {text}", one.name);
            for name in text.split("#/$defs/").skip(1).filter_map(|rest| rest.split('"').next()) {
                assert!(schema["$defs"][name].is_object(), "{}: {name}", one.name);
            }
        }
    }

    #[test]
    fn the_document_has_a_request_for_every_type_that_webhooks_may_ask_for() {
        let document: Value = serde_json::from_str(&openapi::openapi()).expect("JSON");
        let webhooks = document["webhooks"].as_object().expect("webhooks");
        let mut named: Vec<_> =
            event_types::ALL.iter().filter(|one| one.is_for_webhooks()).map(|one| one.name).collect();
        named.sort_unstable();
        assert_eq!(webhooks.keys().collect::<Vec<_>>(), named);
        let data = &webhooks["deal.updated"]["post"]["requestBody"]["content"]["application/json"]["schema"];
        assert_eq!(data["properties"]["data"]["allOf"][0]["$ref"], "#/components/schemas/DealView");
        assert_eq!(data["properties"]["type"]["enum"], json!(["deal.updated"]));
    }
}
