//! Invoices: the document about a deal that was sold, numbered without gaps per seller.
//!
//! An invoice never changes: it has one version, one event, and no lifecycle.

mod decide;
mod state;

pub use decide::{Book, Sold, sell};
pub use state::{Invoice, Line, STATUS};

#[cfg(test)]
mod tests;
