//! Events as JSON lines in a file: each once, in order, durable before it counts as sent.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use domain::Event;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Export;
use crate::Fault;

/// No line is longer: a body has its limit, and the rest are names.
const LINE_BYTES: usize = Event::BODY_LIMIT + 4_096;

/// How each line begins.
const BEGINNING: &[u8] = b"{\"seq\":";

/// A file of events.
struct Lines {
    path: PathBuf,
    tail: Arc<Mutex<Tail>>,
}

/// Where the file ends.
struct Tail {
    file: File,
    /// Up to here everything is whole and on disk.
    length: u64,
    /// The newest event in it.
    position: u64,
    /// A write failed: there may be something behind `length`.
    torn: bool,
}

/// One line.
#[derive(Serialize)]
struct Line<'a> {
    seq: u64,
    kind: &'a str,
    id: &'a str,
    version: u64,
    #[serde(rename = "type")]
    type_: &'a str,
    owner: &'a str,
    at: domain::Timestamp,
    data: &'a RawValue,
}

/// What is read back of a line.
#[derive(Deserialize)]
struct Numbered {
    seq: u64,
}

/// Opens or makes the file. A last line that a crash cut short is taken off; the relay sends its event again.
pub(super) async fn open(path: &str) -> Result<Arc<dyn Export>, Fault> {
    if path.is_empty() {
        return Err(Fault::Unavailable("--export file: expected file:<path>".to_owned()));
    }
    let path = PathBuf::from(path);
    let tail = blocking({
        let path = path.clone();
        move || Tail::open(&path)
    });
    let tail = Arc::new(Mutex::new(tail.await?));
    Ok(Arc::new(Lines { path, tail }))
}

#[async_trait]
impl Export for Lines {
    async fn position(&self) -> Result<u64, Fault> {
        Ok(self.tail.lock().unwrap_or_else(PoisonError::into_inner).position)
    }

    async fn send(&self, events: &[Event]) -> Result<(), Fault> {
        let known = self.position().await?;
        let mut text = Vec::new();
        let mut last = known;
        for event in events.iter().filter(|event| event.seq > known) {
            write_line(&mut text, event)?;
            last = event.seq;
        }
        if text.is_empty() {
            return Ok(());
        }
        let (tail, path) = (Arc::clone(&self.tail), self.path.clone());
        blocking(move || {
            let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
            tail.append(&text, last).map_err(|error| failed(&path, &error))
        })
        .await
    }
}

impl Tail {
    fn open(path: &Path) -> Result<Self, Fault> {
        let failed = |error| failed(path, &error);
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(failed)?;
        let whole = file.metadata().map_err(failed)?.len();
        let from = whole.saturating_sub(2 * LINE_BYTES as u64);
        let mut end = Vec::new();
        file.seek(SeekFrom::Start(from)).map_err(failed)?;
        Read::by_ref(&mut file).take(2 * LINE_BYTES as u64).read_to_end(&mut end).map_err(failed)?;
        let (kept, position) = last_line(&end, from == 0).ok_or_else(|| {
            let path = path.display();
            Fault::Unavailable(format!("--export file:{path}: the file holds something else; name another"))
        })?;
        let length = from + kept as u64;
        if length < whole {
            file.set_len(length).map_err(failed)?;
        }
        file.sync_all().map_err(failed)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
        Ok(Self { file, length, position, torn: false })
    }

    fn append(&mut self, text: &[u8], last: u64) -> std::io::Result<()> {
        if self.torn {
            self.file.set_len(self.length)?;
        }
        self.torn = true;
        self.file.seek(SeekFrom::Start(self.length))?;
        self.file.write_all(text)?;
        self.file.sync_data()?;
        self.torn = false;
        self.length += text.len() as u64;
        self.position = last;
        Ok(())
    }
}

/// How much of a file's end is whole lines, and the number of the last; none when it is not ours.
fn last_line(end: &[u8], is_all: bool) -> Option<(usize, u64)> {
    let Some(kept) = end.iter().rposition(|byte| *byte == b'\n').map(|at| at + 1) else {
        let begun = BEGINNING.starts_with(end) || end.starts_with(BEGINNING);
        return (is_all && begun).then_some((0, 0));
    };
    let lines = &end[..kept - 1];
    let start = lines.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let line: Numbered = serde_json::from_slice(&lines[start..]).ok()?;
    Some((kept, line.seq))
}

fn write_line(text: &mut Vec<u8>, event: &Event) -> Result<(), Fault> {
    let broken = |error: serde_json::Error| Fault::Broken(format!("event {}: {error}", event.seq));
    let line = Line {
        seq: event.seq,
        kind: event.kind.as_str(),
        id: &event.id,
        version: event.version,
        type_: &event.type_,
        owner: event.owner.as_str(),
        at: event.at,
        data: serde_json::from_str(&event.body).map_err(broken)?,
    };
    serde_json::to_writer(&mut *text, &line).map_err(broken)?;
    text.push(b'\n');
    Ok(())
}

/// Files block; the runtime's own threads must not.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Fault> + Send + 'static) -> Result<T, Fault> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(Fault::Unavailable(format!("export: {error}"))))
}

fn failed(path: &Path, error: &std::io::Error) -> Fault {
    Fault::Unavailable(format!("--export file:{}: {error}", path.display()))
}

#[cfg(test)]
mod tests;
