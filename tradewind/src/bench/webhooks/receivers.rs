//! Endpoints that answer at once and remember when what came.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use bytes::Bytes;
use domain::Timestamp;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::bench::histogram::Histogram;
use crate::bench::load::precise;

/// When nothing came for so long, nothing more is waited for.
const STILL: Duration = Duration::from_secs(30);
/// Requests to the server.
const PATIENCE: Duration = Duration::from_secs(30);

/// What all endpoints of a measurement got. Dropped, they close.
pub(super) struct Receivers {
    urls: Vec<String>,
    seen: Arc<Seen>,
    _listeners: JoinSet<()>,
}

#[derive(Default)]
struct Seen {
    count: AtomicU64,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    first: Option<Instant>,
    last: Option<Instant>,
    /// From an event's decision to its arrival.
    ages: Histogram,
}

impl Receivers {
    /// So many endpoints, each with a listener of its own.
    pub(super) async fn listen(count: u64) -> anyhow::Result<Self> {
        let (mut urls, mut listeners, seen) = (Vec::new(), JoinSet::new(), Arc::new(Seen::default()));
        for _ in 0..count {
            let listener = TcpListener::bind("127.0.0.1:0").await.context("an endpoint cannot listen")?;
            urls.push(format!("http://{}/in", listener.local_addr()?));
            listeners.spawn(accept(listener, Arc::clone(&seen)));
        }
        Ok(Self { urls, seen, _listeners: listeners })
    }

    /// Makes an endpoint for each on the server, for the deals of one account after the other.
    pub(super) async fn enrol(&self, server: SocketAddr, account: impl Fn(u64) -> String) -> anyhow::Result<()> {
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
        for (url, number) in self.urls.iter().zip(0..) {
            let wish: Value = json!({"url": url, "patterns": ["deal.*"]});
            let request = client.post(format!("http://{server}/v1/webhooks/endpoints")).json(&wish);
            let answer = request.header("x-account", account(number)).send().await?;
            if !answer.status().is_success() {
                bail!("an endpoint was refused: {} {}", answer.status(), answer.text().await?);
            }
        }
        Ok(())
    }

    /// How many came.
    pub(super) fn count(&self) -> u64 {
        self.seen.count.load(Ordering::Relaxed)
    }

    /// Waits for so many, or until nothing comes any more; answers with how many came.
    pub(super) async fn wait(&self, expected: u64, say: impl Fn(u64)) -> u64 {
        let (mut count, mut moved) = (self.count(), Instant::now());
        while count < expected && moved.elapsed() < STILL {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let now = self.count();
            if now != count {
                (count, moved) = (now, Instant::now());
                say(count);
            }
        }
        count
    }

    /// How many came per second, from the first to the last.
    #[expect(clippy::float_arithmetic, reason = "a measurement, no money")]
    pub(super) fn rate(&self) -> f64 {
        let kept = self.seen.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (Some(first), Some(last)) = (kept.first, kept.last) else { return 0.0 };
        precise(self.count()) / last.duration_since(first).as_secs_f64().max(1e-9)
    }

    /// From an event's decision, a little before its commit, to its arrival, in microseconds.
    pub(super) fn ages(&self) -> Histogram {
        self.seen.kept.lock().unwrap_or_else(PoisonError::into_inner).ages.clone()
    }
}

async fn accept(listener: TcpListener, seen: Arc<Seen>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(serve(stream, Arc::clone(&seen)));
    }
}

async fn serve(stream: TcpStream, seen: Arc<Seen>) {
    let _ = stream.set_nodelay(true);
    let answer = service_fn(|request: Request<Incoming>| {
        let seen = Arc::clone(&seen);
        async move {
            if let Ok(body) = request.into_body().collect().await {
                seen.note(&body.to_bytes());
            }
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        }
    });
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
}

impl Seen {
    fn note(&self, body: &[u8]) {
        let (instant, now) = (Instant::now(), engine::clock::now());
        let age = decided_at(body).map(|at| u64::try_from(now.0 - at.0).unwrap_or(0));
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.first.get_or_insert(instant);
        kept.last = Some(instant);
        if let Some(age) = age {
            kept.ages.record(age);
        }
        self.count.fetch_add(1, Ordering::Relaxed);
    }
}

/// When the event of a payload was decided: `timestamp` stands second in it.
fn decided_at(body: &[u8]) -> Option<Timestamp> {
    const MARK: &str = "\"timestamp\":\"";
    let head = std::str::from_utf8(body.get(..body.len().min(200))?).ok()?;
    let from = head.find(MARK)? + MARK.len();
    Timestamp::parse(head.get(from..)?.split('"').next()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_tell_when_their_event_was_decided() {
        let payload = br#"{"type":"deal.created","timestamp":"2026-11-18T11:06:40.123456Z","data":{}}"#;
        assert_eq!(decided_at(payload), Some(Timestamp(1_795_000_000_123_456)));
        assert_eq!(decided_at(b"{}"), None);
    }
}
