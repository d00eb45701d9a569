//! What a committer reads before it decides: all that a batch touches, in one flight.

use std::collections::BTreeSet;

use deadpool_postgres::Object;
use domain::Change;
use futures_util::future::{join, join3};
use tokio_postgres::{Error, Row};

use super::fold::{
    Counters, Standing, StandingJob, StandingKey, StandingLevel, StandingMessage, Standings, dedup_scope,
};
use super::queue::Waiting;
use super::rows::{get, kind, number};
use crate::Fault;

pub(super) const FIND_ENTITIES: &str = "select e.kind, e.id, e.version, e.owner
    from unnest($1::text[], $2::text[]) as w (kind, id) join entity e on e.id = w.id and e.kind || '' = w.kind";
pub(super) const FIND_KEYS: &str = "select i.scope, i.key, i.fingerprint, i.kind, i.id, i.version, i.expires_at
    from unnest($1::text[], $2::text[]) as w (scope, key) join idempotency i on i.scope = w.scope and i.key = w.key";
/// Locked in one order by everyone, so that nobody waits in a circle.
pub(super) const FIND_JOBS: &str = "select id, queue, group_id, lease_token,
    lease_until > (extract(epoch from clock_timestamp()) * 1000000)::bigint
    from job where id = any($1::bigint[]) and lease_until is not null order by id for no key update";
/// Locked in the same order; hand-outs wait for none of them.
pub(super) const FIND_MESSAGES: &str =
    "select id, queue, group_id, run_at, lease_token from job where id = any($1::bigint[])
    order by id for no key update";
pub(super) const FIND_LEVELS: &str =
    "select l.name, l.value from unnest($1::text[]) as w (name) join level l on l.name = w.name";

/// Why a batch could not be looked at.
pub(super) enum Looked {
    Error(Error),
    Broken(Fault),
}

impl From<Error> for Looked {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<Fault> for Looked {
    fn from(fault: Fault) -> Self {
        Self::Broken(fault)
    }
}

/// Reads all that the batch touches, in one flight. A row that cannot be read breaks the batch.
pub(super) async fn look(client: &Object, batch: &[Waiting], counters: Counters) -> Result<Standings, Looked> {
    let mut asked = Asked::default();
    for waiting in batch {
        asked.add(&waiting.change);
    }
    let find =
        async |sql, wanted: bool, values: &[&(dyn tokio_postgres::types::ToSql + Sync)]| -> Result<Vec<Row>, Error> {
            if !wanted {
                return Ok(Vec::new());
            }
            client.query(&client.prepare_cached(sql).await?, values).await
        };
    let Asked { scopes, keys, jobs, messages, .. } = &asked;
    let (kinds, ids): (Vec<&str>, Vec<&str>) = asked.entities.iter().copied().unzip();
    let levels: Vec<&str> = asked.levels.iter().copied().collect();
    let ((entities, keys, jobs), (messages, levels)) = join(
        join3(
            find(FIND_ENTITIES, !ids.is_empty(), &[&kinds, &ids]),
            find(FIND_KEYS, !keys.is_empty(), &[scopes, keys]),
            find(FIND_JOBS, !jobs.is_empty(), &[jobs]),
        ),
        join(find(FIND_MESSAGES, !messages.is_empty(), &[messages]), find(FIND_LEVELS, !levels.is_empty(), &[&levels])),
    )
    .await;
    let mut standings = Standings { counters, ..Standings::default() };
    for row in entities? {
        let standing = Standing { version: number(&row, 2)?, owner: get(&row, 3)?, written: None };
        standings.entities.insert((kind(&row, 0)?, get(&row, 1)?), standing);
    }
    for row in keys? {
        standings.keys.insert((get(&row, 0)?, get(&row, 1)?), standing_key(&row)?);
    }
    for row in jobs? {
        let (queue, group) = (get(&row, 1)?, get(&row, 2)?);
        let job = StandingJob { queue, group, token: number(&row, 3)?, live: get(&row, 4)? };
        standings.jobs.insert(number(&row, 0)?, job);
    }
    for row in messages? {
        let (queue, group) = (get(&row, 1)?, get(&row, 2)?);
        let message = StandingMessage { queue, group, run_at: get(&row, 3)?, token: number(&row, 4)?, written: false };
        standings.messages.insert(number(&row, 0)?, message);
    }
    for row in levels? {
        standings.levels.insert(get(&row, 0)?, StandingLevel { value: get(&row, 1)?, written: false });
    }
    Ok(standings)
}

fn standing_key(row: &Row) -> Result<StandingKey, Fault> {
    let fingerprint: Option<&[u8]> = get(row, 2)?;
    let wrong = |_| Fault::Broken("a fingerprint of another length".to_owned());
    Ok(StandingKey {
        fingerprint: fingerprint.map(TryInto::try_into).transpose().map_err(wrong)?,
        kind: get(row, 3)?,
        id: get(row, 4)?,
        version: number(row, 5)?,
        expires_at: get(row, 6)?,
        written: false,
    })
}

/// What a batch touches. Many changes touch the same entity or level, which is asked for once.
#[derive(Default)]
struct Asked<'a> {
    entities: BTreeSet<(&'static str, &'a str)>,
    scopes: Vec<String>,
    keys: Vec<&'a str>,
    jobs: Vec<i64>,
    messages: Vec<i64>,
    levels: BTreeSet<&'a str>,
}

impl<'a> Asked<'a> {
    fn add(&mut self, change: &'a Change) {
        self.entities.extend(change.entities.iter().map(|write| (write.kind.as_str(), write.id.as_str())));
        self.entities.extend(change.given.iter().map(|given| (given.kind.as_str(), given.id.as_str())));
        for key in &change.keys {
            self.scopes.push(key.scope.clone());
            self.keys.push(&key.key);
        }
        for job in &change.jobs {
            if let Some(dedup) = &job.dedup {
                self.scopes.push(dedup_scope(&job.queue));
                self.keys.push(&dedup.key);
            }
        }
        self.jobs.extend(change.step.as_ref().map(|step| step.lease.job.cast_signed()));
        self.messages.extend(change.messages.iter().map(|step| step.job.cast_signed()));
        self.levels.extend(change.levels.iter().map(|level| level.name.as_str()));
    }
}
