//! Messages: jobs that are received, hidden by the clock rather than leased, and settled by whoever received them last.
//!
//! A group may be received from while its oldest message is visible; those behind it follow up to the first that is hidden.

use domain::{Change, JobId, MessageStep, Received, Settle, Timestamp};
use rusqlite::{Error, OptionalExtension, Row, params};

use super::apply::{Batch, Stop};
use super::rows;
use super::window::{Next, Place, Slot};
use crate::journal::limits::nameable;
use crate::journal::settling::Settling;
use crate::journal::{MessageCounts, Receive};
use crate::{Conflict, Fault};

/// The most messages that one call hands out.
const RECEIVE_LIMIT: usize = 1_000;

impl Batch<'_> {
    /// Hands out visible messages, oldest first, as many as possible of a group before the next. A call that was answered before
    /// is answered with the same ones, hidden anew.
    pub(super) fn receive(&mut self, receive: &Receive) -> Result<Vec<Received>, Stop> {
        nameable(receive).map_err(Stop::Alone)?;
        self.state.clock = (self.now, receive.now.0);
        if let Some(again) = self.receive_again(receive)? {
            return Ok(again);
        }
        let limit = receive.limit.min(RECEIVE_LIMIT);
        let Some(queue) = self.state.windows.find(&receive.queue) else { return Ok(Vec::new()) };
        let mut received = Vec::new();
        // Visible again from these times on, but not to this call.
        let mut heads: Vec<(Place, Slot)> = Vec::new();
        while received.len() < limit {
            match self.state.windows.next(queue, receive.now.0) {
                Next::Nothing => break,
                Next::Load(place) => self.load(place, receive.now.0)?,
                Next::Job(place, slot @ (_, id)) => {
                    self.begin()?;
                    // It is out by its own time, and takes no room of its lane.
                    self.state.windows.release(place);
                    // Hidden for no time at all it was found on disk once more.
                    if receive.hide_micros <= 0 && heads.iter().any(|(_, (_, taken))| *taken == id) {
                        continue;
                    }
                    if let Some(until) = self.receive_from(slot, receive, limit, &mut received)? {
                        heads.push((place, (until, id)));
                    }
                }
            }
        }
        for (place, slot) in heads {
            self.state.windows.offer(place, slot, receive.now.0);
        }
        self.name_call(receive, &received)?;
        Ok(received)
    }

    /// The head of a group, or a message without one, and those of the group that follow and are visible. Answers with the time
    /// that hides the head.
    fn receive_from(
        &self,
        (visible_from, head): Slot,
        receive: &Receive,
        limit: usize,
        received: &mut Vec<Received>,
    ) -> Result<Option<i64>, Error> {
        // Where it was moved to another time since, that has a place of its own in the window.
        let Some(first) = self.hide(head, receive, Some(visible_from))? else { return Ok(None) };
        let (until, group) = (first.job.run_at.0, first.job.group.clone());
        received.push(first);
        let Some(group) = group.filter(|_| !receive.one_each) else { return Ok(Some(until)) };
        for id in self.followers(&receive.queue, &group, head, receive.now.0, limit - received.len())? {
            received.extend(self.hide(id, receive, None)?);
        }
        Ok(Some(until))
    }

    fn hide(&self, id: JobId, receive: &Receive, visible_from: Option<i64>) -> Result<Option<Received>, Error> {
        let sql = format!(
            "update job set attempt = attempt + 1, lease_token = lease_token + 1, run_at = ?3,
             first_at = coalesce(first_at, ?4), call = null, call_of = null
             where id = ?1 and queue = ?2 and run_at <= ?4 and (?5 is null or run_at = ?5) returning {}, lease_token, first_at",
            rows::JOB
        );
        let until = receive.now.0.saturating_add(receive.hide_micros);
        self.conn
            .prepare_cached(&sql)?
            .query_row(params![id.cast_signed(), receive.queue, until, receive.now.0, visible_from], received_row)
            .optional()
    }

    /// The group's messages after its head up to the first that is hidden.
    fn followers(&self, queue: &str, group: &str, head: JobId, now: i64, limit: usize) -> Result<Vec<JobId>, Error> {
        let mut behind = self.conn.prepare_cached(
            "select id, run_at from job where queue = ?1 and group_id = ?2 and head = 0 and id > ?3 order by id limit ?4",
        )?;
        let mut rows = behind.query(params![queue, group, head.cast_signed(), limit.cast_signed() as i64])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            if row.get::<_, i64>(1)? > now {
                break;
            }
            found.push(rows::number(row, 0)?);
        }
        Ok(found)
    }

    fn name_call(&mut self, receive: &Receive, received: &[Received]) -> Result<(), Error> {
        let Some(call) = &receive.call else { return Ok(()) };
        let mut name = self.conn.prepare_cached("update job set call = ?2, call_of = ?3 where id = ?1")?;
        for one in received {
            name.execute(params![one.job.id.cast_signed(), call, received.len().cast_signed() as i64])?;
        }
        Ok(())
    }

    /// What an earlier call of that name received, if that is hidden still and none of it was settled meanwhile.
    fn receive_again(&mut self, receive: &Receive) -> Result<Option<Vec<Received>>, Stop> {
        let Some(call) = &receive.call else { return Ok(None) };
        let mut find = self
            .conn
            .prepare_cached("select id, call_of from job where queue = ?1 and call = ?2 and run_at > ?3 order by id")?;
        let mut rows = find.query(params![receive.queue, call, receive.now.0])?;
        let (mut ids, mut of): (Vec<i64>, usize) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            ids.push(row.get(0)?);
            of = usize::try_from(row.get::<_, i64>(1)?).unwrap_or(usize::MAX);
        }
        drop(rows);
        drop(find);
        if ids.is_empty() {
            return Ok(None);
        }
        if ids.len() != of {
            return Err(Stop::Alone(Fault::Conflict(Conflict::Settled)));
        }
        self.begin()?;
        let sql =
            format!("update job set run_at = ?2 where id = ?1 returning {}, lease_token, first_at, head", rows::JOB);
        let until = receive.now.0.saturating_add(receive.hide_micros);
        let mut again = Vec::new();
        for id in ids {
            let (one, head) = self
                .conn
                .prepare_cached(&sql)?
                .query_row(params![id, until], |row| Ok((received_row(row)?, row.get::<_, bool>(10)?)))?;
            if head {
                let place = self.state.windows.place(&receive.queue, one.job.lane.as_deref());
                self.state.windows.offer(place, (until, one.job.id), receive.now.0);
            }
            again.push(one);
        }
        Ok(Some(again))
    }

    /// Whether each message stands as the change says.
    pub(super) fn check_messages(&self, change: &Change) -> Result<(), Stop> {
        let mut settling = Settling::default();
        for step in &change.messages {
            let found: Option<(u64, i64)> = self
                .conn
                .prepare_cached("select lease_token, run_at from job where id = ?1 and queue = ?2")?
                .query_row(params![step.job.cast_signed(), step.queue], |row| Ok((rows::number(row, 0)?, row.get(1)?)))
                .optional()?;
            let (token, run_at) = found.ok_or(Stop::Alone(Fault::Conflict(Conflict::Gone(step.job))))?;
            let judged = settling.judge(step, token, run_at, change.at.0);
            judged.map_err(|conflict| Stop::Alone(Fault::Conflict(conflict)))?;
        }
        Ok(())
    }

    /// What becomes of a message whose step was seen to count. Whether it is a head is asked now: a step before this one may
    /// have made it one.
    pub(super) fn settle(&mut self, step: &MessageStep, at: i64) -> Result<(), Error> {
        match step.then {
            Settle::Delete => self.delete_message(step, at),
            Settle::ShowAt(Timestamp(run_at)) => self.show_message(step, run_at, at),
        }
    }

    fn delete_message(&mut self, step: &MessageStep, at: i64) -> Result<(), Error> {
        let deleted: Option<(Option<String>, bool)> = self
            .conn
            .prepare_cached("delete from job where id = ?1 returning group_id, head")?
            .query_row([step.job.cast_signed()], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        if let Some((Some(group), true)) = deleted {
            self.promote(&step.queue, &group, at)?;
        }
        Ok(())
    }

    fn show_message(&mut self, step: &MessageStep, run_at: i64, at: i64) -> Result<(), Error> {
        let id = step.job.cast_signed();
        let standing: Option<(bool, i64, Option<String>)> = self
            .conn
            .prepare_cached("select head, run_at, lane from job where id = ?1")?
            .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        self.conn
            .prepare_cached("update job set run_at = ?2, call = null, call_of = null where id = ?1")?
            .execute(params![id, run_at])?;
        if let Some((true, before, lane)) = standing {
            let place = self.state.windows.place(&step.queue, lane.as_deref());
            self.state.windows.withdraw(place, (before, step.job));
            self.state.windows.offer(place, (run_at, step.job), at);
        }
        Ok(())
    }

    /// Deletes at most `limit` jobs of a queue that is no more; answers with how many.
    pub(super) fn drop_jobs(&mut self, queue: &str, limit: usize) -> Result<usize, Error> {
        self.begin()?;
        let limit = limit.min(super::read::ROWS_LIMIT);
        let dropped = self
            .conn
            .prepare_cached("delete from job where id in (select id from job where queue = ?1 order by id limit ?2)")?
            .execute(params![queue, super::read::sql_limit(limit)])?;
        // What the window still holds of them finds no row; without any row it holds nothing worth keeping.
        if dropped < limit {
            self.state.windows.drop(queue);
        }
        Ok(dropped)
    }
}

