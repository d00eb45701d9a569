//! What is the same for every operation of its sort, said once: security, refusals, headers, examples.

use domain::key::Scope;
use serde_json::{Map, Value, json};

use super::{examples, problems};
use crate::{csv, routes};

/// What a path may do, as the document calls it.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// Completes the document that was made from the handlers' attributes.
pub(super) fn complete(mut document: Value) -> Value {
    document["components"]["securitySchemes"] = security_schemes();
    document["components"]["headers"] = headers();
    document["components"]["responses"] = problems::shared();
    close_requests(&mut document);
    examples::complete_schemas(&mut document["components"]);
    let schemas = document["components"]["schemas"].clone();
    let native = routes::native();
    for (path, item) in fields_of(&mut document, "paths") {
        let methods = native.iter().find(|route| route.path == path).map(|route| route.methods);
        for method in METHODS {
            let Some(operation) = item.get_mut(method) else { continue };
            let known = methods.into_iter().flatten().find(|(known, _)| known.as_str().eq_ignore_ascii_case(method));
            Asked { path, method, scope: known.and_then(|(_, scope)| *scope) }.complete(operation, &schemas);
        }
    }
    for (_, item) in fields_of(&mut document, "webhooks") {
        // Nobody shows a key there: what comes is signed.
        item["post"]["security"] = json!([]);
        examples::complete_operation(&mut item["post"], &schemas);
    }
    document
}

/// Lists of business things are there as CSV too.
fn as_csv(operation: &mut Value, path: &str) {
    let Some(columns) = csv::columns_of(path) else { return };
    let said = "`csv`: the whole list from here on as CSV (RFC 4180) rather than one page of it as JSON; `limit` says nothing then. \
        The header `Accept: text/csv` asks for the same; `json`, the usual form, goes before it. Texts that a spreadsheet would take for formulas begin with `'`.";
    let format = json!({ "name": "format", "in": "query", "description": said,
        "schema": { "type": "string", "enum": ["csv", "json"] } });
    if let Some(parameters) = operation["parameters"].as_array_mut() {
        parameters.push(format);
    }
    let content = &mut operation["responses"]["200"]["content"];
    content[csv::TYPE] = json!({ "schema": { "type": "string" }, "example": columns.join(",") + "\r\n" });
}

/// An operation, by what the routes say of it.
struct Asked<'a> {
    path: &'a str,
    method: &'a str,
    scope: Option<Scope>,
}

impl Asked<'_> {
    fn complete(&self, operation: &mut Value, schemas: &Value) {
        name(operation);
        let asks = match self.scope {
            Some(scope) => format!("Needs a key with the scope `{}`, where the server has keys.", scope.as_str()),
            None => "Needs no key.".to_owned(),
        };
        let said = operation["description"].as_str().map(|said| format!("{said}\n\n")).unwrap_or_default();
        operation["description"] = format!("{said}{asks}").into();
        operation["security"] = match self.scope {
            Some(scope) => json!([{ "bearer": [scope.as_str()] }, { "apiKey": [scope.as_str()] }]),
            None => json!([]),
        };
        describe_body(operation, schemas);
        if self.method == "get" {
            as_csv(operation, self.path);
        }
        if self.path.starts_with("/v1/") {
            problems::complete(operation, self.path, self.scope.is_some());
        }
        self.add_headers(operation);
        examples::complete_operation(operation, schemas);
    }

    /// The headers that answers bring.
    fn add_headers(&self, operation: &mut Value) {
        let has = |name: &str| parameter(operation, name).is_some();
        let writes = self.method != "get" && has("Idempotency-Key");
        // A key's view also says when it was last used, which is no change of it.
        let tagged = has("If-None-Match") || (writes && operation["tags"][0] != "keys");
        let (paged, limited) = (has("cursor"), self.path.starts_with("/v1/"));
        for (status, response) in fields_of(operation, "responses") {
            if response.get("$ref").is_some() {
                continue;
            }
            let succeeds = status.starts_with('2');
            let mut add = |name: &str| {
                response["headers"][name] = json!({ "$ref": format!("#/components/headers/{name}") });
            };
            // That the process lives is said outside of all layers.
            if self.path != "/health/live" {
                add("x-request-id");
            }
            if tagged && (succeeds || status == "304") {
                add("ETag");
            }
            if writes && succeeds {
                add("Location");
                add("Idempotent-Replayed");
            }
            if paged && succeeds {
                add("Link");
            }
            if limited {
                add("RateLimit-Policy");
                add("RateLimit");
            }
            if status == "503" {
                add("Retry-After");
            }
        }
    }
}

