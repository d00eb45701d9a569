//! What the writer thread is asked, and what it answers.

use domain::{Change, Claimed, JobId, Kind, Lease, Received, Timestamp};
use tokio::sync::oneshot;

use super::groups::Verdict;
use crate::Fault;
use crate::journal::{Claim, Receipt, Receive};

/// Where an answer goes.
pub(super) type Reply<T> = oneshot::Sender<Result<T, Fault>>;

/// What the writer is asked.
pub(super) enum Command {
    Apply(Change, Reply<Receipt>),
    Claim(Claim, Reply<Vec<Claimed>>),
    Renew(Vec<Lease>, Reply<Vec<Lease>>),
    Receive(Receive, Reply<Vec<Received>>),
    DropJobs(String, usize, Reply<usize>),
    JudgeDead(JobId, Verdict, Timestamp, Reply<bool>),
    Sweep(Timestamp, usize, Reply<usize>),
    Forget(Timestamp, usize, Reply<usize>),
    Prune(Prune, Reply<usize>),
    DropLevels(String, String, usize, Reply<usize>),
    Ping(Reply<()>),
    Close(Reply<()>),
    #[cfg(test)]
    Pragma(String, Reply<()>),
}

/// Which entities are to be deleted, as [`crate::journal::Journal::prune`] says.
pub(super) struct Prune {
    pub(super) kind: Kind,
    pub(super) statuses: Vec<&'static str>,
    pub(super) before: Timestamp,
    pub(super) limit: usize,
}

/// What a command came to, kept until the commit.
pub(super) enum Outcome {
    Applied(Receipt),
    Claimed(Vec<Claimed>),
    Lost(Vec<Lease>),
    Received(Vec<Received>),
    Judged(bool),
    Deleted(usize),
    Done,
    Failed(Fault),
}

impl Command {
    /// Whether it may wait a moment while callers crowd: a worker's step, a claim, what is old.
    pub(super) fn is_patient(&self) -> bool {
        match self {
            Self::Apply(change, _) => change.step.is_some(),
            Self::Claim(..) | Self::Forget(..) | Self::Prune(..) | Self::DropJobs(..) | Self::DropLevels(..) => true,
            _ => false,
        }
    }

    /// Answers; a caller that has gone away loses nothing but the answer.
    pub(super) fn answer(self, outcome: Outcome) {
        match (self, outcome) {
            (Self::Apply(_, reply), Outcome::Applied(receipt)) => drop(reply.send(Ok(receipt))),
            (Self::Apply(_, reply), Outcome::Failed(fault)) => drop(reply.send(Err(fault))),
            (Self::Claim(_, reply), Outcome::Claimed(claimed)) => drop(reply.send(Ok(claimed))),
            (Self::Claim(_, reply), Outcome::Failed(fault)) => drop(reply.send(Err(fault))),
            (Self::Renew(_, reply), Outcome::Lost(lost)) => drop(reply.send(Ok(lost))),
            (Self::Renew(_, reply), Outcome::Failed(fault)) => drop(reply.send(Err(fault))),
            (Self::Receive(_, reply), Outcome::Received(received)) => drop(reply.send(Ok(received))),
            (Self::Receive(_, reply), Outcome::Failed(fault)) => drop(reply.send(Err(fault))),
            (Self::DropJobs(.., reply) | Self::DropLevels(.., reply), Outcome::Deleted(count)) => {
                drop(reply.send(Ok(count)));
            }
            (Self::DropJobs(.., reply) | Self::DropLevels(.., reply), Outcome::Failed(fault)) => {
                drop(reply.send(Err(fault)));
            }
            (Self::JudgeDead(.., reply), Outcome::Judged(found)) => drop(reply.send(Ok(found))),
            (Self::JudgeDead(.., reply), Outcome::Failed(fault)) => drop(reply.send(Err(fault))),
            (Self::Sweep(.., reply) | Self::Forget(.., reply) | Self::Prune(.., reply), Outcome::Deleted(count)) => {
                drop(reply.send(Ok(count)));
            }
            (Self::Sweep(.., reply) | Self::Forget(.., reply) | Self::Prune(.., reply), Outcome::Failed(fault)) => {
                drop(reply.send(Err(fault)));
            }
            (Self::Ping(reply) | Self::Close(reply), Outcome::Failed(fault)) => drop(reply.send(Err(fault))),
            (Self::Ping(reply) | Self::Close(reply), _) => drop(reply.send(Ok(()))),
            #[cfg(test)]
            (Self::Pragma(_, reply), Outcome::Failed(fault)) => drop(reply.send(Err(fault))),
            #[cfg(test)]
            (Self::Pragma(_, reply), _) => drop(reply.send(Ok(()))),
            // Dropping the reply tells the caller that the journal is gone, which is right for an impossible pair.
            _ => debug_assert!(false, "an answer of another command"),
        }
    }
}
