//! `tradewind quote`: what every venue would give, the best one marked.

use serde::Deserialize;

use super::{columns, line};
use crate::client::{Client, Failure, Leg};
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
    bound: Option<String>,
    gap_bps: Option<String>,
    #[serde(default)]
    legs: Vec<Leg>,
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
    let head = ["", "venue", "pay", "receive", "price", "fee", "impact", "swaps", "ms"].map(str::to_owned);
    let quoted = quotes.quotes.iter().filter(|answer| answer.error.is_none());
    let rows = quoted.map(|answer| {
        let with = |amount: &Option<String>, token: &str| format!("{} {token}", amount.as_deref().unwrap_or("?"));
        [
            if quotes.best.as_deref() == Some(&answer.venue) { "*" } else { " " }.to_owned(),
            answer.venue.clone(),
            with(&answer.amount_in, input),
            with(&answer.amount_out, output),
            answer.price.clone().unwrap_or_else(|| "?".to_owned()),
            with(&answer.fee, input),
            answer.price_impact_bps.map_or_else(String::new, percent),
            if answer.legs.is_empty() { String::new() } else { answer.legs.len().to_string() },
            answer.millis.to_string(),
        ]
    });
    columns(&std::iter::once(head).chain(rows).collect::<Vec<_>>(), [0, 1]).iter().try_for_each(line)?;
    for answer in &quotes.quotes {
        if let Some(error) = &answer.error {
            line(format_args!("   {}: {}: {}", answer.venue, error.code, error.message))?;
        }
    }
    line(&quotes.reason)?;
    if let Some(best) = quotes.quotes.iter().find(|answer| quotes.best.as_deref() == Some(&answer.venue)) {
        best.print_route(settings)?;
    }
    if let Some(least) = &quotes.min_amount_out {
        line(format_args!("an order now would accept no less than {least} {output}"))?;
    }
    if let Some(most) = &quotes.max_amount_in {
        line(format_args!("an order now would pay no more than {most} {input}"))?;
    }
    Ok(())
}

impl Answer {
    /// The swaps, and what proves them good.
    fn print_route(&self, settings: &Quote) -> anyhow::Result<()> {
        if !self.legs.is_empty() {
            let head = ["#", "exchange", "pool", "family", "pay", "receive", "fee", "impact"].map(str::to_owned);
            let legs = self.legs.iter().zip(1..).map(|(leg, number): (_, u32)| {
                [
                    number.to_string(),
                    leg.exchange.clone(),
                    leg.pool.clone(),
                    leg.family.clone(),
                    format!("{} {}", leg.amount_in, leg.input_token),
                    format!("{} {}", leg.amount_out, leg.output_token),
                    format!("{} {}", leg.fee, leg.fee_token),
                    percent(leg.price_impact_bps),
                ]
            });
            let lines = columns(&std::iter::once(head).chain(legs).collect::<Vec<_>>(), [1, 2, 3]);
            lines.iter().try_for_each(|shown| line(format_args!("  {shown}")))?;
        }
        let Some((bound, gap)) = self.bound.as_ref().zip(self.gap_bps.as_ref()) else { return Ok(()) };
        if settings.exact_out {
            line(format_args!("no route takes less than {bound} {}: at most {gap} bps to gain", settings.input))?;
        } else {
            line(format_args!("no route gives more than {bound} {}: at most {gap} bps to gain", settings.output))?;
        }
        Ok(())
    }
}

fn percent(bps: u32) -> String {
    format!("{}.{:02}%", bps / 100, bps % 100)
}
