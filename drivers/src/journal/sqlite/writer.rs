//! The one thread that writes: takes everything that waits, applies it in one transaction, answers when it is on disk.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, Error};

use super::apply::{Batch, Counters, State, Stop};
use super::checkpoint::Checkpointer;
use super::command::{Command, Outcome};
use super::lease::Leases;
use super::round::{BATCH_LIMIT, Round};
use super::window::Windows;
use super::{file, rows};
use crate::failpoint;
use crate::journal::Options;
use crate::wake::Hint;

/// So many callers share a transaction without being split into halves.
const FEW: usize = 16;
/// Callers who are expected are waited for in naps of this length, so that none has to wake this thread.
const NAP: Duration = Duration::from_micros(50);
/// At most so many naps.
const NAPS: u32 = 20;
/// How often an idle writer looks after lapsed leases.
const IDLE: Duration = Duration::from_millis(250);

/// What the writer shows of itself while it works.
#[derive(Default)]
pub(super) struct Gauges {
    /// The newest event on disk.
    pub(super) head: AtomicU64,
    /// The newest event that is forgotten, or is about to be: raised before readers can miss it.
    pub(super) floor: AtomicU64,
    /// Commands that callers wait for, sent and not yet taken.
    pub(super) callers: AtomicUsize,
    /// Transactions since the start.
    pub(super) commits: Arc<AtomicU64>,
}

/// Counts a command among those of callers until the writer takes it; dropped before it was sent, it counts no more.
pub(super) struct Waits<'a>(Option<&'a AtomicUsize>);

impl Gauges {
    pub(super) fn waits(&self, command: &Command) -> Waits<'_> {
        if command.is_patient() {
            return Waits(None);
        }
        self.callers.fetch_add(1, Ordering::Relaxed);
        Waits(Some(&self.callers))
    }
}

