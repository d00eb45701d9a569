//! A server's folder, deleted with it, and the folders that earlier processes left behind.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Once;
use std::time::Duration;

use tempfile::TempDir;

const PREFIX: &str = "tradewind-testbed-";

/// Held locked by the process that uses the folder.
const LOCK: &str = "in-use";

/// How long a new folder may be without its lock.
const YOUTH: Duration = Duration::from_secs(60);

/// A folder of our own.
pub(crate) struct Folder {
    folder: TempDir,
    _lock: File,
}

impl Folder {
    /// Makes one under the system's folder for temporary files, and deletes those that nobody uses any more.
    pub(crate) fn make() -> Result<Self, String> {
        static SWEPT: Once = Once::new();
        SWEPT.call_once(sweep);
        let cannot = |error: std::io::Error| format!("a temporary folder: {error}");
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir().map_err(cannot)?;
        let lock = File::create(folder.path().join(LOCK)).map_err(cannot)?;
        lock.lock().map_err(cannot)?;
        Ok(Self { folder, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// A process that was killed could not delete its folders, nor could a server that all tests of a process share.
fn sweep() {
    let entries = fs::read_dir(std::env::temp_dir()).into_iter().flatten().filter_map(Result::ok);
    let ours = entries.map(|entry| entry.path()).filter(|path| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.starts_with(PREFIX)) && path.is_dir()
    });
    for folder in ours {
        let young = |data: fs::Metadata| data.modified().ok()?.elapsed().ok().map(|age| age < YOUTH);
        if fs::symlink_metadata(&folder).ok().and_then(young).unwrap_or(true) {
            continue;
        }
        let free = File::open(folder.join(LOCK)).is_ok_and(|lock| lock.try_lock().is_ok());
        if free {
            free_memory(&folder.join("data"));
            // Another process may be sweeping as well.
            let _ = fs::remove_dir_all(&folder);
        }
    }
}

/// A killed PostgreSQL leaves a small System V segment, of which there may be only so many: it is named in its lock file.
fn free_memory(data: &Path) {
    let lock: PathBuf = data.join("postmaster.pid");
    let Ok(text) = fs::read_to_string(lock) else { return };
    if let Some(segment) = text.lines().nth(6).and_then(|line| line.split_whitespace().nth(1)) {
        let _ = Command::new("ipcrm").args(["-m", segment]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}
