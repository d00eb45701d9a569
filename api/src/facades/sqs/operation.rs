//! The 23 operations: their names, and each request as plain types. That a field is there, and what it may be, is judged later.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::attributes::ByName;
use super::error::{Refused, code};

macro_rules! operations {
    ($($name:ident)*) => {
        /// What is asked for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Operation { $($name),* }

        impl Operation {
            /// The name in `X-Amz-Target` and in `Action`.
            pub(super) const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),* }
            }

            /// The operation of that name.
            pub(super) fn parse(name: &str) -> Option<Self> {
                match name { $(stringify!($name) => Some(Self::$name),)* _ => None }
            }
        }
    };
}

operations! {
    AddPermission CancelMessageMoveTask ChangeMessageVisibility ChangeMessageVisibilityBatch CreateQueue DeleteMessage
    DeleteMessageBatch DeleteQueue GetQueueAttributes GetQueueUrl ListDeadLetterSourceQueues ListMessageMoveTasks
    ListQueueTags ListQueues PurgeQueue ReceiveMessage RemovePermission SendMessage SendMessageBatch SetQueueAttributes
    StartMessageMoveTask TagQueue UntagQueue
}

/// The parameters of a request, still to be read.
pub(super) enum Input<'a> {
    Json(&'a [u8]),
    Form(serde_json::Value),
}

impl Input<'_> {
    /// The parameters as types. Unknown ones are passed over, as AWS does.
    ///
    /// # Errors
    /// `SerializationException` for what is no JSON object, and for values of the wrong type.
    pub(super) fn read<T: DeserializeOwned>(self) -> Result<T, Refused> {
        let read = match self {
            // Clients that have nothing to say say nothing.
            Self::Json([]) => serde_json::from_slice(b"{}"),
            // A list would be taken for the fields in their order.
            Self::Json(bytes) if bytes.trim_ascii_start().first() != Some(&b'{') => {
                return Err(Refused::new(code::SERIALIZATION, "The request is no JSON object."));
            }
            Self::Json(bytes) => serde_json::from_slice(bytes),
            Self::Form(value) => serde_json::from_value(value),
        };
        read.map_err(|error| Refused::new(code::SERIALIZATION, format!("The request cannot be read: {error}.")))
    }
}

macro_rules! requests {
    ($($(#[$doc:meta])* $name:ident { $($(#[$of_field:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Default, Deserialize)]
        #[serde(rename_all = "PascalCase", default)]
        pub(super) struct $name { $($(#[$of_field])* pub(super) $field: Option<$type>,)* }
    )*};
}

requests! {
    /// About a queue as a whole: DeleteQueue, PurgeQueue, ListQueueTags.
    OfQueue { queue_url: String, }
    GetQueueUrl { queue_name: String, #[serde(rename = "QueueOwnerAWSAccountId")] owner: String, }
    ListQueues { queue_name_prefix: String, next_token: String, max_results: i64, }
    SourcesOf { queue_url: String, next_token: String, max_results: i64, }
    GetQueueAttributes { queue_url: String, attribute_names: Vec<String>, }
    SetQueueAttributes { queue_url: String, attributes: BTreeMap<String, String>, }
    TagQueue { queue_url: String, tags: BTreeMap<String, String>, }
    UntagQueue { queue_url: String, tag_keys: Vec<String>, }
    AddPermission { queue_url: String, label: String, #[serde(rename = "AWSAccountIds")] account_ids: Vec<String>, actions: Vec<String>, }
    RemovePermission { queue_url: String, label: String, }
    SendMessageBatch { queue_url: String, entries: Vec<SendMessage>, }
    ReceiveMessage {
        queue_url: String,
        attribute_names: Vec<String>,
        message_system_attribute_names: Vec<String>,
        message_attribute_names: Vec<String>,
        max_number_of_messages: i64,
        visibility_timeout: i64,
        wait_time_seconds: i64,
        receive_request_attempt_id: String,
    }
    DeleteMessage { queue_url: String, receipt_handle: String, }
    DeleteMessageBatch { queue_url: String, entries: Vec<Handle>, }
    ChangeMessageVisibility { queue_url: String, receipt_handle: String, visibility_timeout: i64, }
    ChangeMessageVisibilityBatch { queue_url: String, entries: Vec<Handle>, }
    /// One received message in a batch.
    Handle { id: String, receipt_handle: String, visibility_timeout: i64, }
    StartMessageMoveTask { source_arn: String, destination_arn: String, max_number_of_messages_per_second: i64, }
    CancelMessageMoveTask { task_handle: String, }
    ListMessageMoveTasks { source_arn: String, max_results: i64, }
}

/// A queue to be made. Its tags have the one name in the model that begins with a small letter.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct CreateQueue {
    pub(super) queue_name: Option<String>,
    pub(super) attributes: Option<BTreeMap<String, String>>,
    #[serde(rename = "tags", alias = "Tags")]
    pub(super) tags: Option<BTreeMap<String, String>>,
}

/// A message to be sent, alone or as an entry of a batch.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct SendMessage {
    /// Where it goes, of one that is sent alone.
    pub(super) queue_url: Option<String>,
    /// Of an entry.
    pub(super) id: Option<String>,
    pub(super) message_body: Option<String>,
    pub(super) delay_seconds: Option<i64>,
    pub(super) message_attributes: Option<ByName>,
    pub(super) message_system_attributes: Option<ByName>,
    pub(super) message_deduplication_id: Option<String>,
    pub(super) message_group_id: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_operations_and_back() {
        let names = ["SendMessage", "ListDeadLetterSourceQueues", "UntagQueue"];
        for name in names {
            assert_eq!(Operation::parse(name).map(Operation::name), Some(name));
        }
        assert_eq!(Operation::parse("sendMessage"), None);
    }

    #[test]
    fn requests_are_read_with_their_odd_names() {
        let body = br#"{"QueueName":"q","tags":{"a":"b"},"Unknown":[1],"Attributes":null}"#;
        let create: CreateQueue = Input::Json(body).read().expect("read");
        assert_eq!(create.tags.map(|tags| tags.len()), Some(1));
        let body = br#"{"AWSAccountIds":["1"],"Label":"l"}"#;
        let add: AddPermission = Input::Json(body).read().expect("read");
        assert_eq!(add.account_ids.as_deref(), Some(&["1".to_owned()][..]));
        let body = br#"{"QueueName":"q","QueueOwnerAWSAccountId":"2"}"#;
        let url: GetQueueUrl = Input::Json(body).read().expect("read");
        assert_eq!(url.owner.as_deref(), Some("2"));
        assert!(Input::Json(b"").read::<ListQueues>().is_ok());
        for wrong in [&b"{"[..], b"[]", b"\"x\"", br#"{"MaxResults":"5"}"#, br#"{"MaxResults":1.5}"#, b"\xff{}"] {
            let refused = Input::Json(wrong).read::<ListQueues>().expect_err("no request");
            assert_eq!(refused.code, code::SERIALIZATION);
        }
    }
}
