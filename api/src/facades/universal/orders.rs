//! `POST /order` makes an order of a signed quote; `GET /order/{id}` says how it stands.
//!
//! The same quote is one order: its id is kept as the order's own id of its client, for ever. Whether the quote is one that the
//! venue gave, and its signature good, the venue says when the order comes to it.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use domain::swap::{Ask, Conditions, Mode, Place, Quote, Side, Status, Swap, client_order_scope};
use domain::{Kind, Owner, Timestamp, amount};
use drivers::Fault;
use drivers::venue::universal::{Address, Chain, NAME, TOKEN_DECIMALS, USDC_DECIMALS};
use engine::clock;
use engine::intake::{IntakeError, RequestKey, new_id};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::schema::{Sent, parsed};
use super::trace::TraceId;
use super::zod::{Issues, custom};
use super::{Refused, success};
use crate::account::Account;
use crate::gate::Visitor;
use crate::problem::Problem;
use crate::routes::App;
use crate::swaps::is_id;
use crate::{body, idempotency};

/// What comes before our ids.
const PREFIX: &str = "order_";
/// The most of a signed quote, in bytes: as much as the bytes of an order may have.
const LONGEST: usize = 8 * 1024;
const INVALID: &str = "Invalid order request data";

/// Takes an order for a signed quote, or answers with the order that the quote has.
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Extension(trace): Extension<TraceId>,
    request: Request,
) -> Result<Response, Refused> {
    let headers = request.headers().clone();
    let Account(account) = Account::asked(request.extensions().get::<Visitor>(), &headers)?;
    let key = idempotency::key(&headers)?;
    let bytes = body::read(request, app.settings.body_limit).await?;
    let sent = Sent::order(parsed(&headers, &bytes)?).map_err(|issues| Refused::invalid(INVALID, issues))?;
    let place = place(&sent, account.clone())?;
    let client_order_id = place.client_order_id.clone().unwrap_or_default();
    if deadline(&sent)? <= clock::now() {
        // What is over now may have been taken before.
        let held = app.engine.journal.key(&client_order_scope(&account), &client_order_id, clock::now()).await;
        return match held.map_err(Problem::from)? {
            Some(held) => first(&app, &account, &held.id, &trace).await,
            None => Err(wrong("deadline", "Quote deadline has passed")),
        };
    }
    let request = key.map(|key| RequestKey {
        scope: format!("universal.order:{account}"),
        key,
        fingerprint: idempotency::fingerprint(&place),
    });
    match app.engine.intake.place(place, request).await {
        Ok(taken) if !taken.replayed => Ok(created(&taken.id, &sent.json(), Status::Pending, &trace)),
        Ok(taken) => first(&app, &account, &taken.id, &trace).await,
        Err(IntakeError::Duplicate { id, .. }) => first(&app, &account, &id, &trace).await,
        Err(error) => Err(error.into()),
    }
}

