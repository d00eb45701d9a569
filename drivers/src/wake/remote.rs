//! What the drivers between processes have in common: joining hints, sending and hearing them, connecting again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::local::Local;
use super::message::{Message, Waiting};
use super::{Hint, Wake};
use crate::Fault;

/// How long a connection may take to be made.
pub(super) const CONNECT: Duration = Duration::from_secs(5);
/// How long a server may take to take a message.
pub(super) const ANSWER: Duration = Duration::from_secs(2);
/// After so long a silence a listener asks whether its server lives, and waits as long for the answer.
pub(super) const SILENCE: Duration = Duration::from_secs(1);
/// Between two messages of one port; hints that come meanwhile are joined.
const PAUSE: Duration = Duration::from_millis(2);
/// Between attempts to connect: doubled from the first to the last.
const RETRY: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(2)];

/// One technology: makes the ends that messages go through.
#[async_trait]
pub(super) trait Link: Send + Sync + 'static {
    /// The URL without its secrets, for the log.
    fn name(&self) -> &str;

    /// Connects the end that sends.
    async fn speaker(&self) -> Result<Box<dyn Speaker>, Fault>;

    /// Connects the end that hears; from its return on nothing that is sent is missed.
    async fn listener(&self) -> Result<Box<dyn Listener>, Fault>;
}

/// The end that sends. After an error it is dropped and another one made.
#[async_trait]
pub(super) trait Speaker: Send {
    /// Sends `text` to every listener.
    async fn say(&mut self, text: String) -> Result<(), Fault>;
}

/// The end that hears. After an error it is dropped and another one made.
#[async_trait]
pub(super) trait Listener: Send {
    /// The next thing heard. A server that has gone silently is an error within twice [`SILENCE`].
    async fn hear(&mut self) -> Result<Heard, Fault>;
}

/// What a listener hears.
#[derive(Debug)]
pub(super) enum Heard {
    /// A message as it was sent.
    Text(String),
    /// Messages may have been lost.
    Gap,
}

/// A port between processes.
struct Remote {
    shared: Arc<Shared>,
    tasks: [AbortHandle; 2],
}

/// What the port and its two tasks share.
#[derive(Default)]
struct Shared {
    /// This port's name.
    from: String,
    local: Local,
    /// What waits to be sent.
    waiting: Mutex<Waiting>,
    news: Notify,
    /// Why nothing is sent and why nothing is heard at present.
    broken: Mutex<[Option<Fault>; 2]>,
}

/// The two directions.
#[derive(Clone, Copy)]
enum Way {
    Out,
    In,
}

/// Connects both ends and keeps them connected from then on.
pub(super) async fn open(link: Box<dyn Link>) -> Result<Arc<dyn Wake>, Fault> {
    let link: Arc<dyn Link> = Arc::from(link);
    let listener = within_connect(&*link, link.listener()).await?;
    let speaker = within_connect(&*link, link.speaker()).await?;
    let shared = Arc::new(Shared { from: Uuid::now_v7().simple().to_string(), ..Shared::default() });
    let speaking = tokio::spawn(speak(Arc::clone(&link), speaker, Arc::clone(&shared)));
    let hearing = tokio::spawn(hear(link, listener, Arc::clone(&shared)));
    Ok(Arc::new(Remote { shared, tasks: [speaking.abort_handle(), hearing.abort_handle()] }))
}

#[async_trait]
impl Wake for Remote {
    fn send(&self, hint: &Hint) {
        self.shared.local.send(hint);
        self.shared.waiting().join(hint.head, &hint.queues);
        self.shared.news.notify_one();
    }

    fn head(&self) -> watch::Receiver<u64> {
        self.shared.local.head()
    }

    fn queue(&self, queue: &str) -> Arc<Notify> {
        self.shared.local.queue(queue)
    }

