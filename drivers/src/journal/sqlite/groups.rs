//! Groups and the dead: which job of a group may run, and what an operator makes of those given up.

use domain::JobId;
use rusqlite::{Connection, Error, OptionalExtension, params};

use super::apply::Batch;

/// What an operator wants with a dead job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Retry,
    Discard,
}

impl Batch<'_> {
    /// The oldest job of a group without a head becomes its head.
    pub(super) fn promote(&mut self, queue: &str, group: &str, at: i64) -> Result<(), Error> {
        let next = self
            .conn
            .prepare_cached(
                "select id, run_at, lane from job where queue = ?1 and group_id = ?2 and head = 0 order by id limit 1",
            )?
            .query_row(params![queue, group], |row| {
                Ok((super::rows::number(row, 0)?, row.get::<_, i64>(1)?, row.get::<_, Option<String>>(2)?))
            })
            .optional()?;
        let Some((id, run_at, lane)) = next else { return Ok(()) };
        self.conn.prepare_cached("update job set head = 1 where id = ?1")?.execute(params![id.cast_signed()])?;
        let place = self.state.windows.place(queue, lane.as_deref());
        self.state.windows.offer(place, (run_at, id), at);
        Ok(())
    }

    /// Retries or discards a dead job; false when there is none of that number.
    pub(super) fn judge_dead(&mut self, job: JobId, verdict: Verdict, now: i64) -> Result<bool, Error> {
        let dead: Option<(String, Option<String>, Option<String>, bool)> = self
            .conn
            .prepare_cached("select queue, group_id, lane, parked from dead_job where id = ?1")?
            .query_row(params![job.cast_signed()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
            .optional()?;
        let Some((queue, group, lane, parked)) = dead else { return Ok(false) };
        self.begin()?;
        if verdict == Verdict::Retry {
            let head = match &group {
                None => true,
                Some(_) if parked => true,
                Some(group) => !has_head(self.conn, &queue, group)? && !is_parked(self.conn, &queue, group)?,
            };
            self.conn
                .prepare_cached(
                    "insert into job (id, queue, group_id, head, lane, run_at, attempt, lease_until, lease_token, body, last_error)
                     select id, queue, group_id, ?2, lane, ?3, 0, null, lease_token, body, last_error
                     from dead_job where id = ?1",
                )?
                .execute(params![job.cast_signed(), head, now])?;
            if head {
                let place = self.state.windows.place(&queue, lane.as_deref());
                self.state.windows.offer(place, (now, job), now);
            }
        }
        self.conn.prepare_cached("delete from dead_job where id = ?1")?.execute(params![job.cast_signed()])?;
        if verdict == Verdict::Discard
            && parked
            && let Some(group) = &group
        {
            self.promote(&queue, group, now)?;
        }
        Ok(true)
    }
}

/// Whether a new job of the group would be its head.
pub(super) fn is_free(conn: &Connection, queue: &str, group: &str) -> Result<bool, Error> {
    Ok(!has_jobs(conn, queue, group)? && !is_parked(conn, queue, group)?)
}

fn has_jobs(conn: &Connection, queue: &str, group: &str) -> Result<bool, Error> {
    conn.prepare_cached("select 1 from job where queue = ?1 and group_id = ?2 limit 1")?.exists(params![queue, group])
}

fn has_head(conn: &Connection, queue: &str, group: &str) -> Result<bool, Error> {
    conn.prepare_cached("select 1 from job where queue = ?1 and group_id = ?2 and head = 1 limit 1")?
        .exists(params![queue, group])
}

fn is_parked(conn: &Connection, queue: &str, group: &str) -> Result<bool, Error> {
    conn.prepare_cached("select 1 from dead_job where queue = ?1 and group_id = ?2 and parked = 1 limit 1")?
        .exists(params![queue, group])
}
