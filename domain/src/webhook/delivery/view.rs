//! What an endpoint's owner sees of a delivery.

use serde::Serialize;

use super::{Attempt, Delivery, Status};
use crate::Timestamp;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View<'a> {
    id: &'a str,
    version: u64,
    status: Status,
    endpoint_id: &'a str,
    event_type: &'a str,
    entity_kind: &'a str,
    entity_id: &'a str,
    attempts: &'a [Attempt],
    #[serde(skip_serializing_if = "Option::is_none")]
    next_attempt_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl Delivery {
    /// The public view as JSON: without the request's body, which may be long.
    #[must_use]
    pub fn view_json(&self) -> String {
        let view = View {
            id: &self.id,
            version: self.version,
            status: self.status,
            endpoint_id: &self.endpoint,
            event_type: &self.about.type_,
            entity_kind: &self.about.kind,
            entity_id: &self.about.id,
            attempts: &self.attempts,
            next_attempt_at: self.next_at,
            reason: self.reason.as_deref(),
            created_at: self.created_at,
            updated_at: self.updated_at,
        };
        // Text, numbers and lists of them: writing them cannot fail.
        serde_json::to_string(&view).unwrap_or_default()
    }
}
