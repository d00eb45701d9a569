//! The bench measures what it says, on either journal, and leaves nothing behind. What it measured is not judged here.

use serde_json::Value;
use tempfile::TempDir;

use crate::server::{command, err, out};

/// The report's first row, after a run with `arguments` that left its folder empty.
fn measured(arguments: &[&str], journal: Option<&str>) -> Value {
    let row = rows(arguments, journal).swap_remove(0);
    assert!(row["value"].as_f64().expect("a number") > 0.0, "{row}");
    row
}

/// All its rows.
fn rows(arguments: &[&str], journal: Option<&str>) -> Vec<Value> {
    let folder = TempDir::new().expect("a folder");
    let on = journal.map_or_else(Vec::new, |url| vec!["--journal", url]);
    let all = [&["bench", "--json", "--dir", "."], arguments, &on].concat();
    let output = command(folder.path()).args(all).output().expect("the binary starts");
    // Whether so little reaches the bar is not asked here: 0 and 3 are both an answer.
    let code = output.status.code().expect("an exit code");
    assert!([0, 3].contains(&code), "{}", err(&output));
    let left = std::fs::read_dir(folder.path()).expect("the folder").count();
    assert_eq!(left, 0, "temporary journals are deleted");
    let report: Value = serde_json::from_str(&out(&output)).expect("JSON");
    assert_eq!(report["journal"], if journal.is_some() { "PostgreSQL" } else { "SQLite" });
    let rows = report["rows"].as_array().expect("rows").clone();
    assert!(rows.iter().all(|row| row["spoilt"].is_null()) && report["met"] == (code == 0), "{report}");
    rows
}

#[test]
fn accepted_orders_are_executed() {
    let arguments = ["execute", "--orders", "200", "--connections", "4"];
    let database = testbed::database();
    for (journal, bar) in [(None, 8_000.0), (Some(database.url.as_str()), 3_000.0)] {
        let row = measured(&arguments, journal);
        assert_eq!((&row["what"], &row["bar"]), (&"200 accepted orders executed".into(), &bar.into()));
    }
    // Its databases were others.
    let folder = TempDir::new().expect("a folder");
    let check = command(folder.path()).args(["check", "--journal", &database.url]).output().expect("the binary starts");
    assert!(err(&check).contains("there is no journal in it"), "{}", err(&check));
}

#[test]
fn one_entity_is_changed_by_many_clients() {
    let database = testbed::database();
    for (journal, nodes) in [(None, "one node"), (Some(database.url.as_str()), "two nodes")] {
        let row = measured(&["hot", "--seconds", "1"], journal);
        assert_eq!(row["what"], format!("changes of one entity, 64 clients on {nodes}, through the journal port"));
    }
}

#[test]
fn jobs_are_claimed_from_a_backlog() {
    let database = testbed::database();
    for journal in [None, Some(database.url.as_str())] {
        let row = measured(&["backlog", "--jobs", "10000", "--seconds", "1"], journal);
        assert_eq!(row["what"], "jobs claimed with 10000 waiting ÷ with 1000 (yardstick), 100 at once");
        assert!(row["ratio"].as_f64().expect("a ratio") > 0.0, "{row}");
    }
}

#[test]
fn no_read_from_the_cache_is_stale() {
    let rows = rows(&["cache", "--seconds", "1", "--connections", "4", "--reads", "400000"], None);
    let read = |row: &Value| row["value"].as_f64().expect("a number");
    assert!(read(&rows[0]) > 0.0 && read(&rows[1]) > 0.0, "{rows:?}");
    assert_eq!((rows.len(), &rows[2]["value"], &rows[2]["met"]), (3, &0.0.into(), &true.into()), "{}", rows[2]);
}

#[test]
fn quotes_are_asked_for() {
    let row = measured(&["quotes", "--seconds", "1", "--connections", "4"], None);
    assert_eq!(
        (&row["unit"], &row["bar"], &row["sense"]),
        (&"quotes/s".into(), &5_000.0.into(), &"valueAtLeast".into())
    );
    assert!(row["yardstick"].as_f64().expect("a yardstick") > 0.0, "{row}");
}

#[test]
fn webhooks_are_delivered_and_deals_listed() {
    let arguments = ["webhooks", "--orders", "200", "--deals", "1000", "--seconds", "1"];
    let database = testbed::database();
    for (journal, bar) in [(None, 3_000.0), (Some(database.url.as_str()), 1_500.0)] {
        let row = measured(&arguments, journal);
        assert_eq!(
            (&row["what"], &row["bar"]),
            (&"200 webhooks delivered to one keep-alive endpoint".into(), &bar.into())
        );
    }
}

#[test]
fn venues_are_measured_over_http() {
    let rows = rows(&["venues", "--orders", "100"], None);
    let bars: Vec<_> = rows.iter().map(|row| row["bar"].as_f64().expect("a bar")).collect();
    assert_eq!(bars, [200.0, 200.0, 820.0, 150.0]);
    assert!(rows[3]["value"].as_f64().expect("a number") > 0.0, "{rows:?}");
}
