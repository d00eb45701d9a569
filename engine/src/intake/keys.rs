//! Keys: made and withdrawn.

use std::sync::Arc;

use domain::key::{self, Choice, Create, Creator, Entropy, Key, Scope, Status};
use domain::{Kind, Owner, Refusal};
use drivers::Fault;

use super::{Decision, Intake, IntakeError, RequestKey, Taken};
use crate::access::{Principal, any_key};

/// Who asks for a key.
#[derive(Clone, Debug)]
pub enum Requester {
    /// Someone on a server that has no keys yet, on that account.
    Anyone(Owner),
    /// The holder of a key; an admin on the account that it acts for.
    Holder(Arc<Principal>, Owner),
    /// Whoever has the journal itself in hand.
    Operator(Owner),
}

/// A key that was made.
pub struct Issued {
    /// The key without its secret.
    pub taken: Taken,
    /// Its text, which nothing keeps; none when it was imported, or an earlier request made it.
    pub text: Option<String>,
    /// Whether its credentials for signing are to be shown: it may use queues, and this request made it.
    pub signs: bool,
}

/// Random bytes for a new key.
///
/// # Errors
/// The system has none.
pub fn entropy() -> Result<Entropy, Fault> {
    let (mut id, mut secret) = ([0; 16], [0; 32]);
    let filled = getrandom::fill(&mut id).and_then(|()| getrandom::fill(&mut secret));
    filled.map_err(|error| Fault::Unavailable(format!("no random bytes: {error}")))?;
    Ok(Entropy { id, secret })
}

impl Intake {
    /// Makes a key. The first of an installation closes it.
    ///
    /// # Errors
    /// `Refused` as `domain::key::create` does, with `KEY_REQUIRED` when another was first, and with `KEY_EXISTS`.
    pub async fn create_key(
        &self,
        create: Create,
        by: Requester,
        request: Option<RequestKey>,
    ) -> Result<Issued, IntakeError> {
        let made = self.make_key(&create, &by, request.clone()).await;
        match made {
            // Two were first at once: this one is not.
            Err(IntakeError::Duplicate { .. }) => self.make_key(&create, &by, request).await,
            made => made,
        }
    }

    async fn make_key(
        &self,
        create: &Create,
        by: &Requester,
        request: Option<RequestKey>,
    ) -> Result<Issued, IntakeError> {
        let made = std::sync::Mutex::new((None, false));
        let taken = self
            .decide("keys", request, async |now| {
                let first = !any_key(self.journal.as_ref()).await?;
                let Choice { key, mut change, text } = key::create(create.clone(), &creator(by, first)?, now)?;
                if self.journal.entity(Kind::Key, &key.id).await?.is_some() {
                    return Err(Refusal::at("/import", "KEY_EXISTS", "this key is known already").into());
                }
                if first {
                    change.keys.push(domain::Key {
                        scope: "keys".to_owned(),
                        key: "first".to_owned(),
                        fingerprint: None,
                        kind: Kind::Key,
                        id: key.id.clone(),
                        version: 1,
                        expires_at: None,
                    });
                }
                let signs = key.scopes.iter().any(|scope| matches!(scope, Scope::QueuesUse | Scope::Admin));
                *made.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = (text, signs);
                Ok(Decision { change, kind: Kind::Key, id: key.id.clone(), version: 1, view: key.view_json() })
            })
            .await?;
        let (text, signs) = made.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(Issued { text: text.filter(|_| !taken.replayed), signs: signs && !taken.replayed, taken })
    }

    /// Withdraws a key of that account, or of any if none is given. Withdrawing it again answers it again.
    ///
    /// # Errors
    /// `NotFound`; see [`IntakeError`].
    pub async fn revoke_key(
        &self,
        account: Option<&Owner>,
        id: &str,
        actor: &Owner,
        request: Option<RequestKey>,
    ) -> Result<Taken, IntakeError> {
        self.decide(id, request, async |now| {
            let entity = self.journal.entity(Kind::Key, id).await?;
            let entity = entity.filter(|entity| account.is_none_or(|account| entity.owner == *account));
            let entity = entity.ok_or(IntakeError::NotFound)?;
            let key = Key::from_entity(&entity).map_err(|error| Fault::Broken(format!("key {id}: {error}")))?;
            let (key, change) = match key.status {
                Status::Revoked => (key, domain::Change { at: now, ..domain::Change::default() }),
                Status::Active => {
                    let choice = key::revoke(&key, actor, now)?;
                    (choice.key, choice.change)
                }
            };
            Ok(Decision { change, kind: Kind::Key, id: id.to_owned(), version: key.version, view: key.view_json() })
        })
        .await
    }
}

/// Who makes a key, given whether it is the first.
fn creator(by: &Requester, first: bool) -> Result<Creator, Refusal> {
    Ok(match by {
        Requester::Anyone(account) | Requester::Operator(account) if first => Creator::First(account.clone()),
        Requester::Anyone(_) => return Err(Refusal::new("KEY_REQUIRED", "this server has keys now: send one")),
        Requester::Operator(account) => Creator::Admin(account.clone()),
        Requester::Holder(principal, account) if principal.is_admin() => Creator::Admin(account.clone()),
        Requester::Holder(principal, _) => Creator::Holder {
            account: principal.account.clone(),
            scopes: principal.scopes.to_vec(),
            expires_at: principal.expires_at,
        },
    })
}
