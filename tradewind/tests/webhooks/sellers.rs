//! Sellers who post deals and change them, and ask again until they are answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

use crate::proof::PATIENCE;
use crate::proof::draw::Draw;
use crate::proof::fronts::Fronts;

/// The account of all of them.
pub(super) const ACCOUNT: &str = "seller";
/// Changes of one deal, the first of which makes it.
const CHANGES_PER_DEAL: u64 = 5;
/// A request that is not answered for so long is asked again.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// Between two changes of one seller.
const PAUSE: Duration = Duration::from_millis(40);

/// A change that was acknowledged: the deal, and its version since.
pub(super) type Change = (String, u64);

/// One seller.
#[derive(Clone)]
pub(super) struct Seller {
    pub(super) client: Client,
    pub(super) fronts: Fronts,
    pub(super) draw: Draw,
    /// What is left to be done, by all of them.
    pub(super) left: Arc<AtomicU64>,
    /// Requests that got no answer, of all of them.
    pub(super) unanswered: Arc<AtomicU64>,
}

impl Seller {
    /// Posts and changes deals until all is done.
    pub(super) async fn run(mut self) -> Vec<Change> {
        let mut done = Vec::new();
        while self.take() {
            let (id, mut version) = self.change(Method::POST, "/v1/deals", None, 1).await;
            done.push((id.clone(), version));
            for step in 2..=CHANGES_PER_DEAL {
                if !self.take() {
                    return done;
                }
                let path = format!("/v1/deals/{id}");
                version = self.change(Method::PUT, &path, Some(version), step).await.1;
                done.push((id.clone(), version));
            }
        }
        done
    }

    fn take(&self) -> bool {
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }

    /// One change, asked for with the same key until it is acknowledged. Now and then its seller hangs up in the middle.
    async fn change(&mut self, method: Method, path: &str, version: Option<u64>, step: u64) -> Change {
        sleep(PAUSE).await;
        let key = engine::intake::new_id();
        let body = json!({"name": format!("Deal {step}"), "currency": "GBP", "items": [{"name": "Item", "price": 100 * step}]});
        let begun = Instant::now();
        loop {
            let base = self.fronts.url(0, PATIENCE).await;
            let mut request = self.client.request(method.clone(), format!("{base}{path}")).json(&body);
            request = request.header("x-account", ACCOUNT).header("idempotency-key", &key);
            if let Some(version) = version {
                request = request.header("if-match", format!("\"{version}\""));
            }
            let patience = match self.draw.between(0, 7) {
                0 => Duration::from_micros(self.draw.between(100, 4_000)),
                _ => ANSWER_WITHIN,
            };
            let answer = timeout(patience, async { answer(request.send().await?).await }).await;
            match answer {
                Ok(Ok((status, deal))) if status.is_success() => {
                    let id = deal["id"].as_str().unwrap_or_else(|| panic!("no id: {deal}")).to_owned();
                    return (id, deal["version"].as_u64().unwrap_or_else(|| panic!("no version: {deal}")));
                }
                Ok(Ok((status, problem))) => {
                    assert!(status.is_server_error(), "{method} {path}: {status} {problem}");
                }
                Ok(Err(_)) | Err(_) => drop(self.unanswered.fetch_add(1, Ordering::Relaxed)),
            }
            assert!(begun.elapsed() < PATIENCE, "{method} {path} is not answered");
            sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn answer(response: reqwest::Response) -> Result<(StatusCode, Value), reqwest::Error> {
    let status = response.status();
    let text = response.text().await?;
    Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
}
