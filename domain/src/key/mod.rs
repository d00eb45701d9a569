//! Keys to the API: who may do what with them.
//!
//! What is kept of a key is a digest of its secret; the text itself is shown once, to whoever made it.

mod decide;
mod record;
mod scope;
mod signing;
mod table;
mod token;

pub use decide::{Choice, Create, Creator, Material, create, revoke};
pub use record::{Key, Status};
pub use scope::{Role, Scope};
pub use signing::SigningPair;
pub use table::{Happening, next};
pub use token::{Entropy, Env, Minted, Presented, mint};

#[cfg(test)]
mod tests;
