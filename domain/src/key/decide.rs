//! The decisions about keys: who may make which, and that one is withdrawn.

use super::{Entropy, Env, Happening, Key, Presented, Role, Scope, Status, mint, next};
use crate::{Change, EntityWrite, EventDraft, Expect, Kind, Owner, Refusal, Timestamp, view};

/// The longest name of a key, in bytes.
const LONGEST_NAME: usize = 100;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Create {
    /// Whose key it is to be.
    pub account: Owner,
    /// What the account is with it.
    pub role: Role,
    /// What it may do; none means all that the role may and the creator can give.
    pub scopes: Option<Vec<Scope>>,
    /// What its owner calls it.
    pub name: Option<String>,
    /// When it is good no more.
    pub expires_at: Option<Timestamp>,
    /// What it is made from.
    pub material: Material,
}

/// What a key is made from.
#[derive(Clone)]
pub enum Material {
    /// Random bytes.
    New(Env, Entropy),
    /// The text of another system's key.
    Import(String),
}

impl std::fmt::Debug for Material {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

/// Who makes it.
#[derive(Clone, Debug)]
pub enum Creator {
    /// Whoever comes first: there is no key yet.
    First(Owner),
    /// An admin, or the operator at the journal itself.
    Admin(Owner),
    /// The holder of a key that may manage its account's keys.
    Holder {
        /// The account.
        account: Owner,
        /// What the key may do.
        scopes: Vec<Scope>,
        /// When the key is good no more.
        expires_at: Option<Timestamp>,
    },
}

impl Creator {
    /// The account that acts.
    #[must_use]
    pub const fn account(&self) -> &Owner {
        match self {
            Self::First(account) | Self::Admin(account) | Self::Holder { account, .. } => account,
        }
    }
}

/// A decision about a key.
pub struct Choice {
    /// The key after it.
    pub key: Key,
    /// What the journal is to apply.
    pub change: Change,
    /// The new key's text, to be shown once; none where its holder has it.
    pub text: Option<String>,
}

/// Makes a key.
///
/// # Errors
/// `FIRST_KEY_NOT_ADMIN`, `ACCOUNT_NOT_YOURS`, `SCOPE_NOT_YOURS`, and those of fields.
pub fn create(create: Create, by: &Creator, now: Timestamp) -> Result<Choice, Refusal> {
    let scopes = scopes(&create, by)?;
    let expires_at = expiry(&create, by, now)?;
    if create.name.as_ref().is_some_and(|name| !(1..=LONGEST_NAME).contains(&name.len())) {
        return Err(Refusal::at("/name", "NAME_TOO_LONG", format!("a name has 1 to {LONGEST_NAME} bytes")));
    }
    let (presented, env, text, last4) = match &create.material {
        Material::New(env, entropy) => {
            let minted = mint(env, entropy);
            let last4 = end(&minted.text);
            (minted.presented, Some(env.as_str().to_owned()), Some(minted.text), last4)
        }
        Material::Import(text) => {
            if !matches!(by, Creator::First(_) | Creator::Admin(_)) {
                return Err(Refusal::at("/import", "SCOPE_NOT_YOURS", "only an admin brings keys of other systems"));
            }
            let why = "16 to 200 visible ASCII characters that do not begin with tw_";
            let presented = Presented::import(text).ok_or_else(|| Refusal::at("/import", "IMPORT_MALFORMED", why))?;
            (presented, None, None, end(text))
        }
    };
    let key = Key {
        id: presented.id,
        version: 1,
        status: Status::Active,
        account: create.account,
        role: create.role,
        scopes,
        name: create.name,
        env,
        last4,
        hash: presented.hash,
        expires_at,
        created_by: by.account().clone(),
        created_at: now,
        updated_at: now,
    };
    let change = change(None, &key, "key.created", by.account(), now);
    Ok(Choice { key, change, text })
}

/// Withdraws a key, for ever.
///
/// # Errors
/// `WRONG_STATE`: it was withdrawn before.
pub fn revoke(key: &Key, by: &Owner, now: Timestamp) -> Result<Choice, Refusal> {
    let status = next(key.status, Happening::Revoke)
        .ok_or_else(|| Refusal::new("WRONG_STATE", format!("the key is {}", key.status.as_str())))?;
    let after = Key { status, version: key.version + 1, updated_at: now, ..key.clone() };
    let change = change(Some(key), &after, "key.revoked", by, now);
    Ok(Choice { key: after, change, text: None })
}

/// What the key may do, if its creator can give that.
fn scopes(create: &Create, by: &Creator) -> Result<Vec<Scope>, Refusal> {
    let may = create.role.scopes();
    match by {
        Creator::First(_) if create.role != Role::Admin => {
            let why = "the first key closes the server, and must be one that can open it again: role admin";
            return Err(Refusal::at("/role", "FIRST_KEY_NOT_ADMIN", why));
        }
        Creator::Holder { account, .. } if *account != create.account => {
            return Err(Refusal::new("ACCOUNT_NOT_YOURS", "only an admin makes keys for another account"));
        }
        _ => {}
    }
    let given = |scope: &Scope| match by {
        Creator::First(_) | Creator::Admin(_) => true,
        Creator::Holder { scopes, .. } => scopes.contains(scope) && *scope != Scope::Admin,
    };
    let mut scopes = match &create.scopes {
        Some(scopes) => scopes.clone(),
        None => may.iter().copied().filter(given).collect(),
    };
    scopes.sort_unstable();
    scopes.dedup();
    if let Some(scope) = scopes.iter().find(|scope| !may.contains(scope)) {
        let why = format!("the role {} does not have {}", create.role.as_str(), scope.as_str());
        return Err(Refusal::at("/scopes", "SCOPE_NOT_OF_ROLE", why));
    }
    if let Some(scope) = scopes.iter().find(|scope| !given(scope)) {
        let why = format!("your own key does not have {}", scope.as_str());
        return Err(Refusal::at("/scopes", "SCOPE_NOT_YOURS", why));
    }
    if scopes.is_empty() {
        return Err(Refusal::at("/scopes", "SCOPES_EMPTY", "a key that may do nothing is of no use"));
    }
    if matches!(by, Creator::First(_)) && !scopes.contains(&Scope::Admin) {
        let why = "the first key closes the server, and must have the scope admin to open it again";
        return Err(Refusal::at("/scopes", "FIRST_KEY_NOT_ADMIN", why));
    }
    Ok(scopes)
}

/// When the key ends: never after the one that it is made with, which could outlive itself otherwise.
fn expiry(create: &Create, by: &Creator, now: Timestamp) -> Result<Option<Timestamp>, Refusal> {
    if create.expires_at.is_some_and(|end| end <= now) {
        return Err(Refusal::at("/expiresAt", "EXPIRE_TIME_IN_PAST", "the expiry must be in the future"));
    }
    let Creator::Holder { expires_at: Some(own), .. } = by else { return Ok(create.expires_at) };
    match create.expires_at {
        Some(end) if end > *own => {
            Err(Refusal::at("/expiresAt", "EXPIRE_TIME_TOO_LATE", "your own key ends before that"))
        }
        end => Ok(end.or(Some(*own))),
    }
}

fn change(before: Option<&Key>, after: &Key, type_: &'static str, actor: &Owner, now: Timestamp) -> Change {
    let old = before.map(Key::view_json);
    let body = view::event_body(old.as_deref(), &after.view_json(), actor);
    let write = EntityWrite {
        kind: Kind::Key,
        id: after.id.clone(),
        expect: before.map_or(Expect::Absent, |before| Expect::Version(before.version)),
        status: after.status.as_str(),
        owner: after.account.clone(),
        party: None,
        parent: None,
        body: after.body_json(),
        event: Some(EventDraft { type_, body }),
    };
    Change { at: now, entities: vec![write], ..Change::default() }
}

/// The last four characters.
fn end(text: &str) -> String {
    text[text.len().saturating_sub(4)..].to_owned()
}
