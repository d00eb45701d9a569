//! Jobs that were given up, over HTTP: listed, grouped by why, retried, discarded.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use domain::DeadJob;
use drivers::Fault;
use engine::operator::{AT_ONCE, Judged, LONGEST_GROUP, OTHERS, Verdict, Wanted};

use super::no_such_queue;
use crate::body::{Form, JsonBytes};
use crate::cursor::{self, Place};
use crate::page::{self, Paging};
use crate::problem::{At, Problem, codes};
use crate::query::Query;
use crate::routes::App;
use crate::schema::{DeadErrors, DeadGroupView, DeadJobList, DeadJobView, DeadJudged, DeadMany, Paged};
use crate::swaps::json;

/// Lists the jobs that were given up, by queue and in the order in which they were made.
///
/// One request looks at 20,000 of them at most: a page may be short, even empty, long before the last.
#[utoipa::path(get, path = "/v1/admin/dead-jobs", operation_id = "deadJobsList", tag = "administration",
    params(
        ("queue" = Option<String>, Query, description = "Those of this queue.", example = "swap.execute"),
        ("error" = Option<String>, Query, min_length = 1, max_length = 1_024, description = "Those whose error has this text in it, in capitals or not.", example = "no_route"),
        ("group" = Option<String>, Query, min_length = 1, max_length = 1_024, description = "Those of this group of errors, as `GET /v1/admin/dead-jobs/errors` names it.",
            example = "VENUE_FAILED: the venue failed"),
        Paged),
    responses(
        (status = 200, description = "One page.", body = DeadJobList),
        (status = 404, description = "No such queue of the program's own: `QUEUE_NOT_FOUND`.")))]
pub(crate) async fn dead_list(State(app): State<Arc<App>>, uri: Uri) -> Result<Response, Problem> {
    let mut query = Query::parse(&uri)?;
    let named = (query.one("queue"), query.one("error"), query.one("group"));
    let paging = Paging::parse(&mut query);
    query.finish()?;
    let wanted = wanted(&app, named)?;
    let name = list_of(&wanted);
    let found = app.engine.operator.dead(&wanted, paging.after(&app, &name)?, paging.limit).await?;
    let views = found.jobs.iter().map(text).collect::<Result<Vec<_>, _>>()?;
    page::answer_views(&app, &uri, &name, &views, found.next)
}

/// Groups the jobs that were given up by why: errors that differ in numbers and ids alone are one group, the largest first.
///
/// One request looks at 20,000 of them; where there are more, `nextCursor` leads on, and a group may come again.
#[utoipa::path(get, path = "/v1/admin/dead-jobs/errors", operation_id = "deadJobsErrors", tag = "administration",
    params(
        ("queue" = Option<String>, Query, description = "Those of this queue.", example = "swap.execute"),
        ("error" = Option<String>, Query, min_length = 1, max_length = 1_024, description = "Those whose error has this text in it, in capitals or not.", example = "no_route"),
        ("cursor" = Option<String>, Query, description = "Where the previous answer ended: its `nextCursor`, together with the same filters.")),
    responses(
        (status = 200, description = "The groups.", body = DeadErrors),
        (status = 404, description = "No such queue of the program's own: `QUEUE_NOT_FOUND`.")))]
pub(crate) async fn dead_errors(State(app): State<Arc<App>>, uri: Uri) -> Result<Response, Problem> {
    let mut query = Query::parse(&uri)?;
    let named = (query.one("queue"), query.one("error"), None);
    let paging = Paging::at(&mut query);
    query.finish()?;
    let wanted = wanted(&app, named)?;
    let name = format!("errors of {}", list_of(&wanted));
    let groups = app.engine.operator.errors(&wanted, paging.after(&app, &name)?).await?;
    let data = groups.groups.into_iter().map(|group| DeadGroupView {
        queue: group.queue,
        group: group.error,
        count: group.count,
        newest_at: group.newest.to_string(),
        example: group.example.to_string(),
    });
    let next_cursor = groups.next.map(|next| cursor::seal(&app.settings.secret, &name, Place::at(next)));
    let has_more = next_cursor.is_some();
    answer(&DeadErrors { data: data.collect(), looked_at: groups.looked as u64, next_cursor, has_more })
}

