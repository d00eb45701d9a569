//! Every route on one page, and what all handlers share.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, delete, get, post};
use domain::Owner;
use domain::key::{Role, Scope};
use drivers::Network;
use engine::Engine;
use engine::access::Principal;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::facades::{Facade, FacadeName};
use crate::gate::Gate;
use crate::limits::Limits;
use crate::problem::{Problem, codes};
use crate::{
    bids, buyers, cache, catalogue, deals, events, health, invoices, keys, layers, openapi, operator, plans, quotes,
    shop, start_page, stream, swaps, tokens, webhooks,
};

/// The most bodies above the native limit that arrive at once.
const LARGE_BODIES: usize = 16;

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
    /// Facades that need no key, each with the account on which they act then.
    pub anonymous: Vec<(String, Owner)>,
    /// Signs cursors and tickets.
    pub secret: [u8; 32],
    /// For the tests of another system's emulator: `POST /moto-api/reset` beside the queues deletes all of them.
    pub moto_reset: bool,
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
            anonymous: Vec::new(),
            secret: [0; 32],
            moto_reset: false,
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
    pub(crate) gate: Gate,
    /// Bodies above the native limit arrive so many at once.
    pub(crate) large_bodies: Semaphore,
    /// What fails below a facade fails in its words.
    facades: Vec<Facade>,
    /// Who is let in to which facade without a key.
    pub(crate) anonymous: HashMap<&'static str, Arc<Principal>>,
}

impl App {
    fn new(engine: Arc<Engine>, settings: Settings, facades: Vec<Facade>) -> Arc<Self> {
        let sockets = Arc::new(Semaphore::new(settings.max_sockets.min(Semaphore::MAX_PERMITS)));
        let request_ids = layers::RequestIds::default();
        let limits = engine.limit.clone().map(Limits::new);
        let anonymous = settings.anonymous.iter().filter_map(|(name, account)| {
            let Facade { name, scopes, .. } = facades.iter().find(|facade| facade.name == name)?;
            let (account, scopes) = (account.clone(), (*scopes).into());
            Some((*name, Arc::new(Principal { account, role: Role::Trader, scopes, key: None, expires_at: None })))
        });
        let (anonymous, gate) = (anonymous.collect(), Gate::new(&native()));
        let large_bodies = Semaphore::new(LARGE_BODIES);
        Arc::new(Self { engine, settings, sockets, limits, request_ids, gate, large_bodies, facades, anonymous })
    }

    /// The facade that a path belongs to.
    pub(crate) fn facade(&self, path: &str) -> Option<&Facade> {
        self.facades.iter().find(|facade| facade.owns(path))
    }
}

/// One path, the methods it knows with what each needs, and what they do.
pub(crate) struct Route {
    pub(crate) path: &'static str,
    /// The scope that a caller's key must have; none where anyone may ask.
    pub(crate) methods: &'static [(Method, Option<Scope>)],
    handler: MethodRouter<Arc<App>>,
}

