//! The SQS facade: queues for whoever has a client of AWS SQS, in both of its protocols.
//!
//! `wire` reads a request of either protocol into an operation and its parameters (`operation`, `query`), and writes answers
//! and refusals (`xml`, `error`). `queues`, `messages`, `moves` and `policy` have the operations. What a queue is and refuses
//! stands in `domain::queue`; who may come in, also with a signature, in `gate`.

mod attributes;
mod call;
mod check;
mod error;
mod messages;
mod moves;
mod operation;
mod policy;
mod query;
mod queues;
mod wire;
mod xml;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use domain::key::Scope;

use self::call::Call;
use self::error::{Refused, code};
use self::operation::{Input, Operation};
use self::wire::Wire;
use super::Facade;
use crate::account::Account;
use crate::body;
use crate::gate::Visitor;
use crate::problem::Problem;
use crate::routes::App;

/// Where the facade is mounted beside the native API.
pub(crate) const MOUNT: &str = "/sqs";
/// Where the tests of moto forget everything between two of them.
const RESET: &str = "/moto-api/reset";
/// The most bytes of a request: a message of 1 MiB, every character of it escaped.
const MOST_BYTES: usize = 8 * 1024 * 1024;
/// The most bytes of a request that sends nothing.
const MOST_OTHER_BYTES: usize = 256 * 1024;

/// The facade below `mount`, as the layer around all routes knows it.
pub(crate) const fn facade(mount: &'static str) -> Facade {
    Facade { name: "sqs", mount, needs, scopes: &[Scope::QueuesUse], signed: Some(MOST_BYTES), failure }
}

/// The facade's routes below `mount` (empty for its own listener).
pub(crate) fn routes(mount: &'static str) -> Router<Arc<App>> {
    let router = Router::new()
        .route(&format!("{mount}/"), any(serve))
        .route(&format!("{mount}/{{*rest}}"), any(serve))
        .route(&format!("{mount}{RESET}"), any(reset));
    if mount.is_empty() { router } else { router.route(mount, any(serve)) }
}

/// Whoever may use queues may do everything with those of its account, but for the shop's: see [`Call::may_use`].
fn needs(_: &Method, path: &str) -> Option<Scope> {
    Some(if path.ends_with(RESET) { Scope::Admin } else { Scope::QueuesUse })
}

/// A failure outside of the operations, in the words of the protocol that the request's content is of.
fn failure(problem: &Problem, content_type: Option<&HeaderValue>) -> Response {
    let wire = Wire::of(content_type.and_then(|value| value.to_str().ok()));
    wire.refusal(&problem.into(), &engine::intake::new_id())
}

/// Every request, whatever its path: what is wanted stands in a header or in the form.
async fn serve(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let wire = Wire::of(parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()));
    let id = engine::intake::new_id();
    let answer = answer(app, wire, &id, &parts, body).await;
    answer.unwrap_or_else(|refused| wire.refusal(&refused, &id))
}

async fn answer(app: Arc<App>, wire: Wire, id: &str, parts: &Parts, body: Body) -> Result<Response, Refused> {
    wire.check_origin(&parts.headers)?;
    let shared = Arc::clone(&app);
    let (body, _room) = body::read_large(&shared, &parts.headers, body, MOST_BYTES).await?;
    let visitor = parts.extensions.get::<Visitor>();
    let account = Account::asked(visitor, &parts.headers)?.0;
    let mount = app.facade(parts.uri.path()).map_or("", |facade| facade.mount);
    let (operation, input) = wire.read(parts, mount, &body)?;
    let sends = matches!(operation, Operation::SendMessage | Operation::SendMessageBatch);
    if !sends && body.len() > MOST_OTHER_BYTES {
        return Err(Refused::new(code::TOO_LARGE, format!("The request has more than {MOST_OTHER_BYTES} bytes.")));
    }
    // Who is let in without a key, on a server where all are, may do what all may.
    let open = app.engine.access.is_open().await.map_err(|fault| Refused::from(&Problem::from(fault)))?;
    let principal = visitor.and_then(|visitor| visitor.principal.clone()).filter(|_| !open);
    let call = Call::new(Arc::clone(&app), (account, principal), parts, mount);
    let reply = Reply { wire, operation, id };
    match operation {
        Operation::SendMessage
        | Operation::SendMessageBatch
        | Operation::ReceiveMessage
        | Operation::DeleteMessage
        | Operation::DeleteMessageBatch
        | Operation::ChangeMessageVisibility
        | Operation::ChangeMessageVisibilityBatch => about_messages(&call, reply, input).await,
        _ => about_queues(&call, reply, input).await,
    }
}