fn received_row(row: &Row<'_>) -> Result<Received, Error> {
    Ok(Received { job: rows::job(row)?, token: rows::number(row, 8)?, first_at: Timestamp(row.get(9)?) })
}

/// How many messages of a queue are in which state: each part by an index that has all it needs, so that no row is read.
pub(super) fn counts(conn: &rusqlite::Connection, queue: &str, now: Timestamp) -> Result<MessageCounts, Error> {
    let mut heads = conn.prepare_cached(
        "select count(*), count(*) filter (where run_at <= ?2), min(run_at) filter (where run_at <= ?2)
         from job indexed by job_by_due where queue = ?1 and head = 1",
    )?;
    let mut behind = conn.prepare_cached(
        "select count(*), count(*) filter (where run_at <= ?2), min(run_at) filter (where run_at <= ?2)
         from job indexed by job_by_group where queue = ?1 and group_id is not null and head = 0",
    )?;
    let mut received = conn.prepare_cached(
        "select count(*) from job indexed by job_received where queue = ?1 and run_at > ?2 and first_at is not null",
    )?;
    let count = |row: &Row<'_>| Ok((rows::number(row, 0)?, rows::number(row, 1)?, row.get::<_, Option<i64>>(2)?));
    // One moment for all three.
    conn.execute("savepoint counts", [])?;
    let counted = heads.query_row(params![queue, now.0], count).and_then(|heads| {
        let behind = behind.query_row(params![queue, now.0], count)?;
        let hidden = received.query_row(params![queue, now.0], |row| rows::number(row, 0))?;
        Ok((heads, behind, hidden))
    });
    conn.execute("release counts", [])?;
    let ((heads, heads_visible, oldest_head), (behind, behind_visible, oldest_behind), hidden) = counted?;
    let visible = heads_visible + behind_visible;
    let oldest = [oldest_head, oldest_behind].into_iter().flatten().min().map(Timestamp);
    Ok(MessageCounts { visible, hidden, delayed: heads + behind - visible - hidden, oldest })
}

/// How many messages are received and hidden, counted up to `limit`.
pub(super) fn hidden(conn: &rusqlite::Connection, queue: &str, now: Timestamp, limit: u64) -> Result<u64, Error> {
    let sql = "select count(*) from (select 1 from job indexed by job_received
        where queue = ?1 and run_at > ?2 and first_at is not null limit ?3)";
    let limit = super::read::sql_number(limit);
    conn.prepare_cached(sql)?.query_row(params![queue, now.0, limit], |row| rows::number(row, 0))
}

/// Where levels stand, in the order of the names.
pub(super) fn levels(conn: &rusqlite::Connection, names: &[String]) -> Result<Vec<i64>, Error> {
    let mut read = conn.prepare_cached("select value from level where name = ?1")?;
    names.iter().map(|name| Ok(read.query_row([name], |row| row.get(0)).optional()?.unwrap_or(0))).collect()
}