impl Waits<'_> {
    /// From here on the writer counts it off.
    pub(super) fn sent(mut self) {
        self.0 = None;
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        if let Some(callers) = self.0 {
            callers.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// The writer's own side of the journal.
pub(super) struct Writer {
    conn: Connection,
    state: State,
    /// The counters as they stand on disk.
    committed: Counters,
    options: Options,
    gauges: Arc<Gauges>,
    hint: Hint,
    /// How many call again and again at present, seen from what came with one commit and during it.
    crowd: usize,
    /// Let go of last.
    _lock: File,
}

impl Writer {
    /// Takes over an opened file; what an earlier process had leased is free again.
    pub(super) fn new(conn: Connection, lock: File, options: Options, gauges: Arc<Gauges>) -> Result<Self, Error> {
        conn.execute("update job set lease_until = null where lease_until is not null", [])?;
        let counters = conn.query_row("select seq, job, created, floor from journal_head", [], |row| {
            let (seq, job) = (rows::number(row, 0)?, rows::number(row, 1)?);
            Ok(Counters { seq, job, created: rows::number(row, 2)?, floor: rows::number(row, 3)? })
        })?;
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
        gauges.head.store(counters.seq, Ordering::Release);
        gauges.floor.store(counters.floor, Ordering::Release);
        let leases = Leases::new(Duration::from_millis(options.lease_millis));
        let state = State { counters, windows, leases, clock: (Instant::now(), 0) };
        let hint = Hint::default();
        Ok(Self { conn, state, committed: counters, options, gauges, hint, crowd: 0, _lock: lock })
    }

    /// Serves commands until it is told to close or nobody can ask any more.
    pub(super) fn run(mut self, commands: &Receiver<Command>, checkpointer: Checkpointer) {
        let mut round = Round::default();
        loop {
            if round.is_empty() {
                match commands.recv_timeout(IDLE) {
                    Ok(command) => self.sort(command, &mut round),
                    Err(RecvTimeoutError::Timeout) => {
                        self.idle();
                        continue;
                    }
                    Err(RecvTimeoutError::Disconnected) => return self.finish(checkpointer),
                }
            }
            self.gather(commands, &mut round);
            let closing = round.commands.iter().any(|command| matches!(command, Command::Close(_)));
            let served = round.callers;
            self.end(&mut round);
            self.crowd =
                (served + self.gauges.callers.load(Ordering::Relaxed)).max(self.crowd - self.crowd.div_ceil(8));
            if closing {
                self.drain(commands, &mut round);
                return self.finish(checkpointer);
            }
        }
    }

    /// Writes what was sent before the close was seen.
    fn drain(&mut self, commands: &Receiver<Command>, round: &mut Round) {
        loop {
            self.take_waiting(commands, round, BATCH_LIMIT);
            self.take_patient(round);
            if round.commands.is_empty() {
                return;
            }
            self.end(round);
        }
    }

    /// Takes commands as they come, until half of the crowd is in or nobody comes any more: while this half waits for the
    /// disk the other one is served, and both cores have work. A lone caller is not kept waiting.
    fn gather(&mut self, commands: &Receiver<Command>, round: &mut Round) {
        let half = (self.crowd / 2).min(BATCH_LIMIT);
        let limit = half.max(FEW);
        self.take_waiting(commands, round, limit);
        for _ in 0..NAPS {
            if round.callers >= half || round.patience_is_over() {
                break;
            }
            std::thread::sleep(NAP);
            if !self.take_waiting(commands, round, limit) {
                break;
            }
        }
        if round.callers < FEW || round.patience_is_over() {
            self.take_patient(round);
        }
    }

    /// False if nothing waited.
    fn take_waiting(&mut self, commands: &Receiver<Command>, round: &mut Round, limit: usize) -> bool {
        let mut any = false;
        while round.callers < limit
            && round.patient.len() < BATCH_LIMIT
            && let Ok(command) = commands.try_recv()
        {
            self.sort(command, round);
            any = true;
        }
        any
    }

    fn take_patient(&mut self, round: &mut Round) {
        round.patient_since = None;
        for command in std::mem::take(&mut round.patient) {
            self.take(command, round);
        }
    }

    /// Puts the work of the background aside for a moment.
    fn sort(&mut self, command: Command, round: &mut Round) {
        if command.is_patient() {
            round.patient_since.get_or_insert_with(Instant::now);
            round.patient.push(command);
        } else {
            self.gauges.callers.fetch_sub(1, Ordering::Relaxed);
            round.callers += 1;
            self.take(command, round);
        }
    }

    /// Performs a command in the round's transaction, unless that has failed already.
    fn take(&mut self, command: Command, round: &mut Round) {
        if round.refused.is_none() {
            let mut batch = Batch { conn: &self.conn, state: &mut self.state, now: Instant::now(), begun: round.begun };
            match batch.perform(&command) {
                Ok(outcome) => round.outcomes.push(outcome),
                Err(Stop::Alone(fault)) => round.outcomes.push(Outcome::Failed(fault)),
                Err(Stop::Store(error)) => round.refused = Some(error),
            }
            round.begun = batch.begun;
        }
        round.commands.push(command);
    }

    /// One transaction for all; when one command makes the store refuse, each gets its own, so that it fails alone.
    fn end(&mut self, round: &mut Round) {
        let alone = round.commands.len() == 1;
        match self.commit(round) {
            Ok(()) => {}
            Err(error) if rows::is_about_the_change(&error) && !alone => {
                tracing::error!(%error, commands = round.commands.len(), "journal: a batch was refused; trying its commands one by one");
                for command in std::mem::take(&mut round.commands) {
                    self.take(command, round);
                    self.end(round);
                }
            }
            Err(error) => {
                let commands = round.commands.len();
                tracing::error!(%error, commands, "journal: nothing of this batch was written; its callers are told so");
                let fault = rows::fault(&error);
                round.outcomes.extend((0..commands).map(|_| Outcome::Failed(fault.clone())));
            }
        }
        round.callers = 0;
        self.answer(round.commands.drain(..).zip(round.outcomes.drain(..)));
    }

    /// Commits the round's transaction. After an error the file and the memory are as they were before it.
    fn commit(&mut self, round: &mut Round) -> Result<(), Error> {
        let result = match round.refused.take() {
            Some(error) => Err(error),
            None => self.write(round.begun),
        };
        round.begun = false;
        if result.is_err() {
            round.outcomes.clear();
            self.take_back();
        }
        result
    }

    fn write(&mut self, begun: bool) -> Result<(), Error> {
        let news = self.state.counters.seq > self.committed.seq;
        if begun {
            if self.state.counters != self.committed {
                let Counters { seq, job, created, floor } = self.state.counters;
                self.conn
                    .prepare_cached("update journal_head set seq = ?1, job = ?2, created = ?3, floor = ?4")?
                    .execute([seq, job, created, floor].map(u64::cast_signed))?;
                self.gauges.floor.store(floor, Ordering::Release);
            }
            failpoint::hit("commit.before");
            self.conn.prepare_cached("commit")?.execute([])?;
            failpoint::hit("commit.written");
            self.committed = self.state.counters;
            self.gauges.head.store(self.committed.seq, Ordering::Release);
            self.gauges.commits.fetch_add(1, Ordering::Relaxed);
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
        self.gauges.floor.store(self.committed.floor, Ordering::Release);
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
        self.crowd = 0;
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
    }

    fn finish(self, checkpointer: Checkpointer) {
        drop(checkpointer);
        // Whoever reads at this moment is not waited for.
        let emptied = self.conn.busy_timeout(Duration::ZERO).and_then(|()| file::checkpoint(&self.conn, "truncate"));
        match emptied {
            Ok(true) => {}
            Ok(false) => tracing::info!("journal: its log is being read; the next start empties it"),
            Err(error) => tracing::warn!(%error, "journal: the last checkpoint failed; the next start will do it"),
        }
    }
}

impl Batch<'_> {
    fn perform(&mut self, command: &Command) -> Result<Outcome, Stop> {
        Ok(match command {
            Command::Apply(change, _) => Outcome::Applied(self.apply(change)?),
            Command::Claim(claim, _) => Outcome::Claimed(self.claim(claim)?),
            Command::Renew(leases, _) => Outcome::Lost(self.renew(leases)?),
            Command::Receive(receive, _) => Outcome::Received(self.receive(receive)?),
            Command::DropJobs(queue, limit, _) => Outcome::Deleted(self.drop_jobs(queue, *limit)?),
            Command::JudgeDead(job, verdict, now, _) => Outcome::Judged(self.judge_dead(*job, *verdict, now.0)?),
            Command::Sweep(now, limit, _) => Outcome::Deleted(self.sweep(now.0, *limit)?),
            Command::Forget(before, limit, _) => Outcome::Deleted(self.forget(before.0, *limit)?),
            Command::DropLevels(first, end, limit, _) => Outcome::Deleted(self.drop_levels(first, end, *limit)?),
            Command::Prune(prune, _) => Outcome::Deleted(self.prune(prune)?),
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
}