/// How an answer is written.
struct Reply<'a> {
    wire: Wire,
    operation: Operation,
    id: &'a str,
}

impl Reply<'_> {
    fn with(&self, result: &impl serde::Serialize) -> Response {
        self.wire.answer(self.operation, self.id, result)
    }
}

async fn about_messages(call: &Call, reply: Reply<'_>, input: Input<'_>) -> Result<Response, Refused> {
    Ok(match reply.operation {
        Operation::SendMessage => reply.with(&messages::send(call, input.read()?).await?),
        Operation::SendMessageBatch => reply.with(&messages::send_batch(call, input.read()?).await?),
        Operation::ReceiveMessage => reply.with(&messages::receive(call, input.read()?).await?),
        Operation::DeleteMessage => reply.with(&messages::delete(call, input.read()?).await?),
        Operation::DeleteMessageBatch => reply.with(&messages::delete_batch(call, input.read()?).await?),
        Operation::ChangeMessageVisibility => reply.with(&messages::change_visibility(call, input.read()?).await?),
        _ => reply.with(&messages::change_visibility_batch(call, input.read()?).await?),
    })
}

async fn about_queues(call: &Call, reply: Reply<'_>, input: Input<'_>) -> Result<Response, Refused> {
    Ok(match reply.operation {
        Operation::CreateQueue => reply.with(&queues::create(call, input.read()?).await?),
        Operation::GetQueueUrl => reply.with(&queues::url(call, input.read()?).await?),
        Operation::ListQueues => reply.with(&queues::list(call, input.read()?).await?),
        Operation::ListDeadLetterSourceQueues => reply.with(&queues::sources(call, input.read()?).await?),
        Operation::GetQueueAttributes => reply.with(&queues::attributes(call, input.read()?).await?),
        Operation::SetQueueAttributes => reply.with(&queues::set(call, input.read()?).await?),
        Operation::TagQueue => reply.with(&queues::tag(call, input.read()?).await?),
        Operation::UntagQueue => reply.with(&queues::untag(call, input.read()?).await?),
        Operation::ListQueueTags => reply.with(&queues::tags(call, input.read()?).await?),
        Operation::DeleteQueue => reply.with(&queues::delete(call, input.read()?).await?),
        Operation::PurgeQueue => reply.with(&queues::purge(call, input.read()?).await?),
        Operation::AddPermission => reply.with(&policy::add(call, input.read()?).await?),
        Operation::RemovePermission => reply.with(&policy::remove(call, input.read()?).await?),
        Operation::StartMessageMoveTask => reply.with(&moves::start(call, input.read()?).await?),
        Operation::CancelMessageMoveTask => reply.with(&moves::cancel(call, input.read()?).await?),
        Operation::ListMessageMoveTasks => reply.with(&moves::list(call, input.read()?).await?),
        // Those about messages do not come here.
        other => {
            return Err(Refused::new(code::INVALID_ACTION, format!("There is no operation {} here.", other.name())));
        }
    })
}

/// For the tests of moto, on a server that was told to: deletes every queue of the account.
async fn reset(State(app): State<Arc<App>>, request: Request) -> Response {
    if !app.settings.moto_reset {
        return serve(State(app), request).await;
    }
    let (parts, _) = request.into_parts();
    if let Err(refused) = Wire::Query.check_origin(&parts.headers) {
        return Wire::Json.refusal(&refused, &engine::intake::new_id());
    }
    let account = match Account::asked(parts.extensions.get::<Visitor>(), &parts.headers) {
        Ok(account) => account.0,
        Err(problem) => return problem.into_response(),
    };
    loop {
        let found = match app.engine.queues.list(&account, None, None, 100).await {
            Ok((found, _)) => found,
            Err(error) => return Wire::Json.refusal(&error.into(), &engine::intake::new_id()),
        };
        if found.is_empty() {
            return (StatusCode::OK, r#"{"status": "ok"}"#).into_response();
        }
        for queue in found {
            if let Err(error) = app.engine.queues.delete(&account, queue.name()).await {
                return Wire::Json.refusal(&error.into(), &engine::intake::new_id());
            }
        }
    }
}
