//! Loss-tolerant hints after a commit: "queue X has work", "head is n". A lost hint costs one poll.
//!
//! A driver for another technology is a file with a `remote::Link`, an arm in [`open`], and a harness in the conformance
//! suite. Hints go to the installation that sends them: a database, a channel or a subject of its own.

#[cfg(test)]
pub mod conformance;

mod local;
mod message;
mod nats;
mod postgres;
mod redis;
mod remote;

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::{Notify, watch};

use crate::Fault;

/// What a commit has to tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hint {
    /// The newest event's number; 0 when there is no new one.
    pub head: u64,
    /// Queues that got runnable jobs.
    pub queues: Vec<String>,
}

/// The wake port. Never blocks, never fails; hints may be lost, doubled or late.
#[async_trait]
pub trait Wake: Send + Sync + 'static {
    /// Tells everyone who listens.
    fn send(&self, hint: &Hint);

    /// Follows the head: the receiver holds the newest number heard of. It is also marked as changed, without a new
    /// number, when hints may have been lost.
    fn head(&self) -> watch::Receiver<u64>;

    /// Wakes once for every burst of hints about `queue`. Register before looking.
    fn queue(&self, queue: &str) -> Arc<Notify>;

    /// Whether hints get through at present, for the readiness check.
    ///
    /// # Errors
    /// [`Fault::Unavailable`] while what stands behind the port is away.
    async fn ping(&self) -> Result<(), Fault> {
        Ok(())
    }
}

/// Hints within one process.
#[must_use]
pub fn local() -> Arc<dyn Wake> {
    Arc::new(local::Local::default())
}

/// The driver for a journal when none is named: the journal's own PostgreSQL, `local` where there is one process.
#[must_use]
pub fn default_for(journal_url: &str) -> &'static str {
    if is_postgres(journal_url) { "postgres" } else { "local" }
}

/// Opens the wake port at `url`:
/// - `local`: within this process;
/// - `postgres`: through the journal's own PostgreSQL, two connections; `postgres://…` through another one;
/// - `redis://host:6379` or `rediss://…` (TLS), `nats://host:4222` or `tls://…`. `?prefix=word` names the installation,
///   which otherwise is the database's name in `journal_url`: nodes of one installation say the same.
///
/// # Errors
/// [`Fault::Unavailable`], one line that says what to do: the URL names no driver, the server is not there or refuses us.
pub async fn open(url: &str, journal_url: &str) -> Result<Arc<dyn Wake>, Fault> {
    match url.split_once(':').map_or(url, |(scheme, _)| scheme) {
        "local" if url == "local" => Ok(local()),
        "postgres" if url == "postgres" && is_postgres(journal_url) => postgres::open(journal_url).await,
        "postgres" if url == "postgres" => {
            Err(Fault::Unavailable("--wake postgres: the journal is no PostgreSQL; say --wake local".to_owned()))
        }
        "postgres" | "postgresql" => postgres::open(url).await,
        "redis" | "rediss" => redis::open(url, &installation(journal_url)).await,
        "nats" | "tls" => nats::open(url, &installation(journal_url)).await,
        _ => Err(Fault::Unavailable(format!(
            "--wake {}: expected local, postgres, redis://host:port or nats://host:port",
            crate::without_secrets(url)
        ))),
    }
}

fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres:") || url.starts_with("postgresql:")
}

/// The name of the journal's database as a plain word: the same however a node reaches it.
fn installation(journal_url: &str) -> String {
    let shown = crate::without_secrets(journal_url);
    let name = shown.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, name)| name);
    let name: String = name.chars().map(|c| if crate::address::plain(c) { c } else { '_' }).take(64).collect();
    if name.is_empty() { "tradewind".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_installation_is_named_by_its_database() {
        let cases = [
            ("postgres://u:p@host:1/orders?sslmode=require", "orders"),
            ("postgres://host/a%20b", "a_20b"),
            ("postgres://host", "tradewind"),
            ("sqlite:data/tradewind.db", "tradewind"),
        ];
        for (url, name) in cases {
            assert_eq!(super::installation(url), name);
        }
    }
}
