//! How the servers answered over time: what was refused, what was never answered, and the longest time without an answer.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::StatusCode;
use tokio::time::Instant;

/// Shared by all clients.
pub(crate) struct Record(Mutex<Span>);

/// What happened since somebody last asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    begun: Instant,
    answered: Instant,
    /// Answers but for 503.
    pub(crate) answers: u32,
    /// Answers 503.
    pub(crate) refused: u32,
    /// Connections that broke, or gave no answer in time.
    pub(crate) unheard: u32,
    /// The longest time in which nobody got an answer.
    pub(crate) longest: Duration,
    /// The longest time in which no subscriber heard of an order that ended.
    pub(crate) longest_idle: Duration,
    idle_since: Instant,
    /// When the last 503 came, after the span's beginning.
    pub(crate) refused_until: Duration,
}

impl Span {
    fn new() -> Self {
        let (now, zero) = (Instant::now(), Duration::ZERO);
        Self {
            begun: now,
            answered: now,
            answers: 0,
            refused: 0,
            unheard: 0,
            longest: zero,
            longest_idle: zero,
            idle_since: now,
            refused_until: zero,
        }
    }
}

impl Default for Record {
    fn default() -> Self {
        Self(Mutex::new(Span::new()))
    }
}

impl Record {
    /// Takes an answer in; none is one that never came.
    pub(crate) fn note(&self, status: Option<StatusCode>) {
        let mut span = self.lock();
        match status {
            Some(StatusCode::SERVICE_UNAVAILABLE) => {
                span.refused += 1;
                span.refused_until = span.begun.elapsed();
            }
            Some(_) => {
                span.longest = span.longest.max(span.answered.elapsed());
                span.answers += 1;
                span.answered = Instant::now();
            }
            None => span.unheard += 1,
        }
    }

    /// A subscriber heard that an order ended.
    pub(crate) fn note_end(&self) {
        let mut span = self.lock();
        span.longest_idle = span.longest_idle.max(span.idle_since.elapsed());
        span.idle_since = Instant::now();
    }

    /// Ends the present span, and begins another.
    pub(crate) fn turn(&self) -> Span {
        let mut span = self.lock();
        span.longest = span.longest.max(span.answered.elapsed());
        span.longest_idle = span.longest_idle.max(span.idle_since.elapsed());
        std::mem::replace(&mut *span, Span::new())
    }

    fn lock(&self) -> MutexGuard<'_, Span> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
