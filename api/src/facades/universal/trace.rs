//! The id that ties a request to its answer: the caller's own, or a new one.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

const TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");
/// The longest that callers may bring, in bytes.
const LONGEST: usize = 256;

/// The request's id.
#[derive(Clone)]
pub(super) struct TraceId(pub(super) String);

/// Gives every request its id, and every answer that of its request.
pub(super) async fn carry(mut request: Request, next: Next) -> Response {
    let brought = request.headers().get(TRACE_ID).filter(|id| (1..=LONGEST).contains(&id.len()));
    let id = brought.and_then(|id| id.to_str().ok()).map_or_else(random, str::to_owned);
    let header = HeaderValue::from_str(&id);
    request.extensions_mut().insert(TraceId(id));
    let mut response = next.run(request).await;
    response.headers_mut().extend(header.map(|id| (TRACE_ID, id)));
    response
}

/// A UUID of version 4. Its bits are those of one of version 7, mixed, so that none tells the time.
fn random() -> String {
    let mut bits = [0; 16];
    bits.copy_from_slice(&Sha256::digest(Uuid::now_v7().as_bytes())[..16]);
    Builder::from_random_bytes(bits).into_uuid().to_string()
}
