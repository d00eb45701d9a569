//! From commit to frame: how long after its decision an event reaches each of two thousand sockets.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, anyhow, bail, ensure};
use bytes::Bytes;
use domain::Timestamp;
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::histogram::Histogram;
use super::load;
use super::orders;
use super::progress::Progress;
use super::report::{Bar, Row, latency};
use super::rounds::Subject;
use crate::config::Bench;

/// An order's life on an instant venue: pending, routing, building, submitted, confirmed.
const EVENTS_PER_ORDER: u64 = 5;
/// Connections that place the orders; each has its share of the rate.
const PLACERS: u32 = 8;
/// Whatever has not arrived so long after the last order counts as lost.
const LATE: Duration = Duration::from_secs(5);
/// Sockets that are being opened at once.
const OPENING: usize = 64;

/// Who sees how much.
#[derive(Clone, Copy)]
struct Shape {
    events_per_second: u64,
    /// How many sockets see each event: those of one account.
    audience: u64,
}

const SHAPES: [Shape; 2] =
    [Shape { events_per_second: 1_000, audience: 20 }, Shape { events_per_second: 100, audience: 200 }];

/// Both shapes, each on a server of its own.
pub(crate) async fn run(settings: &Bench) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for shape in SHAPES {
        rows.push(measure(settings, shape).await?);
    }
    Ok(rows)
}

