//! Queues over HTTP: the program's own and those of messages; paused, resumed, purged.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use domain::queue::{Queue, Refusal, id_of};
use domain::switch::PARENT;
use domain::{Kind, Owner, Timestamp};
use drivers::journal::List;
use engine::clock;
use engine::operator::{Rate, Standing};
use engine::queues::QueueError;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::{actor, no_such_queue};
use crate::account::{Account, CameIn};
use crate::page::{self, Paging};
use crate::problem::{Problem, codes};
use crate::query::Query;
use crate::routes::App;
use crate::schema::{Acting, Paged, QueueKind, QueueList, QueueView};
use crate::swaps::json;

/// The numbers of a list's cursors below this are places among the program's own queues, which come first.
const OWN: u64 = 1_000;
/// Queues whose messages are counted side by side.
const COUNTED_AT_ONCE: usize = 8;

/// Lists the program's own queues, then the queues of messages of every account, oldest first.
///
/// The rates are those of the process that answers: what it finished in the last minute. All else is the whole installation's.
#[utoipa::path(get, path = "/v1/admin/queues", operation_id = "queuesList", tag = "administration",
    params(
        ("kind" = Option<QueueKind>, Query, description = "Only the program's own (`jobs`), or only those of messages (`messages`)."),
        Paged),
    responses((status = 200, description = "One page.", body = QueueList)))]
pub(crate) async fn list(State(app): State<Arc<App>>, uri: Uri) -> Result<Response, Problem> {
    let mut query = Query::parse(&uri)?;
    let kind = query.one("kind");
    if kind.as_deref().is_some_and(|kind| !["jobs", "messages"].contains(&kind)) {
        query.fault("kind", "expected jobs or messages");
    }
    let paging = Paging::parse(&mut query);
    query.finish()?;
    let name = format!("queues\0{kind:?}");
    let after = paging.after(&app, &name)?;
    let (mut views, mut next) = (Vec::new(), None);
    let own = app.engine.operator.queues();
    if kind.as_deref() != Some("messages") && after.is_none_or(|after| after < OWN) {
        let first = after.and_then(|after| usize::try_from(after).ok()).unwrap_or(0);
        for (index, queue) in own.iter().enumerate().skip(first) {
            if views.len() == paging.limit {
                next = Some(index as u64);
                break;
            }
            views.push(own_view(&app.engine.operator.standing(queue).await?));
        }
    }
    if kind.as_deref() != Some("jobs") && next.is_none() {
        if views.len() < paging.limit {
            let beyond = after.and_then(|after| after.checked_sub(OWN)).filter(|beyond| *beyond > 0);
            let (more, end) = of_messages(&app, beyond, paging.limit - views.len()).await?;
            views.extend(more);
            next = end.map(|end| end + OWN);
        } else {
            // The page ended with the last of the program's own.
            next = Some(OWN);
        }
    }
    let views = views.iter().map(text).collect::<Result<Vec<_>, _>>()?;
    page::answer_views(&app, &uri, &name, &views, next)
}

/// Reads how a queue stands: one of the program's own, or one of the account's.
#[utoipa::path(get, path = "/v1/admin/queues/{name}", operation_id = "queuesRead", tag = "administration",
    params(("name" = String, Path, description = "The queue's name.", example = "swap.execute"), Acting),
    responses(
        (status = 200, description = "The queue.", body = QueueView),
        (status = 404, description = "No such queue: `QUEUE_NOT_FOUND`.")))]
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    answer(&app, &account, &name).await
}

/// Pauses a queue: nothing of it is handed out any more, until it is resumed; what is in hand comes to its end.
///
/// On this process that holds from the answer on, on others within a second, and over restarts. Orders go on being taken, and
/// wait. While `swap.execute` is paused, the outcomes of what was sent to venues are still looked up, but nothing is sent again.
/// Pausing a paused queue changes nothing.
#[utoipa::path(post, path = "/v1/admin/queues/{name}/pause", operation_id = "queuesPause", tag = "administration",
    params(("name" = String, Path, description = "The queue's name.", example = "swap.execute"), Acting),
    responses(
        (status = 200, description = "Paused.", body = QueueView),
        (status = 404, description = "No such queue: `QUEUE_NOT_FOUND`.")))]
pub(crate) async fn pause(
    State(app): State<Arc<App>>,
    Account(account): Account,
    caller: CameIn,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    turn(&app, (account, caller), &name, true).await
}

/// Lets a queue run again; of one that runs nothing changes.
#[utoipa::path(post, path = "/v1/admin/queues/{name}/resume", operation_id = "queuesResume", tag = "administration",
    params(("name" = String, Path, description = "The queue's name.", example = "swap.execute"), Acting),
    responses(
        (status = 200, description = "Running.", body = QueueView),
        (status = 404, description = "No such queue: `QUEUE_NOT_FOUND`.")))]
pub(crate) async fn resume(
    State(app): State<Arc<App>>,
    Account(account): Account,
    caller: CameIn,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    turn(&app, (account, caller), &name, false).await
}

/// Deletes every message of one of the account's queues, those in flight too, and forgets its duplicates.
///
/// The program's own queues cannot be purged: each of their jobs belongs to an order, a bid or a delivery that would never
/// come to its end.
#[utoipa::path(post, path = "/v1/admin/queues/{name}/purge", operation_id = "queuesPurge", tag = "administration",
    params(("name" = String, Path, description = "The queue's name.", example = "shop-orders.fifo"), Acting),
    responses(
        (status = 200, description = "Purged.", body = QueueView),
        (status = 404, description = "No such queue: `QUEUE_NOT_FOUND`."),
        (status = 409, description = "One of the program's own: `QUEUE_OWN`. Purged less than a minute ago: `PURGE_IN_PROGRESS`.")))]
