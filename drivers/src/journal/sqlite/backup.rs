//! A copy of a journal while a server goes on writing it; the copy is a history of its own.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, Error, params};
use uuid::Uuid;

use super::file;
use crate::Fault;

/// Copies the journal at `from` to `to`, which must not exist; a half-made copy never has that name. Like the journal's,
/// the file is its owner's alone.
pub(in crate::journal) fn backup(from: &Path, to: &Path) -> Result<(), Fault> {
    if to.exists() {
        return Err(Fault::Unavailable(format!("{} exists already; name another file", to.display())));
    }
    // Also of an older release: a copy is made before an upgrade.
    let (source, version) = file::open_any(from)?;
    if version == 0 {
        return Err(Fault::Unavailable(format!("{} is no journal; name the journal's file", from.display())));
    }
    // A name of its own, so that two backups at once do not write into one file.
    let mut partial = to.as_os_str().to_owned();
    partial.push(format!(".{}.partial", Uuid::now_v7()));
    let partial = PathBuf::from(partial);
    let outcome = create(&partial)
        .map_err(|error| failed(to, &error))
        .and_then(|()| copy(&source, &partial).map_err(|error| failed(to, &error)))
        .and_then(|()| publish(&partial, to).map_err(|error| failed(to, &error)));
    // Published, it has its other name; failed, it is nothing.
    let _ = fs::remove_file(&partial);
    outcome
}

/// An empty file, which SQLite fills and whose mode it keeps.
fn create(partial: &Path) -> std::io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(partial).map(drop)
}

fn copy(source: &Connection, partial: &Path) -> Result<(), Error> {
    source.pragma_update(None, "query_only", false)?;
    source.execute("vacuum into ?1", params![partial.to_string_lossy()])?;
    let copy = Connection::open(partial)?;
    copy.pragma_update(None, "synchronous", "full")?;
    file::renew_epoch(&copy)?;
    copy.close().map_err(|(_, error)| error)
}

/// Gives the finished copy its name, durably. A link, unlike a renaming, never takes the place of another file.
fn publish(partial: &Path, to: &Path) -> std::io::Result<()> {
    File::open(partial)?.sync_all()?;
    fs::hard_link(partial, to)?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn failed(to: &Path, error: &dyn std::error::Error) -> Fault {
    Fault::Unavailable(format!("backup to {}: {error}", to.display()))
}
