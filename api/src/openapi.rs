//! The OpenAPI document, and the page that shows it without asking any other server.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use utoipa::openapi::schema::Type;
use utoipa::openapi::{Content, HeaderBuilder, ObjectBuilder, Ref, RefOr, ResponseBuilder};
use utoipa::{Modify, OpenApi};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::routes::App;
use crate::{events, health, quotes, stream, swaps, tokens};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tradewind",
        description = "A durable order backend. A 2xx answer to a write means on disk. Until there are keys, the header \
            `x-account` says who is calling. Every error is a problem document (RFC 9457) with a stable `code`."
    ),
    paths(
        swaps::create, swaps::list, swaps::read, swaps::history, swaps::cancel,
        quotes::by_body, quotes::by_query, tokens::list,
        events::follow, stream::connect,
        health::live, health::ready, health::metrics
    ),
    tags(
        (name = "swaps", description = "Orders to exchange one token for another."),
        (name = "quotes", description = "What the venues would give, and what can be traded."),
        (name = "streams", description = "Every change, as it happens and from any position."),
        (name = "operation", description = "Health and metrics.")
    ),
    modifiers(&Limited)
)]
struct Document;

/// Every route below `/v1` may be limited.
struct Limited;

impl Modify for Limited {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let header = |said: &str| {
            let text = ObjectBuilder::new().schema_type(Type::String).build();
            HeaderBuilder::new().schema(Some(text)).description(Some(said)).build()
        };
        let refusal = ResponseBuilder::new()
            .description("Too many requests. Only where the server limits them.")
            .content("application/problem+json", Content::new(Some(Ref::from_schema_name("ProblemView"))))
            .header("Retry-After", header("After how many seconds another request is allowed."))
            .header("RateLimit-Policy", header("What is allowed: a quota `q` in `w` seconds, by policy."))
            .header("RateLimit", header("What is left: `r` requests; in `t` seconds all of them are back."))
            .build();
        for (_, item) in document.paths.paths.iter_mut().filter(|(path, _)| path.starts_with("/v1/")) {
            for operation in [&mut item.get, &mut item.post].into_iter().flatten() {
                operation.responses.responses.insert("429".to_owned(), RefOr::T(refusal.clone()));
            }
        }
    }
}

static TEXT: LazyLock<String> = LazyLock::new(|| {
    let mut text = Document::openapi().to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
});

/// The OpenAPI document of the native API as pretty JSON.
#[must_use]
pub fn openapi() -> String {
    TEXT.clone()
}

/// `GET /openapi.json`.
pub(crate) async fn document() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], TEXT.as_str())
}

/// Swagger UI under `/docs`.
pub(crate) fn pages() -> Router<Arc<App>> {
    SwaggerUi::new("/docs").config(Config::new(["/openapi.json"])).into()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_document_is_as_recorded() {
        let document: serde_json::Value = serde_json::from_str(&super::openapi()).expect("JSON");
        insta::assert_json_snapshot!(document);
    }

    #[test]
    fn everything_is_described() {
        let document: serde_json::Value = serde_json::from_str(&super::openapi()).expect("JSON");
        for (path, item) in document["paths"].as_object().expect("paths") {
            for (method, operation) in item.as_object().expect("methods") {
                let described =
                    |value: &serde_json::Value| value["description"].as_str().is_some_and(|d| !d.is_empty());
                assert!(operation["summary"].is_string(), "{method} {path}");
                let responses = operation["responses"].as_object().expect("responses");
                assert!(responses.values().all(described), "{method} {path}");
                let parameters = operation["parameters"].as_array().into_iter().flatten();
                assert!(parameters.into_iter().all(described), "{method} {path}");
            }
        }
        // The description of an optional object stands beside its reference.
        let described = |property: &serde_json::Value| {
            let choices = property["oneOf"].as_array().into_iter().flatten();
            choices.chain([property]).any(|one| one["description"].is_string())
        };
        for (name, schema) in document["components"]["schemas"].as_object().expect("schemas") {
            for (field, property) in schema["properties"].as_object().expect("properties") {
                assert!(described(property), "{name}.{field}");
            }
        }
    }
}
