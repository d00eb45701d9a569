//! `tradewind swap`: places an order and follows it to its end, a line per state.

use std::time::Instant;

use anyhow::bail;
use serde_json::{Map, Value};

use super::line;
use crate::client::{Client, Order};
use crate::config::Swap;

/// Places and follows.
pub(crate) async fn run(settings: Swap) -> anyhow::Result<u8> {
    let client = Client::new(&settings.remote)?;
    let begun = Instant::now();
    let answer = client.post("/v1/swaps", &body(&settings), settings.idempotency_key.as_deref()).await?;
    let order: Order = serde_json::from_value(answer)?;
    if !settings.remote.json {
        line(format_args!("order {}", order.id))?;
    }
    let followed = tokio::time::timeout(settings.follow, follow(&client, &settings, &order.id, begun)).await;
    let Ok(last) = followed else {
        bail!(
            "order {} is not final after {:?}: follow it on with `tradewind tail --id {}`",
            order.id,
            settings.follow,
            order.id
        );
    };
    Ok(u8::from(!last?.is_confirmed()))
}

async fn follow(client: &Client, settings: &Swap, id: &str, begun: Instant) -> anyhow::Result<Order> {
    let mut events = client.life(id).await?;
    loop {
        let (event, text) = events.next().await?;
        let order: Order = serde_json::from_value(event.data)?;
        if settings.remote.json {
            line(text)?;
        } else {
            let word = event.type_.strip_prefix("swap.").unwrap_or(&event.type_);
            let again = if order.attempt > 1 { format!(" (attempt {})", order.attempt) } else { String::new() };
            let shown = format!("{:>7} ms  {word:<10} {}{again}", begun.elapsed().as_millis(), order.remark());
            line(shown.trim_end())?;
        }
        if order.is_final() {
            return Ok(order);
        }
    }
}

fn body(settings: &Swap) -> Value {
    let mut body = Map::new();
    let mut put = |name: &str, value: Value| drop(body.insert(name.to_owned(), value));
    put("inputToken", settings.input.as_str().into());
    put("outputToken", settings.output.as_str().into());
    put("amount", settings.amount.as_str().into());
    if settings.exact_out {
        put("mode", "exactOut".into());
    }
    if let Some(bps) = settings.slippage_bps {
        put("slippageBps", bps.into());
    }
    if let Some(word) = &settings.time_in_force {
        put("timeInForce", word.to_ascii_uppercase().into());
    }
    let texts = [
        ("limitPrice", &settings.limit_price),
        ("expiresAt", &settings.expires_at),
        ("clientOrderId", &settings.client_order_id),
    ];
    for (name, text) in texts {
        text.iter().for_each(|text| put(name, text.as_str().into()));
    }
    Value::Object(body)
}
