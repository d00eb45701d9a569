//! Schemas of other releases: brought up to date only where that is allowed, and never silently.

use super::*;
use crate::journal::{Migrated, migrate};

/// A journal as the first release made it, with one event.
fn of_the_first_release(files: &Files) -> String {
    std::fs::create_dir_all(files.path().parent().unwrap()).unwrap();
    let conn = Connection::open(files.path()).unwrap();
    conn.execute_batch(file::MIGRATIONS[0]).unwrap();
    conn.execute_batch(
        "pragma journal_mode = wal; pragma application_id = 1415006769; pragma user_version = 1;
         insert into journal_head values (1, 1, 77, 0, 0);
         insert into entity values (5, 'swap', 'a', 1, 'pending', 'alice', '{}', 5, 5);
         insert into event values (1, 'swap', 'a', 1, 'swap.pending', 'alice', '{}', 5);",
    )
    .unwrap();
    format!("sqlite:{}", files.path().display())
}

fn why<T>(result: Result<T, Fault>) -> String {
    match result {
        Err(Fault::Unavailable(why)) => why,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was opened"),
    }
}

#[tokio::test]
async fn an_older_schema_is_left_alone_unless_allowed() {
    let files = Files::new();
    let url = of_the_first_release(&files);
    let told = || Options { migrate: false, ..files.options(60_000) };
    for refused in [crate::journal::open(&url, told()).await, crate::journal::open_read_only(&url).await] {
        let why = why(refused);
        assert!(why.contains("schema version is 1") && why.contains("`tradewind migrate"), "{why}");
    }
    // A copy is made before an upgrade.
    let copy = files.folder.path().join("copy.db");
    crate::journal::backup(&files.path(), &copy).unwrap();
    assert_eq!(migrate(&url, false).await, Ok(Migrated { from: 1, to: file::MIGRATIONS.len(), epoch: 77 }));
    assert_eq!(
        migrate(&url, false).await,
        Ok(Migrated { from: file::MIGRATIONS.len(), to: file::MIGRATIONS.len(), epoch: 77 })
    );
    let journal = crate::journal::open(&url, told()).await.unwrap();
    assert_eq!((journal.head().await.unwrap().seq, journal.head().await.unwrap().floor), (1, 0));
    let copy = crate::journal::open(&format!("sqlite:{}", copy.display()), files.options(60_000)).await.unwrap();
    assert_eq!(copy.events(0, None, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_older_schema_is_brought_up_to_date_by_default() {
    let files = Files::new();
    let url = of_the_first_release(&files);
    let journal = crate::journal::open(&url, files.options(60_000)).await.unwrap();
    assert_eq!(journal.apply(create("b")).await.unwrap().seq, 2);
    let number = async |id| journal.entity(Kind::Swap, id).await.unwrap().unwrap().created_seq;
    assert_eq!((number("a").await, number("b").await), (5, 6));
    assert_eq!(journal.forget(Timestamp(i64::MAX), 10).await, Ok(1));
}

#[tokio::test]
async fn a_migration_makes_what_is_not_there_and_a_new_history_when_told() {
    let files = Files::new();
    let url = format!("sqlite:{}", files.path().display());
    let told = || Options { migrate: false, ..files.options(60_000) };
    assert!(why(crate::journal::open(&url, told()).await).contains("version is 0"));
    assert!(!files.path().exists(), "a refusal makes nothing");
    let made = migrate(&url, false).await.unwrap();
    assert_eq!((made.from, made.to), (0, file::MIGRATIONS.len()));
    let renewed = migrate(&url, true).await.unwrap();
    assert_ne!(renewed.epoch, made.epoch);
    let journal = crate::journal::open(&url, told()).await.unwrap();
    assert_eq!(journal.head().await.unwrap().epoch, renewed.epoch);
    assert!(why(migrate(&url, true).await).contains("another process"));
    journal.close().await;
    Connection::open(files.path()).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert!(why(migrate(&url, false).await).contains("schema version is 99"));
}
