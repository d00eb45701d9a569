//! The questions that readers answer.

use deadpool_postgres::Object;
use domain::{DeadJob, Entity, Event, Job, JobId, Kind, Timestamp};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::rows::{self, fault, number};
use crate::journal::limits::JOB_SCOPE;
use crate::journal::{Depth, Head};
use crate::{Fault, KeyHeld};

/// The most rows in one answer.
pub(super) const ROWS_LIMIT: usize = 1_000;

pub(super) async fn entity(client: &Object, kind: Kind, id: &str) -> Result<Option<Entity>, Fault> {
    if has_zero_byte(id) {
        return Ok(None);
    }
    let sql = format!("select {} from entity where id = $2 and kind || '' = $1", rows::ENTITY);
    Ok(all(client, &sql, &[&kind.as_str(), &id], rows::entity).await?.pop())
}

pub(super) async fn history(
    client: &Object,
    kind: Kind,
    id: &str,
    after: u64,
    limit: usize,
) -> Result<Vec<Event>, Fault> {
    if has_zero_byte(id) {
        return Ok(Vec::new());
    }
    let sql = format!(
        "select {} from event where kind = $1 and id = $2 and version > $3 order by version limit $4",
        rows::EVENT
    );
    all(client, &sql, &[&kind.as_str(), &id, &sql_number(after), &sql_limit(limit)], rows::event).await
}

pub(super) async fn events(client: &Object, after: u64, limit: usize) -> Result<Vec<Event>, Fault> {
    let sql = format!("select {} from event where seq > $1 order by seq limit $2", rows::EVENT);
    all(client, &sql, &[&sql_number(after), &sql_limit(limit)], rows::event).await
}

pub(super) async fn key(client: &Object, scope: &str, key: &str, now: Timestamp) -> Result<Option<KeyHeld>, Fault> {
    if scope.starts_with(JOB_SCOPE) || has_zero_byte(scope) || has_zero_byte(key) {
        return Ok(None);
    }
    let sql = format!(
        "select {} from idempotency where scope = $1 and key = $2 and (expires_at is null or expires_at > $3)",
        rows::KEY
    );
    Ok(all(client, &sql, &[&scope, &key, &now.0], rows::key).await?.pop())
}

pub(super) async fn head(client: &Object) -> Result<Head, Fault> {
    let sql = "select seq, epoch, floor from journal_head";
    let head = |row: &Row| Ok(Head { seq: number(row, 0)?, epoch: number(row, 1)?, floor: number(row, 2)? });
    all(client, sql, &[], head).await?.pop().ok_or_else(|| Fault::Broken("the journal has no head".to_owned()))
}

pub(super) async fn jobs(client: &Object, queue: &str, after: JobId, limit: usize) -> Result<Vec<Job>, Fault> {
    if has_zero_byte(queue) {
        return Ok(Vec::new());
    }
    let sql = format!("select {} from job where queue || '' = $1 and id + 0 > $2 order by id + 0 limit $3", rows::JOB);
    all(client, &sql, &[&queue, &sql_number(after), &sql_limit(limit)], rows::job).await
}

pub(super) async fn dead_jobs(client: &Object, queue: &str, after: JobId, limit: usize) -> Result<Vec<DeadJob>, Fault> {
    let sql = format!("select {} from dead_job where queue = $1 and id > $2 order by id limit $3", rows::DEAD_JOB);
    all(client, &sql, &[&queue, &sql_number(after), &sql_limit(limit)], rows::dead_job).await
}

pub(super) async fn depth(client: &Object, queue: &str, now: Timestamp) -> Result<Depth, Fault> {
    let sql = "select count(*), count(*) filter (where live), count(*) filter (where head and run_at <= $2 and not live),
        (select count(*) from dead_job where queue = $1), min(run_at) filter (where head and run_at <= $2 and not live)
        from (select head, run_at, coalesce(lease_until > (extract(epoch from clock_timestamp()) * 1000000)::bigint, false)
          as live from job where queue || '' = $1) as j";
    let depth = |row: &Row| {
        let (all, leased, ready) = (number(row, 0)?, number(row, 1)?, number(row, 2)?);
        let oldest = rows::get::<Option<i64>>(row, 4)?.map(Timestamp);
        Ok(Depth { ready, leased, waiting: all - leased - ready, dead: number(row, 3)?, oldest })
    };
    Ok(all(client, sql, &[&queue, &now.0], depth).await?.pop().unwrap_or_default())
}

pub(super) async fn all<T>(
    client: &Object,
    sql: &str,
    values: &[&(dyn ToSql + Sync)],
    read: impl Fn(&Row) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    let asked = async { client.query(&client.prepare_cached(sql).await?, values).await };
    let found: Vec<Row> = asked.await.map_err(|error| fault(&error))?;
    found.iter().map(read).collect()
}

pub(super) fn sql_number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn sql_limit(limit: usize) -> i64 {
    i64::try_from(limit.min(ROWS_LIMIT)).unwrap_or(0)
}

/// PostgreSQL refuses such a text, which is in no row.
pub(super) fn has_zero_byte(text: &str) -> bool {
    text.contains('\0')
}
