//! Jupiter on the simulated Solana quotes what our router does over the same pools, to the unit.

use std::time::Duration;

use domain::amount::Decimal;
use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::proof::draw::Draw;
use crate::proof::traders::client;
use crate::server::Server;
use crate::wallet;

const QUESTIONS: usize = 200;
/// So often in a row no slot passes just between two quotes.
const TRIES: u32 = 5;

/// What is traded: symbol, decimals, and about what one is worth in thousandths of a cent.
const TOKENS: [(&str, u8, u128); 8] = [
    ("SOL", 9, 15_000_000),
    ("USDC", 6, 100_000),
    ("USDT", 6, 100_000),
    ("BONK", 5, 2),
    ("JUP", 6, 50_000),
    ("RAY", 6, 200_000),
    ("ETH", 8, 300_000_000),
    ("BTC", 8, 9_000_000_000),
];

/// From a cent to a hundred thousand dollars and more.
const DECADES: u64 = 7;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jupiter_and_our_router_agree_to_the_unit() {
    let chain = Server::chain(&["--pace", "instant"]);
    let folder = TempDir::new().expect("a folder");
    let signer = wallet::signer(folder.path());
    let (simnet, jupiter) = (format!("simnet={}", chain.url), format!("jupiter={0}/jupiter?rpc={0}/rpc", chain.url));
    let arguments = ["--venue", &simnet, "--venue", &jupiter, "--signer", &signer, "--quote-deadline", "10s"];
    let server = Server::start_in(folder, &arguments);
    let client = client(Duration::from_secs(30));
    let mut draw = Draw::new(6);
    let mut routed = 0;
    for number in 0..QUESTIONS {
        let question = question(&mut draw, number % 2 == 1);
        let mut tries = 0;
        let ours = loop {
            let answer = ask(&client, &server.url, &question).await;
            let [ours, theirs] = ["Tradewind", "Jupiter"].map(|venue| amounts(&answer, venue));
            if ours == theirs {
                break ours;
            }
            // A slot may have passed between the two, and moved the pools.
            tries += 1;
            assert!(tries < TRIES, "{question}: {answer:#}");
        };
        routed += usize::from(ours.is_some());
    }
    assert!(routed > QUESTIONS * 3 / 4, "only {routed} of {QUESTIONS} questions had a route");
}

fn question(draw: &mut Draw, exact_out: bool) -> Value {
    let from = draw.between(0, TOKENS.len() as u64 - 1);
    let to = (from + draw.between(1, TOKENS.len() as u64 - 1)) % TOKENS.len() as u64;
    let token = |number: u64| TOKENS[usize::try_from(number).expect("a token")];
    let [(input, ..), (output, ..)] = [from, to].map(token);
    let (_, decimals, worth) = token(if exact_out { to } else { from });
    let least = 10_u64.pow(3 + u32::try_from(draw.between(0, DECADES - 1)).expect("a power"));
    let money = u128::from(draw.between(least, 10 * least - 1));
    let units = (money * 10_u128.pow(decimals.into()) / worth).max(1);
    let mode = if exact_out { "exactOut" } else { "exactIn" };
    json!({"inputToken": input, "outputToken": output, "mode": mode,
        "amount": Decimal { units, decimals }.to_string()})
}

async fn ask(client: &Client, server: &str, question: &Value) -> Value {
    let answer = client.post(format!("{server}/v1/quotes")).json(question).send().await.expect("an answer");
    serde_json::from_str(&answer.text().await.expect("an answer")).expect("JSON")
}

/// What a venue would take and give.
fn amounts(answer: &Value, venue: &str) -> Option<[Value; 2]> {
    let quotes = answer["quotes"].as_array().unwrap_or_else(|| panic!("no quotes: {answer}"));
    let quote = quotes.iter().find(|quote| quote["venue"] == venue).unwrap_or_else(|| panic!("no {venue}: {answer}"));
    quote["amountOut"].is_string().then(|| ["amountIn", "amountOut"].map(|amount| quote[amount].clone()))
}
