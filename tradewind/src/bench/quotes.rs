//! Quotes per second over HTTP: every request asks for another amount of another pair, so that no answer is known already.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use bytes::Bytes;
use domain::amount::{self, Decimal};
use serde_json::{Value, json};

use super::load::{Make, See, precise};
use super::orders;
use super::report::{Bar, Row};
use super::rounds::{Contest, Subject};
use crate::config::Bench;

/// So many of the server's tokens are traded for each other.
const TOKENS: usize = 24;
/// What the amounts are measured by: everything is asked for its price in it.
const MONEY: &str = "USDC";
/// The smallest trade, in hundredths of the money.
const LEAST: u128 = 1_000;
/// How often the smallest trade is doubled for the largest.
const DOUBLINGS: u64 = 11;

/// `POST /v1/quotes`: how many per second, and how soon, with every connection asking as fast as it is answered.
#[expect(clippy::float_arithmetic, reason = "a measurement, no money")]
pub(crate) async fn run(settings: &Bench) -> anyhow::Result<Vec<Row>> {
    let subject = Arc::new(Subject::take(settings, &["--venue", "paper?pace=instant"]).await?);
    let tokens = prices(&subject).await?;
    let (answered, routed) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let contest = Contest {
        what: format!("quotes, {} pairs, {} connections", tokens.len() * (tokens.len() - 1), settings.connections),
        unit: "quotes/s",
        bar: Bar::ValueAtLeast(5_000.0),
        make: asking(tokens),
        see: Some(counting(&answered, &routed)),
    };
    let mut rate = contest.run(settings, |_| std::future::ready(Ok(Arc::clone(&subject)))).await?;
    let (answered, routed) = (answered.load(Ordering::Relaxed), routed.load(Ordering::Relaxed));
    if routed * 100 < answered * 99 {
        rate.spoilt = Some(format!("only {routed} of {answered} quotes had a route, at least 99 % must"));
    }
    let p99 = precise(rate.latency.map_or(0, |[_, p99, _]| p99)) / 1_000.0;
    let soon = Row {
        what: "the same, p99".to_owned(),
        value: p99,
        unit: "ms",
        yardstick: None,
        score: p99,
        bar: Bar::AtMost(10.0),
        latency: rate.latency,
        spoilt: None,
    };
    Ok(vec![rate, soon])
}

/// A token, and how much of it a hundred of the money buys.
struct Priced {
    symbol: String,
    decimals: u8,
    /// In base units.
    hundred: u128,
}

/// Asks the server for its tokens and their prices. A token that nobody quotes is left away.
async fn prices(subject: &Subject) -> anyhow::Result<Vec<Priced>> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).build()?;
    let get = async |path: &str| -> anyhow::Result<Value> {
        let answer = client.get(format!("http://{}{path}", subject.address)).send().await?.error_for_status()?;
        Ok(answer.json().await?)
    };
    let listed = get("/v1/tokens").await?;
    let listed = listed.get("data").and_then(Value::as_array).context("the server lists no tokens")?;
    let (mut priced, mut mints) = (Vec::new(), BTreeSet::new());
    for token in listed {
        // One token under two symbols is not traded for itself.
        if !mints.insert(token.get("mint").and_then(Value::as_str)) {
            continue;
        }
        let symbol = token.get("symbol").and_then(Value::as_str).unwrap_or_default();
        let decimals = token.get("decimals").and_then(Value::as_u64).and_then(|d| u8::try_from(d).ok()).unwrap_or(0);
        let hundred = if symbol == MONEY {
            100 * 10_u128.pow(decimals.into())
        } else {
            let answer = get(&format!("/v1/quotes?inputToken={MONEY}&outputToken={symbol}&amount=100")).await?;
            let Some(units) = best_output(&answer).and_then(|text| amount::parse(text, decimals).ok()) else {
                continue;
            };
            units
        };
        priced.push(Priced { symbol: symbol.to_owned(), decimals, hundred });
        if priced.len() == TOKENS {
            break;
        }
    }
    ensure!(priced.len() > 1, "the server quotes no token for {MONEY}");
    Ok(priced)
}

/// What the best of the quotes gives.
fn best_output(answer: &Value) -> Option<&str> {
    let best = answer.get("best")?.as_str()?;
    let quotes = answer.get("quotes")?.as_array()?;
    quotes.iter().find(|quote| quote["venue"] == best)?.get("amountOut")?.as_str()
}

fn asking(tokens: Vec<Priced>) -> Make {
    Arc::new(move |number| {
        let drawn = draw(number);
        let body = question(&tokens, drawn).map(|question| Bytes::from(question.to_string()));
        orders::post("/v1/quotes", body.unwrap_or_default(), None)
    })
}

/// A pair, and an amount between 10 and 20,480 of the money: as many small ones as large ones, on a logarithmic scale.
fn question(tokens: &[Priced], drawn: u64) -> Option<Value> {
    let pairs = u64::try_from(tokens.len() * (tokens.len() - 1)).ok()?;
    let pair = usize::try_from(drawn % pairs).ok()?;
    let (from, to) = (pair / (tokens.len() - 1), pair % (tokens.len() - 1));
    let (from, to) = (tokens.get(from)?, tokens.get(to + usize::from(to >= from))?);
    let least = LEAST << (drawn / pairs % DOUBLINGS);
    let hundredths = least + u128::from(draw(drawn)) % least;
    let units = (from.hundred * hundredths / 10_000).max(1);
    let amount = Decimal { units, decimals: from.decimals }.to_string();
    Some(json!({"inputToken": from.symbol, "outputToken": to.symbol, "amount": amount}))
}

/// A number that looks drawn: the same for the same seed. Source: Steele, Lea, Flood, `SplitMix64` (2014).
const fn draw(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Counts answers, and those in which a venue is best.
fn counting(answered: &Arc<AtomicU64>, routed: &Arc<AtomicU64>) -> See {
    const MARK: &[u8] = b"\"best\":\"";
    let (answered, routed) = (Arc::clone(answered), Arc::clone(routed));
    Arc::new(move |body| {
        answered.fetch_add(1, Ordering::Relaxed);
        // It stands near the beginning.
        let head = body.get(..body.len().min(400)).unwrap_or_default();
        if head.windows(MARK.len()).any(|window| window == MARK) {
            routed.fetch_add(1, Ordering::Relaxed);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_differ_and_stay_in_their_range() {
        let tokens: Vec<_> = [("USDC", 6, 100_000_000), ("SOL", 9, 666_666_666), ("BTC", 8, 166_000)]
            .map(|(symbol, decimals, hundred)| Priced { symbol: symbol.to_owned(), decimals, hundred })
            .into();
        let asked: BTreeSet<String> =
            (0..1_000).map(|number| question(&tokens, draw(number)).expect("a question").to_string()).collect();
        assert_eq!(asked.len(), 1_000);
        for text in asked {
            let asked: Value = serde_json::from_str(&text).expect("JSON");
            assert_ne!(asked["inputToken"], asked["outputToken"]);
            let token = tokens.iter().find(|token| asked["inputToken"] == token.symbol).expect("one of them");
            let units = amount::parse(asked["amount"].as_str().expect("text"), token.decimals).expect("an amount");
            let hundredths = units * 10_000 / token.hundred;
            assert!((LEAST - 1..LEAST << DOUBLINGS).contains(&hundredths), "{text}: {hundredths}");
        }
    }
}
