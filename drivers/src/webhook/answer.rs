//! The beginning of an answer's body; the rest is not waited for.

use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::{Instant, timeout_at};

/// How much of the body is kept.
const KEPT: usize = 4 * 1024;
/// How long a body that does not end is waited for: the status has been said already.
const WITHIN: Duration = Duration::from_secs(1);

/// The first 4 KiB, or what came of them in time. A body that ends there leaves its connection to the next post; one that
/// goes on ends with its connection, which is closed as the body is dropped.
pub(super) async fn beginning(mut body: Incoming, deadline: Instant) -> Vec<u8> {
    let deadline = deadline.min(Instant::now() + WITHIN);
    let mut kept = Vec::new();
    while let Ok(Some(Ok(frame))) = timeout_at(deadline, body.frame()).await {
        let Ok(data) = frame.into_data() else { continue };
        let room = KEPT - kept.len();
        kept.extend_from_slice(&data[..data.len().min(room)]);
        if data.len() > room {
            break;
        }
    }
    kept
}