/// How an order stands.
pub(super) async fn read(
    State(app): State<Arc<App>>,
    Extension(trace): Extension<TraceId>,
    headers: HeaderMap,
    caller: Option<Extension<Visitor>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Refused> {
    let unknown = || Refused::new(StatusCode::NOT_FOUND, "Order not found");
    let Account(account) = Account::asked(caller.as_deref(), &headers)?;
    let Path(id) = id.map_err(|_| unknown())?;
    let id = id.strip_prefix(PREFIX).filter(|id| is_id(id)).ok_or_else(unknown)?;
    let (swap, quote) = signed(&app, &account, id).await?.ok_or_else(unknown)?;
    let receipt = swap.receipt.as_ref();
    let [external, transaction] =
        [receipt.map(|receipt| &receipt.order_id), receipt.map(|receipt| &receipt.transaction)].map(|id| json!(id));
    let (id, status, trace) = (Value::from(format!("{PREFIX}{id}")), word(swap.status), Value::from(trace.0));
    let (created, updated) = (millis(swap.created_at), millis(swap.updated_at));
    Ok(success(&format!(
        r#"{{"id":{id},"createdAt":"{created}","updatedAt":"{updated}","quote":{quote},"status":"{status}","externalOrderId":{external},"transactionHash":{transaction},"traceId":{trace}}}"#
    )))
}

/// The order that a quote had before, as it stands.
async fn first(app: &App, account: &Owner, id: &str, trace: &TraceId) -> Result<Response, Refused> {
    let taken = || Refused::new(StatusCode::BAD_REQUEST, "The quote's id is that of another order");
    let (swap, quote) = signed(app, account, id).await?.ok_or_else(taken)?;
    let mut response = created(id, &quote, swap.status, trace);
    response.headers_mut().insert(HeaderName::from_static(idempotency::REPLAYED), HeaderValue::from_static("true"));
    Ok(response)
}

fn created(id: &str, quote: &str, status: Status, trace: &TraceId) -> Response {
    let (id, status, trace) = (Value::from(format!("{PREFIX}{id}")), word(status), Value::from(&*trace.0));
    success(&format!(
        r#"{{"order":{{"id":{id},"quote":{quote},"status":"{status}","traceId":{trace}}},"message":"Order created and queued for processing"}}"#
    ))
}

/// An order of the account for a signed quote, with that quote; none where there is no such order.
async fn signed(app: &App, account: &Owner, id: &str) -> Result<Option<(Swap, Arc<str>)>, Problem> {
    let entity = app.engine.journal.entity(Kind::Swap, id).await?.filter(|entity| entity.owner == *account);
    let swap = entity.as_ref().map(Swap::from_entity).transpose();
    let swap = swap.map_err(|error| Fault::Broken(format!("swap {id}: {error}")))?;
    Ok(swap.and_then(|swap| {
        let quote = swap.firm.as_ref()?.opaque.clone()?;
        Some((swap, quote))
    }))
}

/// The order that a signed quote makes: it pays and receives what was signed, and nothing else.
fn place(sent: &Sent<'_>, account: Owner) -> Result<Place, Refused> {
    let text = |name: &str| sent.text(name).unwrap_or_default();
    let signed = sent.json();
    if signed.len() > LONGEST {
        return Err(Refused::new(StatusCode::PAYLOAD_TOO_LARGE, "The quote is too large"));
    }
    let chain = text("blockchain");
    let (pair, pair_decimals) = pair(&text("pair_token"), &chain);
    let token_amount = amount_of(sent, "token_amount", TOKEN_DECIMALS)?;
    let pair_amount = amount_of(sent, "pair_token_amount", pair_decimals)?;
    let token: Arc<str> = format!("u{}.{chain}", text("token")).into();
    let buys = text("type") == "BUY";
    let (side, input, output) = if buys { (Side::Buy, pair, token) } else { (Side::Sell, token, pair) };
    let (amount_in, amount_out) = if buys { (pair_amount, token_amount) } else { (token_amount, pair_amount) };
    let (input_decimals, output_decimals) =
        if buys { (pair_decimals, TOKEN_DECIMALS) } else { (TOKEN_DECIMALS, pair_decimals) };
    // Both amounts are fixed; where only one is said, that one counts.
    let (mode, amount) = if amount_in > 0 { (Mode::ExactIn, amount_in) } else { (Mode::ExactOut, amount_out) };
    if amount == 0 {
        return Err(wrong("pair_token_amount", "Invalid amount"));
    }
    let ask = Ask { input, output, mode, amount };
    let firm = Quote {
        venue: NAME.into(),
        ask: ask.clone(),
        amount_in,
        amount_out,
        fee: 0,
        price_impact_bps: 0,
        legs: Vec::new(),
        certificate: None,
        opaque: Some(signed.into()),
    };
    Ok(Place {
        id: new_id(),
        account,
        side,
        ask,
        input_decimals,
        output_decimals,
        // What is signed has no slippage: it is filled to the unit or not at all.
        slippage_bps: 0,
        client_order_id: Some(client_order_id(&text("id"))),
        expires_at: None,
        conditions: Conditions::default(),
        firm: Some(Box::new(firm)),
        plan: None,
    })
}

/// The symbol and the decimals of what a token is traded against: USDC by its name or its contract; another contract's decimals
/// nobody told us, and 18 is what most have.
fn pair(named: &str, chain: &str) -> (Arc<str>, u8) {
    let usdc = Chain::parse(chain).and_then(Chain::usdc);
    match named.parse::<Address>() {
        Ok(address) if Some(address) != usdc => (format!("{address}.{chain}").into(), 18),
        _ => (format!("USDC.{chain}").into(), USDC_DECIMALS),
    }
}

/// An amount of base units, or with a point of whole tokens; 0 where there is none.
fn amount_of(sent: &Sent<'_>, name: &str, decimals: u8) -> Result<u128, Refused> {
    let text = sent.text(name).unwrap_or_default();
    let decimals = if text.contains('.') { decimals } else { 0 };
    if text.is_empty() { Ok(0) } else { amount::parse(&text, decimals).map_err(|_| wrong(name, "Invalid amount")) }
}

/// Until when the quote is firm.
fn deadline(sent: &Sent<'_>) -> Result<Timestamp, Refused> {
    let seconds = sent.text("deadline").and_then(|text| text.parse::<u64>().ok());
    let seconds = seconds.and_then(|seconds| i64::try_from(seconds).ok());
    seconds.map(|s| Timestamp(s.saturating_mul(1_000_000))).ok_or_else(|| wrong("deadline", "Invalid deadline"))
}

/// The order's own id of its client: the quote's id, or a digest of one that is too long or has other characters.
fn client_order_id(quote: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._:-".contains(&b);
    if (1..=48).contains(&quote.len()) && quote.bytes().all(plain) {
        return format!("quote:{quote}");
    }
    let digest = Sha256::digest(quote);
    let digits: String = digest[..24].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("quote::{digits}")
}

fn wrong(field: &str, message: &str) -> Refused {
    Refused::invalid(INVALID, Issues(vec![custom(&json!([field]), message)]))
}

const fn word(status: Status) -> &'static str {
    match status {
        Status::Open | Status::Pending | Status::Routing => "PENDING",
        Status::Building => "PROCESSING",
        Status::Submitted | Status::Confirmed => "SUBMITTED",
        Status::Failed | Status::Expired | Status::Cancelled => "FAILED",
    }
}

