//! The questions that readers answer.

use domain::{DeadJob, Entity, Event, Job, JobId, Kind, Owner, Timestamp};
use rusqlite::{Connection, Error, OptionalExtension, Row, params};

use super::rows;
use crate::journal::Depth;

/// The most rows in one answer.
pub(super) const ROWS_LIMIT: usize = 1_000;

pub(super) fn entity(conn: &Connection, kind: Kind, id: &str) -> Result<Option<Entity>, Error> {
    let sql = format!("select {} from entity where kind = ?1 and id = ?2", rows::ENTITY);
    conn.prepare_cached(&sql)?.query_row(params![kind.as_str(), id], rows::entity).optional()
}

pub(super) fn history(conn: &Connection, kind: Kind, id: &str, after: u64, limit: usize) -> Result<Vec<Event>, Error> {
    let sql = format!(
        "select {} from event where kind = ?1 and id = ?2 and version > ?3 order by version limit ?4",
        rows::EVENT
    );
    collect(conn, &sql, params![kind.as_str(), id, sql_number(after), sql_limit(limit)], rows::event)
}

pub(super) fn events(conn: &Connection, after: u64, owner: Option<&Owner>, limit: usize) -> Result<Vec<Event>, Error> {
    let (after, limit) = (sql_number(after), sql_limit(limit));
    match owner {
        None => {
            let sql = format!("select {} from event where seq > ?1 order by seq limit ?2", rows::EVENT);
            collect(conn, &sql, params![after, limit], rows::event)
        }
        Some(owner) => {
            let sql = format!("select {} from event where owner = ?1 and seq > ?2 order by seq limit ?3", rows::EVENT);
            collect(conn, &sql, params![owner.as_str(), after, limit], rows::event)
        }
    }
}

pub(super) fn jobs(conn: &Connection, queue: &str, after: JobId, limit: usize) -> Result<Vec<Job>, Error> {
    let sql = format!("select {} from job where queue = ?1 and id > ?2 order by id limit ?3", rows::JOB);
    collect(conn, &sql, params![queue, sql_number(after), sql_limit(limit)], rows::job)
}

pub(super) fn dead_jobs(conn: &Connection, queue: &str, after: JobId, limit: usize) -> Result<Vec<DeadJob>, Error> {
    let sql = format!("select {} from dead_job where queue = ?1 and id > ?2 order by id limit ?3", rows::DEAD_JOB);
    collect(conn, &sql, params![queue, sql_number(after), sql_limit(limit)], rows::dead_job)
}

pub(super) fn depth(conn: &Connection, queue: &str, now: Timestamp) -> Result<Depth, Error> {
    let mut count = conn.prepare_cached(
        "select count(*),
           count(*) filter (where lease_until > ?2),
           count(*) filter (where head = 1 and run_at <= ?2 and coalesce(lease_until, ?2) <= ?2),
           (select count(*) from dead_job where queue = ?1)
         from job where queue = ?1",
    )?;
    count.query_row(params![queue, now.0], |row| {
        let (all, leased, ready) = (rows::number(row, 0)?, rows::number(row, 1)?, rows::number(row, 2)?);
        Ok(Depth { ready, leased, waiting: all - leased - ready, dead: rows::number(row, 3)? })
    })
}

fn collect<T>(
    conn: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
    read: impl FnMut(&Row<'_>) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    conn.prepare_cached(sql)?.query_map(params, read)?.collect()
}

pub(super) fn sql_number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn sql_limit(limit: usize) -> i64 {
    limit.min(ROWS_LIMIT).cast_signed() as i64
}
