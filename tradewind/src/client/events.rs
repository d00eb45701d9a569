//! The stream of events (SSE), taken up again where it was when its connection breaks.

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::{Context, anyhow};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use serde::Deserialize;
use serde_json::Value;

use super::Client;

/// The server sends something at least every fifteen seconds; longer silence is a dead connection.
const SILENCE: Duration = Duration::from_secs(45);
/// Connecting again is tried so often, each time after a longer pause.
const TRIES: u32 = 8;
/// The most bytes of one frame: an event's body has at most 16 KiB.
const FRAME_LIMIT: usize = 64 * 1_024;

/// One event as the API shows it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Event {
    /// Its position: `epoch-seq`.
    pub(crate) seq: String,
    /// Which entity.
    pub(crate) id: String,
    /// That entity's version.
    pub(crate) version: u64,
    /// `swap.confirmed`.
    #[serde(rename = "type")]
    pub(crate) type_: String,
    /// When it was decided, RFC 3339.
    pub(crate) at: String,
    /// The public view and what changed.
    pub(crate) data: Value,
}

/// Which events.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watch {
    /// After this position, or `oldest`; none means only what is new.
    pub(crate) after: Option<String>,
    /// Of these kinds; empty means all.
    pub(crate) kinds: Vec<String>,
    /// Of these entities; empty means any.
    pub(crate) ids: Vec<String>,
}

/// Events, in order, each once.
pub(crate) struct Events {
    client: Client,
    watch: Watch,
    stream: BoxStream<'static, reqwest::Result<Bytes>>,
    buffer: Vec<u8>,
}

impl Events {
    pub(super) async fn open(client: Client, watch: Watch) -> anyhow::Result<Self> {
        let stream = connect(&client, &watch).await?;
        Ok(Self { client, watch, stream, buffer: Vec::new() })
    }

    /// The next event with the text it came in; connects again when the connection breaks.
    pub(crate) async fn next(&mut self) -> anyhow::Result<(Event, String)> {
        loop {
            while let Some(frame) = self.frame() {
                let (position, data) = fields(&frame);
                if let Some(position) = position {
                    self.watch.after = Some(position);
                }
                if let Some(event) = data.and_then(|text| Some((serde_json::from_str(&text).ok()?, text))) {
                    return Ok(event);
                }
            }
            if self.buffer.len() > FRAME_LIMIT {
                return Err(anyhow!("the server sent a frame of more than {FRAME_LIMIT} bytes"));
            }
            match tokio::time::timeout(SILENCE, self.stream.next()).await {
                Ok(Some(Ok(bytes))) => self.buffer.extend_from_slice(&bytes),
                Ok(Some(Err(_)) | None) | Err(_) => self.reconnect().await?,
            }
        }
    }

    /// Where to resume.
    pub(crate) fn position(&self) -> Option<&str> {
        self.watch.after.as_deref()
    }

    async fn reconnect(&mut self) -> anyhow::Result<()> {
        self.buffer.clear();
        let mut pause = Duration::from_millis(200);
        let mut last = anyhow!("the stream broke");
        for _ in 0..TRIES {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(5));
            match connect(&self.client, &self.watch).await {
                Ok(stream) => {
                    self.stream = stream;
                    return Ok(());
                }
                Err(error) => last = error,
            }
        }
        let position = self.position().unwrap_or("the present").to_owned();
        Err(last).with_context(|| format!("the stream broke after {position}"))
    }

    /// Takes a whole frame off the buffer.
    fn frame(&mut self) -> Option<String> {
        let end = self.buffer.windows(2).position(|pair| pair == b"\n\n")?;
        let frame: Vec<u8> = self.buffer.drain(..end + 2).collect();
        Some(String::from_utf8_lossy(&frame).into_owned())
    }
}

/// One order's events: those that are past first, then live ones.
pub(crate) struct Life {
    pub(super) client: Client,
    pub(super) id: String,
    pub(super) after: Option<String>,
    pub(super) lived: VecDeque<Value>,
    pub(super) events: Option<Events>,
}

impl Life {
    /// The next event with its text.
    pub(crate) async fn next(&mut self) -> anyhow::Result<(Event, String)> {
        if let Some(past) = self.lived.pop_front() {
            let text = past.to_string();
            return Ok((serde_json::from_value(past).context("an event of a form this program does not know")?, text));
        }
        if let Some(events) = &mut self.events {
            return events.next().await;
        }
        let watch = Watch { after: self.after.clone(), ids: vec![self.id.clone()], ..Watch::default() };
        self.events.insert(self.client.events(watch).await?).next().await
    }
}

async fn connect(client: &Client, watch: &Watch) -> anyhow::Result<BoxStream<'static, reqwest::Result<Bytes>>> {
    let mut query: Vec<(&str, &str)> = Vec::new();
    query.extend(watch.after.as_deref().map(|after| ("after", after)));
    query.extend(watch.kinds.iter().map(|kind| ("kind", kind.as_str())));
    query.extend(watch.ids.iter().map(|id| ("id", id.as_str())));
    Ok(client.open_stream(&query).await?.bytes_stream().boxed())
}

/// The `id` and the joined `data` lines of a frame.
fn fields(frame: &str) -> (Option<String>, Option<String>) {
    let (mut id, mut data) = (None, None::<String>);
    for line in frame.lines() {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "id" => id = Some(value.to_owned()),
            "data" => match &mut data {
                Some(text) => {
                    text.push('\n');
                    text.push_str(value);
                }
                none => *none = Some(value.to_owned()),
            },
            _ => {}
        }
    }
    (id, data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read() {
        let read = |frame: &str| fields(frame);
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(read("id: 1-7\nevent: swap.pending\ndata: {}\n\n"), (text("1-7"), text("{}")));
        assert_eq!(read("data:a\ndata: b\n\n"), (None, text("a\nb")));
        assert_eq!(read(": a heartbeat\n\n"), (None, None));
        assert_eq!(read("id: 1-9\n\n"), (text("1-9"), None));
    }
}
