//! Where committed events go outside: at least once, in order, each with its `seq`.

#[cfg(test)]
pub mod conformance;

mod file;
mod jetstream;
mod object;

use std::sync::Arc;

use async_trait::async_trait;
use domain::Event;

use crate::Fault;

/// The export port.
#[async_trait]
pub trait Export: Send + Sync + 'static {
    /// The `seq` of the newest event that is durably out there, as it is now; 0 when none is. None when that cannot be
    /// told, because somebody deleted the end of it: then what was acknowledged counts.
    async fn position(&self) -> Result<Option<u64>, Fault>;

    /// Whether it has a place for such an event. The others are not sent: only the relay's position moves over them.
    fn takes(&self, _event: &Event) -> bool {
        true
    }

    /// Sends events that it takes, in order, and answers when they are durable. Events at or below `position` are passed over. It may
    /// be dropped at any moment: some of the events are out there then, up to one of them and none beyond. After an error
    /// ask for the position: things may be out there that this has not sent, or gone that it has.
    async fn send(&self, events: &[Event]) -> Result<(), Fault>;

    /// Whether events can be sent at present, for the readiness check.
    ///
    /// # Errors
    /// [`Fault::Unavailable`] while what stands behind the port is away.
    async fn ping(&self) -> Result<(), Fault> {
        Ok(())
    }
}

/// Opens the export at `url` for the events of the journal with this `epoch`:
/// - `file:path/to/events.jsonl`: one JSON object per line;
/// - `nats://host:4222` or `tls://…`: the JetStream stream `TRADEWIND_EVENTS`, made if it is not there; an event goes to
///   `tradewind.<its type>`, and as types begin with the kind that is `tradewind.swap.confirmed`. `?stream=` names another
///   stream, `?subject=` another first word, `?replicas=` how many servers hold a stream that is made. With `?format=deals`
///   it is the stream `DEALS` with `deal.created` and `deal.updated` alone, each with the bare deal as the `deals` facade
///   answers it, for consumers of the system that the facade speaks.
///
/// An export holds events of one epoch: in another, the same `seq` is another event.
///
/// # Errors
/// [`Fault::Unavailable`] with a one-line reason and what to do: unknown scheme, a file that cannot be written or is not
/// ours, no server or no JetStream there, events of another epoch out there.
pub async fn open(url: &str, epoch: u64) -> Result<Arc<dyn Export>, Fault> {
    match url.split_once(':') {
        Some(("file", path)) => file::open(path, epoch).await,
        Some(("nats" | "tls", _)) => jetstream::open(url, epoch).await,
        _ => Err(Fault::Unavailable(format!(
            "--export {}: expected file:<path> or nats://host:port",
            crate::without_secrets(url)
        ))),
    }
}

/// What to call the export at `url` in messages and metrics: no secrets, but stream and format where they are named.
#[must_use]
pub fn name(url: &str) -> String {
    let mut name = crate::without_secrets(url);
    let Ok(parsed) = url::Url::parse(url) else { return name };
    let mut sign = '?';
    for wanted in ["stream", "format"] {
        if let Some((_, value)) = parsed.query_pairs().find(|(key, _)| key == wanted) {
            name.push(sign);
            name.push_str(wanted);
            name.push('=');
            name.push_str(&value);
            sign = '&';
        }
    }
    name
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_name_tells_streams_apart_and_no_secrets() {
        let cases = [
            ("nats://u:secret@h:1?replicas=3", "nats://h:1"),
            ("nats://u:secret@h:1?replicas=3&stream=A", "nats://h:1?stream=A"),
            ("nats://h:1?format=deals&stream=A", "nats://h:1?stream=A&format=deals"),
            ("nats://h:1?format=deals", "nats://h:1?format=deals"),
            ("file:a/b.jsonl", "file:a/b.jsonl"),
        ];
        for (url, name) in cases {
            assert_eq!(super::name(url), name);
        }
    }
}
