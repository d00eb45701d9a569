//! The conformance suite on a real server, and what only this driver has to show.

mod cluster;
mod proxy;
mod tls;

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use domain::Timestamp;

use crate::journal::conformance::{self, Harness, journal_cases};
use crate::journal::{Journal, Options};
use crate::wake::{self, Wake};

struct Server {
    database: testbed::Database,
    wake: Arc<dyn Wake>,
    started: Instant,
}

impl Server {
    fn new() -> Self {
        Self { database: testbed::database(), wake: wake::local(), started: Instant::now() }
    }

    fn options(&self, lease_millis: u64) -> Options {
        Options { wake: Arc::clone(&self.wake), lease_millis, migrate: true }
    }

    /// Waits until the server has noticed that the sessions of a process are gone, as it does before a machine starts
    /// another one.
    async fn left_alone(&self) {
        let (client, connection) = tokio_postgres::connect(&self.database.url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        let sql = "select count(*) from pg_stat_activity where datname = current_database() and application_name = 'tradewind'";
        let deadline = Instant::now() + Duration::from_secs(20);
        while client.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) > 0 {
            assert!(Instant::now() < deadline, "sessions stay");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[async_trait]
impl Harness for Server {
    async fn open(&self, lease_millis: u64) -> Arc<dyn Journal> {
        self.left_alone().await;
        crate::journal::open(&self.database.url, self.options(lease_millis)).await.unwrap()
    }

    fn wake(&self) -> Arc<dyn Wake> {
        Arc::clone(&self.wake)
    }

    fn now(&self) -> Timestamp {
        Timestamp(1_700_000_000_000_000 + i64::try_from(self.started.elapsed().as_micros()).unwrap())
    }
}

macro_rules! tests {
    ($($module:ident :: $name:ident),* $(,)?) => {
        mod suite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::conformance::run(stringify!($name), &super::Server::new()).await;
            })*
        }
    };
}
journal_cases!(tests);
