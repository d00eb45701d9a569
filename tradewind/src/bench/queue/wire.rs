//! Messages over HTTP, as a client of SQS sends, receives and deletes them: ten in a request, the AWS JSON protocol.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail, ensure};
use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper::client::conn::http1::SendRequest;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::bench::load::{connect, exchange, precise};
use crate::bench::progress::Progress;
use crate::bench::report::{Bar, Row};
use crate::bench::store::Store;
use crate::config::Bench;

const BATCH: u64 = 10;
const GROUPS: u64 = 1_000;
/// No answer is waited for longer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(60);
/// Who asks, for servers that read nothing but the service from it; they check no signature.
const SIGNED: &str =
    "AWS4-HMAC-SHA256 Credential=bench/20260101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0";

/// An endpoint of SQS and a queue of it.
#[derive(Clone)]
struct Endpoint {
    address: SocketAddr,
    /// Of its URL.
    path: String,
    /// Whether it wants to see a signature.
    signs: bool,
    queue: String,
}

/// Messages per second.
#[derive(Clone, Copy)]
struct Rates {
    sent: f64,
    received: f64,
}

/// Both kinds of queues on a server of the bench's own and, under the same load, on the endpoint of `--beside`.
pub(super) async fn run(settings: &Bench) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for fifo in [false, true] {
        let store = Store::make(settings).await?;
        let server = store.serve(&["--venue", "paper?pace=instant"])?;
        let progress = Progress::begin("queue: /sqs");
        let ours = Endpoint::open(server.address, "/sqs", false, fifo).await?.measure(settings, fifo).await?;
        drop(progress);
        drop(server);
        let beside = match &settings.beside {
            None => None,
            Some(url) => {
                let _progress = Progress::begin(format!("queue: {url}"));
                let (address, path) = parse(url).await?;
                Some(Endpoint::open(address, &path, true, fifo).await?.measure(settings, fifo).await?)
            }
        };
        let embedded = settings.journal.is_none();
        let row = |what: &str, value, beside, bar| Row {
            what: format!(
                "messages {what} through /sqs, ten at once, {} connections, {} queue",
                settings.connections,
                if fifo { "FIFO" } else { "standard" }
            ),
            value,
            unit: "messages/s",
            yardstick: beside,
            score: beside.map_or(value, |beside| ratio(value, beside)),
            bar: if embedded { Bar::ValueAtLeast(bar) } else { Bar::None },
            latency: None,
            spoilt: None,
        };
        rows.push(row("sent", ours.sent, beside.map(|rates| rates.sent), 8_000.0));
        rows.push(row("received and deleted", ours.received, beside.map(|rates| rates.received), 5_000.0));
    }
    Ok(rows)
}

#[expect(clippy::float_arithmetic, reason = "a ratio of measurements, no money")]
fn ratio(value: f64, beside: f64) -> f64 {
    value / beside.max(1e-9)
}

/// Address and path of an `http` URL.
async fn parse(url: &str) -> anyhow::Result<(SocketAddr, String)> {
    let wrong = || anyhow!("--beside {url}: expected http://host:port or http://host:port/path");
    let rest = url.strip_prefix("http://").ok_or_else(wrong)?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut found = tokio::net::lookup_host(host).await.with_context(|| wrong().to_string())?;
    Ok((found.next().ok_or_else(wrong)?, format!("/{path}")))
}

impl Endpoint {
    /// Makes a queue of a new name there.
    async fn open(address: SocketAddr, path: &str, signs: bool, fifo: bool) -> anyhow::Result<Self> {
        let mut endpoint = Self { address, path: path.to_owned(), signs, queue: String::new() };
        let name = engine::intake::new_id();
        let wanted = if fifo {
            json!({"QueueName": format!("{name}.fifo"), "Attributes": {"FifoQueue": "true"}})
        } else {
            json!({"QueueName": name})
        };
        let made = endpoint.ask(&mut connect(address).await?, "CreateQueue", &wanted).await?;
        made["QueueUrl"].as_str().context("CreateQueue told no QueueUrl")?.clone_into(&mut endpoint.queue);
        Ok(endpoint)
    }

