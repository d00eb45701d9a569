//! `tradewind keys`: makes, lists and revokes keys, on a running server or in its journal.

mod journal;

use std::io::Read;

use anyhow::{Context, bail};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{columns, line};
use crate::client::Client;
use crate::config::{Action, Create, Keys, List, Place, Revoke};
use journal::Opened;

/// The longest text that is read as another system's key.
const LONGEST_IMPORT: u64 = 1_024;

/// What of a key's public view the commands show.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Key {
    key: Option<String>,
    sqs: Option<Signing>,
    id: String,
    status: String,
    account: String,
    role: String,
    scopes: Vec<String>,
    name: Option<String>,
    last4: String,
    expires_at: Option<String>,
    last_used_at: Option<String>,
}

/// What clients of AWS SQS sign with.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Signing {
    access_key_id: String,
    secret_access_key: String,
}

/// Does what is asked.
pub(crate) async fn run(settings: Keys) -> anyhow::Result<u8> {
    match settings.action {
        Action::Create(settings) => Box::pin(create(*settings)).await,
        Action::List(settings) => list(settings).await,
        Action::Revoke(settings) => revoke(settings).await,
    }
}

/// Where the keys are: a server or a journal.
enum Keeper {
    Server(Client),
    Journal(Box<Opened>),
}

impl Keeper {
    async fn of(place: &Place) -> anyhow::Result<Self> {
        Ok(match &place.journal {
            Some(url) => Self::Journal(Box::new(Opened::at(url, place.remote.account.as_deref()).await?)),
            None => Self::Server(Client::new(&place.remote)?),
        })
    }
}

async fn create(settings: Create) -> anyhow::Result<u8> {
    let body = body(&settings)?;
    let made = match Keeper::of(&settings.place).await? {
        Keeper::Server(client) => client.post("/v1/keys", &body, None).await?,
        Keeper::Journal(journal) => journal.create(&settings, body.get("import").and_then(Value::as_str)).await?,
    };
    if settings.place.remote.json {
        line(made)?;
        return Ok(0);
    }
    let Key { key, sqs, id, account, role, scopes, .. } = serde_json::from_value(made)?;
    let scopes = scopes.join(" ");
    match key {
        Some(text) => {
            line(text)?;
            eprintln!("key {id} of {account}, {role}: {scopes}; it is shown this once");
        }
        None => line(format_args!("key {id} of {account}, {role}: {scopes}"))?,
    }
    if let Some(Signing { access_key_id, secret_access_key }) = sqs {
        // Beside the key, so that a script which takes the key from standard output gets nothing else.
        eprintln!(
            "for clients of AWS SQS: AWS_ACCESS_KEY_ID={access_key_id} AWS_SECRET_ACCESS_KEY={secret_access_key}"
        );
    }
    Ok(0)
}

async fn list(settings: List) -> anyhow::Result<u8> {
    let keeper = Keeper::of(&settings.place).await?;
    let mut rows = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = match &keeper {
            Keeper::Journal(journal) => journal.list(settings.all).await?,
            Keeper::Server(client) => {
                let mut query = vec![("limit", "100")];
                query.extend(settings.all.then_some(("all", "true")));
                query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
                client.get("/v1/keys", &query).await?
            }
        };
        for key in page.get("data").and_then(Value::as_array).into_iter().flatten() {
            if settings.place.remote.json {
                line(key)?;
            } else {
                rows.push(row(serde_json::from_value(key.clone())?));
            }
        }
        cursor = page.get("nextCursor").and_then(Value::as_str).map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    if !rows.is_empty() {
        let head = ["id", "status", "account", "role", "ends in", "last used", "expires", "name"].map(str::to_owned);
        rows.insert(0, head);
        for text in columns(&rows, [0, 1, 2, 3, 4, 5, 6, 7]) {
            line(text)?;
        }
    }
    Ok(0)
}

async fn revoke(settings: Revoke) -> anyhow::Result<u8> {
    // Only ids are asked for: the text of a key has no place in a URL.
    if settings.id.len() != 22 || !settings.id.bytes().all(|b| b.is_ascii_alphanumeric()) {
        bail!("that is no key's id: it is the third part of a key's text, and `tradewind keys list` shows it");
    }
    let revoked = match Keeper::of(&settings.place).await? {
        Keeper::Server(client) => client.post(&format!("/v1/keys/{}/revoke", settings.id), &Value::Null, None).await?,
        Keeper::Journal(journal) => journal.revoke(&settings.id).await?,
    };
    if settings.place.remote.json {
        line(revoked)?;
    } else {
        let Key { id, account, status, .. } = serde_json::from_value(revoked)?;
        line(format_args!("key {id} of {account} is {status}"))?;
    }
    Ok(0)
}

fn row(key: Key) -> [String; 8] {
    let Key { id, status, account, role, name, last4, expires_at, last_used_at, .. } = key;
    let or_never = |instant: Option<String>| instant.unwrap_or_else(|| "never".to_owned());
    [id, status, account, role, last4, or_never(last_used_at), or_never(expires_at), name.unwrap_or_default()]
}

fn body(settings: &Create) -> anyhow::Result<Value> {
    let mut body = Map::new();
    let texts = [
        ("account", settings.place.remote.account.clone()),
        ("role", settings.role.clone()),
        ("name", settings.name.clone()),
        ("env", settings.env.clone()),
        ("expiresAt", settings.expires_at.clone()),
        ("import", if settings.import { Some(imported()?) } else { None }),
    ];
    body.extend(texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?.into()))));
    if !settings.scope.is_empty() {
        body.insert("scopes".to_owned(), settings.scope.clone().into());
    }
    Ok(Value::Object(body))
}

/// Another system's key: not from the command line, which every process on the machine can read.
fn imported() -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::stdin().take(LONGEST_IMPORT).read_to_string(&mut text).context("--import: standard input is no text")?;
    Ok(text.trim().to_owned())
}
