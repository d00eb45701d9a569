//! A world did not do what it was asked.

use thiserror::Error;

/// Why a call was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// No pool makes this swap, or not at this size.
    #[error("{0}")]
    NoRoute(String),
    /// The venue failed; asking again may help.
    #[error("the venue failed (as it was told to)")]
    VenueFailed,
    /// The transaction cannot be read; the text says where.
    #[error("malformed transaction: {0}")]
    Malformed(&'static str),
    /// The signature is not that of the account's wallet over these bytes.
    #[error("the signature does not verify")]
    BadSignature,
    /// The blockhash is of no slot that this chain has had.
    #[error("the blockhash is unknown")]
    BlockhashUnknown,
    /// The blockhash is too old for any further block.
    #[error("the blockhash has expired")]
    BlockhashExpired,
    /// Too many transactions wait for their slot; try again later.
    #[error("too many transactions are waiting")]
    Full,
    /// The submission was taken, its answer is lost. To the caller: outcome unknown.
    #[error("the connection was lost (as it was told to be)")]
    AnswerLost,
}

impl Refused {
    /// Stable, for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoRoute(_) => "NO_ROUTE",
            Self::VenueFailed => "VENUE_FAILED",
            Self::Malformed(_) => "MALFORMED_TRANSACTION",
            Self::BadSignature => "BAD_SIGNATURE",
            Self::BlockhashUnknown => "BLOCKHASH_UNKNOWN",
            Self::BlockhashExpired => "BLOCKHASH_EXPIRED",
            Self::Full => "FULL",
            Self::AnswerLost => "ANSWER_LOST",
        }
    }
}
