//! Webhooks: endpoints made and changed, tried out, and deliveries sent again.

use domain::webhook::delivery::{About, Delivery, To};
use domain::webhook::endpoint::{self, Create, Edit, Endpoint, MOST_ENDPOINTS, Reason, Status};
use domain::webhook::health::State;
use domain::webhook::payload;
use domain::webhook::replay::{self, Replay};
use domain::{Change, Kind, Owner, Refusal, Timestamp};
use drivers::Fault;
use drivers::journal::{Among, List};

use super::{Decision, Intake, IntakeError, RequestKey, Taken, Target, new_id};
use crate::webhooks::{Webhooks, health_of, payload_of};

/// The most replays of an account that are not done.
const MOST_REPLAYS: usize = 20;

/// The refusal of what is not there, or not the caller's.
fn no_such_endpoint() -> IntakeError {
    IntakeError::Refused(Refusal::new("ENDPOINT_NOT_FOUND", "there is no such webhook endpoint"))
}

fn no_such_delivery() -> IntakeError {
    IntakeError::Refused(Refusal::new("DELIVERY_NOT_FOUND", "there is no such delivery"))
}

impl From<endpoint::Choice> for Decision {
    fn from(choice: endpoint::Choice) -> Self {
        let endpoint::Choice { endpoint, change } = choice;
        let view = endpoint.view_json();
        Self { change, kind: Kind::Endpoint, id: endpoint.id, version: endpoint.version, view }
    }
}

fn of_delivery(delivery: &Delivery, change: Change) -> Decision {
    let view = delivery.view_json();
    Decision { change, kind: Kind::Delivery, id: delivery.id.clone(), version: delivery.version, view }
}

impl Intake {
    /// Makes an endpoint.
    ///
    /// # Errors
    /// `TOO_MANY_ENDPOINTS`, `OUT_OF_RANGE`; see [`IntakeError`].
    pub async fn create_endpoint(&self, create: Create, request: Option<RequestKey>) -> Result<Taken, IntakeError> {
        let turn = create.account.to_string();
        let decide = async |now| {
            let list = List {
                kind: Kind::Endpoint,
                among: vec![Among::Owner(create.account.clone())],
                statuses: vec![Status::Active.as_str().to_owned(), Status::Disabled.as_str().to_owned()],
                fields: Vec::new(),
                ranges: Vec::new(),
                after: None,
                newest_first: false,
                limit: MOST_ENDPOINTS,
            };
            if self.journal.entities(list).await?.entities.len() >= MOST_ENDPOINTS {
                let said = format!("an account has at most {MOST_ENDPOINTS} endpoints: delete one first");
                return Err(Refusal::new("TOO_MANY_ENDPOINTS", said).into());
            }
            Ok(endpoint::create(create.clone(), now)?.into())
        };
        self.decide(&turn, request, decide).await
    }

    /// Changes an endpoint's settings.
    ///
    /// # Errors
    /// `ENDPOINT_NOT_FOUND`, `STALE_VERSION`, `WRONG_STATE`, `OUT_OF_RANGE`; see [`IntakeError`].
    pub async fn edit_endpoint(
        &self,
        account: &Owner,
        target: Target<'_>,
        edit: &Edit,
        request: Option<RequestKey>,
    ) -> Result<Taken, IntakeError> {
        let change = |before: &Endpoint, now| endpoint::edit(before, edit.clone(), account, now);
        self.change_endpoint(account, target, request, change).await
    }

    /// Gives an endpoint a new secret; the old one signs besides for a while.
    ///
    /// # Errors
    /// `ENDPOINT_NOT_FOUND`, `STALE_VERSION`, `WRONG_STATE`, `TOO_MANY_SECRETS`; see [`IntakeError`].
    pub async fn rotate_secret(
        &self,
        account: &Owner,
        target: Target<'_>,
        (sealed, overlap_micros): (&str, i64),
        request: Option<RequestKey>,
    ) -> Result<Taken, IntakeError> {
        let change = |before: &Endpoint, now| endpoint::rotate(before, sealed.to_owned(), overlap_micros, account, now);
        self.change_endpoint(account, target, request, change).await
    }

