//! Examples: of fields and parameters by their names, of bodies put together from those of their fields.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::complete::fields_of;

/// The id that examples have.
pub(super) const ID: &str = "0199a3c4-7d21-7c6e-9f0a-3b1c5d7e9f01";

/// What fields and parameters are called, as `name` or as `Schema.name`, and what they may hold; and under `left out`, by
/// schema, the fields that do not go together with its others in one example.
static NAMED: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("examples.json")).unwrap_or_default());

/// Gives every property an example.
pub(super) fn complete_schemas(components: &mut Value) {
    let known = components["schemas"].clone();
    for (name, schema) in fields_of(components, "schemas") {
        for (field, property) in fields_of(schema, "properties") {
            let has = property.get("example").is_some();
            // Beside a reference stands what the referred one says of itself.
            if has || property.get("$ref").is_some() || property.get("oneOf").is_some() {
                continue;
            }
            if let Some(example) = of_property(name, field, property, &known) {
                property["example"] = example;
            }
        }
    }
}

/// Gives the parameters and the bodies of an operation examples.
pub(super) fn complete_operation(operation: &mut Value, schemas: &Value) {
    for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        let schema = &mut parameter["schema"];
        // A parameter that is absent is not null.
        if let Some(there) = schema["oneOf"].as_array().and_then(|of| of.iter().find(|one| one["type"] != "null")) {
            *schema = there.clone();
        }
        if let Some(types) = schema.get_mut("type").and_then(Value::as_array_mut) {
            types.retain(|one| one != "null");
            if let [one] = types.as_slice() {
                schema["type"] = one.clone();
            }
        }
        let name = parameter["name"].as_str().unwrap_or_default();
        if parameter.get("example").is_none()
            && let Some(example) = of_property("", name, &parameter["schema"], schemas)
        {
            parameter["example"] = example;
        }
    }
    if let Some(body) = operation.get_mut("requestBody") {
        complete_content(body, schemas);
    }
    for (_, response) in fields_of(operation, "responses") {
        complete_content(response, schemas);
    }
}

fn complete_content(message: &mut Value, schemas: &Value) {
    for (media, body) in fields_of(message, "content") {
        let has = body.get("example").is_some() || body.get("examples").is_some();
        let is_object = media.ends_with("json") || media == "text/event-stream";
        if is_object
            && !has
            && let Some(example) = compose(&body["schema"], schemas)
        {
            body["example"] = example;
        }
    }
}

/// What a field holds: what its name says, unless it is a name that means something else elsewhere; else what its schema does.
fn of_property(schema: &str, field: &str, property: &Value, schemas: &Value) -> Option<Value> {
    let by_name = || NAMED.get(field).filter(|named| fits(named, property, schemas));
    let named = NAMED.get(format!("{schema}.{field}")).or_else(by_name);
    named.cloned().or_else(|| compose(property, schemas))
}

/// Whether a value is one of the schema's words, if it has some, and an object only where that is wanted.
fn fits(value: &Value, schema: &Value, schemas: &Value) -> bool {
    let schema = resolve(schema, schemas);
    if let Some(choices) = schema["oneOf"].as_array() {
        return choices.iter().any(|one| one["type"] != "null" && fits(value, one, schemas));
    }
    let is_word = schema["enum"].as_array().is_none_or(|words| words.contains(value));
    is_word && (schema["properties"].is_object() <= value.is_object())
}

/// Puts an example together.
fn compose(schema: &Value, schemas: &Value) -> Option<Value> {
    let (name, schema) = (referred(schema).unwrap_or_default(), resolve(schema, schemas));
    if let Some(example) = schema.get("example") {
        return Some(example.clone());
    }
    if let Some(words) = schema["enum"].as_array() {
        return words.iter().find(|word| !word.is_null()).cloned();
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let parts = parts.iter().filter_map(|part| compose(part, schemas));
        let fields = parts.filter_map(|part| match part {
            Value::Object(fields) => Some(fields),
            _ => None,
        });
        return Some(fields.flatten().collect::<Map<_, _>>().into());
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        return choices.iter().filter(|one| one["type"] != "null").find_map(|one| compose(one, schemas));
    }
    if let Some(properties) = schema["properties"].as_object() {
        let put_together = properties.iter().filter(|(field, _)| !is_left_out(name, field));
        let fields = put_together.filter_map(|(field, property)| {
            Some((
                field.clone(),
                property.get("example").cloned().or_else(|| of_property(name, field, property, schemas))?,
            ))
        });
        return Some(fields.collect::<Map<_, _>>().into());
    }
    if let Some(items) = schema.get("items") {
        return compose(items, schemas).map(|item| json!([item]));
    }
    (schema["format"] == "date-time").then(|| json!("2026-05-04T09:30:00Z"))
}

/// Whether the field does not go together with the others of its schema.
fn is_left_out(schema: &str, field: &str) -> bool {
    NAMED["left out"][schema].as_array().is_some_and(|fields| fields.iter().any(|one| one == field))
}

/// The schema that a reference leads to; one that is none leads to itself.
pub(super) fn resolve<'a>(schema: &'a Value, schemas: &'a Value) -> &'a Value {
    referred(schema).and_then(|name| schemas.get(name)).unwrap_or(schema)
}

fn referred(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/components/schemas/")
}
