//! What the world sees of an endpoint: its account everything but its secrets, readers of events no whole URL either.

use serde::Serialize;

use super::{Endpoint, Format, Reason, Status};
use crate::webhook::Pattern;
use crate::{Owner, Timestamp, view};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View<'a> {
    id: &'a str,
    version: u64,
    status: Status,
    account: &'a Owner,
    url: &'a str,
    patterns: &'a [Pattern],
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    format: Format,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_per_second: Option<u32>,
    concurrency: u32,
    ordered: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    old_secret_until: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl Endpoint {
    /// The public view as JSON.
    #[must_use]
    pub fn view_json(&self) -> String {
        let view = View {
            id: &self.id,
            version: self.version,
            status: self.status,
            account: &self.account,
            url: &self.url,
            patterns: &self.patterns,
            description: self.description.as_deref(),
            format: self.format,
            rate_per_second: self.rate_per_second,
            concurrency: self.concurrency,
            ordered: self.ordered,
            reason: self.reason,
            old_secret_until: self.secrets.iter().filter_map(|secret| secret.until).max(),
            created_at: self.created_at,
            updated_at: self.updated_at,
        };
        // Text, numbers and lists of them: writing them cannot fail.
        serde_json::to_string(&view).unwrap_or_default()
    }

    /// The body of the event that made this of `before`. It goes to streams, exports and other endpoints, and path and query
    /// of a URL may be secret: `url` shows scheme and host, before and after; that it changed is seen all the same.
    pub(super) fn event_body(&self, before: Option<&Self>, actor: &Owner) -> String {
        let shown = before.map(Self::view_json);
        let body = view::event_body(shown.as_deref(), &self.view_json(), actor);
        let urls = [Some(self), before].into_iter().flatten().map(|endpoint| &*endpoint.url);
        urls.fold(body, |body, url| body.replace(&url_field(url), &url_field(&scheme_and_host(url))))
    }
}

/// The field as it stands in a view. No text inside one can look like it, because JSON escapes its quotes.
fn url_field(url: &str) -> String {
    format!("\"url\":{}", serde_json::Value::from(url))
}

/// `https://example.com/…`; a port is shown, a user is not.
fn scheme_and_host(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return "…".to_owned() };
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}/…")
}
