//! What no driver takes: a change beyond these limits can never be applied.

use domain::{Change, Event, Expect, LevelMove, NewJob};

use super::Receive;
use crate::Fault;

/// Scopes of the keys that de-duplicate jobs start with this; no change may take one itself.
pub(super) const JOB_SCOPE: &str = "job:";

/// The most levels that are read at once.
pub(super) const LEVELS_LIMIT: usize = 1_000;

/// Refuses a call with a name that no row can hold.
pub(super) fn nameable(receive: &Receive) -> Result<(), Fault> {
    const CALL: usize = 128;
    match &receive.call {
        Some(call) if call.is_empty() || call.len() > CALL || call.contains('\0') => {
            Err(Fault::Broken(format!("a call whose name has {} bytes", call.len())))
        }
        _ => Ok(()),
    }
}

/// Why the change can never be applied, if so.
pub(super) fn within_limits(change: &Change) -> Result<(), String> {
    const ID: usize = 64;
    const KEY: usize = 255;
    const DEDUP: usize = 128;
    const NEWEST: u64 = i64::MAX.cast_unsigned() - 1;
    for write in &change.entities {
        if write.id.is_empty() || write.id.len() > ID {
            return Err(format!("{} id of {} bytes", write.kind, write.id.len()));
        }
        if write.parent.as_ref().is_some_and(|parent| parent.len() > ID) {
            return Err(format!("{} {} with too long a parent", write.kind, write.id));
        }
        if matches!(write.expect, Expect::Version(v) if v > NEWEST) {
            return Err(format!("{} {} at no possible version", write.kind, write.id));
        }
        if let Some(event) = &write.event
            && event.body.len() > Event::BODY_LIMIT
        {
            return Err(format!("{} of {} {}: body of {} bytes", event.type_, write.kind, write.id, event.body.len()));
        }
    }
    for (index, key) in change.keys.iter().enumerate() {
        if key.key.len() > KEY || key.scope.len() > KEY || key.id.len() > ID || key.version > NEWEST {
            return Err(format!("a key of scope {:.64} exceeds the limits", key.scope));
        }
        if key.scope.starts_with(JOB_SCOPE) {
            return Err(format!("scope {:.64} belongs to the queues", key.scope));
        }
        if change.keys[..index].iter().any(|earlier| earlier.scope == key.scope && earlier.key == key.key) {
            return Err(format!("the same key twice in one change, scope {:.64}", key.scope));
        }
    }
    let too_long = |job: &NewJob| job.dedup.as_ref().is_some_and(|dedup| dedup.key.len() > DEDUP);
    if let Some(job) = change.jobs.iter().find(|job| too_long(job)) {
        return Err(format!("a job of queue {} with too long a de-duplication key", job.queue));
    }
    let nameless = |level: &&LevelMove| level.name.is_empty() || level.name.len() > KEY;
    if let Some(level) = change.levels.iter().find(nameless) {
        return Err(format!("a level whose name has {} bytes", level.name.len()));
    }
    Ok(())
}
