//! Keys in the journal itself: the way in for whoever has lost the last one.

use std::sync::Arc;

use anyhow::{anyhow, bail};
use domain::key::{Create as Asked, Env, Material, Role, Scope, SigningPair};
use domain::{Kind, Owner, Timestamp};
use drivers::journal::{Among, Journal, List, Options};
use engine::access::Access;
use engine::intake::{Intake, IntakeError, Requester, entropy};
use serde_json::{Value, json};

use crate::config::Create;
use crate::serve::{plain, secret};

/// Far longer than anything here takes.
const LEASE_MILLIS: u64 = 30_000;
/// Keys that are listed.
const MOST: usize = 1_000;

/// A journal that is open for this command.
pub(super) struct Opened {
    journal: Arc<dyn Journal>,
    intake: Intake,
    account: Owner,
    url: String,
}

impl Opened {
    pub(super) async fn at(url: &str, account: Option<&str>) -> anyhow::Result<Self> {
        let account = match account {
            Some(name) => Owner::parse(name).ok_or_else(|| anyhow!("--account: not an account name"))?,
            None => Owner::default(),
        };
        let wake = drivers::wake::open(drivers::wake::default_for(url), url).await.map_err(plain)?;
        let options = Options { wake, lease_millis: LEASE_MILLIS, migrate: false };
        let journal = drivers::journal::open(url, options).await.map_err(plain)?;
        let intake = Intake::new(Arc::clone(&journal), Arc::default());
        Ok(Self { journal, intake, account, url: url.to_owned() })
    }

    pub(super) async fn create(self, settings: &Create, import: Option<&str>) -> anyhow::Result<Value> {
        let role =
            settings.role.as_deref().ok_or_else(|| anyhow!("--role is needed: admin, seller, buyer or trader"))?;
        let role = Role::parse(role).ok_or_else(|| anyhow!("--role: expected admin, seller, buyer or trader"))?;
        let scope = |name: &String| Scope::parse(name).ok_or_else(|| anyhow!("--scope: there is no {name}"));
        let scopes = settings.scope.iter().map(scope).collect::<anyhow::Result<Vec<_>>>()?;
        let instant =
            |text: &String| Timestamp::parse(text).ok_or_else(|| anyhow!("--expires-at: no RFC 3339 instant"));
        let expires_at = settings.expires_at.as_ref().map(instant).transpose()?;
        let env = settings.env.as_deref().map_or_else(|| Some(Env::default()), Env::parse);
        let env = env.ok_or_else(|| anyhow!("--env: expected 1 to 16 characters of a-z 0-9"))?;
        let material = match import {
            Some(text) => Material::Import(text.to_owned()),
            None => Material::New(env, entropy().map_err(plain)?),
        };
        let scopes = (!scopes.is_empty()).then_some(scopes);
        let account = self.account.clone();
        let asked = Asked { account: account.clone(), role, scopes, name: settings.name.clone(), expires_at, material };
        let made = self.intake.create_key(asked, Requester::Operator(account), None).await;
        // While the journal is open, nobody else makes its secret.
        let secret = match settings.secret.is_some() || self.url.starts_with("sqlite:") {
            true => Some(secret::of_installation(settings.secret.as_ref(), &self.url)?),
            false => None,
        };
        let made = self.end(made).await?;
        let mut view: Value = serde_json::from_str(&made.taken.view)?;
        if let (Some(text), Some(view)) = (made.text.as_ref(), view.as_object_mut()) {
            view.insert("key".to_owned(), text.as_str().into());
        }
        let pair = secret.filter(|_| made.signs).and_then(|secret| SigningPair::of(&secret, &made.taken.id));
        if let (Some(pair), Some(view)) = (pair, view.as_object_mut()) {
            let SigningPair { access_key_id, secret_access_key } = pair;
            view.insert(
                "sqs".to_owned(),
                json!({ "accessKeyId": access_key_id, "secretAccessKey": secret_access_key }),
            );
        }
        Ok(view)
    }

    /// One page with all keys that are shown.
    pub(super) async fn list(&self, all: bool) -> anyhow::Result<Value> {
        let list = List {
            kind: Kind::Key,
            among: if all { Vec::new() } else { vec![Among::Owner(self.account.clone())] },
            statuses: Vec::new(),
            fields: Vec::new(),
            ranges: Vec::new(),
            after: None,
            newest_first: true,
            limit: MOST,
        };
        let access = Access::new(Arc::clone(&self.journal));
        let mut views = Vec::new();
        for entity in self.journal.entities(list).await.map_err(plain)?.entities {
            let Some(view) = domain::view::of_entity(&entity)? else { continue };
            let mut view: Value = serde_json::from_str(&view)?;
            let used = access.last_used(&entity.id).await.map_err(plain)?;
            if let (Some(used), Some(view)) = (used, view.as_object_mut()) {
                view.insert("lastUsedAt".to_owned(), used.to_string().into());
            }
            views.push(view);
        }
        self.journal.close().await;
        Ok(json!({ "data": views }))
    }

    pub(super) async fn revoke(self, id: &str) -> anyhow::Result<Value> {
        let revoked = self.intake.revoke_key(None, id, &self.account, None).await;
        Ok(serde_json::from_str(&self.end(revoked).await?.view)?)
    }

    /// Closes the journal, and says what went wrong.
    async fn end<T>(self, done: Result<T, IntakeError>) -> anyhow::Result<T> {
        self.journal.close().await;
        match done {
            Ok(done) => Ok(done),
            Err(IntakeError::NotFound) => bail!("there is no such key"),
            Err(IntakeError::Refused(refusal)) => Err(anyhow!(refusal)),
            Err(IntakeError::Fault(fault)) => Err(plain(fault)),
            Err(other) => Err(anyhow!(other)),
        }
    }
}
