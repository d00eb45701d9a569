//! A server for one test, and a client for it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use api::{Limits, Settings};
use domain::token::Registry;
use domain::webhook::Schedule;
use drivers::limit::Limit;
use drivers::{cache, journal, venue, wake};
use engine::{Engine, Parts, clock};
use futures_util::{SinkExt, StreamExt};
use reqwest::{Client, RequestBuilder, Response, header};
use serde_json::Value;
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async, connect_async};
use tokio_util::sync::CancellationToken;

/// Longer than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Site {
    pub(crate) engine: Arc<Engine>,
    pub(crate) stop: CancellationToken,
    pub(crate) leaving: CancellationToken,
    address: SocketAddr,
    client: Client,
    server: JoinHandle<std::io::Result<()>>,
    _dir: tempfile::TempDir,
}

impl Site {
    /// A server that executes orders at once.
    pub(crate) async fn new() -> Self {
        Self::with("paper?pace=instant&seed=1", 16, Settings::default()).await
    }

    /// A server that leaves orders pending.
    pub(crate) async fn idle() -> Self {
        Self::with("paper?pace=instant&seed=1", 0, Settings::default()).await
    }

    pub(crate) async fn with(venues: &str, swap_concurrency: usize, settings: Settings) -> Self {
        Self::within(venues, swap_concurrency, settings, Limits::default()).await
    }

    /// A server that leaves orders pending and takes only so many requests.
    pub(crate) async fn limited(limit: Option<Arc<dyn Limit>>, settings: Settings) -> Self {
        let engine = engine::Settings { concurrency: [("swap.execute", 0)].into(), ..engine::Settings::default() };
        Self::open("paper?pace=instant&seed=1", engine, settings, Limits::default(), limit).await
    }

    pub(crate) async fn within(venues: &str, swap_concurrency: usize, settings: Settings, limits: Limits) -> Self {
        let swaps = swap_concurrency;
        let concurrency = [
            ("swap.execute", swaps),
            ("swap.expire", swaps),
            ("bid.expire", 4),
            ("bid.close", 4),
            ("plan.slice", swaps),
        ]
        .into();
        let engine = engine::Settings { concurrency, ..engine::Settings::default() };
        Self::open(venues, engine, settings, limits, None).await
    }

    /// A server that forgets events soon.
    pub(crate) async fn forgetting(keep: Duration) -> Self {
        let engine = engine::Settings { keep_events: Some(keep), ..engine::Settings::default() };
        Self::open("paper?pace=instant&seed=1", engine, Settings::default(), Limits::default(), None).await
    }

    /// A server that sends webhooks to this machine too, and tries again after these waits, in milliseconds.
    pub(crate) async fn sending(waits: &[i64]) -> Self {
        let waits: Vec<i64> = waits.iter().map(|millis| millis * 1_000).collect();
        let webhooks = engine::webhooks::Settings {
            allow: vec!["127.0.0.1".parse().expect("a network")],
            schedule: Schedule::of(&waits),
            ..engine::webhooks::Settings::default()
        };
        let engine = engine::Settings { webhooks, ..engine::Settings::default() };
        Self::open("paper?pace=instant&seed=1", engine, Settings::default(), Limits::default(), None).await
    }

    /// A process of these roles.
    pub(crate) async fn in_roles(roles: engine::Roles) -> Self {
        let engine = engine::Settings { roles, ..engine::Settings::default() };
        Self::open("paper?pace=instant&seed=1", engine, Settings::default(), Limits::default(), None).await
    }

