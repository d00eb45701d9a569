//! A queue's attributes in AWS's words: read, compared, shown.

use std::ops::RangeInclusive;

use serde::Deserialize;
use serde_json::{Value, json};

use super::settings::{DedupScope, Permission, Redrive, RedriveAllow, Settings, ThroughputLimit};
use super::{Refusal, Wanted, arn};
use crate::Owner;

/// How often a message is received that has a dead-letter queue, where that is not said.
const MAX_RECEIVES: u32 = 10;
/// The most queues that a dead-letter queue names.
const SOURCES: usize = 10;

impl Settings {
    /// The settings of a new queue.
    ///
    /// # Errors
    /// As AWS refuses a name or an attribute.
    pub fn create(account: &Owner, name: &str, wanted: &Wanted) -> Result<Self, Refusal> {
        super::check_name(name)?;
        let fifo = super::is_fifo(name);
        match wanted.get("FifoQueue").map(String::as_str) {
            Some("true") if !fifo => {
                let why = "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, \
                           must end with .fifo suffix and be 1 to 80 in length.";
                return Err(Refusal::InvalidParameterValue(why.to_owned()));
            }
            Some("true") => {}
            _ if fifo => {
                let why = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length";
                return Err(Refusal::InvalidParameterValue(why.to_owned()));
            }
            Some(_) => return Err(Refusal::InvalidAttributeName("FifoQueue".to_owned())),
            None => {}
        }
        Self::new(fifo).with(account, wanted)
    }

    /// These settings, changed as it is wanted.
    ///
    /// # Errors
    /// `InvalidAttributeName`, `InvalidAttributeValue`, `InvalidParameterValue`.
    pub fn with(&self, account: &Owner, wanted: &Wanted) -> Result<Self, Refusal> {
        let mut next = self.clone();
        for (name, value) in wanted {
            next.take(account, name, value)?;
        }
        let throughput = next.throughput_limit == ThroughputLimit::PerMessageGroupId;
        if throughput && next.dedup_scope != DedupScope::MessageGroup {
            return Err(invalid("FifoThroughputLimit"));
        }
        Ok(next)
    }

    fn take(&mut self, account: &Owner, name: &str, value: &str) -> Result<(), Refusal> {
        match name {
            "VisibilityTimeout" => self.visibility = number(name, value, 0..=43_200)?,
            "MessageRetentionPeriod" => self.retention = number(name, value, 60..=1_209_600)?,
            "DelaySeconds" => self.delay = number(name, value, 0..=900)?,
            "MaximumMessageSize" => self.max_size = number(name, value, 1_024..=1_048_576)?,
            "ReceiveMessageWaitTimeSeconds" => self.wait = number(name, value, 0..=20)?,
            "RedrivePolicy" => self.redrive = given(value).map(|text| redrive(account, text)).transpose()?,
            "RedriveAllowPolicy" => self.redrive_allow = given(value).map(redrive_allow).transpose()?,
            "Policy" => self.policy = given(value).map(policy).transpose()?,
            "KmsMasterKeyId" => {
                if !is_printed(value) {
                    return Err(invalid(name));
                }
                self.kms_key = given(value).map(ToOwned::to_owned);
                self.managed_sse &= self.kms_key.is_none();
            }
            "KmsDataKeyReusePeriodSeconds" => self.kms_reuse = Some(number(name, value, 60..=86_400)?),
            "SqsManagedSseEnabled" => self.managed_sse = truth(name, value)?,
            "FifoQueue" if self.fifo => {
                if value != "true" {
                    let why =
                        "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.";
                    return Err(Refusal::InvalidAttributeValue(why.to_owned()));
                }
            }
            "ContentBasedDeduplication" if self.fifo => self.content_dedup = truth(name, value)?,
            "DeduplicationScope" if self.fifo => {
                self.dedup_scope =
                    word(name, value, [DedupScope::Queue, DedupScope::MessageGroup], DedupScope::as_str)?;
            }
            "FifoThroughputLimit" if self.fifo => {
                let words = [ThroughputLimit::PerQueue, ThroughputLimit::PerMessageGroupId];
                self.throughput_limit = word(name, value, words, ThroughputLimit::as_str)?;
            }
            _ => return Err(Refusal::InvalidAttributeName(name.to_owned())),
        }
        Ok(())
    }

    /// The first of the wanted attributes that the settings have another value of.
    ///
    /// # Errors
    /// As those of [`Settings::with`].
    pub fn differing(&self, account: &Owner, wanted: &Wanted) -> Result<Option<String>, Refusal> {
        for (name, value) in wanted {
            let mut next = self.clone();
            next.take(account, name, value)?;
            if next != *self {
                return Ok(Some(name.clone()));
            }
        }
        Ok(None)
    }

