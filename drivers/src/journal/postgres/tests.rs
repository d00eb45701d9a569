//! The conformance suite on a real server, and what only this driver has to show.

mod cluster;
mod plans;
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

#[tokio::test]
async fn views_answer() {
    use domain::{Change, EntityWrite, Expect, Kind, Owner};
    let server = Server::new();
    let journal = server.open(60_000).await;
    let trade = |kind, body: &str| EntityWrite {
        kind,
        id: "x".to_owned(),
        expect: Expect::Absent,
        status: "new",
        owner: Owner::parse("acme").unwrap(),
        party: Owner::parse("bob"),
        parent: Some("d".to_owned()),
        body: body.to_owned(),
        event: None,
    };
    let entities = vec![
        trade(
            Kind::Deal,
            r#"{"currency":"GBP","items":[1,2],"totalPrice":7,"reservation":{"buyer":"bob","amount":5}}"#,
        ),
        trade(Kind::Bid, r#"{"currency":"GBP","amount":6}"#),
        trade(Kind::Invoice, r#"{"currency":"GBP","number":3,"total":5}"#),
    ];
    journal.apply(Change { at: Timestamp(1), entities, ..Change::default() }).await.unwrap();
    for (sql, expected) in [
        ("select seller, items, total_price + 1, buyer, agreed_price + 1 from deals", "acme|2|8|bob|6"),
        ("select buyer, seller, deal_id, amount + 1, currency from bids", "acme|bob|d|7|GBP"),
        ("select seller, buyer, deal_id, number + 1, total + 1 from invoices", "acme|bob|d|4|6"),
    ] {
        assert_eq!(server.database.run(sql), expected);
    }
}