    /// Sends for some seconds, then receives and deletes for as many, or until nothing is left.
    async fn measure(self, settings: &Bench, fifo: bool) -> anyhow::Result<Rates> {
        let (endpoint, time) = (Arc::new(self), Duration::from_secs(settings.seconds));
        let next = Arc::new(AtomicU64::new(0));
        let (begun, mut tasks) = (Instant::now(), JoinSet::new());
        for _ in 0..settings.connections {
            let (endpoint, next) = (Arc::clone(&endpoint), Arc::clone(&next));
            tasks.spawn(async move { endpoint.send(begun + time, &next, fifo).await });
        }
        let (sent, sending) = (sum(tasks).await?, begun.elapsed());
        let (begun, mut tasks) = (Instant::now(), JoinSet::new());
        let left = Arc::new(AtomicU64::new(sent));
        for _ in 0..settings.connections {
            let (endpoint, left) = (Arc::clone(&endpoint), Arc::clone(&left));
            tasks.spawn(async move { endpoint.drain(begun + time, &left).await });
        }
        let (received, draining) = (sum(tasks).await?, begun.elapsed());
        ensure!(received <= sent, "{sent} messages were sent and {received} received and deleted");
        Ok(Rates { sent: per_second(sent, sending), received: per_second(received, draining) })
    }

    async fn send(&self, until: Instant, next: &AtomicU64, fifo: bool) -> anyhow::Result<u64> {
        let mut connection = connect(self.address).await?;
        let mut sent = 0;
        while Instant::now() < until {
            let first = next.fetch_add(BATCH, Ordering::Relaxed);
            let entries: Vec<Value> = (first..first + BATCH).map(|number| entry(number, fifo)).collect();
            let wanted = json!({"QueueUrl": self.queue, "Entries": entries});
            sent += taken(&self.ask(&mut connection, "SendMessageBatch", &wanted).await?)?;
        }
        Ok(sent)
    }

    async fn drain(&self, until: Instant, left: &AtomicU64) -> anyhow::Result<u64> {
        let mut connection = connect(self.address).await?;
        let mut deleted = 0;
        while Instant::now() < until && left.load(Ordering::Relaxed) > 0 {
            let wanted = json!({"QueueUrl": self.queue, "MaxNumberOfMessages": BATCH, "VisibilityTimeout": 600});
            let received = self.ask(&mut connection, "ReceiveMessage", &wanted).await?;
            let handles = received["Messages"].as_array().map(Vec::as_slice).unwrap_or_default().iter().enumerate();
            let handle = |(number, message): (usize, &Value)| json!({"Id": number.to_string(), "ReceiptHandle": message["ReceiptHandle"]});
            let entries: Vec<Value> = handles.map(handle).collect();
            if entries.is_empty() {
                tokio::time::sleep(Duration::from_millis(1)).await;
                continue;
            }
            let wanted = json!({"QueueUrl": self.queue, "Entries": entries});
            let gone = taken(&self.ask(&mut connection, "DeleteMessageBatch", &wanted).await?)?;
            left.fetch_sub(gone, Ordering::Relaxed);
            deleted += gone;
        }
        Ok(deleted)
    }

    async fn ask(
        &self,
        connection: &mut SendRequest<Full<Bytes>>,
        operation: &str,
        wanted: &Value,
    ) -> anyhow::Result<Value> {
        let mut request = Request::post(&self.path)
            .header("host", self.address.to_string())
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", format!("AmazonSQS.{operation}"));
        if self.signs {
            request = request.header("authorization", SIGNED);
        }
        let request = request.body(Full::from(wanted.to_string()))?;
        // Some servers close after every answer.
        if connection.ready().await.is_err() {
            *connection = connect(self.address).await?;
        }
        let answer = tokio::time::timeout(ANSWERS_WITHIN, exchange(connection, request));
        let (status, body) = answer.await.context("no answer in a minute")??;
        if !status.is_success() {
            bail!("{operation} was answered {status}: {}", String::from_utf8_lossy(&body));
        }
        Ok(serde_json::from_slice(&body)?)
    }
}

/// How many entries of a batch were taken: all of them, or the measurement does not count.
fn taken(answer: &Value) -> anyhow::Result<u64> {
    let count = |name: &str| answer[name].as_array().map_or(0, Vec::len);
    ensure!(count("Failed") == 0, "entries of a batch were refused: {}", answer["Failed"]);
    Ok(count("Successful") as u64)
}

fn entry(number: u64, fifo: bool) -> Value {
    let body = format!("{number} {}", "x".repeat(100));
    if fifo {
        let group = format!("group-{}", number % GROUPS);
        json!({"Id": number.to_string(), "MessageBody": body, "MessageGroupId": group,
            "MessageDeduplicationId": number.to_string()})
    } else {
        json!({"Id": number.to_string(), "MessageBody": body})
    }
}

async fn sum(mut tasks: JoinSet<anyhow::Result<u64>>) -> anyhow::Result<u64> {
    let mut sum = 0;
    while let Some(ended) = tasks.join_next().await {
        sum += ended??;
    }
    Ok(sum)
}

#[expect(clippy::float_arithmetic, reason = "a measurement, no money")]
fn per_second(count: u64, took: Duration) -> f64 {
    precise(count) / took.as_secs_f64().max(1e-9)
}
