//! The document: as it is recorded, whole, and true to the routes' codes; the page that shows it needs nobody else.

use std::collections::BTreeSet;

use serde_json::Value;

use super::complete::is_method;
use super::problems::named;
use crate::problem::codes;

fn document() -> Value {
    serde_json::from_str(&super::openapi()).expect("JSON")
}

#[test]
fn the_document_is_as_recorded() {
    insta::assert_json_snapshot!(document());
}

/// What is missing, by its place.
#[derive(Default)]
struct Missing(Vec<String>);

impl Missing {
    fn need(&mut self, holds: bool, place: &str, what: &str) {
        if !holds {
            self.0.push(format!("{place}: no {what}"));
        }
    }

    fn text(&mut self, value: &Value, field: &str, place: &str) {
        self.need(value[field].as_str().is_some_and(|text| !text.trim().is_empty()), place, field);
    }

    fn example(&mut self, value: &Value, place: &str) {
        let several = value["examples"].as_object().is_some_and(|all| !all.is_empty());
        self.need(value.get("example").is_some() || several, place, "example");
    }

    fn content(&mut self, value: &Value, place: &str) {
        for (media, body) in value["content"].as_object().into_iter().flatten() {
            self.example(body, &format!("{place} {media}"));
            self.need(!body["schema"].is_null(), &format!("{place} {media}"), "schema");
        }
    }

    fn operation(&mut self, document: &Value, operation: &Value, place: &str) {
        for field in ["operationId", "summary", "description"] {
            self.text(operation, field, place);
        }
        let tags = document["tags"].as_array().expect("tags");
        let known = |tag: &Value| tags.iter().any(|one| &one["name"] == tag);
        let tagged = operation["tags"].as_array().is_some_and(|tags| tags.len() == 1 && tags.iter().all(known));
        self.need(tagged, place, "tag of those that the document describes");
        self.need(operation["security"].is_array(), place, "security");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let place = format!("{place} parameter {}", parameter["name"]);
            self.text(parameter, "description", &place);
            self.example(parameter, &place);
        }
        if let Some(body) = operation.get("requestBody") {
            let place = format!("{place} body");
            self.text(body, "description", &place);
            self.content(body, &place);
        }
        for (status, response) in operation["responses"].as_object().expect("responses") {
            self.response(document, response, status, &format!("{place} {status}"));
        }
    }

    fn response(&mut self, document: &Value, response: &Value, status: &str, place: &str) {
        let response = resolved(document, response);
        self.text(response, "description", place);
        self.content(response, place);
        for (name, header) in response["headers"].as_object().into_iter().flatten() {
            self.text(resolved(document, header), "description", &format!("{place} header {name}"));
            self.example(resolved(document, header), &format!("{place} header {name}"));
        }
        if !status.starts_with(['4', '5']) {
            return;
        }
        // A code that is said of another status is a slip of the pen.
        let said = response["description"].as_str().unwrap_or_default();
        let known = said.split('`').skip(1).step_by(2).filter_map(codes::of).count();
        self.need(known == named(said, status).len(), place, "status of that kind for each of its codes");
    }
}

fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let to = value["$ref"].as_str().and_then(|to| to.strip_prefix('#'));
    to.map_or(value, |to| document.pointer(to).expect("what is referred to"))
}

#[test]
fn everything_has_a_description_and_an_example() {
    let document = document();
    let mut missing = Missing::default();
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("methods").iter().filter(|(name, _)| is_method(name)) {
            let place = format!("{method} {path}");
            missing.operation(&document, operation, &place);
            missing.need(ids.insert(operation["operationId"].to_string()), &place, "operationId of its own");
        }
    }
    for (name, item) in document["webhooks"].as_object().expect("webhooks") {
        let post = &item["post"];
        missing.operation(&document, post, &format!("webhook {name}"));
        missing.need(ids.insert(post["operationId"].to_string()), name, "operationId of its own");
    }
    for (name, schema) in document["components"]["schemas"].as_object().expect("schemas") {
        missing.text(schema, "description", name);
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            let place = format!("{name}.{field}");
            // The description of an optional object stands beside its reference.
            let choices = property["oneOf"].as_array().into_iter().flatten();
            let described = choices.chain([property]).any(|one| one["description"].is_string());
            missing.need(described, &place, "description");
            let refers = property.get("$ref").is_some() || property.get("oneOf").is_some();
            missing.need(refers || property.get("example").is_some(), &place, "example");
        }
    }
    assert!(missing.0.is_empty(), "{} places:\n{}", missing.0.len(), missing.0.join("\n"));
}

#[test]
fn every_reference_leads_somewhere() {
    fn walk(document: &Value, value: &Value) {
        match value {
            Value::Object(fields) => {
                if let Some(to) = fields.get("$ref").and_then(Value::as_str) {
                    let there = to.strip_prefix('#').and_then(|to| document.pointer(to));
                    // What only parameters use is to be named in `components(schemas(…))`.
                    assert!(there.is_some(), "{to}");
                }
                fields.values().for_each(|field| walk(document, field));
            }
            Value::Array(values) => values.iter().for_each(|value| walk(document, value)),
            _ => {}
        }
    }
    let document = document();
    walk(&document, &document);
}

#[test]
fn requests_take_no_unknown_fields() {
    let document = document();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("methods") {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            if !schema.is_null() {
                let closed = &resolved(&document, schema)["additionalProperties"];
                assert_eq!(closed, &Value::Bool(false), "{method} {path}");
            }
        }
    }
}