    async fn open(
        venues: &str,
        of_engine: engine::Settings,
        settings: Settings,
        limits: Limits,
        limit: Option<Arc<dyn Limit>>,
    ) -> Self {
        let roles = of_engine.roles;
        let dir = tempfile::tempdir().expect("a folder");
        let (wake, tokens) = (wake::local(), Arc::new(Registry::default()));
        let options = journal::Options { wake: Arc::clone(&wake), lease_millis: 30_000, migrate: true };
        let url = format!("sqlite:{}/t.db", dir.path().display());
        let engine = Arc::new(Engine::start(Parts {
            journal: journal::open(&url, options).await.expect("a journal"),
            wake,
            cache: cache::open("memory").await.expect("a cache"),
            limit,
            venues: venue::open(venues, &tokens, clock::now()).expect("venues"),
            exports: Vec::new(),
            tokens,
            settings: of_engine,
        }));
        let socket = TcpSocket::new_v4().expect("a socket");
        // Small, so that a client that does not read is felt soon.
        socket.set_send_buffer_size(64 * 1024).expect("a small buffer");
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a port");
        let listener = socket.listen(1_024).expect("a listener");
        let address = listener.local_addr().expect("an address");
        let (stop, leaving) = (settings.stop.clone(), settings.leaving.clone());
        let router = match roles.api {
            true => api::router(Arc::clone(&engine), settings),
            false => api::probe_router(Arc::clone(&engine), settings),
        };
        let limits = Limits { drain: Duration::from_secs(5), ..limits };
        let server = tokio::spawn(api::serve(listener, router, stop.clone(), limits));
        let client = Client::builder().timeout(PATIENCE).no_proxy().build().expect("a client");
        Self { engine, stop, leaving, address, client, server, _dir: dir }
    }

    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("http://{}{path}", self.address))
    }

    /// A JSON body as it stands.
    pub(crate) fn post(&self, path: &str, body: impl Into<Vec<u8>>) -> RequestBuilder {
        let request = self.client.post(format!("http://{}{path}", self.address));
        request.header(header::CONTENT_TYPE, "application/json").body(body.into())
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.client.request(method.parse().expect("a method"), format!("http://{}{path}", self.address))
    }

    /// Someone with an account.
    pub(crate) const fn caller<'a>(&'a self, account: &'a str) -> Caller<'a> {
        Caller { site: self, account }
    }

    /// Places an order and answers with its id.
    pub(crate) async fn place(&self) -> String {
        let answer = self.post("/v1/swaps", ORDER).send().await.expect("an answer");
        assert_eq!(answer.status(), 202);
        body(answer).await["id"].as_str().expect("an id").to_owned()
    }

    /// A connection whose client has so little room that the server soon cannot send.
    pub(crate) async fn narrow(&self) -> TcpStream {
        let tcp = TcpSocket::new_v4().expect("a socket");
        tcp.set_recv_buffer_size(4_096).expect("a small buffer");
        tcp.connect(self.address).await.expect("a connection")
    }

    /// A WebSocket over such a connection.
    pub(crate) async fn narrow_socket(&self, path: &str) -> Socket {
        let tcp = self.narrow().await;
        let url = format!("ws://{}{path}", self.address);
        let (socket, _) = client_async(url, MaybeTlsStream::Plain(tcp)).await.expect("a socket");
        Socket(socket)
    }

    pub(crate) async fn socket(&self, path: &str) -> Socket {
        self.socket_of(path, "default").await
    }

    pub(crate) async fn socket_of(&self, path: &str, account: &str) -> Socket {
        let mut request = format!("ws://{}{path}", self.address).into_client_request().expect("a request");
        request.headers_mut().insert("x-account", account.parse().expect("a header"));
        let (socket, _) = connect_async(request).await.expect("a socket");
        Socket(socket)
    }

    /// A socket whose handshake carries these headers; the status if it is refused.
    pub(crate) async fn socket_with(&self, path: &str, headers: &[(&'static str, &str)]) -> Result<Socket, u16> {
        let mut request = format!("ws://{}{path}", self.address).into_client_request().expect("a request");
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().expect("a header"));
        }
        connect_async(request).await.map(|(socket, _)| Socket(socket)).map_err(crate::passes::refused)
    }

    /// How many events the journal holds: what changes nothing adds none.
    pub(crate) async fn events(&self) -> u64 {
        self.engine.journal.head().await.expect("a head").seq
    }

    /// Stops the server and waits for its end.
    pub(crate) async fn end(self) {
        self.stop.cancel();
        self.server.await.expect("no panic").expect("no error");
        self.engine.stop(Duration::from_secs(5)).await;
    }
}

/// An account's way to the server.
#[derive(Clone, Copy)]
pub(crate) struct Caller<'a> {
    site: &'a Site,
    account: &'a str,
}

impl Caller<'_> {
    /// A request without a body.
    pub(crate) fn ask(&self, method: &str, path: &str) -> RequestBuilder {
        self.site.request(method, path).header("x-account", self.account)
    }

    /// Sends a JSON body; answers with the status and the JSON of the answer.
    pub(crate) async fn send(&self, method: &str, path: &str, json: &Value) -> (u16, Value) {
        answered(self.ask(method, path).json(json)).await
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        answered(self.ask("GET", path)).await
    }

    pub(crate) async fn post(&self, path: &str) -> (u16, Value) {
        answered(self.ask("POST", path)).await
    }

    /// The same for many at once.
    pub(crate) async fn post_owned(&self, path: String) -> (u16, Value) {
        self.post(&path).await
    }
}

/// Status and JSON of the answer.
pub(crate) async fn answered(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.expect("an answer");
    (answer.status().as_u16(), body(answer).await)
}

pub(crate) const ORDER: &str = r#"{"inputToken":"SOL","outputToken":"USDC","amount":"0.5"}"#;

/// A client's end of a WebSocket.
pub(crate) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub(crate) async fn say(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.expect("sent");
    }

    /// The next text frame as JSON; the close code when the server ends instead.
    pub(crate) async fn next(&mut self) -> Result<Value, u16> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.0.next()).await.expect("a frame in time");
            match message {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).expect("JSON")),
                Some(Ok(Message::Close(frame))) => return Err(frame.map_or(1005, |f| f.code.into())),
                Some(Ok(_)) => {}
                None | Some(Err(Error::ConnectionClosed)) => return Err(1006),
                Some(Err(error)) => panic!("{error}"),
            }
        }
    }

    /// The next frame, which must come.
    pub(crate) async fn frame(&mut self) -> Value {
        self.next().await.expect("a frame")
    }

    /// Frames up to and including the one with that status.
    pub(crate) async fn until(&mut self, status: &str) -> Vec<Value> {
        let mut frames = Vec::new();
        loop {
            frames.push(self.frame().await);
            if frames.last().is_some_and(|f| f["status"] == status) {
                return frames;
            }
        }
    }

    /// Whether the server stays silent for a while.
    pub(crate) async fn is_silent(&mut self) -> bool {
        tokio::time::timeout(Duration::from_millis(300), self.0.next()).await.is_err()
    }
}

pub(crate) async fn body(answer: Response) -> Value {
    answer.json().await.expect("JSON")
}

/// A problem without what differs from run to run.
pub(crate) async fn problem(answer: Response) -> Value {
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let (status, id) = (answer.status().as_u16(), answer.headers()["x-request-id"].clone());
    let mut problem = body(answer).await;
    assert_eq!(problem["status"], status);
    assert_eq!(problem["requestId"], id.to_str().expect("text"));
    problem["requestId"] = "[id]".into();
    problem
}
