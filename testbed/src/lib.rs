//! Private PostgreSQL, Redis and NATS servers for tests, started from the machine's own binaries.
//!
//! [`Postgres::start`], [`Redis::start`] and [`Nats::start`] make a server for one test, which may kill, stop and restart it.
//! [`postgres`], [`redis`], [`nats`] and [`database`] share one server: the one that the test's environment names, or one for
//! the whole process. Everything blocks, and panics with what is missing when a server cannot be started: it is for tests.
//! A server dies with the process that started it, whatever ends that process.

mod files;
mod keeper;
mod nats;
mod postgres;
mod programs;
mod redis;
mod server;
mod standing;

pub use nats::Nats;
pub use postgres::{Database, Postgres};
pub use redis::Redis;
pub use standing::{NATS_VARIABLE, POSTGRES_VARIABLE, REDIS_VARIABLE, database, nats, postgres, redis};
