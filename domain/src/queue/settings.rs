//! How a queue behaves: what its attributes say, as types that cannot be wrong.

use serde::{Deserialize, Serialize};

/// How a queue behaves. Times are whole seconds, sizes bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// How long a message is hidden that was received; 0 to 43,200.
    pub visibility: u32,
    /// How long a message is kept; 60 to 1,209,600.
    pub retention: u32,
    /// How long a message is hidden at first; 0 to 900.
    pub delay: u32,
    /// The largest message, attributes included; 1,024 to 1,048,576.
    pub max_size: u32,
    /// How long a receive waits that does not say; 0 to 20.
    pub wait: u32,
    /// Whether it keeps the order of a group.
    pub fifo: bool,
    /// Whether duplicates are known by their text where the sender names nothing. FIFO only.
    #[serde(default)]
    pub content_dedup: bool,
    /// Within what duplicates are looked for. FIFO only.
    #[serde(default)]
    pub dedup_scope: DedupScope,
    /// Within what AWS limits the throughput; kept and shown. FIFO only.
    #[serde(default)]
    pub throughput_limit: ThroughputLimit,
    /// Where messages go that are received too often.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redrive: Option<Redrive>,
    /// Which queues may have this one as their dead-letter queue; none means any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redrive_allow: Option<RedriveAllow>,
    /// Who may do what, in AWS's language; kept and shown, and not judged by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// A key of AWS's service for keys; kept and shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<String>,
    /// How long that key's data keys are used; 60 to 86,400; kept and shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_reuse: Option<u32>,
    /// Whether AWS encrypts with keys of its own; kept and shown.
    pub managed_sse: bool,
}

impl Settings {
    /// How a queue behaves of which nothing was said.
    #[must_use]
    pub fn new(fifo: bool) -> Self {
        Self {
            visibility: 30,
            retention: 345_600,
            delay: 0,
            max_size: 1_048_576,
            wait: 0,
            fifo,
            content_dedup: false,
            dedup_scope: DedupScope::default(),
            throughput_limit: ThroughputLimit::default(),
            redrive: None,
            redrive_allow: None,
            policy: None,
            kms_key: None,
            kms_reuse: None,
            managed_sse: true,
        }
    }
}

/// Within what duplicates are looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DedupScope {
    /// The queue.
    #[default]
    Queue,
    /// Each group by itself.
    MessageGroup,
}

impl DedupScope {
    /// The word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::MessageGroup => "messageGroup",
        }
    }
}

/// Within what AWS limits the throughput.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ThroughputLimit {
    /// The queue.
    #[default]
    PerQueue,
    /// Each group by itself.
    PerMessageGroupId,
}

impl ThroughputLimit {
    /// The word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PerQueue => "perQueue",
            Self::PerMessageGroupId => "perMessageGroupId",
        }
    }
}

/// Where messages go that are received too often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Redrive {
    /// The dead-letter queue's name: it is of the same account.
    pub target: String,
    /// The same as its ARN, as it was given.
    pub arn: String,
    /// A message that was received more often goes there; 1 to 1,000.
    pub max_receives: u32,
}

/// Which queues may have this one as their dead-letter queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RedriveAllow {
    /// All, none, or those named.
    pub permission: Permission,
    /// Their ARNs, at most 10.
    #[serde(default)]
    pub sources: Vec<String>,
}

/// Which queues in general.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Permission {
    /// Every queue of the account.
    AllowAll,
    /// No queue.
    DenyAll,
    /// Those that are named.
    ByQueue,
}

impl RedriveAllow {
    /// Whether the queue of that ARN may.
    #[must_use]
    pub fn allows(&self, source: &str) -> bool {
        match self.permission {
            Permission::AllowAll => true,
            Permission::DenyAll => false,
            Permission::ByQueue => self.sources.iter().any(|one| one == source),
        }
    }
}
