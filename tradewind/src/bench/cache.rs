//! Reads from the cache: deals by id, lists of deals, and how many reads, of orders too, are stale beside writers.

mod stale;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use bytes::Bytes;
use domain::Kind;
use domain::{Owner, authorisation};
use drivers::journal::{Journal, List};
use engine::clock;
use http_body_util::Full;
use hyper::Request;
use hyper::header::{HeaderName, HeaderValue};

use super::backlog::open;
use super::load;
use super::orders;
use super::progress::Progress;
use super::report::{Bar, Row};
use super::rounds::{Contest, Subject};
use super::store::Store;
use super::webhooks::deals;
use crate::config::Bench;

const DEALS: u64 = 10_000;
/// Each with a page of twenty deals.
const SELLERS: u64 = 500;
const BUYER: &str = "buyer";
/// So many sellers authorised the buyer.
const AUTHORISED: u64 = 10;
/// One in so many lists is the buyer's.
const BUYERS_SHARE: u64 = 4;

/// With a key, and limits that nobody reaches.
const ARGUMENTS: [&str; 6] =
    ["--concurrency", "swap.execute=0", "--rate-limit", "1000000/s", "--rate-limit-address", "1000000/s"];

/// By id and by list over HTTP, key and limits checked; then in this process, as many as are asked for, each held to what was
/// answered before it began.
pub(crate) async fn run(settings: &Bench) -> anyhow::Result<Vec<Row>> {
    let progress = Progress::begin("cache: deals");
    let store = Store::make(settings).await?;
    deals::post(&store, DEALS, SELLERS, &progress).await?;
    let of_sellers = Arc::new(prepare(&store).await?);
    drop(progress);
    let subject = Arc::new(Subject::on(store, &ARGUMENTS)?);
    let caller = Caller::enter(subject.address).await?;
    let (ids, by_id) = (Arc::clone(&of_sellers), caller.clone());
    let read: load::Make = Arc::new(move |number| {
        // A stride that shares no factor with the count visits every deal before one returns.
        let index = usize::try_from(number.wrapping_mul(7_919) % DEALS).unwrap_or(0);
        let (path, seller) = &ids[index];
        by_id.get(path, seller.clone())
    });
    let list: load::Make = Arc::new(move |number| {
        if number % BUYERS_SHARE == 0 {
            return caller.get("/v1/deals?status=available", HeaderValue::from_static(BUYER));
        }
        let index = usize::try_from(number.wrapping_mul(7_919) % DEALS).unwrap_or(0);
        caller.get("/v1/deals", of_sellers[index].1.clone())
    });
    let contest = |what: &str, bar: f64, make: load::Make| Contest {
        what: what.to_owned(),
        unit: "reads/s",
        // PostgreSQL is asked who authorised whom at every read: nobody has said how fast that must be.
        bar: if settings.journal.is_some() { Bar::None } else { Bar::AtLeast(bar) },
        make,
        see: None,
    };
    let by_id = contest("deals read by id from the cache, key and limits checked", 0.65, read);
    let lists = contest("lists of 20 deals read from the cache, key and limits checked", 0.4, list);
    let shared = |_| std::future::ready(Ok(Arc::clone(&subject)));
    let mut rows = vec![by_id.run(settings, shared).await?, lists.run(settings, shared).await?];
    drop(subject);
    rows.push(stale::run(settings).await?);
    Ok(rows)
}

/// Authorises the buyer; answers with the path of each deal and its seller's account.
async fn prepare(store: &Store) -> anyhow::Result<Vec<(String, HeaderValue)>> {
    let journal = open(store).await?;
    let buyer = Owner::parse(BUYER).context("an account")?;
    for number in 0..AUTHORISED {
        let seller = Owner::parse(&deals::seller(number)).context("an account")?;
        let granted = authorisation::grant(None, &seller, &buyer, clock::now());
        journal.apply(granted.map_err(|refusal| anyhow::anyhow!("{refusal:?}"))?.change).await?;
    }
    let all = all_deals(journal.as_ref()).await?;
    journal.close().await;
    let known =
        |(id, seller): (String, Owner)| Ok((format!("/v1/deals/{id}"), HeaderValue::from_str(seller.as_str())?));
    all.into_iter().map(known).collect()
}

/// The id and the seller of every deal.
async fn all_deals(journal: &dyn Journal) -> anyhow::Result<Vec<(String, Owner)>> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let list = List {
            kind: Kind::Deal,
            among: Vec::new(),
            statuses: Vec::new(),
            fields: Vec::new(),
            ranges: Vec::new(),
            after,
            newest_first: false,
            limit: 1_000,
        };
        let page = journal.entities(list).await?;
        all.extend(page.entities.into_iter().map(|entity| (entity.id, entity.owner)));
        after = page.next;
        if after.is_none() {
            return Ok(all);
        }
    }
}

/// Someone with a key who acts for every account.
#[derive(Clone)]
struct Caller(HeaderValue);

impl Caller {
    /// Makes the first key of a server.
    async fn enter(address: SocketAddr) -> anyhow::Result<Self> {
        let asked = orders::post("/v1/keys", Bytes::from_static(br#"{"role":"admin","account":"bench"}"#), None);
        let mut sender = load::connect(address).await?;
        let (status, body) = load::exchange(&mut sender, asked).await?;
        let made: serde_json::Value = serde_json::from_slice(&body).with_context(|| format!("a key: {status}"))?;
        let key = made.get("key").and_then(serde_json::Value::as_str).context("the server made no key")?;
        Ok(Self(HeaderValue::try_from(format!("Bearer {key}"))?))
    }

    fn get(&self, path: &str, account: HeaderValue) -> Request<Full<Bytes>> {
        let mut request = orders::get(path);
        request.headers_mut().insert(hyper::header::AUTHORIZATION, self.0.clone());
        request.headers_mut().insert(HeaderName::from_static("x-account"), account);
        request
    }
}
