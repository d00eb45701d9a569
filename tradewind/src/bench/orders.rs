//! The orders that the bench places, and what the server says became of them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;

use super::load::{self, Load, Make, Measured, Until};

/// An order that makes no step for so long is not waited for.
const STILL: Duration = Duration::from_secs(60);

/// Small amounts in alternating directions, so that the pools stay where they are; no idempotency keys, one account.
pub(crate) fn placing() -> Make {
    let sell = Bytes::from_static(br#"{"inputToken":"SOL","outputToken":"USDC","amount":"0.01"}"#);
    let buy = Bytes::from_static(br#"{"inputToken":"USDC","outputToken":"SOL","amount":"1.5"}"#);
    Arc::new(move |number| {
        let body = if number % 2 == 0 { sell.clone() } else { buy.clone() };
        post("/v1/swaps", body, None)
    })
}

/// A POST of JSON, on an account if one is given.
pub(crate) fn post(path: &'static str, body: Bytes, account: Option<&str>) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = hyper::Method::POST;
    *request.uri_mut() = hyper::Uri::from_static(path);
    let headers = request.headers_mut();
    headers.insert("host", hyper::header::HeaderValue::from_static("bench"));
    headers.insert("content-type", hyper::header::HeaderValue::from_static("application/json"));
    if let Some(account) = account.and_then(|name| name.parse().ok()) {
        headers.insert("x-account", account);
    }
    request
}

/// A GET.
pub(crate) fn get(path: &str) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::default());
    *request.uri_mut() = path.parse().unwrap_or_default();
    request.headers_mut().insert("host", hyper::header::HeaderValue::from_static("bench"));
    request
}

/// Places exactly `count` orders; every one must be accepted.
pub(crate) async fn place(address: SocketAddr, connections: u32, count: u64) -> anyhow::Result<Measured> {
    let until = Until::Sent(count);
    let load = Load { address, connections, make: placing(), see: None, until, first: 0, pace: None };
    load::run(load).await?.all_good("placing orders")
}

/// How many orders reached a final state since the server's start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ended {
    /// Traded.
    pub(crate) confirmed: u64,
    /// Failed, cancelled or expired.
    pub(crate) otherwise: u64,
}

impl Ended {
    /// All of them.
    pub(crate) const fn all(self) -> u64 {
        self.confirmed + self.otherwise
    }

    /// Why the measurement does not count: fewer than 99 % confirmed.
    pub(crate) fn spoilt(self) -> Option<String> {
        let few = self.confirmed * 100 < self.all() * 99;
        few.then(|| format!("only {} of {} orders confirmed, at least 99 % must", self.confirmed, self.all()))
    }

    /// Reads the server's counters.
    pub(crate) async fn read(client: &reqwest::Client, address: SocketAddr) -> anyhow::Result<Self> {
        let text = client.get(format!("http://{address}/metrics")).send().await?.error_for_status()?.text().await?;
        let mut ended = Self::default();
        for line in text.lines() {
            let Some(rest) = line.strip_prefix("tradewind_swaps_ended_total{status=\"") else { continue };
            let (status, count) = rest.split_once("\"} ").context("a counter without its value")?;
            let count: u64 = count.trim().parse().context("a counter that is no number")?;
            if status == "confirmed" { ended.confirmed += count } else { ended.otherwise += count }
        }
        Ok(ended)
    }

    /// Waits until `count` orders have ended.
    pub(crate) async fn wait(address: SocketAddr, count: u64, mut say: impl FnMut(Self)) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).build()?;
        let (mut last, mut moved) = (Self::default(), Instant::now());
        loop {
            let ended = Self::read(&client, address).await?;
            if ended.all() >= count {
                return Ok(ended);
            }
            if ended != last {
                (last, moved) = (ended, Instant::now());
                say(ended);
            } else if moved.elapsed() > STILL {
                bail!("no order came to an end for a minute: {} of {count} have", ended.all());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
