//! The rows of a batch, column by column, and the statements that write them: one per table and kind of write, all sent
//! without waiting in between.

use std::collections::{BTreeSet, HashMap};

use deadpool_postgres::Object;
use domain::{JobId, Kind, NewJob, Owner, Timestamp};
use futures_util::future::join_all;
use tokio_postgres::Error;
use tokio_postgres::types::ToSql;

use super::fold::{Birth, Counters, Standing, StandingKey, Standings, Written};

const INSERT_ENTITIES: &str =
    "insert into entity (created_seq, kind, id, version, status, owner, body, created_at, updated_at, party, parent)
    select * from unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[],
    $8::bigint[], $9::bigint[], $10::text[], $11::text[])";
const UPDATE_ENTITIES: &str =
    "update entity e set version = w.version, status = w.status, body = w.body, updated_at = w.at
    from unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::bigint[])
    as w (kind, id, version, status, body, at) where e.id = w.id and e.kind || '' = w.kind";
const INSERT_EVENTS: &str = "insert into event (seq, kind, id, version, type, owner, body, at, party)
    select * from unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[],
    $8::bigint[], $9::text[])";
const WRITE_KEYS: &str = "insert into idempotency (scope, key, fingerprint, kind, id, version, expires_at)
    select * from unnest($1::text[], $2::text[], $3::bytea[], $4::text[], $5::text[], $6::bigint[], $7::bigint[])
    on conflict (scope, key) do update set fingerprint = excluded.fingerprint, kind = excluded.kind, id = excluded.id,
    version = excluded.version, expires_at = excluded.expires_at";
const INSERT_JOBS: &str = "insert into job (id, queue, group_id, head, lane, run_at, attempt, lease_token, body)
    select id, queue, group_id, group_id is null, lane, run_at, 0, 0, body
    from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[])
    as w (id, queue, group_id, lane, run_at, body)";
const END_JOBS: &str = "delete from job where id = any($1::bigint[])";
const BURY_JOBS: &str = "with gone as (delete from job j using unnest($1::bigint[], $2::text[], $3::bigint[], $4::boolean[])
    as w (id, why, at, parked) where j.id = w.id
    returning j.id, j.queue, j.group_id, j.lane, j.run_at, j.attempt, j.lease_token, j.body, j.last_error, w.why, w.at, w.parked)
    insert into dead_job (id, queue, group_id, lane, run_at, attempt, lease_token, body, last_error, why, died_at, parked)
    select * from gone";
const GIVE_BACK_JOBS: &str = "update job j set run_at = w.run_at, attempt = greatest(j.attempt - w.uncounted, 0),
    lease_until = null, holder = null, last_error = coalesce(w.error, j.last_error)
    from unnest($1::bigint[], $2::bigint[], $3::integer[], $4::text[]) as w (id, run_at, uncounted, error) where j.id = w.id";
const SHOW_MESSAGES: &str = "update job j set run_at = w.run_at, call = null, call_of = null
    from unnest($1::bigint[], $2::bigint[]) as w (id, run_at) where j.id = w.id";
const MOVE_LEVELS: &str = "insert into level (name, value) select * from unnest($1::text[], $2::bigint[])
    on conflict (name) do update set value = excluded.value";
/// The oldest job of each group becomes its head, unless the group has one or is parked.
pub(super) const PROMOTE: &str = "update job j set head = true
    from (select (select n.id from job n where n.queue = g.queue and n.group_id = g.group_id and not n.head
          order by n.id limit 1) as id
        from unnest($1::text[], $2::text[]) as g (queue, group_id)
        where not exists (select 1 from job h where h.queue = g.queue and h.group_id = g.group_id and h.head)
        and not exists (select 1 from dead_job d where d.queue = g.queue and d.group_id = g.group_id and d.parked)) as next
    where j.id = next.id";
const MOVE_HEAD: &str = "update journal_head set seq = $1, job = $2, created = $3";

/// One column of a statement: an array with a value for each row.
type Column<'a> = Box<dyn ToSql + Sync + Send + 'a>;

