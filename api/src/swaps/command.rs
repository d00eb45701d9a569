//! From a request's bytes to a command that cannot be wrong.

use domain::swap::Place;
use domain::token::Registry;
use domain::{Owner, Timestamp};
use sha2::{Digest, Sha256};

use crate::body::Form;
use crate::problem::{At, FieldError, Problem, codes};
use crate::terms;

/// The command in the body of `POST /v1/swaps`.
///
/// # Errors
/// Every fault of the body at once; 400 when any is one of form, else 422.
pub(super) fn parse(body: &[u8], account: Owner, tokens: &Registry) -> Result<Place, Problem> {
    let mut form = Form::parse(body)?;
    let terms = terms::from_body(&mut form, tokens);
    let client_order_id = form.text("clientOrderId");
    if let Some(Err(refusal)) = client_order_id.as_deref().map(terms::client_order_id) {
        form.errors.push(FieldError::new(
            At::field("clientOrderId"),
            codes::CLIENT_ORDER_ID_MALFORMED,
            refusal.message,
        ));
    }
    let expires_at = form.text("expiresAt").and_then(|text| {
        let instant = Timestamp::parse(&text);
        if instant.is_none() {
            let detail = "expected an RFC 3339 instant such as 2030-01-01T00:00:00Z";
            form.errors.push(FieldError::new(At::field("expiresAt"), codes::EXPIRE_TIME_MALFORMED, detail));
        }
        instant
    });
    form.finish()?;
    let client_order_id = client_order_id.map(std::borrow::Cow::into_owned);
    Ok(Place { client_order_id, expires_at, ..terms::place(terms, account)? })
}

/// What makes two cancellations the same request.
pub(super) fn cancel_fingerprint(id: &str) -> [u8; 32] {
    Sha256::digest(format!("swap.cancel\0{id}")).into()
}
