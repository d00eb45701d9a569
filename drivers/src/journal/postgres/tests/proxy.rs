//! A wire between a node and its server that a test can stop or cut, at a chosen message.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

const PASS: u8 = 0;
const STOP: u8 = 1;
const CUT: u8 = 2;

/// What the wire does with its connections.
#[derive(Default)]
struct Rule {
    mode: AtomicU8,
    /// The text whose passing towards the server triggers it.
    trigger: std::sync::Mutex<Vec<u8>>,
    hits: AtomicUsize,
    hit: Notify,
}

/// The wire.
pub(super) struct Proxy {
    pub(super) url: String,
    rule: Arc<Rule>,
}

impl Proxy {
    /// A wire to the server of `url`.
    pub(super) async fn start(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let place = url.split('@').nth(1).unwrap().split('/').next().unwrap().to_owned();
        let url = url.replace(&place, &listener.local_addr().unwrap().to_string());
        let rule = Arc::new(Rule::default());
        let shared = Arc::clone(&rule);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&place).await.unwrap();
                tokio::spawn(carry(client, server, Arc::clone(&shared)));
            }
        });
        Self { url, rule }
    }

    /// From the next message with this text on, nothing passes on its connection in either direction, the message included,
    /// as when the node is stopped.
    pub(super) fn stop_at(&self, text: &str) {
        self.arm(text, STOP);
    }

    /// The next message with this text passes, then its connection is cut before any answer comes back.
    pub(super) fn cut_at(&self, text: &str) {
        self.arm(text, CUT);
    }

    /// Waits until it has happened.
    pub(super) async fn happened(&self) {
        let hit = self.rule.hit.notified();
        if self.rule.hits.load(Ordering::SeqCst) == 0 {
            hit.await;
        }
    }

    fn arm(&self, text: &str, mode: u8) {
        *self.rule.trigger.lock().unwrap() = text.as_bytes().to_vec();
        self.rule.hits.store(0, Ordering::SeqCst);
        self.rule.mode.store(mode, Ordering::SeqCst);
    }
}

impl Rule {
    /// What to do with these bytes; the rule holds once.
    fn judge(&self, bytes: &[u8]) -> u8 {
        let found = |text: &[u8]| !text.is_empty() && bytes.windows(text.len()).any(|window| window == text);
        if self.mode.load(Ordering::SeqCst) == PASS || !found(&self.trigger.lock().unwrap()) {
            return PASS;
        }
        let mode = self.mode.swap(PASS, Ordering::SeqCst);
        if mode != PASS {
            self.hits.fetch_add(1, Ordering::SeqCst);
            self.hit.notify_waiters();
            self.hit.notify_one();
        }
        mode
    }
}

async fn carry(client: TcpStream, server: TcpStream, rule: Arc<Rule>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let (mut up, mut down) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    loop {
        tokio::select! {
            count = from_client.read(&mut up) => {
                let count = count.unwrap_or(0);
                if count == 0 {
                    return;
                }
                match rule.judge(&up[..count]) {
                    STOP => std::future::pending().await,
                    CUT => {
                        to_server.write_all(&up[..count]).await.unwrap();
                        // The server does what it was told; its answers stay here. Then the connection goes.
                        let mut heard = 0;
                        while heard == 0 {
                            heard = from_server.read(&mut down).await.unwrap_or(1);
                        }
                        return;
                    }
                    _ if to_server.write_all(&up[..count]).await.is_err() => return,
                    _ => {}
                }
            }
            count = from_server.read(&mut down) => {
                let count = count.unwrap_or(0);
                if count == 0 || to_client.write_all(&down[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
}
