//! Servers that cannot be used: each is one line that says what to do, without a password, and exit code 2.

use tempfile::TempDir;
use testbed::Database;

use crate::server::{command, err, out};

/// Runs the binary against a server that is not to be used.
fn refused(arguments: &[&str], says: &str) {
    let folder = TempDir::new().expect("a folder");
    let secret = "00".repeat(32);
    let output = command(folder.path())
        .env("TRADEWIND_SECRET", secret)
        .env("TRADEWIND_LISTEN", "127.0.0.1:0")
        .env("TRADEWIND_LOG", "off")
        .args(arguments)
        .output()
        .expect("the binary starts");
    let text = err(&output);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
    assert_eq!((text.trim_end().lines().count(), out(&output).as_str()), (1, ""), "{arguments:?}: {text}");
    assert!(text.starts_with("tradewind: ") && text.contains(says), "{arguments:?}: {text:?} does not say {says:?}");
    assert!(!text.contains("hunter2"), "{arguments:?}: {text:?} tells a password");
}

/// The database's URL for another user with a password, at another place.
fn url(database: &Database, user: &str, name: &str) -> String {
    let (base, _) = database.url.rsplit_once('/').expect("a path");
    let host = base.rsplit_once(['@', '/']).expect("a host").1;
    format!("postgres://{user}@{host}/{name}")
}

#[test]
fn a_postgres_that_cannot_be_used_is_refused() {
    let database = testbed::Postgres::start();
    let fresh = || database.database();
    let (one, read_only, careless, strange, newer) = (fresh(), fresh(), fresh(), fresh(), fresh());
    one.run("create role guarded login password 'right'");
    read_only.run(&format!("alter database {} set default_transaction_read_only = on", read_only.name()));
    careless.run(&format!("alter database {} set synchronous_commit = off", careless.name()));
    strange.run("create table entity (theirs int)");
    newer.run("create table journal_schema (version integer primary key); insert into journal_schema values (99)");
    let guarded = url(&one, "guarded:hunter2", one.name());
    let nowhere = url(&one, "postgres:hunter2", "nowhere");
    for (journal, says) in [
        ("postgres://me:hunter2@127.0.0.1:1/x", "start the server or correct the URL"),
        ("postgres://me:hunter2@127.0.0.1:port/x", "port"),
        ("postgres://me:hunter2@127.0.0.1/x?pool=0", "pool"),
        (&guarded, "correct the name and the password"),
        (&nowhere, "create the database"),
        (&read_only.url, "read-only"),
        (&careless.url, "synchronous_commit"),
        (&strange.url, "name another database"),
        (&newer.url, "schema version is 99"),
    ] {
        refused(&["serve", "--journal", journal], says);
        refused(&["migrate", "--journal", journal], says);
    }
    refused(&["serve", "--no-migrate", "--journal", &one.url], "`tradewind migrate");
    refused(&["check", "--journal", &one.url], "no journal");
    refused(&["check", "--journal", "postgres://me:hunter2@127.0.0.1:1/x"], "start the server");
}

#[test]
fn a_server_for_wake_that_cannot_be_used_is_refused() {
    for (wake, says) in [
        ("redis://:hunter2@127.0.0.1:1", "start the server"),
        ("nats://me:hunter2@127.0.0.1:1", "start the server"),
        ("redis://:hunter2@", "empty host"),
        ("nats://me:hunter2@host?prefex=x", "prefix"),
        ("postgres://me:hunter2@127.0.0.1:1/x", "start the server"),
        ("postgres", "--wake local"),
    ] {
        refused(&["serve", "--wake", wake], says);
    }
}
