//! The decisions about queues: made, changed, purged, deleted.

use std::collections::BTreeMap;

use super::attributes::wanted_target;
use super::state::Body;
use super::{Queue, Refusal, Settings, Status, Wanted, check_name, id_of};
use crate::{Change, Owner, Timestamp};

/// The most tags of a queue, and the longest key and value.
const TAGS: usize = 50;
const TAG_KEY: usize = 128;
const TAG_VALUE: usize = 256;
/// So many purged generations wait at most to be cleared away.
const OLD_GENERATIONS: usize = 100;

/// How long a queue rests after what must not be done twice in a row, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rests {
    /// Between a queue's deletion and another one of its name.
    pub name_micros: i64,
    /// Between two purges.
    pub purge_micros: i64,
}

impl Default for Rests {
    /// 60 seconds, as AWS has it.
    fn default() -> Self {
        Self { name_micros: 60_000_000, purge_micros: 60_000_000 }
    }
}

/// A queue that is wanted.
#[derive(Clone, Debug)]
pub struct Create {
    /// Whose it is to be.
    pub account: Owner,
    /// Its name.
    pub name: String,
    /// Its attributes; others are as AWS has them by default.
    pub wanted: Wanted,
    /// What its owner calls it.
    pub tags: BTreeMap<String, String>,
    /// Its first generation: a new UUID v7.
    pub generation: String,
}

impl Create {
    /// The name of the dead-letter queue that it is to have, if any.
    ///
    /// # Errors
    /// As AWS refuses a redrive policy.
    pub fn target(&self) -> Result<Option<String>, Refusal> {
        target(&self.account, &self.wanted)
    }
}

/// The name of the dead-letter queue that is wanted, if one is.
///
/// # Errors
/// As AWS refuses a redrive policy.
pub fn target(account: &Owner, wanted: &Wanted) -> Result<Option<String>, Refusal> {
    wanted_target(account, wanted)
}

/// Makes a queue, or finds that it is there. `existing` is what the journal holds under its id, deleted or not; `target` the
/// dead-letter queue that is wanted, if there is one of that name. No change means that it is there as it is wanted.
///
/// # Errors
/// `QueueNameExists`, `QueueDeletedRecently`, and those of names, attributes and tags.
pub fn create(
    existing: Option<&Queue>,
    create: Create,
    target: Option<&Queue>,
    rests: Rests,
    now: Timestamp,
) -> Result<(Queue, Option<Change>), Refusal> {
    let Create { account, name, wanted, tags, generation } = create;
    let settings = Settings::create(&account, &name, &wanted)?;
    if let Some(queue) = existing.filter(|queue| queue.is_active()) {
        return match queue.settings().differing(&account, &wanted)? {
            Some(attribute) => Err(Refusal::QueueNameExists(attribute)),
            None => Ok((queue.clone(), None)),
        };
    }
    let deleted_at = existing.and_then(|queue| queue.body.deleted_at);
    if deleted_at.is_some_and(|at| now < at.plus_micros(rests.name_micros)) {
        return Err(Refusal::QueueDeletedRecently);
    }
    check_tags(&name, &tags)?;
    let old = existing.map(|queue| queue.body.old.clone()).unwrap_or_default();
    let queue = Queue {
        id: id_of(&account, &name),
        version: existing.map_or(1, |queue| queue.version + 1),
        status: Status::Active,
        account,
        body: Body {
            name,
            generation,
            settings,
            tags,
            paused: false,
            created_at: now,
            modified_at: now,
            purged_at: None,
            deleted_at: None,
            moving: None,
            old,
        },
    };
    check_target(&queue, &wanted, target)?;
    let change = written(&queue, now);
    Ok((queue, Some(change)))
}

/// Changes a queue's attributes.
///
/// # Errors
/// Those of attributes.
pub fn set(
    queue: &Queue,
    wanted: &Wanted,
    target: Option<&Queue>,
    now: Timestamp,
) -> Result<(Queue, Option<Change>), Refusal> {
    let mut next = queue.clone();
    next.body.settings = queue.settings().with(&queue.account, wanted)?;
    check_target(&next, wanted, target)?;
    next.body.modified_at = now;
    Ok(changed(queue, next, now))
}