    /// What is shown of them, by AWS's names.
    #[must_use]
    pub fn attributes(&self) -> Wanted {
        let mut shown = vec![
            ("VisibilityTimeout", self.visibility.to_string()),
            ("MessageRetentionPeriod", self.retention.to_string()),
            ("DelaySeconds", self.delay.to_string()),
            ("MaximumMessageSize", self.max_size.to_string()),
            ("ReceiveMessageWaitTimeSeconds", self.wait.to_string()),
            ("SqsManagedSseEnabled", self.managed_sse.to_string()),
        ];
        if self.fifo {
            shown.push(("FifoQueue", "true".to_owned()));
            shown.push(("ContentBasedDeduplication", self.content_dedup.to_string()));
            shown.push(("DeduplicationScope", self.dedup_scope.as_str().to_owned()));
            shown.push(("FifoThroughputLimit", self.throughput_limit.as_str().to_owned()));
        }
        if let Some(redrive) = &self.redrive {
            let text = json!({"deadLetterTargetArn": redrive.arn, "maxReceiveCount": redrive.max_receives});
            shown.push(("RedrivePolicy", text.to_string()));
        }
        if let Some(allow) = &self.redrive_allow {
            shown.push(("RedriveAllowPolicy", allow.to_text()));
        }
        shown.extend(self.policy.clone().map(|policy| ("Policy", policy)));
        if let Some(key) = &self.kms_key {
            shown.push(("KmsMasterKeyId", key.clone()));
            shown.push(("KmsDataKeyReusePeriodSeconds", self.kms_reuse.unwrap_or(300).to_string()));
        }
        shown.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

impl RedriveAllow {
    fn to_text(&self) -> String {
        match self.permission {
            Permission::AllowAll => json!({"redrivePermission": "allowAll"}),
            Permission::DenyAll => json!({"redrivePermission": "denyAll"}),
            Permission::ByQueue => json!({"redrivePermission": "byQueue", "sourceQueueArns": self.sources}),
        }
        .to_string()
    }
}

/// The name of the dead-letter queue that is wanted, if one is.
///
/// # Errors
/// As those of [`Settings::with`].
pub(super) fn wanted_target(account: &Owner, wanted: &Wanted) -> Result<Option<String>, Refusal> {
    let text = wanted.get("RedrivePolicy").and_then(|value| given(value));
    Ok(text.map(|text| redrive(account, text)).transpose()?.map(|redrive| redrive.target))
}

fn given(value: &str) -> Option<&str> {
    Some(value).filter(|value| !value.is_empty())
}

fn invalid(name: &str) -> Refusal {
    Refusal::InvalidAttributeValue(format!("Invalid value for the parameter {name}."))
}

fn number(name: &str, value: &str, within: RangeInclusive<u32>) -> Result<u32, Refusal> {
    value.trim().parse().ok().filter(|number| within.contains(number)).ok_or_else(|| invalid(name))
}

fn truth(name: &str, value: &str) -> Result<bool, Refusal> {
    value.to_ascii_lowercase().parse().map_err(|_| invalid(name))
}

fn word<T: Copy>(name: &str, value: &str, all: [T; 2], text: fn(T) -> &'static str) -> Result<T, Refusal> {
    all.into_iter().find(|one| text(*one) == value).ok_or_else(|| invalid(name))
}

/// Whether a text has no control characters. Of what is kept none may have U+0000: PostgreSQL reads no JSON that has it.
fn is_printed(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

/// It is kept as it is written: JSON, so that no character stands bare in it but white space.
fn policy(text: &str) -> Result<String, Refusal> {
    let object = serde_json::from_str::<Value>(text).is_ok_and(|value| value.is_object());
    if object { Ok(text.to_owned()) } else { Err(invalid("Policy")) }
}

fn redrive(account: &Owner, text: &str) -> Result<Redrive, Refusal> {
    let wrong = |why: &str| Refusal::value(text, "RedrivePolicy", why);
    let policy: Value = serde_json::from_str(text).map_err(|_| wrong("Redrive policy is not a valid JSON map."))?;
    let policy = policy.as_object().ok_or_else(|| wrong("Redrive policy is not a valid JSON map."))?;
    let arn = policy.get("deadLetterTargetArn").and_then(Value::as_str);
    let arn = arn.ok_or_else(|| wrong("Redrive policy does not contain mandatory attribute: deadLetterTargetArn."))?;
    let max_receives = match policy.get("maxReceiveCount") {
        None => Some(MAX_RECEIVES),
        Some(Value::String(digits)) => digits.parse().ok(),
        Some(number) => number.as_u64().and_then(|number| u32::try_from(number).ok()),
    };
    let max_receives = max_receives.filter(|count| (1..=1_000).contains(count)).ok_or_else(|| {
        let shown = policy.get("maxReceiveCount").map(Value::to_string).unwrap_or_default();
        let shown = shown.trim_matches('"');
        wrong(&format!("Invalid value for maxReceiveCount: {shown}, valid values are from 1 to 1000 both inclusive."))
    })?;
    let target = arn::name_of(account, arn)
        .filter(|_| is_printed(arn))
        .ok_or_else(|| wrong("Dead letter target does not exist."))?;
    Ok(Redrive { target: target.to_owned(), arn: arn.to_owned(), max_receives })
}

fn redrive_allow(text: &str) -> Result<RedriveAllow, Refusal> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Policy {
        redrive_permission: Permission,
        #[serde(default)]
        source_queue_arns: Vec<String>,
    }
    let wrong = |why: &str| Refusal::value(text, "RedriveAllowPolicy", why);
    let Policy { redrive_permission: permission, source_queue_arns: sources } = serde_json::from_str(text)
        .map_err(|_| wrong("Amazon SQS can't create the redrive allow policy, as it's in an unsupported format."))?;
    let right = match permission {
        Permission::ByQueue => (1..=SOURCES).contains(&sources.len()),
        Permission::AllowAll | Permission::DenyAll => sources.is_empty(),
    };
    if !right || !sources.iter().all(|arn| is_printed(arn)) {
        return Err(wrong("sourceQueueArns names 1 to 10 queues with byQueue, and none otherwise."));
    }
    Ok(RedriveAllow { permission, sources })
}
