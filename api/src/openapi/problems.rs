//! What may go wrong with an operation: problem documents with an example for each code that a description names.

use serde_json::{Map, Value, json};

use super::complete::{fields_of, parameter};
use super::examples::ID;
use crate::problem::{Known, codes};

const PROBLEM: &str = "application/problem+json";

/// Refusals that are the same wherever they come, by their names among the document's components.
pub(super) fn shared() -> Value {
    let mut all = Map::new();
    for (status, name, said, named) in SHARED {
        let mut response = json!({ "description": said });
        let known: Vec<Known> = named.iter().filter_map(|code| codes::of(code)).collect();
        response["content"] = content(&known, "/v1/deals");
        for header in ["x-request-id", "RateLimit-Policy", "RateLimit"] {
            response["headers"][header] = json!({ "$ref": format!("#/components/headers/{header}") });
        }
        let more = match *status {
            "401" => Some("WWW-Authenticate"),
            "429" | "503" => Some("Retry-After"),
            _ => None,
        };
        if let Some(header) = more {
            response["headers"][header] = json!({ "$ref": format!("#/components/headers/{header}") });
        }
        all.insert((*name).to_owned(), response);
    }
    Value::Object(all)
}

type Shared = (&'static str, &'static str, &'static str, &'static [&'static str]);

const SHARED: &[Shared] = &[
    (
        "401",
        "Unauthorized",
        "No key, or one that is unknown, expired or revoked. Only where the server has keys.",
        &["KEY_REQUIRED", "KEY_NOT_GOOD"],
    ),
    (
        "403",
        "Forbidden",
        "The key lacks the scope that the operation names, or is another account's.",
        &["SCOPE_MISSING", "ACCOUNT_NOT_YOURS"],
    ),
    ("408", "RequestTimeout", "The body did not arrive in time.", &["REQUEST_TIMEOUT"]),
    ("413", "BodyTooLarge", "The body is larger than the server takes, 64 KiB by default.", &["BODY_TOO_LARGE"]),
    ("415", "UnsupportedMediaType", "The body is not said to be `application/json`.", &["UNSUPPORTED_MEDIA_TYPE"]),
    ("429", "TooManyRequests", "Too many requests. Only where the server limits them.", &["RATE_LIMITED"]),
    ("500", "ServerError", "The server failed; its operator's log says why.", &["INTERNAL"]),
    (
        "503",
        "Unavailable",
        "Busy, not done in time, or the journal does not answer. Nothing was acknowledged; ask again with the same \
            `Idempotency-Key`.",
        &["BUSY", "DEADLINE", "UNAVAILABLE"],
    ),
];

/// Adds what an operation of this form may be refused for, and an example of each refusal.
pub(super) fn complete(operation: &mut Value, path: &str, guarded: bool) {
    let (takes_body, has_key) =
        (operation.get("requestBody").is_some(), parameter(operation, "Idempotency-Key").is_some());
    let malformed = malformed(operation);
    let must_name_version = parameter(operation, "If-Match").is_some_and(|tag| tag["required"] == true);
    let names_version = parameter(operation, "If-Match").is_some();
    let responses = &mut operation["responses"];
    let mut add = |status: &str, said: &str| {
        if responses.get(status).is_none() {
            responses[status] = json!({ "description": said });
        }
    };
    if !malformed.is_empty() {
        add("400", &format!("Malformed: {malformed}."));
    }
    if names_version {
        add("412", "It is at another version: `STALE_VERSION`.");
    }
    if must_name_version {
        add("428", "Without `If-Match`: `IF_MATCH_REQUIRED`.");
    }
    if has_key {
        add("422", "The key was used with another request: `IDEMPOTENCY_KEY_REUSED`.");
    }
    for (status, name, ..) in SHARED {
        let applies = match *status {
            "401" | "403" => guarded,
            "408" | "413" | "415" => takes_body,
            _ => true,
        };
        if applies && responses.get(status).is_none() {
            responses[*status] = json!({ "$ref": format!("#/components/responses/{name}") });
        }
    }
    for (status, response) in fields_of(operation, "responses") {
        if status.starts_with(['4', '5']) && response.get("content").is_none() && response.get("$ref").is_none() {
            let mut known = named(response["description"].as_str().unwrap_or_default(), status);
            if status == "422" && has_key && !known.iter().any(|known| known.code == "IDEMPOTENCY_KEY_REUSED") {
                known.push(codes::IDEMPOTENCY_KEY_REUSED);
            }
            response["content"] = content(&known, path);
        }
    }
}

/// The codes of what may be malformed in a request of this form.
fn malformed(operation: &Value) -> String {
    let mut found = Vec::new();
    let takes = |name| parameter(operation, name).is_some();
    if operation.get("requestBody").is_some() {
        found.extend(["MALFORMED_JSON", "BODY_NOT_OBJECT", "FIELD_MISSING", "UNKNOWN_FIELD", "WRONG_TYPE"]);
    }
    let parameters = operation["parameters"].as_array();
    if parameters.is_some_and(|all| all.iter().any(|parameter| parameter["in"] == "query")) {
        found.extend(["INVALID_PARAMETER", "UNKNOWN_PARAMETER"]);
    }
    let by_parameter = [
        ("cursor", "INVALID_CURSOR"),
        ("x-account", "INVALID_ACCOUNT"),
        ("If-Match", "INVALID_IF_MATCH"),
        ("Idempotency-Key", "INVALID_IDEMPOTENCY_KEY"),
    ];
    found.extend(by_parameter.into_iter().filter(|(name, _)| takes(name)).map(|(_, code)| code));
    found.iter().map(|code| format!("`{code}`")).collect::<Vec<_>>().join(", ")
}

/// The codes that a description names between backticks, of those with this status.
pub(super) fn named(description: &str, status: &str) -> Vec<Known> {
    let words = description.split('`').skip(1).step_by(2);
    words.filter_map(codes::of).filter(|known| known.status.to_string() == status).collect()
}

fn content(known: &[Known], path: &str) -> Value {
    let examples: Map<String, Value> = known
        .iter()
        .map(|known| (known.code.to_owned(), json!({ "summary": known.title, "value": problem(*known, path) })))
        .collect();
    json!({ PROBLEM: { "schema": { "$ref": "#/components/schemas/ProblemView" }, "examples": examples } })
}

/// A problem of that code, as it would be answered below that path.
fn problem(known: Known, path: &str) -> Value {
    let Known { code, status, title } = known;
    let mut instance = path.to_owned();
    for (name, value) in [("{id}", ID), ("{buyerId}", "bob"), ("{account}", "alice")] {
        instance = instance.replace(name, value);
    }
    let mut problem = json!({
        "type": format!("/problems#{code}"), "title": title, "status": status, "detail": detail(code).unwrap_or(title),
        "code": code, "instance": instance, "requestId": "5f0c9a1e-2b"
    });
    match code {
        "RATE_LIMITED" => {
            problem["type"] = crate::problem::QUOTA_EXCEEDED.into();
            problem["violated-policies"] = json!(["key"]);
        }
        "POSITION_GONE" => problem["oldest"] = "1-17".into(),
        "DUPLICATE_CLIENT_ORDER_ID" => problem["existing"] = ID.into(),
        "FIELD_MISSING" => {
            problem["errors"] = json!([{ "pointer": "/name", "code": code, "detail": "the field is missing" }]);
        }
        "UNKNOWN_PARAMETER" => {
            problem["errors"] = json!([{ "parameter": "colour", "code": code, "detail": "no such parameter here" }]);
        }
        _ => {}
    }
    problem
}

/// What the server says of some codes; others' examples repeat the title.
fn detail(code: &str) -> Option<&'static str> {
    Some(match code {
        "FIELD_MISSING" => "the field is missing",
        "UNKNOWN_PARAMETER" => "no such parameter here",
        "INVALID_CURSOR" => "take the cursor from the previous page of the same list",
        "INVALID_ACCOUNT" => "an account is 1 to 64 characters of A-Z a-z 0-9 . _ : -",
        "KEY_REQUIRED" => "send a key: `Authorization: Bearer <key>`, or `x-api-key: <key>`",
        "SCOPE_MISSING" => "the key lacks the scope deals:write",
        "INTERNAL" => "the server failed; the operator's log says why",
        "DEADLINE" => "not done in time; ask again with the same key",
        _ => return None,
    })
}
