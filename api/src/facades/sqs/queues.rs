//! Queues: made, found, changed, deleted.

use std::collections::BTreeMap;

use domain::queue::{Refusal, Wanted};
use engine::queues::QueueInfo;
use serde_json::{Map, Value, json};

use super::call::Call;
use super::check::{required, within};
use super::error::Refused;
use super::operation::{
    CreateQueue, GetQueueAttributes, GetQueueUrl, ListQueues, OfQueue, SetQueueAttributes, SourcesOf, TagQueue,
    UntagQueue,
};

/// The most queues of a page, and how many there are where the client does not say.
const MOST: i64 = 1_000;
/// What a client may ask for of a queue.
const ATTRIBUTES: [&str; 21] = [
    "Policy",
    "VisibilityTimeout",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "QueueArn",
    "ApproximateNumberOfMessagesDelayed",
    "DelaySeconds",
    "ReceiveMessageWaitTimeSeconds",
    "RedrivePolicy",
    "FifoQueue",
    "ContentBasedDeduplication",
    "KmsMasterKeyId",
    "KmsDataKeyReusePeriodSeconds",
    "DeduplicationScope",
    "FifoThroughputLimit",
    "RedriveAllowPolicy",
    "SqsManagedSseEnabled",
];

/// CreateQueue.
pub(super) async fn create(call: &Call, asked: CreateQueue) -> Result<Value, Refused> {
    let name = asked.queue_name.ok_or_else(|| Refusal::MissingParameter("QueueName".to_owned()))?;
    let (wanted, tags) = (asked.attributes.unwrap_or_default(), asked.tags.unwrap_or_default());
    call.may_use(&name)?;
    may_send_dead_letters(call, &wanted)?;
    let queue = call.app.engine.queues.create(&call.account, &name, wanted, tags).await?;
    Ok(json!({ "QueueUrl": call.url(queue.name()) }))
}

/// Whoever names a queue for dead letters sends to it. What names none is refused later.
fn may_send_dead_letters(call: &Call, wanted: &Wanted) -> Result<(), Refused> {
    let target = domain::queue::target(&call.account, wanted).ok().flatten();
    target.map_or(Ok(()), |target| call.may_use(&target))
}

/// GetQueueUrl.
pub(super) async fn url(call: &Call, asked: GetQueueUrl) -> Result<Value, Refused> {
    let name = required(asked.queue_name, "QueueName")?;
    if asked.owner.is_some_and(|owner| owner != call.digits) {
        return Err(Refusal::QueueDoesNotExist.into());
    }
    let queue = call.app.engine.queues.find(&call.account, &name).await?;
    Ok(json!({ "QueueUrl": call.url(queue.name()) }))
}

/// ListQueues.
pub(super) async fn list(call: &Call, asked: ListQueues) -> Result<Value, Refused> {
    let prefix = asked.queue_name_prefix.filter(|prefix| !prefix.is_empty());
    let limit = page(asked.max_results)?;
    let after = asked.next_token.as_deref();
    let (queues, next) = call.app.engine.queues.list(&call.account, prefix.as_deref(), after, limit).await?;
    Ok(listed(call, "QueueUrls", &queues, next.filter(|_| asked.max_results.is_some())))
}

/// ListDeadLetterSourceQueues.
pub(super) async fn sources(call: &Call, asked: SourcesOf) -> Result<Value, Refused> {
    let queue = call.queue(asked.queue_url)?;
    let limit = page(asked.max_results)?;
    let after = asked.next_token.as_deref();
    let (queues, next) = call.app.engine.queues.sources_of(&call.account, &queue, after, limit).await?;
    let mut page = listed(call, "queueUrls", &queues, next.filter(|_| asked.max_results.is_some()));
    // The model says that this list is always there.
    if let Some(page) = page.as_object_mut() {
        page.entry("queueUrls").or_insert_with(|| json!([]));
    }
    Ok(page)
}

fn page(most: Option<i64>) -> Result<usize, Refusal> {
    let why = "MaxResults must be an integer between 1 and 1000.";
    let most = within(most, 1..=MOST, "MaxResults", why)?;
    Ok(most.or_else(|| usize::try_from(MOST).ok()).unwrap_or(1))
}

