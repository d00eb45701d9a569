//! From a request's bytes to a command that cannot be wrong.

use domain::Owner;
use domain::swap::{Conditions, Place};
use domain::token::Registry;
use sha2::{Digest, Sha256};

use crate::body::Form;
use crate::problem::{Problem, codes};
use crate::terms;

/// The command in the body of `POST /v1/swaps`.
///
/// # Errors
/// Every fault of the body at once; 400 when any is one of form, else 422.
pub(super) fn parse(body: &[u8], account: Owner, tokens: &Registry) -> Result<Place, Problem> {
    let mut form = Form::parse(body)?;
    let terms = terms::from_body(&mut form, tokens);
    let client_order_id = terms::own_id(&mut form);
    let impact = terms::max_price_impact(&mut form);
    let expires_at = terms::instant(&mut form, "expiresAt", codes::EXPIRE_TIME_MALFORMED);
    let conditions = Conditions { max_price_impact_bps: impact, ..terms::conditions(&mut form) };
    form.finish()?;
    Ok(Place { client_order_id, expires_at, conditions, ..terms::place(terms, account)? })
}

/// What makes two cancellations the same request.
pub(super) fn cancel_fingerprint(id: &str) -> [u8; 32] {
    Sha256::digest(format!("swap.cancel\0{id}")).into()
}
