//! Deletes what is no longer needed, a few rows at a time: expired keys, old events, old bookkeeping.

use deadpool_postgres::Object;
use domain::{Kind, Timestamp};
use tokio_postgres::Error;

use super::read::{ROWS_LIMIT, sql_limit};
use super::rows::fault;
use crate::Fault;

/// The most rows that one sweep deletes.
const SWEEP_LIMIT: usize = 100_000;

/// Deletes expired keys, at most `limit`; those that another node sweeps at this moment are its own.
pub(super) async fn sweep(client: &Object, now: Timestamp, limit: usize) -> Result<usize, Fault> {
    let sql = "delete from idempotency where (scope, key) in (select scope, key from idempotency
        where expires_at <= $1 order by expires_at limit $2 for update skip locked)";
    let limit = i64::try_from(limit.min(SWEEP_LIMIT)).unwrap_or(0);
    let swept = async { client.execute(&client.prepare_cached(sql).await?, &[&now.0, &limit]).await };
    let swept = swept.await.map_err(|error| fault(&error))?;
    Ok(usize::try_from(swept).unwrap_or(usize::MAX))
}

/// Deletes at most `limit` of the oldest events, up to the first that is not older than `before`, and never the newest: in
/// its turn among those who write, since the floor stands beside the head.
pub(super) async fn forget(client: &mut Object, before: Timestamp, limit: usize) -> Result<usize, Fault> {
    let forgotten = async {
        let transaction = client.transaction().await?;
        let head = transaction.query_one("select floor, seq from journal_head for update", &[]).await?;
        let (floor, seq): (i64, i64) = (head.try_get(0)?, head.try_get(1)?);
        let sql = "select seq, at from event where seq > $1 and seq < $2 order by seq limit $3";
        let oldest = transaction.query(sql, &[&floor, &seq, &sql_limit(limit)]).await?;
        let old = oldest.iter().take_while(|row| row.get::<_, i64>(1) < before.0);
        let Some(last) = old.last().map(|row| row.get::<_, i64>(0)) else { return Ok(0) };
        let deleted = transaction.execute("delete from event where seq <= $1", &[&last]).await?;
        transaction.execute("update journal_head set floor = $1", &[&last]).await?;
        transaction.commit().await?;
        Ok(deleted)
    };
    let deleted: u64 = forgotten.await.map_err(|error: Error| fault(&error))?;
    Ok(usize::try_from(deleted).unwrap_or(usize::MAX))
}

/// Deletes entities of a kind in some states, per state the oldest up to the first that is not old enough: in its turn
/// among those who write, so that none changes meanwhile.
pub(super) async fn prune(
    client: &mut Object,
    kind: Kind,
    statuses: &[&str],
    before: Timestamp,
    limit: usize,
) -> Result<usize, Fault> {
    let limit = limit.min(ROWS_LIMIT);
    let pruned = async {
        let transaction = client.transaction().await?;
        transaction.execute("select from journal_head for update", &[]).await?;
        let sql =
            "select created_seq, created_at from entity where kind = $1 and status = $2 order by created_seq limit $3";
        let oldest = transaction.prepare_cached(sql).await?;
        let mut old: Vec<i64> = Vec::new();
        for status in statuses {
            let rows = transaction.query(&oldest, &[&kind.as_str(), status, &sql_limit(limit - old.len())]).await?;
            old.extend(rows.iter().take_while(|row| row.get::<_, i64>(1) < before.0).map(|row| row.get::<_, i64>(0)));
        }
        if old.is_empty() {
            return Ok(0);
        }
        let deleted = transaction.execute("delete from entity where created_seq = any($1::bigint[])", &[&old]).await?;
        transaction.commit().await?;
        Ok(deleted)
    };
    let deleted: u64 = pruned.await.map_err(|error: Error| fault(&error))?;
    Ok(usize::try_from(deleted).unwrap_or(usize::MAX))
}

/// Deletes at most `limit` levels by their names: in its turn among those who write, who may have read one of them. The names are
/// looked for before that, through the whole table: no index goes by bytes.
pub(super) async fn drop_levels(client: &mut Object, first: &str, end: &str, limit: usize) -> Result<usize, Fault> {
    let dropped = async {
        let find = "select name from level where name >= $1 collate \"C\" and name < $2 collate \"C\" limit $3";
        let find = client.prepare_cached(find).await?;
        let found = client.query(&find, &[&first, &end, &sql_limit(limit.min(ROWS_LIMIT))]).await?;
        let names: Vec<String> = found.iter().map(|row| row.get(0)).collect();
        if names.is_empty() {
            return Ok(0);
        }
        let transaction = client.transaction().await?;
        transaction.execute("select from journal_head for update", &[]).await?;
        let deleted = transaction.execute("delete from level where name = any($1::text[])", &[&names]).await?;
        transaction.commit().await?;
        Ok(deleted)
    };
    let deleted: u64 = dropped.await.map_err(|error: Error| fault(&error))?;
    Ok(usize::try_from(deleted).unwrap_or(usize::MAX))
}
