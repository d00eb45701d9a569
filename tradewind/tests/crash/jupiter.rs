//! The same where orders go to Jupiter on a simulated Solana: what was signed trades once, whatever is killed or lost.
//!
//! All orders are signed by one wallet, so it is the transactions that tell them apart: each swap on the chain must be the last
//! transaction of one confirmed order, and every confirmed order must have one.

use std::collections::HashMap;

use drivers::failpoint;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Plan, REQUEST_TIMEOUT, judge, seed};
use crate::proof::traders::client;
use crate::proof::verdict::{Evidence, Execution};
use crate::proof::{Folder, setting};
use crate::server::Server;
use crate::wallet;

/// So many kills without a word from the operator.
const FEW: u32 = 12;

/// The points on an order's way to a venue and back; with more kills than a few there is time for all of them.
const ON_THE_WAY: [&str; 5] = ["routing.after", "submit.before", "submit.sent", "confirm.before", "confirm.after"];

/// A venue and a chain that refuse, fail, hang, lose and forget some of everything.
const FAULTS: &str = "jupiter.rate_limited=0.002,jupiter.error_500=0.02,jupiter.timeout=0.005,jupiter.html=0.005,\
    jupiter.truncated=0.005,jupiter.stale_quote=0.05,jupiter.wrong_mint=0.01,jupiter.answer_lost=0.02,\
    rpc.rate_limited=0.002,rpc.error_500=0.02,rpc.answer_lost=0.05,rpc.dropped=0.1,rpc.late=0.02,rpc.fork=0.1";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_and_nothing_trades_twice_on_a_chain() {
    let wanted = setting("TRADEWIND_CRASH_KILLS").map_or(FEW, |kills| u32::try_from(kills).expect("fewer kills"));
    let seed = seed();
    println!("crash test at Jupiter: seed {seed}, {wanted} kills; TRADEWIND_CRASH_SEED={seed} repeats its chances");
    let chain = Server::chain(&["--pace", "real", "--seed", &seed.to_string(), "--faults", FAULTS]);
    let client = client(REQUEST_TIMEOUT);
    wallet::fund(&client, &chain.url).await;
    let folder = Folder(TempDir::new().expect("a folder"));
    let venue = format!("jupiter={0}/jupiter?rpc={0}/rpc", chain.url);
    let arguments = ["--venue".to_owned(), venue, "--signer".to_owned(), wallet::signer(folder.0.path())].into();
    let points: &[&str] = if wanted > FEW { &failpoint::NAMES } else { &ON_THE_WAY };

    let plan = Plan { folder: &folder, arguments, points, seed };
    let (mut evidence, kills) = plan.run(|kills| kills >= wanted).await;
    evidence.ledger = executions(&wallet::swaps(&client, &chain.url).await, &evidence);
    judge(&evidence, &kills, seed);
}

/// The chain's swaps as executions of orders. One that is no order's last transaction is nobody's, which is a finding.
fn executions(swaps: &[Value], evidence: &Evidence) -> Vec<Execution> {
    let mut orders = HashMap::new();
    for (log, event) in evidence.logs.iter().flat_map(|log| log.events.iter().map(move |event| (log, event))) {
        let Some(end) = &event.end else { continue };
        let view: Value = serde_json::from_str(end).expect("JSON");
        if let Some(id) = view["transaction"]["id"].as_str() {
            let order = (event.id.clone(), view["transaction"]["build"].clone(), log.account);
            let other = orders.insert(id.to_owned(), order);
            assert!(other.is_none(), "two orders have the transaction {id}");
        }
    }
    let execution = |row: &Value| {
        assert_eq!(row["payer"], wallet::ADDRESS, "somebody else trades here");
        let id = row["signature"].as_str().expect("a signature");
        let nobody = || (format!("(none: transaction {id})"), json!(0), "nobody");
        let (order, build, account) = orders.get(id).cloned().unwrap_or_else(nobody);
        let (paid, received) = (&row["swap"]["amountIn"], &row["swap"]["amountOut"]);
        let execution = json!({"id": id, "orderId": order, "build": build, "account": account,
            "amountIn": paid, "amountOut": received});
        serde_json::from_value(execution).expect("an execution")
    };
    swaps.iter().map(execution).collect()
}
