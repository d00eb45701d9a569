//! The chain's JSON-RPC: the methods that clients of venues need, with the shapes and error codes of a real node.

mod methods;
mod shapes;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::{Body, Fronts, Shared, TookEffect};

/// The most calls of a batch.
const BATCH_LIMIT: usize = 100;

const PARSE_ERROR: i32 = -32700;
const INVALID_REQUEST: i32 = -32600;
const METHOD_NOT_FOUND: i32 = -32601;
const INVALID_PARAMETERS: i32 = -32602;
const INTERNAL_ERROR: i32 = -32603;
const PREFLIGHT_FAILED: i32 = -32002;
const SIGNATURE_FAILED: i32 = -32003;
const VERSION_UNSUPPORTED: i32 = -32015;

/// An error of a call.
struct Failed {
    code: i32,
    message: String,
    data: Option<Value>,
}

impl Failed {
    fn new(code: i32, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: None }
    }

    fn parameters(message: impl Into<String>) -> Self {
        Self::new(INVALID_PARAMETERS, message)
    }
}

pub(super) fn routes() -> Router<std::sync::Arc<Fronts>> {
    Router::new().route("/rpc", post(call))
}

async fn call(State(fronts): Shared, body: Body) -> Response {
    let read = body.ok().and_then(|body| serde_json::from_slice::<Value>(&body).ok());
    let Some(value) = read else {
        let failed = Err(Failed::new(PARSE_ERROR, "Parse error"));
        return Json(answered(&Value::Null, failed).0).into_response();
    };
    let (answer, effect) = match &value {
        Value::Array(calls) if calls.is_empty() || calls.len() > BATCH_LIMIT => {
            let message = format!("a batch has 1 to {BATCH_LIMIT} calls");
            answered(&Value::Null, Err(Failed::new(INVALID_REQUEST, message)))
        }
        Value::Array(calls) => {
            let answers: Vec<_> = calls.iter().map(|call| one(&fronts, call)).collect();
            let effect = answers.iter().any(|(_, effect)| *effect);
            (Value::Array(answers.into_iter().map(|(answer, _)| answer).collect()), effect)
        }
        call => one(&fronts, call),
    };
    let mut response = Json(answer).into_response();
    if effect {
        response.extensions_mut().insert(TookEffect);
    }
    response
}

/// One call; says also whether it did something.
fn one(fronts: &Fronts, call: &Value) -> (Value, bool) {
    let id = call.get("id").unwrap_or(&Value::Null);
    let named = call.get("method").and_then(Value::as_str).filter(|_| call.get("jsonrpc") == Some(&json!("2.0")));
    let Some(method) = named else {
        return answered(id, Err(Failed::new(INVALID_REQUEST, "Invalid request")));
    };
    let none = Vec::new();
    let parameters = call.get("params").and_then(Value::as_array).unwrap_or(&none);
    let (answer, good) = answered(id, methods::call(fronts, method, parameters));
    (answer, good && method == "sendTransaction")
}

/// The answer, and whether it is a good one.
fn answered(id: &Value, result: Result<Value, Failed>) -> (Value, bool) {
    match result {
        Ok(result) => (json!({"jsonrpc": "2.0", "result": result, "id": id}), true),
        Err(Failed { code, message, data }) => {
            let mut error = json!({"code": code, "message": message});
            if let Some(data) = data {
                error["data"] = data;
            }
            (json!({"jsonrpc": "2.0", "error": error, "id": id}), false)
        }
    }
}
