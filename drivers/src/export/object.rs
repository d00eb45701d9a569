//! An exported event: one JSON object on one line, the same wherever it goes, and the position that it is read back by.

use domain::Event;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::Fault;

#[derive(Serialize)]
struct Object<'a> {
    seq: u64,
    /// `epoch-seq`: what the API takes to resume after the event.
    position: String,
    kind: &'a str,
    id: &'a str,
    version: u64,
    #[serde(rename = "type")]
    type_: &'a str,
    owner: &'a str,
    at: domain::Timestamp,
    data: &'a RawValue,
}

/// The event as one line of JSON, without the line's end.
///
/// # Errors
/// [`Fault::Broken`] when its body is no JSON.
pub(super) fn write(event: &Event, epoch: u64) -> Result<Vec<u8>, Fault> {
    let broken = |error| Fault::Broken(format!("event {}: {error}", event.seq));
    let object = Object {
        seq: event.seq,
        position: position(epoch, event.seq),
        kind: event.kind.as_str(),
        id: &event.id,
        version: event.version,
        type_: &event.type_,
        owner: event.owner.as_str(),
        at: event.at,
        data: serde_json::from_str(&event.body).map_err(broken)?,
    };
    let mut text = serde_json::to_vec(&object).map_err(broken)?;
    // JSON text may hold line breaks between its tokens, never inside them.
    text.iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
    Ok(text)
}

/// `epoch-seq`.
pub(super) fn position(epoch: u64, seq: u64) -> String {
    format!("{epoch}-{seq}")
}

/// The epoch and the `seq` of a position; none when it is not as [`position`] writes it.
pub(super) fn parse_position(text: &str) -> Option<(u64, u64)> {
    let (epoch, seq) = text.split_once('-')?;
    Some((epoch.parse().ok()?, seq.parse().ok()?))
}
