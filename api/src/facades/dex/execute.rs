//! `POST /api/orders/execute`: one path, two dialects.

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::Owner;
use domain::amount::parse;
use domain::swap::{Ask, Conditions, LimitPrice, Place, Side};
use domain::token::{Registry, Token};
use engine::intake::{IntakeError, RequestKey, Taken, new_id};

use super::{Refused, decimal, e, m};
use crate::account::Account;
use crate::body::{self, Object, Text};
use crate::gate::Visitor;
use crate::idempotency;
use crate::problem::Problem;
use crate::routes::App;

/// What a dialect's body asks for.
pub(super) struct Order {
    pub(super) side: Side,
    pub(super) ask: Ask,
    pub(super) input: Token,
    pub(super) output: Token,
    pub(super) slippage_bps: u16,
    /// Of a limit order: it rests until this price is there.
    pub(super) limit_price: Option<LimitPrice>,
}

/// The fields of a body as JSON text. A body that is no object has none; of a field that stands there twice the last
/// counts, as in JavaScript.
pub(super) struct Fields<'a>(Object<'a>);

impl<'a> Fields<'a> {
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.0.0.iter().rev().find(|(key, _)| key == name).map(|(_, raw)| raw.get())
    }

    pub(super) fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        serde_json::from_str(self.get(name)?).ok().map(|Text(text)| text)
    }
}

/// The token that a field names.
pub(super) fn token<'a>(fields: &Fields<'_>, name: &str, tokens: &'a Registry) -> Option<&'a Token> {
    fields.text(name).and_then(|symbol| tokens.get(&symbol))
}

/// Whole tokens as base units; none when the token has fewer decimals, or for nothing at all.
pub(super) fn amount(plain: &str, token: &Token) -> Option<u128> {
    parse(plain, token.decimals).ok().filter(|units| *units > 0)
}

/// The price of a limit order, which clients call `price` or `limitPrice`: a number, or a numeric text.
pub(super) fn limit_price(fields: &Fields<'_>) -> Option<LimitPrice> {
    let named = |name| fields.get(name).filter(|raw| *raw != "null");
    let plain = decimal::plain(named("price").or_else(|| named("limitPrice"))?)?;
    LimitPrice::parse(&plain).ok()
}

/// Takes an order in either dialect.
pub(super) async fn execute(app: Arc<App>, mount: &str, request: Request) -> Response {
    let headers = request.headers().clone();
    let taken = match take(&app, &headers, request).await {
        Ok(taken) => taken,
        Err(refused) => return refused.into_response(),
    };
    let (dialect, Taken { id, replayed, .. }) = taken;
    let mut response = match dialect {
        Dialect::M => m::accepted(&id),
        Dialect::E => e::accepted(&id, &ws_url(&headers, mount, &id)),
    };
    if replayed {
        let name = HeaderName::from_static(idempotency::REPLAYED);
        response.headers_mut().insert(name, HeaderValue::from_static("true"));
    }
    response
}

#[derive(Clone, Copy)]
enum Dialect {
    M,
    E,
}

async fn take(app: &App, headers: &HeaderMap, request: Request) -> Result<(Dialect, Taken), Refused> {
    let bad = |error: &str| Refused::new(StatusCode::BAD_REQUEST, error);
    let caller = request.extensions().get::<Visitor>();
    let Account(account) = Account::asked(caller, headers).map_err(|problem| bad(problem.detail()))?;
    let key = idempotency::key(headers).map_err(|problem| bad(problem.detail()))?;
    let bytes = body::read(request, app.settings.body_limit).await.map_err(|problem| unread(&problem))?;
    let fields = fields(headers, &bytes)?;
    let tokens = &app.engine.tokens;
    let is_m = fields.get("baseAsset").is_some() || fields.get("quoteAsset").is_some();
    let (dialect, order) =
        if is_m { (Dialect::M, m::order(&fields, tokens)?) } else { (Dialect::E, e::order(&fields, tokens)?) };
    if order.input.mint == order.output.mint {
        return Err(bad("Input and output are the same token"));
    }
    let place = place(order, account.clone());
    let request = key.map(|key| RequestKey {
        scope: format!("dex.execute:{account}"),
        key,
        fingerprint: idempotency::fingerprint(&place),
    });
    let taken = app.engine.intake.place(place, request).await.map_err(not_taken)?;
    Ok((dialect, taken))
}

