//! Jobs: enqueue, claim, renew, step, retry and discard.

use domain::{Claimed, Job, JobId, JobStep, Lease, NewJob, Then, Timestamp};
use rusqlite::{Connection, Error, OptionalExtension, params};

use super::apply::{Batch, Stop};
use super::groups;
use super::window::{Next, Place, Slot};
use crate::journal::Claim;
use crate::journal::limits::JOB_SCOPE;

/// The most jobs that one claim hands out.
const CLAIM_LIMIT: usize = 1_000;

/// How a job leaves the hands of its worker without being done.
struct Return<'a> {
    run_at: Timestamp,
    uncounted: u32,
    error: Option<&'a str>,
}

impl Batch<'_> {
    /// Puts a job into its queue; answers with its number, or that of the earlier one which it duplicates.
    pub(super) fn enqueue(&mut self, job: &NewJob, at: i64) -> Result<JobId, Error> {
        let Some(dedup) = &job.dedup else { return self.insert_job(job, at) };
        let scope = format!("{JOB_SCOPE}{}", job.queue);
        let earlier: Option<u64> = self
            .conn
            .prepare_cached("select version from idempotency where scope = ?1 and key = ?2 and expires_at > ?3")?
            .query_row(params![scope, dedup.key, at], |row| super::rows::number(row, 0))
            .optional()?;
        if let Some(earlier) = earlier {
            return Ok(earlier);
        }
        let id = self.insert_job(job, at)?;
        let expires_at = at.saturating_add(dedup.window_micros);
        self.write_key(&scope, &dedup.key, None, "job", "", id, Some(expires_at))?;
        Ok(id)
    }

    fn insert_job(&mut self, job: &NewJob, at: i64) -> Result<JobId, Error> {
        let id = self.state.counters.job + 1;
        let run_at = job.run_at.0;
        let head = match &job.group {
            None => true,
            Some(group) => groups::is_free(self.conn, &job.queue, group)?,
        };
        self.conn
            .prepare_cached(
                "insert into job (id, queue, group_id, head, lane, run_at, attempt, lease_token, body)
                 values (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, ?7)",
            )?
            .execute(params![id.cast_signed(), job.queue, job.group, head, job.lane, run_at, job.body])?;
        self.state.counters.job = id;
        if head {
            let place = self.state.windows.place(&job.queue, job.lane.as_deref());
            self.state.windows.offer(place, (run_at, id), at);
        }
        Ok(id)
    }

    /// Hands out due jobs, oldest first, passing over lanes that are full.
    pub(super) fn claim(&mut self, claim: &Claim) -> Result<Vec<Claimed>, Error> {
        self.state.clock = (self.now, claim.now.0);
        self.reap();
        let queue = self.state.windows.queue(claim.queue);
        self.state.windows.limit_lanes(queue, claim.per_lane, &claim.narrow);
        let mut claimed = Vec::new();
        while claimed.len() < claim.limit.min(CLAIM_LIMIT) {
            match self.state.windows.next(queue, claim.now.0) {
                Next::Nothing => break,
                Next::Load(place) => self.load(place, claim.now.0)?,
                Next::Job(place, slot) => {
                    self.begin()?;
                    claimed.extend(self.hand_out(place, slot, claim.now.0)?);
                }
            }
        }
        Ok(claimed)
    }

    /// Jobs whose lease has lapsed may be handed out again.
    pub(super) fn reap(&mut self) {
        while let Some(held) = self.state.leases.lapse(self.now) {
            self.state.windows.release(held.place);
            self.state.windows.offer(held.place, held.slot, self.wall());
        }
    }

    /// Reads the lane's next due jobs into its window.
    pub(super) fn load(&mut self, place: Place, now: i64) -> Result<(), Error> {
        let (mark, limit) = self.state.windows.refill(place);
        let queue = self.state.windows.queue_name(place.queue);
        let lane = self.state.windows.lane_name(place);
        let mut found: Vec<Slot> = Vec::new();
        let mut due = self.conn.prepare_cached(
            "select run_at, id from job where queue = ?1 and lane is ?2 and head = 1
             and (run_at, id) > (?3, ?4) and run_at <= ?5 order by run_at, id limit ?6",
        )?;
        let mut rows = due.query(params![queue, lane, mark.0, mark.1.cast_signed(), now, limit.cast_signed()])?;
        while let Some(row) = rows.next()? {
            found.push((row.get(0)?, super::rows::number(row, 1)?));
        }
        let (mark, beyond) = match found.last() {
            Some(last) if found.len() == limit => (*last, last.0),
            _ => {
                let mark = mark.max((now, i64::MAX.cast_unsigned()));
                (mark, first_beyond(self.conn, queue, lane, mark.0)?)
            }
        };
        found.retain(|slot| !self.state.leases.contains(slot.1));
        self.state.windows.filled(place, &found, mark, beyond);
        Ok(())
    }

    fn hand_out(&mut self, place: Place, slot: Slot, now: i64) -> Result<Option<Claimed>, Error> {
        let (run_at, id) = slot;
        let mut update = self.conn.prepare_cached(
            "update job set attempt = attempt + 1, lease_token = lease_token + 1, lease_until = ?2
             where id = ?1 and head = 1 returning group_id, attempt, lease_token, body, last_error",
        )?;
        let lease_until = now.saturating_add(self.state.leases.lasts_micros());
        let windows = &self.state.windows;
        let claimed = update
            .query_row(params![id.cast_signed(), lease_until], |row| {
                let job = Job {
                    id,
                    queue: windows.queue_name(place.queue).to_owned(),
                    group: row.get(0)?,
                    lane: windows.lane_name(place).map(ToOwned::to_owned),
                    run_at: Timestamp(run_at),
                    attempt: row.get(1)?,
                    body: row.get(3)?,
                    last_error: row.get(4)?,
                };
                Ok(Claimed { job, lease: Lease { job: id, token: super::rows::number(row, 2)? } })
            })
            .optional()?;
        match &claimed {
            None => self.state.windows.release(place),
            Some(Claimed { job, lease }) => {
                self.state.leases.grant(id, lease.token, place, slot, job.group.as_deref(), self.now);
            }
        }
        Ok(claimed)
    }

    /// Prolongs leases; answers with the lost ones.
    pub(super) fn renew(&mut self, leases: &[Lease]) -> Result<Vec<Lease>, Error> {
        let until = self.wall().saturating_add(self.state.leases.lasts_micros());
        let mut lost = Vec::new();
        for lease in leases {
            if self.state.leases.renew(*lease, self.now) {
                self.begin()?;
                self.conn
                    .prepare_cached("update job set lease_until = ?2 where id = ?1")?
                    .execute(params![lease.job.cast_signed(), until])?;
            } else {
                lost.push(*lease);
            }
        }
        Ok(lost)
    }

    /// What becomes of a job whose lease was seen to be valid.
    pub(super) fn step(&mut self, step: &JobStep, at: i64) -> Result<(), Stop> {
        let job = step.lease.job;
        match &step.then {
            Then::Hold => Ok(()),
            Then::Finish => self.remove(job, at, true),
            Then::Retry { run_at, error } => {
                self.give_back(job, at, &Return { run_at: *run_at, uncounted: 0, error: Some(error) })
            }
            Then::Wait { run_at } => self.give_back(job, at, &Return { run_at: *run_at, uncounted: 1, error: None }),
            Then::Bury { why, park } => {
                self.conn
                    .prepare_cached(
                        "insert into dead_job select id, queue, group_id, lane, run_at, attempt, lease_token, body,
                         last_error, ?2, ?3, ?4 from job where id = ?1",
                    )?
                    .execute(params![job.cast_signed(), why, at, park])?;
                self.remove(job, at, !park)
            }
        }
    }

    fn remove(&mut self, job: JobId, at: i64, group_goes_on: bool) -> Result<(), Stop> {
        let deleted = self.conn.prepare_cached("delete from job where id = ?1")?.execute(params![job.cast_signed()])?;
        expect_row(deleted, job)?;
        let Some(held) = self.state.leases.end(job) else { return Ok(()) };
        self.state.windows.release(held.place);
        if let Some(group) = &held.group
            && group_goes_on
        {
            let queue = self.state.windows.queue_name(held.place.queue).to_owned();
            self.promote(&queue, group, at)?;
        }
        Ok(())
    }

    fn give_back(&mut self, job: JobId, at: i64, back: &Return<'_>) -> Result<(), Stop> {
        let changed = self
            .conn
            .prepare_cached(
                "update job set run_at = ?2, attempt = max(attempt - ?3, 0), lease_until = null,
                 last_error = coalesce(?4, last_error) where id = ?1",
            )?
            .execute(params![job.cast_signed(), back.run_at.0, back.uncounted, back.error])?;
        expect_row(changed, job)?;
        if let Some(held) = self.state.leases.end(job) {
            self.state.windows.release(held.place);
            self.state.windows.offer(held.place, (back.run_at.0, job), at);
        }
        Ok(())
    }

    /// Now, in the clock of the callers.
    fn wall(&self) -> i64 {
        let (heard, then) = self.state.clock;
        let since = self.now.saturating_duration_since(heard).as_micros();
        then.saturating_add(i64::try_from(since).unwrap_or(i64::MAX))
    }
}

/// A lease in memory without its row means a damaged file.
fn expect_row(changed: usize, job: JobId) -> Result<(), Stop> {
    if changed != 1 {
        tracing::error!(job, "a leased job is not in the journal");
        return Err(Stop::Store(Error::StatementChangedRows(changed)));
    }
    Ok(())
}

/// When the lane's first job after `run_at` is due.
fn first_beyond(conn: &Connection, queue: &str, lane: Option<&str>, run_at: i64) -> Result<i64, Error> {
    let next: Option<i64> = conn
        .prepare_cached("select min(run_at) from job where queue = ?1 and lane is ?2 and head = 1 and run_at > ?3")?
        .query_row(params![queue, lane, run_at], |row| row.get(0))?;
    Ok(next.unwrap_or(i64::MAX))
}
