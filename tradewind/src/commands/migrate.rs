//! `tradewind migrate`: brings a journal's schema up to date, and begins a new history where it is a restored copy.

use drivers::journal::Migrated;

use super::line;
use crate::config::Migrate;
use crate::serve::plain;

/// Migrates, and says what was done.
pub(crate) async fn run(settings: Migrate) -> anyhow::Result<u8> {
    let done = drivers::journal::migrate(&settings.journal, settings.new_epoch).await.map_err(plain)?;
    let Migrated { from, to, epoch } = done;
    match from {
        0 => line(format_args!("made the journal with schema version {to}"))?,
        _ if from == to => line(format_args!("the schema has version {to} already"))?,
        _ => line(format_args!("brought the schema from version {from} to {to}"))?,
    }
    if settings.new_epoch {
        line(format_args!("a new history begins: epoch {epoch}"))?;
    }
    Ok(0)
}
