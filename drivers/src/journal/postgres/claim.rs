//! Hand-outs and their leases, each one statement: claim, renew, and what becomes of leases whose time or node has gone.

use std::time::Duration;

use deadpool_postgres::Object;
use domain::{Claimed, Lease};
use tokio_postgres::{Error, Row};

use super::read::has_zero_byte;
use super::rows::{self, fault, get, number};
use crate::Fault;
use crate::journal::Claim;

/// The most jobs that one claim hands out, and that one look after lapsed leases frees.
const AT_ONCE: i64 = 1_000;
/// Nodes hold an advisory lock of this class and their own number: "tw".
pub(super) const NODES: i32 = 0x7477;

/// Goes over the lanes that have jobs waiting (the common one is ''), and takes from each the oldest that are due, as many
/// as it may still have out. Locked rows are another node's. `$7` has the lanes with less room, by name.
const CLAIM: &str = "with recursive narrow (rooms) as materialized (select $7::text::jsonb), lane (name) as (
      select ''::text
      union all
      select (select min(j.lane) from job j where j.queue = $1 and j.head and j.lease_until is null and j.lane > lane.name)
      from lane where lane.name is not null
    ), found as materialized (
      select j.id from lane cross join lateral (
        select id, run_at from job where queue = $1 and lane = lane.name and head and lease_until is null and run_at <= $2
        order by run_at, id limit case when lane.name = '' then $3::bigint else greatest(0, least($3::bigint,
          least($4::bigint, (select (rooms ->> lane.name)::bigint from narrow)) -
          (select count(*) from job o where o.queue = $1 and o.lane = lane.name and o.lease_until is not null and o.lane <> ''))) end
        for no key update skip locked) j
      where lane.name is not null order by j.run_at, j.id limit $3::bigint
    )
    update job set attempt = attempt + 1, lease_token = lease_token + 1, holder = $5,
      lease_until = (extract(epoch from clock_timestamp()) * 1000000)::bigint + $6
    from found where job.id = found.id
    returning job.id, queue, group_id, lane, run_at, attempt, body, last_error, lease_token";

const RENEW: &str = "with held as (
      select j.id from unnest($1::bigint[], $2::bigint[]) as w (id, token) join job j on j.id = w.id
      where j.lease_token = w.token and j.lease_until > (extract(epoch from clock_timestamp()) * 1000000)::bigint
      order by j.id for no key update of j
    )
    update job set lease_until = (extract(epoch from clock_timestamp()) * 1000000)::bigint + $3
    from held where job.id = held.id returning job.id, job.lease_token";

const FREE_LAPSED: &str = "update job set lease_until = null, holder = null where id in (
      select id from job where lease_until <= (extract(epoch from clock_timestamp()) * 1000000)::bigint
      order by lease_until limit $1 for no key update skip locked)
    returning queue";

/// Nodes that have jobs out and no session. Leases of before the server's start do not count: their nodes may not have
/// come back yet.
const GONE: &str = "select distinct holder from job
    where lease_until - $1 > (extract(epoch from pg_postmaster_start_time()) * 1000000)::bigint and holder not in (
      select objid::bigint::integer from pg_locks where locktype = 'advisory' and classid = $2::integer::oid and objsubid = 2
      and database = (select oid from pg_database where datname = current_database()))";

const FREE_OF: &str = "update job set lease_until = null, holder = null where id in (
      select id from job where lease_until is not null and holder = any($1::integer[])
      order by lease_until limit $2 for no key update skip locked)
    returning queue";

