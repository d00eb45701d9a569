//! Every route and method against everyone who may come: what is expected follows from the table of routes alone.

mod fixtures;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};

use domain::Timestamp;
use domain::key::{Create, Env, Material};
use engine::intake::{Requester, entropy, new_id};
use reqwest::{Client, RequestBuilder};
use tokio::task::JoinHandle;

use super::*;
use fixtures::fixture;

/// Routes that anyone may ask on a server with keys. This list can only shrink: what tells more than that the process is
/// well, how busy it is, or what stands in the documentation too, has a scope.
const PUBLIC: [&str; 2] = ["GET /health/ready", "GET /metrics"];
/// Whose everything here is.
const OWNER: &str = "acme";
const OTHER: &str = "other";

/// A request for something of the owner's.
struct Asked {
    path: String,
    body: String,
}

/// A server with keys.
struct House {
    engine: Arc<Engine>,
    base: String,
    client: Client,
    admin: String,
    stop: CancellationToken,
    server: JoinHandle<std::io::Result<()>>,
    next: AtomicU32,
    _folder: tempfile::TempDir,
}

impl House {
    async fn open(more: Router<Arc<App>>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let engine = engine(&folder).await;
        let settings = Settings { trusted_proxies: vec!["127.0.0.0/8".parse().expect("a net")], ..Settings::default() };
        let app = App::new(Arc::clone(&engine), settings.clone(), Vec::new());
        let listed = native().into_iter().fold(more, |router, route| router.route(route.path, route.handler));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let router = finish(listed, app);
        let server = tokio::spawn(serve(listener, router, settings.stop.clone(), Limits::default()));
        let client = Client::builder().no_proxy().build().expect("a client");
        let (stop, next) = (settings.stop, AtomicU32::new(0));
        let (admin, _folder) = (String::new(), folder);
        let mut house = Self { engine, base, client, admin, stop, server, next, _folder };
        house.admin = house.key("ops", Role::Admin, None, None).await.0;
        house
    }

    /// A key's text and id.
    async fn key(
        &self,
        account: &str,
        role: Role,
        scopes: Option<Vec<Scope>>,
        end: Option<Timestamp>,
    ) -> (String, String) {
        let material = Material::New(Env::default(), entropy().expect("random bytes"));
        let account = Owner::parse(account).expect("a name");
        let create = Create { account, role, scopes, name: None, expires_at: end, material };
        let by = Requester::Operator(Owner::default());
        let made = self.engine.intake.create_key(create, by, None).await.expect("a key");
        (made.text.expect("its text"), made.taken.id)
    }

    async fn swap(&self) -> String {
        let ask = domain::swap::Ask {
            input: "SOL".into(),
            output: "USDC".into(),
            mode: domain::swap::Mode::ExactIn,
            amount: 1_000_000_000,
        };
        let place = domain::swap::Place {
            id: new_id(),
            account: Owner::parse(OWNER).expect("a name"),
            side: domain::swap::Side::Sell,
            ask,
            input_decimals: 9,
            output_decimals: 6,
            slippage_bps: 50,
            client_order_id: None,
            expires_at: None,
            conditions: domain::swap::Conditions::default(),
            firm: None,
            plan: None,
        };
        self.engine.intake.place(place, None).await.expect("taken").id
    }

    /// A request from an address that nobody asked from before, so that no attempt counts against another.
    fn ask(&self, method: &Method, asked: Asked) -> RequestBuilder {
        let from = std::net::Ipv4Addr::from(0xC000_0200 + self.next.fetch_add(1, Ordering::Relaxed));
        let request = self.client.request(method.clone(), format!("{}{}", self.base, asked.path));
        let request = request.header("x-forwarded-for", from.to_string());
        request.header("content-type", "application/json").body(asked.body)
    }

    /// The status and the code of the answer; of a stream only its head is read.
    async fn answer(request: RequestBuilder) -> (u16, String) {
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        let problem = answer.headers().get("content-type").is_some_and(|t| t == "application/problem+json");
        if status == 401 {
            assert_eq!(answer.headers()["www-authenticate"], "Bearer");
        }
        // The answer to HEAD has no body.
        let text = if problem { answer.text().await.expect("text") } else { String::new() };
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        (status, body["code"].as_str().unwrap_or_default().to_owned())
    }

    async fn end(self) {
        self.stop.cancel();
        drop(self.client);
        self.server.await.expect("no panic").expect("no error");
        self.engine.stop(Duration::from_secs(5)).await;
    }
}

/// A role that has the scope, and is no admin's.
fn role_with(scope: Scope) -> Role {
    let found = Role::ALL.into_iter().find(|role| *role != Role::Admin && role.scopes().contains(&scope));
    found.unwrap_or(Role::Admin)
}

/// The keys of everyone who may come to a route that needs `scope`.
struct Keys {
    owner: String,
    other: String,
    without: String,
    expired: String,
    revoked: String,
}

