//! The installation's secret: given, or kept in a file of mode 600 beside the journal.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};

use crate::config::Secret;

/// The given secret, or that of the file beside the journal, which is made if it is not there. Call it with the journal
/// open: its lock keeps a second process from making the file at the same moment.
pub(crate) fn of_installation(given: Option<&Secret>, journal: &str) -> anyhow::Result<[u8; 32]> {
    if let Some(given) = given {
        return given.bytes().map_err(|error| anyhow!("--secret: {error}"));
    }
    let Some(("sqlite", database)) = journal.split_once(':') else {
        bail!("--secret is needed with this journal: every node must have the same one");
    };
    let file = beside(Path::new(database));
    let name = file.display();
    if file.exists() {
        return read(&file).with_context(|| format!("{name} holds no secret"));
    }
    let secret = make(&file).with_context(|| format!("{name} cannot be written; give --secret instead"))?;
    tracing::info!("made an installation secret in {name}; keep it with your backups");
    Ok(secret)
}

fn beside(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".secret");
    PathBuf::from(name)
}

fn read(file: &Path) -> anyhow::Result<[u8; 32]> {
    let mode = std::fs::metadata(file)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        tracing::warn!("{} can be read by others (mode {mode:o}): say `chmod 600` to it", file.display());
    }
    let text = std::fs::read_to_string(file)?;
    let Ok(secret) = text.parse::<Secret>();
    secret.bytes().map_err(|error| anyhow!(error))
}

/// A file that is whole or not there: written under another name, synced, renamed.
fn make(file: &Path) -> anyhow::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    let mut text = bytes.iter().fold(String::with_capacity(65), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    text.push('\n');
    let mut draft = file.as_os_str().to_owned();
    draft.push(".new");
    let draft = PathBuf::from(draft);
    let mut open = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    open.write_all(text.as_bytes())?;
    open.sync_all()?;
    std::fs::rename(&draft, file)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_is_made_once_and_kept_private() {
        let folder = tempfile::tempdir().expect("a folder");
        let journal = format!("sqlite:{}", folder.path().join("t.db").display());
        let first = of_installation(None, &journal).expect("made");
        assert_eq!(of_installation(None, &journal).expect("kept"), first);
        let file = folder.path().join("t.db.secret");
        assert_eq!(std::fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o600);
        std::fs::write(&file, "hunter2").expect("written");
        let error = format!("{:#}", of_installation(None, &journal).expect_err("damaged"));
        assert!(error.contains("64 hexadecimal") && !error.contains("hunter2"), "{error}");
    }
}
