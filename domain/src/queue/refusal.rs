//! What a queue refuses, by AWS's names; the text is what AWS says.

use thiserror::Error;

/// Why a request about queues was not done. The name of a variant is AWS's code, its text AWS's message.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// There is no such queue, or not for this account.
    #[error("The specified queue does not exist.")]
    QueueDoesNotExist,
    /// A queue of that name has another value of the named attribute.
    #[error("A queue already exists with the same name and a different value for attribute {0}")]
    QueueNameExists(String),
    /// A queue of that name was deleted within the last 60 seconds.
    #[error("You must wait 60 seconds after deleting a queue before you can create another with the same name.")]
    QueueDeletedRecently,
    /// The named queue was purged within the last 60 seconds.
    #[error("Only one PurgeQueue operation on {0} is allowed every 60 seconds.")]
    PurgeQueueInProgress(String),
    /// Too many messages of a standard queue are in flight, or another limit; says which.
    #[error("{0}")]
    OverLimit(String),
    /// The handle is none of this queue's; as it was given.
    #[error("The input receipt handle \"{0}\" is not a valid receipt handle.")]
    ReceiptHandleIsInvalid(String),
    /// A parameter says what cannot be; says which and why.
    #[error("{0}")]
    InvalidParameterValue(String),
    /// There is no such attribute of a queue of this type.
    #[error("Unknown Attribute {0}.")]
    InvalidAttributeName(String),
    /// An attribute of a queue cannot have that value; says which.
    #[error("{0}")]
    InvalidAttributeValue(String),
    /// A parameter that is needed is not there: its name.
    #[error("The request must contain the parameter {0}.")]
    MissingParameter(String),
    /// The handle's message is visible again.
    #[error("The specified message isn't in flight.")]
    MessageNotInflight,
    /// A text has characters that XML 1.0 does not know.
    #[error(
        "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | \
         #x10000 to #x10FFFF"
    )]
    InvalidMessageContents,
    /// The entries have so many bytes together.
    #[error("Batch requests cannot be longer than 1048576 bytes. You have sent {0} bytes.")]
    BatchRequestTooLong(usize),
    /// A batch without entries.
    #[error("There should be at least one {0} in the request.")]
    EmptyBatchRequest(String),
    /// A batch of so many entries.
    #[error("Maximum number of entries per request are 10. You have sent {0}.")]
    TooManyEntriesInBatchRequest(usize),
    /// Two entries have this id.
    #[error("Id {0} repeated.")]
    BatchEntryIdsNotDistinct(String),
    /// An entry's id has other characters, or too many.
    #[error(
        "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long."
    )]
    InvalidBatchEntryId,
    /// It cannot be done to this; says why.
    #[error("{0}")]
    UnsupportedOperation(String),
    /// What a move speaks of is not there; says what.
    #[error("{0}")]
    ResourceNotFoundException(String),
    /// Too much is asked for at once: again in a moment.
    #[error("Rate exceeded")]
    RequestThrottled,
}

impl Refusal {
    /// `Value v for parameter p is invalid. Reason: why`.
    #[must_use]
    pub fn value(value: impl std::fmt::Display, parameter: &str, why: &str) -> Self {
        Self::InvalidParameterValue(format!("Value {value} for parameter {parameter} is invalid. Reason: {why}"))
    }

    /// A handle whose time ran out, of a FIFO queue.
    #[must_use]
    pub fn expired(handle: &str) -> Self {
        Self::value(handle, "ReceiptHandle", "The receipt handle has expired.")
    }

    /// A message that is not there, or is another receiver's, so that its visibility cannot be changed.
    #[must_use]
    pub fn not_available(handle: &str) -> Self {
        let why = "Message does not exist or is not available for visibility timeout change.";
        Self::value(handle, "ReceiptHandle", why)
    }
}
