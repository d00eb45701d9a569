//! Deletes what is no longer needed, a few rows at a time: expired keys, old events, old bookkeeping.

use rusqlite::{Error, params};

use super::apply::{Batch, Counters};
use super::command::Prune;
use super::read::{ROWS_LIMIT, sql_limit, sql_number};

impl Batch<'_> {
    /// Deletes at most `limit` expired keys; answers with how many.
    pub(super) fn sweep(&mut self, now: i64, limit: usize) -> Result<usize, Error> {
        self.begin()?;
        self.conn
            .prepare_cached(
                "delete from idempotency where (scope, key) in
                 (select scope, key from idempotency where expires_at <= ?1 order by expires_at limit ?2)",
            )?
            .execute(params![now, limit.min(100_000).cast_signed()])
    }

    /// Deletes at most `limit` of the oldest events, up to the first that is not older than `before`, and never the newest.
    pub(super) fn forget(&mut self, before: i64, limit: usize) -> Result<usize, Error> {
        let Counters { seq, floor, .. } = self.state.counters;
        let mut oldest =
            self.conn.prepare_cached("select seq, at from event where seq > ?1 and seq < ?2 order by seq limit ?3")?;
        let mut rows = oldest.query(params![sql_number(floor), sql_number(seq), sql_limit(limit)])?;
        let mut last = floor;
        while let Some(row) = rows.next()? {
            if row.get::<_, i64>(1)? >= before {
                break;
            }
            last = super::rows::number(row, 0)?;
        }
        drop(rows);
        if last == floor {
            return Ok(0);
        }
        self.begin()?;
        let deleted = self.conn.prepare_cached("delete from event where seq <= ?1")?.execute([sql_number(last)])?;
        self.state.counters.floor = last;
        Ok(deleted)
    }

    /// Deletes at most `limit` levels by their names.
    pub(super) fn drop_levels(&mut self, first: &str, end: &str, limit: usize) -> Result<usize, Error> {
        self.begin()?;
        self.conn
            .prepare_cached(
                "delete from level where name in (select name from level where name >= ?1 and name < ?2 limit ?3)",
            )?
            .execute(params![first, end, sql_limit(limit.min(ROWS_LIMIT))])
    }

    /// Deletes entities of a kind in some states, per state the oldest up to the first that is not old enough.
    pub(super) fn prune(&mut self, prune: &Prune) -> Result<usize, Error> {
        let limit = prune.limit.min(ROWS_LIMIT);
        let mut old = Vec::new();
        let mut oldest = self.conn.prepare_cached(
            "select created_seq, created_at from entity indexed by entity_by_status
             where kind = ?1 and status = ?2 order by created_seq limit ?3",
        )?;
        for status in &prune.statuses {
            let mut rows = oldest.query(params![prune.kind.as_str(), status, sql_limit(limit - old.len())])?;
            while let Some(row) = rows.next()? {
                if row.get::<_, i64>(1)? >= prune.before.0 {
                    break;
                }
                old.push(row.get::<_, i64>(0)?);
            }
        }
        drop(oldest);
        if old.is_empty() {
            return Ok(0);
        }
        self.begin()?;
        let mut delete = self.conn.prepare_cached("delete from entity where created_seq = ?1")?;
        old.iter().map(|number| delete.execute([number])).sum()
    }
}
