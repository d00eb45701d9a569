//! What is sent: `{type, timestamp, data}` in one line, the same bytes at every attempt.

use crate::{Event, Timestamp};

/// The most bytes of a payload: what Standard Webhooks asks senders to stay below.
pub const PAYLOAD_LIMIT: usize = 20_000;

// An event's body with its envelope fits: nothing that is committed can be too large to be sent.
const _: () = assert!(Event::BODY_LIMIT + 256 < PAYLOAD_LIMIT);

/// The type of the event that is sent to try an endpoint out.
pub const TEST_TYPE: &str = "webhook.test";

/// The payload of an event.
#[must_use]
pub fn standard(event: &Event) -> String {
    envelope(&event.type_, event.at, &event.body)
}

/// The payload that tries an endpoint out.
#[must_use]
pub fn test(endpoint: &str, now: Timestamp) -> String {
    envelope(TEST_TYPE, now, &serde_json::json!({ "endpointId": endpoint }).to_string())
}

/// Types and times need no escapes, and data is JSON.
fn envelope(type_: &str, at: Timestamp, data: &str) -> String {
    format!("{{\"type\":\"{type_}\",\"timestamp\":\"{at}\",\"data\":{data}}}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, Owner};

    #[test]
    fn a_payload_is_the_event_in_its_envelope() {
        let event = Event {
            seq: 1,
            kind: Kind::Swap,
            id: "1".into(),
            version: 1,
            type_: "swap.pending".into(),
            owner: Owner::default(),
            party: None,
            body: r#"{"id":"1"}"#.into(),
            at: Timestamp(0),
        };
        let expected = r#"{"type":"swap.pending","timestamp":"1970-01-01T00:00:00.000000Z","data":{"id":"1"}}"#;
        assert_eq!(standard(&event), expected);
        let longest = Event { body: "x".repeat(Event::BODY_LIMIT), type_: "webhook.endpoint.disabled".into(), ..event };
        assert!(standard(&longest).len() <= PAYLOAD_LIMIT);
        let test: serde_json::Value = serde_json::from_str(&test("e", Timestamp(0))).unwrap();
        assert_eq!(test["data"]["endpointId"], "e");
    }
}