/// Reads a job that was given up.
#[utoipa::path(get, path = "/v1/admin/dead-jobs/{id}", operation_id = "deadJobsRead", tag = "administration",
    params(("id" = String, Path, description = "The job's number.", example = "4711")),
    responses(
        (status = 200, description = "The job.", body = DeadJobView),
        (status = 404, description = "No such dead job: `DEAD_JOB_NOT_FOUND`.")))]
pub(crate) async fn dead_read(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Response, Problem> {
    answer(&view(&find(&app, &id).await?))
}

/// Puts a job that was given up back into its queue, its attempts at zero; a group that waited for it goes on.
///
/// What it belongs to may have come to its end meanwhile: the job of a failed order finds nothing to do and ends.
#[utoipa::path(post, path = "/v1/admin/dead-jobs/{id}/retry", operation_id = "deadJobsRetry", tag = "administration",
    params(("id" = String, Path, description = "The job's number.", example = "4711")),
    responses(
        (status = 200, description = "In its queue again: the job as it was.", body = DeadJobView),
        (status = 404, description = "No such dead job: `DEAD_JOB_NOT_FOUND`.")))]
pub(crate) async fn dead_retry(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Response, Problem> {
    judge(&app, &id, Verdict::Retry).await
}

/// Deletes a job that was given up, for ever; a group that waited for it goes on with the next.
#[utoipa::path(post, path = "/v1/admin/dead-jobs/{id}/discard", operation_id = "deadJobsDiscard", tag = "administration",
    params(("id" = String, Path, description = "The job's number.", example = "4711")),
    responses(
        (status = 200, description = "Deleted: the job as it was.", body = DeadJobView),
        (status = 404, description = "No such dead job: `DEAD_JOB_NOT_FOUND`.")))]
pub(crate) async fn dead_discard(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Response, Problem> {
    judge(&app, &id, Verdict::Discard).await
}

/// Puts all jobs that were given up and match back into their queues: a whole group of errors, all of a queue, or all.
///
/// One request retries 1,000 at most and looks at 20,000; `hasMore` says whether there are more, `nextCursor` leads on to them.
#[utoipa::path(post, path = "/v1/admin/dead-jobs/retry", operation_id = "deadJobsRetryAll", tag = "administration",
    request_body = DeadMany,
    responses(
        (status = 200, description = "What was done.", body = DeadJudged),
        (status = 404, description = "No such queue of the program's own: `QUEUE_NOT_FOUND`.")))]
pub(crate) async fn dead_retry_all(
    State(app): State<Arc<App>>,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    judge_all(&app, &body, Verdict::Retry).await
}

/// Deletes all jobs that were given up and match, for ever: a whole group of errors, all of a queue, or all.
///
/// Bounded as with retrying.
#[utoipa::path(post, path = "/v1/admin/dead-jobs/discard", operation_id = "deadJobsDiscardAll", tag = "administration",
    request_body = DeadMany,
    responses(
        (status = 200, description = "What was done.", body = DeadJudged),
        (status = 404, description = "No such queue of the program's own: `QUEUE_NOT_FOUND`.")))]
pub(crate) async fn dead_discard_all(
    State(app): State<Arc<App>>,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    judge_all(&app, &body, Verdict::Discard).await
}

async fn find(app: &App, id: &str) -> Result<DeadJob, Problem> {
    let plain = (1..=16).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_digit()) && !id.starts_with('0');
    let number = id.parse().ok().filter(|_| plain);
    let dead = match number {
        Some(number) => app.engine.operator.dead_job(number).await?,
        None => None,
    };
    dead.ok_or_else(no_such_job)
}

