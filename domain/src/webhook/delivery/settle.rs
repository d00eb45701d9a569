//! What follows from an attempt.

use super::{ANSWER_KEPT, ATTEMPTS_KEPT, Attempt, Delivery, Status};
use crate::webhook::Schedule;
use crate::{Then, Timestamp};

/// The status that says that nothing is wanted any more.
const GONE: u16 = 410;

/// What an endpoint answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Its HTTP status.
    pub status: u16,
    /// The beginning of its body.
    pub body: Vec<u8>,
    /// How long it asks to be left alone, in microseconds.
    pub retry_after: Option<i64>,
}

/// What came of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// When it was sent.
    pub at: Timestamp,
    /// How long it took.
    pub millis: u64,
    /// The answer, or why there is none.
    pub answer: Result<Answer, String>,
}

/// A delivery after an attempt, and what becomes of its job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The delivery as it will be.
    pub delivery: Delivery,
    /// The verdict on its job.
    pub then: Then,
    /// The endpoint wants nothing any more.
    pub gone: bool,
}

/// What follows from an attempt: 2xx is delivered, 410 ends it and its endpoint, all else is tried again while the schedule
/// has attempts. `payload` is what was sent: it is kept while the delivery is not done.
#[must_use]
pub fn settle(before: &Delivery, outcome: &Outcome, payload: &str, schedule: &Schedule, draw: u64) -> Settled {
    let settled = settle_moved(before, outcome, payload, schedule, draw);
    if outcome.answer.as_ref().is_ok_and(|answer| answer.status == GONE) {
        let (status, reason) = (Status::Failed, Some("GONE".to_owned()));
        let delivery = Delivery { status, reason, next_at: None, ..settled.delivery };
        return Settled { delivery, then: Then::Finish, gone: true };
    }
    settled
}

/// The same where the endpoint has moved since: a 410 from where it was is a failure like any other.
#[must_use]
pub fn settle_moved(before: &Delivery, outcome: &Outcome, payload: &str, schedule: &Schedule, draw: u64) -> Settled {
    let now = outcome.at.plus_millis(i64::try_from(outcome.millis).unwrap_or(i64::MAX));
    let mut after =
        Delivery { version: before.version + 1, next_at: None, reason: None, updated_at: now, ..before.clone() };
    after.tries = before.tries.saturating_add(1);
    after.attempts.push(attempt(outcome));
    let surplus = after.attempts.len().saturating_sub(ATTEMPTS_KEPT);
    after.attempts.drain(..surplus);
    let (status, retry_after) = match &outcome.answer {
        Ok(answer) => (Some(answer.status), answer.retry_after),
        Err(_) => (None, None),
    };
    if status.is_some_and(|status| (200..300).contains(&status)) {
        after.status = Status::Delivered;
        return Settled { delivery: after, then: Then::Finish, gone: false };
    }
    after.payload = Some(payload.to_owned());
    let tries = usize::try_from(after.tries).unwrap_or(usize::MAX);
    match schedule.wait(tries, retry_after, draw) {
        Some(wait) => {
            let run_at = now.plus_micros(wait);
            after.next_at = Some(run_at);
            let error = match (&outcome.answer, status) {
                (Err(error), _) => error.clone(),
                (_, status) => format!("answered {}", status.unwrap_or_default()),
            };
            Settled { delivery: after, then: Then::Retry { run_at, error }, gone: false }
        }
        None => {
            after.status = Status::Failed;
            after.reason = Some("ATTEMPTS_EXHAUSTED".to_owned());
            Settled { delivery: after, then: Then::Finish, gone: false }
        }
    }
}

impl Delivery {
    /// Given up without another attempt.
    #[must_use]
    pub fn given_up(&self, reason: &str, now: Timestamp) -> Self {
        let (status, reason) = (Status::Failed, Some(reason.to_owned()));
        Self { version: self.version + 1, status, next_at: None, reason, updated_at: now, ..self.clone() }
    }
}

fn attempt(outcome: &Outcome) -> Attempt {
    let (status, error, answer) = match &outcome.answer {
        Ok(answer) => {
            let kept = &answer.body[..answer.body.len().min(ANSWER_KEPT)];
            let text = (!kept.is_empty()).then(|| String::from_utf8_lossy(kept).into_owned());
            (Some(answer.status), None, text)
        }
        Err(error) => (None, Some(error.clone()), None),
    };
    Attempt { at: outcome.at, status, millis: outcome.millis, error, answer }
}
