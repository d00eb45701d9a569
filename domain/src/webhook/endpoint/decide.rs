//! The decisions about an endpoint. Each returns the endpoint after it and the change that makes it so.

use super::{Endpoint, Format, Happening, Reason, SealedSecret, Status, next};
use crate::webhook::Pattern;
use crate::{Change, EntityWrite, EventDraft, Expect, Kind, Owner, Refusal, Timestamp};

/// The most endpoints of one account.
pub const MOST_ENDPOINTS: usize = 50;
/// The most patterns of one endpoint.
pub const MOST_PATTERNS: usize = 50;
/// The most requests at once to one endpoint.
pub const MOST_CONCURRENCY: u32 = 32;
/// The most requests a second that a rate may allow.
pub const MOST_RATE: u32 = 10_000;
/// How long an old secret signs besides the new one, unless said otherwise: a day.
pub const KEEP_OLD_SECRET_MICROS: i64 = 24 * 3_600 * 1_000_000;
/// The longest that an old secret may sign: a week.
pub const LONGEST_OVERLAP_MICROS: i64 = 7 * KEEP_OLD_SECRET_MICROS;
/// The most secrets that sign at once.
const MOST_SECRETS: usize = 5;
const LONGEST_URL: usize = 2_048;
const LONGEST_DESCRIPTION: usize = 256;

/// A request for an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Create {
    /// The id it is to have: UUID v7 text.
    pub id: String,
    /// Whose it is.
    pub account: Owner,
    /// Where it is reached; looked at elsewhere.
    pub url: String,
    /// What it wants.
    pub patterns: Vec<Pattern>,
    /// What its owner calls it.
    pub description: Option<String>,
    /// What its payloads look like.
    pub format: Format,
    /// Its secret, sealed.
    pub secret: String,
    /// At most so many requests a second.
    pub rate_per_second: Option<u32>,
    /// At most so many requests at once.
    pub concurrency: u32,
    /// Whether the events of one entity come one after the other.
    pub ordered: bool,
}

/// Settings to change; none leaves one as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edit {
    /// Where it is reached; looked at elsewhere.
    pub url: Option<String>,
    /// What it wants.
    pub patterns: Option<Vec<Pattern>>,
    /// What its owner calls it.
    pub description: Option<Option<String>>,
    /// What its payloads look like.
    pub format: Option<Format>,
    /// At most so many requests a second.
    pub rate_per_second: Option<Option<u32>>,
    /// At most so many requests at once.
    pub concurrency: Option<u32>,
    /// Whether the events of one entity come one after the other.
    pub ordered: Option<bool>,
}

/// An endpoint after a decision, and the change that makes it so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The endpoint as it will be.
    pub endpoint: Endpoint,
    /// What the journal is to apply.
    pub change: Change,
}

/// Makes an endpoint, active.
///
/// # Errors
/// `OUT_OF_RANGE`, with the field.
pub fn create(create: Create, now: Timestamp) -> Result<Choice, Refusal> {
    let endpoint = Endpoint {
        id: create.id,
        version: 1,
        account: create.account,
        status: Status::Active,
        url: create.url,
        patterns: create.patterns,
        description: create.description,
        format: create.format,
        secrets: vec![SealedSecret { sealed: create.secret, until: None }],
        rate_per_second: create.rate_per_second,
        concurrency: create.concurrency,
        ordered: create.ordered,
        reason: None,
        created_at: now,
        updated_at: now,
    };
    check(&endpoint)?;
    let actor = endpoint.account.clone();
    Ok(choice(None, endpoint, "webhook.endpoint.created", &actor))
}

/// Changes settings.
///
/// # Errors
/// `WRONG_STATE`, `OUT_OF_RANGE` with the field.
pub fn edit(before: &Endpoint, edit: Edit, actor: &Owner, now: Timestamp) -> Result<Choice, Refusal> {
    let mut after = moved(before, Happening::Edit, now)?;
    after.url = edit.url.unwrap_or(after.url);
    after.patterns = edit.patterns.unwrap_or(after.patterns);
    after.description = edit.description.unwrap_or(after.description);
    after.format = edit.format.unwrap_or(after.format);
    after.rate_per_second = edit.rate_per_second.unwrap_or(after.rate_per_second);
    after.concurrency = edit.concurrency.unwrap_or(after.concurrency);
    after.ordered = edit.ordered.unwrap_or(after.ordered);
    check(&after)?;
    Ok(choice(Some(before), after, "webhook.endpoint.updated", actor))
}

