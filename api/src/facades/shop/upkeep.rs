//! The routes about the process, its cache, and the account's queue of commands.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::queue::Refusal;
use domain::shop::command::ORDERS;
use drivers::cache::Cache;
use drivers::journal::MessageCounts;
use engine::clock;
use engine::queues::QueueError;
use serde_json::json as value;

use super::{PROCESSING_INTERVAL_MILLIS, Refused, json, reads};
use crate::account::Account;
use crate::routes::App;

/// The most keys that are shown.
const MOST_KEYS: usize = 100_000;
/// So often the cache is looked into for them, however much of it is another's: a look into Redis passes some thousand names.
const MOST_LOOKS: usize = 20;

/// Whether all that is needed answers.
pub(super) async fn health(State(app): State<Arc<App>>) -> Response {
    let checks = app.engine.ready.checks().await;
    let leaving = app.settings.leaving.is_cancelled() || app.settings.stop.is_cancelled();
    let well = !leaving && checks.iter().all(|check| check.answers || !check.needed);
    let (status, word) = if well { (StatusCode::OK, "OK") } else { (StatusCode::SERVICE_UNAVAILABLE, "Unavailable") };
    json(status, value!({ "status": word, "timestamp": reads::instant(clock::now()) }).to_string())
}

/// How much the cache holds.
pub(super) async fn cache_stats(State(app): State<Arc<App>>) -> Response {
    let body = match app.engine.cached.weight().await {
        Ok(weight) => value!({ "keys": weight.keys, "memory": human(weight.bytes) }),
        Err(_) => value!({ "keys": 0, "memory": "unknown" }),
    };
    json(StatusCode::OK, body.to_string())
}

/// The keys that it holds, sorted.
pub(super) async fn cache_keys(State(app): State<Arc<App>>) -> Response {
    json(StatusCode::OK, value!({ "keys": keys_of(app.engine.cached.cache()).await }).to_string())
}

async fn keys_of(cache: &dyn Cache) -> Vec<String> {
    let (mut keys, mut from) = (Vec::new(), None);
    for _ in 0..MOST_LOOKS {
        // As in the original, a cache that does not answer holds nothing. All at once: the one in memory is walked over whole
        // for each look.
        let Ok(page) = cache.keys(from, MOST_KEYS - keys.len()).await else { break };
        keys.extend(page.keys.into_iter().map(|held| held.key));
        from = page.next;
        if from.is_none() || keys.len() >= MOST_KEYS {
            break;
        }
    }
    keys.sort_unstable();
    keys.dedup();
    keys.truncate(MOST_KEYS);
    keys
}

