//! What is written: a command is put into the account's queue, and whoever works on that queue does it.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use domain::queue::Outgoing;
use domain::shop::{Content, Customer, Draft, Place, Wanted, place};
use domain::{Owner, Timestamp};
use engine::clock;
use engine::intake::{self, CommandError, RequestKey, new_id};
use serde_json::json as value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Id, Refused, ajv, body, currency, json, reads, text};
use crate::account::Account;
use crate::gate::Visitor;
use crate::idempotency;
use crate::routes::App;

/// Queues a new order; its id is the one that it will have.
pub(super) async fn create(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refused> {
    let caller = Caller::of(&request)?;
    let read = body::read(&app, request).await.map_err(as_declared)?;
    let ordered = read.json().and_then(ajv::ordered).ok_or_else(Refused::bad_request)?;
    let data = checked(ordered, &caller.account)?;
    let command = Command { type_: "CREATE", order: new_id(), data, status: None };
    caller.queue(&app, StatusCode::CREATED, command).await
}

/// Queues a change of an order's state.
pub(super) async fn update(State(app): State<Arc<App>>, Id(id): Id, request: Request) -> Result<Response, Refused> {
    let caller = Caller::of(&request)?;
    let read = body::read(&app, request).await.map_err(as_declared)?;
    let status = read.json().and_then(ajv::status).ok_or_else(Refused::bad_request)?;
    let data = value!({ "status": status.shown() }).to_string();
    let command = Command { type_: "UPDATE", order: id, data, status: Some(status.shown()) };
    caller.queue(&app, StatusCode::OK, command).await
}

/// Queues an order's deletion.
pub(super) async fn delete(State(app): State<Arc<App>>, Id(id): Id, request: Request) -> Result<Response, Refused> {
    let caller = Caller::of(&request)?;
    body::read(&app, request).await?;
    let command = Command { type_: "DELETE", order: id, data: "{}".to_owned(), status: None };
    caller.queue(&app, StatusCode::OK, command).await
}

/// A refusal with 400 shows what the routes' schema of answers declares, and nothing of the framework.
fn as_declared(refused: Refused) -> Refused {
    if refused.0 == StatusCode::BAD_REQUEST { Refused::bad_request() } else { refused }
}

/// The order as the queue takes it, if it is one by our rules.
fn checked(ordered: ajv::Ordered, shop: &Owner) -> Result<String, Refused> {
    let ajv::Ordered { name, email, items } = ordered;
    let sent = value!({ "customer_name": name, "customer_email": email });
    let lines: Vec<String> = items.iter().map(line).collect();
    let draft = || {
        let (customer, currency) = (Customer::new(name, email, None).ok()?, currency()?);
        let draft = Draft { customer, items, currency, discount: None, stated: None, note: None };
        let content = Content::new(draft).ok()?;
        let placed = Place { id: new_id(), shop: shop.clone(), content, external_reference: None };
        place(placed, &BTreeSet::new(), Timestamp::default()).ok()
    };
    draft().ok_or_else(Refused::bad_request)?;
    let mut data = sent.to_string();
    // The object ends with its brace.
    data.pop();
    Ok(format!("{data},\"currency\":\"{}\",\"items\":[{}]}}", super::CURRENCY, lines.join(",")))
}

/// An item in the queue's words, its price an exact number.
fn line(item: &Wanted) -> String {
    let named = value!({ "product_id": item.product_id, "product_name": item.name, "quantity": item.quantity });
    let mut line = named.to_string();
    line.pop();
    format!("{line},\"unit_price\":{}.{:02}}}", item.unit_price / 100, item.unit_price % 100)
}

/// What is done with an order, in the words of the answer and of the message.
struct Command {
    type_: &'static str,
    order: String,
    /// As JSON.
    data: String,
    status: Option<&'static str>,
}

impl Command {
    /// How the answer calls it.
    const fn what(&self) -> &'static str {
        match self.status {
            Some(_) => "status update",
            None if self.creates() => "creation",
            None => "deletion",
        }
    }

    const fn creates(&self) -> bool {
        matches!(self.type_.as_bytes(), b"CREATE")
    }

    /// The message's text, in the words of the original's queue.
    fn body(&self, message_id: &str, now: Timestamp) -> String {
        let dedup = match self.status {
            Some(status) => format!("update_{}_{status}_{message_id}", self.order),
            None => format!("{}_{}_{message_id}", self.type_.to_lowercase(), self.order),
        };
        // What was written by us is JSON.
        let data = RawValue::from_string(self.data.clone()).unwrap_or_default();
        let rest = value!({
            "type": self.type_, "orderId": self.order, "groupId": self.order, "deduplicationId": dedup,
            "id": message_id, "timestamp": reads::instant(now)
        });
        let mut body = rest.to_string();
        // The object ends with its brace.
        body.pop();
        format!("{body},\"data\":{data}}}")
    }

    /// SHA-256 of what is asked for. The id of a new order is ours and no part of it.
    fn fingerprint(&self) -> [u8; 32] {
        let order = if self.creates() { "" } else { &self.order };
        Sha256::digest(value!([self.type_, order, self.data]).to_string()).into()
    }
}

