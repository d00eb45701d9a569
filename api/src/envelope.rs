//! How an event looks on every stream: where it stands in the log, then the fact itself.

use std::fmt::Write;

use bytes::Bytes;
use domain::Event;
use engine::hub::Published;

use crate::position::Position;

/// The fields of a live event's envelope: made by the first stream that sends it, shared by all.
pub(crate) fn fields(epoch: u64, published: &Published) -> &Bytes {
    published.envelope.get_or_init(|| {
        let mut text = String::new();
        write_fields(&mut text, epoch, &published.event);
        text.into()
    })
}

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
