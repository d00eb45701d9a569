//! Keys and tickets on the wire.

use utoipa::ToSchema;

use super::{KeyRole, KeyScope, KeyStatus};

/// A key that is wanted.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: requests are read field by field")]
pub(crate) struct KeyRequest {
    /// Whose key it is to be; the caller's own account when absent.
    #[schema(pattern = "^[A-Za-z0-9._:-]{1,64}$")]
    account: Option<String>,
    /// What the account is with it: `admin`, `seller`, `buyer` or `trader`; the caller's own role when absent.
    role: Option<KeyRole>,
    /// What it may do: some of the role's scopes. When absent, all of them that the caller's own key has.
    scopes: Option<Vec<KeyScope>>,
    /// What its owner calls it, at most 100 bytes.
    name: Option<String>,
    /// What it is for, in its text: 1 to 16 characters of `a-z 0-9`; `live` when absent.
    env: Option<String>,
    /// When it is good no more; never when absent.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// The text of another system's key, which is to be good here: 16 to 200 visible ASCII characters. Admins only.
    import: Option<String>,
}

/// A key.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: views are made in the domain")]
pub(crate) struct KeyView {
    /// Its text, `tw_<env>_<id>_<secret><check>`: only in the answer to the request that made it.
    key: Option<String>,
    /// What clients of AWS SQS sign with, of a key that may use queues: only in the answer to the request that made it.
    sqs: Option<SigningView>,
    /// The third part of its text.
    id: String,
    /// One more with every change.
    version: u64,
    /// `active` or `revoked`.
    status: KeyStatus,
    /// Whose it is.
    account: String,
    /// What the account is with it: `admin`, `seller`, `buyer` or `trader`.
    role: KeyRole,
    /// What it may do.
    scopes: Vec<KeyScope>,
    /// What its owner calls it.
    name: Option<String>,
    /// What it is for; none of an imported one.
    env: Option<String>,
    /// The end of its text.
    last4: String,
    /// Whether it is another system's.
    imported: bool,
    /// When it is good no more.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// When it was last used, to the minute.
    #[schema(format = DateTime)]
    last_used_at: Option<String>,
    /// The account that made it.
    created_by: String,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it last changed.
    #[schema(format = DateTime)]
    updated_at: String,
}

/// Credentials for clients of AWS SQS at `/sqs`, which sign with Signature Version 4.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct SigningView {
    /// `TW` and 32 hexadecimal digits.
    access_key_id: String,
    /// The secret: 43 characters.
    secret_access_key: String,
}

/// One page of keys.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: pages are written piece by piece")]
pub(crate) struct KeyList {
    /// Newest first.
    data: Vec<KeyView>,
    /// Leads to the next page; null on the last.
    next_cursor: Option<String>,
    /// Whether there is a next page.
    has_more: bool,
}

/// A ticket for one stream.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct TicketView {
    /// Its text.
    ticket: String,
    /// When it is good no more.
    #[schema(format = DateTime)]
    expires_at: String,
}
