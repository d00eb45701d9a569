//! What may be sent, and the job that it becomes.

use sha2::{Digest, Sha256};

use super::message::{Attribute, Message, Outgoing, Value};
use super::number::is_number;
use super::settings::DedupScope;
use super::{Queue, Refusal};
use crate::{Dedup, NewJob, Timestamp};

/// The most bytes of a message, and of a batch.
pub const LONGEST: usize = 1_048_576;
/// How long duplicates are known.
const WINDOW_MICROS: i64 = 5 * 60 * 1_000_000;
/// The longest delay, in seconds.
const LONGEST_DELAY: i64 = 900;
/// The most attributes of a message, and the longest name and type.
const ATTRIBUTES: usize = 10;
const ATTRIBUTE_NAME: usize = 256;
/// The longest group and the longest id of duplicates.
const LONGEST_ID: usize = 128;
/// The one attribute for AWS's own services.
const TRACE_HEADER: &str = "AWSTraceHeader";

impl Outgoing {
    /// How many bytes it counts for: text, and names, types and values of attributes.
    #[must_use]
    pub fn size(&self) -> usize {
        let attributes = self.attributes.iter().map(|one| one.name.len() + one.type_.len() + one.value.len());
        self.body.len() + attributes.sum::<usize>()
    }
}

/// How many bytes the entries of a batch have together.
#[must_use]
pub fn batch_size(entries: &[Outgoing]) -> usize {
    entries.iter().map(Outgoing::size).sum()
}

impl Queue {
    /// The job that a message becomes. To be applied with [`Queue::given`], so that nothing gets into a generation that is no
    /// more; [`Queue::sent`] then tells what the sender is answered.
    ///
    /// # Errors
    /// As AWS refuses a message.
    pub fn job(&self, outgoing: &Outgoing, now: Timestamp) -> Result<NewJob, Refusal> {
        self.check(outgoing)?;
        let settings = self.settings();
        let (group, dedup) = if settings.fifo { self.order(outgoing)? } else { (None, None) };
        let delay = outgoing.delay.filter(|delay| !settings.fifo || *delay > 0).unwrap_or(i64::from(settings.delay));
        let mut attributes = outgoing.attributes.clone();
        attributes.sort_by(|one, other| one.name.cmp(&other.name));
        let message = Message {
            message_id: None,
            body: outgoing.body.clone(),
            attributes,
            system: outgoing.system.clone(),
            sender: outgoing.sender.clone(),
            sent_at: now.as_millis(),
            group: outgoing.group.clone(),
            dedup: dedup.clone(),
            dead_letter_source: None,
        };
        let dedup = dedup.map(|id| Dedup { key: self.dedup_key(group.as_deref(), &id), window_micros: WINDOW_MICROS });
        Ok(self.job_of(&message, group, dedup, now.plus_millis(delay.saturating_mul(1_000))))
    }

    /// The job in this queue that a dead letter of `source` becomes: it keeps its id. Where an order is kept, it is known by
    /// that id from then on, and counts as sent now. What was added beside its text last, such as a reason, takes the place of
    /// what there is no room for.
    #[must_use]
    pub fn dead_letter(&self, source: &Self, message_id: &str, mut message: Message, now: Timestamp) -> NewJob {
        message.message_id = Some(message_id.to_owned());
        message.dead_letter_source = Some(source.arn());
        while message.attributes.len() > ATTRIBUTES {
            message.attributes.swap_remove(ATTRIBUTES - 1);
        }
        message.attributes.sort_by(|one, other| one.name.cmp(&other.name));
        if self.settings().fifo {
            message.dedup = Some(message_id.to_owned());
            message.sent_at = now.as_millis();
        }
        let group = message.group.clone().filter(|_| self.settings().fifo);
        self.job_of(&message, group, None, now)
    }

    /// The job in this queue that a dead letter becomes which is brought back: a new message of the same text.
    #[must_use]
    pub fn redriven(&self, mut message: Message, now: Timestamp) -> NewJob {
        message.message_id = None;
        message.dead_letter_source = None;
        message.sent_at = now.as_millis();
        let group = message.group.clone().filter(|_| self.settings().fifo);
        self.job_of(&message, group, None, now)
    }

    fn job_of(&self, message: &Message, group: Option<String>, dedup: Option<Dedup>, run_at: Timestamp) -> NewJob {
        NewJob { queue: self.generation().to_owned().into(), group, lane: None, run_at, body: message.to_json(), dedup }
    }

    fn dedup_key(&self, group: Option<&str>, id: &str) -> String {
        let scope = match self.settings().dedup_scope {
            DedupScope::Queue => "",
            DedupScope::MessageGroup => group.unwrap_or_default(),
        };
        hex(&Sha256::new().chain_update(scope).chain_update([0]).chain_update(id).finalize())
    }

    fn check(&self, outgoing: &Outgoing) -> Result<(), Refusal> {
        if outgoing.body.is_empty() {
            return Err(Refusal::MissingParameter("MessageBody".to_owned()));
        }
        let most = self.settings().max_size as usize;
        if outgoing.size() > most {
            let why = format!("One or more parameters are invalid. Reason: Message must be shorter than {most} bytes.");
            return Err(Refusal::InvalidParameterValue(why));
        }
        if !is_plain(&outgoing.body) {
            return Err(Refusal::InvalidMessageContents);
        }
        if let Some(delay) = outgoing.delay {
            if !(0..=LONGEST_DELAY).contains(&delay) {
                let why = "DelaySeconds must be >= 0 and <= 900.";
                return Err(Refusal::value(delay, "DelaySeconds", why));
            }
            if self.settings().fifo && delay > 0 {
                return Err(wrong_type(delay, "DelaySeconds"));
            }
        }
        if let Some(group) = &outgoing.group {
            check_id(group, "MessageGroupId")?;
        }
        check_attributes(&outgoing.attributes)?;
        check_system(&outgoing.system)?;
        match &outgoing.dedup {
            Some(id) if !self.settings().fifo => Err(wrong_type(id, "MessageDeduplicationId")),
            _ => Ok(()),
        }
    }

