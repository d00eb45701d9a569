//! `tradewind quote`: what every venue would give, the best one marked.

use serde::Deserialize;

use super::line;
use crate::client::{Client, Failure};
use crate::config::Quote;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Quotes {
    best: Option<String>,
    reason: String,
    min_amount_out: Option<String>,
    max_amount_in: Option<String>,
    quotes: Vec<Answer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    venue: String,
    millis: u32,
    amount_in: Option<String>,
    amount_out: Option<String>,
    fee: Option<String>,
    price_impact_bps: Option<u32>,
    price: Option<String>,
    error: Option<Failure>,
}

/// Asks, and prints a table.
pub(crate) async fn run(settings: Quote) -> anyhow::Result<u8> {
    let client = Client::new(&settings.remote)?;
    let mode = if settings.exact_out { "exactOut" } else { "exactIn" };
    let query = [
        ("inputToken", settings.input.as_str()),
        ("outputToken", settings.output.as_str()),
        ("amount", settings.amount.as_str()),
        ("mode", mode),
    ];
    let answer = client.get("/v1/quotes", &query).await?;
    let quotes: Quotes = serde_json::from_value(answer.clone())?;
    if settings.remote.json {
        line(&answer)?;
    } else {
        print(&quotes, &settings)?;
    }
    Ok(u8::from(quotes.best.is_none()))
}

fn print(quotes: &Quotes, settings: &Quote) -> anyhow::Result<()> {
    let (input, output) = (&settings.input, &settings.output);
    line(format_args!(
        "  {:<10} {:>24} {:>24} {:>20} {:>18} {:>7} {:>7}",
        "venue", "pay", "receive", "price", "fee", "impact", "ms"
    ))?;
    for answer in &quotes.quotes {
        let mark = if quotes.best.as_deref() == Some(&answer.venue) { '*' } else { ' ' };
        if let Some(error) = &answer.error {
            line(format_args!("{mark} {:<10} {}: {}", answer.venue, error.code, error.message))?;
            continue;
        }
        let with = |amount: &Option<String>, token: &str| format!("{} {token}", amount.as_deref().unwrap_or("?"));
        let (pay, receive) = (with(&answer.amount_in, input), with(&answer.amount_out, output));
        let (price, fee) = (answer.price.as_deref().unwrap_or("?"), with(&answer.fee, input));
        let impact = answer.price_impact_bps.map_or_else(String::new, |bps| format!("{}.{:02}%", bps / 100, bps % 100));
        line(format_args!(
            "{mark} {:<10} {pay:>24} {receive:>24} {price:>20} {fee:>18} {impact:>7} {:>7}",
            answer.venue, answer.millis
        ))?;
    }
    line(&quotes.reason)?;
    if let Some(least) = &quotes.min_amount_out {
        line(format_args!("an order now would accept no less than {least} {output}"))?;
    }
    if let Some(most) = &quotes.max_amount_in {
        line(format_args!("an order now would pay no more than {most} {input}"))?;
    }
    Ok(())
}