/// Forgets what it holds of ours.
pub(super) async fn cache_clear(State(app): State<Arc<App>>) -> Response {
    app.engine.cached.cache().clear().await;
    json(StatusCode::OK, r#"{"message":"Cache cleared successfully"}"#.to_owned())
}

/// How many commands wait.
pub(super) async fn queue_stats(State(app): State<Arc<App>>, account: Account) -> Result<Response, Refused> {
    let (counts, _) = look(&app, &account).await?;
    Ok(json(StatusCode::OK, shown(counts).to_string()))
}

/// Deletes the commands that wait, those in hand too.
pub(super) async fn queue_purge(State(app): State<Arc<App>>, Account(account): Account) -> Result<Response, Refused> {
    match app.engine.queues.purge(&account, ORDERS).await {
        // Without a queue there is nothing to delete.
        Ok(_) | Err(QueueError::Refused(Refusal::QueueDoesNotExist)) => {}
        Err(QueueError::Refused(refusal @ Refusal::PurgeQueueInProgress(_))) => {
            return Err(Refused::plain(StatusCode::TOO_MANY_REQUESTS, &refusal.to_string()));
        }
        Err(error) => return Err(failed(&error)),
    }
    Ok(json(StatusCode::OK, r#"{"message":"SQS queue purged successfully"}"#.to_owned()))
}

/// Whether commands are worked on.
pub(super) async fn handler_status(State(app): State<Arc<App>>, account: Account) -> Result<Response, Refused> {
    let (_, running) = look(&app, &account).await?;
    Ok(json(StatusCode::OK, handler(running).to_string()))
}

/// Both.
pub(super) async fn handler_stats(State(app): State<Arc<App>>, account: Account) -> Result<Response, Refused> {
    let (counts, running) = look(&app, &account).await?;
    Ok(json(StatusCode::OK, value!({ "status": handler(running), "queue": shown(counts) }).to_string()))
}

/// The account's queue: what is in it, and whether it hands anything out. One that was not made yet is empty and runs.
async fn look(app: &App, Account(account): &Account) -> Result<(MessageCounts, bool), Refused> {
    let queue = match app.engine.queues.find(account, ORDERS).await {
        Ok(queue) => queue,
        Err(QueueError::Refused(Refusal::QueueDoesNotExist)) => return Ok((MessageCounts::default(), true)),
        Err(error) => return Err(failed(&error)),
    };
    let counts = app.engine.queues.counts(&queue).await.map_err(|error| failed(&error))?;
    Ok((counts, !queue.body.paused))
}

fn handler(running: bool) -> serde_json::Value {
    value!({ "isRunning": running, "processingIntervalMs": PROCESSING_INTERVAL_MILLIS })
}

fn shown(counts: MessageCounts) -> serde_json::Value {
    value!({
        "ApproximateNumberOfMessages": counts.visible,
        "ApproximateNumberOfMessagesNotVisible": counts.hidden,
        "ApproximateNumberOfMessagesDelayed": counts.delayed
    })
}

fn failed(error: &QueueError) -> Refused {
    tracing::error!(%error, "a shop's queue does not answer");
    Refused::plain(StatusCode::SERVICE_UNAVAILABLE, "the journal does not answer; try again")
}

/// Bytes as Redis writes them: `1.97M`.
fn human(bytes: u64) -> String {
    let (unit, one) = match bytes {
        0..0x400 => return format!("{bytes}B"),
        0x400..0x10_0000 => ("K", 0x400),
        0x10_0000..0x4000_0000 => ("M", 0x10_0000),
        _ => ("G", 0x4000_0000_u64),
    };
    let hundredths = u128::from(bytes) * 100 / u128::from(one);
    format!("{}.{:02}{unit}", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use drivers::cache;

    use super::*;

    /// What a Redis answers to commands, one a line.
    fn told(server: &testbed::Redis, commands: &str) -> String {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", server.port())).expect("connects");
        stream.write_all(format!("{commands}\r\nQUIT\r\n").as_bytes()).expect("sent");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("answers");
        text
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_names_of_others_are_passed_over_only_so_long() {
        let server = testbed::Redis::start();
        let cache = cache::open(&server.url()).await.expect("a cache");
        // Of nothing but others' names there are far more than are looked at.
        let script = "EVAL \"for n = 1, 250000 do redis.call('set', 'other:' .. n, '') end\" 0";
        told(&server, script);
        assert_eq!(keys_of(&*cache).await, Vec::<String>::new());
        let counted = told(&server, "INFO commandstats");
        let calls =
            counted.split_once("cmdstat_scan:calls=").and_then(|(_, rest)| rest.split_once(',')).expect("scans").0;
        assert!((1..=200).contains(&calls.parse::<usize>().expect("a number")), "{calls} scans");
    }

    #[test]
    fn bytes_are_written_as_redis_writes_them() {
        for (bytes, shown) in [
            (0, "0B"),
            (1_023, "1023B"),
            (1_024, "1.00K"),
            (2_065_694, "1.96M"),
            (3 << 30, "3.00G"),
            (u64::MAX, "17179869183.99G"),
        ] {
            assert_eq!(human(bytes), shown);
        }
    }
}
