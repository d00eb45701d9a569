//! The servers that tests share: those that the environment names, else one of each sort for the process.

use std::sync::OnceLock;

use crate::{Database, Nats, Postgres, Redis};

/// Names the PostgreSQL that tests share, by the URL of a database in which others may be made.
pub const POSTGRES_VARIABLE: &str = "TRADEWIND_TEST_POSTGRES";
/// Names the Redis that tests share.
pub const REDIS_VARIABLE: &str = "TRADEWIND_TEST_REDIS";
/// Names the NATS server, with JetStream, that tests share.
pub const NATS_VARIABLE: &str = "TRADEWIND_TEST_NATS";

// Never dropped: they end with the process, and the next process deletes their folders.
static POSTGRES: OnceLock<Postgres> = OnceLock::new();
static REDIS: OnceLock<Redis> = OnceLock::new();
static NATS: OnceLock<Nats> = OnceLock::new();

/// The URL of the shared PostgreSQL's maintenance database.
///
/// # Panics
/// When a server is needed and cannot be started.
#[must_use]
pub fn postgres() -> String {
    named(POSTGRES_VARIABLE).unwrap_or_else(|| POSTGRES.get_or_init(Postgres::start).url())
}

/// The URL of the shared Redis. Tests that share it use prefixes of their own.
///
/// # Panics
/// When a server is needed and cannot be started.
#[must_use]
pub fn redis() -> String {
    named(REDIS_VARIABLE).unwrap_or_else(|| REDIS.get_or_init(Redis::start).url())
}

/// The URL of the shared NATS server. Tests that share it use streams and subjects of their own.
///
/// # Panics
/// When a server is needed and cannot be started.
#[must_use]
pub fn nats() -> String {
    named(NATS_VARIABLE).unwrap_or_else(|| NATS.get_or_init(Nats::start).url())
}

/// A new empty database on the shared PostgreSQL.
///
/// # Panics
/// When it cannot be made.
#[must_use]
pub fn database() -> Database {
    Database::create(&postgres())
}

fn named(variable: &str) -> Option<String> {
    std::env::var_os(variable).and_then(|url| url.into_string().ok()).filter(|url| !url.is_empty())
}
