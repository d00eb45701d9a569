//! Whether three workers do more than one: slow venues are waited for side by side, fast ones leave the journal as the limit.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::bail;

use super::child::Server;
use super::load::precise;
use super::orders::{self, Ended};
use super::progress::Progress;
use super::report::{Bar, Row, median};
use super::rounds::ROUNDS;
use super::store::Store;
use crate::config::Bench;

const WORKERS: u64 = 3;
/// Orders to drain where the venue answers at once, however many work.
const ORDERS: u64 = 40_000;
/// Orders for each worker where it takes 200 ms to quote: some twenty seconds' work at a concurrency of 10.
const SLOW_ORDERS: u64 = 1_000;
/// Nothing has ended for so long: nothing will.
const STILL: Duration = Duration::from_secs(60);

/// How the orders are drained.
struct Drain<'a> {
    what: &'static str,
    /// Of each worker.
    concurrency: &'static str,
    venue: &'a str,
    bar: f64,
}

/// A venue that takes 200 ms, then one that answers at once.
pub(crate) async fn run(settings: &Bench) -> anyhow::Result<Vec<Row>> {
    let chain = Server::start(&["simnet", "--listen", "127.0.0.1:0", "--pace", "real", "--log", "error"])?;
    let venue = format!("simnet=http://{}", chain.address);
    let slow =
        Drain { what: "venue of 200 ms, concurrency 10", concurrency: "swap.execute=10", venue: &venue, bar: 2.5 };
    let slow = slow.compare(settings, 1, |workers| SLOW_ORDERS * workers).await?;
    drop(chain);
    // Inside each worker, so that no venue's process takes its share of the processors. No worker dies here, so no order
    // needs a chain that another one knows too.
    let fast = Drain { what: "instant venue", concurrency: "swap.execute=256", venue: "paper?pace=instant", bar: 0.9 };
    let orders = settings.orders.unwrap_or(ORDERS);
    Ok(vec![slow, fast.compare(settings, ROUNDS, |_| orders).await?])
}

impl Drain<'_> {
    /// One worker, three workers, one, three …
    #[expect(clippy::float_arithmetic, reason = "ratios of measurements, no money")]
    async fn compare(&self, settings: &Bench, rounds: usize, orders: impl Fn(u64) -> u64) -> anyhow::Result<Row> {
        let progress = Progress::begin(format!("workers, {}", self.what));
        let (mut ones, mut threes, mut ratios, mut spoilt) = (Vec::new(), Vec::new(), Vec::new(), None);
        for _ in 0..rounds {
            let (one, one_ended) = self.drain(settings, 1, orders(1), &progress).await?;
            let (three, ended) = self.drain(settings, WORKERS, orders(WORKERS), &progress).await?;
            ones.push(one);
            threes.push(three);
            ratios.push(three / one);
            spoilt = spoilt.or(one_ended.spoilt()).or(ended.spoilt());
        }
        Ok(Row {
            what: format!("three workers ÷ one (yardstick), {}", self.what),
            value: median(threes),
            unit: "orders/s",
            yardstick: Some(median(ones)),
            score: median(ratios),
            bar: Bar::AtLeast(self.bar),
            latency: None,
            spoilt,
        })
    }

    /// Orders are placed before anyone works; then their rate is taken from a fifth of them to nine tenths: all workers are
    /// up by then, and none runs dry.
    #[expect(clippy::float_arithmetic, reason = "a measurement, no money")]
    async fn drain(
        &self,
        settings: &Bench,
        workers: u64,
        orders: u64,
        progress: &Progress,
    ) -> anyhow::Result<(f64, Ended)> {
        let store = Store::make(settings).await?;
        progress.say(format!("workers, {}: placing {orders} orders", self.what));
        let api = store.serve(&["--roles", "api"])?;
        orders::place(api.address, settings.connections, orders).await?;
        api.stop()?;
        let arguments = ["--roles", "work", "--concurrency", self.concurrency, "--venue", self.venue];
        let working = (0..workers).map(|_| store.serve(&arguments)).collect::<anyhow::Result<Vec<_>>>()?;
        let all: Vec<SocketAddr> = working.iter().map(|worker| worker.address).collect();
        let say = |ended: Ended| {
            progress.say(format!("workers, {}: {workers} at work, {} of {orders} orders", self.what, ended.all()));
        };
        let (begun, first) = wait(&all, orders / 5, say).await?;
        let (ended_at, last) = wait(&all, orders * 9 / 10, say).await?;
        Ok((precise(last.all() - first.all()) / (ended_at - begun).as_secs_f64(), last))
    }
}

/// Waits until the workers have ended `count` orders between them; answers with when that was seen and how many it were.
async fn wait(workers: &[SocketAddr], count: u64, say: impl Fn(Ended)) -> anyhow::Result<(Instant, Ended)> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).build()?;
    let (mut known, mut moved) = (0, Instant::now());
    loop {
        let mut sum = Ended::default();
        for worker in workers {
            let ended = Ended::read(&client, *worker).await?;
            sum.confirmed += ended.confirmed;
            sum.otherwise += ended.otherwise;
        }
        let now = Instant::now();
        say(sum);
        if sum.all() >= count {
            return Ok((now, sum));
        }
        if sum.all() != known {
            (known, moved) = (sum.all(), now);
        } else if now - moved > STILL {
            bail!("no order came to an end for a minute: {known} of {count} have");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