/// Who asks, and under which key.
struct Caller {
    account: Owner,
    key: Option<String>,
}

impl Caller {
    fn of(request: &Request) -> Result<Self, Refused> {
        let wrong = |problem: crate::problem::Problem| Refused::plain(problem.status(), problem.detail());
        let visitor = request.extensions().get::<Visitor>();
        let Account(account) = Account::asked(visitor, request.headers()).map_err(wrong)?;
        Ok(Self { account, key: idempotency::key(request.headers()).map_err(wrong)? })
    }

    /// Has a command queued, and answers with its ids.
    async fn queue(&self, app: &App, status: StatusCode, command: Command) -> Result<Response, Refused> {
        let message_id = self.message_id(&command, &command.order);
        let outgoing = Outgoing {
            body: command.body(&message_id, clock::now()),
            group: Some(command.order.clone()),
            dedup: Some(message_id.clone()),
            sender: self.account.to_string(),
            ..Outgoing::default()
        };
        let (order, creates) = (command.order.clone(), command.creates());
        let queued = intake::Command { order, creates, message_id: message_id.clone(), outgoing };
        let request = self.key.clone().map(|key| RequestKey {
            scope: format!("recorded.shop.{}:{}", command.type_, self.account),
            key,
            fingerprint: command.fingerprint(),
        });
        let (intake, queues) = (&app.engine.intake, &app.engine.queues);
        let done = intake.queue_command(queues, &self.account, &queued, request.as_ref()).await;
        let done = done.map_err(|error| refused(error, command.what()))?;
        let message_id = if done.replayed { self.message_id(&command, &done.order) } else { message_id };
        let message = format!("Order {} event queued successfully", command.what());
        let (message_id, order) = (text(&message_id), text(&done.order));
        let body = format!(r#"{{"message":"{message}","messageId":{message_id},"orderId":{order}}}"#);
        let mut response = json(status, body);
        if done.replayed {
            let name = HeaderName::from_static(idempotency::REPLAYED);
            response.headers_mut().insert(name, HeaderValue::from_static("true"));
        }
        Ok(response)
    }

    /// An id for the message: under a key always the same, so that a replay is answered with it.
    fn message_id(&self, command: &Command, order: &str) -> String {
        let Some(key) = &self.key else { return new_id() };
        let space = Uuid::parse_str(order).unwrap_or(Uuid::NAMESPACE_OID);
        Uuid::new_v5(&space, format!("{} {order} {key}", command.type_).as_bytes()).to_string()
    }
}

/// As the original says it; what failed goes to the log.
fn refused(error: CommandError, what: &str) -> Refused {
    match error {
        CommandError::NotFound => Refused::no_such_order(),
        CommandError::KeyReused => {
            Refused::new(StatusCode::UNPROCESSABLE_ENTITY, "Idempotency-Key was used with another request")
        }
        CommandError::Queue(error) => {
            tracing::error!(%error, "a shop's command was not queued");
            Refused::failed(&format!("Failed to queue order {what}"))
        }
    }
}
