//! `tradewind demo-data`: the sellers, the buyer, the keys, the deals and the webhooks with which the recorded calls work.

mod calls;

use std::io::Write;

use anyhow::Context;
use serde_json::{Value, json};

use super::line;
use crate::client::{Client, Refused};
use crate::config::{ClientKey, DemoData, Remote};

const ADMIN: &str = "admin";
const SELLER1: &str = "90d57fe0-0fa1-4dae-a51c-917cc82bcdda";
const SELLER2: &str = "ff42a46c-6143-4b26-85d0-69240eb39f24";
const BUYER1: &str = "90d57fe0-0fa1-4dae-a51c-917cc82bcddc";
/// The original's keys; a buyer's is its id.
const KEYS: [(&str, &str, &str); 3] = [
    (SELLER1, "seller", "some-secret-api-key"),
    (SELLER2, "seller", "another-secret-api-key"),
    (BUYER1, "buyer", BUYER1),
];
const PATTERNS: [&str; 4] = ["deal.*", "deal.updated", "deal.created", "deal.updated.*"];
const DEALS: u64 = 10;
const NAMES: [&str; 5] = ["Chairs", "A table", "Lamps", "Books", "A piano"];

/// Makes what is missing, then prints what can be done with it.
pub(crate) async fn run(settings: DemoData) -> anyhow::Result<u8> {
    let mut remote = settings.remote.clone();
    let made = match remote.key {
        Some(_) => None,
        None => Some(first_key(&remote).await?),
    };
    if let Some(key) = &made {
        // Before anything can fail: nothing shows it again.
        let text = format!("# the server has keys from now on; an admin's, shown this once: {key}");
        say(&remote, text, &json!({ "adminKey": key }))?;
        remote.key = Some(ClientKey::new(key));
    }
    let acting = |account: &str| Client::new(&Remote { account: Some(account.to_owned()), ..remote.clone() });
    let (admin, seller, buyer) = (acting(ADMIN)?, acting(SELLER1)?, acting(BUYER1)?);
    for (account, role, key) in KEYS {
        import(&admin, account, role, key).await?;
        let text = format!("# {role} {account} with the key {key}");
        say(&remote, text, &json!({"account": account, "role": role, "key": key}))?;
    }
    let buyers = format!("/v1/sellers/{SELLER1}/buyers");
    seller.post(&buyers, &json!({ "buyerId": BUYER1 }), None).await?;
    post_deals(&seller).await?;
    say(&remote, format!("# {DEALS} deals of the first seller, which the buyer may see"), &json!({ "deals": DEALS }))?;
    make_endpoints(&remote, &buyer, &settings.webhook_url).await?;
    let facade = match &settings.facade_url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => format!("{}/deals", remote.url.trim_end_matches('/')),
    };
    let deal = newest(&deals_of(&seller).await?);
    for (what, call) in calls::all(&facade, &deal)? {
        say(&remote, format!("\n# {what}\n{call}"), &json!({"what": what, "call": call}))?;
    }
    Ok(0)
}

/// Prints a text, or an object for programs.
fn say(remote: &Remote, text: String, object: &Value) -> anyhow::Result<()> {
    Ok(line(if remote.json { object.to_string() } else { text })?)
}

/// Closes an open server.
async fn first_key(remote: &Remote) -> anyhow::Result<String> {
    let client = Client::new(&Remote { account: Some(ADMIN.to_owned()), ..remote.clone() })?;
    let wanted = json!({"role": "admin", "account": ADMIN, "name": "demo-data"});
    let made = match client.post("/v1/keys", &wanted, None).await {
        Err(error) if Refused::is(&error, "KEY_REQUIRED") => {
            return Err(error.context("this server has keys: show an admin's in TRADEWIND_KEY or with --key"));
        }
        made => made?,
    };
    made.get("key").and_then(Value::as_str).map(str::to_owned).context("the server shows no key")
}

async fn import(admin: &Client, account: &str, role: &str, key: &str) -> anyhow::Result<()> {
    let wanted = json!({"role": role, "account": account, "name": "demo-data", "import": key});
    match admin.post("/v1/keys", &wanted, None).await {
        Err(error) if Refused::is(&error, "KEY_EXISTS") => Ok(()),
        made => made.map(drop),
    }
}

