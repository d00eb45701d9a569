//! What a client may say on the stream's socket.

use domain::Kind;

use crate::body::Form;
use crate::events::{are_ids, followed};
use crate::problem::{Problem, codes};

/// The longest name that a client may give a subscription, in bytes of JSON.
const LONGEST_NAME: usize = 128;

/// One message of the client.
pub(super) enum Ask {
    /// Follow something.
    Subscribe(Wish),
    /// Follow it no more.
    Unsubscribe {
        /// The client's name for it, as JSON.
        id: String,
    },
    /// Say something.
    Ping,
}

/// What to follow.
pub(super) struct Wish {
    /// The client's name for the subscription, as JSON: a text or a number.
    pub(super) id: String,
    /// Of these kinds; empty means all.
    pub(super) kinds: Vec<Kind>,
    /// About these entities; empty means any.
    pub(super) ids: Vec<String>,
    /// Of this account: the caller's own.
    pub(super) owner: Option<String>,
    /// Resume after this position.
    pub(super) after: Option<String>,
}

impl Ask {
    /// Reads a message.
    ///
    /// # Errors
    /// As for request bodies.
    pub(super) fn parse(message: &[u8]) -> Result<Self, Problem> {
        let mut form = Form::parse(message)?;
        let op = form.text("op").unwrap_or_default();
        if op == "ping" {
            return form.finish().map(|()| Self::Ping);
        }
        if op != "subscribe" && op != "unsubscribe" {
            let detail = "expected subscribe, unsubscribe or ping";
            form.fault::<()>("op", codes::UNKNOWN_CHOICE, detail);
        }
        let id = form.reference("id", LONGEST_NAME);
        if id.is_none() && form.errors.is_empty() {
            form.fault::<()>("id", codes::FIELD_MISSING, "name the subscription");
        }
        let id = id.unwrap_or_default().to_owned();
        if op == "unsubscribe" {
            return form.finish().map(|()| Self::Unsubscribe { id });
        }
        let kinds = followed(&form.texts("kinds"));
        if kinds.is_none() {
            form.fault::<()>(
                "kinds",
                codes::UNKNOWN_CHOICE,
                "expected names of kinds that have events: swap, deal, bid …",
            );
        }
        let ids = form.texts("ids");
        if !are_ids(&ids) {
            form.fault::<()>("ids", codes::INVALID_PARAMETER, "expected at most 256 ids");
        }
        let (owner, after) = (form.text("owner"), form.text("after"));
        form.finish()?;
        Ok(Self::Subscribe(Wish {
            id,
            kinds: kinds.unwrap_or_default(),
            ids,
            owner: owner.map(std::borrow::Cow::into_owned),
            after: after.map(std::borrow::Cow::into_owned),
        }))
    }
}
