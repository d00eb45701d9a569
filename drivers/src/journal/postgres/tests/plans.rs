//! Statements that may meet a long queue find their rows by one index, also when they were planned while it was empty: a session
//! keeps its plans.

use tokio_postgres::{Client, NoTls};

use super::Server;
use crate::journal::conformance::Harness;
use crate::journal::postgres::{PARAMETERS, look, messages, write};

async fn session(server: &Server) -> Client {
    let mut config: tokio_postgres::Config = server.database.url.parse().unwrap();
    let (client, connection) = config.options(PARAMETERS).connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// What a session makes of a statement, for whatever values.
async fn plan(client: &Client, sql: &str, values: &str) -> String {
    client.batch_execute("deallocate all").await.unwrap();
    client.batch_execute(&format!("prepare one as {sql}")).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    let explain = format!("explain (costs off) execute one({values})");
    let lines = client.simple_query(&explain).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    let mut plan = String::new();
    for line in lines {
        if let tokio_postgres::SimpleQueryMessage::Row(row) = line {
            plan.push_str(row.get(0).unwrap());
            plan.push('\n');
        }
    }
    plan
}

#[tokio::test]
async fn statements_on_long_queues_go_by_their_indexes() {
    let server = Server::new();
    server.open(600_000).await.close().await;
    let client = session(&server).await;
    let jobs = "select id from job where queue || '' = $1 and id + 0 > $2::bigint order by id + 0 limit $3::bigint";
    let checks: [(&str, &str, &[&str]); 12] = [
        (messages::RECEIVE, "'q', 5, 10, 6, null, false", &["job_by_due", "job_behind", "job_pkey"]),
        (messages::CALLED, "'q', 'c', 5", &["job_by_call"]),
        (messages::HIDE_ANEW, "'q', 'c', 5, 6", &["job_by_call", "job_pkey"]),
        (messages::COUNT, "'q', 5", &["job_by_due", "job_behind", "job_received"]),
        (messages::HIDDEN, "'q', 5, 10", &["job_received"]),
        (jobs, "'q', 5, 10", &["job_by_queue"]),
        (messages::DROP, "'q', 10", &["job_by_queue", "job_pkey"]),
        (messages::LEVELS, "'{a,b}'", &["level_pkey"]),
        (write::PROMOTE, "'{q}', '{g}'", &["dead_job_parked", "job_head", "job_behind", "job_pkey"]),
        (look::FIND_MESSAGES, "'{1,2}'", &["job_pkey"]),
        (look::FIND_LEVELS, "'{a,b}'", &["level_pkey"]),
        (look::FIND_JOBS, "'{1,2}'", &["job_pkey"]),
    ];
    for (sql, values, expected) in checks {
        let plan = plan(&client, sql, values).await;
        let mut used: Vec<&str> =
            plan.split("using ").skip(1).filter_map(|rest| rest.split_whitespace().next()).collect();
        used.sort_unstable();
        used.dedup();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(used, expected, "{sql}\n{plan}");
        assert!(!plan.contains("Seq Scan"), "{sql}\n{plan}");
    }
    // Heads are locked one by one: no sort reads all of them first. Counting reads no rows.
    let receive = plan(&client, messages::RECEIVE, "'q', 5, 10, 6, null, false").await;
    assert!(!receive.contains("Sort"), "{receive}");
    let count = plan(&client, messages::COUNT, "'q', 5").await;
    assert_eq!(count.matches("Index Only Scan").count(), count.matches("Scan").count(), "{count}");
}
