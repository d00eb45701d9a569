//! Queues of messages, in the words and by the rules of Amazon SQS: settings, messages, handles, moves.
//!
//! A queue is an entity; its messages are jobs of the journal's queue named by its generation.

mod attributes;
mod decide;
mod handle;
mod message;
mod moves;
mod name;
mod number;
mod refusal;
mod send;
mod settings;
mod state;

pub mod arn;

pub use decide::{Create, Rests, create, delete, paused, purge, set, tag, target, untag};
pub use handle::{Handle, Secret};
pub use message::{Attribute, Incoming, Message, Outgoing, Value};
pub use moves::{Move, MoveBody, MoveStatus, QUEUE_MOVE};
pub use name::{check_name, id_of, is_fifo};
pub use refusal::Refusal;
pub use send::{LONGEST, batch_size, call_of, wrong_type};
pub use settings::{DedupScope, Permission, Redrive, RedriveAllow, Settings, ThroughputLimit};
pub use state::{Body, Queue, Sent, Status};

/// Attributes of a queue as a caller names them: AWS's names, values as text. `""` takes away what may be absent.
pub type Wanted = std::collections::BTreeMap<String, String>;

#[cfg(test)]
mod tests;
