//! Authorisations on the wire.

use utoipa::ToSchema;

use super::AuthorisationStatus;

/// Who is to see a seller's deals.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: bodies are read field by field")]
pub(crate) struct BuyerRequest {
    /// The buyer's account.
    #[schema(pattern = "^[A-Za-z0-9._:-]{1,64}$")]
    buyer_id: String,
}

/// A seller's word that a buyer may see its deals.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: the domain writes the view")]
pub(crate) struct AuthorisationView {
    /// UUID: the same for the same two.
    id: String,
    /// 1 at first, one more with every change.
    version: u64,
    /// `active` or `revoked`.
    status: AuthorisationStatus,
    /// Whose deals.
    seller_id: String,
    /// Who sees them.
    buyer_id: String,
    /// When it was first given.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it last changed.
    #[schema(format = DateTime)]
    updated_at: String,
}

/// One page of authorisations.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: pages are written piece by piece")]
pub(crate) struct AuthorisationList {
    /// Newest first.
    data: Vec<AuthorisationView>,
    /// Leads to the next page; null on the last.
    next_cursor: Option<String>,
    /// Whether there is a next page.
    has_more: bool,
}
