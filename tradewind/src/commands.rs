//! The commands that are neither the server nor its measurement, one file each.

pub(crate) mod backup;
pub(crate) mod check;
pub(crate) mod demo;
pub(crate) mod migrate;
pub(crate) mod openapi;
pub(crate) mod quote;
pub(crate) mod route;
pub(crate) mod simnet;
pub(crate) mod swap;
pub(crate) mod tail;

use std::io::Write;

/// Writes a line; a reader that went away ends the command as if it had said what it had to.
fn line(text: impl std::fmt::Display) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}
