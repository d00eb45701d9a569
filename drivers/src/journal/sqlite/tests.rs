//! The conformance suite, and what only this driver has to show.

mod schema;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use domain::{Change, EntityWrite, Expect, JobStep, Kind, Owner, Then, Timestamp};
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::command::Command;
use super::list::LOOK_AT;
use super::{Sqlite, file, open_file, open_read_only};
use crate::Fault;
use crate::journal::conformance::{self, Harness, journal_cases};
use crate::journal::{Among, Claim, Journal, List, Options};
use crate::wake::{self, Wake};

struct Files {
    folder: TempDir,
    wake: Arc<dyn Wake>,
    started: Instant,
}

impl Files {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap(), wake: wake::local(), started: Instant::now() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("made/journal.db")
    }

    fn options(&self, lease_millis: u64) -> Options {
        Options { wake: Arc::clone(&self.wake), lease_millis, migrate: true }
    }

    async fn open(&self) -> Result<Sqlite, Fault> {
        open_file(self.path().to_str().unwrap(), self.options(60_000)).await
    }
}

#[async_trait]
impl Harness for Files {
    async fn open(&self, lease_millis: u64) -> Arc<dyn Journal> {
        let url = format!("sqlite:{}", self.path().display());
        crate::journal::open(&url, self.options(lease_millis)).await.unwrap()
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
                super::conformance::run(stringify!($name), &super::Files::new()).await;
            })*
        }
    };
}
journal_cases!(tests);

impl Sqlite {
    async fn pragma(&self, text: &str) {
        self.write(|reply| Command::Pragma(text.to_owned(), reply)).await.unwrap();
    }
}

