//! Twenty endpoints, half of them misbehaving, two thousand changes of deals, and a server that is killed ten times: every
//! healthy endpoint has every event, each with an id that stays, whatever the others do.
//!
//! `TRADEWIND_WEBHOOKS_SEED` repeats a run's chances.

mod receivers;
mod sellers;
mod verdict;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::Timestamp;
use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use self::receivers::{Behaviour, Receiver};
use self::sellers::{ACCOUNT, Change, Seller};
use crate::proof::draw::Draw;
use crate::proof::fronts::Fronts;
use crate::proof::process::Process;
use crate::proof::{Folder, PATIENCE, finished, first, setting};
use crate::server::{INSTANT, command};

const CHANGES: u64 = 2_000;
const SELLERS: u64 = 5;
const KILLS: usize = 10;

/// The server's place, and where it is just now.
struct Home {
    folder: Folder,
    address: watch::Sender<Option<String>>,
    client: Client,
    fronts: Fronts,
}

impl Home {
    fn make() -> Self {
        let (address, listens) = watch::channel(None);
        let client = Client::builder().no_proxy().connect_timeout(Duration::from_secs(5)).build().expect("a client");
        Self { folder: Folder(TempDir::new().expect("a folder")), address, client, fronts: Fronts::new(vec![listens]) }
    }

    fn begin(&self) -> Process {
        let folder = self.folder.0.path();
        let mut command = command(folder);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--log", "error", "--journal", "sqlite:tradewind.db"])
            .args(["--webhook-allow-net", "127.0.0.1"])
            .args(INSTANT);
        Process::begin(command, &folder.join("server.log"), &self.address)
    }

    async fn ask(&self, path: &str, body: Option<Value>) -> Value {
        let url = format!("{}{path}", self.fronts.url(0, PATIENCE).await);
        let request = match &body {
            Some(body) => self.client.post(url).json(body),
            None => self.client.get(url),
        };
        let answer = request.header("x-account", ACCOUNT).send().await.expect("an answer");
        let (status, text) = (answer.status(), answer.text().await.expect("an answer"));
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).expect("JSON")
    }
}

/// An endpoint of the server, and who receives there.
struct Endpoint {
    id: String,
    pattern: &'static str,
    receiver: Receiver,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_healthy_endpoint_gets_every_event() {
    let seed = setting("TRADEWIND_WEBHOOKS_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    println!("webhooks test: seed {seed}; TRADEWIND_WEBHOOKS_SEED={seed} repeats its chances");
    let draw = Draw::new(seed);
    let home = Home::make();
    let mut life = home.begin();
    let endpoints = endpoints(&home).await;

    let unanswered = Arc::new(AtomicU64::new(0));
    let selling = sell(&home, &draw, &unanswered);
    let mut down = Vec::new();
    let mut chance = draw.part(1_000);
    for _ in 0..KILLS {
        sleep(Duration::from_millis(chance.between(300, 2_000))).await;
        let from = engine::clock::now();
        life.kill();
        life = home.begin();
        assert!(life.listens_within(PATIENCE).await, "the server does not come up again; see its log");
        down.push((from, engine::clock::now()));
    }
    let mut changes: Vec<Change> = Vec::new();
    for seller in selling {
        changes.extend(finished("a seller", seller).await);
    }
    println!("{} changes, {KILLS} kills, {} requests unanswered", changes.len(), unanswered.load(Ordering::Relaxed));
    all_there(&endpoints, &changes).await;
    gone_is_disabled(&home, &endpoints).await;

    let status = life.terminate().await;
    assert!(status.success(), "stopping gracefully: {status}");
    let committed = verdict::committed(home.folder.0.path()).await;
    let findings = verdict::judge(&endpoints, &changes, &committed);
    verdict::tell(&endpoints, &down);
    assert!(findings.is_empty(), "{} findings (seed {seed}):\n{}", findings.len(), first(&findings));
}

/// Makes the twenty. Half of the healthy ones want everything, the others deals.
async fn endpoints(home: &Home) -> Vec<Endpoint> {
    // If anybody followed the redirection, this one would be sent what is not signed with its secret.
    let elsewhere = Receiver::listen(Behaviour::Fast, "").await.url;
    let mut endpoints = Vec::new();
    for (number, behaviour) in Behaviour::twenty().into_iter().enumerate() {
        let receiver =
            Receiver::listen(behaviour, endpoints.first().map_or(&elsewhere, |one: &Endpoint| &one.receiver.url)).await;
        let pattern = if number % 2 == 0 { "*" } else { "deal.*" };
        let wish = json!({"url": receiver.url, "patterns": [pattern]});
        let made = home.ask("/v1/webhooks/endpoints", Some(wish)).await;
        let text = |name: &str| made[name].as_str().unwrap_or_else(|| panic!("no {name}: {made}")).to_owned();
        receiver.know(text("secret").parse().expect("a secret"));
        endpoints.push(Endpoint { id: text("id"), pattern, receiver });
    }
    endpoints
}

fn sell(home: &Home, draw: &Draw, unanswered: &Arc<AtomicU64>) -> Vec<JoinHandle<Vec<Change>>> {
    let left = Arc::new(AtomicU64::new(CHANGES));
    let seller = |number| Seller {
        client: home.client.clone(),
        fronts: home.fronts.clone(),
        draw: draw.part(number),
        left: Arc::clone(&left),
        unanswered: Arc::clone(unanswered),
    };
    (0..SELLERS).map(|number| tokio::spawn(seller(number).run())).collect()
}

/// Waits until everyone who takes everything has taken as much as there is.
async fn all_there(endpoints: &[Endpoint], changes: &[Change]) {
    let begun = Instant::now();
    loop {
        let short = endpoints
            .iter()
            .find(|one| one.receiver.behaviour.takes_everything() && verdict::missing(one, changes).next().is_some());
        let Some(short) = short else { return };
        assert!(
            begun.elapsed() < PATIENCE,
            "{:?} {} took only {} of {} changes",
            short.receiver.behaviour,
            short.id,
            short.receiver.taken(),
            changes.len()
        );
        sleep(Duration::from_millis(100)).await;
    }
}

/// Who answered 410 is asked no more.
async fn gone_is_disabled(home: &Home, endpoints: &[Endpoint]) {
    let gone = endpoints.iter().find(|one| one.receiver.behaviour == Behaviour::Gone).expect("one of the twenty");
    let shown = home.ask(&format!("/v1/webhooks/endpoints/{}", gone.id), None).await;
    assert_eq!(shown["status"], "disabled", "{shown}");
}

/// Whether the instant lies in one of the spans, or soon after.
fn disturbed(down: &[(Timestamp, Timestamp)], at: Timestamp) -> bool {
    const BEFORE: i64 = -1_000;
    const AFTER: i64 = 2_000;
    down.iter().any(|(from, to)| from.plus_millis(BEFORE) <= at && at <= to.plus_millis(AFTER))
}
