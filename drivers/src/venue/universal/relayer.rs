//! The way to the venue: whoever takes quotes and orders for it.

use async_trait::async_trait;
use domain::swap::Receipt;

use crate::venue::VenueError;

/// The venue's side of a trade.
#[async_trait]
pub(super) trait Relayer: Send + Sync + 'static {
    /// A firm quote for a request, both in the venue's JSON.
    async fn quote(&self, request: &str) -> Result<String, VenueError>;

    /// Hands a signed quote in. The same one again is answered as the first time.
    ///
    /// # Errors
    /// Whether it took the order is not known: ask again.
    async fn order(&self, signed: &str) -> Result<Said, VenueError>;

    /// How an order stands that it took.
    async fn state(&self, order_id: &str) -> Result<State, VenueError>;

    /// Nobody asks for the order again.
    fn settled(&self, _order_id: &str) {}
}

/// What the venue says to a signed quote.
pub(super) enum Said {
    /// It takes it.
    Yes(Receipt),
    /// It does not, and never will.
    No {
        /// Stable.
        code: String,
        /// For people.
        message: String,
    },
}

/// How an order stands.
pub(super) enum State {
    /// Not filled yet.
    Pending,
    /// Filled; with these amounts of the token and of USDC, in base units, if the venue says them.
    Filled(Option<(u128, u128)>),
    /// Never to be filled.
    Failed,
    /// The venue does not know it.
    Unknown,
}
