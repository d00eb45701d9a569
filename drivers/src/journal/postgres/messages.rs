//! Messages: jobs that are received, hidden by the clock rather than leased, and settled by whoever received them last.
//!
//! A hand-out is one statement. It locks what it takes and waits for nobody: committers lock messages by their numbers, and a
//! hand-out that waited for one of them while it holds others could wait in a circle.

use std::time::Duration;

use deadpool_postgres::{Object, Transaction};
use domain::{Received, Timestamp};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row};

use super::read::{all, has_zero_byte, sql_limit, sql_number};
use super::rows::{self, fault, get, number};
use crate::journal::limits::{LEVELS_LIMIT, nameable};
use crate::journal::{MessageCounts, Receive};
use crate::{Conflict, Fault};

/// A repeated call whose messages are being settled at this moment looks again so many times.
const LOOKS: u32 = 20;
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// Goes over the visible heads, oldest first, and takes each with those behind it up to the first that is hidden, or somebody
/// else's at this moment. Heads are locked one by one as they are taken, so that other calls find the rest. What was read is
/// looked at once more when it is locked.
pub(super) const RECEIVE: &str = "with found as materialized (
      select taken.id from (
        select id, group_id from job
        where queue = $1 and lane = '' and head and lease_until is null and run_at <= $2
        order by run_at, id for no key update skip locked) h
      cross join lateral (
        select h.id
        union all
        (select prefix.id from (
          select behind.id, bool_and(behind.locked is not null) over (order by behind.id) as together from (
            select b.id, (select true from job l where l.id = b.id and l.run_at <= $2 for no key update skip locked) as locked
            from job b where b.queue = $1 and b.group_id = h.group_id and not b.head and b.id > h.id
            order by b.id limit case when $6::boolean then 0 else $3::bigint - 1 end) behind
          ) prefix where prefix.together order by prefix.id)
      ) taken limit $3::bigint
    ), placed as (select id, row_number() over () as place from found)
    update job set attempt = attempt + 1, lease_token = lease_token + 1, run_at = $4, first_at = coalesce(first_at, $2),
      call = $5::text, call_of = case when $5::text is not null then (select count(*) from found)::integer end
    from placed where job.id = placed.id
    returning job.id, queue, group_id, lane, run_at, attempt, body, last_error, lease_token, first_at, place";

/// What an earlier call of that name received and is hidden still, and how much it was.
pub(super) const CALLED: &str =
    "select count(*), coalesce(max(call_of), 0)::bigint from job where queue = $1 and call = $2 and run_at > $3";
pub(super) const HIDE_ANEW: &str = "update job set run_at = $4 where id in (
      select id from job where queue = $1 and call = $2 and run_at > $3 for no key update skip locked)
    returning id, queue, group_id, lane, run_at, attempt, body, last_error, lease_token, first_at, id";
/// Calls of one name are answered one after the other.
const LOCK_CALL: &str = "select pg_advisory_xact_lock(hashtextextended($1::text || ' ' || $2::text, 0))";

/// Each part is served by the one index that can serve it, without a look at the rows themselves.
pub(super) const COUNT: &str =
    "select heads.count + behind.visible, received.count, later.count + behind.later - received.count,
      least(heads.oldest, behind.oldest)
    from (select count(*), min(run_at) as oldest from job
        where queue = $1 and lane = '' and head and lease_until is null and run_at <= $2) heads,
      (select count(*) from job where queue = $1 and lane = '' and head and lease_until is null and run_at > $2) later,
      (select count(*) filter (where run_at <= $2) as visible, count(*) filter (where run_at > $2) as later,
        min(run_at) filter (where run_at <= $2) as oldest from job where queue = $1 and not head) behind,
      (select count(*) from job where queue = $1 and run_at > $2 and first_at is not null) received";

/// What a limit leaves of the same: it looks at no more rows than it counts.
pub(super) const HIDDEN: &str = "select count(*) from (
      select from job where queue = $1 and run_at > $2 and first_at is not null limit $3::bigint) hidden";

pub(super) const LEVELS: &str = "select coalesce(l.value, 0) from unnest($1::text[]) with ordinality as w (name, place)
    left join level l on l.name = w.name order by w.place";
pub(super) const DROP: &str = "delete from job where id in (
      select id from job where queue || '' = $1 order by id + 0 limit $2::bigint for update)";

/// What a hand-out asks for, in the order of its statement's parameters.
struct Wish<'a> {
    queue: &'a str,
    now: i64,
    limit: i64,
    until: i64,
    call: Option<&'a str>,
    one_each: bool,
}

impl<'a> Wish<'a> {
    fn new(receive: &'a Receive) -> Self {
        Self {
            queue: &receive.queue,
            now: receive.now.0,
            limit: sql_limit(receive.limit),
            until: receive.now.0.saturating_add(receive.hide_micros),
            call: receive.call.as_deref(),
            one_each: receive.one_each,
        }
    }

    fn values(&self) -> [&(dyn ToSql + Sync); 6] {
        [&self.queue, &self.now, &self.limit, &self.until, &self.call, &self.one_each]
    }
}

