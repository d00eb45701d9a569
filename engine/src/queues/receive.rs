//! Messages received: at once if there are any, else after a wait in the queue's line.

use std::sync::Arc;
use std::time::Duration;

use domain::queue::{Incoming, Queue, Refusal, call_of, wrong_type};
use domain::{Owner, Timestamp};
use drivers::journal::Receive;
use drivers::{Conflict, Fault};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::{DEADLINE, QueueError, Queues, within};
use crate::clock;

/// How long who has its turn waits for a hint before it looks again: doubled from the first to the last.
const LOOK_AGAIN: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(200)];
/// A look meets so many hand-outs of messages that are too old or dead letters; the loop that clears does the rest.
const ROUNDS: usize = 8;
/// The longest time that a message is hidden, in seconds.
pub(super) const LONGEST_HIDDEN: i64 = 43_200;

/// A wish for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// At most so many; 1 to 10.
    pub max: i64,
    /// Hidden for so many seconds; none: as the queue says.
    pub visibility: Option<i64>,
    /// Waits for so many seconds while there are none; none: as the queue says.
    pub wait: Option<i64>,
    /// Names the call: asked again while its messages are hidden it gets the same ones. FIFO only.
    pub attempt_id: Option<String>,
    /// One of each group at most, and those that were received too often as well: for who does what they say, each before the next,
    /// and puts aside itself what cannot be done.
    pub in_turn: bool,
}

impl Default for Wish {
    fn default() -> Self {
        Self { max: 1, visibility: None, wait: None, attempt_id: None, in_turn: false }
    }
}

/// A wish that can be granted.
pub(super) struct Look {
    pub(super) limit: usize,
    pub(super) hide_micros: i64,
    pub(super) call: Option<String>,
    pub(super) in_turn: bool,
}

impl Queues {
    /// Receives messages.
    ///
    /// # Errors
    /// `QueueDoesNotExist`, `OverLimit`, `InvalidParameterValue`.
    pub async fn receive(&self, account: &Owner, name: &str, wish: Wish) -> Result<Vec<Incoming>, QueueError> {
        let queue = self.find(account, name).await?;
        let (look, wait) = understand(&queue, &wish)?;
        let deadline = Instant::now() + wait;
        let found = within(DEADLINE, self.look(&queue, &look, clock::now())).await?;
        if !found.is_empty() || wait.is_zero() {
            return Ok(found);
        }
        let line = self.turns.of(&queue.id);
        let Ok(_turn) = timeout_at(deadline, line.lock()).await else { return Ok(Vec::new()) };
        let [mut pause, longest] = LOOK_AGAIN;
        while Instant::now() < deadline && !self.resting.is_cancelled() {
            let queue = self.find(account, name).await?;
            let news = self.wake.queue(queue.generation());
            let heard = news.notified();
            let found = within(DEADLINE, self.look(&queue, &look, clock::now())).await?;
            if !found.is_empty() {
                return Ok(found);
            }
            tokio::select! {
                () = heard => pause = LOOK_AGAIN[0],
                () = sleep(pause) => pause = longest.min(pause * 2),
                () = sleep_until(deadline) => {}
                () = self.resting.cancelled() => {}
            }
        }
        Ok(Vec::new())
    }

    /// Looks once.
    pub(super) async fn look(
        &self,
        queue: &Arc<Queue>,
        look: &Look,
        now: Timestamp,
    ) -> Result<Vec<Incoming>, QueueError> {
        if queue.body.paused {
            return Ok(Vec::new());
        }
        if self.is_full(queue, now) {
            if queue.settings().fifo {
                return Ok(Vec::new());
            }
            let why = format!("Too many messages in flight: at most {} of a queue are.", self.settings.in_flight);
            return Err(Refusal::OverLimit(why).into());
        }
        for _ in 0..ROUNDS {
            let receive = Receive {
                queue: queue.generation().to_owned(),
                limit: look.limit,
                hide_micros: look.hide_micros,
                call: look.call.clone(),
                one_each: look.in_turn,
                now,
            };
            let received = match self.journal.receive(receive).await {
                Ok(received) => received,
                Err(Fault::Conflict(Conflict::Settled)) => return Err(not_retryable().into()),
                Err(fault) => return Err(fault.into()),
            };
            if received.is_empty() {
                return Ok(Vec::new());
            }
            self.flights.handed_out(queue.generation(), received.len());
            let kept = self.sift(queue, received, look, now).await?;
            if !kept.is_empty() {
                self.metrics.queues.received(kept.len());
                return Ok(kept);
            }
        }
        self.litter.notify_one();
        Ok(Vec::new())
    }
}

pub(super) fn understand(queue: &Queue, wish: &Wish) -> Result<(Look, Duration), Refusal> {
    let settings = queue.settings();
    let limit = usize::try_from(wish.max).ok().filter(|max| (1..=10).contains(max));
    let limit = limit
        .ok_or_else(|| Refusal::value(wish.max, "MaxNumberOfMessages", "Must be between 1 and 10, if provided."))?;
    let visibility = wish.visibility.unwrap_or(i64::from(settings.visibility));
    check_visibility(visibility)?;
    let wait = wish.wait.unwrap_or(i64::from(settings.wait));
    let wait = u64::try_from(wait)
        .ok()
        .filter(|wait| *wait <= 20)
        .ok_or_else(|| Refusal::value(wait, "WaitTimeSeconds", "Must be >= 0 and <= 20, if provided."))?;
    let call = match &wish.attempt_id {
        Some(id) if !settings.fifo => return Err(wrong_type(id, "ReceiveRequestAttemptId")),
        Some(id) => Some(call_of(id)?),
        None => None,
    };
    Ok((Look { limit, hide_micros: visibility * 1_000_000, call, in_turn: wish.in_turn }, Duration::from_secs(wait)))
}

/// Whether a message may be hidden for so many seconds.
pub(super) fn check_visibility(seconds: i64) -> Result<(), Refusal> {
    if (0..=LONGEST_HIDDEN).contains(&seconds) {
        return Ok(());
    }
    let why = "VisibilityTimeout must be >= 0 and <= 43200.";
    Err(Refusal::value(seconds, "VisibilityTimeout", why))
}

fn not_retryable() -> Refusal {
    let why = "One or more parameters are invalid. Reason: The receive request attempt ID is not valid anymore since the \
               receive call is not retryable.";
    Refusal::InvalidParameterValue(why.to_owned())
}
