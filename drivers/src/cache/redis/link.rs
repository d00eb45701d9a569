//! The connection to Redis, and whether Redis may be trusted.
//!
//! A call that fails or takes too long ends the connection: nothing is asked any more, so a Redis that is away costs no
//! reader its deadline. A new connection is used once it is known whether the server was started anew, and once everything
//! owed was delivered through it. What a process could not tell Redis is thus never answered from there by that process;
//! the others follow the log, and tell Redis the same.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ErrorKind, RedisError, RedisResult};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use super::AT_ONCE;
use super::owed::Owed;
use super::scripts::Scripts;
use crate::cache::Stale;
use crate::cache::counts::Counts;
use crate::cache::options::Options;
use crate::journal::Head;
use crate::{Fault, without_secrets};

/// How long it may take to connect and to learn whom one talks to.
const CONNECT_WITHIN: Duration = Duration::from_secs(1);
/// The pauses between attempts to connect.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Older servers do not know what the scripts say.
const OLDEST_VERSION: u64 = 6;

/// A connection through which everything owed was delivered.
#[derive(Clone)]
pub(super) struct Open {
    connection: MultiplexedConnection,
    serial: u64,
}

impl Open {
    pub(super) fn connection(&self) -> MultiplexedConnection {
        self.connection.clone()
    }
}

pub(super) struct Link {
    pub(super) scripts: Scripts,
    client: Client,
    deadline: Duration,
    counts: Arc<Counts>,
    state: Mutex<State>,
    broke: Notify,
}

#[derive(Default)]
struct State {
    open: Option<Open>,
    serial: u64,
    owed: Owed,
    log: Option<Log>,
}

/// How far the log is followed.
struct Log {
    epoch: u64,
    followed: u64,
    /// Where the log stood when following began.
    until: u64,
}

/// Invalidations that are being delivered. Unless they are said to be paid, they are owed from its end on: also when the
/// call that was to deliver them is dropped.
pub(super) struct Debt<'a> {
    link: &'a Link,
    stale: Vec<Stale>,
    position: Option<(u64, u64)>,
}

impl Debt<'_> {
    pub(super) const fn position(&self) -> Option<(u64, u64)> {
        self.position
    }

    pub(super) fn paid(mut self) {
        self.stale.clear();
        self.position = None;
    }
}

impl Drop for Debt<'_> {
    fn drop(&mut self) {
        if !self.stale.is_empty() || self.position.is_some() {
            let mut state = self.link.lock();
            state.owed.add(self.stale.drain(..), self.position);
            state.open = None;
            drop(state);
            self.link.broke.notify_one();
        }
    }
}

impl Link {
    /// Connects for the first time.
    ///
    /// # Errors
    /// One line that says what to do; never the URL, which may hold a password.
    pub(super) async fn open(place: &str, options: &Options, counts: Arc<Counts>) -> Result<Arc<Self>, Fault> {
        let say = |why: &str| Fault::Unavailable(format!("--cache {}: {why}", without_secrets(place)));
        let client = Client::open(place)
            .map_err(|_| say("malformed URL, expected redis://[:password@]host[:port][/database][?…]"))?;
        let (state, broke) = (Mutex::default(), Notify::new());
        let scripts = Scripts::new(&options.prefix);
        let link = Self { scripts, client, deadline: options.deadline, counts, state, broke };
        match link.connect().await {
            Ok(open) => link.lock().open = Some(open),
            Err(error) => return Err(say(&advice(&error))),
        }
        Ok(Arc::new(link))
    }

    /// The connection, if what it says may be believed.
    pub(super) fn readable(&self) -> Option<Open> {
        let state = self.lock();
        state.log.as_ref().filter(|log| log.followed >= log.until)?;
        state.open.clone()
    }

    /// The connection, if there is one.
    pub(super) fn writable(&self) -> Option<Open> {
        self.lock().open.clone()
    }

