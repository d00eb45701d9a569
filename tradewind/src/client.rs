//! Speaks to a running server: requests, problems as sentences, and events that survive a broken connection.

mod events;

use std::fmt;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::Value;

use crate::config::Remote;

pub(crate) use events::{Event, Events, Life, Watch};

/// Requests end after this; streams do not.
const DEADLINE: Duration = Duration::from_secs(40);

/// A server and the account to act for.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
}

/// What an order's public view has that the commands show.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Order {
    /// UUID.
    pub(crate) id: String,
    /// In the words of the API.
    pub(crate) status: String,
    /// Symbols.
    pub(crate) input_token: String,
    pub(crate) output_token: String,
    /// Counts tries at routing and building.
    pub(crate) attempt: u32,
    pub(crate) route: Option<Amounts>,
    pub(crate) fill: Option<Amounts>,
    pub(crate) failure: Option<Failure>,
}

/// A route or a fill, in whole tokens as text.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Amounts {
    pub(crate) venue: Option<String>,
    pub(crate) amount_in: String,
    pub(crate) amount_out: String,
    pub(crate) price: String,
    pub(crate) gap_bps: Option<String>,
    pub(crate) against_quote_bps: Option<String>,
    #[serde(default)]
    pub(crate) legs: Vec<Leg>,
}

/// One swap of a route, in whole tokens as text.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Leg {
    pub(crate) pool: String,
    pub(crate) exchange: String,
    pub(crate) family: String,
    pub(crate) input_token: String,
    pub(crate) output_token: String,
    pub(crate) amount_in: String,
    pub(crate) amount_out: String,
    pub(crate) fee: String,
    pub(crate) fee_token: String,
    pub(crate) price_impact_bps: u32,
}

/// Why something did not happen.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Failure {
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Order {
    /// Nothing follows.
    pub(crate) fn is_final(&self) -> bool {
        domain::swap::Status::parse(&self.status).is_some_and(domain::swap::Status::is_final)
    }

    /// Traded.
    pub(crate) fn is_confirmed(&self) -> bool {
        self.status == domain::swap::Status::Confirmed.as_str()
    }

    /// What there is to say about its present state.
    pub(crate) fn remark(&self) -> String {
        if let Some(failure) = self.failure.as_ref().filter(|_| !self.is_confirmed()) {
            return format!("{}: {}", failure.code, failure.message);
        }
        let Some(amounts) = self.fill.as_ref().or(self.route.as_ref()) else {
            return String::new();
        };
        let venue = self.route.as_ref().and_then(|route| route.venue.as_deref()).unwrap_or("?");
        let Amounts { amount_in, amount_out, price, .. } = amounts;
        let quality = match &self.fill {
            Some(fill) => fill.against_quote_bps.as_deref().map(against_quote),
            None => self.route.as_ref().and_then(Amounts::proof),
        };
        let quality = quality.map(|said| format!(", {said}")).unwrap_or_default();
        format!("{venue}: {amount_in} {} → {amount_out} {} at {price}{quality}", self.input_token, self.output_token)
    }
}

impl Amounts {
    /// Of how many swaps the route is, and how good it is proved to be.
    fn proof(&self) -> Option<String> {
        let gap = self.gap_bps.as_ref()?;
        let swaps = if self.legs.len() == 1 { "1 swap".to_owned() } else { format!("{} swaps", self.legs.len()) };
        Some(format!("{swaps}, at most {gap} bps from the best possible"))
    }
}

/// What was traded against what was quoted, for people.
fn against_quote(bps: &str) -> String {
    match bps.strip_prefix('-') {
        Some(worse) => format!("{worse} bps worse than quoted"),
        None if bps.bytes().all(|b| matches!(b, b'0' | b'.')) => "as quoted".to_owned(),
        None => format!("{bps} bps better than quoted"),
    }
}

impl Client {
    /// A client for the server of the command line.
    pub(crate) fn new(remote: &Remote) -> anyhow::Result<Self> {
        let base = remote.url.trim_end_matches('/').to_owned();
        if !base.starts_with("http://") {
            bail!("--url {base}: expected http://host:port (put a proxy in front for TLS)");
        }
        let mut headers = HeaderMap::new();
        if let Some(account) = &remote.account {
            let account = HeaderValue::from_str(account).context("--account: not an account name")?;
            headers.insert(HeaderName::from_static("x-account"), account);
        }
        if let Some(key) = &remote.key {
            // Not even the error quotes it.
            let shown = HeaderValue::from_str(&format!("Bearer {}", key.text()));
            let mut shown = shown.map_err(|_| anyhow!("--key: that is no key"))?;
            shown.set_sensitive(true);
            headers.insert(AUTHORIZATION, shown);
        }
        let http = reqwest::Client::builder()
            .default_headers(headers)
            .connect_timeout(Duration::from_secs(5))
            .tcp_nodelay(true)
            .build()?;
        Ok(Self { http, base })
    }

