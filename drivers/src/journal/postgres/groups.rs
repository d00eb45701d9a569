//! What an operator makes of a job that was given up.

use deadpool_postgres::Object;
use domain::{JobId, Timestamp};
use tokio_postgres::Error;

use super::rows::fault;
use super::write::PROMOTE;
use crate::Fault;

/// What an operator wants with a dead job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Retry,
    Discard,
}

/// Retries or discards a dead job, in its turn among those who write; false when there is none of that number.
pub(super) async fn judge_dead(
    client: &mut Object,
    job: JobId,
    verdict: Verdict,
    now: Timestamp,
) -> Result<bool, Fault> {
    judge(client, job.cast_signed(), verdict, now).await.map_err(|error| fault(&error))
}

async fn judge(client: &mut Object, job: i64, verdict: Verdict, now: Timestamp) -> Result<bool, Error> {
    let transaction = client.transaction().await?;
    transaction.execute("select from journal_head for update", &[]).await?;
    let dead = transaction.query_opt("select queue, group_id from dead_job where id = $1", &[&job]).await?;
    let Some(dead) = dead else { return Ok(false) };
    let (queue, group): (String, Option<String>) = (dead.try_get(0)?, dead.try_get(1)?);
    if verdict == Verdict::Retry {
        let retry = "insert into job (id, queue, group_id, head, lane, run_at, attempt, lease_token, body, last_error)
            select id, queue, group_id, group_id is null, lane, $2, 0, lease_token, body, last_error
            from dead_job where id = $1";
        transaction.execute(retry, &[&job, &now.0]).await?;
    }
    transaction.execute("delete from dead_job where id = $1", &[&job]).await?;
    if let Some(group) = group {
        transaction.execute(PROMOTE, &[&vec![queue], &vec![group]]).await?;
    }
    transaction.commit().await?;
    Ok(true)
}