pub(crate) async fn purge(
    State(app): State<Arc<App>>,
    Account(account): Account,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    if app.engine.operator.own(&name).is_some() {
        let detail = "the queue is the program's own: what its jobs belong to would never come to its end; pause it, or \
                      discard the jobs that are dead";
        return Err(Problem::new(codes::QUEUE_OWN, detail));
    }
    app.engine.queues.purge(&account, &name).await.map_err(refused)?;
    answer(&app, &account, &name).await
}

async fn turn(app: &App, (account, caller): (Owner, CameIn), name: &str, paused: bool) -> Result<Response, Problem> {
    match app.engine.operator.own(name) {
        Some(queue) => {
            let by = actor(&account, caller);
            app.engine.operator.turn(queue, paused, &by).await?;
        }
        None => drop(app.engine.queues.pause(&account, name, paused).await.map_err(refused)?),
    }
    answer(app, &account, name).await
}

async fn answer(app: &App, account: &Owner, name: &str) -> Result<Response, Problem> {
    let view = match app.engine.operator.own(name) {
        Some(queue) => own_view(&app.engine.operator.standing(queue).await?),
        None => {
            let row = app.engine.journal.entity(Kind::Queue, &id_of(account, name)).await?;
            let queue = row.as_ref().and_then(|row| Queue::from_entity(row).ok()).filter(Queue::is_active);
            message_view(app, &queue.ok_or_else(no_such_queue)?).await?
        }
    };
    Ok(json(text(&view)?).into_response())
}

/// A page of the queues of messages of every account.
async fn of_messages(app: &App, after: Option<u64>, limit: usize) -> Result<(Vec<QueueView>, Option<u64>), Problem> {
    let list = List {
        kind: Kind::Queue,
        among: Vec::new(),
        statuses: vec!["active".to_owned()],
        fields: Vec::new(),
        ranges: Vec::new(),
        after,
        newest_first: false,
        limit,
    };
    let page = app.engine.journal.entities(list).await?;
    let rows = page.entities.iter().filter(|row| row.parent.as_deref() != Some(PARENT));
    let queues: Vec<Queue> = rows.filter_map(|row| Queue::from_entity(row).ok()).collect();
    let view = |queue: Queue| async move { message_view(app, &queue).await };
    let views = stream::iter(queues).map(view).buffered(COUNTED_AT_ONCE);
    Ok((views.try_collect().await?, page.next))
}

fn own_view(standing: &Standing) -> QueueView {
    let Standing { queue, depth, switch, rate } = standing;
    let switched = switch.paused.then_some(switch);
    QueueView {
        name: (*queue).to_owned(),
        kind: "jobs",
        account: None,
        paused: switch.paused,
        paused_at: switched.map(|switch| switch.at.to_string()),
        paused_by: switched.map(|switch| switch.by.to_string()),
        depth: depth.ready + depth.leased + depth.waiting,
        ready: depth.ready,
        in_flight: depth.leased,
        delayed: depth.waiting,
        dead: Some(depth.dead),
        dead_letter_queue: None,
        oldest_age_millis: age(depth.oldest),
        finished_last_minute: rate.finished,
        rate_per_second: per_second(*rate),
    }
}

async fn message_view(app: &App, queue: &Queue) -> Result<QueueView, Problem> {
    let queues = &app.engine.queues;
    let counts = queues.counts(queue).await.map_err(refused)?;
    let target = queue.settings().redrive.as_ref().map(|redrive| redrive.target.clone());
    let dead = match &target {
        Some(target) => match queues.find(&queue.account, target).await {
            Ok(found) => {
                let counts = queues.counts(&found).await.map_err(refused)?;
                Some(counts.visible + counts.hidden + counts.delayed)
            }
            // It was deleted.
            Err(_) => None,
        },
        None => None,
    };
    let rate = app.engine.operator.rate(queue.generation());
    Ok(QueueView {
        name: queue.name().to_owned(),
        kind: "messages",
        account: Some(queue.account.to_string()),
        paused: queue.body.paused,
        paused_at: None,
        paused_by: None,
        depth: counts.visible + counts.hidden + counts.delayed,
        ready: counts.visible,
        in_flight: counts.hidden,
        delayed: counts.delayed,
        dead,
        dead_letter_queue: target,
        oldest_age_millis: age(counts.oldest),
        finished_last_minute: rate.finished,
        rate_per_second: per_second(rate),
    })
}

fn age(since: Option<Timestamp>) -> Option<u64> {
    since.map(|since| u64::try_from(clock::now().as_millis() - since.as_millis()).unwrap_or(0))
}

/// With two decimals, as JSON.
fn per_second(rate: Rate) -> Box<serde_json::value::RawValue> {
    let hundredths = rate.finished * 100 / rate.seconds.max(1);
    let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
    serde_json::value::RawValue::from_string(text).unwrap_or_default()
}

fn text(view: &QueueView) -> Result<String, Problem> {
    serde_json::to_string(view).map_err(|error| drivers::Fault::Broken(format!("a queue: {error}")).into())
}

fn refused(error: QueueError) -> Problem {
    match error {
        QueueError::Refused(Refusal::QueueDoesNotExist) => no_such_queue(),
        QueueError::Refused(refusal @ Refusal::PurgeQueueInProgress(_)) => {
            Problem::new(codes::PURGE_IN_PROGRESS, refusal.to_string())
        }
        QueueError::Refused(refusal) => Problem::new(codes::REFUSED, refusal.to_string()),
        QueueError::Fault(fault) => fault.into(),
        QueueError::Timeout => Problem::new(codes::DEADLINE, "not done in time; ask again"),
    }
}
