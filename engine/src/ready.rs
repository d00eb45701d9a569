//! Whether the ports answer: asked all at once, each under a deadline, and not again for a moment.

use std::sync::Arc;
use std::time::{Duration, Instant};

use drivers::Fault;
use drivers::cache::Cache;
use drivers::export::Export;
use drivers::journal::Journal;
use drivers::wake::Wake;
use futures_util::future::join_all;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::observe;
use crate::roles::Roles;

/// A port that takes longer has failed.
const ANSWERS_WITHIN: Duration = Duration::from_secs(1);
/// How long an answer is good: probes must not become load. With the deadline above, what is lost shows within 1.5 s.
const GOOD_FOR: Duration = Duration::from_millis(500);

/// How one port answered.
#[derive(Clone, Debug)]
pub struct Check {
    /// Its name, without its address: `journal`, `wake`, `export file`.
    pub port: String,
    /// Whether it answered in time.
    pub answers: bool,
    /// Whether the process can do its work only with it. Without wake it polls; without a cache it reads the journal; without an export it takes orders all the
    /// same, unless exporting is all it is there for.
    pub needed: bool,
    /// How long the answer took, in milliseconds.
    pub millis: u64,
}

/// The ports of this process, and what they last answered.
pub struct Ready {
    ports: Vec<Port>,
    // Held while asking, so that many probes at once ask once.
    last: Mutex<Option<(Instant, Arc<[Check]>)>>,
}

struct Port {
    name: String,
    needed: bool,
    port: Asked,
}

enum Asked {
    Journal(Arc<dyn Journal>),
    Wake(Arc<dyn Wake>),
    Cache(Arc<dyn Cache>),
    Export(Arc<dyn Export>),
}

impl Ready {
    pub(crate) fn new(
        roles: Roles,
        journal: &Arc<dyn Journal>,
        wake: &Arc<dyn Wake>,
        cache: &Arc<dyn Cache>,
        exports: &[(String, Arc<dyn Export>)],
    ) -> Self {
        let mut ports = vec![
            Port { name: "journal".to_owned(), needed: true, port: Asked::Journal(Arc::clone(journal)) },
            Port { name: "wake".to_owned(), needed: false, port: Asked::Wake(Arc::clone(wake)) },
            Port { name: "cache".to_owned(), needed: false, port: Asked::Cache(Arc::clone(cache)) },
        ];
        if roles.relay {
            ports.extend(exports.iter().map(|(url, export)| Port {
                // Only the technology: the address is no business of whoever probes.
                name: format!("export {}", url.split(':').next().unwrap_or_default()),
                needed: !roles.api && !roles.work,
                port: Asked::Export(Arc::clone(export)),
            }));
        }
        Self { ports, last: Mutex::default() }
    }

    /// How every port answered, at most half a second ago.
    pub async fn checks(&self) -> Arc<[Check]> {
        let mut last = self.last.lock().await;
        if let Some((_, checks)) = last.as_ref().filter(|(at, _)| at.elapsed() < GOOD_FOR) {
            return Arc::clone(checks);
        }
        let checks: Arc<[Check]> = join_all(self.ports.iter().map(Port::check)).await.into();
        *last = Some((Instant::now(), Arc::clone(&checks)));
        checks
    }
}

impl Port {
    async fn check(&self) -> Check {
        let started = Instant::now();
        let answer = timeout(ANSWERS_WITHIN, self.port.ping()).await;
        let answer = answer.unwrap_or_else(|_| Err(Fault::Unavailable("no answer in time".to_owned())));
        if let Err(fault) = &answer {
            observe::not_ready(&self.name, fault);
        }
        let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Check { port: self.name.clone(), answers: answer.is_ok(), needed: self.needed, millis }
    }
}

impl Asked {
    async fn ping(&self) -> Result<(), Fault> {
        match self {
            Self::Journal(journal) => journal.ping().await,
            Self::Wake(wake) => wake.ping().await,
            Self::Cache(cache) => cache.ping().await,
            Self::Export(export) => export.ping().await,
        }
    }
}
