//! Orders over a queue while the server is killed at its fail points: every command is done once and told once.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::proof::process::Process;
use crate::server::command;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);
const ORDERS: &str = "shop-orders.fifo";
const EVENTS: &str = "shop-events.fifo";
const DEAD: &str = "dead.fifo";
/// How many orders, of three commands each, in how many groups.
const SOLD: usize = 40;
const GROUPS: usize = 7;

/// A client of a server that comes and goes.
struct Shop {
    client: Client,
    address: watch::Receiver<Option<String>>,
}

impl Shop {
    /// Asks until there is an answer of success: everything asked here may be asked twice.
    async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Value {
        let begun = Instant::now();
        loop {
            assert!(begun.elapsed() < PATIENCE, "{method} {path} {body}: no answer");
            let url = self.address.borrow().clone();
            if let Some(url) = url {
                let request = self.client.request(method.parse().expect("a method"), format!("{url}{path}"));
                let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
                if let Ok(answer) = request.body(body.to_string()).send().await
                    && answer.status().is_success()
                    && let Ok(text) = answer.text().await
                {
                    return serde_json::from_str(&text).unwrap_or_default();
                }
            }
            sleep(Duration::from_millis(10)).await;
        }
    }

    async fn sqs(&self, operation: &str, parameters: &Value) -> Value {
        let target = format!("AmazonSQS.{operation}");
        let headers = [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", target.as_str())];
        self.ask("POST", "/sqs/", &headers, parameters).await
    }

    /// Makes a queue; answers with its URL, which names an address that goes with the process.
    async fn queue(&self, name: &str) {
        let mut attributes = json!({"FifoQueue": "true", "VisibilityTimeout": "1"});
        self.sqs("CreateQueue", &json!({"QueueName": DEAD, "Attributes": attributes})).await;
        // A command may be received once in every life, and none is to die of that.
        let policy = json!({"deadLetterTargetArn": format!("arn:aws:sqs:us-east-1:123456789012:{DEAD}"), "maxReceiveCount": 1_000});
        attributes["RedrivePolicy"] = policy.to_string().into();
        self.sqs("CreateQueue", &json!({"QueueName": name, "Attributes": attributes})).await;
    }

    async fn url(&self, name: &str) -> Value {
        self.sqs("GetQueueUrl", &json!({ "QueueName": name })).await["QueueUrl"].clone()
    }

    async fn send(&self, group: usize, dedup: &str, command: &Value) {
        let url = self.url(ORDERS).await;
        let message = json!({"QueueUrl": url, "MessageBody": command.to_string(),
            "MessageGroupId": format!("g{group}"), "MessageDeduplicationId": dedup});
        self.sqs("SendMessage", &message).await;
    }

    /// Everything that was told, by its order; a message received twice, because its deletion was not answered, counts once.
    async fn told(&self, enough: usize) -> BTreeMap<String, Vec<Value>> {
        let (mut seen, begun) = (BTreeMap::new(), Instant::now());
        while seen.len() < enough {
            assert!(begun.elapsed() < PATIENCE, "{} of {enough}", seen.len());
            let url = self.url(EVENTS).await;
            let wish = json!({"QueueUrl": url, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 1});
            let received = self.sqs("ReceiveMessage", &wish).await;
            for message in received["Messages"].as_array().into_iter().flatten() {
                let body: Value = serde_json::from_str(message["Body"].as_str().expect("text")).expect("JSON");
                seen.insert(message["MessageId"].to_string(), body);
                let done = json!({"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]});
                self.sqs("DeleteMessage", &done).await;
            }
        }
        let mut told: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for body in seen.into_values() {
            told.entry(body["orderId"].as_str().expect("an id").to_owned()).or_default().push(body);
        }
        told
    }
}

fn begin(folder: &Path, failpoints: &str, address: &watch::Sender<Option<String>>) -> Process {
    let mut server = command(folder);
    server.args([
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--log",
        "error",
        "--lease",
        "1s",
        "--journal",
        "sqlite:tradewind.db",
    ]);
    server.env("TRADEWIND_FAILPOINTS", failpoints);
    Process::begin(server, &folder.join("server.log"), address)
}

fn commands(id: &str) -> [Value; 3] {
    let item = json!({"product_id": "mug", "product_name": "Mug", "quantity": 3, "unit_price": 12.5});
    let data = json!({"customer_name": "Ada", "customer_email": "ada@example.org", "items": [item]});
    let update = |status: &str| json!({"type": "UPDATE", "orderId": id, "data": {"status": status}});
    [json!({"type": "CREATE", "orderId": id, "data": data}), update("PROCESSING"), update("COMPLETED")]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_are_done_once_whatever_is_killed() {
    let (folder, (sender, address)) = (TempDir::new().expect("a folder"), watch::channel(None));
    let client = Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().expect("a client");
    let shop = Shop { client, address };
    let json = [("content-type", "application/json"), ("idempotency-key", "once")];
    let mut life = begin(folder.path(), "", &sender);
    shop.queue(ORDERS).await;
    shop.queue(EVENTS).await;
    shop.ask("PUT", "/v1/shop/stock/mug", &json, &json!({"onHand": 1_000})).await;
    life.signal("KILL");
    assert!(life.dies_within(PATIENCE).await);
    let ids: Vec<String> = (0..SOLD).map(|n| format!("00000000-0000-4000-8000-{n:012}")).collect();
    let sending = async {
        for (n, id) in ids.iter().enumerate() {
            for (step, command) in commands(id).iter().enumerate() {
                shop.send(n % GROUPS, &format!("{n}-{step}"), command).await;
            }
        }
    };
    let killing = async {
        let mut kills = 0;
        for (point, passes) in
            [("before", 11), ("written", 7), ("after", 13), ("after", 5), ("written", 17), ("before", 3)]
        {
            let mut life = begin(folder.path(), &format!("commit.{point}={passes}"), &sender);
            // What there was to do may have been done.
            if life.dies_within(Duration::from_secs(5)).await { kills += 1 } else { life.kill() }
        }
        let life = begin(folder.path(), "", &sender);
        (kills, life)
    };
    let ((), (kills, life)) = tokio::join!(sending, killing);
    assert!(kills >= 3, "only {kills} fail points were hit");
    let told = shop.told(3 * SOLD).await;
    assert_eq!(told.len(), SOLD);
    for (id, told) in &told {
        let mut versions: Vec<_> = told.iter().map(|one| one["data"]["version"].as_u64()).collect();
        versions.sort_unstable();
        assert_eq!(versions, [Some(1), Some(2), Some(3)], "{id}");
    }
    for id in &ids {
        let order = shop.ask("GET", &format!("/v1/shop/orders/{id}"), &[], &Value::Null).await;
        assert_eq!((&order["status"], &order["version"]), (&json!("COMPLETED"), &json!(3)), "{id}");
    }
    let stock = shop.ask("GET", "/v1/shop/stock/mug", &[], &Value::Null).await;
    assert_eq!((&stock["available"], &stock["reserved"]), (&json!(1_000 - 3 * SOLD), &json!(0)));
    let status = life.terminate().await;
    assert!(status.success(), "stopping gracefully: {status}");
}
