//! What an adapter adds to a quote: the median through it less the median of the same call without it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, ensure};
use bytes::Bytes;
use domain::swap::{Ask, Inquiry, Mode};
use drivers::venue::{Opening, Signer, Venue};
use http_body_util::Full;
use hyper::client::conn::http1::SendRequest;

use super::wallet::Wallet;
use crate::bench::child::Server;
use crate::bench::load::{self, precise};
use crate::bench::orders;
use crate::bench::progress::Progress;
use crate::bench::report::{Bar, Row, median};
use crate::serve::plain;

/// Quotes through the adapter, and as many without it, in turn.
const CALLS: u64 = 2_000;
const BAR_MICROS: f64 = 200.0;

/// An adapter, and the call that it makes for [`inquiry`].
struct Subject {
    name: &'static str,
    call: &'static str,
}

const MINTS: &str = "inputMint=So11111111111111111111111111111111111111112\
    &outputMint=EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v&amount=1500000000&slippageBps=50";

const SUBJECTS: [Subject; 2] = [
    Subject { name: "jupiter", call: "/jupiter/swap/v1/quote" },
    Subject { name: "raydium", call: "/raydium/compute/swap-base-in" },
];

pub(super) async fn run(wallet: &Wallet) -> anyhow::Result<Vec<Row>> {
    let chain = super::chain("instant", "")?;
    let mut rows = Vec::new();
    for subject in SUBJECTS {
        rows.push(subject.measure(&chain, wallet).await?);
    }
    Ok(rows)
}

/// One and a half SOL for USDC.
fn inquiry() -> Inquiry {
    let ask = Ask { input: "SOL".into(), output: "USDC".into(), mode: Mode::ExactIn, amount: 1_500_000_000 };
    Inquiry { ask, slippage_bps: 50, limit: None }
}

impl Subject {
    #[expect(clippy::float_arithmetic, reason = "a measurement, no money")]
    async fn measure(&self, chain: &Server, wallet: &Wallet) -> anyhow::Result<Row> {
        let progress = Progress::begin(format!("venues: quotes of {} through its adapter", self.name));
        let venue = self.open(chain.address, wallet)?;
        let path = format!("{}?{MINTS}&swapMode=ExactIn&txVersion=V0", self.call);
        let mut raw = load::connect(chain.address).await?;
        let (mut through, mut without) = (Vec::new(), Vec::new());
        for number in 0..CALLS {
            let begun = Instant::now();
            venue.quote(&inquiry()).await.with_context(|| format!("a quote of {}", self.name))?;
            let adapter = begun.elapsed();
            let begun = Instant::now();
            get(&mut raw, &path).await?;
            // The first tenth warms up.
            if number >= CALLS / 10 {
                through.push(micros(adapter));
                without.push(micros(begun.elapsed()));
            }
        }
        drop(progress);
        let (through, without) = (median(through), median(without));
        Ok(Row {
            what: format!(
                "a quote through the adapter of {}, beyond the same call without it ({without:.0} µs)",
                self.name
            ),
            value: through - without,
            unit: "µs",
            yardstick: None,
            score: through - without,
            bar: Bar::AtMost(BAR_MICROS),
            latency: None,
            spoilt: None,
        })
    }

    fn open(&self, chain: SocketAddr, wallet: &Wallet) -> anyhow::Result<Arc<dyn Venue>> {
        let signer = Signer::open(&wallet.signer()).map_err(plain)?;
        let tokens = Arc::default();
        let opening = Opening { tokens: &tokens, signer: Some(&signer), now: engine::clock::now() };
        let url = format!("{name}=http://{chain}/{name}?rpc=http://{chain}/rpc", name = self.name);
        opening.open(&url).map_err(plain)?.pop().context("a venue")
    }
}

fn micros(took: std::time::Duration) -> f64 {
    precise(u64::try_from(took.as_micros()).unwrap_or(u64::MAX))
}

/// The call with nothing around it: its answer is read and left alone.
async fn get(raw: &mut SendRequest<Full<Bytes>>, path: &str) -> anyhow::Result<()> {
    let (status, _) = load::exchange(raw, orders::get(path)).await?;
    ensure!(status.is_success(), "{path} was answered {status}");
    Ok(())
}