/// An operation is called as its tag and its handler, unless it has a name of its own: those have capitals.
fn name(operation: &mut Value) {
    let handler = operation["operationId"].as_str().unwrap_or_default();
    if handler.contains(char::is_uppercase) {
        return;
    }
    let words = handler.split('_').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        format!("{}{rest}", first.to_uppercase())
    });
    let tag = operation["tags"][0].as_str().unwrap_or_default();
    operation["operationId"] = format!("{tag}{}", words.collect::<String>()).into();
}

/// A body is described by what it holds; one that may be left out is not `null`.
fn describe_body(operation: &mut Value, schemas: &Value) {
    let Some(body) = operation.get_mut("requestBody") else { return };
    let schema = &mut body["content"]["application/json"]["schema"];
    if let Some(there) = schema["oneOf"].as_array().and_then(|of| of.iter().find(|one| one.get("$ref").is_some())) {
        *schema = json!({ "$ref": there["$ref"] });
    }
    let described = examples::resolve(schema, schemas)["description"].clone();
    body["description"] = described;
}

/// The parameter of that name.
pub(super) fn parameter<'a>(operation: &'a Value, name: &str) -> Option<&'a Value> {
    operation["parameters"].as_array()?.iter().find(|parameter| parameter["name"] == name)
}

/// What requests are made of takes no field that it does not name.
fn close_requests(document: &mut Value) {
    let mut open = Vec::new();
    for (_, item) in fields_of(document, "paths") {
        for method in METHODS {
            references(&item[method]["requestBody"], &mut open);
        }
    }
    let mut next = 0;
    while let Some(name) = open.get(next).cloned() {
        next += 1;
        let schema = &mut document["components"]["schemas"][&name];
        if schema["type"] == "object" {
            schema["additionalProperties"] = false.into();
        }
        references(schema, &mut open);
    }
}

/// The names of the schemas that a value refers to, each once.
fn references(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            let name = fields.get("$ref").and_then(Value::as_str).and_then(|to| to.rsplit('/').next());
            if let Some(name) = name.filter(|name| !names.iter().any(|known| known == name)) {
                names.push(name.to_owned());
            }
            fields.values().for_each(|field| references(field, names));
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, names)),
        _ => {}
    }
}

/// The fields of what stands at that name; none where nothing does.
pub(super) fn fields_of<'a>(value: &'a mut Value, name: &str) -> impl Iterator<Item = (&'a String, &'a mut Value)> {
    value.get_mut(name).and_then(Value::as_object_mut).into_iter().flat_map(Map::iter_mut)
}

fn security_schemes() -> Value {
    json!({
        "bearer": {
            "type": "http", "scheme": "bearer", "bearerFormat": "tw_<env>_<id>_<secret><check>",
            "description": "A key; from the first key on, every request needs one."
        },
        "apiKey": {
            "type": "apiKey", "in": "header", "name": "x-api-key",
            "description": "The same key, for clients that cannot send the other."
        }
    })
}

/// Headers of answers.
fn headers() -> Value {
    let header = |said: &str, schema: Value, example: Value| json!({ "description": said, "schema": schema, "example": example });
    let text = || json!({ "type": "string" });
    json!({
        "x-request-id": header("The request's id: the one that it brought, or a new one.", text(), json!("5f0c9a1e-2b")),
        "ETag": header("The version of what is shown: for `If-Match` and `If-None-Match`.",
            json!({ "type": "string", "pattern": "^\"[0-9]+\"$" }), json!("\"3\"")),
        "Location": header("Where it is read.", json!({ "type": "string", "format": "uri-reference" }),
            json!(format!("/v1/deals/{}", examples::ID))),
        "Idempotent-Replayed": header("`true` where the request was answered before and nothing was done.",
            json!({ "type": "string", "enum": ["true"] }), json!("true")),
        "Link": header("The next page (RFC 8288); absent on the last.", text(),
            json!("</v1/deals?cursor=AAAAAAAAAAEx0m1Xb2k9n3JQ4gq5eR8u>; rel=\"next\"")),
        "Retry-After": header("After how many seconds another request is allowed, or makes sense.",
            json!({ "type": "integer", "minimum": 1 }), json!(1)),
        "RateLimit-Policy": header("What is allowed: a quota `q` in `w` seconds, by policy. Only where the server limits \
            requests.", text(), json!("\"key\";q=100;w=1")),
        "RateLimit": header("What is left: `r` requests; in `t` seconds all of them are back. Only where the server limits \
            requests.", text(), json!("\"key\";r=99;t=1")),
        "WWW-Authenticate": header("How a key is shown.", text(), json!("Bearer"))
    })
}

/// Whether a method is one that the document has.
#[cfg(test)]
pub(super) fn is_method(name: &str) -> bool {
    METHODS.contains(&name)
}
