//! `tradewind bench`: starts servers of its own, loads them, and compares what they reach with the bars.

mod accept;
mod backlog;
mod cache;
mod child;
mod execute;
mod grow;
mod histogram;
mod hot;
mod load;
mod orders;
mod progress;
mod queue;
mod quotes;
mod read;
mod report;
mod rounds;
mod store;
mod stream;
mod venues;
mod webhooks;
mod workers;
pub(crate) mod yardstick;

use std::io::Write;

use anyhow::{anyhow, bail};

use crate::config::{Bench, Scenario};
use crate::serve::Signals;
use report::Row;

/// The exit code when a bar is missed and nothing else is wrong.
const MISSED: u8 = 3;

/// Measures, prints, and answers 1 when a measurement does not count, else [`MISSED`] when a bar is missed.
pub(crate) async fn run(settings: Bench) -> anyhow::Result<u8> {
    crate::serve::raise_descriptor_limit();
    let begun = std::time::Instant::now();
    if let Some(refusal) = settings.refusal() {
        bail!(refusal);
    }
    let mut signals = Signals::listen()?;
    let mut rows = Vec::new();
    for scenario in settings.parts() {
        let measured = tokio::select! {
            measured = Box::pin(measure(*scenario, &settings)) => measured,
            // Dropped half-way, a measurement stops its servers and deletes its journal.
            () = signals.next() => Err(anyhow!("interrupted")),
        };
        match measured {
            Ok(measured) => rows.extend(measured),
            Err(error) => {
                // What is known already is not thrown away.
                if !rows.is_empty() {
                    write!(std::io::stderr(), "{}", report::table(&rows))?;
                }
                return Err(error);
            }
        }
    }
    let machine = machine();
    let journal = if settings.journal.is_some() { "PostgreSQL" } else { "SQLite" };
    let met = rows.iter().all(Row::met);
    let mut out = std::io::stdout();
    if settings.json {
        writeln!(out, "{:#}", report::json(&rows, &machine, journal))?;
    } else {
        write!(out, "{}", report::table(&rows))?;
        // Without a latency a row compares the server with itself.
        let alone = rows.iter().filter(|row| row.latency.is_some()).filter_map(|row| row.yardstick);
        if let Some(alone) = alone.reduce(f64::max) {
            writeln!(out, "The load generator alone reached {alone:.0} requests/s against the yardstick.")?;
        }
        writeln!(
            out,
            "{machine}; {journal}; {} s; {}",
            begun.elapsed().as_secs(),
            if met { "every bar is met" } else { "a bar is MISSED" }
        )?;
    }
    Ok(verdict(&rows))
}

fn verdict(rows: &[Row]) -> u8 {
    match rows {
        _ if rows.iter().any(|row| row.spoilt.is_some()) => 1,
        _ if rows.iter().all(Row::met) => 0,
        _ => MISSED,
    }
}

async fn measure(scenario: Scenario, settings: &Bench) -> anyhow::Result<Vec<Row>> {
    Ok(match scenario {
        Scenario::Health => vec![read::health(settings).await?],
        Scenario::Accept => accept::run(settings).await?,
        Scenario::Read => read::run(settings).await?,
        Scenario::Quotes => quotes::run(settings).await?,
        Scenario::Execute => vec![execute::run(settings).await?],
        Scenario::Stream => stream::run(settings).await?,
        Scenario::Memory => vec![grow::memory(settings).await?],
        Scenario::Linear => vec![grow::linear(settings).await?],
        Scenario::Backlog => vec![backlog::run(settings).await?],
        Scenario::Hot => vec![hot::run(settings).await?],
        Scenario::Queue => queue::run(settings).await?,
        Scenario::Cache => cache::run(settings).await?,
        Scenario::Webhooks => webhooks::run(settings).await?,
        Scenario::Venues => venues::run(settings).await?,
        Scenario::Workers => workers::run(settings).await?,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missed_bar_is_told_from_a_measurement_that_does_not_count() {
        let row = |score, spoilt: Option<&str>| Row {
            what: "orders".to_owned(),
            value: score,
            unit: "orders/s",
            yardstick: None,
            score,
            bar: report::Bar::AtLeast(1.0),
            latency: None,
            spoilt: spoilt.map(str::to_owned),
        };
        let (met, missed, spoilt) = (row(2.0, None), row(0.5, None), row(2.0, Some("half failed")));
        for (rows, code) in [
            (vec![met.clone()], 0),
            (vec![met, missed.clone()], 3),
            (vec![spoilt.clone()], 1),
            (vec![missed, spoilt], 1),
        ] {
            assert_eq!(verdict(&rows), code);
        }
    }
}
