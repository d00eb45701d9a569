//! The clients: they post orders, repeat what was not answered under the same key, and write every answer down.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::draw::Draw;
use super::fronts::Fronts;
use super::record::Record;

/// The accounts that trade.
pub(crate) const ACCOUNTS: [&str; 3] = ["anna", "boris", "chen"];

/// An order's amount ends in its number, so that orders can be told apart even when no answer was ever heard.
pub(crate) const NUMBERS: u128 = 1_000_000;

/// A request that nobody answers for so long, though the server has been up in between, is a failure.
const PATIENCE: Duration = Duration::from_secs(120);
/// What a trader wants with an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Traded.
    Sell,
    /// Traded the other way.
    Buy,
    /// More than any pool holds: tried three times, then given up.
    Impossible,
    /// Traded at once or not at all.
    Brief,
    /// Withdrawn as soon as it is accepted.
    Withdrawn,
    /// Answered when it is final.
    Awaited,
}

/// One order, as its client remembers it.
#[derive(Clone, Debug)]
pub(crate) struct Post {
    pub(crate) number: u64,
    pub(crate) account: &'static str,
    pub(crate) wish: Wish,
    /// The id of the 2xx answer.
    pub(crate) id: Option<String>,
    /// The code of a 4xx answer.
    pub(crate) refused: Option<String>,
    /// The final state that an answer told of.
    pub(crate) told: Option<String>,
    /// Whether its cancellation was accepted, if it was asked for.
    pub(crate) withdrawn: Option<bool>,
    /// Requests for this order that were not answered.
    pub(crate) unanswered: u32,
    /// Whether the first answer was a replay: an order on disk that nobody had been told of.
    pub(crate) found: bool,
    /// Whether it was posted twice at the same moment, at two servers where there are two.
    pub(crate) twin: bool,
}

/// What answers have in common.
struct Answer {
    status: StatusCode,
    replayed: bool,
    body: Value,
}

/// One client.
pub(crate) struct Trader {
    pub(crate) client: Client,
    pub(crate) fronts: Fronts,
    pub(crate) record: Arc<Record>,
    pub(crate) draw: Draw,
    pub(crate) numbers: Arc<AtomicU64>,
    pub(crate) account: &'static str,
}

/// A client without a proxy, who waits so long for an answer.
pub(crate) fn client(patience: Duration) -> Client {
    Client::builder().no_proxy().timeout(patience).build().expect("a client")
}

impl Trader {
    /// Trades until `stop`, and finishes the order in hand.
    pub(crate) async fn run(mut self, stop: CancellationToken) -> Vec<Post> {
        let mut posts = Vec::new();
        while !stop.is_cancelled() {
            let wish = match self.draw.between(0, 99) {
                0..45 => Wish::Sell,
                45..70 => Wish::Buy,
                70..78 => Wish::Impossible,
                78..86 => Wish::Brief,
                86..97 => Wish::Withdrawn,
                _ => Wish::Awaited,
            };
            posts.push(self.trade(wish).await);
            sleep(Duration::from_millis(self.draw.between(5, 60))).await;
        }
        posts
    }

    /// Places one order and sees it through its requests.
    pub(crate) async fn trade(&mut self, wish: Wish) -> Post {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let mut post = Post {
            number,
            account: self.account,
            wish,
            id: None,
            refused: None,
            told: None,
            withdrawn: None,
            unanswered: 0,
            found: false,
            twin: false,
        };
        let body = self.body(&post);
        let path = if wish == Wish::Awaited { "/v1/swaps?wait=10" } else { "/v1/swaps" };
        let key = format!("post-{number}");
        post.twin = !matches!(wish, Wish::Brief | Wish::Awaited) && self.draw.between(0, 9) == 0;
        let answer = if post.twin {
            self.ask_twice(path, &key, &body, &mut post.unanswered).await
        } else {
            let turn = self.turn();
            self.ask(turn, path, &key, Some(&body), &mut post.unanswered).await
        };
        if !answer.status.is_success() {
            post.refused = Some(format!("{} {}", answer.status, answer.body["code"].as_str().unwrap_or("?")));
            return post;
        }
        let id = answer.body["id"].as_str().expect("an order has an id").to_owned();
        (post.found, post.id) = (answer.replayed, Some(id.clone()));
        post.told = (answer.status == StatusCode::OK).then(|| answer.body["status"].as_str().unwrap_or("?").to_owned());
        if wish == Wish::Withdrawn {
            let key = format!("cancel-{number}");
            let (turn, path) = (self.turn(), format!("/v1/swaps/{id}/cancel"));
            let answer = self.ask(turn, &path, &key, None, &mut post.unanswered).await;
            let code = answer.body["code"].as_str();
            assert!(
                answer.status == StatusCode::OK || code == Some("NOT_CANCELLABLE"),
                "cancelling {id}: {} {}",
                answer.status,
                answer.body
            );
            post.withdrawn = Some(answer.status == StatusCode::OK);
        }
        if self.draw.between(0, 9) == 0 {
            let (turn, key) = (self.turn(), format!("post-{number}"));
            let again = self.ask(turn, "/v1/swaps", &key, Some(&body), &mut post.unanswered).await;
            let same = (again.status, again.replayed, again.body["id"].as_str());
            assert_eq!(same, (StatusCode::ACCEPTED, true, Some(id.as_str())), "post {number} repeated: {}", again.body);
        }
        post
    }

