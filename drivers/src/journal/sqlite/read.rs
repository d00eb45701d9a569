//! The questions that readers answer.

use domain::{Audience, DeadJob, Entity, Event, Job, JobId, Kind, Timestamp};
use rusqlite::{Connection, Error, OptionalExtension, Row, params};

use super::rows;
use crate::journal::Depth;
use crate::journal::walks::{Stretch, Walks};

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

pub(super) fn events(conn: &Connection, after: u64, limit: usize) -> Result<Vec<Event>, Error> {
    let sql = format!("select {} from event where seq > ?1 order by seq limit ?2", rows::EVENT);
    collect(conn, &sql, params![sql_number(after), sql_limit(limit)], rows::event)
}

/// What an audience sees, read at one moment.
pub(super) fn events_of(conn: &Connection, after: u64, audience: &Audience, limit: usize) -> Result<Vec<Event>, Error> {
    conn.execute("savepoint page", [])?;
    let numbers = seen(conn, after, audience, limit.min(ROWS_LIMIT));
    let events = numbers.and_then(|numbers| {
        let sql = format!("select {} from event where seq = ?1", rows::EVENT);
        let mut read = conn.prepare_cached(&sql)?;
        numbers.iter().map(|seq| read.query_row([sql_number(*seq)], rows::event)).collect()
    });
    conn.execute("release page", [])?;
    events
}

/// The numbers of the first events that an audience sees: its own, those that concern it, and each seller's deals.
fn seen(conn: &Connection, after: u64, audience: &Audience, limit: usize) -> Result<Vec<u64>, Error> {
    let mut own = conn.prepare_cached("select seq from event where owner = ?1 and seq > ?2 order by seq limit ?3")?;
    let mut concerning =
        conn.prepare_cached("select seq from event where party = ?1 and seq > ?2 order by seq limit ?3")?;
    let mut deals = conn.prepare_cached(
        "select seq from event indexed by event_of_deal where kind = 'deal' and owner = ?1 and seq > ?2
         order by seq limit ?3",
    )?;
    let sellers = &audience.sellers;
    let count = 2 + sellers.len();
    let mut walks = Walks::new(count, false, after, limit, (2 * limit / count).max(2));
    loop {
        let turn = walks.turn();
        if turn.is_empty() {
            return Ok(walks.end().numbers);
        }
        for walk in turn {
            let (statement, name) = match walk {
                0 => (&mut own, &audience.account),
                1 => (&mut concerning, &audience.account),
                seller => (&mut deals, &sellers[seller - 2]),
            };
            let length = walks.stretch();
            let values = params![name.as_str(), sql_number(walks.at(walk)), length.cast_signed()];
            let found: Vec<u64> = statement.query_map(values, |row| rows::number(row, 0))?.collect::<Result<_, _>>()?;
            let looked = found.len();
            let last = found.last().copied();
            walks.read(walk, Stretch { found, looked, last, over: looked < length });
        }
    }
}

pub(super) fn jobs(conn: &Connection, queue: &str, after: JobId, limit: usize) -> Result<Vec<Job>, Error> {
    let sql = format!(
        "select {} from job indexed by job_by_queue where queue = ?1 and id > ?2 order by id limit ?3",
        rows::JOB
    );
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
           (select count(*) from dead_job where queue = ?1),
           min(run_at) filter (where head = 1 and run_at <= ?2 and coalesce(lease_until, ?2) <= ?2)
         from job where queue = ?1",
    )?;
    count.query_row(params![queue, now.0], |row| {
        let (all, leased, ready) = (rows::number(row, 0)?, rows::number(row, 1)?, rows::number(row, 2)?);
        let oldest = row.get::<_, Option<i64>>(4)?.map(Timestamp);
        Ok(Depth { ready, leased, waiting: all - leased - ready, dead: rows::number(row, 3)?, oldest })
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
