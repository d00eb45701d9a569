//! Every route on one page, and what all handlers share.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post};
use engine::Engine;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::limits::Limits;
use crate::network::Network;
use crate::problem::{Problem, codes};
use crate::{events, facades, health, layers, openapi, quotes, start_page, stream, swaps, tokens};

/// How the HTTP side behaves.
#[derive(Clone)]
pub struct Settings {
    /// How long a request may take until it is answered with 503, in milliseconds.
    pub request_deadline_millis: u64,
    /// The most bytes of a request body.
    pub body_limit: usize,
    /// The most streams (SSE and WebSocket together) open at once.
    pub max_sockets: usize,
    /// A client that takes none of what is sent to it for so long is cut off, in milliseconds.
    pub send_within_millis: u64,
    /// Proxies whose word about a caller's address is taken.
    pub trusted_proxies: Vec<Network>,
    /// Signs cursors.
    pub secret: [u8; 32],
    /// Cancelled when the process is about to stop: it is not ready from then on, and serves on until `stop`.
    pub leaving: CancellationToken,
    /// Cancelled when streams are to end, each with the position to resume from.
    pub stop: CancellationToken,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            request_deadline_millis: 30_000,
            body_limit: 64 * 1024,
            max_sockets: 10_000,
            send_within_millis: 5_000,
            trusted_proxies: Vec::new(),
            secret: [0; 32],
            leaving: CancellationToken::new(),
            stop: CancellationToken::new(),
        }
    }
}

impl Settings {
    pub(crate) const fn send_within(&self) -> Duration {
        Duration::from_millis(self.send_within_millis)
    }
}

/// What all handlers share.
pub(crate) struct App {
    pub(crate) engine: Arc<Engine>,
    pub(crate) settings: Settings,
    pub(crate) sockets: Arc<Semaphore>,
    pub(crate) limits: Option<Limits>,
    pub(crate) request_ids: layers::RequestIds,
    /// Where the dex facade is mounted: what fails below it fails in the facade's words.
    pub(crate) dex: Option<&'static str>,
}

impl App {
    fn new(engine: Arc<Engine>, settings: Settings, dex: Option<&'static str>) -> Arc<Self> {
        let sockets = Arc::new(Semaphore::new(settings.max_sockets.min(Semaphore::MAX_PERMITS)));
        let request_ids = layers::RequestIds::default();
        let limits = engine.limit.clone().map(Limits::new);
        Arc::new(Self { engine, settings, sockets, limits, request_ids, dex })
    }
}

/// One path, the methods it knows, and what they do.
pub(crate) struct Route {
    pub(crate) path: &'static str,
    #[cfg_attr(not(test), expect(dead_code, reason = "the coverage test reads it"))]
    pub(crate) methods: &'static [Method],
    handler: MethodRouter<Arc<App>>,
}

const GET: &[Method] = &[Method::GET];
const POST: &[Method] = &[Method::POST];
const BOTH: &[Method] = &[Method::GET, Method::POST];

/// The native API: what the OpenAPI document describes.
#[rustfmt::skip]
pub(crate) fn native() -> Vec<Route> {
    let route = |path, methods, handler| Route { path, methods, handler };
    vec![
        route("/v1/swaps",             BOTH, get(swaps::list).post(swaps::create)),
        route("/v1/swaps/{id}",        GET,  get(swaps::read)),
        route("/v1/swaps/{id}/events", GET,  get(swaps::history)),
        route("/v1/swaps/{id}/cancel", POST, post(swaps::cancel)),
        route("/v1/quotes",            BOTH, get(quotes::by_query).post(quotes::by_body)),
        route("/v1/tokens",            GET,  get(tokens::list)),
        route("/v1/events",            GET,  get(events::follow)),
        route("/v1/stream",            GET,  get(stream::connect)),
        route("/health/ready",         GET,  get(health::ready)),
        route("/metrics",              GET,  get(health::metrics)),
    ]
}

/// Everything: the native API, its documents, and the dex facade under `/dex`.
pub fn router(engine: Arc<Engine>, settings: Settings) -> Router {
    let app = App::new(engine, settings, Some(facades::dex::MOUNT));
    let mut router = Router::new()
        .route("/", get(start_page::page))
        .route("/problems", get(start_page::problems))
        .route("/openapi.json", get(openapi::document));
    for route in native() {
        router = router.route(route.path, route.handler);
    }
    router = router.method_not_allowed_fallback(async || Problem::new(codes::METHOD_NOT_ALLOWED, "see Allow"));
    // The facade brings its own words for unknown routes and methods, so it joins after ours are set.
    let router = router
        .merge(facades::dex::routes(facades::dex::MOUNT))
        .merge(openapi::pages())
        .fallback(async || Problem::new(codes::NOT_FOUND, "there is no such route; see /docs"));
    finish(router, app)
}

/// The dex facade alone, at the root of its own listener.
pub fn dex_router(engine: Arc<Engine>, settings: Settings) -> Router {
    let app = App::new(engine, settings, Some(""));
    finish(facades::dex::routes(""), app)
}

/// What a process without the api serves: health and metrics, and nothing else.
pub fn probe_router(engine: Arc<Engine>, settings: Settings) -> Router {
    let app = App::new(engine, settings, None);
    let router = Router::new()
        .route("/health/ready", get(health::ready))
        .route("/metrics", get(health::metrics))
        .method_not_allowed_fallback(async || Problem::new(codes::METHOD_NOT_ALLOWED, "see Allow"))
        .fallback(async || {
            Problem::new(codes::NOT_FOUND, "this process serves only /health/live, /health/ready and /metrics")
        });
    finish(router, app)
}

fn finish(router: Router<Arc<App>>, app: Arc<App>) -> Router {
    router
        .layer(from_fn_with_state(Arc::clone(&app), layers::edge))
        // Outside all layers: it says only that the process answers.
        .route("/health/live", get(health::live))
        .with_state(app)
}

#[cfg(test)]
mod tests;