/// Gives it a new secret; the one it had signs besides for `overlap_micros`.
///
/// # Errors
/// `WRONG_STATE`; `TOO_MANY_SECRETS` while as many sign as may.
pub fn rotate(
    before: &Endpoint,
    sealed: String,
    overlap_micros: i64,
    actor: &Owner,
    now: Timestamp,
) -> Result<Choice, Refusal> {
    if !(0..=LONGEST_OVERLAP_MICROS).contains(&overlap_micros) {
        return Err(Refusal::at("/overlapSeconds", "OUT_OF_RANGE", "an old secret signs for 0 to 604800 seconds"));
    }
    let mut after = moved(before, Happening::Edit, now)?;
    let until = now.plus_micros(overlap_micros);
    for secret in &mut after.secrets {
        // One that was to end sooner still does.
        secret.until = Some(secret.until.map_or(until, |sooner| sooner.min(until)));
    }
    after.secrets.retain(|secret| secret.until.is_some_and(|until| until > now));
    if after.secrets.len() >= MOST_SECRETS {
        let said =
            format!("{MOST_SECRETS} secrets sign at once: wait until an old one ends, or rotate without overlap");
        return Err(Refusal::new("TOO_MANY_SECRETS", said));
    }
    after.secrets.insert(0, SealedSecret { sealed, until: None });
    Ok(choice(Some(before), after, "webhook.endpoint.updated", actor))
}

/// Has it get events again, from now on.
///
/// # Errors
/// `WRONG_STATE`.
pub fn enable(before: &Endpoint, actor: &Owner, now: Timestamp) -> Result<Choice, Refusal> {
    let after = Endpoint { reason: None, ..moved(before, Happening::Enable, now)? };
    Ok(choice(Some(before), after, "webhook.endpoint.enabled", actor))
}

/// Has it get no more events.
///
/// # Errors
/// `WRONG_STATE`.
pub fn disable(before: &Endpoint, reason: Reason, actor: &Owner, now: Timestamp) -> Result<Choice, Refusal> {
    let after = Endpoint { reason: Some(reason), ..moved(before, Happening::Disable, now)? };
    Ok(choice(Some(before), after, "webhook.endpoint.disabled", actor))
}

/// Deletes it, and its secrets at once.
///
/// # Errors
/// `WRONG_STATE`.
pub fn delete(before: &Endpoint, actor: &Owner, now: Timestamp) -> Result<Choice, Refusal> {
    let after = Endpoint { secrets: Vec::new(), ..moved(before, Happening::Delete, now)? };
    Ok(choice(Some(before), after, "webhook.endpoint.deleted", actor))
}

/// The endpoint in its next state.
fn moved(before: &Endpoint, happening: Happening, now: Timestamp) -> Result<Endpoint, Refusal> {
    let status = next(before.status, happening)
        .ok_or_else(|| Refusal::new("WRONG_STATE", format!("the endpoint is {} already", before.status.as_str())))?;
    Ok(Endpoint { status, version: before.version + 1, updated_at: now, ..before.clone() })
}

fn check(endpoint: &Endpoint) -> Result<(), Refusal> {
    let refuse = |pointer, said: String| Err(Refusal::at(pointer, "OUT_OF_RANGE", said));
    if endpoint.url.len() > LONGEST_URL {
        return refuse("/url", format!("a URL has at most {LONGEST_URL} bytes"));
    }
    if !(1..=MOST_PATTERNS).contains(&endpoint.patterns.len()) {
        return refuse("/patterns", format!("an endpoint has 1 to {MOST_PATTERNS} patterns"));
    }
    if endpoint.description.as_ref().is_some_and(|text| text.len() > LONGEST_DESCRIPTION) {
        return refuse("/description", format!("a description has at most {LONGEST_DESCRIPTION} bytes"));
    }
    if !(1..=MOST_CONCURRENCY).contains(&endpoint.concurrency) {
        return refuse("/concurrency", format!("1 to {MOST_CONCURRENCY} requests at once"));
    }
    if endpoint.rate_per_second.is_some_and(|rate| !(1..=MOST_RATE).contains(&rate)) {
        return refuse("/ratePerSecond", format!("1 to {MOST_RATE} requests a second"));
    }
    Ok(())
}

fn choice(before: Option<&Endpoint>, after: Endpoint, type_: &'static str, actor: &Owner) -> Choice {
    let body = after.event_body(before, actor);
    let write = EntityWrite {
        kind: Kind::Endpoint,
        id: after.id.clone(),
        expect: before.map_or(Expect::Absent, |before| Expect::Version(before.version)),
        status: after.status.as_str(),
        owner: after.account.clone(),
        party: None,
        parent: None,
        // Text, numbers and lists of them: writing them cannot fail.
        body: serde_json::to_string(&after).unwrap_or_default(),
        event: Some(EventDraft { type_, body }),
    };
    Choice { change: Change { at: after.updated_at, entities: vec![write], ..Change::default() }, endpoint: after }
}
