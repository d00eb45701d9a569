//! From rows to the types of the domain, and from the client's errors to faults.

use domain::{DeadJob, Entity, Event, Job, Kind, Owner, Timestamp};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::FromSql;
use tokio_postgres::{Error, Row};

use crate::{Fault, KeyHeld, postgres};

/// The columns of [`entity`].
pub(super) const ENTITY: &str =
    "kind, id, version, status, owner, body, created_seq, created_at, updated_at, party, parent";
/// The columns of [`event`].
pub(super) const EVENT: &str = "seq, kind, id, version, type, owner, body, at, party";
/// The columns of [`job`].
pub(super) const JOB: &str = "id, queue, group_id, lane, run_at, attempt, body, last_error";
/// The columns of [`dead_job`].
pub(super) const DEAD_JOB: &str = "id, queue, group_id, lane, run_at, attempt, body, last_error, why, died_at, parked";
/// The columns of [`key`].
pub(super) const KEY: &str = "scope, key, fingerprint, kind, id, version";

pub(super) fn entity(row: &Row) -> Result<Entity, Fault> {
    Ok(Entity {
        kind: kind(row, 0)?,
        id: get(row, 1)?,
        version: number(row, 2)?,
        status: get(row, 3)?,
        owner: owner(row, 4)?,
        party: party(row, 9)?,
        parent: get(row, 10)?,
        body: get(row, 5)?,
        created_seq: number(row, 6)?,
        created_at: Timestamp(get(row, 7)?),
        updated_at: Timestamp(get(row, 8)?),
    })
}

pub(super) fn event(row: &Row) -> Result<Event, Fault> {
    Ok(Event {
        seq: number(row, 0)?,
        kind: kind(row, 1)?,
        id: get(row, 2)?,
        version: number(row, 3)?,
        type_: get(row, 4)?,
        owner: owner(row, 5)?,
        party: party(row, 8)?,
        body: get(row, 6)?,
        at: Timestamp(get(row, 7)?),
    })
}

pub(super) fn job(row: &Row) -> Result<Job, Fault> {
    let lane: String = get(row, 3)?;
    Ok(Job {
        id: number(row, 0)?,
        queue: get(row, 1)?,
        group: get(row, 2)?,
        lane: (!lane.is_empty()).then_some(lane),
        run_at: Timestamp(get(row, 4)?),
        attempt: get::<i32>(row, 5)?.cast_unsigned(),
        body: get(row, 6)?,
        last_error: get(row, 7)?,
    })
}

pub(super) fn dead_job(row: &Row) -> Result<DeadJob, Fault> {
    Ok(DeadJob { job: job(row)?, why: get(row, 8)?, died_at: Timestamp(get(row, 9)?), parked: get(row, 10)? })
}

pub(super) fn key(row: &Row) -> Result<KeyHeld, Fault> {
    let fingerprint: Option<&[u8]> = get(row, 2)?;
    let wrong = |_| unreadable("a fingerprint of another length");
    Ok(KeyHeld {
        scope: get(row, 0)?,
        key: get(row, 1)?,
        fingerprint: fingerprint.map(TryInto::try_into).transpose().map_err(wrong)?,
        kind: kind(row, 3)?,
        id: get(row, 4)?,
        version: number(row, 5)?,
    })
}

pub(super) fn get<'a, T: FromSql<'a>>(row: &'a Row, column: usize) -> Result<T, Fault> {
    row.try_get(column).map_err(|error| unreadable(&error.to_string()))
}

/// A number that is never negative.
pub(super) fn number(row: &Row, column: usize) -> Result<u64, Fault> {
    Ok(get::<i64>(row, column)?.cast_unsigned())
}

/// The entity kind in a column.
pub(super) fn kind(row: &Row, column: usize) -> Result<Kind, Fault> {
    let name: &str = get(row, column)?;
    Kind::parse(name).ok_or_else(|| unreadable(&format!("no kind is named {name:?}")))
}

pub(super) fn owner(row: &Row, column: usize) -> Result<Owner, Fault> {
    account(get(row, column)?)
}

fn party(row: &Row, column: usize) -> Result<Option<Owner>, Fault> {
    get::<Option<&str>>(row, column)?.map(account).transpose()
}

fn account(name: &str) -> Result<Owner, Fault> {
    Owner::parse(name).ok_or_else(|| unreadable(&format!("{name:?} is no account")))
}

fn unreadable(why: &str) -> Fault {
    Fault::Broken(format!("a row of the journal cannot be read: {why}"))
}

/// Whether the error lies in what was asked rather than in the server: another change may fare better.
pub(super) fn is_about_the_change(error: &Error) -> bool {
    // Data exceptions and violated constraints.
    error.code().is_some_and(|state| ["22", "23"].contains(&&state.code()[..2]))
}

/// What the caller is told.
pub(super) fn fault(error: &Error) -> Fault {
    let said = postgres::chain(error);
    match error.code() {
        None => Fault::Unavailable(format!("PostgreSQL: {said}")),
        Some(state) if is_away(state) => Fault::Unavailable(format!("PostgreSQL: {said}")),
        Some(state) => Fault::Broken(format!("PostgreSQL {}: {said}", state.code())),
    }
}

/// Connections, resources, interventions of operators, deadlines, a server that became a replica: it may pass.
fn is_away(state: &SqlState) -> bool {
    ["08", "25", "40", "53", "55", "57", "58"].contains(&&state.code()[..2])
}