fn column<'a, R: 'a, T: ToSql + Sync + Send + 'a>(
    rows: impl IntoIterator<Item = &'a R>,
    get: impl Fn(&'a R) -> T,
) -> Column<'a> {
    Box::new(rows.into_iter().map(get).collect::<Vec<T>>())
}

/// An entity that the batch creates.
struct NewEntity {
    kind: &'static str,
    id: String,
    version: i64,
    owner: String,
    birth: Birth,
    written: Written,
}

/// An entity that the batch changes.
struct ChangedEntity {
    kind: &'static str,
    id: String,
    version: i64,
    written: Written,
}

/// An event.
pub(super) struct EventRow {
    pub(super) seq: i64,
    pub(super) kind: &'static str,
    pub(super) id: String,
    pub(super) version: i64,
    pub(super) type_: &'static str,
    pub(super) owner: String,
    pub(super) party: Option<Owner>,
    pub(super) body: String,
    pub(super) at: i64,
}

struct KeyRow {
    name: (String, String),
    key: StandingKey,
}

struct JobRow {
    id: i64,
    job: NewJob,
}

struct BuriedRow {
    id: i64,
    why: String,
    at: i64,
    parked: bool,
}

struct ReturnedRow {
    id: i64,
    run_at: i64,
    uncounted: i32,
    error: Option<String>,
}

/// All that a batch writes.
#[derive(Default)]
pub(super) struct Writes {
    counters: Counters,
    /// Somebody asks for a durable write, even if nothing else is to be written.
    pub(super) beat: bool,
    new: Vec<NewEntity>,
    changed: Vec<ChangedEntity>,
    pub(super) events: Vec<EventRow>,
    keys: Vec<KeyRow>,
    /// Jobs that are done.
    pub(super) ended: Vec<i64>,
    buried: Vec<BuriedRow>,
    returned: Vec<ReturnedRow>,
    jobs: Vec<JobRow>,
    /// Messages that are hidden or shown, each with the time.
    shown: Vec<(i64, i64)>,
    levels: Vec<(String, i64)>,
    /// Groups whose head may have to be found, each with its queue.
    groups: BTreeSet<(String, String)>,
}

impl Writes {
    pub(super) fn job(&mut self, id: JobId, job: &NewJob) {
        self.jobs.push(JobRow { id: id.cast_signed(), job: job.clone() });
        if let Some(group) = &job.group {
            self.group(&job.queue, group);
        }
    }

    pub(super) fn bury(&mut self, id: JobId, why: &str, at: Timestamp, parked: bool) {
        self.buried.push(BuriedRow { id: id.cast_signed(), why: plain(why), at: at.0, parked });
    }

    pub(super) fn give_back(&mut self, id: JobId, run_at: Timestamp, uncounted: i32, error: Option<&str>) {
        let error = error.map(plain);
        self.returned.push(ReturnedRow { id: id.cast_signed(), run_at: run_at.0, uncounted, error });
    }

    pub(super) fn group(&mut self, queue: &str, group: &str) {
        self.groups.insert((queue.to_owned(), group.to_owned()));
    }

    /// Takes what the batch leaves of the rows that it touches.
    pub(super) fn finish(&mut self, standings: Standings) {
        self.counters = standings.counters;
        self.entities(standings.entities);
        let written = standings.keys.into_iter().filter(|(_, key)| key.written);
        self.keys.extend(written.map(|(name, key)| KeyRow { name, key }));
        let shown = standings.messages.into_iter().filter(|(_, message)| message.written);
        self.shown.extend(shown.map(|(id, message)| (id.cast_signed(), message.run_at)));
        let moved = standings.levels.into_iter().filter(|(_, level)| level.written);
        self.levels.extend(moved.map(|(name, level)| (name, level.value)));
    }

    fn entities(&mut self, entities: HashMap<(Kind, String), Standing>) {
        for ((kind, id), Standing { version, owner, written }) in entities {
            let Some(mut written) = written else { continue };
            let (kind, version) = (kind.as_str(), version.cast_signed());
            match written.birth.take() {
                Some(birth) => self.new.push(NewEntity { kind, id, version, owner, birth, written }),
                None => self.changed.push(ChangedEntity { kind, id, version, written }),
            }
        }
        // In the order of their creation rows append to their indexes.
        self.new.sort_unstable_by_key(|row| row.birth.number);
    }