    /// Has an endpoint get no more events.
    ///
    /// # Errors
    /// `ENDPOINT_NOT_FOUND`, `STALE_VERSION`, `WRONG_STATE`; see [`IntakeError`].
    pub async fn disable_endpoint(
        &self,
        account: &Owner,
        target: Target<'_>,
        request: Option<RequestKey>,
    ) -> Result<Taken, IntakeError> {
        let change = |before: &Endpoint, now| endpoint::disable(before, Reason::Owner, account, now);
        self.change_endpoint(account, target, request, change).await
    }

    /// Has an endpoint get events again; that it failed before is forgotten.
    ///
    /// # Errors
    /// As [`Intake::disable_endpoint`].
    pub async fn enable_endpoint(
        &self,
        account: &Owner,
        target: Target<'_>,
        request: Option<RequestKey>,
    ) -> Result<Taken, IntakeError> {
        let decide = async |now| {
            let before = self.own_endpoint(account, target).await?;
            let mut choice = endpoint::enable(&before, account, now)?;
            let health = health_of(self.journal.as_ref(), target.id).await?;
            if health.state == State::Failing {
                choice.change.entities.push(health.turned(State::Well, now).write(target.id, &before.account));
            }
            Ok(choice.into())
        };
        self.decide(target.id, request, decide).await
    }

    /// Deletes an endpoint.
    ///
    /// # Errors
    /// As [`Intake::disable_endpoint`].
    pub async fn delete_endpoint(
        &self,
        account: &Owner,
        target: Target<'_>,
        request: Option<RequestKey>,
    ) -> Result<Taken, IntakeError> {
        self.change_endpoint(account, target, request, |before, now| endpoint::delete(before, account, now)).await
    }

    /// Sends an endpoint an event that stands in no log.
    ///
    /// # Errors
    /// `ENDPOINT_NOT_FOUND`, `WRONG_STATE`; see [`IntakeError`].
    pub async fn test_endpoint(
        &self,
        account: &Owner,
        id: &str,
        request: Option<RequestKey>,
    ) -> Result<Taken, IntakeError> {
        let delivery = new_id();
        let decide = async |now| {
            let endpoint = self.active_endpoint(account, id).await?;
            let about = About {
                seq: 0,
                type_: payload::TEST_TYPE.to_owned(),
                kind: Kind::Endpoint.to_string(),
                id: id.to_owned(),
                owner: account.clone(),
                party: None,
            };
            let to = To { endpoint: id, account, ordered: endpoint.ordered };
            let delivery = Delivery::new(delivery.clone(), &to, about, Some(payload::test(id, now)), now);
            let (entities, jobs) = (vec![delivery.write()], vec![delivery.job(endpoint.ordered, now)]);
            Ok(of_delivery(&delivery, Change { at: now, entities, jobs, ..Change::default() }))
        };
        self.decide(id, request, decide).await
    }

    /// Puts a delivery on its way again, at once.
    ///
    /// # Errors
    /// `DELIVERY_NOT_FOUND`; `WRONG_STATE` while its endpoint gets nothing; `EVENT_FORGOTTEN` where nothing is left to send;
    /// see [`IntakeError`].
    pub async fn resend(
        &self,
        webhooks: &Webhooks,
        account: &Owner,
        id: &str,
        request: Option<RequestKey>,
    ) -> Result<Taken, IntakeError> {
        let decide = async |now| {
            let row = self.journal.entity(Kind::Delivery, id).await?.filter(|row| row.owner == *account);
            let row = row.ok_or_else(no_such_delivery)?;
            let before = Delivery::from_entity(&row).map_err(|error| broken("delivery", id, &error))?;
            let endpoint = self.active_endpoint(account, &before.endpoint).await?;
            let payload = match &before.payload {
                Some(payload) => Some(payload.clone()),
                None => payload_of(webhooks, self.journal.as_ref(), &endpoint, before.about.seq).await?,
            };
            let Some(payload) = payload else {
                return Err(Refusal::new("EVENT_FORGOTTEN", "the event is no longer held: nothing can be sent").into());
            };
            let delivery = before.again(Some(payload), now);
            let (entities, jobs) = (vec![delivery.write()], vec![delivery.job(endpoint.ordered, now)]);
            Ok(of_delivery(&delivery, Change { at: now, entities, jobs, ..Change::default() }))
        };
        self.decide(id, request, decide).await
    }

