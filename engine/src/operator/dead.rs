//! The jobs that were given up, over all own queues: found, grouped by why, retried, discarded; a bounded part per call.

use std::collections::BTreeMap;

use domain::{DeadJob, JobId, Timestamp};
use drivers::Fault;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::Operator;
use crate::clock;

/// So many dead jobs one call looks at, at most.
pub const MOST_LOOKED: usize = 20_000;
/// So many one call retries or discards, at most.
pub const AT_ONCE: usize = 1_000;
/// Dead jobs read at once.
const PAGE: usize = 500;
/// Written side by side: the journal commits them together.
const WRITES: usize = 64;
/// More kinds of errors than this are counted together.
const MOST_GROUPS: usize = 500;
/// What those beyond 500 kinds are shown under. It is no group: who names it means no jobs.
pub const OTHERS: &str = "(other errors)";
/// What errors without a text are shown under.
const NO_TEXT: &str = "(no error)";
/// A group's name is cut to so many bytes.
pub const LONGEST_GROUP: usize = 1_024;
/// Bits of a position that are the job's; the others say which queue.
const JOB_BITS: u32 = 53;

/// Which dead jobs are meant; all of the named properties together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Those of this queue.
    pub queue: Option<&'static str>,
    /// Those whose error has this text in it, in capitals or not.
    pub error: Option<String>,
    /// Those of a group of [`Operator::errors`].
    pub group: Option<String>,
}

/// A part of the dead jobs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// By queue, then by id.
    pub jobs: Vec<DeadJob>,
    /// Where to go on; none at the end.
    pub next: Option<u64>,
}

/// Errors that say the same but for numbers and ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Whose jobs.
    pub queue: String,
    /// The text that they share, a star in the place of each number and id.
    pub error: String,
    /// How many there are.
    pub count: u64,
    /// When the newest died.
    pub newest: Timestamp,
    /// The newest.
    pub example: JobId,
}

/// The groups of a part of the dead jobs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    /// The largest first.
    pub groups: Vec<Group>,
    /// How many dead jobs were looked at.
    pub looked: usize,
    /// Where to go on; none at the end.
    pub next: Option<u64>,
}

/// What is to become of dead jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Back into their queues, their attempts at zero.
    Retry,
    /// Gone for ever.
    Discard,
}

/// What became of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judged {
    /// How many were retried or discarded.
    pub done: usize,
    /// Where to go on; none when there are no more.
    pub next: Option<u64>,
}

impl Operator {
    /// A part of the dead jobs that are wanted, after `after`; it may be short, even empty, before the end.
    ///
    /// # Errors
    /// Those of the journal.
    pub async fn dead(&self, wanted: &Wanted, after: Option<u64>, limit: usize) -> Result<Found, Fault> {
        let mut found = Found::default();
        let next = self
            .walk(wanted, after, |job| {
                found.jobs.push(job);
                found.jobs.len() <= limit
            })
            .await?;
        found.next = next;
        // One more than was asked for shows that there are more.
        if found.jobs.len() > limit {
            found.jobs.pop();
            found.next = found.jobs.last().map(|last| self.position(last));
        }
        Ok(found)
    }

    /// The dead job of that number.
    ///
    /// # Errors
    /// Those of the journal.
    pub async fn dead_job(&self, id: JobId) -> Result<Option<DeadJob>, Fault> {
        let Some(before) = id.checked_sub(1) else { return Ok(None) };
        for queue in self.queues() {
            let next = self.journal.dead_jobs(queue, before, 1).await?.pop();
            if let Some(dead) = next.filter(|dead| dead.job.id == id) {
                return Ok(Some(dead));
            }
        }
        Ok(None)
    }

