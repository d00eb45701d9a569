//! Posts to addresses that strangers chose: webhooks.
//!
//! [`Sender::post`] sends one signed request over HTTP/1.1, with or without TLS, and reads the beginning of the answer. It
//! connects to public addresses only (`forbidden.rs`), follows no redirect, knows no proxy and no cookie, and no answer
//! takes more of its time or memory than it set aside.

mod answer;
mod connect;
mod forbidden;
mod names;
pub(crate) mod retry_after;

use std::error::Error as _;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderValue, USER_AGENT};
use hyper::{Method, Request, Uri};
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::RootCertStore;
use tokio::time::{Instant, timeout_at};
use url::{Host, Url};

use connect::{Connector, Denied};
use names::Names;

use crate::{Fault, Network};

/// The longest URL.
const URL_BYTES: usize = 2_048;
/// Connections that are kept for the next post, for each origin; as many as one node sends to one endpoint at once.
const IDLE_CONNECTIONS: usize = 32;
/// Less than the usual keep-alive of servers (Node 5 s is the shortest in wide use), so that they seldom close first.
const IDLE_FOR: Duration = Duration::from_secs(4);
/// The most bytes and lines of an answer's head.
const HEAD_BYTES: usize = 16 * 1024;
const HEAD_LINES: usize = 64;
/// The most characters of what is said about a failure.
const SAID: usize = 300;

/// How posts are sent.
#[derive(Clone, Debug)]
pub struct Options {
    /// Networks that may be reached although they are not public.
    pub allow: Vec<Network>,
    /// How long it may take to resolve the name, to connect, and to agree on TLS.
    pub connect_within: Duration,
    /// How long the whole exchange may take.
    pub answer_within: Duration,
}

/// One post. `Debug` is not for it: the URL may hold a secret of the endpoint's owner.
#[expect(missing_debug_implementations, reason = "the URL may hold a secret")]
pub struct Post<'a> {
    /// Where to.
    pub url: &'a str,
    /// The header `webhook-id`.
    pub id: &'a str,
    /// The header `webhook-timestamp`: now, in Unix seconds.
    pub timestamp: i64,
    /// The header `webhook-signature`.
    pub signature: &'a str,
    /// JSON.
    pub body: Bytes,
}

/// What the endpoint answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status; a redirect is an answer like any other.
    pub status: u16,
    /// The first 4 KiB of its body.
    pub body: Vec<u8>,
    /// What it said in `Retry-After`, from now.
    pub retry_after: Option<Duration>,
}

/// Why there was no answer. The texts are for the endpoint's owner: they name no address that a name of his led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// The URL, or every address of its name, is not allowed. Nothing was connected.
    Forbidden(String),
    /// No connection, no agreement on TLS, no answer in time, or none that is HTTP.
    Failed(String),
}

/// Sends posts and keeps connections for the next ones. Cheap to clone.
#[derive(Clone)]
pub struct Sender {
    client: Client<Connector, Full<Bytes>>,
    answer_within: Duration,
}

impl Sender {
    /// A sender that trusts the system's roots.
    ///
    /// # Errors
    /// [`Fault::Broken`] when TLS cannot be set up.
    pub fn new(options: Options) -> Result<Self, Fault> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Self::trusting(options, roots, Names::of_the_system())
    }

    fn trusting(options: Options, roots: RootCertStore, names: Names) -> Result<Self, Fault> {
        let Options { allow, connect_within, answer_within } = options;
        let connector = Connector::new(allow, connect_within, roots, names)?;
        let mut builder = Client::builder(TokioExecutor::new());
        builder.pool_max_idle_per_host(IDLE_CONNECTIONS).pool_idle_timeout(IDLE_FOR).pool_timer(TokioTimer::new());
        builder.http1_max_buf_size(HEAD_BYTES).http1_max_headers(HEAD_LINES);
        Ok(Self { client: builder.build(connector), answer_within })
    }

    /// Sends the post and reads the beginning of the answer.
    ///
    /// # Errors
    /// [`NoAnswer`], when nothing came that has a status.
    pub async fn post(&self, post: Post<'_>) -> Result<Answer, NoAnswer> {
        let deadline = Instant::now() + self.answer_within;
        let timestamp = post.timestamp;
        let request = request(post)?;
        let late = |_| NoAnswer::Failed(format!("no answer within {:?}", self.answer_within));
        let response = timeout_at(deadline, self.client.request(request)).await.map_err(late)?;
        let response = response.map_err(|error| no_answer(&error))?;
        let status = response.status().as_u16();
        let retry_after = retry_after::read(response.headers(), timestamp);
        let body = answer::beginning(response.into_body(), deadline).await;
        Ok(Answer { status, body, retry_after })
    }
}

