//! Who is calling: the header `x-account`, until there are keys.

use std::sync::{Arc, LazyLock};

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use domain::Owner;

use crate::problem::{At, Problem, codes};
use crate::routes::App;

/// The header that names the caller's account.
pub(crate) const HEADER: &str = "x-account";

static DEFAULT: LazyLock<Owner> = LazyLock::new(Owner::default);

/// The caller's account: everything it asks for is filtered by it.
#[derive(Clone)]
pub(crate) struct Account(pub(crate) Owner);

impl Account {
    /// The account that the headers name; `default` when they name none.
    ///
    /// # Errors
    /// 400 for a name that is none, and for two of them.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut named = headers.get_all(HEADER).iter();
        let owner = match (named.next(), named.next()) {
            (None, _) => Some(DEFAULT.clone()),
            (Some(one), None) => one.to_str().ok().and_then(Owner::parse),
            (Some(_), Some(_)) => None,
        };
        let detail = "an account is 1 to 64 characters of A-Z a-z 0-9 . _ : -";
        owner.map(Self).ok_or_else(|| Problem::at(At::Header(HEADER), codes::INVALID_ACCOUNT, detail))
    }
}

impl FromRequestParts<Arc<App>> for Account {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Problem> {
        Self::of(&parts.headers)
    }
}