    /// These invalidations are being delivered.
    pub(super) fn debt(&self, stale: Vec<Stale>, to: Option<u64>) -> Debt<'_> {
        let epoch = self.lock().log.as_ref().map(|log| log.epoch);
        Debt { link: self, stale, position: epoch.zip(to) }
    }

    /// Whoever may be connected, everything there is to be forgotten before it is read.
    pub(super) fn owe_everything(&self) {
        let mut state = self.lock();
        (state.owed.everything, state.open) = (true, None);
        drop(state);
        self.broke.notify_one();
    }

    /// The log is followed after `from`, or from its head on, and what was cached before that is not to be believed.
    pub(super) fn joined(&self, head: Head, from: Option<u64>) {
        let followed = from.unwrap_or(head.seq);
        let mut state = self.lock();
        state.log = Some(Log { epoch: head.epoch, followed, until: head.seq });
        if from.is_none() {
            state.owed.add([], Some((head.epoch, head.seq)));
            drop(state);
            self.owe_everything();
        }
    }

    /// The log was followed up to `to`: what could not be told is owed.
    pub(super) fn followed(&self, to: u64) {
        if let Some(log) = &mut self.lock().log {
            log.followed = log.followed.max(to);
        }
    }

    /// Waits for an answer, within the deadline.
    pub(super) async fn call<T>(&self, call: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
        timeout(self.deadline, call).await.unwrap_or_else(|_| Err(late()))
    }

    /// Tells of writes, a bounded number at once.
    pub(super) async fn void(&self, open: &Open, stale: &[Stale], position: Option<(u64, u64)>) -> RedisResult<()> {
        let told = self.void_all(&mut open.connection(), stale, position).await;
        if let Err(error) = &told {
            self.lost(open, error);
        }
        told
    }

    async fn void_all(
        &self,
        connection: &mut MultiplexedConnection,
        stale: &[Stale],
        position: Option<(u64, u64)>,
    ) -> RedisResult<()> {
        let (rest, last) = stale.split_at(stale.len().saturating_sub(1) / AT_ONCE * AT_ONCE);
        for some in rest.chunks(AT_ONCE) {
            self.call(self.scripts.void(connection, some, None)).await?;
        }
        // The position comes with the last: it says that all before it were told.
        self.call(self.scripts.void(connection, last, position)).await
    }

    /// A call failed: nothing more is asked through this connection.
    pub(super) fn lost(&self, open: &Open, error: &RedisError) {
        self.counts.errors.one();
        let mut state = self.lock();
        if state.open.as_ref().is_some_and(|now| now.serial == open.serial) {
            state.open = None;
            drop(state);
            tracing::warn!(%error, "the cache's Redis fails: reads are loads until it is back");
            self.broke.notify_one();
        }
    }

    /// Connects again whenever the connection was lost, for ever.
    pub(super) async fn keep(self: Arc<Self>) {
        let mut pause = FIRST_PAUSE;
        loop {
            let broke = self.broke.notified();
            if self.lock().open.is_some() {
                broke.await;
                pause = FIRST_PAUSE;
                continue;
            }
            let restored = async {
                let open = self.connect().await?;
                self.deliver(open).await
            };
            match restored.await {
                Ok(()) => tracing::debug!("the cache's Redis is told all it had to be"),
                Err(error) => {
                    self.counts.errors.one();
                    tracing::debug!(%error, "the cache's Redis is still away");
                    sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    async fn connect(&self) -> RedisResult<Open> {
        let connect = async {
            let config = AsyncConnectionConfig::new();
            let config = config.set_connection_timeout(Some(CONNECT_WITHIN)).set_response_timeout(None);
            let mut connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
            let about: String = redis::cmd("INFO").arg("server").query_async(&mut connection).await?;
            let fact = |name: &str| about.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            let version = fact("redis_version").unwrap_or_default();
            let major = version.split('.').next().and_then(|major| major.parse::<u64>().ok());
            if major.is_none_or(|major| major < OLDEST_VERSION) {
                return Err((ErrorKind::InvalidClientConfig, "too old", version.to_owned()).into());
            }
            self.scripts.greet(&mut connection, fact("run_id").unwrap_or_default()).await?;
            Ok(connection)
        };
        let connection = timeout(CONNECT_WITHIN, connect).await.unwrap_or_else(|_| Err(late()))?;
        let mut state = self.lock();
        state.serial += 1;
        Ok(Open { connection, serial: state.serial })
    }

    /// Delivers what is owed, and opens the connection to all when nothing is any more.
    async fn deliver(&self, open: Open) -> RedisResult<()> {
        loop {
            let owed = {
                let mut state = self.lock();
                if state.owed.is_empty() {
                    state.open = Some(open);
                    return Ok(());
                }
                std::mem::take(&mut state.owed)
            };
            if let Err(error) = self.deliver_all(&mut open.connection(), &owed).await {
                self.lock().owed.add_all(&owed);
                return Err(error);
            }
        }
    }

    async fn deliver_all(&self, connection: &mut MultiplexedConnection, owed: &Owed) -> RedisResult<()> {
        if owed.everything {
            self.call(self.scripts.forget(connection)).await?;
        }
        self.void_all(connection, &owed.stale(), owed.position).await
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn late() -> RedisError {
    (ErrorKind::Io, "no answer in time").into()
}

/// What to do about a first connection that failed.
fn advice(error: &RedisError) -> String {
    match error.kind() {
        ErrorKind::AuthenticationFailed => "the password is refused; give it as redis://:password@host".to_owned(),
        ErrorKind::InvalidClientConfig => format!("the server is {error}; it must be {OLDEST_VERSION}.0 or newer"),
        _ => format!("{error}; start Redis there, or name another with --cache"),
    }
}