/// Whether a URL may be given to an endpoint: `http` or `https`, without user and password, and if its host is an address,
/// a public one or one of `allow`. A name is judged when it is connected to, each time.
///
/// # Errors
/// What is wrong with it.
pub fn check_url(url: &str, allow: &[Network]) -> Result<(), String> {
    parse(url).and_then(|url| judge_literal(&url, allow))
}

fn parse(url: &str) -> Result<Url, String> {
    if url.len() > URL_BYTES {
        return Err(format!("a webhook's URL has at most {URL_BYTES} bytes"));
    }
    let parsed = Url::parse(url).map_err(|error| format!("not a URL: {error}"))?;
    if !matches!(parsed.scheme(), "http" | "https") {
        return Err("a webhook's URL begins with https:// or http://".to_owned());
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err("a webhook's URL has no user and no password".to_owned());
    }
    if parsed.host().is_none() || parsed.port() == Some(0) {
        return Err("a webhook's URL has a host, and a port that can be connected to".to_owned());
    }
    Ok(parsed)
}

/// The URL's parser has read all forms of an address by now: `0x7f.1` and `2130706433` are 127.0.0.1.
fn judge_literal(url: &Url, allow: &[Network]) -> Result<(), String> {
    let address = match url.host() {
        Some(Host::Ipv4(address)) => address.into(),
        Some(Host::Ipv6(address)) => address.into(),
        Some(Host::Domain(_)) | None => return Ok(()),
    };
    forbidden::judge(address, allow).map_err(|why| format!("{address} is not allowed: {why}"))
}

fn request(post: Post<'_>) -> Result<Request<Full<Bytes>>, NoAnswer> {
    let mut url = parse(post.url).map_err(NoAnswer::Forbidden)?;
    url.set_fragment(None);
    // As the parser writes it: what was judged is what is connected to.
    let uri: Uri = url.as_str().parse().map_err(|_| NoAnswer::Forbidden("not a URL of HTTP".to_owned()))?;
    let request = Request::builder().method(Method::POST).uri(uri);
    let request = request
        .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
        .header(USER_AGENT, HeaderValue::from_static(concat!("tradewind/", env!("CARGO_PKG_VERSION"))))
        .header("webhook-id", post.id)
        .header("webhook-timestamp", post.timestamp)
        .header("webhook-signature", post.signature);
    let wrong = |_| NoAnswer::Failed("the request cannot be written as HTTP".to_owned());
    request.body(Full::new(post.body)).map_err(wrong)
}

/// The error with its causes in one line, or that the address was denied.
fn no_answer(error: &Error) -> NoAnswer {
    let mut said = if error.is_connect() { "no connection" } else { "no answer" }.to_owned();
    let mut cause = error.source();
    while let Some(next) = cause {
        if let Some(Denied(why)) = next.downcast_ref() {
            return NoAnswer::Forbidden(why.clone());
        }
        let text = next.to_string();
        if !said.contains(&text) {
            said = format!("{said}: {text}");
        }
        cause = next.source();
    }
    NoAnswer::Failed(said.lines().collect::<Vec<_>>().join(" ").chars().take(SAID).collect())
}

#[cfg(test)]
mod tests;