fn listed(call: &Call, list: &str, queues: &[impl AsRef<QueueInfo>], next: Option<String>) -> Value {
    let mut page = Map::new();
    if !queues.is_empty() {
        let urls = queues.iter().map(|queue| call.url(queue.as_ref().name()));
        page.insert(list.to_owned(), urls.collect());
    }
    page.extend(next.map(|next| ("NextToken".to_owned(), next.into())));
    Value::Object(page)
}

/// GetQueueAttributes.
pub(super) async fn attributes(call: &Call, asked: GetQueueAttributes) -> Result<Value, Refused> {
    let name = call.queue(asked.queue_url)?;
    let queues = &call.app.engine.queues;
    let queue = queues.find(&call.account, &name).await?;
    let wanted = asked.attribute_names.unwrap_or_default();
    if let Some(unknown) = wanted.iter().find(|name| *name != "All" && !ATTRIBUTES.contains(&name.as_str())) {
        return Err(Refusal::InvalidAttributeName(unknown.clone()).into());
    }
    let is_wanted = |name: &str| wanted.iter().any(|one| one == "All" || one == name);
    let mut shown = queue.attributes();
    shown.insert("QueueArn".to_owned(), call.arn(queue.name()));
    if wanted.iter().any(|name| name == "All" || name.starts_with("ApproximateNumber")) {
        let counts = queues.counts(&queue).await?;
        let mut add = |name: &str, count: u64| drop(shown.insert(name.to_owned(), count.to_string()));
        add("ApproximateNumberOfMessages", counts.visible);
        add("ApproximateNumberOfMessagesNotVisible", counts.hidden);
        add("ApproximateNumberOfMessagesDelayed", counts.delayed);
    }
    shown.retain(|name, _| is_wanted(name));
    Ok(if shown.is_empty() { json!({}) } else { json!({ "Attributes": shown }) })
}

/// SetQueueAttributes.
pub(super) async fn set(call: &Call, asked: SetQueueAttributes) -> Result<(), Refused> {
    let queue = call.queue(asked.queue_url)?;
    let wanted = asked.attributes.ok_or_else(|| Refusal::MissingParameter("Attributes".to_owned()))?;
    may_send_dead_letters(call, &wanted)?;
    call.app.engine.queues.set(&call.account, &queue, wanted).await?;
    Ok(())
}

/// TagQueue.
pub(super) async fn tag(call: &Call, asked: TagQueue) -> Result<(), Refused> {
    let queue = call.queue(asked.queue_url)?;
    call.app.engine.queues.find(&call.account, &queue).await?;
    let tags = asked.tags.filter(|tags| !tags.is_empty());
    let tags = tags.ok_or_else(|| Refusal::MissingParameter("Tags".to_owned()))?;
    call.app.engine.queues.tag(&call.account, &queue, tags).await?;
    Ok(())
}

/// UntagQueue.
pub(super) async fn untag(call: &Call, asked: UntagQueue) -> Result<(), Refused> {
    let queue = call.queue(asked.queue_url)?;
    call.app.engine.queues.find(&call.account, &queue).await?;
    let keys = asked.tag_keys.filter(|keys| !keys.is_empty()).ok_or_else(|| {
        let why = "Tag keys must be between 1 and 128 characters in length.";
        Refusal::InvalidParameterValue(why.to_owned())
    })?;
    call.app.engine.queues.untag(&call.account, &queue, &keys).await?;
    Ok(())
}

/// ListQueueTags.
pub(super) async fn tags(call: &Call, asked: OfQueue) -> Result<Value, Refused> {
    let queue = call.queue(asked.queue_url)?;
    let queue = call.app.engine.queues.find(&call.account, &queue).await?;
    let tags: &BTreeMap<String, String> = &queue.body.tags;
    Ok(if tags.is_empty() { json!({}) } else { json!({ "Tags": tags }) })
}

/// DeleteQueue.
pub(super) async fn delete(call: &Call, asked: OfQueue) -> Result<(), Refused> {
    let queue = call.queue(asked.queue_url)?;
    Ok(call.app.engine.queues.delete(&call.account, &queue).await?)
}

/// PurgeQueue.
pub(super) async fn purge(call: &Call, asked: OfQueue) -> Result<(), Refused> {
    let queue = call.queue(asked.queue_url)?;
    call.app.engine.queues.purge(&call.account, &queue).await?;
    Ok(())
}