    /// The group and the id of duplicates of a message whose order is kept.
    fn order(&self, outgoing: &Outgoing) -> Result<(Option<String>, Option<String>), Refusal> {
        let Some(group) = outgoing.group.clone() else {
            return Err(Refusal::MissingParameter("MessageGroupId".to_owned()));
        };
        let dedup = match &outgoing.dedup {
            Some(id) => {
                check_id(id, "MessageDeduplicationId")?;
                id.clone()
            }
            None if self.settings().content_dedup => hex(&Sha256::digest(&outgoing.body)),
            None => {
                let why = "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId \
                           provided explicitly";
                return Err(Refusal::InvalidParameterValue(why.to_owned()));
            }
        };
        Ok((Some(group), Some(dedup)))
    }
}

/// What the journal knows a call by that its caller gave a name.
///
/// # Errors
/// `InvalidParameterValue` when it is no such name.
pub fn call_of(attempt_id: &str) -> Result<String, Refusal> {
    check_id(attempt_id, "ReceiveRequestAttemptId")?;
    Ok(hex(&Sha256::digest(attempt_id)))
}

/// A parameter that is for queues of the other type.
#[must_use]
pub fn wrong_type(value: impl std::fmt::Display, parameter: &str) -> Refusal {
    Refusal::value(value, parameter, "The request include parameter that is not valid for this queue type.")
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Whether a text has only characters of XML 1.0. Rust's texts hold no surrogates.
fn is_plain(text: &str) -> bool {
    let plain = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
    text.chars().all(plain)
}

/// Groups and ids of duplicates: 1 to 128 letters, digits and ASCII punctuation.
fn check_id(id: &str, parameter: &str) -> Result<(), Refusal> {
    if (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(());
    }
    let why =
        format!("{parameter} can only include alphanumeric and punctuation characters. 1 to {LONGEST_ID} in length.");
    Err(Refusal::value(id, parameter, &why))
}

fn check_attributes(attributes: &[Attribute]) -> Result<(), Refusal> {
    if attributes.len() > ATTRIBUTES {
        let why =
            format!("Number of message attributes [{}] exceeds the allowed maximum [{ATTRIBUTES}].", attributes.len());
        return Err(Refusal::InvalidParameterValue(why));
    }
    attributes.iter().try_for_each(check_attribute)
}

fn check_attribute(attribute: &Attribute) -> Result<(), Refusal> {
    let Attribute { name, type_, value } = attribute;
    let wrong = |why: String| Err(Refusal::InvalidParameterValue(why));
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-.".contains(&b);
    let lower = name.to_ascii_lowercase();
    if !(1..=ATTRIBUTE_NAME).contains(&name.len()) || !name.bytes().all(plain) {
        return wrong(format!(
            "The message attribute name '{name}' is invalid. Attribute name can contain A-Z, a-z, 0-9, underscore (_), \
             hyphen (-), and period (.) characters."
        ));
    }
    if name.starts_with('.') || name.ends_with('.') || name.contains("..") {
        return wrong(format!(
            "Message (user) attribute name '{name}' must not start or end with a period, or have two in succession."
        ));
    }
    if lower.starts_with("aws.") || lower.starts_with("amazon.") {
        return wrong(format!(
            "Message (user) attribute name '{name}' must not start with AWS-reserved prefixes like 'AWS.' or 'Amazon.'."
        ));
    }
    if type_.is_empty() {
        return wrong(format!("The message attribute '{name}' must contain non-empty message attribute type."));
    }
    let prefix = type_.split('.').next().unwrap_or_default();
    if type_.len() > ATTRIBUTE_NAME || !["String", "Number", "Binary"].contains(&prefix) || !is_plain(type_) {
        return wrong(format!(
            "The message attribute '{name}' has an invalid message attribute type, the set of supported type prefixes is \
             Binary, Number, and String."
        ));
    }
    let fits = matches!((prefix, value), ("Binary", Value::Bytes(_)) | ("String" | "Number", Value::Text(_)));
    if value.is_empty() || !fits {
        return wrong(format!("Message (user) attribute '{name}' must contain a non-empty value of type '{type_}'."));
    }
    match value {
        Value::Text(text) if !is_plain(text) => Err(Refusal::InvalidMessageContents),
        Value::Text(text) if prefix == "Number" && !is_number(text) => {
            wrong(format!("Can't cast the value of message (user) attribute '{name}' to a number."))
        }
        _ => Ok(()),
    }
}

fn check_system(attributes: &[Attribute]) -> Result<(), Refusal> {
    for Attribute { name, type_, value } in attributes {
        if name != TRACE_HEADER {
            let why = format!("Message system attribute name '{name}' is invalid. Valid values are [{TRACE_HEADER}].");
            return Err(Refusal::InvalidParameterValue(why));
        }
        match value {
            Value::Text(text) if type_ == "String" && !text.is_empty() && is_plain(text) => {}
            _ => {
                let why =
                    format!("The message system attribute '{name}' must contain a non-empty text of type 'String'.");
                return Err(Refusal::InvalidParameterValue(why));
            }
        }
    }
    Ok(())
}