    /// Whether nothing is to be written.
    pub(super) fn is_empty(&self) -> bool {
        let jobs = self.ended.is_empty() && self.buried.is_empty() && self.returned.is_empty() && self.jobs.is_empty();
        let entities = self.new.is_empty() && self.changed.is_empty() && self.keys.is_empty();
        !self.beat && entities && jobs && self.shown.is_empty() && self.levels.is_empty()
    }

    /// Sends every statement and the commit, without waiting in between; an error of one makes the commit roll back.
    pub(super) async fn send(&self, client: &Object) -> Result<(), Error> {
        let mut flight = Vec::new();
        for (sql, columns) in self.statements() {
            flight.push((client.prepare_cached(sql).await?, columns));
        }
        let commit = client.prepare_cached("commit").await?;
        let sent = flight.iter().map(|(statement, columns)| async move {
            let columns: Vec<&(dyn ToSql + Sync)> = columns.iter().map(|column| &**column as _).collect();
            client.execute(statement, &columns).await
        });
        // Polled in this order, and so sent in this order.
        let (written, committed) = futures_util::future::join(join_all(sent), async {
            crate::failpoint::hit("commit.before");
            client.execute(&commit, &[]).await
        })
        .await;
        written.into_iter().find_map(Result::err).map_or(Ok(()), Err)?;
        committed.map(drop)
    }

