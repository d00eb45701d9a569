//! Where the journal of one measurement lies: a temporary folder, or a database of its own on a PostgreSQL server.

use std::path::{Path, PathBuf};

use anyhow::Context;
use drivers::journal::{Scratch, scratch};

use super::child::Server;
use crate::config::Bench;
use crate::serve::plain;

/// What signs the cursors of servers that nobody else reaches.
const SECRET: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// An empty place for a journal; dropped, it is deleted with what is in it.
pub(crate) enum Store {
    /// For SQLite.
    Folder(Folder),
    /// For PostgreSQL.
    Database(Box<Scratch>),
}

impl Store {
    /// Makes one on the server of `--journal`, or where temporary files are.
    pub(crate) async fn make(settings: &Bench) -> anyhow::Result<Self> {
        match &settings.journal {
            Some(url) => Ok(Self::Database(Box::new(scratch(url).await.map_err(plain)?))),
            None => Ok(Self::Folder(Folder::make(settings.dir.as_deref())?)),
        }
    }

    /// The URL of the journal in it.
    pub(crate) fn journal(&self) -> String {
        match self {
            Self::Folder(folder) => format!("sqlite:{}", folder.0.join("bench.db").display()),
            Self::Database(scratch) => scratch.url().to_owned(),
        }
    }

    /// Starts a server on it.
    pub(crate) fn serve(&self, arguments: &[&str]) -> anyhow::Result<Server> {
        let journal = self.journal();
        let common = ["serve", "--listen", "127.0.0.1:0", "--log", "error", "--journal", &journal, "--secret", SECRET];
        Server::start(&[&common, arguments].concat())
    }
}

/// A temporary folder.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Makes a folder of a new name in `parent`, or where temporary files are.
    pub(crate) fn make(parent: Option<&Path>) -> anyhow::Result<Self> {
        let name = format!("tradewind-bench-{}", uuid::Uuid::now_v7().simple());
        let folder = parent.map_or_else(std::env::temp_dir, Path::to_path_buf).join(name);
        std::fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        Ok(Self(folder))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
