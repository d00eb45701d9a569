//! Wires the server: ports are opened, the engine started on them, the API put in front, and all of it stopped again.

pub(crate) mod secret;

use std::collections::HashSet;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use domain::token::Registry;
use drivers::Fault;
use drivers::export::Export;
use drivers::venue::{Opening, Signer, Venue};
use drivers::wake::Wake;
use engine::webhooks::InstallationSecret;
use engine::{Engine, Parts};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::config::Serve;
use crate::telemetry::{self, Colour};

/// What the engine needs to stop when requests take all the time they can have.
const ENGINE_STOPS_WITHIN: Duration = Duration::from_secs(4);

/// Runs the server until it is told to stop.
pub(crate) async fn run(settings: Serve, colour: Colour) -> anyhow::Result<u8> {
    telemetry::start(&settings.log, colour)?;
    raise_descriptor_limit();
    let mut signals = Signals::listen()?;
    if let Some(refusal) = settings.refusal() {
        bail!(refusal);
    }
    drivers::failpoint::arm(&settings.failpoints).map_err(|error| anyhow!("TRADEWIND_FAILPOINTS: {error}"))?;
    let mut parts = open(&settings).await?;
    let roles = settings.roles();
    let open = roles.api && !engine::access::any_key(parts.journal.as_ref()).await.map_err(plain)?;
    if let Some(refusal) = settings.refusal_of_strangers(open) {
        parts.journal.close().await;
        bail!(refusal);
    }
    let secret = match roles.api || roles.work {
        true => secret::of_installation(settings.secret.as_ref(), &settings.journal)?,
        // Nothing is signed or sealed here.
        false => [0; 32],
    };
    parts.settings.webhooks.secret = InstallationSecret(secret);
    parts.settings.queues.secret = domain::queue::Secret(secret);
    if settings.moto_reset {
        // Those tests make a queue of the same name again and again.
        parts.settings.queues.rests.name_micros = 0;
    }
    let listeners = Listeners::bind(&settings).await?;
    for warning in settings.warnings(open) {
        tracing::warn!("{warning}");
    }
    let api = api::Settings {
        request_deadline_millis: millis(settings.request_deadline),
        secret,
        trusted_proxies: settings.trusted_proxy.clone(),
        moto_reset: settings.moto_reset,
        anonymous: settings.anonymous.iter().map(|a| (a.facade.to_owned(), a.account.clone())).collect(),
        ..api::Settings::default()
    };
    let engine = Arc::new(Engine::start(parts));
    let mut serving = listeners.serve(&engine, &api, &settings)?;
    let ended = tokio::select! {
        () = signals.next() => Ok(()),
        () = engine.broken() => Err(anyhow!("a loop panicked, the log says which; start the server again")),
        Some(ended) = serving.join_next() => ended.context("a listener broke").and_then(|r| r.context("a listener failed")),
    };
    let leave = async {
        // A process that is broken leaves without ado.
        if ended.is_ok() {
            fade(&engine, &api.leaving, settings.unready_for()).await;
        }
        tracing::info!(
            "stopping within {:?}, for requests and orders in hand to end; a second signal stops at once",
            settings.drain_deadline
        );
        drain(&engine, &api.stop, serving, settings.drain_deadline).await;
    };
    tokio::select! {
        () = leave => tracing::info!("stopped"),
        () = signals.next() => tracing::warn!("stopped at once; the next start takes up what was in hand"),
    }
    ended.map(|()| 0)
}

/// From now on the process is not ready and takes up no order, and serves on for a while: whoever sends it requests is to
/// notice before it stops listening.
async fn fade(engine: &Engine, leaving: &CancellationToken, pause: Duration) {
    leaving.cancel();
    engine.rest();
    if !pause.is_zero() {
        tracing::info!("not ready any more; serving on for {pause:?}");
        tokio::time::sleep(pause).await;
    }
}

/// Requests end first, then the workers, which take up nothing new meanwhile, then the journal: nothing is acknowledged that
/// is not written. All of it within `deadline`.
async fn drain(
    engine: &Engine,
    stop: &CancellationToken,
    mut serving: JoinSet<std::io::Result<()>>,
    deadline: Duration,
) {
    let end = Instant::now() + deadline;
    stop.cancel();
    engine.rest();
    let listeners = async { while serving.join_next().await.is_some() {} };
    if timeout(requests_share(deadline), listeners).await.is_err() {
        tracing::warn!("requests were cut off at the drain deadline");
    }
    engine.stop(end.saturating_duration_since(Instant::now())).await;
}

/// How much of the drain deadline requests have; the rest is the engine's.
fn requests_share(deadline: Duration) -> Duration {
    deadline - ENGINE_STOPS_WITHIN.min(deadline / 4)
}

