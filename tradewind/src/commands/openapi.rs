//! `tradewind openapi`: prints the document that the server serves.

/// Prints it.
pub(crate) fn run() -> anyhow::Result<u8> {
    super::line(api::openapi())?;
    Ok(0)
}
