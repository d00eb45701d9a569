//! From rows to the types of the domain, and from driver errors to faults.

use domain::{DeadJob, Entity, Event, Job, Kind, Owner, Timestamp};
use rusqlite::types::{Type, ValueRef};
use rusqlite::{Error, ErrorCode, Row};

use crate::Fault;

/// The columns of [`entity`].
pub(super) const ENTITY: &str =
    "kind, id, version, status, owner, body, created_seq, created_at, updated_at, party, parent";
/// The columns of [`event`].
pub(super) const EVENT: &str = "seq, kind, id, version, type, owner, body, at, party";
/// The columns of [`job`].
pub(super) const JOB: &str = "id, queue, group_id, lane, run_at, attempt, body, last_error";
/// The columns of [`dead_job`].
pub(super) const DEAD_JOB: &str = "id, queue, group_id, lane, run_at, attempt, body, last_error, why, died_at, parked";

pub(super) fn entity(row: &Row<'_>) -> Result<Entity, Error> {
    Ok(Entity {
        kind: kind(row, 0)?,
        id: row.get(1)?,
        version: number(row, 2)?,
        status: row.get(3)?,
        owner: owner(row, 4)?,
        party: party(row, 9)?,
        parent: row.get(10)?,
        body: row.get(5)?,
        created_seq: number(row, 6)?,
        created_at: Timestamp(row.get(7)?),
        updated_at: Timestamp(row.get(8)?),
    })
}

pub(super) fn event(row: &Row<'_>) -> Result<Event, Error> {
    Ok(Event {
        seq: number(row, 0)?,
        kind: kind(row, 1)?,
        id: row.get(2)?,
        version: number(row, 3)?,
        type_: row.get(4)?,
        owner: owner(row, 5)?,
        party: party(row, 8)?,
        body: row.get(6)?,
        at: Timestamp(row.get(7)?),
    })
}

pub(super) fn job(row: &Row<'_>) -> Result<Job, Error> {
    Ok(Job {
        id: number(row, 0)?,
        queue: row.get(1)?,
        group: row.get(2)?,
        lane: row.get(3)?,
        run_at: Timestamp(row.get(4)?),
        attempt: row.get(5)?,
        body: row.get(6)?,
        last_error: row.get(7)?,
    })
}

pub(super) fn dead_job(row: &Row<'_>) -> Result<DeadJob, Error> {
    Ok(DeadJob { job: job(row)?, why: row.get(8)?, died_at: Timestamp(row.get(9)?), parked: row.get(10)? })
}

/// The entity kind in a column.
pub(super) fn kind(row: &Row<'_>, column: usize) -> Result<Kind, Error> {
    let name = row.get_ref(column)?.as_str()?;
    Kind::parse(name).ok_or_else(|| unreadable(column, format!("no kind is named {name:?}")))
}

/// A number that is never negative.
pub(super) fn number(row: &Row<'_>, column: usize) -> Result<u64, Error> {
    let number: i64 = row.get(column)?;
    Ok(number.cast_unsigned())
}

fn owner(row: &Row<'_>, column: usize) -> Result<Owner, Error> {
    let name = row.get_ref(column)?.as_str()?;
    Owner::parse(name).ok_or_else(|| unreadable(column, format!("{name:?} is no account")))
}

fn party(row: &Row<'_>, column: usize) -> Result<Option<Owner>, Error> {
    if row.get_ref(column)? == ValueRef::Null { Ok(None) } else { owner(row, column).map(Some) }
}

fn unreadable(column: usize, why: String) -> Error {
    Error::FromSqlConversionFailure(column, Type::Text, why.into())
}

/// Whether the error lies in what was asked rather than in the disk below: another change may fare better.
pub(super) fn is_about_the_change(error: &Error) -> bool {
    match error {
        Error::SqliteFailure(failure, _) => matches!(
            failure.code,
            ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig | ErrorCode::ApiMisuse
        ),
        _ => true,
    }
}

/// What the caller is told about an error of a read, or of the change that alone is to blame.
pub(super) fn fault(error: &Error) -> Fault {
    match error {
        Error::SqliteFailure(failure, _)
            if matches!(failure.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::Unknown) =>
        {
            Fault::Broken(error.to_string())
        }
        _ if is_about_the_change(error) => Fault::Broken(error.to_string()),
        _ => Fault::Unavailable(error.to_string()),
    }
}