impl Keys {
    async fn of(house: &House, scope: Scope) -> Self {
        let role = role_with(scope);
        let less: Vec<Scope> =
            role.scopes().iter().copied().filter(|one| *one != scope && *one != Scope::Admin).collect();
        let soon = engine::clock::now().plus_millis(20);
        let (expired, _) = house.key(OWNER, role, None, Some(soon)).await;
        let (revoked, id) = house.key(OWNER, role, None, None).await;
        house.engine.intake.revoke_key(None, &id, &Owner::default(), None).await.expect("revoked");
        while engine::clock::now() <= soon {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Self {
            owner: house.key(OWNER, role, None, None).await.0,
            other: house.key(OTHER, role, None, None).await.0,
            without: house.key(OWNER, role, Some(less), None).await.0,
            expired,
            revoked,
        }
    }
}

/// Let in: whatever the handler says of the request itself.
fn is_in((status, code): &(u16, String)) -> bool {
    !matches!(status, 401 | 403 | 404 | 405 | 429 | 500..) && (!code.starts_with("KEY_") || code == "KEY_EXISTS")
}

async fn check(house: &House, method: &Method, path: &str, scope: Scope) {
    let keys = Keys::of(house, scope).await;
    let what = |who: &str| format!("{method} {path} by {who}");
    let ask = async |key: Option<&str>, account: Option<&str>| {
        let request = house.ask(method, fixture(house, method, path).await).header("if-match", "\"1\"");
        let request = key.map_or(request.try_clone().expect("a text"), |key| request.bearer_auth(key));
        House::answer(account.iter().fold(request, |request, account| request.header("x-account", *account))).await
    };
    let refused = |status: u16, code: &str| (status, code.to_owned());
    assert_eq!(ask(None, None).await, refused(401, "KEY_REQUIRED"), "{}", what("nobody"));
    assert_eq!(ask(None, Some(OWNER)).await, refused(401, "KEY_REQUIRED"), "{}", what("whoever says he is the owner"));
    assert_eq!(ask(Some(&keys.revoked), None).await, refused(401, "KEY_NOT_GOOD"), "{}", what("a revoked key"));
    assert_eq!(ask(Some(&keys.expired), None).await, refused(401, "KEY_NOT_GOOD"), "{}", what("an expired key"));
    assert_eq!(ask(Some("tw_live_nonsense"), None).await, refused(401, "KEY_NOT_GOOD"), "{}", what("a typo"));
    assert_eq!(ask(Some(&keys.without), None).await, refused(403, "SCOPE_MISSING"), "{}", what("a key without it"));
    // Whoever has `admin` acts for every account, and what belongs to the installation is nobody's own.
    let installation = scope == Scope::Admin;
    let foreign = ask(Some(&keys.other), Some(OWNER)).await;
    if installation {
        assert!(is_in(&foreign), "{}: {foreign:?}", what("another admin"));
    } else {
        assert_eq!(foreign, refused(403, "ACCOUNT_NOT_YOURS"), "{}", what("another on the owner's account"));
    }
    let own = ask(Some(&keys.owner), None).await;
    assert!(is_in(&own), "{}: {own:?}", what("the owner"));
    let admin = ask(Some(&house.admin), Some(OWNER)).await;
    assert!(is_in(&admin), "{}: {admin:?}", what("an admin for the owner"));
    let other = ask(Some(&keys.other), None).await;
    if path.contains('{') && !installation {
        assert!(other.0 == 404 && other.1.ends_with("_NOT_FOUND"), "{}: {other:?}", what("another"));
    } else {
        assert!(is_in(&other), "{}: {other:?}", what("another"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_lets_in_whom_its_row_says_and_nobody_else() {
    let house = House::open(Router::new()).await;
    let mut public = BTreeSet::new();
    for route in native() {
        for (method, scope) in route.methods {
            match scope {
                Some(scope) => check(&house, method, route.path, *scope).await,
                None => {
                    public.insert(format!("{method} {}", route.path));
                    let anyone = House::answer(house.ask(method, fixture(&house, method, route.path).await)).await;
                    assert!(is_in(&anyone), "{method} {}: {anyone:?}", route.path);
                }
            }
        }
    }
    let listed: BTreeSet<String> = PUBLIC.into_iter().map(str::to_owned).collect();
    assert_eq!(public, listed, "the routes without a scope are other than those written out above");
    house.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_row_is_not_there_for_anyone() {
    let told = || get(async || "a secret");
    let house = House::open(Router::new().route("/v1/unlisted", told()).route("/else", told())).await;
    for path in ["/v1/unlisted", "/else"] {
        for key in [None, Some(&house.admin)] {
            let request = house.ask(&Method::GET, Asked { path: path.to_owned(), body: String::new() });
            let request = key.iter().fold(request, RequestBuilder::bearer_auth);
            let (status, code) = House::answer(request).await;
            let expected = if key.is_some() { (404, "NOT_FOUND") } else { (401, "KEY_REQUIRED") };
            assert_eq!((status, &*code), expected, "{path}");
        }
    }
    // HEAD is answered where GET is, and so needs what GET needs; other methods have no row.
    for (method, key, expected) in [
        (Method::HEAD, None, 401),
        (Method::HEAD, Some(&house.admin), 200),
        (Method::PUT, Some(&house.admin), 405),
        (Method::OPTIONS, None, 401),
    ] {
        let request = house.ask(&method, Asked { path: "/v1/tokens".to_owned(), body: String::new() });
        let request = key.iter().fold(request, RequestBuilder::bearer_auth);
        assert_eq!(House::answer(request).await.0, expected, "{method}");
    }
    house.end().await;
}
