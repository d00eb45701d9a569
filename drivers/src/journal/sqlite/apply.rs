//! One change: what it expects is checked first, then it is written.

use std::collections::BTreeMap;
use std::time::Instant;

use domain::{Change, EntityWrite, Expect, Given, Key, Owner};
use rusqlite::{Connection, Error, OptionalExtension, params};

use super::lease::Leases;
use super::rows;
use super::window::Windows;
use crate::journal::Receipt;
use crate::journal::levels::sums;
use crate::journal::limits::{JOB_SCOPE, within_limits};
use crate::{Conflict, Fault, KeyHeld};

/// What the writer knows beyond the file; a failed batch takes it back.
pub(super) struct State {
    pub(super) counters: Counters,
    pub(super) windows: Windows,
    pub(super) leases: Leases,
    /// An instant of the callers' clock and when it was heard: leases are shown to operators in that clock.
    pub(super) clock: (Instant, i64),
}

/// The newest numbers given, and the log's floor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counters {
    pub(super) seq: u64,
    pub(super) job: u64,
    pub(super) created: u64,
    /// The newest event that was forgotten.
    pub(super) floor: u64,
}

/// Why a command stopped.
#[derive(Debug)]
pub(super) enum Stop {
    /// It fails alone, and wrote nothing.
    Alone(Fault),
    /// The store failed: so does the whole batch.
    Store(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

/// A transaction that commands are applied in, one after the other.
pub(super) struct Batch<'a> {
    pub(super) conn: &'a Connection,
    pub(super) state: &'a mut State,
    pub(super) now: Instant,
    /// The transaction is begun by the first write, so that idle polls cost no disk.
    pub(super) begun: bool,
}

impl Batch<'_> {
    /// Makes sure that the transaction is open.
    pub(super) fn begin(&mut self) -> Result<(), Error> {
        if !self.begun {
            self.conn.prepare_cached("begin immediate")?.execute([])?;
            self.begun = true;
        }
        Ok(())
    }

    /// Applies one change, whole or not at all.
    pub(super) fn apply(&mut self, change: &Change) -> Result<Receipt, Stop> {
        within_limits(change).map_err(|why| Stop::Alone(Fault::Broken(why)))?;
        if let Some(step) = &change.step
            && self.state.leases.valid(step.lease, self.now).is_none()
        {
            return Err(Stop::Alone(Fault::Conflict(Conflict::StaleLease(step.lease.job))));
        }
        self.check_given(change)?;
        let levels = self.levels_after(change)?;
        self.check_messages(change)?;
        self.begin()?;
        for key in &change.keys {
            if let Some(held) = find_key(self.conn, &key.scope, &key.key, change.at.0)? {
                return Err(Stop::Alone(Fault::Conflict(Conflict::Key(held))));
            }
        }
        let mut receipt = Receipt::default();
        self.write_entities(change, &mut receipt)?;
        for key in &change.keys {
            self.take_key(key)?;
        }
        if let Some(step) = &change.step {
            self.step(step, change.at.0)?;
        }
        for step in &change.messages {
            self.settle(step, change.at.0)?;
        }
        for (name, value) in levels {
            self.conn.prepare_cached("insert or replace into level values (?1, ?2)")?.execute(params![name, value])?;
        }
        for job in &change.jobs {
            receipt.jobs.push(self.enqueue(job, change.at.0)?);
        }
        Ok(receipt)
    }

    fn check_given(&self, change: &Change) -> Result<(), Stop> {
        for Given { kind, id, version } in &change.given {
            let found: Option<u64> = self
                .conn
                .prepare_cached("select version from entity where kind = ?1 and id = ?2")?
                .query_row(params![kind.as_str(), id], |row| rows::number(row, 0))
                .optional()?;
            if found.unwrap_or(0) != *version {
                return Err(Stop::Alone(Fault::Conflict(Conflict::Version { kind: *kind, id: id.clone() })));
            }
        }
        Ok(())
    }