    /// The errors of the dead jobs after `after`, those that say the same in one group.
    ///
    /// # Errors
    /// Those of the journal.
    pub async fn errors(&self, wanted: &Wanted, after: Option<u64>) -> Result<Groups, Fault> {
        let mut groups: BTreeMap<(String, String), Group> = BTreeMap::new();
        let mut looked = 0;
        let next = self
            .walk(wanted, after, |dead| {
                looked += 1;
                let mut key = (dead.job.queue.clone(), group_of(&dead.why));
                if groups.len() >= MOST_GROUPS && !groups.contains_key(&key) {
                    OTHERS.clone_into(&mut key.1);
                }
                let group = groups.entry(key).or_insert_with_key(|(queue, error)| Group {
                    queue: queue.clone(),
                    error: error.clone(),
                    count: 0,
                    newest: dead.died_at,
                    example: dead.job.id,
                });
                group.count += 1;
                if dead.died_at >= group.newest {
                    (group.newest, group.example) = (dead.died_at, dead.job.id);
                }
                true
            })
            .await?;
        let mut groups: Vec<Group> = groups.into_values().collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.count));
        Ok(Groups { groups, looked, next })
    }

    /// Retries or discards one dead job; false if there is none.
    ///
    /// # Errors
    /// Those of the journal.
    pub async fn judge(&self, id: JobId, verdict: Verdict) -> Result<bool, Fault> {
        match verdict {
            Verdict::Retry => self.journal.retry_dead(id, clock::now()).await,
            Verdict::Discard => self.journal.discard_dead(id, clock::now()).await,
        }
    }

    /// Retries or discards those that are wanted, at most `limit`. Some may be done when it fails: do it again.
    ///
    /// # Errors
    /// Those of the journal.
    pub async fn judge_all(
        &self,
        wanted: &Wanted,
        after: Option<u64>,
        limit: usize,
        verdict: Verdict,
    ) -> Result<Judged, Fault> {
        let Found { jobs, next } = self.dead(wanted, after, limit.min(AT_ONCE)).await?;
        let ids = jobs.into_iter().map(|dead| dead.job.id);
        let judged = stream::iter(ids).map(|id| self.judge(id, verdict)).buffer_unordered(WRITES);
        let done = judged.try_fold(0, async |done, judged| Ok(done + usize::from(judged))).await?;
        Ok(Judged { done, next })
    }

    /// Shows `see` the dead jobs that are wanted until it has enough; where to go on if that was not the last of them.
    async fn walk(
        &self,
        wanted: &Wanted,
        after: Option<u64>,
        mut see: impl FnMut(DeadJob) -> bool,
    ) -> Result<Option<u64>, Fault> {
        let (first, mut after) = split(after.unwrap_or(0));
        let error = wanted.error.as_ref().map(|error| error.to_lowercase());
        let mut looked = 0;
        for (index, queue) in self.queues().iter().enumerate().skip(first) {
            if wanted.queue.is_some_and(|wanted| wanted != *queue) {
                continue;
            }
            if index > first {
                after = 0;
            }
            loop {
                if looked >= MOST_LOOKED {
                    return Ok(Some(joined(index, after)));
                }
                let page = self.journal.dead_jobs(queue, after, PAGE).await?;
                let last = page.len() < PAGE;
                for dead in page {
                    looked += 1;
                    after = dead.job.id;
                    let is_wanted = error.as_ref().is_none_or(|error| dead.why.to_lowercase().contains(error))
                        && wanted.group.as_ref().is_none_or(|group| *group == group_of(&dead.why));
                    if is_wanted && !see(dead) {
                        return Ok(Some(joined(index, after)));
                    }
                }
                if last {
                    break;
                }
            }
        }
        Ok(None)
    }

    fn position(&self, dead: &DeadJob) -> u64 {
        let index = self.queues().iter().position(|queue| *queue == dead.job.queue).unwrap_or(0);
        joined(index, dead.job.id)
    }
}

fn joined(index: usize, id: JobId) -> u64 {
    ((index as u64) << JOB_BITS) | id
}

fn split(position: u64) -> (usize, JobId) {
    (usize::try_from(position >> JOB_BITS).unwrap_or(usize::MAX), position & ((1 << JOB_BITS) - 1))
}

/// An error with a star in the place of each number, UUID and the like: what else of it is said by many.
fn group_of(error: &str) -> String {
    let mut group = String::with_capacity(error.len());
    let mut word = String::new();
    for letter in error.chars().chain(['\0']) {
        if letter.is_ascii_alphanumeric() || letter == '-' {
            word.push(letter);
            continue;
        }
        group.push_str(if is_name(&word) { "*" } else { &word });
        word.clear();
        if letter != '\0' {
            group.push(letter);
        }
    }
    group.truncate(group.floor_char_boundary(LONGEST_GROUP));
    if group.is_empty() { NO_TEXT.to_owned() } else { group }
}

/// Whether a word is but a number or an id: it has digits, and no letters but those of hexadecimal numbers, or is long.
fn is_name(word: &str) -> bool {
    let digits = word.bytes().any(|b| b.is_ascii_digit());
    let hexadecimal = word.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    digits && (hexadecimal || word.len() >= 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_that_differ_in_numbers_and_ids_are_one_group() {
        for (error, group) in [
            ("NO_ROUTE: no venue has a quote", "NO_ROUTE: no venue has a quote"),
            ("given up after 3 attempts", "given up after * attempts"),
            ("swap 01890a5d-ac96-774b-bcce-b302099a8057: EOF", "swap *: EOF"),
            ("account 5kXVtqiHNHFHnDFVpGVKwD12345 is not there", "account * is not there"),
            ("SOL2 is dead, 0.25 left, -7", "SOL2 is dead, *.* left, *"),
            ("naïve 12", "naïve *"),
            ("", "(no error)"),
        ] {
            assert_eq!(group_of(error), group);
        }
        assert_eq!(group_of(&format!("a{}", "é".repeat(2_000))), format!("a{}", "é".repeat(511)));
    }

    #[test]
    fn positions_come_apart_again() {
        for (index, id) in [(0, 0), (0, 1), (7, (1 << 53) - 1), (2_000, 42)] {
            assert_eq!(split(joined(index, id)), (index, id));
        }
    }
}