/// Hands out visible messages. A call that was answered before is answered with the same ones, hidden anew.
pub(super) async fn receive(client: &mut Object, receive: &Receive) -> Result<Vec<Received>, Fault> {
    nameable(receive)?;
    let wish = Wish::new(receive);
    if has_zero_byte(wish.queue) || wish.limit == 0 {
        return Ok(Vec::new());
    }
    let Some(call) = wish.call else {
        let asked = async { client.query(&client.prepare_cached(RECEIVE).await?, &wish.values()).await };
        return read(&asked.await.map_err(|error| fault(&error))?);
    };
    for _ in 0..LOOKS {
        if let Some(found) = called(client, &wish, call).await? {
            return read(&found);
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    Err(Fault::Conflict(Conflict::Settled))
}

/// One look of a call with a name; none when some of its messages are locked at this moment.
async fn called(client: &mut Object, wish: &Wish<'_>, call: &str) -> Result<Option<Vec<Row>>, Fault> {
    let transaction = client.transaction().await.map_err(|error| fault(&error))?;
    let Wish { queue, now, until, .. } = wish;
    query(&transaction, LOCK_CALL, &[queue, &call]).await?;
    let standing = query(&transaction, CALLED, &[queue, &call, now]).await?;
    let (hidden, of) = standing.first().map_or(Ok((0, 0)), |row| Ok::<_, Fault>((number(row, 0)?, number(row, 1)?)))?;
    let found = match hidden {
        0 => query(&transaction, RECEIVE, &wish.values()).await?,
        _ if hidden != of => return Err(Fault::Conflict(Conflict::Settled)),
        _ => query(&transaction, HIDE_ANEW, &[queue, &call, now, until]).await?,
    };
    if hidden != 0 && found.len() as u64 != hidden {
        return Ok(None);
    }
    transaction.commit().await.map_err(|error| fault(&error))?;
    Ok(Some(found))
}

async fn query(transaction: &Transaction<'_>, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Fault> {
    let asked = async { transaction.query(&transaction.prepare_cached(sql).await?, values).await };
    asked.await.map_err(|error| fault(&error))
}

/// Those received, in the order in which they were taken.
fn read(found: &[Row]) -> Result<Vec<Received>, Fault> {
    let one = |row: &Row| {
        let received = Received { job: rows::job(row)?, token: number(row, 8)?, first_at: Timestamp(get(row, 9)?) };
        Ok((get::<i64>(row, 10)?, received))
    };
    let mut received = found.iter().map(one).collect::<Result<Vec<_>, Fault>>()?;
    received.sort_unstable_by_key(|(place, _)| *place);
    Ok(received.into_iter().map(|(_, received)| received).collect())
}

/// How many messages of a queue are in which state.
pub(super) async fn counts(client: &Object, queue: &str, now: Timestamp) -> Result<MessageCounts, Fault> {
    if has_zero_byte(queue) {
        return Ok(MessageCounts::default());
    }
    let counts = |row: &Row| {
        let (visible, hidden, delayed) = (number(row, 0)?, number(row, 1)?, number(row, 2)?);
        Ok(MessageCounts { visible, hidden, delayed, oldest: get::<Option<i64>>(row, 3)?.map(Timestamp) })
    };
    Ok(all(client, COUNT, &[&queue, &now.0], counts).await?.pop().unwrap_or_default())
}

/// How many messages are received and hidden, counted up to `limit`.
pub(super) async fn hidden(client: &Object, queue: &str, now: Timestamp, limit: u64) -> Result<u64, Fault> {
    if has_zero_byte(queue) {
        return Ok(0);
    }
    let counted = all(client, HIDDEN, &[&queue, &now.0, &sql_number(limit)], |row| number(row, 0)).await?;
    Ok(counted.first().copied().unwrap_or(0))
}

/// Where levels stand, in the order of the names.
pub(super) async fn levels(client: &Object, names: &[String]) -> Result<Vec<i64>, Fault> {
    if names.len() > LEVELS_LIMIT {
        return Err(Fault::Broken(format!("{} levels at once", names.len())));
    }
    // Such a name is in no row.
    let names: Vec<&str> = names.iter().map(|name| if has_zero_byte(name) { "" } else { name }).collect();
    all(client, LEVELS, &[&names], |row| get(row, 0)).await
}

/// Deletes at most `limit` jobs of a queue that is no more, in its turn among those who write.
pub(super) async fn drop_jobs(client: &mut Object, queue: &str, limit: usize) -> Result<usize, Fault> {
    if has_zero_byte(queue) {
        return Ok(0);
    }
    let dropped = async {
        let transaction = client.transaction().await?;
        transaction.execute("select from journal_head for update", &[]).await?;
        let dropped = transaction.execute(DROP, &[&queue, &sql_limit(limit)]).await?;
        transaction.commit().await?;
        Ok(dropped)
    };
    let dropped: u64 = dropped.await.map_err(|error: Error| fault(&error))?;
    Ok(usize::try_from(dropped).unwrap_or(usize::MAX))
}
