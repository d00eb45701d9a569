//! The account to act for: that of the caller's key; on a server without keys, and for admins, the header `x-account`.

use std::sync::{Arc, LazyLock};

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use domain::Owner;
use engine::access::Principal;

use crate::gate::Visitor;
use crate::problem::{At, Problem, codes};
use crate::routes::App;

/// The header that names an account.
pub(crate) const HEADER: &str = "x-account";

static DEFAULT: LazyLock<Owner> = LazyLock::new(Owner::default);

/// The account to act for: everything that is asked for is filtered by it.
#[derive(Clone)]
pub(crate) struct Account(pub(crate) Owner);

impl Account {
    /// The account of whoever came in; on an open server that which the headers name.
    ///
    /// # Errors
    /// 400 as below.
    pub(crate) fn asked(caller: Option<&Visitor>, headers: &HeaderMap) -> Result<Self, Problem> {
        caller.map_or_else(|| Self::of(headers), |caller| Ok(Self(caller.account.clone())))
    }

    /// The account that the headers name on an open server; `default` when they name none.
    ///
    /// # Errors
    /// 400 for a name that is none, and for two of them.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        Ok(Self(named(headers)?.unwrap_or_else(|| DEFAULT.clone())))
    }

    /// The account that a principal acts for.
    ///
    /// # Errors
    /// 400 as above; 403 when it names another and is no admin.
    pub(crate) fn acting(principal: &Principal, headers: &HeaderMap) -> Result<Self, Problem> {
        match named(headers)? {
            Some(other) if other != principal.account && !principal.is_admin() => {
                let detail = "the key is of another account, and no admin's";
                Err(Problem::at(At::Header(HEADER), codes::ACCOUNT_NOT_YOURS, detail))
            }
            named => Ok(Self(named.unwrap_or_else(|| principal.account.clone()))),
        }
    }
}

fn named(headers: &HeaderMap) -> Result<Option<Owner>, Problem> {
    let mut named = headers.get_all(HEADER).iter();
    let owner = match (named.next(), named.next()) {
        (None, _) => return Ok(None),
        (Some(one), None) => one.to_str().ok().and_then(Owner::parse),
        (Some(_), Some(_)) => None,
    };
    let detail = "an account is 1 to 64 characters of A-Z a-z 0-9 . _ : -";
    owner.map(Some).ok_or_else(|| Problem::at(At::Header(HEADER), codes::INVALID_ACCOUNT, detail))
}

impl FromRequestParts<Arc<App>> for Account {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Problem> {
        Self::asked(parts.extensions.get::<Visitor>(), &parts.headers)
    }
}

/// Who came in; none on an open server.
pub(crate) struct CameIn(pub(crate) Option<Visitor>);

impl FromRequestParts<Arc<App>> for CameIn {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Self::Rejection> {
        Ok(Self(parts.extensions.get::<Visitor>().cloned()))
    }
}
