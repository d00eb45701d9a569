//! Named places where a crash test kills the process; a relaxed load each when none is armed.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Every fail point, in the order of an order's life. The crash test asserts that each was hit.
pub const NAMES: [&str; 14] = [
    "commit.before",
    "commit.written",
    "commit.after",
    "claim.after",
    "routing.after",
    "submit.before",
    "submit.sent",
    "confirm.before",
    "confirm.after",
    "retry.before",
    "bury.before",
    "relay.before",
    "relay.sent",
    "relay.after",
];

static ARMED: AtomicBool = AtomicBool::new(false);
static LEFT: [AtomicU64; NAMES.len()] = [const { AtomicU64::new(0) }; NAMES.len()];

/// Arms the points of `name=n,name=n`: the process is killed (SIGKILL) at the n-th hit.
///
/// # Errors
/// A name that is none, or a count that is no positive number, as text for the operator.
pub fn arm(spec: &str) -> Result<(), String> {
    for part in spec.split(',').filter(|part| !part.is_empty()) {
        let (name, count) = part.split_once('=').unwrap_or((part, "1"));
        let index = NAMES.iter().position(|n| *n == name).ok_or_else(|| format!("no fail point is named {name:?}"))?;
        let count: u64 = count.parse().ok().filter(|n| *n > 0).ok_or_else(|| format!("{count:?} is no count"))?;
        LEFT[index].store(count, Ordering::Relaxed);
        ARMED.store(true, Ordering::Relaxed);
    }
    Ok(())
}

/// Passes the point `name`, and dies there if its count is used up.
#[inline]
pub fn hit(name: &'static str) {
    if ARMED.load(Ordering::Relaxed) {
        hit_armed(name);
    }
}

#[cold]
fn hit_armed(name: &str) {
    let Some(index) = NAMES.iter().position(|n| *n == name) else {
        debug_assert!(false, "{name} is missing in failpoint::NAMES");
        return;
    };
    let left = LEFT[index].fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
    if left == Ok(1) {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        std::process::abort();
    }
}
