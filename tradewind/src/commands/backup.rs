//! `tradewind backup`: copies a journal, also under a running server.

use std::path::PathBuf;

use anyhow::bail;
use drivers::without_secrets;

use crate::config::Backup;
use crate::serve::plain;

/// Copies to a file that must not exist yet.
pub(crate) async fn run(settings: Backup) -> anyhow::Result<u8> {
    let name = settings.file.display();
    if settings.file.exists() {
        bail!("{name} exists: name a new file");
    }
    let (shown, scheme) = (without_secrets(&settings.journal), settings.journal.split_once(':'));
    let journal = match scheme {
        Some(("sqlite", journal)) => journal,
        Some(("postgres" | "postgresql", _)) => bail!("--journal {shown}: use pg_dump; docs/operations.md says how"),
        _ => bail!("--journal {shown}: expected sqlite:<file>"),
    };
    let (from, to) = (PathBuf::from(journal), settings.file.clone());
    tokio::task::spawn_blocking(move || drivers::journal::backup(&from, &to)).await?.map_err(plain)?;
    let bytes = std::fs::metadata(&settings.file)?.len();
    super::line(format_args!("{name}: {bytes} bytes; verify it with `tradewind check --journal sqlite:{name}`"))?;
    Ok(0)
}
