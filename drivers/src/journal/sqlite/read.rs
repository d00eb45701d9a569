//! The questions that readers answer.

use std::collections::BTreeSet;

use domain::{DeadJob, Entity, Event, Job, JobId, Kind, Owner, Timestamp};
use rusqlite::types::Value;
use rusqlite::{Connection, Error, OptionalExtension, Row, params, params_from_iter};

use super::rows;
use crate::journal::{Depth, List};

/// The most rows in one answer.
const ROWS_LIMIT: usize = 1_000;

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

/// A page of entities. With states, one walk of the status index per state, merged; else a walk by owner or by number.
pub(super) fn entities(conn: &Connection, list: &List) -> Result<Vec<Entity>, Error> {
    let mut values: Vec<Value> = vec![list.kind.as_str().to_owned().into()];
    let mut filter = String::new();
    let mut bind = |value: Value| {
        values.push(value);
        values.len()
    };
    if let Some(owner) = &list.owner {
        let n = bind(owner.as_str().to_owned().into());
        filter += &format!(" and owner = ?{n}");
    }
    if let Some(after) = list.after {
        let n = bind(sql_number(after).into());
        filter += &format!(" and created_seq {} ?{n}", if list.newest_first { '<' } else { '>' });
    }
    for (field, text) in &list.fields {
        if !is_plain(field) {
            return Err(Error::InvalidParameterName((*field).to_owned()));
        }
        let n = bind(text.clone().into());
        filter += &format!(" and body ->> '$.{field}' = ?{n}");
    }
    let limit = bind(sql_limit(list.limit).into());
    let states: BTreeSet<&String> = list.statuses.iter().collect();
    let statuses: Vec<usize> = states.into_iter().map(|status| bind(status.clone().into())).collect();
    let index = match (statuses.is_empty(), list.owner.is_some()) {
        (false, _) => "indexed by entity_by_status",
        (true, true) => "indexed by entity_by_owner",
        (true, false) => "not indexed",
    };
    let walk = |status: String| format!("select {} from entity {index} where kind = ?1{filter}{status}", rows::ENTITY);
    let walks = if statuses.is_empty() {
        walk(String::new())
    } else {
        let walks: Vec<String> = statuses.iter().map(|n| walk(format!(" and status = ?{n}"))).collect();
        walks.join(" union all ")
    };
    let direction = if list.newest_first { "desc" } else { "asc" };
    let sql = format!("{walks} order by created_seq {direction} limit ?{limit}");
    collect(conn, &sql, params_from_iter(values), rows::entity)
}

/// Field paths come from the program; this keeps it so that no other text ever gets into a statement.
fn is_plain(field: &str) -> bool {
    !field.is_empty() && field.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.')
}

fn collect<T>(
    conn: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
    read: impl FnMut(&Row<'_>) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    conn.prepare_cached(sql)?.query_map(params, read)?.collect()
}

fn sql_number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn sql_limit(limit: usize) -> i64 {
    limit.min(ROWS_LIMIT).cast_signed() as i64
}