    /// Where the change leaves the levels that it moves.
    fn levels_after<'c>(&self, change: &'c Change) -> Result<BTreeMap<&'c str, i64>, Stop> {
        let mut levels = BTreeMap::new();
        if change.levels.is_empty() {
            return Ok(levels);
        }
        let mut read = self.conn.prepare_cached("select value from level where name = ?1")?;
        for (name, sum) in sums(change) {
            let at: i64 = read.query_row([name], |row| row.get(0)).optional()?.unwrap_or(0);
            levels.insert(name, sum.after(name, at).map_err(Stop::Alone)?);
        }
        Ok(levels)
    }

    /// With one entity its own write is the check, and nothing has been written before it. With more, a savepoint takes
    /// back the first ones when a later one conflicts.
    fn write_entities(&mut self, change: &Change, receipt: &mut Receipt) -> Result<(), Stop> {
        if let [only] = change.entities.as_slice() {
            return self.write_entity(only, change.at.0, receipt);
        }
        if change.entities.is_empty() {
            return Ok(());
        }
        let before = self.state.counters;
        self.conn.prepare_cached("savepoint entities")?.execute([])?;
        for write in &change.entities {
            if let Err(stop) = self.write_entity(write, change.at.0, receipt) {
                if matches!(stop, Stop::Alone(_)) {
                    self.conn.prepare_cached("rollback to entities")?.execute([])?;
                    self.conn.prepare_cached("release entities")?.execute([])?;
                    self.state.counters = before;
                }
                return Err(stop);
            }
        }
        self.conn.prepare_cached("release entities")?.execute([])?;
        Ok(())
    }

    fn write_entity(&mut self, write: &EntityWrite, at: i64, receipt: &mut Receipt) -> Result<(), Stop> {
        let other_owner = match write.expect {
            Expect::Absent => {
                self.insert_entity(write, at)?;
                None
            }
            Expect::Version(version) => self.update_entity(write, version, at)?,
        };
        let Some(draft) = &write.event else { return Ok(()) };
        let owner = other_owner.as_deref().unwrap_or_else(|| write.owner.as_str());
        let seq = self.state.counters.seq + 1;
        let version = write.expect.next_version().cast_signed();
        let mut insert = self.conn.prepare_cached("insert into event values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?;
        insert.execute(params![
            seq.cast_signed(),
            write.kind.as_str(),
            write.id,
            version,
            draft.type_,
            owner,
            draft.body,
            at,
            write.party.as_ref().map(Owner::as_str)
        ])?;
        self.state.counters.seq = seq;
        receipt.seq = seq;
        Ok(())
    }

    fn insert_entity(&mut self, write: &EntityWrite, at: i64) -> Result<(), Stop> {
        let created = self.state.counters.created + 1;
        let mut insert = self.conn.prepare_cached(
            "insert into entity values (?1, ?2, ?3, 1, ?4, ?5, ?6, ?7, ?7, ?8, ?9) on conflict (kind, id) do nothing",
        )?;
        let row = params![
            created.cast_signed(),
            write.kind.as_str(),
            write.id,
            write.status,
            write.owner.as_str(),
            write.body,
            at,
            write.party.as_ref().map(Owner::as_str),
            write.parent
        ];
        if insert.execute(row)? == 0 {
            return Err(Stop::Alone(Fault::Conflict(Conflict::Exists { kind: write.kind, id: write.id.clone() })));
        }
        self.state.counters.created = created;
        Ok(())
    }

    /// Answers with the stored owner where that is not the one of the write. The usual case costs one statement.
    fn update_entity(&self, write: &EntityWrite, version: u64, at: i64) -> Result<Option<String>, Stop> {
        let mut update = self.conn.prepare_cached(
            "update entity set version = ?4 + 1, status = ?5, body = ?6, updated_at = ?7
             where kind = ?1 and id = ?2 and owner = ?3 and version = ?4",
        )?;
        let kind = write.kind.as_str();
        let version = version.cast_signed();
        let changed =
            update.execute(params![kind, write.id, write.owner.as_str(), version, write.status, write.body, at])?;
        if changed == 1 {
            return Ok(None);
        }
        let owner: Option<String> = self
            .conn
            .prepare_cached("select owner from entity where kind = ?1 and id = ?2 and version = ?3")?
            .query_row(params![kind, write.id, version], |row| row.get(0))
            .optional()?;
        let Some(owner) = owner else {
            return Err(Stop::Alone(Fault::Conflict(Conflict::Version { kind: write.kind, id: write.id.clone() })));
        };
        update.execute(params![kind, write.id, owner, version, write.status, write.body, at])?;
        Ok(Some(owner))
    }

    /// Takes a key that was seen to be free.
    pub(super) fn take_key(&self, key: &Key) -> Result<(), Error> {
        self.write_key(
            &key.scope,
            &key.key,
            key.fingerprint.as_ref(),
            key.kind.as_str(),
            &key.id,
            key.version,
            key.expires_at.map(|at| at.0),
        )
    }

    #[expect(clippy::too_many_arguments, reason = "one per column")]
    pub(super) fn write_key(
        &self,
        scope: &str,
        key: &str,
        fingerprint: Option<&[u8; 32]>,
        kind: &str,
        id: &str,
        version: u64,
        expires_at: Option<i64>,
    ) -> Result<(), Error> {
        self.conn
            .prepare_cached("insert or replace into idempotency values (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?
            .execute(params![scope, key, fingerprint, kind, id, version.cast_signed(), expires_at])?;
        Ok(())
    }
}

/// What a key led to, unless it has expired at `now`.
pub(super) fn find_key(conn: &Connection, scope: &str, key: &str, now: i64) -> Result<Option<KeyHeld>, Error> {
    if scope.starts_with(JOB_SCOPE) {
        return Ok(None);
    }
    conn.prepare_cached(
        "select fingerprint, kind, id, version from idempotency
         where scope = ?1 and key = ?2 and (expires_at is null or expires_at > ?3)",
    )?
    .query_row(params![scope, key, now], |row| {
        Ok(KeyHeld {
            scope: scope.to_owned(),
            key: key.to_owned(),
            fingerprint: row.get(0)?,
            kind: rows::kind(row, 1)?,
            id: row.get(2)?,
            version: rows::number(row, 3)?,
        })
    })
    .optional()
}