/// Hands out due jobs, oldest first, to `node`.
pub(super) async fn claim(client: &Object, claim: &Claim, node: i32, lasts: i64) -> Result<Vec<Claimed>, Fault> {
    let limit = i64::try_from(claim.limit).unwrap_or(AT_ONCE).min(AT_ONCE);
    let per_lane = i64::try_from(claim.per_lane).unwrap_or(i64::MAX);
    let narrow = rooms(&claim.narrow);
    let asked = async {
        let statement = client.prepare_cached(CLAIM).await?;
        client.query(&statement, &[&claim.queue, &claim.now.0, &limit, &per_lane, &node, &lasts, &narrow]).await
    };
    let found: Vec<Row> = asked.await.map_err(|error| fault(&error))?;
    let read = |row: &Row| {
        let job = rows::job(row)?;
        let lease = Lease { job: job.id, token: number(row, 8)? };
        Ok(Claimed { job, lease })
    };
    let mut claimed = found.iter().map(read).collect::<Result<Vec<_>, Fault>>()?;
    claimed.sort_unstable_by_key(|claimed| (claimed.job.run_at, claimed.job.id));
    if !claimed.is_empty() {
        crate::failpoint::hit("claim.after");
    }
    Ok(claimed)
}

/// Rooms by the name of the lane, as a JSON object. A lane that is named twice has the smaller one; no lane's name has a
/// zero byte.
fn rooms(narrow: &[(String, usize)]) -> String {
    let mut rooms = serde_json::Map::new();
    let mut narrow: Vec<_> = narrow.iter().filter(|(name, _)| !has_zero_byte(name)).collect();
    narrow.sort_unstable_by_key(|(_, room)| std::cmp::Reverse(*room));
    for (name, room) in narrow {
        rooms.insert(name.clone(), i64::try_from(*room).unwrap_or(i64::MAX).into());
    }
    serde_json::Value::Object(rooms).to_string()
}

/// Prolongs leases; answers with the lost ones.
pub(super) async fn renew(client: &Object, leases: &[Lease], lasts: i64) -> Result<Vec<Lease>, Fault> {
    let ids: Vec<i64> = leases.iter().map(|lease| lease.job.cast_signed()).collect();
    let tokens: Vec<i64> = leases.iter().map(|lease| lease.token.cast_signed()).collect();
    let asked = async { client.query(&client.prepare_cached(RENEW).await?, &[&ids, &tokens, &lasts]).await };
    let found: Vec<Row> = asked.await.map_err(|error| fault(&error))?;
    let renewed = |row: &Row| Ok(Lease { job: number(row, 0)?, token: number(row, 1)? });
    let renewed = found.iter().map(renewed).collect::<Result<std::collections::HashSet<_>, Fault>>()?;
    Ok(leases.iter().filter(|lease| !renewed.contains(lease)).copied().collect())
}

/// Makes jobs whose lease has lapsed ready again; answers with their queues.
pub(super) async fn free_lapsed(client: &Object) -> Result<Vec<String>, Fault> {
    queues(async { client.query(&client.prepare_cached(FREE_LAPSED).await?, &[&AT_ONCE]).await }).await
}

/// The nodes that have jobs out and are gone.
pub(super) async fn gone(client: &Object, lasts: i64) -> Result<Vec<i32>, Fault> {
    let asked = async { client.query(&client.prepare_cached(GONE).await?, &[&lasts, &NODES]).await };
    let found: Vec<Row> = asked.await.map_err(|error| fault(&error))?;
    found.iter().map(|row| get(row, 0)).collect()
}

/// Makes the jobs of these nodes ready again; answers with their queues.
pub(super) async fn free_of(client: &Object, nodes: &[i32]) -> Result<Vec<String>, Fault> {
    queues(async { client.query(&client.prepare_cached(FREE_OF).await?, &[&nodes, &AT_ONCE]).await }).await
}

async fn queues(asked: impl Future<Output = Result<Vec<Row>, Error>>) -> Result<Vec<String>, Fault> {
    let found = asked.await.map_err(|error| fault(&error))?;
    let mut queues = found.iter().map(|row| get(row, 0)).collect::<Result<Vec<String>, Fault>>()?;
    queues.sort_unstable();
    queues.dedup();
    Ok(queues)
}

/// A time in the microseconds of the journal.
pub(super) fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}