    async fn ping(&self) -> Result<(), Fault> {
        self.shared.broken().iter().flatten().next().map_or(Ok(()), |fault| Err(fault.clone()))
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn broken(&self) -> MutexGuard<'_, [Option<Fault>; 2]> {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends what waits, one message at a time. What could not be sent waits on.
async fn speak(link: Arc<dyn Link>, speaker: Box<dyn Speaker>, shared: Arc<Shared>) {
    let mut speaker = Some(speaker);
    let mut failures = 0;
    loop {
        shared.news.notified().await;
        let Some(message) = shared.waiting().take(&shared.from) else { continue };
        match say(&*link, &mut speaker, &message).await {
            Ok(()) => {
                found(&*link, Way::Out, &shared, &mut failures);
                sleep(PAUSE).await;
            }
            Err(fault) => {
                speaker = None;
                shared.waiting().put_back(&message);
                shared.news.notify_one();
                lost(&*link, Way::Out, fault, &shared, &mut failures).await;
            }
        }
    }
}

async fn say(link: &dyn Link, speaker: &mut Option<Box<dyn Speaker>>, message: &Message) -> Result<(), Fault> {
    let text = serde_json::to_string(message).map_err(|error| Fault::Broken(error.to_string()))?;
    let end = match speaker {
        Some(end) => end,
        None => speaker.insert(within_connect(link, link.speaker()).await?),
    };
    let silent = |_| Fault::Unavailable(format!("{}: no answer within {ANSWER:?}", link.name()));
    timeout(ANSWER, end.say(text)).await.map_err(silent)?
}

/// Hears what others send. After every gap all of this process look for themselves.
async fn hear(link: Arc<dyn Link>, listener: Box<dyn Listener>, shared: Arc<Shared>) {
    let mut listener = Some(listener);
    let mut failures = 0;
    loop {
        let heard = match &mut listener {
            Some(end) => end.hear().await,
            None => within_connect(&*link, link.listener()).await.map(|end| {
                listener = Some(end);
                Heard::Gap
            }),
        };
        match heard {
            Ok(heard) => {
                found(&*link, Way::In, &shared, &mut failures);
                take(&shared, heard);
            }
            Err(fault) => {
                listener = None;
                lost(&*link, Way::In, fault, &shared, &mut failures).await;
            }
        }
    }
}

fn take(shared: &Shared, heard: Heard) {
    let Heard::Text(text) = heard else { return shared.local.wake_all() };
    match serde_json::from_str::<Message>(&text) {
        Ok(message) if message.from == shared.from => {}
        Ok(message) => {
            let all = message.all;
            shared.local.hear(&message.hint());
            if all {
                shared.local.wake_all();
            }
        }
        Err(_) => tracing::debug!("a message that is no hint was passed over"),
    }
}

async fn within_connect<T>(link: &dyn Link, made: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    let silent = |_| {
        Fault::Unavailable(format!(
            "{}: no answer within {CONNECT:?}; start the server or correct the address",
            link.name()
        ))
    };
    timeout(CONNECT, made).await.map_err(silent)?
}

fn found(link: &dyn Link, way: Way, shared: &Shared, failures: &mut u32) {
    if std::mem::take(failures) > 0 {
        shared.broken()[way as usize] = None;
        tracing::info!(wake = link.name(), "hints are {} again", way.done());
    }
}

/// Says so once, and waits before the next attempt.
async fn lost(link: &dyn Link, way: Way, fault: Fault, shared: &Shared, failures: &mut u32) {
    if *failures == 0 {
        tracing::warn!(wake = link.name(), %fault, "hints are not {}; everyone polls meanwhile", way.done());
    }
    shared.broken()[way as usize] = Some(fault);
    *failures = failures.saturating_add(1);
    let [first, last] = RETRY;
    sleep(first.saturating_mul(1 << failures.saturating_sub(1).min(10)).min(last)).await;
}

impl Way {
    const fn done(self) -> &'static str {
        match self {
            Self::Out => "sent",
            Self::In => "heard",
        }
    }
}
