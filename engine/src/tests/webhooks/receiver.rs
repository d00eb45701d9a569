//! A receiver of webhooks that answers as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// One request that came.
#[derive(Clone)]
pub(super) struct Got {
    pub(super) id: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Got {
    fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    pub(super) fn type_(&self) -> String {
        self.json()["type"].as_str().expect("a type").to_owned()
    }

    /// The entity and its version.
    pub(super) fn about(&self) -> (String, u64) {
        let body = self.json();
        (body["data"]["id"].as_str().expect("an id").to_owned(), body["data"]["version"].as_u64().expect("a version"))
    }
}

/// How a request is answered.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
    pub(super) after: Duration,
}

impl Reply {
    pub(super) fn of(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: String::new(), after: Duration::ZERO }
    }
}

struct Shared {
    got: Mutex<Vec<Got>>,
    /// What the next requests are answered with, then `always`.
    next: Mutex<VecDeque<Reply>>,
    always: Mutex<Reply>,
}

pub(super) struct Receiver {
    pub(super) url: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Receiver {
    /// One that answers every request with this status.
    pub(super) async fn start(status: u16) -> Self {
        let (got, next) = (Mutex::default(), Mutex::default());
        let shared = Arc::new(Shared { got, next, always: Mutex::new(Reply::of(status)) });
        let router = Router::new().route("/hook", post(take)).with_state(Arc::clone(&shared));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.expect("serves") });
        Self { url, shared, server }
    }

    pub(super) fn always(&self, reply: Reply) {
        *self.shared.always.lock().unwrap() = reply;
    }

    pub(super) fn next(&self, reply: Reply) {
        self.shared.next.lock().unwrap().push_back(reply);
    }

    pub(super) fn got(&self) -> Vec<Got> {
        self.shared.got.lock().unwrap().clone()
    }
}

async fn take(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let id = headers["webhook-id"].to_str().expect("text").to_owned();
    shared.got.lock().unwrap().push(Got { id, headers, body });
    let next = shared.next.lock().unwrap().pop_front();
    let reply = next.unwrap_or_else(|| shared.always.lock().unwrap().clone());
    tokio::time::sleep(reply.after).await;
    let status = StatusCode::from_u16(reply.status).expect("a status");
    let mut response = (status, reply.body).into_response();
    for (name, value) in reply.headers {
        response.headers_mut().insert(name, HeaderValue::try_from(value).expect("a value"));
    }
    response
}
