//! Which bank executes the simulated chain's transactions.

use ::simnet::bank::{Bank, Plain};

/// The plain bank, or with `--svm` the one that really executes.
///
/// # Errors
/// A sentence for the operator: the program was built without it.
pub(super) fn open(svm: bool) -> anyhow::Result<Box<dyn Bank>> {
    if svm { really_executing() } else { Ok(Box::<Plain>::default()) }
}

#[cfg(feature = "svm")]
fn really_executing() -> anyhow::Result<Box<dyn Bank>> {
    Ok(Box::<svm::Bank>::default())
}

#[cfg(not(feature = "svm"))]
fn really_executing() -> anyhow::Result<Box<dyn Bank>> {
    anyhow::bail!("--svm is not in this build: cargo build --release --locked --features svm")
}
