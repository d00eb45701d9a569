//! The job that brings a delivery: what it says, and whether it still counts.

use super::{Delivery, Status};

/// What a job of the queue says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// The delivery's id.
    pub delivery: String,
    /// Why the job was made.
    pub round: Round,
}

/// Why a job of the queue was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Round {
    /// For the delivery that was just made of the event of this number: its first attempt needs not read it.
    First(u64),
    /// For the delivery's round of this number, which has its payload with it.
    Other(u32),
}

impl Delivery {
    pub(super) fn task(&self) -> Task {
        let seq = Some(self.about.seq).filter(|seq| *seq > 0 && self.version == 1 && self.payload.is_none());
        Task { delivery: self.id.clone(), round: seq.map_or(Round::Other(self.round), Round::First) }
    }
}

impl Task {
    pub(super) fn write(&self) -> String {
        match self.round {
            Round::First(seq) => format!("{} {seq}", self.delivery),
            Round::Other(round) => format!("{} r{round}", self.delivery),
        }
    }

    /// Reads a job's body.
    #[must_use]
    pub fn read(body: &str) -> Option<Self> {
        let (delivery, round) = body.split_once(' ')?;
        let round = match round.strip_prefix('r') {
            Some(round) => Round::Other(round.parse().ok()?),
            None => Round::First(round.parse().ok()?),
        };
        Some(Self { delivery: delivery.to_owned(), round })
    }

    /// Whether the job was made for the delivery as it is now.
    #[must_use]
    pub fn is_for(&self, delivery: &Delivery) -> bool {
        let round = match self.round {
            Round::First(_) => 0,
            Round::Other(round) => round,
        };
        delivery.round == round && delivery.status == Status::Pending
    }
}