fn place(order: Order, account: Owner) -> Place {
    Place {
        id: new_id(),
        account,
        side: order.side,
        ask: order.ask,
        input_decimals: order.input.decimals,
        output_decimals: order.output.decimals,
        slippage_bps: order.slippage_bps,
        client_order_id: None,
        expires_at: None,
        conditions: Conditions { limit_price: order.limit_price, ..Conditions::default() },
        firm: None,
        plan: None,
    }
}

/// The body's fields, after the checks that Fastify makes of content types and JSON.
fn fields<'a>(headers: &HeaderMap, bytes: &'a [u8]) -> Result<Fields<'a>, Refused> {
    let nothing = || Ok(Fields(Object(Vec::new())));
    let media = body::media_type(headers);
    match media {
        None if bytes.is_empty() => return nothing(),
        Some(media) if media.eq_ignore_ascii_case("application/json") => {}
        // A text is no object: it has no fields.
        Some(media) if media.eq_ignore_ascii_case("text/plain") => return nothing(),
        _ => {
            let message = format!("Unsupported Media Type: {}", media.unwrap_or("undefined"));
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(Refused::fastify(status, "FST_ERR_CTP_INVALID_MEDIA_TYPE", "Unsupported Media Type", &message));
        }
    }
    let bad = |code, message| Err(Refused::fastify(StatusCode::BAD_REQUEST, code, "Bad Request", message));
    if bytes.is_empty() {
        let message = "Body cannot be empty when content-type is set to 'application/json'";
        return bad("FST_ERR_CTP_EMPTY_JSON_BODY", message);
    }
    let text = std::str::from_utf8(bytes).unwrap_or("");
    match Object::loose(text) {
        Ok(object) => Ok(Fields(object)),
        Err(_) => {
            let message = "Body is not valid JSON but content-type is set to 'application/json'";
            bad("FST_ERR_CTP_INVALID_JSON_BODY", message)
        }
    }
}

/// A body that did not arrive, as Fastify says it.
fn unread(problem: &Problem) -> Refused {
    match problem.code() {
        "BODY_TOO_LARGE" => {
            let status = StatusCode::PAYLOAD_TOO_LARGE;
            Refused::fastify(status, "FST_ERR_CTP_BODY_TOO_LARGE", "Payload Too Large", "Request body is too large")
        }
        "REQUEST_TIMEOUT" => Refused::fastify(
            StatusCode::REQUEST_TIMEOUT,
            "FST_ERR_REQUEST_TIMEOUT",
            "Request Timeout",
            problem.detail(),
        ),
        _ => {
            let message = "Request body size did not match Content-Length";
            Refused::fastify(StatusCode::BAD_REQUEST, "FST_ERR_CTP_INVALID_CONTENT_LENGTH", "Bad Request", message)
        }
    }
}

fn not_taken(error: IntakeError) -> Refused {
    match error {
        IntakeError::Refused(refusal) => Refused::new(StatusCode::BAD_REQUEST, &refusal.message),
        IntakeError::KeyReused => {
            Refused::new(StatusCode::UNPROCESSABLE_ENTITY, "Idempotency-Key was used with another request")
        }
        // Logs what it hides from the caller.
        other => Refused::unavailable(Problem::from(other).detail()),
    }
}

/// Where the caller can follow the order, by the names under which it reached us.
fn ws_url(headers: &HeaderMap, mount: &str, id: &str) -> String {
    let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    let secure = header("x-forwarded-proto").is_some_and(|p| p.split(',').next().unwrap_or(p).trim() == "https");
    let plain = |b: u8| b.is_ascii_alphanumeric() || b".:-_[]".contains(&b);
    let host = header("host").filter(|host| host.bytes().all(plain)).unwrap_or("localhost");
    let scheme = if secure { "wss" } else { "ws" };
    format!("{scheme}://{host}{mount}/api/orders/ws/{id}")
}
