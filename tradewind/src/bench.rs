//! `tradewind bench`: starts servers of its own, loads them, and compares what they reach with the bars.

mod accept;
mod child;
mod execute;
mod grow;
mod histogram;
mod load;
mod orders;
mod progress;
mod read;
mod report;
mod rounds;
mod stream;
pub(crate) mod yardstick;

use std::io::Write;

use anyhow::bail;

use crate::config::{Bench, Scenario};
use report::Row;

/// Measures, prints, and answers 1 when a bar is missed.
pub(crate) async fn run(settings: Bench) -> anyhow::Result<u8> {
    crate::serve::raise_descriptor_limit();
    let begun = std::time::Instant::now();
    let own_server =
        matches!(settings.scenario, Scenario::Execute | Scenario::Memory | Scenario::Linear | Scenario::All);
    if settings.url.is_some() && own_server {
        bail!("--url: this measurement restarts its server, so it starts one of its own; leave --url away");
    }
    let mut rows = Vec::new();
    for scenario in parts(settings.scenario) {
        match Box::pin(measure(*scenario, &settings)).await {
            Ok(measured) => rows.extend(measured),
            Err(error) => {
                // What is known already is not thrown away.
                write!(std::io::stderr(), "{}", report::table(&rows))?;
                return Err(error);
            }
        }
    }
    let machine = machine();
    let met = rows.iter().all(Row::met);
    let mut out = std::io::stdout();
    if settings.json {
        writeln!(out, "{:#}", report::json(&rows, &machine))?;
    } else {
        write!(out, "{}", report::table(&rows))?;
        if let Some(alone) = rows.iter().filter_map(|row| row.yardstick).reduce(f64::max) {
            writeln!(out, "The load generator alone reached {alone:.0} requests/s against the yardstick.")?;
        }
        writeln!(
            out,
            "{machine}; {} s; {}",
            begun.elapsed().as_secs(),
            if met { "every bar is met" } else { "a bar is MISSED" }
        )?;
    }
    Ok(u8::from(!met))
}

const fn parts(scenario: Scenario) -> &'static [Scenario] {
    use Scenario::{Accept, All, Execute, Health, Linear, Memory, Read, Stream};
    match scenario {
        All => &[Health, Accept, Read, Execute, Stream, Memory],
        Accept => &[Accept],
        Execute => &[Execute],
        Read => &[Read],
        Stream => &[Stream],
        Health => &[Health],
        Memory => &[Memory],
        Linear => &[Linear],
    }
}

async fn measure(scenario: Scenario, settings: &Bench) -> anyhow::Result<Vec<Row>> {
    Ok(match scenario {
        Scenario::Health => vec![read::health(settings).await?],
        Scenario::Accept => vec![accept::run(settings).await?],
        Scenario::Read => vec![read::run(settings).await?],
        Scenario::Execute => vec![execute::run(settings).await?],
        Scenario::Stream => stream::run(settings).await?,
        Scenario::Memory => vec![grow::memory(settings).await?],
        Scenario::Linear => vec![grow::linear(settings).await?],
        Scenario::All => Vec::new(),
    })
}

/// What the figures were measured on.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    format!("{} × {cores}", model.map_or("unknown processor", |(_, name)| name))
}