/// The native API: what the OpenAPI document describes.
#[rustfmt::skip]
pub(crate) fn native() -> Vec<Route> {
    use Scope::{
        BidsRead, BidsWrite, BuyersManage, DealsRead, DealsWrite, EventsRead, KeysManage, ShopRead, ShopWrite,
        SwapsRead, SwapsWrite,
    };
    const GET: Method = Method::GET;
    const POST: Method = Method::POST;
    const PUT: Method = Method::PUT;
    const DELETE: Method = Method::DELETE;
    const PATCH: Method = Method::PATCH;
    let route = |path, methods, handler| Route { path, methods, handler };
    let mut all = vec![
        route("/v1/swaps",             &[(GET, Some(SwapsRead)), (POST, Some(SwapsWrite))], get(swaps::list).post(swaps::create)),
        route("/v1/swaps/{id}",        &[(GET, Some(SwapsRead))],                           get(swaps::read)),
        route("/v1/swaps/{id}/events", &[(GET, Some(SwapsRead))],                           get(swaps::history)),
        route("/v1/swaps/{id}/cancel", &[(POST, Some(SwapsWrite))],                         post(swaps::cancel)),
        route("/v1/plans",             &[(GET, Some(SwapsRead)), (POST, Some(SwapsWrite))], get(plans::list).post(plans::create)),
        route("/v1/plans/{id}",        &[(GET, Some(SwapsRead))],                           get(plans::read)),
        route("/v1/plans/{id}/events", &[(GET, Some(SwapsRead))],                           get(plans::history)),
        route("/v1/plans/{id}/swaps",  &[(GET, Some(SwapsRead))],                           get(plans::orders)),
        route("/v1/plans/{id}/cancel", &[(POST, Some(SwapsWrite))],                         post(plans::cancel)),
        route("/v1/quotes",            &[(GET, Some(SwapsRead)), (POST, Some(SwapsRead))],  get(quotes::by_query).post(quotes::by_body)),
        route("/v1/tokens",            &[(GET, Some(SwapsRead))],                           get(tokens::list)),
        route("/v1/deals",               &[(GET, Some(DealsRead)), (POST, Some(DealsWrite))], get(deals::list).post(deals::create)),
        route("/v1/deals/{id}",          &[(GET, Some(DealsRead)), (PUT, Some(DealsWrite))],  get(deals::read).put(deals::update)),
        route("/v1/deals/{id}/events",   &[(GET, Some(DealsRead))],                           get(deals::history)),
        route("/v1/deals/{id}/withdraw", &[(POST, Some(DealsWrite))],                         post(deals::withdraw)),
        route("/v1/deals/{id}/relist",   &[(POST, Some(DealsWrite))],                         post(deals::relist)),
        route("/v1/deals/{id}/release",  &[(POST, Some(DealsWrite))],                         post(deals::release)),
        route("/v1/deals/{id}/sell",     &[(POST, Some(DealsWrite))],                         post(deals::sell)),
        route("/v1/deals/{id}/bids",     &[(GET, Some(BidsRead)), (POST, Some(BidsWrite))],   get(bids::of_deal).post(bids::create)),
        route("/v1/bids",                &[(GET, Some(BidsRead))],                            get(bids::list)),
        route("/v1/bids/{id}",           &[(GET, Some(BidsRead))],                            get(bids::read)),
        route("/v1/bids/{id}/events",    &[(GET, Some(BidsRead))],                            get(bids::history)),
        route("/v1/bids/{id}/counter",   &[(POST, Some(BidsWrite))],                          post(bids::counter)),
        route("/v1/bids/{id}/accept",    &[(POST, Some(BidsWrite))],                          post(bids::accept)),
        route("/v1/bids/{id}/decline",   &[(POST, Some(BidsWrite))],                          post(bids::decline)),
        route("/v1/bids/{id}/retract",   &[(POST, Some(BidsWrite))],                          post(bids::retract)),
        route("/v1/invoices",            &[(GET, Some(BidsRead))],                            get(invoices::list)),
        route("/v1/invoices/{id}",       &[(GET, Some(BidsRead))],                            get(invoices::read)),
        route("/v1/invoices/{id}/html",  &[(GET, Some(BidsRead))],                            get(invoices::html)),
        route("/v1/sellers/{id}/buyers", &[(GET, Some(BuyersManage)), (POST, Some(BuyersManage))], get(buyers::list).post(buyers::authorise)),
        route("/v1/sellers/{id}/buyers/{buyerId}", &[(DELETE, Some(BuyersManage))],           delete(buyers::revoke)),
        route("/v1/shop/orders",             &[(GET, Some(ShopRead)), (POST, Some(ShopWrite))],   get(shop::list).post(shop::create)),
        route("/v1/shop/orders/{id}",        &[(GET, Some(ShopRead)), (PATCH, Some(ShopWrite)), (DELETE, Some(ShopWrite))], get(shop::read).patch(shop::update).delete(shop::delete)),
        route("/v1/shop/orders/{id}/status", &[(POST, Some(ShopWrite))],                          post(shop::move_to)),
        route("/v1/shop/orders/{id}/events", &[(GET, Some(ShopRead))],                            get(shop::history)),
        route("/v1/shop/stock",              &[(GET, Some(ShopRead))],                            get(shop::stock_list)),
        route("/v1/shop/stock/{productId}",  &[(GET, Some(ShopRead)), (PUT, Some(ShopWrite)), (PATCH, Some(ShopWrite))], get(shop::stock_read).put(shop::stock_set).patch(shop::stock_adjust)),
        route("/v1/events",            &[(GET, Some(EventsRead))],                          get(events::follow)),
        route("/v1/stream",            &[(GET, Some(EventsRead))],                          get(stream::connect)),
        route("/v1/event-types",       &[(GET, Some(EventsRead))],                          get(catalogue::list)),
        route("/v1/stream-tickets",    &[(POST, Some(EventsRead))],                         post(keys::ticket)),
        route("/v1/keys",              &[(GET, Some(KeysManage)), (POST, Some(KeysManage))], get(keys::list).post(keys::create)),
        route("/v1/keys/{id}",         &[(GET, Some(KeysManage))],                          get(keys::read)),
        route("/v1/keys/{id}/revoke",  &[(POST, Some(KeysManage))],                         post(keys::revoke)),
        route("/health/ready",         &[(GET, None)],                                      get(health::ready)),
        route("/metrics",              &[(GET, None)],                                      get(health::metrics)),
    ];
    all.extend(hooks());
    all.extend(administration());
    all
}