    /// Whether the batch can be seen to be there; none when it left nothing that would tell.
    pub(super) async fn are_there(&self, client: &Object) -> Result<Option<bool>, Error> {
        if let Some(event) = self.events.last() {
            let sql = "select exists (select from event
                where seq = $1 and kind = $2 and id = $3 and version = $4 and at = $5 and body = $6)";
            let EventRow { seq, kind, id, version, at, body, .. } = event;
            let row = client.query_one(sql, &[seq, kind, id, version, at, body]).await?;
            return row.try_get(0).map(Some);
        }
        let new = self.new.iter().map(|row| (row.kind, &row.id, row.version, &row.written));
        let changed = self.changed.iter().map(|row| (row.kind, &row.id, row.version, &row.written));
        let Some((kind, id, version, written)) = new.chain(changed).next() else {
            let Some(JobRow { id, job }) = self.jobs.last() else { return Ok(None) };
            let sql =
                "select exists (select from job where id = $1 and queue || '' = $2 and run_at = $3 and body = $4)";
            let row = client.query_one(sql, &[id, &job.queue.as_ref(), &job.run_at.0, &job.body]).await?;
            // It may have been handed out meanwhile.
            return Ok(row.try_get::<_, bool>(0)?.then_some(true));
        };
        let sql = "select exists (select from entity
            where id = $2 and kind || '' = $1 and version = $3 and updated_at = $4 and body = $5)";
        let row = client.query_one(sql, &[&kind, id, &version, &written.at.0, &written.body]).await?;
        // It may have changed again meanwhile.
        Ok(row.try_get::<_, bool>(0)?.then_some(true))
    }

    /// In an order in which each finds what the ones before it left.
    fn statements(&self) -> Vec<(&'static str, Vec<Column<'_>>)> {
        let all = vec![
            (INSERT_ENTITIES, self.new.len(), self.new_columns()),
            (UPDATE_ENTITIES, self.changed.len(), self.changed_columns()),
            (INSERT_EVENTS, self.events.len(), self.event_columns()),
            (WRITE_KEYS, self.keys.len(), self.key_columns()),
            (END_JOBS, self.ended.len(), vec![column(&self.ended, |id| *id)]),
            (BURY_JOBS, self.buried.len(), self.buried_columns()),
            (GIVE_BACK_JOBS, self.returned.len(), self.returned_columns()),
            (SHOW_MESSAGES, self.shown.len(), self.shown_columns()),
            (MOVE_LEVELS, self.levels.len(), self.level_columns()),
            (INSERT_JOBS, self.jobs.len(), self.job_columns()),
            (PROMOTE, self.groups.len(), self.group_columns()),
            (MOVE_HEAD, 1, self.head_columns()),
        ];
        all.into_iter().filter(|(_, rows, _)| *rows > 0).map(|(sql, _, columns)| (sql, columns)).collect()
    }

    fn new_columns(&self) -> Vec<Column<'_>> {
        let rows = &self.new;
        vec![
            column(rows, |row| row.birth.number.cast_signed()),
            column(rows, |row| row.kind),
            column(rows, |row| row.id.as_str()),
            column(rows, |row| row.version),
            column(rows, |row| row.written.status),
            column(rows, |row| row.owner.as_str()),
            column(rows, |row| row.written.body.as_str()),
            column(rows, |row| row.birth.at.0),
            column(rows, |row| row.written.at.0),
            column(rows, |row| row.birth.party.as_ref().map(Owner::as_str)),
            column(rows, |row| row.birth.parent.as_deref()),
        ]
    }

    fn changed_columns(&self) -> Vec<Column<'_>> {
        let rows = &self.changed;
        vec![
            column(rows, |row| row.kind),
            column(rows, |row| row.id.as_str()),
            column(rows, |row| row.version),
            column(rows, |row| row.written.status),
            column(rows, |row| row.written.body.as_str()),
            column(rows, |row| row.written.at.0),
        ]
    }

    fn event_columns(&self) -> Vec<Column<'_>> {
        let rows = &self.events;
        vec![
            column(rows, |row| row.seq),
            column(rows, |row| row.kind),
            column(rows, |row| row.id.as_str()),
            column(rows, |row| row.version),
            column(rows, |row| row.type_),
            column(rows, |row| row.owner.as_str()),
            column(rows, |row| row.body.as_str()),
            column(rows, |row| row.at),
            column(rows, |row| row.party.as_ref().map(Owner::as_str)),
        ]
    }

    fn key_columns(&self) -> Vec<Column<'_>> {
        let rows = &self.keys;
        vec![
            column(rows, |row| row.name.0.as_str()),
            column(rows, |row| row.name.1.as_str()),
            column(rows, |row| row.key.fingerprint.as_ref().map(<[u8; 32]>::as_slice)),
            column(rows, |row| row.key.kind.as_str()),
            column(rows, |row| row.key.id.as_str()),
            column(rows, |row| row.key.version.cast_signed()),
            column(rows, |row| row.key.expires_at),
        ]
    }

    fn buried_columns(&self) -> Vec<Column<'_>> {
        let rows = &self.buried;
        vec![
            column(rows, |row| row.id),
            column(rows, |row| row.why.as_str()),
            column(rows, |row| row.at),
            column(rows, |row| row.parked),
        ]
    }

    fn returned_columns(&self) -> Vec<Column<'_>> {
        let rows = &self.returned;
        vec![
            column(rows, |row| row.id),
            column(rows, |row| row.run_at),
            column(rows, |row| row.uncounted),
            column(rows, |row| row.error.as_deref()),
        ]
    }

    fn job_columns(&self) -> Vec<Column<'_>> {
        let rows = &self.jobs;
        vec![
            column(rows, |row| row.id),
            column(rows, |row| row.job.queue.as_ref()),
            column(rows, |row| row.job.group.as_deref()),
            column(rows, |row| row.job.lane.as_deref().unwrap_or_default()),
            column(rows, |row| row.job.run_at.0),
            column(rows, |row| row.job.body.as_str()),
        ]
    }

    fn shown_columns(&self) -> Vec<Column<'_>> {
        vec![column(&self.shown, |(id, _)| *id), column(&self.shown, |(_, run_at)| *run_at)]
    }

    fn level_columns(&self) -> Vec<Column<'_>> {
        vec![column(&self.levels, |(name, _)| name.as_str()), column(&self.levels, |(_, value)| *value)]
    }

    fn group_columns(&self) -> Vec<Column<'_>> {
        vec![column(&self.groups, |(queue, _)| queue.as_str()), column(&self.groups, |(_, group)| group.as_str())]
    }

    fn head_columns(&self) -> Vec<Column<'_>> {
        let Counters { seq, job, created } = self.counters;
        [seq, job, created].map(|number| Box::new(number.cast_signed()) as Column<'_>).into()
    }
}

/// What an operator reads may come from outside, and PostgreSQL holds every character but U+0000.
fn plain(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
