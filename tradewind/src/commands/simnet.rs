//! `tradewind simnet`: the simulated chain as a process of its own.

use std::sync::Arc;

use anyhow::anyhow;

use crate::config::Simnet;
use crate::serve::{Signals, announce, bind, tokens};
use crate::telemetry::{self, Colour};

/// Serves the chain until it is told to stop.
pub(crate) async fn run(settings: Simnet, colour: Colour) -> anyhow::Result<u8> {
    telemetry::start(&settings.log, colour)?;
    let mut signals = Signals::listen()?;
    let world = ::simnet::Settings::parse(&options(&settings)).map_err(|error| anyhow!("{error}"))?;
    let tokens = Arc::new(tokens(settings.tokens.as_deref())?);
    let listener = bind("--listen", settings.listen).await?;
    announce(listener.local_addr()?);
    let _ = (world, tokens);
    signals.next().await;
    Ok(0)
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
