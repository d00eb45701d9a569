//! A copy of a journal while a server goes on writing it; the copy is a history of its own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, Error, params};

use super::file;
use crate::Fault;

/// Copies the journal at `from` to `to`, which must not exist; a half-made copy never has that name.
pub(in crate::journal) fn backup(from: &Path, to: &Path) -> Result<(), Fault> {
    if to.exists() {
        return Err(Fault::Unavailable(format!("{} exists already; name another file", to.display())));
    }
    let source = file::open_reader(from)?;
    let mut partial = to.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let outcome = copy(&source, &partial).map_err(|error| failed(to, &error)).and_then(|()| {
        publish(&partial, to).map_err(|error| Fault::Unavailable(format!("backup to {}: {error}", to.display())))
    });
    if outcome.is_err() {
        let _ = fs::remove_file(&partial);
    }
    outcome
}

fn copy(source: &Connection, partial: &Path) -> Result<(), Error> {
    let _ = fs::remove_file(partial);
    source.pragma_update(None, "query_only", false)?;
    source.execute("vacuum into ?1", params![partial.to_string_lossy()])?;
    let copy = Connection::open(partial)?;
    copy.pragma_update(None, "synchronous", "full")?;
    file::renew_epoch(&copy)?;
    copy.close().map_err(|(_, error)| error)
}

/// Gives the finished copy its name, durably.
fn publish(partial: &Path, to: &Path) -> std::io::Result<()> {
    File::open(partial)?.sync_all()?;
    fs::rename(partial, to)?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn failed(to: &Path, error: &Error) -> Fault {
    Fault::Unavailable(format!("backup to {}: {error}", to.display()))
}