/// Where webhooks go, and what became of them.
#[rustfmt::skip]
fn hooks() -> Vec<Route> {
    use Scope::WebhooksManage;
    const GET: Method = Method::GET;
    const POST: Method = Method::POST;
    const DELETE: Method = Method::DELETE;
    const PATCH: Method = Method::PATCH;
    let route = |path, methods, handler| Route { path, methods, handler };
    vec![
        route("/v1/webhooks/endpoints",                    &[(GET, Some(WebhooksManage)), (POST, Some(WebhooksManage))], get(webhooks::list).post(webhooks::create)),
        route("/v1/webhooks/endpoints/{id}",               &[(GET, Some(WebhooksManage)), (PATCH, Some(WebhooksManage)), (DELETE, Some(WebhooksManage))], get(webhooks::read).patch(webhooks::update).delete(webhooks::delete)),
        route("/v1/webhooks/endpoints/{id}/rotate-secret", &[(POST, Some(WebhooksManage))], post(webhooks::rotate)),
        route("/v1/webhooks/endpoints/{id}/test",          &[(POST, Some(WebhooksManage))], post(webhooks::test)),
        route("/v1/webhooks/endpoints/{id}/enable",        &[(POST, Some(WebhooksManage))], post(webhooks::enable)),
        route("/v1/webhooks/endpoints/{id}/disable",       &[(POST, Some(WebhooksManage))], post(webhooks::disable)),
        route("/v1/webhooks/endpoints/{id}/replay",        &[(POST, Some(WebhooksManage))], post(webhooks::replay)),
        route("/v1/webhooks/replays/{id}",                 &[(GET, Some(WebhooksManage))],  get(webhooks::replayed)),
        route("/v1/webhooks/deliveries",                   &[(GET, Some(WebhooksManage))],  get(webhooks::deliveries)),
        route("/v1/webhooks/deliveries/{id}",              &[(GET, Some(WebhooksManage))],  get(webhooks::delivery)),
        route("/v1/webhooks/deliveries/{id}/resend",       &[(POST, Some(WebhooksManage))], post(webhooks::resend)),
    ]
}