async fn open(settings: &Serve) -> anyhow::Result<Parts> {
    let tokens = Arc::new(tokens(settings.tokens.as_deref())?);
    let wake = settings.wake.as_deref().unwrap_or_else(|| drivers::wake::default_for(&settings.journal));
    let wake: Arc<dyn Wake> = drivers::wake::open(wake, &settings.journal).await.map_err(plain)?;
    let roles = settings.roles();
    let venues = if roles.api || roles.work { venues(settings, &tokens)? } else { Vec::new() };
    let cache = drivers::cache::open(&settings.cache).await.map_err(plain)?;
    let limit = drivers::limit::open(&settings.cache, settings.rates()).await.map_err(plain)?;
    let options = drivers::journal::Options {
        wake: Arc::clone(&wake),
        lease_millis: millis(settings.lease),
        migrate: !settings.no_migrate,
    };
    let journal = drivers::journal::open(&settings.journal, options).await.map_err(plain)?;
    let epoch = journal.head().await.map_err(plain)?.epoch;
    let mut exports: Vec<(String, Arc<dyn Export>)> = Vec::new();
    for url in settings.export.iter().filter(|_| roles.relay) {
        let export = drivers::export::open(url, epoch).await.map_err(plain)?;
        let position = export.position().await.map_err(plain)?;
        // Looked at after the export, which another process may be sending to at this moment.
        let head = journal.head().await.map_err(plain)?;
        if let Some(position) = position.filter(|position| *position > head.seq) {
            let url = drivers::without_secrets(url);
            bail!(
                "--export {url}: it holds events up to {position}, the journal ends at {}: the journal is an older copy, and its \
                 next events would be passed over; move the file or stream away or name another",
                head.seq
            );
        }
        exports.push((url.clone(), export));
    }
    let settings = engine::Settings {
        quote_deadline_millis: millis(settings.quote_deadline),
        roles,
        concurrency: settings.concurrency(),
        keep_events: settings.keep_events,
        lease: settings.lease,
        webhooks: engine::webhooks::Settings {
            allow: settings.webhook_allow_net.clone(),
            answer_within: settings.webhook_timeout,
            keep_deliveries: settings.keep_deliveries,
            ..engine::webhooks::Settings::default()
        },
        queues: engine::queues::Settings::default(),
    };
    Ok(Parts { journal, wake, cache, limit, venues, exports, tokens, settings })
}

/// What could not be opened, in the driver's own words.
pub(crate) fn plain(fault: Fault) -> anyhow::Error {
    match fault {
        Fault::Unavailable(said) => anyhow!(said),
        other => anyhow!(other),
    }
}

/// The built-in tokens and those of the file.
pub(crate) fn tokens(file: Option<&std::path::Path>) -> anyhow::Result<Registry> {
    let mut tokens = Registry::default();
    if let Some(file) = file {
        let name = file.display();
        let text = std::fs::read_to_string(file).with_context(|| format!("--tokens {name} cannot be read"))?;
        tokens.extend_from_json(&text).map_err(|error| anyhow!("--tokens {name}: {error}"))?;
    }
    Ok(tokens)
}

fn venues(settings: &Serve, tokens: &Arc<Registry>) -> anyhow::Result<Vec<Arc<dyn Venue>>> {
    let signer = settings.signer.as_deref().map(Signer::open).transpose().map_err(plain)?;
    if let Some(signer) = &signer {
        tracing::info!("signing for the wallet {}", signer.address());
    }
    let opening = Opening { tokens, signer: signer.as_ref(), now: engine::clock::now() };
    let mut venues = Vec::new();
    for url in &settings.venue {
        venues.extend(opening.open(url).map_err(plain)?);
    }
    let names: HashSet<_> = venues.iter().map(|venue| venue.name()).collect();
    if names.len() < venues.len() {
        bail!("two --venue of one name: an order could not be told which of them has its transaction; name each once");
    }
    Ok(venues)
}

/// The sockets that the server listens on.
struct Listeners {
    api: TcpListener,
    facades: Vec<(api::FacadeName, TcpListener)>,
}

impl Listeners {
    async fn bind(settings: &Serve) -> anyhow::Result<Self> {
        let api = bind("--listen", settings.listen).await?;
        let mut facades = Vec::new();
        for facade in &settings.facade {
            let flag = format!("--facade {}", facade.name.as_str());
            facades.push((facade.name, bind(&flag, facade.address).await?));
        }
        Ok(Self { api, facades })
    }

    /// Takes requests from here on, and says where.
    fn serve(
        self,
        engine: &Arc<Engine>,
        of_api: &api::Settings,
        settings: &Serve,
    ) -> anyhow::Result<JoinSet<std::io::Result<()>>> {
        let mut serving = JoinSet::new();
        let address = self.api.local_addr()?;
        let stop = &of_api.stop;
        let limits = api::Limits { drain: requests_share(settings.drain_deadline), ..api::Limits::default() };
        let router = if settings.roles().api { api::router } else { api::probe_router };
        serving.spawn(api::serve(self.api, router(Arc::clone(engine), of_api.clone()), stop.clone(), limits));
        for (name, listener) in self.facades {
            let _ = writeln!(std::io::stdout(), "{} facade on http://{}", name.as_str(), listener.local_addr()?);
            let router = api::facade_router(name, Arc::clone(engine), of_api.clone());
            serving.spawn(api::serve(listener, router, stop.clone(), limits));
        }
        announce(address);
        Ok(serving)
    }
}

/// Allows as many open sockets as the system lets this process have.
pub(crate) fn raise_descriptor_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
}

/// Prints the real address where scripts find it. A reader that went away does not matter.
pub(crate) fn announce(address: SocketAddr) {
    let mut out = std::io::stdout();
    let _ = writeln!(out, "listening on http://{address}").and_then(|()| out.flush());
}

/// Binds, or says what to do.
pub(crate) async fn bind(flag: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            anyhow!(
                "{flag} {address}: another program listens there; stop it, or choose another port (0 takes a free one)"
            )
        }
        _ => anyhow!("{flag} {address}: {error}; choose another address"),
    })
}

/// SIGINT and SIGTERM.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub(crate) fn listen() -> anyhow::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for the next of either.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
