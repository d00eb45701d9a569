//! Rounds that alternate between the yardstick and the server, because the machine is noisy.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};

use super::child::Server;
use super::histogram::Histogram;
use super::load::{self, Load, Make, See, Until};
use super::orders;
use super::progress::Progress;
use super::report::{Bar, Row, latency, median};
use super::store::Store;
use crate::config::Bench;

/// How often what varies is measured.
pub(crate) const ROUNDS: usize = 3;

/// The server under measurement: one of the bench's own, or that of `--url`.
pub(crate) struct Subject {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Killed, then its journal deleted, in this order.
    _own: Option<(Server, Store)>,
}

impl Subject {
    /// Takes the server of `--url`, or starts one with `arguments` on an empty journal.
    pub(crate) async fn take(settings: &Bench, arguments: &[&str]) -> anyhow::Result<Self> {
        if let Some(url) = &settings.url {
            return Ok(Self { address: resolve(url).await?, _own: None });
        }
        Self::on(Store::make(settings).await?, arguments)
    }

    /// Starts a server with `arguments` on what is there.
    pub(crate) fn on(store: Store, arguments: &[&str]) -> anyhow::Result<Self> {
        let server = store.serve(arguments)?;
        Ok(Self { address: server.address, _own: Some((server, store)) })
    }
}

async fn resolve(url: &str) -> anyhow::Result<SocketAddr> {
    let host = url.strip_prefix("http://").ok_or_else(|| anyhow!("--url {url}: expected http://host:port"))?;
    let host = host.trim_end_matches('/');
    let mut found =
        tokio::net::lookup_host(host).await.with_context(|| format!("--url {url}: expected http://host:port"))?;
    found.next().ok_or_else(|| anyhow!("--url {url}: no such host"))
}

/// One ratio to be measured.
pub(crate) struct Contest {
    /// What it is.
    pub(crate) what: String,
    /// Of the value.
    pub(crate) unit: &'static str,
    /// What the ratio must reach.
    pub(crate) bar: Bar,
    /// Makes the requests.
    pub(crate) make: Make,
    /// Looks at the server's answers.
    pub(crate) see: Option<See>,
}

impl Contest {
    /// Yardstick, server, yardstick, server … `subject` gives the server of each round.
    #[expect(clippy::float_arithmetic, reason = "ratios of measurements, no money")]
    pub(crate) async fn run<F, S>(self, settings: &Bench, mut subject: S) -> anyhow::Result<Row>
    where
        S: FnMut(usize) -> F,
        F: Future<Output = anyhow::Result<Arc<Subject>>>,
    {
        let progress = Progress::begin(&self.what);
        let yardstick = Server::start(&["yardstick"])?;
        let (mut values, mut yardsticks, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        let mut latencies = Histogram::default();
        let mut first = 0;
        let ok: Make = Arc::new(|_| orders::get("/"));
        for round in 0..ROUNDS {
            progress.say(format!("{}: round {} of {ROUNDS}, yardstick", self.what, round + 1));
            let plain = load::run(load(settings, yardstick.address, &ok, 0)).await?.all_good("yardstick")?;
            let subject = subject(round).await?;
            progress.say(format!("{}: round {} of {ROUNDS}", self.what, round + 1));
            let load = Load { see: self.see.clone(), ..load(settings, subject.address, &self.make, first) };
            let measured = load::run(load).await?.all_good(&self.what)?;
            first += measured.sent;
            values.push(measured.rate());
            yardsticks.push(plain.rate());
            ratios.push(measured.rate() / plain.rate());
            latencies.merge(&measured.latency);
        }
        Ok(Row {
            what: self.what,
            value: median(values),
            unit: self.unit,
            yardstick: Some(median(yardsticks)),
            score: median(ratios),
            bar: self.bar,
            latency: Some(latency(&latencies)),
            spoilt: None,
        })
    }
}

fn load(settings: &Bench, address: SocketAddr, make: &Make, first: u64) -> Load {
    let until = Until::Elapsed(Duration::from_secs(settings.seconds));
    Load { address, connections: settings.connections, make: Arc::clone(make), see: None, until, first, pace: None }
}
