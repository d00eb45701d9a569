//! Events as JSON lines in a file: one object per line, on disk before it is answered.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use domain::Event;
use serde::Deserialize;

use super::{Export, object};
use crate::Fault;

/// How much of the file's end is read in search of its last line: twice the longest line there can be.
const TAIL: u64 = 4 * Event::BODY_LIMIT as u64;

/// How every line begins.
const BEGINNING: &[u8] = b"{\"seq\":";

/// What is read back of a line.
#[derive(Deserialize)]
struct Position {
    seq: u64,
    position: String,
}

impl Position {
    /// The epoch; none when the line is not as this driver writes it.
    fn epoch(&self) -> Option<u64> {
        let (epoch, seq) = object::parse_position(&self.position)?;
        (seq == self.seq).then_some(epoch)
    }
}

/// The file, and where its last whole line ends.
struct Lines {
    epoch: u64,
    path: PathBuf,
    file: File,
    length: u64,
    position: u64,
}

struct FileExport(Arc<Mutex<Lines>>);

pub(super) async fn open(path: &str, epoch: u64) -> Result<Arc<dyn Export>, Fault> {
    let path = PathBuf::from(path);
    let lines = blocking(move || Lines::open(&path, epoch)).await?;
    Ok(Arc::new(FileExport(Arc::new(Mutex::new(lines)))))
}

#[async_trait]
impl Export for FileExport {
    async fn position(&self) -> Result<Option<u64>, Fault> {
        let lines = Arc::clone(&self.0);
        blocking(move || Ok(Some(lines.lock().unwrap_or_else(PoisonError::into_inner).position))).await
    }

    async fn send(&self, events: &[Event]) -> Result<(), Fault> {
        let (lines, events) = (Arc::clone(&self.0), events.to_vec());
        blocking(move || lines.lock().unwrap_or_else(PoisonError::into_inner).append(&events)).await
    }
}

impl Lines {
    /// Opens or makes the file, and cuts off a last line that was torn by a crash.
    fn open(path: &Path, epoch: u64) -> Result<Self, Fault> {
        let cannot = |error: std::io::Error| failed(path, &error);
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(cannot)?;
        }
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).read(true).write(true).mode(0o600);
        let mut file = options.open(path).map_err(cannot)?;
        let size = file.metadata().map_err(cannot)?.len();
        let start = size.saturating_sub(TAIL);
        let mut tail = Vec::new();
        file.seek(SeekFrom::Start(start)).map_err(cannot)?;
        file.read_to_end(&mut tail).map_err(cannot)?;
        let whole = tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let lost = tail.len() - whole;
        let last = tail[..whole].strip_suffix(b"\n").unwrap_or_default();
        let last = last.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        let held: Option<Position> = serde_json::from_slice(last).ok().filter(|_| last.starts_with(BEGINNING));
        let position = match held.and_then(|held| Some((held.epoch()?, held.seq))) {
            Some((theirs, _)) if theirs != epoch => return Err(of_another_epoch(path, theirs, epoch)),
            Some((_, seq)) => seq,
            None if last.is_empty() && start == 0 => 0,
            None => return Err(not_ours(path)),
        };
        // Only what this driver could have begun to write is cut off.
        if lost > 0 && !BEGINNING.starts_with(&tail[whole..][..lost.min(BEGINNING.len())]) {
            return Err(not_ours(path));
        }
        let length = start + whole as u64;
        if lost > 0 {
            tracing::warn!(path = %path.display(), bytes = lost, "export: the last line was torn; it is cut off and sent again");
            file.set_len(length).map_err(cannot)?;
            file.sync_data().map_err(cannot)?;
        }
        Ok(Self { epoch, path: path.to_owned(), file, length, position })
    }

    fn append(&mut self, events: &[Event]) -> Result<(), Fault> {
        let mut text = Vec::new();
        let mut position = self.position;
        for event in events.iter().filter(|event| event.seq > self.position) {
            if event.seq <= position {
                return Err(Fault::Broken(format!("event {} after {position}", event.seq)));
            }
            text.append(&mut object::write(event, self.epoch)?);
            text.push(b'\n');
            position = event.seq;
        }
        if text.is_empty() {
            return Ok(());
        }
        // Written at the known end: what a failed call left behind is overwritten.
        let written = self
            .file
            .seek(SeekFrom::Start(self.length))
            .and_then(|_| self.file.write_all(&text))
            .and_then(|()| self.file.set_len(self.length + text.len() as u64))
            .and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            let _ = self.file.set_len(self.length);
            return Err(failed(&self.path, &error));
        }
        self.length += text.len() as u64;
        self.position = position;
        Ok(())
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Fault> + Send + 'static) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Fault::Broken(error.to_string()))?
}

fn failed(path: &Path, error: &std::io::Error) -> Fault {
    Fault::Unavailable(format!("--export file:{}: {error}", path.display()))
}

fn not_ours(path: &Path) -> Fault {
    Fault::Unavailable(format!(
        "--export file:{}: its last line is no exported event; name another file",
        path.display()
    ))
}

fn of_another_epoch(path: &Path, theirs: u64, ours: u64) -> Fault {
    Fault::Unavailable(format!(
        "--export file:{}: it holds events of epoch {theirs}, the journal is of epoch {ours}: another journal, or a \
         restored copy, whose numbers mean other events; move the file away or name another",
        path.display()
    ))
}