    fn body(&mut self, post: &Post) -> Value {
        let number = u128::from(post.number);
        let sell = |whole: u64, expires: Value| {
            let amount = format!("{whole}.{:09}", 50_000_000 + number);
            json!({"inputToken": "SOL", "outputToken": "USDC", "amount": amount, "slippageBps": 800,
                "expiresAt": expires, "clientOrderId": format!("order-{number}")})
        };
        match post.wish {
            Wish::Buy => json!({"inputToken": "USDC", "outputToken": "SOL", "amount": format!("5.{number:06}")}),
            Wish::Impossible => json!({"inputToken": "SOL", "outputToken": "USDC", "mode": "exactOut",
                "amount": format!("9000000000000.{number:06}")}),
            Wish::Brief => {
                let ahead = Duration::from_millis(self.draw.between(20, 1_500));
                without_nulls(sell(0, json!((jiff::Timestamp::now() + ahead).to_string())))
            }
            _ => without_nulls(sell(self.draw.between(0, 1), Value::Null)),
        }
    }

    /// Which server is asked first.
    fn turn(&mut self) -> usize {
        usize::try_from(self.draw.between(0, 1)).expect("a number")
    }

    /// The same request under the same key twice at the same moment: one order, and one answer that says it is a replay.
    async fn ask_twice(&self, path: &str, key: &str, body: &Value, unanswered: &mut u32) -> Answer {
        let (mut one, mut other) = (0, 0);
        let (first, second) =
            tokio::join!(self.ask(0, path, key, Some(body), &mut one), self.ask(1, path, key, Some(body), &mut other));
        *unanswered += one + other;
        assert_eq!(first.status, second.status, "{key} twice: {} {}", first.body, second.body);
        assert_eq!(first.body["id"], second.body["id"], "{key} made two orders");
        let made = u32::from(!first.replayed) + u32::from(!second.replayed);
        // The answer that told of a new order may be one that nobody heard.
        let heard = made == 1 || (made == 0 && one + other > 0);
        assert!(heard, "{key} twice: {made} of the answers are no replay; {} {}", first.body, second.body);
        if first.replayed { second } else { first }
    }

    /// Asks until somebody answers: the same request under the same key, at whichever address a server has come to.
    async fn ask(&self, mut turn: usize, path: &str, key: &str, body: Option<&Value>, unanswered: &mut u32) -> Answer {
        let begun = Instant::now();
        loop {
            assert!(begun.elapsed() < PATIENCE, "{key}: no answer to POST {path} in {PATIENCE:?}");
            let base = self.fronts.url(turn, PATIENCE).await;
            let mut request = self.client.post(format!("{base}{path}"));
            request = request.header("x-account", self.account).header("idempotency-key", key);
            if let Some(body) = body {
                request = request.json(body);
            }
            let answer = match request.send().await {
                Ok(response) => read(response).await,
                Err(_) => None,
            };
            self.record.note(answer.as_ref().map(|answer| answer.status));
            // 503 says that nothing was acknowledged, and to come again.
            match answer.filter(|answer| answer.status != StatusCode::SERVICE_UNAVAILABLE) {
                Some(answer) => return answer,
                None => *unanswered += 1,
            }
            turn += 1;
            sleep(Duration::from_millis(10)).await;
        }
    }
}

/// An answer that was cut off is none.
async fn read(response: Response) -> Option<Answer> {
    let status = response.status();
    let replayed = response.headers().get("idempotent-replayed").is_some_and(|value| value == "true");
    let body = response.bytes().await.ok()?;
    let body =
        serde_json::from_slice(&body).unwrap_or_else(|error| panic!("{status} with a body that is no JSON: {error}"));
    Some(Answer { status, replayed, body })
}

fn without_nulls(mut body: Value) -> Value {
    if let Some(fields) = body.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    body
}