async fn measure(settings: &Bench, shape: Shape) -> anyhow::Result<Row> {
    let sockets = u64::from(settings.sockets);
    let accounts = (sockets / shape.audience).max(1);
    let what = format!("{} events/s, each on {} of {sockets} sockets: p99", shape.events_per_second, shape.audience);
    let progress = Progress::begin(format!("{what}: opening sockets"));
    let subject = Subject::take(settings, &["--venue", "paper?pace=instant"]).await?;
    let seen = Arc::new(Seen::default());
    // Dropped at the end of the measurement, which closes every socket.
    let _readers = open(subject.address, accounts * shape.audience, accounts, &seen).await?;

    let seconds = settings.seconds.saturating_mul(3).max(10);
    progress.say(format!("{what}: {seconds} s of orders"));
    let placed = place(subject.address, accounts, shape.events_per_second / EVENTS_PER_ORDER, seconds).await?;
    let expected = placed * EVENTS_PER_ORDER * shape.audience;
    let waiting = tokio::time::Instant::now();
    while seen.frames.load(Ordering::Relaxed) < expected && waiting.elapsed() < LATE {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let latencies = seen.latencies();
    let frames = latencies.count();
    let closed = seen.closed.load(Ordering::Relaxed);
    let short = (frames < expected).then(|| format!("only {frames} of {expected} frames came, {closed} sockets broke"));
    Ok(row(&what, &latencies, short))
}

#[expect(clippy::float_arithmetic, reason = "a measurement, no money")]
fn row(what: &str, latencies: &Histogram, spoilt: Option<String>) -> Row {
    let p99 = load::precise(latencies.quantile(990)) / 1_000.0;
    let what = format!("{what} (longest {} ms)", latencies.most() / 1_000);
    let latency = Some(latency(latencies));
    Row { what, value: p99, unit: "ms", yardstick: None, score: p99, bar: Bar::AtMost(50.0), latency, spoilt }
}

/// What the sockets saw; in parts, so that readers do not wait for one another.
#[derive(Default)]
struct Seen {
    parts: [Mutex<Histogram>; 16],
    frames: AtomicU64,
    closed: AtomicU64,
}

impl Seen {
    fn latencies(&self) -> Histogram {
        let mut all = Histogram::default();
        self.parts.iter().for_each(|part| all.merge(&part.lock().unwrap_or_else(PoisonError::into_inner)));
        all
    }
}

fn account(number: u64) -> String {
    format!("bench-{number}")
}

/// Opens the sockets, a share of them at once, and leaves a reader on each.
async fn open(address: SocketAddr, sockets: u64, accounts: u64, seen: &Arc<Seen>) -> anyhow::Result<JoinSet<()>> {
    let mut readers = JoinSet::new();
    let mut opened = futures_util::stream::iter(0..sockets)
        .map(async |number| Ok::<_, anyhow::Error>((number, subscribe(address, account(number % accounts)).await?)))
        .buffer_unordered(OPENING);
    while let Some(socket) = opened.next().await {
        let (number, socket) = socket?;
        readers.spawn(follow(socket, number, Arc::clone(seen)));
    }
    Ok(readers)
}

async fn subscribe(address: SocketAddr, account: String) -> anyhow::Result<WebSocketStream<TcpStream>> {
    let mut request = format!("ws://{address}/v1/stream").into_client_request()?;
    request.headers_mut().insert("x-account", account.parse()?);
    let stream = TcpStream::connect(address).await.context("a socket could not be opened: raise `ulimit -n`")?;
    stream.set_nodelay(true)?;
    let (mut socket, _) = client_async(request, stream).await?;
    socket.send(Message::text(r#"{"op":"subscribe","id":1,"kinds":["swap"]}"#)).await?;
    let answer = tokio::time::timeout(Duration::from_secs(30), socket.next()).await.context("no answer on a socket")?;
    let answer = answer.ok_or_else(|| anyhow!("a socket was closed"))??;
    ensure!(answer.to_text()?.contains("\"subscribed\""), "a subscription was refused: {answer}");
    Ok(socket)
}

async fn follow(mut socket: WebSocketStream<TcpStream>, number: u64, seen: Arc<Seen>) {
    let part = &seen.parts[usize::try_from(number).unwrap_or(0) % seen.parts.len()];
    while let Some(Ok(message)) = socket.next().await {
        let now = engine::clock::now();
        let Some(decided) = message.to_text().ok().and_then(decided_at) else { continue };
        let micros = u64::try_from(now.0 - decided.0).unwrap_or(0);
        part.lock().unwrap_or_else(PoisonError::into_inner).record(micros);
        seen.frames.fetch_add(1, Ordering::Relaxed);
    }
    seen.closed.fetch_add(1, Ordering::Relaxed);
}

/// When the event of a frame was decided, a little before it was committed.
fn decided_at(frame: &str) -> Option<Timestamp> {
    const MARK: &str = "\"at\":\"";
    frame.starts_with("{\"op\":\"event\"").then_some(())?;
    let from = frame.find(MARK)? + MARK.len();
    Timestamp::parse(frame.get(from..)?.split('"').next()?)
}

/// Places orders at a steady rate, on one account after the other; answers with how many.
async fn place(address: SocketAddr, accounts: u64, rate: u64, seconds: u64) -> anyhow::Result<u64> {
    let count = rate * seconds;
    let pause = Duration::from_secs(u64::from(PLACERS)) / u32::try_from(rate).unwrap_or(u32::MAX).max(1);
    let mut placers = JoinSet::new();
    for first in 0..PLACERS {
        let mut connection = load::connect(address).await?;
        let begin = tokio::time::Instant::now() + pause * first / PLACERS;
        placers.spawn(async move {
            let mut turn = tokio::time::interval_at(begin, pause);
            for number in (u64::from(first)..count).step_by(PLACERS as usize) {
                turn.tick().await;
                let body = Bytes::from_static(br#"{"inputToken":"SOL","outputToken":"USDC","amount":"0.01"}"#);
                let request = orders::post("/v1/swaps", body, Some(&account(number % accounts)));
                let (status, _) = load::exchange(&mut connection, request).await?;
                if !status.is_success() {
                    bail!("an order was answered {status}");
                }
            }
            Ok(())
        });
    }
    while let Some(placer) = placers.join_next().await {
        placer??;
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_tell_when_they_were_decided() {
        let frame = r#"{"op":"event","sub":1,"seq":"1-2","at":"2026-11-18T11:06:40.123456Z","data":{"createdAt":"x"}}"#;
        assert_eq!(decided_at(frame), Some(Timestamp(1_795_000_000_123_456)));
        assert_eq!(decided_at(r#"{"op":"heartbeat","head":"1-2"}"#), None);
    }
}
