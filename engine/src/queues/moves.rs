//! Moves of dead letters: begun, listed, cancelled. `mover` does the work.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::queue::{Move, MoveBody, MoveStatus, Queue, Refusal, arn, id_of};
use domain::{Change, Kind, Owner};
use drivers::journal::{Among, List};
use drivers::{Conflict, Fault};
use serde::{Deserialize, Serialize};

use super::known::read;
use super::{DEADLINE, QueueError, Queues, within};
use crate::clock;
use crate::intake::new_id;

/// The most moves that are listed.
const LISTED: usize = 10;
/// The most messages a second.
const FASTEST: i64 = 500;

/// What a move's handle says, as Base64 of this JSON.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Token {
    task_id: String,
    source_arn: String,
}

impl Queues {
    /// Begins to move the messages of a dead-letter queue back to where they came from, or to another queue. Names are ARNs, as in
    /// AWS's request. Answers with the move's handle.
    ///
    /// # Errors
    /// `ResourceNotFoundException`, `UnsupportedOperation` while another move of that queue goes on, `InvalidParameterValue`.
    pub async fn start_move(
        &self,
        account: &Owner,
        source_arn: &str,
        destination_arn: Option<&str>,
        per_second: Option<i64>,
    ) -> Result<String, QueueError> {
        let per_second = per_second.map(rate).transpose()?;
        within(DEADLINE, async {
            loop {
                let source = self.by_arn(account, source_arn, "SourceArn").await?;
                let destination = match destination_arn {
                    Some(arn) => Some(self.by_arn(account, arn, "DestinationArn").await?),
                    None => None,
                };
                self.check_move(&source, destination.as_deref()).await?;
                let counts = self.journal.message_counts(source.generation(), clock::now()).await?;
                let now = clock::now();
                let started = Move {
                    id: new_id(),
                    version: 1,
                    status: MoveStatus::Running,
                    account: account.clone(),
                    source_id: source.id.clone(),
                    body: MoveBody {
                        source: source.name().to_owned(),
                        destination: destination.map(|queue| queue.name().to_owned()),
                        per_second,
                        moved: 0,
                        total: counts.visible + counts.hidden + counts.delayed,
                        page: 0,
                        failure: None,
                        started_at: now,
                    },
                };
                let mut moving = Queue::clone(&source);
                (moving.version, moving.body.moving) = (source.version + 1, Some(started.id.clone()));
                let entities = vec![moving.write(), started.write()];
                let change = Change { at: now, entities, jobs: vec![started.job(now)], ..Change::default() };
                match self.journal.apply(change).await {
                    Ok(_) => {
                        self.known.keep(moving);
                        return Ok(Self::move_handle(&started));
                    }
                    Err(Fault::Conflict(Conflict::Version { .. })) => {}
                    Err(fault) => return Err(fault.into()),
                }
            }
        })
        .await
    }

    /// The newest moves of a queue, at most 10, newest first.
    ///
    /// # Errors
    /// `ResourceNotFoundException`, `InvalidParameterValue`.
    pub async fn moves(&self, account: &Owner, source_arn: &str, limit: usize) -> Result<Vec<Move>, QueueError> {
        if !(1..=LISTED).contains(&limit) {
            let why = "MaxResults must be between 1 and 10.";
            return Err(Refusal::value(limit, "MaxResults", why).into());
        }
        within(DEADLINE, async {
            let source = self.by_arn(account, source_arn, "SourceArn").await?;
            let list = List {
                kind: Kind::MessageMove,
                among: vec![Among::Parent(source.id.clone())],
                statuses: Vec::new(),
                fields: Vec::new(),
                ranges: Vec::new(),
                after: None,
                newest_first: true,
                limit,
            };
            let page = self.journal.entities(list).await?;
            let moves = page.entities.iter().map(Move::from_entity).collect::<Result<Vec<_>, _>>();
            moves.map_err(|error| Fault::Broken(format!("a move of {}: {error}", source.id)).into())
        })
        .await
    }

    /// The handle of a move, as [`Queues::start_move`] answered with.
    #[must_use]
    pub fn move_handle(one: &Move) -> String {
        let token = Token { task_id: one.id.clone(), source_arn: arn::of(&one.account, &one.body.source) };
        STANDARD.encode(serde_json::to_string(&token).expect("texts are JSON"))
    }