async fn judge(app: &App, id: &str, verdict: Verdict) -> Result<Response, Problem> {
    let dead = find(app, id).await?;
    if !app.engine.operator.judge(dead.job.id, verdict).await? {
        return Err(no_such_job());
    }
    answer(&view(&dead))
}

async fn judge_all(app: &App, body: &[u8], verdict: Verdict) -> Result<Response, Problem> {
    let mut form = Form::parse(body)?;
    let queue = form.needed("queue", Form::text).map(std::borrow::Cow::into_owned);
    let (error, group) = (form.text("error"), form.text("group"));
    let limit = form.integer("limit");
    let limit = match limit.map_or(Ok(AT_ONCE), usize::try_from) {
        Ok(limit) if (1..=AT_ONCE).contains(&limit) => limit,
        _ => form.fault("limit", codes::OUT_OF_RANGE, "expected 1 to 1000").unwrap_or(AT_ONCE),
    };
    let at = form.text("cursor");
    form.finish()?;
    let queue = queue.filter(|queue| queue != "*");
    let wanted = wanted(app, (queue, error.map(Into::into), group.map(Into::into)))?;
    let name = list_of(&wanted);
    let detail = "take the cursor from the previous answer to the same request";
    let opened = at.map(|at| {
        cursor::open(&app.settings.secret, &name, &at)
            .map(|place| place.seq)
            .ok_or_else(|| Problem::at(At::field("cursor"), codes::INVALID_CURSOR, detail))
    });
    let Judged { done, next } = app.engine.operator.judge_all(&wanted, opened.transpose()?, limit, verdict).await?;
    let next_cursor = next.map(|next| cursor::seal(&app.settings.secret, &name, Place::at(next)));
    let has_more = next_cursor.is_some();
    answer(&DeadJudged { done: done as u64, next_cursor, has_more })
}

/// The dead jobs that a request names.
fn wanted(
    app: &App,
    (queue, error, group): (Option<String>, Option<String>, Option<String>),
) -> Result<Wanted, Problem> {
    let queue = queue.map(|name| app.engine.operator.own(&name).ok_or_else(no_such_queue)).transpose()?;
    // An empty text is not taken for none: all would be meant.
    if [&error, &group].into_iter().flatten().any(|text| !(1..=LONGEST_GROUP).contains(&text.len())) {
        return Err(Problem::new(codes::INVALID_PARAMETER, "a text to look for has 1 to 1024 bytes"));
    }
    if group.as_deref() == Some(OTHERS) {
        return Err(Problem::new(codes::INVALID_PARAMETER, "these errors are no group: name a text that is in them"));
    }
    Ok(Wanted { queue, error, group })
}

/// A name for cursors: the same only for the same filters.
fn list_of(wanted: &Wanted) -> String {
    format!("dead\0{wanted:?}")
}

fn view(dead: &DeadJob) -> DeadJobView {
    let job = &dead.job;
    DeadJobView {
        id: job.id.to_string(),
        queue: job.queue.clone(),
        group: job.group.clone(),
        lane: job.lane.clone(),
        attempts: u64::from(job.attempt),
        error: dead.why.clone(),
        died_at: dead.died_at.to_string(),
        parked: dead.parked,
        body: job.body.clone(),
    }
}

fn text(dead: &DeadJob) -> Result<String, Problem> {
    written(&view(dead))
}

fn answer(view: &impl serde::Serialize) -> Result<Response, Problem> {
    Ok(json(written(view)?).into_response())
}

fn written(view: &impl serde::Serialize) -> Result<String, Problem> {
    serde_json::to_string(view).map_err(|error| Fault::Broken(format!("a dead job: {error}")).into())
}

fn no_such_job() -> Problem {
    Problem::new(codes::DEAD_JOB_NOT_FOUND, "there is no such dead job")
}
