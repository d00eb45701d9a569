//! The clock of whoever drives a world: the wall's, or one that tests set.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

/// Milliseconds since the Unix epoch.
#[derive(Debug)]
pub struct Clock {
    /// Zero: ask the wall.
    set: AtomicU64,
}

impl Clock {
    /// The machine's own clock.
    #[must_use]
    pub const fn wall() -> Self {
        Self { set: AtomicU64::new(0) }
    }

    /// A clock that stands at `millis` until somebody moves it.
    #[must_use]
    pub const fn standing_at(millis: u64) -> Self {
        Self { set: AtomicU64::new(millis) }
    }

    /// Moves a standing clock on; the wall's clock minds nothing.
    pub fn advance(&self, millis: u64) {
        if self.set.load(Ordering::Relaxed) != 0 {
            self.set.fetch_add(millis, Ordering::Relaxed);
        }
    }

    /// What it shows.
    #[must_use]
    pub fn now(&self) -> u64 {
        match self.set.load(Ordering::Relaxed) {
            0 => wall_millis(),
            millis => millis,
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a venue has its own clock")]
fn wall_millis() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
