//! The database file: its lock, its settings, its schema.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, Error, OpenFlags};
use uuid::Uuid;

use crate::Fault;
use crate::journal::Migrated;

/// The migrations, oldest first; their count is the schema's version.
pub(super) const MIGRATIONS: [&str; 4] = [
    include_str!("../../../migrations/sqlite/0001_journal.sql"),
    include_str!("../../../migrations/sqlite/0002_retention.sql"),
    include_str!("../../../migrations/sqlite/0003_parties.sql"),
    include_str!("../../../migrations/sqlite/0004_queues.sql"),
];
/// Marks the file as ours: `TWJ1`.
const APPLICATION: i32 = 0x5457_4a31;
/// How long a statement waits for another connection, such as one that recovers the log.
const PATIENCE: Duration = Duration::from_secs(5);
/// Statements kept prepared per connection; the driver has fewer.
const STATEMENTS: usize = 128;
const WRITER_CACHE_KIB: i64 = 32 * 1_024;
const READER_CACHE_KIB: i64 = 4 * 1_024;
/// Four orders at the end of their life fit a page, with less splitting as they grow than in 4 KiB.
const PAGE_BYTES: i64 = 8_192;
/// At so many pages (128 MiB) the writer's own commits begin to move what is left of the log.
const CHECKPOINT_PAGES: i64 = 16_000;

/// Opens the file for the one process that writes it. Brings its schema up to date if that is allowed, and refuses an older
/// one otherwise.
pub(super) fn open_writer(path: &Path, may_migrate: bool) -> Result<(Connection, File), Fault> {
    if !may_migrate && !path.exists() {
        return Err(behind(path, 0));
    }
    let lock = lock(path)?;
    let conn = open(path).map_err(|error| unusable(path, &error))?;
    match version(&conn).map_err(|error| unusable(path, &error))? {
        old if old < MIGRATIONS.len() && !may_migrate => return Err(behind(path, old)),
        old => run_migrations(&conn, path, old)?,
    }
    Ok((conn, lock))
}

/// Brings the schema up to date and closes the file again; starts a new history if told to.
pub(super) fn migrate(path: &Path, new_epoch: bool) -> Result<Migrated, Fault> {
    let refuse = |error: Error| unusable(path, &error);
    let _lock = lock(path)?;
    let conn = open(path).map_err(refuse)?;
    let from = version(&conn).map_err(refuse)?;
    run_migrations(&conn, path, from)?;
    if new_epoch {
        renew_epoch(&conn).map_err(refuse)?;
    }
    let epoch = epoch(&conn).map_err(refuse)?;
    conn.close().map_err(|(_, error)| refuse(error))?;
    Ok(Migrated { from, to: MIGRATIONS.len(), epoch })
}

/// Opens the file for reading only; it must exist and have the schema of this program.
pub(super) fn open_reader(path: &Path) -> Result<Connection, Fault> {
    let (conn, version) = open_any(path)?;
    if version < MIGRATIONS.len() { Err(behind(path, version)) } else { Ok(conn) }
}

/// Opens a file of this program or of an older release for reading only; with its schema's version.
pub(super) fn open_any(path: &Path) -> Result<(Connection, usize), Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(|error| unusable(path, &error))?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    settle_reader(&conn).map_err(|error| unusable(path, &error))?;
    match version(&conn).map_err(|error| unusable(path, &error))? {
        new if new > MIGRATIONS.len() => Err(unknown_version(path, new)),
        version => Ok((conn, version)),
    }
}

/// Opens the file that this process writes once more, to move its log into the database.
pub(super) fn open_checkpointer(path: &Path) -> Result<Connection, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || {
        let conn = Connection::open_with_flags(path, flags)?;
        conn.busy_timeout(Duration::ZERO)?;
        conn.pragma_update(None, "synchronous", "full")?;
        // Tells the connection that the file has a log.
        conn.query_row("select count(*) from journal_head", [], |_| Ok(()))?;
        Ok(conn)
    };
    open().map_err(|error| unusable(path, &error))
}

/// Which history the file holds.
pub(super) fn epoch(conn: &Connection) -> Result<u64, Error> {
    conn.query_row("select epoch from journal_head", [], |row| super::rows::number(row, 0))
}

/// Starts a new history.
pub(super) fn renew_epoch(conn: &Connection) -> Result<(), Error> {
    conn.execute("update journal_head set epoch = ?1", [new_epoch()]).map(drop)
}

/// Moves the log into the database as far as readers and the writer let it; `truncate` also empties it. False when somebody
/// stood in the way.
pub(super) fn checkpoint(conn: &Connection, mode: &str) -> Result<bool, Error> {
    conn.query_row(&format!("pragma wal_checkpoint({mode})"), [], |row| row.get::<_, bool>(0).map(|busy| !busy))
}