/// An instant as JavaScript writes it.
pub(super) fn millis(at: Timestamp) -> String {
    let text = at.to_string();
    format!("{}Z", text.get(..23).unwrap_or(&text))
}

impl From<IntakeError> for Refused {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::Refused(refusal) => Self::new(StatusCode::BAD_REQUEST, &refusal.message),
            IntakeError::KeyReused => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Idempotency-Key was used with another request")
            }
            // Logs what it hides from the caller.
            other => Problem::from(other).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_have_client_order_ids_of_their_own() {
        assert_eq!(client_order_id("test_order_1.x"), "quote:test_order_1.x");
        let ids = ["", " ", "ü", &"a".repeat(49), &"a".repeat(1_000)].map(client_order_id);
        for (place, id) in ids.iter().enumerate() {
            assert!(id.len() <= 64 && id.starts_with("quote::") && !ids[..place].contains(id), "{id}");
        }
    }

    #[test]
    fn instants_have_milliseconds() {
        let at = Timestamp::parse("2026-01-02T03:04:05.678901Z").expect("an instant");
        assert_eq!(millis(at), "2026-01-02T03:04:05.678Z");
        assert_eq!(millis(Timestamp(0)), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn usdc_is_known_by_name_and_contract() {
        let pair = |named| pair(named, "BASE");
        assert_eq!(pair("USDC"), ("USDC.BASE".into(), 6));
        assert_eq!(pair("0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"), ("USDC.BASE".into(), 6));
        let other = "0x742d35cc6634c0532925a3b8d435c6878c053292";
        assert_eq!(pair(other), (format!("{other}.BASE").into(), 18));
    }
}
