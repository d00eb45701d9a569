//! Between what travels and what the world takes and gives.

use super::{Ask, Blockhash, Mode, Status};
use crate::{Amount, Outcome};

impl Ask {
    /// The question as the world takes it.
    #[must_use]
    pub fn as_world(&self) -> crate::Ask<'_> {
        let amount = match self.mode {
            Mode::ExactIn => Amount::In(self.amount),
            Mode::ExactOut => Amount::Out(self.amount),
        };
        crate::Ask { venue: self.venue, input: &self.input, output: &self.output, amount }
    }
}

impl From<crate::Ask<'_>> for Ask {
    fn from(ask: crate::Ask<'_>) -> Self {
        let (mode, amount) = match ask.amount {
            Amount::In(amount) => (Mode::ExactIn, amount),
            Amount::Out(amount) => (Mode::ExactOut, amount),
        };
        Self { venue: ask.venue, input: ask.input.to_owned(), output: ask.output.to_owned(), mode, amount }
    }
}

impl From<crate::Blockhash> for Blockhash {
    fn from(blockhash: crate::Blockhash) -> Self {
        let text = bs58::encode(blockhash.hash).into_string();
        Self { slot: blockhash.slot, blockhash: text, last_valid_height: blockhash.last_valid_height() }
    }
}

impl Blockhash {
    /// The blockhash to sign with, if the text is one.
    #[must_use]
    pub fn as_signable(&self) -> Option<crate::Blockhash> {
        let mut hash = [0; 16];
        let length = bs58::decode(&self.blockhash).onto(&mut hash).ok()?;
        (length == hash.len()).then_some(crate::Blockhash { slot: self.slot, hash })
    }
}

impl From<Outcome> for Status {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Open => Self::Open,
            Outcome::Confirmed { amount_in, amount_out, slot } => Self::Confirmed { amount_in, amount_out, slot },
            Outcome::Failed(code) => Self::Failed { code, message: code.message().to_owned() },
            Outcome::Expired => Self::Expired,
        }
    }
}

impl From<Status> for Outcome {
    fn from(status: Status) -> Self {
        match status {
            Status::Open => Self::Open,
            Status::Confirmed { amount_in, amount_out, slot } => Self::Confirmed { amount_in, amount_out, slot },
            Status::Failed { code, .. } => Self::Failed(code),
            Status::Expired => Self::Expired,
        }
    }
}
