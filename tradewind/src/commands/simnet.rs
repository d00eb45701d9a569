//! `tradewind simnet`: the simulated chain as a process of its own.

mod bank;

use std::net::SocketAddr;
use std::sync::Arc;

use ::simnet::chain::Chain;
use ::simnet::faults::Faults;
use ::simnet::{Clock, Retention, Token, World};
use anyhow::{Context, anyhow};

use crate::config::Simnet;
use crate::serve::{Signals, announce, bind, tokens};
use crate::telemetry::{self, Colour};

/// Serves the chain until it is told to stop.
pub(crate) async fn run(settings: Simnet, colour: Colour) -> anyhow::Result<u8> {
    telemetry::start(&settings.log, colour)?;
    let mut signals = Signals::listen()?;
    let world = ::simnet::Settings::parse(&options(&settings)).map_err(|error| anyhow!("{error}"))?;
    let tokens = tokens(settings.tokens.as_deref())?.all().map(token).collect();
    let clock = Arc::new(Clock::wall());
    // The ledger is kept whole: what was executed must be known for as long as somebody may ask.
    let world = World::new(world, tokens, Retention::Everything, clock.now()).map_err(|error| anyhow!(error))?;
    let faults = Faults::parse(world.settings().seed, settings.faults.as_deref().unwrap_or_default());
    let faults = faults.map_err(|error| anyhow!("--faults {error}"))?;
    let bank = bank::open(settings.svm)?;
    let chain = Chain::new(Arc::new(world), bank, Arc::new(faults), Retention::Everything, clock.now());
    let listener = bind("--listen", settings.listen).await?;
    let address = listener.local_addr()?;
    for venue in venues(address) {
        eprintln!("{venue}");
    }
    announce(address);
    let stop = async move { signals.next().await };
    ::simnet::http::serve_chain(listener, Arc::new(chain), clock, stop).await.context("the listener failed")?;
    Ok(0)
}

/// What a server takes with `--venue` to trade at each venue of this chain.
fn venues(address: SocketAddr) -> [String; 4] {
    [
        format!("--venue simnet=http://{address}"),
        format!("--venue 'jupiter=http://{address}/jupiter?rpc=http://{address}/rpc'"),
        format!("--venue 'raydium=http://{address}/raydium?rpc=http://{address}/rpc'"),
        format!("--venue universal=http://{address}/universal/api/v1"),
    ]
}

fn token(token: &domain::token::Token) -> Token {
    Token {
        symbol: Arc::clone(&token.symbol),
        mint: token.mint.as_str().into(),
        decimals: token.decimals,
        reference_price: token.reference_price,
        native: token.is_native(),
    }
}

/// The flags as the options of a world.
fn options(settings: &Simnet) -> String {
    let flags = [
        ("pace", &settings.pace),
        ("seed", &settings.seed),
        ("balance", &settings.balance),
        ("fail", &settings.fail),
        ("drop", &settings.drop),
        ("stall", &settings.stall),
        ("lose_answer", &settings.lose_answer),
    ];
    let given = flags.iter().filter_map(|(name, value)| Some(format!("{name}={}", value.as_ref()?)));
    given.collect::<Vec<_>>().join("&")
}
