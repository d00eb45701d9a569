//! The one thread that writes: takes everything that waits, applies it in one transaction, answers when it is on disk.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, Error, params};

use super::apply::{Batch, Counters, State, Stop};
use super::command::{Command, Outcome};
use super::lease::Leases;
use super::window::Windows;
use super::{file, rows};
use crate::failpoint;
use crate::journal::Options;
use crate::wake::Hint;

/// The most commands that share one transaction.
const BATCH_LIMIT: usize = 1_024;
/// A batch of so many shows that callers come faster than commits.
const CROWD: usize = 4;
/// How long such callers are gathered.
const GATHER: Duration = Duration::from_micros(100);
/// How often an idle writer looks after lapsed leases and the write-ahead log.
const IDLE: Duration = Duration::from_millis(250);

/// The writer's own side of the journal.
pub(super) struct Writer {
    conn: Connection,
    state: State,
    /// The counters as they stand on disk.
    committed: Counters,
    options: Options,
    head: Arc<AtomicU64>,
    hint: Hint,
    /// Whether the write-ahead log may hold something that the database file does not.
    logged: bool,
    /// Let go of last.
    _lock: File,
}

impl Writer {
    /// Takes over an opened file; what an earlier process had leased is free again.
    pub(super) fn new(conn: Connection, lock: File, options: Options, head: Arc<AtomicU64>) -> Result<Self, Error> {
        conn.execute("update job set lease_until = null where lease_until is not null", [])?;
        let counters = conn.query_row(
            "select seq, job, (select coalesce(max(created_seq), 0) from entity) from journal_head",
            [],
            |row| {
                Ok(Counters { seq: rows::number(row, 0)?, job: rows::number(row, 1)?, created: rows::number(row, 2)? })
            },
        )?;
        let mut windows = Windows::default();
        let mut lanes = conn.prepare("select distinct queue, lane from job where head = 1")?;
        let mut found = lanes.query([])?;
        while let Some(row) = found.next()? {
            let lane: Option<String> = row.get(1)?;
            let place = windows.place(&row.get::<_, String>(0)?, lane.as_deref());
            windows.unread(place);
        }
        drop(found);
        drop(lanes);
        head.store(counters.seq, Ordering::Release);
        let leases = Leases::new(Duration::from_millis(options.lease_millis));
        let state = State { counters, windows, leases, clock: (Instant::now(), 0) };
        let hint = Hint::default();
        Ok(Self { conn, state, committed: counters, options, head, hint, logged: true, _lock: lock })
    }

