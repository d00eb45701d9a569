//! Webhooks on the wire.

use utoipa::ToSchema;

use super::{DeliveryStatus, EndpointFormat, EndpointReason, EndpointStatus, ReplayStatus};

/// An endpoint to be made.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: bodies are read field by field")]
pub(crate) struct EndpointRequest {
    /// Where requests go: `https` or `http`, a public address.
    url: String,
    /// What it wants: 1 to 50 patterns, any of which matches.
    patterns: Vec<String>,
    /// What you call it, at most 256 bytes.
    description: Option<String>,
    /// `standard` (default): `{type, timestamp, data}`; `deals`: the recorded deals system's payloads.
    format: Option<EndpointFormat>,
    /// At most so many requests a second, from each node: 1 to 10,000; any number by default.
    #[schema(minimum = 1, maximum = 10_000)]
    rate_per_second: Option<u32>,
    /// At most so many requests at once: 1 to 32, which is the default.
    #[schema(minimum = 1, maximum = 32)]
    concurrency: Option<u32>,
    /// Whether the events of one entity come one after the other; a failed one then holds up what follows it.
    ordered: Option<bool>,
    /// A secret of your own: `whsec_` and 24 to 64 bytes in base64; one is made by default.
    secret: Option<String>,
}

/// What to change of an endpoint.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: bodies are read field by field")]
pub(crate) struct EndpointEdit {
    /// Where requests go.
    url: Option<String>,
    /// What it wants.
    patterns: Option<Vec<String>>,
    /// What you call it; empty takes it away.
    description: Option<String>,
    /// `standard` or `deals`.
    format: Option<EndpointFormat>,
    /// At most so many requests a second; 0 takes the limit away.
    #[schema(minimum = 0, maximum = 10_000)]
    rate_per_second: Option<u32>,
    /// At most so many requests at once.
    #[schema(minimum = 1, maximum = 32)]
    concurrency: Option<u32>,
    /// Whether the events of one entity come one after the other.
    ordered: Option<bool>,
}

/// How a secret is replaced.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: bodies are read field by field")]
pub(crate) struct RotationRequest {
    /// For how long the old secret signs besides: 0 to 604,800; a day by default.
    #[schema(minimum = 0, maximum = 604_800)]
    overlap_seconds: Option<u32>,
    /// A secret of your own; one is made by default.
    secret: Option<String>,
}

/// Where webhooks go.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: the domain writes the view")]
pub(crate) struct EndpointView {
    /// UUID.
    id: String,
    /// 1 at first, one more with every change.
    version: u64,
    /// `active`, `disabled` or `deleted`.
    status: EndpointStatus,
    /// Whose it is.
    account: String,
    /// Where requests go. Events show its scheme and host only: `https://example.com/…`.
    url: String,
    /// What it wants.
    patterns: Vec<String>,
    /// What its owner calls it.
    description: Option<String>,
    /// `standard` or `deals`.
    format: EndpointFormat,
    /// At most so many requests a second, from each node.
    rate_per_second: Option<u32>,
    /// At most so many requests at once.
    concurrency: u32,
    /// Whether the events of one entity come one after the other.
    ordered: bool,
    /// Why it is disabled: `owner`, `gone` (it answered 410) or `failing` (for five days).
    reason: Option<EndpointReason>,
    /// Until when an old secret signs besides the newest.
    #[schema(format = DateTime)]
    old_secret_until: Option<String>,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it last changed.
    #[schema(format = DateTime)]
    updated_at: String,
    /// What requests are signed with: only in the answer that made it.
    secret: Option<String>,
}

/// One page of endpoints.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: pages are written piece by piece")]
pub(crate) struct EndpointList {
    /// Newest first.
    data: Vec<EndpointView>,
    /// Where the next page begins; null on the last.
    next_cursor: Option<String>,
    /// Whether there is another page.
    has_more: bool,
}

/// One request, and what came of it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used: the domain writes the view")]
pub(crate) struct AttemptView {
    /// When it was sent.
    #[schema(format = DateTime)]
    at: String,
    /// The answer's HTTP status.
    status: Option<u16>,
    /// How long it took.
    millis: u64,
    /// Why there was no answer.
    error: Option<String>,
    /// The first 4 KiB of the answer.
    answer: Option<String>,
}

/// What is sent.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used: the request is written piece by piece")]
pub(crate) struct DeliveryRequest {
    /// `POST`.
    method: String,
    /// Its headers; the signature is not shown.
    headers: serde_json::Value,
    /// Its body; null when the event is no longer held, or the account may no longer see it.
    body: serde_json::Value,
}

/// One event on its way to one endpoint.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: the domain writes the view")]
pub(crate) struct DeliveryView {
    /// UUID: the header `webhook-id`, the same over all attempts, resends and replays.
    id: String,
    /// 1 at first, one more with every change.
    version: u64,
    /// `pending`, `delivered` or `failed`.
    status: DeliveryStatus,
    /// Where it goes.
    endpoint_id: String,
    /// The event's type.
    event_type: String,
    /// What the event is about: `swap`.
    entity_kind: String,
    /// Which one.
    entity_id: String,
    /// What was tried, oldest first: the newest 16.
    attempts: Vec<AttemptView>,
    /// When it is tried again.
    #[schema(format = DateTime)]
    next_attempt_at: Option<String>,
    /// Why it was given up: `ATTEMPTS_EXHAUSTED`, `GONE`, `ENDPOINT_DISABLED`, `ENDPOINT_DELETED`, `NOT_AUTHORISED`,
    /// `EVENT_FORGOTTEN` or `NOTHING_TO_SEND`.
    reason: Option<String>,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it last changed.
    #[schema(format = DateTime)]
    updated_at: String,
    /// What is sent: when one delivery is read.
    request: Option<DeliveryRequest>,
}

/// One page of deliveries.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: pages are written piece by piece")]
pub(crate) struct DeliveryList {
    /// Newest first.
    data: Vec<DeliveryView>,
    /// Where the next page begins; null on the last.
    next_cursor: Option<String>,
    /// Whether there is another page.
    has_more: bool,
}

/// Which events are to be delivered again.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used: bodies are read field by field")]
pub(crate) struct ReplayRequest {
    /// From this instant on.
    #[schema(format = DateTime)]
    since: String,
    /// Before this instant; now by default.
    #[schema(format = DateTime)]
    until: Option<String>,
}

/// Deliveries of a range of events, made again.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used: the domain writes the view")]
pub(crate) struct ReplayView {
    /// UUID.
    id: String,
    /// 1 at first, one more with every step.
    version: u64,
    /// `running`, `done`, or `stopped` (its endpoint was disabled or deleted meanwhile).
    status: ReplayStatus,
    /// The endpoint.
    endpoint_id: String,
    /// Events from this instant on.
    #[schema(format = DateTime)]
    since: String,
    /// Events before this instant.
    #[schema(format = DateTime)]
    until: String,
    /// So many deliveries were put on their way.
    deliveries: u64,
    /// How much of the range was looked at.
    progress_percent: u64,
    /// When it was asked for.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it last got on.
    #[schema(format = DateTime)]
    updated_at: String,
}
