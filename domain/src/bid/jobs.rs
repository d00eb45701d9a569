//! The jobs that deals and bids leave to do: bids to be closed, because their deal is gone or their time ran out.

use crate::{NewJob, Timestamp};

/// The queue of bids to expire; a job's body is the bid's id.
pub const QUEUE_EXPIRE: &str = "bid.expire";
/// The queue of bids to close.
pub const QUEUE_CLOSE: &str = "bid.close";

/// What a job of that queue is to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Close {
    /// The bids for a deal, a page of them from that position on; the next page is another job.
    Deal {
        /// The deal's id.
        id: String,
        /// Beyond this `created_seq`.
        after: Option<u64>,
    },
    /// One bid that was made: its deal may have gone while it was.
    Bid {
        /// The bid's id.
        id: String,
    },
}

impl Close {
    /// The job, its bids' turn within the deal's group.
    #[must_use]
    pub fn job(&self, group: &str, now: Timestamp) -> NewJob {
        let body = match self {
            Self::Deal { id, after: None } => format!("deal {id}"),
            Self::Deal { id, after: Some(after) } => format!("deal {id} {after}"),
            Self::Bid { id } => format!("bid {id}"),
        };
        let group = Some(format!("deal:{group}"));
        NewJob { queue: QUEUE_CLOSE.into(), group, lane: None, run_at: now, body, dedup: None }
    }

    /// What the body of a job says.
    #[must_use]
    pub fn parse(body: &str) -> Option<Self> {
        let mut words = body.split(' ');
        let (what, id, after) = (words.next()?, words.next()?.to_owned(), words.next());
        match (what, after) {
            ("bid", None) => Some(Self::Bid { id }),
            ("deal", None) => Some(Self::Deal { id, after: None }),
            ("deal", Some(after)) => Some(Self::Deal { id, after: Some(after.parse().ok()?) }),
            _ => None,
        }
    }
}

/// The job that declines every open bid for a deal that takes no more.
#[must_use]
pub fn close_all(deal: &str, now: Timestamp) -> NewJob {
    Close::Deal { id: deal.to_owned(), after: None }.job(deal, now)
}