/// What is for operators alone.
#[rustfmt::skip]
fn administration() -> Vec<Route> {
    use Scope::Admin;
    const GET: Method = Method::GET;
    const POST: Method = Method::POST;
    const PUT: Method = Method::PUT;
    const DELETE: Method = Method::DELETE;
    let route = |path, methods, handler| Route { path, methods, handler };
    vec![
        route("/v1/admin/queues",                 &[(GET, Some(Admin))],  get(operator::list)),
        route("/v1/admin/queues/{name}",          &[(GET, Some(Admin))],  get(operator::read)),
        route("/v1/admin/queues/{name}/pause",    &[(POST, Some(Admin))], post(operator::pause)),
        route("/v1/admin/queues/{name}/resume",   &[(POST, Some(Admin))], post(operator::resume)),
        route("/v1/admin/queues/{name}/purge",    &[(POST, Some(Admin))], post(operator::purge)),
        route("/v1/admin/dead-jobs",              &[(GET, Some(Admin))],  get(operator::dead_list)),
        route("/v1/admin/dead-jobs/errors",       &[(GET, Some(Admin))],  get(operator::dead_errors)),
        route("/v1/admin/dead-jobs/retry",        &[(POST, Some(Admin))], post(operator::dead_retry_all)),
        route("/v1/admin/dead-jobs/discard",      &[(POST, Some(Admin))], post(operator::dead_discard_all)),
        route("/v1/admin/dead-jobs/{id}",         &[(GET, Some(Admin))],  get(operator::dead_read)),
        route("/v1/admin/dead-jobs/{id}/retry",   &[(POST, Some(Admin))], post(operator::dead_retry)),
        route("/v1/admin/dead-jobs/{id}/discard", &[(POST, Some(Admin))], post(operator::dead_discard)),
        route("/v1/admin/trading",                &[(GET, Some(Admin)), (PUT, Some(Admin))], get(operator::trading_read).put(operator::trading_set)),
        route("/v1/admin/limits",                 &[(GET, Some(Admin))],  get(operator::limits_list)),
        route("/v1/admin/limits/{account}",       &[(GET, Some(Admin)), (PUT, Some(Admin)), (DELETE, Some(Admin))], get(operator::limits_read).put(operator::limits_set).delete(operator::limits_remove)),
        route("/v1/admin/cache",            &[(GET, Some(Admin)), (DELETE, Some(Admin))],   get(cache::read).delete(cache::clear)),
        route("/v1/admin/cache/keys",       &[(GET, Some(Admin))],                          get(cache::keys)),
        route("/v1/admin/cache/keys/{key}", &[(DELETE, Some(Admin))],                       delete(cache::delete)),
    ]
}

/// Everything: the native API, its documents, and the facades, each under its name.
pub fn router(engine: Arc<Engine>, settings: Settings) -> Router {
    let app = App::new(engine, settings, FacadeName::ALL.map(|facade| facade.at(facade.mount())).into());
    let mut router = Router::new()
        .route("/", get(start_page::page))
        .route("/problems", get(start_page::problems))
        .route("/openapi.json", get(openapi::document));
    for route in native() {
        router = router.route(route.path, route.handler);
    }
    router = router.method_not_allowed_fallback(async || Problem::new(codes::METHOD_NOT_ALLOWED, "see Allow"));
    // Facades bring their own words for unknown routes and methods, so they join after ours are set.
    for facade in FacadeName::ALL {
        router = router.merge(facade.routes(facade.mount()));
    }
    let router = router
        .merge(openapi::pages())
        .fallback(async || Problem::new(codes::NOT_FOUND, "there is no such route; see /docs"));
    finish(router, app)
}

/// One facade alone, at the root of its own listener.
pub fn facade_router(facade: FacadeName, engine: Arc<Engine>, settings: Settings) -> Router {
    let app = App::new(engine, settings, vec![facade.at("")]);
    finish(facade.routes(""), app)
}

/// What a process without the api serves: health and metrics, and nothing else.
pub fn probe_router(engine: Arc<Engine>, settings: Settings) -> Router {
    let app = App::new(engine, settings, Vec::new());
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
