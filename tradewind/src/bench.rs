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

/// The exit code when a bar is missed and nothing else is wrong.
const MISSED: u8 = 3;

/// Measures, prints, and answers 1 when a measurement does not count, else [`MISSED`] when a bar is missed.
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
    Ok(verdict(&rows))
}

fn verdict(rows: &[Row]) -> u8 {
    match rows {
        _ if rows.iter().any(|row| row.spoilt.is_some()) => 1,
        _ if rows.iter().all(Row::met) => 0,
        _ => MISSED,
    }
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
