//! Moves of dead letters back to where they came from.

use engine::queues::Queues;
use serde_json::{Map, Value, json};

use domain::queue::MoveStatus;

use super::call::Call;
use super::check::required;
use super::error::Refused;
use super::operation::{CancelMessageMoveTask, ListMessageMoveTasks, StartMessageMoveTask};

/// StartMessageMoveTask.
pub(super) async fn start(call: &Call, asked: StartMessageMoveTask) -> Result<Value, Refused> {
    let source = required(asked.source_arn, "SourceArn")?;
    call.may_move(&source, asked.destination_arn.as_deref())?;
    let rate = asked.max_number_of_messages_per_second;
    let queues = &call.app.engine.queues;
    let handle = queues.start_move(&call.account, &source, asked.destination_arn.as_deref(), rate).await?;
    Ok(json!({ "TaskHandle": handle }))
}

/// CancelMessageMoveTask.
pub(super) async fn cancel(call: &Call, asked: CancelMessageMoveTask) -> Result<Value, Refused> {
    let handle = required(asked.task_handle, "TaskHandle")?;
    let moved = call.app.engine.queues.cancel_move(&call.account, &handle).await?;
    Ok(json!({ "ApproximateNumberOfMessagesMoved": moved }))
}

/// ListMessageMoveTasks.
pub(super) async fn list(call: &Call, asked: ListMessageMoveTasks) -> Result<Value, Refused> {
    let source = required(asked.source_arn, "SourceArn")?;
    // What is none at all is refused as 0 is.
    let most = usize::try_from(asked.max_results.unwrap_or(1)).unwrap_or(0);
    let moves = call.app.engine.queues.moves(&call.account, &source, most).await?;
    let results = moves.iter().map(|one| {
        let mut result = Map::new();
        let mut add = |name: &str, value: Value| drop(result.insert(name.to_owned(), value));
        // A handle is for stopping it.
        if one.status == MoveStatus::Running {
            add("TaskHandle", Queues::move_handle(one).into());
        }
        add("Status", one.status.as_str().to_ascii_uppercase().into());
        add("SourceArn", call.arn(&one.body.source).into());
        if let Some(destination) = &one.body.destination {
            add("DestinationArn", call.arn(destination).into());
        }
        if let Some(rate) = one.body.per_second {
            add("MaxNumberOfMessagesPerSecond", rate.into());
        }
        add("ApproximateNumberOfMessagesMoved", one.body.moved.into());
        add("ApproximateNumberOfMessagesToMove", one.body.total.into());
        if let Some(failure) = &one.body.failure {
            add("FailureReason", failure.as_str().into());
        }
        add("StartedTimestamp", one.body.started_at.as_millis().into());
        Value::Object(result)
    });
    Ok(json!({ "Results": results.collect::<Vec<_>>() }))
}
