//! Endpoints of all sorts, each with a listener of its own, which remember what they were sent.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::Timestamp;
use domain::webhook::sign::{self, Secret};
use serde::Deserialize;
use tokio::net::{TcpListener, TcpSocket};

/// How long a slow endpoint takes.
const SLOW: Duration = Duration::from_secs(5);
/// The status with which a flapping endpoint fails.
const FLAP: StatusCode = StatusCode::SERVICE_UNAVAILABLE;

/// How an endpoint behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Behaviour {
    /// Answers at once.
    Fast,
    /// Answers after five seconds.
    Slow,
    /// Nobody listens there.
    Dead,
    /// Refuses the first attempt at every second event.
    Flapping,
    /// Always 500.
    Failing,
    /// Always 429 with `Retry-After`.
    Busy,
    /// Wants nothing any more: 410.
    Gone,
    /// Says that it lies elsewhere.
    Redirecting,
    /// 200, and a body that never ends.
    Endless,
}

impl Behaviour {
    /// The twenty of the proof.
    pub(super) fn twenty() -> Vec<Self> {
        use Behaviour::{Busy, Dead, Endless, Failing, Fast, Flapping, Gone, Redirecting, Slow};
        let misbehaving = [Slow, Slow, Dead, Flapping, Flapping, Failing, Busy, Gone, Redirecting, Endless];
        [Fast; 10].into_iter().chain(misbehaving).collect()
    }

    /// Whether it takes every event in the end.
    pub(super) const fn takes_everything(self) -> bool {
        matches!(self, Self::Fast | Self::Flapping | Self::Endless)
    }
}

/// One webhook as it came, of an event about one version of one entity.
#[derive(Clone, Debug)]
pub(super) struct Arrival {
    /// `webhook-id`.
    pub(super) id: String,
    pub(super) type_: String,
    pub(super) entity: String,
    pub(super) version: u64,
    /// When the event was decided.
    pub(super) event_at: Timestamp,
    /// When it came.
    pub(super) at: Timestamp,
    /// Whether it was answered 2xx.
    pub(super) taken: bool,
}

/// An endpoint.
pub(super) struct Receiver {
    pub(super) behaviour: Behaviour,
    pub(super) url: String,
    inner: Arc<Inner>,
    /// Bound without listening: a port that refuses, and that nobody else takes.
    _closed: Option<TcpSocket>,
}

struct Inner {
    behaviour: Behaviour,
    /// Where the redirecting one sends its callers.
    elsewhere: String,
    secret: OnceLock<Secret>,
    arrivals: Mutex<Vec<Arrival>>,
    /// What was wrong with what came.
    findings: Mutex<Vec<String>>,
}

/// What is looked at in a payload.
#[derive(Deserialize)]
struct Payload {
    #[serde(rename = "type")]
    type_: String,
    timestamp: Timestamp,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    id: String,
    version: u64,
}

impl Receiver {
    /// Listens. Who is redirected is sent to `elsewhere`.
    pub(super) async fn listen(behaviour: Behaviour, elsewhere: &str) -> Self {
        let inner = Arc::new(Inner {
            behaviour,
            elsewhere: elsewhere.to_owned(),
            secret: OnceLock::new(),
            arrivals: Mutex::default(),
            findings: Mutex::default(),
        });
        let any = "127.0.0.1:0".parse().expect("an address");
        if behaviour == Behaviour::Dead {
            let socket = TcpSocket::new_v4().expect("a socket");
            socket.bind(any).expect("a port");
            let url = format!("http://{}/in", socket.local_addr().expect("an address"));
            return Self { behaviour, url, inner, _closed: Some(socket) };
        }
        let listener = TcpListener::bind(any).await.expect("a port");
        let url = format!("http://{}/in", listener.local_addr().expect("an address"));
        let router = Router::new().fallback(receive).with_state(Arc::clone(&inner));
        tokio::spawn(axum::serve(listener, router).into_future());
        Self { behaviour, url, inner, _closed: None }
    }

    /// The secret that it verifies with.
    pub(super) fn know(&self, secret: Secret) {
        self.inner.secret.set(secret).expect("told once");
    }

    /// What came so far.
    pub(super) fn arrivals(&self) -> Vec<Arrival> {
        lock(&self.inner.arrivals).clone()
    }

    /// How much was taken so far.
    pub(super) fn taken(&self) -> usize {
        lock(&self.inner.arrivals).iter().filter(|arrival| arrival.taken).count()
    }

    /// What was wrong with what came.
    pub(super) fn findings(&self) -> Vec<String> {
        lock(&self.inner.findings).clone()
    }
}

fn lock<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn receive(State(inner): State<Arc<Inner>>, headers: HeaderMap, body: Bytes) -> Response {
    let now = engine::clock::now();
    let arrival = match inner.read(&headers, &body, now) {
        Ok(arrival) => arrival,
        Err(why) => {
            lock(&inner.findings).push(format!("{:?}: {why}: {headers:?}", inner.behaviour));
            return StatusCode::BAD_REQUEST.into_response();
        }
    };
    let refused = inner.behaviour == Behaviour::Flapping && inner.flaps(&arrival);
    let answer = match inner.behaviour {
        Behaviour::Flapping if refused => FLAP.into_response(),
        Behaviour::Slow => {
            tokio::time::sleep(SLOW).await;
            StatusCode::OK.into_response()
        }
        Behaviour::Failing => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Behaviour::Busy => (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "7")]).into_response(),
        Behaviour::Gone => StatusCode::GONE.into_response(),
        Behaviour::Redirecting => {
            let location = HeaderValue::from_str(&inner.elsewhere).expect("a URL");
            (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, location)]).into_response()
        }
        Behaviour::Endless => {
            let part = Ok::<_, Infallible>(Bytes::from_static(&[b'x'; 1_000]));
            Body::from_stream(futures_util::stream::repeat(part)).into_response()
        }
        Behaviour::Fast | Behaviour::Flapping | Behaviour::Dead => StatusCode::OK.into_response(),
    };
    lock(&inner.arrivals).push(Arrival { taken: answer.status().is_success(), ..arrival });
    answer
}

impl Inner {
    /// What came, if it is by our secret.
    fn read(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<Arrival, String> {
        let text = |name: &str| {
            let value = headers.get(name).and_then(|value| value.to_str().ok());
            value.map(str::to_owned).ok_or_else(|| format!("no {name}"))
        };
        let (id, signature) = (text("webhook-id")?, text("webhook-signature")?);
        let timestamp: i64 = text("webhook-timestamp")?.parse().map_err(|_| "no timestamp".to_owned())?;
        let secret = self.secret.get().ok_or("before the endpoint was made")?;
        if !sign::verify(std::slice::from_ref(secret), &id, timestamp, body, &signature) {
            return Err("not signed by us".to_owned());
        }
        let payload: Payload = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let Payload { type_, timestamp: event_at, data: Data { id: entity, version } } = payload;
        Ok(Arrival { id, type_, entity, version, event_at, at: now, taken: false })
    }

    /// Whether this is the first attempt at an event that is refused once.
    fn flaps(&self, arrival: &Arrival) -> bool {
        arrival.version.is_multiple_of(2) && lock(&self.arrivals).iter().all(|earlier| earlier.id != arrival.id)
    }
}