fn create(id: &str) -> Change {
    use domain::{EventDraft, NewJob};
    let event = Some(EventDraft { type_: "swap.pending", body: r#"{"status":"pending"}"#.to_owned() });
    let job = NewJob {
        queue: "work".into(),
        group: None,
        lane: None,
        run_at: Timestamp(1),
        body: id.to_owned(),
        dedup: None,
    };
    let write = EntityWrite {
        kind: Kind::Swap,
        id: id.to_owned(),
        expect: Expect::Absent,
        status: "pending",
        owner: Owner::parse("alice").unwrap(),
        party: None,
        parent: None,
        body: format!(
            r#"{{"side":"sell","inputDecimals":9,"ask":{{"input":"SOL","amount":"5"}},"filler":"{}"}}"#,
            "x".repeat(500)
        ),
        event,
    };
    Change { at: Timestamp(1), entities: vec![write], jobs: vec![job], ..Change::default() }
}

/// Every swap, oldest first.
fn all() -> List {
    List {
        kind: Kind::Swap,
        among: Vec::new(),
        statuses: Vec::new(),
        fields: Vec::new(),
        ranges: Vec::new(),
        after: None,
        newest_first: false,
        limit: 100,
    }
}

fn is_unavailable<T>(result: &Result<T, Fault>) -> bool {
    matches!(result, Err(Fault::Unavailable(_)))
}

async fn claim(journal: &Sqlite) -> Result<usize, Fault> {
    let claim =
        crate::journal::Claim { queue: "work", limit: 1_000, per_lane: 1, narrow: Vec::new(), now: Timestamp(1) };
    journal.claim(claim).await.map(|claimed| claimed.len())
}

#[tokio::test]
async fn second_opening_of_one_file_is_refused() {
    let files = Files::new();
    let first = files.open().await.unwrap();
    let Err(Fault::Unavailable(why)) = files.open().await else { panic!("two writers") };
    assert!(why.contains("journal.db.lock") && why.contains("another process"), "{why}");
    let link = files.folder.path().join("link.db");
    std::os::unix::fs::symlink(files.path(), &link).unwrap();
    assert!(is_unavailable(&open_file(link.to_str().unwrap(), files.options(1)).await.map(drop)));
    first.close().await;
    files.open().await.unwrap().ping().await.unwrap();
}

#[tokio::test]
async fn unknown_schemas_are_refused() {
    let files = Files::new();
    drop(files.open().await.unwrap());
    Connection::open(files.path()).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let Err(Fault::Unavailable(why)) = files.open().await.map(drop) else { panic!("opened a newer schema") };
    assert!(why.contains("schema version is 99"), "{why}");
    assert!(is_unavailable(&open_read_only(files.path().to_str().unwrap()).await.map(drop)));

    let stranger = Files::new();
    std::fs::create_dir_all(stranger.path().parent().unwrap()).unwrap();
    Connection::open(stranger.path()).unwrap().execute_batch("create table theirs (x)").unwrap();
    assert!(is_unavailable(&stranger.open().await.map(drop)));

    let text = Files::new();
    std::fs::create_dir_all(text.path().parent().unwrap()).unwrap();
    std::fs::write(text.path(), "no database at all, but long enough to be looked at".repeat(50)).unwrap();
    assert!(is_unavailable(&text.open().await.map(drop)));
}

#[tokio::test]
async fn files_are_private_and_folders_are_made() {
    let files = Files::new();
    let journal = files.open().await.unwrap();
    journal.ping().await.unwrap();
    for end in ["", "-wal", ".lock"] {
        let name = format!("{}{end}", files.path().display());
        assert_eq!(std::fs::metadata(&name).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
    }
    let nowhere = open_file("/proc/no/such/place/journal.db", files.options(1)).await.map(drop);
    assert!(is_unavailable(&nowhere), "{nowhere:?}");
    assert!(is_unavailable(&open_file("", files.options(1)).await.map(drop)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn full_disk_loses_no_answer_and_passes() {
    let files = Files::new();
    let journal = Arc::new(files.open().await.unwrap());
    journal.apply(create("first")).await.unwrap();
    assert_eq!(claim(&journal).await, Ok(1));
    journal.pragma("pragma max_page_count = 60").await;
    let mut writers = JoinSet::new();
    for n in 0..500 {
        let journal = Arc::clone(&journal);
        writers.spawn(async move { (n, journal.apply(create(&format!("n{n}"))).await) });
    }
    let answers = writers.join_all().await;
    let refused = answers.iter().filter(|(_, answer)| answer.is_err()).count();
    assert!(refused > 0);
    assert!(answers.iter().all(|(_, answer)| answer.is_ok() || is_unavailable(answer)), "{answers:?}");
    let written = u64::try_from(500 - refused).unwrap() + 1;
    assert_eq!(journal.head().await.unwrap().seq, written);
    for (n, answer) in &answers {
        let found = journal.entity(domain::Kind::Swap, &format!("n{n}")).await.unwrap();
        assert_eq!(found.is_some(), answer.is_ok());
    }
    journal.pragma("pragma max_page_count = 1000000").await;
    assert_eq!(journal.apply(create("later")).await.unwrap().seq, written + 1);
    // Handed out are the jobs that exist, and not the one whose lease was out all the time.
    let mut handed_out = 0;
    while let count @ 1.. = claim(&journal).await.unwrap() {
        handed_out += count;
    }
    assert_eq!(u64::try_from(handed_out).unwrap(), written);
}

#[tokio::test]
async fn read_only_file_refuses_writes_and_keeps_leases() {
    let files = Files::new();
    let journal = files.open().await.unwrap();
    journal.apply(create("a")).await.unwrap();
    journal.apply(create("b")).await.unwrap();
    let one = crate::journal::Claim { queue: "work", limit: 1, per_lane: 1, narrow: Vec::new(), now: Timestamp(1) };
    let lease = journal.claim(one).await.unwrap()[0].lease;
    journal.pragma("pragma query_only = on").await;
    let finish = || Change { step: Some(domain::JobStep { lease, then: domain::Then::Finish }), ..Change::default() };
    assert!(is_unavailable(&journal.apply(create("c")).await));
    assert!(is_unavailable(&journal.apply(finish()).await));
    assert!(is_unavailable(&claim(&journal).await));
    assert!(is_unavailable(&journal.ping().await));
    assert!(journal.entity(domain::Kind::Swap, "a").await.unwrap().is_some());
    journal.pragma("pragma query_only = off").await;
    journal.apply(finish()).await.unwrap();
    assert_eq!(claim(&journal).await, Ok(1));
    assert_eq!(journal.apply(create("c")).await.unwrap().seq, 3);
}

#[tokio::test]
async fn change_that_the_store_refuses_fails_alone() {
    let files = Files::new();
    let journal = Arc::new(files.open().await.unwrap());
    journal
        .pragma(
            "create trigger refuse before insert on entity when new.id = 'bad' begin select raise(abort, 'no'); end",
        )
        .await;
    let mut writers = JoinSet::new();
    for n in 0..100 {
        let journal = Arc::clone(&journal);
        let id = if n % 10 == 0 { "bad".to_owned() } else { format!("n{n}") };
        writers.spawn(async move { (n, journal.apply(create(&id)).await) });
    }
    for (n, answer) in writers.join_all().await {
        assert_eq!(matches!(answer, Err(Fault::Broken(_))), n % 10 == 0, "{n}: {answer:?}");
    }
    assert_eq!(journal.head().await.unwrap().seq, 90);
}

#[tokio::test]
async fn backup_is_a_history_of_its_own() {
    let files = Files::new();
    let journal = files.open().await.unwrap();
    for n in 0..20 {
        journal.apply(create(&format!("n{n}"))).await.unwrap();
    }
    let to = files.folder.path().join("copy.db");
    crate::journal::backup(&files.path(), &to).unwrap();
    journal.apply(create("after")).await.unwrap();
    assert!(is_unavailable(&crate::journal::backup(&files.path(), &to)));
    assert!(is_unavailable(&crate::journal::backup(&files.folder.path().join("none"), &to.with_extension("b"))));
    assert_eq!(std::fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o600);
    let names = std::fs::read_dir(files.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(names.into_iter().all(|name| !name.to_string_lossy().contains("partial")));
    let copy = open_file(to.to_str().unwrap(), files.options(60_000)).await.unwrap();
    let (ours, theirs) = (journal.head().await.unwrap(), copy.head().await.unwrap());
    assert_eq!((ours.seq, theirs.seq), (21, 20));
    assert_ne!(ours.epoch, theirs.epoch);
    assert_eq!(claim(&copy).await, Ok(20));
    assert_eq!(copy.apply(create("n20")).await.unwrap().seq, 21);
}

#[tokio::test]
async fn stopped_and_running_journals_can_be_looked_at() {
    let files = Files::new();
    let path = files.path();
    let path = path.to_str().unwrap();
    assert!(is_unavailable(&open_read_only(path).await.map(drop)));
    let journal = files.open().await.unwrap();
    journal.apply(create("a")).await.unwrap();
    for running in [true, false] {
        if !running {
            journal.close().await;
        }
        let look = open_read_only(path).await.unwrap();
        assert_eq!(look.head().await.unwrap().seq, 1);
        assert_eq!(look.depth("work", Timestamp(1)).await.unwrap().ready, 1);
        assert!(is_unavailable(&look.apply(create("b")).await));
        look.close().await;
        assert!(is_unavailable(&look.events(0, None, 1).await));
    }
}

#[tokio::test]
async fn two_backups_to_one_name_leave_one_whole_file() {
    let files = Files::new();
    let journal = files.open().await.unwrap();
    for n in 0..200 {
        journal.apply(create(&format!("n{n}"))).await.unwrap();
    }
    let to = files.folder.path().join("copy.db");
    let mut racing = JoinSet::new();
    for _ in 0..4 {
        let (from, to) = (files.path(), to.clone());
        racing.spawn_blocking(move || crate::journal::backup(&from, &to).is_ok());
    }
    assert_eq!(racing.join_all().await.into_iter().filter(|done| *done).count(), 1);
    assert_eq!(open_read_only(to.to_str().unwrap()).await.unwrap().head().await.unwrap().seq, 200);
}

#[tokio::test]
async fn a_look_sees_one_moment_while_others_write() {
    let files = Files::new();
    let journal = files.open().await.unwrap();
    journal.apply(create("a")).await.unwrap();
    let look = open_read_only(files.path().to_str().unwrap()).await.unwrap();
    for n in 0..50 {
        journal.apply(create(&format!("n{n}"))).await.unwrap();
        assert_eq!(look.head().await.unwrap().seq, 1);
        assert_eq!(look.events(0, None, 100).await.unwrap().len(), 1);
        assert_eq!(look.entities(all()).await.unwrap().entities.len(), 1);
        assert_eq!(look.jobs("work", 0, 100).await.unwrap().len(), 1);
    }
    let later = open_read_only(files.path().to_str().unwrap()).await.unwrap();
    assert_eq!(later.head().await.unwrap().seq, 51);
}

#[tokio::test]
async fn a_page_looks_at_a_bounded_number_of_entities() {
    let files = Files::new();
    let journal = files.open().await.unwrap();
    let write = |n: usize, owner: &str, colour: &str| EntityWrite {
        kind: Kind::Swap,
        id: format!("n{n}"),
        expect: Expect::Absent,
        status: "done",
        owner: Owner::parse(owner).unwrap(),
        party: None,
        parent: None,
        body: format!(r#"{{"colour":"{colour}"}}"#),
        event: None,
    };
    let rest = (1..=LOOK_AT + 1).map(|n| write(n, "alice", "blue"));
    let entities = [write(0, "alice", "red"), write(LOOK_AT + 2, "bob", "red")].into_iter().chain(rest).collect();
    journal.apply(Change { at: Timestamp(1), entities, ..Change::default() }).await.unwrap();
    let newest = || List { newest_first: true, ..all() };
    let alice = List {
        among: vec![Among::Owner(Owner::parse("alice").unwrap())],
        fields: vec![("colour", "red".to_owned())],
        ..newest()
    };
    // What the filters pass over fills a page of its own, which leads on.
    for statuses in [vec![], vec!["done".to_owned()]] {
        let first = journal.entities(List { statuses, ..alice.clone() }).await.unwrap();
        assert!(first.entities.is_empty());
        let second = journal.entities(List { after: first.next, ..alice.clone() }).await.unwrap();
        assert_eq!(second.entities.iter().map(|entity| entity.id.as_str()).collect::<Vec<_>>(), ["n0"]);
        assert_eq!((first.next.is_some(), second.next), (true, None));
    }
    // Many others in the same state do not stand before the owner's own.
    for (owner, newest_first) in [("bob", true), ("bob", false)] {
        let (owner, statuses) = (Owner::parse(owner), vec!["done".to_owned()]);
        let page = journal
            .entities(List { among: owner.map(Among::Owner).into_iter().collect(), statuses, newest_first, ..newest() })
            .await
            .unwrap();
        assert_eq!((page.entities.len(), page.next), (1, None));
    }
}

#[tokio::test]
async fn views_answer() {
    let files = Files::new();
    let journal = files.open().await.unwrap();
    journal.apply(create("a")).await.unwrap();
    let conn = file::open_reader(&files.path()).unwrap();
    let order: (String, String, String, i64, String) = conn
        .query_row("select id, account, side, input_decimals, amount_units from orders", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
        })
        .unwrap();
    assert_eq!(order, ("a".into(), "alice".into(), "sell".into(), 9, "5".into()));
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
        (
            "select seller || items || total_price || buyer || agreed_price || typeof(total_price) from deals",
            "acme27bob5integer",
        ),
        ("select buyer || seller || deal_id || amount || typeof(amount) from bids", "acmebobd6integer"),
        ("select seller || buyer || deal_id || number || total || typeof(total) from invoices", "acmebobd35integer"),
    ] {
        assert_eq!(conn.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap(), expected);
    }
    let status: (String, String, i64) = conn
        .query_row("select order_id, status, seq from order_statuses", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .unwrap();
    assert_eq!(status, ("a".into(), "pending".into(), 1));
}

#[tokio::test]
async fn a_quiet_log_is_emptied() {
    let files = Files::new();
    let journal = files.open().await.unwrap();
    journal.apply(create("a")).await.unwrap();
    let log = files.path().with_extension("db-wal");
    let begun = Instant::now();
    while std::fs::metadata(&log).unwrap().len() > 0 {
        assert!(begun.elapsed() < Duration::from_secs(30), "the log stays as it is");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(journal.entity(Kind::Swap, "a").await.unwrap().is_some());
}

#[tokio::test]
async fn workers_get_on_among_a_crowd() {
    let files = Files::new();
    let journal = Arc::new(files.open().await.unwrap());
    let enough = Arc::new(AtomicBool::new(false));
    let mut callers = JoinSet::new();
    for caller in 0..64 {
        let (journal, enough) = (Arc::clone(&journal), Arc::clone(&enough));
        callers.spawn(async move {
            let mut number = 0;
            while !enough.load(Ordering::Acquire) {
                journal.apply(create(&format!("{caller}-{number}"))).await.unwrap();
                number += 1;
            }
        });
    }
    // The crowd does not go away before workers have got on.
    let mut done = 0;
    while done < 100 {
        let claim = Claim { queue: "work", limit: 50, per_lane: usize::MAX, narrow: Vec::new(), now: Timestamp(2) };
        let mut steps = JoinSet::new();
        for claimed in journal.claim(claim).await.unwrap() {
            let step = Some(JobStep { lease: claimed.lease, then: Then::Finish });
            let (journal, change) = (Arc::clone(&journal), Change { at: Timestamp(2), step, ..Change::default() });
            steps.spawn(async move { journal.apply(change).await.unwrap() });
        }
        done += steps.join_all().await.len();
    }
    enough.store(true, Ordering::Release);
    callers.join_all().await;
    assert_eq!(journal.gauges.callers.load(Ordering::Relaxed), 0, "everyone who was counted is counted off");
}