/// Of the deals that the seller has, however many: those of ours, and one that can be changed; the newest first.
async fn deals_of(seller: &Client) -> anyhow::Result<Vec<Value>> {
    let ours: Vec<Value> = (1..=DEALS).map(|number| name_of(number).into()).collect();
    let mut missing = ours.clone();
    let mut found: Vec<Value> = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut query = vec![("seller", SELLER1), ("limit", "100")];
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let page = seller.get("/v1/deals", &query).await?;
        for deal in page.get("data").and_then(Value::as_array).into_iter().flatten() {
            let name = deal.get("name").unwrap_or(&Value::Null);
            missing.retain(|one| one != name);
            if ours.contains(name) || (is_available(deal) && !found.iter().any(is_available)) {
                found.push(deal.clone());
            }
        }
        cursor = page.get("nextCursor").and_then(Value::as_str).map(str::to_owned);
        if cursor.is_none() || (missing.is_empty() && found.iter().any(is_available)) {
            return Ok(found);
        }
    }
}

/// What looks drawn and is the same everywhere.
const fn drawn(number: u64) -> u64 {
    (number * 48_271) % 65_537
}

fn thing(number: u64) -> &'static str {
    NAMES[usize::try_from(drawn(number)).unwrap_or(0) % NAMES.len()]
}

fn name_of(number: u64) -> String {
    format!("{} ({number} of {DEALS})", thing(number))
}

/// Posts those that are not there, so that nothing is made twice.
async fn post_deals(seller: &Client) -> anyhow::Result<()> {
    let there = deals_of(seller).await?;
    for number in 1..=DEALS {
        let (drawn, thing, name) = (drawn(number), thing(number), name_of(number));
        if there.iter().any(|deal| deal.get("name").and_then(Value::as_str) == Some(&name)) {
            continue;
        }
        let (price, other) = (500 + drawn, 100 + drawn % 977);
        let items = json!([{"name": thing, "price": price}, {"name": "Delivery", "price": other}]);
        let deal = json!({"name": name, "currency": "GBP", "items": items});
        seller.post("/v1/deals", &deal, Some(&format!("demo-data-deal-{number}"))).await?;
    }
    Ok(())
}

/// The newest deal of them that can be changed.
fn newest(deals: &[Value]) -> Value {
    deals.iter().find(|deal| is_available(deal)).cloned().unwrap_or_default()
}

fn is_available(deal: &Value) -> bool {
    deal.get("status").and_then(Value::as_str) == Some("available")
}

/// Makes those of the buyer's four webhooks that are not there. A server that does not send to that address has none, and
/// that is said.
async fn make_endpoints(remote: &Remote, buyer: &Client, url: &str) -> anyhow::Result<()> {
    let there = buyer.get("/v1/webhooks/endpoints", &[("limit", "100")]).await?;
    let there = there.get("data").and_then(Value::as_array).cloned().unwrap_or_default();
    for pattern in PATTERNS {
        let wanted = json!([pattern]);
        if there.iter().any(|one| one.get("patterns") == Some(&wanted) && one.get("format") == Some(&"deals".into())) {
            continue;
        }
        let description = format!("demo-data: {pattern}");
        let endpoint = json!({"url": url, "patterns": wanted, "format": "deals", "description": description});
        let made = match buyer.post("/v1/webhooks/endpoints", &endpoint, None).await {
            Err(error) if Refused::is(&error, "URL_REFUSED") => {
                let how = "start the server with --webhook-allow-net, or say --webhook-url, and run this again";
                let _ = writeln!(std::io::stderr(), "tradewind: no webhooks: {error}: {how}");
                return Ok(());
            }
            made => made?,
        };
        let secret = made.get("secret").and_then(Value::as_str).unwrap_or_default();
        let text = format!("# webhook {pattern} to {url}, signed with {secret}");
        say(remote, text, &json!({"webhook": pattern, "secret": secret}))?;
    }
    Ok(())
}