/// The file behind symbolic links, so that two names of one file share one lock.
fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// A file beside the database, locked while a process writes the database: the lock goes when the process does.
fn lock(path: &Path) -> Result<File, Fault> {
    let refuse = |what: &Path, error: std::io::Error| {
        Fault::Unavailable(format!("--journal sqlite:{}: cannot write {}: {error}", path.display(), what.display()))
    };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(|error| refuse(folder, error))?;
    }
    let owned =
        |path: &Path| OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o600).open(path);
    drop(owned(path).map_err(|error| refuse(path, error))?);
    let mut name = real(path).into_os_string();
    name.push(".lock");
    let name = PathBuf::from(name);
    let lock = owned(&name).map_err(|error| refuse(&name, error))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(fs::TryLockError::WouldBlock) => Err(Fault::Unavailable(format!(
            "--journal sqlite:{}: another process is using it (it holds {}); stop that process, talk to it with --url, \
             or give this one another file",
            path.display(),
            name.display()
        ))),
        Err(fs::TryLockError::Error(error)) => Err(refuse(&name, error)),
    }
}

fn open(path: &Path) -> Result<Connection, Error> {
    let conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    conn.busy_timeout(PATIENCE)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    conn.pragma_update(None, "page_size", PAGE_BYTES)?;
    let mode: String = conn.query_row("pragma journal_mode = wal", [], |row| row.get(0))?;
    conn.pragma_update(None, "synchronous", "full")?;
    conn.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    conn.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    conn.pragma_update(None, "temp_store", "memory")?;
    conn.pragma_update(None, "mmap_size", 0)?;
    let synchronous: i64 = conn.query_row("pragma synchronous", [], |row| row.get(0))?;
    if mode != "wal" || synchronous != 2 {
        let why = format!("its settings do not hold: journal_mode {mode}, synchronous {synchronous}");
        return Err(Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CANTOPEN), Some(why)));
    }
    Ok(conn)
}

fn settle_reader(conn: &Connection) -> Result<(), Error> {
    conn.busy_timeout(PATIENCE)?;
    conn.pragma_update(None, "query_only", true)?;
    conn.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    conn.pragma_update(None, "temp_store", "memory")
}

/// Runs the migrations that the file has not seen, all in one transaction.
fn run_migrations(conn: &Connection, path: &Path, version: usize) -> Result<(), Fault> {
    let refuse = |error: Error| unusable(path, &error);
    if version > MIGRATIONS.len() {
        return Err(unknown_version(path, version));
    }
    if version == MIGRATIONS.len() {
        return Ok(());
    }
    let strangers: i64 = conn.query_row("select count(*) from sqlite_schema", [], |row| row.get(0)).map_err(refuse)?;
    if version == 0 && strangers > 0 {
        return Err(Fault::Unavailable(format!(
            "--journal sqlite:{}: it is a database of another program; name another file",
            path.display()
        )));
    }
    conn.execute_batch("begin immediate").map_err(refuse)?;
    for migration in &MIGRATIONS[version..] {
        conn.execute_batch(migration).map_err(refuse)?;
    }
    if version == 0 {
        conn.execute("insert into journal_head (one, seq, epoch, job, beat) values (1, 0, ?1, 0, 0)", [new_epoch()])
            .map_err(refuse)?;
    }
    conn.pragma_update(None, "application_id", APPLICATION).map_err(refuse)?;
    conn.pragma_update(None, "user_version", i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)).map_err(refuse)?;
    conn.execute_batch("commit").map_err(refuse)
}

/// How many migrations the file has seen. A file with a version but without our mark counts as unknown.
fn version(conn: &Connection) -> Result<usize, Error> {
    let version: i64 = conn.query_row("pragma user_version", [], |row| row.get(0))?;
    let application: i32 = conn.query_row("pragma application_id", [], |row| row.get(0))?;
    if version != 0 && application != APPLICATION {
        return Ok(usize::MAX);
    }
    Ok(usize::try_from(version).unwrap_or(usize::MAX))
}

fn new_epoch() -> i64 {
    let (high, low) = Uuid::now_v7().as_u64_pair();
    // The low half of a version 7 id is random but for two bits; the time in the high half fills those.
    let mixed = low.rotate_left(7) ^ high;
    (mixed & i64::MAX.cast_unsigned()).max(1).cast_signed()
}

/// The schema is older than this program, or is not there.
fn behind(path: &Path, version: usize) -> Fault {
    Fault::Unavailable(format!(
        "--journal sqlite:{}: its schema version is {version}, this program needs {}; back it up, then run `tradewind \
         migrate --journal sqlite:{}`",
        path.display(),
        MIGRATIONS.len(),
        path.display()
    ))
}

fn unknown_version(path: &Path, version: usize) -> Fault {
    let ours = MIGRATIONS.len();
    let found = if version == usize::MAX { "unknown".to_owned() } else { version.to_string() };
    Fault::Unavailable(format!(
        "--journal sqlite:{}: its schema version is {found}, this program knows {ours}; use the release that wrote it, \
         or a newer one",
        path.display()
    ))
}

fn unusable(path: &Path, error: &Error) -> Fault {
    Fault::Unavailable(format!("--journal sqlite:{}: {error}", path.display()))
}
