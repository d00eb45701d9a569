//! `tradewind demo`: five orders at once, each a line that updates in place.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use anyhow::Context;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde_json::json;
use tokio::task::JoinSet;

use super::line;
use crate::client::{Client, Order};
use crate::config::Demo;

const ORDERS: [(&str, &str, &str); 5] = [
    ("SOL", "USDC", "10"),
    ("USDC", "SOL", "500"),
    ("ETH", "USDC", "0.5"),
    ("SOL", "BONK", "1"),
    ("USDC", "BTC", "1000"),
];
/// No order of the demonstration takes longer.
const PATIENCE: Duration = Duration::from_secs(120);

/// Places them and watches.
pub(crate) async fn run(settings: Demo) -> anyhow::Result<u8> {
    let client = Client::new(&settings.remote)?;
    let lines = MultiProgress::new();
    let live = std::io::stderr().is_terminal() && !settings.remote.json;
    let begun = Instant::now();
    let mut followed = JoinSet::new();
    for (input, output, amount) in ORDERS {
        let bar = live.then(|| lines.add(ProgressBar::new_spinner()));
        let show = Show { name: format!("{amount} {input} → {output}"), bar, json: settings.remote.json, begun };
        let body = json!({"inputToken": input, "outputToken": output, "amount": amount});
        followed.spawn(one(client.clone(), body, show));
    }
    let mut confirmed = 0;
    while let Some(order) = followed.join_next().await {
        confirmed += usize::from(order??.is_confirmed());
    }
    if !settings.remote.json {
        line(format_args!("{confirmed} of {} orders confirmed in {:.1?}", ORDERS.len(), begun.elapsed()))?;
    }
    Ok(u8::from(confirmed < ORDERS.len()))
}

async fn one(client: Client, body: serde_json::Value, show: Show) -> anyhow::Result<Order> {
    show.start()?;
    let order: Order = serde_json::from_value(client.post("/v1/swaps", &body, None).await?)?;
    let mut events = client.life(&order.id).await?;
    let follow = async {
        loop {
            let (event, text) = events.next().await?;
            let order: Order = serde_json::from_value(event.data)?;
            show.state(&order, &text)?;
            if order.is_final() {
                return Ok(order);
            }
        }
    };
    tokio::time::timeout(PATIENCE, follow).await.with_context(|| format!("order {} is not final", order.id))?
}

/// One order's line.
struct Show {
    name: String,
    bar: Option<ProgressBar>,
    json: bool,
    begun: Instant,
}

impl Show {
    fn start(&self) -> anyhow::Result<()> {
        if let Some(bar) = &self.bar {
            bar.set_style(ProgressStyle::with_template("{spinner} {prefix:22} {msg}")?);
            bar.set_prefix(self.name.clone());
            bar.enable_steady_tick(Duration::from_millis(80));
        }
        Ok(())
    }

    fn state(&self, order: &Order, text: &str) -> anyhow::Result<()> {
        if self.json {
            return Ok(line(text)?);
        }
        let said = format!("{:<10} {:>6} ms  {}", order.status, self.begun.elapsed().as_millis(), order.remark());
        match &self.bar {
            Some(bar) if order.is_final() => bar.finish_with_message(said),
            Some(bar) => bar.set_message(said),
            None => line(format_args!("{:22} {}", self.name, said.trim_end()))?,
        }
        Ok(())
    }
}