    /// Serves commands until it is told to close or nobody can ask any more.
    pub(super) fn run(mut self, commands: &Receiver<Command>) {
        let mut batch = Vec::with_capacity(BATCH_LIMIT);
        let mut crowded = false;
        loop {
            match commands.recv_timeout(IDLE) {
                Ok(command) => batch.push(command),
                Err(RecvTimeoutError::Timeout) => {
                    self.idle();
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return self.finish(),
            }
            // Where several wait for each commit, a moment more brings most of them into this one: a page is written and
            // the disk is flushed once for all, and nobody has to wake this thread. A lone caller never waits.
            if crowded {
                std::thread::sleep(GATHER);
            }
            while batch.len() < BATCH_LIMIT
                && let Ok(command) = commands.try_recv()
            {
                batch.push(command);
            }
            crowded = batch.len() >= CROWD;
            let closing = batch.iter().any(|command| matches!(command, Command::Close(_)));
            self.serve(&mut batch);
            if closing {
                self.drain(commands, &mut batch);
                return self.finish();
            }
        }
    }

    /// Writes what was sent before the close was seen.
    fn drain(&mut self, commands: &Receiver<Command>, batch: &mut Vec<Command>) {
        loop {
            batch.extend(commands.try_iter().take(BATCH_LIMIT));
            if batch.is_empty() {
                return;
            }
            self.serve(batch);
        }
    }

    /// One transaction for all; when one command makes the store refuse, each gets its own, so that it fails alone.
    fn serve(&mut self, batch: &mut Vec<Command>) {
        let mut outcomes = Vec::with_capacity(batch.len());
        match self.commit(batch, &mut outcomes) {
            Ok(()) => {}
            Err(error) if rows::is_about_the_change(&error) && batch.len() > 1 => {
                tracing::error!(%error, commands = batch.len(), "journal: a batch was refused; trying its commands one by one");
                for command in batch.drain(..) {
                    self.serve_alone(command);
                }
                return;
            }
            Err(error) => self.fail_all(&error, batch.len(), &mut outcomes),
        }
        self.answer(batch.drain(..).zip(outcomes));
    }

    fn serve_alone(&mut self, command: Command) {
        let mut outcomes = Vec::with_capacity(1);
        if let Err(error) = self.commit(std::slice::from_ref(&command), &mut outcomes) {
            self.fail_all(&error, 1, &mut outcomes);
        }
        self.answer(std::iter::once(command).zip(outcomes));
    }

    fn fail_all(&self, error: &Error, commands: usize, outcomes: &mut Vec<Outcome>) {
        tracing::error!(%error, commands, "journal: nothing of this batch was written; its callers are told so");
        let fault = rows::fault(error);
        outcomes.clear();
        outcomes.extend((0..commands).map(|_| Outcome::Failed(fault.clone())));
    }

    /// Applies commands in one transaction. After an error the file and the memory are as they were before.
    fn commit(&mut self, commands: &[Command], outcomes: &mut Vec<Outcome>) -> Result<(), Error> {
        let result = self.write(commands, outcomes);
        if result.is_err() {
            self.take_back();
        }
        result
    }

    fn write(&mut self, commands: &[Command], outcomes: &mut Vec<Outcome>) -> Result<(), Error> {
        let mut batch = Batch { conn: &self.conn, state: &mut self.state, now: Instant::now(), begun: false };
        for command in commands {
            let outcome = match batch.perform(command) {
                Ok(outcome) => outcome,
                Err(Stop::Alone(fault)) => Outcome::Failed(fault),
                Err(Stop::Store(error)) => return Err(error),
            };
            outcomes.push(outcome);
        }
        let begun = batch.begun;
        let news = self.state.counters.seq > self.committed.seq;
        if begun {
            if self.state.counters != self.committed {
                self.conn
                    .prepare_cached("update journal_head set seq = ?1, job = ?2")?
                    .execute(params![self.state.counters.seq.cast_signed(), self.state.counters.job.cast_signed()])?;
            }
            failpoint::hit("commit.before");
            self.conn.prepare_cached("commit")?.execute([])?;
            failpoint::hit("commit.written");
            self.committed = self.state.counters;
            self.head.store(self.committed.seq, Ordering::Release);
            self.logged = true;
        }
        self.state.leases.settle();
        self.hint.queues.clear();
        let queues = &mut self.hint.queues;
        self.state.windows.settle(|name| queues.push(name.to_owned()));
        self.hint.head = if news { self.committed.seq } else { 0 };
        Ok(())
    }

    /// Makes the file and the memory what they were after the last commit.
    fn take_back(&mut self) {
        if !self.conn.is_autocommit()
            && let Err(error) = self.conn.execute_batch("rollback")
        {
            tracing::error!(%error, "journal: rollback failed");
        }
        self.state.counters = self.committed;
        self.state.leases.take_back();
        self.state.windows.forget(self.state.leases.places());
        self.hint.queues.clear();
        self.hint.head = 0;
    }

    fn answer(&self, answers: impl Iterator<Item = (Command, Outcome)>) {
        let mut hinted = false;
        let mut any = false;
        for (command, outcome) in answers {
            if let Outcome::Claimed(claimed) = &outcome
                && !claimed.is_empty()
            {
                failpoint::hit("claim.after");
            }
            command.answer(outcome);
            any = true;
            // The first caller is awake by now; the followers of the log should not wait for the last one.
            if !hinted {
                hinted = true;
                if self.hint.head > 0 || !self.hint.queues.is_empty() {
                    self.options.wake.send(&self.hint);
                }
            }
        }
        if any {
            failpoint::hit("commit.after");
        }
    }

    /// Nobody asked anything for a while.
    fn idle(&mut self) {
        if !self.state.leases.is_empty() {
            let mut batch = Batch { conn: &self.conn, state: &mut self.state, now: Instant::now(), begun: false };
            batch.reap();
            self.state.leases.settle();
            self.hint.head = 0;
            self.hint.queues.clear();
            let queues = &mut self.hint.queues;
            self.state.windows.settle(|name| queues.push(name.to_owned()));
            if !self.hint.queues.is_empty() {
                self.options.wake.send(&self.hint);
            }
        }
        if self.logged {
            self.logged = false;
            if let Err(error) = file::checkpoint(&self.conn) {
                tracing::warn!(%error, "journal: checkpoint failed; the next one will do");
            }
        }
    }

    fn finish(self) {
        if let Err(error) = file::checkpoint(&self.conn) {
            tracing::warn!(%error, "journal: the last checkpoint failed; the next start will do it");
        }
    }
}

impl Batch<'_> {
    fn perform(&mut self, command: &Command) -> Result<Outcome, Stop> {
        Ok(match command {
            Command::Apply(change, _) => Outcome::Applied(self.apply(change)?),
            Command::Claim(claim, _) => Outcome::Claimed(self.claim(claim)?),
            Command::Renew(leases, _) => Outcome::Lost(self.renew(leases)?),
            Command::JudgeDead(job, verdict, now, _) => Outcome::Judged(self.judge_dead(*job, *verdict, now.0)?),
            Command::Sweep(now, limit, _) => Outcome::Swept(self.sweep(now.0, *limit)?),
            Command::Ping(_) => {
                self.begin()?;
                // The value must change: SQLite does not write a page that would stay the same.
                self.conn.prepare_cached("update journal_head set beat = beat + 1")?.execute([])?;
                Outcome::Done
            }
            Command::Close(_) => Outcome::Done,
            #[cfg(test)]
            Command::Pragma(text, _) => {
                self.conn.execute_batch(text)?;
                Outcome::Done
            }
        })
    }

    fn sweep(&mut self, now: i64, limit: usize) -> Result<usize, Error> {
        self.begin()?;
        self.conn
            .prepare_cached(
                "delete from idempotency where (scope, key) in
                 (select scope, key from idempotency where expires_at <= ?1 order by expires_at limit ?2)",
            )?
            .execute(params![now, limit.min(100_000).cast_signed()])
    }
}