    /// Puts the deliveries of all events of a range on their way again, also those that were never made.
    ///
    /// # Errors
    /// `ENDPOINT_NOT_FOUND`; `WRONG_STATE`, also while too many replays are not done; `OUT_OF_RANGE`; see [`IntakeError`].
    pub async fn replay(
        &self,
        account: &Owner,
        endpoint: &str,
        (since, until): (Timestamp, Option<Timestamp>),
        request: Option<RequestKey>,
    ) -> Result<Taken, IntakeError> {
        let id = new_id();
        let decide = async |now| {
            self.active_endpoint(account, endpoint).await?;
            let list = List {
                kind: Kind::Replay,
                among: vec![Among::Owner(account.clone())],
                statuses: vec![replay::Status::Running.as_str().to_owned()],
                fields: Vec::new(),
                ranges: Vec::new(),
                after: None,
                newest_first: true,
                limit: MOST_REPLAYS,
            };
            if self.journal.entities(list).await?.entities.len() >= MOST_REPLAYS {
                let said = format!("{MOST_REPLAYS} replays of this account are not done: wait for one of them");
                return Err(Refusal::new("WRONG_STATE", said).into());
            }
            // What the relay has not passed yet it makes itself.
            let last = self.journal.head().await?.seq;
            let range = (since, until.unwrap_or(now));
            let replay = Replay::new(id.clone(), (account, endpoint), range, last, now)?;
            let (entities, jobs, view) = (vec![replay.write()], vec![replay.job()], replay.view_json());
            let change = Change { at: now, entities, jobs, ..Change::default() };
            Ok(Decision { change, kind: Kind::Replay, id: id.clone(), version: 1, view })
        };
        self.decide(&account.to_string(), request, decide).await
    }

    async fn change_endpoint(
        &self,
        account: &Owner,
        target: Target<'_>,
        request: Option<RequestKey>,
        change: impl Fn(&Endpoint, Timestamp) -> Result<endpoint::Choice, Refusal>,
    ) -> Result<Taken, IntakeError> {
        let decide = async |now| Ok(change(&self.own_endpoint(account, target).await?, now)?.into());
        self.decide(target.id, request, decide).await
    }

    async fn own_endpoint(&self, account: &Owner, target: Target<'_>) -> Result<Endpoint, IntakeError> {
        let row = self.journal.entity(Kind::Endpoint, target.id).await?;
        let row = row.filter(|row| row.owner == *account && row.status != Status::Deleted.as_str());
        let row = row.ok_or_else(no_such_endpoint)?;
        target.check(row.version)?;
        Ok(Endpoint::from_entity(&row).map_err(|error| broken("endpoint", target.id, &error))?)
    }

    async fn active_endpoint(&self, account: &Owner, id: &str) -> Result<Endpoint, IntakeError> {
        let endpoint = self.own_endpoint(account, Target { id, version: None }).await?;
        match endpoint.status {
            Status::Active => Ok(endpoint),
            _ => Err(Refusal::new("WRONG_STATE", "the endpoint is disabled: enable it first").into()),
        }
    }
}

fn broken(what: &str, id: &str, error: &serde_json::Error) -> Fault {
    Fault::Broken(format!("webhook {what} {id}: {error}"))
}
