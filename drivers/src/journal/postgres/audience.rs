//! The events that an audience sees.

use deadpool_postgres::{GenericClient, Object};
use domain::{Audience, Event};
use tokio_postgres::{Error, IsolationLevel};

use super::read::{ROWS_LIMIT, sql_number};
use super::rows::{self, fault};
use crate::Fault;
use crate::journal::walks::{Stretch, Walks};

/// Its own events, those that concern it, and each seller's deals: an index has each of them in the order of the log.
const SEEN: &str =
    "select w.n, array(select seq from event where owner = w.name and seq > w.begin order by seq limit $4)
      from unnest($1::integer[], $2::text[], $3::bigint[]) as w (n, name, begin) where w.n = 0
    union all
    select w.n, array(select seq from event where party = w.name and seq > w.begin order by seq limit $4)
      from unnest($1::integer[], $2::text[], $3::bigint[]) as w (n, name, begin) where w.n = 1
    union all
    select w.n, array(
        select seq from event where kind = 'deal' and owner = w.name and seq > w.begin order by seq limit $4)
      from unnest($1::integer[], $2::text[], $3::bigint[]) as w (n, name, begin) where w.n > 1";

/// The first events after `after` that an audience sees, as of one moment.
pub(super) async fn events(
    client: &mut Object,
    after: u64,
    audience: &Audience,
    limit: usize,
) -> Result<Vec<Event>, Fault> {
    let snapshot = client.build_transaction().read_only(true).isolation_level(IsolationLevel::RepeatableRead);
    let transaction = snapshot.start().await.map_err(|error| fault(&error))?;
    let events = read(&transaction, after, audience, limit).await?;
    transaction.commit().await.map_err(|error| fault(&error))?;
    Ok(events)
}

/// The same, on a session that is in a transaction of one moment.
pub(super) async fn read(
    client: &impl GenericClient,
    after: u64,
    audience: &Audience,
    limit: usize,
) -> Result<Vec<Event>, Fault> {
    let asked = async {
        let numbers = seen(client, after, audience, limit.min(ROWS_LIMIT)).await?;
        let sql = format!("select {} from event where seq = any($1::bigint[]) order by seq", rows::EVENT);
        client.query(&client.prepare_cached(&sql).await?, &[&numbers]).await
    };
    let rows = asked.await.map_err(|error| fault(&error))?;
    rows.iter().map(rows::event).collect()
}

async fn seen(client: &impl GenericClient, after: u64, audience: &Audience, limit: usize) -> Result<Vec<i64>, Error> {
    let seen = client.prepare_cached(SEEN).await?;
    let (account, count) = (&audience.account, 2 + audience.sellers.len());
    let names: Vec<&str> =
        [account, account].into_iter().chain(&*audience.sellers).map(domain::Owner::as_str).collect();
    let mut walks = Walks::new(count, false, after, limit, (2 * limit / count).max(2));
    loop {
        let turn = walks.turn();
        if turn.is_empty() {
            return Ok(walks.end().numbers.into_iter().map(sql_number).collect());
        }
        let numbers: Vec<i32> = turn.iter().map(|walk| i32::try_from(*walk).unwrap_or(i32::MAX)).collect();
        let named: Vec<&str> = turn.iter().map(|walk| names[*walk]).collect();
        let begins: Vec<i64> = turn.iter().map(|walk| sql_number(walks.at(*walk))).collect();
        let length = walks.stretch();
        let limit = i64::try_from(length).unwrap_or(i64::MAX);
        for row in client.query(&seen, &[&numbers, &named, &begins, &limit]).await? {
            let found: Vec<u64> = row.try_get::<_, Vec<i64>>(1)?.into_iter().map(i64::cast_unsigned).collect();
            let (looked, last) = (found.len(), found.last().copied());
            let walk = usize::try_from(row.try_get::<_, i32>(0)?).unwrap_or_default();
            walks.read(walk, Stretch { found, looked, last, over: looked < length });
        }
    }
}