    /// Stops a move; what it moved stays moved. Answers with how many that are.
    ///
    /// # Errors
    /// `ResourceNotFoundException`, `UnsupportedOperation` when it goes on no more.
    pub async fn cancel_move(&self, account: &Owner, handle: &str) -> Result<u64, QueueError> {
        let missing = || Refusal::ResourceNotFoundException("Task does not exist.".to_owned());
        let token = STANDARD.decode(handle).ok().and_then(|text| serde_json::from_slice::<Token>(&text).ok());
        let Token { task_id, .. } = token.ok_or_else(missing)?;
        within(DEADLINE, async {
            loop {
                let entity = self.journal.entity(Kind::MessageMove, &task_id).await?;
                let entity = entity.filter(|entity| entity.owner == *account).ok_or_else(missing)?;
                let one =
                    Move::from_entity(&entity).map_err(|error| Fault::Broken(format!("move {task_id}: {error}")))?;
                if one.status != MoveStatus::Running {
                    return Err(Refusal::UnsupportedOperation("Only active tasks can be cancelled.".to_owned()).into());
                }
                let change = self.ending(&one, MoveStatus::Cancelled, None).await?;
                match self.journal.apply(change).await {
                    Ok(_) => return Ok(one.body.moved),
                    Err(Fault::Conflict(Conflict::Version { .. })) => {}
                    Err(fault) => return Err(fault.into()),
                }
            }
        })
        .await
    }

    /// The change that ends a move, and lets another one of its queue begin.
    pub(super) async fn ending(
        &self,
        one: &Move,
        status: MoveStatus,
        failure: Option<&str>,
    ) -> Result<Change, QueueError> {
        let mut ended = one.clone();
        (ended.version, ended.status) = (one.version + 1, status);
        ended.body.failure = failure.map(ToOwned::to_owned);
        let mut entities = vec![ended.write()];
        if let Some(mut source) = read(self.journal.as_ref(), &one.source_id).await?
            && source.body.moving.as_ref() == Some(&one.id)
        {
            self.known.forget(&source.id);
            (source.version, source.body.moving) = (source.version + 1, None);
            entities.push(source.write());
        }
        Ok(Change { at: clock::now(), entities, ..Change::default() })
    }

    async fn by_arn(&self, account: &Owner, text: &str, parameter: &str) -> Result<Arc<Queue>, QueueError> {
        if text.split(':').count() < 6 || !text.starts_with("arn:") {
            let why = format!(
                "You must use this format to specify the {parameter}: \
                 arn:<partition>:<service>:<region>:<account-id>:<resource-id>"
            );
            return Err(Refusal::InvalidParameterValue(why).into());
        }
        let missing = || {
            let why = format!("The resource that you specified for the {parameter} parameter doesn't exist.");
            QueueError::Refused(Refusal::ResourceNotFoundException(why))
        };
        let name = arn::name_of(account, text).ok_or_else(missing)?;
        match self.queue_now(&id_of(account, name)).await {
            Err(QueueError::Refused(Refusal::QueueDoesNotExist)) => Err(missing()),
            found => found,
        }
    }

    async fn check_move(&self, source: &Queue, destination: Option<&Queue>) -> Result<(), QueueError> {
        let other = |to: &Queue| to.id != source.id && to.settings().fifo == source.settings().fifo;
        if !destination.is_none_or(other) {
            let why = "Source and destination must be two queues of the same type.";
            return Err(Refusal::InvalidParameterValue(why.to_owned()).into());
        }
        let (sources, _) = self.sources_of(&source.account, source.name(), None, 1).await?;
        if sources.is_empty() {
            let why = "Source queue must be configured as a Dead Letter Queue.";
            return Err(Refusal::InvalidParameterValue(why.to_owned()).into());
        }
        if source.body.moving.is_some() {
            let why = "There is already a task running. Only one active task is allowed for a source queue arn at a given \
                       time.";
            return Err(Refusal::UnsupportedOperation(why.to_owned()).into());
        }
        Ok(())
    }
}

fn rate(per_second: i64) -> Result<u32, Refusal> {
    let fits = u32::try_from(per_second).ok().filter(|_| (1..=FASTEST).contains(&per_second));
    fits.ok_or_else(|| {
        let why = "You must enter a value between 1 and 500.";
        Refusal::value(per_second, "MaxNumberOfMessagesPerSecond", why)
    })
}