/// Adds tags, or gives them other values.
///
/// # Errors
/// `InvalidParameterValue` when they are too many or too long.
pub fn tag(queue: &Queue, tags: BTreeMap<String, String>, now: Timestamp) -> Result<(Queue, Option<Change>), Refusal> {
    let mut next = queue.clone();
    next.body.tags.extend(tags);
    check_tags(queue.name(), &next.body.tags)?;
    Ok(changed(queue, next, now))
}

/// Takes tags away.
#[must_use]
pub fn untag(queue: &Queue, keys: &[String], now: Timestamp) -> (Queue, Option<Change>) {
    let mut next = queue.clone();
    next.body.tags.retain(|key, _| !keys.contains(key));
    changed(queue, next, now)
}

/// Lets it hand out nothing, or go on.
#[must_use]
pub fn paused(queue: &Queue, paused: bool, now: Timestamp) -> (Queue, Option<Change>) {
    let mut next = queue.clone();
    next.body.paused = paused;
    changed(queue, next, now)
}

/// Deletes all its messages, and forgets its duplicates: it goes on in a new generation.
///
/// # Errors
/// `PurgeQueueInProgress` within a minute of the last time.
pub fn purge(
    queue: &Queue,
    generation: String,
    rests: Rests,
    now: Timestamp,
) -> Result<(Queue, Option<Change>), Refusal> {
    let rests = queue.body.purged_at.is_some_and(|at| now < at.plus_micros(rests.purge_micros));
    if rests || queue.body.old.len() >= OLD_GENERATIONS {
        return Err(Refusal::PurgeQueueInProgress(queue.name().to_owned()));
    }
    let mut next = queue.clone();
    next.body.old.push(std::mem::replace(&mut next.body.generation, generation));
    next.body.purged_at = Some(now);
    Ok(changed(queue, next, now))
}

/// Deletes it with all its messages.
#[must_use]
pub fn delete(queue: &Queue, now: Timestamp) -> (Queue, Option<Change>) {
    let mut next = queue.clone();
    next.status = Status::Deleted;
    next.body.deleted_at = Some(now);
    next.body.moving = None;
    next.body.old.push(queue.generation().to_owned());
    changed(queue, next, now)
}

fn changed(before: &Queue, mut after: Queue, now: Timestamp) -> (Queue, Option<Change>) {
    if after.body == before.body && after.status == before.status {
        return (after, None);
    }
    after.version = before.version + 1;
    let change = written(&after, now);
    (after, Some(change))
}

fn written(queue: &Queue, now: Timestamp) -> Change {
    Change { at: now, entities: vec![queue.write()], ..Change::default() }
}

/// Whether a queue may have the dead-letter queue that is wanted for it.
fn check_target(queue: &Queue, wanted: &Wanted, target: Option<&Queue>) -> Result<(), Refusal> {
    let Some(redrive) = queue.settings().redrive.as_ref().filter(|_| wanted.contains_key("RedrivePolicy")) else {
        return Ok(());
    };
    let wrong =
        |why: &str| Err(Refusal::value(wanted.get("RedrivePolicy").map_or("", String::as_str), "RedrivePolicy", why));
    let other = |target: &&Queue| target.is_active() && target.name() == redrive.target && target.id != queue.id;
    let Some(target) = target.filter(other) else {
        return wrong("Dead letter target does not exist.");
    };
    if target.settings().fifo != queue.settings().fifo {
        return wrong("Dead-letter queue must be same type of queue as the source.");
    }
    if target.settings().redrive_allow.as_ref().is_some_and(|allow| !allow.allows(&queue.arn())) {
        return wrong("The dead-letter queue's redrive allow policy does not allow this queue.");
    }
    Ok(())
}

fn check_tags(name: &str, tags: &BTreeMap<String, String>) -> Result<(), Refusal> {
    check_name(name)?;
    if tags.len() > TAGS {
        return Err(Refusal::InvalidParameterValue(format!("Too many tags added for queue {name}.")));
    }
    let long = |(key, value): (&String, &String)| {
        key.is_empty() || key.chars().count() > TAG_KEY || value.chars().count() > TAG_VALUE
    };
    let controls = |(key, value): (&String, &String)| key.chars().chain(value.chars()).any(char::is_control);
    if tags.iter().any(|tag| long(tag) || controls(tag)) {
        let why = "A tag's key has 1 to 128 characters, its value at most 256; neither has control characters.";
        return Err(Refusal::InvalidParameterValue(why.to_owned()));
    }
    Ok(())
}
