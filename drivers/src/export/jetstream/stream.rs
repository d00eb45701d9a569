//! The stream that events go to: made if it is not there, looked at, and what is wrong with it.

use std::time::Duration;

use async_nats::jetstream::context::{
    CreateStreamErrorKind, GetStreamError, GetStreamErrorKind, PublishError, PublishErrorKind,
};
use async_nats::jetstream::stream::{
    Config, DiscardPolicy, LastRawMessageErrorKind, RetentionPolicy, StorageType, Stream as Handle,
};
use async_nats::jetstream::{Context, ErrorCode};

use super::format::Format;
use super::{POSITION, object};
use crate::Fault;
use crate::address::Address;

/// How long the server remembers numbers of messages. Order and absence of doubles do not hang on it: messages say what
/// they follow. After somebody empties the stream, what is sent again is refused for so long.
const DUPLICATES: Duration = Duration::from_secs(10);

/// A stream's name, its subjects, and where it is.
pub(super) struct Stream {
    pub(super) name: String,
    /// The first word of its subjects.
    pub(super) subject: String,
    pub(super) format: Format,
    replicas: usize,
    address: Address,
}

/// The end of a stream.
pub(super) struct Last {
    /// The number that the stream gave last; 0 when it never held anything.
    pub(super) sequence: u64,
    /// Epoch and `seq` of the message of that number; none when it is no longer there, or somebody else's.
    pub(super) position: Option<(u64, u64)>,
}

impl Stream {
    /// What the parameters of `address` say.
    pub(super) fn at(address: Address) -> Result<Self, Fault> {
        let format = Format::of(&address)?;
        Ok(Self {
            name: address.word("stream")?.unwrap_or(format.stream()).to_owned(),
            subject: address.word("subject")?.unwrap_or(format.subject()).to_owned(),
            format,
            replicas: address.number("replicas", 1, 5)?.unwrap_or(1),
            address,
        })
    }

    /// Where the stream ends; it is made if it is not there.
    pub(super) async fn last(&self, context: &Context) -> Result<Last, Fault> {
        let handle = self.handle(context).await?;
        let info = handle.cached_info();
        let (all, more) = (self.subjects(), format!("{}.>", self.subject));
        let takes = |subject: &String| [all.as_str(), more.as_str(), ">"].contains(&subject.as_str());
        if !info.config.subjects.iter().any(takes) {
            let theirs = info.config.subjects.join(", ");
            return Err(
                self.wrong(&format!("the stream {} takes {theirs}, not {all}; name another ?stream=", self.name))
            );
        }
        let sequence = info.state.last_sequence;
        if sequence == 0 {
            return Ok(Last { sequence, position: None });
        }
        let message = match handle.get_raw_message(sequence).await {
            Ok(message) => message,
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => {
                return Ok(Last { sequence, position: None });
            }
            Err(error) => return Err(self.wrong(&format!("its last message cannot be read ({error})"))),
        };
        let position = message.headers.get(POSITION).and_then(|text| object::parse_position(text.as_str()));
        if position.is_none() && self.format.is_of_others() {
            return Ok(Last { sequence, position });
        }
        let not_ours =
            || self.wrong(&format!("the last message of {} is no exported event; name another ?stream=", self.name));
        Ok(Last { sequence, position: Some(position.ok_or_else(not_ours)?) })
    }

    /// What the stream takes when it is made.
    fn subjects(&self) -> String {
        format!("{}.{}", self.subject, self.format.wildcard())
    }

    async fn handle(&self, context: &Context) -> Result<Handle, Fault> {
        match context.get_stream(&self.name).await {
            Ok(handle) => Ok(handle),
            Err(error) if missing(&error) => self.make(context).await,
            Err(error) => Err(self.wrong(&advice(&error.kind().to_string(), code(&error)))),
        }
    }

    /// Two relays may make it at once: the same stream is not made twice.
    async fn make(&self, context: &Context) -> Result<Handle, Fault> {
        let config = Config {
            name: self.name.clone(),
            description: Some(self.format.description().to_owned()),
            subjects: vec![self.subjects()],
            storage: StorageType::File,
            num_replicas: self.replicas,
            // Kept for ever, until somebody changes that; what does not fit is refused, never thrown away.
            retention: RetentionPolicy::Limits,
            discard: DiscardPolicy::New,
            max_messages: -1,
            max_messages_per_subject: -1,
            max_bytes: -1,
            max_message_size: -1,
            max_age: Duration::ZERO,
            duplicate_window: DUPLICATES,
            ..Config::default()
        };
        let made = context.create_stream(config).await;
        if made.is_ok() {
            tracing::info!(stream = self.name, "export: the stream is made");
        }
        made.map_err(|error| {
            let code = match error.kind() {
                CreateStreamErrorKind::JetStream(error) => Some(error.error_code()),
                CreateStreamErrorKind::JetStreamUnavailable => Some(ErrorCode::JETSTREAM_NOT_ENABLED),
                _ => None,
            };
            self.wrong(&advice(&error.to_string(), code))
        })
    }

    /// A message could not be sent, or was not taken.
    pub(super) fn refused(&self, error: &PublishError) -> Fault {
        match error.kind() {
            PublishErrorKind::WrongLastSequence => self.wrong("the stream is not as it was left; its end is looked up"),
            PublishErrorKind::StreamNotFound => {
                self.wrong(&format!("the stream {} is gone; it is made again", self.name))
            }
            _ => self.wrong(&format!("a message was not taken ({error})")),
        }
    }

    /// A message about this export that says what to do.
    pub(super) fn wrong(&self, what: &str) -> Fault {
        self.address.wrong(&what.replace('\n', " "))
    }
}

fn missing(error: &GetStreamError) -> bool {
    code(error) == Some(ErrorCode::STREAM_NOT_FOUND)
}

fn code(error: &GetStreamError) -> Option<ErrorCode> {
    match error.kind() {
        GetStreamErrorKind::JetStream(error) => Some(error.error_code()),
        _ => None,
    }
}

/// What is wrong with JetStream itself. A server without it does not answer its requests at all.
fn advice(said: &str, code: Option<ErrorCode>) -> String {
    match code {
        Some(ErrorCode::JETSTREAM_NOT_ENABLED | ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT) => {
            "the server has no JetStream; start nats-server with -js, or enable it for the account".to_owned()
        }
        Some(ErrorCode::STREAM_SUBJECT_OVERLAP) => {
            "another stream takes these subjects; name that one with ?stream=, or other subjects with ?subject="
                .to_owned()
        }
        Some(ErrorCode::INSUFFICIENT_RESOURCES | ErrorCode::STORAGE_RESOURCES_EXCEEDED) => {
            format!("JetStream has no room for the stream ({said}); give it more, or say fewer ?replicas=")
        }
        _ => format!("JetStream does not answer ({said}); start nats-server with -js, or correct the address"),
    }
}