    /// `GET` of JSON.
    pub(crate) async fn get(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<Value> {
        self.answer(self.http.get(self.url(path, query)?)).await
    }

    /// `POST` of JSON, under an idempotency key if there is one.
    pub(crate) async fn post(&self, path: &str, body: &Value, key: Option<&str>) -> anyhow::Result<Value> {
        let mut request = self.http.post(self.url(path, &[])?).json(body);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        self.answer(request).await
    }

    /// `PUT` of JSON.
    pub(crate) async fn put(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.answer(self.http.put(self.url(path, &[])?).json(body)).await
    }

    /// Opens the stream of events.
    pub(crate) async fn events(&self, watch: Watch) -> anyhow::Result<Events> {
        Events::open(self.clone(), watch).await
    }

    /// One order's events from its first on, also those that it went through already.
    pub(crate) async fn life(&self, id: &str) -> anyhow::Result<Life> {
        let answer = self.get(&format!("/v1/swaps/{id}/events"), &[]).await?;
        let lived = answer.get("data").and_then(Value::as_array).cloned().unwrap_or_default();
        let after = lived.last().and_then(|event| Some(event.get("seq")?.as_str()?.to_owned()));
        Ok(Life { client: self.clone(), id: id.to_owned(), after, lived: lived.into(), events: None })
    }

    /// One connection's worth of events.
    async fn open_stream(&self, query: &[(&str, &str)]) -> anyhow::Result<reqwest::Response> {
        let request = self.http.get(self.url("/v1/events", query)?).header(ACCEPT, "text/event-stream");
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        if response.status().is_success() { Ok(response) } else { Err(refused(response).await) }
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> anyhow::Result<Value> {
        let response = request.timeout(DEADLINE).send().await.map_err(|error| self.unreachable(&error))?;
        if !response.status().is_success() {
            return Err(refused(response).await);
        }
        response.json().await.context("the server's answer is no JSON")
    }

    fn url(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<reqwest::Url> {
        let text = format!("{}{path}", self.base);
        let mut url = reqwest::Url::parse(&text).map_err(|error| anyhow!("--url {}: {error}", self.base))?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    fn unreachable(&self, error: &reqwest::Error) -> anyhow::Error {
        if error.is_connect() {
            return anyhow!("no server at {}: start one with `tradewind`, or say where it is with --url", self.base);
        }
        if error.is_timeout() {
            return anyhow!("{} did not answer in {} s: try again", self.base, DEADLINE.as_secs());
        }
        anyhow!("{}: {error}", self.base)
    }
}

/// A problem document as a sentence: every fault with its place and code.
#[derive(Debug)]
pub(crate) struct Refused {
    codes: Vec<String>,
    said: String,
}

impl Refused {
    /// Whether an error is a refusal with that code.
    pub(crate) fn is(error: &anyhow::Error, code: &str) -> bool {
        error.downcast_ref::<Self>().is_some_and(|refused| refused.codes.iter().any(|one| one == code))
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said)
    }
}

impl std::error::Error for Refused {}

async fn refused(response: reqwest::Response) -> anyhow::Error {
    let status = response.status();
    let Ok(problem) = response.json::<Value>().await else {
        return anyhow!("the server answered {status}");
    };
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let errors = problem.get("errors").and_then(Value::as_array).cloned().unwrap_or_default();
    let faults: Vec<String> = errors
        .iter()
        .map(|fault| {
            let place = ["pointer", "parameter", "header"].iter().map(|name| text(fault, name)).collect::<String>();
            format!("{} {}: {}", text(fault, "code"), place.trim_start_matches('/'), text(fault, "detail"))
        })
        .collect();
    let codes = errors.iter().chain([&problem]).map(|one| text(one, "code")).collect();
    let said = match faults.is_empty() {
        true => format!("{}: {} ({status})", text(&problem, "code"), text(&problem, "detail")),
        false => format!("{} ({status})", faults.join("; ")),
    };
    Refused { codes, said }.into()
}
