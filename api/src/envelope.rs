//! How an event looks on every stream: where it stands in the log, then the fact itself.

use std::fmt::Write;

use domain::Event;

use crate::position::Position;

/// Writes the fields of an event's envelope, without the braces around them, so that each stream can put its own first.
///
/// Names need no escapes: kinds, types and owners are plain words, ids are UUIDs, and bodies are JSON on one line.
pub(crate) fn write_fields(out: &mut String, epoch: u64, event: &Event) {
    let position = Position { epoch, seq: event.seq };
    let Event { kind, id, version, type_, owner, body, at, .. } = event;
    out.reserve(body.len() + 256);
    let _ = write!(
        out,
        "\"seq\":\"{position}\",\"kind\":\"{kind}\",\"id\":\"{id}\",\"version\":{version},\"type\":\"{type_}\",\
         \"owner\":\"{owner}\",\"at\":\"{at}\",\"data\":{body}"
    );
}
