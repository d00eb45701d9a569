//! The load generator: keep-alive connections of HTTP/1.1, each with one request under way.
//!
//! A connection and the requests on it are one task, so that an answer wakes no second one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::histogram::Histogram;

/// No answer is waited for longer.
const ANSWER_DEADLINE: Duration = Duration::from_secs(60);

/// Makes the n-th request; called from many tasks, each n once.
pub(crate) type Make = Arc<dyn Fn(u64) -> Request<Full<Bytes>> + Send + Sync>;
/// Sees every answer's body.
pub(crate) type See = Arc<dyn Fn(&Bytes) + Send + Sync>;

/// What to send.
#[derive(Clone)]
pub(crate) struct Load {
    /// Where.
    pub(crate) address: SocketAddr,
    /// Connections, each with one request at a time.
    pub(crate) connections: u32,
    /// Makes the requests.
    pub(crate) make: Make,
    /// Looks at the answers.
    pub(crate) see: Option<See>,
    /// When to stop.
    pub(crate) until: Until,
    /// The number of the first request.
    pub(crate) first: u64,
    /// A request is due so often, whether earlier ones were answered or not, and its latency counts from then; without it
    /// every connection sends its next request when it has its answer.
    pub(crate) pace: Option<Duration>,
}

/// When a load ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Until {
    /// After so long; half a second before it counts as warm-up and is not measured.
    Elapsed(Duration),
    /// After so many requests.
    Sent(u64),
}

/// What came of it.
#[derive(Clone, Default)]
pub(crate) struct Measured {
    /// Answers with a 2xx status.
    pub(crate) good: u64,
    /// Other answers.
    pub(crate) bad: u64,
    /// The status of one of them.
    pub(crate) bad_status: Option<StatusCode>,
    /// How long it took.
    pub(crate) took: Duration,
    /// Time to each good answer, in microseconds.
    pub(crate) latency: Histogram,
    /// Requests sent in all, warm-up included.
    pub(crate) sent: u64,
}

impl Measured {
    /// Good answers per second.
    #[expect(clippy::float_arithmetic, reason = "a measurement, no money")]
    pub(crate) fn rate(&self) -> f64 {
        precise(self.good) / self.took.as_secs_f64().max(1e-9)
    }

    /// Complains when not every answer was good.
    pub(crate) fn all_good(self, what: &str) -> anyhow::Result<Self> {
        match self.bad_status {
            Some(status) => bail!("{what}: {} of {} requests were answered {status}", self.bad, self.bad + self.good),
            None => Ok(self),
        }
    }
}

/// As a float: counts here stay far below the 2^53 that a float holds exactly.
#[expect(clippy::cast_precision_loss, reason = "counts of a measurement")]
pub(crate) fn precise(count: u64) -> f64 {
    count as f64
}

/// Runs a load to its end.
pub(crate) async fn run(load: Load) -> anyhow::Result<Measured> {
    let next = Arc::new(AtomicU64::new(load.first));
    let (warm_up, last) = match load.until {
        Until::Elapsed(_) => (Duration::from_millis(500), u64::MAX),
        Until::Sent(count) => (Duration::ZERO, load.first + count),
    };
    let mut clients = JoinSet::new();
    // By this clock requests fall due.
    let clock = Instant::now();
    for _ in 0..load.connections {
        let sender = Client { load: load.clone(), next: Arc::clone(&next), last, clock };
        let stream =
            TcpStream::connect(load.address).await.with_context(|| format!("no connection to {}", load.address))?;
        stream.set_nodelay(true)?;
        clients.spawn(async move { sender.run(stream, Instant::now() + warm_up).await });
    }
    let begun = Instant::now() + warm_up;
    let mut all = Measured::default();
    while let Some(one) = clients.join_next().await {
        let one = one??;
        all.good += one.good;
        all.bad += one.bad;
        all.bad_status = all.bad_status.or(one.bad_status);
        all.latency.merge(&one.latency);
        all.sent += one.sent;
    }
    all.took = begun.elapsed();
    Ok(all)
}

struct Client {
    load: Load,
    next: Arc<AtomicU64>,
    last: u64,
    clock: Instant,
}

impl Client {
    async fn run(self, stream: TcpStream, from: Instant) -> anyhow::Result<Measured> {
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::select! {
            biased;
            broken = connection => Err(anyhow!("the server closed a connection: {broken:?}")),
            measured = self.send(sender, from) => measured,
        }
    }

    async fn send(self, mut sender: SendRequest<Full<Bytes>>, from: Instant) -> anyhow::Result<Measured> {
        let until = match self.load.until {
            Until::Elapsed(time) => from + time,
            Until::Sent(_) => from + Duration::from_hours(24),
        };
        let mut measured = Measured::default();
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let sent_at = self.turn(number).await;
            if number >= self.last || sent_at >= until {
                return Ok(measured);
            }
            let answer = exchange(&mut sender, (self.load.make)(number));
            let (status, body) =
                tokio::time::timeout(ANSWER_DEADLINE, answer).await.context("no answer in a minute")??;
            measured.sent += 1;
            if let Some(see) = &self.load.see {
                see(&body);
            }
            if sent_at < from {
                continue;
            }
            if status.is_success() {
                measured.good += 1;
                measured.latency.record(u64::try_from(sent_at.elapsed().as_micros()).unwrap_or(u64::MAX));
            } else {
                measured.bad += 1;
                measured.bad_status = Some(status);
            }
        }
    }
}

impl Client {
    /// Waits until the request is due; answers with the instant from which its latency counts.
    async fn turn(&self, number: u64) -> Instant {
        let Some(pace) = self.load.pace else { return Instant::now() };
        let due = self.clock + pace * u32::try_from(number - self.load.first).unwrap_or(u32::MAX);
        tokio::time::sleep_until(due.into()).await;
        due
    }
}

/// One connection of its own, for a caller with its own rhythm.
pub(crate) async fn connect(address: SocketAddr) -> anyhow::Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(address).await.with_context(|| format!("no connection to {address}"))?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

/// One request and its answer.
pub(crate) async fn exchange(
    sender: &mut SendRequest<Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> anyhow::Result<(StatusCode, Bytes)> {
    sender.ready().await?;
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    Ok((status, answer.into_body().collect().await?.to_bytes()))
}
